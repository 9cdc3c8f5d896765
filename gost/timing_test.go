package gost

import (
	"bytes"
	"crypto/cipher"
	"hash"
	"testing"

	"propusk/gost/gost28147"
	"propusk/gost/gostr341194"
	"propusk/gost/internal/avx512"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/kdf"
	"propusk/gost/keywrap"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
	"propusk/gost/mgm"
	"propusk/gost/modes"
	"propusk/gost/streebog"
)

// timingSamples is how often each operation is measured.
const timingSamples = 20000

// secrets returns both classes of secrets of n bytes: zeros, and what looks random. All
// are allocated alike: addresses make a difference that is none of the secrets.
func secrets(n int) (classes cryptotest.TimingClasses[[]byte]) {
	random := cryptotest.Bytes(n * cryptotest.TimingClassSize)
	for i := range cryptotest.TimingClassSize {
		classes[0][i], classes[1][i] = make([]byte, n), make([]byte, n)
		copy(classes[1][i], random[i*n:])
	}
	return classes
}

// symmetric are the operations that the table says take constant time where the assembly
// runs: what they do with a secret of as many bytes.
var symmetric = []struct {
	name string
	size int
	op   func(secret []byte)
}{
	{"Streebog-256, message", 1000, func(p []byte) { streebog.Sum256(p) }},
	{"Streebog-512, message", 200, func(p []byte) { streebog.Sum512(p) }},
	{"HMAC, key", 32, func(key []byte) { streebog.NewHMAC256(key).Sum(nil) }},
	{"GOST R 34.11-94, message", 100, func(p []byte) { sum(gostr341194.New(), p) }},
	{"KDF, key", 32, func(key []byte) { kdf.KDF(key, key[:0], key[:0]) }},
	{"PRF, key", 32, func(key []byte) { kdf.PRF(key, "label", nil, 64) }},
	{"TLSTREE, key", 32, func(key []byte) { kdf.NewTLSTree(kdf.MagmaMGMS, key).Key(77) }},
	{"Kuznyechik, key and block", 48, func(p []byte) { encryptOne(must(kuznyechik.New(p[:32])), p[32:]) }},
	{"Magma, key and block", 40, func(p []byte) { encryptOne(must(magma.New(p[:32])), p[32:]) }},
	{"Magma, decryption", 40, func(p []byte) { must(magma.New(p[:32])).Decrypt(make([]byte, 8), p[32:]) }},
	{"GOST 28147-89, key and block", 40, func(p []byte) { encryptOne(must(gost28147.New(p[:32], gost28147.TC26Z())), p[32:]) }},
	{"GOST 28147-89, diversification", 32, func(key []byte) { gost28147.Diversify(gost28147.CryptoProA(), key, make([]byte, 8)) }},
	{"GOST 28147-89, CNT", 2032, func(p []byte) {
		xor(must(gost28147.NewCNT(p[:32], make([]byte, 8), gost28147.TC26Z(), gost28147.MeshingCryptoPro)), p[32:])
	}},
	{"GOST 28147-89, IMIT", 1232, func(p []byte) {
		sum(must(gost28147.NewIMIT(p[:32], nil, gost28147.TC26Z(), gost28147.MeshingCryptoPro, 4)), p[32:])
	}},
	{"Kuznyechik CTR-ACPKM", 2032, func(p []byte) { xor(must(modes.NewCTRACPKM(kuznyechik.New, p[:32], make([]byte, 8), 512)), p[32:]) }},
	{"Magma CTR-ACPKM", 2032, func(p []byte) { xor(must(modes.NewCTRACPKM(magma.New, p[:32], make([]byte, 4), 512)), p[32:]) }},
	{"Kuznyechik OMAC", 532, func(p []byte) { sum(modes.NewOMAC(must(kuznyechik.New(p[:32]))), p[32:]) }},
	{"Magma OMAC", 532, func(p []byte) { sum(modes.NewOMAC(must(magma.New(p[:32]))), p[32:]) }},
	{"Kuznyechik MGM", 1032, func(p []byte) { seal(must(kuznyechik.New(p[:32])), p[32:]) }},
	{"Magma MGM", 1032, func(p []byte) { seal(must(magma.New(p[:32])), p[32:]) }},
}

