package crl

import (
	"slices"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// stepRevocation is the name of the check.
const stepRevocation = "revocation"

// Revocation says whether cert, issued by issuer, was revoked at the moment at
// (RFC 5280, Section 6.3.3): Passed, it was not; Failed with reason.CertRevoked or
// reason.CertOnHold; Indeterminate with reason.RevocationUnknown, RevocationStale or
// RevocationUnusable.
//
// The newest list that can be relied upon decides; one for some reasons only decides
// about those. What a newer one had revoked before it expired stays revoked. The issuer
// must have been validated before.
func (c Checker) Revocation(cert, issuer *gostx509.Certificate, at time.Time) verdict.Check {
	return c.Answer(cert, issuer, at).Check
}

// Answer is what lists say about one certificate, and which of them. The zero
// value grants nothing.
type Answer struct {
	// Check is what Checker.Revocation returns.
	Check verdict.Check
	// List is the list that decided, nil if Check is Indeterminate. Where a delta
	// list brings a complete one up to date it is the delta list.
	List *List
	// Others are the other lists that the answer rests on: the complete list of a
	// delta list, and lists for some reasons only.
	Others []*List
	// Signer is the certificate that List verifies with: the issuer, or one of
	// Checker.Authorities.
	Signer *gostx509.Certificate
	// Entry is that of the certificate; it means something only if Listed is true.
	// A suspension that was lifted is not listed.
	Entry  Entry
	Listed bool
}

// Answer is Revocation together with what the answer rests on.
func (c Checker) Answer(cert, issuer *gostx509.Certificate, at time.Time) Answer {
	unknown := verdict.Check{
		Name: stepRevocation, Status: verdict.Indeterminate,
		Reason: reason.RevocationUnknown, Cite: "RFC 5280, 6.3",
	}
	if c.Set == nil || cert == nil || issuer == nil {
		return Answer{Check: unknown}
	}
	q := question{Checker: c, cert: cert, issuer: issuer, at: at}
	var known ReasonSet
	var earlier Answer // about other reasons
	var expired []combined
	for _, candidate := range q.candidates() {
		reasons, err := q.reliable(&candidate)
		if err != nil {
			if reason.Of(err) == reason.RevocationStale {
				expired = append(expired, candidate)
			}
			// The newest list tells best what is missing.
			if code := reason.Of(err); unknown.Reason == reason.RevocationUnknown {
				unknown.Reason, unknown.Detail = code, err.Error()
			}
			continue
		}
		if known.Covers(reasons) {
			continue // RFC 5280, 6.3.3 (e)
		}
		a := q.judge(candidate)
		a.join(&earlier)
		known |= reasons
		if a.Check.Status == verdict.Failed {
			return a
		}
		if known == AllReasons {
			return q.recall(a, expired)
		}
		earlier = a
	}
	if known != 0 {
		unknown.Reason = reason.RevocationUnknown
		unknown.Detail = "crl: no list says whether it was revoked for " + (AllReasons &^ known).String()
	}
	return Answer{Check: unknown}
}

// recall returns a, which grants, unless a newer list has revoked the certificate and
// then expired: an older list that is in force longer does not make it good again.
func (q *question) recall(a Answer, expired []combined) Answer {
	for _, c := range expired {
		if c.signer == nil || c.latest().future(q.at, q.Policy) || q.Set.checkSignature(q.Run, c.list, c.signer) != nil {
			continue
		}
		if b := q.judge(c); b.Check.Status == verdict.Failed {
			return b
		}
	}
	return a
}

// revokes reports whether a list by itself says that the certificate was revoked by the
// moment.
func (q *question) revokes(l *List) bool {
	e, found := l.LookupOf(q.cert.RawIssuer, q.cert.Serial)
	return found && e.Reason != RemoveFromCRL && !e.RevokedAt.After(q.at)
}

// join adds what lists about other reasons said: not revoked at the moment, or there
// were no question any more.
func (a *Answer) join(earlier *Answer) {
	if earlier.List == nil {
		return
	}
	a.Others = append(append(a.Others, earlier.List), earlier.Others...)
	if earlier.Listed && !a.Listed {
		a.Entry, a.Listed, a.Check.Detail = earlier.Entry, true, earlier.Check.Detail
	}
}

// question is one certificate at one moment.
type question struct {
	Checker
	cert, issuer *gostx509.Certificate
	at           time.Time
	points       []distribution // of the certificate
	pointed      bool           // points were read
}

// combined is a complete list and the delta list that brings it up to date, if there
// is one.
type combined struct {
	list, delta *List
	past        *List                 // a newer delta list that has expired: only what it revokes counts
	signer      *gostx509.Certificate // of both; nil if nobody is known who may sign
}

// latest is the one of both that was issued last.
func (c *combined) latest() *List {
	if c.delta != nil {
		return c.delta
	}
	return c.list
}

// candidates returns the lists that may be about the certificate, the newest first:
// those of its issuer, and those that its distribution points say are of others.
func (q *question) candidates() []combined {
	var all []combined
	updated := false
	add := func(l *List, signer *gostx509.Certificate) {
		c := combined{list: l, signer: signer}
		c.delta, c.past = q.deltasOf(&c)
		updated = updated || c.delta != nil
		all = append(all, c)
	}
	for _, l := range q.Set.byIssuer[string(q.cert.RawIssuer)] {
		add(l, q.issuer)
	}
	own := len(all)
	if q.Set.indirect {
		for _, name := range q.crlIssuers() {
			for _, l := range q.Set.byIssuer[name] {
				if l.scope.Indirect {
					add(l, q.signerOf(l))
				}
			}
		}
	}
	if updated || len(all) > own {
		slices.SortStableFunc(all, func(a, b combined) int { return newestFirst(a.latest(), b.latest()) })
	}
	return all
}

// distributionPoints returns those of the certificate.
func (q *question) distributionPoints() []distribution {
	if !q.pointed {
		q.points, q.pointed = pointsOf(q.cert, gostx509.OIDCRLDistribution), true
	}
	return q.points
}

// crlIssuers returns the names of others that sign lists about the certificate.
func (q *question) crlIssuers() []string {
	var names []string
	for _, p := range q.distributionPoints() {
		for _, name := range p.issuers {
			if name != string(q.cert.RawIssuer) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// signerOf returns the authority that signed the list of another issuer, nil if none
// did.
func (q *question) signerOf(l *List) *gostx509.Certificate {
	if q.Authorities == nil {
		return nil
	}
	for _, c := range q.Authorities(l.rawIssuer) {
		if q.Set.checkSignature(q.Run, l, c) == nil {
			return c
		}
	}
	return nil
}

// deltasOf returns the newest delta list that can be relied upon and fits the complete
// one, and the newest of those that could be if they had not expired, where it is newer:
// RFC 5280, Sections 5.2.4 and 6.3.3 (c).
func (q *question) deltasOf(c *combined) (inForce, past *List) {
	l := c.list
	for _, d := range q.Set.deltas[string(l.rawIssuer)] {
		fits := d.unusable == nil && l.number != nil &&
			compareNumbers(d.base, l.number) <= 0 && compareNumbers(l.number, d.number) < 0 &&
			d.sameScope(l) && slices.Equal(d.authorityKeyID, l.authorityKeyID)
		if !fits || c.signer == nil || d.future(q.at, q.Policy) || q.Set.checkSignature(q.Run, d, c.signer) != nil {
			continue
		}
		if d.current(q.at, q.Policy) == nil {
			return d, past
		}
		if past == nil {
			past = d
		}
	}
	return nil, past
}

// sameScope reports whether two lists are about the same.
func (l *List) sameScope(other *List) bool {
	a, b := &l.scope, &other.scope
	return a.UserCerts == b.UserCerts && a.CACerts == b.CACerts && a.AttributeCerts == b.AttributeCerts &&
		a.Indirect == b.Indirect && a.Reasons == b.Reasons && slices.Equal(l.names, other.names)
}

// reliable returns the reasons of revocation that a list speaks of, or says why
// nothing can be concluded from it about the certificate.
func (q *question) reliable(c *combined) (ReasonSet, error) {
	if c.list.unusable != nil {
		return 0, reason.New(reason.RevocationUnusable, c.list.unusable)
	}
	reasons, err := q.covered(c.list)
	if err != nil {
		return 0, err
	}
	if err := c.latest().current(q.at, q.Policy); err != nil {
		return 0, err
	}
	if c.signer == nil {
		return 0, reason.Errorf(reason.RevocationUnusable, "crl: the list is of another issuer, which nobody vouches for")
	}
	if err := q.complete(c); err != nil {
		return 0, err
	}
	if err := q.Set.checkSignature(q.Run, c.list, c.signer); sigalg.EngineFailed(err) {
		return 0, err
	} else if err != nil {
		return 0, reason.New(reason.RevocationUnusable, err)
	}
	return reasons, nil
}

// covered returns the reasons for which the certificate is in the scope of the list:
// RFC 5280, Section 6.3.3 (b), (d).
func (q *question) covered(l *List) (ReasonSet, error) {
	s := &l.scope
	if s.UserCerts && q.cert.IsCA || s.CACerts && !q.cert.IsCA || s.AttributeCerts {
		return 0, reason.Errorf(reason.RevocationUnknown, "crl: the list is for certificates of another kind")
	}
	own := string(l.rawIssuer) == string(q.cert.RawIssuer)
	if own && len(l.names) == 0 {
		return s.reasons(), nil
	}
	var reasons ReasonSet
	for _, p := range q.distributionPoints() {
		if !p.leadsTo(l, own) {
			continue
		}
		if p.reasons == 0 {
			reasons |= s.reasons()
		} else {
			reasons |= s.reasons() & p.reasons
		}
	}
	if reasons == 0 {
		return 0, reason.Errorf(reason.RevocationUnknown, "crl: the list is of another distribution point")
	}
	return reasons, nil
}

// leadsTo reports whether a distribution point is that of the list. own says that the
// list is of the certificate's own issuer.
func (p *distribution) leadsTo(l *List, own bool) bool {
	if len(p.issuers) == 0 && !own || len(p.issuers) > 0 && !slices.Contains(p.issuers, string(l.rawIssuer)) {
		return false
	}
	if len(l.names) == 0 {
		return true
	}
	names := p.names
	if len(names) == 0 {
		for _, issuer := range p.issuers {
			names = append(names, generalName{tagDirectory, issuer})
		}
	}
	return slices.ContainsFunc(l.names, func(n generalName) bool { return n.value != "" && slices.Contains(names, n) })
}

// future reports whether the list was issued later than now, by more than clocks differ.
func (l *List) future(at time.Time, p Policy) bool {
	now := p.Now
	if now.IsZero() {
		now = at
	}
	return l.thisUpdate.After(now.Add(ClockSkew))
}

// current reports whether the list speaks about a moment: it was issued after it,
// or was in force at it.
func (l *List) current(at time.Time, p Policy) error {
	if l.future(at, p) {
		return reason.Errorf(reason.RevocationStale, "crl: the list was issued in the future, on %s", l.thisUpdate.Format(time.RFC3339))
	}
	if l.thisUpdate.After(at) {
		return nil
	}
	if l.nextUpdate.IsZero() {
		return reason.Errorf(reason.RevocationStale, "crl: the list does not say when the next one is due")
	}
	if !at.Before(l.nextUpdate.Add(p.Grace)) {
		return reason.Errorf(reason.RevocationStale, "crl: the list expired on %s", l.nextUpdate.Format(time.RFC3339))
	}
	return nil
}

// complete reports whether the absence of the certificate from the list means
// anything: a CA may drop certificates once they have expired (RFC 5280, Section
// 3.3).
func (q *question) complete(c *combined) error {
	if !q.cert.NotAfter.Before(c.latest().thisUpdate) {
		return nil
	}
	if _, found := c.entry(q.cert, q.at); found {
		return nil
	}
	return reason.Errorf(reason.RevocationUnknown, "crl: the list was issued after the certificate expired")
}

// entry finds the entry of the certificate: RFC 5280, Section 6.3.3 (i) to (k). One
// that the delta list takes back counts up to then; only a suspension can be taken back
// (Section 5.3.1), and of anything else the complete list is believed.
func (c *combined) entry(cert *gostx509.Certificate, at time.Time) (Entry, bool) {
	e, listed := c.list.LookupOf(cert.RawIssuer, cert.Serial)
	if c.delta == nil {
		return e, listed
	}
	change, found := c.delta.LookupOf(cert.RawIssuer, cert.Serial)
	switch {
	case found && change.Reason != RemoveFromCRL:
		return change, true
	case found && e.Reason == CertificateHold && !change.RevokedAt.After(at):
		return Entry{}, false
	}
	return e, listed
}

// judge reads the answer out of a reliable list.
func (q *question) judge(c combined) Answer {
	if c.past != nil && q.revokes(c.past) {
		c.delta = c.past
	}
	a := Answer{List: c.latest(), Signer: c.signer}
	a.Check = verdict.Check{Name: stepRevocation, Status: verdict.Passed, Cite: "RFC 5280, 6.3.3"}
	if c.delta != nil {
		a.Others = []*List{c.list}
	}
	if a.Entry, a.Listed = c.entry(q.cert, q.at); !a.Listed {
		return a
	}
	e, check := &a.Entry, &a.Check
	if e.RevokedAt.After(q.at) {
		check.Detail = "revoked later, on " + e.RevokedAt.Format(time.RFC3339)
		return a
	}
	check.Status, check.Reason, check.Cite = verdict.Failed, reason.CertRevoked, "63-ФЗ, ст. 14; RFC 5280, 6.1.3 (a)(3)"
	if e.Reason == CertificateHold {
		check.Reason = reason.CertOnHold
	}
	check.Detail = "revoked on " + e.RevokedAt.Format(time.RFC3339) + ", " + e.Reason.String()
	if !e.InvalidSince.IsZero() {
		check.Detail += ", not to be trusted since " + e.InvalidSince.Format(time.RFC3339)
	}
	return a
}
