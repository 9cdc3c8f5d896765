package wire

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
)

// RecordType is the content type of a record (RFC 5246, Section 6.2.1).
type RecordType uint8

// Types of records.
const (
	TypeChangeCipherSpec RecordType = 20
	TypeAlert            RecordType = 21
	TypeHandshake        RecordType = 22
	TypeApplicationData  RecordType = 23
)

// Version is the version in records of TLS 1.2 and 1.3.
const Version uint16 = 0x0303

// Limits on what a peer can make us read or keep.
const (
	// MaxUselessRecords is how many empty records and warnings in a row are
	// ignored. They cost us a decryption and bring nothing.
	MaxUselessRecords = 16

	// maxHandshakeBytes limits all handshake messages of a connection, so that a
	// peer cannot feed small messages for ever. A chain of ten certificates fits
	// four times.
	maxHandshakeBytes = 1 << 17

	// smallBuffer is what a connection keeps for reading, also when it is idle: a
	// request fits, and most flights of a handshake.
	smallBuffer = 4096

	// largeBuffer is what a connection borrows while records arrive that are longer:
	// eight of them.
	largeBuffer = recordsPerRead * (record.HeaderSize + record.MaxPlaintext + 256)

	// recordsPerRead is how many records are opened at once.
	recordsPerRead = 8

	// busy is how many bytes in one read mean that more are coming.
	busy = record.MaxPlaintext
)

// largeBuffers holds buffers of largeBuffer bytes, so that an idle connection does not
// keep one. The small ones go into smallBuffers when the connection ends.
var (
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
)

// Input is the receiving direction of a connection. Its user holds the mutex for
// every method and field.
type Input struct {
	sync.Mutex

	// Reader is the connection below.
	Reader io.Reader

	// Protect is nil before ChangeCipherSpec, Pending becomes Protect with it.
	Protect, Pending *record.Protector

	// Version is what protected records must have as their version. Zero means
	// Version.
	Version uint16

	// Established is to be set after the handshake: application data is welcome
	// then, and close_notify is a regular end.
	Established bool

	// SkipChangeCipherSpec lets records of this type pass that some clients of TLS
	// 1.3 send during the handshake to please middle boxes (RFC 8446, Section 5).
	SkipChangeCipherSpec bool

	// err ends the direction for good. A time-out does not: the bytes so far
	// stay in buf.
	err error

	buf        []byte // small, large[:] or nil; buf[start:end] was received and not used yet
	start, end int
	small      *[smallBuffer]byte // or nil
	large      *[largeBuffer]byte // borrowed, or nil
	lastRead   int                // bytes

	// opened holds the contents of records of application data that were opened at
	// once, parts of buf: those from nextOpened on are still to be returned, and then
	// openedErr, if it is not nil.
	opened     [recordsPerRead][]byte
	nextOpened int
	openedErr  error

	handshake      []byte // handshake bytes that are not a whole message yet
	handshakeTotal int

	earlyData int // bytes that may still be skipped; see SkipEarlyData
}

// Next returns the next record that carries something. The content is valid until
// the next call. Alerts are dealt with here: close_notify is io.EOF.
func (in *Input) Next() (RecordType, []byte, error) {
	if in.err != nil {
		return 0, nil, in.err
	}
	typ, content, err := in.nextUseful()
	if err != nil {
		if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
			in.Fail(err)
			in.release()
		}
		return 0, nil, err
	}
	return typ, content, nil
}

// Fail ends the direction: every later Next returns err.
func (in *Input) Fail(err error) { in.err = err }

// release gives the buffers back when the direction has ended, and forgets the keys.
// Nothing that Next returned is valid any more.
func (in *Input) release() {
	for _, p := range []*record.Protector{in.Protect, in.Pending} {
		if p != nil {
			p.Wipe()
		}
	}
	if in.large != nil {
		largeBuffers.Put(in.large)
	}
	if in.small != nil {
		smallBuffers.Put(in.small)
	}
	in.large, in.small, in.buf, in.start, in.end = nil, nil, nil, 0, 0
	clear(in.opened[:])
}

