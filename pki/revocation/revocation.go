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
)

// Evidence is what is at hand: trust data, or what a signature carries. The zero
// value is no evidence. Nothing in it is believed before it is verified.
type Evidence struct {
	CRLs      *crl.Set
	Responses []*ocsp.Response
	// ProvenAt returns the moment at which a response is proven to have existed, by a
	// time-stamp over it, or zero. A responder whose certificate has ended since was
	// still entitled to sign. With nil nothing is proven.
	ProvenAt func(*ocsp.Response) time.Time
}

// Fetcher asks servers. It must be safe for concurrent use. Which hosts may be
// asked, how long each may take and how much it may send are its business.
type Fetcher interface {
	// OCSP posts a request to a responder and returns the body of the answer
	// (RFC 6960, Appendix A).
	OCSP(ctx context.Context, url string, request []byte) ([]byte, error)
	// CRL gets a list.
	CRL(ctx context.Context, url string) ([]byte, error)
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
	// Certificate is the one that the evidence is about.
	Certificate *gostx509.Certificate
	// Issuer is the CA whose word it is; Signer is who signed it, the issuer itself
	// or one that it empowered.
	Issuer, Signer *gostx509.Certificate
	// Source is the address it was got from; empty if it was at hand.
	Source string
	// Raw is the DER of the BasicOCSPResponse, to be kept with a signature; nil for
	// a list.
	Raw []byte
}
