package cms

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"slices"

	"propusk/pki/der"
	"propusk/pki/facts"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// maxCandidates is the number of certificates that are tried for one signer. A
// file may hold many with the same issuer and serial number; each would cost a
// signature check.
const maxCandidates = 4

// Names of checks. They appear in verdict documents and stay as they are.
const (
	CheckSigner             = "signer-certificate"
	CheckAlgorithm          = "signature-algorithm"
	CheckAttributes         = "signed-attributes"
	CheckContent            = "content"
	CheckSignature          = "signature"
	CheckSigningCertificate = "signing-certificate"
	CheckFormat             = "format"
)

// Result is what the mathematics says about one signer. The zero value grants
// nothing.
type Result struct {
	// Certificate is the certificate that the SignerInfo names. If all checks of
	// Math passed, its key made the signature; otherwise it is only a claim. Nil
	// when there is none.
	Certificate *gostx509.Certificate
	Level       Level
	// Digest is that of the document, in the signer's DigestAlgorithm; nil when the
	// document is not known, or is not the one that was signed.
	Digest []byte
	// Math holds the checks of the signature itself and of the document.
	Math []verdict.Check
	// Format holds the rules of the format whose breach leaves a part of the
	// file unprotected, although the mathematics is right.
	Format []verdict.Check
}

// X509 parses the certificates of the file. Those that cannot be read are left
// out and counted.
func (sd *SignedData) X509() (certs []*gostx509.Certificate, unreadable int) {
	return sd.X509With(nil)
}

// X509With is X509 with a memory of certificates; nil is none.
func (sd *SignedData) X509With(memory *facts.Memory) (certs []*gostx509.Certificate, unreadable int) {
	certs = make([]*gostx509.Certificate, 0, len(sd.Certificates))
	for _, raw := range sd.Certificates {
		cert, err := memory.Certificate(raw)
		if err != nil {
			unreadable++
			continue
		}
		certs = append(certs, cert)
	}
	return certs, unreadable
}

// Verify checks every signer: the result has as many elements as Signers, in the
// same order. The certificate of a signer is looked for among the candidates,
// usually those of [SignedData.X509] and any given beside the file; being named
// by the SignerInfo is what counts, not the place in the list.
//
// It is safe for concurrent use.
func (sd *SignedData) Verify(content Content, candidates []*gostx509.Certificate) []Result {
	return sd.VerifyWith(nil, nil, content, candidates)
}

// VerifyWith is Verify with a memory of keys, which changes nothing in the result, and
// by the engine of a run. Nil is none, and this program.
func (sd *SignedData) VerifyWith(memory *facts.Memory, run *sigalg.Run, content Content, candidates []*gostx509.Certificate) []Result {
	v := verifier{memory: memory, run: run, sd: sd, candidates: candidates, digests: digester{content: content, sd: sd}}
	results := make([]Result, 0, len(sd.Signers))
	for i := range sd.Signers {
		results = append(results, v.signer(&sd.Signers[i]))
	}
	return results
}

// verifier is the state of one verification.
type verifier struct {
	memory     *facts.Memory
	run        *sigalg.Run
	sd         *SignedData
	candidates []*gostx509.Certificate
	digests    digester
}

// signer runs the checks of one signer in the order of RFC 5652, Section 5.6.
// Checks that do not need the certificate run even without one: a changed
// document is a clearer answer than a missing certificate.
func (v *verifier) signer(s *Signer) Result {
	r := Result{Level: s.BaseLevel(), Format: []verdict.Check{v.format(s)}}
	digest, content := v.content(s)
	r.Digest = digest
	r.Math = append(make([]verdict.Check, 0, 7), content) // no more than seven
	if s.RawSignedAttrs != nil {
		attributes := s.checkAttributes(v.sd)
		r.Math = append(r.Math, attributes)
		digest = s.attributesDigest()
	}

	var checks []verdict.Check
	r.Certificate, checks = v.bySigner(s, digest)
	r.Math = append(r.Math, checks...)
	return r
}

// BaseLevel returns the level that the signer alone made, by the attributes present:
// Plain, BES or EPES.
func (s *Signer) BaseLevel() Level {
	_, v1 := s.signed(oidSigningCertificate)
	_, v2 := s.signed(oidSigningCertificateV2)
	if !v1 && !v2 {
		return Plain
	}
	if _, policy := s.signed(oidSignaturePolicy); policy {
		return EPES
	}
	return BES
}

