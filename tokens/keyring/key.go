package keyring

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"propusk/gost/gost3410"
	"propusk/gost/vko"
	"propusk/pki/reason"
	"propusk/tokens"
)

// Key is a private key of GOST R 34.10-2012 in a token, for as long as its Ring is open. It
// signs as a crypto.Signer and is a [vko.Deriver]. It is safe for concurrent use.
type Key struct {
	held[*tokens.Key]
	id      []byte
	public  *gost3410.PublicKey
	derives vko.Functions
}

// ID is CKA_ID of the key.
func (k *Key) ID() []byte { return k.id }

// Public returns a *gost3410.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Derives implements vko.Deriver: what the token was seen to do right when the key was
// opened.
func (k *Key) Derives() vko.Functions { return k.derives }

// same runs f with the key, if it still is the one that was opened: another one may have
// taken its name.
func (k *Key) same(f func(*tokens.Key) error) error {
	return k.with(func(key *tokens.Key) error {
		if !k.public.Equal(key.Public()) {
			return errReplaced
		}
		return f(key)
	})
}

var errReplaced = reason.Errorf(reason.TokenKeyAbsent, "another key has taken the place of the one that was there at the start")

// Sign does what [tokens.Key.Sign] does.
func (k *Key) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	err = k.same(func(key *tokens.Key) error {
		signature, err = key.Sign(random, digest, opts)
		return err
	})
	return signature, err
}

// VKO256 does what [tokens.Key.VKO256] does.
func (k *Key) VKO256(peer *gost3410.PublicKey, ukm []byte) (shared []byte, err error) {
	err = k.same(func(key *tokens.Key) error {
		shared, err = key.VKO256(peer, ukm)
		return err
	})
	return shared, err
}

// KEG does what [tokens.Key.KEG] does.
func (k *Key) KEG(peer *gost3410.PublicKey, h []byte) (shared []byte, err error) {
	err = k.same(func(key *tokens.Key) error {
		shared, err = key.KEG(peer, h)
		return err
	})
	return shared, err
}

// try has the key sign and agree with a key of ours, which knows the right answer. A key
// that does not agree, or not rightly, only signs.
func (k *Key) try() error {
	digest := make([]byte, k.public.Curve().Size())
	if _, err := rand.Read(digest); err != nil {
		return fmt.Errorf("random source: %w", err)
	}
	if _, err := k.Sign(nil, digest, nil); err != nil {
		return err
	}
	peer, err := gost3410.GenerateKey(k.public.Curve(), nil)
	if err != nil {
		return err
	}
	h := digest[:vko.HashSize]
	for _, f := range []struct {
		function vko.Functions
		theirs   func() ([]byte, error)
		ours     func() ([]byte, error)
	}{
		{
			vko.FunctionVKO256,
			func() ([]byte, error) { return k.VKO256(peer.PublicKey(), h[:8]) },
			func() ([]byte, error) { return vko.VKO256(peer, k.public, h[:8]) },
		},
		{
			vko.FunctionKEG,
			func() ([]byte, error) { return k.KEG(peer.PublicKey(), h) },
			func() ([]byte, error) { return vko.KEG(peer, k.public, h) },
		},
	} {
		theirs, err := f.theirs()
		if code, _ := errors.AsType[reason.Code](err); isLost(err) && code != reason.TokenFailed {
			return err
		}
		ours, ourErr := f.ours()
		if ourErr != nil {
			return ourErr
		}
		if err == nil && bytes.Equal(theirs, ours) {
			k.derives |= f.function
		}
		clear(theirs)
		clear(ours)
	}
	return nil
}

// Signer is a private key of ECDSA or RSA in a token, for as long as its Ring is open. It
// is safe for concurrent use.
type Signer struct {
	held[*tokens.Signer]
	id     []byte
	public crypto.PublicKey
}

// ID is CKA_ID of the key.
func (k *Signer) ID() []byte { return k.id }

// Public returns an *ecdsa.PublicKey or an *rsa.PublicKey.
func (k *Signer) Public() crypto.PublicKey { return k.public }

// Sign does what [tokens.Signer.Sign] does.
func (k *Signer) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	err = k.with(func(key *tokens.Signer) error {
		if public, ok := k.public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(key.Public()) {
			return errReplaced
		}
		signature, err = key.Sign(random, digest, opts)
		return err
	})
	return signature, err
}
