package tokens

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"propusk/pki/reason"
)

// What a process with a library is asked, and what it answers: frames over its pipes.
// A frame is the length of the rest, 4 bytes, the number of the request, 4 bytes, and
// the request or the answer. Numbers are big-endian; one of PKCS #11 has 8 bytes. There
// is one way to write a thing down, and nothing after it.
//
// Neither side trusts the other: a library that went wild may have written into the
// memory of its process, and answers are taken for what a library might say, no more.

// wireVersion is told by a child before anything else.
const wireVersion = 1

// Limits on frames. The longest thing that travels is a certificate or a data object.
const (
	frameHeader  = 8
	maxFrame     = 256 << 10 // bytes after the header
	maxText      = 256       // bytes of a text
	maxTemplate  = 64        // attributes
	maxErrorText = 1 << 10   // bytes
)

// errWire is a frame that cannot be.
var errWire = errors.New("the process of the library does not speak our protocol")

// operation says what is asked.
type operation uint8

const (
	opHello operation = iota // what a child says unasked
	opInfo
	opSlots
	opToken
	opMechanisms
	opOpen
	opState
	opLogin
	opLogout
	opShut
	opFind
	opAttribute
	opSign
	opSignPIN
	opVerify
	opCreate
	opDestroy
	opDerive
	opGenerate
	opClose
	opEnd
)

// request is a call. What an operation does not need is zero.
type request struct {
	op            operation
	on            uint // the slot, or the session
	object, kind  uint // the object or key; the kind of attribute or user
	flag          bool // a session may write; there is no PIN, since it is entered on a pad
	mechanism     mechanism
	template      []attribute
	second        []attribute // of the private key
	data, further []byte      // what is signed, or the PIN; a signature, or a PIN
}

// answer is what came of a call: an error, or what the operation gives.
type answer struct {
	failed     bool
	code       uint   // of PKCS #11; zero if the error is another
	reason     string // of another error
	text       string // of another error
	info       Info
	token      tokenInfo
	mechanisms []Mechanism
	numbers    []uint
	data       []byte
}

// wire writes.
type wire struct{ b []byte }

func (w *wire) u8(n uint8) { w.b = append(w.b, n) }

func (w *wire) bool(v bool) {
	if v {
		w.u8(1)
	} else {
		w.u8(0)
	}
}

func (w *wire) u32(n uint32) { w.b = binary.BigEndian.AppendUint32(w.b, n) }

func (w *wire) u64(n uint) { w.b = binary.BigEndian.AppendUint64(w.b, uint64(n)) }

// bytes writes at most what a frame can have; a longer frame is refused as a whole.
func (w *wire) bytes(b []byte) {
	w.u32(uint32(min(len(b), maxFrame+1)))
	w.b = append(w.b, b...)
}

func (w *wire) text(s string) { w.bytes([]byte(s)) }

func (w *wire) template(t []attribute) {
	w.u8(uint8(min(len(t), math.MaxUint8)))
	for _, a := range t {
		w.u64(a.kind)
		w.bytes(a.value)
	}
}

// frame puts the header before what write writes. The room is enough for it not to be
// copied while it grows when it has a PIN in it.
func frame(id uint32, room int, write func(*wire)) ([]byte, error) {
	w := &wire{b: make([]byte, frameHeader, frameHeader+128+room)}
	write(w)
	length := len(w.b) - frameHeader
	if length > maxFrame {
		clear(w.b)
		return nil, reason.Errorf(reason.TokenFailed, "%d bytes are too many for a token", length)
	}
	binary.BigEndian.PutUint32(w.b, uint32(length))
	binary.BigEndian.PutUint32(w.b[4:], id)
	return w.b, nil
}

// readFrame reads one frame into memory of its own.
func readFrame(r io.Reader) (id uint32, body []byte, err error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(header[:])
	if length > maxFrame {
		return 0, nil, errWire
	}
	body = make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, err
	}
	return binary.BigEndian.Uint32(header[4:]), body, nil
}

func (q *request) write(w *wire) {
	w.u8(uint8(q.op))
	w.u64(q.on)
	w.u64(q.object)
	w.u64(q.kind)
	w.bool(q.flag)
	w.u64(q.mechanism.kind)
	w.bytes(q.mechanism.parameter)
	a := q.mechanism.agreement
	w.bool(a != nil)
	if a != nil {
		w.u64(a.kdf)
		w.bytes(a.shared)
		w.bytes(a.public)
	}
	w.template(q.template)
	w.template(q.second)
	w.bytes(q.data)
	w.bytes(q.further)
}

// parseRequest reads a request, whose bytes are those of body.
func parseRequest(body []byte) (*request, error) {
	r := reader{in: body}
	q := &request{op: operation(r.u8()), on: r.u64(), object: r.u64(), kind: r.u64(), flag: r.bool()}
	q.mechanism.kind, q.mechanism.parameter = r.u64(), r.bytes(maxFrame)
	if r.bool() {
		q.mechanism.agreement = &agreement{kdf: r.u64(), shared: r.bytes(maxFrame), public: r.bytes(maxFrame)}
	}
	q.template, q.second = r.template(), r.template()
	q.data, q.further = r.bytes(maxFrame), r.bytes(maxFrame)
	if !r.done() || q.op == opHello || q.op >= opEnd {
		return nil, errWire
	}
	return q, nil
}

