package record

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math/bits"
	"sync"

	"propusk/gost/kdf"
)

// ctrOMACMode is RFC 9189, Section 4.1.1: MAC, then encrypt, with keys that change
// with the number of the record.
type ctrOMACMode struct {
	suite *Suite
	iv    uint64 // INT(sender_write_IV)

	encTree, macTree *kdf.TLSTree
	keyed            bool   // the fields below belong to a leaf of the trees
	leaf             uint64 // its number: that of its first record, over suite.leaf

	// sections are the ciphers of CTR-ACPKM, each under the key that the one before
	// makes. All records of the leaf share them; they are made when a record is first
	// long enough.
	sections []blockCipher
	mac      omac

	one     message           // the message of a record on its own
	scratch [2 * KeySize]byte // what must not be allocated again and again
}

func newCTROMAC(suite *Suite, macKey, encKey, iv []byte) (mode, error) {
	m := &ctrOMACMode{
		suite:   suite,
		encTree: kdf.NewTLSTree(suite.masks, encKey),
		macTree: kdf.NewTLSTree(suite.masks, macKey),
	}
	for _, b := range iv {
		m.iv = m.iv<<8 | uint64(b)
	}
	return m, nil
}

// newBlock makes a cipher.
func (m *ctrOMACMode) newBlock(key []byte) (blockCipher, error) {
	c, err := m.suite.NewCipher(key)
	if err != nil {
		return nil, err
	}
	b, ok := c.(blockCipher)
	if !ok {
		return nil, fmt.Errorf("record: cipher %T lacks methods", c)
	}
	return b, nil
}

// rekey takes the keys of a record out of the trees.
func (m *ctrOMACMode) rekey(seq uint64) error {
	if leaf := seq / m.suite.leaf; m.keyed && m.leaf == leaf {
		return nil
	}
	key := m.encTree.Key(seq)
	defer clear(key[:])
	enc, err := m.newBlock(key[:])
	if err != nil {
		return err
	}
	key = m.macTree.Key(seq)
	mac, err := m.newBlock(key[:])
	if err != nil {
		return err
	}
	clear(m.sections)
	m.sections = append(m.sections[:0], enc)
	m.mac.rekey(mac)
	m.keyed, m.leaf = true, seq/m.suite.leaf
	return nil
}

// section returns the cipher of a section of CTR-ACPKM, counted from 0. The key of a
// section is what the cipher before makes of the bytes 80, 81, ..., 9f (RFC 8645,
// Section 6.2.1).
func (m *ctrOMACMode) section(i int) (blockCipher, error) {
	for len(m.sections) <= i {
		key := m.scratch[:KeySize]
		for j := range key {
			key[j] = byte(0x80 + j)
		}
		m.sections[len(m.sections)-1].EncryptBlocks(key, key)
		block, err := m.newBlock(key)
		clear(key)
		if err != nil {
			return nil, err
		}
		m.sections = append(m.sections, block)
	}
	return m.sections[i], nil
}

func (m *ctrOMACMode) seal(dst []byte, seq uint64, _ uint8, content []byte) ([]byte, error) {
	if err := m.rekey(seq); err != nil {
		return nil, err
	}
	header := [HeaderSize]byte(dst[len(dst)-HeaderSize:])
	m.one.set(seq, &header, content)
	m.mac.sum(&m.one)
	start := len(dst)
	dst = append(dst, content...)
	dst = append(dst, m.one.tag[:m.suite.MACSize]...)
	return dst, m.crypt(seq, dst[start:])
}

func (m *ctrOMACMode) open(header *[HeaderSize]byte, seq uint64, fragment []byte) (uint8, []byte, error) {
	if err := m.rekey(seq); err != nil {
		return 0, nil, err
	}
	if err := m.crypt(seq, fragment); err != nil {
		return 0, nil, err
	}
	n := len(fragment) - m.suite.MACSize
	content, tag := fragment[:n], fragment[n:]
	m.one.set(seq, header, content)
	m.mac.sum(&m.one)
	if subtle.ConstantTimeCompare(m.one.tag[:len(tag)], tag) != 1 {
		return 0, nil, ErrMAC
	}
	return header[0], content, nil
}

