package tsp

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// Names of the checks that a time-stamp has beside those of package cms. They
// appear in verdict documents and stay as they are.
const (
	CheckForm    = "time-stamp-form"    // the signer names the certificate under the signature
	CheckPurpose = "time-stamp-purpose" // the certificate is one for time-stamps only
	CheckName    = "time-stamp-name"    // the TSA named inside is the signer
)

// Why a check did not pass.
var (
	errUnchecked  = errors.New("tsp: a check did not pass")
	errNoPurpose  = errors.New("tsp: the certificate is not one for time-stamps only")
	errNotInForce = errors.New("tsp: the certificate of the authority is not in force")
)

// Types of the signed attributes that name the certificate of the signer: RFC 3161,
// Section 2.4.2; RFC 5816, Section 2.2.1.
const (
	oidSigningCertificate   = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0c" // 1.2.840.113549.1.9.16.2.12
	oidSigningCertificateV2 = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f" // 1.2.840.113549.1.9.16.2.47
)

// Verify checks the signature of the token and the rules for who may make it. The
// certificate is looked for among the candidates, usually those of Signed.X509 and
// any given beside the token. The checks of the rules stand in Math of the result,
// after those of package cms.
//
// The error is nil if and only if every check of Math and Format passed. Otherwise
// it is a *reason.Error: reason.TimeStampSigner when a certificate signed that may
// not, reason.TimeStampBad when anything else failed, and the reason of the check
// when something is not known, such as reason.SignerCertMissing.
//
// Whether the certificate was in force at GenTime, and whom it comes from, is for
// package validate to say. Verify is safe for concurrent use.
func (t *Token) Verify(candidates []*gostx509.Certificate) (cms.Result, error) {
	return t.VerifyBy(nil, candidates)
}

// VerifyBy is Verify by the engine of a run; nil is this program. The error may then
// also have a reason of sigalg.EngineFailure.
func (t *Token) VerifyBy(run *sigalg.Run, candidates []*gostx509.Certificate) (cms.Result, error) {
	r := t.Signed.VerifyWith(nil, run, cms.Content{}, candidates)[0]
	r.Math = append(r.Math, t.checkForm())
	if r.Certificate != nil {
		r.Math = append(r.Math, checkPurpose(r.Certificate), t.checkName(r.Certificate))
	}
	return r, worst(slices.Concat(r.Math, r.Format))
}

// worst returns the first check that failed, or else the first that is not known.
func worst(checks []verdict.Check) error {
	var open *reason.Error
	for _, c := range checks {
		switch {
		case c.Status == verdict.Passed:
		case c.Status == verdict.Failed && c.Reason == reason.TimeStampSigner:
			return reason.New(c.Reason, fmt.Errorf("%w: %s", errUnchecked, c.Name))
		case c.Status == verdict.Failed:
			return reason.New(reason.TimeStampBad, fmt.Errorf("%w: %s: %w", errUnchecked, c.Name, c.Reason))
		case open == nil:
			open = reason.New(c.Reason, fmt.Errorf("%w: %s", errUnchecked, c.Name))
		}
	}
	if open != nil {
		return open
	}
	return nil
}

// checkForm checks that the signer names the certificate, which package cms leaves
// open: that it is the right one is checked there.
func (t *Token) checkForm() verdict.Check {
	const cite = "RFC 5816, 2.2.1"
	for _, a := range t.Signed.Signers[0].SignedAttrs {
		if id := string(a.Type); id == oidSigningCertificate || id == oidSigningCertificateV2 {
			return verdict.Pass(CheckForm, cite)
		}
	}
	return verdict.Fail(CheckForm, reason.TimeStampBad, cite, "")
}

// checkPurpose checks that the certificate is one for time-stamps and for nothing
// else: RFC 3161, Section 2.3. Any other certificate could be talked into stamping,
// since its owner signs what others give him.
func checkPurpose(cert *gostx509.Certificate) verdict.Check {
	const cite = "RFC 3161, 2.3"
	if !forTimeStamps(cert) {
		return verdict.Fail(CheckPurpose, reason.TimeStampSigner, cite, "")
	}
	return verdict.Pass(CheckPurpose, cite)
}

func forTimeStamps(cert *gostx509.Certificate) bool {
	usage, found := cert.Extension(gostx509.OIDExtKeyUsage)
	const signing = gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageNonRepudiation
	return found && usage.Critical && len(cert.ExtKeyUsage) == 1 && cert.ExtKeyUsage[0].Equal(gostx509.OIDTimeStamping) &&
		(cert.KeyUsage == 0 || cert.KeyUsage&signing != 0)
}

// checkName checks that the TSA named in the token, if any, is the holder of the
// certificate: RFC 3161, Section 2.4.2. A certificate has its names in the subject
// and in subjectAltName.
func (t *Token) checkName(cert *gostx509.Certificate) verdict.Check {
	const cite = "RFC 3161, 2.4.2"
	if t.TSA != nil && !isSubject(t.TSA, cert.RawSubject) && !slices.ContainsFunc(alternatives(cert), t.isTSA) {
		return verdict.Fail(CheckName, reason.TimeStampSigner, cite, "")
	}
	return verdict.Pass(CheckName, cite)
}

func (t *Token) isTSA(name []byte) bool { return bytes.Equal(t.TSA, name) }

// isSubject reports whether a GeneralName is a directoryName with the given Name.
func isSubject(name, subject []byte) bool {
	var d der.Decoder
	top := d.Open(name, limits)
	if !top.Peek(der.Constructed(4)) {
		return false
	}
	directory := top.Enter(der.Constructed(4))
	value := directory.RawTag(der.TagSequence)
	directory.End()
	top.End()
	return d.Err() == nil && bytes.Equal(value, subject)
}

// alternatives returns the names of subjectAltName, each in DER.
func alternatives(cert *gostx509.Certificate) [][]byte {
	extension, found := cert.Extension(gostx509.OIDSubjectAltName)
	if !found {
		return nil
	}
	var d der.Decoder
	top := d.Open(extension.Value, limits)
	names := top.Sequence()
	var all [][]byte
	for names.More() {
		all = append(all, names.Raw())
	}
	if d.Err() != nil {
		return nil
	}
	return all
}
