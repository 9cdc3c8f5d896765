package gostx509

import (
	"crypto"

	"propusk/pki/person"
)

// Parse reads one certificate in DER; der must hold it and nothing else. The
// bytes are copied. A malformed certificate gives a *reason.Error with
// reason.CertMalformed or reason.CertTooLarge.
func Parse(der []byte) (*Certificate, error) { panic("TODO") }

// ParseAny is Parse for a certificate in DER, PEM or bare base64.
func ParseAny(data []byte) (*Certificate, error) { panic("TODO") }

// CheckSignature reports whether issuerKey made the signature of c. It returns
// nil, or a *reason.Error: reason.CertSignatureBad when the signature does not
// match, reason.CertAlgorithm when the algorithm is forbidden or unknown or does
// not fit the key, reason.CertKeyUnsupported when issuerKey is nil.
func (c *Certificate) CheckSignature(issuerKey crypto.PublicKey) error { panic("TODO") }

// Identity says who the holder is, from the identifiers of the subject and never
// from the common name (DOMAIN 2.2).
func (c *Certificate) Identity() (person.Identity, error) { panic("TODO") }
