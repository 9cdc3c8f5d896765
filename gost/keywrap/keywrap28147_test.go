package keywrap

import (
	"bytes"
	"errors"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
)

func TestVectors28147(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc9189-28147.txt") {
		kek, iv, secret, wrapped := v.Hex(t, "key"), v.Hex(t, "iv"), v.Hex(t, "secret"), v.Hex(t, "wrapped")
		got, err := KExp28147(kek, iv, secret)
		if err != nil || !bytes.Equal(got, wrapped) {
			t.Errorf("%s: KExp28147 = %x, %v, want %x", v.Name, got, err, wrapped)
		}
		got, err = KImp28147(kek, iv, wrapped)
		if err != nil || !bytes.Equal(got, secret) {
			t.Errorf("%s: KImp28147 = %x, %v, want %x", v.Name, got, err, secret)
		}
	}
}

// TestMalleability28147 flips every bit of a wrapped key, of the key and of the IV,
// and cuts the wrapped key at every length.
func TestMalleability28147(t *testing.T) {
	kek, iv, secret := cryptotest.Bytes(32), cryptotest.Bytes(8), cryptotest.Bytes(33)[1:]
	wrapped, err := KExp28147(kek, iv, secret)
	if err != nil {
		t.Fatal(err)
	}
	if len(wrapped) != WrappedSize28147 || !bytes.Equal(secret, cryptotest.Bytes(33)[1:]) {
		t.Fatalf("%d bytes become %d", len(secret), len(wrapped))
	}
	before := bytes.Clone(wrapped)
	if back, err := KImp28147(kek, iv, wrapped); err != nil || !bytes.Equal(back, secret) || !bytes.Equal(wrapped, before) {
		t.Fatalf("%x comes back as %x, %v", secret, back, err)
	}
	for part, p := range map[string][]byte{"wrapped key": wrapped, "key": kek, "IV": iv} {
		for bit := range 8 * len(p) {
			p[bit/8] ^= 1 << (bit % 8)
			refused28147(t, part, kek, iv, wrapped)
			p[bit/8] ^= 1 << (bit % 8)
		}
	}
	for n := range wrapped {
		refused28147(t, "cut", kek, iv, wrapped[:n])
	}
	refused28147(t, "longer", kek, iv, append(wrapped, 0))
}

func refused28147(t *testing.T, name string, kek, iv, wrapped []byte) {
	t.Helper()
	if secret, err := KImp28147(kek, iv, wrapped); !errors.Is(err, ErrTag) || secret != nil {
		t.Errorf("%s: %x, %v", name, secret, err)
	}
}

func TestArguments28147(t *testing.T) {
	kek, iv, secret := make([]byte, 32), make([]byte, 8), make([]byte, 32)
	for _, bad := range []struct {
		name            string
		kek, iv, secret []byte
	}{
		{"short key", kek[1:], iv, secret},
		{"no key", nil, iv, secret},
		{"short IV", kek, iv[1:], secret},
		{"long IV", kek, make([]byte, 9), secret},
		{"no IV", kek, nil, secret},
	} {
		if out, err := KExp28147(bad.kek, bad.iv, bad.secret); err == nil || out != nil {
			t.Errorf("%s: KExp28147 = %x, %v", bad.name, out, err)
		}
		if out, err := KImp28147(bad.kek, bad.iv, make([]byte, WrappedSize28147)); err == nil || out != nil || errors.Is(err, ErrTag) {
			t.Errorf("%s: KImp28147 = %x, %v", bad.name, out, err)
		}
	}
	for _, n := range []int{0, 31, 33} {
		if out, err := KExp28147(kek, iv, make([]byte, n)); err == nil || out != nil {
			t.Errorf("secret of %d bytes: %x", n, out)
		}
	}
}

func FuzzKImp28147(f *testing.F) {
	kek := cryptotest.Bytes(32)
	seed, err := KExp28147(kek, cryptotest.Bytes(8), cryptotest.Bytes(32))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(cryptotest.Bytes(8), seed)
	f.Add([]byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, iv, wrapped []byte) {
		secret, err := KImp28147(kek, iv, wrapped)
		if err != nil {
			if secret != nil {
				t.Fatalf("%x: refused, yet returned %x", wrapped, secret)
			}
			return
		}
		if back, err := KExp28147(kek, iv, secret); err != nil || !bytes.Equal(back, wrapped) {
			t.Fatalf("%x: accepted, but wraps as %x, %v", wrapped, back, err)
		}
	})
}

// KImp28147Or opens what KImp28147 opens, and returns the substitute where that refuses.
func TestKImp28147Or(t *testing.T) {
	kek, iv, secret := cryptotest.Bytes(32), cryptotest.Bytes(8), cryptotest.Bytes(33)[1:]
	substitute := bytes.Repeat([]byte{0xee}, SecretSize28147)
	wrapped, err := KExp28147(kek, iv, secret)
	if err != nil {
		t.Fatal(err)
	}
	if got, genuine, err := KImp28147Or(kek, iv, wrapped, substitute); err != nil || genuine != 1 || !bytes.Equal(got, secret) {
		t.Errorf("%x, %d, %v, want %x", got, genuine, err, secret)
	}
	for bit := range 8 * len(wrapped) {
		wrapped[bit/8] ^= 1 << (bit % 8)
		got, genuine, err := KImp28147Or(kek, iv, wrapped, substitute)
		if err != nil || genuine != 0 || !bytes.Equal(got, substitute) {
			t.Errorf("bit %d flipped: %x, %d, %v", bit, got, genuine, err)
		}
		if &got[0] == &substitute[0] {
			t.Error("the substitute was not copied")
		}
		wrapped[bit/8] ^= 1 << (bit % 8)
	}
	for name, bad := range map[string]struct{ kek, iv, wrapped, substitute []byte }{
		"key":        {kek[1:], iv, wrapped, substitute},
		"IV":         {kek, iv[1:], wrapped, substitute},
		"wrapped":    {kek, iv, wrapped[1:], substitute},
		"substitute": {kek, iv, wrapped, substitute[1:]},
	} {
		if got, genuine, err := KImp28147Or(bad.kek, bad.iv, bad.wrapped, bad.substitute); err == nil || got != nil || genuine != 0 {
			t.Errorf("short %s: %x, %d, %v", name, got, genuine, err)
		}
	}
}
