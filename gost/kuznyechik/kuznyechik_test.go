package kuznyechik

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"strings"
	"testing"

	oracle "github.com/ddulesov/gogost/gost3412128"

	"propusk/gost/internal/avx512"
	"propusk/gost/internal/corpus"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
)

func TestVectors(t *testing.T) { cryptotest.Paths(t, testVectors) }

func testVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc7801.txt") {
		checkBoth(t, v.Name, v.Hex(t, "key"), v.Hex(t, "plain"), v.Hex(t, "cipher"))
	}
}

// checkBoth checks both directions.
func checkBoth(t *testing.T, name string, key, plain, sealed []byte) {
	t.Helper()
	b := newCipher(t, key)
	got := make([]byte, BlockSize)
	if b.Encrypt(got, plain); !bytes.Equal(got, sealed) {
		t.Errorf("%s: Encrypt(%x) = %x, want %x", name, plain, got, sealed)
	}
	if b.Decrypt(got, sealed); !bytes.Equal(got, plain) {
		t.Errorf("%s: Decrypt(%x) = %x, want %x", name, sealed, got, plain)
	}
}

// TestTransformations checks the parts of a round one by one.
func TestTransformations(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/transformations.txt") {
		in, out := load(v.Hex(t, "in")), load(v.Hex(t, "out"))
		switch v.Name {
		case "S":
			if in.substitute() != out || out.inverseSubstitute() != in {
				t.Errorf("S(%x) = %x, back %x", in, in.substitute(), out.inverseSubstitute())
			}
		case "L":
			forth, back := [BlockSize]byte(v.Hex(t, "in")), [BlockSize]byte(v.Hex(t, "out"))
			linear(&forth)
			inverseLinear(&back)
			if load(forth[:]) != out || load(back[:]) != in {
				t.Errorf("L(%x) = %x, back %x", in, forth, back)
			}
		default:
			t.Fatalf("unknown transformation %q", v.Name)
		}
	}
}

func TestKeySchedule(t *testing.T) { cryptotest.Paths(t, testKeySchedule) }

func testKeySchedule(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/keyschedule.txt") {
		b := newBlock(t, v.Hex(t, "key"))
		want := v.Hex(t, "keys")
		for i, k := range b.enc {
			if k != load(want[BlockSize*i:]) {
				t.Errorf("K_%d = %x, want %x", i+1, k, want[BlockSize*i:][:BlockSize])
			}
		}
	}
}

func TestContract(t *testing.T) {
	cryptotest.Paths(t, func(t *testing.T) {
		cryptotest.Block(t, "kuznyechik", KeySize, New)
		cryptotest.Chain(t, newCipher(t, cryptotest.Bytes(KeySize)))
		cryptotest.Chains(t, "kuznyechik", newCipher(t, cryptotest.Bytes(KeySize)))
		cryptotest.Blocks(t, newCipher(t, cryptotest.Bytes(KeySize)))
		cryptotest.Counters(t, newCipher(t, cryptotest.Bytes(KeySize)))
	})
}

func TestGogost(t *testing.T) { cryptotest.Paths(t, testGogost) }

func testGogost(t *testing.T) {
	for i := range 500 {
		against(t, cryptotest.Bytes(KeySize + i)[i:], cryptotest.Bytes(BlockSize + i)[i:])
	}
}

func TestEngine(t *testing.T) { cryptotest.Paths(t, testEngine) }

func testEngine(t *testing.T) {
	key, iv, msg := cryptotest.Bytes(KeySize), cryptotest.Bytes(BlockSize), cryptotest.Bytes(100*BlockSize)
	want := engine.Run(t, msg, "enc", "-kuznyechik-cbc", "-nopad", "-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(iv))
	got := make([]byte, len(msg))
	cipher.NewCBCEncrypter(newCipher(t, key), iv).CryptBlocks(got, msg)
	if !bytes.Equal(got, want) {
		t.Errorf("CBC of %x = %x, gost-engine says %x", msg, got, want)
	}
	cipher.NewCBCDecrypter(newCipher(t, key), iv).CryptBlocks(got, want)
	if !bytes.Equal(got, msg) {
		t.Error("the CBC of gost-engine does not decrypt")
	}
}

// TestBotan reads the vectors of Botan.
func TestBotan(t *testing.T) { cryptotest.Paths(t, testBotan) }

func testBotan(t *testing.T) {
	v, count := map[string][]byte{}, 0
	for line := range strings.Lines(string(corpus.Read(t, "data/vectors/randombit-kuznyechik.vec"))) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok {
			continue
		}
		b, err := hex.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		if v[name] = b; name == "Out" {
			count++
			checkBoth(t, line, v["Key"], v["In"], v["Out"])
		}
	}
	if count < 65 {
		t.Errorf("only %d vectors found", count)
	}
}

