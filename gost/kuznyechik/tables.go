package kuznyechik

import (
	"math/bits"
	"sync"

	"propusk/gost/internal/pi"
)

// A table maps the byte v at place i of a block to what it contributes to the
// block after a substitution and a linear transformation.
type table [BlockSize][256]vector

// Computed when the first cipher is made, and read-only from then on.
var (
	buildTables sync.Once
	forward     table      // S, then L
	inverse     table      // S^-1, then L^-1
	piInverse   [256]byte  // S^-1 of one byte
	constants   [32]vector // C_1, ..., C_32
)

func fillTables() {
	for v := range 256 {
		piInverse[pi.Substitution[v]] = byte(v)
	}
	forward.fill(linear, func(v int) byte { return pi.Substitution[v] })
	inverse.fill(inverseLinear, func(v int) byte { return piInverse[v] })
	for i := range constants {
		c := [BlockSize]byte{BlockSize - 1: byte(i + 1)}
		linear(&c)
		constants[i] = load(c[:])
	}
}

// fill makes the table of the given substitution, followed by the given
// transformation, which must be linear over the field.
func (t *table) fill(transform func(*[BlockSize]byte), substitution func(int) byte) {
	for i := range t {
		var column [BlockSize]byte
		column[i] = 1
		transform(&column)
		var powers [8]vector // the column times 1, theta, theta^2, ...
		for j := range powers {
			powers[j] = load(column[:])
			for k := range column {
				column[k] = multiply(column[k], 2)
			}
		}
		for v := range t[i] {
			for rest := substitution(v); rest != 0; rest &= rest - 1 {
				t[i][v] = t[i][v].xor(powers[bits.TrailingZeros8(rest)])
			}
		}
	}
}

// linear implements the transformation L of RFC 7801, Section 4.3.
func linear(x *[BlockSize]byte) {
	for range BlockSize {
		first := combine(x)
		copy(x[1:], x[:])
		x[0] = first
	}
}

// inverseLinear implements the transformation L^-1 of RFC 7801, Section 4.3.
func inverseLinear(x *[BlockSize]byte) {
	for range BlockSize {
		first := x[0]
		copy(x[:], x[1:])
		x[BlockSize-1] = first
		x[BlockSize-1] = combine(x)
	}
}

// factors are those of l, RFC 7801, Section 4.2, where the figure 32 belongs to a_14: the
// text prints a_15 twice.
var factors = [BlockSize]byte{148, 32, 133, 16, 194, 192, 1, 251, 1, 192, 194, 16, 133, 32, 148, 1}

// combine implements the transformation l of RFC 7801, Section 4.2.
func combine(x *[BlockSize]byte) byte {
	var sum byte
	for i, f := range factors {
		sum ^= multiply(x[i], f)
	}
	return sum
}

// multiply multiplies in the field Q of RFC 7801, Section 3.2, modulo
// x^8 + x^7 + x^6 + x + 1.
func multiply(x, y byte) byte {
	var product byte
	for ; y != 0; y >>= 1 {
		if y&1 != 0 {
			product ^= x
		}
		carry := x >> 7
		x = x<<1 ^ carry*0xc3
	}
	return product
}

// ls returns L(S(x)).
func (x vector) ls() vector { return forward.apply(x) }

// inverseSL returns L^-1(S^-1(x)).
func (x vector) inverseSL() vector { return inverse.apply(x) }

// apply sums the contributions of the bytes of x. It is written out because the
// compiler does not unroll loops, and summed in pairs because it does not reorder
// sums either: OMAC waits for each result, and pairs halve the wait.
func (t *table) apply(x vector) vector {
	t0, t1, t2, t3 := &t[0][byte(x.a)], &t[1][byte(x.a>>8)], &t[2][byte(x.a>>16)], &t[3][byte(x.a>>24)]
	t4, t5, t6, t7 := &t[4][byte(x.a>>32)], &t[5][byte(x.a>>40)], &t[6][byte(x.a>>48)], &t[7][byte(x.a>>56)]
	t8, t9, t10, t11 := &t[8][byte(x.b)], &t[9][byte(x.b>>8)], &t[10][byte(x.b>>16)], &t[11][byte(x.b>>24)]
	t12, t13, t14, t15 := &t[12][byte(x.b>>32)], &t[13][byte(x.b>>40)], &t[14][byte(x.b>>48)], &t[15][byte(x.b>>56)]
	return vector{
		a: (((t0.a ^ t1.a) ^ (t2.a ^ t3.a)) ^ ((t4.a ^ t5.a) ^ (t6.a ^ t7.a))) ^
			(((t8.a ^ t9.a) ^ (t10.a ^ t11.a)) ^ ((t12.a ^ t13.a) ^ (t14.a ^ t15.a))),
		b: (((t0.b ^ t1.b) ^ (t2.b ^ t3.b)) ^ ((t4.b ^ t5.b) ^ (t6.b ^ t7.b))) ^
			(((t8.b ^ t9.b) ^ (t10.b ^ t11.b)) ^ ((t12.b ^ t13.b) ^ (t14.b ^ t15.b))),
	}
}

// substitute returns S(x).
func (x vector) substitute() vector {
	return x.each(func(v byte) byte { return pi.Substitution[v] })
}

// inverseSubstitute returns S^-1(x).
func (x vector) inverseSubstitute() vector {
	return x.each(func(v byte) byte { return piInverse[v] })
}

func (x vector) each(f func(byte) byte) vector {
	var y vector
	for i := 0; i < 64; i += 8 {
		y.a |= uint64(f(byte(x.a>>i))) << i
		y.b |= uint64(f(byte(x.b>>i))) << i
	}
	return y
}
