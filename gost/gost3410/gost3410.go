// Package gost3410 implements the signature algorithm GOST R 34.10-2012
// (RFC 7091) and the point multiplication that key agreement needs (RFC 7836,
// Section 4.3), on the seven curves of RFC 7836 and RFC 4357.
package gost3410

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"io"
)

// Curve is one of the seven elliptic curves. The only values are those that the
// functions of this package return; two of them are the same curve if and only
// if the pointers are equal.
type Curve struct {
	name string
	size int
}

var (
	tc26256A   = &Curve{name: "tc26-256-A", size: 32}
	cryptoProA = &Curve{name: "CryptoPro-A", size: 32}
	cryptoProB = &Curve{name: "CryptoPro-B", size: 32}
	cryptoProC = &Curve{name: "CryptoPro-C", size: 32}
	tc26512A   = &Curve{name: "tc26-512-A", size: 64}
	tc26512B   = &Curve{name: "tc26-512-B", size: 64}
	tc26512C   = &Curve{name: "tc26-512-C", size: 64}
)

func TC26256A() *Curve   { return tc26256A }
func CryptoProA() *Curve { return cryptoProA }
func CryptoProB() *Curve { return cryptoProB }
func CryptoProC() *Curve { return cryptoProC }
func TC26512A() *Curve   { return tc26512A }
func TC26512B() *Curve   { return tc26512B }
func TC26512C() *Curve   { return tc26512C }

// Size returns the length in bytes of a coordinate and of a scalar: 32 or 64.
func (c *Curve) Size() int { return c.size }

// Name returns a short name of the curve for people: "CryptoPro-A".
func (c *Curve) Name() string { return c.name }

// CurveByParamSet returns the curve of a parameter set identifier.
func CurveByParamSet(oid asn1.ObjectIdentifier) (*Curve, error) {
	return nil, errors.New("TODO")
}

// PublicKey is a validated point.
type PublicKey struct {
	curve *Curve
	raw   []byte
}

// NewPublicKey validates LE(x)|LE(y).
func NewPublicKey(c *Curve, raw []byte) (*PublicKey, error) { panic("TODO") }

// Bytes returns LE(x)|LE(y).
func (k *PublicKey) Bytes() []byte { panic("TODO") }

// Curve returns the curve of the key.
func (k *PublicKey) Curve() *Curve { return k.curve }

// Equal reports whether x is the same public key.
func (k *PublicKey) Equal(x crypto.PublicKey) bool { panic("TODO") }

// Verify reports whether sig = BE(s)|BE(r) is a signature of the digest.
func (k *PublicKey) Verify(digest, sig []byte) bool { panic("TODO") }

// PrivateKey is a scalar in [1, q-1] with its public key.
type PrivateKey struct {
	public *PublicKey
}

// NewPrivateKey takes LE(d), Size bytes.
func NewPrivateKey(c *Curve, raw []byte) (*PrivateKey, error) { panic("TODO") }

// GenerateKey makes a key from the given source of randomness; nil means crypto/rand.Reader.
func GenerateKey(c *Curve, rand io.Reader) (*PrivateKey, error) { panic("TODO") }

// Public returns the public key as a *PublicKey.
func (k *PrivateKey) Public() crypto.PublicKey { return k.public }

// PublicKey returns the public key.
func (k *PrivateKey) PublicKey() *PublicKey { return k.public }

// Bytes returns LE(d).
func (k *PrivateKey) Bytes() []byte { panic("TODO") }

// Equal reports whether x is the same private key, in constant time.
func (k *PrivateKey) Equal(x crypto.PrivateKey) bool { panic("TODO") }

// Sign returns BE(s)|BE(r).
func (k *PrivateKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	panic("TODO")
}

// SharedPoint returns LE(x)|LE(y) of ((h·ukm·d) mod q)·Q.
func (k *PrivateKey) SharedPoint(peer *PublicKey, ukm []byte) ([]byte, error) { panic("TODO") }
