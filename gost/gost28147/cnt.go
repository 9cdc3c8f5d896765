package gost28147

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
	"strconv"
	"unsafe"

	"propusk/gost/internal/avx512"
)

// IVSizeError is the length, in bytes, of an initialization vector that is not
// BlockSize bytes long.
type IVSizeError int

// Error implements error.
func (e IVSizeError) Error() string {
	return "gost28147: invalid IV size " + strconv.Itoa(int(e))
}

// C_2 and C_1 of RFC 5830, Appendix A.
const (
	lowStep  = 0x01010101
	highStep = 0x01010104
)

// bufferSize is how much key stream, in bytes, is made at once: enough to work on
// several blocks, and a divisor of a section.
const bufferSize = 256

// cnt is the counter mode. The counter is the registers N3 and N4.
type cnt struct {
	key     Key
	order   order // the same for the assembly
	sbox    *SBox
	meshing Meshing

	n3, n4 uint32
	left   int // bytes of key stream that the current key has still to give
	buf    [bufferSize]byte
	ready  []byte // the end of buf that was not used yet
}

// NewCNT returns the counter encryption mode of RFC 5830, Section 6, GAMMIROVANIE in
// the standard, with the given key of KeySize bytes and the initialization vector of
// BlockSize bytes, which must never repeat for the key. The slices are not kept. One
// stream can run over many messages, as in TLS with TLS_GOSTR341112_256_WITH_28147_CNT_IMIT
// (RFC 9189, Section 4.1.2). It is not safe for several goroutines, and does not
// allocate in XORKeyStream.
//
// The only possible errors are [KeySizeError] and [IVSizeError].
func NewCNT(key, iv []byte, s *SBox, m Meshing) (cipher.Stream, error) {
	if len(key) != KeySize {
		return nil, KeySizeError(len(key))
	}
	if len(iv) != BlockSize {
		return nil, IVSizeError(len(iv))
	}
	c := &cnt{key: loadKey(key), sbox: s, meshing: m, left: section}
	c.start(binary.LittleEndian.Uint64(iv))
	return c, nil
}

// start begins to use the key, with the encryption of the given word as the counter.
func (c *cnt) start(word uint64) {
	c.order = c.key.encryption()
	c.set(encrypt(c.sbox, &c.key, word))
}

// counter returns the registers, N3 in the lower half.
func (c *cnt) counter() uint64 { return uint64(c.n4)<<32 | uint64(c.n3) }

func (c *cnt) set(word uint64) { c.n3, c.n4 = uint32(word), uint32(word>>32) }

// XORKeyStream implements cipher.Stream. Dst and src must be the same or not overlap.
func (c *cnt) XORKeyStream(dst, src []byte) {
	if len(dst) < len(src) {
		panic("gost28147: output smaller than input")
	}
	dst = dst[:len(src)]
	if inexactOverlap(dst, src) {
		panic("gost28147: invalid buffer overlap")
	}
	for len(src) > 0 {
		n := 0
		if len(c.ready) == 0 {
			n = c.direct(dst, src)
		}
		if n == 0 {
			if len(c.ready) == 0 {
				c.refill(len(src))
			}
			n = subtle.XORBytes(dst, src, c.ready)
			c.ready = c.ready[n:]
		}
		dst, src = dst[n:], src[n:]
	}
}

// direct does what is faster than key stream in buf, and returns how many bytes that
// were.
func (c *cnt) direct(dst, src []byte) int {
	c.remesh()
	if !avx512.Enabled {
		return 0
	}
	n := c.directVector(dst, src)
	if c.meshing {
		c.left -= n
	}
	return n
}

// remesh replaces the key when it has given all that it may.
func (c *cnt) remesh() {
	if c.left == 0 {
		mesh(c.sbox, &c.key)
		c.start(c.counter())
		c.left = section
	}
}

// refill makes key stream: the blocks that want bytes take, but no more than fit into
// buf and than the current key may give.
func (c *cnt) refill(want int) {
	c.remesh()
	size := min((want+BlockSize-1)/BlockSize*BlockSize, bufferSize)
	if c.meshing {
		size = min(size, c.left)
		c.left -= size
	}
	c.ready = c.buf[:size]
	if avx512.Enabled {
		c.refillVector()
		return
	}
	b, t := c.ready, c.sbox.tables()
	for ; len(b) >= 4*BlockSize; b = b[4*BlockSize:] {
		x0, x1, x2, x3 := encrypt4(t, &c.key, c.count(), c.count(), c.count(), c.count())
		binary.LittleEndian.PutUint64(b, x0)
		binary.LittleEndian.PutUint64(b[8:], x1)
		binary.LittleEndian.PutUint64(b[16:], x2)
		binary.LittleEndian.PutUint64(b[24:], x3)
	}
	for ; len(b) > 0; b = b[BlockSize:] {
		binary.LittleEndian.PutUint64(b, encrypt(c.sbox, &c.key, c.count()))
	}
}

// count adds the constants and returns the counter: modulo 2^32 in the lower half; in
// the upper half modulo 2^32-1, as RFC 5830, Section 3.2, defines it, where the carry
// comes back at the other end.
func (c *cnt) count() uint64 {
	c.n3 += lowStep
	sum, carry := bits.Add32(c.n4, highStep, 0)
	c.n4 = sum + carry
	return c.counter()
}

// encrypt4 is encrypt for four blocks: a round waits for the one before, so four
// blocks take little longer than one.
func encrypt4(t *[4][256]uint32, key *Key, w0, w1, w2, w3 uint64) (x0, x1, x2, x3 uint64) {
	a0, a1, a2, a3 := uint32(w0), uint32(w1), uint32(w2), uint32(w3)
	b0, b1, b2, b3 := uint32(w0>>32), uint32(w1>>32), uint32(w2>>32), uint32(w3>>32)
	for i := 0; i < 32; i += 2 {
		first, second := i&7, i&7+1
		if i >= 24 { // the key words run backward once
			first, second = 31-i, 30-i
		}
		k := key[first&7]
		b0, b1, b2, b3 = b0^round(t, a0+k), b1^round(t, a1+k), b2^round(t, a2+k), b3^round(t, a3+k)
		k = key[second&7]
		a0, a1, a2, a3 = a0^round(t, b0+k), a1^round(t, b1+k), a2^round(t, b2+k), a3^round(t, b3+k)
	}
	join := func(a, b uint32) uint64 { return uint64(a)<<32 | uint64(b) } // the last round does not swap
	return join(a0, b0), join(a1, b1), join(a2, b2), join(a3, b3)
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
