package gosttls

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
)

// recordType is the content type of a record (RFC 5246, Section 6.2.1).
type recordType uint8

const (
	typeChangeCipherSpec recordType = 20
	typeAlert            recordType = 21
	typeHandshake        recordType = 22
	typeApplicationData  recordType = 23
)

// Limits on what a peer can make us read or keep.
const (
	// maxUselessRecords is how many empty records and warnings in a row are
	// ignored. They cost us a decryption and bring nothing.
	maxUselessRecords = 16

	// maxHandshakeBytes limits all handshake messages of a connection, so that a
	// peer cannot feed small messages for ever. A chain of ten certificates fits
	// four times.
	maxHandshakeBytes = 1 << 17

	// firstBuffer is what a new connection reserves for reading: a flight of a
	// client without certificate fits.
	firstBuffer = 2048
)

// input is the receiving direction of a connection. Its user holds the mutex.
type input struct {
	sync.Mutex
	reader io.Reader

	// err ends the direction for good. A time-out does not: the bytes so far
	// stay in buf.
	err error

	buf        []byte // buf[start:end] was received and not used yet
	start, end int

	protect *record.Protector // nil before ChangeCipherSpec
	pending *record.Protector // becomes protect with ChangeCipherSpec

	// established is set after the handshake: application data is welcome, and
	// close_notify is a regular end.
	established bool

	data           []byte // application data to be read; part of buf
	handshake      []byte // handshake bytes that are not a whole message yet
	handshakeTotal int
	renegotiations int
}

// next returns the next record that carries something. The content is valid until
// the next call. Alerts are dealt with here: close_notify is io.EOF.
func (in *input) next() (recordType, []byte, error) {
	if in.err != nil {
		return 0, nil, in.err
	}
	typ, content, err := in.nextUseful()
	if err != nil {
		if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
			in.err = err
		}
		return 0, nil, err
	}
	return typ, content, nil
}

func (in *input) nextUseful() (recordType, []byte, error) {
	for range maxUselessRecords {
		typ, content, err := in.readRecord()
		switch {
		case err != nil:
			return 0, nil, err
		case typ == typeAlert:
			if err := in.receiveAlert(content); err != nil {
				return 0, nil, err
			}
		case typ == typeApplicationData && !in.established:
			return 0, nil, refuse(AlertUnexpectedMessage, "application data during the handshake")
		case typ == typeApplicationData && len(content) == 0:
			// Legal (RFC 5246, Section 6.2.1), and of no use.
		default:
			return typ, content, nil
		}
	}
	return 0, nil, refuse(AlertUnexpectedMessage, "more than %d records without content", maxUselessRecords)
}

// readRecord reads one record and removes its protection.
func (in *input) readRecord() (recordType, []byte, error) {
	header, err := in.fill(record.HeaderSize)
	if err != nil {
		return 0, nil, err
	}
	typ, version := recordType(header[0]), binary.BigEndian.Uint16(header[1:])
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
	if in.protect != nil {
		if content, err = in.protect.Open(uint8(typ), version, content); err != nil {
			return 0, nil, unprotectable(err)
		}
	}
	if len(content) == 0 && typ != typeApplicationData {
		return 0, nil, refuse(AlertUnexpectedMessage, "empty record of type %d", typ)
	}
	return typ, content, nil
}

// checkHeader looks at a record before its fragment is read.
func (in *input) checkHeader(typ recordType, version uint16, size int) error {
	if typ < typeChangeCipherSpec || typ > typeApplicationData {
		return refuse(AlertUnexpectedMessage, "record of unknown type %d", typ)
	}
	// Before the versions are agreed, clients put 0301 or their highest one
	// here, and some keep to it until ChangeCipherSpec.
	if version>>8 != 3 || (in.protect != nil && version != VersionTLS12) {
		return refuse(AlertProtocolVersion, "record of version %#04x", version)
	}
	limit := record.MaxPlaintext
	if in.protect != nil {
		limit += in.protect.Overhead()
	}
	if size > limit {
		return refuse(AlertRecordOverflow, "record of %d bytes", size)
	}
	return nil
}

