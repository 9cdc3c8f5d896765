package revocation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// ask asks about the holder now and compares.
func (w *world) ask(t *testing.T, c *Checker, status verdict.Status, why reason.Code, source string) {
	t.Helper()
	at := c.Now
	if at.IsZero() {
		at = now
	}
	got := c.Revocation(w.holder.Cert, w.FNS.Cert, at)
	if got.Status != status || got.Reason != why {
		t.Errorf("%v %q (%s), want %v %q", got.Status, got.Reason, got.Detail, status, why)
	}
	used := c.Used()
	if source == "" && len(used) > 0 || source != "" && (len(used) == 0 || used[0].Source != source) {
		t.Errorf("rests on %+v, want %q", used, source)
	}
}

func TestOrder(t *testing.T) {
	w := newWorld(t)
	w.serve(t, secondResponder, func(*ocsp.Template) {})
	w.publish(t, secondPoint, inForce())
	online := NewOnline(w)

	// The first address of each kind is dead; the order says which kind is asked.
	w.ask(t, &Checker{Online: online}, verdict.Passed, "", secondPoint)
	if w.count(firstPoint) != 1 || w.count(secondPoint) != 1 || w.count(firstResponder) != 0 {
		t.Error("responders were asked although lists come first")
	}
	w.ask(t, &Checker{Online: online, Policy: Policy{Order: OCSPFirst}}, verdict.Passed, "", secondResponder)
	if w.count(firstResponder) != 1 || w.count(secondResponder) != 1 || w.count(firstPoint) != 0 {
		t.Error("lists were asked although responders come first")
	}

	// Nobody is asked when there is an answer at hand, or when nobody may be.
	offline := &Checker{Evidence: Evidence{CRLs: w.lists(t, inForce())}, Online: NewOnline(w)}
	got := offline.Revocation(w.holder.Cert, w.FNS.Cert, now)
	if got.Status != verdict.Passed || w.count(secondPoint) != 0 {
		t.Errorf("%+v; asked", got)
	}
	w.ask(t, &Checker{}, verdict.Indeterminate, reason.RevocationUnknown, "")

	// One kind dead: the other one answers.
	for _, order := range []Order{CRLFirst, OCSPFirst} {
		w.servers = map[string]func(context.Context, []byte) ([]byte, error){}
		w.serve(t, firstResponder, func(*ocsp.Template) {})
		w.ask(t, &Checker{Online: NewOnline(w), Policy: Policy{Order: order}}, verdict.Passed, "", firstResponder)
		w.servers = map[string]func(context.Context, []byte) ([]byte, error){}
		w.publish(t, firstPoint, inForce())
		w.ask(t, &Checker{Online: NewOnline(w), Policy: Policy{Order: order}}, verdict.Passed, "", firstPoint)
	}
}

