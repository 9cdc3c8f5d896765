// Package gost28147 implements the GOST 28147-89 block cipher (RFC 5830): 64-bit
// blocks, 256-bit keys, 32 Feistel rounds, and substitutions to choose from; its
// counter mode and its message authentication code, with the key meshing of CryptoPro
// or without (RFC 4357). It exists for archives, whose digests are made with it
// (package gostr341194), and for old peers of TLS; for new data there is Magma, the
// same cipher with one set of substitutions and the other order of bytes.
//
// On an amd64 processor with AVX-512, VBMI and GFNI everything runs in constant time,
// without tables in memory. Elsewhere, and with the build tag purego, the substitutions
// are merged into four 256-entry tables, so timing depends on the data and the key
// through the cache.
package gost28147

import (
	"crypto/cipher"
	"encoding/binary"
	"strconv"

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
	return "gost28147: invalid key size " + strconv.Itoa(int(e))
}

// A Key is the key words K_0, ..., K_7 of RFC 5830, Section 4.
type Key [8]uint32

type block struct {
	key  Key
	sbox *SBox
}

// New returns a cipher.Block for the given key, which must be KeySize bytes of
// little-endian words, and the given substitutions. The key is copied. The block
// can be used by several goroutines at once; it panics, like crypto/aes, when it
// is given less than BlockSize bytes, and src and dst may be the same.
//
// The only possible error is [KeySizeError].
func New(key []byte, s *SBox) (cipher.Block, error) {
	if len(key) != KeySize {
		return nil, KeySizeError(len(key))
	}
	b := &block{sbox: s}
	for i := range b.key {
		b.key[i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	return b, nil
}

// BlockSize implements cipher.Block.
func (b *block) BlockSize() int { return BlockSize }

// Encrypt implements cipher.Block and RFC 5830, Section 5.1.
func (b *block) Encrypt(dst, src []byte) {
	check(dst, src)
	binary.LittleEndian.PutUint64(dst, encrypt(b.sbox, &b.key, binary.LittleEndian.Uint64(src)))
}

// Decrypt implements cipher.Block and RFC 5830, Section 5.2.
func (b *block) Decrypt(dst, src []byte) {
	check(dst, src)
	binary.LittleEndian.PutUint64(dst, decrypt(b.sbox, &b.key, binary.LittleEndian.Uint64(src)))
}

// FourKeys are the keys of four blocks: FourKeys[i][j] is word K_i of the key of block j.
type FourKeys [8][4]uint32

// EncryptFour encrypts four blocks, as little-endian numbers, each with a key of its
// own. It is for GOST R 34.11-94, which takes four new keys for every step. No block
// waits for another, so that four take little longer than one.
func (s *SBox) EncryptFour(keys *FourKeys, blocks *[4]uint64) {
	if avx512.Enabled {
		s.encryptFourVector(keys, blocks)
		return
	}
	t := s.tables()
	a1, a2 := uint32(blocks[0]), uint32(blocks[0]>>32)
	b1, b2 := uint32(blocks[1]), uint32(blocks[1]>>32)
	c1, c2 := uint32(blocks[2]), uint32(blocks[2]>>32)
	d1, d2 := uint32(blocks[3]), uint32(blocks[3]>>32)
	for range 3 {
		for i := 0; i < 8; i += 2 {
			k := &keys[i]
			a2 ^= round(t, a1+k[0])
			b2 ^= round(t, b1+k[1])
			c2 ^= round(t, c1+k[2])
			d2 ^= round(t, d1+k[3])
			k = &keys[i+1]
			a1 ^= round(t, a2+k[0])
			b1 ^= round(t, b2+k[1])
			c1 ^= round(t, c2+k[2])
			d1 ^= round(t, d2+k[3])
		}
	}
	for i := 6; i >= 0; i -= 2 {
		k := &keys[i+1]
		a2 ^= round(t, a1+k[0])
		b2 ^= round(t, b1+k[1])
		c2 ^= round(t, c1+k[2])
		d2 ^= round(t, d1+k[3])
		k = &keys[i]
		a1 ^= round(t, a2+k[0])
		b1 ^= round(t, b2+k[1])
		c1 ^= round(t, c2+k[2])
		d1 ^= round(t, d2+k[3])
	}
	// The last round does not swap.
	blocks[0] = uint64(a1)<<32 | uint64(a2)
	blocks[1] = uint64(b1)<<32 | uint64(b2)
	blocks[2] = uint64(c1)<<32 | uint64(c2)
	blocks[3] = uint64(d1)<<32 | uint64(d2)
}

// An order is the key words in the order in which the rounds take them.
type order [32]uint32

// encryption is forward three times, then backward once.
func (k *Key) encryption() (o order) {
	for i, word := range k {
		o[i], o[8+i], o[16+i], o[31-i] = word, word, word, word
	}
	return o
}

// decryption is that of encryption, reversed.
func (k *Key) decryption() (o order) {
	for i, word := range k {
		o[i], o[15-i], o[23-i], o[31-i] = word, word, word, word
	}
	return o
}

func encrypt(s *SBox, key *Key, word uint64) uint64 {
	if avx512.Enabled {
		o := key.encryption()
		return s.cryptVector(&o, word)
	}
	t := s.tables()
	n1, n2 := uint32(word), uint32(word>>32)
	for range 3 {
		for i := 0; i < 8; i += 2 {
			n2 ^= round(t, n1+key[i])
			n1 ^= round(t, n2+key[i+1])
		}
	}
	for i := 6; i >= 0; i -= 2 {
		n2 ^= round(t, n1+key[i+1])
		n1 ^= round(t, n2+key[i])
	}
	return uint64(n1)<<32 | uint64(n2) // the last round does not swap
}

func decrypt(s *SBox, key *Key, word uint64) uint64 {
	if avx512.Enabled {
		o := key.decryption()
		return s.cryptVector(&o, word)
	}
	t := s.tables()
	n1, n2 := uint32(word), uint32(word>>32)
	for i := 0; i < 8; i += 2 {
		n2 ^= round(t, n1+key[i])
		n1 ^= round(t, n2+key[i+1])
	}
	for range 3 {
		for i := 6; i >= 0; i -= 2 {
			n2 ^= round(t, n1+key[i+1])
			n1 ^= round(t, n2+key[i])
		}
	}
	return uint64(n1)<<32 | uint64(n2)
}

// round makes eight substitutions in the sum of half a block and a key word, and
// rotates by 11 bits.
func round(t *[4][256]uint32, x uint32) uint32 {
	return t[0][byte(x)] ^ t[1][byte(x>>8)] ^ t[2][byte(x>>16)] ^ t[3][x>>24]
}

func check(dst, src []byte) {
	if len(src) < BlockSize {
		panic("gost28147: input not full block")
	}
	if len(dst) < BlockSize {
		panic("gost28147: output not full block")
	}
}
