package gostr341194

import (
	"bytes"
	"encoding/hex"
	"hash"
	"strings"
	"testing"

	oraclecipher "github.com/ddulesov/gogost/gost28147"
	oracle "github.com/ddulesov/gogost/gost341194"

	"propusk/gost/gost28147"
	"propusk/gost/internal/avx512"
	"propusk/gost/internal/corpus"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
)

func TestVectors(t *testing.T) { cryptotest.Paths(t, testVectors) }

func testVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc5831.txt") {
		h := &digest{sbox: gost28147.DigestTest()}
		if got, want := sum(h, v.Hex(t, "message")), v.Hex(t, "digest"); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}

func TestContract(t *testing.T) { cryptotest.Hash(t, New) }

func TestGogost(t *testing.T) { cryptotest.Paths(t, testGogost) }

func testGogost(t *testing.T) {
	for n := range 200 {
		msg := cryptotest.Bytes(n)
		if got, want := sum(New(), msg), oracleSum(msg); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %x, gogost says %x", n, got, want)
		}
		if got, want := sum(&digest{sbox: gost28147.DigestTest()}, msg), sum(oracle.New(&oraclecipher.SboxIdGostR341194TestParamSet), msg); !bytes.Equal(got, want) {
			t.Errorf("%d bytes, test parameters: %x, gogost says %x", n, got, want)
		}
	}
}

// TestCarry adds blocks of ones, so that their sum carries through all its bytes.
func TestCarry(t *testing.T) { cryptotest.Paths(t, testCarry) }

func testCarry(t *testing.T) {
	for n := range 200 {
		msg := bytes.Repeat([]byte{0xff}, n)
		if got, want := sum(New(), msg), oracleSum(msg); !bytes.Equal(got, want) {
			t.Errorf("%d bytes of ff: %x, gogost says %x", n, got, want)
		}
	}
}

func TestEngine(t *testing.T) { cryptotest.Paths(t, testEngine) }

func testEngine(t *testing.T) {
	for _, n := range []int{1, 31, 32, 33, 63, 64, 65, 4096, 100_001} {
		msg := cryptotest.Bytes(n)
		if got, want := sum(New(), msg), engine.Run(t, msg, "dgst", "-md_gost94", "-binary"); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %x, gost-engine says %x", n, got, want)
		}
	}
}

// TestEmpty holds the divergence that DIVERGENCES.md tells.
func TestEmpty(t *testing.T) {
	if got, want := sum(New(), nil), oracleSum(nil); !bytes.Equal(got, want) {
		t.Errorf("no bytes: %x, gogost says %x", got, want)
	}
	theirs := engine.Run(t, nil, "dgst", "-md_gost94", "-binary")
	d := &digest{sbox: gost28147.DigestCryptoPro()}
	d.block(&words{}) // what the text of RFC 5831 asks for
	if got := d.Sum(nil); !bytes.Equal(got, theirs) {
		t.Errorf("no bytes, by the RFC: %x, gost-engine says %x", got, theirs)
	}
}

// TestBotan reads the vectors of Botan.
func TestBotan(t *testing.T) { cryptotest.Paths(t, testBotan) }

func testBotan(t *testing.T) {
	var msg []byte
	count := 0
	for line := range strings.Lines(string(corpus.Read(t, "data/vectors/randombit-gost.vec"))) {
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		b, err := hex.DecodeString(strings.TrimSpace(value))
		if err != nil {
			t.Fatal(err)
		}
		switch strings.TrimSpace(name) {
		case "In":
			msg = b
		case "Out":
			count++
			if got := sum(New(), msg); !bytes.Equal(got, b) {
				t.Errorf("hash of %x = %x, want %x", msg, got, b)
			}
		}
	}
	if count < 8 {
		t.Errorf("only %d vectors found", count)
	}
}

func FuzzGogost(f *testing.F) {
	f.Add([]byte("message"), uint(3))
	f.Add(bytes.Repeat([]byte{0xff}, 100), uint(33))
	f.Fuzz(func(t *testing.T, msg []byte, split uint) {
		split %= uint(len(msg)) + 1
		want := oracleSum(msg)
		defer func() { avx512.Enabled = avx512.Available() }()
		for _, avx512.Enabled = range []bool{false, avx512.Available()} {
			h := New()
			h.Write(msg[:split])
			if got := sum(h, msg[split:]); !bytes.Equal(got, want) {
				t.Errorf("assembly %v: hash of %x = %x, gogost says %x", avx512.Enabled, msg, got, want)
			}
		}
	})
}

func sum(h hash.Hash, msg []byte) []byte {
	h.Write(msg)
	return h.Sum(nil)
}

func oracleSum(msg []byte) []byte {
	return sum(oracle.New(&oraclecipher.SboxIdGostR341194CryptoProParamSet), msg)
}

func BenchmarkHash(b *testing.B) { benchmark(b, New()) }

func BenchmarkGogostHash(b *testing.B) {
	benchmark(b, oracle.New(&oraclecipher.SboxIdGostR341194CryptoProParamSet))
}

func benchmark(b *testing.B, h hash.Hash) {
	msg := make([]byte, 16384)
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		h.Reset()
		h.Write(msg)
		h.Sum(nil)
	}
}