// TestMissingIsNotGood: whatever servers do wrong, nothing becomes good. Each row is
// a defect that some other verifier has or had: a failing responder let everybody in,
// a list that was missing meant active, an expired one was believed, an empty one
// crashed; the first answer was taken whoever it was about, its signature and dates
// unseen.
func TestMissingIsNotGood(t *testing.T) {
	w := newWorld(t)
	answer := func(raw []byte, err error) func(context.Context, []byte) ([]byte, error) {
		return func(context.Context, []byte) ([]byte, error) { return raw, err }
	}
	other := w.Person(t, w.FNS, gost3410.TC26256A(), country.Entrepreneur())
	otherID, err := ocsp.NewID(ocsp.OIDSHA1, other.Cert, w.FNS.Cert)
	if err != nil {
		t.Fatal(err)
	}
	replay := w.answered(t, ocsp.Single{Status: ocsp.Good, ThisUpdate: now.Add(-2 * time.Hour), NextUpdate: now.Add(-time.Hour)})
	for name, serve := range map[string]func(){
		"connection refused": func() {},
		"empty body":         func() { w.servers[firstResponder] = answer(nil, nil) },
		"page of a provider": func() { w.servers[firstResponder] = answer([]byte("<html>pay first</html>"), nil) },
		"try later":          func() { w.servers[firstResponder] = answer(ocsp.CreateRefusal(ocsp.TryLater), nil) },
		"unauthorized":       func() { w.servers[firstResponder] = answer(ocsp.CreateRefusal(ocsp.Unauthorized), nil) },
		"old answer":         func() { w.servers[firstResponder] = answer(replay.Raw, nil) },
		"another certificate": func() {
			w.serve(t, firstResponder, func(r *ocsp.Template) { r.Singles[0].ID = otherID })
		},
		"another certificate first": func() {
			w.serve(t, firstResponder, func(r *ocsp.Template) {
				second := r.Singles[0]
				second.Status = ocsp.Unknown
				r.Singles[0].ID = otherID
				r.Singles = append(r.Singles, second)
			})
		},
		"another nonce":  func() { w.serve(t, firstResponder, func(r *ocsp.Template) { r.Nonce = []byte("another one") }) },
		"no certificate": func() { w.serve(t, firstResponder, func(r *ocsp.Template) { r.Certificates = nil }) },
		"expired":        func() { w.serve(t, firstResponder, func(r *ocsp.Template) { r.Singles[0].NextUpdate = now }) },
		"of the future": func() {
			w.serve(t, firstResponder, func(r *ocsp.Template) { r.Singles[0].ThisUpdate = now.Add(time.Hour) })
		},
		"empty list":      func() { w.servers[firstPoint] = answer(nil, nil) },
		"list of nothing": func() { w.servers[firstPoint] = answer([]byte{0x30, 0}, nil) },
		"expired list": func() {
			w.publish(t, firstPoint, crl.Template{ThisUpdate: now.AddDate(0, 0, -2), NextUpdate: now.AddDate(0, 0, -1)})
		},
		"list without a next update": func() { w.publish(t, firstPoint, crl.Template{ThisUpdate: now.AddDate(0, 0, -2)}) },
		"list of another CA": func() {
			raw, err := crl.Create(nil, inForce(), w.Lost.Cert, w.Lost.Key)
			w.servers[firstPoint] = answer(raw, err)
		},
		"list signed by another": func() {
			raw, err := crl.Create(nil, inForce(), w.FNS.Cert, w.Lost.Key)
			w.servers[firstPoint] = answer(raw, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			clear(w.servers)
			serve()
			for _, order := range []Order{CRLFirst, OCSPFirst} {
				online := NewOnline(w)
				for range 2 { // nothing wrong is remembered either
					c := &Checker{Online: online, Policy: Policy{Order: order}}
					got := c.Revocation(w.holder.Cert, w.FNS.Cert, now)
					if got.Status != verdict.Indeterminate || got.Reason == "" || len(c.Used()) > 0 {
						t.Errorf("%v %q (%s)", got.Status, got.Reason, got.Detail)
					}
				}
				if s := online.Stats(now); s.Answers+s.Lists != 0 || s.Asked != 8 && name != "another certificate first" {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

// TestNonce: a nonce that does not come back is a matter of the policy.
func TestNonce(t *testing.T) {
	w := newWorld(t)
	w.serve(t, firstResponder, func(r *ocsp.Template) { r.Nonce = nil })
	w.ask(t, &Checker{Online: NewOnline(w)}, verdict.Passed, "", firstResponder)
	w.ask(t, &Checker{Online: NewOnline(w), Policy: Policy{RequireNonce: true}}, verdict.Indeterminate, reason.RevocationUnreachable, "")
	w.serve(t, firstResponder, func(*ocsp.Template) {})
	w.ask(t, &Checker{Online: NewOnline(w), Policy: Policy{RequireNonce: true}}, verdict.Passed, "", firstResponder)
}

// TestRevokedOnline: an answer of a server that the holder was revoked goes before
// good evidence at hand only if it is asked for; once known it is never forgotten.
func TestRevokedOnline(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	w.serve(t, firstResponder, func(r *ocsp.Template) {
		r.Singles[0].Status, r.Singles[0].RevokedAt = ocsp.Revoked, now.Add(-time.Hour)
	})
	atHand := Evidence{CRLs: w.lists(t, inForce())}
	w.ask(t, &Checker{Evidence: atHand, Online: online, Policy: Policy{Order: OCSPFirst}}, verdict.Failed, reason.CertRevoked, firstResponder)
	clear(w.servers)
	// The same process, lists first, and much later: it is still revoked.
	w.ask(t, &Checker{Evidence: atHand, Online: online}, verdict.Failed, reason.CertRevoked, firstResponder)
	w.ask(t, &Checker{Evidence: atHand, Online: online, Now: now.AddDate(0, 1, 0)}, verdict.Failed, reason.CertRevoked, firstResponder)
}

// TestReuse: answers are used again until they are due, and after that for as long as
// they are good if the server is dead.
func TestReuse(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	online.breaker.random = func() float64 { return 0 }
	w.serve(t, firstResponder, func(r *ocsp.Template) { r.Singles[0].NextUpdate = now.Add(3 * time.Hour) })
	at := func(d time.Duration) *Checker {
		return &Checker{Online: online, Policy: Policy{Order: OCSPFirst}, Now: now.Add(d)}
	}
	asked := func(what string, want int) {
		t.Helper()
		if got := w.count(firstResponder); got != want {
			t.Errorf("%s: asked %d times, want %d", what, got, want)
		}
	}
	w.ask(t, at(0), verdict.Passed, "", firstResponder)
	asked("first", 1)
	w.ask(t, at(DefaultReuse-time.Second), verdict.Passed, "", firstResponder)
	asked("remembered", 0)
	w.ask(t, at(DefaultReuse), verdict.Passed, "", firstResponder)
	asked("due", 1)
	clear(w.servers)
	w.ask(t, at(3*time.Hour-time.Second), verdict.Passed, "", firstResponder)
	asked("due, server dead", 1)
	w.ask(t, at(3*time.Hour), verdict.Indeterminate, reason.RevocationUnreachable, "")

	// The same for lists.
	w.count(firstPoint)
	w.publish(t, firstPoint, crl.Template{Number: 2, ThisUpdate: now, NextUpdate: now.Add(3 * time.Hour)})
	lists := func(d time.Duration) *Checker { return &Checker{Online: online, Now: now.Add(d)} }
	w.ask(t, lists(0), verdict.Passed, "", firstPoint)
	w.ask(t, lists(DefaultReuse-time.Second), verdict.Passed, "", firstPoint)
	if got := w.count(firstPoint); got != 1 {
		t.Errorf("asked %d times", got)
	}
	clear(w.servers)
	w.ask(t, lists(3*time.Hour-time.Second), verdict.Passed, "", firstPoint)
	w.ask(t, lists(3*time.Hour), verdict.Indeterminate, reason.RevocationUnreachable, "")
	if s := online.Stats(now); s.Answers != 1 || s.Lists != 1 || s.Reused < 4 {
		t.Errorf("%+v", s)
	}
}

// TestBreaker: a dead server is left alone for a time that grows, and asked once when
// it is over.
func TestBreaker(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	online.breaker.random = func() float64 { return 0 }
	policy := Policy{Order: OCSPFirst, Issuers: map[string]IssuerPolicy{
		fmt.Sprintf("%x", w.FNS.Cert.SubjectKeyID): {NoCRL: true},
	}}
	asked := func(d time.Duration) int {
		c := &Checker{Online: online, Policy: policy, Now: now.Add(d)}
		w.ask(t, c, verdict.Indeterminate, reason.RevocationUnreachable, "")
		if w.count(firstPoint) != 0 {
			t.Error("a distribution point was asked although the policy forbids it")
		}
		return w.count(firstResponder)
	}
	step := time.Millisecond
	for i := range tolerated {
		if asked(time.Duration(i)*step) != 1 {
			t.Fatalf("not asked after %d failures", i)
		}
	}
	if n := asked(tolerated * step); n != 0 {
		t.Errorf("asked %d times although it has failed %d times", n, tolerated)
	}
	if s := online.Stats(now.Add(time.Second)); s.Resting != 2 || s.Skipped != 2 {
		t.Errorf("%+v", s)
	}
	failedAt := time.Duration(tolerated-1) * step
	for rest := firstRest; rest < longRest; rest *= 2 {
		if n := asked(failedAt + rest - step); n != 0 {
			t.Errorf("asked before %v were over", rest)
		}
		failedAt += rest
		if n := asked(failedAt); n != 1 {
			t.Errorf("asked %d times after %v", n, rest)
		}
	}
	if asked(failedAt+longRest-step) != 0 || asked(failedAt+longRest) != 1 {
		t.Error("the rest grows without end")
	}
	failedAt += longRest
	// It lives again: the failures are forgotten.
	w.serve(t, firstResponder, func(r *ocsp.Template) {
		r.ProducedAt, r.Singles[0].ThisUpdate, r.Singles[0].NextUpdate = now, now, now.Add(1000*time.Hour)
	})
	w.ask(t, &Checker{Online: online, Policy: policy, Now: now.Add(failedAt + longRest)}, verdict.Passed, "", firstResponder)
	if s := online.Stats(now.Add(failedAt + longRest)); s.Resting != 0 || s.Answers != 1 {
		t.Errorf("%+v", s)
	}
}

// TestTrial: when a rest is over one question goes through, not all that wait.
func TestTrial(t *testing.T) {
	b := breaker{servers: make(map[string]*server), random: func() float64 { return 0.999 }}
	for range tolerated {
		if !b.allow("url", now) {
			t.Fatal("left alone too early")
		}
		b.failed("url", now)
	}
	until := b.servers["url"].until
	if rest := until.Sub(now); rest < firstRest/2 || rest >= firstRest {
		t.Errorf("a rest of %v, want half to whole of %v", rest, firstRest)
	}
	if b.allow("url", until.Add(-1)) || !b.allow("url", until) || b.allow("url", until) {
		t.Error("not exactly one question after the rest")
	}
	b.succeeded("url")
	if !b.allow("url", until) || b.resting(until) != 0 {
		t.Error("failures are remembered")
	}
	for i := range maxServers + 1 {
		b.failed(fmt.Sprint(i), now)
	}
	if len(b.servers) > maxServers {
		t.Errorf("%d servers are remembered", len(b.servers))
	}
}

// TestOnce: what many ask at once is asked once, and whoever will not wait goes.
func TestOnce(t *testing.T) {
	w := newWorld(t)
	started, release := make(chan struct{}), make(chan struct{})
	w.serve(t, firstResponder, func(*ocsp.Template) {})
	serve := w.servers[firstResponder]
	w.servers[firstResponder] = func(ctx context.Context, request []byte) ([]byte, error) {
		close(started) // a second call would panic
		<-release
		return serve(ctx, request)
	}
	online := NewOnline(w)
	policy := Policy{Order: OCSPFirst, Budget: time.Hour}

	impatient, leave := context.WithCancel(context.Background())
	left := make(chan verdict.Check)
	go func() {
		c := &Checker{Online: online, Policy: policy, Context: impatient, Now: now}
		left <- c.Revocation(w.holder.Cert, w.FNS.Cert, now)
	}()
	<-started
	leave()
	if got := <-left; got.Status != verdict.Indeterminate || got.Reason != reason.RevocationUnreachable {
		t.Errorf("%+v", got)
	}

	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			c := &Checker{Online: online, Policy: policy, Now: now}
			if got := c.Revocation(w.holder.Cert, w.FNS.Cert, now); got.Status != verdict.Passed {
				t.Errorf("%+v", got)
			}
		})
	}
	close(release)
	group.Wait()
	if n := w.count(firstResponder); n != 1 {
		t.Errorf("asked %d times", n)
	}
	// Whoever has left already asks nobody.
	w.ask(t, &Checker{Online: NewOnline(nobody{t}), Context: impatient}, verdict.Indeterminate, reason.RevocationUnreachable, "")
}

// TestBudget: a verdict waits no longer than its budget, whatever servers do.
func TestBudget(t *testing.T) {
	w := newWorld(t)
	hang := func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for _, url := range []string{firstResponder, secondResponder, firstPoint, secondPoint} {
		w.servers[url] = hang
	}
	begun := time.Now()
	w.ask(t, &Checker{Online: NewOnline(w), Policy: Policy{Budget: 20 * time.Millisecond}}, verdict.Indeterminate, reason.RevocationUnreachable, "")
	if took := time.Since(begun); took > patienceOCSP/2 {
		t.Errorf("waited %v", took)
	}
	// Checkers of one verdict share it: the second finds nothing left to spend.
	shared := new(Budget)
	policy := Policy{Budget: 20 * time.Millisecond}
	w.ask(t, &Checker{Online: NewOnline(w), Policy: policy, Shared: shared}, verdict.Indeterminate, reason.RevocationUnreachable, "")
	w.ask(t, &Checker{Online: NewOnline(nobody{t}), Policy: policy, Shared: shared}, verdict.Indeterminate, reason.RevocationUnreachable, "")
}

// nobody is a Fetcher that must not be asked.
type nobody struct{ t *testing.T }

// OCSP implements Fetcher.
func (n nobody) OCSP(ctx context.Context, url string, _ []byte) ([]byte, error) {
	return n.CRL(ctx, url)
}

// CRL implements Fetcher.
func (n nobody) CRL(context.Context, string) ([]byte, error) {
	n.t.Error("asked although there was no time")
	return nil, errDown
}

// TestIssuerPolicy: overrides by fingerprint go before those by key identifier.
func TestIssuerPolicy(t *testing.T) {
	w := newWorld(t)
	const own = "http://own.example.test/"
	w.serve(t, own, func(*ocsp.Template) {})
	w.serve(t, firstResponder, func(*ocsp.Template) {})
	sum := w.FNS.Cert.SHA256()
	byKey, byCert := fmt.Sprintf("%x", w.FNS.Cert.SubjectKeyID), fmt.Sprintf("%x", sum[:])
	ocspFirst, hour := OCSPFirst, time.Hour
	yes := true
	policy := Policy{Issuers: map[string]IssuerPolicy{byKey: {Order: &ocspFirst, OCSP: []string{own, firstResponder}}}}
	w.ask(t, &Checker{Online: NewOnline(w), Policy: policy}, verdict.Passed, "", own)
	if w.count(firstPoint) != 0 {
		t.Error("the order of the issuer does not count")
	}
	policy.Issuers[byCert] = IssuerPolicy{Order: &ocspFirst, NoOCSP: true, NoCRL: true}
	w.ask(t, &Checker{Online: NewOnline(w), Policy: policy}, verdict.Indeterminate, reason.RevocationUnknown, "")
	policy.Issuers[byCert] = IssuerPolicy{RequireNonce: &yes, NoCRL: true}
	w.serve(t, firstResponder, func(r *ocsp.Template) { r.Nonce = nil })
	w.ask(t, &Checker{Online: NewOnline(w), Policy: policy}, verdict.Indeterminate, reason.RevocationUnreachable, "")
	policy.Issuers[byCert] = IssuerPolicy{Grace: &hour}
	expired := w.lists(t, crl.Template{ThisUpdate: now.Add(-2 * time.Hour), NextUpdate: now.Add(-time.Minute)})
	w.status(t, &Checker{Evidence: Evidence{CRLs: expired}, Policy: policy}, verdict.Passed)
	w.status(t, &Checker{Evidence: Evidence{CRLs: expired}}, verdict.Indeterminate)
	many := effective{of: IssuerPolicy{OCSP: []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "1"}}}
	if urls := many.urls(KindOCSP, w.holder.Cert); len(urls) != maxURLs {
		t.Errorf("%q", urls)
	}
}

// status is ask for the status alone.
func (w *world) status(t *testing.T, c *Checker, want verdict.Status) {
	t.Helper()
	if got := c.Revocation(w.holder.Cert, w.FNS.Cert, now); got.Status != want {
		t.Errorf("%+v, want %v", got, want)
	}
}

// TestResponderListOnline: the list about a responder is got from where the
// responder's certificate says.
func TestResponderListOnline(t *testing.T) {
	w := newWorld(t)
	const point = "http://responders.example.test/ca.crl"
	template := responder(false)
	template.CRLDistributionPoints = []string{point}
	w.delegate = w.Person(t, w.FNS, gost3410.TC26256A(), template)
	w.serve(t, firstResponder, func(*ocsp.Template) {})
	policy := Policy{Order: OCSPFirst}
	w.ask(t, &Checker{Online: NewOnline(w), Policy: policy}, verdict.Indeterminate, reason.RevocationUnreachable, "")
	w.publish(t, point, inForce())
	c := &Checker{Online: NewOnline(w), Policy: policy}
	w.ask(t, c, verdict.Passed, "", firstResponder)
	if used := c.Used(); len(used) != 2 || used[1].Source != point || used[1].Kind != KindCRL {
		t.Errorf("%+v", used)
	}
	w.publish(t, point, inForce(crl.Entry{Serial: w.delegate.Cert.Serial, RevokedAt: now.Add(-time.Hour)}))
	w.ask(t, &Checker{Online: NewOnline(w), Policy: policy}, verdict.Indeterminate, reason.RevocationUnreachable, "")
}

// TestPartialLists: lists that are each about some reasons make an answer together.
func TestPartialLists(t *testing.T) {
	w := newWorld(t)
	some := func(url string, reasons crl.ReasonSet) {
		template := inForce()
		template.Scope = crl.Scope{Reasons: reasons}
		w.publish(t, url, template)
	}
	compromise := crl.Reasons(crl.KeyCompromise, crl.CACompromise, crl.AACompromise)
	some(firstPoint, compromise)
	w.ask(t, &Checker{Online: NewOnline(w)}, verdict.Indeterminate, reason.RevocationUnreachable, "")
	some(secondPoint, crl.AllReasons&^compromise)
	w.ask(t, &Checker{Online: NewOnline(w)}, verdict.Passed, "", secondPoint)
}

// TestIndirectList: the list of another authority counts if somebody vouches for that,
// and is not remembered as a list of the issuer.
func TestIndirectList(t *testing.T) {
	w := newWorld(t)
	w.holder = w.pointed(t)
	template := inForce(crl.Entry{Serial: w.holder.Cert.Serial, RevokedAt: now.Add(-time.Hour), Issuer: w.FNS.Cert.RawSubject})
	template.Scope = crl.Scope{Indirect: true}
	raw, err := crl.Create(nil, template, w.Lost.Cert, w.Lost.Key)
	if err != nil {
		t.Fatal(err)
	}
	w.servers[firstPoint] = func(context.Context, []byte) ([]byte, error) { return raw, nil }
	online := NewOnline(w)
	policy := Policy{Issuers: map[string]IssuerPolicy{fmt.Sprintf("%x", w.FNS.Cert.SubjectKeyID): {CRLs: []string{firstPoint}}}}
	w.ask(t, &Checker{Online: online, Policy: policy}, verdict.Indeterminate, reason.RevocationUnusable, "")
	vouched := func([]byte, time.Time) []*gostx509.Certificate { return []*gostx509.Certificate{w.Lost.Cert} }
	c := &Checker{Online: online, Policy: policy, Authorities: vouched}
	w.ask(t, c, verdict.Failed, reason.CertRevoked, firstPoint)
	if used := c.Used(); len(used) != 1 || used[0].Signer != w.Lost.Cert {
		t.Errorf("%+v", used)
	}
	if s := online.Stats(now); s.Lists != 0 || s.Failed != 0 {
		t.Errorf("%+v", s)
	}
}

// pointed is a holder whose certificate names the authority that lists it: RFC 5280,
// Section 4.2.1.13, cRLIssuer.
func (w *world) pointed(t *testing.T) country.Holder {
	t.Helper()
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tag(2), func(b *cryptobyte.Builder) {
				b.AddASN1(tag(4), func(b *cryptobyte.Builder) { b.AddBytes(w.Lost.Cert.RawSubject) })
			})
		})
	})
	value, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	template := country.Entrepreneur()
	template.Extra = append(template.Extra, gostx509.Extension{ID: gostx509.OIDCRLDistribution, Value: value})
	return w.Person(t, w.FNS, gost3410.TC26256A(), template)
}

