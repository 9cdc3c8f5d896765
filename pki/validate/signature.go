package validate

import (
	"time"

	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
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
	// Engine is what computed the signatures.
	Engine sigalg.Use

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
		return r.done(v.begin(), &total)
	}
	return v.SignedData(sd, content, at, beside...)
}

// SignedData is [Validator.Signature] for a file that was read already, by
// [cms.ParseStream] for example.
func (v Validator) SignedData(sd *cms.SignedData, content cms.Content, at time.Time, beside ...*gostx509.Certificate) Report {
	v = v.begin()
	r := Report{File: sd, At: at, Policy: v.Policy.Name, Demands: v.Policy}
	var total verdict.Builder
	total.Pass(CheckFile, "RFC 5652, 5")
	if len(sd.Signers) == 0 {
		total.Fail(CheckSigners, reason.NoSigners, "RFC 5652, 5.1")
		return r.done(v, &total)
	}
	total.Pass(CheckSigners, "RFC 5652, 5.1")

	certs, _ := sd.X509With(v.Trust.Facts)
	certs = append(certs, beside...)
	f := v.inspect(sd, content, at, certs)
	for i, result := range sd.VerifyWith(v.Trust.Facts, v.run, content, certs) {
		r.Signatures = append(r.Signatures, f.signature(&sd.Signers[i], result, parent{}))
	}
	return r.done(v, &total)
}

// workPerSigner returns how many steps the search for the path of one signer may
// take, so that a file of many signers, each with the worst path that can be
// made up, costs no more than four certificates of that sort.
func workPerSigner(signers int) int {
	const file, least = 4 * path.DefaultMaxWork, 8 // real searches take four steps
	return max(least, min(path.DefaultMaxWork, file/signers))
}

// parent is the signature that a counter-signature is over; zero for a signature of
// the file.
type parent struct {
	signature []byte
	depth     int
	// since is since when the counter-signature is proven to have existed by
	// time-stamps of the parent; zero if it is not.
	since time.Time
}

// signature judges one signature: mathematics first, then what proves when it
// existed, then the certificate at that moment.
func (f *inspection) signature(s *cms.Signer, result cms.Result, over parent) Signature {
	out := Signature{Signer: s, Level: result.Level, Digest: result.Digest, Claimed: result.Certificate}
	var math, total verdict.Builder
	math.Keep(result.Math)
	out.Mathematical = math.Done(person.Identity{})
	total.Keep(result.Math)
	total.Add(result.Format...)

	if out.Claimed != nil && out.Mathematical.Status() != verdict.Failed {
		f.judge(&out, &total, over)
	}
	f.v.decided(&total)
	holder, _ := out.Certificate.Verdict.Identity()
	out.Verdict = conclude(&total, holder, out.Mathematical, out.Certificate.Verdict)
	if out.Verdict.Status() != verdict.Passed {
		out.Certificate.Verdict = out.Certificate.Verdict.Withhold()
	}
	return out
}

// judge judges what a signature rests on, if it is one: the attributes, the
// time-stamps, and the certificate at the moment that they prove.
func (f *inspection) judge(out *Signature, total *verdict.Builder, over parent) {
	a, err := f.attributes(out.Signer, over)
	out.Policy = a.Policy
	total.Add(checkSigned(a)...)
	total.Add(f.checkPolicy(a)...)
	var additions verdict.Builder
	if err != nil {
		additions.Unknown(cades.CheckAttributes, reason.Of(err), "ETSI EN 319 122-1, 5")
	}
	additions.Add(a.Checks()...)
	out.Additions = additions.Done(person.Identity{})

	own, known := f.carry(a), proofs{}
	own.all.ProvenAt = known.ofResponse
	out.TimeStamps = f.timeStamps(a, own, known)
	out.Level = a.LevelWith(func(i int) bool { return out.TimeStamps[i].intact })
	out.ProofOfExistence = earliest(out.TimeStamps, over.since)
	moment := f.at
	if proven := out.ProofOfExistence; !proven.IsZero() && proven.Before(moment) {
		moment = proven
	}
	v := f.v
	v.Evidence, v.Now = own.all, f.now
	out.Certificate = v.ParsedCertificate(out.Claimed, own.certs, moment)
	total.AddAll(out.Certificate.Verdict)
	total.Add(f.checkEvidence(out.Certificate, known, own)...)
	total.Add(inForce(out.Signer, moment)...)
	total.Add(timeOrder(*out)...)
	out.CounterSignatures = f.counterSignatures(a, own, known, over.depth)
}

// attributes reads the attributes of a signature.
func (f *inspection) attributes(s *cms.Signer, over parent) (cades.Attributes, error) {
	if over.signature != nil {
		return cades.OfCounter(s, f.file, over.signature)
	}
	return cades.Of(s, f.file)
}

