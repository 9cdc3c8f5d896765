package gost28147

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"testing"

	oracle "github.com/ddulesov/gogost/gost28147"

	"propusk/gost/internal/avx512"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
)

func TestCNTVectors(t *testing.T) { cryptotest.Paths(t, testCNTVectors) }

func testCNTVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/cnt.txt") {
		s := newCNT(t, v.Hex(t, "key"), v.Hex(t, "iv"), sboxes[v.String(t, "sbox")].ours, MeshingNone)
		if got, want := xor(s, v.Hex(t, "plain")), v.Hex(t, "out"); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}

func TestIMITVectors(t *testing.T) { cryptotest.Paths(t, testIMITVectors) }

func testIMITVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/imit.txt") {
		want := v.Hex(t, "code")
		h := newIMIT(t, v.Hex(t, "key"), nil, sboxes[v.String(t, "sbox")].ours, MeshingNone, len(want))
		h.Write(v.Hex(t, "message"))
		if got := h.Sum(nil); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}

// TestRecords protects records of TLS as RFC 9189, Section 4.1.2, says: one key stream
// and one code for the connection.
func TestRecords(t *testing.T) { cryptotest.Paths(t, testRecords) }

func testRecords(t *testing.T) {
	var stream cipher.Stream
	var mac hash.Hash
	for _, v := range vectors.Load(t, "testdata/rfc9189-records.txt") {
		if v.Has("key") {
			stream = newCNT(t, v.Hex(t, "key"), v.Hex(t, "iv"), TC26Z(), MeshingCryptoPro)
			mac = newIMIT(t, v.Hex(t, "mac key"), nil, TC26Z(), MeshingCryptoPro, MACSize)
		}
		record := make([]byte, binary.BigEndian.Uint16(v.Hex(t, "size")))
		mac.Write(v.Hex(t, "seqnum"))
		mac.Write(v.Hex(t, "header"))
		mac.Write(record)
		record = mac.Sum(record)
		if got, want := record[len(record)-MACSize:], v.Hex(t, "mac"); !bytes.Equal(got, want) {
			t.Errorf("%s: code %x, want %x", v.Name, got, want)
		}
		stream.XORKeyStream(record, record)
		if want := v.Hex(t, "begin"); !bytes.HasPrefix(record, want) {
			t.Errorf("%s: begins with %x, want %x", v.Name, record[:len(want)], want)
		}
		if want := v.Hex(t, "end"); !bytes.HasSuffix(record, want) {
			t.Errorf("%s: ends with %x, want %x", v.Name, record[len(record)-len(want):], want)
		}
	}
}

var meshings = []Meshing{MeshingNone, MeshingCryptoPro}

func TestModesContract(t *testing.T) { cryptotest.Paths(t, testModesContract) }

func testModesContract(t *testing.T) {
	key, iv := cryptotest.Bytes(KeySize), cryptotest.Bytes(BlockSize)
	for _, m := range meshings {
		t.Run(fmt.Sprint("CNT ", m), func(t *testing.T) {
			cryptotest.Stream(t, "gost28147", 3000, func() cipher.Stream { return newCNT(t, key, iv, TC26Z(), m) })
		})
		for _, size := range []int{MinMACSize, MACSize, MaxMACSize} {
			t.Run(fmt.Sprintf("IMIT %v %d", m, size), func(t *testing.T) {
				cryptotest.Hash(t, func() hash.Hash { return newIMIT(t, key, iv, TC26Z(), m, size) })
			})
		}
	}
}

// lengths are around blocks, buffers and sections.
var lengths = []int{0, 1, 7, 8, 9, 15, 16, 17, 24, 255, 256, 257, 1016, 1017, 1023, 1024, 1025, 1032, 2047, 2048, 2049, 5000}

// TestDefinition compares with the standard and RFC 4357, written without regard to
// speed.
func TestDefinition(t *testing.T) { cryptotest.Paths(t, testDefinition) }

func testDefinition(t *testing.T) {
	key, iv := cryptotest.Bytes(KeySize), cryptotest.Bytes(BlockSize)
	for name, s := range sboxes {
		for _, m := range meshings {
			for _, n := range lengths {
				msg := cryptotest.Bytes(n)
				if got, want := xor(newCNT(t, key, iv, s.ours, m), msg), slowCNT(t, key, iv, s.ours, m, msg); !bytes.Equal(got, want) {
					t.Errorf("%s, CNT of %d bytes: differs from the definition", name, n)
				}
				h := newIMIT(t, key, iv, s.ours, m, MaxMACSize)
				h.Write(msg)
				if got, want := h.Sum(nil), slowIMIT(t, key, iv, s.ours, m, msg); !bytes.Equal(got, want) {
					t.Errorf("%s, IMIT of %d bytes: %x, want %x", name, n, got, want)
				}
			}
		}
	}
}

