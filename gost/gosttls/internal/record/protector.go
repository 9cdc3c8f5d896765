package record

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Errors of a Protector. After any of them the connection is over.
var (
	// ErrMAC means that a record was changed on the way. It does not say how.
	ErrMAC = errors.New("bad record MAC")

	// ErrSequence means that the last record number was used.
	ErrSequence = errors.New("record numbers are used up")

	// ErrLength means that a fragment is longer than MaxPlaintext.
	ErrLength = errors.New("record too long")

	// ErrInnerType means that a record of TLS 1.3 is genuine and has no type.
	ErrInnerType = errors.New("record without a type inside")
)

// A Protector protects or checks the records of one direction, in order. It is
// not safe for several goroutines.
type Protector struct {
	suite *Suite
	mode  mode
	many  *ctrOMACMode // the mode, if it can do records side by side

	seq   uint64
	spent bool // seq has been used and was the last one
}

// A mode is what one kind of suites does with a record. The lengths were checked.
type mode interface {
	// seal appends the fragment of the record to dst, whose last HeaderSize bytes
	// are the header of the record.
	seal(dst []byte, seq uint64, typ uint8, content []byte) ([]byte, error)

	// open decrypts the fragment in place and returns the type and the content. The
	// header is that of the record.
	open(header *[HeaderSize]byte, seq uint64, fragment []byte) (typ uint8, content []byte, err error)

	// wipe overwrites the keys. Nothing works afterwards.
	wipe()
}

// NewProtector returns the protector of a direction of TLS 1.2, or before. The keys
// have KeySize bytes, the IV has suite.IVSize bytes; the slices are not kept.
func NewProtector(suite *Suite, macKey, encKey, iv []byte) (*Protector, error) {
	if suite.Version13 {
		return nil, fmt.Errorf("record: %s belongs to TLS 1.3", suite.Name)
	}
	if len(macKey) != KeySize || len(encKey) != KeySize || len(iv) != suite.IVSize() {
		return nil, fmt.Errorf("record: keys of %d, %d and %d bytes", len(macKey), len(encKey), len(iv))
	}
	newMode := newCTROMAC
	if suite.kind == cntIMIT {
		newMode = newCNTIMIT
	}
	m, err := newMode(suite, macKey, encKey, iv)
	if err != nil {
		return nil, err
	}
	p := &Protector{suite: suite, mode: m}
	p.many, _ = m.(*ctrOMACMode)
	return p, nil
}

// NewProtector13 returns the protector of a direction of TLS 1.3. The key is
// [sender]_write_key of KeySize bytes, the IV [sender]_write_iv of suite.IVSize bytes
// (RFC 8446, Section 7.3); the slices are not kept. A KeyUpdate needs a new protector.
func NewProtector13(suite *Suite, key, iv []byte) (*Protector, error) {
	if !suite.Version13 {
		return nil, fmt.Errorf("record: %s does not belong to TLS 1.3", suite.Name)
	}
	if len(key) != KeySize || len(iv) != suite.IVSize() {
		return nil, fmt.Errorf("record: keys of %d and %d bytes", len(key), len(iv))
	}
	return &Protector{suite: suite, mode: newMGM(suite, key, iv)}, nil
}

// Suite returns the cipher suite.
func (p *Protector) Suite() *Suite { return p.suite }

// Version13 reports whether the records are those of TLS 1.3: their headers say
// application data, whatever is inside.
func (p *Protector) Version13() bool { return p.suite.Version13 }

// Overhead returns by how many bytes a record of ours is longer than its content and
// header.
func (p *Protector) Overhead() int {
	if p.suite.Version13 {
		return 1 + p.suite.MACSize
	}
	return p.suite.MACSize
}

// MaxFragment returns how many bytes may follow the header of a record. With TLS 1.3
// it is more than what we write, because the peer may pad.
func (p *Protector) MaxFragment() int {
	if p.suite.Version13 {
		return MaxPlaintext + maxExpansion13
	}
	return MaxPlaintext + p.suite.MACSize
}

// LastOne reports whether at most one more record can be protected. It should be
// the alert close_notify: RFC 9189, Section 4.3.5.
func (p *Protector) LastOne() bool { return p.seq == p.suite.MaxSeq }

// Unused reports whether no record has been protected or opened yet.
func (p *Protector) Unused() bool { return p.seq == 0 }

// reserve is how many records before the last one UpdateSoon says so.
const reserve = 1 << 16

// UpdateSoon reports whether the keys of TLS 1.3 should be replaced by KeyUpdate now,
// because less than 65536 records are left (RFC 9367, Section 4.1.3). It is always
// false before TLS 1.3, where nothing can replace them.
func (p *Protector) UpdateSoon() bool {
	return p.suite.Version13 && p.suite.MaxSeq-p.seq < reserve
}

// Seal appends a whole record, header included, to dst. The content is at most
// MaxPlaintext bytes and must not overlap dst.
func (p *Protector) Seal(dst []byte, typ uint8, version uint16, content []byte) ([]byte, error) {
	if len(content) > MaxPlaintext {
		return nil, ErrLength
	}
	if p.spent {
		return nil, ErrSequence
	}
	dst = p.appendHeader(dst, typ, version, len(content)+p.Overhead())
	dst, err := p.mode.seal(dst, p.seq, typ, content)
	if err != nil {
		return nil, err
	}
	p.advance()
	return dst, nil
}