// earliest returns the earliest moment at which time-stamps that passed prove a
// signature to have existed, or something around it does.
func earliest(all []TimeStamp, around time.Time) time.Time {
	proven := around
	for _, t := range all {
		switch t.Kind {
		case cades.ContentTimeStamp, cades.ReferencesTimeStamp: // not over the signature
			continue
		}
		if t.Verdict.Status() == verdict.Passed && (proven.IsZero() || t.Time.Before(proven)) {
			proven = t.Time
		}
	}
	return proven
}

// timeOrder checks that proven times and the time that the signer claims do not
// contradict each other: the document was stamped before it was signed with that
// stamp, and signed before the signature was stamped (ETSI EN 319 102-1, 5.5.4).
// There is no check when nothing is proven.
func timeOrder(s Signature) []verdict.Check {
	var after time.Time // the signature is not older
	for _, t := range s.TimeStamps {
		// One later than the signature that it is under fails for that.
		tells := t.Verdict.Status() == verdict.Passed || t.Verdict.Why() == reason.TimeOrder
		if t.Kind == cades.ContentTimeStamp && tells && t.Time.After(after) {
			after = t.Time
		}
	}
	before := s.ProofOfExistence
	if after.IsZero() && before.IsZero() {
		return nil
	}
	check := verdict.Check{Name: CheckTimeOrder, Status: verdict.Passed, Cite: "ETSI EN 319 102-1, 5.5.4"}
	claimed, claims := s.Signer.SigningTime()
	switch {
	case !before.IsZero() && after.After(before.Add(clockSkew)):
		check.Detail = "the document was stamped after the signature"
	case claims && !before.IsZero() && claimed.After(before.Add(clockSkew)):
		check.Detail = "the claimed time is after the time-stamp"
	case claims && claimed.Before(after.Add(-clockSkew)):
		check.Detail = "the claimed time is before the time-stamp of the document"
	default:
		return []verdict.Check{check}
	}
	check.Status, check.Reason = verdict.Indeterminate, reason.TimeOrder
	return []verdict.Check{check}
}

// checkSigned checks that what the signer himself signed could be read. There is no
// check when it could.
func checkSigned(a cades.Attributes) []verdict.Check {
	for _, u := range a.Unreadable {
		if u.Signed {
			return []verdict.Check{verdict.Fail(cms.CheckAttributes, reason.SignatureAttributesBad, "ETSI EN 319 122-1, 5.2", u.Type.String())}
		}
	}
	return nil
}

// checkPolicy compares the signature policy with the document that we have of it.
// There is no check when we have none, or the signer gave no digest.
func (f *inspection) checkPolicy(a cades.Attributes) []verdict.Check {
	const cite = "ETSI EN 319 102-1, 5.2.4"
	if a.Policy == nil || a.Policy.Implied || !a.Policy.Known() {
		return nil
	}
	document, found := f.v.Policy.SignaturePolicies[a.Policy.ID.String()]
	if !found {
		return nil
	}
	check := verdict.Check{Name: CheckPolicy, Status: verdict.Passed, Cite: cite, Detail: a.Policy.ID.String()}
	// Not a failure: it may be our document that is another one.
	if check.Reason = reason.Of(a.Policy.Check(document)); check.Reason != "" {
		check.Status = verdict.Indeterminate
	}
	return []verdict.Check{check}
}

// counterSignatures judges the signatures over a signature, as many as the file may
// have. The others are listed, and nothing is known about them.
func (f *inspection) counterSignatures(a cades.Attributes, own carried, known proofs, depth int) []Signature {
	var all []Signature
	for _, s := range a.CounterSignatures {
		if f.counters--; f.counters < 0 || depth >= maxCounterDepth {
			var total verdict.Builder
			total.Unknown(CheckSigners, reason.SignatureTooLarge, "RFC 5652, 11.4")
			all = append(all, Signature{Signer: s, Verdict: total.Done(person.Identity{})})
			continue
		}
		since, _ := known.since(s.Raw)
		result := s.VerifyCounter(f.v.run, a.Signature(), own.certs)
		all = append(all, f.signature(s, result, parent{a.Signature(), depth + 1, since}))
	}
	return all
}

// done computes the total: the checks of the file first, then those of each
// signature.
func (r Report) done(v Validator, total *verdict.Builder) Report {
	r.Engine = v.run.Use()
	r.Checks = total.Done(person.Identity{}).Checks()
	parts := make([]verdict.Verdict, 0, len(r.Signatures))
	for _, s := range r.Signatures {
		total.AddAll(s.Verdict)
		parts = append(parts, s.Verdict)
	}
	v.decided(total)
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
