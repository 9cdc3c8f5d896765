package revocation

import (
	"context"
	"slices"
	"sync"
	"time"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// Checker answers from evidence under a policy; it implements path.Revocation. The
// zero value knows nothing. It is made for one verdict and is safe for concurrent use;
// its fields do not change once it is asked.
type Checker struct {
	// Evidence is that of the trust data.
	Evidence Evidence
	// Carried is what came with the thing that is judged.
	Carried Evidence
	Policy  Policy
	// Online asks servers for what is not at hand; nil means that none is asked.
	Online *Online
	// Now is when the judgement is made. Zero means the moment asked about.
	Now time.Time
	// Context ends asking servers; nil is context.Background.
	Context context.Context
	// Shared is the time that asking takes together with other Checkers of the same
	// verdict; nil is a Budget for this one alone.
	Shared *Budget
	// Authorities returns the certificates of a name that may sign lists about
	// certificates of other issuers, validated at a moment: see crl.Checker. With
	// nil there are none.
	Authorities func(rawName []byte, at time.Time) []*gostx509.Certificate
	// Run computes the signatures of evidence; nil is this program. Where it could not
	// decide, the evidence is not used.
	Run *sigalg.Run

	own  Budget
	mu   sync.Mutex
	used []Used
}

// Budget is the time that asking servers takes for one verdict. It begins to run with
// the first question. The zero value is ready; it is safe for concurrent use.
type Budget struct {
	once     sync.Once
	deadline time.Time
}

// until returns when the time is over.
func (b *Budget) until(length time.Duration) time.Time {
	b.once.Do(func() { b.deadline = time.Now().Add(length) })
	return b.deadline
}

// question is one certificate at one moment.
type question struct {
	cert, issuer *gostx509.Certificate
	at, now      time.Time
	policy       effective
	ctx          context.Context // of asking servers; nil means the budget of the verdict
}

// Revocation says whether cert, issued by issuer, was revoked at the moment at:
// Passed, it was not; Failed with reason.CertRevoked, CertOnHold or, for one that was
// never issued, CertUnknownToIssuer; Indeterminate with reason.RevocationUnknown,
// RevocationStale, RevocationUnusable, RevocationUnreachable or CertUnknownToIssuer, or
// that of Run if it could not decide. The issuer must have been validated before.
//
// All evidence at hand is looked at first: revoked by any of it is revoked. Then, in
// the order of the policy, the first kind of evidence that has an answer, at hand or
// from a server, decides. What came along and is of before the moment, or is
// remembered and due, does not keep servers from being asked; it counts when they give
// nothing.
func (c *Checker) Revocation(cert, issuer *gostx509.Certificate, at time.Time) verdict.Check {
	if cert == nil || issuer == nil || at.IsZero() {
		return verdict.Check{Name: stepRevocation, Status: verdict.Indeterminate, Reason: reason.RevocationUnknown, Cite: citeUnknown}
	}
	q := question{cert: cert, issuer: issuer, at: at, now: c.Now, policy: c.Policy.forIssuer(issuer)}
	if q.now.IsZero() {
		q.now = at
	}
	var why doubt
	found := c.atHand(&q, &why)
	if f := decide(found); f != nil && f.standing != good {
		return c.conclude(f)
	}
	for _, kind := range q.policy.kinds() {
		if !settled(kind, found) {
			found = append(found, c.ask(kind, &q, &why)...)
			if f := decide(found); f != nil && f.standing != good {
				return c.conclude(f)
			}
		}
		if settled(kind, found) {
			return c.conclude(newestGood(kind, found))
		}
	}
	for _, kind := range q.policy.kinds() {
		if fine := newestGood(kind, found); fine != nil {
			return c.conclude(fine)
		}
	}
	return why.check()
}

// Used returns the evidence that the answers so far rest on, each piece once.
func (c *Checker) Used() []Used {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Used(nil), c.used...)
}

// conclude makes the answer of a finding and remembers what it rests on.
func (c *Checker) conclude(f *finding) verdict.Check {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range f.used {
		if u := &f.used[i]; !contains(c.used, u) {
			if c.used == nil {
				c.used = make([]Used, 0, 2) // a chain of three
			}
			c.used = append(c.used, *u)
		}
	}
	return f.check()
}

func contains(all []Used, u *Used) bool {
	for i := range all {
		if other := &all[i]; other.SHA256 == u.SHA256 && other.Certificate.Equal(u.Certificate) {
			return true
		}
	}
	return false
}

// settled reports whether some finding of a kind says good and need not be renewed.
func settled(kind Kind, all []*finding) bool {
	return slices.ContainsFunc(all, func(f *finding) bool {
		return f.standing == good && f.used[0].Kind == kind && !f.renew
	})
}

// newestGood returns the newest finding of one kind that says good; nil if there is
// none.
func newestGood(kind Kind, all []*finding) *finding {
	var fine *finding
	for _, f := range all {
		if f.standing == good && f.used[0].Kind == kind {
			fine = newer(fine, f)
		}
	}
	return fine
}

