// Package ifma computes on eight points at once, with the multiplications of 52 bits
// of AVX-512: those of eight signatures, or the parts of one multiplication.
//
// The assembly is written by a generator, which proves for every instruction that
// nothing overflows. It has no branches but loops that count, and no addresses that
// depend on data, except for gather, which is for public values only.
//
// The additions are wrong if both points are equal or opposite; then z becomes 0 and
// stays so, and the caller has to compute the result by other means.
package ifma

import (
	"sync"

	"propusk/gost/gost3410/internal/ec"
	"propusk/gost/gost3410/internal/scalar"
)

//go:generate go run propusk/gost/gost3410/internal/ifma/generate -dir .

// Available reports whether the processor and the operating system have what the
// assembly needs. It is always false where there is no assembly.
func Available() bool { return available() }

// Enabled decides which path is taken. It is a variable only so that tests can force
// the other path; nothing else may write to it.
var Enabled = Available()

// lanes are eight numbers, one of each lane.
type lanes [8]uint64

// kernels are the routines of one prime. Elements are limbs of 52 bits, points are x, w
// = 2y and z in Jacobian coordinates.
type kernels struct {
	mul         func(z, x, y *lanes)
	squareTimes func(x *lanes, times int)
	double      func(a *lanes, times int)
	add         func(a, b *lanes)
	addAffine   func(a, b, negative *lanes)
	addCommon   func(a, b, z, negative *lanes)
	start       func(twice, table, factor, a *lanes)
	chain       func(sum, d, factor, t *lanes)
	scale       func(t, z, factor *lanes)
	setAffine   func(a, b, negative *lanes)
	setCommon   func(a, b, z, negative *lanes)
}

// Curve is a curve y² = x³ − 3x + b of prime order. It is safe for concurrent use.
type Curve struct {
	*kernels
	bits    int // the prime is 2^bits − small
	small   int64
	order   *scalar.Modulus
	group   group
	base    baseTables
	batches sync.Pool // of *batch
	combs   sync.Pool // of *comb
	mults   sync.Pool // of *mult
}

// group is what is needed of the scalar arithmetic of a curve.
type group interface {
	// XIs reports whether x(a) is r modulo the order, and whether a is a point at all,
	// for the Jacobian coordinates x and z.
	XIs(r scalar.Nat, x, z []uint64) (is, ok bool)
	// Sum returns a + b as LE(x)|LE(y), and false for infinity, for Jacobian points x, 2y
	// and z, in constant time.
	Sum(a, b *[3][]uint64) ([]byte, bool)
	// Powers returns x, y and z of 2^(n·i)·P for all i, in Jacobian coordinates.
	Powers(xy []byte, n int) (points [8][3][]uint64)
	// VerifyX reports whether x(k·G + l·P) is r modulo the order.
	VerifyX(r, k, l scalar.Nat, xy []byte) bool
	// Base returns the base point as LE(x)|LE(y).
	Base() []byte
}

// The curves.
var (
	CryptoProA = &Curve{kernels: &kernels256A, bits: 256, small: 617, order: &scalar.CryptoProA, group: ec.CryptoProA{}}
	CryptoProB = &Curve{kernels: &kernels256B, bits: 255, small: -3225, order: &scalar.CryptoProB, group: ec.CryptoProB{}}
	TC26512A   = &Curve{kernels: &kernels512A, bits: 512, small: 569, order: &scalar.TC26512A, group: ec.TC26512A{}}
	TC26512B   = &Curve{kernels: &kernels512B, bits: 511, small: -111, order: &scalar.TC26512B, group: ec.TC26512B{}}
)

// limbs is how many limbs an element has, words how many words of 64 bits.
func (c *Curve) limbs() int { return (c.bits + 51) / 52 }
func (c *Curve) words() int { return (c.bits + 63) / 64 }

// scalarBits is how many bits scalars have at most.
func (c *Curve) scalarBits() int { return 64 * c.words() }

// layout says where a lookup finds digits and points. The assembly knows the offsets.
type layout struct {
	scalar  lanes // bytes from the start of the scalars
	all     lanes // of entries, times 2, less 1
	entries lanes
	low     lanes // of entries, less 1
	stride  lanes // words between entries
	first   lanes // words before the first entry
	words   int   // of a point
	step    int   // bytes between words of a point
	after   int   // bytes of a point in lanes; behind it is what lanes are negative
	count   int   // of entries
}

// Digits are windows of a scalar that is odd, and odd themselves: one of w bits at bit
// at stands for
//
//	(2·u + 1 − 2^w)·2^at, u = the w bits from bit at+1 on
//
// If windows follow each other from bit 0, and the bit above the last one is set beside
// the scalar, they add up to the scalar: 1 − 2^w takes away again what the next window
// counts twice. The digit u is ±(2·i + 1), for the entry i of a table of odd multiples.

// newLayout returns the layout of lookups of digits of the given width in bits. What
// belongs to one lane is that much further than what belongs to the one before it.
func newLayout(width, scalar, stride, lane, words, step int) *layout {
	l := &layout{words: words, step: step, after: 64 * words, count: 1 << (width - 1)}
	for i := range 8 {
		l.scalar[i] = uint64(scalar * i)
		l.entries[i] = uint64(l.count)
		l.low[i], l.all[i] = uint64(l.count-1), uint64(2*l.count-1)
		l.stride[i], l.first[i] = uint64(stride), uint64(lane*i)
	}
	return l
}

const mask52 = 1<<52 - 1

// fromWords sets a lane of the limbs at z to the number x.
func fromWords(z []lanes, lane int, x []uint64) {
	for i := range z {
		at, shift := 52*i/64, 52*i%64
		v := x[at] >> shift
		if shift > 12 && at+1 < len(x) {
			v |= x[at+1] << (64 - shift)
		}
		z[i][lane] = v & mask52
	}
}

// toWords sets x to a lane of the limbs at z, in no certain representation. It takes
// constant time.
func (c *Curve) toWords(x []uint64, z []lanes, lane int) {
	var t [9]uint64 // with what is above
	words := c.words()
	for i := range z {
		at, shift := 52*i/64, 52*i%64
		limb := z[i][lane] & mask52
		t[at] |= limb << shift
		if shift > 12 {
			t[at+1] |= limb >> (64 - shift)
		}
	}
	c.foldWords(t[:words], t[words])
	copy(x, t[:words])
}
