package record

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"hash"

	"propusk/gost/kdf"
	"propusk/gost/modes"
)

// ctrOMACMode is RFC 9189, Section 4.1.1: MAC, then encrypt, with keys that change
// with the number of the record.
type ctrOMACMode struct {
	suite *Suite
	iv    uint64 // INT(sender_write_IV)

	encTree, macTree *kdf.TLSTree
	enc              keyedCipher
	macKey           [KeySize]byte
	mac              hash.Hash
}

// keyedCipher is a block cipher that remembers its key: TLSTREE gives the same
// key for 64 or 4096 records in a row.
type keyedCipher struct {
	key   [KeySize]byte
	block cipher.Block
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

func (m *ctrOMACMode) seal(dst []byte, seq uint64, typ uint8, content []byte) ([]byte, error) {
	ctr, err := m.keystream(seq)
	if err != nil {
		return nil, err
	}
	header := [HeaderSize]byte(dst[len(dst)-HeaderSize:])
	start := len(dst)
	dst = append(dst, content...)
	dst = m.sum(dst, &header, seq, content)
	ctr.XORKeyStream(dst[start:], dst[start:])
	return dst, nil
}

func (m *ctrOMACMode) open(header *[HeaderSize]byte, seq uint64, fragment []byte) (uint8, []byte, error) {
	ctr, err := m.keystream(seq)
	if err != nil {
		return 0, nil, err
	}
	ctr.XORKeyStream(fragment, fragment)
	n := len(fragment) - m.suite.MACSize
	content, tag := fragment[:n], fragment[n:]
	var buf [16]byte
	if subtle.ConstantTimeCompare(m.sum(buf[:0], header, seq, content), tag) != 1 {
		return 0, nil, ErrMAC
	}
	return header[0], content, nil
}

// sum appends MACValue_seqnum of RFC 9189, Section 4.1.1, step 1.
func (m *ctrOMACMode) sum(dst []byte, header *[HeaderSize]byte, seq uint64, content []byte) []byte {
	var h [8 + HeaderSize]byte
	binary.BigEndian.PutUint64(h[:], seq)
	copy(h[8:], header[:3])
	binary.BigEndian.PutUint16(h[11:], uint16(len(content)))
	m.mac.Reset()
	m.mac.Write(h[:])
	m.mac.Write(content)
	return m.mac.Sum(dst)
}

// keystream returns ENC of a record (Section 4.1.1, step 2).
func (m *ctrOMACMode) keystream(seq uint64) (cipher.Stream, error) {
	if err := m.rekey(seq); err != nil {
		return nil, err
	}
	var iv [8]byte
	binary.BigEndian.PutUint64(iv[:], m.iv+seq) // the sum modulo 2^(8n/2) is the tail
	return modes.NewCTRACPKM(m.newCipher, m.enc.key[:], iv[8-m.suite.IVSize():], m.suite.section)
}

// newCipher is suite.NewCipher, except that the key of the record is not
// expanded again.
func (m *ctrOMACMode) newCipher(key []byte) (cipher.Block, error) {
	if subtle.ConstantTimeCompare(key, m.enc.key[:]) == 1 {
		return m.enc.block, nil
	}
	return m.suite.NewCipher(key)
}

// rekey takes the keys of a record out of the trees.
func (m *ctrOMACMode) rekey(seq uint64) error {
	if key := m.encTree.Key(seq); m.enc.block == nil || subtle.ConstantTimeCompare(key[:], m.enc.key[:]) != 1 {
		block, err := m.suite.NewCipher(key[:])
		if err != nil {
			return err
		}
		m.enc = keyedCipher{key: key, block: block}
	}
	if key := m.macTree.Key(seq); m.mac == nil || subtle.ConstantTimeCompare(key[:], m.macKey[:]) != 1 {
		block, err := m.suite.NewCipher(key[:])
		if err != nil {
			return err
		}
		m.macKey, m.mac = key, modes.NewOMAC(block)
	}
	return nil
}

func (m *ctrOMACMode) wipe() { *m = ctrOMACMode{} }