// maxResponses is how many responses about one certificate are looked at, those of the
// trust data and those that came along each. Each costs a signature or more, and a
// signature can carry any number.
const maxResponses = 32

// atHand looks at all evidence that needs no asking, answers of servers to earlier
// questions among it.
func (c *Checker) atHand(q *question, why *doubt) []*finding {
	var found []*finding
	add := func(f *finding, err error) {
		if err != nil {
			why.note(err)
		} else if f != nil {
			found = append(found, f)
		}
	}
	for _, e := range [...]*Evidence{&c.Evidence, &c.Carried} {
		before := len(found)
		if e.CRLs != nil {
			add(c.inLists(e.CRLs, "", q))
		}
		room := maxResponses
		for _, r := range e.Responses {
			if room == 0 {
				break
			}
			f, err := c.inResponse(r, e.provenAt(r), q)
			if f != nil || err != nil {
				room--
			}
			add(f, err)
		}
		if e == &c.Carried {
			c.renewCarried(found[before:], q)
		}
	}
	if c.Online != nil {
		for _, f := range c.Online.remembered(c, q) {
			add(f, nil)
		}
	}
	return found
}

// renewCarried marks what somebody brought along to be asked for again if it is of
// before the moment: he may have chosen it because it is of before a revocation too,
// and it must not keep us from asking.
func (c *Checker) renewCarried(found []*finding, q *question) {
	for _, f := range found {
		f.renew = c.Online != nil && !f.status.this.After(q.at)
	}
}

// provenAt is ProvenAt, which may be nil.
func (e *Evidence) provenAt(r *ocsp.Response) time.Time {
	if e.ProvenAt == nil || r == nil {
		return time.Time{}
	}
	return e.ProvenAt(r)
}

// inLists asks the newest list that can be relied upon. A list that is past its time
// makes nothing good, but whom it revoked for ever stays revoked.
func (c *Checker) inLists(set *crl.Set, source string, q *question) (*finding, error) {
	checker := crl.Checker{Set: set, Run: c.Run, Policy: crl.Policy{Now: q.now, Grace: q.policy.Grace}}
	if c.Authorities != nil {
		checker.Authorities = func(name []byte) []*gostx509.Certificate { return c.Authorities(name, q.at) }
	}
	a := checker.Answer(q.cert, q.issuer, q.at)
	if a.Check.Status == verdict.Indeterminate && a.Check.Reason == reason.RevocationStale {
		checker.Policy.Grace = forever
		if old := checker.Answer(q.cert, q.issuer, q.at); old.Listed && old.Entry.Reason != crl.CertificateHold {
			a = old
		}
	}
	if a.Check.Status == verdict.Indeterminate || a.List == nil {
		if a.Check.Detail == "" {
			return nil, a.Check.Reason
		}
		return nil, reason.Errorf(a.Check.Reason, "%s", a.Check.Detail)
	}
	f := &finding{status: statusIn(a)}
	f.standing = f.status.standingAt(q.at)
	for _, l := range append([]*crl.List{a.List}, a.Others...) {
		f.used = append(f.used, Used{
			Kind: KindCRL, SHA256: l.SHA256(), ThisUpdate: l.ThisUpdate(), NextUpdate: l.NextUpdate(),
			Certificate: q.cert, Issuer: q.issuer, Signer: a.Signer, Source: source,
		})
	}
	return f, nil
}

// forever is a grace that outlasts every list.
const forever = 200 * 365 * 24 * time.Hour

// inResponse reads the answer out of a response: nil without an error if the response
// is not about the certificate at all.
func (c *Checker) inResponse(r *ocsp.Response, proven time.Time, q *question) (*finding, error) {
	if r == nil {
		return nil, nil
	}
	single, about := r.Lookup(q.cert, q.issuer)
	if !about {
		return nil, nil
	}
	if single.Unusable != nil {
		return nil, reason.New(reason.RevocationUnusable, single.Unusable)
	}
	if err := plausible(r, &single, q); err != nil {
		return nil, err
	}
	final := single.Status == ocsp.Revoked && single.Reason != crl.CertificateHold
	if err := current(&single, q); err != nil && !final {
		return nil, err
	}
	if single.Status == ocsp.Unknown {
		return nil, reason.Errorf(reason.CertUnknownToIssuer, "OCSP response of %s: unknown", single.ThisUpdate.UTC().Format(time.RFC3339))
	}
	if proven.IsZero() {
		proven = q.now
	}
	signer, err := r.SignerBy(c.Run, q.issuer, proven)
	switch {
	case sigalg.EngineFailed(err):
		return nil, err
	case err != nil:
		return nil, reason.New(reason.RevocationUnusable, err)
	}
	f := &finding{status: statusOf(&single)}
	f.standing = f.status.standingAt(q.at)
	f.used = []Used{{
		Kind: KindOCSP, SHA256: r.SHA256(), ThisUpdate: single.ThisUpdate, NextUpdate: single.NextUpdate,
		Certificate: q.cert, Issuer: q.issuer, Signer: signer.Certificate, Raw: r.RawBasic,
	}}
	if signer.Delegated && !signer.NoCheck {
		further, err := c.checkSigner(signer.Certificate, proven, q)
		if err != nil {
			return nil, err
		}
		f.used = append(f.used, further...)
	}
	return f, nil
}

