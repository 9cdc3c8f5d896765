package streebog

import (
	"bytes"
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
	"testing"

	oracle256 "github.com/ddulesov/gogost/gost34112012256"
	oracle512 "github.com/ddulesov/gogost/gost34112012512"

	"propusk/gost/internal/avx512"
	"propusk/gost/internal/corpus"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
)

// sizes names both functions, ours and those of gogost and gost-engine.
var sizes = []struct {
	name   string
	new    func() hash.Hash
	sum    func([]byte) []byte
	oracle func() hash.Hash
	engine string
}{
	{"256", New256, func(p []byte) []byte { h := Sum256(p); return h[:] }, oracle256.New, "-md_gost12_256"},
	{"512", New512, func(p []byte) []byte { h := Sum512(p); return h[:] }, oracle512.New, "-md_gost12_512"},
}

func TestVectors(t *testing.T) { cryptotest.Paths(t, testVectors) }

func testVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc6986.txt") {
		for _, size := range sizes {
			want := v.Hex(t, "streebog"+size.name)
			if got := size.sum(v.Hex(t, "message")); !bytes.Equal(got, want) {
				t.Errorf("%s, Sum%s = %x, want %x", v.Name, size.name, got, want)
			}
		}
	}
}

func TestContract(t *testing.T) { cryptotest.Paths(t, testContract) }

func testContract(t *testing.T) {
	for _, size := range sizes {
		t.Run(size.name, func(t *testing.T) { cryptotest.Hash(t, size.new) })
	}
}

func TestOneShot(t *testing.T) { cryptotest.Paths(t, testOneShot) }

