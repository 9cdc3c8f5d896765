package streebog

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"propusk/gost/internal/pi"
)

// A block is a number of 512 bits, the least significant byte first: a message
// block, a key or a state. Bytes, not words, because the tables are indexed by
// bytes, and loading one from memory is cheaper than shifting it out.
type block [BlockSize]byte

// word returns the eight bytes of b that start at byte i.
func (b *block) word(i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// setWord sets the eight bytes of b that start at byte i.
func (b *block) setWord(i int, w uint64) { binary.LittleEndian.PutUint64(b[i:], w) }

// xor sets b to the exclusive or of x and y, the transformation X.
func (b *block) xor(x, y *block) {
	for i := 0; i < BlockSize; i += 8 {
		b.setWord(i, x.word(i)^y.word(i))
	}
}

// A table merges the transformations S and L: the entry [j][v] is what a byte v
// at place j of a word of the transposed state contributes to the new word.
type table [8][256]uint64

// Computed when the first hash is made, and read-only from then on: to compute
// 17 KiB is quicker than to load them, and they can be checked by eye.
var (
	buildTables sync.Once
	substitute  table
	roundKeys   [len(iteration)]block
)

func fillTables() {
	for j := range substitute {
		for v := range substitute[j] {
			var word uint64
			for rest := pi.Substitution[v]; rest != 0; rest &= rest - 1 {
				word ^= matrix[63-8*j-bits.TrailingZeros8(rest)]
			}
			substitute[j][v] = word
		}
	}
	for i := range roundKeys {
		for j, word := range iteration[i] {
			roundKeys[i].setWord(BlockSize-8-8*j, word)
		}
	}
}

// compress replaces h with g_N(h, m), the compression function of RFC 6986,
// Section 8.
func compress(h, n, m *block) {
	var k, s, x block
	t := &substitute
	x.xor(h, n)
	t.lps(&k, &x)
	s = *m
	for i := range roundKeys {
		x.xor(&s, &k)
		t.lps(&s, &x)
		x.xor(&k, &roundKeys[i])
		t.lps(&k, &x)
	}
	s.xor(&s, &k)
	h.xor(h, &s)
	h.xor(h, m)
}

// lps sets dst to the substitution, the transposition of the bytes and the
// linear transformation of s (S, P and L in RFC 6986, Section 7): word i of the
// result is made of byte i of every word. The arguments must differ.
//
// It is written out because the compiler neither unrolls the loop nor inlines
// its body, and this is where all the time goes.
func (t *table) lps(dst, s *block) {
	dst.setWord(0, t[0][s[0]]^t[1][s[8]]^t[2][s[16]]^t[3][s[24]]^
		t[4][s[32]]^t[5][s[40]]^t[6][s[48]]^t[7][s[56]])
	dst.setWord(8, t[0][s[1]]^t[1][s[9]]^t[2][s[17]]^t[3][s[25]]^
		t[4][s[33]]^t[5][s[41]]^t[6][s[49]]^t[7][s[57]])
	dst.setWord(16, t[0][s[2]]^t[1][s[10]]^t[2][s[18]]^t[3][s[26]]^
		t[4][s[34]]^t[5][s[42]]^t[6][s[50]]^t[7][s[58]])
	dst.setWord(24, t[0][s[3]]^t[1][s[11]]^t[2][s[19]]^t[3][s[27]]^
		t[4][s[35]]^t[5][s[43]]^t[6][s[51]]^t[7][s[59]])
	dst.setWord(32, t[0][s[4]]^t[1][s[12]]^t[2][s[20]]^t[3][s[28]]^
		t[4][s[36]]^t[5][s[44]]^t[6][s[52]]^t[7][s[60]])
	dst.setWord(40, t[0][s[5]]^t[1][s[13]]^t[2][s[21]]^t[3][s[29]]^
		t[4][s[37]]^t[5][s[45]]^t[6][s[53]]^t[7][s[61]])
	dst.setWord(48, t[0][s[6]]^t[1][s[14]]^t[2][s[22]]^t[3][s[30]]^
		t[4][s[38]]^t[5][s[46]]^t[6][s[54]]^t[7][s[62]])
	dst.setWord(56, t[0][s[7]]^t[1][s[15]]^t[2][s[23]]^t[3][s[31]]^
		t[4][s[39]]^t[5][s[47]]^t[6][s[55]]^t[7][s[63]])
}
