package validate

import (
	"cmp"
	"slices"
	"time"

	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/tsp"
	"propusk/pki/verdict"
)

// Names of the checks of time-stamps, and of what they change. They appear in
// verdict documents and stay as they are.
const (
	CheckTimeStamp        = "time-stamp"
	CheckTimeStampImprint = "time-stamp-imprint"
	CheckTimeStampTime    = "time-stamp-time"
	CheckEvidence         = "revocation-data"
	CheckTimeOrder        = "time-order"
	CheckWithdrawn        = "algorithm-in-force"
	CheckPolicy           = "signature-policy"
)

// TimeStamp is the judgement of one time-stamp of a signature. The zero value
// proves nothing.
type TimeStamp struct {
	Kind cades.Kind
	// Time is what the time-stamp says. It is proven only if Verdict passed.
	Time time.Time
	// Verdict is the total: that the time-stamp is of this signature, its own
	// signature, and the certificate of the TSA. It has no identity.
	Verdict verdict.Verdict
	// Certificate is the judgement of the certificate of the TSA at the moment at
	// which the time-stamp itself is known to have existed: that of an archive
	// time-stamp over it, else the moment of the verification.
	Certificate Certificate
	// Claimed is the certificate that the token names as that of the TSA; nil if
	// there is none.
	Claimed *gostx509.Certificate
	// Token is the token; nil if it could not be read.
	Token *tsp.Token
	// Raw is the token as it stands in the file.
	Raw []byte

	intact bool // over this signature, and signed by the TSA that it names
}

// timeStamps judges the time-stamps of a signature, those first that are over
// others: what an outer one proves is the moment at which an inner one is judged
// (ETSI EN 319 102-1, 5.6.3). It returns them in the order of the file.
func (f *inspection) timeStamps(a cades.Attributes, own carried, p proofs) []TimeStamp {
	if len(a.TimeStamps) == 0 {
		return nil
	}
	out := make([]TimeStamp, len(a.TimeStamps))
	for _, i := range outermostFirst(a.TimeStamps) {
		ts := a.TimeStamps[i]
		out[i] = f.timeStamp(a, ts, own, p)
		if out[i].Verdict.Status() == verdict.Passed {
			p.addAll(a.Covers(ts), a.TimeStamps, ts.Token.GenTime)
		}
	}
	return out
}

// outermostFirst returns the order in which time-stamps are judged: archive
// time-stamps from the newest to the oldest, those over references, those over the
// signature, those over the document.
func outermostFirst(all []cades.TimeStamp) []int {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := all[i], all[j]
		if c := cmp.Compare(rank(a.Kind), rank(b.Kind)); c != 0 || a.Token == nil || b.Token == nil {
			return c
		}
		return b.Token.GenTime.Compare(a.Token.GenTime)
	})
	return order
}

func rank(k cades.Kind) int {
	switch {
	case k.IsArchive():
		return 0
	case k == cades.ESCTimeStamp || k == cades.ReferencesTimeStamp:
		return 1
	case k == cades.SignatureTimeStamp:
		return 2
	default:
		return 3
	}
}

// timeStamp judges one time-stamp.
func (f *inspection) timeStamp(a cades.Attributes, ts cades.TimeStamp, own carried, p proofs) TimeStamp {
	out := TimeStamp{Kind: ts.Kind, Token: ts.Token, Raw: ts.Raw}
	var total verdict.Builder
	if ts.Token != nil {
		out.Time = ts.Token.GenTime
	}
	if check := f.admit(a, ts); check.Status != verdict.Passed {
		total.Add(check)
		out.Verdict = total.Done(person.Identity{})
		return out
	}
	total.Add(imprint(a.CheckImprint(ts, f.content)))
	result, err := ts.Token.VerifyBy(f.v.run, own.certs)
	total.Add(result.Math...)
	total.Add(result.Format...)
	out.Claimed = result.Certificate
	if err != nil && total.Done(person.Identity{}).Status() == verdict.Passed {
		total.Fail(CheckTimeStamp, reason.Of(err), "RFC 3161, 2.4.2") // a contradiction is no answer
	}
	if out.intact = total.Done(person.Identity{}).Status() == verdict.Passed; out.intact {
		since, proven := p.since(ts.Raw)
		if !proven {
			since = f.now
		}
		total.Add(f.stampTime(out, since))
		out.Certificate = f.authority(out, since, own)
		total.AddAll(out.Certificate.Verdict)
		total.Add(f.checkEvidence(out.Certificate, p, own)...)
		total.Add(inForce(&ts.Token.Signed.Signers[0], since)...)
	}
	out.Verdict = conclude(&total, person.Identity{}, out.parts()...).Withhold()
	out.Certificate.Verdict = out.Certificate.Verdict.Withhold()
	return out
}

// parts returns what the total cannot be better than.
func (t TimeStamp) parts() []verdict.Verdict {
	if t.intact {
		return []verdict.Verdict{t.Certificate.Verdict}
	}
	return nil
}

