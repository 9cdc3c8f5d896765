package mgm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	oracle "github.com/ddulesov/gogost/mgm"

	"propusk/gost/internal/avx512"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
)

type newCipher = func(key []byte) (cipher.Block, error)

// ciphers are ours and one without EncryptBlocks.
var ciphers = map[string]newCipher{"kuznyechik": kuznyechik.New, "magma": magma.New, "aes": aes.NewCipher}

func TestVectors(t *testing.T) { cryptotest.Paths(t, testVectors) }

func testVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc9058.txt") {
		a := aead(t, ciphers[v.String(t, "cipher")], v.Hex(t, "key"))
		nonce, data, plain := v.Hex(t, "nonce"), v.Hex(t, "data"), v.Hex(t, "plain")
		want := append(v.Hex(t, "sealed"), v.Hex(t, "tag")...)
		if got := a.Seal(nil, nonce, plain, data); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
		if got, err := a.Open(nil, nonce, want, data); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: opens as %x, %v", v.Name, got, err)
		}
	}
}

// sizes are around blocks, batches, short messages and pieces.
var sizes = []int{
	0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 255, 256, 257, 263, 264, 265, 496, 511, 512, 513, 520, 527, 528, 529,
	1007, 1008, 1009, 1023, 1024, 1025, 1040, 2048, 2049, 4103, 8191, 8192, 8193, 20_001,
}

// TestGogost compares with another implementation, and opens again.
func TestGogost(t *testing.T) { cryptotest.Paths(t, testGogost) }

func testGogost(t *testing.T) {
	for name, c := range ciphers {
		b := block(t, c, cryptotest.Bytes(32))
		nonce := cryptotest.Bytes(b.BlockSize())
		for i, size := range sizes {
			if testing.Short() && size > 3000 {
				continue
			}
			for _, data := range [][]byte{nil, cryptotest.Bytes(5), cryptotest.Bytes(sizes[(i*7+3)%len(sizes)] % 3000)} {
				if size == 0 && len(data) == 0 {
					continue
				}
				tagSize := MinTagSize + i%(b.BlockSize()-MinTagSize+1)
				nonce[0], nonce[1] = byte(i), byte(len(data))
				against(t, name, b, tagSize, nonce, cryptotest.Bytes(size), data)
			}
		}
	}
}

func against(t *testing.T, name string, b cipher.Block, tagSize int, nonce, plain, data []byte) {
	t.Helper()
	ours, err := NewWithTagSize(b, tagSize)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := oracle.NewMGM(b, tagSize)
	if err != nil {
		t.Fatal(err)
	}
	want := theirs.Seal(nil, nonce, plain, data)
	got := ours.Seal(nil, nonce, plain, data)
	if !bytes.Equal(got, want) {
		t.Fatalf("%s, %d bytes and %d of data: differs from gogost", name, len(plain), len(data))
	}
	if back, err := ours.Open(nil, nonce, got, data); err != nil || !bytes.Equal(back, plain) {
		t.Fatalf("%s, %d bytes and %d of data: %v, does not come back", name, len(plain), len(data), err)
	}
}

// TestCounters lets each half of a counter overflow, which must not touch the other
// half, and compares with counters that were written one by one.
func TestCounters(t *testing.T) { cryptotest.Paths(t, testCounters) }

func testCounters(t *testing.T) {
	for name, c := range ciphers {
		b := block(t, c, cryptotest.Bytes(32))
		n := b.BlockSize()
		for back := range uint64(150) {
			w := &work{block: b, n: n, left: 1000}
			w.y, w.z = counter{3, -back}, counter{-back, 5}
			if n == 8 {
				w.y.right, w.z.left = uint64(uint32(w.y.right)), uint64(uint32(w.z.left))
			}
			src := cryptotest.Bytes(140*n + 3)
			got, want := make([]byte, len(src)), make([]byte, len(src)+n)
			w.crypt(got, src)
			for i := range 141 {
				x := want[i*n:][:n]
				counter{3, uint64(i) - back}.put(x)
				b.Encrypt(x, x)
			}
			for i, v := range src {
				want[i] ^= v
			}
			if !bytes.Equal(got, want[:len(src)]) {
				t.Fatalf("%s: key stream %d blocks before the overflow differs", name, back)
			}
			var multipliers []byte
			for range 3 {
				w.ready = nil
				w.fill()
				multipliers = append(multipliers, w.ready...)
			}
			for i := range 3 * batch {
				counter{uint64(i) - back, 5}.put(want[:n])
				b.Encrypt(want, want)
				if !bytes.Equal(multipliers[i*n:][:n], want[:n]) {
					t.Fatalf("%s: multiplier %d, %d blocks before the overflow, differs", name, i, back)
				}
			}
		}
	}
}

