package modes

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"testing"

	oracle "github.com/ddulesov/gogost/gost341264"

	"propusk/gost/internal/corpus"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
)

type newCipher func(key []byte) (cipher.Block, error)

// ciphers are ours and one without EncryptBlocks.
var ciphers = map[string]newCipher{"kuznyechik": kuznyechik.New, "magma": magma.New, "aes": aes.NewCipher}

func TestVectors(t *testing.T) { cryptotest.Paths(t, testVectors) }

func testVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/gost3413.txt") {
		b := mustCipher(t, ciphers[v.String(t, "cipher")], v.Hex(t, "key"))
		plain, want := v.Hex(t, "plain"), v.Hex(t, "out")
		var got []byte
		switch v.String(t, "mode") {
		case "ctr":
			got = xor(NewCTR(b, v.Hex(t, "iv")), plain)
		case "omac":
			got = mac(b, plain)
		default:
			t.Fatalf("%s: unknown mode", v.Name)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}

func TestVectorsACPKM(t *testing.T) { cryptotest.Paths(t, testVectorsACPKM) }

func testVectorsACPKM(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc8645.txt") {
		section, err := strconv.Atoi(v.String(t, "section"))
		if err != nil {
			t.Fatal(err)
		}
		s := acpkm(t, ciphers[v.String(t, "cipher")], v.Hex(t, "key"), v.Hex(t, "iv"), section)
		if got, want := xor(s, v.Hex(t, "plain")), v.Hex(t, "out"); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}

// TestRecords protects records of TLS as RFC 9189, Section 4.1.1, says: OMAC of the
// number, the header and the data, then CTR-ACPKM of the data and the code.
func TestRecords(t *testing.T) { cryptotest.Paths(t, testRecords) }

func testRecords(t *testing.T) {
	sections := map[string]int{"kuznyechik": 4096, "magma": 1024}
	for _, v := range vectors.Load(t, "testdata/rfc9189-records.txt") {
		name := v.String(t, "cipher")
		size, err := strconv.Atoi(v.String(t, "size"))
		if err != nil {
			t.Fatal(err)
		}
		m := NewOMAC(mustCipher(t, ciphers[name], v.Hex(t, "kmac")))
		m.Write(v.Hex(t, "seqnum"))
		m.Write(v.Hex(t, "header"))
		m.Write(make([]byte, size))
		record := m.Sum(make([]byte, size))
		if got, want := record[size:], v.Hex(t, "mac"); !bytes.Equal(got, want) {
			t.Errorf("%s: code %x, want %x", v.Name, got, want)
		}
		acpkm(t, ciphers[name], v.Hex(t, "kenc"), v.Hex(t, "iv"), sections[name]).XORKeyStream(record, record)
		if want := v.Hex(t, "begin"); !bytes.HasPrefix(record, want) {
			t.Errorf("%s: begins with %x, want %x", v.Name, record[:len(want)], want)
		}
		if want := v.Hex(t, "end"); !bytes.HasSuffix(record, want) {
			t.Errorf("%s: ends with %x, want %x", v.Name, record[len(record)-len(want):], want)
		}
	}
}

func TestContract(t *testing.T) { cryptotest.Paths(t, testContract) }

func testContract(t *testing.T) {
	for name, c := range ciphers {
		key := cryptotest.Bytes(32)
		b := mustCipher(t, c, key)
		iv := cryptotest.Bytes(b.BlockSize() / 2)
		t.Run(name+" CTR", func(t *testing.T) {
			cryptotest.Stream(t, "modes", 2000, func() cipher.Stream { return NewCTR(b, iv) })
		})
		for _, blocks := range []int{1, 3, 100} {
			section := blocks * b.BlockSize()
			t.Run(fmt.Sprintf("%s CTR-ACPKM %d", name, section), func(t *testing.T) {
				cryptotest.Stream(t, "modes", 2000, func() cipher.Stream { return acpkm(t, c, key, iv, section) })
			})
		}
		t.Run(name+" OMAC", func(t *testing.T) {
			cryptotest.Hash(t, func() hash.Hash { return NewOMAC(b) })
		})
	}
}

// TestStandardCTR compares with crypto/cipher, whose IV is the whole counter.
func TestStandardCTR(t *testing.T) { cryptotest.Paths(t, testStandardCTR) }

