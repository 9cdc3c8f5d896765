// Package reason is the catalogue of everything Propusk can refuse and why.
//
// A [Code] has one meaning for ever. Each comes with two sentences, Russian for
// the person at the screen and English for the integrator, both saying what
// happened and what to do next, and with the norm it rests on. The catalogue is
// split into files by area; testdata/codes.golden holds every code that was
// published, so none can disappear.
package reason

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// A Code names one reason, in lower case with hyphens: "certificate-expired".
// It is an error, so callers can write errors.Is(err, reason.CertExpired). The
// zero value is no reason at all and is not in the catalogue.
type Code string

// Error implements error; it returns the code itself.
func (c Code) Error() string { return string(c) }

// Kind says whose move it is next. Exactly one place, in package server, maps a
// Kind to an HTTP status.
type Kind uint8

const (
	// Internal is our own fault; the zero value, so that a forgotten kind never
	// blames the person.
	Internal Kind = iota
	// Malformed input cannot be read: not DER, not XML, a missing field.
	Malformed
	// TooLarge input exceeds a limit of size, depth or count.
	TooLarge
	// Credential means that nothing, or nothing usable, proves who is asking.
	Credential
	// Policy means that the input was read and judged, and the answer is no.
	Policy
	// NotFound means that the thing asked for does not exist.
	NotFound
	// Conflict means that the request contradicts the present state.
	Conflict
	// Unsupported input is well formed, but of a sort we do not handle.
	Unsupported
	// Limited means too many attempts; the same request may pass later.
	Limited
	// Unavailable means that we lack data to decide (no CRL, a stale list); the
	// same request may pass later.
	Unavailable
)

// Entry is what the catalogue knows about a Code.
type Entry struct {
	Code Code
	Kind Kind
	RU   string // for the person at the screen: what happened, what to do
	EN   string // the same, for operators and integrators
	Cite string // the norm it rests on; empty for purely technical reasons
}

// An Error is a Code together with the technical cause. Err may be nil.
type Error struct {
	Code Code
	Err  error
}

// New returns an *Error with the given code and cause; the cause may be nil.
func New(code Code, cause error) *Error { return &Error{Code: code, Err: cause} }

// Errorf returns an *Error whose cause is fmt.Errorf(format, args...). The text
// must not contain personal data: it goes to the log.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// Error implements error: "code: cause", or the code alone.
func (e *Error) Error() string {
	if e.Err == nil {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Err.Error()
}

// Unwrap makes both the code and the cause visible to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.Err}
}

// Of returns the first Code in the tree of err, depth first. It returns
// [InternalError] for an error without any code, and "" for nil.
func Of(err error) Code {
	if err == nil {
		return ""
	}
	if c, ok := errors.AsType[Code](err); ok && c != "" {
		return c
	}
	return InternalError
}

// Lookup returns the entry of a code, and false if the catalogue has no such
// code. It is safe for concurrent use.
func Lookup(code Code) (Entry, bool) {
	e, ok := index()[code]
	return e, ok
}

// All returns a fresh copy of the whole catalogue, in the order of its files.
func All() []Entry { return catalogue() }

// catalogue concatenates the areas. A new area adds its file and its line here.
func catalogue() []Entry {
	return slices.Concat(
		generalEntries(),
		certificateEntries(),
		trustEntries(),
		signatureEntries(),
		requestEntries(),
		setupEntries(),
		refreshEntries(),
		signingEntries(),
		ruleEntries(),
		uploadEntries(),
		timestampEntries(),
		ocspEntries(),
		cadesEntries(),
		tokenEntries(),
		tokenFailureEntries(),
		pinEntries(),
		readerEntries(),
		agentEntries(),
		engineEntries(),
		journalEntries(),
		challengeEntries(),
		admissionEntries(),
		formEntries(),
		supportEntries(),
		checkEntries(),
		visitEntries(),
		registrationEntries(),
		loginEntries(),
	)
}

// index is built on first use, not at import time.
var index = sync.OnceValue(func() map[Code]Entry {
	m := make(map[Code]Entry)
	for _, e := range catalogue() {
		m[e.Code] = e
	}
	return m
})
