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
	spread       [4]block                  // [d] takes to the word o the bytes o+d of all words
	matrices     [8][8]uint64              // [d][o] is what byte o+d contributes to byte o, [4+d][o] to byte o+4
	constants    [len(iteration) + 1]block // and zero: no key follows the last round
	transpose    block                     // the order of bytes
}

// vectorTables is computed at first use, and read-only from then on.
var vectorTables = sync.OnceValue(func() *transposed {
	t := new(transposed)
	copy(t.substitution[:], pi.Substitution)
	for i := range t.transpose {
		t.transpose[i] = byte(i%8*8 + i/8)
	}
	for d := range t.spread {
		for i := range t.spread[d] {
			t.spread[d][i] = byte(i%8*8 + (i/8+d)%8)
		}
		for o := range 8 {
			t.matrices[d][o] = matrixOf((o+d)%8, o)
			t.matrices[4+d][o] = matrixOf((o+d)%8, (o+4)%8)
		}
	}
	for i := range roundKeys {
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
