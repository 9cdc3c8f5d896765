package cms

import (
	"bufio"
	"errors"
	"io"
	"math"

	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// ParseStream reads one SignedData of any size to the end of r, in any form that
// [Parse] takes, and holds all of it but the attached document, which is hashed as
// it passes by, with the digest algorithms that the file announces before it. What
// is held is at most MaxSize bytes, however long the document is.
//
// The SignedData has no Raw, no RawEncapContentInfo and no Content; it is verified as
// one of Parse. A signer whose digest algorithm was not announced does not pass either
// way. The Content stands for the attached document; it is zero when the signature is
// detached. In PEM there may be no more than 64 KiB of text on either side.
//
// An error of the reader is returned as it is, others are as in Parse.
func ParseStream(r io.Reader) (*SignedData, Content, error) {
	source := &erring{r: r}
	sd, content, err := parseStream(source)
	switch {
	case source.err != nil:
		return nil, Content{}, source.err
	case err != nil:
		if _, coded := errors.AsType[*reason.Error](err); !coded {
			err = parseError(err)
		}
		return nil, Content{}, err
	default:
		return sd, content, nil
	}
}

// erring is a reader that keeps its error, so that it can be told from ours.
type erring struct {
	r   io.Reader
	err error // not io.EOF
}

func (e *erring) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}

func parseStream(r io.Reader) (*SignedData, Content, error) {
	plain, err := binary(r)
	if err != nil {
		return nil, Content{}, err
	}
	s := streamParser{r: bufio.NewReaderSize(plain, streamBuffer)}
	if err := s.read(); err != nil {
		return nil, Content{}, err
	}
	sd, err := s.parse()
	if err != nil {
		return nil, Content{}, err
	}
	sd.Raw, sd.RawEncapContentInfo = nil, nil
	if sd.Detached {
		return sd, Content{}, nil
	}
	content := s.document.content()
	sd.Content, sd.passed = nil, &content
	return sd, content, nil
}

// streamParser reads a file from the outside to the document, lets that pass, and
// holds everything else.
type streamParser struct {
	r *bufio.Reader
	// open are the elements around the present position, the outermost first.
	open []container
	// ber is whether any of them, or the document, is not in DER.
	ber bool

	// What is held, in the order of the file: the type of ContentInfo, what is before
	// EncapsulatedContentInfo, eContentType, and what follows the document.
	outerType, before, innerType, after []byte

	attached bool
	document passing
}

// container is a constructed element that has begun.
type container struct {
	left int64 // bytes of content not read yet; -1 for an indefinite length
}

const indefinite = -1

// read reads the whole file: RFC 5652, Sections 3, 5.1 and 5.2.
func (s *streamParser) read() error {
	if err := s.enter(byte(der.TagSequence)); err != nil {
		return err
	}
	if err := s.element(&s.outerType); err != nil {
		return err
	}
	if string(s.outerType) != "\x06\x09"+oidSignedData {
		if len(s.outerType) < 2 || s.outerType[0] != byte(der.TagOID) {
			return der.ErrTag
		}
		return errNotSignedData
	}
	if err := s.enter(byte(der.Constructed(0))); err != nil {
		return err
	}
	if err := s.enter(byte(der.TagSequence)); err != nil {
		return err
	}
	if err := s.element(&s.before); err != nil { // version
		return err
	}
	version := len(s.before)
	if err := s.element(&s.before); err != nil { // digestAlgorithms
		return err
	}
	if err := s.announced(s.before[version:]); err != nil {
		return err
	}
	if err := s.encapsulated(); err != nil {
		return err
	}
	return s.rest()
}

// announced prepares the digests of the document. Algorithms that are not known are
// passed over: the signer who uses one is judged later.
func (s *streamParser) announced(set []byte) error {
	plain, err := normalise(set)
	if err != nil {
		return err
	}
	p := parser{sd: new(SignedData)}
	top := p.d.Open(plain, derLimits)
	p.digestAlgorithms(top.Set())
	if err := errors.Join(p.d.Err(), p.err); err != nil {
		return err
	}
	for _, id := range p.sd.DigestAlgorithms {
		if err := s.document.add(id.Algorithm); err != nil &&
			!errors.Is(err, sigalg.ErrUnknown) && !errors.Is(err, sigalg.ErrForbidden) {
			return err
		}
	}
	return nil
}

