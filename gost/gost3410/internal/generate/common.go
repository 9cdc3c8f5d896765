package main

import (
	"fmt"
	"math/big"
)

// codecPlain emits the conversions of the fields that are not in Montgomery
// form.
func (f *field) codecPlain(w *writer) {
	n := f.Limbs
	w.p("// canonical returns the representative below p.")
	w.p("func (x *%s) canonical() (r %s) {", f.Type, f.Type)
	vars(w, n, "t", "c")
	chain(w, "Sub64", n, num("t"), idx("x"), f.primeLimb, same("c"), "0")
	w.p("keep := -c")
	for i := range n {
		w.p("r[%d] = t%d ^ keep&(t%d^x[%d])", i, i, i, i)
	}
	w.p("return r\n}\n")
	w.p("// SetLimbs sets z to the number x, and returns 1 if it is below p and 0, with")
	w.p("// z unspecified, otherwise.")
	w.p("func (z *%s) SetLimbs(x *[%d]uint64) uint64 {", f.Type, n)
	w.p("*z = *x")
	w.p("return below(z[:], %s[:])", f.prime())
	w.p("}\n")
	w.p("// Limbs returns the number x, below p.")
	w.p("func (x *%s) Limbs() [%d]uint64 { return x.canonical() }\n", f.Type, n)
}

// codecMontgomery emits the conversions to and from Montgomery form.
func (f *field) codecMontgomery(w *writer) {
	n := f.Limbs
	rr := pow2(uint(128*n), 0)
	rr.Mod(rr, f.P)
	w.p("// canonical returns x, which is always below p.")
	w.p("func (x *%s) canonical() %s { return *x }\n", f.Type, f.Type)
	w.p("// SetLimbs sets z to the number x, and returns 1 if it is below p and 0, with")
	w.p("// z unspecified, otherwise.")
	w.p("func (z *%s) SetLimbs(x *[%d]uint64) uint64 {", f.Type, n)
	w.p("ok := below(x[:], %s[:])", f.prime())
	w.p("number := %s(*x)", f.Type)
	w.p("// 2^%d modulo p.", 128*n)
	w.p("z.Mul(&number, &%s%s)", f.Type, limbs(rr, n))
	w.p("return ok")
	w.p("}\n")
	w.p("// Limbs returns the number x, below p.")
	w.p("func (x *%s) Limbs() [%d]uint64 {", f.Type, n)
	w.p("var z %s", f.Type)
	w.p("z.Mul(x, &%s{1})", f.Type)
	w.p("return z")
	w.p("}\n")
}

// common emits what does not depend on the representation.
func (f *field) common(w *writer) {
	n := f.Limbs
	w.p("// IsZero returns 1 if x = 0 and 0 otherwise.")
	w.p("func (x *%s) IsZero() uint64 {", f.Type)
	w.p("r := x.canonical()")
	w.p("return isZero(r[:])")
	w.p("}\n")
	w.p("// MaybeZero returns false for most x that are not zero. It takes variable time.")
	if f.shape == montgome {
		w.p("func (x *%s) MaybeZero() bool { return x[0] == 0 }\n", f.Type)
	} else {
		w.p("func (x *%s) MaybeZero() bool { return x[0] == 0 || x[0] == %s }\n", f.Type, f.primeLimb(0))
	}
	w.p("// Equal returns 1 if x = y and 0 otherwise.")
	w.p("func (x *%s) Equal(y *%s) uint64 {", f.Type, f.Type)
	w.p("var d %s", f.Type)
	w.p("d.Sub(x, y)")
	w.p("return d.IsZero()")
	w.p("}\n")
	w.p("// Neg sets z = −x.")
	w.p("func (z *%s) Neg(x *%s) { z.Sub(&%s{}, x) }\n", f.Type, f.Type, f.Type)
	w.p("// Select sets z = x if cond is 1 and z = y if cond is 0.")
	w.p("func (z *%s) Select(x, y *%s, cond uint64) {", f.Type, f.Type)
	w.p("m := -cond")
	for i := range n {
		w.p("z[%d] = y[%d] ^ m&(x[%d]^y[%d])", i, i, i, i)
	}
	w.p("}\n")
	f.half(w)
	w.p("// squareTimesGeneric sets z = x^(2^k), k > 0.")
	w.p("func (z *%s) squareTimesGeneric(x *%s, k int) {", f.Type, f.Type)
	w.p("z.squareGeneric(x)")
	w.p("for range k - 1 { z.squareGeneric(z) }")
	w.p("}\n")
}

