package gost28147

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	oracle "github.com/ddulesov/gogost/gost28147"

	"propusk/gost/internal/avx512"
)

// fuzzKey makes size bytes of what the fuzzer likes, so that it need not find the
// length.
func fuzzKey(b []byte, size int) []byte { return append(bytes.Clone(b), make([]byte, size)...)[:size] }

// FuzzGogost compares everything that gogost has too, with all substitutions: blocks,
// the counter mode, the authentication code, and diversification, which is CFB.
func FuzzGogost(f *testing.F) {
	f.Add(byte(0), []byte(nil), []byte(nil), []byte("message"))
	f.Add(byte(7), bytes.Repeat([]byte{0xff}, KeySize), bytes.Repeat([]byte{0xff}, BlockSize), bytes.Repeat([]byte{0xff}, 3000))
	names := slices.Sorted(maps.Keys(sboxes))
	f.Fuzz(func(t *testing.T, which byte, key, iv, msg []byte) {
		name := names[int(which)%len(names)]
		s := sboxes[name]
		key, iv = fuzzKey(key, KeySize), fuzzKey(iv, BlockSize)
		theirs := oracle.NewCipher(key, s.oracle)
		defer func() { avx512.Enabled = avx512.Available() }()
		for _, avx512.Enabled = range []bool{false, avx512.Available()} {
			for at := 0; at+BlockSize <= len(msg); at += BlockSize {
				against(t, name, s.ours, s.oracle, key, msg[at:][:BlockSize])
			}
			gogostCNT(t, newCNT(t, key, iv, s.ours, MeshingNone), theirs, iv, msg)
			gogostIMIT(t, key, s.ours, theirs, iv, msg)
			if got, want := Diversify(s.ours, key, iv), gogostDiversify(key, iv, s.oracle); !bytes.Equal(got[:], want) {
				t.Errorf("%s: diversified %x, gogost says %x", name, got, want)
			}
		}
	})
}

// gogostCNT compares key streams as far as gogost is right: up to the first carry out
// of the upper half of the counter, which it loses. See DIVERGENCES.md.
func gogostCNT(t *testing.T, ours cipher.Stream, theirs *oracle.Cipher, iv, msg []byte) {
	t.Helper()
	var start [BlockSize]byte
	theirs.Encrypt(start[:], iv)
	high, right := uint64(binary.LittleEndian.Uint32(start[4:])), 0
	for ; right < len(msg); right += BlockSize {
		if high += highStep; high >= 1<<32-1 {
			break
		}
	}
	right = min(right, len(msg))
	want := make([]byte, right)
	theirs.NewCTR(iv).XORKeyStream(want, msg[:right])
	if got := xor(ours, msg)[:right]; !bytes.Equal(got, want) {
		t.Errorf("CNT of %x = %x, gogost says %x", msg[:right], got, want)
	}
}

// gogostIMIT compares codes. gogost does not add zeros to messages of less than two
// blocks. See DIVERGENCES.md.
func gogostIMIT(t *testing.T, key []byte, s *SBox, theirs *oracle.Cipher, iv, msg []byte) {
	t.Helper()
	size := MinMACSize + len(msg)%MaxMACSize
	mac, err := theirs.NewMAC(size, iv)
	if err != nil {
		t.Fatal(err)
	}
	padded := msg
	if len(msg) <= BlockSize { // the rest it pads itself
		padded = fuzzKey(msg, 2*BlockSize)
	}
	if _, err := mac.Write(bytes.Clone(padded)); err != nil {
		t.Fatal(err)
	}
	h := newIMIT(t, key, iv, s, MeshingNone, size)
	h.Write(msg)
	if got, want := h.Sum(nil), mac.Sum(nil); !bytes.Equal(got, want) {
		t.Errorf("code of %x = %x, gogost says %x", msg, got, want)
	}
}

// gogostDiversify is RFC 4357, Section 6.5, with the CFB of gogost.
func gogostDiversify(key, ukm []byte, s *oracle.Sbox) []byte {
	key = bytes.Clone(key)
	for _, a := range ukm {
		var iv [BlockSize]byte
		var chosen, others uint32
		for j := range 8 {
			word := binary.LittleEndian.Uint32(key[4*j:])
			if a>>j&1 == 1 {
				chosen += word
			} else {
				others += word
			}
		}
		binary.LittleEndian.PutUint32(iv[:], chosen)
		binary.LittleEndian.PutUint32(iv[4:], others)
		oracle.NewCipher(key, s).NewCFBEncrypter(iv[:]).XORKeyStream(key, key)
	}
	return key
}