// encapsulated reads EncapsulatedContentInfo and lets the document pass.
func (s *streamParser) encapsulated() error {
	if err := s.enter(byte(der.TagSequence)); err != nil {
		return err
	}
	if err := s.element(&s.innerType); err != nil {
		return err
	}
	more, err := s.more()
	if err != nil {
		return err
	}
	if more {
		s.attached = true
		if err := s.enter(byte(der.Constructed(0))); err != nil {
			return err
		}
		if err := s.octets(); err != nil {
			return err
		}
		if err := s.leave(); err != nil {
			return err
		}
	}
	return s.leave()
}

// octets lets one OCTET STRING pass, which may be in pieces, and those again.
func (s *streamParser) octets() error {
	around := len(s.open)
	for {
		tag, length, err := s.header()
		if err != nil {
			return err
		}
		switch tag {
		case tagOctetString:
			if err := s.pass(length); err != nil {
				return err
			}
		case tagConstructedOctetString:
			s.ber = true
			if len(s.open) >= maxBERDepth {
				return errBERDepth
			}
			s.open = append(s.open, container{length})
		default:
			return errBERString
		}
		for len(s.open) > around {
			more, err := s.more()
			if err != nil {
				return err
			}
			if more {
				break
			}
			if err := s.leave(); err != nil {
				return err
			}
		}
		if len(s.open) == around {
			return nil
		}
	}
}

// pass lets so many bytes of the document pass.
func (s *streamParser) pass(length int64) error {
	if length == indefinite {
		return errBERLength
	}
	if err := s.count(length); err != nil {
		return err
	}
	for length > 0 { // straight from the buffer, as pieces may be small and many
		if _, err := s.r.Peek(1); err != nil {
			return short(err, true)
		}
		piece, err := s.r.Peek(int(min(length, int64(s.r.Buffered()))))
		if err != nil {
			return err
		}
		s.document.take(piece)
		if _, err := s.r.Discard(len(piece)); err != nil {
			return err
		}
		length -= int64(len(piece))
	}
	return nil
}

// rest holds what follows EncapsulatedContentInfo, to the end of the file.
func (s *streamParser) rest() error {
	tail, err := io.ReadAll(io.LimitReader(s.r, MaxSize+1-int64(len(s.before))))
	if err != nil {
		return err
	}
	if len(tail)+len(s.before) > MaxSize {
		return der.ErrTooLarge
	}
	// From the outermost element inwards: each ends where the one around it does.
	for _, c := range s.open {
		if c.left != indefinite {
			if c.left != int64(len(tail)) {
				return der.ErrTrailing // or truncated: the lengths contradict each other
			}
			continue
		}
		if len(tail) < 2 || tail[len(tail)-2] != 0 || tail[len(tail)-1] != 0 {
			return errBERTruncated
		}
		tail = tail[:len(tail)-2]
	}
	s.after = tail
	return nil
}

// parse reads what is held, with an empty document in the place of the one that
// passed, as Parse would.
func (s *streamParser) parse() (*SignedData, error) {
	inner := s.innerType
	if s.attached {
		inner = append(inner, byte(der.Constructed(0)), 2, tagOctetString, 0)
	}
	encapsulated := appendHeader(nil, byte(der.TagSequence), len(inner))
	size := len(s.before) + len(encapsulated) + len(inner) + len(s.after)
	if derSize(size) > MaxSize-64 {
		return nil, der.ErrTooLarge
	}
	file := make([]byte, 0, size+64)
	file = appendHeader(file, byte(der.TagSequence), len(s.outerType)+derSize(derSize(size)))
	file = append(file, s.outerType...)
	file = appendHeader(file, byte(der.Constructed(0)), derSize(size))
	file = appendHeader(file, byte(der.TagSequence), size)
	file = append(file, s.before...)
	file = append(file, encapsulated...)
	file = append(file, inner...)
	file = append(file, s.after...)
	sd := new(SignedData)
	if !s.ber {
		return sd, sd.parseAnyEncoding(file)
	}
	plain, err := normalise(file)
	if err != nil {
		return nil, err
	}
	return sd, sd.parse(plain)
}

// enter reads the header of a constructed element with the given tag.
func (s *streamParser) enter(want byte) error {
	tag, length, err := s.header()
	if err != nil {
		return err
	}
	if tag != want {
		return der.ErrTag
	}
	s.open = append(s.open, container{length})
	return nil
}

