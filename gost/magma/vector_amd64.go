//go:build !purego

package magma

import "sync"

// batch and group are how many bytes the assembly encrypts at once, and few is from how
// many on a group that is not full is quicker than block by block.
const (
	batch = 64 * BlockSize
	group = 16 * BlockSize
	few   = 2 * BlockSize
)

// nibbles are the tables of the assembly.
type nibbles struct {
	low, high [64]byte   // [16*i+v] is what the nibble v in byte i of a word becomes
	swap      [64]byte   // turns the bytes of words around
	steps     [16]uint32 // the number of the block in each word
}

// vectorTables is computed at first use, and read-only from then on.
var vectorTables = sync.OnceValue(func() *nibbles {
	t := new(nibbles)
	for i := range 4 {
		for v := range 16 {
			t.low[16*i+v] = substitutions[2*i][v]
			t.high[16*i+v] = substitutions[2*i+1][v] << 4
		}
	}
	for i := range t.swap {
		t.swap[i] = byte(i%16 ^ 3)
	}
	for i := range t.steps {
		// Blocks are put together from two registers of halves, in quarters: two
		// blocks of the first 8, then two of the last 8.
		t.steps[i] = uint32(i/4*2 + i%2 + i%4/2*8)
	}
	return t
})

// encrypt64 encrypts batches of 64 blocks, encrypt16 of 16.
//
//go:noescape
func encrypt64(key *block, t *nibbles, dst, src *byte, batches int)

//go:noescape
func encrypt16(key *block, t *nibbles, dst, src *byte, batches int)

// counter64 adds the encryption of counter, counter+1, and so on to batches of 64
// blocks, counter16 to batches of 16.
//
//go:noescape
func counter64(key *block, t *nibbles, dst, src *byte, batches int, counter uint64)

//go:noescape
func counter16(key *block, t *nibbles, dst, src *byte, batches int, counter uint64)

// encryptVector is EncryptBlocks as far as it is quicker; it returns how many bytes
// it did.
func (b *block) encryptVector(dst, src []byte) int {
	t, n := vectorTables(), len(src)/batch*batch
	if n > 0 {
		encrypt64(b, t, &dst[:n][0], &src[0], n/batch)
	}
	rest := (len(src) - n) / BlockSize * BlockSize
	if rest < few {
		return n
	}
	var buf [batch]byte
	copy(buf[:], src[n:n+rest])
	if rest > group {
		encrypt64(b, t, &buf[0], &buf[0], 1)
	} else {
		encrypt16(b, t, &buf[0], &buf[0], 1)
	}
	return n + copy(dst[n:], buf[:rest])
}

// counterVector is XORCounter.
func (b *block) counterVector(dst, src []byte, counter uint64) int {
	t, n := vectorTables(), len(src)/batch*batch
	if n > 0 {
		counter64(b, t, &dst[:n][0], &src[0], n/batch, counter)
	}
	rest := (len(src) - n) / BlockSize * BlockSize
	if rest < few {
		return n
	}
	var buf [batch]byte
	copy(buf[:], src[n:n+rest])
	counter += uint64(n / BlockSize)
	if rest > group {
		counter64(b, t, &buf[0], &buf[0], 1, counter)
	} else {
		counter16(b, t, &buf[0], &buf[0], 1, counter)
	}
	return n + copy(dst[n:], buf[:rest])
}

// chainBlocks replaces the state, for each block in turn, with the encryption of the sum
// of both.
//
//go:noescape
func chainBlocks(key *block, t *nibbles, state, p *byte, blocks int)

// chainVector is Chain.
func (b *block) chainVector(state, p []byte) {
	_ = state[BlockSize-1]
	if n := len(p) / BlockSize; n > 0 {
		chainBlocks(b, vectorTables(), &state[0], &p[0], n)
	}
}

// lanes is how many chains chain16 works on.
const lanes = 16

// chain16 is chainBlocks for as many chains as lanes has bits, from the lowest on. From
// has the addresses of their blocks.
//
//go:noescape
func chain16(key *block, t *nibbles, states *byte, from **byte, blocks int, lanes uint64)

// chainsVector is Chains.
func (b *block) chainsVector(states []byte, ps [][]byte) {
	for len(ps) > 0 {
		var (
			n    = min(len(ps), lanes)
			from [lanes]*byte
			buf  [lanes * BlockSize]byte
		)
		for i, p := range ps[:n] {
			from[i] = &p[0]
		}
		copy(buf[:], states[:n*BlockSize])
		chain16(b, vectorTables(), &buf[0], &from[0], len(ps[0])/BlockSize, 1<<n-1)
		copy(states, buf[:n*BlockSize])
		states, ps = states[n*BlockSize:], ps[n:]
	}
}