// FuzzGogost compares every block of a message, with the assembly and without, one by
// one and many at once.
func FuzzGogost(f *testing.F) {
	f.Add([]byte(nil), make([]byte, BlockSize))
	f.Add(bytes.Repeat([]byte{0xff}, KeySize), bytes.Repeat([]byte{0xff}, 70*BlockSize))
	f.Fuzz(func(t *testing.T, key, plain []byte) {
		key = append(bytes.Clone(key), make([]byte, KeySize)...)[:KeySize] // the fuzzer need not find the length
		plain = plain[:len(plain)/BlockSize*BlockSize]
		theirs, want := oracle.NewCipher(key), make([]byte, len(plain))
		for at := 0; at < len(plain); at += BlockSize {
			theirs.Encrypt(want[at:], plain[at:])
		}
		defer func() { avx512.Enabled = avx512.Available() }()
		for _, avx512.Enabled = range []bool{false, avx512.Available()} {
			for at := 0; at < len(plain); at += BlockSize {
				checkBoth(t, "gogost", key, plain[at:][:BlockSize], want[at:][:BlockSize])
			}
			got := make([]byte, len(plain))
			if newBlock(t, key).EncryptBlocks(got, plain); !bytes.Equal(got, want) {
				t.Errorf("assembly %v: blocks %x become %x, gogost says %x", avx512.Enabled, plain, got, want)
			}
		}
	})
}

// FuzzBlocks compares many blocks at once, with the assembly and without, with one by
// one.
func FuzzBlocks(f *testing.F) {
	f.Add(make([]byte, KeySize), make([]byte, 65*BlockSize), uint64(0), uint64(1<<64-3))
	f.Add(bytes.Repeat([]byte{0xff}, KeySize), bytes.Repeat([]byte{0xff}, 11*BlockSize), uint64(1<<64-1), uint64(0xf9))
	f.Fuzz(func(t *testing.T, key, src []byte, hi, lo uint64) {
		if len(key) != KeySize {
			t.Skip()
		}
		cryptotest.FuzzBlocks(t, newCipher(t, key), src, hi, lo)
	})
}

// against checks both directions with gogost.
func against(t *testing.T, key, plain []byte) {
	t.Helper()
	want := make([]byte, BlockSize)
	oracle.NewCipher(key).Encrypt(want, plain)
	checkBoth(t, "gogost", key, plain, want)
}

func newCipher(t testing.TB, key []byte) cipher.Block {
	t.Helper()
	b, err := New(key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// newBlock is newCipher with all methods in sight.
func newBlock(t testing.TB, key []byte) *block {
	t.Helper()
	b, ok := newCipher(t, key).(*block)
	if !ok {
		t.Fatal("New returns another type")
	}
	return b
}

func BenchmarkEncrypt(b *testing.B) {
	c, buf := newCipher(b, make([]byte, KeySize)), cryptotest.Bytes(BlockSize)
	b.SetBytes(BlockSize)
	for b.Loop() {
		c.Encrypt(buf, buf)
	}
}

func BenchmarkEncryptBlocks(b *testing.B) {
	c, buf := newBlock(b, make([]byte, KeySize)), cryptotest.Bytes(16384)
	b.SetBytes(16384)
	for b.Loop() {
		c.EncryptBlocks(buf, buf)
	}
}

func BenchmarkDecrypt(b *testing.B) {
	c, buf := newCipher(b, make([]byte, KeySize)), cryptotest.Bytes(BlockSize)
	b.SetBytes(BlockSize)
	for b.Loop() {
		c.Decrypt(buf, buf)
	}
}

func BenchmarkNew(b *testing.B) {
	key := make([]byte, KeySize)
	for b.Loop() {
		newCipher(b, key)
	}
}

func BenchmarkGogostEncrypt(b *testing.B) {
	c, buf := oracle.NewCipher(make([]byte, KeySize)), cryptotest.Bytes(BlockSize)
	b.SetBytes(BlockSize)
	for b.Loop() {
		c.Encrypt(buf, buf)
	}
}