// invert emits Invert, by the division steps of package inverse.
func (f *field) invert(w *writer) {
	w.p("// %sInverse is the prime, for inversions.", f.prime())
	w.p("var %sInverse = %s\n", f.prime(), inverseModulus(f.P, f.Limbs))
	w.p("// Invert sets z = 1/x, or 0 if x = 0.")
	w.p("func (z *%s) Invert(x *%s) {", f.Type, f.Type)
	w.p("var n [8]uint64")
	w.p("*(*[%d]uint64)(n[:]) = x.Limbs()", f.Limbs)
	w.p("n = %sInverse.Constant(&n)", f.prime())
	w.p("z.SetLimbs((*[%d]uint64)(n[:]))", f.Limbs)
	w.p("}\n")
}

// inverseRoot emits InverseRoot for a p that is 3 modulo 4.
func (f *field) inverseRoot(w *writer) {
	w.p("\n// InverseRoot sets z = x^((p−3)/4), which is a root of 1/x if x is a square other")
	w.p("// than zero, and of −1/x if x is none.")
	f.power(w, "InverseRoot", new(big.Int).Rsh(f.P, 2))
}

// power emits a function that raises to the power of e with a fixed addition chain. A
// long run of ones at the top of the exponent is built by doubling its length, the rest
// with windows of odd powers.
func (f *field) power(w *writer, name string, e *big.Int) {
	w.p("func (z *%s) %s(x *%s) {", f.Type, name, f.Type)
	run := 0
	for run < e.BitLen() && e.Bit(e.BitLen()-1-run) == 1 {
		run++
	}
	steps := windows(e, e.BitLen()-max(run, 1))
	width := uint(0)
	for _, s := range steps {
		width = max(width, s.power)
	}
	w.p("var odd [%d]%s // odd[i] = x^(2i+1)", (width+1)/2, f.Type)
	w.p("odd[0] = *x")
	if width > 1 {
		w.p("var xx %s", f.Type)
		w.p("xx.Square(x)")
		w.p("for i := 1; i < len(odd); i++ { odd[i].Mul(&odd[i-1], &xx) }")
	}
	w.p("r := *x")
	if run > 1 {
		w.p("var t %s", f.Type)
		f.ones(w, run)
	}
	for _, s := range steps {
		w.p("r.squareTimes(&r, %d)", s.squares)
		if s.power > 0 {
			w.p("r.Mul(&r, &odd[%d])", s.power/2)
		}
	}
	w.p("*z = r")
	w.p("}")
}

// ones emits r = x^(2^run − 1), by the binary digits of run.
func (f *field) ones(w *writer, run int) {
	have := 1
	for bit := new(big.Int).SetInt64(int64(run)).BitLen() - 2; bit >= 0; bit-- {
		w.p("t.squareTimes(&r, %d)", have)
		w.p("r.Mul(&r, &t) // 2^%d − 1", 2*have)
		have *= 2
		if run>>bit&1 == 1 {
			w.p("t.Square(&r)")
			w.p("r.Mul(&t, x) // 2^%d − 1", have+1)
			have++
		}
	}
	if have != run {
		panic(fmt.Sprintf("generate: run %d, have %d", run, have))
	}
}

// step is one step of an exponentiation: squarings, then a multiplication with
// an odd power (0 means none).
type step struct{ squares, power uint }

// windows cuts the low n bits of e into steps with windows of up to five bits.
func windows(e *big.Int, n int) (steps []step) {
	zeros := uint(0)
	for n > 0 {
		if e.Bit(n-1) == 0 {
			zeros++
			n--
			continue
		}
		width := min(5, n)
		for e.Bit(n-width) == 0 {
			width--
		}
		power := uint(0)
		for i := range width {
			power = power<<1 | e.Bit(n-1-i)
		}
		steps = append(steps, step{zeros + uint(width), power})
		zeros = 0
		n -= width
	}
	if zeros > 0 {
		steps = append(steps, step{zeros, 0})
	}
	return steps
}

// half emits Half: p is odd, so an odd representative becomes even by adding p.
func (f *field) half(w *writer) {
	n := f.Limbs
	w.p("// Half sets z = x/2.")
	w.p("func (z *%s) Half(x *%s) {", f.Type, f.Type)
	vars(w, n, "t", "c")
	w.p("odd := -(x[0] & 1)")
	chain(w, "Add64", n, num("t"), idx("x"), func(i int) string { return "odd&" + f.primeLimb(i) }, same("c"), "0")
	for i := range n - 1 {
		w.p("z[%d] = t%d>>1 | t%d<<63", i, i, i+1)
	}
	w.p("z[%d] = t%d>>1 | c<<63", n-1, n-1)
	w.p("}\n")
}
