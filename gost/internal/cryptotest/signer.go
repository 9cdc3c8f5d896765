package cryptotest

import (
	"bytes"
	"crypto"
	cryptorand "crypto/rand"
	"errors"
	"sync"
	"testing"
	"testing/iotest"
)

// Signer checks what crypto.Signer promises, for a signer of digests of size bytes, and
// what this project promises besides: randomness that may be nil, options that may be
// nil, and no signature without randomness. The function verify is that of the public
// key, whose type is K.
func Signer[K interface{ Equal(crypto.PublicKey) bool }](t *testing.T, signer crypto.Signer, size int, verify func(key K, digest, sig []byte) bool) {
	public, ok := signer.Public().(K)
	if !ok {
		t.Fatalf("the public key is a %T", signer.Public())
	}
	t.Run("Public", func(t *testing.T) {
		if !public.Equal(signer.Public()) || public.Equal(nil) || public.Equal("key") {
			t.Error("Public is not equal to itself, or to anything")
		}
	})
	t.Run("Sign", func(t *testing.T) {
		for i := range 4 {
			for _, opts := range []crypto.SignerOpts{nil, crypto.Hash(0), crypto.SHA256} {
				digest := Weird(size, i)
				sig, err := signer.Sign(cryptorand.Reader, digest, opts)
				if err != nil || !verify(public, digest, sig) {
					t.Errorf("digest %x: %x, %v", digest, sig, err)
				}
				if !bytes.Equal(digest, Weird(size, i)) {
					t.Error("the digest was changed")
				}
				other, err := signer.Sign(nil, digest, opts)
				if err != nil || !verify(public, digest, other) || bytes.Equal(other, sig) {
					t.Errorf("digest %x without a source of randomness: %x, %v", digest, other, err)
				}
			}
		}
	})
	t.Run("Lengths", func(t *testing.T) {
		for n := range 2*size + 2 {
			if sig, err := signer.Sign(nil, make([]byte, n), nil); (err == nil) != (n == size) || (sig == nil) != (n != size) {
				t.Errorf("digest of %d bytes: %x, %v", n, sig, err)
			}
		}
	})
	t.Run("Randomness", func(t *testing.T) {
		broken := errors.New("broken")
		if sig, err := signer.Sign(iotest.ErrReader(broken), make([]byte, size), nil); sig != nil || !errors.Is(err, broken) {
			t.Errorf("a broken source: %x, %v", sig, err)
		}
		if sig, err := signer.Sign(bytes.NewReader(make([]byte, 3)), make([]byte, size), nil); sig != nil || err == nil {
			t.Errorf("a source that ends: %x, %v", sig, err)
		}
	})
	t.Run("Concurrent", func(t *testing.T) {
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				digest := Bytes(size + i)[i:]
				if sig, err := signer.Sign(nil, digest, nil); err != nil || !verify(public, digest, sig) {
					t.Errorf("%x, %v", sig, err)
				}
			})
		}
		group.Wait()
	})
}
