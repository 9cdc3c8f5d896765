package crl

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sync"
	"time"
	"unique"

	"propusk/pki/gostx509"
	"propusk/pki/sigalg"
)

// Set is a collection of lists, found by the name of the issuer. It is safe for
// concurrent use. It remembers which lists it has verified with which key, so
// that a check costs a look-up and not a signature.
type Set struct {
	lists    []*List
	byIssuer map[string][]*List // complete lists, the newest first
	deltas   map[string][]*List // delta lists, the newest first
	indirect bool               // a complete list is about certificates of other issuers

	mu       sync.Mutex
	verified map[verification]error
}

// verification is a list together with the issuer's certificate, and who computed.
type verification struct {
	list   *List
	issuer [sha256.Size]byte
	engine unique.Handle[sigalg.EngineInfo]
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
		deltas:   make(map[string][]*List),
		verified: make(map[verification]error),
	}
	for _, l := range lists {
		to := s.byIssuer
		if l.Delta() {
			to = s.deltas
		}
		to[string(l.rawIssuer)] = append(to[string(l.rawIssuer)], l)
		s.indirect = s.indirect || l.scope.Indirect
	}
	for _, all := range []map[string][]*List{s.byIssuer, s.deltas} {
		for _, same := range all {
			slices.SortStableFunc(same, newestFirst)
		}
	}
	return s
}

// newestFirst orders lists by thisUpdate, then by number.
func newestFirst(a, b *List) int {
	if c := b.thisUpdate.Compare(a.thisUpdate); c != 0 {
		return c
	}
	return compareNumbers(b.number, a.number)
}

// compareNumbers compares two CRL numbers, which are not negative.
func compareNumbers(a, b []byte) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return slices.Compare(a, b)
}

// Lists returns the lists of the set, in the order given to NewSet.
func (s *Set) Lists() []*List { return slices.Clone(s.lists) }

// checkSignature is List.CheckSignatureBy, remembered.
func (s *Set) checkSignature(run *sigalg.Run, l *List, issuer *gostx509.Certificate) error {
	key := verification{l, issuer.SHA256(), run.ID()}
	s.mu.Lock()
	err, known := s.verified[key]
	s.mu.Unlock()
	if known {
		return err
	}
	err = l.CheckSignatureBy(run, issuer)
	if !run.Keeps() {
		return err
	}
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
	// Authorities returns the certificates of a name, in DER, that may sign lists
	// about certificates of other issuers (RFC 5280, Section 6.3.3 (f)). The caller
	// has validated them up to the trust anchor of the certificate in question.
	// With nil there are none, and such lists are of no use.
	Authorities func(rawName []byte) []*gostx509.Certificate
	// Run computes the signatures of lists; nil is this program. What it could not
	// decide is to be asked of it: see sigalg.Run.Failure.
	Run *sigalg.Run
}
