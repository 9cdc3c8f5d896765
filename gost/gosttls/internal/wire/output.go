package wire

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"propusk/gost/gosttls/internal/record"
)

// recordsPerWrite is how many records of application data go into one write to
// the connection below.
const recordsPerWrite = 16

// firstFlight is how many bytes a flight has at first: most have less.
const firstFlight = 2048

// ErrSequenceExhausted is returned by WriteData when the cipher suite allows no
// more records on this connection (RFC 9189, Section 4.3.5). The peer has been
// told by close_notify.
var ErrSequenceExhausted = errors.New("gosttls: record numbers are used up")

// ErrWriteClosed is returned by writes after close_notify or a fatal alert.
var ErrWriteClosed = errors.New("gosttls: write after the connection was closed for writing")

// Output is the sending direction of a connection. Its methods take the mutex;
// they may be used by several goroutines.
type Output struct {
	sync.Mutex

	// Writer is the connection below.
	Writer io.Writer

	// Protect is nil before ChangeCipherSpec, Pending becomes Protect with it.
	Protect, Pending *record.Protector

	// Version is the version that records get. Zero means Version.
	Version uint16

	// KeyUpdate, if set, is called with the mutex held when the keys of TLS 1.3
	// should be replaced (RFC 9367, Section 4.1.3). It returns the message of this
	// name and the protection that follows it.
	KeyUpdate func() (msg []byte, next *record.Protector, err error)

	// UpdateOwed is set when the peer asked for a KeyUpdate. It goes out before the
	// next application data, which is when RFC 8446, Section 4.6.3, wants it; so the
	// reading side never waits for the writing one.
	UpdateOwed atomic.Bool

	// err ends the direction for good: after a write that failed nobody knows
	// which part of a record the peer has.
	err error

	// flight collects the records of a flight of handshake messages, in one of
	// writeBuffers. Nil when nothing is queued.
	flight *[]byte
}

// Queue adds content to the flight, in as many records as it needs.
func (o *Output) Queue(typ RecordType, content []byte) error {
	o.Lock()
	defer o.Unlock()
	for first := true; first || len(content) > 0; first = false {
		n := min(len(content), record.MaxPlaintext)
		if err := o.queueLocked(typ, content[:n]); err != nil {
			return err
		}
		content = content[n:]
	}
	return nil
}

// QueueChangeCipherSpec adds the message of this name to the flight and switches
// to the pending protection.
func (o *Output) QueueChangeCipherSpec() error {
	if err := o.Queue(TypeChangeCipherSpec, []byte{1}); err != nil {
		return err
	}
	o.Lock()
	defer o.Unlock()
	o.Protect, o.Pending = o.Pending, nil
	return nil
}

// Flush sends the flight in one write.
func (o *Output) Flush() error {
	o.Lock()
	defer o.Unlock()
	return o.flushLocked()
}

func (o *Output) flushLocked() error {
	if o.flight == nil {
		return o.err
	}
	defer o.dropFlight()
	return o.write(*o.flight)
}

// dropFlight gives the buffer of the flight back.
func (o *Output) dropFlight() {
	writeBuffersFor(len(*o.flight)).Put(o.flight)
	o.flight = nil
}

// queueLocked adds a record to the flight.
func (o *Output) queueLocked(typ RecordType, content []byte) error {
	if o.err != nil {
		return o.err
	}
	if o.flight == nil {
		buf, ok := writeBuffers[0].Get().(*[]byte)
		if !ok {
			buf = new([]byte)
		}
		*buf = slices.Grow((*buf)[:0], firstFlight)
		o.flight = buf
	}
	flight, err := o.seal(*o.flight, typ, content)
	if err != nil {
		o.dropFlight()
		return err
	}
	*o.flight = flight
	return nil
}

// SendAlert sends an alert, after what is queued. After close_notify or a fatal
// alert nothing is sent any more.
func (o *Output) SendAlert(a Alert) error {
	o.Lock()
	defer o.Unlock()
	return o.sendAlertLocked(a)
}

