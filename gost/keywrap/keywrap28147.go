package keywrap

import (
	"crypto/subtle"
	"fmt"

	"propusk/gost/gost28147"
)

// Sizes of KExp28147, in bytes.
const (
	IVSize28147      = gost28147.BlockSize
	SecretSize28147  = 32
	WrappedSize28147 = IVSize28147 + SecretSize28147 + gost28147.MACSize
)

// KExp28147 returns the export representation of secret under the key kek, of RFC
// 9189, Section 8.2.2: the iv, the secret encrypted with GOST 28147-89 in the
// electronic codebook mode, and its authentication code. The substitutions are those of
// [gost28147.TC26Z]. The sizes are IVSize28147, SecretSize28147 and [gost28147.KeySize];
// the iv must never repeat for the same kek, and belongs to it: see
// [gost28147.Diversify].
func KExp28147(kek, iv, secret []byte) ([]byte, error) {
	if len(secret) != SecretSize28147 {
		return nil, fmt.Errorf("keywrap: secret has %d bytes, want %d", len(secret), SecretSize28147)
	}
	b, err := gost28147.New(kek, gost28147.TC26Z())
	if err != nil {
		return nil, fmt.Errorf("keywrap: %w", err)
	}
	code, err := code28147(kek, iv, secret)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, WrappedSize28147), iv...)
	out = append(out, secret...)
	for at := IVSize28147; at < len(out); at += gost28147.BlockSize {
		b.Encrypt(out[at:], out[at:])
	}
	return append(out, code...), nil
}

// KImp28147 returns the secret in an export representation that [KExp28147] made with
// the same key and iv. The error wraps [ErrTag] when it was not; then nothing of the
// secret is returned. The authentication code, of four bytes only, is compared in
// constant time.
func KImp28147(kek, iv, wrapped []byte) ([]byte, error) {
	secret, genuine, err := open28147(kek, iv, wrapped)
	if err != nil {
		return nil, err
	}
	if genuine != 1 {
		clear(secret)
		return nil, ErrTag
	}
	return secret, nil
}

// KImp28147Or is [KImp28147] for those who must not show whether the import succeeded:
// if it did not, the result is a copy of substitute, of SecretSize28147 bytes, and took
// as long. Genuine is 1 if it did, else 0, for package [crypto/subtle]. The only errors
// are wrong sizes.
func KImp28147Or(kek, iv, wrapped, substitute []byte) (secret []byte, genuine int, err error) {
	if len(substitute) != SecretSize28147 {
		return nil, 0, fmt.Errorf("keywrap: substitute has %d bytes, want %d", len(substitute), SecretSize28147)
	}
	if secret, genuine, err = open28147(kek, iv, wrapped); err != nil {
		return nil, 0, err
	}
	subtle.ConstantTimeCopy(1-genuine, secret, substitute)
	return secret, genuine, nil
}

// open28147 decrypts an export representation. Genuine is 1 if it was made with this
// key and iv, else 0.
func open28147(kek, iv, wrapped []byte) (secret []byte, genuine int, err error) {
	if len(iv) != IVSize28147 {
		return nil, 0, fmt.Errorf("keywrap: %w", gost28147.IVSizeError(len(iv)))
	}
	b, err := gost28147.New(kek, gost28147.TC26Z())
	if err != nil {
		return nil, 0, fmt.Errorf("keywrap: %w", err)
	}
	if len(wrapped) != WrappedSize28147 {
		return nil, 0, fmt.Errorf("%w: %d bytes", ErrTag, len(wrapped))
	}
	theirs, sealed, code := wrapped[:IVSize28147], wrapped[IVSize28147:][:SecretSize28147], wrapped[IVSize28147+SecretSize28147:]
	secret = make([]byte, SecretSize28147)
	for at := 0; at < len(secret); at += gost28147.BlockSize {
		b.Decrypt(secret[at:], sealed[at:])
	}
	want, err := code28147(kek, iv, secret)
	if err != nil {
		return nil, 0, err
	}
	return secret, subtle.ConstantTimeCompare(theirs, iv) & subtle.ConstantTimeCompare(code, want), nil
}

// code28147 returns gost28147IMIT(IV, K, S).
func code28147(kek, iv, secret []byte) ([]byte, error) {
	if len(iv) != IVSize28147 { // NewIMIT takes nil for zeros
		return nil, fmt.Errorf("keywrap: %w", gost28147.IVSizeError(len(iv)))
	}
	mac, err := gost28147.NewIMIT(kek, iv, gost28147.TC26Z(), gost28147.MeshingNone, gost28147.MACSize)
	if err != nil {
		return nil, fmt.Errorf("keywrap: %w", err)
	}
	mac.Write(secret)
	return mac.Sum(nil), nil
}
