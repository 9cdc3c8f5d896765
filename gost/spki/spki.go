// Package spki reads and writes the SubjectPublicKeyInfo of GOST keys: GOST R
// 34.10-2012 as in RFC 9215, Section 4, and GOST R 34.10-2001 as in RFC 4491,
// Section 2.3.2.
//
// The DER is strict: minimal lengths, no bytes left over, and what was parsed
// writes back as the same bytes. The key inside is checked to be a point of its
// curve. Where the rules of RFC 9215 on digestParamSet are broken by real
// certificates, and nothing depends on it, the identifier is kept as it is.
package spki

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
)

// The public key algorithms. They must not be changed.
var (
	// OID256 is id-tc26-gost3410-12-256. RFC 9215, Section 4.1.
	OID256 = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 1, 1}
	// OID512 is id-tc26-gost3410-12-512. RFC 9215, Section 4.1.
	OID512 = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 1, 2}
	// OID2001 is id-GostR3410-2001. RFC 4491, Section 2.3.2.
	OID2001 = asn1.ObjectIdentifier{1, 2, 643, 2, 2, 19}
)

// oidStreebog256 is id-tc26-gost3411-12-256, the digestParamSet of old parameter
// sets.
var oidStreebog256 = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 2, 2}

// Errors of this package, for errors.Is.
var (
	// ErrSyntax means bytes that are no SubjectPublicKeyInfo, AlgorithmIdentifier or
	// certificate in DER.
	ErrSyntax = errors.New("spki: malformed DER")
	// ErrAlgorithm means a public key that is not of a GOST R 34.10 algorithm, or
	// one whose parameters do not fit the algorithm.
	ErrAlgorithm = errors.New("spki: not a GOST R 34.10 public key algorithm")
)

// maxSize limits a SubjectPublicKeyInfo, in bytes. The longest real one has 175;
// without a limit an attacker makes us carry object identifiers of megabytes.
const maxSize = 1024

// AlgorithmIdentifier says what kind of GOST key follows. The zero value names no
// algorithm and cannot be marshalled.
type AlgorithmIdentifier struct {
	// Algorithm is [OID256], [OID512] or [OID2001].
	Algorithm asn1.ObjectIdentifier
	// ParamSet is publicKeyParamSet, one of the 12 that gost3410 knows.
	ParamSet asn1.ObjectIdentifier
	// Digest is digestParamSet, nil when absent.
	Digest asn1.ObjectIdentifier
	// Encryption is encryptionParamSet, nil when absent. RFC 9215 has none; keys of
	// 2001 may.
	Encryption asn1.ObjectIdentifier

	// Raw is the DER of the whole AlgorithmIdentifier if it was parsed. It is not
	// used for marshalling: the fields above give the same bytes.
	Raw []byte
}

// PublicKeyInfo is a SubjectPublicKeyInfo that was parsed.
type PublicKeyInfo struct {
	Raw       []byte              // the DER that was parsed, not a copy
	Algorithm AlgorithmIdentifier // with the parameters of the key
	Key       *gost3410.PublicKey // a point of its curve, never nil
}

// Parse parses the DER of a SubjectPublicKeyInfo, at most 1024 bytes. The result
// refers to der.
//
// The error is [ErrSyntax], [ErrAlgorithm], gost3410.ErrParamSet or
// gost3410.ErrPublicKey.
func Parse(der []byte) (PublicKeyInfo, error) {
	var body, algorithm, octets cryptobyte.String
	var bits []byte
	input := cryptobyte.String(der)
	if len(der) > maxSize || !input.ReadASN1(&body, tag.SEQUENCE) || !input.Empty() ||
		!body.ReadASN1Element(&algorithm, tag.SEQUENCE) {
		return PublicKeyInfo{}, fmt.Errorf("%w: SubjectPublicKeyInfo", ErrSyntax)
	}
	alg, err := ParseAlgorithm(algorithm)
	if err != nil {
		return PublicKeyInfo{}, err
	}
	curve, err := alg.Curve()
	if err != nil {
		return PublicKeyInfo{}, err
	}
	// RFC 9215, Section 4.3: the bit string holds the DER of an OCTET STRING.
	if !body.ReadASN1BitStringAsBytes(&bits) || !body.Empty() {
		return PublicKeyInfo{}, fmt.Errorf("%w: subjectPublicKey", ErrSyntax)
	}
	inner := cryptobyte.String(bits)
	if !inner.ReadASN1(&octets, tag.OCTET_STRING) || !inner.Empty() {
		return PublicKeyInfo{}, fmt.Errorf("%w: the octet string in subjectPublicKey", ErrSyntax)
	}
	key, err := gost3410.NewPublicKey(curve, octets)
	if err != nil {
		return PublicKeyInfo{}, err
	}
	return PublicKeyInfo{Raw: der, Algorithm: alg, Key: key}, nil
}

