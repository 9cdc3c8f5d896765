package gostr341194

import (
	"encoding/binary"
	"testing"

	"propusk/gost/gost28147"
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
func TestSteps(t *testing.T) {
	sbox := gost28147.DigestTest()
	for _, v := range vectors.Load(t, "testdata/rfc5831-steps.txt") {
		h, m := number(t, v, "h")[0], number(t, v, "m")[0]
		keys := generateKeys(h, m)
		var s words
		for i, want := range number(t, v, "k") {
			var got words
			for j := range keys[i] {
				got[j/2] |= uint64(keys[i][j]) << (32 * (j % 2))
			}
			if got != want {
				t.Errorf("%s: K[%d] = %x, want %x", v.Name, i+1, got, want)
			}
			s[i] = sbox.EncryptWord(&keys[i], h[i])
		}
		if want := number(t, v, "s")[0]; s != want {
			t.Errorf("%s: S = %x, want %x", v.Name, s, want)
		}
		d := &digest{sbox: sbox, h: h}
		if got, want := d.step(m), number(t, v, "ksi")[0]; got != want {
			t.Errorf("%s: KSI = %x, want %x", v.Name, got, want)
		}
	}
}
