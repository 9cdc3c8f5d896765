package gostx509

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"propusk/gost/spki"
	"propusk/pki/der"
)

// Public key algorithms of GOST: RFC 4491 and RFC 9215. They are constants: do not
// modify them.
var (
	OIDKeyGOST2001 = asn1.ObjectIdentifier{1, 2, 643, 2, 2, 19}
	OIDKeyGOST256  = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 1, 1}
	OIDKeyGOST512  = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 1, 2}
)

var errKeyKind = errors.New("gostx509: public key of an unsupported kind")

// publicKey reads the key out of RawSPKI. It runs after everything else was
// read, as the point is checked to lie on its curve, which takes time.
func (p *parser) publicKey() {
	c := p.c
	c.PublicKeyAlgorithm = p.keyAlgorithm()
	switch id := c.PublicKeyAlgorithm.Algorithm; {
	case id.Equal(OIDKeyGOST2001), id.Equal(OIDKeyGOST256), id.Equal(OIDKeyGOST512):
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

// keyAlgorithm reads the identifier of the key, whatever the key is.
func (p *parser) keyAlgorithm() spki.AlgorithmIdentifier {
	var d der.Decoder
	input := d.Open(p.c.RawSPKI, der.Limits{})
	info := input.Sequence()
	raw := info.RawTag(der.TagSequence)
	algorithm := info.Inside(raw)
	identifier := algorithm.Sequence()
	return spki.AlgorithmIdentifier{Algorithm: intern(identifier.OID()), Raw: raw}
}
