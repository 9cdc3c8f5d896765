// Package gostr341194 implements the hash function GOST R 34.11-94 (RFC 5831). It
// was withdrawn in 2013 and is broken in theory; it exists to verify certificates
// and signatures of that time, and must not be used for anything new.
//
// Digests are in software order, those of "openssl dgst -md_gost94": the reverse
// of the figures in the RFC. Where package gost28147 has no assembly, timing depends on
// the data through the cache, which gives nothing away: what is verified is public.
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
		m := load(&d.tail)
		d.block(&m)
		d.used = 0
	}
	for len(p) >= BlockSize {
		m := load((*[BlockSize]byte)(p))
		d.block(&m)
		p = p[BlockSize:]
	}
	d.used = copy(d.tail[:], p)
	return written, nil
}

// block implements RFC 5831, Section 6, step 3.
func (d *digest) block(m *words) {
	d.step(m)
	d.sigma.add(m)
}

// Sum implements hash.Hash: it leaves the state alone, so that writing can go on.
// It is step 2 of RFC 5831, Section 6, except that no block is mixed in for a
// message of no bytes: see DIVERGENCES.md.
func (d *digest) Sum(in []byte) []byte {
	c := *d
	if c.used > 0 {
		clear(c.tail[c.used:])
		m := load(&c.tail)
		c.block(&m)
	}
	high, low := bits.Mul64(c.length, 8)
	c.step(&words{low, high})
	c.step(&c.sigma)
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
func (w *words) add(x *words) {
	var carry uint64
	for i := range w {
		w[i], carry = bits.Add64(w[i], x[i], carry)
	}
}

// step makes of h chi(m, h), the step-by-step hash function of RFC 5831, Section 5.
func (d *digest) step(m *words) {
	var keys gost28147.FourKeys
	h := &d.h
	generateKeys(&keys, h, m)
	s := *h
	d.sbox.EncryptFour(&keys, (*[4]uint64)(&s))
	w0, w1, w2, w3 := mix12(s[0], s[1], s[2], s[3])
	w0, w1, w2, w3 = mix1(w0^m[0], w1^m[1], w2^m[2], w3^m[3])
	h[0], h[1], h[2], h[3] = mix61(w0^h[0], w1^h[1], w2^h[2], w3^h[3])
}

// generateKeys implements RFC 5831, Section 5.1. What follows from the transformations A
// of u and v is written out: A moves the words down and puts the sum of the two
// lowest at the top.
func generateKeys(keys *gost28147.FourKeys, u, v *words) {
	u0, u1, u2, u3 := u[0], u[1], u[2], u[3]
	v0, v1, v2, v3 := v[0], v[1], v[2], v[3]
	permute(keys, 0, u0^v0, u1^v1, u2^v2, u3^v3)
	u0, u1, u2, u3 = u1, u2, u3, u0^u1
	v0, v1, v2, v3 = v2, v3, v0^v1, v1^v2
	permute(keys, 1, u0^v0, u1^v1, u2^v2, u3^v3)
	// C[3]; the others are zero.
	u0, u1, u2, u3 = u1^0xff00ff00ff00ff00, u2^0x00ff00ff00ff00ff, u3^0xff0000ff00ffff00, u0^u1^0xff00ffff000000ff
	v0, v1, v2, v3 = v2, v3, v0^v1, v1^v2
	permute(keys, 2, u0^v0, u1^v1, u2^v2, u3^v3)
	u0, u1, u2, u3 = u1, u2, u3, u0^u1
	v0, v1, v2, v3 = v2, v3, v0^v1, v1^v2
	permute(keys, 3, u0^v0, u1^v1, u2^v2, u3^v3)
}

// permute is the transformation P of RFC 5831, Section 5.1: byte k of every word makes
// word k of the key of block j. The bytes are exchanged in pairs of words, then the
// pairs of bytes.
func permute(keys *gost28147.FourKeys, j int, w0, w1, w2, w3 uint64) {
	const (
		bytes = 0x00ff00ff00ff00ff
		pairs = 0x0000ffff0000ffff
	)
	w0, w1 = w0&bytes|w1&bytes<<8, w0>>8&bytes|w1&^bytes
	w2, w3 = w2&bytes|w3&bytes<<8, w2>>8&bytes|w3&^bytes
	w0, w2 = w0&pairs|w2&pairs<<16, w0>>16&pairs|w2&^pairs
	w1, w3 = w1&pairs|w3&pairs<<16, w1>>16&pairs|w3&^pairs
	j &= 3
	keys[0][j], keys[4][j] = uint32(w0), uint32(w0>>32)
	keys[1][j], keys[5][j] = uint32(w1), uint32(w1>>32)
	keys[2][j], keys[6][j] = uint32(w2), uint32(w2>>32)
	keys[3][j], keys[7][j] = uint32(w3), uint32(w3>>32)
}

// The transformation PSI of RFC 5831, Section 5.3, is a shift register of sixteen parts of
// 16 bits, y_0 the lowest: all move down by one place, and
//
//	y_16 = y_0 ^ y_1 ^ y_2 ^ y_3 ^ y_12 ^ y_15
//
// comes in at the top. A word holds four parts, and four steps are one operation on words,
// since y_15 is the only one of the sum that the step before may have made.

// four returns the four parts that come after w0, ..., w3 (w2 is not needed): all that is
// known beforehand, then the running sum of it from y_15 on.
func four(w0, w1, w3 uint64) uint64 {
	x := w0 ^ w0>>16
	x ^= x >> 32
	y := w1 ^ w1<<16
	x ^= y<<16 ^ w1<<48 ^ w3
	x ^= x << 16
	x ^= x << 32
	return x ^ w3>>48*0x0001000100010001
}

// mix12 applies PSI 12 times.
func mix12(w0, w1, w2, w3 uint64) (_, _, _, _ uint64) {
	w4 := four(w0, w1, w3)
	w5 := four(w1, w2, w4)
	return w3, w4, w5, four(w2, w3, w5)
}

// mix1 applies PSI once.
func mix1(w0, w1, w2, w3 uint64) (_, _, _, _ uint64) {
	x := w0 ^ w0>>16
	x ^= x >> 32
	x ^= w3 ^ w3>>48
	return w0>>16 | w1<<48, w1>>16 | w2<<48, w2>>16 | w3<<48, w3>>16 | x<<48
}

// mix61 applies PSI 61 times. As powers of X modulo X^16+X^15+X^12+X^3+X^2+X+1, which is
// what PSI is,
//
//	X^61 = X^20 + X^11 + X^10 + X^5
//
// so that it is enough to know the parts that the first 20 times bring, and to add what
// there is after 20, 11, 10 and 5.
func mix61(w0, w1, w2, w3 uint64) (_, _, _, _ uint64) {
	w4 := four(w0, w1, w3)
	w5 := four(w1, w2, w4)
	w6 := four(w2, w3, w5)
	w7 := four(w3, w4, w6)
	w8 := four(w4, w5, w7)
	return w5 ^ (w2>>48 | w3<<16) ^ (w2>>32 | w3<<32) ^ (w1>>16 | w2<<48),
		w6 ^ (w3>>48 | w4<<16) ^ (w3>>32 | w4<<32) ^ (w2>>16 | w3<<48),
		w7 ^ (w4>>48 | w5<<16) ^ (w4>>32 | w5<<32) ^ (w3>>16 | w4<<48),
		w8 ^ (w5>>48 | w6<<16) ^ (w5>>32 | w6<<32) ^ (w4>>16 | w5<<48)
}
