package main

import (
	"fmt"
	"math/big"
	"strings"
)

// moduli returns the constants of the scalar fields.
func moduli() string {
	w := new(writer)
	w.p("package scalar\n")
	w.p("import (\n\"math/bits\"\n\n\"propusk/gost/gost3410/internal/inverse\"\n)\n")
	w.p("// The orders of the subgroups.")
	w.p("var (")
	for _, c := range curves {
		modulus(w, c.Type, "the order of "+c.Name, c.Limbs(), c.Q)
	}
	modulus(w, "Example1", "for tests: the order of the curve of RFC 7091, Section 7.1", 4,
		hex("8000000000000000000000000000000150FE8A1892976154C59CFC193ACCF5B3"))
	modulus(w, "Example2", "for tests: the order of the curve of RFC 9215, Appendix E", 8,
		hex("4531ACD1FE0023C7550D267B6B2FEE80922B14B2FFB90F04D4EB7C09B5D2D15DA82F2D7ECB1DBAC719905C5EECC423F1D86E25EDBE23C595D644AAF187E6E6DF"))
	w.p(")")
	for _, n := range []int{4, 8} {
		w.p("\n// montgomery%d sets z = x·y / 2^%d modulo q for any x and y below q; negInv is −1/q", n, 64*n)
		w.p("// modulo 2^64.")
		w.p("func montgomery%d(z, x, y, q *[8]uint64, negInv uint64) {", n)
		montgomery(w, n, idx("q"), "negInv", true)
		w.p("}")
	}
	return w.String()
}

// modulus emits one order of n limbs.
func modulus(w *writer, name, doc string, n int, q *big.Int) {
	if new(big.Int).Mul(q, big.NewInt(5)).BitLen() <= 64*n {
		panic("generate: Modulus.Reduce wants a greater order")
	}
	rr := pow2(uint(128*n), 0)
	rr.Mod(rr, q)
	w.p("// %s is %s.", name, doc)
	w.p("%s = Modulus{", name)
	w.p("n: %d,", n)
	w.p("m: [8]uint64%s,", limbs(q, n))
	w.p("rr: Nat%s,", limbs(rr, n))
	w.p("negInv: %#x,", negInverse(q))
	w.p("inverse: %s,", inverseModulus(q, n))
	w.p("}\n")
}

// inverseModulus returns the constant that inversions modulo q take.
func inverseModulus(q *big.Int, n int) string {
	return fmt.Sprintf("inverse.Modulus{Limbs: %d, Words: [...]int64%s, Inv: %#x}",
		n, limbs62(q), new(big.Int).ModInverse(q, pow2(62, 0)))
}

// limbs62 returns x as words of 62 bits.
func limbs62(x *big.Int) string {
	mask := pow2(62, -1)
	var words []string
	for i := range 9 {
		w := new(big.Int).Rsh(x, uint(62*i))
		words = append(words, "0x"+w.And(w, mask).Text(16))
	}
	return "{" + strings.Join(words, ", ") + "}"
}
