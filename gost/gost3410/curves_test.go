package gost3410

import (
	"bytes"
	"math/big"
	"testing"

	"propusk/gost/gost3410/internal/scalar"
	"propusk/gost/internal/vectors"
)

// TestCurveParameters checks what RFC 7091, Section 5.2, wants of parameters, and that
// gogost, which has other authors, has the same ones.
func TestCurveParameters(t *testing.T) {
	one := big.NewInt(1)
	for name, r := range references(t) {
		sum := new(big.Int).Add(new(big.Int).Add(r.p, one), new(big.Int).Neg(new(big.Int).Mul(r.q, big.NewInt(int64(r.cofactor)))))
		limit := map[int]int{32: 31, 64: 131}[r.size] // B
		power := new(big.Int).Set(one)
		for i := 1; i <= limit; i++ {
			if power.Mul(power, r.p).Mod(power, r.q).Cmp(one) == 0 {
				t.Errorf("%s: p^%d is 1 modulo q", name, i)
			}
		}
		j := invariant(r)
		for what, ok := range map[string]bool{
			"p is prime":                   r.p.ProbablyPrime(20),
			"q is prime":                   r.q.ProbablyPrime(20),
			"q is as long as it has to be": r.q.BitLen() > map[int]int{32: 254, 64: 508}[r.size],
			"m is not p":                   sum.Cmp(one) != 0,
			"Hasse: |p+1-m| <= 2*sqrt(p)":  new(big.Int).Mul(sum, sum).Cmp(new(big.Int).Lsh(r.p, 2)) <= 0,
			"J is neither 0 nor 1728":      j != nil && j.Sign() != 0 && j.Cmp(big.NewInt(1728)) != 0,
			"P is on the curve":            r.onCurve(r.base()),
			"q*P is infinity":              r.mult(r.q, r.base()) == nil,
		} {
			if !ok {
				t.Errorf("%s: not true: %s", name, what)
			}
		}
	}
	for _, c := range allCurves {
		r, g := references(t)[c.name], gogostCurve(c)
		for what, pair := range map[string][2]*big.Int{
			"p": {r.p, g.P}, "a": {r.a, g.A}, "b": {r.b, g.B}, "q": {r.q, g.Q}, "x": {r.x, g.X}, "y": {r.y, g.Y},
			"our q": {r.q, bigNat(c.order.Order())},
		} {
			if pair[0].Cmp(pair[1]) != 0 {
				t.Errorf("%s: %s is %x, of gogost %x", c.name, what, pair[0], pair[1])
			}
		}
	}
}

// invariant is J(E) of RFC 7091, Section 5.1, or nil where the curve is singular.
func invariant(r *reference) *big.Int {
	top := new(big.Int).Exp(r.a, big.NewInt(3), r.p)
	top.Lsh(top, 2)
	bottom := new(big.Int).Mul(r.b, r.b)
	bottom.Mul(bottom, big.NewInt(27)).Add(bottom, top).Mod(bottom, r.p)
	if bottom.ModInverse(bottom, r.p) == nil {
		return nil
	}
	top.Mul(top, bottom).Mul(top, big.NewInt(1728))
	return top.Mod(top, r.p)
}

// TestEdwardsParameters goes from the twisted Edwards form to that of Weierstrass, RFC
// 7836, Section 5.2.
func TestEdwardsParameters(t *testing.T) {
	seen := 0
	for _, v := range vectors.Load(t, "testdata/edwards.txt") {
		r := references(t)[v.Name]
		number := func(key string) *big.Int { return new(big.Int).SetBytes(v.Hex(t, key)) }
		mod := func(x *big.Int) *big.Int { return x.Mod(x, r.p) }
		div := func(x, y *big.Int) *big.Int {
			return mod(new(big.Int).Mul(x, new(big.Int).ModInverse(mod(new(big.Int).Set(y)), r.p)))
		}
		mul := func(x, y *big.Int) *big.Int { return mod(new(big.Int).Mul(x, y)) }
		e, d, u, w, one := number("e"), number("d"), number("u"), number("v"), big.NewInt(1)
		s := div(new(big.Int).Sub(e, d), big.NewInt(4))
		k := div(new(big.Int).Add(e, d), big.NewInt(6))
		// a = s^2 - 3*t^2, b = 2*t^3 - t*s^2
		a := mod(new(big.Int).Sub(mul(s, s), mul(big.NewInt(3), mul(k, k))))
		b := mod(new(big.Int).Sub(mul(big.NewInt(2), mul(k, mul(k, k))), mul(k, mul(s, s))))
		// x = s*(1+v)/(1-v) + t, y = s*(1+v)/((1-v)*u)
		slope := mul(s, div(new(big.Int).Add(one, w), new(big.Int).Sub(one, w)))
		x, y := mod(new(big.Int).Add(slope, k)), div(slope, u)
		left := mod(new(big.Int).Add(mul(e, mul(u, u)), mul(w, w)))
		right := mod(new(big.Int).Add(one, mul(d, mul(mul(u, u), mul(w, w)))))
		for what, pair := range map[string][2]*big.Int{
			"a": {a, r.a}, "b": {b, r.b}, "x": {x, r.x}, "y": {y, r.y}, "equation": {left, right},
		} {
			if pair[0].Cmp(pair[1]) != 0 {
				t.Errorf("%s, %s: %x, not %x", v.Name, what, pair[0], pair[1])
			}
		}
		seen++
	}
	if seen != 2 {
		t.Errorf("%d curves in this form", seen)
	}
}

// TestExampleSteps follows the example of RFC 7091, Section 7, and RFC 5832, Section 7.
func TestExampleSteps(t *testing.T) {
	v := vectors.Load(t, "testdata/examples.txt")[0]
	c := exampleCurves(t)[v.String(t, "curve")]
	number := func(key string) *big.Int { return new(big.Int).SetBytes(v.Hex(t, key)) }
	xy, ok := c.group.BaseMult(natBig(number("k")))
	if want := append(littleEndian(number("xc"), 32), littleEndian(number("yc"), 32)...); !ok || !bytes.Equal(xy, want) {
		t.Errorf("C = %x, want %x", xy, want)
	}
	sig, q := v.Hex(t, "signature"), c.order
	sigS, sigR := natBig(new(big.Int).SetBytes(sig[:32])), natBig(new(big.Int).SetBytes(sig[32:]))
	inverse := q.InverseVartime(natBig(number("e")))
	z1, z2 := q.Mul(sigS, inverse), q.Neg(q.Mul(sigR, inverse))
	for key, got := range map[string]scalar.Nat{"v": inverse, "z1": z1, "z2": z2} {
		if bigNat(got).Cmp(number(key)) != 0 {
			t.Errorf("%s = %x, want %x", key, bigNat(got), number(key))
		}
	}
}
