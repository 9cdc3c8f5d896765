package person

import (
	"fmt"
	"log/slog"
	"strings"
	"unique"
)

// masked is a text that only Reveal gives out. It is a handle, not a string: fmt
// prints unexported fields without asking String, and would show a string but
// not what a pointer points to.
type masked struct {
	h unique.Handle[string]
}

func mask(s string) masked {
	if s == "" {
		return masked{}
	}
	return masked{unique.Make(s)}
}

// Reveal returns the text itself. Do not log it.
func (m masked) Reveal() string {
	if m == (masked{}) {
		return ""
	}
	return m.h.Value()
}

// IsZero reports whether the value is empty.
func (m masked) IsZero() bool { return m == masked{} }

// String returns the masked form: stars, and for identifiers the last two digits.
func (m masked) String() string {
	s := m.Reveal()
	if s == "" {
		return ""
	}
	if !allDigits(s) {
		return "***"
	}
	return strings.Repeat("*", len(s)-2) + s[len(s)-2:]
}

// Format implements fmt.Formatter: every verb prints the masked form.
func (m masked) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		fmt.Fprintf(f, "%q", m.String())
		return
	}
	fmt.Fprint(f, m.String())
}

// LogValue implements slog.LogValuer with the masked form.
func (m masked) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText implements encoding.TextMarshaler with the masked form, so JSON,
// XML and templates show no more than a log does.
func (m masked) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) > 2
}
