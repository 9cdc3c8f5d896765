package modes

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"hash"
)

// omacACPKM is OMAC whose key changes from section to section.
type omacACPKM struct {
	omac          // with the key of the current section
	left      int // bytes that this key has still to take
	section   int
	newCipher func(key []byte) (cipher.Block, error)
	keys      stream // CTR-ACPKM under the master key, from which keys are taken

	first struct { // what Reset goes back to
		block         cipher.Block
		full, partial [maxBlockSize]byte
		keys          stream
	}
}

// NewOMACACPKM returns the message authentication code OMAC-ACPKM-Master of RFC 8645,
// Section 6.3.6 (R 1323565.1.017-2018): like [NewOMAC], but every section bytes have a
// key of their own. The keys come from the master key, which must be 32 bytes and which
// ACPKM replaces after every frequency bytes of keys, T* in the standards.
//
// The section must be a positive multiple of the block size; the frequency, a positive
// multiple of the block size and of the 32 bytes and one block that a section takes.
// The hash is as that of NewOMAC, except that it allocates when a section begins.
//
// A message may have at most 2^(n/2-1) blocks of n bits of keys; nothing here checks it.
func NewOMACACPKM(newCipher func(key []byte) (cipher.Block, error), key []byte, section, frequency int) (hash.Hash, error) {
	if len(key) != acpkmKeySize {
		return nil, errors.New("modes: ACPKM key must be 32 bytes")
	}
	b, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	checkBlockSize(b)
	n := b.BlockSize()
	if section <= 0 || section%n != 0 {
		return nil, errors.New("modes: section must be a positive number of whole blocks")
	}
	if frequency <= 0 || frequency%n != 0 || frequency%(acpkmKeySize+n) != 0 {
		return nil, fmt.Errorf("modes: frequency must be a positive multiple of %d and %d bytes", n, acpkmKeySize+n)
	}
	m := &omacACPKM{section: section, newCipher: newCipher}
	m.n = n
	m.keys = stream{block: b, n: n, newCipher: newCipher, section: frequency, left: frequency}
	m.keys.start([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}[:n/2])
	m.rekey()
	m.first.block, m.first.full, m.first.partial, m.first.keys = m.block, m.full, m.partial, m.keys
	return m, nil
}

// rekey begins a section: K^i and K^i_1 are the next bytes of the key stream.
func (m *omacACPKM) rekey() {
	material := make([]byte, acpkmKeySize+m.n)
	m.keys.XORKeyStream(material, material)
	b, err := m.newCipher(material[:acpkmKeySize])
	if err != nil {
		panic("modes: the cipher refused a key as long as its first: " + err.Error())
	}
	m.block, m.left = b, m.section
	m.full = [maxBlockSize]byte{}
	copy(m.full[:], material[acpkmKeySize:])
	m.partial = m.full
	double(m.partial[:m.n])
	clear(material)
}

// Reset implements hash.Hash: the master key stays.
func (m *omacACPKM) Reset() {
	m.omac.Reset()
	m.block, m.full, m.partial, m.keys = m.first.block, m.first.full, m.first.partial, m.first.keys
	m.left = m.section
}

// Clone implements hash.Cloner. The error is always nil; the clone shares the
// ciphers.
func (m *omacACPKM) Clone() (hash.Cloner, error) {
	c := *m
	return &c, nil
}

// Write implements hash.Hash. The error is always nil. The last block waits in tail,
// because the section that follows it must not begin before there is more.
func (m *omacACPKM) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if m.used == m.n {
			m.take(m.tail[:m.n])
			m.used = 0
		}
		if m.used == 0 && len(p) > m.n {
			n := (len(p) - 1) / m.n * m.n
			m.take(p[:n])
			p = p[n:]
		}
		n := copy(m.tail[m.used:m.n], p)
		m.used += n
		p = p[n:]
	}
	return written, nil
}

// take gives whole blocks, none of which is the last one, to their sections.
func (m *omacACPKM) take(p []byte) {
	for len(p) > 0 {
		if m.left == 0 {
			m.rekey()
		}
		n := min(len(p), m.left)
		m.mix(p[:n])
		m.left -= n
		p = p[n:]
	}
}

// Sum implements hash.Hash: it leaves the state alone, so that writing can go on.
func (m *omacACPKM) Sum(in []byte) []byte {
	if m.left > 0 {
		return m.omac.Sum(in)
	}
	last := *m // the last block is the first of its section
	last.rekey()
	return last.omac.Sum(in)
}
