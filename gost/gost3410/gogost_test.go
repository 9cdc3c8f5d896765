package gost3410

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	gogost "github.com/ddulesov/gogost/gost3410"
)

// gogostCurve returns the same curve of gogost. Its curves keep scratch space, so
// everyone gets an own one.
func gogostCurve(c *Curve) *gogost.Curve {
	return map[*Curve]func() *gogost.Curve{
		tc26256A:   gogost.CurveIdtc26gost34102012256paramSetA,
		cryptoProA: gogost.CurveIdGostR34102001CryptoProAParamSet,
		cryptoProB: gogost.CurveIdGostR34102001CryptoProBParamSet,
		cryptoProC: gogost.CurveIdGostR34102001CryptoProCParamSet,
		tc26512A:   gogost.CurveIdtc26gost341012512paramSetA,
		tc26512B:   gogost.CurveIdtc26gost341012512paramSetB,
		tc26512C:   gogost.CurveIdtc26gost34102012512paramSetC,
	}[c]()
}

func gogostPublic(t testing.TB, k *PublicKey) *gogost.PublicKey {
	t.Helper()
	p, err := gogost.NewPublicKey(gogostCurve(k.curve), gogost.Mode(k.curve.Size()), k.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func gogostPrivate(t testing.TB, k *PrivateKey) *gogost.PrivateKey {
	t.Helper()
	c := k.PublicKey().Curve()
	p, err := gogost.NewPrivateKey(gogostCurve(c), gogost.Mode(c.Size()), k.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGogost signs with one implementation and verifies with the other, on all
// curves, and compares public keys and shared points.
func TestGogost(t *testing.T) {
	rounds := byte(6)
	if testing.Short() {
		rounds = 1
	}
	for _, c := range allCurves {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for i := range rounds {
				random := testRandom(i)
				key, err := GenerateKey(c, random)
				if err != nil {
					t.Fatal(err)
				}
				peer, err := GenerateKey(c, random)
				if err != nil {
					t.Fatal(err)
				}
				theirs := gogostPrivate(t, key)
				theirPublic, err := theirs.PublicKey()
				if err != nil || !bytes.Equal(theirPublic.Raw(), key.PublicKey().Bytes()) {
					t.Fatalf("public keys differ: %v", err)
				}
				digest := digestFor(c, []byte{i})
				reversed := bytes.Clone(digest)
				slices.Reverse(reversed) // gogost reads digests as big-endian numbers
				sig, err := theirs.SignDigest(reversed, random)
				if err != nil || !key.PublicKey().Verify(digest, sig) {
					t.Errorf("we refuse their signature: %v", err)
				}
				if sig, err = key.Sign(random, digest, nil); err != nil {
					t.Fatal(err)
				}
				if ok, err := theirPublic.VerifyDigest(reversed, sig); !ok || err != nil {
					t.Errorf("they refuse our signature: %v", err)
				}
				// gogost leaves the cofactor out.
				ukm := []byte{i + 1, 2, 3, 4, 5, 6, 7, 8}
				factor := new(big.Int).Mul(gogost.NewUKM(ukm), big.NewInt(int64(c.cofactor)))
				want, err := theirs.KEK(gogostPublic(t, peer.PublicKey()), factor)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := key.SharedPoint(peer.PublicKey(), ukm); err != nil || !bytes.Equal(got, want) {
					t.Errorf("shared points differ: %v", err)
				}
			}
		})
	}
}

// fuzzCurve picks a curve.
func fuzzCurve(n byte) *Curve { return allCurves[int(n)%len(allCurves)] }

// FuzzNewPublicKey: what is accepted is a point of the curve by the equation, in
// its only encoding.
func FuzzNewPublicKey(f *testing.F) {
	for i, c := range allCurves {
		key, err := GenerateKey(c, testRandom(20))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), key.PublicKey().Bytes())
		f.Add(byte(i), make([]byte, 2*c.Size()))
	}
	refs := references(f)
	f.Fuzz(func(t *testing.T, n byte, raw []byte) {
		c := fuzzCurve(n)
		k, err := NewPublicKey(c, raw)
		if err != nil {
			if k != nil {
				t.Fatalf("%s %x: refused, yet returned a key", c, raw)
			}
			return
		}
		if !bytes.Equal(k.Bytes(), raw) {
			t.Fatalf("%s %x: accepted, but encodes as %x", c, raw, k.Bytes())
		}
		if !refs[c.name].Check(raw) {
			t.Fatalf("%s %x: accepted, but is not in the subgroup", c, raw)
		}
	})
}

// xor changes b by d as far as both go.
func xor(b, d []byte) {
	for i := range min(len(b), len(d)) {
		b[i] ^= d[i]
	}
}
