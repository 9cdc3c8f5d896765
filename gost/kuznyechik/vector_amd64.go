//go:build !purego

package kuznyechik

import (
	"math/bits"
	"sync"

	"propusk/gost/internal/pi"
)

// batch is how many bytes the assembly encrypts at once, and few is from how many on
// a batch that is not full is quicker than block by block.
const (
	batch = 64 * BlockSize
	few   = 8 * BlockSize
)

// sliced are the tables of the assembly.
type sliced struct {
	substitution [256]byte
	matrices     [7]uint64 // multiplication by the factors of l, a_15 to a_8 but for 1
	fourfold     [64]byte  // the order of bytes that repeats the lowest byte of words
	steps        [64]byte  // the number of the block of each byte
}

// vectorTables is computed at first use, and read-only from then on.
var vectorTables = sync.OnceValue(func() *sliced {
	t := new(sliced)
	copy(t.substitution[:], pi.Substitution)
	for i, factor := range []byte{148, 32, 133, 16, 194, 192, 251} {
		t.matrices[i] = matrixOf(func(x byte) byte { return multiply(factor, x) })
	}
	for i := range 64 {
		t.fourfold[i] = byte(i % 16 / 4 * 4)
		t.steps[i] = byte(i%16*4 + i/16)
	}
	return t
})

// matrixOf returns f, which must be linear, as VGF2P8AFFINEQB takes it: bit j of byte 7-i
// says whether bit j of a byte contributes to bit i of the result.
func matrixOf(f func(byte) byte) (m uint64) {
	for j := range 8 {
		for column := f(1 << j); column != 0; column &= column - 1 {
			i := bits.TrailingZeros8(column)
			m |= 1 << (8*(7-i) + j)
		}
	}
	return m
}

// encrypt64 encrypts batches of 64 blocks.
//
//go:noescape
func encrypt64(keys *[rounds]vector, t *sliced, dst, src *byte, batches int)

// counter64 adds the encryption of the counter of the words hi and lo, and of those
// that follow, to batches of 64 blocks.
//
//go:noescape
func counter64(keys *[rounds]vector, t *sliced, dst, src *byte, batches int, hi, lo uint64)

// encryptVector is EncryptBlocks as far as it is quicker; it returns how many bytes
// it did.
func (b *block) encryptVector(dst, src []byte) int {
	n := len(src) / batch * batch
	if n > 0 {
		encrypt64(&b.enc, vectorTables(), &dst[:n][0], &src[0], n/batch)
	}
	if rest := (len(src) - n) / BlockSize * BlockSize; rest >= few {
		var buf [batch]byte
		copy(buf[:], src[n:n+rest])
		encrypt64(&b.enc, vectorTables(), &buf[0], &buf[0], 1)
		n += copy(dst[n:], buf[:rest])
	}
	return n
}

// counterVector is XORCounter.
func (b *block) counterVector(dst, src []byte, hi, lo uint64) int {
	n := len(src) / batch * batch
	if n > 0 {
		counter64(&b.enc, vectorTables(), &dst[:n][0], &src[0], n/batch, hi, lo)
	}
	if rest := (len(src) - n) / BlockSize * BlockSize; rest >= few {
		var buf [batch]byte
		copy(buf[:], src[n:n+rest])
		lo, carry := bits.Add64(lo, uint64(n/BlockSize), 0)
		counter64(&b.enc, vectorTables(), &buf[0], &buf[0], 1, hi+carry, lo)
		n += copy(dst[n:], buf[:rest])
	}
	return n
}
