package iso7816

import "errors"

// An Object is a data object with a tag of one byte, as the templates of files and PINs
// are made of (ISO/IEC 7816-4, 5.3).
type Object struct {
	Tag   byte
	Value []byte
}

// ErrObjects says that bytes are no list of data objects.
var ErrObjects = errors.New("iso7816: not data objects")

// maxObjects limits a list; the longest that a token has is of 19.
const maxObjects = 64

// ParseObjects reads a list of data objects up to its end. Lengths are of BER: up to 127
// in one byte, up to 65535 with 81 or 82 before them, each in the shortest form. The
// values are parts of the slice that was given. The error is [ErrObjects].
func ParseObjects(b []byte) ([]Object, error) {
	var all []Object
	for len(b) != 0 {
		if len(b) < 2 || len(all) == maxObjects || b[0]&0x1F == 0x1F {
			return nil, ErrObjects
		}
		n, head := int(b[1]), 2
		switch {
		case n == 0x81 && len(b) > 2 && b[2] > 0x7F:
			n, head = int(b[2]), 3
		case n == 0x82 && len(b) > 3 && b[2] != 0:
			n, head = int(b[2])<<8|int(b[3]), 4
		case n > 0x7F:
			return nil, ErrObjects
		}
		if len(b)-head < n {
			return nil, ErrObjects
		}
		all = append(all, Object{Tag: b[0], Value: b[head : head+n : head+n]})
		b = b[head+n:]
	}
	return all, nil
}

// AppendObject writes a data object of at most 65535 bytes.
func AppendObject(b []byte, tag byte, value ...byte) []byte {
	switch n := len(value); {
	case n > maxExtended:
		panic("iso7816: data object too long")
	case n > 0xFF:
		b = append(b, tag, 0x82, byte(n>>8), byte(n))
	case n > 0x7F:
		b = append(b, tag, 0x81, byte(n))
	default:
		b = append(b, tag, byte(n))
	}
	return append(b, value...)
}

// Find returns the value of the first object with a tag; nil if there is none.
func Find(all []Object, tag byte) []byte {
	for _, o := range all {
		if o.Tag == tag {
			return o.Value
		}
	}
	return nil
}
