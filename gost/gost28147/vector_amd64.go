//go:build !purego

package gost28147

import (
	"encoding/binary"
	"math/bits"
)

// batch and group are how many bytes the assembly encrypts at once.
const (
	batch = 64 * BlockSize
	group = 16 * BlockSize
)

// nibbles are the tables of the assembly for a set of substitutions.
type nibbles struct {
	low, high [64]byte   // [16*i+v] is what the nibble v in byte i of a word becomes
	swap      [64]byte   // exchanges the halves of blocks
	low3      [16]uint32 // what is added to N3 until the block in each word
	high4     [16]uint32 // the same for N4
	sixteen   [2]uint32  // what is added to N3 and N4 in 16 blocks
}

// fill makes the tables.
func (t *nibbles) fill(s *SBox) {
	for i := range 4 {
		for v := range 16 {
			t.low[16*i+v] = byte(s.substitute(2*i, v))
			t.high[16*i+v] = byte(s.substitute(2*i+1, v)) << 4
		}
	}
	for i := range t.swap {
		t.swap[i] = byte(i%16 ^ 4)
	}
	for i := range t.low3 {
		// Blocks are put together from two registers of halves, in quarters: two
		// blocks of the first 8, then two of the last 8.
		number := uint32(i/4*2 + i%2 + i%4/2*8)
		t.low3[i], t.high4[i] = (number+1)*lowStep, (number+1)*highStep
	}
	t.sixteen = [2]uint32{lowStep << 4 & 0xffffffff, highStep << 4 & 0xffffffff}
}

// crypt16 encrypts batches of 16 blocks, or decrypts them: the order of the key words
// decides.
//
//go:noescape
func crypt16(key *order, t *nibbles, dst, src *byte, batches int)

// counter64 adds the encryption of the counters after the given one to batches of 64
// blocks, counter16 to batches of 16.
//
//go:noescape
func counter64(key *order, t *nibbles, dst, src *byte, batches int, counter uint64)

//go:noescape
func counter16(key *order, t *nibbles, dst, src *byte, batches int, counter uint64)

// chain32 replaces the state, for each block in turn, with the encryption of the sum of
// both; chain16 does so with the 16 rounds of the authentication code.
//
//go:noescape
func chain32(key *order, t *nibbles, state, p *byte, blocks int)

//go:noescape
func chain16(key *order, t *nibbles, state, p *byte, blocks int)

// crypt4 encrypts four blocks, each with a key of its own.
//
//go:noescape
func crypt4(keys *FourKeys, t *nibbles, blocks *[4]uint64)

// encryptFourVector is EncryptFour.
func (s *SBox) encryptFourVector(keys *FourKeys, blocks *[4]uint64) {
	crypt4(keys, s.vectorTables(), blocks)
}

// cryptVector is crypt.
func (s *SBox) cryptVector(o *order, word uint64) uint64 {
	var state, block [BlockSize]byte
	binary.LittleEndian.PutUint64(block[:], word)
	chain32(o, s.vectorTables(), &state[0], &block[0], 1)
	return binary.LittleEndian.Uint64(state[:])
}

// meshVector is mesh.
func (s *SBox) meshVector(key *Key) {
	var (
		buf [group]byte
		o   = key.decryption()
	)
	copy(buf[:], meshingConstant)
	crypt16(&o, s.vectorTables(), &buf[0], &buf[0], 1)
	*key = loadKey(buf[:KeySize])
}

// directVector adds key stream to whole groups of blocks, as far as the current key goes,
// and returns how many bytes that were.
func (c *cnt) directVector(dst, src []byte) int {
	size := len(src)
	if c.meshing {
		size = min(size, c.left)
	}
	t, size := c.sbox.vectorTables(), size/group*group
	done := 0
	if size >= batch {
		done = size / batch * batch
		counter64(&c.order, t, &dst[:done][0], &src[0], done/batch, c.counter())
		c.skip(done / BlockSize)
	}
	if done < size {
		counter16(&c.order, t, &dst[done:size][0], &src[done], (size-done)/group, c.counter())
		c.skip((size - done) / BlockSize)
	}
	return size
}

// refillVector makes key stream in ready, which is at the beginning of buf.
func (c *cnt) refillVector() {
	clear(c.buf[:])
	counter16(&c.order, c.sbox.vectorTables(), &c.buf[0], &c.buf[0], bufferSize/group, c.counter())
	c.skip(len(c.ready) / BlockSize)
}

// skip counts blocks as count does.
func (c *cnt) skip(blocks int) {
	c.n3 += uint32(blocks) * lowStep
	for blocks > 0 {
		n := min(blocks, 128) // so many do not carry twice
		sum, carry := bits.Add32(c.n4, uint32(n)*highStep, 0)
		c.n4 = sum + carry
		blocks -= n
	}
}

// mixVector is mix for whole blocks under one key.
func (h *imit) mixVector(p []byte) {
	var state [BlockSize]byte
	binary.LittleEndian.PutUint64(state[:], h.state)
	chain16(&h.order, h.sbox.vectorTables(), &state[0], &p[0], len(p)/BlockSize)
	h.state = binary.LittleEndian.Uint64(state[:])
}
