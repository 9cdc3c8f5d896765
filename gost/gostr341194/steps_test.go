package gostr341194

import (
	"encoding/binary"
	"testing"

	"propusk/gost/gost28147"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
)

// number reads numbers of 256 bits, the most significant byte first.
func number(t *testing.T, v vectors.Vector, key string) (all []words) {
	t.Helper()
	b := v.Hex(t, key)
	if len(b) == 0 || len(b)%BlockSize != 0 {
		t.Fatalf("%s, %s: %d bytes", v.Name, key, len(b))
	}
	for ; len(b) > 0; b = b[BlockSize:] {
		var w words
		for i := range w {
			w[i] = binary.BigEndian.Uint64(b[BlockSize-8-8*i:])
		}
		all = append(all, w)
	}
	return all
}

// TestSteps follows the examples of RFC 5831 step by step: the keys, the encryption and
// the mixing.
func TestSteps(t *testing.T) { cryptotest.Paths(t, testSteps) }

func testSteps(t *testing.T) {
	sbox := gost28147.DigestTest()
	for _, v := range vectors.Load(t, "testdata/rfc5831-steps.txt") {
		h, m := number(t, v, "h")[0], number(t, v, "m")[0]
		var keys gost28147.FourKeys
		generateKeys(&keys, &h, &m)
		for i, want := range number(t, v, "k") {
			var got words
			for j := range keys {
				got[j/2] |= uint64(keys[j][i]) << (32 * (j % 2))
			}
			if got != want {
				t.Errorf("%s: K[%d] = %x, want %x", v.Name, i+1, got, want)
			}
		}
		s := h
		sbox.EncryptFour(&keys, (*[4]uint64)(&s))
		if want := number(t, v, "s")[0]; s != want {
			t.Errorf("%s: S = %x, want %x", v.Name, s, want)
		}
		d := &digest{sbox: sbox, h: h}
		d.step(&m)
		if want := number(t, v, "ksi")[0]; d.h != want {
			t.Errorf("%s: KSI = %x, want %x", v.Name, d.h, want)
		}
	}
}

// TestMix compares with PSI as RFC 5831, Section 5.3, has it: the parts that leave at
// the bottom come in at the top, added up. It is linear, so that its 256 single bits say
// all; sums of them show that it is.
func TestMix(t *testing.T) {
	for i := range 1000 {
		var w words
		if i < 256 {
			w[i/64] = 1 << (i % 64)
		} else {
			w = load((*[BlockSize]byte)(cryptotest.Bytes(BlockSize + i)[i:]))
		}
		for _, mix := range []struct {
			steps int
			f     func(w0, w1, w2, w3 uint64) (_, _, _, _ uint64)
		}{{1, mix1}, {12, mix12}, {61, mix61}} {
			got, want := words{}, w
			got[0], got[1], got[2], got[3] = mix.f(w[0], w[1], w[2], w[3])
			for range mix.steps {
				want = psi(want)
			}
			if got != want {
				t.Fatalf("PSI, %d times, of %x = %x, step by step %x", mix.steps, w, got, want)
			}
		}
	}
}

// psi is one step with parts of 16 bits.
func psi(w words) words {
	part := func(i int) uint64 { return w[i/4] >> (16 * (i % 4)) & 0xffff }
	var moved words
	for i := range 15 {
		moved[i/4] |= part(i+1) << (16 * (i % 4))
	}
	moved[3] |= (part(0) ^ part(1) ^ part(2) ^ part(3) ^ part(12) ^ part(15)) << 48
	return moved
}
