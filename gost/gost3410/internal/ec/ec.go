// Package ec implements the groups of the seven GOST curves. Seven files, one for
// each curve, are generated from two templates.
//
// A point enters and leaves as LE(x)|LE(y) in Weierstrass form. Mult and BaseMult
// take constant time: fixed windows of signed digits, tables read as a whole,
// formulas without exceptional cases. Check and VerifyX take variable time and are
// for public values. Tables of the base points are made on first use.
package ec

import (
	"encoding/binary"
	"math/bits"

	"propusk/gost/gost3410/internal/scalar"
)

// Widths of the digits of VerifyX, in bits: of the scalar of the base point, whose
// table is made once, and of the scalar of the other point, whose table is made
// every time.
const (
	oddWidth = 11
	keyWidth = 5
)

// Widths of the digits where no doubling is done, because there are tables with the
// multiples by powers of two: that of the base point, which is made once, and that of
// [Table]. A bit more of the latter takes 1.7 times the memory; on the curves in Edwards
// form, whose tables are larger and take longer to make, it is one less.
const (
	wideWidth         = 10
	tableWidth        = 8
	edwardsTableWidth = 7
)

// Widths of the digits of secret scalars: of Mult, whose table is made every time, and
// of BaseMult. The tables are read as a whole.
const (
	multWidth = 5
	combWidth = 6
)

// completeWindows is how many of the last digits BaseMult takes with complete
// formulas. The generator makes sure that it is enough.
const completeWindows = 2

// Table is a point with many of its multiples.
type Table interface {
	// VerifyX reports whether the x coordinate of k·G + l·P is r modulo the order, in
	// variable time; k, l and r must be below the order.
	VerifyX(r, k, l scalar.Nat) bool
}

// windows returns how many signed digits of the given width a number of so many
// bits has.
func windows(bits, width int) int { return (bits + width) / width }

// loadLimbs reads little-endian limbs from the start of b.
func loadLimbs(x []uint64, b []byte) {
	for i := range x {
		x[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
}

// storeLimbs writes little-endian limbs to the start of b.
func storeLimbs(b []byte, x []uint64) {
	for i, v := range x {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
}

// addLimbs adds y to x, and returns the carry.
func addLimbs(x, y []uint64) (carry uint64) {
	for i := range x {
		x[i], carry = bits.Add64(x[i], y[i], carry)
	}
	return carry
}

// equal returns all ones if a = b and 0 otherwise.
func equal(a, b uint64) uint64 {
	d := a ^ b
	return (d|-d)>>63 - 1
}

// secretDigit returns the i-th digit of k for fixed windows of signed digits, in
// constant time: its absolute value, at most 2^(width−1), and 1 for negative.
func secretDigit(k *scalar.Nat, i, width uint) (digit, negative uint64) {
	var w uint64 // the bits of the digit with the bit below them
	if i == 0 {
		w = k[0] << 1
	} else {
		at := width*i - 1
		w = k[at/64] >> (at % 64)
		if at%64 > 63-width && at/64 < uint(len(k))-1 {
			w |= k[at/64+1] << (64 - at%64)
		}
	}
	all := uint64(1)<<(width+1) - 1
	w &= all
	negative = w >> width
	m := -negative
	w = (all-w)&m | w&^m
	return w>>1 + w&1, negative
}

// secretOddDigit returns the i-th digit of an odd k for fixed windows of odd digits, in
// constant time: (|d| − 1)/2, below 2^(width−1), and 1 for negative. It is d = 2v + 1 −
// 2^width for the bits v of k from width·i + 1 on.
func secretOddDigit(k *scalar.Nat, i, width uint) (half, negative uint64) {
	at := width*i + 1
	v := k[at/64] >> (at % 64)
	if at%64 > 64-width && at/64 < uint(len(k))-1 {
		v |= k[at/64+1] << (64 - at%64)
	}
	negative = v>>(width-1)&1 ^ 1
	return (v ^ -negative) & (1<<(width-1) - 1), negative
}

// digit returns the i-th digit of k, from −2^(width−1) to 2^(width−1), in variable
// time.
func digit(k *scalar.Nat, i, width uint) int16 {
	var w uint64 // the digit with the bit below it
	if i == 0 {
		w = k[0] << 1
	} else {
		w = bitsAt(k, int(i*width)-1)
	}
	w &= 1<<(width+1) - 1
	return int16(w>>1+w&1) - int16(w>>width<<width)
}

// wnaf is a number in non-adjacent form: odd digits, and many zeros between them.
type wnaf [8*64 + 1]int16

// set recodes the n lower limbs of k with digits of the given width in bits, and
// returns the number of digits. w must be zero.
func (w *wnaf) set(k *scalar.Nat, n int, width uint) (top int) {
	length := 64*n + 1
	carry := uint64(0)
	for i := 0; i < length; {
		word := bitsAt(k, i)
		if word&1 == carry {
			i++
			continue
		}
		word = word&(1<<width-1) + carry
		carry = word >> (width - 1) & 1
		w[i] = int16(word) - int16(carry<<width)
		top = i + 1
		i += int(width)
	}
	return top
}

// bitsAt returns at least 16 bits of k from bit i on.
func bitsAt(k *scalar.Nat, i int) uint64 {
	limb, shift := i/64, i%64
	if limb >= len(k) {
		return 0
	}
	w := k[limb] >> shift
	if shift > 0 && limb < len(k)-1 {
		w |= k[limb+1] << (64 - shift)
	}
	return w
}

// abs returns |d|.
func abs(d int16) int {
	return max(int(d), -int(d))
}
