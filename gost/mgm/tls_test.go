package mgm

import (
	"bytes"
	"strconv"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
)

func TestRecords(t *testing.T) { cryptotest.Paths(t, testRecords) }

func testRecords(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc9367.txt") {
		a := aead(t, ciphers[v.String(t, "cipher")], v.Hex(t, "key"))
		nonce, data := v.Hex(t, "nonce"), v.Hex(t, "data")
		if v.Has("plain") {
			plain, want := v.Hex(t, "plain"), v.Hex(t, "sealed")
			if got := a.Seal(nil, nonce, plain, data); !bytes.Equal(got, want) {
				t.Errorf("%s: %x, want %x", v.Name, got, want)
			}
			if got, err := a.Open(nil, nonce, want, data); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s: opens as %x, %v", v.Name, got, err)
			}
			continue
		}
		plain := make([]byte, number(t, v, "size"))
		plain[number(t, v, "inner")] = 0x17
		got := a.Seal(nil, nonce, plain, data)
		if want := v.Hex(t, "begin"); !bytes.HasPrefix(got, want) {
			t.Errorf("%s: begins with %x, want %x", v.Name, got[:len(want)], want)
		}
		if want := v.Hex(t, "end"); !bytes.HasSuffix(got, want) {
			t.Errorf("%s: ends with %x, want %x", v.Name, got[len(got)-len(want):], want)
		}
	}
}

func number(t *testing.T, v vectors.Vector, key string) int {
	t.Helper()
	n, err := strconv.Atoi(v.String(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
