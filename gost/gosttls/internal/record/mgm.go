package record

import (
	"crypto/cipher"
	"encoding/binary"

	"propusk/gost/kdf"
	"propusk/gost/mgm"
)

// mgmMode is RFC 9367, Section 4.1: MGM under the key of TLSTREE.
type mgmMode struct {
	suite *Suite
	tree  *kdf.TLSTree
	iv    [maxBlock]byte // suite.IVSize bytes of it

	aead cipher.AEAD // under the key of a leaf of the tree, or nil
	leaf uint64      // its number: that of its first record, over suite.leaf

	// What the AEAD gets must not be allocated for every record.
	header [HeaderSize]byte
	number [maxBlock]byte // the nonce
}

func newMGM(suite *Suite, key, iv []byte) mode {
	m := &mgmMode{suite: suite, tree: kdf.NewTLSTree(suite.masks, key)}
	copy(m.iv[:], iv)
	return m
}

// seal encrypts TLSInnerPlaintext (RFC 8446, Section 5.2) without padding.
func (m *mgmMode) seal(dst []byte, seq uint64, typ uint8, content []byte) ([]byte, error) {
	return m.sealPadded(dst, seq, typ, content, 0)
}

// sealPadded appends padding zeros to TLSInnerPlaintext.
func (m *mgmMode) sealPadded(dst []byte, seq uint64, typ uint8, content []byte, padding int) ([]byte, error) {
	if err := m.rekey(seq); err != nil {
		return nil, err
	}
	m.header = [HeaderSize]byte(dst[len(dst)-HeaderSize:])
	start := len(dst)
	dst = append(dst, content...)
	dst = append(dst, typ)
	dst = append(dst, make([]byte, padding)...)
	return m.aead.Seal(dst[:start], m.nonce(seq), dst[start:], m.header[:]), nil
}

func (m *mgmMode) open(header *[HeaderSize]byte, seq uint64, fragment []byte) (uint8, []byte, error) {
	if err := m.rekey(seq); err != nil {
		return 0, nil, err
	}
	m.header = *header
	inner, err := m.aead.Open(fragment[:0], m.nonce(seq), fragment, m.header[:])
	if err != nil {
		return 0, nil, ErrMAC
	}
	if len(inner) > MaxPlaintext+1 {
		return 0, nil, ErrLength // RFC 8446, Section 5.4
	}
	for i := len(inner) - 1; i >= 0; i-- {
		if typ := inner[i]; typ != 0 {
			return typ, inner[:i], nil
		}
	}
	return 0, nil, ErrInnerType
}

// nonce returns the nonce of a record, without the upper bit, which MGM has no room
// for (RFC 9367, Section 4.1.1).
func (m *mgmMode) nonce(seq uint64) []byte {
	m.number = m.iv
	nonce := m.number[:m.suite.BlockSize]
	tail := nonce[len(nonce)-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^seq)
	nonce[0] &= 0x7f
	return nonce
}

// rekey takes the key of a record out of the tree.
func (m *mgmMode) rekey(seq uint64) error {
	leaf := seq / m.suite.leaf
	if m.aead != nil && m.leaf == leaf {
		return nil
	}
	key := m.tree.Key(seq)
	defer clear(key[:])
	block, err := m.suite.NewCipher(key[:])
	if err != nil {
		return err
	}
	if m.aead, err = mgm.New(block); err != nil {
		return err
	}
	m.leaf = leaf
	return nil
}

func (m *mgmMode) wipe() {
	m.tree.Wipe()
	*m = mgmMode{}
}