func testOneShot(t *testing.T) {
	for _, size := range sizes {
		for n := range 200 {
			h := size.new()
			h.Write(cryptotest.Bytes(n))
			if got, want := size.sum(cryptotest.Bytes(n)), h.Sum(nil); !bytes.Equal(got, want) {
				t.Fatalf("Sum%s of %d bytes = %x, New%s gives %x", size.name, n, got, size.name, want)
			}
		}
		msg := make([]byte, 1000)
		if n := testing.AllocsPerRun(10, func() { Sum256(msg); Sum512(msg) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

// TestCarry adds blocks of ones: the sum of the blocks carries through all its
// bytes, which random messages do not show.
func TestCarry(t *testing.T) { cryptotest.Paths(t, testCarry) }

func testCarry(t *testing.T) {
	for _, size := range sizes {
		for n := range 300 {
			msg := bytes.Repeat([]byte{0xff}, n)
			if got, want := size.sum(msg), oracle(size.oracle(), msg); !bytes.Equal(got, want) {
				t.Fatalf("%d bytes of ff: %x, gogost says %x", n, got, want)
			}
		}
	}
}

func TestGogost(t *testing.T) { cryptotest.Paths(t, testGogost) }

func testGogost(t *testing.T) {
	for _, size := range sizes {
		for n := range 300 {
			msg := cryptotest.Bytes(n)
			if got, want := size.sum(msg), oracle(size.oracle(), msg); !bytes.Equal(got, want) {
				t.Fatalf("Sum%s of %d bytes = %x, gogost says %x", size.name, n, got, want)
			}
		}
	}
}

func TestEngine(t *testing.T) {
	for _, size := range sizes {
		for _, n := range []int{0, 1, 63, 64, 65, 4096, 100_001} {
			msg := cryptotest.Bytes(n)
			if got, want := size.sum(msg), engine.Run(t, msg, "dgst", size.engine, "-binary"); !bytes.Equal(got, want) {
				t.Errorf("Sum%s of %d bytes = %x, gost-engine says %x", size.name, n, got, want)
			}
		}
	}
}

// TestBotan reads the vectors of Botan, which cover all lengths up to 256 bytes.
func TestBotan(t *testing.T) {
	sum, msg, count := sizes[0].sum, []byte(nil), 0
	for line := range strings.Lines(string(corpus.Read(t, "data/vectors/randombit-streebog.vec"))) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch strings.TrimSpace(key) {
		case "[Streebog-256]":
			sum = sizes[0].sum
		case "[Streebog-512]":
			sum = sizes[1].sum
		case "In":
			msg = unhex(t, value)
		case "Out":
			count++
			if got, want := sum(msg), unhex(t, value); !bytes.Equal(got, want) {
				t.Errorf("hash of %x = %x, want %x", msg, got, want)
			}
		}
	}
	if count < 100 {
		t.Errorf("only %d vectors found", count)
	}
}

// TestEtalon reads the vectors of gost-engine.
func TestEtalon(t *testing.T) {
	const dir = "data/vectors/gost-engine-etalon/"
	results := string(corpus.Read(t, dir+"dgst.result"))
	for _, size := range sizes {
		for _, name := range []string{"M1", "M2", "M4", "M5", "M6", "carry"} {
			want := fmt.Sprintf("md_gost12_%s(%s)= %x", size.name, name, size.sum(corpus.Read(t, dir+name)))
			if !strings.Contains(results, want) {
				t.Errorf("not among the results: %s", want)
			}
		}
	}
}

// TestConcurrent makes the first hashes of the process race for the tables, when
// it runs first and under the race detector.
func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	want := Sum256([]byte("message"))
	for range 8 {
		wg.Go(func() {
			if got := Sum256([]byte("message")); got != want {
				t.Errorf("Sum256 = %x, want %x", got, want)
			}
		})
	}
	wg.Wait()
}

// TestHMAC checks that the standard HMAC, and its clone, work with our hashes.
func TestHMAC(t *testing.T) {
	ours, ok := hmac.New(New256, []byte("key")).(hash.Cloner)
	if !ok {
		t.Fatal("HMAC is not a hash.Cloner")
	}
	theirs := hmac.New(oracle256.New, []byte("key"))
	for range 3 { // the standard HMAC behaves differently after a Reset
		ours.Write([]byte("message"))
		theirs.Write([]byte("message"))
		clone, err := ours.Clone()
		if err != nil {
			t.Fatal(err)
		}
		want := theirs.Sum(nil)
		if got := ours.Sum(nil); !bytes.Equal(got, want) {
			t.Errorf("HMAC = %x, gogost says %x", got, want)
		}
		if got := clone.Sum(nil); !bytes.Equal(got, want) {
			t.Errorf("clone of HMAC = %x, gogost says %x", got, want)
		}
		ours.Reset()
		theirs.Reset()
	}
}

func TestNewHMAC(t *testing.T) { cryptotest.Paths(t, testNewHMAC) }

// testNewHMAC compares our HMAC with the standard one, for keys and messages around the
// limits of a block.
func testNewHMAC(t *testing.T) {
	cryptotest.Hash(t, func() hash.Hash { return NewHMAC256([]byte("key")) })
	for _, size := range []struct {
		ours func(key []byte) hash.Hash
		hash func() hash.Hash
	}{{NewHMAC256, New256}, {NewHMAC512, New512}} {
		for _, n := range []int{0, 1, 31, 32, 63, 64, 65, 200} {
			key := cryptotest.Bytes(n)
			ours, standard := size.ours(key), hmac.New(size.hash, key)
			clear(key) // nobody keeps it
			for _, length := range []int{0, 1, 63, 64, 65, 300} {
				ours.Reset()
				standard.Reset()
				ours.Write(cryptotest.Bytes(length))
				standard.Write(cryptotest.Bytes(length))
				if got, want := ours.Sum(nil), standard.Sum(nil); !bytes.Equal(got, want) {
					t.Errorf("key of %d bytes, message of %d: %x, want %x", n, length, got, want)
				}
			}
		}
	}
}

func TestSums(t *testing.T) { cryptotest.Paths(t, testSums) }

// testSums hashes groups of messages of like and unlike lengths.
func testSums(t *testing.T) {
	for count := range 12 {
		for _, length := range []func(i int) int{
			func(i int) int { return 64 * i },
			func(i int) int { return 1100 - 97*i },
			func(int) int { return 1000 },
			func(i int) int { return i * 7919 % 257 },
			func(i int) int { return i % 2 * 4096 },
		} {
			messages := make([][]byte, count)
			for i := range messages {
				messages[i] = cryptotest.Bytes(length(i) + i)[i:]
			}
			sums256, sums512 := Sums256(messages), Sums512(messages)
			if len(sums256) != count || len(sums512) != count {
				t.Fatalf("%d and %d sums of %d messages", len(sums256), len(sums512), count)
			}
			for i, message := range messages {
				if sums256[i] != Sum256(message) || sums512[i] != Sum512(message) {
					t.Errorf("message %d of %d, %d bytes, differs from its hash alone", i, count, len(message))
				}
			}
		}
	}
}

// TestPaths compares the assembly with the generic code on all lengths up to several
// blocks, at odd addresses, in pieces, with states that random messages do not reach.
func TestPaths(t *testing.T) {
	if !avx512.Available() {
		t.Skip("no assembly: another processor, or the build tag purego")
	}
	defer func() { avx512.Enabled = true }()
	for _, size := range sizes {
		for n := range 1100 {
			var sums [2][]byte
			for i := range sums {
				avx512.Enabled = i == 0
				h := newDigest(map[string]int{"256": Size256, "512": Size512}[size.name])
				h.begun = true // with a length, so that no keys are known
				for j := range h.sigma {
					h.sigma[j], h.n[j] = 0xff, 0xff-byte(n&1)
				}
				msg, cut := cryptotest.Bytes(n + 3)[3:], n*7%(n+1)
				h.Write(msg[:cut])
				avx512.Enabled = avx512.Enabled != (n%5 == 4) // change horses
				h.Write(msg[cut:])
				sums[i] = h.Sum(nil)
			}
			if !bytes.Equal(sums[0], sums[1]) {
				t.Fatalf("Streebog-%s of %d bytes: assembly %x, generic %x", size.name, n, sums[0], sums[1])
			}
		}
	}
}

func FuzzGogost(f *testing.F) {
	f.Add([]byte(nil), uint(0))
	f.Add(bytes.Repeat([]byte{0xff}, 200), uint(65))
	f.Fuzz(func(t *testing.T, msg []byte, split uint) {
		split %= uint(len(msg)) + 1
		defer func() { avx512.Enabled = avx512.Available() }()
		for _, size := range sizes {
			want := oracle(size.oracle(), msg)
			for _, avx512.Enabled = range []bool{false, avx512.Available()} {
				h := size.new()
				h.Write(msg[:split])
				h.Write(msg[split:])
				if got := h.Sum(nil); !bytes.Equal(got, want) {
					t.Errorf("assembly %v: Streebog-%s of %x = %x, gogost says %x", avx512.Enabled, size.name, msg, got, want)
				}
			}
		}
		pieces := [][]byte{msg, msg[:split], msg[split:], nil, msg, msg[split:]}
		for _, avx512.Enabled = range []bool{false, avx512.Available()} {
			sums256, sums512 := Sums256(pieces), Sums512(pieces)
			for i, piece := range pieces[:3] { // gogost is slow
				if got, want := sums256[i][:], oracle(oracle256.New(), piece); !bytes.Equal(got, want) {
					t.Errorf("assembly %v: among others, Streebog-256 of %x = %x, gogost says %x", avx512.Enabled, piece, got, want)
				}
				if got, want := sums512[i][:], oracle(oracle512.New(), piece); !bytes.Equal(got, want) {
					t.Errorf("assembly %v: among others, Streebog-512 of %x = %x, gogost says %x", avx512.Enabled, piece, got, want)
				}
			}
			if sums256[0] != sums256[4] || sums512[2] != sums512[5] || sums256[3] != Sum256(nil) {
				t.Errorf("assembly %v: of %x: equal messages differ", avx512.Enabled, msg)
			}
			ours := NewHMAC256(msg[:split])
			if got, want := oracle(ours, msg[split:]), oracle(hmac.New(oracle256.New, msg[:split]), msg[split:]); !bytes.Equal(got, want) {
				t.Errorf("assembly %v: HMAC of %x with %x = %x, gogost says %x", avx512.Enabled, msg[split:], msg[:split], got, want)
			}
		}
	})
}

// FuzzSums compares hashes of several messages at once, on both paths, with one by one.
func FuzzSums(f *testing.F) {
	f.Add([]byte(nil), uint8(0))
	f.Add(bytes.Repeat([]byte{0xff}, 1000), uint8(100))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		messages := slices.Collect(slices.Chunk(data, int(piece)+1))
		for i := range messages { // of unlike lengths
			messages[i] = messages[i][:len(messages[i])-i%(len(messages[i])+1)]
		}
		defer func() { avx512.Enabled = avx512.Available() }()
		for _, avx512.Enabled = range []bool{false, avx512.Available()} {
			for i, got := range Sums256(messages) {
				if want := Sum256(messages[i]); got != want {
					t.Errorf("assembly %v: message %d, %x: %x, want %x", avx512.Enabled, i, messages[i], got, want)
				}
			}
		}
	})
}

