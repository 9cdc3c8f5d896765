package record

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"propusk/gost/kdf"
	"propusk/gost/modes"
)

// Errors of a Protector. After any of them the connection is over.
var (
	// ErrMAC means that a record was changed on the way. It does not say how.
	ErrMAC = errors.New("bad record MAC")

	// ErrSequence means that the last record number was used.
	ErrSequence = errors.New("record numbers are used up")

	// ErrLength means that a fragment is longer than MaxPlaintext.
	ErrLength = errors.New("record too long")
)

// A Protector protects or checks the records of one direction, in order. It is
// not safe for several goroutines.
type Protector struct {
	suite *Suite
	iv    uint64 // INT(sender_write_IV)

	seq   uint64
	spent bool // seq has been used and was the last one

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

// NewProtector returns the protector of a direction. The keys have KeySize
// bytes, the IV has suite.IVSize bytes; the slices are not kept.
func NewProtector(suite *Suite, macKey, encKey, iv []byte) (*Protector, error) {
	if len(macKey) != KeySize || len(encKey) != KeySize || len(iv) != suite.IVSize() {
		return nil, fmt.Errorf("record: keys of %d, %d and %d bytes", len(macKey), len(encKey), len(iv))
	}
	p := &Protector{
		suite:   suite,
		encTree: kdf.NewTLSTree(suite.masks, encKey),
		macTree: kdf.NewTLSTree(suite.masks, macKey),
	}
	for _, b := range iv {
		p.iv = p.iv<<8 | uint64(b)
	}
	if err := p.rekey(); err != nil {
		return nil, err
	}
	return p, nil
}

// Overhead returns by how many bytes a record is longer than its content and
// header.
func (p *Protector) Overhead() int { return p.suite.BlockSize }

// LastOne reports whether at most one more record can be protected. It should be
// the alert close_notify: RFC 9189, Section 4.3.5.
func (p *Protector) LastOne() bool { return p.seq == p.suite.MaxSeq }

// Seal appends a whole record, header included, to dst. The content is at most
// MaxPlaintext bytes and must not overlap dst.
func (p *Protector) Seal(dst []byte, typ uint8, version uint16, content []byte) ([]byte, error) {
	if len(content) > MaxPlaintext {
		return nil, ErrLength
	}
	ctr, err := p.keystream()
	if err != nil {
		return nil, err
	}
	dst = append(dst, typ, byte(version>>8), byte(version))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(content)+p.Overhead()))
	start := len(dst)
	dst = append(dst, content...)
	dst = p.sum(dst, typ, version, content)
	ctr.XORKeyStream(dst[start:], dst[start:])
	return dst, p.advance()
}

// Open decrypts the fragment of a record in place and returns its content, a
// part of fragment.
func (p *Protector) Open(typ uint8, version uint16, fragment []byte) ([]byte, error) {
	n := len(fragment) - p.Overhead()
	if n > MaxPlaintext {
		return nil, ErrLength
	}
	if n < 0 {
		return nil, ErrMAC
	}
	ctr, err := p.keystream()
	if err != nil {
		return nil, err
	}
	ctr.XORKeyStream(fragment, fragment)
	content, tag := fragment[:n], fragment[n:]
	var buf [16]byte
	if subtle.ConstantTimeCompare(p.sum(buf[:0], typ, version, content), tag) != 1 {
		clear(fragment)
		return nil, ErrMAC
	}
	return content, p.advance()
}

// sum appends MACValue_seqnum of RFC 9189, Section 4.1.1, step 1.
func (p *Protector) sum(dst []byte, typ uint8, version uint16, content []byte) []byte {
	var h [8 + HeaderSize]byte
	binary.BigEndian.PutUint64(h[:], p.seq)
	h[8] = typ
	binary.BigEndian.PutUint16(h[9:], version)
	binary.BigEndian.PutUint16(h[11:], uint16(len(content)))
	p.mac.Reset()
	p.mac.Write(h[:])
	p.mac.Write(content)
	return p.mac.Sum(dst)
}

// keystream returns ENC of the current record (Section 4.1.1, step 2).
func (p *Protector) keystream() (cipher.Stream, error) {
	if p.spent {
		return nil, ErrSequence
	}
	var iv [8]byte
	binary.BigEndian.PutUint64(iv[:], p.iv+p.seq) // the sum modulo 2^(8n/2) is the tail
	return modes.NewCTRACPKM(p.newCipher, p.enc.key[:], iv[8-p.suite.IVSize():], p.suite.section)
}

// newCipher is suite.NewCipher, except that the key of the record is not
// expanded again.
func (p *Protector) newCipher(key []byte) (cipher.Block, error) {
	if p.enc.block != nil && subtle.ConstantTimeCompare(key, p.enc.key[:]) == 1 {
		return p.enc.block, nil
	}
	return p.suite.NewCipher(key)
}

// advance moves to the next record.
func (p *Protector) advance() error {
	if p.seq == p.suite.MaxSeq {
		p.spent = true
		return nil
	}
	p.seq++
	return p.rekey()
}

// rekey takes the keys of the current record out of the trees.
func (p *Protector) rekey() error {
	if key := p.encTree.Key(p.seq); p.enc.block == nil || subtle.ConstantTimeCompare(key[:], p.enc.key[:]) != 1 {
		block, err := p.suite.NewCipher(key[:])
		if err != nil {
			return err
		}
		p.enc = keyedCipher{key: key, block: block}
	}
	if key := p.macTree.Key(p.seq); p.mac == nil || subtle.ConstantTimeCompare(key[:], p.macKey[:]) != 1 {
		block, err := p.suite.NewCipher(key[:])
		if err != nil {
			return err
		}
		p.macKey, p.mac = key, modes.NewOMAC(block)
	}
	return nil
}
