package keywrap

import (
	"bytes"
	"errors"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
)

var ciphers = map[string]NewCipher{"kuznyechik": kuznyechik.New, "magma": magma.New}

func TestVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc9189.txt") {
		c, mac, enc, iv := ciphers[v.String(t, "cipher")], v.Hex(t, "mac"), v.Hex(t, "enc"), v.Hex(t, "iv")
		secret, wrapped := v.Hex(t, "secret"), v.Hex(t, "wrapped")
		got, err := KExp15(c, mac, enc, iv, secret)
		if err != nil || !bytes.Equal(got, wrapped) {
			t.Errorf("%s: KExp15 = %x, %v, want %x", v.Name, got, err, wrapped)
		}
		got, err = KImp15(c, mac, enc, iv, wrapped)
		if err != nil || !bytes.Equal(got, secret) {
			t.Errorf("%s: KImp15 = %x, %v, want %x", v.Name, got, err, secret)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for name, c := range ciphers {
		mac, enc, iv := keys(name)
		for n := range 70 {
			secret := cryptotest.Bytes(n)
			wrapped, err := KExp15(c, mac, enc, iv, secret)
			if err != nil {
				t.Fatal(err)
			}
			if want := n + 2*len(iv); len(wrapped) != want {
				t.Errorf("%s: %d bytes become %d, want %d", name, n, len(wrapped), want)
			}
			before := bytes.Clone(wrapped)
			back, err := KImp15(c, mac, enc, iv, wrapped)
			if err != nil || !bytes.Equal(back, secret) {
				t.Errorf("%s: %x comes back as %x, %v", name, secret, back, err)
			}
			if !bytes.Equal(wrapped, before) || !bytes.Equal(secret, cryptotest.Bytes(n)) {
				t.Errorf("%s: an argument was changed", name)
			}
		}
	}
}

// TestMalleability flips every bit of a wrapped key, of the keys and of the IV,
// and cuts the wrapped key at every length.
func TestMalleability(t *testing.T) {
	for name, c := range ciphers {
		mac, enc, iv := keys(name)
		wrapped, err := KExp15(c, mac, enc, iv, cryptotest.Bytes(32))
		if err != nil {
			t.Fatal(err)
		}
		for part, p := range map[string][]byte{"wrapped key": wrapped, "MAC key": mac, "encryption key": enc, "IV": iv} {
			for bit := range 8 * len(p) {
				p[bit/8] ^= 1 << (bit % 8)
				refused(t, name+", "+part, c, mac, enc, iv, wrapped)
				p[bit/8] ^= 1 << (bit % 8)
			}
		}
		for n := range wrapped {
			refused(t, name+", cut", c, mac, enc, iv, wrapped[:n])
		}
		refused(t, name+", longer", c, mac, enc, iv, append(wrapped, 0))
	}
}

func refused(t *testing.T, name string, c NewCipher, mac, enc, iv, wrapped []byte) {
	t.Helper()
	if secret, err := KImp15(c, mac, enc, iv, wrapped); !errors.Is(err, ErrTag) || secret != nil {
		t.Errorf("%s: %x, %v", name, secret, err)
	}
}

func TestArguments(t *testing.T) {
	for name, c := range ciphers {
		mac, enc, iv := keys(name)
		for _, bad := range []struct {
			name         string
			mac, enc, iv []byte
		}{
			{"short MAC key", mac[:31], enc, iv},
			{"short encryption key", mac, enc[:31], iv},
			{"no keys", nil, nil, iv},
			{"short IV", mac, enc, iv[1:]},
			{"long IV", mac, enc, append(iv, 0)},
		} {
			if out, err := KExp15(c, bad.mac, bad.enc, bad.iv, mac); err == nil || out != nil {
				t.Errorf("%s, %s: KExp15 = %x, %v", name, bad.name, out, err)
			}
			out, err := KImp15(c, bad.mac, bad.enc, bad.iv, make([]byte, 48))
			if err == nil || out != nil || errors.Is(err, ErrTag) {
				t.Errorf("%s, %s: KImp15 = %x, %v", name, bad.name, out, err)
			}
		}
	}
}

func FuzzKImp15(f *testing.F) {
	mac, enc, iv := keys("kuznyechik")
	seed, err := KExp15(kuznyechik.New, mac, enc, iv, []byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, wrapped []byte) {
		secret, err := KImp15(kuznyechik.New, mac, enc, iv, wrapped)
		if err != nil {
			if secret != nil {
				t.Fatalf("%x: refused, yet returned %x", wrapped, secret)
			}
			return
		}
		back, err := KExp15(kuznyechik.New, mac, enc, iv, secret)
		if err != nil || !bytes.Equal(back, wrapped) {
			t.Fatalf("%x: accepted, but wraps as %x, %v", wrapped, back, err)
		}
	})
}

func keys(name string) (mac, enc, iv []byte) {
	ivSize := map[string]int{"kuznyechik": kuznyechik.BlockSize / 2, "magma": magma.BlockSize / 2}[name]
	return cryptotest.Bytes(32), cryptotest.Bytes(33)[1:], cryptotest.Bytes(ivSize)
}

func BenchmarkKImp15(b *testing.B) {
	mac, enc, iv := keys("kuznyechik")
	wrapped, err := KExp15(kuznyechik.New, mac, enc, iv, make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := KImp15(kuznyechik.New, mac, enc, iv, wrapped); err != nil {
			b.Fatal(err)
		}
	}
}
