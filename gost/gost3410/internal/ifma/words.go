package ifma

import (
	"encoding/binary"
	"math/bits"
)

// putWords writes x as little-endian bytes.
func putWords(b []byte, x []uint64) {
	for i, v := range x {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
}

// prime returns a word of p = 2^bits − small.
func (c *Curve) prime(i int) uint64 {
	switch {
	case i == 0:
		return uint64(-c.small)
	case c.small > 0:
		return ^uint64(0)
	case i == c.words()-1:
		return 1 << 63 // there is 2^bits in it
	}
	return 0
}

// negate sets x = −x modulo p, for 0 < x < p.
func (c *Curve) negate(x []uint64) {
	var borrow uint64
	for i := range x {
		x[i], borrow = bits.Sub64(c.prime(i), x[i], borrow)
	}
}

// twiceModP sets x = 2x modulo p, for x below p, in no certain representation.
func (c *Curve) twiceModP(x []uint64) {
	var carry uint64
	for i := range x {
		x[i], carry = bits.Add64(x[i], x[i], carry)
	}
	c.foldWords(x, carry)
}

// foldWords adds over·2^(64·len(x)) modulo p, for over below 2^32. It takes constant
// time.
func (c *Curve) foldWords(x []uint64, over uint64) {
	if c.small > 0 {
		carry := over * uint64(c.small)
		for range 2 { // after a carry out of the first time, there is none out of the second
			for i := range x {
				x[i], carry = bits.Add64(x[i], carry, 0)
			}
			carry *= uint64(c.small)
		}
		return
	}
	borrow := over * uint64(-2*c.small) // the prime has a bit less than the words
	for i := range x {
		x[i], borrow = bits.Sub64(x[i], borrow, 0)
	}
	// If that is negative, adding p makes it positive again.
	mask, carry := -borrow, uint64(0)
	for i := range x {
		x[i], carry = bits.Add64(x[i], c.prime(i)&mask, carry)
	}
}
