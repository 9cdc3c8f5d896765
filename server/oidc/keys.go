package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// signingKey signs identity tokens. It implements op.SigningKey.
type signingKey struct {
	id        string
	algorithm jose.SignatureAlgorithm
	private   crypto.Signer
}

// minRSA is the smallest RSA modulus, in bits. RFC 7518, Section 3.3.
const minRSA = 2048

// newSigningKey takes a key, or makes one when key is nil.
func newSigningKey(key crypto.Signer) (signingKey, error) {
	if key == nil {
		made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return signingKey{}, fmt.Errorf("oidc: %w", err)
		}
		key = made
	}
	k := signingKey{private: key}
	switch pub := key.Public().(type) {
	case *ecdsa.PublicKey:
		if pub.Curve != elliptic.P256() {
			return signingKey{}, errors.New("oidc: the signing key must be on the curve P-256")
		}
		k.algorithm = jose.ES256
	case *rsa.PublicKey:
		if pub.N.BitLen() < minRSA {
			return signingKey{}, fmt.Errorf("oidc: the RSA signing key must have at least %d bits", minRSA)
		}
		k.algorithm = jose.RS256
	default:
		return signingKey{}, errors.New("oidc: the signing key must be ECDSA on P-256 or RSA")
	}
	thumbprint, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return signingKey{}, fmt.Errorf("oidc: %w", err)
	}
	k.id = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k, nil
}

// SignatureAlgorithm implements op.SigningKey.
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return k.algorithm }

// Key implements op.SigningKey. Package jose knows keys in memory by their types; others,
// those in tokens, it is to leave as they are.
func (k signingKey) Key() any {
	switch k.private.(type) {
	case *ecdsa.PrivateKey, *rsa.PrivateKey:
		return k.private
	}
	return cryptosigner.Opaque(k.private)
}

// ID implements op.SigningKey: the thumbprint of RFC 7638.
func (k signingKey) ID() string { return k.id }

// publicKey is the other half, for the key set. It implements op.Key.
type publicKey struct{ k signingKey }

// ID implements op.Key.
func (p publicKey) ID() string { return p.k.id }

// Algorithm implements op.Key.
func (p publicKey) Algorithm() jose.SignatureAlgorithm { return p.k.algorithm }

// Use implements op.Key.
func (p publicKey) Use() string { return "sig" }

// Key implements op.Key.
func (p publicKey) Key() any { return p.k.private.Public() }