// ParseAlgorithm parses the DER of the AlgorithmIdentifier of a GOST public key.
// The result refers to der. It makes sure that the algorithm and the parameter set
// are known and belong together. The error is [ErrSyntax], [ErrAlgorithm] or
// gost3410.ErrParamSet.
func ParseAlgorithm(der []byte) (AlgorithmIdentifier, error) {
	var body, params cryptobyte.String
	alg := AlgorithmIdentifier{Raw: der}
	input := cryptobyte.String(der)
	if len(der) > maxSize || !input.ReadASN1(&body, tag.SEQUENCE) || !input.Empty() ||
		!body.ReadASN1ObjectIdentifier(&alg.Algorithm) {
		return AlgorithmIdentifier{}, fmt.Errorf("%w: AlgorithmIdentifier", ErrSyntax)
	}
	if _, err := keySize(alg.Algorithm); err != nil {
		return AlgorithmIdentifier{}, err
	}
	// RFC 4491 lets a certificate of 2001 inherit absent parameters; nobody does.
	if !body.ReadASN1(&params, tag.SEQUENCE) || !body.Empty() ||
		!params.ReadASN1ObjectIdentifier(&alg.ParamSet) ||
		!readOptionalOID(&params, &alg.Digest) || !readOptionalOID(&params, &alg.Encryption) ||
		!params.Empty() {
		return AlgorithmIdentifier{}, fmt.Errorf("%w: public key parameters", ErrSyntax)
	}
	if _, err := alg.Curve(); err != nil {
		return AlgorithmIdentifier{}, err
	}
	return alg, nil
}

// readOptionalOID reads an object identifier if there is one.
func readOptionalOID(s *cryptobyte.String, oid *asn1.ObjectIdentifier) bool {
	return !s.PeekASN1Tag(tag.OBJECT_IDENTIFIER) || s.ReadASN1ObjectIdentifier(oid)
}

// keySize returns the length of the scalars of an algorithm, in bytes.
func keySize(algorithm asn1.ObjectIdentifier) (int, error) {
	switch {
	case algorithm.Equal(OID256), algorithm.Equal(OID2001):
		return 32, nil
	case algorithm.Equal(OID512):
		return 64, nil
	}
	return 0, fmt.Errorf("%w: %v", ErrAlgorithm, algorithm)
}

// Curve returns the curve of the parameter set, if it is known and belongs to the
// algorithm. The error is [ErrAlgorithm] or gost3410.ErrParamSet.
func (a AlgorithmIdentifier) Curve() (*gost3410.Curve, error) {
	size, err := keySize(a.Algorithm)
	if err != nil {
		return nil, err
	}
	curve, err := gost3410.CurveByParamSet(a.ParamSet)
	if err != nil {
		return nil, err
	}
	if curve.Size() != size {
		return nil, fmt.Errorf("%w: %v with the parameter set %v", ErrAlgorithm, a.Algorithm, a.ParamSet)
	}
	return curve, nil
}

// Marshal returns the DER of the AlgorithmIdentifier, made of the fields other
// than Raw. The error is that of [AlgorithmIdentifier.Curve], or [ErrSyntax] for
// an Encryption without a Digest, which cannot be written.
func (a AlgorithmIdentifier) Marshal() ([]byte, error) {
	if _, err := a.Curve(); err != nil {
		return nil, err
	}
	if a.Digest == nil && a.Encryption != nil {
		return nil, fmt.Errorf("%w: encryptionParamSet without digestParamSet", ErrSyntax)
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(a.Algorithm)
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(a.ParamSet)
			for _, oid := range []asn1.ObjectIdentifier{a.Digest, a.Encryption} {
				if oid != nil {
					b.AddASN1ObjectIdentifier(oid)
				}
			}
		})
	})
	return b.Bytes()
}

