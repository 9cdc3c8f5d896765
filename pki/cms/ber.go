package cms

import (
	"errors"
	"math/bits"

	"propusk/pki/der"
)

// Limits of the BER normaliser.
const (
	// maxBERDepth bounds nesting. A signature needs about ten levels; without a
	// bound, a megabyte of opening octets would exhaust the stack.
	maxBERDepth = 32

	// maxBERElements bounds the number of elements. Without it, a file of empty
	// elements would cost many times its own size in bookkeeping.
	maxBERElements = 1 << 17
)

// Tag octets with a meaning of their own in BER (X.690, 8.1.5 and 8.7).
const (
	tagOctetString            = byte(der.TagOctetString)
	tagConstructedOctetString = tagOctetString | constructedBit
	constructedBit            = 0x20
	highTagNumber             = 0x1f
)

var (
	errBERTruncated = errors.New("BER: truncated element")
	errBERDepth     = errors.New("BER: too deep")
	errBERCount     = errors.New("BER: too many elements")
	errBERTag       = errors.New("BER: tag number above 30")
	errBERLength    = errors.New("BER: bad length")
	errBERString    = errors.New("BER: OCTET STRING made of something else")
	errBERTrailing  = errors.New("BER: trailing data")
)

// normalise rewrites one BER element as DER in the three respects in which
// signing software really departs from DER when it writes a stream: indefinite
// lengths, OCTET STRINGs in pieces, and lengths with spare octets (X.690, 8.1.3,
// 8.7.3). Nothing else is touched: the order of a SET, the values of primitive
// elements and, in particular, certificates and signed attributes that are DER
// already come out byte for byte.
//
// The result is never longer than a constant factor of the input. Depth and
// number of elements are limited, so that the cost is linear in len(in).
func normalise(in []byte) ([]byte, error) {
	n := normaliser{}
	size, rest, err := n.measure(in, 0)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, errBERTrailing
	}
	out := make([]byte, 0, size)
	out, _ = n.write(out, in)
	return out, nil
}

// normaliser holds what the first pass learned for the second.
type normaliser struct {
	// lengths holds the length of each element's content in DER, outer first.
	// The second pass consumes them.
	lengths []int
	// elements counts headers, pieces of strings included.
	elements int
}

// header is the start of one BER element.
type header struct {
	tag        byte
	size       int // octets of tag and length
	length     int // of the content; meaningless if indefinite
	indefinite bool
}

// constructed reports whether the content is a series of elements.
func (h header) constructed() bool { return h.tag&constructedBit != 0 }

// readHeader reads tag and length and checks that a definite content is there.
func readHeader(in []byte) (header, error) {
	if len(in) < 2 {
		return header{}, errBERTruncated
	}
	h := header{tag: in[0], size: 2, length: int(in[1])}
	switch {
	case h.tag&highTagNumber == highTagNumber:
		return header{}, errBERTag // CMS has none
	case in[1] == 0x80:
		h.indefinite = true
		if !h.constructed() { // X.690, 8.1.3.2
			return header{}, errBERLength
		}
		return h, nil
	case in[1] > 0x80:
		var err error
		if h.size, h.length, err = longLength(in); err != nil {
			return header{}, err
		}
	}
	if h.length > len(in)-h.size {
		return header{}, errBERTruncated
	}
	return h, nil
}

// longLength reads a length in the long form, X.690, 8.1.3.5, spare zero octets
// included. More than eight octets are refused: no honest writer needs them.
func longLength(in []byte) (size, length int, err error) {
	count := int(in[1] & 0x7f)
	if count > 8 || len(in) < 2+count {
		return 0, 0, errBERLength
	}
	var v uint64
	for _, b := range in[2 : 2+count] {
		v = v<<8 | uint64(b)
	}
	if v > 1<<31-1 {
		return 0, 0, errBERLength
	}
	return 2 + count, int(v), nil
}

// isEndOfContents reports whether in begins with the end-of-contents octets of an
// indefinite length (X.690, 8.1.5).
func isEndOfContents(in []byte) bool { return len(in) >= 2 && in[0] == 0 && in[1] == 0 }