// checkSigner asks whether a responder was revoked, by lists only: a responder that
// vouched for itself would say nothing (RFC 6960, Section 4.2.2.2.1).
func (c *Checker) checkSigner(signer *gostx509.Certificate, at time.Time, q *question) ([]Used, error) {
	about := question{cert: signer, issuer: q.issuer, at: at, now: q.now, policy: q.policy}
	var why doubt
	var found []*finding
	for _, e := range []*Evidence{&c.Evidence, &c.Carried} {
		if e.CRLs == nil {
			continue
		}
		f, err := c.inLists(e.CRLs, "", &about)
		if err == nil {
			if found = append(found, f); e == &c.Carried {
				c.renewCarried(found[len(found)-1:], &about)
			}
		}
		why.note(err)
	}
	if f := decide(found); (f == nil || f.standing == good) && !settled(KindCRL, found) {
		found = append(found, c.ask(KindCRL, &about, &why)...)
	}
	f := decide(found)
	switch {
	case f == nil && sigalg.EngineFailed(why.err):
		return nil, why.err
	case f == nil:
		return nil, reason.New(reason.RevocationUnusable, reason.New(reason.OCSPSignerInvalid, why.err))
	case f.standing != good:
		return nil, reason.New(reason.RevocationUnusable, reason.Errorf(reason.OCSPSignerInvalid, "the responder was revoked"))
	}
	return f.used, nil
}

// plausible reports why the dates of an answer cannot be right (RFC 6960, Section
// 3.2 (5)).
func plausible(r *ocsp.Response, s *ocsp.Single, q *question) error {
	latest := q.now.Add(crl.ClockSkew)
	switch {
	case s.ThisUpdate.After(latest), r.ProducedAt.After(latest):
		return reason.Errorf(reason.RevocationStale, "the OCSP response is of the future, %s", s.ThisUpdate.UTC().Format(time.RFC3339))
	case s.ThisUpdate.After(r.ProducedAt.Add(crl.ClockSkew)):
		return reason.Errorf(reason.RevocationUnusable, "the OCSP response was made before what it says was known")
	default:
		return nil
	}
}

// current reports why an answer says nothing about the moment: it is too old for it
// (RFC 6960, Section 3.2 (6)), or was made when the responder may have forgotten the
// certificate (Section 4.4.4).
func current(s *ocsp.Single, q *question) error {
	forgotten := q.cert.NotAfter.Before(s.ThisUpdate) && (s.ArchiveCutoff.IsZero() || s.ArchiveCutoff.After(q.cert.NotAfter))
	switch {
	case forgotten && s.Status != ocsp.Revoked:
		return reason.Errorf(reason.RevocationUnknown, "the OCSP response was made after the certificate expired")
	case s.ThisUpdate.After(q.at):
		return nil
	}
	until := expiry(s, q)
	if !q.at.Before(until) {
		return reason.Errorf(reason.RevocationStale, "the OCSP response expired on %s", until.UTC().Format(time.RFC3339))
	}
	return nil
}

// expiry is the moment from which an answer is not believed any more.
func expiry(s *ocsp.Single, q *question) time.Time {
	if s.NextUpdate.IsZero() {
		return s.ThisUpdate.Add(q.policy.MaxAge + q.policy.Grace)
	}
	return s.NextUpdate.Add(q.policy.Grace)
}

// doubt collects why there is no answer, and keeps what tells the person most.
type doubt struct {
	err error
}

// note records why a piece of evidence gave no answer; nil is no reason.
func (d *doubt) note(err error) {
	if err != nil && (d.err == nil || weight(err) > weight(d.err)) {
		d.err = err
	}
}

// weight orders reasons by how much they tell.
func weight(err error) int {
	switch reason.Of(err) {
	case reason.EngineDisagreement, reason.EngineLost:
		return 5
	case reason.CertUnknownToIssuer:
		return 4
	case reason.RevocationUnusable:
		return 3
	case reason.RevocationStale:
		return 2
	case reason.RevocationUnreachable:
		return 1
	default:
		return 0
	}
}

// check makes the answer that there is none.
func (d *doubt) check() verdict.Check {
	c := verdict.Check{Name: stepRevocation, Status: verdict.Indeterminate, Reason: reason.RevocationUnknown, Cite: citeUnknown}
	if d.err == nil {
		return c
	}
	if weight(d.err) > 0 {
		c.Reason = reason.Of(d.err)
	}
	if _, bare := d.err.(reason.Code); !bare { //nolint:errorlint // a code alone says nothing more
		c.Detail = d.err.Error()
	}
	return c
}
