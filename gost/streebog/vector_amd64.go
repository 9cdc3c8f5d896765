//go:build !purego

package streebog

import (
	"math/bits"
	"slices"
	"sync"
	"unsafe"

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
	first        [2]keySchedule            // firstKeys

	last block // from where on the last of four tables of the substitution is
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
	for i := range t.last {
		t.last[i] = 0xc0
	}
	for i := range firstKeys {
		for j := range firstKeys[i] {
			for at, from := range t.transpose {
				t.first[i][j][at] = firstKeys[i][j][from]
			}
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
// n, and itself to sigma; or neither, if sigma is nil.
type job struct {
	h, n, sigma *block
	length      uint64
	p           *byte
	blocks      int
}

// zero returns what Stage 3 has in place of n, which is only read.
func (t *transposed) zero() *block { return &t.constants[len(iteration)] }

// compress1 does count jobs of one message and writes the state to dst. If first is not
// nil, it holds the keys of the first block.
//
//go:noescape
func compress1(dst *block, jobs *job, t *transposed, count int, first *keySchedule)

// compress2 compresses count blocks of each of two messages, which takes little longer
// than one.
//
//go:noescape
func compress2(a, b *job, t *transposed, count int)

// compress4 compresses count blocks of each of four messages.
//
//go:noescape
func compress4(jobs *[4]*job, t *transposed, count int)

// vectorBlocks is blocks.
func (d *digest) vectorBlocks(p []byte) {
	t := vectorTables()
	compress1(&d.h, &job{&d.h, &d.n, &d.sigma, 8 * BlockSize, &p[0], len(p) / BlockSize}, t, 1, d.firstKeys(&t.first))
}

// vectorFinish is finish with the given last block, of which rest bytes are message.
func (d *digest) vectorFinish(out *block, p []byte, tail *block, rest int) {
	var (
		t        = vectorTables()
		n, sigma = d.n, d.sigma
		jobs     = [4]job{
			{&d.h, &n, &sigma, 8 * BlockSize, unsafe.SliceData(p), len(p) / BlockSize},
			{&d.h, &n, &sigma, 8 * uint64(rest), &tail[0], 1},
			{&d.h, t.zero(), nil, 0, &n[0], 1},
			{&d.h, t.zero(), nil, 0, &sigma[0], 1},
		}
		first = 0
	)
	if len(p) == 0 {
		first = 1
	}
	compress1(out, &jobs[first], t, len(jobs)-first, d.firstKeys(&t.first))
}

// A lane is a message on its way through the steps of its hash: the full blocks, the
// last one, the length and the sum.
type lane struct {
	number int    // of the message
	full   []byte // blocks that the first step has still to do
	d      digest
	step   int
	job    job
}

// start gives the lane the message with the given number.
func (l *lane) start(number int, message []byte, size int) {
	l.number, l.step = number, 0
	n := len(message) / BlockSize * BlockSize
	l.full = message[:n]
	l.d.init(size)
	l.d.used = len(message) - n
	l.d.tail = pad(message[n:])
	l.next()
}

// next goes on to the next step. It returns false when there is none: the hash is done.
func (l *lane) next() bool {
	l.step++
	if l.step == 1 && len(l.full) == 0 {
		l.step = 2
	}
	zero := vectorTables().zero()
	switch l.step {
	case 1:
		l.job = job{&l.d.h, &l.d.n, &l.d.sigma, 8 * BlockSize, &l.full[0], len(l.full) / BlockSize}
	case 2:
		l.job = job{&l.d.h, &l.d.n, &l.d.sigma, 8 * uint64(l.d.used), &l.d.tail[0], 1}
	case 3:
		l.job = job{&l.d.h, zero, nil, 0, &l.d.n[0], 1}
	case 4:
		l.job = job{&l.d.h, zero, nil, 0, &l.d.sigma[0], 1}
	default:
		return false
	}
	return true
}

// advance counts blocks that were compressed. It returns false when the hash is done.
func (l *lane) advance(blocks int) bool {
	if l.job.blocks -= blocks; l.job.blocks > 0 {
		l.full = l.full[blocks*BlockSize:]
		l.job.p = &l.full[0]
		return true
	}
	return l.next()
}

// vectorSums hashes messages four at a time, at the end two and one, and calls done with
// the final state of each.
func vectorSums(messages [][]byte, size int, done func(number int, h *block)) {
	t, space := vectorTables(), make([]lane, min(4, len(messages)))
	var lanes []*lane // that have a message
	started := 0
	for ; started < len(space); started++ {
		l := &space[started]
		l.start(started, messages[started], size)
		lanes = append(lanes, l)
	}
	for len(lanes) > 0 {
		count := compressLanes(lanes, t)
		for i := count.lanes - 1; i >= 0; i-- {
			l := lanes[i]
			if l.advance(count.blocks) {
				continue
			}
			done(l.number, &l.d.h)
			if started < len(messages) {
				l.start(started, messages[started], size)
				started++
			} else {
				lanes = slices.Delete(lanes, i, i+1)
			}
		}
	}
}

// compressLanes compresses as many blocks as it can of as many lanes as it can, from the
// first on, and returns the numbers of both.
func compressLanes(lanes []*lane, t *transposed) (count struct{ lanes, blocks int }) {
	count.lanes = 1
	if len(lanes) >= 4 {
		count.lanes = 4
	} else if len(lanes) >= 2 {
		count.lanes = 2
	}
	count.blocks = lanes[0].job.blocks
	for _, l := range lanes[:count.lanes] {
		count.blocks = min(count.blocks, l.job.blocks)
	}
	switch count.lanes {
	case 4:
		compress4(&[4]*job{&lanes[0].job, &lanes[1].job, &lanes[2].job, &lanes[3].job}, t, count.blocks)
	case 2:
		compress2(&lanes[0].job, &lanes[1].job, t, count.blocks)
	default:
		compress1(&lanes[0].d.h, &lanes[0].job, t, 1, nil)
	}
	return count
}
