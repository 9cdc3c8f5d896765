package path

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"slices"
	"testing"

	"propusk/pki/facts"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// crowd makes n CA certificates of one name, each with a key of its own, and a leaf
// of the last one.
func crowd(m *maker, n int) (root, last, leaf *gostx509.Certificate, all []*gostx509.Certificate) {
	root = m.cert("Корень", "root", nil, "root")
	for i := range n {
		last = m.cert("УЦ", fmt.Sprint("ca", i), root, "root")
		all = append(all, last)
	}
	return root, last, m.cert("Вымышленный Иван", "user", last, fmt.Sprint("ca", n-1), user), all
}

// TestKeyIdentifierFirst: among many CAs of one name the one with the key identifier
// is tried first. Two steps are enough then, whatever the order of the pool; by name
// alone they are not.
func TestKeyIdentifierFirst(t *testing.T) {
	m := newMaker(t)
	root, last, leaf, all := crowd(m, 12)
	roots := []*gostx509.Certificate{root}
	two := func(o *Options) { o.MaxWork = 2 }
	if r := build(leaf, roots, all, two); r.Status != verdict.Passed || r.Chain[1] != last {
		t.Errorf("%+v", r.Checks)
	}
	nameless := *leaf
	nameless.AuthorityKeyID.KeyID = nil
	if r := build(&nameless, roots, all, two); firstReason(r) != reason.ChainTooComplex {
		t.Errorf("without a key identifier in two steps: %+v", r.Checks)
	}
	if r := build(&nameless, roots, all); r.Status != verdict.Passed || r.Chain[1] != last {
		t.Errorf("by name, all candidates: %+v", r.Checks)
	}
	// The others come after it, they are not left out.
	misled := *leaf
	misled.AuthorityKeyID.KeyID = all[0].SubjectKeyID
	if r := build(&misled, roots, all); r.Status != verdict.Passed || r.Chain[1] != last {
		t.Errorf("a key identifier that misleads: %+v", r.Checks)
	}
	foreign := *leaf
	foreign.AuthorityKeyID.KeyID = []byte("nobody has this one")
	if r := build(&foreign, roots, all); r.Status != verdict.Passed {
		t.Errorf("a key identifier that nobody has: %+v", r.Checks)
	}
}

// TestComputedKeyIdentifier: a CA certificate that states no identifier is found by
// each of the three that can be computed of its key.
func TestComputedKeyIdentifier(t *testing.T) {
	m := newMaker(t)
	root, last, leaf, all := crowd(m, 12)
	unstated := *last
	unstated.SubjectKeyID = nil
	all[len(all)-1] = &unstated
	point := m.key("ca11").PublicKey().Bytes()
	for name, data := range map[string][]byte{"bits": append([]byte{4, 64}, point...), "structure": last.RawSPKI, "point": point} {
		sum := sha1.Sum(data)
		named := *leaf
		named.AuthorityKeyID.KeyID = sum[:]
		r := build(&named, []*gostx509.Certificate{root}, all, func(o *Options) { o.MaxWork = 2 })
		if r.Status != verdict.Passed {
			t.Errorf("identifier of the %s: %+v", name, r.Checks)
		}
	}
}

// TestNameMustMatch: the key and its identifier do not make an issuer; the name does
// (RFC 5280, 6.1.3 (a)(4)).
func TestNameMustMatch(t *testing.T) {
	m := newMaker(t)
	root := m.cert("Корень", "root", nil, "root")
	ca := m.cert("УЦ", "ca", root, "root")
	renamed := m.cert("УЦ Другой", "ca", root, "root")
	leaf := m.cert("Вымышленный Иван", "user", ca, "ca", user)
	if !bytes.Equal(renamed.SubjectKeyID, leaf.AuthorityKeyID.KeyID) {
		t.Fatal("the identifiers differ")
	}
	if r := build(leaf, []*gostx509.Certificate{root}, []*gostx509.Certificate{renamed}); firstReason(r) != reason.UnknownCA {
		t.Errorf("%+v", r.Checks)
	}
}

// TestLoops: CAs that certify each other, and themselves, end no search and hide no
// path that leads out.
func TestLoops(t *testing.T) {
	m := newMaker(t)
	root := m.cert("Корень", "root", nil, "root")
	a := m.cert("А", "a", nil, "a")
	b := m.cert("Б", "b", a, "a")
	loop := []*gostx509.Certificate{m.cert("А", "a", b, "b"), b, a}
	leaf := m.cert("Вымышленный Иван", "user", b, "b", user)
	r := build(leaf, []*gostx509.Certificate{root}, loop, func(o *Options) { o.MaxWork = 20 })
	if firstReason(r) != reason.UnknownCA {
		t.Errorf("a loop: %+v", r.Checks)
	}
	out := append(slices.Clone(loop), m.cert("А", "a", root, "root"))
	for range out { // in any order
		out = slices.Concat(out[1:], out[:1])
		if r := build(leaf, []*gostx509.Certificate{root}, out); r.Status != verdict.Passed {
			t.Errorf("the way out of a loop: %+v", r.Checks)
		}
	}
}

