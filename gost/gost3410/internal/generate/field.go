package main

import (
	"fmt"
	"math/big"
	"strings"
)

// A shape is how a field reduces.
type shape int

const (
	below    shape = iota // p = 2^N − c, N a multiple of 64; elements are kept below 2^N
	above                 // p = 2^(N−1) + c; elements are kept below 2^N
	montgome              // any p; elements are kept below p in Montgomery form
)

// field is one prime field.
type field struct {
	Type  string
	Doc   string
	Limbs int
	P     *big.Int
	shape shape
	c     uint64
	small bool // whether a curve needs MulSmall
}

var fields = []*field{
	{Type: "P256A", Doc: "2²⁵⁶ − 617, of CryptoPro-A and tc26-256-A", Limbs: 4, P: pow2(256, -617), shape: below, c: 617, small: true},
	{Type: "P256B", Doc: "2²⁵⁵ + 3225, of CryptoPro-B", Limbs: 4, P: pow2(255, 3225), shape: above, c: 3225},
	{Type: "P256C", Doc: "that has no special form, of CryptoPro-C", Limbs: 4,
		P: hex("9B9F605F5A858107AB1EC85E6B41C8AACF846E86789051D37998F7B9022D759B"), shape: montgome},
	{Type: "P512A", Doc: "2⁵¹² − 569, of tc26-512-A and tc26-512-C", Limbs: 8, P: pow2(512, -569), shape: below, c: 569},
	{Type: "P512B", Doc: "2⁵¹¹ + 111, of tc26-512-B", Limbs: 8, P: pow2(511, 111), shape: above, c: 111},
}

func pow2(n uint, c int64) *big.Int {
	return new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), n), big.NewInt(c))
}

func hex(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("generate: bad constant " + s)
	}
	return n
}

// limbs returns x as the text of an array of n words, least significant first.
func limbs(x *big.Int, n int) string {
	mask := new(big.Int).SetUint64(^uint64(0))
	words := make([]string, n)
	for i := range words {
		w := new(big.Int).Rsh(x, uint(64*i))
		words[i] = fmt.Sprintf("%#x", w.And(w, mask))
	}
	return "{" + strings.Join(words, ", ") + "}"
}

// element returns the constant x of the field as a composite literal.
func (f *field) element(x *big.Int) string {
	if f.shape == montgome {
		x = new(big.Int).Lsh(x, uint(64*f.Limbs))
		x.Mod(x, f.P)
	}
	return "field." + f.Type + limbs(x, f.Limbs)
}

func (f *field) file() string { return strings.ToLower(f.Type) + ".go" }

// writer collects lines of Go.
type writer struct{ strings.Builder }

func (w *writer) p(format string, args ...any) { fmt.Fprintf(&w.Builder, format+"\n", args...) }

func (f *field) source() string {
	w := new(writer)
	w.p("package field\n\nimport (\n\"math/bits\"\n\n\"propusk/gost/gost3410/internal/inverse\"\n)\n")
	f.declare(w)
	switch f.shape {
	case below:
		f.addBelow(w)
	case above:
		f.addAbove(w)
	case montgome:
		f.addMontgomery(w)
		f.mulMontgomery(w)
	}
	if f.shape != montgome {
		f.wide(w)
		f.codecPlain(w)
	} else {
		f.codecMontgomery(w)
	}
	if f.small {
		f.mulSmall(w)
	}
	f.vartimeOperations(w)
	f.common(w)
	f.invert(w)
	if f.shape == below {
		f.inverseRoot(w)
	}
	return w.String()
}

func (f *field) declare(w *writer) {
	n := f.Limbs
	w.p("// %s is an element of the field of the prime %s.", f.Type, f.Doc)
	switch f.shape {
	case below, above:
		w.p("// The limbs are little-endian and hold any representative below 2^%d.", 64*n)
	case montgome:
		w.p("// The limbs are little-endian and hold the element times 2^%d modulo p, below p.", 64*n)
	}
	w.p("// The zero value is zero.")
	w.p("type %s [%d]uint64\n", f.Type, n)
	w.p("// %s is the prime.", f.prime())
	w.p("var %s = [%d]uint64%s\n", f.prime(), n, limbs(f.P, n))
	w.p("// One sets z = 1.")
	one := strings.TrimPrefix(f.element(big.NewInt(1)), "field.")
	w.p("func (z *%s) One() { *z = %s }\n", f.Type, one)
}

func (f *field) prime() string { return "p" + f.Type[1:] }

// chain emits dst[i] = a[i] op b[i] with a carry; names are made with fmt.
// It declares fresh variables when the destination ends in "?".
func chain(w *writer, op string, n int, dst, a, b, carry func(int) string, in string) {
	for i := range n {
		w.p("%s, %s = bits.%s(%s, %s, %s)", dst(i), carry(i), op, a(i), b(i), in)
		in = carry(i)
	}
}