// TestCacheLimits: what is remembered is bounded.
func TestCacheLimits(t *testing.T) {
	c := cache{answers: make(map[subject]*answer), lists: make(map[string]*list), entries: 8}
	for i := range 3 * maxAnswers {
		c.putAnswer(subject{serial: fmt.Sprint(i)}, &answer{response: new(ocsp.Response), kept: kept{drop: now.Add(time.Duration(i%2) * time.Hour)}}, now)
	}
	if len(c.answers) > maxAnswers || len(c.answers) < maxAnswers/2 {
		t.Errorf("%d answers", len(c.answers))
	}
	for _, size := range []int{maxAnswer, maxAnswer + 1} {
		long := subject{serial: "long"}
		delete(c.answers, long)
		c.putAnswer(long, &answer{response: &ocsp.Response{Raw: make([]byte, size)}}, now)
		if kept := c.answers[long] != nil; kept != (size == maxAnswer) {
			t.Errorf("%d bytes: kept %v", size, kept)
		}
	}
	w := newWorld(t)
	one := w.FNS.CRL
	for i := range 2 * maxLists {
		c.putList(fmt.Sprint(i), &list{one: one, kept: kept{drop: now.Add(time.Duration(i+1) * time.Hour)}}, now)
	}
	if len(c.lists) != maxLists || c.lists["0"] != nil {
		t.Errorf("%d lists", len(c.lists))
	}
	c.putList("x", &list{one: one, kept: kept{drop: now.AddDate(9, 0, 0)}}, now.Add(2*maxLists*time.Hour))
	if len(c.lists) != 1 {
		t.Errorf("%d lists although all but one are over", len(c.lists))
	}
	longer := func(entries int) *crl.List {
		template := inForce()
		for i := range entries {
			template.Entries = append(template.Entries, crl.Entry{Serial: []byte{1, byte(i)}, RevokedAt: now})
		}
		return w.lists(t, template).Lists()[0]
	}
	for i, n := range []int{5, 4, 3, 2} { // 9 entries are too many, and 5 leave no room for 4 others
		c.putList(fmt.Sprintf("long %d", i), &list{one: longer(n), kept: kept{drop: now.AddDate(10, 0, i)}}, now)
		if i == 0 && c.lists["long 0"] != nil {
			t.Error("a list that leaves no room for another is kept")
		}
	}
	for i, want := range []bool{false, false, true, true} {
		if kept := c.lists[fmt.Sprintf("long %d", i)] != nil; kept != want {
			t.Errorf("list %d: kept %v", i, kept)
		}
	}
}

