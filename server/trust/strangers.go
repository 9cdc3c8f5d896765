package trust

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// Limits of what is remembered about CAs that are not known: whoever makes
// certificates makes up their issuers.
const (
	maxStrangers = 512
	maxIssuer    = 200 // characters of a name
)

// Stranger is a CA whose certificates were shown to us although the trust data do
// not have it. Holders are never recorded.
type Stranger struct {
	// Issuer is the name of the CA: organisation and common name. It is empty if the
	// name is that of a person, as in a certificate that somebody signed for
	// himself.
	Issuer string `json:"issuer,omitempty"`
	// KeyID is the key identifier of the CA in hexadecimal, as the certificate names
	// it; empty if it does not.
	KeyID string `json:"key_id,omitempty"`
	// Code is [reason.UnknownCA] if no path leads from it to a pinned root, and
	// [reason.CANotListed] if one does and the list of accredited CAs does not have
	// it.
	Code reason.Code `json:"code"`
	// Count is how many certificates were judged, the same one perhaps repeatedly.
	Count int       `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Strangers records CAs that are not known, for the operator. It is safe for
// concurrent use; the zero value is empty and ready, a nil one stays empty.
type Strangers struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*Stranger
	total int
}

// Judged looks at a judgement and notes the CA if it is not known.
func (s *Strangers) Judged(c validate.Certificate, at time.Time) {
	if s == nil || c.Parsed == nil {
		return
	}
	switch {
	case !c.Anchored && failedWith(c.Verdict, reason.UnknownCA):
		last := c.Parsed
		if len(c.Chain) > 0 {
			last = c.Chain[len(c.Chain)-1]
		}
		s.note(last.Issuer, last.RawIssuer, last.AuthorityKeyID.KeyID, bytes.Equal(last.RawIssuer, last.RawSubject) && !last.IsCA, reason.UnknownCA, at)
	case c.Anchored && len(c.Chain) > 1 && failedWith(c.Qualified, reason.CANotListed):
		ca := c.Chain[1]
		s.note(ca.Subject, ca.RawSubject, ca.SubjectKeyID, false, reason.CANotListed, at)
	}
}

func failedWith(v verdict.Verdict, code reason.Code) bool {
	return slices.ContainsFunc(v.Checks(), func(c verdict.Check) bool { return c.Reason == code })
}

// note counts one CA, or makes room for it: of many, the one that was seen longest
// ago goes.
func (s *Strangers) note(name gostx509.Name, raw, keyID []byte, self bool, code reason.Code, at time.Time) {
	h := sha256.New()
	h.Write(raw)
	h.Write(keyID)
	key := [sha256.Size]byte(h.Sum(nil))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	if old := s.known[key]; old != nil {
		old.Count, old.Code = old.Count+1, code
		if at.After(old.Last) {
			old.Last = at
		}
		return
	}
	if s.known == nil {
		s.known = make(map[[sha256.Size]byte]*Stranger)
	}
	if len(s.known) >= maxStrangers {
		s.forget()
	}
	one := &Stranger{KeyID: hex.EncodeToString(keyID[:min(len(keyID), 64)]), Code: code, Count: 1, First: at, Last: at}
	if !self && !personal(name) {
		one.Issuer = display(name)
	}
	s.known[key] = one
}

func (s *Strangers) forget() {
	var victim [sha256.Size]byte
	var oldest *Stranger
	for key, one := range s.known {
		if oldest == nil || one.Last.Before(oldest.Last) {
			victim, oldest = key, one
		}
	}
	delete(s.known, victim)
}

// personal reports whether a name has what only names of people have. Whoever has a
// certificate can sign another one with it, and then his name is that of an issuer.
func personal(name gostx509.Name) bool {
	return slices.ContainsFunc(name, func(a gostx509.Attribute) bool {
		return a.Type.Equal(gostx509.OIDSurname) || a.Type.Equal(gostx509.OIDGivenName) || a.Type.Equal(gostx509.OIDSNILS) ||
			a.Type.Equal(gostx509.OIDOGRNIP)
	}) || name.Get(gostx509.OIDOrganization) == ""
}

// display writes a name in one line of limited length.
func display(name gostx509.Name) string {
	parts := []string{name.Get(gostx509.OIDOrganization), name.Get(gostx509.OIDCommonName)}
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.Trim(strings.Join(parts, ", "), ", "))
	if runes := []rune(text); len(runes) > maxIssuer {
		return string(runes[:maxIssuer]) + "…"
	}
	return text
}

// All returns what is recorded, what was seen most often first.
func (s *Strangers) All() []Stranger {
	if s == nil {
		return []Stranger{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Stranger, 0, len(s.known))
	for _, one := range s.known {
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b Stranger) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), strings.Compare(a.Issuer, b.Issuer), strings.Compare(a.KeyID, b.KeyID))
	})
	return all
}

// Count is how many CAs are recorded, and how many certificates of such were judged
// since the start.
func (s *Strangers) Count() (cas, certificates int) {
	if s == nil {
		return 0, 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.known), s.total
}
