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
	last         [64]byte   // from where on the last of the four tables is
	matrices     [6]uint64  // multiplication by the factors of l, a_15 to a_8 but for 16 and 1
	column       [16]uint64 // multiplication by what the last byte of a block is in L
	fourfold     [64]byte   // the order of bytes that repeats the lowest byte of words
	steps        [64]byte   // the number of the block of each byte
}

// vectorTables is computed at first use, and read-only from then on.
var vectorTables = sync.OnceValue(func() *sliced {
	t := new(sliced)
	copy(t.substitution[:], pi.Substitution)
	times := func(factor byte) uint64 {
		return matrixOf(func(x byte) byte { return multiply(factor, x) })
	}
	for i, factor := range []byte{148, 32, 133, 251, 194, 192} {
		t.matrices[i] = times(factor)
	}
	column := [BlockSize]byte{BlockSize - 1: 1}
	linear(&column)
	for i, factor := range column {
		t.column[i] = times(factor)
	}
	for i := range 64 {
		t.last[i] = 0xc0
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
func encrypt64(keys *schedule, t *sliced, dst, src *byte, batches int)

// counter64 adds the encryption of counters to batches of 64 blocks, at most window of
// them. The last byte of the first counter is low; what the others make is common, from
// firstRound of that counter and of the one 256 later.
//
//go:noescape
func counter64(keys *schedule, t *sliced, dst, src *byte, batches int, common *[2]vector, low uint64)

// window is how many batches pass until the last byte of the counter is again what it was.
const window = 4

// encryptVector is EncryptBlocks as far as it is quicker; it returns how many bytes
// it did.
func (b *block) encryptVector(dst, src []byte) int {
	n := len(src) / batch * batch
	if n > 0 {
		encrypt64(&b.schedule, vectorTables(), &dst[:n][0], &src[0], n/batch)
	}
	if rest := (len(src) - n) / BlockSize * BlockSize; rest >= few {
		var buf [batch]byte
		copy(buf[:], src[n:n+rest])
		encrypt64(&b.schedule, vectorTables(), &buf[0], &buf[0], 1)
		n += copy(dst[n:], buf[:rest])
	}
	return n
}

// counterVector is XORCounter.
func (b *block) counterVector(dst, src []byte, hi, lo uint64) int {
	done, n := 0, len(src)/batch*batch
	for done < n {
		size := min(n-done, window*batch)
		b.counterWindow(dst[done:][:size], src[done:], hi, lo)
		done += size
		var carry uint64
		lo, carry = bits.Add64(lo, uint64(size/BlockSize), 0)
		hi += carry
	}
	if rest := (len(src) - n) / BlockSize * BlockSize; rest >= few {
		var buf [batch]byte
		copy(buf[:], src[n:n+rest])
		b.counterWindow(buf[:], buf[:], hi, lo)
		n += copy(dst[n:], buf[:rest])
	}
	return n
}

// counterWindow is XORCounter for at most window batches.
func (b *block) counterWindow(dst, src []byte, hi, lo uint64) {
	var counters, common [2]vector
	next, carry := bits.Add64(lo, 256, 0)
	counters[0] = vector{bits.ReverseBytes64(hi), bits.ReverseBytes64(lo)}
	counters[1] = vector{bits.ReverseBytes64(hi + carry), bits.ReverseBytes64(next)}
	firstRound(&b.schedule, chainTables(), &counters, &common)
	counter64(&b.schedule, vectorTables(), &dst[0], &src[0], len(dst)/batch, &common, lo&255)
}
