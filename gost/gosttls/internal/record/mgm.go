package record

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"

	"propusk/gost/kdf"
	"propusk/gost/mgm"
)

// mgmMode is RFC 9367, Section 4.1: MGM under the key of TLSTREE.
type mgmMode struct {
	suite *Suite
	tree  *kdf.TLSTree
	iv    [16]byte // suite.IVSize bytes of it

	key  [KeySize]byte
	aead cipher.AEAD // under key
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
	header := [HeaderSize]byte(dst[len(dst)-HeaderSize:])
	start := len(dst)
	dst = append(dst, content...)
	dst = append(dst, typ)
	dst = append(dst, make([]byte, padding)...)
	nonce := m.nonce(seq)
	return m.aead.Seal(dst[:start], nonce[:m.suite.BlockSize], dst[start:], header[:]), nil
}

func (m *mgmMode) open(header *[HeaderSize]byte, seq uint64, fragment []byte) (uint8, []byte, error) {
	if err := m.rekey(seq); err != nil {
		return 0, nil, err
	}
	nonce := m.nonce(seq)
	inner, err := m.aead.Open(fragment[:0], nonce[:m.suite.BlockSize], fragment, header[:])
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
func (m *mgmMode) nonce(seq uint64) [16]byte {
	nonce := m.iv
	tail := nonce[m.suite.BlockSize-8 : m.suite.BlockSize]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^seq)
	nonce[0] &= 0x7f
	return nonce
}

// rekey takes the key of a record out of the tree.
func (m *mgmMode) rekey(seq uint64) error {
	key := m.tree.Key(seq)
	if m.aead != nil && subtle.ConstantTimeCompare(key[:], m.key[:]) == 1 {
		return nil
	}
	block, err := m.suite.NewCipher(key[:])
	if err != nil {
		return err
	}
	if m.aead, err = mgm.New(block); err != nil {
		return err
	}
	m.key = key
	return nil
}

func (m *mgmMode) wipe() { *m = mgmMode{} }
