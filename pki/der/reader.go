// Package der reads DER (ITU-T X.690) strictly, without copying and without
// allocating: a cursor over the input that hands out slices of it.
//
// An error sticks: after the first one every method returns zero values, and the
// caller asks once, at the end, with [Decoder.Err]. A value that was read before
// the error must not be used; return nothing from a failed parse.
//
// Everything that X.690 forbids in DER is refused, except through methods whose
// names say what they accept; DIVERGENCES.md of package pki lists where they are
// used and which real files need them.
package der

import (
	"encoding/asn1"
	"fmt"
)

// Tag is the identifier octet of an element: class, constructed bit and number.
// Tag numbers above 30, which take more than one octet, are refused.
type Tag uint8

// Universal tags.
const (
	TagBoolean         Tag = 0x01
	TagInteger         Tag = 0x02
	TagBitString       Tag = 0x03
	TagOctetString     Tag = 0x04
	TagNull            Tag = 0x05
	TagOID             Tag = 0x06
	TagEnumerated      Tag = 0x0A
	TagUTF8String      Tag = 0x0C
	TagNumericString   Tag = 0x12
	TagPrintableString Tag = 0x13
	TagTeletexString   Tag = 0x14
	TagIA5String       Tag = 0x16
	TagUTCTime         Tag = 0x17
	TagGeneralizedTime Tag = 0x18
	TagVisibleString   Tag = 0x1A
	TagUniversalString Tag = 0x1C
	TagBMPString       Tag = 0x1E
	TagSequence        Tag = 0x30
	TagSet             Tag = 0x31
)

// Context returns the primitive context-specific tag [n], for 0 ≤ n ≤ 30: an
// IMPLICIT tag over a primitive type.
func Context(n uint8) Tag { return Tag(0x80 | n&0x1F) }

// Constructed returns the constructed context-specific tag [n], for 0 ≤ n ≤ 30:
// an EXPLICIT tag, or an IMPLICIT one over a SEQUENCE or SET.
func Constructed(n uint8) Tag { return Tag(0xA0 | n&0x1F) }

// Error is a way in which input fails to be DER, or to hold it. The values are
// constants.
type Error string

// Error implements error.
func (e Error) Error() string { return "der: " + string(e) }

// The errors of a Decoder.
const (
	ErrTooLarge    Error = "input is too large"
	ErrTooDeep     Error = "elements are nested too deep"
	ErrTooMany     Error = "too many elements"
	ErrTruncated   Error = "input ends inside an element"
	ErrTrailing    Error = "bytes left over after the last element"
	ErrTag         Error = "unexpected tag"
	ErrHighTag     Error = "tag number above 30"
	ErrIndefinite  Error = "indefinite length"
	ErrLength      Error = "length is not minimal or exceeds four octets"
	ErrInteger     Error = "integer is empty or not minimal"
	ErrRange       Error = "integer is out of range"
	ErrBoolean     Error = "boolean is neither 00 nor FF"
	ErrDefault     Error = "default value is written out"
	ErrBitString   Error = "malformed bit string"
	ErrNull        Error = "null is not empty"
	ErrOID         Error = "malformed object identifier"
	ErrTime        Error = "malformed time"
	ErrConstructed Error = "primitive type in constructed form"
)

// SyntaxError is an error and the place where it was found.
type SyntaxError struct {
	Err    error // an Error, or what the caller gave to Reader.Fail
	Offset int   // in bytes from the start of the input
}

// Error implements error.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%v at byte %d", e.Err, e.Offset) }

// Unwrap returns the error without the place.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Limits bound what one input may cost. A zero field means the default.
type Limits struct {
	// Size is the greatest length of the input in bytes. Default: 1 MiB. Without
	// it a sender chooses how much memory is held per request.
	Size int
	// Depth is the greatest depth of nesting. Default: 32. Without it deep
	// nesting exhausts the stack of a recursive caller.
	Depth int
	// Elements is the greatest number of elements read. Default: 65,536. Without
	// it 64 KiB of empty elements cost a caller that keeps each some megabytes.
	Elements int
}

// The defaults of Limits.
const (
	DefaultSize     = 1 << 20
	DefaultDepth    = 32
	DefaultElements = 1 << 16
)

