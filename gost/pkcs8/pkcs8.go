// Package pkcs8 reads and writes GOST private keys in the PrivateKeyInfo of
// PKCS #8 (RFC 5208), not encrypted.
//
// No standard fixed the inside of the privateKey field early enough, so there are
// several forms in the world. Parse reads these:
//
//   - LE(d), 32 or 64 bytes (gost-engine, CryptoPro);
//   - an OCTET STRING with LE(d) (Bouncy Castle, older gost-engine);
//   - an INTEGER (GnuTLS, older gost-engine);
//   - a masked key, LE(d·m⁻¹)|LE(m) or with more masks, bare or in an OCTET STRING
//     (GnuTLS, ViPNet).
//
// Marshal writes the first. Keys with the algorithm of key agreement alone, of GOST
// R 34.10-94, of test parameter sets, and forms without a description are refused.
//
// The DER is strict. Secret bytes are handled in constant time after the form is
// known; no error message has any.
package pkcs8

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
)

// Errors of this package, for errors.Is.
var (
	// ErrSyntax means bytes that are no PrivateKeyInfo in DER.
	ErrSyntax = errors.New("pkcs8: malformed DER")
	// ErrForm means a private key field in a form that is not known.
	ErrForm = errors.New("pkcs8: unknown form of a GOST private key")
	// ErrMismatch means a key and an algorithm of different curves.
	ErrMismatch = errors.New("pkcs8: the key is of another curve than the algorithm")
)

// maxSize limits a PrivateKeyInfo, in bytes; those with attributes have 170. An
// attacker gains nothing from more but our time.
const maxSize = 4096

// maxMasks limits the masks of a masked key. In practice there is one.
const maxMasks = 4

// Parse parses the DER of a PrivateKeyInfo, at most 4096 bytes. Attributes are
// skipped. The AlgorithmIdentifier refers to der, the key does not.
//
// The error is [ErrSyntax], [ErrForm], gost3410.ErrPrivateKey (zero, or not below
// the order), or one of spki for the algorithm.
func Parse(der []byte) (*gost3410.PrivateKey, spki.AlgorithmIdentifier, error) {
	alg, field, err := parseInfo(der)
	if err != nil {
		return nil, spki.AlgorithmIdentifier{}, err
	}
	curve, err := alg.Curve()
	if err != nil {
		return nil, spki.AlgorithmIdentifier{}, err
	}
	key, err := parseKey(curve, field)
	if err != nil {
		return nil, spki.AlgorithmIdentifier{}, err
	}
	return key, alg, nil
}

// parseInfo takes a PrivateKeyInfo apart. RFC 5208, Section 5.
func parseInfo(der []byte) (alg spki.AlgorithmIdentifier, field []byte, err error) {
	var body, algorithm, octets cryptobyte.String
	var version int64
	input := cryptobyte.String(der)
	if len(der) > maxSize || !input.ReadASN1(&body, tag.SEQUENCE) || !input.Empty() ||
		!body.ReadASN1Integer(&version) || version != 0 ||
		!body.ReadASN1Element(&algorithm, tag.SEQUENCE) ||
		!body.ReadASN1(&octets, tag.OCTET_STRING) ||
		!body.SkipOptionalASN1(tag.Tag(0).Constructed().ContextSpecific()) || !body.Empty() {
		return alg, nil, fmt.Errorf("%w: PrivateKeyInfo", ErrSyntax)
	}
	if alg, err = spki.ParseAlgorithm(algorithm); err != nil {
		return spki.AlgorithmIdentifier{}, nil, err
	}
	return alg, octets, nil
}

// parseKey reads the privateKey field. A whole number of scalars is just that, as
// in gost-engine: only then look for DER, or random bytes would be taken for tags.
func parseKey(c *gost3410.Curve, field []byte) (*gost3410.PrivateKey, error) {
	size := c.Size()
	if n := len(field); n > 0 && n%size == 0 {
		return unmask(c, field)
	}
	var octets cryptobyte.String
	var number []byte
	s := cryptobyte.String(field)
	switch {
	case s.PeekASN1Tag(tag.OCTET_STRING):
		if !s.ReadASN1(&octets, tag.OCTET_STRING) || !s.Empty() {
			return nil, fmt.Errorf("%w: privateKey", ErrSyntax)
		}
		return unmask(c, octets)
	case s.PeekASN1Tag(tag.INTEGER):
		if !s.ReadASN1Integer(&number) || !s.Empty() || len(number) > size {
			return nil, fmt.Errorf("%w: privateKey", ErrSyntax)
		}
		raw := make([]byte, size)
		defer clear(raw)
		copy(raw[size-len(number):], number)
		slices.Reverse(raw)
		return gost3410.NewPrivateKey(c, raw)
	}
	return nil, ErrForm
}

// unmask reads one little-endian scalar, or several to be multiplied.
func unmask(c *gost3410.Curve, factors []byte) (*gost3410.PrivateKey, error) {
	if len(factors) > (1+maxMasks)*c.Size() {
		return nil, ErrForm
	}
	return gost3410.NewMaskedPrivateKey(c, factors)
}

// Marshal returns the DER of a PrivateKeyInfo without attributes, in the form that
// gost-engine writes: the privateKey field is LE(d). Key and algorithm must be of
// the same curve; the error is [ErrMismatch] if they are not, or that of
// [spki.AlgorithmIdentifier.Marshal].
func Marshal(key *gost3410.PrivateKey, alg spki.AlgorithmIdentifier) ([]byte, error) {
	algorithm, err := alg.Marshal()
	if err != nil {
		return nil, err
	}
	if curve, err := alg.Curve(); err != nil || key == nil || key.PublicKey().Curve() != curve {
		return nil, ErrMismatch
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0) // version
		b.AddBytes(algorithm)
		b.AddASN1OctetString(key.Bytes())
	})
	return b.Bytes()
}
