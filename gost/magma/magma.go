// Package magma implements the Magma block cipher of GOST R 34.12-2015
// (RFC 8891): 64-bit blocks, 256-bit keys, 32 Feistel rounds.
//
// Magma is GOST 28147-89 with fixed S-boxes and big-endian words. Old CryptoPro
// S-boxes are not here on purpose; see package gost28147.
//
// On an amd64 processor with AVX-512, VBMI and GFNI everything runs in constant time,
// without tables in memory. Elsewhere, and with the build tag purego, the S-boxes are
// merged into four 256-entry tables, so timing depends on the data and the key through
// the cache. What must stay secret for years belongs inside a token.
package magma

import (
	"crypto/cipher"
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"sync"

	"propusk/gost/internal/avx512"
)

// Sizes in bytes.
const (
	BlockSize = 8
	KeySize   = 32
)

// KeySizeError is the length, in bytes, of a key that is not KeySize bytes long.
type KeySizeError int

// Error implements error.
func (e KeySizeError) Error() string {
	return "magma: invalid key size " + strconv.Itoa(int(e))
}

const rounds = 32

// block is a key: the words of RFC 8891, Section 4.3, in the order in which the
// rounds of encryption take them, forward three times, then backward once.
type block [rounds]uint32

// New returns a cipher.Block for the given key, which must be KeySize bytes of
// big-endian words as in RFC 8891, Section 4.3. The key is copied. The block can
// be used by several goroutines at once; it panics, like crypto/aes, when it is
// given less than BlockSize bytes, and src and dst may be the same.
//
// The only possible error is [KeySizeError].
func New(key []byte) (cipher.Block, error) {
	if len(key) != KeySize {
		return nil, KeySizeError(len(key))
	}
	buildTables.Do(fillTables)
	b := new(block)
	for i := range 8 {
		k := binary.BigEndian.Uint32(key[4*i:])
		b[i], b[8+i], b[16+i], b[31-i] = k, k, k, k
	}
	return b, nil
}

// BlockSize implements cipher.Block.
func (b *block) BlockSize() int { return BlockSize }

// Encrypt implements cipher.Block and RFC 8891, Section 5.1.
func (b *block) Encrypt(dst, src []byte) {
	check(dst, src)
	if avx512.Enabled {
		var state [BlockSize]byte
		b.chainVector(state[:], src[:BlockSize])
		copy(dst, state[:])
		return
	}
	l, r := load(src)
	l, r = b.encrypt(l, r)
	store(dst, l, r)
}

func (b *block) encrypt(l, r uint32) (uint32, uint32) {
	for i := 0; i < rounds; i += 2 {
		l = round(l, r+b[i])
		r = round(r, l+b[i+1])
	}
	return r, l // the last round does not swap
}

// Chain replaces state, for each whole block of p in turn, with the encryption of the sum
// of both. It is what OMAC does with all blocks but the last.
func (b *block) Chain(state, p []byte) {
	if avx512.Enabled {
		b.chainVector(state, p)
		return
	}
	l, r := load(state)
	for ; len(p) >= BlockSize; p = p[BlockSize:] {
		pl, pr := load(p)
		l, r = b.encrypt(l^pl, r^pr)
	}
	store(state, l, r)
}

// Chains is [block.Chain] for several chains at once, which is quicker than one after the
// other: it replaces the i-th block of states, for each block of ps[i] in turn, with the
// encryption of the sum of both. All ps must be equally long, whole blocks. OMAC of
// several messages does it.
func (b *block) Chains(states []byte, ps [][]byte) {
	for _, p := range ps {
		if len(p) != len(ps[0]) {
			panic("magma: chains of different lengths")
		}
	}
	if len(states) < len(ps)*BlockSize {
		panic("magma: too few states")
	}
	if len(ps) == 0 || len(ps[0]) < BlockSize {
		return
	}
	if avx512.Enabled && len(ps) > 1 {
		b.chainsVector(states, ps)
		return
	}
	for i, p := range ps {
		b.Chain(states[i*BlockSize:][:BlockSize], p)
	}
}

// Decrypt implements cipher.Block and RFC 8891, Section 5.2: the order of the
// key words is that of Encrypt, reversed.
func (b *block) Decrypt(dst, src []byte) {
	check(dst, src)
	if avx512.Enabled {
		reversed := *b
		slices.Reverse(reversed[:])
		reversed.Encrypt(dst, src)
		return
	}
	l, r := load(src)
	for i := rounds - 1; i > 0; i -= 2 {
		l = round(l, r+b[i])
		r = round(r, l+b[i-1])
	}
	store(dst, r, l)
}