func (in *Input) nextUseful() (RecordType, []byte, error) {
	for range MaxUselessRecords {
		typ, content, err := in.readRecord()
		switch {
		case err != nil:
			return 0, nil, err
		case typ == TypeAlert:
			if err := in.receiveAlert(content); err != nil {
				return 0, nil, err
			}
		case typ == TypeChangeCipherSpec && in.SkipChangeCipherSpec && !in.Established:
			// RFC 8446, Section 5.1: nothing comes between the parts of a message.
			if len(content) != 1 || content[0] != 1 || in.MidMessage() {
				return 0, nil, Refuse(AlertUnexpectedMessage, "malformed or misplaced ChangeCipherSpec")
			}
		case typ == TypeApplicationData && !in.Established:
			return 0, nil, Refuse(AlertUnexpectedMessage, "application data during the handshake")
		case typ == TypeApplicationData && len(content) == 0:
			// Legal (RFC 5246, Section 6.2.1), and of no use.
		default:
			return typ, content, nil
		}
	}
	return 0, nil, Refuse(AlertUnexpectedMessage, "more than %d records without content", MaxUselessRecords)
}

// readRecord reads one record and removes its protection.
func (in *Input) readRecord() (RecordType, []byte, error) {
	if in.nextOpened < len(in.opened) && (in.opened[in.nextOpened] != nil || in.openedErr != nil) {
		return in.takeOpened()
	}
	header, err := in.fill(record.HeaderSize)
	if err != nil {
		return 0, nil, err
	}
	typ, version := RecordType(header[0]), binary.BigEndian.Uint16(header[1:])
	size := int(binary.BigEndian.Uint16(header[3:]))
	if err := in.checkHeader(typ, version, size); err != nil {
		return 0, nil, err
	}
	whole, err := in.fill(record.HeaderSize + size)
	if err != nil {
		return 0, nil, err
	}
	in.start += len(whole)
	content := whole[record.HeaderSize:]
	if in.openMany(whole) {
		return in.takeOpened()
	}
	if in.Protect != nil && !in.inClear(typ, content) {
		// RFC 8446, Section 5: what is not application data from the outside, as
		// ChangeCipherSpec after the handshake.
		if in.Protect.Version13() && typ != TypeApplicationData {
			return 0, nil, Refuse(AlertUnexpectedMessage, "record of type %d in clear", typ)
		}
		inner, content, err := in.Protect.Open(uint8(typ), version, content)
		if err != nil && in.isEarlyData(typ, size, err) {
			return in.readRecord()
		}
		if err != nil {
			return 0, nil, unprotectable(err)
		}
		in.earlyData = 0
		return in.checkOpened(RecordType(inner), content)
	}
	if in.Protect == nil && in.isEarlyData(typ, size, nil) {
		return in.readRecord()
	}
	return checkContent(typ, content)
}

// checkOpened refuses what TLS 1.3 never protects (RFC 8446, Section 5).
func (in *Input) checkOpened(typ RecordType, content []byte) (RecordType, []byte, error) {
	if typ == TypeChangeCipherSpec && in.Protect.Version13() {
		return 0, nil, Refuse(AlertUnexpectedMessage, "protected ChangeCipherSpec")
	}
	return checkContent(typ, content)
}

// openMany opens the record and those after it in the buffer that have the same header,
// if there are any and the suite gains by it.
func (in *Input) openMany(first []byte) bool {
	if !in.Established || in.Protect == nil || !in.Protect.SideBySide() || RecordType(first[0]) != TypeApplicationData {
		return false
	}
	header, rest := first[:record.HeaderSize], in.buf[in.start:in.end]
	if len(rest) < len(first) || !bytes.HasPrefix(rest, header) {
		return false
	}
	in.opened[0] = first[record.HeaderSize:]
	count := 1
	for ; count < len(in.opened) && len(rest) >= len(first) && bytes.HasPrefix(rest, header); count++ {
		in.opened[count] = rest[record.HeaderSize:len(first)]
		rest = rest[len(first):]
	}
	in.start += (count - 1) * len(first)
	n, err := in.Protect.OpenMany(header[0], binary.BigEndian.Uint16(header[1:]), in.opened[:count])
	clear(in.opened[n:])
	in.nextOpened = 0
	if err != nil {
		in.openedErr = unprotectable(err)
	}
	return true
}

