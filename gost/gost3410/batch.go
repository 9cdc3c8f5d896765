package gost3410

import (
	"slices"

	"propusk/gost/gost3410/internal/ifma"
	"propusk/gost/gost3410/internal/scalar"
)

// Signed is a signature of a digest that somebody claims to be of a key.
type Signed struct {
	Key       *PublicKey // nil is the key of nobody: then no signature is good
	Digest    []byte     // as for [PublicKey.Verify]
	Signature []byte     // BE(s)|BE(r)
}

// VerifyMany reports of every signature what [PublicKey.Verify] says. It is faster
// than one by one: the inversions modulo the order of a curve are done together, and
// with AVX-512 IFMA the points of eight signatures of one curve, for the curves that the
// package comment names. The result of one signature does not depend on the others.
// Tables of keys are taken from the cache and put there; nil means no cache.
func VerifyMany(cache *KeyCache, batch []Signed) []bool {
	good := make([]bool, len(batch))
	byCurve := map[*Curve]*claims{}
	for i, signed := range batch {
		n, ok := signed.Key.parse(signed.Digest, signed.Signature)
		if !ok {
			continue
		}
		c := byCurve[signed.Key.curve]
		if c == nil {
			c = newClaims(len(batch))
			byCurve[signed.Key.curve] = c
		}
		c.add(i, signed.Key, &n)
	}
	for curve, c := range byCurve {
		curve.order.Quotients(c.e, c.k, c.l)
		curve.verifyClaims(cache, c, good)
	}
	return good
}

// claims are signatures by keys of one curve: that x(k·G − l·Q) is r modulo the order,
// where k and l are multiplied with e at first, that is s and r. at is where the answer
// goes.
type claims struct {
	at         []int
	keys       []*PublicKey
	r, e, k, l []scalar.Nat
}

// newClaims returns claims with room for so many.
func newClaims(room int) *claims {
	numbers := make([]scalar.Nat, 4*room)
	take := func() []scalar.Nat {
		part := numbers[:0:room]
		numbers = numbers[room:]
		return part
	}
	return &claims{make([]int, 0, room), make([]*PublicKey, 0, room), take(), take(), take(), take()}
}

func (c *claims) add(at int, key *PublicKey, n *numbers) {
	c.at, c.keys = append(c.at, at), append(c.keys, key)
	c.r, c.e = append(c.r, n.r), append(c.e, n.e)
	c.k, c.l = append(c.k, n.s), append(c.l, n.r)
}

// fewest is for how many claims eight lanes are worth while.
const fewest = 2

// verifyClaims answers claims of this curve: those of keys with a table one by one, the
// others eight at a time.
func (c *Curve) verifyClaims(cache *KeyCache, all *claims, good []bool) {
	lanes := c.lanes != nil && ifma.Enabled
	fresh := make([]int, 0, len(all.at))
	for i, key := range all.keys {
		p := cache.place(key)
		if table, ok := p.table(); ok {
			good[all.at[i]] = table.VerifyX(all.r[i], all.k[i], c.order.Neg(all.l[i]))
		} else if lanes {
			fresh = append(fresh, i)
		} else {
			good[all.at[i]] = cache.verify(key, all.r[i], all.k[i], c.order.Neg(all.l[i]))
		}
	}
	for eight := range slices.Chunk(fresh, 8) {
		c.verifyLanes(cache, all, good, eight)
	}
}

// verifyLanes answers up to eight claims at once. Where the lanes met a case that their
// formulas do not know, which nobody meets by chance, others are used.
func (c *Curve) verifyLanes(cache *KeyCache, all *claims, good []bool, which []int) {
	var yes, doubt [8]bool
	few := len(which) < fewest
	if !few {
		yes, doubt = c.lanes.Verify8(len(which), func(lane int) (r, k, l *scalar.Nat, xy []byte) {
			i := which[lane]
			return &all.r[i], &all.k[i], &all.l[i], all.keys[i].raw
		})
	}
	for lane, i := range which {
		switch key := all.keys[i]; {
		case few || doubt[lane]:
			good[all.at[i]] = cache.verify(key, all.r[i], all.k[i], c.order.Neg(all.l[i]))
		case yes[lane]:
			good[all.at[i]] = true
			p := cache.place(key)
			p.learn(key)
		}
	}
}
