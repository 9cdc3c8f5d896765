// Package request is what every HTTP request of the gateway goes through: a
// number that people can dictate to support, limits, security headers, recovery
// from panics, and one line in the log, written at the end.
//
// The log knows the request, not the person: an [Event] has no field that could
// hold a name or an identifier, paths are logged as route patterns, and queries
// and addresses are not logged at all.
package request

import (
	"context"
	"crypto/rand"

	"propusk/pki/reason"
)

// Event is what the log line of a request will say. Handlers fill it in; it
// belongs to the goroutine of the request.
type Event struct {
	// ID is the number of the request, and the support code on its pages.
	ID string
	// Code is why the request was refused, or the reason of a verdict; empty
	// when all went well.
	Code reason.Code
	// Conclusion is the conclusion of a verdict, empty when none was made.
	Conclusion string
	// Engine is what computed the signatures of the verdict, empty when none was made.
	Engine string
	// Client is the client_id of the service that asked, if it is registered.
	Client string
	// Err is the technical cause. Its text must hold no personal data.
	Err error
}

type eventKey struct{}

// From returns the event of the request that ctx belongs to. Outside of a
// request it returns an event that nobody reads.
func From(ctx context.Context) *Event {
	if e, ok := ctx.Value(eventKey{}).(*Event); ok {
		return e
	}
	return new(Event)
}

func withEvent(ctx context.Context, e *Event) context.Context {
	return context.WithValue(ctx, eventKey{}, e)
}

// alphabet is Crockford's base 32: no letter can be taken for a digit when it is
// read out over the telephone.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewID returns a fresh request number, 60 random bits as "7K3F-9QX2-M4TD".
func NewID() string {
	var b [12]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	s := make([]byte, 0, len("7K3F-9QX2-M4TD"))
	for i, v := range b {
		if i > 0 && i%4 == 0 {
			s = append(s, '-')
		}
		s = append(s, alphabet[v%32])
	}
	return string(s)
}
