package signin

import (
	"context"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/validate"
	"propusk/server/page"
)

// Outcome is what was found about a person whose key was proven elsewhere than by TLS.
// The zero value lets nobody in: it has no Who.
type Outcome struct {
	// Code is why the person may not enter; empty if and only if Who is set.
	Code reason.Code
	// Err is the technical cause, if any.
	Err error
	// Who is the holder of the certificate.
	Who person.Identity
	// Certificate is the fingerprint of the certificate; zero if it could not be read.
	Certificate [32]byte
	// DER is the certificate itself; nil if it could not be read.
	DER []byte
	// Trust is what the certificate was judged by.
	Trust validate.Trust
	// At is the moment that it was judged for.
	At time.Time

	outcome outcome
}

// Certificate judges the certificate of a person who has proven its key, for the kinds of
// holders given, exactly as one that a GOST TLS connection has proven. When ctx ends
// nobody waits for servers any more.
func (s *SignIn) Certificate(ctx context.Context, leaf []byte, kinds []person.Kind) Outcome {
	j := s.judge
	j.kinds = kinds
	o := j.certificates(ctx, [][]byte{leaf}, j.now())
	out := Outcome{Code: o.code, Err: o.err, Who: o.who, Trust: o.trust, At: o.at, outcome: o}
	if o.cert.Parsed != nil {
		out.Certificate, out.DER = o.cert.Parsed.SHA256(), o.cert.Parsed.Raw
	}
	return out
}

// Vouched returns the holder of a certificate whose chain leads to a root, whether he may
// enter or not.
func (o Outcome) Vouched() (person.Identity, bool) { return o.outcome.vouched() }

// Conclusion names the outcome as a verdict does.
func (o Outcome) Conclusion() string { return o.outcome.conclusion() }

// Engine is what computed the signatures of the judgement.
func (o Outcome) Engine() sigalg.Use { return o.outcome.cert.Engine }

// Facts tells the person about his certificate.
func (o Outcome) Facts() []page.Fact { return certificateFacts(o.outcome) }

// Cabinet returns where a certificate of the wrong kind belongs, if pages know.
func (o Outcome) Cabinet(pages *page.Book) []page.Link { return cabinet(pages, o.outcome) }

// Basis returns what a signature is judged by now, under a policy: the trust data, and the
// policy with what the operator wants about revocation. That the data are not fresh is
// found by Certificate.
func (s *SignIn) Basis(p validate.Policy) (validate.Trust, validate.Policy) {
	return s.opts.Trust.ForVerdicts(), s.opts.Trust.Policy(p)
}