// crypt encrypts or decrypts the fragment of a record in place: ENC of RFC 9189,
// Section 4.1.1, step 2. The keys are those of the record.
func (m *ctrOMACMode) crypt(seq uint64, p []byte) error {
	n := m.suite.BlockSize
	hi, lo := m.iv+seq, uint64(0) // modulo 2^(8n/2), followed by n/2 zero bytes
	if n == 8 {
		hi, lo = 0, hi<<32
	}
	for i := 0; len(p) > 0; i++ {
		block, err := m.section(i)
		if err != nil {
			return err
		}
		size := min(len(p), m.suite.section)
		m.xorCounter(block, p[:size], hi, lo)
		var carry uint64
		lo, carry = bits.Add64(lo, uint64(size/n), 0)
		hi += carry
		p = p[size:]
	}
	return nil
}

// xorCounter adds key stream to p. What the cipher leaves over, less than eight blocks
// or all when it has no assembly, goes through scratch.
func (m *ctrOMACMode) xorCounter(block blockCipher, p []byte, hi, lo uint64) {
	n := m.suite.BlockSize
	done := 0
	if len(p) >= n {
		done = block.XORCounter(p[:len(p)/n*n], p[:len(p)/n*n], hi, lo)
	}
	var carry uint64
	for p = p[done:]; len(p) > 0; {
		lo, carry = bits.Add64(lo, uint64(done/n), 0)
		hi += carry
		size := min((len(p)+n-1)/n*n, len(m.scratch))
		buf := m.scratch[:size]
		for i := 0; i < size; i += n {
			low, carry := bits.Add64(lo, uint64(i/n), 0)
			if n == maxBlock {
				binary.BigEndian.PutUint64(buf[i:], hi+carry)
			}
			binary.BigEndian.PutUint64(buf[i+n-8:], low)
		}
		block.EncryptBlocks(buf, buf)
		done = subtle.XORBytes(p, p, buf)
		p = p[done:]
	}
}

// lanes is how many records are sealed side by side.
const lanes = 16

// A batch is the space for records that are sealed or opened side by side.
type batch struct {
	messages [lanes]message
	states   [lanes * maxBlock]byte
	parts    [lanes][]byte
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// release forgets the plaintext.
func (b *batch) release() {
	*b = batch{}
	batches.Put(b)
}

// sealMany appends count records of size bytes each, headers included. The header is
// that of all of them. The numbers from seq on must have one key, and size must be more
// than what fits into the head of a message.
func (m *ctrOMACMode) sealMany(dst []byte, seq uint64, header *[HeaderSize]byte, content []byte, size, count int) ([]byte, error) {
	if err := m.rekey(seq); err != nil {
		return nil, err
	}
	b, ok := batches.Get().(*batch)
	if !ok {
		panic("record: the pool holds something else")
	}
	defer b.release()
	ms := b.messages[:count]
	for i := range ms {
		ms[i].set(seq+uint64(i), header, content[i*size:][:size])
	}
	m.mac.sumMany(ms, b.states[:], b.parts[:])
	for i := range ms {
		dst = append(dst, header[:]...)
		start := len(dst)
		dst = append(dst, content[i*size:][:size]...)
		dst = append(dst, ms[i].tag[:m.suite.MACSize]...)
		if err := m.crypt(seq+uint64(i), dst[start:]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// openMany opens the fragments, which are equally long and begin with number seq, in
// place, and replaces them by their contents. It returns how many came before the first
// one that was changed. What sealMany wants holds here too.
func (m *ctrOMACMode) openMany(header *[HeaderSize]byte, seq uint64, fragments [][]byte) (int, error) {
	if err := m.rekey(seq); err != nil {
		return 0, err
	}
	b, ok := batches.Get().(*batch)
	if !ok {
		panic("record: the pool holds something else")
	}
	defer b.release()
	ms := b.messages[:len(fragments)]
	n := len(fragments[0]) - m.suite.MACSize
	for i, fragment := range fragments {
		if err := m.crypt(seq+uint64(i), fragment); err != nil {
			return 0, err
		}
		ms[i].set(seq+uint64(i), header, fragment[:n])
	}
	m.mac.sumMany(ms, b.states[:], b.parts[:])
	for i, fragment := range fragments {
		if subtle.ConstantTimeCompare(ms[i].tag[:m.suite.MACSize], fragment[n:]) != 1 {
			return i, ErrMAC
		}
		fragments[i] = fragment[:n]
	}
	return len(fragments), nil
}

func (m *ctrOMACMode) wipe() {
	m.encTree.Wipe()
	m.macTree.Wipe()
	clear(m.sections[:cap(m.sections)])
	*m = ctrOMACMode{}
}