// leave ends the innermost element.
func (s *streamParser) leave() error {
	last := len(s.open) - 1
	if c := s.open[last]; c.left == indefinite {
		var end [2]byte
		if err := s.full(end[:]); err != nil {
			return err
		}
		if !isEndOfContents(end[:]) {
			return der.ErrTrailing
		}
	} else if c.left != 0 {
		return der.ErrTrailing
	}
	s.open = s.open[:last]
	return nil
}

// more reports whether something follows in the innermost element.
func (s *streamParser) more() (bool, error) {
	if left := s.open[len(s.open)-1].left; left != indefinite {
		return left > 0, nil
	}
	next, err := s.r.Peek(2)
	if err != nil {
		return false, short(err, true)
	}
	return !isEndOfContents(next), nil
}

// element holds one whole element.
func (s *streamParser) element(to *[]byte) error { return s.nested(to, 0) }

// nested is element at a depth, for elements of indefinite length.
func (s *streamParser) nested(to *[]byte, depth int) error {
	if depth >= maxBERDepth {
		return errBERDepth
	}
	start := len(*to)
	_, length, err := s.headerInto(to)
	if err != nil {
		return err
	}
	if length != indefinite {
		return s.hold(to, length)
	}
	s.ber = true
	for {
		next, err := s.r.Peek(2)
		if err != nil {
			return short(err, true)
		}
		if isEndOfContents(next) {
			return s.hold(to, 2)
		}
		if len(*to)-start > MaxSize {
			return der.ErrTooLarge
		}
		if err := s.nested(to, depth+1); err != nil {
			return err
		}
	}
}

// hold appends so many bytes to what is held.
func (s *streamParser) hold(to *[]byte, length int64) error {
	if length > MaxSize-int64(len(*to)) {
		return der.ErrTooLarge
	}
	if err := s.count(length); err != nil {
		return err
	}
	// Not at once: the length is a claim.
	for length > 0 {
		piece := int(min(length, streamBuffer))
		at := len(*to)
		*to = append(*to, make([]byte, piece)...)
		if _, err := io.ReadFull(s.r, (*to)[at:]); err != nil {
			return short(err, true)
		}
		length -= int64(piece)
	}
	return nil
}

// header reads tag and length of an element.
func (s *streamParser) header() (tag byte, length int64, err error) {
	var scratch []byte
	return s.headerInto(&scratch)
}

// headerInto is header, and holds what was read. X.690, 8.1.2 and 8.1.3.
func (s *streamParser) headerInto(to *[]byte) (tag byte, length int64, err error) {
	var octets [10]byte
	if err := s.full(octets[:2]); err != nil {
		return 0, 0, err
	}
	*to = append(*to, octets[:2]...)
	tag, first := octets[0], octets[1]
	switch {
	case tag&highTagNumber == highTagNumber:
		return 0, 0, errBERTag
	case first == 0x80:
		s.ber = true
		if tag&constructedBit == 0 {
			return 0, 0, errBERLength
		}
		return tag, indefinite, nil
	case first < 0x80:
		return tag, int64(first), nil
	}
	count := int(first & 0x7f)
	if count > 8 {
		return 0, 0, errBERLength
	}
	if err := s.full(octets[2 : 2+count]); err != nil {
		return 0, 0, err
	}
	*to = append(*to, octets[2:2+count]...)
	var v uint64
	for _, b := range octets[2 : 2+count] {
		v = v<<8 | uint64(b)
	}
	if v > math.MaxInt64 {
		return 0, 0, errBERLength
	}
	s.ber = s.ber || octets[2] == 0 || v < 0x80 // spare octets
	return tag, int64(v), nil
}

// full reads exactly so many bytes.
func (s *streamParser) full(to []byte) error {
	if err := s.count(int64(len(to))); err != nil {
		return err
	}
	_, err := io.ReadFull(s.r, to)
	return short(err, err != nil)
}

// count takes bytes off what is left of all elements around.
func (s *streamParser) count(n int64) error {
	for i := range s.open {
		c := &s.open[i]
		if c.left == indefinite {
			continue
		}
		if c.left < n {
			return errBERTruncated
		}
		c.left -= n
	}
	return nil
}

// short turns the end of the input into an error of ours, if the input is too short.
func short(err error, truncated bool) error {
	if truncated && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return errBERTruncated
	}
	return err
}
