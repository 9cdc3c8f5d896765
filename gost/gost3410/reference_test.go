package gost3410

import (
	"math/big"
	"slices"
	"testing"

	"propusk/gost/gost3410/internal/ec"
	"propusk/gost/gost3410/internal/scalar"
	"propusk/gost/internal/vectors"
)

// reference is the group of a curve done slowly with math/big, from the
// definitions. It is checked against the examples of the standards, and the fast
// groups are checked against it.
type reference struct {
	p, a, b, q, x, y *big.Int
	cofactor         int
	size             int
}

// point is an affine point; nil is infinity.
type point struct{ x, y *big.Int }

// references returns the curves of testdata/curves.txt by name.
func references(t testing.TB) map[string]*reference {
	t.Helper()
	out := map[string]*reference{}
	for _, v := range vectors.Load(t, "testdata/curves.txt") {
		number := func(key string) *big.Int { return new(big.Int).SetBytes(v.Hex(t, key)) }
		out[v.Name] = &reference{
			p: number("p"), a: number("a"), b: number("b"), q: number("q"), x: number("x"), y: number("y"),
			cofactor: int(v.Hex(t, "cofactor")[0]), size: len(v.Hex(t, "p")),
		}
	}
	return out
}

var allCurves = []*Curve{tc26256A, cryptoProA, cryptoProB, cryptoProC, tc26512A, tc26512B, tc26512C}

// exampleCurves are the curves that the standards use in examples only; they have
// the slow group.
func exampleCurves(t testing.TB) map[string]*Curve {
	refs := references(t)
	return map[string]*Curve{
		"RFC 7091 example": {"RFC 7091 example", &scalar.Example1, 1, refs["RFC 7091 example"], nil},
		"RFC 9215 example": {"RFC 9215 example", &scalar.Example2, 1, refs["RFC 9215 example"], nil},
	}
}

func littleEndian(n *big.Int, size int) []byte {
	b := n.FillBytes(make([]byte, size))
	slices.Reverse(b)
	return b
}

func fromLittleEndian(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func bigNat(n scalar.Nat) *big.Int {
	x := new(big.Int)
	for i := len(n) - 1; i >= 0; i-- {
		x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(n[i]))
	}
	return x
}

func natBig(x *big.Int) (n scalar.Nat) {
	x = new(big.Int).Set(x)
	for i := range n {
		n[i] = x.Uint64() // the low 64 bits
		x.Rsh(x, 64)
	}
	return n
}

func (r *reference) base() *point { return &point{r.x, r.y} }

func (r *reference) decode(xy []byte) *point {
	return &point{fromLittleEndian(xy[:r.size]), fromLittleEndian(xy[r.size:])}
}

func (r *reference) encode(p *point) []byte {
	return append(littleEndian(p.x, r.size), littleEndian(p.y, r.size)...)
}

func (r *reference) onCurve(p *point) bool {
	left := new(big.Int).Mul(p.y, p.y)
	right := new(big.Int).Mul(p.x, p.x)
	right.Add(right, r.a).Mul(right, p.x).Add(right, r.b)
	return left.Sub(left, right).Mod(left, r.p).Sign() == 0
}

// add follows RFC 7091, Section 5.1.
func (r *reference) add(a, b *point) *point {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	top, bottom := new(big.Int).Sub(b.y, a.y), new(big.Int).Sub(b.x, a.x)
	if a.x.Cmp(b.x) == 0 {
		if a.y.Cmp(b.y) != 0 || a.y.Sign() == 0 {
			return nil
		}
		top.Mul(a.x, a.x).Mul(top, big.NewInt(3)).Add(top, r.a)
		bottom.Lsh(a.y, 1)
	}
	slope := bottom.ModInverse(bottom.Mod(bottom, r.p), r.p)
	slope.Mul(slope, top)
	x := new(big.Int).Mul(slope, slope)
	x.Sub(x, a.x).Sub(x, b.x).Mod(x, r.p)
	y := new(big.Int).Sub(a.x, x)
	y.Mul(y, slope).Sub(y, a.y).Mod(y, r.p)
	return &point{x, y}
}

func (r *reference) mult(k *big.Int, p *point) (sum *point) {
	if k.Sign() < 0 {
		k, p = new(big.Int).Neg(k), &point{p.x, new(big.Int).Sub(r.p, p.y)}
	}
	for i := k.BitLen() - 1; i >= 0; i-- {
		sum = r.add(sum, sum)
		if k.Bit(i) == 1 {
			sum = r.add(sum, p)
		}
	}
	return sum
}

func (r *reference) Check(xy []byte) bool {
	p := r.decode(xy)
	return p.x.Cmp(r.p) < 0 && p.y.Cmp(r.p) < 0 && r.onCurve(p) && r.mult(r.q, p) == nil
}

func (r *reference) Mult(k scalar.Nat, xy []byte) ([]byte, bool) {
	p := r.mult(bigNat(k), r.decode(xy))
	if p == nil {
		return nil, false
	}
	return r.encode(p), true
}

func (r *reference) BaseMult(k scalar.Nat) ([]byte, bool) {
	return r.Mult(k, r.encode(r.base()))
}

func (r *reference) VerifyX(want, k, l scalar.Nat, xy []byte) bool {
	p := r.add(r.mult(bigNat(k), r.base()), r.mult(bigNat(l), r.decode(xy)))
	return p != nil && new(big.Int).Mod(p.x, r.q).Cmp(bigNat(want)) == 0
}

// NewTable returns no table, but what verifies without one.
func (r *reference) NewTable(xy []byte) ec.Table { return referenceTable{r, xy} }

type referenceTable struct {
	*reference
	xy []byte
}

func (t referenceTable) VerifyX(r, k, l scalar.Nat) bool { return t.reference.VerifyX(r, k, l, t.xy) }
