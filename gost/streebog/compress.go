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
	firstKeys   [2]keySchedule // of a first block, for 256 and for 512 bits: the same for all messages
)

// A keySchedule is the keys K_1, ..., K_13 of one compression.
type keySchedule [len(iteration) + 1]block

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
	for i, h := range []*block{&initial256, &initial512} {
		keys, n := &firstKeys[i], new(block)
		substitute.lps(&keys[0], h, n)
		for j := range roundKeys {
			substitute.lps(&keys[j+1], &keys[j], &roundKeys[j])
		}
	}
}

// compress replaces h with g_N(h, m), the compression function of RFC 6986,
// Section 8.
func compress(h, n, m *block) {
	var k [2]block
	t := &substitute
	t.lps(&k[0], h, n)
	s := *m
	for i := range roundKeys {
		// The next key first: so nothing waits for what was calculated last.
		key, next := &k[i&1], &k[i&1^1]
		t.lps(next, key, &roundKeys[i])
		t.lps(&s, &s, key)
	}
	s.xor(&s, &k[0])
	h.xor(h, &s)
	h.xor(h, m)
}

// compressFirst is compress for a first block, whose keys are known.
func compressFirst(h *block, keys *keySchedule, m *block) {
	s := *m
	for i := range roundKeys {
		substitute.lps(&s, &s, &keys[i])
	}
	s.xor(&s, &keys[len(roundKeys)])
	h.xor(h, &s)
	h.xor(h, m)
}

// lps sets dst to the substitution, the transposition of the bytes and the
// linear transformation of the sum of a and b (X, S, P and L in RFC 6986, Section 7): word
// i of the result is made of byte i of every word.
//
// Half of the bytes come out of registers and half from memory, because this is where
// all the time goes, and the processor can do both at once. The arguments may be the same.
func (t *table) lps(dst, a, b *block) {
	x0, x1, x2, x3 := a.word(0)^b.word(0), a.word(8)^b.word(8), a.word(16)^b.word(16), a.word(24)^b.word(24)
	x4, x5, x6, x7 := a.word(32)^b.word(32), a.word(40)^b.word(40), a.word(48)^b.word(48), a.word(56)^b.word(56)
	var x block
	x.setWord(0, x0)
	x.setWord(8, x1)
	x.setWord(16, x2)
	x.setWord(24, x3)
	x.setWord(32, x4)
	x.setWord(40, x5)
	x.setWord(48, x6)
	x.setWord(56, x7)
	for i := 0; i < 8; i += 2 {
		dst.setWord(8*i, t[0][byte(x0)]^t[1][byte(x1)]^t[2][byte(x2)]^t[3][byte(x3)]^
			t[4][byte(x4)]^t[5][byte(x5)]^t[6][byte(x6)]^t[7][byte(x7)])
		dst.setWord(8*i+8, t[0][x[i+1]]^t[1][x[i+9]]^t[2][x[i+17]]^t[3][x[i+25]]^
			t[4][x[i+33]]^t[5][x[i+41]]^t[6][x[i+49]]^t[7][x[i+57]])
		x0, x1, x2, x3 = x0>>16, x1>>16, x2>>16, x3>>16
		x4, x5, x6, x7 = x4>>16, x5>>16, x6>>16, x7>>16
	}
}
