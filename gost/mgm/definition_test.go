package mgm

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
)

// define is the encryption of RFC 9058, Section 4.1, word for word. What it does on the
// way goes to note, under the names of the RFC.
func define(b cipher.Block, tagSize int, nonce, plain, data []byte, note func(name string, value []byte)) []byte {
	n := b.BlockSize()
	noted := func(name string, i int, value []byte) []byte {
		note(fmt.Sprint(name, i), bytes.Clone(value))
		return value
	}
	encrypt := func(p []byte) []byte {
		out := make([]byte, n)
		b.Encrypt(out, p)
		return out
	}
	next := func(half []byte) { // incr: one half of a counter, modulo 2^(n/2)
		for i := len(half) - 1; i >= 0; i-- {
			if half[i]++; half[i] != 0 {
				return
			}
		}
	}
	padded := func(p []byte) []byte { return append(bytes.Clone(p), make([]byte, (n-len(p)%n)%n)...) }

	y := encrypt(nonce)
	sealed := bytes.Clone(plain)
	for i := 0; i*n < len(sealed); i++ {
		noted("y", i+1, y)
		for j, v := range noted("ey", i+1, encrypt(y)) {
			if i*n+j < len(sealed) {
				sealed[i*n+j] ^= v
			}
		}
		next(y[n/2:])
	}

	blocks := slices.Concat(padded(data), padded(sealed))
	lengths := make([]byte, n)
	if n == 16 {
		binary.BigEndian.PutUint64(lengths, uint64(8*len(data)))
		binary.BigEndian.PutUint64(lengths[8:], uint64(8*len(sealed)))
	} else {
		binary.BigEndian.PutUint32(lengths, uint32(8*len(data)))
		binary.BigEndian.PutUint32(lengths[4:], uint32(8*len(sealed)))
	}
	note("lengths", lengths)
	z := encrypt(append([]byte{nonce[0] | 0x80}, nonce[1:]...))
	sum := make([]byte, n)
	for i, p := range slices.Collect(slices.Chunk(append(blocks, lengths...), n)) {
		noted("z", i+1, z)
		for j, v := range product(noted("h", i+1, encrypt(z)), p) {
			sum[j] ^= v
		}
		noted("sum", i+1, sum)
		next(z[:n/2])
	}
	return append(sealed, encrypt(sum)[:tagSize]...)
}

// product multiplies in the field of the block size: polynomials, the lowest bit last.
func product(x, y []byte) []byte {
	p, factor := new(big.Int), new(big.Int).SetBytes(x)
	for i := range 8 * len(y) {
		if y[len(y)-1-i/8]>>(i%8)&1 == 1 {
			p.Xor(p, new(big.Int).Lsh(factor, uint(i)))
		}
	}
	// x^128 + x^7 + x^2 + x + 1, x^64 + x^4 + x^3 + x + 1
	modulus := new(big.Int).Lsh(big.NewInt(1), uint(8*len(x)))
	modulus.Xor(modulus, big.NewInt(map[int]int64{8: 0x1b, 16: 0x87}[len(x)]))
	for p.BitLen() >= modulus.BitLen() {
		p.Xor(p, new(big.Int).Lsh(modulus, uint(p.BitLen()-modulus.BitLen())))
	}
	return p.FillBytes(make([]byte, len(x)))
}

// TestSteps follows the examples of RFC 9058 step by step. Every step of the definition
// must be in the RFC.
func TestSteps(t *testing.T) {
	steps := vectors.Load(t, "testdata/rfc9058-steps.txt")
	for i, v := range vectors.Load(t, "testdata/rfc9058.txt") {
		if steps[i].Name != v.Name {
			t.Fatalf("%s has the steps of %s", v.Name, steps[i].Name)
		}
		b := block(t, ciphers[v.String(t, "cipher")], v.Hex(t, "key"))
		want := append(v.Hex(t, "sealed"), v.Hex(t, "tag")...)
		got := define(b, len(v.Hex(t, "tag")), v.Hex(t, "nonce"), v.Hex(t, "plain"), v.Hex(t, "data"), func(name string, value []byte) {
			if want := steps[i].Hex(t, name); !bytes.Equal(value, want) {
				t.Errorf("%s, %s: %x, want %x", v.Name, name, value, want)
			}
		})
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}

// TestDefinition compares with the definition: random texts, and those of zeros and
// ones.
func TestDefinition(t *testing.T) { cryptotest.Paths(t, testDefinition) }

func testDefinition(t *testing.T) {
	for name, c := range ciphers {
		for i := range 25 {
			b := block(t, c, cryptotest.Weird(32, i%5))
			n := b.BlockSize()
			nonce, plain, data := cryptotest.Weird(n, i%4), cryptotest.Weird(i*7, i/5), cryptotest.Weird(1+i*5%64, i/3)
			nonce[0] &= 0x7f
			a, err := New(b)
			if err != nil {
				t.Fatal(err)
			}
			want := define(b, n, nonce, plain, data, func(string, []byte) {})
			if got := a.Seal(nil, nonce, plain, data); !bytes.Equal(got, want) {
				t.Errorf("%s, %d bytes and %d of data: %x, by the definition %x", name, len(plain), len(data), got, want)
			}
		}
	}
}
