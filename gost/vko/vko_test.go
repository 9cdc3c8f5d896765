package vko

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
)

var _ Agreement = (*gost3410.PrivateKey)(nil)

func curve(t *testing.T, v vectors.Vector) *gost3410.Curve {
	t.Helper()
	var oid asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(v.String(t, "curve"), ".") {
		n, err := strconv.Atoi(arc)
		if err != nil {
			t.Fatal(err)
		}
		oid = append(oid, n)
	}
	c, err := gost3410.CurveByParamSet(oid)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func private(t testing.TB, c *gost3410.Curve, raw []byte) *gost3410.PrivateKey {
	t.Helper()
	k, err := gost3410.NewPrivateKey(c, raw)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func public(t *testing.T, c *gost3410.Curve, raw []byte) *gost3410.PublicKey {
	t.Helper()
	k, err := gost3410.NewPublicKey(c, raw)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestVKO(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/vko.txt") {
		t.Run(v.Name, func(t *testing.T) {
			c := curve(t, v)
			agree := VKO256
			if v.String(t, "bits") == "512" {
				agree = VKO512
			}
			a, b := private(t, c, v.Hex(t, "privateA")), private(t, c, v.Hex(t, "privateB"))
			publicA, publicB := public(t, c, v.Hex(t, "publicA")), public(t, c, v.Hex(t, "publicB"))
			if !a.PublicKey().Equal(publicA) || !b.PublicKey().Equal(publicB) {
				t.Error("the public keys are not those of the private keys")
			}
			ukm, want := v.Hex(t, "ukm"), v.Hex(t, "kek")
			if got, err := agree(a, publicB, ukm); err != nil || !bytes.Equal(got, want) {
				t.Errorf("A: %x, %v, want %x", got, err, want)
			}
			if got, err := agree(b, publicA, ukm); err != nil || !bytes.Equal(got, want) {
				t.Errorf("B: %x, %v, want %x", got, err, want)
			}
		})
	}
}

func TestKEG(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/keg.txt") {
		t.Run(v.Name, func(t *testing.T) {
			c := curve(t, v)
			number := func(key string) []byte {
				b := v.Hex(t, key)
				slices.Reverse(b)
				return b
			}
			server, ephemeral := private(t, c, number("ds")), private(t, c, number("deph"))
			publicS := public(t, c, append(number("xs"), number("ys")...))
			publicE := public(t, c, append(number("xeph"), number("yeph")...))
			h, want := v.Hex(t, "h"), v.Hex(t, "keg")
			if got, err := KEG(ephemeral, publicS, h); err != nil || !bytes.Equal(got, want) {
				t.Errorf("client: %x, %v, want %x", got, err, want)
			}
			if got, err := KEG(server, publicE, h); err != nil || !bytes.Equal(got, want) {
				t.Errorf("server: %x, %v, want %x", got, err, want)
			}
		})
	}
}

// TestKEGZero: a hash that starts with 16 zero bytes counts as UKM 1. RFC 9189,
// Section 8.3.1.
func TestKEGZero(t *testing.T) {
	for _, c := range []*gost3410.Curve{gost3410.CryptoProA(), gost3410.TC26512A()} {
		key, err := gost3410.GenerateKey(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		zero := append(make([]byte, 16), bytes.Repeat([]byte{7}, 16)...)
		one := bytes.Clone(zero)
		one[15] = 1 // big-endian
		a, errA := KEG(key, key.PublicKey(), zero)
		b, errB := KEG(key, key.PublicKey(), one)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %v, %v", c, errA, errB)
		}
		one[0] = 1
		if b, err := KEG(key, key.PublicKey(), one); err != nil || bytes.Equal(a, b) {
			t.Errorf("%s: the UKM does not matter: %v", c, err)
		}
	}
}

func TestErrors(t *testing.T) {
	a, errA := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	b, errB := gost3410.GenerateKey(gost3410.CryptoProB(), nil)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() ([]byte, error){
		"VKO256, other curve": func() ([]byte, error) { return VKO256(a, b.PublicKey(), []byte{1}) },
		"VKO512, other curve": func() ([]byte, error) { return VKO512(a, b.PublicKey(), []byte{1}) },
		"KEG, other curve":    func() ([]byte, error) { return KEG(a, b.PublicKey(), make([]byte, 32)) },
		"KEG, no peer":        func() ([]byte, error) { return KEG(a, nil, make([]byte, 32)) },
		"KEG, empty peer":     func() ([]byte, error) { return KEG(a, new(gost3410.PublicKey), make([]byte, 32)) },
		"UKM 0":               func() ([]byte, error) { return VKO256(a, a.PublicKey(), make([]byte, 8)) },
		"UKM too long":        func() ([]byte, error) { return VKO256(a, a.PublicKey(), bytes.Repeat([]byte{1}, 33)) },
	} {
		if got, err := f(); got != nil || !errors.Is(err, gost3410.ErrAgreement) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	for _, n := range []int{0, 16, 31, 33, 64} {
		if got, err := KEG(a, a.PublicKey(), make([]byte, n)); got != nil || !errors.Is(err, ErrHash) {
			t.Errorf("a hash of %d bytes: %x, %v", n, got, err)
		}
	}
}

// TestEngine agrees with gost-engine on every curve, on either side.
func TestEngine(t *testing.T) {
	engine.Require(t)
	for _, c := range []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	} {
		t.Run(c.Name(), func(t *testing.T) {
			a, errA := gost3410.GenerateKey(c, nil)
			b, errB := gost3410.GenerateKey(c, nil)
			if err := errors.Join(errA, errB); err != nil {
				t.Fatal(err)
			}
			fileA, fileB := writeKeys(t, a, b)
			hash := bytes.Repeat([]byte{0xfe, 1, 0x80, 3}, 8)
			ukm := hash[4:12]
			derive := func(hexUKM []byte, options ...string) []byte {
				args := []string{"pkeyutl", "-derive", "-inkey", fileA, "-peerkey", fileB, "-pkeyopt", "ukmhex:" + hex.EncodeToString(hexUKM)}
				return engine.Run(t, nil, append(args, options...)...)
			}
			// The option vko makes the engine read the UKM as a number in
			// little-endian; without it a UKM of 32 bytes means KEG.
			for name, pair := range map[string][2]func() ([]byte, error){
				"VKO256": {
					func() ([]byte, error) { return derive(ukm, "-pkeyopt", "vko:256"), nil },
					func() ([]byte, error) { return VKO256(b, a.PublicKey(), ukm) },
				},
				"VKO512": {
					func() ([]byte, error) { return derive(ukm, "-pkeyopt", "vko:512"), nil },
					func() ([]byte, error) { return VKO512(b, a.PublicKey(), ukm) },
				},
				"KEG": {
					func() ([]byte, error) { return derive(hash), nil },
					func() ([]byte, error) { return KEG(b, a.PublicKey(), hash) },
				},
			} {
				want, err := pair[0]()
				if err != nil {
					t.Fatal(err)
				}
				if got, err := pair[1](); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %x, %v; gost-engine says %x", name, got, err, want)
				}
			}
		})
	}
}

// writeKeys writes the private key a and the public key of b for openssl.
func writeKeys(t *testing.T, a, b *gost3410.PrivateKey) (fileA, fileB string) {
	t.Helper()
	alg := spki.DefaultAlgorithm(a.PublicKey().Curve())
	derA, errA := pkcs8.Marshal(a, alg)
	derB, errB := spki.Marshal(alg, b.PublicKey())
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	fileA, fileB = filepath.Join(dir, "a.pem"), filepath.Join(dir, "b.pem")
	write := func(name, kind string, der []byte) {
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(fileA, "PRIVATE KEY", derA)
	write(fileB, "PUBLIC KEY", derB)
	return fileA, fileB
}