// TestMalleability flips every bit of a sealed message, of the nonce, of the
// associated data, and of the key, and cuts the message at every length.
func TestMalleability(t *testing.T) {
	for name, c := range ciphers {
		key, data := cryptotest.Bytes(32), cryptotest.Bytes(21)
		b := block(t, c, key)
		nonce := cryptotest.Bytes(b.BlockSize())
		nonce[0] &= 0x7f
		sealed := aead(t, c, key).Seal(nil, nonce, cryptotest.Bytes(45), data)
		for part, p := range map[string][]byte{"message": sealed, "nonce": nonce, "data": data, "key": key} {
			for bit := range 8 * len(p) {
				p[bit/8] ^= 1 << (bit % 8)
				refused(t, name+", "+part, aead(t, c, key), nonce, sealed, data)
				p[bit/8] ^= 1 << (bit % 8)
			}
		}
		a := aead(t, c, key)
		for size := range sealed {
			refused(t, name+", cut", a, nonce, sealed[:size], data)
		}
		for size := range data {
			refused(t, name+", data cut", a, nonce, sealed, data[:size])
		}
		refused(t, name+", longer", a, nonce, append(sealed, 0), data)
		refused(t, name+", data longer", a, nonce, sealed, append(data, 0))
	}
}

// refused opens in place and elsewhere: nothing may be written.
func refused(t *testing.T, name string, a cipher.AEAD, nonce, sealed, data []byte) {
	t.Helper()
	for _, dst := range [][]byte{nil, make([]byte, 0, 100), bytes.Clone(sealed)[:0]} {
		whole := dst[:cap(dst)]
		before := bytes.Clone(whole)
		in := sealed
		if len(whole) >= len(sealed) && bytes.Equal(whole[:len(sealed)], sealed) {
			in = whole[:len(sealed)]
		}
		out, err := a.Open(dst, nonce, in, data)
		if err == nil || out != nil {
			t.Errorf("%s: %x, %v", name, out, err)
		}
		if !bytes.Equal(whole, before) {
			t.Errorf("%s: something was written", name)
		}
	}
	if _, err := a.Open(nil, nonce, sealed, data); nonce[0]&0x80 == 0 && !errors.Is(err, ErrOpen) {
		t.Errorf("%s: %v", name, err)
	}
}

func TestLimits(t *testing.T) {
	for name, c := range ciphers {
		b := block(t, c, cryptotest.Bytes(32))
		n := b.BlockSize()
		a := aead(t, c, cryptotest.Bytes(32))
		m := &mode{b, n, n}
		nonce, bad := make([]byte, n), append([]byte{0x80}, make([]byte, n-1)...)
		one := []byte{1}
		if got := a.NonceSize(); got != n {
			t.Errorf("%s: NonceSize() = %d", name, got)
		}
		if got := a.Overhead(); got != n {
			t.Errorf("%s: Overhead() = %d", name, got)
		}
		panics(t, "mgm: nonce has its upper bit set", func() { a.Seal(nil, bad, one, one) })
		panics(t, "mgm: neither message nor associated data", func() { a.Seal(nil, nonce, nil, nil) })
		panics(t, "mgm: incorrect nonce length", func() { a.Seal(nil, nonce[1:], one, one) })
		panics(t, "mgm: incorrect nonce length", func() { _, _ = a.Open(nil, nonce[1:], one, one) })
		if _, err := a.Open(nil, bad, make([]byte, 50), one); !errors.Is(err, errNonce) {
			t.Errorf("%s: nonce with its upper bit set: %v", name, err)
		}
		if _, err := a.Open(nil, nonce, make([]byte, n), nil); !errors.Is(err, errEmpty) {
			t.Errorf("%s: nothing: %v", name, err)
		}
		most := map[int]uint64{8: 1 << 29, 16: 1 << 61}[n]
		if most > math.MaxInt {
			continue // no slice is that long
		}
		limit := int(most)
		for _, split := range []int{0, 1, limit / 2, limit - 1, limit} {
			if err := m.check(nonce, limit-split, split); !errors.Is(err, errLarge) {
				t.Errorf("%s: limit: %v", name, err)
			}
		}
		if err := m.check(nonce, limit-6, 5); err != nil {
			t.Errorf("%s: one less than the limit: %v", name, err)
		}
	}
}