// slowCNT is RFC 5830, Section 6.
func slowCNT(t testing.TB, key, iv []byte, s *SBox, m Meshing, msg []byte) []byte {
	t.Helper()
	b, state, out := newCipher(t, key, s), bytes.Clone(iv), bytes.Clone(msg)
	b.Encrypt(state, state)
	for at := 0; at < len(out); at += BlockSize {
		if at > 0 && at%1024 == 0 && m {
			b = meshed(t, b, s)
			b.Encrypt(state, state)
		}
		low, high := uint64(binary.LittleEndian.Uint32(state)), uint64(binary.LittleEndian.Uint32(state[4:]))
		low = (low + 0x01010101) % (1 << 32)
		if high += 0x01010104; high >= 1<<32 {
			high -= 1<<32 - 1
		}
		binary.LittleEndian.PutUint32(state, uint32(low))
		binary.LittleEndian.PutUint32(state[4:], uint32(high))
		gamma := make([]byte, BlockSize)
		b.Encrypt(gamma, state)
		for i := range gamma[:min(BlockSize, len(out)-at)] {
			out[at+i] ^= gamma[i]
		}
	}
	return out
}

// meshed returns the cipher with the next key, RFC 4357, Section 2.3.2.
func meshed(t testing.TB, b cipher.Block, s *SBox) cipher.Block {
	t.Helper()
	key, err := hex.DecodeString("6900722264C904238D3ADB9646E92AC418FEAC9400ED0712C086DCC2EF4CA92B")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(key); i += BlockSize {
		b.Decrypt(key[i:], key[i:])
	}
	return newCipher(t, key, s)
}

// slowIMIT is RFC 5830, Section 8, with gogost's sixteen rounds of one block.
func slowIMIT(t testing.TB, key, iv []byte, s *SBox, m Meshing, msg []byte) []byte {
	t.Helper()
	msg = bytes.Clone(msg)
	for len(msg) < 2*BlockSize || len(msg)%BlockSize != 0 {
		msg = append(msg, 0)
	}
	state, b := bytes.Clone(iv), newCipher(t, key, s)
	for at := 0; at < len(msg); at += BlockSize {
		if at > 0 && at%1024 == 0 && m {
			b = meshed(t, b, s)
		}
		mac, err := oracle.NewCipher(keyOf(t, b), oracleOf(t, s)).NewMAC(BlockSize, make([]byte, BlockSize))
		if err != nil {
			t.Fatal(err)
		}
		for i := range state {
			state[i] ^= msg[at+i]
		}
		if _, err := mac.Write(state); err != nil {
			t.Fatal(err)
		}
		state = mac.Sum(nil)
	}
	return state
}

func keyOf(t testing.TB, b cipher.Block) []byte {
	t.Helper()
	ours, ok := b.(*block)
	if !ok {
		t.Fatal("not our cipher")
	}
	key := make([]byte, 0, KeySize)
	for _, word := range ours.key {
		key = binary.LittleEndian.AppendUint32(key, word)
	}
	return key
}

func oracleOf(t testing.TB, s *SBox) *oracle.Sbox {
	t.Helper()
	for _, known := range sboxes {
		if known.ours == s {
			return known.oracle
		}
	}
	t.Fatal("unknown substitutions")
	return nil
}

func TestModesEngine(t *testing.T) { cryptotest.Paths(t, testModesEngine) }

