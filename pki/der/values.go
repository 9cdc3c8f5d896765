package der

import (
	"math"
	"time"
)

// OID reads an OBJECT IDENTIFIER. Arcs above 2³¹−1 are refused, as no register
// gives them out. X.690, Section 8.19.
func (r *Reader) OID() OID {
	b := r.Content(TagOID)
	if r.Ok() && !validOID(b) {
		r.Fail(ErrOID)
	}
	if !r.Ok() {
		return nil
	}
	return OID(b)
}

func validOID(b []byte) bool {
	if len(b) == 0 || b[len(b)-1]&0x80 != 0 {
		return false
	}
	arc, start := uint64(0), true
	for _, o := range b {
		if start && o == 0x80 {
			return false // a leading zero of an arc
		}
		arc = arc<<7 | uint64(o&0x7F)
		if arc > math.MaxInt32 {
			return false
		}
		if start = o&0x80 == 0; start {
			arc = 0
		}
	}
	return true
}

// Integer reads an INTEGER of any size and returns its content: big endian,
// two's complement, minimal, at least one octet. X.690, Section 8.3.
func (r *Reader) Integer() []byte { return r.IntegerTag(TagInteger) }

// IntegerTag is Integer under an IMPLICIT tag.
func (r *Reader) IntegerTag(tag Tag) []byte {
	b := r.Content(tag)
	if !r.Ok() {
		return nil
	}
	if len(b) == 0 || len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xFF && b[1] >= 0x80) {
		r.Fail(ErrInteger)
		return nil
	}
	return b
}

// Int reads an INTEGER between 0 and limit.
func (r *Reader) Int(limit int) int { return r.small(TagInteger, limit) }

// Enumerated reads an ENUMERATED between 0 and limit.
func (r *Reader) Enumerated(limit int) int { return r.small(TagEnumerated, limit) }

func (r *Reader) small(tag Tag, limit int) int {
	b := r.IntegerTag(tag)
	if !r.Ok() {
		return 0
	}
	if b[0]&0x80 != 0 || len(b) > 8 {
		r.Fail(ErrRange)
		return 0
	}
	n := int64(0)
	for _, o := range b {
		n = n<<8 | int64(o)
	}
	if n > int64(limit) {
		r.Fail(ErrRange)
		return 0
	}
	return int(n)
}

// Boolean reads a BOOLEAN: 00 or FF. X.690, Section 11.1.
func (r *Reader) Boolean() bool { return r.boolean(false) }

// BooleanLenient is Boolean that also takes 01 for TRUE, which is BER.
func (r *Reader) BooleanLenient() bool { return r.boolean(true) }

func (r *Reader) boolean(one bool) bool {
	b := r.Content(TagBoolean)
	if !r.Ok() {
		return false
	}
	if len(b) == 1 && (b[0] == 0 || b[0] == 0xFF || one && b[0] == 1) {
		return b[0] != 0
	}
	r.Fail(ErrBoolean)
	return false
}

// DefaultFalse reads an optional BOOLEAN DEFAULT FALSE. A written-out FALSE is
// refused: X.690, Section 11.5.
func (r *Reader) DefaultFalse() bool {
	if !r.Peek(TagBoolean) {
		return false
	}
	v := r.Boolean()
	if r.Ok() && !v {
		r.Fail(ErrDefault)
	}
	return v
}

// DefaultFalseLenient is DefaultFalse that also takes a written-out FALSE and 01
// for TRUE, which is BER.
func (r *Reader) DefaultFalseLenient() bool {
	return r.Peek(TagBoolean) && r.BooleanLenient()
}

// OctetString reads an OCTET STRING and returns its content.
func (r *Reader) OctetString() []byte { return r.Content(TagOctetString) }

