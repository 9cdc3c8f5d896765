// Package sigalg verifies signatures named by the algorithm identifiers of
// X.509, CMS and CRLs: GOST R 34.10-2012 with Streebog (RFC 9215), GOST R
// 34.10-2001 with GOST R 34.11-94 (RFC 4491, archives only), RSA and ECDSA with
// SHA-2. MD5 and SHA-1 are refused, whatever the key.
package sigalg

import (
	"crypto"
	"encoding/asn1"
	"hash"
)

// AlgorithmIdentifier is the structure of RFC 5280, Section 4.1.1.2.
type AlgorithmIdentifier struct {
	// Algorithm is the object identifier. It must not be modified.
	Algorithm asn1.ObjectIdentifier
	// Parameters is the DER of the parameters, nil when they are absent.
	Parameters []byte
}

// NewHash returns the hash with the given digest OID.
func NewHash(digest asn1.ObjectIdentifier) (hash.Hash, error) {
	panic("TODO")
}

// Verify checks the signature sig of pub under message with the algorithm alg.
func Verify(alg AlgorithmIdentifier, pub crypto.PublicKey, message, sig []byte) error {
	panic("TODO")
}

// VerifyDigest checks the signature sig of pub under a digest computed with the
// digest algorithm digestOID.
func VerifyDigest(digestOID asn1.ObjectIdentifier, pub crypto.PublicKey, digest, sig []byte) error {
	panic("TODO")
}
