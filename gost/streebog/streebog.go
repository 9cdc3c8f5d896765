// Package streebog implements the Streebog hash functions of GOST R 34.11-2012
// (RFC 6986) with digests of 256 and 512 bits.
//
// Digests are in software order: the standard prints numbers with the most
// significant byte first, software everywhere writes the least significant one
// first. So the bytes are those of "openssl dgst -md_gost12_256", the reverse
// of the figures in the RFC.
//
// The substitution and the linear transformation are merged into eight tables
// of 256 words, so timing depends on the data through the cache, as it does in
// other table-driven implementations. On an amd64 processor with AVX-512, VBMI and
// GFNI there are no tables in memory, and hashing takes the same time for all
// messages of a length; the build tag purego turns that off.
package streebog

import (
	"hash"
	"math/bits"
	"strings"

	"propusk/gost/internal/avx512"
)

// Sizes in bytes.
const (
	Size256   = 32 // of a digest of New256 and Sum256
	Size512   = 64 // of a digest of New512 and Sum512
	BlockSize = 64 // of a message block, for HMAC
)

// digest is the state of RFC 6986, Section 8.
type digest struct {
	h     block
	n     block // message length so far, in bits
	sigma block // sum of the message blocks
	tail  block
	used  int // bytes of tail that wait for a full block, less than BlockSize
	size  int
	begun bool // some block was compressed
}

// The initial values of RFC 6986, Section 6.1: zero for 512 bits, and bytes of 01 for 256.
var (
	initial256 = block([]byte(strings.Repeat("\x01", BlockSize)))
	initial512 block
)

// New256 returns a Streebog hash with a digest of 32 bytes. It implements
// [hash.Cloner]. One hash must not be used by several goroutines at once;
// Write and Sum do not allocate when Sum gets a slice with enough capacity.
func New256() hash.Hash {
	return newDigest(Size256)
}

// New512 is [New256] with a digest of 64 bytes. Neither is a prefix of the
// other: the initial values differ.
func New512() hash.Hash {
	return newDigest(Size512)
}

// Sum256 returns the 32-byte digest of data.
func Sum256(data []byte) [Size256]byte {
	var d digest
	d.init(Size256)
	d.finish(&d.h, data)
	return [Size256]byte(d.h[Size512-Size256:])
}

// Sum512 returns the 64-byte digest of data.
func Sum512(data []byte) [Size512]byte {
	var d digest
	d.init(Size512)
	d.finish(&d.h, data)
	return d.h
}

// Sums256 returns Sum256 of each message. Where there is assembly, it works on four
// messages at once, which is quicker than one after the other.
func Sums256(messages [][]byte) [][Size256]byte {
	digests := make([][Size256]byte, len(messages))
	sums(messages, Size256, func(i int, h *block) { digests[i] = [Size256]byte(h[Size512-Size256:]) })
	return digests
}

// Sums512 is [Sums256] with digests of 64 bytes.
func Sums512(messages [][]byte) [][Size512]byte {
	digests := make([][Size512]byte, len(messages))
	sums(messages, Size512, func(i int, h *block) { digests[i] = *h })
	return digests
}

// sums calls done with the number and the final state of each message.
func sums(messages [][]byte, size int, done func(number int, h *block)) {
	if avx512.Enabled && len(messages) > 1 {
		vectorSums(messages, size, done)
		return
	}
	for i, message := range messages {
		var d digest
		d.init(size)
		d.finish(&d.h, message)
		done(i, &d.h)
	}
}

func newDigest(size int) *digest {
	d := new(digest)
	d.init(size)
	return d
}

// init implements Stage 1 of RFC 6986, Section 8.
func (d *digest) init(size int) {
	buildTables.Do(fillTables)
	*d = digest{size: size}
	if size == Size256 {
		d.h = initial256
	}
}

// Reset implements hash.Hash.
func (d *digest) Reset() { d.init(d.size) }

