package streebog

import (
	"math/bits"
	"sync"
)

// A block is a number of 512 bits: a message block, a key or a state.
type block [8]uint64

// tables merge the transformations S and L: the entry [j][v] is what a byte v
// at place j of a word of the transposed state contributes to the new word.
var (
	tables      [8][256]uint64
	buildTables sync.Once
)

// fillTables computes tables from the figures of the standard. It runs once,
// when the first hash is made: 16 KiB are faster to compute than to load.
func fillTables() {
	for j := range tables {
		for v := range tables[j] {
			var word uint64
			for rest := pi[v]; rest != 0; rest &= rest - 1 {
				word ^= matrix[63-8*j-bits.TrailingZeros8(rest)]
			}
			tables[j][v] = word
		}
	}
}

// compress replaces h with g_N(h, m), the compression function of RFC 6986,
// Section 8.
func compress(h, n, m *block) {
	var k, s block
	lps(&k, h, n)
	lps(&s, m, &k)
	for i := range 11 {
		lps(&k, &k, &iteration[i])
		lps(&s, &s, &k)
	}
	lps(&k, &k, &iteration[11])
	for i := range h {
		h[i] ^= s[i] ^ k[i] ^ m[i]
	}
}

// lps sets dst to LPSX[x](y), RFC 6986, Section 7: the exclusive or, the
// substitution, the transposition of the bytes and the linear transformation.
// The arguments may be the same.
func lps(dst, x, y *block) {
	t := &tables
	a0, a1, a2, a3 := x[0]^y[0], x[1]^y[1], x[2]^y[2], x[3]^y[3]
	a4, a5, a6, a7 := x[4]^y[4], x[5]^y[5], x[6]^y[6], x[7]^y[7]
	for i := range dst {
		dst[i] = t[0][byte(a0)] ^ t[1][byte(a1)] ^ t[2][byte(a2)] ^ t[3][byte(a3)] ^
			t[4][byte(a4)] ^ t[5][byte(a5)] ^ t[6][byte(a6)] ^ t[7][byte(a7)]
		a0, a1, a2, a3 = a0>>8, a1>>8, a2>>8, a3>>8
		a4, a5, a6, a7 = a4>>8, a5>>8, a6>>8, a7>>8
	}
}
