package crl

import "fmt"

// Delta reports whether this is a delta list, which says what has changed since
// the complete list with the number BaseNumber (RFC 5280, Section 5.2.4).
func (l *List) Delta() bool { return l.base != nil }

// BaseNumber is the number of the complete list that a delta list builds on, the
// content of the INTEGER; nil for a complete list.
func (l *List) BaseNumber() []byte { return l.base }

// FreshestCRL returns the addresses of delta lists for this list (RFC 5280, Section
// 5.2.6).
func (l *List) FreshestCRL() []string { return l.freshest }

// Scope names what the list speaks about: lists of one issuer with the same scope
// replace one another. It is empty for a complete list about everything.
func (l *List) Scope() string {
	if l.scope.usual() && !l.Delta() {
		return ""
	}
	return fmt.Sprintf("%+v delta=%t", l.scope, l.Delta())
}

// usual reports whether the list has no scope of its own.
func (s *scope) usual() bool { return fmt.Sprintf("%+v", *s) == fmt.Sprintf("%+v", scope{}) }
