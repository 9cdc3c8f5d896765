package revocation

import (
	"time"

	"propusk/pki/crl"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// What an answer about a certificate rests on.
const (
	stepRevocation = "revocation"
	citeUnknown    = "RFC 5280, 6.3"
	citeCRL        = "RFC 5280, 6.3.3"
	citeOCSP       = "RFC 6960, 3.2"
	citeRevoked    = "63-ФЗ, ст. 14; RFC 5280, 6.1.3 (a)(3)"
)

// finding is what one piece of evidence says. Only evidence that was verified makes
// one; what it says may be too old to be good.
type finding struct {
	standing standing
	status   status
	renew    bool // a newer answer may be asked for by now
	used     []Used
}

// standing is what evidence says about a certificate at a moment.
type standing uint8

// From the one that grants most to the one that grants least.
const (
	good standing = iota
	unknown
	onHold
	revoked
)

// status is the entry of a list or of an answer, in one form.
type status struct {
	revoked      bool
	at           time.Time // of revocation
	reason       crl.Reason
	invalidSince time.Time
	this         time.Time
}

// standingAt says what a status means for a moment (63-ФЗ, ст. 14; ETSI EN 319 102-1,
// Section 5.2.6). A certificate that was revoked later was good then, unless the key
// was in other hands already.
//
// Only a list of changes can take an entry back: removeFromCRL anywhere else is
// revocation.
func (s *status) standingAt(at time.Time) standing {
	switch {
	case !s.revoked:
		return good
	case s.at.After(at) && !s.compromisedBefore(at):
		return good
	case s.reason == crl.CertificateHold:
		return onHold
	default:
		return revoked
	}
}

// compromisedBefore reports whether the key was no longer its holder's own at a
// moment, by what the CA found out afterwards.
func (s *status) compromisedBefore(at time.Time) bool {
	switch s.reason {
	case crl.KeyCompromise, crl.CACompromise, crl.AACompromise:
		return !s.invalidSince.IsZero() && !s.invalidSince.After(at)
	default:
		return false
	}
}

// neverIssued reports whether a responder means by «revoked» that the CA never issued
// the certificate (RFC 6960, Section 2.2).
func (s *status) neverIssued() bool {
	return s.revoked && s.reason == crl.CertificateHold && s.at.Equal(time.Unix(0, 0))
}

// check makes the check of a finding that decides.
func (f *finding) check() verdict.Check {
	c := verdict.Check{Name: stepRevocation, Status: verdict.Passed, Cite: citeCRL, Detail: f.describe()}
	if f.used[0].Kind == KindOCSP {
		c.Cite = citeOCSP
	}
	switch f.standing {
	case good:
		if f.status.revoked {
			c.Detail = "revoked later, on " + f.status.at.UTC().Format(time.RFC3339) + "; " + c.Detail
		}
		return c
	case onHold:
		c.Reason = reason.CertOnHold
		if f.status.neverIssued() {
			c.Reason = reason.CertUnknownToIssuer
		}
	default:
		c.Reason = reason.CertRevoked
	}
	c.Status, c.Cite = verdict.Failed, citeRevoked
	c.Detail = "revoked on " + f.status.at.UTC().Format(time.RFC3339) + ", " + f.status.reason.String() + "; " + c.Detail
	if f.status.compromisedBefore(f.status.at) {
		c.Detail += "; key compromised since " + f.status.invalidSince.UTC().Format(time.RFC3339)
	}
	return c
}

// describe names the evidence without anything about a person.
func (f *finding) describe() string {
	kind := "CRL"
	if f.used[0].Kind == KindOCSP {
		kind = "OCSP response"
	}
	return kind + " of " + f.status.this.UTC().Format(time.RFC3339)
}

// statusOf reads the answer of a responder.
func statusOf(s *ocsp.Single) status {
	return status{
		revoked: s.Status == ocsp.Revoked, at: s.RevokedAt, reason: s.Reason,
		invalidSince: s.InvalidSince, this: s.ThisUpdate,
	}
}

// statusIn reads what lists say. Of several, each for some reasons, the list that
// decided is the oldest, and the answer is of its time; a delta list makes it newer.
func statusIn(a crl.Answer) status {
	return status{
		revoked: a.Listed, at: a.Entry.RevokedAt, reason: a.Entry.Reason,
		invalidSince: a.Entry.InvalidSince, this: a.List.ThisUpdate(),
	}
}

// decide returns the finding that all of them together amount to: revocation for ever
// before everything, then a suspension that nothing newer lifted, then the newest
// good one; nil if there is none. Once revoked is never un-revoked.
func decide(all []*finding) *finding {
	var last, hold, fine *finding
	for _, f := range all {
		switch f.standing {
		case revoked:
			last = f
		case onHold:
			hold = newer(hold, f)
		case good:
			fine = newer(fine, f)
		}
	}
	switch {
	case last != nil:
		return last
	case hold != nil && (fine == nil || !fine.status.this.After(hold.status.this)):
		return hold
	default:
		return fine
	}
}

// newer returns the finding with the later thisUpdate; the first may be nil.
func newer(a, b *finding) *finding {
	if a != nil && !b.status.this.After(a.status.this) {
		return a
	}
	return b
}
