package modes

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"hash"
	"strconv"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
)

func TestVectorsOMACACPKM(t *testing.T) { cryptotest.Paths(t, testVectorsOMACACPKM) }

func testVectorsOMACACPKM(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/omac-acpkm.txt") {
		m := omacacpkm(t, ciphers[v.String(t, "cipher")], v.Hex(t, "key"), number(t, v, "section"), number(t, v, "frequency"))
		m.Write(v.Hex(t, "message"))
		if got, want := m.Sum(nil), v.Hex(t, "code"); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}

// TestVectorsACPKMRussian has the ciphers of the standard, which RFC 8645 leaves out.
func TestVectorsACPKMRussian(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/ctr-acpkm.txt") {
		s := acpkm(t, ciphers[v.String(t, "cipher")], v.Hex(t, "key"), v.Hex(t, "iv"), number(t, v, "section"))
		if got, want := xor(s, v.Hex(t, "plain")), v.Hex(t, "out"); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}

func TestOMACACPKMContract(t *testing.T) {
	for name, c := range ciphers {
		n := mustCipher(t, c, make([]byte, 32)).BlockSize()
		t.Run(name, func(t *testing.T) {
			cryptotest.Hash(t, func() hash.Hash { return omacacpkm(t, c, cryptotest.Bytes(32), 4096, n*(32+n)) })
		})
	}
}

// TestOMACACPKMDefinition compares with RFC 8645, Section 6.3.6, written without regard
// to speed, in pieces, with many sections and changes of the master key.
func TestOMACACPKMDefinition(t *testing.T) { cryptotest.Paths(t, testOMACACPKMDefinition) }

func testOMACACPKMDefinition(t *testing.T) {
	for name, c := range ciphers {
		key := cryptotest.Bytes(32)
		n := mustCipher(t, c, key).BlockSize()
		for blocks := 1; blocks <= 3; blocks++ {
			m := omacacpkm(t, c, key, blocks*n, 2*(32+n))
			for size := range 12 * n {
				msg := cryptotest.Bytes(size)
				want := slowOMACACPKM(t, c, key, blocks*n, 2*(32+n), msg)
				m.Reset()
				m.Write(msg[:size/3])
				m.Sum(nil)
				clone := cloneOf(t, m)
				m.Write(msg[size/3:])
				clone.Write(msg[size/3:])
				if got := m.Sum(nil); !bytes.Equal(got, want) {
					t.Fatalf("%s, %d bytes in sections of %d: %x, want %x", name, size, blocks*n, got, want)
				}
				if got := clone.Sum(nil); !bytes.Equal(got, want) {
					t.Fatalf("%s, %d bytes in sections of %d: the clone gives %x, want %x", name, size, blocks*n, got, want)
				}
			}
		}
	}
}

func cloneOf(t *testing.T, h hash.Hash) hash.Hash {
	t.Helper()
	c, ok := h.(hash.Cloner)
	if !ok {
		t.Fatal("not a hash.Cloner")
	}
	clone, err := c.Clone()
	if err != nil {
		t.Fatal(err)
	}
	return clone
}

func slowOMACACPKM(t testing.TB, c newCipher, key []byte, section, frequency int, msg []byte) []byte {
	t.Helper()
	n := mustCipher(t, c, key).BlockSize()
	l := max((len(msg)+section-1)/section, 1)
	keys := xor(acpkm(t, c, key, bytes.Repeat([]byte{0xff}, n/2), frequency), make([]byte, l*(32+n)))
	material := func(i int) (b cipher.Block, k1 []byte) {
		k := keys[i*(32+n):]
		return mustCipher(t, c, k[:32]), bytes.Clone(k[32 : 32+n])
	}
	state := make([]byte, n)
	for at := 0; ; at += n {
		b, k1 := material(at / section)
		last := bytes.Clone(msg[at:min(at+n, len(msg))])
		if final := at+n >= len(msg); final {
			if len(last) < n {
				last = append(append(last, 0x80), make([]byte, n-1-len(last))...)
				shift(k1)
			}
			for i, k := range k1 {
				last[i] ^= k
			}
		}
		for i := range state {
			state[i] ^= last[i]
		}
		b.Encrypt(state, state)
		if at+n >= len(msg) {
			return state
		}
	}
}

// shift doubles a subkey, bit by bit.
func shift(key []byte) {
	carry := key[0]>>7 == 1
	for i := range key {
		key[i] <<= 1
		if i+1 < len(key) {
			key[i] |= key[i+1] >> 7
		}
	}
	if carry {
		key[len(key)-1] ^= map[int]byte{8: 0x1b, 16: 0x87}[len(key)]
	}
}

func TestOMACACPKMArguments(t *testing.T) {
	key := make([]byte, 32)
	for _, c := range []struct {
		name               string
		new                newCipher
		key                []byte
		section, frequency int
	}{
		{"no section", magma.New, key, 0, 80},
		{"negative section", magma.New, key, -8, 80},
		{"part of a block", magma.New, key, 1023, 80},
		{"no frequency", magma.New, key, 1024, 0},
		{"negative frequency", magma.New, key, 1024, -80},
		{"frequency of other keys", magma.New, key, 1024, 96},
		{"frequency of other keys", kuznyechik.New, key, 1024, 80},
		{"short key", aes.NewCipher, key[:16], 1024, 96},
		{"refused key", func([]byte) (cipher.Block, error) { return nil, errors.New("no") }, key, 1024, 96},
	} {
		if m, err := NewOMACACPKM(c.new, c.key, c.section, c.frequency); err == nil || m != nil {
			t.Errorf("%s: %v, %v", c.name, m, err)
		}
	}
	b := mustCipher(t, magma.New, key)
	odd := func([]byte) (cipher.Block, error) { return oddBlock{b}, nil }
	if !panics(func() { _, _ = NewOMACACPKM(odd, key, 1024, 80) }) {
		t.Error("blocks of 12 bytes: returned")
	}
}

func FuzzOMACACPKM(f *testing.F) {
	f.Add(make([]byte, 32), []byte("message"), uint8(1), uint(3))
	f.Add(make([]byte, 32), make([]byte, 500), uint8(0), uint(100))
	f.Fuzz(func(t *testing.T, key, msg []byte, blocks uint8, split uint) {
		if len(key) != 32 || len(msg) > 2000 {
			t.Skip()
		}
		split %= uint(len(msg)) + 1
		for name, c := range ciphers {
			n := mustCipher(t, c, key).BlockSize()
			section := (int(blocks) + 1) * n
			m := omacacpkm(t, c, key, section, 32+n+(32+n)*(n-1))
			m.Write(msg[:split])
			m.Write(msg[split:])
			if got, want := m.Sum(nil), slowOMACACPKM(t, c, key, section, 32+n+(32+n)*(n-1), msg); !bytes.Equal(got, want) {
				t.Errorf("%s: %x, want %x", name, got, want)
			}
		}
	})
}

func omacacpkm(t testing.TB, c newCipher, key []byte, section, frequency int) hash.Hash {
	t.Helper()
	m, err := NewOMACACPKM(c, key, section, frequency)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func number(t *testing.T, v vectors.Vector, key string) int {
	t.Helper()
	n, err := strconv.Atoi(v.String(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func BenchmarkKuznyechikOMACACPKM(b *testing.B) {
	m, buf := omacacpkm(b, kuznyechik.New, make([]byte, 32), 4096, 96), make([]byte, 16384)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		m.Reset()
		m.Write(buf)
		m.Sum(nil)
	}
}