// SealMany appends content to dst as records of size bytes, the last of which may be
// shorter; no record if there is no content. The size is from 16 to MaxPlaintext. It
// stops where LastOne is true, and returns how many bytes of the content it sealed.
// It is faster than Seal, because records do not have to wait for each other.
func (p *Protector) SealMany(dst []byte, typ uint8, version uint16, content []byte, size int) ([]byte, int, error) {
	if size < maxBlock || size > MaxPlaintext {
		return nil, 0, ErrLength
	}
	done := 0
	for done < len(content) && !p.LastOne() {
		rest := content[done:]
		var err error
		if count := p.sideBySide(len(rest) / size); count > 0 {
			var header [HeaderSize]byte
			p.appendHeader(header[:0], typ, version, size+p.Overhead())
			dst, err = p.many.sealMany(dst, p.seq, &header, rest, size, count)
			p.seq += uint64(count)
			done += count * size
		} else {
			n := min(len(rest), size)
			dst, err = p.Seal(dst, typ, version, rest[:n])
			done += n
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return dst, done, nil
}

// sideBySide returns how many of the next count records are best done at once: not
// the last one that there can be, and only with one key. It is 0 when one after the
// other is as good.
func (p *Protector) sideBySide(count int) int {
	if p.many == nil || p.spent {
		return 0
	}
	n := min(uint64(count), lanes, p.suite.MaxSeq-p.seq, p.suite.leaf-p.seq%p.suite.leaf)
	if n < 2 {
		return 0
	}
	return int(n)
}

// typeApplicationData is opaque_type of RFC 8446, Section 5.2.
const typeApplicationData = 23

// appendHeader appends the header of a record whose fragment has size bytes.
func (p *Protector) appendHeader(dst []byte, typ uint8, version uint16, size int) []byte {
	if p.suite.Version13 {
		typ, version = typeApplicationData, 0x0303 // RFC 8446, Section 5.2
	}
	dst = append(dst, typ, byte(version>>8), byte(version))
	return binary.BigEndian.AppendUint16(dst, uint16(size))
}

// Open decrypts the fragment of a record in place and returns its type and content,
// a part of fragment. The arguments typ and version are those of the header. The
// type is typ, but for TLS 1.3, where it comes from the inside.
//
// When the error is not nil the fragment may have been overwritten, and holds nothing
// of the plaintext.
func (p *Protector) Open(typ uint8, version uint16, fragment []byte) (uint8, []byte, error) {
	if len(fragment) > p.MaxFragment() {
		return 0, nil, ErrLength
	}
	if len(fragment) < p.Overhead() {
		return 0, nil, ErrMAC
	}
	if p.spent {
		return 0, nil, ErrSequence
	}
	header := [HeaderSize]byte{typ, byte(version >> 8), byte(version), byte(len(fragment) >> 8), byte(len(fragment))}
	inner, content, err := p.mode.open(&header, p.seq, fragment)
	if err != nil {
		clear(fragment)
		return 0, nil, err
	}
	p.advance()
	return inner, content, nil
}

// SideBySide reports whether OpenMany is faster than Open.
func (p *Protector) SideBySide() bool { return p.many != nil }

// OpenMany is Open for records that follow each other and have the same header: it
// decrypts the fragments in place and replaces them by their contents. It returns how
// many records it opened, and the error of the one after these. It is for the versions
// before TLS 1.3, where the header has the type.
func (p *Protector) OpenMany(typ uint8, version uint16, fragments [][]byte) (int, error) {
	done := 0
	for done < len(fragments) {
		size := len(fragments[done])
		count := p.sideBySide(len(fragments) - done)
		if count == 0 || size < p.Overhead()+maxBlock || size > p.MaxFragment() {
			_, content, err := p.Open(typ, version, fragments[done])
			if err != nil {
				return done, p.forget(fragments[done:], err)
			}
			fragments[done] = content
			done++
			continue
		}
		header := [HeaderSize]byte{typ, byte(version >> 8), byte(version), byte(size >> 8), byte(size)}
		n, err := p.many.openMany(&header, p.seq, fragments[done:][:count])
		p.seq += uint64(n)
		done += n
		if err != nil {
			return done, p.forget(fragments[done:], err)
		}
	}
	return done, nil
}

// forget overwrites fragments that may have been decrypted and must not be read.
func (p *Protector) forget(fragments [][]byte, err error) error {
	for _, fragment := range fragments {
		clear(fragment)
	}
	return err
}

// Wipe overwrites the keys, but for the key schedules of the ciphers, of which it lets
// go; nothing can be sealed or opened any more. It may be called again.
func (p *Protector) Wipe() {
	if p.mode == nil {
		return
	}
	p.spent = true
	p.mode.wipe()
	p.mode, p.many = nil, nil
}

// advance moves to the next record.
func (p *Protector) advance() {
	if p.seq == p.suite.MaxSeq {
		p.spent = true
		return
	}
	p.seq++
}
