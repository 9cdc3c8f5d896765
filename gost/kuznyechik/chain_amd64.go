//go:build !purego

package kuznyechik

import (
	"sync"

	"propusk/gost/internal/pi"
)

// turned are the tables of the assembly for one block after the other. It calculates in
// the field of AES, because the processor does: a byte of ours has another name there.
type turned struct {
	into, back   uint64      // the matrices of the change of names, there and back
	substitution [256]byte   // by the names there
	turns        [4][64]byte // [k][16*g+i] takes byte i+4*k+g of the block
	factors      [4][64]byte // what L multiplies that byte by for byte i of its result
	feed         [4][64]byte // the same of the matrix of feed
	others       [64]byte    // all bits of all bytes but the last
	last         [64]byte    // from where on the last of four tables of the substitution is

	// lanes are the factors of L for several blocks: [k][16*g+i] is what byte i+k of any of
	// them is multiplied by for byte i of the result.
	lanes [BlockSize][64]byte

	constants [len(constants)][BlockSize]byte // of the key schedule
}

// chainTables is computed at first use, and read-only from then on.
var chainTables = sync.OnceValue(func() *turned {
	t := new(turned)
	into := namesInAES()
	var back [256]byte
	for v, name := range into {
		back[name] = byte(v)
	}
	for i := range t.others {
		t.last[i] = 0xc0
		if i%BlockSize != BlockSize-1 {
			t.others[i] = 0xff
		}
	}
	t.into = matrixOf(func(x byte) byte { return into[x] })
	t.back = matrixOf(func(x byte) byte { return back[x] })
	for v, name := range into {
		t.substitution[name] = into[pi.Substitution[v]]
	}
	for j := range BlockSize {
		var column [BlockSize]byte // what byte j contributes
		column[j] = 1
		linear(&column)
		for i, factor := range column {
			turn := (j - i + BlockSize) % BlockSize
			k, at := turn/4, turn%4*16+i
			t.turns[k][at], t.factors[k][at] = byte(j), into[factor]
			t.feed[k][at] = into[feedFactor(i, j)]
			for g := 0; g < 64; g += BlockSize {
				t.lanes[turn][g+i] = into[factor]
			}
		}
	}
	for i := range constants {
		constants[i].store(t.constants[i][:])
		for j, v := range t.constants[i] {
			t.constants[i][j] = into[v]
		}
	}
	return t
})

// feedFactor is what byte j of a key adds to byte i of its form in schedule.fed. L makes
// the bytes from the last to the first, each of the 16 that were there before; when byte
// j is made with its key, bytes before it get that key times the factor of l.
func feedFactor(i, j int) byte {
	switch {
	case i == j:
		return 1
	case i < j:
		return factors[j-i-1]
	default:
		return 0
	}
}

// feed makes b.fed from b.enc, as expandKey does.
func (b *block) feed() {
	for r, key := range b.enc {
		var in, out [BlockSize]byte
		key.store(in[:])
		for i := range out {
			for j, v := range in {
				out[i] ^= multiply(v, feedFactor(i, j))
			}
		}
		b.fed[r] = load(out[:])
	}
}

// namesInAES returns the elements of the field of AES as which ours behave: a root of our
// polynomial x^8 + x^7 + x^6 + x + 1 is the name of x.
func namesInAES() (names [256]byte) {
	for root := byte(2); ; root++ {
		powers := [9]byte{1}
		for i := 1; i < len(powers); i++ {
			powers[i] = multiplyAES(powers[i-1], root)
		}
		if powers[8]^powers[7]^powers[6]^powers[1]^powers[0] != 0 {
			continue // not a root; there are eight
		}
		for v := range names {
			for i := range 8 {
				names[v] ^= powers[i] * byte(v>>i&1)
			}
		}
		return names
	}
}

// multiplyAES multiplies modulo x^8 + x^4 + x^3 + x + 1.
func multiplyAES(x, y byte) byte {
	var product byte
	for ; y != 0; y >>= 1 {
		if y&1 != 0 {
			product ^= x
		}
		carry := x >> 7
		x = x<<1 ^ carry*0x1b
	}
	return product
}

// chainBlocks replaces the state, for each block in turn, with the encryption of the sum
// of both.
//
//go:noescape
func chainBlocks(keys *schedule, t *turned, state, p *byte, blocks int)

// expandKey makes all keys of the first two.
//
//go:noescape
func expandKey(keys *schedule, t *turned)

// firstRound does the first round of two counters but for their last bytes: common is
// what the others make and the key of the next round, and for the second counter that
// and the first.
//
//go:noescape
func firstRound(keys *schedule, t *turned, counters, common *[2]vector)

// expandVector is expand.
func (b *block) expandVector(k1, k2 vector) {
	b.enc[0], b.enc[1] = k1, k2
	expandKey(&b.schedule, chainTables())
}

// chainVector is Chain.
func (b *block) chainVector(state, p []byte) {
	_ = state[BlockSize-1]
	if n := len(p) / BlockSize; n > 0 {
		chainBlocks(&b.schedule, chainTables(), &state[0], &p[0], n)
	}
}

// lanes is how many chains chain16 works on.
const lanes = 16

// chain4, chain8 and chain16 are chainBlocks for several chains. From has the addresses of
// their blocks.
//
//go:noescape
func chain4(keys *schedule, t *turned, states *vector, from **byte, blocks int)

//go:noescape
func chain8(keys *schedule, t *turned, states *vector, from **byte, blocks int)

//go:noescape
func chain16(keys *schedule, t *turned, states *vector, from **byte, blocks int)

// chainsVector is Chains.
func (b *block) chainsVector(states []byte, ps [][]byte) {
	for len(ps) > 0 {
		n := min(len(ps), lanes)
		b.chainsLanes(states[:n*BlockSize], ps[:n])
		states, ps = states[n*BlockSize:], ps[n:]
	}
}

// chainsLanes is Chains for 1 to lanes chains. Those that are missing repeat the first one.
func (b *block) chainsLanes(states []byte, ps [][]byte) {
	var (
		from [lanes]*byte
		xs   [lanes]vector
	)
	for i := range from {
		from[i] = &ps[0][0]
		if i < len(ps) {
			from[i], xs[i] = &ps[i][0], load(states[i*BlockSize:])
		}
	}
	t, blocks := chainTables(), len(ps[0])/BlockSize
	switch {
	case len(ps) <= 4:
		chain4(&b.schedule, t, &xs[0], &from[0], blocks)
	case len(ps) <= 8:
		chain8(&b.schedule, t, &xs[0], &from[0], blocks)
	default:
		chain16(&b.schedule, t, &xs[0], &from[0], blocks)
	}
	for i := range ps {
		xs[i].store(states[i*BlockSize:])
	}
}
