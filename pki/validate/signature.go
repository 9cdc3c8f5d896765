package validate

import (
	"time"

	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Signature is the judgement of one signer.
type Signature struct {
	// Verdict is the total: mathematics, format and certificate. The signer can be
	// read out of it only if it passed.
	Verdict verdict.Verdict
	// Mathematical is the part about the signature and the document alone.
	Mathematical verdict.Verdict
	// Certificate is the part about the signer's certificate. It is zero when the
	// mathematics failed: the certificate then is nobody's. The holder can be read
	// out of it only if the total passed.
	Certificate Certificate

	// Signer is the SignerInfo.
	Signer *cms.Signer
	// Digest is that of the document, in the DigestAlgorithm of Signer; nil when the
	// document is not known, or is not the one that was signed.
	Digest []byte
	// Level is the kind of the signature: the highest all of whose parts are there
	// and fit. Time-stamps of other data and references to other values give none.
	Level cms.Level
	// ProofOfExistence is the earliest moment at which the signature is proven to
	// have existed, by a time-stamp that passed; zero if nothing proves one. The
	// certificate was judged at that moment (63-ФЗ, ст. 11, п. 2) unless the moment
	// asked about is earlier.
	ProofOfExistence time.Time
	// TimeStamps are those of the signature, in the order of the file. One that did
	// not pass proves nothing and does not make a good signature bad.
	TimeStamps []TimeStamp
	// CounterSignatures are signatures over the value of this one, judged each by
	// itself. They say nothing about this signature.
	CounterSignatures []Signature
	// Additions is about the attributes that anybody may add to a signature: whether
	// they can be read, and references fit values. It is zero when there are none,
	// and is no part of Verdict.
	Additions verdict.Verdict
	// Policy is the signature policy that the signer named; nil if none.
	Policy *cades.SignaturePolicy
	// Claimed is the certificate that the SignerInfo names, whatever was found;
	// nil if there is none.
	Claimed *gostx509.Certificate
}

// Report is the judgement of a file with signatures. The zero value grants
// nothing.
type Report struct {
	// Signatures holds one judgement for each signer, in the order of the file.
	Signatures []Signature
	// Checks holds what concerns the file as a whole. A file that could not be
	// read has one failed check here and no signatures.
	Checks []verdict.Check
	// File is the parsed file; nil if it could not be read.
	File *cms.SignedData
	// At is the moment for which the judgement holds.
	At time.Time
	// Policy is the name of the policy, and Demands the policy itself.
	Policy  string
	Demands Policy

	total verdict.Verdict
}

// Verdict is the total, the worst of all signatures: it passed only if there is
// at least one signature and every one passed. Its identity is that of the
// signer if there is exactly one; with several it is empty, ask each signature.
func (r Report) Verdict() verdict.Verdict { return r.total }

// Signature judges a file with signatures at a moment: now, unless there is
// reliable information about the time of signing (63-ФЗ, ст. 11, п. 2). The time
// that the signer wrote into the signature is not such information. Input that
// cannot be read gives a failed verdict.
//
// Certificates given beside the file may be those of signers or of their CAs;
// like those in the file they are not trusted.
func (v Validator) Signature(file []byte, content cms.Content, at time.Time, beside ...*gostx509.Certificate) Report {
	sd, err := cms.Parse(file)
	if err != nil {
		r := Report{At: at, Policy: v.Policy.Name, Demands: v.Policy}
		var total verdict.Builder
		refuse(&total, reason.Of(err))
		return r.done(&total)
	}
	return v.SignedData(sd, content, at, beside...)
}

// SignedData is [Validator.Signature] for a file that was read already, by
// [cms.ParseStream] for example.
func (v Validator) SignedData(sd *cms.SignedData, content cms.Content, at time.Time, beside ...*gostx509.Certificate) Report {
	r := Report{File: sd, At: at, Policy: v.Policy.Name, Demands: v.Policy}
	var total verdict.Builder
	total.Pass(CheckFile, "RFC 5652, 5")
	if len(sd.Signers) == 0 {
		total.Fail(CheckSigners, reason.NoSigners, "RFC 5652, 5.1")
		return r.done(&total)
	}
	total.Pass(CheckSigners, "RFC 5652, 5.1")

	certs, _ := sd.X509With(v.Trust.Facts)
	certs = append(certs, beside...)
	v.work = workPerSigner(len(sd.Signers))
	for i, result := range sd.VerifyWith(v.Trust.Facts, content, certs) {
		r.Signatures = append(r.Signatures, v.signer(&sd.Signers[i], result, certs, at))
	}
	return r.done(&total)
}

// workPerSigner returns how many steps the search for the path of one signer may
// take, so that a file of many signers, each with the worst path that can be
// made up, costs no more than four certificates of that sort.
func workPerSigner(signers int) int {
	const file, least = 4 * path.DefaultMaxWork, 8 // real searches take four steps
	return max(least, min(path.DefaultMaxWork, file/signers))
}

// signer judges one signer: mathematics first, then the certificate.
func (v Validator) signer(s *cms.Signer, result cms.Result, certs []*gostx509.Certificate, at time.Time) Signature {
	out := Signature{Signer: s, Level: result.Level, Digest: result.Digest, Claimed: result.Certificate}
	var math, total verdict.Builder
	math.Add(result.Math...)
	out.Mathematical = math.Done(person.Identity{})
	total.Add(result.Math...)
	total.Add(result.Format...)

	if out.Claimed != nil && out.Mathematical.Status() != verdict.Failed {
		out.Certificate = v.ParsedCertificate(out.Claimed, certs, at)
		total.Add(out.Certificate.Verdict.Checks()...)
	}
	holder, _ := out.Certificate.Verdict.Identity()
	out.Verdict = conclude(&total, holder, out.Mathematical, out.Certificate.Verdict)
	if out.Verdict.Status() != verdict.Passed {
		out.Certificate.Verdict = out.Certificate.Verdict.Withhold()
	}
	return out
}

// done computes the total: the checks of the file first, then those of each
// signature.
func (r Report) done(total *verdict.Builder) Report {
	r.Checks = total.Done(person.Identity{}).Checks()
	parts := make([]verdict.Verdict, 0, len(r.Signatures))
	for _, s := range r.Signatures {
		total.Add(s.Verdict.Checks()...)
		parts = append(parts, s.Verdict)
	}
	var who person.Identity
	if len(parts) == 1 {
		who, _ = parts[0].Identity()
	}
	r.total = conclude(total, who, parts...)
	return r
}

// conclude ends a verdict that is made of parts, whose checks it has. The whole
// cannot be better than a part; if it were, that would be a mistake of ours, and
// the verdict fails.
func conclude(total *verdict.Builder, who person.Identity, parts ...verdict.Verdict) verdict.Verdict {
	whole := total.Done(who)
	for _, part := range parts {
		if whole.Status() == verdict.Passed && part.Status() != verdict.Passed {
			total.Fail(checkContradiction, reason.InternalError, "")
			return total.Done(person.Identity{})
		}
	}
	return whole
}

// refuse records why a file was not read. Nobody looked at one that exceeds our
// limits, so nothing is known about it.
func refuse(total *verdict.Builder, why reason.Code) {
	if why == reason.SignatureTooLarge {
		total.Unknown(CheckFile, why, "RFC 5652, 5")
		return
	}
	total.Fail(CheckFile, why, "RFC 5652, 5")
}
