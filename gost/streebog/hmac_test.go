package streebog

import (
	"bytes"
	"crypto/hmac"
	"slices"
	"strings"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
)

// TestHMACVectors makes what RFC 7836, Sections 4.1 and 4.2, make of HMAC.
func TestHMACVectors(t *testing.T) { cryptotest.Paths(t, testHMACVectors) }

func testHMACVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc7836.txt") {
		newHash, newHMAC := New256, NewHMAC256
		if strings.HasSuffix(v.Name, "512") {
			newHash, newHMAC = New512, NewHMAC512
		}
		sum := func(parts ...[]byte) []byte {
			ours, standard := newHMAC(v.Hex(t, "key")), hmac.New(newHash, v.Hex(t, "key"))
			for _, p := range parts {
				ours.Write(p)
				standard.Write(p)
			}
			if !bytes.Equal(ours.Sum(nil), standard.Sum(nil)) {
				t.Errorf("%s: our HMAC is not the standard one", v.Name)
			}
			return ours.Sum(nil)
		}
		var got []byte
		switch function, _, _ := strings.Cut(v.Name, "_GOST"); function {
		case "HMAC":
			got = sum(v.Hex(t, "message"))
		case "PRF_TLS": // P_hash of RFC 5246, Section 5
			seed := slices.Concat(v.Hex(t, "label"), v.Hex(t, "seed"))
			a1 := sum(seed)
			a2 := sum(a1)
			got = slices.Concat(sum(a1, seed), sum(a2, seed))
		case "PRF_IPSEC_PRFPLUS": // prf+ of RFC 7296, Section 2.13
			message := v.Hex(t, "message")
			t1 := sum(message, []byte{1})
			got = slices.Concat(t1, sum(t1, message, []byte{2}))
		default:
			t.Fatalf("unknown function %q", v.Name)
		}
		if want := v.Hex(t, "out"); !bytes.Equal(got, want) {
			t.Errorf("%s = %x, want %x", v.Name, got, want)
		}
	}
}
