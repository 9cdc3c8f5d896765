// Package spki reads and writes SubjectPublicKeyInfo of GOST keys (RFC 9215,
// RFC 4491).
package spki

import (
	"encoding/asn1"

	"propusk/gost/gost3410"
)

// AlgorithmIdentifier is the AlgorithmIdentifier of a GOST public key.
type AlgorithmIdentifier struct {
	Algorithm, ParamSet, Digest, Encryption asn1.ObjectIdentifier // Digest, Encryption nil when absent

	// Raw is the DER of the whole AlgorithmIdentifier.
	Raw []byte
}

// PublicKeyInfo is a parsed SubjectPublicKeyInfo.
type PublicKeyInfo struct {
	Raw       []byte
	Algorithm AlgorithmIdentifier
	Key       *gost3410.PublicKey
}

// Parse parses the DER of a SubjectPublicKeyInfo.
func Parse(der []byte) (PublicKeyInfo, error) { panic("TODO") }

// Marshal is the inverse of Parse.
func Marshal(alg AlgorithmIdentifier, key *gost3410.PublicKey) ([]byte, error) { panic("TODO") }

// DefaultAlgorithm returns the identifier RFC 9215 wants for new keys.
func DefaultAlgorithm(c *gost3410.Curve) AlgorithmIdentifier { panic("TODO") }

// AlgorithmFor returns the identifier RFC 9215 wants for a parameter set.
func AlgorithmFor(paramSet asn1.ObjectIdentifier) (AlgorithmIdentifier, error) { panic("TODO") }

// FromCertificate takes the key out of a DER certificate.
func FromCertificate(cert []byte) (PublicKeyInfo, error) { panic("TODO") }
