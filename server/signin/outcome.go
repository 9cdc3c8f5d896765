package signin

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/gostx509"
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
	return newOutcome(j.certificates(ctx, [][]byte{leaf}, j.now()))
}

func newOutcome(o outcome) Outcome {
	out := Outcome{Code: o.code, Err: o.err, Who: o.who, Trust: o.trust, At: o.at, outcome: o}
	if o.cert.Parsed != nil {
		out.Certificate, out.DER = o.cert.Parsed.SHA256(), o.cert.Parsed.Raw
	}
	return out
}

// Connection judges the connection that a request came through, as a sign-in by GOST TLS
// does, and for the log. The answer ends the connection: the next one may bring another
// certificate.
func (s *SignIn) Connection(c *gin.Context) Outcome {
	return newOutcome(s.observe(c, "check"))
}

// Look tells a person how the certificate of his connection fares.
func (s *SignIn) Look(c *gin.Context) { s.look(c) }

// Chain is the certificate and the CAs above it, as far as a path was found, and whether it
// ends in a root. It is nil if the certificate could not be read.
func (o Outcome) Chain() (chain []*gostx509.Certificate, anchored bool) {
	if o.outcome.cert.Parsed == nil {
		return nil, false
	}
	if len(o.outcome.cert.Chain) == 0 {
		return []*gostx509.Certificate{o.outcome.cert.Parsed}, false
	}
	return o.outcome.cert.Chain, o.outcome.cert.Anchored
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
