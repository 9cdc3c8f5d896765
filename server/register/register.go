// Package register looks people up in the register of entrepreneurs (ЕГРИП; 129-ФЗ, ст. 5),
// and compares what it says with what a person has shown and entered (requirements IP-03,
// IP-04, IP-07, IP-29).
//
// Registers are behind the interface [Register]: a file, for small and closed installations
// and for demonstrations, and an HTTP service of the operator.
package register

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// Register finds entries. Implementations are safe for concurrent use.
type Register interface {
	// Find returns the entry for a query. The error is ErrNotFound, or has the reason
	// [reason.RegisterUnavailable]; its text holds nothing about people.
	Find(ctx context.Context, q Query) (Entry, error)
}

// ErrNotFound means that the register has no entry for a query.
var ErrNotFound = errors.New("register: not found")

// Query says whose entry is wanted.
type Query struct {
	// INN is of the person. It must be set.
	INN person.INN
	// OGRNIP is the number of the entry; empty if the person has not told it.
	OGRNIP person.OGRNIP
}

// Entry is what the register knows about a person.
type Entry struct {
	INN    person.INN
	OGRNIP person.OGRNIP
	// Name is the full name.
	Name person.Name
	// Born is "2006-01-02" and Document the number of the document of identity without
	// spaces; each may be empty if the register does not tell.
	Born, Document person.Private
	// Closed is when the person ceased to be an entrepreneur; zero if he is one.
	Closed time.Time
}

// Claim is what a person has shown by his certificate and entered into the form.
type Claim struct {
	INN    person.INN
	OGRNIP person.OGRNIP
	// Name is that of the certificate.
	Name person.Name
	// Entered tells that a number comes from the form and not from the certificate: then
	// nothing but the register vouches for it.
	Entered bool
	// EnteredINN tells that the ИНН is such a number: then the name is all that ties the
	// entry to the holder of the certificate.
	EnteredINN bool
	// Born and Document are of the second step; empty in the first.
	Born, Document person.Private
}

// Match is how an entry fits a claim. The zero value is Mismatch.
type Match int

const (
	// Mismatch means that a person has to compare (IP-07).
	Mismatch Match = iota
	// More means that the date of birth and the document would decide it (IP-04).
	More
	// Same means that the entry is that of the person.
	Same
)

// Compare tells whether an entry is that of the person who claims it. Numbers must be the
// same. The first step is enough if the name is the same too and all numbers come from the
// certificate; otherwise date of birth and document decide, and a name that a person has
// changed since does not matter if the certificate states the ИНН. Whoever knows birthday
// and document of somebody else must not become him by typing his ИНН.
func (e Entry) Compare(c Claim) Match {
	if e.INN != c.INN || !c.OGRNIP.IsZero() && e.OGRNIP != c.OGRNIP {
		return Mismatch
	}
	if !c.Entered && SameName(e.Name, c.Name) {
		return Same
	}
	if c.Born.IsZero() && c.Document.IsZero() {
		return More
	}
	if c.EnteredINN && !SameName(e.Name, c.Name) {
		return Mismatch
	}
	if e.Born.IsZero() || e.Document.IsZero() || e.Born != c.Born || plain(e.Document) != plain(c.Document) {
		return Mismatch
	}
	return Same
}

// SameName reports whether two names are the same whatever their case, their spaces, and
// whether ё is written with its dots.
func SameName(a, b person.Name) bool {
	return !a.IsZero() && fold(a.Reveal()) == fold(b.Reveal())
}

func fold(name string) string {
	name = strings.NewReplacer("ё", "е", "Ё", "Е").Replace(name)
	return strings.ToLower(strings.Join(strings.Fields(name), " "))
}

// plain returns the number of a document without what people write between its parts.
func plain(number person.Private) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' || r == '№' {
			return -1
		}
		return r
	}, number.Reveal()))
}

func unavailable(format string, args ...any) error {
	return reason.Errorf(reason.RegisterUnavailable, format, args...)
}
