package cms

import (
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
// mixture of rows is a contradiction.
func suites() []suite {
	rsa := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	ec := asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	sha384 := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	sha512 := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	return []suite{
		{idStreebog256, idKey256, []asn1.ObjectIdentifier{idKey256, idSignature256}},
		{idStreebog512, idKey512, []asn1.ObjectIdentifier{idKey512, idSignature512}},
		{idGOST94, idKey2001, []asn1.ObjectIdentifier{idKey2001, {1, 2, 643, 2, 2, 3}}},
		{idSHA256, rsa, []asn1.ObjectIdentifier{rsa, {1, 2, 840, 113549, 1, 1, 11}}},
		{sha384, rsa, []asn1.ObjectIdentifier{rsa, {1, 2, 840, 113549, 1, 1, 12}}},
		{sha512, rsa, []asn1.ObjectIdentifier{rsa, {1, 2, 840, 113549, 1, 1, 13}}},
		{idSHA256, ec, []asn1.ObjectIdentifier{{1, 2, 840, 10045, 4, 3, 2}}},
		{sha384, ec, []asn1.ObjectIdentifier{{1, 2, 840, 10045, 4, 3, 3}}},
		{sha512, ec, []asn1.ObjectIdentifier{{1, 2, 840, 10045, 4, 3, 4}}},
	}
}

// checkAlgorithm checks that the digest, the signature algorithm and the key of
// the certificate fit together. Otherwise a digest chosen by an attacker could be
// weaker than the one the signer meant.
func (s *Signer) checkAlgorithm(cert *gostx509.Certificate) verdict.Check {
	const cite = "RFC 9215, 2; RFC 5652, 5.3"
	if !hasPlainParameters(s.DigestAlgorithm) || !hasPlainParameters(s.SignatureAlgorithm) {
		return failed(CheckAlgorithm, reason.SignatureAlgorithmMismatch, cite, "unexpected parameters")
	}
	digestKnown, signatureKnown := false, false
	for _, row := range suites() {
		digest := row.digest.Equal(s.DigestAlgorithm.Algorithm)
		signature := contains(row.signatures, s.SignatureAlgorithm.Algorithm)
		digestKnown, signatureKnown = digestKnown || digest, signatureKnown || signature
		if !digest || !signature || !row.key.Equal(cert.PublicKeyAlgorithm.Algorithm) {
			continue
		}
		if cert.PublicKey == nil {
			return unknown(CheckAlgorithm, reason.CertKeyUnsupported, cite, "")
		}
		return passed(CheckAlgorithm, cite)
	}
	if !digestKnown {
		return unknown(CheckAlgorithm, reason.SignatureAlgorithmUnsupported, cite, "digest "+s.DigestAlgorithm.Algorithm.String())
	}
	if !signatureKnown {
		return unknown(CheckAlgorithm, reason.SignatureAlgorithmUnsupported, cite, "signature "+s.SignatureAlgorithm.Algorithm.String())
	}
	return failed(CheckAlgorithm, reason.SignatureAlgorithmMismatch, cite, "")
}

// hasPlainParameters reports whether parameters are absent or NULL, the two
// forms in use. Anything else would be data that nobody looks at.
func hasPlainParameters(id sigalg.AlgorithmIdentifier) bool {
	return id.Parameters == nil || string(id.Parameters) == "\x05\x00"
}
