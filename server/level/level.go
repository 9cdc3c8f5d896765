// Package level says how strongly a person has proven who he is, and how strongly each
// service wants it proven (requirements IP-08, BY-03 to BY-08).
package level

import (
	"fmt"
	"slices"
	"time"
)

// Level is how strongly a person has proven who he is. The zero value is Open, which
// grants nothing. Levels are ordered: a higher one serves wherever a lower one is wanted.
type Level uint8

const (
	// Open is for everybody: nobody has to be known.
	Open Level = iota
	// Password is a login and a password.
	Password
	// TwoFactor is a password and a second factor.
	TwoFactor
	// Mobile is a key in a telephone.
	Mobile
	// QES is a key with a qualified certificate.
	QES
)

// names are the levels as a policy file writes them, and the last part of the ACR.
var names = [...]string{Open: "open", Password: "password", TwoFactor: "2fa", Mobile: "mobile", QES: "qes"}

// acrPrefix is what every authentication context class begins with.
const acrPrefix = "urn:propusk:acr:"

// String returns the name of a level as a policy file writes it.
func (l Level) String() string {
	if int(l) < len(names) {
		return names[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// ACR returns the authentication context class reference of a level (OpenID Connect Core
// 1.0, Section 2).
func (l Level) ACR() string { return acrPrefix + l.String() }

// Parse is the inverse of String. The error repeats nothing of what was given.
func Parse(name string) (Level, error) {
	i := slices.Index(names[:], name)
	if i < 0 {
		return Open, fmt.Errorf("level: not one of %q", names)
	}
	return Level(i), nil //nolint:gosec // an index of a short array
}

// ParseACR returns the level of an authentication context class reference, and false for
// one that is not of ours.
func ParseACR(acr string) (Level, bool) {
	for l := range names {
		if acr == Level(l).ACR() { //nolint:gosec // an index of a short array
			return Level(l), true //nolint:gosec // as above
		}
	}
	return Open, false
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Level) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	*l = parsed
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) {
	if int(l) >= len(names) {
		return nil, fmt.Errorf("level: there is no level %d", uint8(l))
	}
	return []byte(names[l]), nil
}

// Proof is one way in which a person has proven who he is.
type Proof struct {
	Level Level `json:"level"`
	// AMR is by which means (RFC 8176).
	AMR []string `json:"amr"`
	// At is when.
	At time.Time `json:"at"`
}

// Hardware is the means of a key that does not leave its device, and Software of any other
// (RFC 8176, Section 2).
const (
	Hardware = "hwk"
	Software = "swk"
)

// Need is what is wanted of a person. The zero value wants nothing.
type Need struct {
	// Level is the least level.
	Level Level
	// Physical wants a key that does not leave its device.
	Physical bool
	// Since is the earliest moment of a proof that counts; zero means any.
	Since time.Time
}

// Best returns the strongest of the proofs that suffice, the newest among equals, and false
// if none does.
func (n Need) Best(proofs []Proof) (Proof, bool) {
	var best Proof
	found := false
	for _, p := range proofs {
		if p.Level < n.Level || p.At.Before(n.Since) || n.Physical && !slices.Contains(p.AMR, Hardware) {
			continue
		}
		if !found || p.Level > best.Level || p.Level == best.Level && p.At.After(best.At) {
			best, found = p, true
		}
	}
	return best, found
}

// Add returns proofs with one more: of each level the newest is kept, so there are never
// more than there are levels. The argument is not changed.
func Add(proofs []Proof, p Proof) []Proof {
	out := slices.DeleteFunc(slices.Clone(proofs), func(old Proof) bool { return old.Level == p.Level && !old.At.After(p.At) })
	if slices.ContainsFunc(out, func(old Proof) bool { return old.Level == p.Level }) {
		return out
	}
	return append(out, p)
}