func (a *answer) write(w *wire) {
	w.bool(a.failed)
	w.u64(a.code)
	w.text(a.reason)
	w.text(a.text)
	for _, s := range []string{a.info.Manufacturer, a.info.Description, a.info.Version} {
		w.text(s)
	}
	t := &a.token
	for _, s := range []string{t.label, t.manufacturer, t.model, t.serial} {
		w.text(s)
	}
	for _, n := range []uint{t.flags, t.maxSessions, t.minPIN, t.maxPIN} {
		w.u64(n)
	}
	w.bool(t.triesKnown)
	w.u8(uint8(min(max(t.tries, 0), math.MaxUint8)))
	w.u32(uint32(len(a.mechanisms)))
	for _, m := range a.mechanisms {
		for _, n := range []uint{m.Type, m.MinKey, m.MaxKey, m.Flags} {
			w.u64(n)
		}
	}
	w.u32(uint32(len(a.numbers)))
	for _, n := range a.numbers {
		w.u64(n)
	}
	w.bytes(a.data)
}

// parseAnswer reads an answer, whose bytes are those of body.
func parseAnswer(body []byte) (*answer, error) {
	r := reader{in: body}
	a := &answer{failed: r.bool(), code: r.u64(), reason: r.text(maxText), text: r.text(maxErrorText)}
	a.info = Info{Manufacturer: r.text(maxText), Description: r.text(maxText), Version: r.text(maxText)}
	a.token = tokenInfo{label: r.text(maxText), manufacturer: r.text(maxText), model: r.text(maxText), serial: r.text(maxText)}
	for _, n := range []*uint{&a.token.flags, &a.token.maxSessions, &a.token.minPIN, &a.token.maxPIN} {
		*n = r.u64()
	}
	a.token.triesKnown, a.token.tries = r.bool(), int(r.u8())
	for range r.count(maxMechanisms) {
		a.mechanisms = append(a.mechanisms, Mechanism{Type: r.u64(), MinKey: r.u64(), MaxKey: r.u64(), Flags: r.u64()})
	}
	for range r.count(maxObjects) {
		a.numbers = append(a.numbers, r.u64())
	}
	a.data = r.bytes(maxFrame)
	_, known := reason.Lookup(reason.Code(a.reason))
	switch {
	case !r.done(),
		a.failed != (a.code != 0 || a.reason != ""),
		a.reason != "" && (a.code != 0 || !known):
		return nil, errWire
	}
	return a, nil
}

// err is the error that an answer tells; nil for none.
func (a *answer) err() error {
	switch {
	case !a.failed:
		return nil
	case a.code != 0:
		return rv(a.code)
	case a.text == "":
		return reason.New(reason.Code(a.reason), nil)
	}
	return reason.New(reason.Code(a.reason), errors.New(a.text))
}

// refuse makes an error the answer.
func (a *answer) refuse(err error) {
	*a = answer{failed: true}
	code := reason.TokenFailed
	if e, ok := errors.AsType[*reason.Error](err); ok {
		code, err = e.Code, e.Err
	} else if code, ok := errors.AsType[rv](err); ok && code != 0 {
		a.code = uint(code)
		return
	}
	a.reason = string(code)
	if err != nil {
		a.text = shorten(clean(strings.ToValidUTF8(err.Error(), "?")), maxErrorText)
	}
}

// shorten cuts a text to at most n bytes, between runes.
func shorten(s string, n int) string {
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// reader reads what wire writes; after the first thing that cannot be, everything is
// zero and done is false.
type reader struct {
	in  cryptobyte.String
	bad bool
}

// need notes whether something was read.
func (r *reader) need(ok bool) bool {
	if !ok {
		r.bad, r.in = true, nil
	}
	return ok
}

func (r *reader) done() bool { return !r.bad && r.in.Empty() }

func (r *reader) u8() uint8 {
	var n uint8
	r.need(r.in.ReadUint8(&n))
	return n
}

func (r *reader) bool() bool {
	n := r.u8()
	return r.need(n <= 1) && n == 1
}

func (r *reader) u64() uint {
	var n uint64
	if !r.need(r.in.ReadUint64(&n) && n <= math.MaxUint) {
		return 0
	}
	return uint(n)
}

func (r *reader) count(limit uint32) int {
	var n uint32
	if !r.need(r.in.ReadUint32(&n) && n <= limit) {
		return 0
	}
	return int(n)
}

// bytes returns nil for none.
func (r *reader) bytes(limit uint32) []byte {
	var b []byte
	n := r.count(limit)
	if n == 0 || !r.need(r.in.ReadBytes(&b, n)) {
		return nil
	}
	return b
}

// text reads what people are shown.
func (r *reader) text(limit uint32) string {
	s := string(r.bytes(limit))
	if !r.need(utf8.ValidString(s) && s == clean(s)) {
		return ""
	}
	return s
}

func (r *reader) template() []attribute {
	n := int(r.u8())
	if !r.need(n <= maxTemplate) {
		return nil
	}
	var t []attribute
	for range n {
		t = append(t, attribute{kind: r.u64(), value: r.bytes(maxFrame)})
	}
	return t
}
