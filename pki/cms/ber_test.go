package cms

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// TestNormalise gives encodings of X.690, Section 8 and what they are in DER.
func TestNormalise(t *testing.T) {
	for _, v := range []struct{ name, ber, der string }{
		{"already DER", "3006 0401 61 0201 05", "3006 0401 61 0201 05"},
		{"indefinite", "3080 0201 05 0000", "3003 0201 05"},
		{"indefinite inside indefinite", "3080 a080 0201 05 0000 0000", "3005 a003 0201 05"},
		{"indefinite inside definite", "3007 3080 0201 05 0000", "3005 3003 0201 05"},
		{"empty indefinite", "3080 0000", "3000"},
		{"string in pieces", "2480 0401 61 0402 6263 0000", "0403 616263"},
		{"string in pieces of pieces", "2409 2404 0402 6162 0401 63", "0403 616263"},
		{"string without pieces", "2480 0000", "0400"},
		{"spare length octets", "3084 00000003 0281 01 05 00", ""},
		{"spare length octets, right", "3084 00000004 0281 01 05", "3003 0201 05"},
		{"order of a SET is kept", "3180 0201 05 0201 01 0000", "3106 0201 05 0201 01"},
		{"lone end of contents", "0000", "0000"},
		{"truncated", "3080 0201 05", ""},
		{"truncated header", "30", ""},
		{"primitive indefinite", "0480 0000", ""},
		{"trailing", "3000 00", ""},
		{"integer in a string", "2403 0201 05", ""},
		{"tag above 30", "1f21 00", ""},
		{"nine octets of length", "3089 000000000000000000", ""},
		{"length beyond 2^31", "3084 80000000", ""},
	} {
		in, want := unhex(t, v.ber), unhex(t, v.der)
		got, err := normalise(in)
		if v.der == "" {
			if err == nil {
				t.Errorf("%s: accepted as %x", v.name, got)
			}
			continue
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v, want %x", v.name, got, err, want)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNormaliseLimits checks that deep and wide input is refused soon.
func TestNormaliseLimits(t *testing.T) {
	deep := bytes.Repeat([]byte{0x30, 0x80}, 1<<20)
	if _, err := normalise(deep); !errors.Is(err, errBERDepth) {
		t.Errorf("deep: %v, want %v", err, errBERDepth)
	}
	pieces := bytes.Repeat([]byte{0x24, 0x80}, 1<<20)
	if _, err := normalise(pieces); !errors.Is(err, errBERDepth) {
		t.Errorf("pieces: %v, want %v", err, errBERDepth)
	}
	wide := append([]byte{0x30, 0x80}, bytes.Repeat([]byte{0x30, 0x00}, 1<<20)...)
	if _, err := normalise(wide); !errors.Is(err, errBERCount) {
		t.Errorf("wide: %v, want %v", err, errBERCount)
	}
}

// TestLongLengths checks the boundaries of the length encoding.
func TestLongLengths(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65535, 65536} {
		piece := append(appendHeader(nil, tagOctetString, n), make([]byte, n)...)
		if len(piece) != derSize(n) {
			t.Errorf("derSize(%d) = %d, want %d", n, derSize(n), len(piece))
		}
		ber := append([]byte{0x30, 0x80}, piece...)
		ber = append(ber, 0, 0)
		want := append(appendHeader(nil, 0x30, len(piece)), piece...)
		got, err := normalise(ber)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// FuzzBER checks that the normaliser neither panics nor grows its input, and that
// its output is a fixed point.
func FuzzBER(f *testing.F) {
	for _, s := range []string{"30800201050000", "2480040161040262630000", "300624040402616202", "308400000004028101053000"} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := normalise(in)
		if err != nil {
			if out != nil {
				t.Fatalf("%x: rejected, yet returned %x", in, out)
			}
			return
		}
		if len(out) > 4*len(in) {
			t.Fatalf("%d bytes became %d", len(in), len(out))
		}
		again, err := normalise(out)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%x -> %x -> %x, %v: not a fixed point", in, out, again, err)
		}
	})
}
