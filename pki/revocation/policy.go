package revocation

import (
	"encoding/hex"
	"slices"
	"time"

	"propusk/pki/gostx509"
)

// Order says which kind of evidence is asked for first.
type Order uint8

// The orders.
const (
	// CRLFirst asks responders only when no list gives an answer. It is the zero
	// value: lists are fetched in the background, and nobody learns which
	// certificate is looked at.
	CRLFirst Order = iota
	// OCSPFirst looks at lists only when no responder gives an answer.
	OCSPFirst
)

// The values that zero fields of a Policy mean.
const (
	// DefaultMaxAge: a responder that names no next update has newer answers all
	// the time (RFC 6960, Section 4.2.2.1), so an old one is worth little.
	DefaultMaxAge = 10 * time.Minute
	// DefaultBudget is what a person who signs in will wait for.
	DefaultBudget = 5 * time.Second
	// DefaultReuse is how long a responder is not asked again.
	DefaultReuse = time.Hour
)

// Policy says how evidence is judged and asked for. The zero value believes nothing
// that is past its time.
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
	// Reuse is how long an answer of a server is used without asking again, if its
	// nextUpdate is not sooner. Zero means DefaultReuse.
	Reuse time.Duration
	// Issuers overrides the above for certificates of some issuers, by the
	// issuer's subjectKeyIdentifier or the SHA-256 of its certificate, in lower-case
	// hexadecimal. The SHA-256 goes before.
	Issuers map[string]IssuerPolicy
}

// IssuerPolicy is the policy for certificates of one issuer. Fields that are nil are
// those of Policy.
type IssuerPolicy struct {
	Order        *Order
	Grace        *time.Duration
	RequireNonce *bool
	// OCSP and CRLs are addresses that are asked before those in the certificate.
	OCSP, CRLs []string
	// NoOCSP and NoCRL ask no responder, or no distribution point: for one whose
	// answers are known to be worth nothing. Evidence at hand is used all the same.
	NoOCSP, NoCRL bool
}

// maxURLs is how many addresses are asked for one answer. Who writes certificates
// must not choose how many connections we make.
const maxURLs = 8

// effective is the policy for certificates of one issuer.
type effective struct {
	Policy
	of IssuerPolicy
}

// forIssuer resolves the overrides.
func (p *Policy) forIssuer(issuer *gostx509.Certificate) effective {
	e := effective{Policy: *p}
	if e.MaxAge <= 0 {
		e.MaxAge = DefaultMaxAge
	}
	if e.Reuse <= 0 {
		e.Reuse = DefaultReuse
	}
	if len(p.Issuers) == 0 {
		return e
	}
	sum := issuer.SHA256()
	var found bool
	if e.of, found = p.Issuers[hex.EncodeToString(sum[:])]; !found {
		e.of = p.Issuers[hex.EncodeToString(issuer.SubjectKeyID)]
	}
	if e.of.Order != nil {
		e.Order = *e.of.Order
	}
	if e.of.Grace != nil {
		e.Grace = *e.of.Grace
	}
	if e.of.RequireNonce != nil {
		e.RequireNonce = *e.of.RequireNonce
	}
	return e
}

// kinds returns the kinds of evidence in the order in which they are asked for.
func (e *effective) kinds() [2]Kind {
	if e.Order == OCSPFirst {
		return [2]Kind{KindOCSP, KindCRL}
	}
	return [2]Kind{KindCRL, KindOCSP}
}

// urls returns the addresses to ask about a certificate.
func (e *effective) urls(kind Kind, cert *gostx509.Certificate) []string {
	first, then, no := e.of.OCSP, cert.OCSPServers, e.of.NoOCSP
	if kind == KindCRL {
		first, then, no = e.of.CRLs, cert.CRLDistributionPoints, e.of.NoCRL
	}
	if no {
		return nil
	}
	var all []string
	for _, url := range slices.Concat(first, then) {
		if !slices.Contains(all, url) && len(all) < maxURLs {
			all = append(all, url)
		}
	}
	return all
}