func testStandardCTR(t *testing.T) {
	for name, c := range ciphers {
		b := mustCipher(t, c, cryptotest.Bytes(32))
		iv := cryptotest.Bytes(b.BlockSize() / 2)
		msg := cryptotest.Bytes(100_000)
		want := xor(cipher.NewCTR(b, append(iv, make([]byte, len(iv))...)), msg)
		if got := xor(NewCTR(b, iv), msg); !bytes.Equal(got, want) {
			t.Errorf("%s differs from crypto/cipher", name)
		}
	}
}

func TestAllocations(t *testing.T) { cryptotest.Paths(t, testAllocations) }

func testAllocations(t *testing.T) {
	for name, c := range ciphers {
		b := mustCipher(t, c, cryptotest.Bytes(32))
		s, buf := NewCTR(b, make([]byte, b.BlockSize()/2)), make([]byte, 5001)
		if n := testing.AllocsPerRun(10, func() { s.XORKeyStream(buf, buf) }); n != 0 {
			t.Errorf("%s: XORKeyStream: %v allocations", name, n)
		}
	}
}

// TestCarry lets the counter overflow its half and the whole block.
func TestCarry(t *testing.T) { cryptotest.Paths(t, testCarry) }

func testCarry(t *testing.T) {
	for name, c := range ciphers {
		b := mustCipher(t, c, cryptotest.Bytes(32))
		ones := bytes.Repeat([]byte{0xff}, b.BlockSize())
		s := &stream{block: b, n: b.BlockSize(), hi: 1<<64 - 1, lo: 1<<64 - 1}
		if got, want := xor(s, make([]byte, 1000)), xor(cipher.NewCTR(b, ones), make([]byte, 1000)); !bytes.Equal(got, want) {
			t.Errorf("%s: overflow of the counter differs from crypto/cipher", name)
		}
	}
}

// TestACPKM changes the keys by hand.
func TestACPKM(t *testing.T) { cryptotest.Paths(t, testACPKM) }

func testACPKM(t *testing.T) {
	for name, c := range ciphers {
		key := cryptotest.Bytes(32)
		n := mustCipher(t, c, key).BlockSize()
		iv, section := cryptotest.Bytes(n/2), 5*n
		got := xor(acpkm(t, c, key, iv, section), make([]byte, 4*section+3))
		for at := 0; at < len(got); at += section {
			b := mustCipher(t, c, key)
			want := xor(NewCTR(b, iv), make([]byte, at+section))[at:]
			if part := got[at:min(at+section, len(got))]; !bytes.Equal(part, want[:len(part)]) {
				t.Errorf("%s: section at %d is %x, want %x", name, at, part, want)
			}
			key = make([]byte, 32)
			for i := range key {
				key[i] = byte(0x80 + i)
			}
			for i := 0; i < len(key); i += n {
				b.Encrypt(key[i:], key[i:])
			}
		}
	}
}

func TestArguments(t *testing.T) {
	key := make([]byte, 32)
	for _, c := range []struct {
		name    string
		new     newCipher
		key, iv []byte
		section int
	}{
		{"short IV", magma.New, key, make([]byte, 3), 1024},
		{"long IV", magma.New, key, make([]byte, 8), 1024},
		{"no section", magma.New, key, make([]byte, 4), 0},
		{"negative section", magma.New, key, make([]byte, 4), -8},
		{"part of a block", magma.New, key, make([]byte, 4), 1023},
		{"short key", aes.NewCipher, key[:16], make([]byte, 8), 1024},
		{"refused key", func([]byte) (cipher.Block, error) { return nil, errors.New("no") }, key, make([]byte, 8), 1024},
	} {
		if s, err := NewCTRACPKM(c.new, c.key, c.iv, c.section); err == nil || s != nil {
			t.Errorf("%s: %v, %v", c.name, s, err)
		}
	}
	b := mustCipher(t, magma.New, key)
	for name, f := range map[string]func(){
		"short IV":       func() { NewCTR(b, make([]byte, 3)) },
		"long IV":        func() { NewCTR(b, make([]byte, 8)) },
		"block, of CTR":  func() { NewCTR(oddBlock{b}, make([]byte, 4)) },
		"block, of OMAC": func() { NewOMAC(oddBlock{b}) },
	} {
		if !panics(f) {
			t.Errorf("%s: returned", name)
		}
	}
}

