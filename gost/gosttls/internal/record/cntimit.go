package record

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"hash"

	"propusk/gost/gost28147"
)

// cntIMITMode is RFC 9189, Section 4.1.2: one key stream and one authentication code
// run over all records of a direction, so a record can be opened only after all those
// before it. Both change keys by meshing, every 1024 bytes of their own.
type cntIMITMode struct {
	cnt  cipher.Stream
	imit hash.Hash

	// What these get must not be allocated for every record.
	head [8 + HeaderSize]byte
	code [gost28147.MACSize]byte
}

func newCNTIMIT(_ *Suite, macKey, encKey, iv []byte) (mode, error) {
	cnt, err := gost28147.NewCNT(encKey, iv, gost28147.TC26Z(), gost28147.MeshingCryptoPro)
	if err != nil {
		return nil, err
	}
	imit, err := gost28147.NewIMIT(macKey, nil, gost28147.TC26Z(), gost28147.MeshingCryptoPro, gost28147.MACSize)
	if err != nil {
		return nil, err
	}
	return &cntIMITMode{cnt: cnt, imit: imit}, nil
}

func (m *cntIMITMode) seal(dst []byte, seq uint64, _ uint8, content []byte) ([]byte, error) {
	header := [HeaderSize]byte(dst[len(dst)-HeaderSize:])
	start := len(dst)
	dst = append(dst, content...)
	dst = m.sum(dst, &header, seq, content)
	m.cnt.XORKeyStream(dst[start:], dst[start:])
	return dst, nil
}

func (m *cntIMITMode) open(header *[HeaderSize]byte, seq uint64, fragment []byte) (uint8, []byte, error) {
	m.cnt.XORKeyStream(fragment, fragment)
	n := len(fragment) - gost28147.MACSize
	content, tag := fragment[:n], fragment[n:]
	if subtle.ConstantTimeCompare(m.sum(m.code[:0], header, seq, content), tag) != 1 {
		return 0, nil, ErrMAC
	}
	return header[0], content, nil
}

// sum appends the code of everything up to this record.
func (m *cntIMITMode) sum(dst []byte, header *[HeaderSize]byte, seq uint64, content []byte) []byte {
	h := m.head[:]
	binary.BigEndian.PutUint64(h, seq)
	copy(h[8:], header[:3])
	binary.BigEndian.PutUint16(h[11:], uint16(len(content)))
	m.imit.Write(h)
	m.imit.Write(content)
	return m.imit.Sum(dst)
}

func (m *cntIMITMode) wipe() { *m = cntIMITMode{} }
