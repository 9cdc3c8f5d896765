package record

import (
	"crypto/subtle"
	"encoding/binary"
)

// maxBlock is the length of the longest block in bytes.
const maxBlock = 16

// blockCipher is what this package needs of kuznyechik and magma: the cipher, and
// what they do faster than block by block.
type blockCipher interface {
	BlockSize() int

	// EncryptBlocks encrypts whole blocks, each on its own.
	EncryptBlocks(dst, src []byte)

	// XORCounter adds the encryption of the counter, whose words are hi and lo, and
	// of those that follow, to whole blocks. It returns how many bytes it did.
	XORCounter(dst, src []byte, hi, lo uint64) int

	// Chain replaces state, for each block of p, with the encryption of their sum.
	Chain(state, p []byte)

	// Chains is Chain for several states, a block each, and as many ps, equally long.
	Chains(states []byte, ps [][]byte)
}

// A message is what the code of a record is computed over, and the code.
type message struct {
	// head is the number, the type, the version and the length, which are 13 bytes,
	// and the first bytes of the content, until two blocks of Magma or one of
	// Kuznyechik are full: headSize bytes in all.
	head     [maxBlock]byte
	headSize int
	rest     []byte // of the content

	tag [maxBlock]byte
}

// set prepares the message of RFC 9189, Section 4.1.1, step 1. Of the header only type
// and version count.
func (m *message) set(seq uint64, header *[HeaderSize]byte, content []byte) {
	binary.BigEndian.PutUint64(m.head[:], seq)
	copy(m.head[8:], header[:3])
	binary.BigEndian.PutUint16(m.head[11:], uint16(len(content)))
	n := copy(m.head[13:], content)
	m.headSize, m.rest = 13+n, content[n:]
}

// An omac computes the codes of GOST R 34.13-2015, Section 5.6, under one key. It is
// that of package modes for messages that are whole and, better, several.
type omac struct {
	block         blockCipher
	n             int
	full, partial [maxBlock]byte // K_1 and K_2
}

// rekey begins to use a cipher.
func (o *omac) rekey(b blockCipher) {
	o.block, o.n = b, b.BlockSize()
	o.full = [maxBlock]byte{}
	b.EncryptBlocks(o.full[:o.n], o.full[:o.n])
	double(o.full[:o.n])
	o.partial = o.full
	double(o.partial[:o.n])
}

// double multiplies x, a big-endian polynomial, by 2 in the field of 2^64 or 2^128
// elements, without a branch on it.
func double(x []byte) {
	reduction := byte(0x87)
	if len(x) == 8 {
		reduction = 0x1b
	}
	var carry byte
	for i := len(x) - 1; i >= 0; i-- {
		x[i], carry = x[i]<<1|carry, x[i]>>7
	}
	x[len(x)-1] ^= reduction & -carry
}

// sum computes the code of a message.
func (o *omac) sum(m *message) {
	state := m.tag[:o.n]
	clear(state)
	last := m.rest
	if len(last) > 0 {
		o.block.Chain(state, m.head[:])
	} else {
		last = m.head[:m.headSize]
	}
	whole := (len(last) - 1) / o.n * o.n
	o.block.Chain(state, last[:whole])
	o.addLast(state, last[whole:])
	o.block.EncryptBlocks(state, state)
}

// addLast adds the last block, padded if it is not full (GOST R 34.13-2015, Section
// 4.1.3), and the key that belongs to it.
func (o *omac) addLast(state, last []byte) {
	subtle.XORBytes(state, state, last)
	if len(last) == o.n {
		subtle.XORBytes(state, state, o.full[:])
		return
	}
	state[len(last)] ^= 0x80
	subtle.XORBytes(state, state, o.partial[:])
}

// sumMany computes the codes of messages that are equally long, and longer than their
// heads, side by side: each block of a code waits for the one before, but those of
// different messages do not wait for each other. The states, a block for each message,
// and the parts are scratch space.
func (o *omac) sumMany(ms []message, states []byte, parts [][]byte) {
	states, parts = states[:len(ms)*o.n], parts[:len(ms)]
	clear(states)
	for i := range ms {
		parts[i] = ms[i].head[:]
	}
	o.block.Chains(states, parts)
	whole := (len(ms[0].rest) - 1) / o.n * o.n
	for i := range ms {
		parts[i] = ms[i].rest[:whole]
	}
	o.block.Chains(states, parts)
	for i := range ms {
		o.addLast(states[i*o.n:][:o.n], ms[i].rest[whole:])
	}
	o.block.EncryptBlocks(states, states)
	for i := range ms {
		copy(ms[i].tag[:], states[i*o.n:][:o.n])
	}
}
