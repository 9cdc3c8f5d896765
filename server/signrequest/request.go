// Package signrequest is what a gateway asks an agent on a person's machine to
// sign, and how the agent knows that it was asked by a gateway it trusts.
//
// A request travels through the browser as a compact JWS (RFC 7515) signed with
// ES256, to http://127.0.0.1:PORT/sign. [Sign] makes one, [Verify] reads one: it
// takes the algorithm, the type and the key from nobody but the enrolled gateway,
// and insists that the answer goes back to that gateway's origin. What the
// signature of the person will be over, [Request.Content] tells both sides.
//
// There is exactly one way to write a request down: a payload that differs in a
// space, in the order of its members, or repeats one, is refused.
package signrequest

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// Purpose is what a signature is wanted for.
type Purpose string

// The purposes. The zero value is none of them.
const (
	// SignIn is a one-time sign-in: the content is made of the request itself.
	SignIn Purpose = "sign-in"
	// SignText is the signature of a text that the person reads on the agent's page.
	SignText Purpose = "sign-text"
	// SignDocument is the signature of a document that is known by its name and
	// digests.
	SignDocument Purpose = "sign-document"
)

// Life and limits of requests.
const (
	// Life is the longest time between IssuedAt and Expires.
	Life = 2 * time.Minute
	// Skew is by how much the clock of the agent may differ from the gateway's. The
	// gateway judges answers by its own clock, so little depends on it.
	Skew = time.Minute
	// AnswerLife is how long after Began an answer may still come: the longest life of a
	// state.
	AnswerLife = 15 * time.Minute

	// MaxText is the longest Text, in bytes: a person reads it on one page.
	MaxText = 48 << 10
	// MaxToken is the longest JWS, in bytes. It is bounded before anything is decoded.
	MaxToken = 160 << 10
	// MaxName bounds Service, Document.Name and Document.MediaType, in bytes.
	MaxName = 300

	maxID    = 128
	maxURL   = 512
	maxKinds = 8
	// minNonce is the shortest nonce, in characters of base64url: 256 bits.
	minNonce = 43
)

// Request is what a person is asked to sign. The zero value asks for nothing, and
// cannot be signed.
type Request struct {
	// ID tells requests apart in logs and in support; it is no secret.
	ID string
	// Issuer is the origin of the gateway: "https://gateway.example".
	Issuer string
	// ReturnTo is the address, of the same origin, that the answer is posted to.
	ReturnTo string
	// State comes back with the answer; unguessable.
	State string
	// Nonce is at least 256 random bits in base64url; it is good once.
	Nonce string
	// Began is when the person began, in whole seconds. A request may be issued again
	// while he looks for his token; what he signs stays the same. Zero means IssuedAt.
	Began time.Time
	// IssuedAt and Expires, in whole seconds, are at most Life apart.
	IssuedAt, Expires time.Time
	// Purpose is what the signature is for.
	Purpose Purpose
	// Service names who relies on it, for the person: one line, at most MaxName bytes.
	Service string
	// Text is what is signed if Purpose is SignText, at most MaxText bytes of UTF-8;
	// else empty.
	Text string
	// Document is what is signed if Purpose is SignDocument, else nil.
	Document *Document
	// Kinds are the kinds of holders whose certificates will be taken; empty means any.
	Kinds []person.Kind
	// Language is "ru", "en", or empty when the person did not say.
	Language string
}

// Document is a file that the agent never sees: its digests are signed.
type Document struct {
	// Name is the name of the file, without a directory: one line, at most MaxName bytes.
	Name string
	// MediaType is "application/pdf" and the like.
	MediaType string
	// Size is the length of the file in bytes.
	Size int64
	// Streebog256 (32 bytes) and Streebog512 (64 bytes) are the digests of the file as
	// package streebog returns them; which is signed depends on the person's key.
	Streebog256, Streebog512 []byte
}

// Check returns why the request cannot be used, with reason [reason.SignRequestMalformed],
// or nil. It looks at form alone, not at the clock and not at who asks.
func (r Request) Check() error {
	if err := r.check(); err != nil {
		return reason.New(reason.SignRequestMalformed, err)
	}
	return nil
}