// TestReport: only what a server can help counts against it.
func TestReport(t *testing.T) {
	w := newWorld(t)
	o := NewOnline(w)
	q, other := &question{issuer: w.FNS.Cert, now: now}, &question{issuer: w.Lost.Cert, now: now}
	for range tolerated {
		for _, err := range []error{
			reason.New(reason.CertUnknownToIssuer, nil), reason.New(reason.OCSPRefused, ocsp.Unauthorized), fmt.Errorf("x: %w", context.Canceled),
		} {
			o.report("url", q, err)
		}
	}
	if o.allowed("url", q) != nil {
		t.Error("a server that works is left alone")
	}
	for range tolerated {
		o.report("url", q, reason.New(reason.FetchURLNotAllowed, nil))
		o.report("url", q, reason.New(reason.FetchHostResting, nil))
	}
	if o.allowed("url", q) != nil {
		t.Error("a server that was not asked is left alone")
	}
	for range tolerated {
		o.report("url", q, errors.New("down"))
	}
	if o.allowed("url", q) == nil {
		t.Error("a dead server is not left alone")
	}
	if o.allowed("url", other) != nil {
		t.Error("left alone for another issuer too")
	}
	if s := o.Stats(now); s.Asked != 4*tolerated || s.Failed != 4*tolerated || s.Skipped != 2*tolerated+1 {
		t.Errorf("%+v", s)
	}
}

