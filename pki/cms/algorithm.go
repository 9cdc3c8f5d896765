package cms

import (
	"bytes"
	"encoding/asn1"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// suite is a digest, a kind of key and the identifiers under which software
// names the signature algorithm: that of the key, or that of the pair. Both are
// met in the field (RFC 9215, Section 2; RFC 4490, Section 3).
type suite struct {
	digest     asn1.ObjectIdentifier
	key        asn1.ObjectIdentifier
	signatures []asn1.ObjectIdentifier
}

// suites is everything that is verified. A row that is missing is unsupported; a
// mixture of rows is a contradiction. It is a constant.
var suites = [...]suite{
	{sigalg.OIDStreebog256, sigalg.OIDKeyGOST256, oids{sigalg.OIDKeyGOST256, sigalg.OIDGOST256WithStreebog}},
	{sigalg.OIDStreebog512, sigalg.OIDKeyGOST512, oids{sigalg.OIDKeyGOST512, sigalg.OIDGOST512WithStreebog}},
	{sigalg.OIDGOST94, sigalg.OIDKeyGOST2001, oids{sigalg.OIDKeyGOST2001, sigalg.OIDGOST2001WithGOST94}},
	{sigalg.OIDSHA256, sigalg.OIDKeyRSA, oids{sigalg.OIDKeyRSA, sigalg.OIDRSAWithSHA256}},
	{sigalg.OIDSHA384, sigalg.OIDKeyRSA, oids{sigalg.OIDKeyRSA, sigalg.OIDRSAWithSHA384}},
	{sigalg.OIDSHA512, sigalg.OIDKeyRSA, oids{sigalg.OIDKeyRSA, sigalg.OIDRSAWithSHA512}},
	{sigalg.OIDSHA256, sigalg.OIDKeyECDSA, oids{sigalg.OIDECDSAWithSHA256}},
	{sigalg.OIDSHA384, sigalg.OIDKeyECDSA, oids{sigalg.OIDECDSAWithSHA384}},
	{sigalg.OIDSHA512, sigalg.OIDKeyECDSA, oids{sigalg.OIDECDSAWithSHA512}},
}

type oids = []asn1.ObjectIdentifier

// checkAlgorithm checks that the digest, the signature algorithm and the key of
// the certificate fit together. Otherwise a digest chosen by an attacker could be
// weaker than the one the signer meant.
func (s *Signer) checkAlgorithm(cert *gostx509.Certificate) verdict.Check {
	const cite = "RFC 9215, 2; RFC 5652, 5.3"
	digestKnown, signatureKnown, fits := false, false, false
	for _, row := range suites {
		digest := row.digest.Equal(s.DigestAlgorithm.Algorithm)
		signature := contains(row.signatures, s.SignatureAlgorithm.Algorithm)
		digestKnown, signatureKnown = digestKnown || digest, signatureKnown || signature
		fits = fits || digest && signature && row.key.Equal(cert.PublicKeyAlgorithm.Algorithm)
	}
	switch {
	case !digestKnown:
		return verdict.Unknown(CheckAlgorithm, reason.SignatureAlgorithmUnsupported, cite, "digest "+s.DigestAlgorithm.Algorithm.String())
	case !signatureKnown:
		return verdict.Unknown(CheckAlgorithm, reason.SignatureAlgorithmUnsupported, cite, "signature "+s.SignatureAlgorithm.Algorithm.String())
	case !hasPlainParameters(s.DigestAlgorithm), !hasPlainParameters(s.SignatureAlgorithm) && !s.repeatsKey(cert):
		return verdict.Fail(CheckAlgorithm, reason.SignatureAlgorithmMismatch, cite, "unexpected parameters")
	case !fits:
		return verdict.Fail(CheckAlgorithm, reason.SignatureAlgorithmMismatch, cite, "")
	case cert.PublicKey == nil:
		return verdict.Unknown(CheckAlgorithm, reason.CertKeyUnsupported, cite, "")
	default:
		return verdict.Pass(CheckAlgorithm, cite)
	}
}

// repeatsKey reports whether the signature algorithm is the identifier of the key
// with all its parameters, as in the certificate byte for byte. Software of СКБ
// Контур writes it so.
func (s *Signer) repeatsKey(cert *gostx509.Certificate) bool {
	id, err := s.SignatureAlgorithm.Marshal()
	return err == nil && bytes.Equal(id, cert.PublicKeyAlgorithm.Raw)
}

// hasPlainParameters reports whether parameters are absent or NULL, the two
// forms in use. Anything else would be data that nobody looks at.
func hasPlainParameters(id sigalg.AlgorithmIdentifier) bool {
	return id.Parameters == nil || string(id.Parameters) == "\x05\x00"
}
