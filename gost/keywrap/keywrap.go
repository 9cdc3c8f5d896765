// Package keywrap exports and imports keys under other keys: the algorithms
// KExp15 and KImp15 of RFC 9189, Section 8.2.1, by which a TLS client hands over
// the premaster secret, and KExp28147 and KImp28147 of Section 8.2.2, for old peers.
// All functions leave their arguments alone, return new memory and can be called by
// several goroutines at once.
package keywrap

import (
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"

	"propusk/gost/modes"
)

// NewCipher makes a block cipher: kuznyechik.New or magma.New.
type NewCipher = func(key []byte) (cipher.Block, error)

// ErrTag says that an export representation was not made with these keys and
// this IV. Nothing else is said, so that nothing can be learnt from it.
var ErrTag = errors.New("keywrap: wrong authentication code")

// KExp15 returns the export representation of secret: the secret and its OMAC
// under kMac, encrypted in CTR mode under kEnc. It is one block longer than the
// secret. The keys must be independent and as long as the cipher wants; the iv is
// half a block, and must never repeat for the same keys. The only errors are keys and
// IVs of other lengths. RFC 9189, Section 8.2.1.
func KExp15(newCipher NewCipher, kMac, kEnc, iv, secret []byte) ([]byte, error) {
	k, err := newWrapper(newCipher, kMac, kEnc, iv)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(secret)+k.mac.BlockSize())
	out = k.appendTag(append(out, secret...), secret)
	k.xor(out)
	return out, nil
}

// KImp15 returns the secret in an export representation that [KExp15] made with
// the same cipher, keys and iv. The error wraps [ErrTag] when it was not; then
// nothing of the secret is returned. The authentication code is compared in
// constant time. The other errors are those of KExp15.
func KImp15(newCipher NewCipher, kMac, kEnc, iv, wrapped []byte) ([]byte, error) {
	k, err := newWrapper(newCipher, kMac, kEnc, iv)
	if err != nil {
		return nil, err
	}
	size := len(wrapped) - k.mac.BlockSize()
	if size < 0 {
		return nil, fmt.Errorf("%w: only %d bytes", ErrTag, len(wrapped))
	}
	plain := append([]byte(nil), wrapped...)
	k.xor(plain)
	secret, tag := plain[:size:size], plain[size:]
	if subtle.ConstantTimeCompare(tag, k.appendTag(nil, secret)) != 1 {
		clear(plain)
		return nil, ErrTag
	}
	return secret, nil
}

// wrapper is both ciphers and the IV.
type wrapper struct {
	mac, enc cipher.Block
	iv       []byte
}

func newWrapper(newCipher NewCipher, kMac, kEnc, iv []byte) (wrapper, error) {
	mac, err := newCipher(kMac)
	if err != nil {
		return wrapper{}, fmt.Errorf("keywrap: MAC key: %w", err)
	}
	enc, err := newCipher(kEnc)
	if err != nil {
		return wrapper{}, fmt.Errorf("keywrap: encryption key: %w", err)
	}
	if want := enc.BlockSize() / 2; len(iv) != want {
		return wrapper{}, fmt.Errorf("keywrap: IV has %d bytes, want %d", len(iv), want)
	}
	return wrapper{mac, enc, iv}, nil
}

// appendTag appends OMAC(K_Exp_MAC, IV | S) to dst.
func (k wrapper) appendTag(dst, secret []byte) []byte {
	mac := modes.NewOMAC(k.mac)
	mac.Write(k.iv)
	mac.Write(secret)
	return mac.Sum(dst)
}

// xor encrypts or decrypts p in place.
func (k wrapper) xor(p []byte) {
	modes.NewCTR(k.enc, k.iv).XORKeyStream(p, p)
}