func idx(name string) func(int) string {
	return func(i int) string { return fmt.Sprintf("%s[%d]", name, i) }
}

func num(name string) func(int) string {
	return func(i int) string { return fmt.Sprintf("%s%d", name, i) }
}

func same(name string) func(int) string { return func(int) string { return name } }

// vars declares uint64 variables name0 … name(n-1) and more.
func vars(w *writer, n int, name string, more ...string) {
	names := more
	for i := range n {
		names = append(names, fmt.Sprintf("%s%d", name, i))
	}
	w.p("var %s uint64", strings.Join(names, ", "))
}

// first returns a function that gives a for index 0 and b for the others.
func first(a, b string) func(int) string {
	return func(i int) string {
		if i == 0 {
			return a
		}
		return b
	}
}

func (f *field) store(w *writer, name string) {
	for i := range f.Limbs {
		w.p("z[%d] = %s%d", i, name, i)
	}
}

// addBelow: see smallBelow.
func (f *field) addBelow(w *writer) {
	w.p("// Add sets z = x + y.")
	f.sumBelow(w, "Add", "Add64", "+")
	w.p("// Sub sets z = x − y.")
	f.sumBelow(w, "Sub", "Sub64", "-")
}

// sumBelow emits a method for a sum or a difference.
func (f *field) sumBelow(w *writer, name, op, sign string) {
	n := f.Limbs
	w.p("func (z *%s) %s(x, y *%s) {", f.Type, name, f.Type)
	vars(w, n, "t", "c")
	chain(w, op, n, num("t"), idx("x"), idx("y"), same("c"), "0")
	w.p("m := -c & %d", f.c)
	f.smallBelow(w, "t", op, sign, strings.HasSuffix(name, "Vartime"))
	w.p("}\n")
}

// addAbove: 2^(N−1) = −c. A sum s = low + t·2^(N−1), t = 0…3, loses t−1 times p
// when t > 0: what stays is low + 2^(N−1) − (t−1)·c, never negative. A
// difference gains 1 or 2 times p after a borrow, and then has its top bit clear.
func (f *field) addAbove(w *writer) {
	n := f.Limbs
	top := n - 1
	w.p("// Add sets z = x + y.")
	w.p("func (z *%s) Add(x, y *%s) {", f.Type, f.Type)
	vars(w, n, "t", "c")
	chain(w, "Add64", n, num("t"), idx("x"), idx("y"), same("c"), "0")
	w.p("// over is how many times 2^%d fits; one of them stays in the top bit.", 64*n-1)
	w.p("over := c<<1 | t%d>>63", top)
	w.p("some := (over | over>>1) & 1")
	w.p("t%d = t%d&^(1<<63) | some<<63", top, top)
	w.p("m := (over - some) * %d", f.c)
	chain(w, "Sub64", n, num("t"), num("t"), first("m", "0"), same("c"), "0")
	f.store(w, "t")
	w.p("}\n")
	w.p("// Sub sets z = x − y.")
	w.p("func (z *%s) Sub(x, y *%s) {", f.Type, f.Type)
	vars(w, n, "t", "c")
	chain(w, "Sub64", n, num("t"), idx("x"), idx("y"), same("c"), "0")
	w.p("// After a borrow the value is low − (2 − top)·2^%d; add p as many times.", 64*n-1)
	w.p("m := -c & ((2 - t%d>>63) * %d)", top, f.c)
	w.p("t%d &^= c << 63", top)
	chain(w, "Add64", n, num("t"), num("t"), first("m", "0"), same("c"), "0")
	f.store(w, "t")
	w.p("}\n")
}

// addMontgomery keeps elements below p.
func (f *field) addMontgomery(w *writer) {
	n := f.Limbs
	p := f.primeLimb
	w.p("// Add sets z = x + y.")
	w.p("func (z *%s) Add(x, y *%s) {", f.Type, f.Type)
	vars(w, n, "t", "c")
	chain(w, "Add64", n, num("t"), idx("x"), idx("y"), same("c"), "0")
	subtractOnce(w, n, p, "c")
	w.p("}\n")
	w.p("// Sub sets z = x − y.")
	w.p("func (z *%s) Sub(x, y *%s) {", f.Type, f.Type)
	vars(w, n, "t", "c")
	chain(w, "Sub64", n, num("t"), idx("x"), idx("y"), same("c"), "0")
	w.p("m := -c")
	chain(w, "Add64", n, num("t"), num("t"), func(i int) string { return p(i) + "&m" }, same("c"), "0")
	f.store(w, "t")
	w.p("}\n")
}

