// Package kuznyechik implements the Kuznyechik block cipher of GOST R 34.12-2015
// (RFC 7801): 128-bit blocks, 256-bit keys, nine rounds and a final key.
//
// On an amd64 processor with AVX-512, VBMI and GFNI everything but Decrypt runs in
// constant time, without tables in memory. Decrypt, and everything elsewhere or with
// the build tag purego, merges the substitution and the linear transformation into
// tables, so timing depends on the data and the key through the cache. What must stay
// secret for years belongs inside a token.
package kuznyechik

import (
	"crypto/cipher"
	"encoding/binary"
	"strconv"
	"sync/atomic"

	"propusk/gost/internal/avx512"
)

// Sizes in bytes.
const (
	BlockSize = 16
	KeySize   = 32
)

// KeySizeError is the length, in bytes, of a key that is not KeySize bytes long.
type KeySizeError int

// Error implements error.
func (e KeySizeError) Error() string {
	return "kuznyechik: invalid key size " + strconv.Itoa(int(e))
}

const rounds = 10 // round keys; the last one is only added

// A schedule is the round keys of encryption.
type schedule struct {
	enc [rounds]vector

	// fed are the keys but the first in the form in which the assembly for many blocks
	// adds them, where there is one: byte by byte, while L makes its bytes out of each
	// other.
	fed [rounds]vector
}

// block is a cipher with its key schedule.
type block struct {
	schedule
	dec atomic.Pointer[[rounds]vector] // made by the first Decrypt: most modes never decrypt
}

// New returns a cipher.Block for the given key, which must be KeySize bytes in
// the order of RFC 7801, Section 5.4. The key is copied. The block can be used
// by several goroutines at once; it panics, like crypto/aes, when it is given
// less than BlockSize bytes, and src and dst may be the same.
//
// The only possible error is [KeySizeError].
func New(key []byte) (cipher.Block, error) {
	if len(key) != KeySize {
		return nil, KeySizeError(len(key))
	}
	buildTables.Do(fillTables)
	b := new(block)
	if avx512.Enabled {
		b.expandVector(load(key), load(key[BlockSize:]))
	} else {
		b.expand(load(key), load(key[BlockSize:]))
		b.feed()
	}
	return b, nil
}

// expand implements RFC 7801, Section 4.4.
func (b *block) expand(k1, k2 vector) {
	b.enc[0], b.enc[1] = k1, k2
	for i := 2; i < rounds; i += 2 {
		for _, c := range constants[4*(i-2) : 4*(i-2)+8] {
			k1, k2 = k1.xor(c).ls().xor(k2), k1
		}
		b.enc[i], b.enc[i+1] = k1, k2
	}
}

// decryptionKeys returns the keys of Decrypt: those of Encrypt after the inverse of L,
// so that one table lookup serves a round.
func (b *block) decryptionKeys() *[rounds]vector {
	if dec := b.dec.Load(); dec != nil {
		return dec
	}
	dec := new([rounds]vector)
	dec[0] = b.enc[0]
	for i := 1; i < rounds; i++ {
		dec[i] = b.enc[i].substitute().inverseSL()
	}
	b.dec.Store(dec) // two goroutines may both do it: the keys are the same
	return dec
}

// BlockSize implements cipher.Block.
func (b *block) BlockSize() int { return BlockSize }

// Encrypt implements cipher.Block and RFC 7801, Section 4.5.1.
func (b *block) Encrypt(dst, src []byte) {
	check(dst, src)
	if avx512.Enabled {
		var state [BlockSize]byte
		b.chainVector(state[:], src[:BlockSize])
		copy(dst, state[:])
		return
	}
	b.encrypt(load(src)).store(dst)
}

func (b *block) encrypt(x vector) vector {
	for i := range rounds - 1 {
		x = x.xor(b.enc[i]).ls()
	}
	return x.xor(b.enc[rounds-1])
}

// EncryptBlocks encrypts the whole blocks of src, each on its own, into dst,
// which must be as long. It is what modes of operation can do faster than block
// by block.
func (b *block) EncryptBlocks(dst, src []byte) {
	if avx512.Enabled {
		n := b.encryptVector(dst, src)
		dst, src = dst[n:], src[n:]
	}
	for len(src) >= BlockSize {
		b.Encrypt(dst, src)
		dst, src = dst[BlockSize:], src[BlockSize:]
	}
}

// XORCounter sets dst to src plus the encryption of the counter, whose words are hi
// and lo, of the counter plus one, and so on, a block each. It stops where block by
// block is as good, and returns how many bytes it did, which are whole blocks. Dst
// must be as long as src and be the same or not overlap.
func (b *block) XORCounter(dst, src []byte, hi, lo uint64) int {
	if !avx512.Enabled {
		return 0
	}
	return b.counterVector(dst, src, hi, lo)
}

// Chain replaces state, for each whole block of p in turn, with the encryption of the sum
// of both. It is what OMAC does with all blocks but the last.
func (b *block) Chain(state, p []byte) {
	if avx512.Enabled {
		b.chainVector(state, p)
		return
	}
	x := load(state)
	for ; len(p) >= BlockSize; p = p[BlockSize:] {
		x = b.encrypt(x.xor(load(p)))
	}
	x.store(state)
}

// Chains is [block.Chain] for several chains at once, which is quicker than one after the
// other: it replaces the i-th block of states, for each block of ps[i] in turn, with the
// encryption of the sum of both. All ps must be equally long, whole blocks. OMAC of
// several messages does it.
func (b *block) Chains(states []byte, ps [][]byte) {
	for _, p := range ps {
		if len(p) != len(ps[0]) {
			panic("kuznyechik: chains of different lengths")
		}
	}
	if len(states) < len(ps)*BlockSize {
		panic("kuznyechik: too few states")
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

// Decrypt implements cipher.Block and RFC 7801, Section 4.5.2. The inverse of L
// is linear, so it may go before the key is added if it went over the key too.
func (b *block) Decrypt(dst, src []byte) {
	check(dst, src)
	dec := b.decryptionKeys()
	x := load(src).substitute().inverseSL()
	for i := rounds - 1; i > 1; i-- {
		x = x.xor(dec[i]).inverseSL()
	}
	x.xor(dec[1]).inverseSubstitute().xor(dec[0]).store(dst)
}

func check(dst, src []byte) {
	if len(src) < BlockSize {
		panic("kuznyechik: input not full block")
	}
	if len(dst) < BlockSize {
		panic("kuznyechik: output not full block")
	}
}

// A vector is a block as two words. The first byte of the block, the most
// significant one of the standard, is the lowest byte of the first word.
type vector struct{ a, b uint64 }

func load(src []byte) vector {
	return vector{binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])}
}

func (x vector) store(dst []byte) {
	_ = dst[BlockSize-1]
	binary.LittleEndian.PutUint64(dst, x.a)
	binary.LittleEndian.PutUint64(dst[8:], x.b)
}

func (x vector) xor(y vector) vector { return vector{x.a ^ y.a, x.b ^ y.b} }
