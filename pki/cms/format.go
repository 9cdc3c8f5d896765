package cms

import (
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// format checks rules of RFC 5652 about fields that no signature covers. Each
// field has exactly one right value, so nobody can change it unnoticed.
func (v *verifier) format(s *Signer) verdict.Check {
	switch {
	case !v.sd.rightVersion:
		return verdict.Fail(CheckFormat, reason.SignatureFormatBad, "RFC 5652, 5.1", "version of SignedData")
	case s.Version != s.rightVersion():
		return verdict.Fail(CheckFormat, reason.SignatureFormatBad, "RFC 5652, 5.3", "version of SignerInfo")
	case s.RawSignedAttrs == nil && !v.sd.isData():
		return verdict.Fail(CheckFormat, reason.SignatureFormatBad, "RFC 5652, 5.3", "no signed attributes with a content type other than data")
	case !v.sd.listsDigest(s):
		return verdict.Fail(CheckFormat, reason.SignatureFormatBad, "RFC 5652, 5.1", "digest algorithm is not listed")
	}
	for _, a := range s.UnsignedAttrs {
		switch string(a.Type) {
		case oidContentType, oidMessageDigest, oidSigningTime, oidSigningCertificate, oidSigningCertificateV2, oidAlgorithmProtection:
			return verdict.Fail(CheckFormat, reason.SignatureFormatBad, "RFC 5652, 11; RFC 5035, 3", "unsigned "+a.Type.String())
		}
	}
	return verdict.Pass(CheckFormat, "RFC 5652, 5")
}

// rightVersion returns the version that RFC 5652, Section 5.3 demands.
func (s *Signer) rightVersion() int {
	if s.SubjectKeyID != nil {
		return 3
	}
	return 1
}

// listsDigest reports whether the file lists the digest algorithm of the signer,
// and every algorithm in the list has plain parameters.
func (sd *SignedData) listsDigest(s *Signer) bool {
	listed := false
	for _, id := range sd.DigestAlgorithms {
		if !hasPlainParameters(id) {
			return false
		}
		listed = listed || id.Algorithm.Equal(s.DigestAlgorithm.Algorithm)
	}
	return listed
}
