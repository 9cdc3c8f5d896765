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

// prime returns a word of 2^bits − small.
func (c *Curve) prime(i int) uint64 {
	if i == 0 {
		return -c.small
	}
	return ^uint64(0)
}

// negate sets x = −x modulo p, for 0 < x < p.
func (c *Curve) negate(x []uint64) {
	var borrow uint64
	for i := range x {
		x[i], borrow = bits.Sub64(c.prime(i), x[i], borrow)
	}
}

// twiceModP sets x = 2x modulo p, for x below p; the result is below 2^bits.
func (c *Curve) twiceModP(x []uint64) {
	var carry uint64
	for i := range x {
		x[i], carry = bits.Add64(x[i], x[i], carry)
	}
	carry *= c.small
	for i := range x {
		x[i], carry = bits.Add64(x[i], carry, 0)
	}
}