// TestRollback: a list older than the one that an address gave before is not taken,
// though it is in force; nor does an older answer take the place of a newer one.
func TestRollback(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	online.breaker.random = func() float64 { return 0 }
	gone := w.entry(now.Add(-time.Minute), crl.KeyCompromise, time.Time{})
	list := func(at time.Time, entries ...crl.Entry) crl.Template {
		return crl.Template{Number: 1, ThisUpdate: at, NextUpdate: now.AddDate(0, 0, 7), Entries: entries}
	}
	other := w.Person(t, w.FNS, gost3410.TC26256A(), w.template())
	about := func(cert *gostx509.Certificate, order Order, at, when time.Time) verdict.Check {
		c := &Checker{Online: online, Now: when, Policy: Policy{Order: order}}
		return c.Revocation(cert, w.FNS.Cert, at)
	}
	w.publish(t, firstPoint, list(now.Add(-time.Minute), gone))
	if got := about(w.holder.Cert, CRLFirst, now, now); got.Reason != reason.CertRevoked {
		t.Fatalf("%+v", got)
	}
	// The list is due, and somebody else is asked about; the network has an old one.
	w.publish(t, firstPoint, list(now.AddDate(0, 0, -1)))
	due := now.Add(DefaultReuse)
	if got := about(other.Cert, CRLFirst, due, due); got.Status != verdict.Passed {
		t.Errorf("%+v", got)
	}
	if got := about(w.holder.Cert, CRLFirst, due, due); got.Reason != reason.CertRevoked {
		t.Errorf("an old list is believed: %+v", got)
	}
	if s := online.Stats(now); s.Failed != 1 {
		t.Errorf("%+v", s)
	}
	// A newer one is taken.
	w.publish(t, firstPoint, list(now, gone, crl.Entry{Serial: other.Cert.Serial, RevokedAt: now, Reason: crl.Superseded}))
	if got := about(other.Cert, CRLFirst, due, due); got.Reason != reason.CertRevoked {
		t.Errorf("%+v", got)
	}

	online = NewOnline(w)
	online.breaker.random = func() float64 { return 0 }
	clear(w.servers)
	answer := func(s ocsp.Single) {
		w.serve(t, firstResponder, func(r *ocsp.Template) {
			s.ID = r.Singles[0].ID
			r.Singles[0] = s
		})
	}
	answer(bad(now, crl.Superseded))
	before := now.Add(-2 * time.Hour) // when it was not revoked yet
	if got := about(w.holder.Cert, OCSPFirst, before, now); got.Status != verdict.Passed {
		t.Fatalf("%+v", got)
	}
	// There is always room for whom it is known for ever, but not for a suspension.
	for _, a := range online.cache.answers {
		if !a.drop.Equal(w.holder.Cert.NotAfter) {
			t.Errorf("kept until %v", a.drop)
		}
	}
	held := NewOnline(w)
	answer(bad(now, crl.CertificateHold))
	(&Checker{Online: held, Policy: Policy{Order: OCSPFirst}}).Revocation(w.holder.Cert, w.FNS.Cert, now)
	for _, a := range held.cache.answers {
		if !a.drop.Equal(now.Add(time.Hour)) {
			t.Errorf("a suspension is kept until %v", a.drop)
		}
	}
	answer(ocsp.Single{Status: ocsp.Good, ThisUpdate: now.Add(-90 * time.Minute), NextUpdate: now.AddDate(0, 0, 7)})
	if got := about(w.holder.Cert, OCSPFirst, before, due); got.Status != verdict.Passed {
		t.Errorf("%+v", got)
	}
	if got := about(w.holder.Cert, OCSPFirst, due, due); got.Reason != reason.CertRevoked {
		t.Errorf("an old answer is believed: %+v", got)
	}
	// What was revoked for ever stays so in memory past the time of the answer.
	if got := about(w.holder.Cert, OCSPFirst, now.AddDate(0, 1, 0), now.AddDate(0, 1, 0)); got.Reason != reason.CertRevoked {
		t.Errorf("%+v", got)
	}
}

