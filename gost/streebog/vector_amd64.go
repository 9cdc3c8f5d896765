//go:build !purego

package streebog

import (
	"math/bits"
	"sync"

	"propusk/gost/internal/pi"
)

// transposed are the tables of the assembly. A block is transposed when byte o of its
// word i is byte i of its word o.
type transposed struct {
	substitution [256]byte
	spread       [4]block                  // [d] takes to the word o the bytes o+d of all words
	matrices     [8][8]uint64              // [d][o] is what byte o+d contributes to byte o, [4+d][o] to byte o+4
	constants    [len(iteration) + 1]block // and zero: no key follows the last round
	transpose    block                     // the order of bytes
}

// vectorTables is computed at first use, and read-only from then on.
var vectorTables = sync.OnceValue(func() *transposed {
	t := new(transposed)
	copy(t.substitution[:], pi.Substitution)
	for i := range t.transpose {
		t.transpose[i] = byte(i%8*8 + i/8)
	}
	for d := range t.spread {
		for i := range t.spread[d] {
			t.spread[d][i] = byte(i%8*8 + (i/8+d)%8)
		}
		for o := range 8 {
			t.matrices[d][o] = matrixOf((o+d)%8, o)
			t.matrices[4+d][o] = matrixOf((o+d)%8, (o+4)%8)
		}
	}
	for i := range roundKeys {
		for at, from := range t.transpose {
			t.constants[i][at] = roundKeys[i][from]
		}
	}
	return t
})

// matrixOf returns the 8x8 bits of the matrix A that say what byte j contributes to
// byte o, as VGF2P8AFFINEQB takes them: bit k of byte 7-i says whether bit k
// contributes to bit i.
func matrixOf(j, o int) (m uint64) {
	for k := range 8 {
		row := matrix[63-8*j-k]
		for column := byte(row >> (8 * o)); column != 0; column &= column - 1 {
			i := bits.TrailingZeros8(column)
			m |= 1 << (8*(7-i) + k)
		}
	}
	return m
}

// A job is Stage 2 of RFC 6986, Section 8, for blocks at p, each of which adds length to
// n, and itself to sigma.
type job struct {
	h, n, sigma *block
	length      uint64
	p           *byte
}

// compress1 compresses count blocks.
//
//go:noescape
func compress1(a *job, t *transposed, count int)

// compress2 compresses count blocks of each of two messages, which takes little longer
// than one.
//
//go:noescape
func compress2(a, b *job, t *transposed, count int)

// vectorBlocks compresses the blocks of p.
func vectorBlocks(h, n, sigma *block, length uint64, p []byte) {
	compress1(&job{h, n, sigma, length, &p[0]}, vectorTables(), len(p)/BlockSize)
}

// A lane is a message on its way through the steps of its hash: the full blocks, the
// last one, the length and the sum.
type lane struct {
	number int    // of the message, or less than 0 when there are no more
	full   []byte // blocks that the first step has still to do
	d      digest
	step   int
	job    job
	blocks int // that the job has still to do

	zero, sum block // for the last two steps, which count nothing
}

// start gives the lane the message with the given number.
func (l *lane) start(number int, message []byte, size int) {
	l.number, l.step = number, 0
	n := len(message) / BlockSize * BlockSize
	l.full = message[:n]
	l.d.init(size)
	l.d.used = copy(l.d.tail[:], message[n:])
	l.d.tail[l.d.used] = 1 // as in finish
	l.next()
}

// next goes on to the next step. It returns false when there is none: the hash is done.
func (l *lane) next() bool {
	l.step++
	if l.step == 1 && len(l.full) == 0 {
		l.step = 2
	}
	l.blocks = 1
	switch l.step {
	case 1:
		l.blocks = len(l.full) / BlockSize
		l.job = job{&l.d.h, &l.d.n, &l.d.sigma, 8 * BlockSize, &l.full[0]}
	case 2:
		l.job = job{&l.d.h, &l.d.n, &l.d.sigma, 8 * uint64(l.d.used), &l.d.tail[0]}
	case 3:
		l.job = job{&l.d.h, &l.zero, &l.sum, 0, &l.d.n[0]}
	case 4:
		l.job = job{&l.d.h, &l.zero, &l.sum, 0, &l.d.sigma[0]}
	default:
		return false
	}
	return true
}

// vectorSums hashes messages two at a time, and calls done with the final state of each.
func vectorSums(messages [][]byte, size int, done func(number int, h *block)) {
	t, lanes, started := vectorTables(), new([2]lane), 0
	begin := func(l *lane) {
		if l.number = -1; started < len(messages) {
			l.start(started, messages[started], size)
			started++
		}
	}
	begin(&lanes[0])
	begin(&lanes[1])
	advance := func(l *lane, blocks int) {
		if l.blocks -= blocks; l.blocks > 0 {
			l.full = l.full[blocks*BlockSize:]
			l.job.p = &l.full[0]
		} else if !l.next() {
			done(l.number, &l.d.h)
			begin(l)
		}
	}
	a, b := &lanes[0], &lanes[1]
	for a.number >= 0 && b.number >= 0 {
		n := min(a.blocks, b.blocks)
		compress2(&a.job, &b.job, t, n)
		advance(a, n)
		advance(b, n)
	}
	for _, l := range []*lane{a, b} {
		for l.number >= 0 {
			n := l.blocks
			compress1(&l.job, t, n)
			advance(l, n)
		}
	}
}