// fill returns the first n bytes that were not used yet, and reads them if
// necessary. They stay in the buffer.
func (in *input) fill(n int) ([]byte, error) {
	in.reserve(n)
	for in.end-in.start < n {
		m, err := in.reader.Read(in.buf[in.end:])
		in.end += m
		if err != nil && in.end-in.start < n {
			return nil, readEOF(err)
		}
	}
	return in.buf[in.start : in.start+n], nil
}

// reserve makes room for n bytes from start on.
func (in *input) reserve(n int) {
	if in.start == in.end {
		in.start, in.end = 0, 0
	}
	if len(in.buf)-in.start >= n {
		return
	}
	buf := in.buf
	if len(buf) < n {
		buf = make([]byte, max(n, firstBuffer, 2*len(buf)))
	}
	in.end = copy(buf, in.buf[in.start:in.end])
	in.start, in.buf = 0, buf
}

// readEOF names the end of the connection below: without close_notify it may be
// the work of an attacker.
func readEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// receiveAlert returns the error that an alert means, nil for warnings.
func (in *input) receiveAlert(content []byte) error {
	if len(content) != 2 {
		return refuse(AlertDecodeError, "alert of %d bytes", len(content))
	}
	level, alert := content[0], Alert(content[1])
	switch {
	case alert == AlertCloseNotify && in.established:
		return io.EOF
	case alert == AlertCloseNotify, level == levelFatal:
		return &RemoteError{Alert: alert}
	case level == levelWarning:
		return nil
	}
	return refuse(AlertIllegalParameter, "alert of level %d", level)
}

// readMessage returns the next handshake message, header included.
func (in *input) readMessage() (message.Type, []byte, error) {
	for {
		typ, raw, ok, err := in.takeMessage()
		if err != nil || ok {
			return typ, raw, err
		}
		rec, content, err := in.next()
		if err != nil {
			return 0, nil, err
		}
		if rec != typeHandshake {
			return 0, nil, refuse(AlertUnexpectedMessage, "record type %d instead of a handshake message", rec)
		}
		if err := in.addHandshake(content); err != nil {
			return 0, nil, err
		}
	}
}

// addHandshake keeps the content of a handshake record.
func (in *input) addHandshake(content []byte) error {
	in.handshakeTotal += len(content)
	if in.handshakeTotal > maxHandshakeBytes {
		return refuse(AlertUnexpectedMessage, "more than %d bytes of handshake", maxHandshakeBytes)
	}
	in.handshake = append(in.handshake, content...)
	return nil
}

// takeMessage returns a handshake message, header included, if a whole one was
// received. Messages may be split over records, and records hold several messages
// (RFC 5246, Section 6.2.1).
func (in *input) takeMessage() (typ message.Type, raw []byte, ok bool, err error) {
	h := in.handshake
	if len(h) < message.HeaderSize {
		return 0, nil, false, nil
	}
	n := int(h[1])<<16 | int(h[2])<<8 | int(h[3])
	if n > message.MaxBody {
		return 0, nil, false, refuse(AlertIllegalParameter, "handshake message of %d bytes", n)
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

// midMessage reports whether a handshake message has begun and not ended.
func (in *input) midMessage() bool { return len(in.handshake) > 0 }

// readChangeCipherSpec reads the message of this name and switches to the pending
// protection.
func (in *input) readChangeCipherSpec() error {
	if in.midMessage() {
		return refuse(AlertUnexpectedMessage, "handshake message where ChangeCipherSpec belongs")
	}
	typ, content, err := in.next()
	if err != nil {
		return err
	}
	if typ != typeChangeCipherSpec {
		return refuse(AlertUnexpectedMessage, "record type %d instead of ChangeCipherSpec", typ)
	}
	if len(content) != 1 || content[0] != 1 {
		return refuse(AlertDecodeError, "malformed ChangeCipherSpec")
	}
	in.protect, in.pending = in.pending, nil
	return nil
}
