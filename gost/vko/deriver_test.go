package vko

import (
	"bytes"
	"errors"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/internal/vectors"
)

// inside is a key that keeps the shared point to itself; short makes it lie.
type inside struct {
	key   *gost3410.PrivateKey
	short bool
}

func (k inside) Derives() Functions { return FunctionVKO256 }

func (k inside) VKO256(peer *gost3410.PublicKey, ukm []byte) ([]byte, error) {
	out, err := VKO256(k.key, peer, ukm)
	if k.short {
		out = out[:31]
	}
	return out, err
}

func (k inside) KEG(*gost3410.PublicKey, []byte) ([]byte, error) { return nil, ErrHash }

func TestKEG28147Within(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/keg28147.txt") {
		c := curve(t, v)
		key, err := gost3410.NewPrivateKey(c, reversed(v.Hex(t, "ds")))
		if err != nil {
			t.Fatal(err)
		}
		peer := public(t, c, append(reversed(v.Hex(t, "xeph")), reversed(v.Hex(t, "yeph"))...))
		h := v.Hex(t, "h")
		if got, err := KEG28147Within(inside{key: key}, peer, h); err != nil || !bytes.Equal(got, v.Hex(t, "keg")) {
			t.Errorf("%x, %v", got, err)
		}
		if got, err := KEG28147Within(inside{key: key, short: true}, peer, h); got != nil || !errors.Is(err, ErrShared) {
			t.Errorf("31 bytes: %x, %v", got, err)
		}
		if got, err := KEG28147Within(inside{key: key}, nil, h); got != nil || !errors.Is(err, gost3410.ErrAgreement) {
			t.Errorf("no peer: %x, %v", got, err)
		}
		if got, err := KEG28147Within(inside{key: key}, peer, h[:31]); got != nil || !errors.Is(err, ErrHash) {
			t.Errorf("short hash: %x, %v", got, err)
		}
	}
}

func reversed(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] = b[len(b)-1-i]
	}
	return out
}
