package revocation

import (
	"slices"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/internal/country"
	"propusk/pki/ocsp"
	"propusk/pki/path"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

var _ path.Revocation = (*Checker)(nil)

// situation is evidence at hand and what must come of it. The moment asked about is
// now unless at says otherwise.
type situation struct {
	name   string
	lists  []crl.Template
	ocsp   []ocsp.Single
	policy Policy
	at     time.Time
	status verdict.Status
	why    reason.Code
	used   Kind
}

func (s situation) run(t *testing.T, w *world) {
	t.Helper()
	c := &Checker{Policy: s.policy, Now: now}
	if s.lists != nil {
		c.Evidence.CRLs = w.lists(t, s.lists...)
	}
	for _, single := range s.ocsp {
		c.Carried.Responses = append(c.Carried.Responses, w.answered(t, single))
	}
	at := s.at
	if at.IsZero() {
		at = now
	}
	got := c.Revocation(w.holder.Cert, w.FNS.Cert, at)
	if got.Status != s.status || got.Reason != s.why {
		t.Errorf("%v %q (%s), want %v %q", got.Status, got.Reason, got.Detail, s.status, s.why)
	}
	used := c.Used()
	if s.used == "" && len(used) > 0 || s.used != "" && (len(used) == 0 || used[0].Kind != s.used) {
		t.Errorf("rests on %+v, want %q", used, s.used)
	}
	for _, u := range used {
		if u.SHA256 == [32]byte{} || u.ThisUpdate.IsZero() || u.Signer == nil || u.Issuer != w.FNS.Cert {
			t.Errorf("%+v", u)
		}
	}
}

func TestAtHand(t *testing.T) {
	w := newWorld(t)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	gone := w.entry(ago(2*time.Hour), crl.Superseded, time.Time{})
	held := w.entry(ago(2*time.Hour), crl.CertificateHold, time.Time{})
	day := 24 * time.Hour
	stale := func(entries ...crl.Entry) crl.Template {
		return crl.Template{Number: 1, ThisUpdate: ago(2 * day), NextUpdate: ago(day), Entries: entries}
	}
	const pass, fail, open = verdict.Passed, verdict.Failed, verdict.Indeterminate
	for _, s := range []situation{
		{name: "nothing at hand", status: open, why: reason.RevocationUnknown},
		{name: "list", lists: []crl.Template{inForce()}, status: pass, used: KindCRL},
		{name: "answer", ocsp: []ocsp.Single{fine(now)}, status: pass, used: KindOCSP},
		{name: "answer without next update", ocsp: []ocsp.Single{{Status: ocsp.Good, ThisUpdate: ago(DefaultMaxAge - time.Second)}}, status: pass, used: KindOCSP},
		{name: "old answer without next update", ocsp: []ocsp.Single{{Status: ocsp.Good, ThisUpdate: ago(DefaultMaxAge)}}, status: open, why: reason.RevocationStale},
		{name: "old answer without next update within the grace", ocsp: []ocsp.Single{{Status: ocsp.Good, ThisUpdate: ago(DefaultMaxAge)}}, policy: Policy{Grace: time.Second}, status: pass, used: KindOCSP},
		{name: "both, by default the list", lists: []crl.Template{inForce()}, ocsp: []ocsp.Single{fine(now)}, status: pass, used: KindCRL},
		{name: "both, responder first", lists: []crl.Template{inForce()}, ocsp: []ocsp.Single{fine(now)}, policy: Policy{Order: OCSPFirst}, status: pass, used: KindOCSP},
		{name: "expired list", lists: []crl.Template{stale()}, status: open, why: reason.RevocationStale},
		{name: "expired list within the grace", lists: []crl.Template{stale()}, policy: Policy{Grace: 25 * time.Hour}, status: pass, used: KindCRL},
		{name: "expired answer", ocsp: []ocsp.Single{fine(ago(time.Hour))}, status: open, why: reason.RevocationStale},
		{name: "expired answer within the grace", ocsp: []ocsp.Single{fine(ago(time.Hour))}, policy: Policy{Grace: time.Second}, status: pass, used: KindOCSP},
		{name: "answer of the future", ocsp: []ocsp.Single{fine(now.Add(crl.ClockSkew + time.Second))}, status: open, why: reason.RevocationStale},
		{name: "revoking answer of the future", ocsp: []ocsp.Single{bad(now.Add(crl.ClockSkew+time.Second), crl.Superseded)}, status: open, why: reason.RevocationStale},
		{name: "unknown to the responder", ocsp: []ocsp.Single{{Status: ocsp.Unknown, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}, status: open, why: reason.CertUnknownToIssuer},
		{name: "unknown to the responder, not in the list", lists: []crl.Template{inForce()}, ocsp: []ocsp.Single{{Status: ocsp.Unknown, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}, status: pass, used: KindCRL},
		{name: "never issued", ocsp: []ocsp.Single{{Status: ocsp.Revoked, RevokedAt: time.Unix(0, 0), Reason: crl.CertificateHold, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}, status: fail, why: reason.CertUnknownToIssuer, used: KindOCSP},

		{name: "revoked by the list", lists: []crl.Template{inForce(gone)}, status: fail, why: reason.CertRevoked, used: KindCRL},
		{name: "revoked by the responder", ocsp: []ocsp.Single{bad(now, crl.KeyCompromise)}, status: fail, why: reason.CertRevoked, used: KindOCSP},
		{name: "revoked by the list, newer answer good", lists: []crl.Template{inForce(gone)}, ocsp: []ocsp.Single{fine(now)}, status: fail, why: reason.CertRevoked, used: KindCRL},
		{name: "revoked by an answer, list good", lists: []crl.Template{inForce()}, ocsp: []ocsp.Single{bad(ago(30*time.Minute), crl.Unspecified)}, status: fail, why: reason.CertRevoked, used: KindOCSP},
		{name: "revoked by an old answer, new one good", ocsp: []ocsp.Single{bad(ago(day), crl.Superseded), fine(now)}, status: fail, why: reason.CertRevoked, used: KindOCSP},
		{name: "revoked by an expired list", lists: []crl.Template{stale(w.entry(ago(3*day), crl.CessationOfOperation, time.Time{}))}, status: fail, why: reason.CertRevoked, used: KindCRL},
		{name: "revoked by an expired list, answer good", lists: []crl.Template{stale(w.entry(ago(3*day), crl.Superseded, time.Time{}))}, ocsp: []ocsp.Single{fine(now)}, status: fail, why: reason.CertRevoked, used: KindCRL},
		{name: "removed, but not in a list of changes", lists: []crl.Template{inForce(w.entry(ago(day), crl.RemoveFromCRL, time.Time{}))}, status: fail, why: reason.CertRevoked, used: KindCRL},
		{name: "removed, says a responder", ocsp: []ocsp.Single{bad(now, crl.RemoveFromCRL)}, status: fail, why: reason.CertRevoked, used: KindOCSP},

		{name: "on hold", lists: []crl.Template{inForce(held)}, status: fail, why: reason.CertOnHold, used: KindCRL},
		{name: "on hold by an expired list", lists: []crl.Template{stale(held)}, status: open, why: reason.RevocationStale},
		{name: "on hold by an expired answer", ocsp: []ocsp.Single{bad(ago(2*time.Hour), crl.CertificateHold)}, status: open, why: reason.RevocationStale},
		{name: "on hold, released by a newer answer", lists: []crl.Template{inForce(held)}, ocsp: []ocsp.Single{fine(now)}, status: pass, used: KindOCSP},
		{name: "on hold, released by a newer list", lists: []crl.Template{inForce()}, ocsp: []ocsp.Single{bad(ago(61*time.Minute), crl.CertificateHold)}, policy: Policy{Grace: time.Hour}, status: pass, used: KindCRL},
		{name: "on hold since the good answer", lists: []crl.Template{inForce(held)}, ocsp: []ocsp.Single{fine(ago(time.Hour + time.Second))}, policy: Policy{Grace: time.Hour}, status: fail, why: reason.CertOnHold, used: KindCRL},
		{name: "on hold and good at once", lists: []crl.Template{inForce(held)}, ocsp: []ocsp.Single{fine(ago(time.Hour))}, policy: Policy{Grace: time.Hour}, status: fail, why: reason.CertOnHold, used: KindCRL},
		{name: "on hold, lifted by a list of changes", lists: []crl.Template{inForce(held), changes(w.entry(ago(time.Minute), crl.RemoveFromCRL, time.Time{}))}, status: pass, used: KindCRL},
		{name: "revoked by a list of changes", lists: []crl.Template{inForce(), changes(w.entry(ago(time.Minute), crl.Superseded, time.Time{}))}, status: fail, why: reason.CertRevoked, used: KindCRL},
		{name: "on hold by an answer, lifted by a newer list of changes", lists: []crl.Template{inForce(), changes()}, ocsp: []ocsp.Single{bad(ago(40*time.Minute), crl.CertificateHold)}, status: pass, used: KindCRL},
		{name: "held, released, held again", ocsp: []ocsp.Single{bad(ago(50*time.Minute), crl.CertificateHold), fine(ago(40 * time.Minute)), bad(ago(30*time.Minute), crl.CertificateHold)}, status: fail, why: reason.CertOnHold, used: KindOCSP},
		{name: "held, released, held again, in another order", ocsp: []ocsp.Single{bad(ago(30*time.Minute), crl.CertificateHold), fine(ago(40 * time.Minute)), bad(ago(50*time.Minute), crl.CertificateHold)}, status: fail, why: reason.CertOnHold, used: KindOCSP},
		{name: "good, held, released", ocsp: []ocsp.Single{fine(ago(50 * time.Minute)), bad(ago(40*time.Minute), crl.CertificateHold), fine(ago(30 * time.Minute))}, status: pass, used: KindOCSP},
		{name: "good, held, released, in another order", ocsp: []ocsp.Single{fine(ago(30 * time.Minute)), bad(ago(40*time.Minute), crl.CertificateHold), fine(ago(50 * time.Minute))}, status: pass, used: KindOCSP},
		{name: "on hold, a newer list is about other reasons", lists: []crl.Template{
			{Number: 1, ThisUpdate: ago(50 * time.Minute), NextUpdate: now.Add(time.Hour), Scope: crl.Scope{Reasons: crl.Reasons(crl.CertificateHold)}},
			{Number: 2, ThisUpdate: ago(time.Minute), NextUpdate: now.Add(time.Hour), Scope: crl.Scope{Reasons: crl.AllReasons &^ crl.Reasons(crl.CertificateHold)}},
		}, ocsp: []ocsp.Single{bad(ago(40*time.Minute), crl.CertificateHold)}, status: fail, why: reason.CertOnHold, used: KindOCSP},
		{name: "on hold, then revoked", lists: []crl.Template{inForce(held)}, ocsp: []ocsp.Single{bad(now, crl.Superseded)}, status: fail, why: reason.CertRevoked, used: KindOCSP},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, w) })
	}
}

// changes is a list of changes to inForce, half an hour old.
func changes(entries ...crl.Entry) crl.Template {
	return crl.Template{Number: 2, Base: 1, ThisUpdate: now.Add(-30 * time.Minute), NextUpdate: now.Add(time.Hour), Entries: entries}
}

// TestPast asks about a moment in the past, two days ago, with evidence of today.
func TestPast(t *testing.T) {
	w := newWorld(t)
	at := now.AddDate(0, 0, -2)
	later, before := at.Add(time.Hour), at.Add(-time.Hour)
	single := func(r crl.Reason, since time.Time) []ocsp.Single {
		return []ocsp.Single{{Status: ocsp.Revoked, RevokedAt: later, Reason: r, InvalidSince: since, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}
	}
	list := func(r crl.Reason, since time.Time) []crl.Template {
		return []crl.Template{inForce(w.entry(later, r, since))}
	}
	const pass, fail, open = verdict.Passed, verdict.Failed, verdict.Indeterminate
	none := time.Time{}
	for _, s := range []situation{
		{name: "known later", ocsp: []ocsp.Single{fine(now)}, status: pass, used: KindOCSP},
		{name: "in force then, expired now", ocsp: []ocsp.Single{fine(at.Add(-time.Minute))}, status: pass, used: KindOCSP},
		{name: "expired then", ocsp: []ocsp.Single{fine(at.Add(-time.Hour))}, status: open, why: reason.RevocationStale},
		{name: "revoked later", ocsp: single(crl.Superseded, none), status: pass, used: KindOCSP},
		{name: "revoked later, by the list", lists: list(crl.Superseded, none), status: pass, used: KindCRL},
		{name: "key compromised later", ocsp: single(crl.KeyCompromise, later), status: pass, used: KindOCSP},
		{name: "key compromised, nobody knows when", ocsp: single(crl.KeyCompromise, none), status: pass, used: KindOCSP},
		{name: "key compromised before", ocsp: single(crl.KeyCompromise, before), status: fail, why: reason.CertRevoked, used: KindOCSP},
		{name: "key compromised just then", ocsp: single(crl.KeyCompromise, at), status: fail, why: reason.CertRevoked, used: KindOCSP},
		{name: "key of the CA compromised before", ocsp: single(crl.CACompromise, before), status: fail, why: reason.CertRevoked, used: KindOCSP},
		{name: "key compromised before, by the list", lists: list(crl.KeyCompromise, before), status: fail, why: reason.CertRevoked, used: KindCRL},
		{name: "attribute authority compromised before", ocsp: single(crl.AACompromise, before), status: fail, why: reason.CertRevoked, used: KindOCSP},
		{name: "superseded, invalid before", ocsp: single(crl.Superseded, before), status: pass, used: KindOCSP},
		{name: "revoked before", ocsp: []ocsp.Single{{Status: ocsp.Revoked, RevokedAt: before, ThisUpdate: now}}, status: fail, why: reason.CertRevoked, used: KindOCSP},
	} {
		s.at = at
		t.Run(s.name, func(t *testing.T) { s.run(t, w) })
	}
}

// TestExpiredCertificate: a responder may forget a certificate once it has expired.
func TestExpiredCertificate(t *testing.T) {
	w := newWorld(t)
	template := country.Entrepreneur()
	template.NotAfter = now.AddDate(0, 0, -1)
	w.holder = w.Person(t, w.FNS, gost3410.TC26256A(), template)
	at := now.AddDate(0, 0, -2)
	cutoff := func(c time.Time) []ocsp.Single {
		s := fine(now)
		s.ArchiveCutoff = c
		return []ocsp.Single{s}
	}
	revoked := []ocsp.Single{{Status: ocsp.Revoked, RevokedAt: at.Add(-time.Hour), ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}
	for _, s := range []situation{
		{name: "good", ocsp: []ocsp.Single{fine(now)}, status: verdict.Indeterminate, why: reason.RevocationUnknown},
		{name: "good, archive reaches back", ocsp: cutoff(template.NotAfter), status: verdict.Passed, used: KindOCSP},
		{name: "good, archive does not reach back", ocsp: cutoff(template.NotAfter.Add(time.Second)), status: verdict.Indeterminate, why: reason.RevocationUnknown},
		{name: "revoked", ocsp: revoked, status: verdict.Failed, why: reason.CertRevoked, used: KindOCSP},
	} {
		s.at = at
		t.Run(s.name, func(t *testing.T) { s.run(t, w) })
	}
}

// TestWrongEvidence: evidence that is not what it should be makes nothing good, and
// nothing revoked either: about somebody else, or signed by whoever is at hand.
func TestWrongEvidence(t *testing.T) {
	w := newWorld(t)
	other := w.Person(t, w.FNS, gost3410.TC26256A(), country.Entrepreneur())
	stranger := w.Person(t, w.Lost, gost3410.TC26256A(), responder(true))
	otherID, err := ocsp.NewID(ocsp.OIDSHA1, other.Cert, w.FNS.Cert)
	if err != nil {
		t.Fatal(err)
	}
	sameNumber, err := ocsp.NewID(ocsp.OIDSHA1, w.holder.Cert, w.Lost.Cert)
	if err != nil {
		t.Fatal(err)
	}
	named := func(s ocsp.Single, id ocsp.ID) ocsp.Single { s.ID = id; return s }
	critical := w.answered(t, fine(now))
	critical.Unusable = reason.OCSPUnsupported
	forged := w.lists(t, inForce())
	spoilt := w.answered(t, fine(now))
	spoilt.Singles[0].Unusable = reason.OCSPUnsupported
	early := w.answered(t, fine(now))
	early.ProducedAt = now.Add(-crl.ClockSkew - time.Second)
	late := w.answered(t, fine(now))
	late.ProducedAt = now.Add(crl.ClockSkew + time.Second)
	ahead := w.answered(t, fine(now.Add(crl.ClockSkew+time.Second)))
	ahead.ProducedAt = now.Add(crl.ClockSkew)
	for _, c := range []struct {
		name string
		give Evidence
		why  reason.Code
	}{
		{"about another certificate", Evidence{Responses: []*ocsp.Response{w.answered(t, named(fine(now), otherID))}}, reason.RevocationUnknown},
		{"about that number of another issuer", Evidence{Responses: []*ocsp.Response{w.answered(t, named(fine(now), sameNumber))}}, reason.RevocationUnknown},
		{"signed for another CA", Evidence{Responses: []*ocsp.Response{w.signed(t, fine(now), stranger)}}, reason.RevocationUnusable},
		{"signed by another holder", Evidence{Responses: []*ocsp.Response{w.signed(t, fine(now), other)}}, reason.RevocationUnusable},
		{"signed by the holder himself", Evidence{Responses: []*ocsp.Response{w.signed(t, fine(now), w.holder)}}, reason.RevocationUnusable},
		{"revoked, signed by another holder", Evidence{Responses: []*ocsp.Response{w.signed(t, bad(now, crl.KeyCompromise), other)}}, reason.RevocationUnusable},
		{"signed by the root", Evidence{Responses: []*ocsp.Response{w.signed(t, fine(now), country.Holder{Cert: w.Root.Cert, Key: w.Root.Key})}}, reason.RevocationUnusable},
		{"critical extension", Evidence{Responses: []*ocsp.Response{critical}}, reason.RevocationUnusable},
		{"critical extension of the answer", Evidence{Responses: []*ocsp.Response{spoilt}}, reason.RevocationUnusable},
		{"made before it was known", Evidence{Responses: []*ocsp.Response{early}}, reason.RevocationUnusable},
		{"made in the future", Evidence{Responses: []*ocsp.Response{late}}, reason.RevocationStale},
		{"known in the future, made before", Evidence{Responses: []*ocsp.Response{ahead}}, reason.RevocationStale},
		{"nothing where a response should be", Evidence{Responses: []*ocsp.Response{nil}}, reason.RevocationUnknown},
		{"list of another CA", Evidence{CRLs: crl.NewSet(w.Lost.CRL)}, reason.RevocationUnknown},
		{"empty set", Evidence{CRLs: crl.NewSet()}, reason.RevocationUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, checker := range []*Checker{{Evidence: c.give}, {Carried: c.give}} {
				got := checker.Revocation(w.holder.Cert, w.FNS.Cert, now)
				if got.Status != verdict.Indeterminate || got.Reason != c.why || len(checker.Used()) > 0 {
					t.Errorf("%v %q (%s), want %q", got.Status, got.Reason, got.Detail, c.why)
				}
			}
		})
	}
	// A CA of the same name with another key signed the list.
	twin := w.Authority(t, w.Root, "УЦ налоговой службы Вымышленный", "1047707030513", "7707329152")
	c := &Checker{Evidence: Evidence{CRLs: forged}}
	if got := c.Revocation(w.holder.Cert, twin.Cert, now); got.Status != verdict.Indeterminate {
		t.Errorf("%v %q", got.Status, got.Reason)
	}
	for _, got := range []verdict.Check{
		c.Revocation(nil, w.FNS.Cert, now), c.Revocation(w.holder.Cert, nil, now), c.Revocation(w.holder.Cert, w.FNS.Cert, time.Time{}),
		new(Checker).Revocation(w.holder.Cert, w.FNS.Cert, now),
	} {
		if got.Status != verdict.Indeterminate || got.Reason != reason.RevocationUnknown {
			t.Errorf("%+v", got)
		}
	}
}

// TestResponderRevocation: a responder without id-pkix-ocsp-nocheck must itself be in
// good standing, by a list.
func TestResponderRevocation(t *testing.T) {
	w := newWorld(t)
	by := w.Person(t, w.FNS, gost3410.TC26256A(), responder(false))
	gone := crl.Entry{Serial: by.Cert.Serial, RevokedAt: now.AddDate(0, 0, -1), Reason: crl.KeyCompromise}
	for _, c := range []struct {
		name     string
		evidence Evidence
		status   verdict.Status
		why      reason.Code
	}{
		{"no list", Evidence{}, verdict.Indeterminate, reason.RevocationUnusable},
		{"expired list", Evidence{CRLs: w.lists(t, crl.Template{ThisUpdate: now.AddDate(0, 0, -3), NextUpdate: now.AddDate(0, 0, -2)})}, verdict.Indeterminate, reason.RevocationUnusable},
		{"in good standing", Evidence{CRLs: w.lists(t, inForce())}, verdict.Passed, ""},
		{"revoked", Evidence{CRLs: w.lists(t, inForce(gone))}, verdict.Indeterminate, reason.RevocationUnusable},
		{"an answer about the responder by itself", Evidence{Responses: []*ocsp.Response{w.selfSigned(t, by)}}, verdict.Indeterminate, reason.RevocationUnusable},
	} {
		t.Run(c.name, func(t *testing.T) {
			checker := &Checker{Evidence: c.evidence, Policy: Policy{Order: OCSPFirst}}
			checker.Carried.Responses = []*ocsp.Response{w.signed(t, fine(now), by)}
			got := checker.Revocation(w.holder.Cert, w.FNS.Cert, now)
			if c.name == "revoked" { // the list itself says good about the holder
				c.status, c.why = verdict.Passed, ""
			}
			if got.Status != c.status || got.Reason != c.why {
				t.Fatalf("%v %q (%s), want %v %q", got.Status, got.Reason, got.Detail, c.status, c.why)
			}
			wantUsed := map[string]int{"in good standing": 2, "revoked": 1}[c.name]
			if len(checker.Used()) != wantUsed {
				t.Errorf("rests on %+v", checker.Used())
			}
		})
	}
}

// selfSigned is an answer of a responder about itself.
func (w *world) selfSigned(t *testing.T, by country.Holder) *ocsp.Response {
	id, err := ocsp.NewID(ocsp.OIDSHA1, by.Cert, w.FNS.Cert)
	if err != nil {
		t.Fatal(err)
	}
	s := fine(now)
	s.ID = id
	return w.signed(t, s, by)
}

// TestProvenResponder: the certificate of a responder may end once its answer is
// proven to have existed.
func TestProvenResponder(t *testing.T) {
	w := newWorld(t)
	response := w.answered(t, fine(now))
	later := now.AddDate(2, 0, 0)
	for _, c := range []struct {
		proven time.Time
		want   verdict.Status
	}{{time.Time{}, verdict.Indeterminate}, {now.Add(time.Minute), verdict.Passed}, {later, verdict.Indeterminate}} {
		checker := &Checker{Now: later, Carried: Evidence{
			Responses: []*ocsp.Response{response},
			ProvenAt:  func(*ocsp.Response) time.Time { return c.proven },
		}}
		if got := checker.Revocation(w.holder.Cert, w.FNS.Cert, now.Add(time.Minute)); got.Status != c.want {
			t.Errorf("proven at %v: %v %q (%s)", c.proven, got.Status, got.Reason, got.Detail)
		}
	}
}

// TestManyResponses: of responses about one certificate no more than some are looked
// at, so that a signature that brings hundreds costs no more; those of the trust data
// do not count with them.
func TestManyResponses(t *testing.T) {
	w := newWorld(t)
	forged := w.signed(t, fine(now), w.holder)
	other := w.Person(t, w.FNS, gost3410.TC26256A(), country.Entrepreneur())
	elsewhere := fine(now)
	var err error
	if elsewhere.ID, err = ocsp.NewID(ocsp.OIDSHA1, other.Cert, w.FNS.Cert); err != nil {
		t.Fatal(err)
	}
	junk := slices.Repeat([]*ocsp.Response{w.answered(t, elsewhere), nil}, maxResponses) // not about the holder
	for range maxResponses - 1 {
		junk = append(junk, forged)
	}
	good := w.answered(t, fine(now))
	full := append(slices.Clone(junk), forged)
	for name, c := range map[string]struct {
		checker *Checker
		want    verdict.Status
	}{
		"the last that is looked at":      {&Checker{Carried: Evidence{Responses: append(slices.Clone(junk), good)}}, verdict.Passed},
		"one too many":                    {&Checker{Carried: Evidence{Responses: append(slices.Clone(full), good)}}, verdict.Indeterminate},
		"the trust data are another heap": {&Checker{Evidence: Evidence{Responses: full}, Carried: Evidence{Responses: []*ocsp.Response{good}}}, verdict.Passed},
	} {
		if got := c.checker.Revocation(w.holder.Cert, w.FNS.Cert, now); got.Status != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestResponderRevokedSince: a responder that was revoked between the moment asked about
// and the one at which its answer is known to have existed may have lost its key.
func TestResponderRevokedSince(t *testing.T) {
	w := newWorld(t)
	by := w.Person(t, w.FNS, gost3410.TC26256A(), responder(false))
	gone := crl.Entry{Serial: by.Cert.Serial, RevokedAt: now.Add(-time.Hour), Reason: crl.Superseded}
	// The list says good about the holder: what tells is which evidence counts.
	carried := Evidence{CRLs: w.lists(t, inForce(gone)), Responses: []*ocsp.Response{w.signed(t, fine(now.Add(-2*time.Hour)), by)}}
	for proven, want := range map[time.Time]Kind{{}: KindCRL, now.Add(-90 * time.Minute): KindOCSP, now.Add(-time.Minute): KindCRL} {
		carried.ProvenAt = func(*ocsp.Response) time.Time { return proven }
		c := &Checker{Carried: carried, Policy: Policy{Order: OCSPFirst}, Now: now}
		got := c.Revocation(w.holder.Cert, w.FNS.Cert, now.Add(-3*time.Hour))
		if used := c.Used(); got.Status != verdict.Passed || len(used) == 0 || used[0].Kind != want {
			t.Errorf("proven at %v: %+v rests on %+v, want %s", proven, got, used, want)
		}
	}
}