// FuzzHMAC compares our HMAC with the standard one, on both paths.
func FuzzHMAC(f *testing.F) {
	f.Add([]byte("key"), []byte("message"))
	f.Add(bytes.Repeat([]byte{0xff}, 65), bytes.Repeat([]byte{0xff}, 130))
	f.Fuzz(func(t *testing.T, key, msg []byte) {
		defer func() { avx512.Enabled = avx512.Available() }()
		for _, avx512.Enabled = range []bool{false, avx512.Available()} {
			ours, standard := NewHMAC512(key), hmac.New(New512, key)
			ours.Write(msg)
			standard.Write(msg)
			if got, want := ours.Sum(nil), standard.Sum(nil); !bytes.Equal(got, want) {
				t.Errorf("assembly %v: key %x, message %x: %x, want %x", avx512.Enabled, key, msg, got, want)
			}
		}
	})
}

func BenchmarkSum256(b *testing.B)       { benchmark(b, New256) }
func BenchmarkSum512(b *testing.B)       { benchmark(b, New512) }
func BenchmarkGogostSum256(b *testing.B) { benchmark(b, oracle256.New) }

func BenchmarkSums256(b *testing.B) {
	for _, n := range []int{64, 1024, 16384} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			messages := make([][]byte, 8)
			for i := range messages {
				messages[i] = make([]byte, n)
			}
			b.SetBytes(int64(len(messages) * n))
			for b.Loop() {
				Sums256(messages)
			}
		})
	}
}

func benchmark(b *testing.B, newHash func() hash.Hash) {
	for _, n := range []int{64, 1024, 16384} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h, msg, sum := newHash(), make([]byte, n), make([]byte, 0, Size512)
			b.SetBytes(int64(n))
			for b.Loop() {
				h.Reset()
				h.Write(msg)
				sum = h.Sum(sum[:0])
			}
		})
	}
}

func oracle(h hash.Hash, msg []byte) []byte {
	h.Write(msg)
	return h.Sum(nil)
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
