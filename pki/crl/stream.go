package crl

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"propusk/pki/der"
	"propusk/pki/reason"
)

// Sizes in bytes of what is held of a list that is being read.
const (
	// window is how much is read at once.
	window = 1 << 18
	// maxElement is the greatest length of an element that has to be there as a
	// whole: a name, an entry, the extensions. Without it a header would decide how
	// much is held.
	maxElement = 1 << 20
	// maxIdle is how many times in a row the source may give nothing.
	maxIdle = 100
)

// stream reads the elements of a list one after another and hashes what it passes.
// The first error sticks; after it, everything reads as empty.
type stream struct {
	src  io.Reader // nil if buf is all there is
	buf  []byte
	pos  int   // where in buf reading stands
	base int64 // offset in the list of buf[0]
	err  error

	whole  tap  // fingerprint of the list
	signed tap  // digest of the signed part
	keep   bool // nothing is dropped: it is not known yet what to hash it with
}

// tap is a hash of a part of the stream, nil for none.
type tap struct {
	hash.Hash
	next, end int64 // offsets of what it has to see yet
}

// newStream reads from src, or if that is nil, from data.
func newStream(src io.Reader, data []byte) *stream {
	return &stream{src: src, buf: data, keep: true, whole: tap{Hash: sha256.New(), end: MaxSize + 1}}
}

// offset is where in the list reading stands.
func (s *stream) offset() int64 { return s.base + int64(s.pos) }

// fail records the first error. An error of the source comes back as it is.
func (s *stream) fail(err error) {
	if s.err == nil {
		s.err = reason.New(reason.CRLMalformed, fmt.Errorf("at byte %d: %w", s.offset(), err))
	}
}

// ahead returns what follows, at least n bytes unless there is less.
func (s *stream) ahead(n int) []byte {
	if s.err != nil {
		return nil
	}
	if len(s.buf)-s.pos < n && s.src != nil {
		s.fill(n)
	}
	return s.buf[s.pos:]
}

// fill reads until n bytes are there, or no more come.
func (s *stream) fill(n int) {
	if s.pos > 0 && !s.keep {
		s.feed()
		s.base += int64(s.pos)
		s.buf = s.buf[:copy(s.buf, s.buf[s.pos:])]
		s.pos = 0
	}
	if want := s.pos + max(n, window); cap(s.buf) < want {
		s.buf = append(make([]byte, 0, want), s.buf...)
	}
	for idle := 0; len(s.buf)-s.pos < n; {
		got, err := s.src.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+got]
		if idle++; got > 0 {
			idle = 0
		}
		if idle == maxIdle && err == nil {
			err = io.ErrNoProgress
		}
		switch {
		case errors.Is(err, io.EOF):
			s.src = nil
			return
		case err != nil:
			s.err = fmt.Errorf("read CRL: %w", err)
			return
		case s.base+int64(len(s.buf)) > MaxSize:
			s.err = errTooLarge(s.base + int64(len(s.buf)))
			return
		}
	}
}

// feed hashes what was passed, as far as that was not done.
func (s *stream) feed() {
	s.whole.see(s.buf[:s.pos], s.base)
	s.signed.see(s.buf[:s.pos], s.base)
}

// see hashes the part of b, which stands at offset, that was not seen.
func (t *tap) see(b []byte, offset int64) {
	from, to := max(t.next-offset, 0), min(t.end-offset, int64(len(b)))
	if t.Hash != nil && from < to {
		t.Write(b[from:to])
		t.next = offset + to
	}
}

// enter passes the header of an element that must end at or before limit, and
// returns where it ends.
func (s *stream) enter(tag der.Tag, limit int64) (end int64) {
	header, length := s.header(tag)
	s.pos += header
	if end = s.offset() + int64(length); end > limit {
		s.fail(der.ErrTruncated)
	}
	return end
}

// header returns the lengths of the header and of the content of the element that
// follows, which must have this tag.
func (s *stream) header(tag der.Tag) (header, length int) {
	b := s.ahead(6)
	if len(b) > 0 && der.Tag(b[0]) != tag {
		s.fail(der.ErrTag)
		return 0, 0
	}
	header, length, err := der.Header(b)
	if err != nil {
		s.fail(err)
	}
	return header, length
}

// peek reports whether an element of this tag follows, before end.
func (s *stream) peek(tag der.Tag, end int64) bool {
	if s.offset() >= end {
		return false
	}
	b := s.ahead(1)
	return len(b) > 0 && der.Tag(b[0]) == tag
}

// element passes one element and returns it with its header. It is valid until the
// next call.
func (s *stream) element(tag der.Tag, limit int64) []byte {
	header, length := s.header(tag)
	n := header + length
	switch {
	case s.err != nil:
		return nil
	case s.offset()+int64(n) > limit:
		s.fail(der.ErrTruncated)
		return nil
	case n > maxElement:
		s.err = errTooLarge(int64(n))
		return nil
	}
	b := s.ahead(n)
	if len(b) < n {
		s.fail(der.ErrTruncated)
		return nil
	}
	s.pos += n
	return b[:n]
}

// at makes sure that reading stands where an element ends.
func (s *stream) at(end int64) {
	if s.err == nil && s.offset() != end {
		s.fail(der.ErrTrailing)
	}
}

// finish makes sure that nothing follows, and finishes the hashes.
func (s *stream) finish() {
	if len(s.ahead(1)) > 0 {
		s.fail(der.ErrTrailing)
	}
	s.feed()
}

func errTooLarge(size int64) error {
	return reason.Errorf(reason.CRLTooLarge, "crl: %d bytes, or more, in a list or in one element", size)
}
