// Package pkcs8 reads and writes GOST private keys in PKCS #8 (RFC 5208).
package pkcs8

import (
	"propusk/gost/gost3410"
	"propusk/gost/spki"
)

// Parse parses the DER of a PrivateKeyInfo.
func Parse(der []byte) (*gost3410.PrivateKey, spki.AlgorithmIdentifier, error) { panic("TODO") }

// Marshal returns the DER of a PrivateKeyInfo.
func Marshal(key *gost3410.PrivateKey, alg spki.AlgorithmIdentifier) ([]byte, error) { panic("TODO") }
