//go:build !purego

package streebog

import (
	"math/bits"
	"sync"

	"propusk/gost/internal/pi"
)

// transposed are the tables of the assembly. A block is transposed when byte o of its
// word i is byte i of its word o.
type transposed struct {
	substitution [256]byte
	matrices     [8][8]uint64 // [j][o] is what byte j of a word contributes to byte o
	spread       [8]block     // [j] takes byte j of every word, eight times over
	constants    [len(iteration)]block
	transpose    block // the order of bytes
}

// vectorTables is computed at first use, and read-only from then on.
var vectorTables = sync.OnceValue(func() *transposed {
	t := new(transposed)
	copy(t.substitution[:], pi.Substitution)
	for i := range t.transpose {
		t.transpose[i] = byte(i%8*8 + i/8)
	}
	for j := range t.spread {
		for i := range t.spread[j] {
			t.spread[j][i] = byte(i%8*8 + j)
		}
		for o := range t.matrices[j] {
			t.matrices[j][o] = matrixOf(j, o)
		}
	}
	for i := range t.constants {
		for at, from := range t.transpose {
			t.constants[i][at] = roundKeys[i][from]
		}
	}
	return t
})

// matrixOf returns the 8x8 bits of the matrix A that say what byte j contributes to
// byte o, as VGF2P8AFFINEQB takes them: bit k of byte 7-i says whether bit k
// contributes to bit i.
func matrixOf(j, o int) (m uint64) {
	for k := range 8 {
		row := matrix[63-8*j-k]
		for column := byte(row >> (8 * o)); column != 0; column &= column - 1 {
			i := bits.TrailingZeros8(column)
			m |= 1 << (8*(7-i) + k)
		}
	}
	return m
}

// compressBlocks is Stage 2 of RFC 6986, Section 8, for count blocks at p, each of
// which adds bits to n.
//
//go:noescape
func compressBlocks(h, n, sigma *block, bits uint64, t *transposed, p *byte, count int)

// vectorBlocks is compressBlocks with the tables.
func vectorBlocks(h, n, sigma *block, bits uint64, p []byte) {
	compressBlocks(h, n, sigma, bits, vectorTables(), &p[0], len(p)/BlockSize)
}