// attributesDigest returns the digest of the signed attributes as received: only
// the tag [0] is read as that of a SET (RFC 5652, Section 5.4). Sorting or
// re-encoding them would break signatures of software that does not sort. It
// returns nil when the algorithm is unknown.
func (s *Signer) attributesDigest() []byte {
	set := append([]byte{byte(der.TagSet)}, s.RawSignedAttrs[1:]...)
	digest, err := sigalg.Sum(s.DigestAlgorithm.Algorithm, set)
	if err != nil {
		return nil
	}
	return digest
}

// bySigner finds the certificate that the SignerInfo names and whose key made
// the signature. Several may have the name: the one whose key fits is the signer,
// never simply the first of the file.
func (v *verifier) bySigner(s *Signer, digest []byte) (*gostx509.Certificate, []verdict.Check) {
	var claimed *gostx509.Certificate
	var why []verdict.Check
	tried := 0
	for _, cert := range v.candidates {
		if !s.names(cert) || cert.Equal(claimed) {
			continue
		}
		if tried++; tried > maxCandidates {
			break
		}
		checks := append(make([]verdict.Check, 0, 5), verdict.Pass(CheckSigner, "RFC 5652, 5.3"))
		keys := v.memory.Verifier(cert)
		keys.Run = v.run
		checks = s.checkKey(checks, keys, cert, digest)
		if allPassed(checks) {
			return cert, checks
		}
		if claimed == nil {
			claimed, why = cert, checks
		}
	}
	if claimed == nil {
		return nil, []verdict.Check{verdict.Unknown(CheckSigner, reason.SignerCertMissing, "RFC 5652, 5.3", "")}
	}
	return claimed, why
}

// names reports whether the SignerInfo names the certificate: RFC 5652, Section
// 5.3. Names are compared as DER.
func (s *Signer) names(cert *gostx509.Certificate) bool {
	if s.SubjectKeyID != nil {
		return cert.MatchesKeyID(s.SubjectKeyID)
	}
	return bytes.Equal(s.Serial, cert.Serial) && bytes.Equal(s.Issuer, cert.RawIssuer)
}

// checkKey appends checks of what depends on the certificate. A nil digest means that
// there is nothing to verify the signature over.
func (s *Signer) checkKey(checks []verdict.Check, keys sigalg.Verifier, cert *gostx509.Certificate, digest []byte) []verdict.Check {
	algorithm := s.checkAlgorithm(cert)
	checks = append(checks, algorithm)
	if algorithm.Status == verdict.Passed && digest != nil {
		checks = append(checks, s.checkSignature(keys, cert, digest))
	}
	return s.checkSigningCertificate(checks, cert)
}

// checkSignature is the mathematics itself.
func (s *Signer) checkSignature(keys sigalg.Verifier, cert *gostx509.Certificate, digest []byte) verdict.Check {
	const cite = "RFC 5652, 5.6; 63-ФЗ, ст. 11, п. 3"
	err := keys.VerifyDigestWith(s.SignatureAlgorithm, s.DigestAlgorithm.Algorithm, cert.PublicKey, digest, s.Signature)
	switch {
	case err == nil:
		return verdict.Pass(CheckSignature, cite)
	case sigalg.EngineFailed(err):
		err = sigalg.EngineFailure(err)
		return verdict.Unknown(CheckSignature, reason.Of(err), cite, "")
	case errors.Is(err, sigalg.ErrForbidden): // nothing was computed
		return verdict.Unknown(CheckSignature, reason.SignatureAlgorithmUnsupported, cite, "the length of the key")
	default:
		return verdict.Fail(CheckSignature, reason.SignatureBad, cite, "")
	}
}

// allPassed reports whether every check passed. An empty list did not.
func allPassed(checks []verdict.Check) bool {
	for _, c := range checks {
		if c.Status != verdict.Passed {
			return false
		}
	}
	return len(checks) > 0
}

// contains reports whether a list has the identifier.
func contains(list []asn1.ObjectIdentifier, id asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(list, id.Equal)
}
