package crl

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Set is a collection of lists, found by the name of the issuer. It is safe for
// concurrent use. It remembers which lists it has verified with which key, so
// that a check costs a look-up and not a signature.
type Set struct {
	lists    []*List
	byIssuer map[string][]*List // the newest first

	mu       sync.Mutex
	verified map[verification]error
}

// verification is a list together with the issuer's certificate.
type verification struct {
	list   *List
	issuer [sha256.Size]byte
}

// maxVerified bounds what a Set remembers. Whoever presents certificates can
// make up issuers, but each of them must lead to a trusted root before a Set is
// asked; the bound is there all the same.
const maxVerified = 4096

// NewSet indexes lists, in any order and number for one issuer. Lists that are
// not good for anything may be among them: they make the answer unknown at worst.
func NewSet(lists ...*List) *Set {
	s := &Set{
		lists:    slices.Clone(lists),
		byIssuer: make(map[string][]*List),
		verified: make(map[verification]error),
	}
	for _, l := range lists {
		s.byIssuer[string(l.rawIssuer)] = append(s.byIssuer[string(l.rawIssuer)], l)
	}
	for _, same := range s.byIssuer {
		slices.SortStableFunc(same, newestFirst)
	}
	return s
}

// newestFirst orders lists by thisUpdate, then by number.
func newestFirst(a, b *List) int {
	if c := b.thisUpdate.Compare(a.thisUpdate); c != 0 {
		return c
	}
	if c := cmp.Compare(len(b.number), len(a.number)); c != 0 {
		return c
	}
	return slices.Compare(b.number, a.number)
}

// Lists returns the lists of the set, in the order given to NewSet.
func (s *Set) Lists() []*List { return slices.Clone(s.lists) }

// checkSignature is List.CheckSignature, remembered.
func (s *Set) checkSignature(l *List, issuer *gostx509.Certificate) error {
	key := verification{l, issuer.SHA256()}
	s.mu.Lock()
	err, known := s.verified[key]
	s.mu.Unlock()
	if known {
		return err
	}
	err = l.CheckSignature(issuer)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.verified) >= maxVerified {
		clear(s.verified)
	}
	s.verified[key] = err
	return err
}

// ClockSkew is how far in the future, by our clock, a list may have been issued.
// A list is fetched within a minute of its issue, and clocks differ.
const ClockSkew = 5 * time.Minute

// Policy says how fresh a list must be. The zero value is the strictest.
type Policy struct {
	// Now is the moment of the check: no list may have been issued after it.
	// Zero means the moment asked about. Set it when that moment is in the past,
	// so that lists issued since then may be used.
	Now time.Time
	// Grace is how long past its nextUpdate a list is still believed.
	Grace time.Duration
}

// Checker answers for a set under a policy; it implements path.Revocation. A nil
// Set knows nothing.
type Checker struct {
	Set    *Set
	Policy Policy
}

// stepRevocation is the name of the check.
const stepRevocation = "revocation"

// Revocation says whether cert, issued by issuer, was revoked at the moment at
// (RFC 5280, Section 6.3.3, for complete lists): Passed, it was not; Failed with
// reason.CertRevoked or reason.CertOnHold; Indeterminate with
// reason.RevocationUnknown, RevocationStale or RevocationUnusable.
//
// The newest list that can be relied upon decides. The issuer must have been
// validated before.
func (c Checker) Revocation(cert, issuer *gostx509.Certificate, at time.Time) verdict.Check {
	return c.Answer(cert, issuer, at).Check
}

// Answer is what lists say about one certificate, and which of them. The zero
// value grants nothing.
type Answer struct {
	// Check is what Checker.Revocation returns.
	Check verdict.Check
	// List is the list that decided; nil if Check is Indeterminate.
	List *List
	// Entry is that of the certificate; it means something only if Listed is true.
	Entry  Entry
	Listed bool
}