// TestOtherIssuer: what is remembered for one issuer is nothing for another one that
// has given out the same number, or has the same name.
func TestOtherIssuer(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	w.serve(t, firstResponder, func(*ocsp.Template) {})
	w.publish(t, firstPoint, inForce())
	for _, order := range []Order{CRLFirst, OCSPFirst} {
		c := &Checker{Online: online, Policy: Policy{Order: order}}
		if got := c.Revocation(w.holder.Cert, w.FNS.Cert, now); got.Status != verdict.Passed {
			t.Fatalf("%+v", got)
		}
	}
	template := w.template()
	template.Serial = w.holder.Cert.Serial
	twin := w.Authority(t, w.Root, "УЦ налоговой службы Вымышленный", "1047707030513", "7707329152")
	clear(w.servers)
	for name, issuer := range map[string]*country.Authority{"another name": w.Lost, "the same name": twin} {
		cert := w.Person(t, issuer, gost3410.TC26256A(), template).Cert
		if subjectOf(cert, issuer.Cert) == subjectOf(w.holder.Cert, w.FNS.Cert) {
			t.Errorf("%s: one place in memory for both", name)
		}
		if !bytes.Equal(cert.Serial, w.holder.Cert.Serial) {
			t.Fatal("another number")
		}
		for _, order := range []Order{CRLFirst, OCSPFirst} {
			c := &Checker{Online: online, Policy: Policy{Order: order}}
			if got := c.Revocation(cert, issuer.Cert, now); got.Status != verdict.Indeterminate || len(c.Used()) != 0 {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
	// Who pairs a certificate with an issuer that it does not name learns nothing.
	stray := w.Person(t, twin, gost3410.TC26256A(), template).Cert
	stray.RawIssuer = w.Root.Cert.RawSubject
	c := &Checker{Online: online, Policy: Policy{Order: OCSPFirst}}
	if got := c.Revocation(stray, w.FNS.Cert, now); got.Status != verdict.Indeterminate {
		t.Errorf("%+v", got)
	}
}

// TestForgedAnswersAreForgotten: an answer that does not verify is not remembered, for
// whomever it was signed.
func TestForgedAnswersAreForgotten(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	forger := w.Person(t, w.Lost, gost3410.TC26256A(), responder(true))
	good := w.signed(t, fine(now), forger)
	w.servers[firstResponder] = func(context.Context, []byte) ([]byte, error) { return good.Raw, nil }
	raw, err := crl.Create(nil, inForce(), w.Lost.Cert, w.Lost.Key)
	if err != nil {
		t.Fatal(err)
	}
	w.servers[firstPoint] = func(context.Context, []byte) ([]byte, error) { return raw, nil }
	for range 3 {
		w.ask(t, &Checker{Online: online}, verdict.Indeterminate, reason.RevocationUnreachable, "")
	}
	if s := online.Stats(now); s.Answers != 0 || s.Lists != 0 || s.Failed == 0 {
		t.Errorf("%+v", s)
	}
}

// TestBreakerOpens: a server that is left alone makes nothing good.
func TestBreakerOpens(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	for range 2 * tolerated {
		w.ask(t, &Checker{Online: online}, verdict.Indeterminate, reason.RevocationUnreachable, "")
	}
	if s := online.Stats(now); s.Resting == 0 || s.Skipped == 0 {
		t.Errorf("%+v", s)
	}
}

// TestCarriedDoesNotSilence: whoever signs with a stolen key brings along a list or an
// answer of before the revocation. It is in force, and servers are asked all the same.
func TestCarriedDoesNotSilence(t *testing.T) {
	w := newWorld(t)
	gone := w.entry(now.Add(-time.Minute), crl.KeyCompromise, time.Time{})
	revoke := func(r *ocsp.Template) {
		r.Singles[0].Status, r.Singles[0].RevokedAt, r.Singles[0].Reason = ocsp.Revoked, gone.RevokedAt, gone.Reason
	}
	old := ocsp.Single{Status: ocsp.Good, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.AddDate(0, 0, 7)}
	for order, carried := range map[Order]Evidence{
		CRLFirst:  {CRLs: w.lists(t, inForce())},
		OCSPFirst: {Responses: []*ocsp.Response{w.answered(t, old)}},
	} {
		policy := Policy{Order: order}
		clear(w.servers)
		got := (&Checker{Carried: carried, Online: NewOnline(w), Policy: policy}).Revocation(w.holder.Cert, w.FNS.Cert, now)
		if got.Status != verdict.Passed {
			t.Errorf("no server answers: %+v", got)
		}
		w.serve(t, firstResponder, revoke)
		newer := inForce(gone)
		newer.Number, newer.ThisUpdate = 2, now.Add(-time.Minute)
		w.publish(t, firstPoint, newer)
		online := NewOnline(w)
		got = (&Checker{Carried: carried, Online: online, Policy: policy}).Revocation(w.holder.Cert, w.FNS.Cert, now)
		if got.Status != verdict.Failed || got.Reason != reason.CertRevoked {
			t.Errorf("order %d: an old answer kept servers from being asked: %+v", order, got)
		}
		// It is enough that one server of any kind can be had.
		for _, dead := range []string{firstResponder, firstPoint} {
			servers := maps.Clone(w.servers)
			delete(w.servers, dead)
			got = (&Checker{Carried: carried, Online: NewOnline(w), Policy: policy}).Revocation(w.holder.Cert, w.FNS.Cert, now)
			if got.Status != verdict.Failed || got.Reason != reason.CertRevoked {
				t.Errorf("order %d, %s is dead: %+v", order, dead, got)
			}
			w.servers = servers
		}
		// Evidence of after the moment needs no other, nor does the operator's own.
		asked := online.Stats(now).Asked
		before := &Checker{Carried: carried, Online: NewOnline(nobody{t}), Policy: policy, Now: now}
		if got := before.Revocation(w.holder.Cert, w.FNS.Cert, now.Add(-2*time.Hour)); got.Status != verdict.Passed {
			t.Errorf("%+v", got)
		}
		own := &Checker{Evidence: carried, Carried: carried, Online: NewOnline(nobody{t}), Policy: policy}
		if got := own.Revocation(w.holder.Cert, w.FNS.Cert, now); got.Status != verdict.Passed || online.Stats(now).Asked != asked {
			t.Errorf("%+v", got)
		}
	}
}

// TestCarriedListOfResponder is the same for the list that says that a responder is in
// good standing.
func TestCarriedListOfResponder(t *testing.T) {
	w := newWorld(t)
	template := responder(false)
	template.CRLDistributionPoints = []string{firstPoint}
	by := w.Person(t, w.FNS, gost3410.TC26256A(), template)
	newer := inForce(crl.Entry{Serial: by.Cert.Serial, RevokedAt: now.Add(-30 * time.Minute), Reason: crl.KeyCompromise})
	newer.Number, newer.ThisUpdate = 2, now.Add(-time.Minute)
	w.publish(t, firstPoint, newer)
	carried := Evidence{CRLs: w.lists(t, inForce()), Responses: []*ocsp.Response{w.signed(t, fine(now), by)}}
	at := now.Add(-30 * time.Second) // the answer is of after it
	for _, c := range []struct {
		online *Online
		kinds  []Kind
	}{
		{nil, []Kind{KindOCSP, KindCRL}},
		{NewOnline(w), []Kind{KindCRL}}, // that of the holder
	} {
		checker := &Checker{Carried: carried, Policy: Policy{Order: OCSPFirst}, Now: now, Online: c.online}
		got := checker.Revocation(w.holder.Cert, w.FNS.Cert, at)
		var kinds []Kind
		for _, used := range checker.Used() {
			kinds = append(kinds, used.Kind)
		}
		if got.Status != verdict.Passed || !slices.Equal(kinds, c.kinds) {
			t.Errorf("%+v rests on %v, want %v", got, kinds, c.kinds)
		}
	}
	// A list of our own settles it.
	own := &Checker{Evidence: Evidence{CRLs: carried.CRLs}, Carried: carried, Policy: Policy{Order: OCSPFirst}, Now: now, Online: NewOnline(nobody{t})}
	if got := own.Revocation(w.holder.Cert, w.FNS.Cert, at); got.Status != verdict.Passed || len(own.Used()) != 2 {
		t.Errorf("%+v", got)
	}
}

// TestPanic: a mistake of ours while a server is asked ends in no answer, not in the
// end of the process, and the next question is asked.
func TestPanic(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	for _, url := range []string{firstResponder, firstPoint} {
		w.servers[url] = func(context.Context, []byte) ([]byte, error) { panic("out of ideas") }
	}
	for _, order := range []Order{CRLFirst, OCSPFirst} {
		got := (&Checker{Online: online, Policy: Policy{Order: order}}).Revocation(w.holder.Cert, w.FNS.Cert, now)
		if got.Status != verdict.Indeterminate || !strings.Contains(got.Detail, "out of ideas") {
			t.Errorf("%+v", got)
		}
	}
	w.serve(t, firstResponder, func(*ocsp.Template) {})
	w.ask(t, &Checker{Online: online}, verdict.Passed, "", firstResponder)
}

// TestSharedAddress: two CAs name one address. The list of one is no older edition of
// that of the other.
func TestSharedAddress(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	other := w.Person(t, w.Lost, gost3410.TC26256A(), w.template())
	w.publish(t, firstPoint, crl.Template{Number: 5, ThisUpdate: now, NextUpdate: now.Add(time.Hour)})
	w.ask(t, &Checker{Online: online}, verdict.Passed, "", firstPoint)
	raw, err := crl.Create(nil, inForce(), w.Lost.Cert, w.Lost.Key)
	if err != nil {
		t.Fatal(err)
	}
	w.servers[firstPoint] = func(context.Context, []byte) ([]byte, error) { return raw, nil }
	due := now.Add(DefaultReuse - time.Second)
	online.cache.lists[firstPoint].renew = due
	c := &Checker{Online: online, Now: due}
	if got := c.Revocation(other.Cert, w.Lost.Cert, due); got.Status != verdict.Passed {
		t.Errorf("%+v", got)
	}
	if s := online.Stats(due); s.Failed != 0 || s.Lists != 1 {
		t.Errorf("%+v", s)
	}
}

// TestFutureList: a list of the future is not remembered, or none would be new enough to
// take its place.
func TestFutureList(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	w.publish(t, firstPoint, crl.Template{Number: 9, ThisUpdate: now.Add(time.Hour), NextUpdate: now.AddDate(0, 0, 1)})
	w.ask(t, &Checker{Online: online}, verdict.Indeterminate, reason.RevocationStale, "")
	w.publish(t, firstPoint, inForce())
	w.ask(t, &Checker{Online: online}, verdict.Passed, "", firstPoint)
	if s := online.Stats(now); s.Lists != 1 || s.Failed == 0 {
		t.Errorf("%+v", s)
	}
}

// TestShortLived: an answer that ends before it would be asked for again anyway is
// asked for when it ends.
func TestShortLived(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	fresh := func(at time.Time) {
		w.serve(t, firstResponder, func(r *ocsp.Template) {
			r.ProducedAt, r.Singles[0].ThisUpdate, r.Singles[0].NextUpdate = at, at, at.Add(10*time.Minute)
		})
		w.publish(t, firstPoint, crl.Template{Number: at.Unix(), ThisUpdate: at, NextUpdate: at.Add(10 * time.Minute)})
	}
	for _, at := range []time.Time{now, now.Add(10 * time.Minute)} {
		fresh(at)
		w.ask(t, &Checker{Online: online, Policy: Policy{Order: OCSPFirst}, Now: at}, verdict.Passed, "", firstResponder)
	}
	online = NewOnline(w)
	for _, at := range []time.Time{now, now.Add(10 * time.Minute)} {
		fresh(at)
		w.ask(t, &Checker{Online: online, Now: at}, verdict.Passed, "", firstPoint)
	}
}

// TestQuestionGoesOn: what was asked for a client that has left is there for the next.
func TestQuestionGoesOn(t *testing.T) {
	w := newWorld(t)
	online := NewOnline(w)
	asked, release := make(chan struct{}, 2), make(chan struct{})
	w.serve(t, firstResponder, func(*ocsp.Template) {})
	serve := w.servers[firstResponder]
	w.servers[firstResponder] = func(ctx context.Context, request []byte) ([]byte, error) {
		asked <- struct{}{}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-release:
			return serve(ctx, request)
		}
	}
	policy := Policy{Order: OCSPFirst, Budget: time.Minute}
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-asked
		leave()
	}()
	w.ask(t, &Checker{Online: online, Policy: policy, Context: ctx}, verdict.Indeterminate, reason.RevocationUnreachable, "")
	close(release)
	w.ask(t, &Checker{Online: online, Policy: policy}, verdict.Passed, "", firstResponder)
	if got := w.count(firstResponder); got != 1 {
		t.Errorf("asked %d times", got)
	}
}