// takeOpened returns what openMany has opened, one after the other.
func (in *Input) takeOpened() (RecordType, []byte, error) {
	content := in.opened[in.nextOpened]
	if content == nil {
		return 0, nil, in.openedErr
	}
	in.opened[in.nextOpened] = nil
	in.nextOpened++
	return TypeApplicationData, content, nil
}

// checkContent refuses empty records that are not application data (RFC 5246,
// Section 6.2.1; RFC 8446, Section 5.1), and types that TLS 1.3 hid from checkHeader.
func checkContent(typ RecordType, content []byte) (RecordType, []byte, error) {
	if typ < TypeChangeCipherSpec || typ > TypeApplicationData {
		return 0, nil, Refuse(AlertUnexpectedMessage, "record of unknown type %d", typ)
	}
	if len(content) == 0 && typ != TypeApplicationData {
		return 0, nil, Refuse(AlertUnexpectedMessage, "empty record of type %d", typ)
	}
	return typ, content, nil
}

// inClear reports whether a record of TLS 1.3 is one of those that are not protected
// although there are keys: change_cipher_spec, and the alert of a client that did not
// like ServerHello and so has no keys.
func (in *Input) inClear(typ RecordType, content []byte) bool {
	if !in.Protect.Version13() || in.Established {
		return false
	}
	switch typ {
	case TypeChangeCipherSpec:
		return in.SkipChangeCipherSpec
	case TypeAlert:
		return in.Protect.Unused() && len(content) == 2
	}
	return false
}

// checkHeader looks at a record before its fragment is read.
func (in *Input) checkHeader(typ RecordType, version uint16, size int) error {
	if typ < TypeChangeCipherSpec || typ > TypeApplicationData {
		return Refuse(AlertUnexpectedMessage, "record of unknown type %d", typ)
	}
	// Before the versions are agreed, clients put 0301 or their highest one
	// here, and some keep to it until ChangeCipherSpec.
	if version>>8 != 3 || (in.Protect != nil && version != cmp.Or(in.Version, Version)) {
		return Refuse(AlertProtocolVersion, "record of version %#04x", version)
	}
	limit := record.MaxPlaintext
	if in.Protect != nil {
		limit = in.Protect.MaxFragment()
	}
	if size > limit {
		return Refuse(AlertRecordOverflow, "record of %d bytes", size)
	}
	return nil
}

// fill returns the first n bytes that were not used yet, and reads them if
// necessary. They stay in the buffer.
func (in *Input) fill(n int) ([]byte, error) {
	in.reserve(n)
	for in.end-in.start < n {
		m, err := in.Reader.Read(in.buf[in.end:])
		in.end += m
		in.lastRead = m
		if err != nil && in.end-in.start < n {
			return nil, NoEOF(err)
		}
	}
	return in.buf[in.start : in.start+n], nil
}

// reserve makes room for n bytes from start on, at most one record. When everything was
// used and the peer has paused, the large buffer goes back: the next read may be the one
// that waits for hours.
func (in *Input) reserve(n int) {
	if in.start == in.end {
		in.start, in.end = 0, 0
		if in.large != nil && in.lastRead < busy {
			largeBuffers.Put(in.large)
			in.large, in.buf = nil, nil
			if in.small != nil {
				in.buf = in.small[:]
			}
		}
	}
	if len(in.buf)-in.start >= n {
		return
	}
	buf := in.buf
	switch {
	case len(buf) >= n:
	case n <= smallBuffer:
		small, ok := smallBuffers.Get().(*[smallBuffer]byte)
		if !ok {
			panic("wire: the pool holds something else")
		}
		in.small, buf = small, small[:]
	default:
		large, ok := largeBuffers.Get().(*[largeBuffer]byte)
		if !ok {
			panic("wire: the pool holds something else")
		}
		in.large, buf = large, large[:]
	}
	in.end = copy(buf, in.buf[in.start:in.end])
	in.start, in.buf = 0, buf
}

