package gosttls

import (
	"crypto"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
	"propusk/gost/vko"
)

// A PrivateKey signs. Its Public method returns a *gost3410.PublicKey, Sign returns
// BE(s)|BE(r) as package gost3410 does. It is used by several goroutines at once.
// *gost3410.PrivateKey and keys inside tokens implement it.
//
// That is all that clients need, and servers of TLS 1.3. Servers of TLS 1.2 agree on
// keys with it as well: it is a [vko.Agreement] then, or a [vko.Deriver], which is asked
// when the server begins what it can derive. Suites that it cannot do are not spoken.
type PrivateKey interface {
	crypto.Signer
}

// A Certificate is a certificate chain with the private key of its leaf.
type Certificate struct {
	// Chain holds DER certificates, leaf first, in the order to send.
	Chain [][]byte

	// PrivateKey belongs to the leaf. [NewCertificate] checks that it does; a
	// key that does not makes handshakes fail.
	PrivateKey PrivateKey
}

// NewCertificate returns the Certificate of a chain, leaf first, and the private
// key of the leaf. It is an error if they do not belong together or if the leaf
// has no GOST R 34.10-2012 key. Neither is copied.
func NewCertificate(chain [][]byte, key PrivateKey) (Certificate, error) {
	if len(chain) == 0 || key == nil {
		return Certificate{}, errors.New("gosttls: certificate without chain or key")
	}
	info, err := peerKey(chain[0])
	if err != nil {
		return Certificate{}, fmt.Errorf("gosttls: leaf certificate: %w", err)
	}
	if !info.Key.Equal(key.Public()) {
		return Certificate{}, errors.New("gosttls: the private key does not belong to the certificate")
	}
	return Certificate{Chain: chain, PrivateKey: key}, nil
}

// ParseKeyPair reads a PEM certificate chain, leaf first, and a PEM private key
// (PKCS #8). Blocks of other types are skipped, so both may be in one file.
func ParseKeyPair(certPEM, keyPEM []byte) (Certificate, error) {
	var chain [][]byte
	for block, rest := pem.Decode(certPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			chain = append(chain, block.Bytes)
		}
	}
	if len(chain) == 0 {
		return Certificate{}, errors.New("gosttls: no CERTIFICATE block in the PEM data")
	}
	for block, rest := pem.Decode(keyPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "PRIVATE KEY" {
			continue
		}
		key, _, err := pkcs8.Parse(block.Bytes)
		if err != nil {
			return Certificate{}, fmt.Errorf("gosttls: private key: %w", err)
		}
		return NewCertificate(chain, key)
	}
	return Certificate{}, errors.New("gosttls: no PRIVATE KEY block in the PEM data")
}

// does reports whether the private key can do what a suite wants of a server: TLS 1.3
// and RFC 9189, Section 4.2.4.
func (c Certificate) does(suite *record.Suite) bool {
	if suite.Version13 {
		return true
	}
	switch key := c.PrivateKey.(type) {
	case vko.Agreement:
		return true
	case vko.Deriver:
		need := vko.FunctionKEG
		if suite.KeyExchange == record.KeyExchangeKExp28147 {
			need = vko.FunctionVKO256
		}
		return key.Derives()&need != 0
	}
	return false
}

// Serves reports whether a server can speak a suite with the certificate: what its private
// key can do decides, see [PrivateKey].
func (c Certificate) Serves(suite uint16) bool {
	s, ok := record.SuiteByID(suite)
	return ok && c.PrivateKey != nil && c.does(s)
}

// curve returns the curve of the certificate, which is that of its key.
func (c Certificate) curve() (*gost3410.Curve, error) {
	if len(c.Chain) == 0 || c.PrivateKey == nil {
		return nil, errors.New("without chain or key")
	}
	public, ok := c.PrivateKey.Public().(*gost3410.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the private key belongs to a %T", c.PrivateKey.Public())
	}
	return public.Curve(), nil
}

// Object identifiers of the keys of RFC 9215, Section 2.
var (
	oidGOST256 = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 1, 1}
	oidGOST512 = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 1, 2}
)

// keyAlgorithm returns the object identifier of keys on a curve.
func keyAlgorithm(c *gost3410.Curve) asn1.ObjectIdentifier {
	if c.Size() == 64 {
		return oidGOST512
	}
	return oidGOST256
}

// peerKey takes the key out of a leaf certificate. RFC 9189, Section 7: only
// GOST R 34.10-2012 keys; the keys of 2001 look the same but are another
// algorithm.
func peerKey(leaf []byte) (spki.PublicKeyInfo, error) {
	info, err := spki.FromCertificate(leaf)
	if err != nil {
		return spki.PublicKeyInfo{}, err
	}
	if !info.Algorithm.Algorithm.Equal(keyAlgorithm(info.Key.Curve())) {
		return spki.PublicKeyInfo{}, fmt.Errorf("key algorithm %v is not GOST R 34.10-2012", info.Algorithm.Algorithm)
	}
	return info, nil
}

// scheme returns the signature scheme and the type of certificate that belong to
// keys on a curve (RFC 9189, Sections 5 and 7).
func scheme(c *gost3410.Curve) (scheme uint16, certType uint8) {
	if c.Size() == 64 {
		return message.SchemeGOST512, message.CertGOST512
	}
	return message.SchemeGOST256, message.CertGOST256
}

// legacyScheme returns the numbers for keys on a curve that were used before there was
// a standard (RFC 9189, Section 10).
func legacyScheme(c *gost3410.Curve) (scheme uint16, certType uint8) {
	if c.Size() == 64 {
		return message.SchemeLegacy512, message.CertLegacy512
	}
	return message.SchemeLegacy256, message.CertLegacy256
}

// schemeSize returns the size in bytes of the scalars for which a signature scheme of
// TLS 1.2 is, 0 for schemes that are not GOST.
func schemeSize(scheme uint16) int {
	switch scheme {
	case message.SchemeGOST256, message.SchemeLegacy256:
		return 32
	case message.SchemeGOST512, message.SchemeLegacy512:
		return 64
	}
	return 0
}

// group returns the number of a curve in supported_groups (RFC 9189, Section 6).
func group(c *gost3410.Curve) uint16 {
	switch c {
	case gost3410.TC26256A():
		return 34
	case gost3410.CryptoProA():
		return 35
	case gost3410.CryptoProB():
		return 36
	case gost3410.CryptoProC():
		return 37
	case gost3410.TC26512A():
		return 38
	case gost3410.TC26512B():
		return 39
	case gost3410.TC26512C():
		return 40
	}
	panic("gosttls: unknown curve " + c.Name())
}

// firstGroup and lastGroup enclose the groups of RFC 9189.
const (
	firstGroup uint16 = 34
	lastGroup  uint16 = 40
)

// isGOSTGroup reports whether a number in supported_groups is a GOST curve.
func isGOSTGroup(id uint16) bool { return firstGroup <= id && id <= lastGroup }