// Marshal returns the DER of a SubjectPublicKeyInfo. Algorithm and key must be of
// the same curve; the error is [ErrAlgorithm] if they are not, or that of
// [AlgorithmIdentifier.Marshal].
func Marshal(alg AlgorithmIdentifier, key *gost3410.PublicKey) ([]byte, error) {
	algorithm, err := alg.Marshal()
	if err != nil {
		return nil, err
	}
	if curve, err := alg.Curve(); err != nil || key == nil || key.Curve() != curve {
		return nil, fmt.Errorf("%w: the key is of another curve", ErrAlgorithm)
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(algorithm)
		b.AddASN1(tag.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(0) // unused bits
			b.AddASN1OctetString(key.Bytes())
		})
	})
	return b.Bytes()
}

// paramSets are the parameter sets of new keys, in the names of Rosstandart.
// RFC 9215, Appendix C; RFC 7836, Appendix A.
var paramSets = []struct {
	curve func() *gost3410.Curve
	oid   asn1.ObjectIdentifier
}{
	{gost3410.TC26256A, asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 1}},
	{gost3410.CryptoProA, asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 2}},
	{gost3410.CryptoProB, asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 3}},
	{gost3410.CryptoProC, asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 4}},
	{gost3410.TC26512A, asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 1}},
	{gost3410.TC26512B, asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 2}},
	{gost3410.TC26512C, asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 3}},
}

// DefaultAlgorithm returns the identifier of new keys of a curve: GOST R
// 34.10-2012 with the parameter set named by Rosstandart. For another name of the
// same curve use [AlgorithmFor]. The result is the zero value if c is nil.
func DefaultAlgorithm(c *gost3410.Curve) AlgorithmIdentifier {
	for _, set := range paramSets {
		if set.curve() == c {
			alg, err := AlgorithmFor(set.oid)
			if err != nil {
				panic("spki: " + err.Error())
			}
			return alg
		}
	}
	return AlgorithmIdentifier{}
}

// AlgorithmFor returns the identifier of GOST R 34.10-2012 keys with the given
// parameter set. Raw is filled in. The error is gost3410.ErrParamSet.
//
// RFC 9215, Section 4.2: with the parameter sets of RFC 4357 digestParamSet must be
// there, with the others it must not or should not.
func AlgorithmFor(paramSet asn1.ObjectIdentifier) (AlgorithmIdentifier, error) {
	curve, err := gost3410.CurveByParamSet(paramSet)
	if err != nil {
		return AlgorithmIdentifier{}, err
	}
	alg := AlgorithmIdentifier{Algorithm: slices.Clone(OID256), ParamSet: slices.Clone(paramSet)}
	if curve.Size() == 64 {
		alg.Algorithm = slices.Clone(OID512)
	}
	if paramSet[3] == 2 { // 1.2.643.2: CryptoPro
		alg.Digest = slices.Clone(oidStreebog256)
	}
	alg.Raw, err = alg.Marshal()
	return alg, err
}

// maxCertificate limits a certificate, in bytes. Real ones have 1 to 4 thousand.
const maxCertificate = 1 << 20

// FromCertificate takes the SubjectPublicKeyInfo out of the DER of an X.509
// certificate (RFC 5280, Section 4.1), without looking at anything else in it:
// names, dates and the signature may be anything. The errors are those of [Parse].
func FromCertificate(cert []byte) (PublicKeyInfo, error) {
	var certificate, tbs, element cryptobyte.String
	input := cryptobyte.String(cert)
	if len(cert) > maxCertificate || !input.ReadASN1(&certificate, tag.SEQUENCE) || !input.Empty() ||
		!certificate.ReadASN1(&tbs, tag.SEQUENCE) ||
		!certificate.SkipASN1(tag.SEQUENCE) || !certificate.SkipASN1(tag.BIT_STRING) || !certificate.Empty() {
		return PublicKeyInfo{}, fmt.Errorf("%w: Certificate", ErrSyntax)
	}
	if !tbs.SkipOptionalASN1(tag.Tag(0).Constructed().ContextSpecific()) { // version
		return PublicKeyInfo{}, fmt.Errorf("%w: TBSCertificate", ErrSyntax)
	}
	// serialNumber, signature, issuer, validity, subject.
	for _, t := range []tag.Tag{tag.INTEGER, tag.SEQUENCE, tag.SEQUENCE, tag.SEQUENCE, tag.SEQUENCE} {
		if !tbs.SkipASN1(t) {
			return PublicKeyInfo{}, fmt.Errorf("%w: TBSCertificate", ErrSyntax)
		}
	}
	if !tbs.ReadASN1Element(&element, tag.SEQUENCE) {
		return PublicKeyInfo{}, fmt.Errorf("%w: TBSCertificate", ErrSyntax)
	}
	return Parse(element)
}