// subtractOnce stores t mod p in z, for t < 2p with the carry limb given.
func subtractOnce(w *writer, n int, prime func(int) string, carry string) {
	w.p("high := %s", carry)
	vars(w, n, "s")
	chain(w, "Sub64", n, num("s"), num("t"), prime, same("c"), "0")
	w.p("_, c = bits.Sub64(high, 0, c)")
	w.p("keep := -c")
	for i := range n {
		w.p("z[%d] = s%d ^ keep&(s%d^t%d)", i, i, i, i)
	}
}

// product emits t0…t(2n−1) = x·y, one row per limb of x. Within a row all
// multiplications come first, so that the compiler keeps the carry in a flag.
func product(w *writer, n int) {
	vars(w, 2*n, "t")
	vars(w, n, "l")
	vars(w, n, "h", "c")
	for i := range n {
		w.p("x%d := x[%d]", i, i)
		row(w, n, fmt.Sprintf("x%d", i), idx("y"))
		if i == 0 {
			w.p("t0 = l0")
			for j := 1; j < n; j++ {
				w.p("t%d, c = bits.Add64(l%d, h%d, %s)", j, j, j-1, carryIn(j == 1))
			}
			w.p("t%d = h%d + c", n, n-1)
			continue
		}
		foldRow(w, n)
		for j := range n {
			w.p("t%d, c = bits.Add64(t%d, l%d, %s)", i+j, i+j, j, carryIn(j == 0))
		}
		w.p("t%d = h%d + c", i+n, n-1)
	}
}

func carryIn(first bool) string {
	if first {
		return "0"
	}
	return "c"
}

// row emits h_j, l_j = a·b_j.
func row(w *writer, n int, a string, b func(int) string) {
	for j := range n {
		w.p("h%d, l%d = bits.Mul64(%s, %s)", j, j, a, b(j))
	}
}

// foldRow turns the products of a row into the limbs l0 … l(n−1), h(n−1).
func foldRow(w *writer, n int) {
	for j := 1; j < n; j++ {
		w.p("l%d, c = bits.Add64(l%d, h%d, %s)", j, j, j-1, carryIn(j == 1))
	}
	w.p("h%d += c", n-1)
}

// square emits t0…t(2n−1) = x²: the products x_i·x_j, i < j, twice, and the
// squares.
func square(w *writer, n int) {
	vars(w, 2*n, "t")
	vars(w, n, "l")
	vars(w, n, "h", "c")
	for i := range n {
		w.p("x%d := x[%d]", i, i)
	}
	for i := range n - 1 {
		squareRow(w, n, i)
	}
	w.p("t%d = t%d >> 63", 2*n-1, 2*n-2)
	for i := 2*n - 2; i > 1; i-- {
		w.p("t%d = t%d<<1 | t%d>>63", i, i, i-1)
	}
	w.p("t1 <<= 1")
	for i := range n {
		w.p("h%d, l%d = bits.Mul64(x%d, x%d)", i, i, i, i)
	}
	w.p("t0 = l0")
	for i := 1; i < 2*n; i++ {
		half := "l"
		if i%2 == 1 {
			half = "h"
		}
		w.p("t%d, c = bits.Add64(t%d, %s%d, %s)", i, i, half, i/2, carryIn(i == 1))
	}
}

// squareRow adds x_i·(x_(i+1) … x_(n−1)) at limb 2i+1.
func squareRow(w *writer, n, i int) {
	k := n - 1 - i
	for j := range k {
		w.p("h%d, l%d = bits.Mul64(x%d, x%d)", j, j, i, i+1+j)
	}
	for j := 1; j < k; j++ {
		w.p("l%d, c = bits.Add64(l%d, h%d, %s)", j, j, j-1, carryIn(j == 1))
	}
	if k > 1 {
		w.p("h%d += c", k-1)
	}
	base := 2*i + 1
	for j := range k {
		if i == 0 {
			w.p("t%d = l%d", base+j, j)
			continue
		}
		w.p("t%d, c = bits.Add64(t%d, l%d, %s)", base+j, base+j, j, carryIn(j == 0))
	}
	if i == 0 {
		w.p("t%d = h%d", base+k, k-1)
	} else {
		w.p("t%d = h%d + c", base+k, k-1)
	}
}

// wide emits Mul and Square of the special primes: the product, then reduce.
func (f *field) wide(w *writer) {
	w.p("// mulGeneric sets z = x·y.")
	w.p("func (z *%s) mulGeneric(x, y *%s) {", f.Type, f.Type)
	product(w, f.Limbs)
	f.reduce(w, false)
	w.p("}\n")
	w.p("// squareGeneric sets z = x².")
	w.p("func (z *%s) squareGeneric(x *%s) {", f.Type, f.Type)
	square(w, f.Limbs)
	f.reduce(w, false)
	w.p("}\n")
}
