package gost28147

import (
	"bytes"
	"encoding/binary"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
)

// TestSBoxes compares all substitutions with the standards.
func TestSBoxes(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range vectors.Load(t, "testdata/sboxes.txt") {
		s, ok := sboxes[v.Name]
		if !ok {
			t.Errorf("no substitutions %q", v.Name)
			continue
		}
		var rows []byte
		for _, row := range s.ours.rows {
			rows = binary.BigEndian.AppendUint32(rows, row)
		}
		if want := v.Hex(t, "rows"); !bytes.Equal(rows, want) {
			t.Errorf("%s: %x, want %x", v.Name, rows, want)
		}
		seen[v.Name] = true
	}
	if len(seen) != len(sboxes) {
		t.Errorf("the standards have %d sets, we have %d", len(seen), len(sboxes))
	}
}

// TestWrappedKey makes the authentication code of a wrapped key, RFC 7836, Section 4.6.
func TestWrappedKey(t *testing.T) { cryptotest.Paths(t, testWrappedKey) }

func testWrappedKey(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc7836.txt") {
		h := newIMIT(t, v.Hex(t, "key"), v.Hex(t, "iv"), sboxes[v.String(t, "sbox")].ours, MeshingNone, MACSize)
		h.Write(v.Hex(t, "plain"))
		if got, want := h.Sum(nil), v.Hex(t, "mac"); !bytes.Equal(got, want) {
			t.Errorf("%s: code %x, want %x", v.Name, got, want)
		}
	}
}
