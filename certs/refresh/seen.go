package refresh

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
)

// Limits of what is remembered of certificates that were judged: whoever has a
// certificate can show it, and a CA issues millions.
const (
	maxSeen    = 1024 // sets of addresses
	maxOfOneCA = 32   // of these, of one CA
)

// seen remembers the addresses of revocation lists in certificates that were
// judged. It is safe for concurrent use.
type seen struct {
	mu    sync.Mutex
	clock uint64
	sets  map[string]*seenSet
	perCA map[string]int
}

// seenSet are the addresses that certificates of a CA name.
type seenSet struct {
	target *target
	ca     string
	last   uint64
}

func newSeen() *seen { return &seen{sets: make(map[string]*seenSet), perCA: make(map[string]int)} }

// add notes the complete and the delta lists of a certificate; it reports whether an
// address is new.
func (s *seen) add(cert, issuer *gostx509.Certificate) bool {
	complete := s.note(cert.CRLDistributionPoints, issuer)
	delta := s.note(crl.FreshestCRL(cert), issuer)
	return complete || delta
}

// note notes the addresses of one list; it reports whether they are new.
func (s *seen) note(addresses []string, issuer *gostx509.Certificate) bool {
	urls := httpOnly(addresses)
	if len(urls) == 0 {
		return false
	}
	want := wantedFrom(issuer)
	ca := hex.EncodeToString(want.KeyID) + string(want.Issuer)
	key := ca + "\n" + strings.Join(urls, "\n")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	if old := s.sets[key]; old != nil {
		old.last = s.clock
		return false
	}
	if s.perCA[ca] >= maxOfOneCA {
		s.forget(ca)
	} else if len(s.sets) >= maxSeen {
		s.forget("")
	}
	t := &target{name: issuer.Subject.Get(gostx509.OIDCommonName), want: want, urls: urls}
	s.sets[key] = &seenSet{target: t, ca: ca, last: s.clock}
	s.perCA[ca]++
	return true
}

// forget drops the set that was seen longest ago, of one CA or of any.
func (s *seen) forget(ca string) {
	victim := ""
	for key, set := range s.sets {
		if (ca == "" || set.ca == ca) && (victim == "" || set.last < s.sets[victim].last) {
			victim = key
		}
	}
	if set := s.sets[victim]; set != nil {
		if s.perCA[set.ca]--; s.perCA[set.ca] == 0 {
			delete(s.perCA, set.ca)
		}
		delete(s.sets, victim)
	}
}

// targets returns the lists that the certificates may be in.
func (s *seen) targets() []*target {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*target
	for _, key := range slices.Sorted(maps.Keys(s.sets)) { // in order, so that lists keep their first address
		t := *s.sets[key].target
		t.urls = slices.Clone(t.urls)
		all = append(all, &t)
	}
	return all
}

// Saw notes a certificate that leads to a pinned root, and its issuer: the
// revocation list that it may be in is fetched from now on. Addresses that may not
// be asked are passed over. Calls are cheap.
func (r *Refresher) Saw(cert, issuer *gostx509.Certificate) {
	if !r.opts.NoDiscovered && r.seen.add(cert, issuer) {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}