// measure is the first pass: it returns the size of the first element of in as
// DER, and what follows the element.
func (n *normaliser) measure(in []byte, depth int) (size int, rest []byte, err error) {
	h, err := n.enter(in, depth)
	if err != nil {
		return 0, nil, err
	}
	slot := len(n.lengths)
	n.lengths = append(n.lengths, 0)
	if !h.constructed() {
		n.lengths[slot] = h.length
		return derSize(h.length), in[h.size+h.length:], nil
	}

	total := 0
	rest, err = eachChild(in, h, func(child []byte) ([]byte, error) {
		var childSize int
		var after []byte
		var err error
		if h.tag == tagConstructedOctetString {
			childSize, after, err = n.measureString(child, depth+1)
		} else {
			childSize, after, err = n.measure(child, depth+1)
		}
		total += childSize
		return after, err
	})
	n.lengths[slot] = total
	return derSize(total), rest, err
}

// measureString returns the number of content octets in one piece of an OCTET
// STRING, which may itself be in pieces.
func (n *normaliser) measureString(in []byte, depth int) (size int, rest []byte, err error) {
	h, err := n.enter(in, depth)
	if err != nil {
		return 0, nil, err
	}
	switch h.tag {
	case tagOctetString:
		return h.length, in[h.size+h.length:], nil
	case tagConstructedOctetString:
	default:
		return 0, nil, errBERString
	}
	total := 0
	rest, err = eachChild(in, h, func(child []byte) ([]byte, error) {
		childSize, after, err := n.measureString(child, depth+1)
		total += childSize
		return after, err
	})
	return total, rest, err
}

// enter reads a header under the limits of depth and count.
func (n *normaliser) enter(in []byte, depth int) (header, error) {
	if depth >= maxBERDepth {
		return header{}, errBERDepth
	}
	if n.elements++; n.elements > maxBERElements {
		return header{}, errBERCount
	}
	return readHeader(in)
}

// eachChild calls f for the content of a constructed element until it ends. f
// consumes one element and returns what follows it. The result is what follows
// the whole element.
func eachChild(in []byte, h header, f func([]byte) ([]byte, error)) (rest []byte, err error) {
	if !h.indefinite {
		content := in[h.size : h.size+h.length]
		for len(content) > 0 {
			if content, err = f(content); err != nil {
				return nil, err
			}
		}
		return in[h.size+h.length:], nil
	}
	content := in[h.size:]
	for !isEndOfContents(content) {
		if content, err = f(content); err != nil {
			return nil, err
		}
	}
	return content[2:], nil
}

// write is the second pass: it appends the first element of in to out as DER and
// returns what follows the element. The first pass has checked everything, in
// the same order.
func (n *normaliser) write(out, in []byte) (longer, rest []byte) {
	h, _ := readHeader(in)
	length := n.lengths[0]
	n.lengths = n.lengths[1:]

	tag := h.tag
	if tag == tagConstructedOctetString {
		tag = tagOctetString
	}
	out = appendHeader(out, tag, length)
	if !h.constructed() {
		return append(out, in[h.size:h.size+h.length]...), in[h.size+h.length:]
	}
	rest, _ = eachChild(in, h, func(child []byte) ([]byte, error) {
		var after []byte
		if tag == tagOctetString {
			out, after = writeString(out, child)
		} else {
			out, after = n.write(out, child)
		}
		return after, nil
	})
	return out, rest
}

// writeString appends the content octets of one piece of an OCTET STRING.
func writeString(out, in []byte) (longer, rest []byte) {
	h, _ := readHeader(in)
	if !h.constructed() {
		return append(out, in[h.size:h.size+h.length]...), in[h.size+h.length:]
	}
	rest, _ = eachChild(in, h, func(child []byte) ([]byte, error) {
		var after []byte
		out, after = writeString(out, child)
		return after, nil
	})
	return out, rest
}

// derSize returns the number of octets of an element whose content has n octets.
func derSize(n int) int {
	if n < 0x80 {
		return 2 + n
	}
	return 2 + (bits.Len(uint(n))+7)/8 + n
}

// appendHeader appends a tag octet and a length in DER (X.690, 10.1).
func appendHeader(out []byte, tag byte, n int) []byte {
	out = append(out, tag)
	if n < 0x80 {
		return append(out, byte(n))
	}
	octets := (bits.Len(uint(n)) + 7) / 8
	out = append(out, 0x80|byte(octets))
	for i := octets - 1; i >= 0; i-- {
		out = append(out, byte(n>>(8*i)))
	}
	return out
}
