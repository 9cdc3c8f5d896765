package gost3410

import (
	"slices"

	"propusk/gost/gost3410/internal/ifma"
	"propusk/gost/gost3410/internal/scalar"
)

// Signed is a signature of a digest that somebody claims to be of a key.
type Signed struct {
	Key       *PublicKey
	Digest    []byte // as for [PublicKey.Verify]
	Signature []byte // BE(s)|BE(r)
}

// VerifyMany reports of every signature what [PublicKey.Verify] says. It is faster
// than one by one: the inversions modulo the order of a curve are done together, and
// on processors with AVX-512 IFMA the points of eight signatures of the same curve, for
// CryptoPro-A and tc26-512-A. The result of one signature does not depend on the
// others. Tables of keys are taken from the cache and put there; nil means no cache.
func VerifyMany(cache *KeyCache, batch []Signed) []bool {
	good := make([]bool, len(batch))
	parsed := make([]numbers, len(batch))
	byCurve := map[*Curve][]int{}
	for i, s := range batch {
		n, ok := s.Key.parse(s.Digest, s.Signature)
		if ok {
			parsed[i] = n
			byCurve[s.Key.curve] = append(byCurve[s.Key.curve], i)
		}
	}
	for c, members := range byCurve {
		claims := make([]claim, len(members))
		inverses := invertAll(c.order, parsed, members)
		for j, i := range members {
			claims[j] = claim{key: batch[i].Key, r: parsed[i].r, good: &good[i]}
			claims[j].k, claims[j].l = parsed[i].scalars(c.order, inverses[j])
		}
		c.verifyClaims(cache, claims)
	}
	return good
}

// claim is that x(k·G + l·Q) is r modulo the order; good is where the answer goes.
type claim struct {
	key     *PublicKey
	r, k, l scalar.Nat
	good    *bool
}

// fewest is for how many claims eight lanes are worth while.
const fewest = 2

// verifyClaims answers claims of one curve: those of keys with a table one by one, the
// others eight at a time.
func (c *Curve) verifyClaims(cache *KeyCache, claims []claim) {
	if c.lanes == nil || !ifma.Enabled {
		for _, m := range claims {
			*m.good = cache.verify(m.key, m.r, m.k, m.l)
		}
		return
	}
	var fresh []claim
	for _, m := range claims {
		p := cache.place(m.key)
		if table, ok := p.table(); ok {
			*m.good = table.VerifyX(m.r, m.k, m.l)
			continue
		}
		fresh = append(fresh, m)
	}
	for eight := range slices.Chunk(fresh, 8) {
		c.verifyLanes(cache, eight)
	}
}

// verifyLanes answers up to eight claims at once. Where the lanes met a case that their
// formulas do not know, which nobody meets by chance, others are used.
func (c *Curve) verifyLanes(cache *KeyCache, claims []claim) {
	good, doubt := [8]bool{}, [8]bool{}
	if len(claims) >= fewest {
		good, doubt = c.lanes.Verify8(len(claims), func(i int) (r, k, l scalar.Nat, xy []byte) {
			m := &claims[i]
			return m.r, m.k, m.l, m.key.raw
		})
	}
	for i, m := range claims {
		switch {
		case doubt[i] || len(claims) < fewest:
			*m.good = cache.verify(m.key, m.r, m.k, m.l)
		case good[i]:
			*m.good = true
			p := cache.place(m.key)
			p.learn(m.key)
		}
	}
}

// invertAll returns 1/e of the members, none of which is zero, with one inversion:
// that of the product, from which one factor after the other is taken off.
func invertAll(q *scalar.Modulus, all []numbers, members []int) []scalar.Nat {
	out := make([]scalar.Nat, len(members))
	product := scalar.Nat{1}
	for j, i := range members {
		out[j] = product // of the ones before
		product = q.Mul(product, all[i].e)
	}
	rest := q.InverseVartime(product)
	for j := len(members) - 1; j >= 0; j-- {
		out[j] = q.Mul(rest, out[j])
		rest = q.Mul(rest, all[members[j]].e)
	}
	return out
}