func testModesEngine(t *testing.T) {
	key, iv := cryptotest.Bytes(KeySize), cryptotest.Bytes(BlockSize)
	for _, c := range []struct {
		cipher, mac string
		sbox        *SBox
	}{
		{"gost89-cnt", "gost-mac", CryptoProA()},
		{"gost89-cnt-12", "gost-mac-12", TC26Z()},
	} {
		t.Setenv("CRYPT_PARAMS", "id-Gost28147-89-CryptoPro-A-ParamSet")
		msg := cryptotest.Bytes(10_003)
		want := engine.Run(t, msg, "enc", "-"+c.cipher, "-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(iv))
		if got := xor(newCNT(t, key, iv, c.sbox, MeshingCryptoPro), msg); !bytes.Equal(got, want) {
			t.Errorf("%s differs from gost-engine", c.cipher)
		}
		for _, n := range lengths[1:] { // for an empty message the engine returns the IV
			h := newIMIT(t, key, nil, c.sbox, MeshingCryptoPro, MaxMACSize)
			h.Write(cryptotest.Bytes(n))
			want := engine.Run(t, cryptotest.Bytes(n), "dgst", "-mac", c.mac, "-macopt", "hexkey:"+hex.EncodeToString(key),
				"-macopt", "size:8", "-binary")
			if got := h.Sum(nil); !bytes.Equal(got, want) {
				t.Errorf("%s of %d bytes: %x, gost-engine says %x", c.mac, n, got, want)
			}
		}
	}
}

// TestCarry lets both halves of the counter overflow: the upper one never becomes
// zero, because its carry comes back.
func TestCarry(t *testing.T) {
	for _, c := range []struct{ low, high, wantLow, wantHigh uint32 }{
		{0, 0, 0x01010101, 0x01010104},
		{0xffffffff, 0xffffffff, 0x01010100, 0x01010104},
		{0xfefefeff, 0xfefefefc, 0, 1},
		{0xfefefefe, 0xfefefefb, 0xffffffff, 0xffffffff},
	} {
		s := &cnt{n3: c.low, n4: c.high}
		if got, want := s.count(), uint64(c.wantHigh)<<32|uint64(c.wantLow); got != want {
			t.Errorf("after %x %x comes %x, want %x", c.high, c.low, got, want)
		}
	}
}

// TestCounters compares the counters that the assembly makes with those of the standard,
// around both overflows and for all numbers of blocks.
func TestCounters(t *testing.T) { cryptotest.Paths(t, testCounters) }

func testCounters(t *testing.T) {
	starts := []uint32{0, 1, 0xffffffff, 0xfefefeff, 0xfefefefc, 0xfefefefb, 0xc0000000, 0x80000003}
	for i := range 500 {
		c := &cnt{sbox: TC26Z(), meshing: MeshingNone, left: section}
		copy(c.key[:], []uint32{1, 2, 3, 4, 5, 6, 7, uint32(i)})
		c.order = c.key.encryption()
		c.n3, c.n4 = starts[i%len(starts)]-uint32(i), starts[i/7%len(starts)]-uint32(i/3)
		reference := *c
		msg := make([]byte, i*BlockSize)
		c.XORKeyStream(msg, msg)
		for at := 0; at < len(msg); at += BlockSize {
			want := encrypt(TC26Z(), &reference.key, reference.count())
			if got := binary.LittleEndian.Uint64(msg[at:]); got != want {
				t.Fatalf("%d blocks: block %d is %x, want %x", i, at/BlockSize, got, want)
			}
		}
	}
}

func TestModesArguments(t *testing.T) {
	key, iv := make([]byte, KeySize), make([]byte, BlockSize)
	var keySize KeySizeError
	var ivSize IVSizeError
	for _, n := range []int{0, KeySize - 1, KeySize + 1} {
		if s, err := NewCNT(make([]byte, n), iv, TC26Z(), MeshingNone); s != nil || !errors.As(err, &keySize) || int(keySize) != n {
			t.Errorf("CNT, key of %d bytes: %v, %v", n, s, err)
		}
		if h, err := NewIMIT(make([]byte, n), iv, TC26Z(), MeshingNone, 4); h != nil || !errors.As(err, &keySize) || int(keySize) != n {
			t.Errorf("IMIT, key of %d bytes: %v, %v", n, h, err)
		}
		if !panics(func() { Diversify(TC26Z(), make([]byte, n), iv) }) {
			t.Errorf("Diversify, key of %d bytes returned", n)
		}
	}
	for _, n := range []int{0, BlockSize - 1, BlockSize + 1} {
		if s, err := NewCNT(key, make([]byte, n), TC26Z(), MeshingNone); s != nil || !errors.As(err, &ivSize) || int(ivSize) != n {
			t.Errorf("CNT, IV of %d bytes: %v, %v", n, s, err)
		}
		if h, err := NewIMIT(key, make([]byte, n), TC26Z(), MeshingNone, 4); h != nil || !errors.As(err, &ivSize) || int(ivSize) != n {
			t.Errorf("IMIT, IV of %d bytes: %v, %v", n, h, err)
		}
		if !panics(func() { Diversify(TC26Z(), key, make([]byte, n)) }) {
			t.Errorf("Diversify, UKM of %d bytes returned", n)
		}
	}
	for _, n := range []int{-1, 0, 9} {
		if h, err := NewIMIT(key, nil, TC26Z(), MeshingNone, n); err == nil || h != nil {
			t.Errorf("IMIT of %d bytes: %v", n, h)
		}
	}
}

// TestDiversify compares with RFC 4357, Section 6.5, in terms of crypto/cipher. The
// package vko has the vector of RFC 9189.
func TestDiversify(t *testing.T) { cryptotest.Paths(t, testDiversify) }

func testDiversify(t *testing.T) {
	for name, s := range sboxes {
		for i := range 50 {
			key, ukm := cryptotest.Bytes(KeySize + i)[i:], cryptotest.Bytes(BlockSize + i)[i:]
			want := bytes.Clone(key)
			for _, a := range ukm {
				var sums [2]uint32
				for j := range 8 {
					sums[1-a>>j&1] += binary.LittleEndian.Uint32(want[4*j:])
				}
				iv := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, sums[0]), sums[1])
				cfb(newCipher(t, want, s.ours), iv, want)
			}
			if got := Diversify(s.ours, key, ukm); !bytes.Equal(got[:], want) {
				t.Errorf("%s: %x, want %x", name, got, want)
			}
		}
	}
}

