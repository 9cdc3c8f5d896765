package modes

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"testing"

	oraclekuznyechik "github.com/ddulesov/gogost/gost3412128"
	oraclemagma "github.com/ddulesov/gogost/gost341264"

	"propusk/gost/internal/avx512"
	"propusk/gost/internal/vectors"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
)

// gogostCiphers are ours, and those of gogost, which knows no modes.
var gogostCiphers = []struct {
	name         string
	ours, theirs newCipher
}{
	{"kuznyechik", kuznyechik.New, func(key []byte) (cipher.Block, error) { return oraclekuznyechik.NewCipher(key), nil }},
	{"magma", magma.New, func(key []byte) (cipher.Block, error) { return oraclemagma.NewCipher(key), nil }},
}

// FuzzGogost compares all modes, on both paths, in two pieces, with their definitions
// over the ciphers of gogost.
func FuzzGogost(f *testing.F) {
	f.Add(byte(0), []byte("key"), []byte("iv"), []byte("message"), byte(0), uint(3))
	f.Add(byte(1), bytes.Repeat([]byte{0xff}, 32), bytes.Repeat([]byte{0xff}, 8), make([]byte, 600), byte(7), uint(513))
	f.Fuzz(func(t *testing.T, which byte, key, iv, msg []byte, blocks byte, split uint) {
		c := gogostCiphers[int(which)%len(gogostCiphers)]
		key = append(bytes.Clone(key), make([]byte, 32)...)[:32] // the fuzzer need not find the lengths
		n := mustCipher(t, c.theirs, key).BlockSize()
		iv = append(bytes.Clone(iv), make([]byte, n)...)[:n/2]
		msg = msg[:min(len(msg), 600)]
		split %= uint(len(msg)) + 1
		section, frequency := (int(blocks)+1)*n, 32+n+(32+n)*(n-1)
		theirs := mustCipher(t, c.theirs, key)
		wantCTR := xor(cipher.NewCTR(theirs, append(bytes.Clone(iv), make([]byte, n/2)...)), msg)
		wantACPKM := slowACPKM(t, c.theirs, key, iv, section, msg)
		wantMAC, wantMACACPKM := slowMAC(theirs, msg), slowOMACACPKM(t, c.theirs, key, section, frequency, msg)
		defer func() { avx512.Enabled = avx512.Available() }()
		for _, avx512.Enabled = range []bool{false, avx512.Available()} {
			check := func(mode string, got, want []byte) {
				if !bytes.Equal(got, want) {
					t.Errorf("%s, %s, assembly %v: %x, by gogost %x", c.name, mode, avx512.Enabled, got, want)
				}
			}
			pieces := func(s cipher.Stream) []byte { return append(xor(s, msg[:split]), xor(s, msg[split:])...) }
			check("CTR", pieces(NewCTR(mustCipher(t, c.ours, key), iv)), wantCTR)
			check("CTR-ACPKM", pieces(acpkm(t, c.ours, key, iv, section)), wantACPKM)
			m, k := NewOMAC(mustCipher(t, c.ours, key)), omacacpkm(t, c.ours, key, section, frequency)
			for _, piece := range [][]byte{msg[:split], msg[split:]} {
				m.Write(piece)
				k.Write(piece)
			}
			check("OMAC", m.Sum(nil), wantMAC)
			check("OMAC-ACPKM", k.Sum(nil), wantMACACPKM)
		}
	})
}

// slowACPKM is RFC 8645, Section 6.2.2, section by section: the counter of a section
// goes on where that of the one before ended.
func slowACPKM(t testing.TB, c newCipher, key, iv []byte, section int, msg []byte) []byte {
	t.Helper()
	out := make([]byte, 0, len(msg))
	for at := 0; at < len(msg); at += section {
		b := mustCipher(t, c, key)
		end := min(at+section, len(msg))
		counter := append(bytes.Clone(iv), make([]byte, len(iv))...)
		binary.BigEndian.PutUint32(counter[len(counter)-4:], uint32(at/b.BlockSize()))
		out = append(out, xor(cipher.NewCTR(b, counter), msg[at:end])...)
		key = nextKey(b)
	}
	return out
}

// nextKey is ACPKM, RFC 8645, Section 6.2.1: the encryption of D_1 | D_2 | ...
func nextKey(b cipher.Block) []byte {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(0x80 + i)
	}
	for i := 0; i < len(key); i += b.BlockSize() {
		b.Encrypt(key[i:], key[i:])
	}
	return key
}

// TestSectionKeys has the keys that RFC 8645 shows on the way: those of CTR-ACPKM by the
// definition, those of ACPKM-Master as [NewOMACACPKM] makes them.
func TestSectionKeys(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc8645-keys.txt") {
		key, want := v.Hex(t, "key"), v.Hex(t, "keys")
		got := make([]byte, len(want))
		if v.Has("frequency") {
			ones := bytes.Repeat([]byte{0xff}, 8)
			got = xor(acpkm(t, aes.NewCipher, key, ones, number(t, v, "frequency")), got)
		} else {
			for at := 0; at < len(got); at += copy(got[at:], key) {
				if at > 0 {
					key = nextKey(mustCipher(t, aes.NewCipher, key))
				}
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}
