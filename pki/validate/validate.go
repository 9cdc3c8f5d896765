// Package validate judges certificates and signatures: the mathematics, the
// chain to a pinned root, accreditation of the issuing CA, revocation and the
// rules for qualified certificates come together here into one verdict
// (63-ФЗ, ст. 11; ETSI EN 319 102-1, Section 5).
//
// Three parts stay apart, because people ask about them separately: whether the
// signature is mathematically right, whether the certificate is good, and the
// total.
package validate

import (
	"time"

	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/tsl"
	"propusk/pki/verdict"
)

// Trust is what is believed and known at some moment. It is immutable and safe
// for concurrent use. With the zero value no certificate passes.
type Trust struct {
	// Roots are the trust anchors, pinned by their bytes.
	Roots *path.Pool
	// Intermediates are CA certificates to build chains with; they are not
	// trusted by themselves.
	Intermediates *path.Pool
	// Accredited is the verified list of accredited CAs; with nil nobody is known
	// to be accredited.
	Accredited *tsl.List
	// CRLs are the revocation lists; nil is an empty set.
	CRLs *crl.Set
	// ID names this trust data in answers and logs.
	ID string
	// LoadedAt is when the data were read.
	LoadedAt time.Time
}

// Policy says what is demanded of a certificate. The zero value demands all:
// a qualified certificate of any kind of holder, issued by an accredited CA, with
// fresh revocation lists for the whole chain.
type Policy struct {
	// Name goes into the answer: "qes", "signin".
	Name string

	// AllowedKinds are the kinds of holders that may pass; empty means any
	// holder. A CA is a holder only if it is named here.
	AllowedKinds []person.Kind

	// TaxServiceOGRN is the ОГРН whose CA alone may issue for entrepreneurs and
	// heads of companies. Empty means that of ФНС России.
	TaxServiceOGRN string

	// RevocationGrace is how long past its nextUpdate a CRL is still believed.
	// The law gives no grace; more than zero needs a reason.
	RevocationGrace time.Duration

	// AllowUnqualified lets a certificate pass that breaks rules for qualified
	// certificates. The rules are still checked and reported.
	AllowUnqualified bool

	// AllowUnaccredited lets a certificate pass whose issuer is not an accredited
	// CA. Accreditation is still checked and reported.
	AllowUnaccredited bool

	// InsecureSkipRevocation leaves out the check of revocation.
	InsecureSkipRevocation bool

	// InsecureSkipValidity leaves out the dates of the certificates in the chain:
	// for archives, where only the chain of signatures is of interest.
	InsecureSkipValidity bool
}

// QES is the policy of the verification service: any holder of a qualified
// certificate.
func QES() Policy { return Policy{Name: "qes"} }

// SignIn is the policy of the sign-in host: qualified certificates of the given
// kinds of holders.
func SignIn(kinds ...person.Kind) Policy {
	return Policy{Name: "signin", AllowedKinds: kinds}
}

// Validator judges under a policy with given trust data. The zero value lets
// nothing pass. It is safe for concurrent use.
type Validator struct {
	Trust  Trust
	Policy Policy
}

// Certificate is the judgement of one certificate at one moment. The zero value
// grants nothing.
type Certificate struct {
	// Verdict is the total of the certificate. The holder can be read out of it
	// only if it passed.
	Verdict verdict.Verdict
	// Qualified is the part about the rules for qualified certificates and
	// accreditation, whether or not the policy demands them.
	Qualified verdict.Verdict
	// Parsed is the certificate that was judged; nil if it could not be read. What
	// it says is a claim until Verdict passed.
	Parsed *gostx509.Certificate
	// Chain is the path that was found, leaf first, or the part of one that came
	// nearest to a root.
	Chain []*gostx509.Certificate
	// At is the moment for which the judgement holds.
	At time.Time
	// Policy is the name of the policy.
	Policy string
}

// Signature is the judgement of one signer.
type Signature struct {
	// Verdict is the total: mathematics, format and certificate. The signer can be
	// read out of it only if it passed.
	Verdict verdict.Verdict
	// Mathematical is the part about the signature and the document alone.
	Mathematical verdict.Verdict
	// Certificate is the part about the signer's certificate. It is zero when the
	// mathematics did not pass: the certificate is then nobody's.
	Certificate Certificate

	Signer *cms.Signer // the SignerInfo
	Level  cms.Level
	// Claimed is the certificate that the SignerInfo names, whatever was found;
	// nil if there is none.
	Claimed *gostx509.Certificate
}

// Report is the judgement of a file with signatures. The zero value grants
// nothing.
type Report struct {
	// Signatures holds one judgement for each signer, in the order of the file.
	Signatures []Signature
	// Checks holds what concerns the file as a whole; a file that could not be
	// read has one failed check here and no signatures.
	Checks []verdict.Check
	// File is the parsed file; nil if it could not be read.
	File *cms.SignedData
	// At is the moment for which the judgement holds.
	At time.Time
	// Policy is the name of the policy.
	Policy string

	total verdict.Verdict
}

// Verdict is the total, the worst of all signatures: it passed only if there is
// at least one signature and every one passed. Its identity is that of the only
// signer; with several, ask each signature.
func (r Report) Verdict() verdict.Verdict { return r.total }

// Certificate judges one certificate at a moment. The chain holds certificates
// that came with it, in any order; they help to build the path and are not
// trusted. Input that cannot be read gives a failed verdict.
func (v Validator) Certificate(der []byte, chain [][]byte, at time.Time) Certificate {
	panic("TODO")
}

// Signature judges a file with signatures at a moment: now, unless there is
// reliable information about the time of signing (63-ФЗ, ст. 11, п. 2). Input
// that cannot be read gives a failed verdict.
func (v Validator) Signature(file []byte, content cms.Content, at time.Time) Report {
	panic("TODO")
}