// BitString reads a BIT STRING. The unused bits of the last octet, 0 to 7 of
// them, must be zero. X.690, Section 11.2.1.
func (r *Reader) BitString() (bits []byte, unused int) {
	b := r.Content(TagBitString)
	if !r.Ok() {
		return nil, 0
	}
	if len(b) == 0 || b[0] > 7 || len(b) == 1 && b[0] != 0 || b[len(b)-1]&(1<<b[0]-1) != 0 && len(b) > 1 {
		r.Fail(ErrBitString)
		return nil, 0
	}
	return b[1:], int(b[0])
}

// BitOctets reads a BIT STRING of whole octets, such as a key or a signature.
func (r *Reader) BitOctets() []byte {
	bits, unused := r.BitString()
	if unused != 0 {
		r.Fail(ErrBitString)
		return nil
	}
	return bits
}

// Null reads a NULL.
func (r *Reader) Null() {
	if len(r.Content(TagNull)) != 0 {
		r.Fail(ErrNull)
	}
}

// Time reads the Time of RFC 5280, Section 4.1.2.5: UTCTime or GeneralizedTime,
// both with seconds, in UTC, without fractions. A GeneralizedTime before 2050 is
// taken too, as one root of the accredited list has it.
func (r *Reader) Time() time.Time {
	if r.Peek(TagUTCTime) {
		return r.UTCTime()
	}
	return r.GeneralizedTime()
}

// UTCTime reads a UTCTime YYMMDDhhmmssZ. Years 50 to 99 are of the 20th century:
// RFC 5280, Section 4.1.2.5.1.
func (r *Reader) UTCTime() time.Time {
	b := r.Content(TagUTCTime)
	if !r.Ok() {
		return time.Time{}
	}
	if len(b) == 13 {
		year, ok := decimal(b[:2])
		if year += 1900; year < 1950 {
			year += 100
		}
		if t, valid := civil(year, b[2:12]); ok && valid && b[12] == 'Z' {
			return t
		}
	}
	r.Fail(ErrTime)
	return time.Time{}
}

// GeneralizedTime reads a GeneralizedTime YYYYMMDDhhmmssZ.
func (r *Reader) GeneralizedTime() time.Time { return r.generalized(TagGeneralizedTime, false) }

// GeneralizedTimeFraction is GeneralizedTime under an IMPLICIT tag that also takes
// a fraction of a second of one to nine digits, which X.690 allows (without
// trailing zeros, Section 11.7.3) and RFC 5280 forbids.
func (r *Reader) GeneralizedTimeFraction(tag Tag) time.Time { return r.generalized(tag, true) }

func (r *Reader) generalized(tag Tag, fraction bool) time.Time {
	b := r.Content(tag)
	if !r.Ok() {
		return time.Time{}
	}
	if len(b) >= 15 && b[len(b)-1] == 'Z' {
		year, ok := decimal(b[:4])
		t, valid := civil(year, b[4:14])
		nanos, fits := nanoseconds(b[14:len(b)-1], fraction)
		if ok && valid && fits {
			return t.Add(nanos)
		}
	}
	r.Fail(ErrTime)
	return time.Time{}
}

// nanoseconds reads ".876": one to nine digits, the last not zero.
func nanoseconds(b []byte, allowed bool) (time.Duration, bool) {
	if len(b) == 0 {
		return 0, true
	}
	if !allowed || b[0] != '.' || len(b) < 2 || len(b) > 10 || b[len(b)-1] == '0' {
		return 0, false
	}
	n, ok := decimal(b[1:])
	for range 10 - len(b) {
		n *= 10
	}
	return time.Duration(n), ok
}

// civil makes a time of a year and MMDDhhmmss, and false if there is none such.
func civil(year int, b []byte) (time.Time, bool) {
	var f [5]int
	for i := range f {
		var ok bool
		if f[i], ok = decimal(b[2*i : 2*i+2]); !ok {
			return time.Time{}, false
		}
	}
	month, day, hour, minute, second := f[0], f[1], f[2], f[3], f[4]
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day // the 31st of a short month rolls over
}

func decimal(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