func TestConstructor(t *testing.T) {
	b := block(t, magma.New, make([]byte, 32))
	for _, size := range []int{-1, 0, 3, 9, 16} {
		if a, err := NewWithTagSize(b, size); err == nil || a != nil {
			t.Errorf("tags of %d bytes: %v", size, a)
		}
	}
	if a, err := New(oddBlock{b}); err == nil || a != nil {
		t.Errorf("blocks of 12 bytes: %v", a)
	}
}

// oddBlock has a block size that the standard does not know.
type oddBlock struct{ cipher.Block }

func (oddBlock) BlockSize() int { return 12 }

// TestContract: see also [TestLimits], for what this mode refuses besides.
func TestContract(t *testing.T) { cryptotest.Paths(t, testContract) }

func testContract(t *testing.T) {
	for name, c := range ciphers {
		t.Run(name, func(t *testing.T) {
			a := aead(t, c, cryptotest.Bytes(32))
			cryptotest.AEAD(t, "mgm", make([]byte, a.NonceSize()), a)
		})
	}
}

// TestParallel uses one AEAD from several goroutines.
func TestParallel(t *testing.T) {
	a := aead(t, kuznyechik.New, make([]byte, 32))
	nonce := make([]byte, a.NonceSize())
	for _, size := range sizes {
		want := a.Seal(nil, nonce, cryptotest.Bytes(size), nonce)
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 20 {
				if got := a.Seal(nil, nonce, cryptotest.Bytes(size), nonce); !bytes.Equal(got, want) {
					t.Fatalf("%d bytes differ", size)
				}
			}
		})
	}
}

func TestForgetful(t *testing.T) {
	m := &mode{block(t, magma.New, cryptotest.Bytes(32)), 8, 8}
	w := m.start(make([]byte, 8), 100, 100)
	w.absorb(make([]byte, 100))
	w.finish()
	if w.buf != (work{}).buf || w.block != nil || w.last != (work{}).last || w.sum != (sum{}) {
		t.Error("secrets are left over")
	}
}

// slowMultiply is the definition of multiplication.
func slowMultiply(x, y uint64) (hi, lo uint64) {
	for i := range 64 {
		if x>>i&1 == 1 {
			lo ^= y << i
			if i > 0 {
				hi ^= y >> (64 - i)
			}
		}
	}
	return hi, lo
}

// weird are words that are hard for multiplications with holes.
func weird() []uint64 {
	words := []uint64{0, 1, 1 << 63, 1<<64 - 1, 0x1111111111111111, 0x8888888888888888, 0xf << 60, 1<<60 - 1, 0xaaaaaaaaaaaaaaaa}
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		words = append(words, random.Uint64())
	}
	return words
}

func TestMultiply(t *testing.T) {
	for _, x := range weird() {
		for _, y := range weird() {
			hi, lo := multiply(x, y)
			if wantHi, wantLo := slowMultiply(x, y); hi != wantHi || lo != wantLo {
				t.Errorf("%x * %x = %x %x, want %x %x", x, y, hi, lo, wantHi, wantLo)
			}
		}
	}
}

// TestReduce reduces bit by bit.
func TestReduce(t *testing.T) {
	for i, p3 := range weird() {
		p2, p1, p0 := weird()[i*7%49], weird()[i*11%49], weird()[i*13%49]
		bits := [4]uint64{p0, p1, p2, p3}
		for i := 255; i >= 128; i-- {
			if bits[i/64]>>(i%64)&1 == 1 {
				for _, j := range []int{0, 1, 2, 7, 128} {
					bits[(i-128+j)/64] ^= 1 << ((i - 128 + j) % 64)
				}
			}
		}
		if got, want := reduce128(p3, p2, p1, p0), (counter{bits[1], bits[0]}); got != want {
			t.Errorf("%x, want %x", got, want)
		}
		small := [2]uint64{p0, p3}
		for i := 127; i >= 64; i-- {
			if small[i/64]>>(i%64)&1 == 1 {
				for _, j := range []int{0, 1, 3, 4, 64} {
					small[(i-64+j)/64] ^= 1 << ((i - 64 + j) % 64)
				}
			}
		}
		if got, want := reduce64(p3, p0), small[0]; got != want {
			t.Errorf("%x, want %x", got, want)
		}
	}
}