// A Decoder holds the state of reading one input: the first error and what is
// left of the limits. It belongs on the caller's stack; the zero value is ready.
// It is not safe for concurrent use.
type Decoder struct {
	err      error
	offset   int
	elements int
	depth    int
	capacity int
}

// Open starts reading data, of which no copy is made. The Decoder forgets
// whatever it read before.
func (d *Decoder) Open(data []byte, limits Limits) Reader {
	*d = Decoder{
		elements: or(limits.Elements, DefaultElements),
		depth:    or(limits.Depth, DefaultDepth),
		capacity: cap(data),
	}
	if len(data) > or(limits.Size, DefaultSize) {
		d.fail(ErrTooLarge, data)
		return Reader{d: d}
	}
	return Reader{rest: data, d: d}
}

// Err returns the first error, a *SyntaxError, or nil.
func (d *Decoder) Err() error {
	if d.err == nil {
		return nil
	}
	return &SyntaxError{Err: d.err, Offset: d.offset}
}

// fail records the first error; at is the input from the place of the error on.
func (d *Decoder) fail(err error, at []byte) {
	if d.err == nil {
		d.err, d.offset = err, max(0, d.capacity-cap(at))
	}
}

func or(limit, standard int) int {
	if limit > 0 {
		return limit
	}
	return standard
}

// A Reader is a cursor over the contents of one constructed element, or over the
// whole input. Copying a Reader copies the position, so a copy looks ahead.
type Reader struct {
	rest  []byte
	d     *Decoder
	depth int
}

// Ok reports whether no error has happened anywhere in the input.
func (r *Reader) Ok() bool { return r.d.err == nil }

// More reports whether another element follows. It is false after an error, so
// that loops end.
func (r *Reader) More() bool { return len(r.rest) > 0 && r.d.err == nil }

// Rest returns the bytes that were not read yet.
func (r *Reader) Rest() []byte { return r.rest }

// End fails with ErrTrailing unless everything was read.
func (r *Reader) End() {
	if len(r.rest) > 0 {
		r.Fail(ErrTrailing)
	}
}

// Fail records an error of the caller's own at the present position, unless
// there is one already.
func (r *Reader) Fail(err error) { r.d.fail(err, r.rest) }

// Peek reports whether the next element exists and has the given tag.
func (r *Reader) Peek(tag Tag) bool {
	return len(r.rest) > 0 && Tag(r.rest[0]) == tag && r.d.err == nil
}

// Next returns the tag of the next element, and false at the end.
func (r *Reader) Next() (Tag, bool) {
	if !r.More() {
		return 0, false
	}
	return Tag(r.rest[0]), true
}

// Any reads one element of any tag and returns the tag, the whole element with
// its header, and its content.
func (r *Reader) Any() (tag Tag, raw, content []byte) {
	if !r.Ok() {
		return 0, nil, nil
	}
	header, length := 2, 0
	if b := r.rest; len(b) >= 2 && int(b[1]) <= len(b)-2 && b[1] < 0x80 && rightForm[b[0]] {
		length = int(b[1]) // nearly all elements are so
	} else {
		var err Error
		if header, length, err = parseHeader(b); err != "" {
			r.Fail(err)
			return 0, nil, nil
		}
	}
	if r.d.elements--; r.d.elements < 0 {
		r.Fail(ErrTooMany)
		return 0, nil, nil
	}
	tag, raw, content = Tag(r.rest[0]), r.rest[:header+length], r.rest[header:header+length]
	r.rest = r.rest[header+length:]
	return tag, raw, content
}

// Raw reads one element of any tag and returns it with its header.
func (r *Reader) Raw() []byte {
	_, raw, _ := r.Any()
	return raw
}

// RawTag reads one element of the given tag and returns it with its header.
func (r *Reader) RawTag(tag Tag) []byte {
	if !r.expect(tag) {
		return nil
	}
	return r.Raw()
}

// Content reads one element of the given tag and returns its content.
func (r *Reader) Content(tag Tag) []byte {
	if !r.expect(tag) {
		return nil
	}
	_, _, content := r.Any()
	return content
}

// Enter reads one constructed element of the given tag and returns a Reader over
// its content. The caller should call End on it.
func (r *Reader) Enter(tag Tag) Reader {
	return r.Inside(r.Content(tag))
}

// Sequence is Enter for a SEQUENCE.
func (r *Reader) Sequence() Reader { return r.Enter(TagSequence) }

