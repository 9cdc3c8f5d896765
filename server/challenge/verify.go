package challenge

import (
	"context"
	"time"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/sigalg"
	"propusk/pki/validate"
	"propusk/pki/verdict"
	"propusk/server/journal"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/signin"
	"propusk/server/signrequest"
)

// judgement is what was found about an answer.
type judgement struct {
	// code is why the answer is of no use; empty if and only if the person is who the
	// outcome says, and signed what was asked for.
	code reason.Code
	err  error
	// outcome is about the certificate; zero if the mathematics failed.
	outcome signin.Outcome
	// report is about the signature; zero if it is not even one signature.
	report validate.Report
}

// event is the judgement about a job for the journal.
func (j judgement) event(of job) journal.Event {
	e := of.event()
	e.Certificate = j.outcome.Certificate
	return e
}

func refusal(err error) judgement { return judgement{code: reason.Of(err), err: err} }

// signedContent is what the signature of an answer must be over.
func signedContent(r signrequest.Request) cms.Content {
	if d := r.Document; d != nil {
		return cms.Digest(sigalg.OIDStreebog256, d.Streebog256).And(sigalg.OIDStreebog512, d.Streebog512)
	}
	return cms.Document(r.Content())
}

// verify judges an answer: that it is one signature over what was asked for, which names
// its certificate, and then the certificate as if TLS had proven its key. Time-stamps and
// evidence that came with the signature do not count for that.
func (c *Challenge) verify(ctx context.Context, file []byte, st *state, kinds []person.Kind, policy validate.Policy) judgement {
	r := st.request
	if len(file) == 0 || file[0] != byte(der.TagSequence) { // package cms would read PEM and base64 as well
		return refusal(reason.Errorf(reason.SignatureMalformed, "the answer is not CMS in DER"))
	}
	sd, err := cms.Parse(file)
	if err != nil {
		return refusal(err)
	}
	if r.Purpose != signrequest.SignIn && !sd.Detached {
		return refusal(reason.Errorf(reason.ChallengeContent, "the answer has a document inside"))
	}
	if len(sd.Signers) != 1 {
		return refusal(reason.Errorf(reason.ChallengeSigners, "the answer has %d signatures", len(sd.Signers)))
	}
	trust, rules := c.opts.Judge.Basis(policy)
	now := c.opts.Now()
	found := validate.Validator{Trust: trust, Policy: rules, Context: ctx}.SignedData(sd, signedContent(r), now)
	request.From(ctx).Engine = found.Engine.String()
	signature := found.Signatures[0]
	j := judgement{report: found}
	if signature.Mathematical.Status() != verdict.Passed {
		j.code = mathematics(signature.Mathematical.Why())
		return j
	}
	if sd.Signers[0].BaseLevel() == cms.Plain {
		j.code = reason.ChallengeNotBound
		return j
	}
	if !madeFor(&sd.Signers[0], r.Purpose, st.plugin) {
		j.code = reason.ChallengeContent
		return j
	}
	j.outcome = c.opts.Judge.Certificate(ctx, signature.Claimed.Raw, kinds)
	request.From(ctx).Engine = together(found.Engine, j.outcome.Engine()).String()
	if j.outcome.Code != "" {
		j.code, j.err = j.outcome.Code, j.outcome.Err
		return j
	}
	// What is left: attributes that contradict each other, an engine that disagrees.
	if total := found.Verdict(); total.Status() != verdict.Passed {
		if j.code = total.Why(); j.code == "" { // the zero verdict
			j.code = reason.InternalError
		}
	}
	return j
}

// together names what computed the signature and the certificate: if this program
// answered alone for the engine in one of them, it did so.
func together(signature, certificate sigalg.Use) sigalg.Use {
	signature.Fallback = signature.Fallback || certificate.Fallback
	return signature
}

// madeFor reports whether a signature may be used for a purpose. Agents write the purpose
// under the signature, plug-ins write none: a sign-in takes the right one, or none of a
// plug-in, the rest whatever is not made for a sign-in.
func madeFor(s *cms.Signer, p signrequest.Purpose, plugin bool) bool {
	said, found := s.Description()
	if p == signrequest.SignIn {
		return said == string(p) || plugin && !found
	}
	return said != string(signrequest.SignIn)
}

// mathematics names what is wrong with a signature: that it is over something else has one
// name here, whatever it is over.
func mathematics(why reason.Code) reason.Code {
	switch why {
	case "":
		return reason.InternalError
	case reason.ContentChanged, reason.ContentMismatch, reason.ContentMissing, reason.ContentIsAttributes, reason.ContentTypeMismatch:
		return reason.ChallengeContent
	}
	return why
}

// clockTolerance is by how much the time in a signature may differ from ours.
const clockTolerance = 10 * time.Minute

// signedJustNow refuses a signature over a document that was not made since the person
// began: unlike a sign-in, a document has no nonce that would tell. It is shorter than a
// store keeps results, which know one another's signatures.
func signedJustNow(j judgement, began, now time.Time) error {
	claimed, ok := j.report.Signatures[0].Signer.SigningTime()
	if !ok || claimed.Before(began.Add(-clockTolerance)) || claimed.After(now.Add(clockTolerance)) {
		return reason.Errorf(reason.ChallengeSigningTime, "the signing-time is absent or not that of the answer")
	}
	return nil
}

// conclusionOf names a refusal as a verdict does: it is undecided when nobody could look.
func conclusionOf(code reason.Code) string {
	if status := problem.Status(code); status >= 500 {
		return report.Indeterminate
	}
	return report.TotalFailed
}
