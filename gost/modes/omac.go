package modes

import (
	"crypto/cipher"
	"crypto/subtle"
	"hash"
)

// omac is a running message authentication code. The last block waits in tail,
// full or not, because it is treated differently from the others.
type omac struct {
	block   cipher.Block
	n       int                // bytes of a block
	full    [maxBlockSize]byte // K_1, for a last block that is full
	partial [maxBlockSize]byte // K_2, for one that was padded
	state   [maxBlockSize]byte
	tail    [maxBlockSize]byte
	used    int                // bytes of tail
	scratch [maxBlockSize]byte // for Sum, which must not allocate
}

// NewOMAC returns the message authentication code of GOST R 34.13-2015, Section
// 5.6, with s = n: its Size is a whole block. (The same construction is OMAC1, and
// CMAC of NIST SP 800-38B.) Compare codes with hmac.Equal. The hash implements
// [hash.Cloner], is not safe for several goroutines, and does not allocate in
// Write and in Sum into a slice with enough capacity.
//
// It panics if the block has not 8 or 16 bytes.
func NewOMAC(b cipher.Block) hash.Hash {
	checkBlockSize(b)
	m := &omac{block: b, n: b.BlockSize()}
	b.Encrypt(m.full[:], m.full[:])
	double(m.full[:m.n])
	m.partial = m.full
	double(m.partial[:m.n])
	return m
}

// double multiplies x, a big-endian polynomial, by 2 in the field of 2^64 or
// 2^128 elements. There is no branch on x, which is secret.
func double(x []byte) {
	reduction := byte(0x87) // B_128
	if len(x) == 8 {
		reduction = 0x1b // B_64
	}
	var carry byte
	for i := len(x) - 1; i >= 0; i-- {
		x[i], carry = x[i]<<1|carry, x[i]>>7
	}
	x[len(x)-1] ^= reduction & -carry
}

// Size implements hash.Hash.
func (m *omac) Size() int { return m.n }

// BlockSize implements hash.Hash.
func (m *omac) BlockSize() int { return m.n }

// Reset implements hash.Hash: the key stays.
func (m *omac) Reset() {
	clear(m.state[:])
	m.used = 0
}

// Clone implements hash.Cloner. The error is always nil; the clone shares the
// cipher.
func (m *omac) Clone() (hash.Cloner, error) {
	c := *m
	return &c, nil
}

// Write implements hash.Hash. The error is always nil.
func (m *omac) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if m.used == m.n {
			m.mix(m.tail[:m.n])
			m.used = 0
		}
		if m.used == 0 && len(p) > m.n {
			n := (len(p) - 1) / m.n * m.n
			m.mix(p[:n])
			p = p[n:]
		}
		n := copy(m.tail[m.used:m.n], p)
		m.used += n
		p = p[n:]
	}
	return written, nil
}

// mix takes whole blocks, of which none is the last one.
func (m *omac) mix(p []byte) {
	state := m.state[:m.n]
	if c, ok := m.block.(chain); ok {
		c.Chain(state, p)
		return
	}
	for ; len(p) > 0; p = p[m.n:] {
		subtle.XORBytes(state, state, p[:m.n])
		m.block.Encrypt(state, state)
	}
}

// Sum implements hash.Hash: it leaves the state alone, so that writing can go on.
func (m *omac) Sum(in []byte) []byte {
	last := m.scratch[:m.n]
	clear(last)
	copy(last, m.tail[:m.used])
	key := m.full[:m.n]
	if m.used < m.n {
		last[m.used] = 0x80 // GOST R 34.13-2015, Section 4.1.3
		key = m.partial[:m.n]
	}
	subtle.XORBytes(last, last, key)
	subtle.XORBytes(last, last, m.state[:m.n])
	m.block.Encrypt(last, last)
	return append(in, last...)
}