// admit checks that a time-stamp can be looked at.
func (f *inspection) admit(a cades.Attributes, ts cades.TimeStamp) verdict.Check {
	check := verdict.Check{Name: CheckTimeStamp, Cite: "RFC 3161, 2.4.2", Status: verdict.Failed}
	if ts.Token == nil {
		if check.Reason = reason.Of(ts.Err); check.Reason == reason.TimeStampTooLarge {
			check.Status = verdict.Indeterminate
		}
		return check
	}
	f.stamps--
	work, whole := a.Work(ts)
	if f.hashed -= work; whole {
		document, _ := f.file.Document(f.content)
		f.hashed -= len(document)
	}
	if f.stamps < 0 || f.hashed < 0 {
		check.Status, check.Reason = verdict.Indeterminate, reason.TimeStampTooMany
		return check
	}
	check.Status = verdict.Passed
	return check
}

// imprint makes the check of the imprint.
func imprint(err error) verdict.Check {
	check := verdict.Check{Name: CheckTimeStampImprint, Status: verdict.Passed, Cite: "RFC 3161, 2.4.2; ETSI EN 319 122-1, 5"}
	switch check.Reason = reason.Of(err); check.Reason {
	case "":
	case reason.ContentMissing, reason.TimeStampAlgorithm:
		check.Status = verdict.Indeterminate
	default:
		check.Status = verdict.Failed
	}
	return check
}

// maxAccuracy is how far off the clock of a TSA may be by its own words. The time of
// a stamp is taken for the moment that it proves, and what may be off by more than
// clocks may differ anyway proves another one. Real TSAs have a second or less.
const maxAccuracy = clockSkew

// stampTime checks that the time of a time-stamp is known well enough and possible: not
// after the moment at which the token is known to have existed, and not before its
// certificate did.
func (f *inspection) stampTime(t TimeStamp, since time.Time) verdict.Check {
	check := verdict.Check{Name: CheckTimeStampTime, Status: verdict.Passed, Cite: "ETSI EN 319 102-1, 5.4, 5.5.4"}
	switch slack := clockSkew + t.Token.Accuracy; {
	case t.Token.Accuracy > maxAccuracy:
		check.Status, check.Reason = verdict.Indeterminate, reason.TimeStampInaccurate
		check.Detail = "accuracy of " + t.Token.Accuracy.String()
	case t.Time.After(f.now.Add(slack)):
		check.Status, check.Reason = verdict.Indeterminate, reason.TimeStampFuture
	case t.Time.After(since.Add(slack)):
		check.Status, check.Reason = verdict.Indeterminate, reason.TimeOrder
	case t.Time.Before(t.Claimed.NotBefore):
		check.Status, check.Reason = verdict.Failed, reason.CertNotYetValid
		check.Detail = "valid from " + t.Claimed.NotBefore.Format(time.RFC3339)
	}
	return check
}

// authority judges the certificate of the TSA at the moment since when the token is
// known to exist. It is asked for what the policy asks of certificates, but for the
// rules about qualified certificates of holders.
func (f *inspection) authority(t TimeStamp, since time.Time, own carried) Certificate {
	v := f.v
	v.Policy.AllowedKinds, v.Policy.AllowUnqualified = nil, true
	v.Evidence, v.Now = own.all, f.now
	c := v.ParsedCertificate(t.Claimed, own.certs, since)
	if !f.v.Policy.AcceptStaleTimeStamps || !lacksRevocation(c) {
		return c
	}
	then := v.ParsedCertificate(t.Claimed, own.certs, t.Time)
	if then.Verdict.Status() != verdict.Passed {
		return c
	}
	return then
}

// lacksRevocation reports whether a certificate did not pass for one reason alone:
// there are no fresh data on its revocation.
func lacksRevocation(c Certificate) bool {
	for _, check := range c.Verdict.Checks() {
		stale := slices.Contains([]reason.Code{reason.RevocationStale, reason.RevocationUnknown, reason.RevocationUnreachable}, check.Reason)
		if check.Status == verdict.Failed || check.Status == verdict.Indeterminate && !stale {
			return false
		}
	}
	return c.Verdict.Status() == verdict.Indeterminate
}

// withdrawn is the moment from which GOST R 34.10-2001 is not used for making
// signatures: the first of 2020 in Moscow.
var withdrawn = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.FixedZone("MSK", 3*60*60))

// inForce checks that the algorithm of a signature was in use at the moment at
// which the signature is known to have existed (ETSI EN 319 102-1, 5.2.8). There is
// no check for algorithms in use today.
func inForce(s *cms.Signer, moment time.Time) []verdict.Check {
	if !s.DigestAlgorithm.Algorithm.Equal(sigalg.OIDGOST94) {
		return nil
	}
	check := verdict.Check{
		Name: CheckWithdrawn, Status: verdict.Passed, Cite: "ETSI EN 319 102-1, 5.2.8; ФСБ России, № 149/7/1/3-58",
		Detail: "withdrawn algorithm: GOST R 34.10-2001 with GOST R 34.11-94",
	}
	if !moment.Before(withdrawn) {
		check.Status, check.Reason = verdict.Indeterminate, reason.AlgorithmWithdrawn
	}
	return []verdict.Check{check}
}
