// Package gostr341194 implements the hash function GOST R 34.11-94 (RFC 5831). It
// was withdrawn in 2013 and is broken in theory; it exists to verify certificates
// and signatures of that time, and must not be used for anything new.
//
// Digests are in software order, those of "openssl dgst -md_gost94": the reverse
// of the figures in the RFC. Where package gost28147 has no assembly, timing depends on
// the data through the cache.
package gostr341194

import (
	"encoding/binary"
	"hash"
	"math/bits"

	"propusk/gost/gost28147"
)

// Sizes in bytes.
const (
	Size      = 32
	BlockSize = 32
)

// words is a number of 256 bits, the least significant word first.
type words [4]uint64

// digest is the state of RFC 5831, Section 6.
type digest struct {
	sbox   *gost28147.SBox
	h      words
	sigma  words  // sum of the message blocks
	length uint64 // of the message so far, in bytes
	tail   [BlockSize]byte
	used   int // bytes of tail that wait for a full block, less than BlockSize
}

// New returns the hash with the parameters that CryptoPro chose and all
// certificates use, id-GostR3411-94-CryptoProParamSet (RFC 4357, Section 11.2). It
// implements [hash.Cloner]. One hash must not be used by several goroutines at
// once.
func New() hash.Hash {
	return &digest{sbox: gost28147.DigestCryptoPro()}
}

// Reset implements hash.Hash.
func (d *digest) Reset() { *d = digest{sbox: d.sbox} }

// Size implements hash.Hash.
func (d *digest) Size() int { return Size }

// BlockSize implements hash.Hash.
func (d *digest) BlockSize() int { return BlockSize }

// Clone implements hash.Cloner. The error is always nil.
func (d *digest) Clone() (hash.Cloner, error) {
	c := *d
	return &c, nil
}

// Write implements hash.Hash. The error is always nil.
func (d *digest) Write(p []byte) (int, error) {
	written := len(p)
	d.length += uint64(written)
	if d.used > 0 {
		n := copy(d.tail[d.used:], p)
		d.used += n
		p = p[n:]
		if d.used < BlockSize {
			return written, nil
		}
		d.block(load(&d.tail))
		d.used = 0
	}
	for len(p) >= BlockSize {
		d.block(load((*[BlockSize]byte)(p)))
		p = p[BlockSize:]
	}
	d.used = copy(d.tail[:], p)
	return written, nil
}

// block implements RFC 5831, Section 6, step 3.
func (d *digest) block(m words) {
	d.h = d.step(m)
	d.sigma.add(m)
}

// Sum implements hash.Hash: it leaves the state alone, so that writing can go on.
// It is step 2 of RFC 5831, Section 6, except that no block is mixed in for a
// message of no bytes: see DIVERGENCES.md.
func (d *digest) Sum(in []byte) []byte {
	c := *d
	if c.used > 0 {
		clear(c.tail[c.used:])
		c.block(load(&c.tail))
	}
	high, low := bits.Mul64(c.length, 8)
	c.h = c.step(words{low, high})
	c.h = c.step(c.sigma)
	for _, w := range c.h {
		in = binary.LittleEndian.AppendUint64(in, w)
	}
	return in
}

func load(p *[BlockSize]byte) (m words) {
	for i := range m {
		m[i] = binary.LittleEndian.Uint64(p[8*i:])
	}
	return m
}

// add adds x modulo 2^256.
func (w *words) add(x words) {
	var carry uint64
	for i := range w {
		w[i], carry = bits.Add64(w[i], x[i], carry)
	}
}

func (w words) xor(x words) words {
	for i := range w {
		w[i] ^= x[i]
	}
	return w
}

// step returns chi(m, h), the step-by-step hash function of RFC 5831, Section 5.
func (d *digest) step(m words) words {
	keys := generateKeys(d.h, m)
	var s words
	for i := range s {
		s[i] = d.sbox.EncryptWord(&keys[i], d.h[i])
	}
	return s.mix(12).xor(m).mix(1).xor(d.h).mix(61)
}

// generateKeys implements RFC 5831, Section 5.1.
func generateKeys(u, v words) (keys [4]gost28147.Key) {
	c3 := words{0xff00ff00ff00ff00, 0x00ff00ff00ff00ff, 0xff0000ff00ffff00, 0xff00ffff000000ff}
	keys[0] = u.xor(v).permute()
	for i := 1; i < len(keys); i++ {
		u, v = u.a(), v.a().a()
		if i == 2 {
			u = u.xor(c3) // C[3]; the others are zero
		}
		keys[i] = u.xor(v).permute()
	}
	return keys
}

// a is the transformation A of RFC 5831, Section 5.1.
func (w words) a() words { return words{w[1], w[2], w[3], w[0] ^ w[1]} }

// permute is the transformation P of RFC 5831, Section 5.1, and returns its result
// as a key: byte k of every word makes key word k.
func (w words) permute() (key gost28147.Key) {
	for k := range key {
		for i, word := range w {
			key[k] |= uint32(byte(word>>(8*k))) << (8 * i)
		}
	}
	return key
}

// mix applies the transformation PSI of RFC 5831, Section 5.3, n times. Instead of
// moving sixteen parts of 16 bits along, it moves the place where they begin.
func (w words) mix(n int) words {
	var y [16]uint16
	for i := range y {
		y[i] = uint16(w[i/4] >> (16 * (i % 4)))
	}
	for i := range n {
		y[i&15] ^= y[(i+1)&15] ^ y[(i+2)&15] ^ y[(i+3)&15] ^ y[(i+12)&15] ^ y[(i+15)&15]
	}
	w = words{}
	for i := range y {
		w[i/4] |= uint64(y[(n+i)&15]) << (16 * (i % 4))
	}
	return w
}