// TestTiming looks for a dependence of time on secrets in what is symmetric; the package
// gost3410 has such a test of its own. It runs only with PROPUSK_TIMING=1.
func TestTiming(t *testing.T) {
	cryptotest.RequireTiming(t)
	if !avx512.Available() {
		t.Skip("nothing takes constant time without assembly")
	}
	for _, c := range symmetric {
		cryptotest.SameTime(t, c.name, timingSamples, secrets(c.size), c.op)
	}
}

// TestTimingTags: a wrong tag is refused in the same time wherever it is wrong.
func TestTimingTags(t *testing.T) {
	cryptotest.RequireTiming(t)
	keys, iv := cryptotest.Bytes(64), make([]byte, 8)
	wrapped, err := keywrap.KExp15(kuznyechik.New, keys[:32], keys[32:], iv, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	a := must(mgm.New(must(kuznyechik.New(keys[:32]))))
	sealed := a.Seal(nil, make([]byte, 16), make([]byte, 32), nil)
	for name, c := range map[string]struct {
		good []byte
		open func(p []byte) error
	}{
		"KImp15": {wrapped, func(p []byte) error {
			_, err := keywrap.KImp15(kuznyechik.New, keys[:32], keys[32:], iv, p)
			return err
		}},
		"MGM": {sealed, func(p []byte) error { _, err := a.Open(nil, make([]byte, 16), p, nil); return err }},
	} {
		var classes cryptotest.TimingClasses[[]byte]
		for i := range cryptotest.TimingClassSize {
			first, last := bytes.Clone(c.good), bytes.Clone(c.good)
			first[len(first)-16] ^= 1
			last[len(last)-1] ^= 1
			classes[0][i], classes[1][i] = first, last
		}
		cryptotest.SameTime(t, name, timingSamples, classes, func(p []byte) {
			if c.open(p) == nil {
				t.Fatal(name, "opens")
			}
		})
	}
}

// TestTimingSubstitute: that a key of TLS with CNT_IMIT was not the right one does not
// show.
func TestTimingSubstitute(t *testing.T) {
	cryptotest.RequireTiming(t)
	kek, iv, substitute := cryptotest.Bytes(32), make([]byte, 8), make([]byte, 32)
	wrapped := must(keywrap.KExp28147(kek, iv, make([]byte, 32)))
	var classes cryptotest.TimingClasses[[]byte]
	for i := range cryptotest.TimingClassSize {
		classes[0][i], classes[1][i] = bytes.Clone(wrapped), bytes.Clone(wrapped)
		classes[1][i][len(wrapped)-1] ^= 1
	}
	cryptotest.SameTime(t, "KImp28147Or", timingSamples, classes, func(p []byte) {
		if _, _, err := keywrap.KImp28147Or(kek, iv, p, substitute); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTimingSees: the measurement finds a comparison that ends at the first difference.
func TestTimingSees(t *testing.T) {
	cryptotest.RequireTiming(t)
	zeros, same := make([]byte, 300), 0
	if score := cryptotest.TimingScore(secrets(len(zeros)), timingSamples, func(p []byte) {
		for i := range zeros {
			if p[i] != zeros[i] {
				return
			}
		}
		same++
	}); score < cryptotest.TimingLimit {
		t.Errorf("t = %.1f, but it takes variable time", score)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encryptOne(b cipher.Block, p []byte) {
	var out [16]byte
	b.Encrypt(out[:], p)
}

func sum(h hash.Hash, p []byte) {
	h.Write(p)
	h.Sum(nil)
}

func xor(s cipher.Stream, p []byte) {
	var out [4096]byte
	s.XORKeyStream(out[:], p)
}

func seal(b cipher.Block, p []byte) {
	must(mgm.New(b)).Seal(nil, make([]byte, b.BlockSize()), p, nil)
}
