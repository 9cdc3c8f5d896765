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
func chainBlocks(keys *[rounds]vector, t *turned, state, p *byte, blocks int)

// expandKey makes all keys of the first two.
//
//go:noescape
func expandKey(keys *[rounds]vector, t *turned)

// expandVector is expand.
func (b *block) expandVector(k1, k2 vector) {
	b.enc[0], b.enc[1] = k1, k2
	expandKey(&b.enc, chainTables())
}

// chainVector is Chain.
func (b *block) chainVector(state, p []byte) {
	_ = state[BlockSize-1]
	if n := len(p) / BlockSize; n > 0 {
		chainBlocks(&b.enc, chainTables(), &state[0], &p[0], n)
	}
}