// cfb encrypts p in place in the cipher feedback mode.
func cfb(b cipher.Block, iv, p []byte) {
	for ; len(p) > 0; p = p[BlockSize:] {
		b.Encrypt(iv, iv)
		for i := range iv {
			p[i] ^= iv[i]
			iv[i] = p[i]
		}
	}
}

func FuzzModes(f *testing.F) {
	f.Add(make([]byte, KeySize), make([]byte, BlockSize), []byte("message"), uint16(3), false)
	f.Add(make([]byte, KeySize), make([]byte, BlockSize), make([]byte, 3000), uint16(1023), true)
	f.Fuzz(func(t *testing.T, key, iv, msg []byte, piece uint16, mesh bool) {
		if len(key) != KeySize || len(iv) != BlockSize {
			t.Skip()
		}
		m := Meshing(mesh)
		defer func() { avx512.Enabled = avx512.Available() }()
		for _, avx512.Enabled = range []bool{false, avx512.Available()} {
			fuzzModes(t, key, iv, msg, int(piece)+1, m)
		}
	})
}

// fuzzModes compares the modes, a piece at a time, with their definition.
func fuzzModes(t *testing.T, key, iv, msg []byte, piece int, m Meshing) {
	t.Helper()
	s, h, got := newCNT(t, key, iv, CryptoProB(), m), newIMIT(t, key, iv, CryptoProB(), m, MaxMACSize), bytes.Clone(msg)
	for rest := got; len(rest) > 0; {
		n := min(piece, len(rest))
		h.Write(rest[:n])
		h.Sum(nil)
		s.XORKeyStream(rest[:n], rest[:n])
		rest = rest[n:]
	}
	if want := slowCNT(t, key, iv, CryptoProB(), m, msg); !bytes.Equal(got, want) {
		t.Errorf("CNT in pieces of %d bytes: %x, want %x", piece, got, want)
	}
	if got, want := h.Sum(nil), slowIMIT(t, key, iv, CryptoProB(), m, msg); !bytes.Equal(got, want) {
		t.Errorf("IMIT in pieces of %d bytes: %x, want %x", piece, got, want)
	}
}

func newCNT(t testing.TB, key, iv []byte, s *SBox, m Meshing) cipher.Stream {
	t.Helper()
	c, err := NewCNT(key, iv, s, m)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newIMIT(t testing.TB, key, iv []byte, s *SBox, m Meshing, size int) hash.Hash {
	t.Helper()
	h, err := NewIMIT(key, iv, s, m, size)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func xor(s cipher.Stream, msg []byte) []byte {
	out := make([]byte, len(msg))
	s.XORKeyStream(out, msg)
	return out
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

func BenchmarkCNT(b *testing.B) {
	s, buf := newCNT(b, make([]byte, KeySize), make([]byte, BlockSize), TC26Z(), MeshingCryptoPro), make([]byte, 16384)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		s.XORKeyStream(buf, buf)
	}
}

func BenchmarkIMIT(b *testing.B) {
	h, buf := newIMIT(b, make([]byte, KeySize), nil, TC26Z(), MeshingCryptoPro, MACSize), make([]byte, 16384)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		h.Reset()
		h.Write(buf)
		h.Sum(buf[:0])
	}
}