// TestLimits: the depth and the work that are permitted are enough, one less is not.
func TestLimits(t *testing.T) {
	m := newMaker(t)
	root := m.cert("Корень", "root", nil, "root")
	pool, issuer, key := []*gostx509.Certificate{}, root, "root"
	for i := range DefaultMaxDepth - 2 {
		next := fmt.Sprint("ca", i)
		issuer = m.cert("УЦ "+next, next, issuer, key)
		pool, key = append(pool, issuer), next
	}
	leaf := m.cert("Вымышленный Иван", "user", issuer, key, user)
	deeper := m.cert("Вымышленный Пётр", "user", m.cert("УЦ лишний", "extra", issuer, key), "extra", user)
	roots := []*gostx509.Certificate{root}
	if r := build(leaf, roots, pool); r.Status != verdict.Passed || len(r.Chain) != DefaultMaxDepth {
		t.Errorf("the default depth: %+v", r.Checks)
	}
	if r := build(deeper, roots, append(pool, m.cert("УЦ лишний", "extra", issuer, key))); firstReason(r) != reason.ChainTooLong {
		t.Errorf("one more: %+v", r.Checks)
	}
	steps := DefaultMaxDepth - 1
	if r := build(leaf, roots, pool, func(o *Options) { o.MaxWork = steps }); r.Status != verdict.Passed {
		t.Errorf("%d steps: %+v", steps, r.Checks)
	}
	if r := build(leaf, roots, pool, func(o *Options) { o.MaxWork = steps - 1 }); firstReason(r) != reason.ChainTooComplex {
		t.Errorf("%d steps: %+v", steps-1, r.Checks)
	}
}

// TestNearestOfMany: of several paths that fail, the one is explained that came
// nearest: a path to a root before one that ends, fewer faults before more, and the
// certificate that is over before one that never was a CA's.
func TestNearestOfMany(t *testing.T) {
	m := newMaker(t)
	root := m.cert("Корень", "root", nil, "root")
	expired := m.cert("УЦ", "ca", root, "root", dates(-48*60*60*1e9, -1e9))
	expiredNoCA := m.cert("УЦ", "ca", root, "root", dates(-48*60*60*1e9, -1e9), func(t *gostx509.Template) { t.IsCA = false })
	stranger := m.cert("УЦ", "ca", m.cert("Чужой", "x", nil, "x"), "x")
	leaf := m.cert("Вымышленный Иван", "user", expired, "ca", user)
	all := []*gostx509.Certificate{stranger, expiredNoCA, expired}
	for range all {
		all = slices.Concat(all[1:], all[:1])
		r := build(leaf, []*gostx509.Certificate{root}, all)
		if firstReason(r) != reason.CACertExpired || r.Chain[len(r.Chain)-1] != root || r.Chain[1] != expired {
			t.Errorf("%+v", r.Checks)
		}
	}
}

// TestFactsOfTrusted: what a CA of the pools has signed is remembered, also when its
// certificate came with a signature besides; what one has signed that only came so is not.
func TestFactsOfTrusted(t *testing.T) {
	m := newMaker(t)
	root := m.cert("Корень", "root", nil, "root")
	ca := m.cert("УЦ", "ca", root, "root")
	leaf := m.cert("Вымышленный Иван", "user", ca, "ca", user)
	for name, v := range map[string]struct {
		pool, extra []*gostx509.Certificate
		leaf        bool
	}{
		"of the pool":                {[]*gostx509.Certificate{ca}, nil, true},
		"that came":                  {nil, []*gostx509.Certificate{ca}, false},
		"of the pool that came, too": {[]*gostx509.Certificate{ca}, []*gostx509.Certificate{ca}, true},
		"that came with the root":    {nil, []*gostx509.Certificate{ca, root}, false},
	} {
		known := facts.New()
		r := build(leaf, []*gostx509.Certificate{root}, v.pool, func(o *Options) { o.Extra, o.Facts = v.extra, known })
		if r.Status != verdict.Passed {
			t.Fatalf("a CA %s: %+v", name, r.Checks)
		}
		for _, c := range []struct {
			cert *gostx509.Certificate
			want bool
		}{{leaf, v.leaf}, {ca, true}} {
			again, err := known.Certificate(c.cert.Raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := again == c.cert; got != c.want {
				t.Errorf("a CA %s: what %s has signed is remembered: %v, want %v", name, c.cert.Issuer.Get(gostx509.OIDCommonName), got, c.want)
			}
		}
	}
}
