package path

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Names of the steps, and what they rest on.
const (
	stepChain      = "chain"
	stepValidity   = "chain.validity"
	stepAuthority  = "chain.authority"
	stepExtensions = "chain.extensions"
	stepNames      = "chain.names"
	stepRevocation = "revocation"

	citeChain      = "RFC 5280, 6.1.3 (a)(1), (4)"
	citeValidity   = "RFC 5280, 6.1.3 (a)(2)"
	citeAuthority  = "RFC 5280, 6.1.4 (k), (l), (m), (n)"
	citeExtensions = "RFC 5280, 4.2, 6.1.4 (o), 6.1.5 (f)"
	citeNames      = "RFC 5280, 6.1.3 (b), (c)"
	citeRevocation = "RFC 5280, 6.1.3 (a)(3)"
)

// validate checks a path whose signatures and names are right and which ends at
// an anchor (RFC 5280, Section 6.1).
func (s *search) validate(chain []*gostx509.Certificate) (Result, merit) {
	r := Result{Status: verdict.Passed, Chain: slices.Clone(chain), Checks: make([]verdict.Check, 0, 6)} // no more than six
	r.Checks = append(r.Checks, verdict.Pass(stepChain, citeChain))
	if !s.opts.InsecureSkipValidity {
		r.Checks = append(r.Checks, s.validity(chain))
	}
	r.Checks = append(r.Checks, authority(chain), extensions(chain), names(chain))
	if failures(r.Checks) > 0 {
		r.Status = verdict.Failed
		return r, invalid
	}
	return s.revocation(r)
}

// validity checks the dates of every certificate, the leaf first: its dates are
// what its holder can do something about.
func (s *search) validity(chain []*gostx509.Certificate) verdict.Check {
	at := s.opts.At
	for i, c := range chain {
		early, late := reason.CertNotYetValid, reason.CertExpired
		if i > 0 {
			early, late = reason.CACertNotYetValid, reason.CACertExpired
		}
		switch {
		case at.Before(c.NotBefore):
			return verdict.Fail(stepValidity, early, citeValidity, "valid from "+c.NotBefore.Format(time.RFC3339))
		case at.After(c.NotAfter):
			return verdict.Fail(stepValidity, late, citeValidity, "valid until "+c.NotAfter.Format(time.RFC3339))
		}
	}
	return verdict.Pass(stepValidity, citeValidity)
}

// authority checks that every issuer is a CA that may sign certificates, and the
// lengths that they permit.
func authority(chain []*gostx509.Certificate) verdict.Check {
	below := 0 // CA certificates between the issuer and the leaf, self-issued ones not counted
	for i, c := range chain[1:] {
		switch {
		case c.Version != 3 || !c.IsCA:
			return verdict.Fail(stepAuthority, reason.IssuerNotCA, citeAuthority, fmt.Sprintf("certificate %d of the chain is not a CA certificate", i+1))
		case c.KeyUsage != 0 && c.KeyUsage&gostx509.KeyUsageCertSign == 0:
			return verdict.Fail(stepAuthority, reason.IssuerNotCA, citeAuthority, fmt.Sprintf("the key usage of certificate %d of the chain has no keyCertSign", i+1))
		case c.MaxPathLen >= 0 && below > c.MaxPathLen:
			return verdict.Fail(stepAuthority, reason.PathLengthExceeded, citeAuthority, fmt.Sprintf("%d CA certificates under one that permits %d", below, c.MaxPathLen))
		}
		if !selfIssued(c) {
			below++
		}
	}
	return verdict.Pass(stepAuthority, citeAuthority)
}

// selfIssued reports whether issuer and subject are one (RFC 5280, Section 6.1).
func selfIssued(c *gostx509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// Extensions that gostx509 does not read and that are understood here. Under the
// policy settings of this package (see its comment) the last two change nothing.
var (
	oidNameConstraints  = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidPolicyMappings   = asn1.ObjectIdentifier{2, 5, 29, 33}
	oidInhibitAnyPolicy = asn1.ObjectIdentifier{2, 5, 29, 54}
)

// extensions checks that every critical extension is understood.
func extensions(chain []*gostx509.Certificate) verdict.Check {
	for _, c := range chain {
		for _, id := range c.UnhandledCritical {
			if !id.Equal(oidNameConstraints) && !id.Equal(oidPolicyMappings) && !id.Equal(oidInhibitAnyPolicy) {
				return verdict.Fail(stepExtensions, reason.CertCriticalExtension, citeExtensions, "extension "+id.String())
			}
		}
	}
	return verdict.Pass(stepExtensions, citeExtensions)
}

// revocation asks about every certificate but the anchor, from the anchor down:
// the answer about a certificate rests on its issuer.
func (s *search) revocation(r Result) (Result, merit) {
	if _, skip := s.opts.Revocation.(InsecureSkipRevocation); skip || len(r.Chain) == 1 {
		return r, valid
	}
	check := verdict.Check{Name: stepRevocation, Reason: reason.RevocationUnknown, Cite: citeRevocation}
	if s.opts.Revocation != nil {
		check = s.askRevocation(r.Chain)
	}
	r.Checks = append(r.Checks, check)
	r.Status = check.Status
	switch check.Status {
	case verdict.Passed:
		return r, valid
	case verdict.Failed:
		if check.Reason == reason.CACertRevoked {
			return r, invalid
		}
		return r, revoked
	default:
		r.Status = verdict.Indeterminate
		return r, unknown
	}
}

// askRevocation returns the first answer that is not good, a revocation before a
// lack of data; else a passed check.
func (s *search) askRevocation(chain []*gostx509.Certificate) verdict.Check {
	result := verdict.Pass(stepRevocation, citeRevocation)
	for i := len(chain) - 2; i >= 0; i-- {
		c := s.opts.Revocation.Revocation(chain[i], chain[i+1], s.opts.At)
		c.Name = stepRevocation
		if i > 0 && (c.Reason == reason.CertRevoked || c.Reason == reason.CertOnHold) {
			c.Reason = reason.CACertRevoked
		}
		switch {
		case c.Status == verdict.Passed && c.Reason == "":
			if result.Status == verdict.Passed && c.Detail != "" {
				result.Detail = c.Detail
			}
		case c.Status == verdict.Failed && c.Reason != "":
			return c
		case result.Status == verdict.Passed:
			if c.Status != verdict.Indeterminate || c.Reason == "" { // a contradiction is no answer
				c = verdict.Check{Name: stepRevocation, Reason: reason.RevocationUnknown, Cite: citeRevocation}
			}
			result = c
		}
	}
	return result
}
