package gosttls

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"propusk/gost/gosttls/internal/record"
)

// recordsPerWrite is how many records of application data go into one write to
// the connection below.
const recordsPerWrite = 4

// errWriteClosed is returned by writes after close_notify or a fatal alert.
var errWriteClosed = errors.New("gosttls: write after the connection was closed for writing")

// output is the sending direction of a connection.
type output struct {
	sync.Mutex
	writer io.Writer

	// err ends the direction for good: after a write that failed nobody knows
	// which part of a record the peer has.
	err error

	protect *record.Protector // nil before ChangeCipherSpec
	pending *record.Protector // becomes protect with ChangeCipherSpec

	// flight collects the records of a flight of handshake messages.
	flight []byte
}

// queue adds content to the flight, in as many records as it needs.
func (o *output) queue(typ recordType, content []byte) error {
	o.Lock()
	defer o.Unlock()
	for first := true; first || len(content) > 0; first = false {
		n := min(len(content), record.MaxPlaintext)
		var err error
		if o.flight, err = o.seal(o.flight, typ, content[:n]); err != nil {
			return err
		}
		content = content[n:]
	}
	return nil
}

// queueChangeCipherSpec adds the message of this name to the flight and switches
// to the pending protection.
func (o *output) queueChangeCipherSpec() error {
	if err := o.queue(typeChangeCipherSpec, []byte{1}); err != nil {
		return err
	}
	o.Lock()
	defer o.Unlock()
	o.protect, o.pending = o.pending, nil
	return nil
}

// flush sends the flight in one write.
func (o *output) flush() error {
	o.Lock()
	defer o.Unlock()
	flight := o.flight
	o.flight = nil
	return o.write(flight)
}

// sendAlert sends an alert, after what is queued. After close_notify or a fatal
// alert nothing is sent any more.
func (o *output) sendAlert(a Alert) error {
	o.Lock()
	defer o.Unlock()
	return o.sendAlertLocked(a)
}

func (o *output) sendAlertLocked(a Alert) error {
	if errors.Is(o.err, errWriteClosed) {
		return nil
	}
	if o.err != nil {
		return o.err
	}
	flight, err := o.seal(o.flight, typeAlert, []byte{a.level(), uint8(a)})
	o.flight = nil
	if err == nil {
		err = o.write(flight)
	}
	if err == nil && a != AlertNoRenegotiation {
		o.err = errWriteClosed
	}
	return err
}

// writeBuffers holds buffers for recordsPerWrite records, so that an idle
// connection does not keep one.
var writeBuffers sync.Pool

// writeData sends application data. It returns how many bytes of b were handed
// to the connection below.
func (o *output) writeData(b []byte) (int, error) {
	o.Lock()
	defer o.Unlock()
	buf, ok := writeBuffers.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	defer writeBuffers.Put(buf)
	done := 0
	for done < len(b) {
		if o.err == nil && o.protect.LastOne() {
			return done, o.exhaust()
		}
		n, err := o.writeBatch(buf, b[done:])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, o.err
}

// writeBatch sends the beginning of b in one write, as much as recordsPerWrite
// records hold and their numbers allow.
func (o *output) writeBatch(buf *[]byte, b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	*buf = (*buf)[:0]
	n := 0
	for range recordsPerWrite {
		if n == len(b) || o.protect.LastOne() {
			break
		}
		size := min(len(b)-n, record.MaxPlaintext)
		var err error
		if *buf, err = o.seal(*buf, typeApplicationData, b[n:n+size]); err != nil {
			o.err = err
			return 0, err
		}
		n += size
	}
	if err := o.write(*buf); err != nil {
		return 0, err
	}
	return n, nil
}

// exhaust uses the last record number for close_notify (RFC 9189, Section 4.3.5).
func (o *output) exhaust() error {
	if err := o.sendAlertLocked(AlertCloseNotify); err != nil {
		return err
	}
	o.err = ErrSequenceExhausted
	return ErrSequenceExhausted
}

// seal appends a record to dst.
func (o *output) seal(dst []byte, typ recordType, content []byte) ([]byte, error) {
	if o.protect != nil {
		dst, err := o.protect.Seal(dst, uint8(typ), VersionTLS12, content)
		if err != nil {
			return nil, fmt.Errorf("gosttls: write record: %w", err)
		}
		return dst, nil
	}
	dst = append(dst, uint8(typ))
	dst = binary.BigEndian.AppendUint16(dst, VersionTLS12)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(content)))
	return append(dst, content...), nil
}

// write hands bytes to the connection below.
func (o *output) write(b []byte) error {
	if o.err != nil {
		return o.err
	}
	if _, err := o.writer.Write(b); err != nil {
		o.err = err
	}
	return o.err
}