// oddBlock has a block size that the standard does not know.
type oddBlock struct{ cipher.Block }

func (oddBlock) BlockSize() int { return 12 }

func TestEngineStreams(t *testing.T) {
	key, msg := cryptotest.Bytes(32), cryptotest.Bytes(20_001)
	for _, c := range []struct {
		name    string
		new     newCipher
		section int // as TLS has it; zero for plain CTR
	}{
		{"kuznyechik-ctr", kuznyechik.New, 0},
		{"magma-ctr", magma.New, 0},
		{"kuznyechik-ctr-acpkm", kuznyechik.New, 4096},
		{"magma-ctr-acpkm", magma.New, 1024},
	} {
		b := mustCipher(t, c.new, key)
		iv := cryptotest.Bytes(b.BlockSize() / 2)
		s := NewCTR(b, iv)
		if c.section != 0 {
			s = acpkm(t, c.new, key, iv, c.section)
		}
		want := engine.Run(t, msg, "enc", "-"+c.name, "-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(iv))
		if got := xor(s, msg); !bytes.Equal(got, want) {
			t.Errorf("%s differs from gost-engine", c.name)
		}
	}
}

func TestEngineMAC(t *testing.T) {
	key := cryptotest.Bytes(32)
	for name, c := range map[string]newCipher{"kuznyechik-mac": kuznyechik.New, "magma-mac": magma.New} {
		b := mustCipher(t, c, key)
		for _, n := range []int{1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1000, 20_001} {
			msg := cryptotest.Bytes(n)
			want := engine.Run(t, msg, "dgst", "-mac", name, "-macopt", "hexkey:"+hex.EncodeToString(key), "-binary")
			if got := mac(b, msg); !bytes.Equal(got, want) {
				t.Errorf("%s of %d bytes = %x, gost-engine says %x", name, n, got, want)
			}
		}
	}
}

// TestEtalon reads the vectors of gost-engine.
func TestEtalon(t *testing.T) {
	const dir = "data/vectors/gost-engine-etalon/"
	results := corpus.Read(t, dir+"mac.txt")
	for _, c := range []struct {
		file, key string
		new       newCipher
		size      int // bytes of the code that are printed
	}{
		{"magma.dat", "ffeeddccbbaa99887766554433221100f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", magma.New, 4},
		{"gh.dat", "8899aabbccddeeff0011223344556677fedcba98765432100123456789abcdef", kuznyechik.New, 8},
	} {
		key, err := hex.DecodeString(c.key)
		if err != nil {
			t.Fatal(err)
		}
		got := mac(mustCipher(t, c.new, key), corpus.Read(t, dir+c.file))[:c.size]
		if !bytes.Contains(results, []byte("\n"+hex.EncodeToString(got)+"\n")) {
			t.Errorf("%s: %x is not among the results", c.file, got)
		}
	}
}

// TestOMACStandard compares with the definition, written without regard to speed.
func TestOMACStandard(t *testing.T) {
	for name, c := range ciphers {
		b := mustCipher(t, c, cryptotest.Bytes(32))
		for n := range 100 {
			msg := cryptotest.Bytes(n)
			if got, want := mac(b, msg), slowMAC(b, msg); !bytes.Equal(got, want) {
				t.Errorf("%s, %d bytes: %x, want %x", name, n, got, want)
			}
		}
	}
}

// slowMAC is GOST R 34.13-2015, Section 5.6, by cipher.NewCBCEncrypter.
func slowMAC(b cipher.Block, msg []byte) []byte {
	n := b.BlockSize()
	key := make([]byte, n)
	b.Encrypt(key, key)
	shift := func() {
		carry := key[0]>>7 == 1
		for i := range key {
			key[i] <<= 1
			if i+1 < n {
				key[i] |= key[i+1] >> 7
			}
		}
		if carry {
			key[n-1] ^= map[int]byte{8: 0x1b, 16: 0x87}[n]
		}
	}
	shift()
	msg = bytes.Clone(msg)
	if len(msg) == 0 || len(msg)%n != 0 {
		shift()
		msg = append(msg, 0x80)
		for len(msg)%n != 0 {
			msg = append(msg, 0)
		}
	}
	for i, k := range key {
		msg[len(msg)-n+i] ^= k
	}
	cipher.NewCBCEncrypter(b, make([]byte, n)).CryptBlocks(msg, msg)
	return msg[len(msg)-n:]
}

func FuzzACPKMChunks(f *testing.F) {
	f.Add([]byte("message"), uint16(3), uint8(1))
	f.Add(make([]byte, 3000), uint16(513), uint8(64))
	f.Fuzz(func(t *testing.T, msg []byte, piece uint16, blocks uint8) {
		key, section := make([]byte, 32), (int(blocks)+1)*magma.BlockSize
		want := xor(acpkm(t, magma.New, key, make([]byte, 4), section), msg)
		s, got := acpkm(t, magma.New, key, make([]byte, 4), section), bytes.Clone(msg)
		for rest := got; len(rest) > 0; {
			n := min(int(piece)+1, len(rest))
			s.XORKeyStream(rest[:n], rest[:n])
			rest = rest[n:]
		}
		if !bytes.Equal(got, want) {
			t.Errorf("pieces of %d bytes differ from the whole", int(piece)+1)
		}
	})
}

func FuzzOMAC(f *testing.F) {
	f.Add(make([]byte, 32), []byte("message"), uint(3))
	f.Fuzz(func(t *testing.T, key, msg []byte, split uint) {
		if len(key) != 32 {
			t.Skip()
		}
		split %= uint(len(msg)) + 1
		for name, c := range ciphers {
			b := mustCipher(t, c, key)
			m := NewOMAC(b)
			m.Write(msg[:split])
			m.Write(msg[split:])
			if got, want := m.Sum(nil), slowMAC(b, msg); !bytes.Equal(got, want) {
				t.Errorf("%s: %x, want %x", name, got, want)
			}
		}
	})
}

func mustCipher(t testing.TB, c newCipher, key []byte) cipher.Block {
	t.Helper()
	b, err := c(key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func acpkm(t testing.TB, c newCipher, key, iv []byte, section int) cipher.Stream {
	t.Helper()
	s, err := NewCTRACPKM(c, key, iv, section)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func xor(s cipher.Stream, msg []byte) []byte {
	out := make([]byte, len(msg))
	s.XORKeyStream(out, msg)
	return out
}

func mac(b cipher.Block, msg []byte) []byte {
	m := NewOMAC(b)
	m.Write(msg)
	return m.Sum(nil)
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

func BenchmarkKuznyechikCTR(b *testing.B) {
	benchmarkCTR(b, mustCipher(b, kuznyechik.New, make([]byte, 32)))
}
func BenchmarkMagmaCTR(b *testing.B) { benchmarkCTR(b, mustCipher(b, magma.New, make([]byte, 32))) }

func BenchmarkGogostMagmaCTR(b *testing.B) { benchmarkCTR(b, oracle.NewCipher(make([]byte, 32))) }

func BenchmarkKuznyechikACPKM(b *testing.B) { benchmarkACPKM(b, kuznyechik.New, 8, 4096) }
func BenchmarkMagmaACPKM(b *testing.B)      { benchmarkACPKM(b, magma.New, 4, 1024) }
func BenchmarkKuznyechikOMAC(b *testing.B)  { benchmarkOMAC(b, kuznyechik.New) }
func BenchmarkMagmaOMAC(b *testing.B)       { benchmarkOMAC(b, magma.New) }

func benchmarkCTR(b *testing.B, c cipher.Block) {
	s, buf := NewCTR(c, make([]byte, c.BlockSize()/2)), make([]byte, 16384)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		s.XORKeyStream(buf, buf)
	}
}

func benchmarkACPKM(b *testing.B, c newCipher, ivSize, section int) {
	key, iv, buf := make([]byte, 32), make([]byte, ivSize), make([]byte, 16384)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		acpkm(b, c, key, iv, section).XORKeyStream(buf, buf)
	}
}

func benchmarkOMAC(b *testing.B, c newCipher) {
	m, buf := NewOMAC(mustCipher(b, c, make([]byte, 32))), make([]byte, 16384)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		m.Reset()
		m.Write(buf)
		buf = append(m.Sum(buf[:0]), buf[m.Size():]...)
	}
}
