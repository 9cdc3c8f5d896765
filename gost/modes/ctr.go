package modes

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"math/bits"
	"unsafe"
)

// acpkmKeySize is the length, in bytes, of the keys that ACPKM makes.
const acpkmKeySize = 32

// bufferSize is how much key stream, in bytes, is made at once: enough for the
// cipher to work on several blocks, and a multiple of both block sizes.
const bufferSize = 512

// stream is CTR, or CTR-ACPKM when newCipher is not nil.
type stream struct {
	block  cipher.Block
	n      int    // bytes of a block
	hi, lo uint64 // the counter; hi only with blocks of 16 bytes
	buf    [bufferSize]byte
	ready  []byte // the end of buf that was not used yet

	newCipher func(key []byte) (cipher.Block, error)
	section   int // bytes that one key encrypts
	left      int // bytes of key stream that the current key has still to give
}

// NewCTR returns the mode CTR of GOST R 34.13-2015, Section 5.2, with s = n. The
// iv is half a block; the counter starts as the iv and zero bytes, and the whole
// block counts as a big-endian number. The stream is not safe for several
// goroutines.
//
// It panics if the block has not 8 or 16 bytes, or the iv is not half of that.
func NewCTR(b cipher.Block, iv []byte) cipher.Stream {
	checkBlockSize(b)
	if len(iv) != b.BlockSize()/2 {
		panic("modes: IV length must be half a block")
	}
	s := &stream{block: b, n: b.BlockSize()}
	s.start(iv)
	return s
}

// NewCTRACPKM returns the mode CTR-ACPKM of RFC 8645, Section 6.2.2, with a
// counter of half a block: like [NewCTR], but after every section bytes the key
// is replaced by the one that the old key makes, and the counter goes on. The key
// must be 32 bytes, the section a positive multiple of the block size.
//
// A message may have at most 2^(c-1) blocks, where c is 64 with Kuznyechik and 32
// with Magma; nothing here checks it.
func NewCTRACPKM(newCipher func(key []byte) (cipher.Block, error), key, iv []byte, section int) (cipher.Stream, error) {
	if len(key) != acpkmKeySize {
		return nil, errors.New("modes: ACPKM key must be 32 bytes")
	}
	b, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	checkBlockSize(b)
	if len(iv) != b.BlockSize()/2 {
		return nil, errors.New("modes: IV length must be half a block")
	}
	if section <= 0 || section%b.BlockSize() != 0 {
		return nil, errors.New("modes: section must be a positive number of whole blocks")
	}
	s := &stream{block: b, n: b.BlockSize(), newCipher: newCipher, section: section, left: section}
	s.start(iv)
	return s, nil
}

// start sets the counter to iv, followed by as many zero bytes.
func (s *stream) start(iv []byte) {
	if len(iv) == 8 {
		s.hi = binary.BigEndian.Uint64(iv)
	} else {
		s.lo = uint64(binary.BigEndian.Uint32(iv)) << 32
	}
}

// XORKeyStream implements cipher.Stream. Dst and src must be the same or not
// overlap.
func (s *stream) XORKeyStream(dst, src []byte) {
	if len(dst) < len(src) {
		panic("modes: output smaller than input")
	}
	dst = dst[:len(src)]
	if inexactOverlap(dst, src) {
		panic("modes: invalid buffer overlap")
	}
	for len(src) > 0 {
		n := 0
		if len(s.ready) == 0 {
			n = s.direct(dst, src)
		}
		if n == 0 {
			if len(s.ready) == 0 {
				s.refill(len(src))
			}
			n = subtle.XORBytes(dst, src, s.ready)
			s.ready = s.ready[n:]
		}
		dst, src = dst[n:], src[n:]
	}
}

// direct lets the cipher do what it does faster than key stream in buf, and returns
// how many bytes that were.
func (s *stream) direct(dst, src []byte) int {
	if s.newCipher != nil && s.left == 0 {
		s.rekey()
	}
	c, ok := s.block.(counters)
	if !ok || len(src) < s.n {
		return 0
	}
	size := len(src) / s.n * s.n
	if s.newCipher != nil {
		size = min(size, s.left)
	}
	n := c.XORCounter(dst[:size], src[:size], s.hi, s.lo)
	s.advance(n)
	return n
}

// advance counts n bytes of key stream, whole blocks.
func (s *stream) advance(n int) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, uint64(n/s.n), 0)
	s.hi += carry
	if s.newCipher != nil {
		s.left -= n
	}
}

// refill makes key stream: the blocks that want bytes take, but no more than fit
// into buf and than the current key may give.
func (s *stream) refill(want int) {
	size := min((want+s.n-1)/s.n*s.n, len(s.buf))
	if s.newCipher != nil {
		if s.left == 0 {
			s.rekey()
		}
		size = min(size, s.left)
		s.left -= size
	}
	s.ready = s.buf[:size]
	for b := s.ready; len(b) > 0; b = b[s.n:] {
		s.count(b)
	}
	encrypt(s.block, s.ready)
}

// count writes the counter into a block and adds one to it.
func (s *stream) count(b []byte) {
	if s.n == maxBlockSize {
		binary.BigEndian.PutUint64(b, s.hi)
		b = b[8:]
	}
	binary.BigEndian.PutUint64(b, s.lo)
	s.lo++
	if s.lo == 0 {
		s.hi++
	}
}

// rekey implements ACPKM, RFC 8645, Section 6.2.1: the new key is the encryption
// of the bytes 80, 81, ..., 9f.
func (s *stream) rekey() {
	var key [acpkmKeySize]byte
	for i := range key {
		key[i] = byte(0x80 + i)
	}
	encrypt(s.block, key[:])
	b, err := s.newCipher(key[:])
	if err != nil {
		panic("modes: the cipher refused a key as long as its first: " + err.Error())
	}
	s.block, s.left = b, s.section
}

// encrypt encrypts the blocks of p in place, each on its own.
func encrypt(b cipher.Block, p []byte) {
	if many, ok := b.(blocks); ok {
		many.EncryptBlocks(p, p)
		return
	}
	for n := b.BlockSize(); len(p) > 0; p = p[n:] {
		b.Encrypt(p, p)
	}
}

// inexactOverlap reports whether x and y, which are equally long, share memory
// without being the same.
func inexactOverlap(x, y []byte) bool {
	if len(x) == 0 || &x[0] == &y[0] {
		return false
	}
	firstX, firstY := uintptr(unsafe.Pointer(&x[0])), uintptr(unsafe.Pointer(&y[0]))
	return firstX < firstY+uintptr(len(y)) && firstY < firstX+uintptr(len(x))
}