// EncryptBlocks encrypts the whole blocks of src, each on its own, into dst,
// which must be as long. It is what modes of operation can do faster than block
// by block: a round of Magma waits for the one before, so four blocks take
// little longer than one.
func (b *block) EncryptBlocks(dst, src []byte) {
	if avx512.Enabled {
		n := b.encryptVector(dst, src)
		dst, src = dst[n:], src[n:]
	}
	for len(src) >= 4*BlockSize {
		b.encrypt4(dst, src)
		dst, src = dst[4*BlockSize:], src[4*BlockSize:]
	}
	for len(src) >= BlockSize {
		b.Encrypt(dst, src)
		dst, src = dst[BlockSize:], src[BlockSize:]
	}
}

// encrypt4 is Encrypt for four blocks.
func (b *block) encrypt4(dst, src []byte) {
	l0, r0 := load(src)
	l1, r1 := load(src[BlockSize:])
	l2, r2 := load(src[2*BlockSize:])
	l3, r3 := load(src[3*BlockSize:])
	for i := 0; i < rounds; i += 2 {
		k := b[i]
		l0, l1, l2, l3 = round(l0, r0+k), round(l1, r1+k), round(l2, r2+k), round(l3, r3+k)
		k = b[i+1]
		r0, r1, r2, r3 = round(r0, l0+k), round(r1, l1+k), round(r2, l2+k), round(r3, l3+k)
	}
	store(dst, r0, l0)
	store(dst[BlockSize:], r1, l1)
	store(dst[2*BlockSize:], r2, l2)
	store(dst[3*BlockSize:], r3, l3)
}

// XORCounter sets dst to src plus the encryption of lo, lo+1, and so on, as numbers
// of a block each; hi is for ciphers with longer blocks. It stops where block by
// block is as good, and returns how many bytes it did, which are whole blocks. Dst
// must be as long as src and be the same or not overlap.
func (b *block) XORCounter(dst, src []byte, _, lo uint64) int {
	if !avx512.Enabled {
		return 0
	}
	return b.counterVector(dst, src, lo)
}

func check(dst, src []byte) {
	if len(src) < BlockSize {
		panic("magma: input not full block")
	}
	if len(dst) < BlockSize {
		panic("magma: output not full block")
	}
}

func load(src []byte) (l, r uint32) {
	x := binary.BigEndian.Uint64(src)
	return uint32(x >> 32), uint32(x)
}

func store(dst []byte, l, r uint32) {
	binary.BigEndian.PutUint64(dst, uint64(l)<<32|uint64(r))
}

// substitutions holds Pi'_0, ..., Pi'_7 of RFC 8891, Section 4.1.
var substitutions = [8][16]byte{
	{12, 4, 6, 2, 10, 5, 11, 9, 14, 8, 13, 7, 0, 3, 15, 1},
	{6, 8, 2, 3, 9, 10, 5, 12, 1, 14, 4, 7, 11, 13, 0, 15},
	{11, 3, 5, 8, 2, 15, 10, 13, 14, 1, 7, 4, 12, 9, 6, 0},
	{12, 8, 2, 1, 13, 4, 15, 6, 7, 0, 10, 5, 3, 14, 9, 11},
	{7, 15, 5, 10, 8, 1, 6, 13, 0, 9, 3, 14, 11, 4, 2, 12},
	{5, 13, 15, 6, 9, 2, 12, 10, 11, 7, 8, 1, 4, 3, 14, 0},
	{8, 14, 2, 5, 6, 9, 1, 12, 15, 4, 11, 0, 13, 10, 3, 7},
	{1, 7, 14, 13, 0, 5, 8, 3, 4, 15, 10, 6, 9, 12, 11, 2},
}

// Computed when the first cipher is made, and read-only from then on: the entry
// [i][v] is what byte i of the sum contributes to the result of g.
var (
	buildTables sync.Once
	merged      [4][256]uint32
)

func fillTables() {
	for i := range merged {
		low, high := substitutions[2*i], substitutions[2*i+1]
		for v := range merged[i] {
			pair := uint32(high[v>>4]<<4 | low[v&15])
			merged[i][v] = bits.RotateLeft32(pair<<(8*i), 11)
		}
	}
}

// round returns the sum of y and the transformation g of RFC 8891, Section 4.2: eight
// substitutions of x, the sum of the other half block and the key, and a rotation by
// 11 bits. OMAC waits for every round, so the order matters: the outer bytes of x
// are taken out sooner than the inner ones, and the compiler keeps sums as they are.
func round(y, x uint32) uint32 {
	return (y ^ merged[0][byte(x)] ^ merged[3][x>>24]) ^ (merged[1][byte(x>>8)] ^ merged[2][byte(x>>16)])
}
