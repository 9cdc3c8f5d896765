package mgm

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"sync"
)

const (
	maxBlockSize = 16

	// batch is how many multipliers are made at once: as many blocks as the ciphers
	// encrypt at once.
	batch = 64

	// short is how many blocks a message has at most whose key stream is made together
	// with the first multipliers, in one batch.
	short = 32

	// piece is how many bytes are encrypted before they are multiplied, whole blocks:
	// few enough to stay in the closest cache.
	piece = 8192
)

// blocks is what a cipher.Block may have besides: a way to encrypt many blocks
// that is faster than one by one.
type blocks interface {
	EncryptBlocks(dst, src []byte)
}

// counters is what a cipher.Block may have besides: a way to encrypt counters that is
// faster than to write them first.
type counters interface {
	// XORCounter sets dst to src, whole blocks of the same length, plus the
	// encryption of the counter, whose words are hi and lo, and of those that follow.
	// It returns how many bytes it did, which may be none.
	XORCounter(dst, src []byte, hi, lo uint64) int
}

// A counter is the two halves of a block, each a number of its own. With blocks of 8
// bytes only the lower 32 bits of them count.
type counter struct{ left, right uint64 }

// work is one call of Seal or Open.
type work struct {
	block cipher.Block
	n     int // bytes of a block

	y      counter // the next block of key stream that was not made yet, Y_i
	z      counter // the next multiplier that was not made yet, Z_i
	left   uint64  // how many multipliers are to be made yet
	stream []byte  // key stream that was made and not used, a part of buf
	ready  []byte  // multipliers that were made and not used, a part of buf

	sum  sum
	size [2]uint64 // bits of the associated data and of the message

	buf  [(short + batch) * maxBlockSize]byte
	last [maxBlockSize]byte
}

// works are kept for the next call: the cipher is an interface, so what it gets cannot
// be on the stack.
var works = sync.Pool{New: func() any { return new(work) }}

// start encrypts the nonce, and makes the first multipliers; the key stream as well,
// if the message is short.
func (m *mode) start(nonce []byte, text, additional int) *work {
	w, ok := works.Get().(*work)
	if !ok {
		panic("mgm: the pool holds something else")
	}
	w.block, w.n = m.block, m.n
	w.size = [2]uint64{8 * uint64(additional), 8 * uint64(text)}
	count := func(size int) int { return (size + w.n - 1) / w.n }
	w.left = uint64(count(additional)) + uint64(count(text)) + 1

	both := w.buf[:2*w.n]
	copy(both, nonce)
	copy(both[w.n:], nonce)
	both[w.n] |= 0x80
	w.encrypt(both)
	w.y, w.z = w.load(both), w.load(both[w.n:])

	q := 0
	if count(text) <= short {
		q = count(text)
	}
	from, middle := (short-q)*w.n, short*w.n
	for at := from; at < middle; at += w.n {
		w.y.put(w.buf[at : at+w.n])
		w.y.right++
	}
	w.ready = w.next(batch - q)
	w.encrypt(w.buf[from : middle+len(w.ready)])
	w.stream = w.buf[from:middle]
	return w
}

// finish forgets everything.
func (w *work) finish() {
	*w = work{}
	works.Put(w)
}

// load reads a block.
func (w *work) load(b []byte) counter {
	if w.n == maxBlockSize {
		return counter{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
	}
	return counter{uint64(binary.BigEndian.Uint32(b)), uint64(binary.BigEndian.Uint32(b[4:]))}
}

// put writes the counter into b, a block.
func (c counter) put(b []byte) {
	if len(b) == maxBlockSize {
		binary.BigEndian.PutUint64(b, c.left)
		binary.BigEndian.PutUint64(b[8:], c.right)
	} else {
		binary.BigEndian.PutUint64(b, c.left<<32|c.right&(1<<32-1))
	}
}

// next writes the blocks of which the next multipliers are made, at most most of
// them, and returns them.
func (w *work) next(most int) []byte {
	count := min(uint64(most), w.left)
	w.left -= count
	out := w.buf[short*w.n:][:count*uint64(w.n)]
	if w.n == maxBlockSize {
		for b := out; len(b) >= maxBlockSize; b = b[maxBlockSize:] {
			binary.BigEndian.PutUint64(b, w.z.left)
			binary.BigEndian.PutUint64(b[8:], w.z.right)
			w.z.left++ // incr_l
		}
		return out
	}
	for b := out; len(b) > 0; b = b[w.n:] {
		w.z.put(b[:w.n])
		w.z.left++
	}
	return out
}

// absorb multiplies data, padded with zeros to whole blocks, by the next multipliers.
func (w *work) absorb(data []byte) {
	for len(data) >= w.n {
		w.fill()
		size := min(len(data)/w.n*w.n, len(w.ready))
		w.sum.add(w.n, w.ready[:size], data[:size])
		w.ready, data = w.ready[size:], data[size:]
	}
	if len(data) > 0 {
		clear(w.last[copy(w.last[:], data):])
		w.absorb(w.last[:w.n])
	}
}

// fill makes more multipliers when there are none.
func (w *work) fill() {
	if len(w.ready) == 0 {
		w.ready = w.next(batch)
		w.encrypt(w.ready)
	}
}

// crypt encrypts or decrypts src. What is not the end of the message must be whole
// blocks.
func (w *work) crypt(dst, src []byte) {
	for len(src) > 0 {
		size := 0
		if len(w.stream) == 0 {
			size = w.direct(dst, src)
		}
		if size == 0 {
			if len(w.stream) == 0 {
				w.more(len(src))
			}
			size = subtle.XORBytes(dst, src, w.stream)
			w.stream = w.stream[size:]
		}
		dst, src = dst[size:], src[size:]
	}
}

// direct lets the cipher do what it does faster than key stream in buf, and returns how
// many bytes that were. The cipher carries from the right half of the counter into the
// left one, which incr_r does not, so it stops before.
func (w *work) direct(dst, src []byte) int {
	c, ok := w.block.(counters)
	if !ok {
		return 0
	}
	hi, lo, room := w.y.left, w.y.right, -w.y.right
	if w.n != maxBlockSize {
		right := uint32(w.y.right)
		hi, lo, room = 0, w.y.left<<32|uint64(right), uint64(-right)
	}
	count := uint64(len(src) / w.n)
	if room != 0 {
		count = min(count, room)
	}
	size := int(count) * w.n
	done := c.XORCounter(dst[:size], src[:size], hi, lo)
	w.y.right += uint64(done / w.n)
	return done
}

// more makes key stream: the blocks that want bytes take, but no more than short.
func (w *work) more(want int) {
	count := min((want+w.n-1)/w.n, short)
	w.stream = w.buf[:count*w.n]
	for b := w.stream; len(b) > 0; b = b[w.n:] {
		w.y.put(b[:w.n])
		w.y.right++ // incr_r
	}
	w.encrypt(w.stream)
}

// tag multiplies the lengths and returns the whole tag.
func (w *work) tag() []byte {
	counter{w.size[0], w.size[1]}.put(w.last[:w.n])
	w.absorb(w.last[:w.n])
	total := w.sum.reduce(w.n)
	total.put(w.last[:w.n])
	w.block.Encrypt(w.last[:], w.last[:])
	return w.last[:w.n]
}

// encrypt encrypts the blocks of p in place, each on its own.
func (w *work) encrypt(p []byte) {
	if many, ok := w.block.(blocks); ok {
		many.EncryptBlocks(p, p)
		return
	}
	for ; len(p) > 0; p = p[w.n:] {
		w.block.Encrypt(p, p)
	}
}