func (o *Output) sendAlertLocked(a Alert) error {
	if errors.Is(o.err, ErrWriteClosed) {
		return nil
	}
	if o.err != nil {
		return o.err
	}
	err := o.queueLocked(TypeAlert, []byte{a.level(), uint8(a)})
	if err == nil {
		err = o.flushLocked()
	}
	if err == nil && a != AlertNoRenegotiation {
		o.end(ErrWriteClosed)
	}
	return err
}

// writeBuffers hold buffers, so that an idle connection does not keep one: for up to one
// record, four and recordsPerWrite. They are apart because a buffer never shrinks, and is
// held for as long as the peer takes to read.
var writeBuffers [3]sync.Pool

// writeBuffersFor returns the pool for a write of n bytes.
func writeBuffersFor(n int) *sync.Pool {
	switch {
	case n <= record.MaxPlaintext:
		return &writeBuffers[0]
	case n <= 4*record.MaxPlaintext:
		return &writeBuffers[1]
	}
	return &writeBuffers[2]
}

// WriteData sends application data. It returns how many bytes of b were handed
// to the connection below.
func (o *Output) WriteData(b []byte) (int, error) {
	o.Lock()
	defer o.Unlock()
	pool := writeBuffersFor(len(b))
	buf, ok := pool.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	defer pool.Put(buf)
	done := 0
	for done < len(b) {
		if o.err == nil && o.Protect.LastOne() {
			return done, o.exhaust()
		}
		if err := o.updateKeys(); err != nil {
			return done, err
		}
		n, err := o.writeBatch(buf, b[done:])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, o.err
}

// updateKeys replaces the keys of TLS 1.3 before the record numbers run out.
func (o *Output) updateKeys() error {
	if o.err != nil || o.KeyUpdate == nil || (!o.Protect.UpdateSoon() && !o.UpdateOwed.Load()) {
		return o.err
	}
	o.UpdateOwed.Store(false)
	msg, next, err := o.KeyUpdate()
	if err != nil {
		o.err = err
		return err
	}
	rec, err := o.seal(nil, TypeHandshake, msg)
	if err != nil {
		o.err = err
		return err
	}
	o.Protect.Wipe()
	o.Protect = next
	return o.write(rec)
}

// writeBatch sends the beginning of b in one write, as much as recordsPerWrite
// records hold and their numbers allow.
func (o *Output) writeBatch(buf *[]byte, b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	b = b[:min(len(b), recordsPerWrite*record.MaxPlaintext)]
	// Grown once, and not by every record.
	*buf = slices.Grow((*buf)[:0], len(b)+(len(b)/record.MaxPlaintext+1)*(record.HeaderSize+o.Protect.Overhead()))
	sealed, n, err := o.Protect.SealMany(*buf, uint8(TypeApplicationData), cmp.Or(o.Version, Version), b, record.MaxPlaintext)
	if err != nil {
		o.err = fmt.Errorf("gosttls: write record: %w", err)
		return 0, o.err
	}
	*buf = sealed
	if err := o.write(sealed); err != nil {
		return 0, err
	}
	return n, nil
}

// end ends the direction for good, and forgets the keys.
func (o *Output) end(err error) {
	o.err = err
	for _, p := range []*record.Protector{o.Protect, o.Pending} {
		if p != nil {
			p.Wipe()
		}
	}
}

// exhaust uses the last record number for close_notify (RFC 9189, Section 4.3.5).
func (o *Output) exhaust() error {
	if err := o.sendAlertLocked(AlertCloseNotify); err != nil {
		return err
	}
	o.err = ErrSequenceExhausted
	return ErrSequenceExhausted
}

// seal appends a record to dst.
func (o *Output) seal(dst []byte, typ RecordType, content []byte) ([]byte, error) {
	if o.Protect != nil {
		dst, err := o.Protect.Seal(dst, uint8(typ), cmp.Or(o.Version, Version), content)
		if err != nil {
			return nil, fmt.Errorf("gosttls: write record: %w", err)
		}
		return dst, nil
	}
	dst = append(dst, uint8(typ))
	dst = binary.BigEndian.AppendUint16(dst, cmp.Or(o.Version, Version))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(content)))
	return append(dst, content...), nil
}

// write hands bytes to the connection below.
func (o *Output) write(b []byte) error {
	if o.err != nil {
		return o.err
	}
	if _, err := o.Writer.Write(b); err != nil {
		o.end(err)
	}
	return o.err
}