// NoEOF names the end of the connection below: without close_notify it may be
// the work of an attacker.
func NoEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// receiveAlert returns the error that an alert means, nil for warnings.
func (in *Input) receiveAlert(content []byte) error {
	if len(content) != 2 {
		return Refuse(AlertDecodeError, "alert of %d bytes", len(content))
	}
	level, alert := content[0], Alert(content[1])
	switch {
	case alert == AlertCloseNotify && in.Established:
		return io.EOF
	case alert == AlertCloseNotify, level == LevelFatal:
		return &RemoteError{Alert: alert}
	case in.Protect != nil && in.Protect.Version13() && alert != AlertUserCanceled:
		// The level means nothing in TLS 1.3 (RFC 8446, Section 6).
		return &RemoteError{Alert: alert}
	case level == LevelWarning:
		return nil
	}
	return Refuse(AlertIllegalParameter, "alert of level %d", level)
}

// ReadMessage returns the next handshake message, header included.
func (in *Input) ReadMessage() (message.Type, []byte, error) {
	for {
		typ, raw, ok, err := in.TakeMessage()
		if err != nil || ok {
			return typ, raw, err
		}
		if err := in.readHandshake(); err != nil {
			return 0, nil, err
		}
	}
}

// readHandshake reads one record, which must be of the handshake.
func (in *Input) readHandshake() error {
	typ, content, err := in.Next()
	if err != nil {
		return err
	}
	if typ != TypeHandshake {
		return Refuse(AlertUnexpectedMessage, "record type %d instead of a handshake message", typ)
	}
	return in.AddHandshake(content)
}

// AddHandshake keeps the content of a handshake record.
func (in *Input) AddHandshake(content []byte) error {
	in.handshakeTotal += len(content)
	if in.handshakeTotal > maxHandshakeBytes {
		return Refuse(AlertUnexpectedMessage, "more than %d bytes of handshake", maxHandshakeBytes)
	}
	in.handshake = append(in.handshake, content...)
	return nil
}

// TakeMessage returns a handshake message, header included, if a whole one was
// received. Messages may be split over records, and records hold several messages
// (RFC 5246, Section 6.2.1).
func (in *Input) TakeMessage() (typ message.Type, raw []byte, ok bool, err error) {
	h := in.handshake
	if len(h) < message.HeaderSize {
		return 0, nil, false, nil
	}
	n := int(h[1])<<16 | int(h[2])<<8 | int(h[3])
	if n > message.MaxBody {
		return 0, nil, false, Refuse(AlertIllegalParameter, "handshake message of %d bytes", n)
	}
	n += message.HeaderSize
	if len(h) < n {
		return 0, nil, false, nil
	}
	in.handshake = h[n:]
	if len(in.handshake) == 0 {
		in.handshake = nil // the message keeps the array
	}
	return message.Type(h[0]), h[:n:n], true, nil
}

// MidMessage reports whether a handshake message has begun and not ended.
func (in *Input) MidMessage() bool { return len(in.handshake) > 0 }

// ReadChangeCipherSpec reads the message of this name and switches to the pending
// protection.
func (in *Input) ReadChangeCipherSpec() error {
	if in.MidMessage() {
		return Refuse(AlertUnexpectedMessage, "handshake message where ChangeCipherSpec belongs")
	}
	typ, content, err := in.Next()
	if err != nil {
		return err
	}
	if typ != TypeChangeCipherSpec {
		return Refuse(AlertUnexpectedMessage, "record type %d instead of ChangeCipherSpec", typ)
	}
	if len(content) != 1 || content[0] != 1 {
		return Refuse(AlertDecodeError, "malformed ChangeCipherSpec")
	}
	in.Protect, in.Pending = in.Pending, nil
	return nil
}