// TestSum compares both paths for all numbers of blocks, and that they touch nothing
// outside.
func TestSum(t *testing.T) {
	if !avx512.Available() {
		t.Skip("no assembly: another processor, or the build tag purego")
	}
	for _, n := range []int{8, 16} {
		var vector, generic sum
		for count := range 200 {
			at := count % 67 // addresses of all kinds
			h, x := cryptotest.Bytes(at + count*n)[at:], cryptotest.Bytes(at + 1 + count*n)[at+1:]
			withVector(true, func() { vector.add(n, h, x) })
			withVector(false, func() { generic.add(n, h, x) })
			if got, want := vector.reduce(n), generic.reduce(n); got != want {
				t.Fatalf("%d blocks of %d bytes: %x, want %x", count, n, got, want)
			}
		}
	}
}

func withVector(on bool, f func()) {
	was := avx512.Enabled
	defer func() { avx512.Enabled = was }()
	avx512.Enabled = on
	f()
}

// FuzzGogost compares both paths with gogost, and opens again.
func FuzzGogost(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"), []byte("0123456789abcdef"), []byte("message"), []byte("data"), uint8(3))
	f.Add(make([]byte, 32), make([]byte, 16), make([]byte, 2000), make([]byte, 700), uint8(12))
	f.Fuzz(func(t *testing.T, key, nonce, plain, data []byte, tagSize uint8) {
		if len(plain)+len(data) == 0 {
			t.Skip()
		}
		key = append(bytes.Clone(key), make([]byte, 32)...)[:32] // the fuzzer need not find the lengths
		nonce = append(bytes.Clone(nonce), make([]byte, 16)...)[:16]
		nonce[0] &= 0x7f
		for name, c := range ciphers {
			b := block(t, c, key)
			n := b.BlockSize()
			size := MinTagSize + int(tagSize)%(n-MinTagSize+1)
			withVector(false, func() { against(t, name, b, size, nonce[:n], plain, data) })
			withVector(avx512.Available(), func() { against(t, name, b, size, nonce[:n], plain, data) })
		}
	})
}

// FuzzOpen opens what was not sealed: what is accepted must seal as the same bytes.
func FuzzOpen(f *testing.F) {
	a, err := New(block(f, magma.New, make([]byte, 32)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(make([]byte, 8), a.Seal(nil, make([]byte, 8), []byte("message"), []byte("data")), []byte("data"))
	f.Add([]byte{0x80, 0, 0, 0, 0, 0, 0, 0}, []byte("12345678"), []byte(nil))
	f.Fuzz(func(t *testing.T, nonce, sealed, data []byte) {
		if len(nonce) != 8 {
			t.Skip()
		}
		plain, err := a.Open(nil, nonce, sealed, data)
		if err != nil {
			if plain != nil {
				t.Fatalf("refused, yet returned %x", plain)
			}
			return
		}
		if back := a.Seal(nil, nonce, plain, data); !bytes.Equal(back, sealed) {
			t.Fatalf("%x: accepted, but seals as %x", sealed, back)
		}
	})
}

func block(t testing.TB, c newCipher, key []byte) cipher.Block {
	t.Helper()
	b, err := c(key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func aead(t testing.TB, c newCipher, key []byte) cipher.AEAD {
	t.Helper()
	a, err := New(block(t, c, key))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func panics(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != want {
			t.Errorf("panic %v, want %q", got, want)
		}
	}()
	f()
}

func BenchmarkSeal(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64", 64}, {"1024", 1024}, {"16384", 16384}} {
		for name, c := range ciphers {
			b.Run(name+"/"+size.name, func(b *testing.B) { benchmarkSeal(b, aead(b, c, make([]byte, 32)), size.bytes) })
		}
	}
}

func BenchmarkGogost(b *testing.B) {
	a, err := oracle.NewMGM(block(b, kuznyechik.New, make([]byte, 32)), 16)
	if err != nil {
		b.Fatal(err)
	}
	benchmarkSeal(b, a, 16384)
}

func BenchmarkGeneric(b *testing.B) {
	for name, c := range ciphers {
		b.Run(name, func(b *testing.B) {
			withVector(false, func() { benchmarkSeal(b, aead(b, c, make([]byte, 32)), 16384) })
		})
	}
}

func benchmarkSeal(b *testing.B, a cipher.AEAD, size int) {
	nonce, data, buf := make([]byte, a.NonceSize()), make([]byte, 5), make([]byte, size, size+16)
	b.SetBytes(int64(size))
	for b.Loop() {
		a.Seal(buf[:0], nonce, buf, data)
	}
}
