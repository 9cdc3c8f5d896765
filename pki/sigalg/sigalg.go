// Package sigalg makes and verifies signatures named by the algorithm
// identifiers of X.509, CMS and CRLs: GOST R 34.10-2012 with Streebog (RFC 9215),
// GOST R 34.10-2001 with GOST R 34.11-94 (RFC 4491, archives only), RSA and ECDSA
// with SHA-2. MD5 and SHA-1 are refused, whatever the key.
//
// Verification may take variable time; signing is as constant-time as the key.
package sigalg

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/pki/der"
)

// The ways in which a verification ends badly. Only ErrSignature means that the
// mathematics was done.
var (
	// ErrSignature means that the signature does not match the key and message.
	ErrSignature = errors.New("sigalg: the signature does not match")
	// ErrUnknown means that the algorithm is not one of ours.
	ErrUnknown = errors.New("sigalg: unknown algorithm")
	// ErrForbidden means that the algorithm is known to be broken, or that the key
	// is too short to be safe or too long to be used.
	ErrForbidden = errors.New("sigalg: the algorithm or the length of the key is not allowed")
	// ErrParameters means that the parameters of the algorithm are not as its
	// standard demands.
	ErrParameters = errors.New("sigalg: unexpected algorithm parameters")
	// ErrMismatch means that key, signature algorithm and digest do not fit each
	// other, such as a 512-bit key and a 256-bit digest.
	ErrMismatch = errors.New("sigalg: key, algorithm and digest do not fit each other")
)

// AlgorithmIdentifier is the structure of RFC 5280, Section 4.1.1.2.
type AlgorithmIdentifier struct {
	// Algorithm is the object identifier. It must not be modified.
	Algorithm asn1.ObjectIdentifier
	// Parameters is the DER of the parameters, nil when they are absent.
	Parameters []byte
}

// IsZero reports whether no algorithm is named.
func (a AlgorithmIdentifier) IsZero() bool { return len(a.Algorithm) == 0 }

// Marshal returns the DER of the structure.
func (a AlgorithmIdentifier) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(a.Algorithm)
		b.AddBytes(a.Parameters)
	})
	return b.Bytes()
}

// Read reads one AlgorithmIdentifier: RFC 5280, Section 4.1.1.2. An error sticks to
// the reader. Parameters point into the input.
func Read(r *der.Reader) AlgorithmIdentifier {
	seq := r.Sequence()
	alg := AlgorithmIdentifier{Algorithm: objectIdentifier(seq.OID())}
	if seq.More() {
		alg.Parameters = seq.Raw()
	}
	seq.End()
	return alg
}

// DigestOf returns the digest algorithm that a signature algorithm implies. It
// returns ErrUnknown or ErrForbidden, and ErrParameters for RSASSA-PSS with
// parameters that we do not take. For rsaEncryption and id-ecPublicKey, which
// CMS allows in the place of a signature algorithm and which imply none, the
// digest is nil and so is the error.
func DigestOf(alg AlgorithmIdentifier) (asn1.ObjectIdentifier, error) {
	s, err := find(alg)
	if err != nil {
		return nil, err
	}
	if s.family == rsaPSS {
		pss, err := readPSS(alg.Parameters)
		return pss.digest, err
	}
	return s.digest, nil
}

// Verify checks that sig is the signature of pub under message with the
// algorithm alg, which must name a digest. It returns nil or one of the errors
// of this package, wrapped.
func Verify(alg AlgorithmIdentifier, pub crypto.PublicKey, message, sig []byte) error {
	return Verifier{}.Verify(alg, pub, message, sig)
}

// VerifyDigestWith checks that sig is the signature of pub under a digest, where
// the signature algorithm and the digest algorithm are named apart, as in CMS.
// The digest algorithm must be the one that alg implies, if it implies any.
func VerifyDigestWith(alg AlgorithmIdentifier, digestOID asn1.ObjectIdentifier, pub crypto.PublicKey, digest, sig []byte) error {
	return Verifier{}.VerifyDigestWith(alg, digestOID, pub, digest, sig)
}

