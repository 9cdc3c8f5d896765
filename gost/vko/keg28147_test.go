package vko

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/internal/vectors"
)

func TestKEG28147(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/keg28147.txt") {
		c := curve(t, v)
		number := func(key string) []byte {
			b := v.Hex(t, key)
			slices.Reverse(b)
			return b
		}
		h := v.Hex(t, "h")
		for who, key := range map[string]struct {
			private *gost3410.PrivateKey
			peer    *gost3410.PublicKey
		}{
			"client": {private(t, c, number("deph")), public(t, c, append(number("xs"), number("ys")...))},
			"server": {private(t, c, number("ds")), public(t, c, append(number("xeph"), number("yeph")...))},
		} {
			if got, err := VKO256(key.private, key.peer, h[:8]); err != nil || !bytes.Equal(got, v.Hex(t, "vko")) {
				t.Errorf("%s, VKO256: %x, %v", who, got, err)
			}
			if got, err := KEG28147(key.private, key.peer, h); err != nil || !bytes.Equal(got, v.Hex(t, "keg")) {
				t.Errorf("%s, KEG28147: %x, %v", who, got, err)
			}
		}
	}
}

func TestKEG28147Errors(t *testing.T) {
	a, errA := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	b, errB := gost3410.GenerateKey(gost3410.CryptoProB(), nil)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	one := bytes.Repeat([]byte{1}, HashSize)
	if got, err := KEG28147(a, b.PublicKey(), one); got != nil || !errors.Is(err, gost3410.ErrAgreement) {
		t.Errorf("other curve: %x, %v", got, err)
	}
	zero := append(make([]byte, 8), one[8:]...) // here RFC 9189 does not put 1 in place of zero
	if got, err := KEG28147(a, a.PublicKey(), zero); got != nil || !errors.Is(err, gost3410.ErrAgreement) {
		t.Errorf("UKM zero: %x, %v", got, err)
	}
	for _, n := range []int{0, 8, 31, 33} {
		if got, err := KEG28147(a, a.PublicKey(), make([]byte, n)); got != nil || !errors.Is(err, ErrHash) {
			t.Errorf("a hash of %d bytes: %x, %v", n, got, err)
		}
	}
}