// Answer is Revocation together with what the answer rests on.
func (c Checker) Answer(cert, issuer *gostx509.Certificate, at time.Time) Answer {
	unknown := verdict.Check{
		Name: stepRevocation, Status: verdict.Indeterminate,
		Reason: reason.RevocationUnknown, Cite: "RFC 5280, 6.3",
	}
	if c.Set == nil || cert == nil || issuer == nil {
		return Answer{Check: unknown}
	}
	for _, l := range c.Set.byIssuer[string(cert.RawIssuer)] {
		err := c.reliable(l, cert, issuer, at)
		if err == nil {
			a := Answer{Check: l.judge(cert, at), List: l}
			a.Entry, a.Listed = l.Lookup(cert.Serial)
			return a
		}
		// The newest list tells best what is missing.
		if code := reason.Of(err); unknown.Reason == reason.RevocationUnknown {
			unknown.Reason, unknown.Detail = code, err.Error()
		}
	}
	return Answer{Check: unknown}
}

// reliable reports why nothing can be concluded from a list about a certificate.
func (c Checker) reliable(l *List, cert, issuer *gostx509.Certificate, at time.Time) error {
	if l.unusable != nil {
		return reason.New(reason.RevocationUnusable, l.unusable)
	}
	if err := l.scope.covers(cert); err != nil {
		return err
	}
	if err := l.current(at, c.Policy); err != nil {
		return err
	}
	if err := l.complete(cert); err != nil {
		return err
	}
	if err := c.Set.checkSignature(l, issuer); err != nil {
		return reason.New(reason.RevocationUnusable, err)
	}
	return nil
}

// covers reports whether a certificate is in the scope of the list (RFC 5280,
// Section 6.3.3 (b)(2)).
func (s *scope) covers(cert *gostx509.Certificate) error {
	if s.userCerts && cert.IsCA || s.caCerts && !cert.IsCA {
		return reason.Errorf(reason.RevocationUnknown, "crl: the list is for certificates of another kind")
	}
	if len(s.urls) == 0 {
		return nil
	}
	for _, url := range s.urls {
		if slices.Contains(cert.CRLDistributionPoints, url) {
			return nil
		}
	}
	return reason.Errorf(reason.RevocationUnknown, "crl: the list is of another distribution point")
}

// current reports whether the list speaks about a moment: it was issued after it,
// or was in force at it.
func (l *List) current(at time.Time, p Policy) error {
	now := p.Now
	if now.IsZero() {
		now = at
	}
	if l.thisUpdate.After(now.Add(ClockSkew)) {
		return reason.Errorf(reason.RevocationStale, "crl: the list was issued in the future, on %s", l.thisUpdate.Format(time.RFC3339))
	}
	if l.thisUpdate.After(at) {
		return nil
	}
	if l.nextUpdate.IsZero() {
		return reason.Errorf(reason.RevocationStale, "crl: the list does not say when the next one is due")
	}
	if !at.Before(l.nextUpdate.Add(p.Grace)) {
		return reason.Errorf(reason.RevocationStale, "crl: the list expired on %s", l.nextUpdate.Format(time.RFC3339))
	}
	return nil
}

// complete reports whether the absence of a certificate from the list means
// anything: a CA may drop certificates once they have expired (RFC 5280, Section
// 3.3).
func (l *List) complete(cert *gostx509.Certificate) error {
	if _, found := l.Lookup(cert.Serial); found || !cert.NotAfter.Before(l.thisUpdate) {
		return nil
	}
	return reason.Errorf(reason.RevocationUnknown, "crl: the list was issued after the certificate expired")
}

// judge reads the answer out of a reliable list.
func (l *List) judge(cert *gostx509.Certificate, at time.Time) verdict.Check {
	check := verdict.Check{Name: stepRevocation, Status: verdict.Passed, Cite: "RFC 5280, 6.3.3"}
	e, found := l.Lookup(cert.Serial)
	if !found {
		return check
	}
	if e.RevokedAt.After(at) {
		check.Detail = "revoked later, on " + e.RevokedAt.Format(time.RFC3339)
		return check
	}
	check.Status, check.Reason, check.Cite = verdict.Failed, reason.CertRevoked, "63-ФЗ, ст. 14; RFC 5280, 6.1.3 (a)(3)"
	if e.Reason == CertificateHold {
		check.Reason = reason.CertOnHold
	}
	check.Detail = "revoked on " + e.RevokedAt.Format(time.RFC3339) + ", " + e.Reason.String()
	return check
}