func (r Request) check() error {
	for _, f := range []struct {
		name, value string
		min, max    int
	}{{"id", r.ID, 1, maxID}, {"state", r.State, minNonce, maxID}, {"nonce", r.Nonce, minNonce, maxID}} {
		if len(f.value) < f.min || len(f.value) > f.max || !plain(f.value) {
			return fmt.Errorf("%s is not %d to %d characters of base64url", f.name, f.min, f.max)
		}
	}
	if err := checkOrigin(r.Issuer); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if origin, ok := originOf(r.ReturnTo); !ok || origin != r.Issuer {
		return errors.New("the return address is not of the issuer's origin")
	}
	if err := r.checkTimes(); err != nil {
		return err
	}
	if !OneLine(r.Service) {
		return errors.New("the name of the service is not one printable line")
	}
	if len(r.Kinds) > maxKinds {
		return errors.New("too many kinds of holders")
	}
	for _, k := range r.Kinds {
		if !holder(k) {
			return errors.New("a kind of holders is unknown")
		}
	}
	if r.Language != "" && r.Language != "ru" && r.Language != "en" {
		return errors.New("the language is unknown")
	}
	return r.checkPurpose()
}

func (r Request) checkTimes() error {
	for _, t := range []time.Time{r.IssuedAt, r.Expires, r.began()} {
		if t.Unix() <= 0 || t.Nanosecond() != 0 {
			return errors.New("a time is not in whole seconds after 1970")
		}
	}
	if d := r.Expires.Sub(r.IssuedAt); d <= 0 || d > Life {
		return fmt.Errorf("the request lives for %s, not for up to %s", d, Life)
	}
	if d := r.IssuedAt.Sub(r.began()); d < 0 || d > AnswerLife {
		return fmt.Errorf("the request was issued %s after it began", d)
	}
	return nil
}

func (r Request) checkPurpose() error {
	switch r.Purpose {
	case SignIn:
		if r.Text != "" || r.Document != nil {
			return errors.New("a sign-in has neither text nor document")
		}
		return nil
	case SignText:
		if r.Document != nil {
			return errors.New("a text has no document")
		}
		return CheckText(r.Text)
	case SignDocument:
		if r.Text != "" || r.Document == nil {
			return errors.New("a document is wanted, and no text")
		}
		return r.Document.Check()
	}
	return errors.New("the purpose is unknown")
}

// Check returns what is wrong with the description of a document, or nil.
func (d Document) Check() error {
	switch {
	case !OneLine(d.Name) || strings.ContainsAny(d.Name, `/\`):
		return errors.New("the name of the document is not one printable line without directories")
	case !mediaType(d.MediaType):
		return errors.New("the media type of the document is not like application/pdf")
	case d.Size < 0 || d.Size > 1<<53:
		return errors.New("the size of the document cannot be")
	case len(d.Streebog256) != 32 || len(d.Streebog512) != 64:
		return errors.New("the digests of the document are not of 32 and 64 bytes")
	}
	return nil
}

// plain reports whether s has characters of base64url only.
func plain(s string) bool {
	for i := range len(s) {
		if !strings.ContainsRune("-_", rune(s[i])) && !alphanumeric(s[i]) {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// mediaType reports whether s is a type and a subtype of RFC 6838, Section 4.2.
func mediaType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	return ok && len(s) <= 127 && restrictedName(kind) && restrictedName(sub)
}

func restrictedName(s string) bool {
	if s == "" || !alphanumeric(s[0]) {
		return false
	}
	for i := range len(s) {
		if !alphanumeric(s[i]) && !strings.ContainsRune("!#$&-^_.+", rune(s[i])) {
			return false
		}
	}
	return true
}

func holder(k person.Kind) bool {
	switch k {
	case person.Entrepreneur, person.LegalEntity, person.LegalEntityAuto, person.Person:
		return true
	}
	return false
}

// checkOrigin returns why s is not an origin that a gateway may have: https, or http on
// loopback, a host in lower case, no default port, and nothing after it.
func checkOrigin(s string) error {
	origin, ok := originOf(s)
	if !ok || origin != s {
		return errors.New("not an origin such as https://gateway.example")
	}
	return nil
}

// originOf returns the origin of an address as RFC 6454, Section 6.2 writes it.
func originOf(s string) (string, bool) {
	if len(s) > maxURL || !printableASCII(s) {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Opaque != "" || u.Fragment != "" || u.RawFragment != "" || u.Hostname() == "" {
		return "", false
	}
	switch host := u.Hostname(); {
	case u.Scheme == "https":
	case u.Scheme == "http" && (host == "127.0.0.1" || host == "::1" || host == "localhost"):
	default:
		return "", false
	}
	if u.Host != strings.ToLower(u.Host) || strings.HasSuffix(u.Host, ":") ||
		u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return "", false
	}
	return u.Scheme + "://" + u.Host, true
}

func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || strings.ContainsRune(`\"<>`, rune(s[i])) {
			return false
		}
	}
	return true
}

// began returns when the person began.
func (r Request) began() time.Time {
	if r.Began.IsZero() {
		return r.IssuedAt
	}
	return r.Began
}
