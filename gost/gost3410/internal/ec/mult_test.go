package ec

import (
	"bytes"
	"encoding/binary"
	"testing"

	"propusk/gost/gost3410/internal/scalar"
)

// TestMultEdges compares Mult with BaseMult where an addition may be special: for
// scalars near 0, near the order, of which the last digit is what is left, and near the
// borders of the digits.
func TestMultEdges(t *testing.T) {
	for name, c := range map[string]struct {
		group interface {
			BaseMult(k scalar.Nat) ([]byte, bool)
			Mult(k scalar.Nat, xy []byte) ([]byte, bool)
		}
		order *scalar.Modulus
	}{
		"CryptoPro-A": {CryptoProA{}, &scalar.CryptoProA},
		"CryptoPro-B": {CryptoProB{}, &scalar.CryptoProB},
		"CryptoPro-C": {CryptoProC{}, &scalar.CryptoProC},
		"tc26-256-A":  {TC26256A{}, &scalar.TC26256A},
		"tc26-512-A":  {TC26512A{}, &scalar.TC26512A},
		"tc26-512-B":  {TC26512B{}, &scalar.TC26512B},
		"tc26-512-C":  {TC26512C{}, &scalar.TC26512C},
	} {
		t.Run(name, func(t *testing.T) {
			base, _ := c.group.BaseMult(scalar.Nat{1})
			for _, k := range edges(c.order) {
				want, wantOK := c.group.BaseMult(k)
				got, ok := c.group.Mult(k, base)
				if ok != wantOK || ok && !bytes.Equal(got, want) {
					t.Errorf("%x·G = %x %v, want %x %v", k, got, ok, want, wantOK)
				}
			}
		})
	}
}

// edges returns numbers below the order.
func edges(q *scalar.Modulus) (ks []scalar.Nat) {
	for d := range uint64(70) {
		ks = append(ks, scalar.Nat{d}, q.Neg(scalar.Nat{d}))
	}
	for i := multWidth; i < 8*q.Size()-3; i += multWidth {
		b := make([]byte, 72)
		binary.LittleEndian.PutUint16(b[i/8:], 1<<(i%8))
		power := q.FromLittleEndian(b[:q.Size()])
		for _, d := range []uint64{1, 2, 31, 32, 33} {
			ks = append(ks, q.Add(power, scalar.Nat{d}), q.Add(power, q.Neg(scalar.Nat{d})))
		}
	}
	return ks
}