// Size implements hash.Hash.
func (d *digest) Size() int { return d.size }

// BlockSize implements hash.Hash.
func (d *digest) BlockSize() int { return BlockSize }

// Clone implements hash.Cloner. The error is always nil.
func (d *digest) Clone() (hash.Cloner, error) {
	c := *d
	return &c, nil
}

// Write implements hash.Hash. The error is always nil.
func (d *digest) Write(p []byte) (int, error) {
	d.write(p)
	return len(p), nil
}

// Sum implements hash.Hash: it leaves the state alone, so that writing can go on.
func (d *digest) Sum(in []byte) []byte {
	var h block
	d.finish(&h, d.tail[:d.used])
	return append(in, h[Size512-d.size:]...) // for 256 bits, the upper half
}

func (d *digest) write(p []byte) {
	if d.used > 0 {
		n := copy(d.tail[d.used:], p)
		d.used += n
		p = p[n:]
		if d.used < BlockSize {
			return
		}
		d.blocks(d.tail[:])
		d.used = 0
	}
	if n := len(p) / BlockSize * BlockSize; n > 0 {
		d.blocks(p[:n])
		p = p[n:]
	}
	d.used = copy(d.tail[:], p)
}

// blocks implements Stage 2 of RFC 6986, Section 8, for full blocks.
func (d *digest) blocks(p []byte) {
	if avx512.Enabled {
		d.vectorBlocks(p)
	} else {
		d.stage2(8*BlockSize, p)
	}
	d.begun = true
}

// finish sets out to the final state of a message that goes on with p and ends: Stage 3
// of RFC 6986, Section 8. P is tail, or any bytes if no bytes wait there. Of the digest
// nothing changes, unless out is its state.
func (d *digest) finish(out *block, p []byte) {
	full := len(p) / BlockSize * BlockSize
	rest := len(p) - full
	tail := pad(p[full:])
	if avx512.Enabled {
		d.vectorFinish(out, p[:full], &tail, rest)
		return
	}
	last := digest{h: d.h, n: d.n, sigma: d.sigma, size: d.size, begun: d.begun}
	if full > 0 {
		last.stage2(8*BlockSize, p[:full])
		last.begun = true
	}
	last.stage2(8*uint64(rest), tail[:])
	var zero block
	compress(&last.h, &zero, &last.n)
	compress(&last.h, &zero, &last.sigma)
	*out = last.h
}

// pad returns the last block, of rest.
func pad(rest []byte) (b block) {
	b[copy(b[:], rest)] = 1 // the bit after the last bit of the message
	return b
}

// stage2 compresses the blocks of p into h. Each adds length to n and itself to
// sigma.
func (d *digest) stage2(length uint64, p []byte) {
	keys := d.firstKeys(&firstKeys)
	for ; len(p) > 0; p = p[BlockSize:] {
		m := (*block)(p)
		if keys != nil {
			compressFirst(&d.h, keys, m)
			keys = nil
		} else {
			compress(&d.h, &d.n, m)
		}
		d.n.addWord(length)
		d.sigma.add(m)
	}
}

// firstKeys returns the keys of the next block, out of those of first blocks, or nil if
// there was another one before.
func (d *digest) firstKeys(known *[2]keySchedule) *keySchedule {
	switch {
	case d.begun:
		return nil
	case d.size == Size256:
		return &known[0]
	default:
		return &known[1]
	}
}

// add adds x to b modulo 2^512.
func (b *block) add(x *block) {
	var carry uint64
	for i := 0; i < BlockSize; i += 8 {
		var sum uint64
		sum, carry = bits.Add64(b.word(i), x.word(i), carry)
		b.setWord(i, sum)
	}
}

// addWord adds x to b modulo 2^512.
func (b *block) addWord(x uint64) {
	for i := 0; i < BlockSize && x != 0; i += 8 {
		var sum uint64
		sum, x = bits.Add64(b.word(i), x, 0)
		b.setWord(i, sum)
	}
}
