package gost3410

import (
	"bytes"
	"crypto"
	"errors"
	"testing"

	"propusk/gost/internal/cryptotest"
)

func TestContract(t *testing.T) { onEveryPath(t, testContract) }

func testContract(t *testing.T) {
	for _, c := range allCurves {
		t.Run(c.name, func(t *testing.T) {
			key, err := GenerateKey(c, nil)
			if err != nil {
				t.Fatal(err)
			}
			cryptotest.Signer(t, key, c.Size(), (*PublicKey).Verify)
			cache := NewKeyCache(1)
			cryptotest.Signer(t, key, c.Size(), cache.Verify)
			cryptotest.Signer(t, key, c.Size(), func(k *PublicKey, digest, sig []byte) bool {
				return VerifyMany(cache, []Signed{{k, digest, sig}})[0]
			})
		})
	}
}

// TestZeroValues: keys that nobody made do nothing, and do not panic either.
func TestZeroValues(t *testing.T) {
	good, err := GenerateKey(cryptoProA, nil)
	if err != nil {
		t.Fatal(err)
	}
	digest, sig := make([]byte, 32), make([]byte, 64)
	for _, k := range []*PrivateKey{nil, {}} {
		if got, err := k.Sign(nil, digest, nil); got != nil || !errors.Is(err, ErrPrivateKey) {
			t.Errorf("Sign: %x, %v", got, err)
		}
		if got, err := k.SharedPoint(good.PublicKey(), []byte{1}); got != nil || !errors.Is(err, ErrPrivateKey) {
			t.Errorf("SharedPoint: %x, %v", got, err)
		}
		if same := k; k.Equal(good) || good.Equal(k) || k.Equal(same) {
			t.Error("no key is equal to something")
		}
	}
	for _, k := range []*PublicKey{nil, {}} {
		if k.Verify(digest, sig) || VerifyMany(nil, []Signed{{k, digest, sig}})[0] || NewKeyCache(1).Verify(k, digest, sig) {
			t.Error("no key verifies")
		}
		if k.Equal(good.PublicKey()) || good.PublicKey().Equal(k) {
			t.Error("no public key is equal to something")
		}
	}
	if got := VerifyMany(nil, nil); len(got) != 0 {
		t.Errorf("nothing: %v", got)
	}
	for _, c := range []*Curve{nil, {}} {
		if k, err := GenerateKey(c, nil); k != nil || !errors.Is(err, ErrParamSet) {
			t.Errorf("GenerateKey: %v, %v", k, err)
		}
		if k, err := NewPrivateKey(c, digest); k != nil || !errors.Is(err, ErrPrivateKey) {
			t.Errorf("NewPrivateKey: %v, %v", k, err)
		}
		if k, err := NewMaskedPrivateKey(c, sig); k != nil || !errors.Is(err, ErrPrivateKey) {
			t.Errorf("NewMaskedPrivateKey: %v, %v", k, err)
		}
		if k, err := NewPublicKey(c, sig); k != nil || !errors.Is(err, ErrPublicKey) {
			t.Errorf("NewPublicKey: %v, %v", k, err)
		}
	}
}

// TestEqualNumbers: the same number or the same bytes on another curve are another key.
func TestEqualNumbers(t *testing.T) {
	for i, c := range allCurves {
		for j, other := range allCurves {
			raw := make([]byte, c.Size())
			raw[0] = 5
			wide := make([]byte, other.Size())
			wide[0] = 5
			k, err := NewPrivateKey(c, raw)
			same, errOther := NewPrivateKey(other, wide)
			if err := errors.Join(err, errOther); err != nil {
				t.Fatal(err)
			}
			if k.Equal(same) != (i == j) {
				t.Errorf("%s and %s: private keys are equal: %v", c, other, i != j)
			}
			if (&PublicKey{c, raw}).Equal(&PublicKey{other, raw}) != (i == j) {
				t.Errorf("%s and %s: public keys are equal: %v", c, other, i != j)
			}
		}
	}
}

// TestSharedMemory: arguments that are one and the same memory are read only, and what
// comes back is new memory.
func TestSharedMemory(t *testing.T) {
	for _, c := range allCurves {
		n := c.Size()
		// A scalar, a digest, half of a signature and a UKM at once.
		raw := make([]byte, 3*n)
		copy(raw, cryptotest.Bytes(n))
		raw[n-1] &= 0x1f
		before := bytes.Clone(raw)
		key, err := NewPrivateKey(c, raw[:n])
		if err != nil {
			t.Fatal(err)
		}
		sig, errSign := key.Sign(bytes.NewReader(raw), raw[:n], crypto.SHA256)
		point, errPoint := key.SharedPoint(key.PublicKey(), raw[:n])
		if err := errors.Join(errSign, errPoint); err != nil {
			t.Fatal(err)
		}
		if !key.PublicKey().Verify(raw[:n], sig) {
			t.Errorf("%s: refused when the digest is the key and the randomness", c)
		}
		if key.PublicKey().Verify(sig[:n], sig) || key.PublicKey().Verify(raw[:n], raw[:2*n]) {
			t.Errorf("%s: a signature of itself", c)
		}
		if !bytes.Equal(raw, before) {
			t.Errorf("%s: an argument was changed", c)
		}
		clear(raw)
		clear(key.Bytes())
		clear(key.PublicKey().Bytes())
		if again, err := key.SharedPoint(key.PublicKey(), before[:n]); err != nil || !bytes.Equal(again, point) {
			t.Errorf("%s: the key changed with memory of others: %v", c, err)
		}
	}
}
