package xmldsig

import (
	"crypto"
	"encoding/asn1"
	"hash"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Identifiers that this package writes. The names of GOST R 34.10-2012 are
// CryptoPro's; no standard gives others.
const (
	digest256URI    = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-256"
	digest512URI    = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-512"
	signature256URI = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256"
	signature512URI = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-512"
)

// digestMethod returns the digest that a DigestMethod names.
func digestMethod(uri string) (asn1.ObjectIdentifier, error) {
	switch uri {
	case digest256URI:
		return sigalg.OIDStreebog256, nil
	case digest512URI:
		return sigalg.OIDStreebog512, nil
	case "http://www.w3.org/2001/04/xmldsig-more#gostr3411",
		"urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr3411":
		return sigalg.OIDGOST94, nil
	}
	return nil, reason.Errorf(reason.SignatureAlgorithmUnsupported, "DigestMethod %q", uri)
}

// signatureMethod returns the digest over SignedInfo that a SignatureMethod
// names, and the length of its signatures in bytes.
func signatureMethod(uri string) (digest asn1.ObjectIdentifier, size int, ok bool) {
	switch uri {
	case signature256URI:
		return sigalg.OIDStreebog256, 64, true
	case signature512URI:
		return sigalg.OIDStreebog512, 128, true
	case "http://www.w3.org/2001/04/xmldsig-more#gostr34102001-gostr3411",
		"urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102001-gostr3411":
		return sigalg.OIDGOST94, 64, true
	}
	return nil, 0, false
}

// newHash is sigalg.NewHash with an error that has a reason.
func newHash(oid asn1.ObjectIdentifier) (hash.Hash, error) {
	h, err := sigalg.NewHash(oid)
	if err != nil {
		return nil, reason.New(reason.SignatureAlgorithmUnsupported, err)
	}
	return h, nil
}

// fits reports whether a key can make signatures of the given length.
func fits(key crypto.PublicKey, size int) bool {
	k, ok := key.(*gost3410.PublicKey)
	return ok && 2*k.Curve().Size() == size
}
