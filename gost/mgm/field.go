package mgm

import (
	"encoding/binary"
	"math/bits"

	"propusk/gost/internal/avx512"
)

// A sum is a sum of products of polynomials that was not reduced yet: MGM never
// multiplies a product, so one reduction at the end is enough. It is spread over the
// lanes of a vector register, pairs of words, the lower one first. With blocks of 16
// bytes the products of halves are kept apart; with blocks of 8 bytes middle is zero,
// and low and high have the same weight.
type sum struct {
	low, middle, high [8]uint64
}

// add adds the products of the blocks of h and of x, of n bytes each. The slices are
// equally long.
func (s *sum) add(n int, h, x []byte) {
	if len(h) == 0 {
		return
	}
	if avx512.Enabled && s.addVector(n, h, x) {
		return
	}
	if n == maxBlockSize {
		s.add128(h, x)
	} else {
		s.add64(h, x)
	}
}

// add128 is add for blocks of 16 bytes, with one multiplication less by Karatsuba's
// trick.
func (s *sum) add128(h, x []byte) {
	for ; len(h) >= 16 && len(x) >= 16; h, x = h[16:], x[16:] {
		h1, h0 := binary.BigEndian.Uint64(h), binary.BigEndian.Uint64(h[8:])
		x1, x0 := binary.BigEndian.Uint64(x), binary.BigEndian.Uint64(x[8:])
		low1, low0 := multiply(h0, x0)
		high1, high0 := multiply(h1, x1)
		middle1, middle0 := multiply(h0^h1, x0^x1)
		s.low[0] ^= low0
		s.low[1] ^= low1
		s.high[0] ^= high0
		s.high[1] ^= high1
		s.middle[0] ^= middle0 ^ low0 ^ high0
		s.middle[1] ^= middle1 ^ low1 ^ high1
	}
}

// add64 is add for blocks of 8 bytes.
func (s *sum) add64(h, x []byte) {
	for ; len(h) >= 8 && len(x) >= 8; h, x = h[8:], x[8:] {
		hi, lo := multiply(binary.BigEndian.Uint64(h), binary.BigEndian.Uint64(x))
		s.low[0] ^= lo
		s.low[1] ^= hi
	}
}

// multiply returns the product of polynomials over the field of two elements, the
// bits of words, in constant time.
//
// Integer multiplication does it for numbers that have only every fourth bit: at most
// 15 products of bits meet in one place, so nothing is carried as far as the next bit
// that counts. For that the first number must have at most 15 bits; its upper four ones
// are multiplied one by one.
func multiply(x, y uint64) (hi, lo uint64) {
	const few, every = 0x0111111111111111, 0x1111111111111111
	x0, x1, x2, x3 := x&few, x&(few<<1), x&(few<<2), x&(few<<3)
	y0, y1, y2, y3 := y&every, y&(every<<1), y&(every<<2), y&(every<<3)
	hi0, lo0 := four(x0, y0, x1, y3, x2, y2, x3, y1)
	hi1, lo1 := four(x0, y1, x1, y0, x2, y3, x3, y2)
	hi2, lo2 := four(x0, y2, x1, y1, x2, y0, x3, y3)
	hi3, lo3 := four(x0, y3, x1, y2, x2, y1, x3, y0)
	hi = hi0&every | hi1&(every<<1) | hi2&(every<<2) | hi3&(every<<3)
	lo = lo0&every | lo1&(every<<1) | lo2&(every<<2) | lo3&(every<<3)
	for i := 60; i < 64; i++ {
		mask := -(x >> i & 1)
		hi ^= y >> (64 - i) & mask
		lo ^= y << i & mask
	}
	return hi, lo
}

// four adds four products of integers without carry.
func four(a, b, c, d, e, f, g, h uint64) (hi, lo uint64) {
	hi1, lo1 := bits.Mul64(a, b)
	hi2, lo2 := bits.Mul64(c, d)
	hi3, lo3 := bits.Mul64(e, f)
	hi4, lo4 := bits.Mul64(g, h)
	return hi1 ^ hi2 ^ hi3 ^ hi4, lo1 ^ lo2 ^ lo3 ^ lo4
}

// reduce returns the sum as an element of the field of blocks of n bytes, the halves
// of a block.
func (s *sum) reduce(n int) counter {
	low, middle, high := fold(&s.low), fold(&s.middle), fold(&s.high)
	if n != maxBlockSize {
		x := reduce64(low[1]^high[1], low[0]^high[0])
		return counter{x >> 32, x & (1<<32 - 1)}
	}
	return reduce128(high[1], high[0]^middle[1], low[1]^middle[0], low[0])
}

// fold adds the lanes.
func fold(x *[8]uint64) [2]uint64 {
	return [2]uint64{x[0] ^ x[2] ^ x[4] ^ x[6], x[1] ^ x[3] ^ x[5] ^ x[7]}
}

// reduce128 reduces four words by w^128 + w^7 + w^2 + w + 1.
func reduce128(p3, p2, p1, p0 uint64) counter {
	p1 ^= p3 ^ (p3<<1 | p2>>63) ^ (p3<<2 | p2>>62) ^ (p3<<7 | p2>>57)
	p0 ^= p2 ^ p2<<1 ^ p2<<2 ^ p2<<7
	over := p3>>63 ^ p3>>62 ^ p3>>57
	return counter{p1, p0 ^ over ^ over<<1 ^ over<<2 ^ over<<7}
}

// reduce64 reduces two words by w^64 + w^4 + w^3 + w + 1.
func reduce64(hi, lo uint64) uint64 {
	over := hi>>63 ^ hi>>61 ^ hi>>60
	lo ^= hi ^ hi<<1 ^ hi<<3 ^ hi<<4
	return lo ^ over ^ over<<1 ^ over<<3 ^ over<<4
}
