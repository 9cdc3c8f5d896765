package main

import (
	"fmt"
	"math/big"
)

// mulSmall emits MulSmall, for the field of the curve whose b is small.
func (f *field) mulSmall(w *writer) {
	n := f.Limbs
	w.p("// MulSmall sets z = x·k. k must be below 2³².")
	w.p("func (z *%s) MulSmall(x *%s, k uint64) {", f.Type, f.Type)
	vars(w, n, "l")
	vars(w, n, "h", "c")
	row(w, n, "k", idx("x"))
	foldRow(w, n)
	f.foldTopBelow(w, "l", "h", n-1, false)
	w.p("}\n")
}

// foldTopBelow stores name0…name(n−1) + top·2^N. top·c must be below 2^64 − c.
func (f *field) foldTopBelow(w *writer, name, top string, topIndex int, vartime bool) {
	w.p("m := %s%d * %d", top, topIndex, f.c)
	f.smallBelow(w, name, "Add64", "+", vartime)
}

// reduce emits z = t mod p for the 2n limbs of t, up to the representative.
// Only for a p below a power of two there is a variant in variable time.
func (f *field) reduce(w *writer, vartime bool) {
	n := f.Limbs
	k := f.c
	if f.shape == above {
		k = 2 * f.c // 2^N = −2c
	}
	for j := range n {
		w.p("h%d, l%d = bits.Mul64(t%d, %d)", j, j, n+j, k)
	}
	foldRow(w, n)
	if f.shape == below {
		chain(w, "Add64", n, num("t"), num("t"), num("l"), same("c"), "0")
		w.p("h%d += c", n-1)
		f.foldTopBelow(w, "t", "h", n-1, vartime)
		return
	}
	chain(w, "Sub64", n, num("t"), num("t"), num("l"), same("c"), "0")
	w.p("// The value is t − over·2^%d. If over is not 0, add p 2·over − top times,", 64*n)
	w.p("// which clears the top bit.")
	w.p("over := h%d + c", n-1)
	w.p("some := (over | -over) >> 63")
	w.p("m := -some & ((over<<1 - t%d>>63) * %d)", n-1, f.c)
	w.p("t%d &^= some << 63", n-1)
	chain(w, "Add64", n, num("t"), num("t"), first("m", "0"), same("c"), "0")
	f.store(w, "t")
}

// mulMontgomery emits Mul and Square.
func (f *field) mulMontgomery(w *writer) {
	w.p("// mulGeneric sets z = x·y.")
	w.p("func (z *%s) mulGeneric(x, y *%s) {", f.Type, f.Type)
	montgomery(w, f.Limbs, f.primeLimb, fmt.Sprintf("%#x", f.negInverse()), false)
	w.p("}\n")
	w.p("// squareGeneric sets z = x².")
	w.p("func (z *%s) squareGeneric(x *%s) { z.mulGeneric(x, x) }\n", f.Type, f.Type)
}

// montgomery emits z = x·y / 2^64n: the rows of the product and the rows of the
// reduction alternate. The sum stays below 2p after every pair. full means that p may
// be so near to 2^64n that x_i·y and the sum together need one bit more.
func montgomery(w *writer, n int, prime func(int) string, negInv string, full bool) {
	vars(w, n+1, "t", "c", "m")
	vars(w, n, "l")
	vars(w, n, "h")
	if full {
		w.p("var over uint64")
	}
	for i := range n {
		row(w, n, idx("x")(i), idx("y"))
		foldRow(w, n)
		if i == 0 {
			for j := range n {
				w.p("t%d = l%d", j, j)
			}
			w.p("t%d = h%d", n, n-1)
		} else {
			chain(w, "Add64", n, num("t"), num("t"), num("l"), same("c"), "0")
			if full {
				w.p("t%d, over = bits.Add64(t%d, h%d, c)", n, n, n-1)
			} else {
				w.p("t%d += h%d + c", n, n-1)
			}
		}
		montgomeryRow(w, n, prime, negInv)
		if full && i > 0 {
			w.p("t%d += over", n)
		}
	}
	subtractOnce(w, n, prime, fmt.Sprintf("t%d", n))
}

// montgomeryRow emits t = (t + m·p) / 2^64, with m such that the division is
// exact.
func montgomeryRow(w *writer, n int, prime func(int) string, negInv string) {
	w.p("m = t0 * %s", negInv)
	row(w, n, "m", prime)
	foldRow(w, n)
	w.p("_, c = bits.Add64(t0, l0, 0)")
	for j := 1; j < n; j++ {
		w.p("t%d, c = bits.Add64(t%d, l%d, c)", j-1, j, j)
	}
	w.p("t%d, c = bits.Add64(t%d, h%d, c)", n-1, n, n-1)
	w.p("t%d = c", n)
}

// negInverse returns −1/p modulo 2^64.
func (f *field) negInverse() uint64 { return negInverse(f.P) }

func negInverse(p *big.Int) uint64 {
	r := new(big.Int).Lsh(big.NewInt(1), 64)
	return -new(big.Int).ModInverse(p, r).Uint64()
}

func (f *field) primeLimb(i int) string {
	w := new(big.Int).Rsh(f.P, uint(64*i))
	return fmt.Sprintf("%#x", w.And(w, new(big.Int).SetUint64(^uint64(0))))
}
