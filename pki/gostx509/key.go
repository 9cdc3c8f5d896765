package gostx509

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"propusk/gost/spki"
	"propusk/pki/der"
	"propusk/pki/sigalg"
)

var errKeyKind = errors.New("gostx509: public key of an unsupported kind")

// publicKey reads the key out of RawSPKI. It runs after everything else was
// read, as the check that the point lies on its curve takes time.
func (p *parser) publicKey() {
	c := p.c
	switch id := c.PublicKeyAlgorithm.Algorithm; {
	case id.Equal(sigalg.OIDKeyGOST2001), id.Equal(sigalg.OIDKeyGOST256), id.Equal(sigalg.OIDKeyGOST512):
		info, err := spki.Parse(c.RawSPKI)
		if err != nil {
			c.KeyError = fmt.Errorf("gostx509: public key: %w", err)
			return
		}
		c.PublicKeyAlgorithm, c.PublicKey = info.Algorithm, info.Key
	default:
		key, err := x509.ParsePKIXPublicKey(c.RawSPKI)
		if err != nil {
			c.KeyError = fmt.Errorf("gostx509: public key: %w", err)
			return
		}
		switch key.(type) {
		case *rsa.PublicKey, *ecdsa.PublicKey:
			c.PublicKey = key
		default:
			c.KeyError = errKeyKind
		}
	}
}

// keyInfo reads the form of SubjectPublicKeyInfo and the identifier of the key,
// whatever the key is: RFC 5280, Section 4.1.2.7.
func (p *parser) keyInfo(input der.Reader) {
	info := input.Sequence()
	raw := info.RawTag(der.TagSequence)
	info.BitString()
	info.End()
	inner := info.Inside(raw)
	algorithm := inner.Sequence()
	p.c.PublicKeyAlgorithm = spki.AlgorithmIdentifier{Algorithm: intern(algorithm.OID()), Raw: raw}
	if algorithm.More() {
		algorithm.Raw()
	}
	algorithm.End()
}