// Set is Enter for a SET. The order of a SET OF is not checked.
func (r *Reader) Set() Reader { return r.Enter(TagSet) }

// Inside returns a Reader over bytes that the input carries, such as the content
// of an OCTET STRING that holds DER itself. It counts as one level deeper and
// shares the error and the limits.
func (r *Reader) Inside(content []byte) Reader {
	if r.depth >= r.d.depth {
		r.d.fail(ErrTooDeep, content)
		content = nil
	}
	if !r.Ok() {
		content = nil
	}
	return Reader{rest: content, d: r.d, depth: r.depth + 1}
}

// Skip reads an optional element of the given tag and reports whether it was
// there.
func (r *Reader) Skip(tag Tag) bool {
	if !r.Peek(tag) {
		return false
	}
	r.Raw()
	return r.Ok()
}

func (r *Reader) expect(tag Tag) bool {
	if r.Peek(tag) {
		return true
	}
	if len(r.rest) == 0 {
		r.Fail(ErrTruncated)
	} else {
		r.Fail(ErrTag)
	}
	return false
}

// parseHeader returns the lengths of the header and of the content of the first
// element of b; both are zero if the header itself is at fault. X.690, Sections 8.1.2, 8.1.3 and 10.1.
func parseHeader(b []byte) (header, length int, err Error) {
	if len(b) < 2 {
		return 0, 0, ErrTruncated
	}
	if b[0]&0x1F == 0x1F {
		return 0, 0, ErrHighTag
	}
	if err := checkForm(Tag(b[0])); err != "" {
		return 0, 0, err
	}
	header, length = 2, int(b[1])
	if b[1] >= 0x80 {
		n := int(b[1] & 0x7F)
		switch {
		case n == 0:
			return 0, 0, ErrIndefinite
		case n > 4:
			return 0, 0, ErrLength
		case len(b) < 2+n:
			return 0, 0, ErrTruncated
		}
		length = 0
		for _, o := range b[2 : 2+n] {
			length = length<<8 | int(o)
		}
		if b[2] == 0 || length < 0x80 {
			return 0, 0, ErrLength
		}
		header = 2 + n
	}
	if length > len(b)-header {
		return header, length, ErrTruncated
	}
	return header, length, ""
}

// Header returns the lengths in bytes of the header and of the content of the first
// element of b, which need not hold the content: for input that arrives in pieces.
// Six bytes are enough. The error is one of those that start with Err.
func Header(b []byte) (header, length int, err error) {
	header, length, problem := parseHeader(b)
	if problem != "" && header == 0 {
		return 0, 0, problem
	}
	return header, length, nil
}

// rightForm says of each first octet whether parseHeader takes it.
var rightForm = func() (right [256]bool) {
	for i := range right {
		right[i] = i&0x1F != 0x1F && checkForm(Tag(i)) == ""
	}
	return right
}()

// checkForm refuses universal types in the wrong form: DER has primitive
// strings only (X.690, Section 10.2), and a SEQUENCE or SET is constructed.
func checkForm(tag Tag) Error {
	if tag&0xC0 != 0 {
		return ""
	}
	constructed, number := tag&0x20 != 0, tag&0x1F
	switch number {
	case 0x00:
		return ErrTag // end-of-contents belongs to indefinite lengths
	case 0x08, 0x0B, 0x10, 0x11, 0x1D: // EXTERNAL, EMBEDDED PDV, SEQUENCE, SET, CHARACTER STRING
		if !constructed {
			return ErrTag
		}
	default:
		if constructed {
			return ErrConstructed
		}
	}
	return ""
}

// OID is the content of an OBJECT IDENTIFIER. string(oid) is a good map key.
type OID []byte

// ObjectIdentifier returns the numbers of the identifier; an allocation.
func (o OID) ObjectIdentifier() asn1.ObjectIdentifier {
	id := make(asn1.ObjectIdentifier, 0, len(o)+1)
	arc := 0
	for _, b := range o {
		arc = arc<<7 | int(b&0x7F)
		if b&0x80 != 0 {
			continue
		}
		if len(id) == 0 {
			first := min(arc/40, 2)
			id = append(id, first, arc-40*first)
		} else {
			id = append(id, arc)
		}
		arc = 0
	}
	return id
}

// String returns the dotted form, "1.2.643.7.1.1.1.1".
func (o OID) String() string { return o.ObjectIdentifier().String() }
