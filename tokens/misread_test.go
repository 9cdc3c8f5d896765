package tokens

import (
	"slices"
	"strings"
	"testing"

	"propusk/gost/gost3410"
)

func TestMisread(t *testing.T) {
	key, err := gost3410.GenerateKey(gost3410.TC26512A(), nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := []byte(strings.Repeat("digest, ", 8))
	reversed := slices.Clone(digest)
	slices.Reverse(reversed)
	signature, err := key.Sign(nil, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := key.Sign(nil, reversed, nil)
	if err != nil {
		t.Fatal(err)
	}
	back := func(b []byte) []byte { b = slices.Clone(b); slices.Reverse(b); return b }
	for want, sig := range map[string][]byte{
		"r comes before s":                      slices.Concat(signature[64:], signature[:64]),
		"s and r are little-endian":             slices.Concat(back(signature[:64]), back(signature[64:])),
		"r comes before s, both little-endian":  back(signature),
		"in order, and the digest was reversed": other,
		"in no order":                           make([]byte, 128),
		"length":                                signature[1:],
	} {
		if got := misread(key.PublicKey(), digest, sig); !strings.HasSuffix(got, want) && !strings.Contains(got, want+" ") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