// VerifyDigest checks the signature sig of pub under a digest computed with the
// digest algorithm digestOID. The algorithm follows from the key: GOST for
// *gost3410.PublicKey, PKCS #1 v1.5 for *rsa.PublicKey, ECDSA for
// *ecdsa.PublicKey. GOST signatures are in the order of RFC 9215.
func VerifyDigest(digestOID asn1.ObjectIdentifier, pub crypto.PublicKey, digest, sig []byte) error {
	return Verifier{}.VerifyDigest(digestOID, pub, digest, sig)
}

// A Verifier verifies like the functions of this package, which are its methods
// with the zero value, and faster where it has met a key before. It is safe for
// concurrent use.
type Verifier struct {
	// Keys holds tables for GOST keys that come back; nil is no tables. They never
	// change a result.
	Keys *gost3410.KeyCache
	// Run computes signatures with GOST keys. Nil is this program. With another engine
	// there are errors besides those of this package, for which see [EngineFailed].
	Run *Run
}

// Verify is [Verify].
func (v Verifier) Verify(alg AlgorithmIdentifier, pub crypto.PublicKey, message, sig []byte) error {
	digest, err := DigestOf(alg)
	if err != nil {
		return err
	}
	if digest == nil {
		return fmt.Errorf("%w: %v names no digest", ErrUnknown, alg.Algorithm)
	}
	sum, err := Sum(digest, message)
	if err != nil {
		return err
	}
	return v.VerifyDigestWith(alg, digest, pub, sum, sig)
}

// VerifyDigestWith is [VerifyDigestWith].
func (v Verifier) VerifyDigestWith(alg AlgorithmIdentifier, digestOID asn1.ObjectIdentifier, pub crypto.PublicKey, digest, sig []byte) error {
	s, err := find(alg)
	if err != nil {
		return err
	}
	if s.digest != nil && !s.digest.Equal(digestOID) {
		return fmt.Errorf("%w: %v implies digest %v, not %v", ErrMismatch, alg.Algorithm, s.digest, digestOID)
	}
	if familyOf(pub) != s.family.key() {
		return fmt.Errorf("%w: %v and a %T", ErrMismatch, alg.Algorithm, pub)
	}
	if s.family == rsaPSS {
		return verifyPSS(alg.Parameters, digestOID, pub, digest, sig)
	}
	return v.VerifyDigest(digestOID, pub, digest, sig)
}

// VerifyDigest is [VerifyDigest].
func (v Verifier) VerifyDigest(digestOID asn1.ObjectIdentifier, pub crypto.PublicKey, digest, sig []byte) error {
	d, err := findDigest(digestOID)
	if err != nil {
		return err
	}
	if len(digest) != d.size {
		return fmt.Errorf("%w: digest of %d bytes, want %d", ErrMismatch, len(digest), d.size)
	}
	return v.verifyKey(d, pub, digest, sig)
}

// Sign signs a message with the algorithm that suits the key best: GOST R
// 34.10-2012 with the Streebog of the key's size, RSA PKCS #1 v1.5 with SHA-256,
// ECDSA with the SHA-2 of the curve's size. It returns what Verify wants.
func Sign(rand io.Reader, key crypto.Signer, message []byte) (AlgorithmIdentifier, []byte, error) {
	alg, err := Suits(key.Public())
	if err != nil {
		return AlgorithmIdentifier{}, nil, err
	}
	sig, err := SignWith(rand, alg, key, message)
	return alg, sig, err
}

// SignWith is Sign with a given algorithm; RSASSA-PSS is not among those.
func SignWith(rand io.Reader, alg AlgorithmIdentifier, key crypto.Signer, message []byte) ([]byte, error) {
	s, err := find(alg)
	if err != nil {
		return nil, err
	}
	if s.digest == nil || familyOf(key.Public()) != s.family.key() {
		return nil, fmt.Errorf("%w: %v and a %T", ErrMismatch, alg.Algorithm, key.Public())
	}
	d, err := findDigest(s.digest)
	if err != nil {
		return nil, err
	}
	if !fits(d, key.Public()) {
		return nil, fmt.Errorf("%w: %v and the size of the key", ErrMismatch, alg.Algorithm)
	}
	h := d.hash()
	h.Write(message)
	sig, err := key.Sign(rand, h.Sum(nil), d.std)
	if err != nil {
		return nil, fmt.Errorf("sigalg: sign: %w", err)
	}
	return sig, nil
}
