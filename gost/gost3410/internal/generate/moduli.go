package main

import (
	"math/big"
	"strings"
)

// moduli returns the constants of the scalar fields.
func moduli() string {
	w := new(writer)
	w.p("package scalar\n")
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
	return w.String()
}

// modulus emits one order of n limbs.
func modulus(w *writer, name, doc string, n int, q *big.Int) {
	rr := pow2(uint(128*n), 0)
	rr.Mod(rr, q)
	w.p("// %s is %s.", name, doc)
	w.p("%s = Modulus{", name)
	w.p("n: %d,", n)
	w.p("m: [8]uint64%s,", limbs(q, n))
	w.p("rr: Nat%s,", limbs(rr, n))
	w.p("negInv: %#x,", negInverse(q))
	w.p("m62: [limbs62]int64%s,", limbs62(q))
	w.p("inv62: %#x,", new(big.Int).ModInverse(q, pow2(62, 0)))
	w.p("}\n")
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
