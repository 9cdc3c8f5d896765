package kdf

import (
	"bytes"
	"crypto/hkdf"
	"encoding/hex"
	"math/bits"
	"strconv"
	"testing"

	oracle "github.com/ddulesov/gogost/gost34112012256"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
	"propusk/gost/streebog"
)

var suites13 = map[string]struct {
	masks  Masks
	theirs oracle.TLSTreeParams
	leaf   uint64 // records under one key
}{
	"KuznyechikMGML": {KuznyechikMGML, oracle.TLSGOSTR341112256WithKuznyechikMGML, 8192},
	"MagmaMGML":      {MagmaMGML, oracle.TLSGOSTR341112256WithMagmaMGML, 128},
	"KuznyechikMGMS": {KuznyechikMGMS, oracle.TLSGOSTR341112256WithKuznyechikMGMS, 8},
	"MagmaMGMS":      {MagmaMGMS, oracle.TLSGOSTR341112256WithMagmaMGMS, 1},
}

func TestTLSTree13(t *testing.T) {
	trees := map[string]*TLSTree{} // one for all vectors of a root, to try the cache
	for _, v := range vectors.Load(t, "testdata/rfc9367.txt") {
		suite, root := suites13[v.String(t, "suite")], v.Hex(t, "root")
		if trees[string(root)] == nil {
			trees[string(root)] = NewTLSTree(suite.masks, root)
		}
		seq, err := strconv.ParseUint(v.String(t, "seqnum"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, tree := range []*TLSTree{trees[string(root)], NewTLSTree(suite.masks, root)} {
			if got := tree.Key(seq); !bytes.Equal(got[:], v.Hex(t, "key")) {
				t.Errorf("%s: key %x", v.Name, got)
			}
		}
	}
}

// TestMasks13 compares with gogost at every bit, and checks how many records have a key.
func TestMasks13(t *testing.T) {
	root := cryptotest.Bytes(Size)
	for name, suite := range suites13 {
		tree := NewTLSTree(suite.masks, root)
		for bit := range 64 {
			seq := []uint64{1 << bit, 1<<bit - 1, -(1 << bit)}[bit%3]
			got, want := tree.Key(seq), oracleTree(suite.theirs, root, seq)
			if !bytes.Equal(got[:], want) {
				t.Errorf("%s, record %d: %x, gogost says %x", name, seq, got, want)
			}
		}
		if tree.Key(0) != tree.Key(suite.leaf-1) || tree.Key(0) == tree.Key(suite.leaf) {
			t.Errorf("%s: the key does not change after %d records", name, suite.leaf)
		}
		for _, c := range suite.masks.constants() { // ones, then zeros
			if n := bits.TrailingZeros64(c); c != ^uint64(0)<<n {
				t.Errorf("%s: constant %x has holes", name, c)
			}
		}
	}
}

// TestHKDF derives secrets of RFC 9367, Appendix A.1.2, with the standard library: HKDF
// needs nothing from this package.
func TestHKDF(t *testing.T) {
	zeros := make([]byte, Size)
	early, err := hkdf.Extract(streebog.New256, zeros, zeros)
	if err != nil {
		t.Fatal(err)
	}
	if want := "fbdefbe527feea665aab9277a2163b8343084fd191c46066260fac6fd1436c72"; hex.EncodeToString(early) != want {
		t.Errorf("EarlySecret %x, want %s", early, want)
	}
	// HkdfLabel of RFC 8446, Section 7.1: the length, the label, the empty transcript.
	empty := streebog.Sum256(nil)
	info := "\x00\x20" + "\x0dtls13 derived" + "\x20" + string(empty[:])
	derived, err := hkdf.Expand(streebog.New256, early, info, Size)
	if err != nil {
		t.Fatal(err)
	}
	if want := "dbc3c826d877a3b7d2d2453dbfdc6cfbfb1151b3e84f0c8f26011d8d5bf3edf7"; hex.EncodeToString(derived) != want {
		t.Errorf("Derived #0 %x, want %s", derived, want)
	}
}
