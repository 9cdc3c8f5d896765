package gostx509

import (
	"bytes"
	"crypto/sha1" // as a name of keys: RFC 5280, Section 4.2.1.2
	"slices"

	"propusk/pki/der"
)

// KeyIDMethod is a way to compute the identifier of a key. All are SHA-1.
type KeyIDMethod uint8

// The ways that Russian CAs go.
const (
	// KeyIDUnknown is a number of the CA's own, or a way that is not known.
	KeyIDUnknown KeyIDMethod = iota
	// KeyIDOfBits is over the content of the BIT STRING subjectPublicKey: method (1)
	// of RFC 5280, Section 4.2.1.2. For a GOST key that is an OCTET STRING with its
	// header (RFC 9215, Section 4.2).
	KeyIDOfBits
	// KeyIDOfInfo is over the whole SubjectPublicKeyInfo.
	KeyIDOfInfo
	// KeyIDOfPoint is over the content of that OCTET STRING: the point alone.
	KeyIDOfPoint
)

// KeyIDMethod tells how the subjectKeyIdentifier was computed.
func (c *Certificate) KeyIDMethod() KeyIDMethod { return c.keyIDMethod(c.SubjectKeyID) }

// MatchesKeyID reports whether an authorityKeyIdentifier, or a signer of CMS, may
// mean this certificate: the identifier is the one that the certificate states, or,
// if it states none, one that can be computed of its key. An empty identifier means
// none.
func (c *Certificate) MatchesKeyID(id []byte) bool {
	if len(c.SubjectKeyID) > 0 {
		return bytes.Equal(c.SubjectKeyID, id)
	}
	return c.keyIDMethod(id) != KeyIDUnknown
}

func (c *Certificate) keyIDMethod(id []byte) KeyIDMethod {
	if len(id) != sha1.Size {
		return KeyIDUnknown
	}
	names := func(data []byte) bool {
		sum := sha1.Sum(data)
		return len(data) > 0 && bytes.Equal(sum[:], id)
	}
	bits, point := keyBits(c.RawSPKI)
	for method, data := range [][]byte{KeyIDOfBits: bits, KeyIDOfInfo: c.RawSPKI, KeyIDOfPoint: point} {
		if names(data) {
			return KeyIDMethod(method)
		}
	}
	return KeyIDUnknown
}

// KeyBits returns the content of subjectPublicKey without the number of unused bits,
// over which identifiers of keys are computed (RFC 5280, Section 4.2.1.2; RFC 6960,
// Section 4.1.1); nil if it cannot be read.
func (c *Certificate) KeyBits() []byte {
	bits, _ := keyBits(c.RawSPKI)
	return bits
}

// keyBits returns the content of the BIT STRING of a SubjectPublicKeyInfo, and that
// of the OCTET STRING inside it; nil for what is not there.
func keyBits(spki []byte) (bits, point []byte) {
	limits := der.Limits{Size: MaxSize, Depth: 4, Elements: 16}
	var d der.Decoder
	top := d.Open(spki, limits)
	info := top.Sequence()
	info.Raw() // the algorithm
	bits = info.BitOctets()
	if d.Err() != nil {
		return nil, nil
	}
	var inner der.Decoder
	r := inner.Open(bits, limits)
	point = r.OctetString()
	r.End()
	if inner.Err() != nil {
		point = nil
	}
	return slices.Clip(bits), slices.Clip(point)
}
