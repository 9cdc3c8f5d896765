// Package revocation says whether a certificate was revoked at a moment, from all
// evidence there is: revocation lists and OCSP responses at hand, and those that
// it asks responders and distribution points for.
//
// Evidence counts only when it is verified: of the right issuer, about this
// certificate, signed, of the right time. Revoked by any such evidence is revoked,
// whatever other evidence says, but for a suspension that newer evidence lifted.
// Good needs at least one such piece; without it the answer is indeterminate.
package revocation

import (
	"context"
	"time"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
	"propusk/pki/verdict"
)

// Evidence is what is at hand: trust data, and what a signature carries. The zero
// value is no evidence.
type Evidence struct {
	CRLs      *crl.Set
	Responses []*ocsp.Response
}

// Fetcher asks servers. It must be safe for concurrent use; limits of size,
// time-outs, and which hosts may be asked are its business.
type Fetcher interface {
	// OCSP posts a request to a responder and returns the body of the answer
	// (RFC 6960, Appendix A).
	OCSP(ctx context.Context, url string, request []byte) ([]byte, error)
	// CRL gets a list.
	CRL(ctx context.Context, url string) ([]byte, error)
}

// Order says which kind of evidence is asked for first.
type Order uint8

// The orders.
const (
	// CRLFirst asks responders only when no list gives an answer. It is the zero
	// value.
	CRLFirst Order = iota
	// OCSPFirst looks at lists only when no responder gives an answer.
	OCSPFirst
)

// Policy says how evidence is judged. The zero value is the strictest.
type Policy struct {
	// Order is the order in which kinds of evidence are asked for.
	Order Order
	// Grace is how long past its nextUpdate evidence is still believed.
	Grace time.Duration
	// MaxAge is how long after its thisUpdate an OCSP answer without a nextUpdate
	// is believed. Zero means DefaultMaxAge.
	MaxAge time.Duration
	// RequireNonce refuses an answer of a responder that does not return the nonce
	// it was sent. Many responders never do; one that returns another nonce is
	// always refused.
	RequireNonce bool
	// Budget is how long asking servers may take for one verdict. Zero means
	// DefaultBudget.
	Budget time.Duration
	// Issuers overrides the above for some issuers, by their subjectKeyIdentifier or
	// the SHA-256 of their certificate, in lower-case hexadecimal.
	Issuers map[string]IssuerPolicy
}

// IssuerPolicy is the policy for certificates of one issuer. Fields left nil are
// those of Policy.
type IssuerPolicy struct {
	Order        *Order
	Grace        *time.Duration
	RequireNonce *bool
	// OCSP and CRLs are asked before the addresses in the certificate.
	OCSP, CRLs []string
}

// Kind is a kind of evidence.
type Kind string

// The kinds.
const (
	KindCRL  Kind = "crl"
	KindOCSP Kind = "ocsp"
)

// Used is a piece of evidence that an answer rests on.
type Used struct {
	Kind Kind
	// SHA256 is that of the DER: of the list, or of the BasicOCSPResponse.
	SHA256 [32]byte
	// ThisUpdate and NextUpdate are the dates of the list or of the answer;
	// NextUpdate is zero if there is none.
	ThisUpdate, NextUpdate time.Time
	// Issuer is the CA whose word it is; Signer is who signed it, the issuer itself
	// or one that it empowered.
	Issuer, Signer *gostx509.Certificate
	// Source is the address it was got from; empty if it was at hand.
	Source string
	// Raw is the DER, to be kept with a signature; nil for a list of the trust
	// data.
	Raw []byte
}

// Online asks servers: it has a Fetcher, a cache of verified answers, and
// remembers which servers are dead. It is made once for a process and safe for
// concurrent use.
type Online struct{}

// NewOnline returns an Online without memories.
func NewOnline(f Fetcher) *Online { return &Online{} }

// Checker answers from evidence under a policy; it implements path.Revocation. The
// zero value knows nothing. It is made for one verdict and safe for concurrent use.
type Checker struct {
	Evidence Evidence
	Policy   Policy
	// Online asks servers for what is not at hand; nil means that none is asked.
	Online *Online
	// Now is when the judgement is made. Zero means the moment asked about.
	Now time.Time
	// Context ends asking servers; nil is context.Background.
	Context context.Context
}

// Revocation implements path.Revocation.
func (c *Checker) Revocation(cert, issuer *gostx509.Certificate, at time.Time) verdict.Check {
	panic("TODO")
}

// Used returns the evidence that the answers so far rest on, each piece once.
func (c *Checker) Used() []Used { panic("TODO") }
