package gost3410

import "propusk/gost/gost3410/internal/scalar"

// Signed is a signature of a digest that somebody claims to be of a key.
type Signed struct {
	Key       *PublicKey
	Digest    []byte // as for [PublicKey.Verify]
	Signature []byte // BE(s)|BE(r)
}

// VerifyMany reports of every signature what [PublicKey.Verify] says. It is faster
// than one by one, because the inversions modulo the order of a curve are done
// together. The result of one signature does not depend on the others. Tables of keys
// are taken from the cache and put there; nil means no cache.
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
		inverses := invertAll(c.order, parsed, members)
		for j, i := range members {
			good[i] = cache.verify(batch[i].Key, parsed[i], inverses[j])
		}
	}
	return good
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
