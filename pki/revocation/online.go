package revocation

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"propusk/pki/crl"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// How long one question to servers goes on, whether or not the verdict that asked is
// still waiting: what comes is remembered for the next. The Fetcher is stricter.
const (
	patienceOCSP = 15 * time.Second
	patienceCRL  = 5 * time.Minute
)

// Online asks servers: it has a Fetcher, remembers verified answers until they are
// due, and leaves servers alone that are dead. Questions that are asked by several at
// once go out once. It is made once for a process and is safe for concurrent use.
type Online struct {
	fetcher Fetcher

	mu      sync.Mutex
	cache   cache
	breaker breaker
	flights map[string]*flight
	stats   Stats
}

// Stats counts what an Online has done.
type Stats struct {
	Asked   uint64 // questions to servers
	Failed  uint64 // those without a usable answer
	Skipped uint64 // servers that were left alone
	Reused  uint64 // answers that were remembered
	Answers int    // answers of responders that are remembered
	Lists   int    // lists that are remembered
	Resting int    // servers that are being left alone
}

// NewOnline returns an Online without memories. The Fetcher must not be nil.
func NewOnline(f Fetcher) *Online {
	return &Online{
		fetcher: f,
		cache:   cache{answers: make(map[subject]*answer), lists: make(map[string]*list), entries: maxEntries},
		breaker: breaker{servers: make(map[string]*server), random: mathrand.Float64},
		flights: make(map[string]*flight),
	}
}

// Stats returns the counts so far.
func (o *Online) Stats(now time.Time) Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.stats
	s.Answers, s.Lists, s.Resting = len(o.cache.answers), len(o.cache.lists), o.breaker.resting(now)
	return s
}

// flight is one question under way. What it returns is read once done is closed.
type flight struct {
	done  chan struct{}
	value any
	err   error
}

// once asks a question unless it is being asked already, and waits for the answer. The
// question goes on when ctx ends. A key belongs to one type of answer.
func once[T any](ctx context.Context, o *Online, key string, patience time.Duration, ask func(context.Context) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, reason.New(reason.RevocationUnreachable, err)
	}
	o.mu.Lock()
	f := o.flights[key]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		o.flights[key] = f
		go func() {
			asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			defer func() {
				// Nobody above would catch it, and the process would end.
				if p := recover(); p != nil {
					f.err = reason.Errorf(reason.InternalError, "asking about revocation: panic: %v", p)
				}
				o.mu.Lock()
				delete(o.flights, key)
				o.mu.Unlock()
				close(f.done)
			}()
			f.value, f.err = ask(asking)
		}()
	}
	o.mu.Unlock()
	select {
	case <-f.done:
		if value, ok := f.value.(T); ok && f.err == nil {
			return value, nil
		}
		return none, f.err
	case <-ctx.Done():
		return none, reason.New(reason.RevocationUnreachable, ctx.Err())
	}
}

// server names an address as far as it answers for an issuer. Several CAs, and several
// keys of one, may share an address: what it fails for one of them says nothing about
// the others.
func (q *question) server(url string) string {
	return url + " " + hex.EncodeToString(q.issuer.SubjectKeyID)
}

// allowed reports whether a server may be asked: it is not being left alone.
func (o *Online) allowed(url string, q *question) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.breaker.allow(q.server(url), q.now) {
		return nil
	}
	o.stats.Skipped++
	return reason.Errorf(reason.RevocationUnreachable, "%s: left alone after failures", url)
}

// report counts how a question to a server ended.
func (o *Online) report(url string, q *question, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if errors.Is(err, reason.FetchURLNotAllowed) || errors.Is(err, reason.FetchHostResting) {
		o.stats.Skipped++ // the Fetcher did not ask, and its reason says more than ours
		return
	}
	o.stats.Asked++
	switch {
	case err == nil:
		o.breaker.succeeded(q.server(url))
		return
	case errors.Is(err, reason.CertUnknownToIssuer), errors.Is(err, ocsp.Unauthorized), errors.Is(err, context.Canceled), sigalg.EngineFailed(err):
		// The server works; it is this question that it does not answer.
	default:
		o.breaker.failed(q.server(url), q.now)
	}
	o.stats.Failed++
}

// remembered returns what servers answered before.
func (o *Online) remembered(c *Checker, q *question) []*finding {
	o.mu.Lock()
	a := o.cache.answers[subjectOf(q.cert, q.issuer)]
	var lists []*list
	for _, url := range q.policy.urls(KindCRL, q.cert) {
		if l := o.cache.lists[url]; l != nil {
			lists = append(lists, l)
		}
	}
	o.mu.Unlock()
	var found []*finding
	add := func(f *finding, err error, k *kept) {
		if err != nil || f == nil {
			return // too old by now: it is asked for again
		}
		f.used[0].Source, f.renew = k.source, !q.now.Before(k.renew)
		found = append(found, f)
	}
	if a != nil {
		f, err := c.inResponse(a.response, time.Time{}, q)
		add(f, err, &a.kept)
	}
	for _, l := range lists {
		f, err := c.inLists(l.set, l.source, q)
		add(f, err, &l.kept)
	}
	o.mu.Lock()
	o.stats.Reused += uint64(len(found))
	o.mu.Unlock()
	return found
}

// keep says how long something is remembered.
func (o *Online) keep(source string, q *question, until time.Time) kept {
	reuse := q.policy.Reuse
	reuse -= time.Duration(jitter / 2 * o.breaker.random() * float64(reuse))
	renew := q.now.Add(reuse)
	if until.Before(renew) {
		renew = until
	}
	return kept{source: source, renew: renew, drop: until}
}

// ask asks the servers of one kind of evidence about a certificate.
func (c *Checker) ask(kind Kind, q *question, why *doubt) []*finding {
	if c.Online == nil {
		return nil
	}
	urls := q.policy.urls(kind, q.cert)
	if len(urls) == 0 {
		return nil
	}
	ctx := q.ctx
	if ctx == nil {
		var cancel context.CancelFunc
		ctx, cancel = c.budget()
		defer cancel()
	}
	var f *finding
	var err error
	if kind == KindOCSP {
		f, err = c.askResponders(ctx, urls, q)
	} else {
		f, err = c.askPoints(ctx, urls, q)
	}
	if err != nil {
		why.note(err)
		return nil
	}
	return []*finding{f}
}

// budget returns the context of asking, in the time that is left for this verdict.
func (c *Checker) budget() (context.Context, context.CancelFunc) {
	shared, length, parent := c.Shared, c.Policy.Budget, c.Context
	if shared == nil {
		shared = &c.own
	}
	if length <= 0 {
		length = DefaultBudget
	}
	if parent == nil {
		parent = context.Background()
	}
	return context.WithDeadline(parent, shared.until(length))
}

// askResponders asks responders until one gives an answer that can be relied upon.
func (c *Checker) askResponders(ctx context.Context, urls []string, q *question) (*finding, error) {
	s := subjectOf(q.cert, q.issuer)
	a, err := once(ctx, c.Online, "ocsp "+hex.EncodeToString(s.issuer[:])+" "+hex.EncodeToString([]byte(s.serial)), patienceOCSP,
		func(ctx context.Context) (*answer, error) {
			// Somebody may have asked since we looked.
			if a := c.Online.answerTo(s, q.now); a != nil {
				return a, nil
			}
			var why doubt
			for i, url := range urls {
				share, cancel := context.WithTimeout(ctx, patienceOCSP/time.Duration(len(urls)-i+1))
				a, err := c.askResponder(share, url, q)
				cancel()
				if err == nil {
					return a, nil
				}
				why.note(unreachable(url, err))
			}
			return nil, why.err
		})
	if err != nil {
		return nil, err
	}
	f, err := c.inResponse(a.response, time.Time{}, q)
	if err == nil && f == nil {
		err = reason.New(reason.RevocationUnusable, reason.OCSPOtherCertificate)
	}
	if err != nil {
		return nil, err
	}
	f.used[0].Source = a.source
	return f, nil
}

// answerTo returns a remembered answer that is not due yet; nil if there is none.
func (o *Online) answerTo(s subject, now time.Time) *answer {
	o.mu.Lock()
	defer o.mu.Unlock()
	if a := o.cache.answers[s]; a != nil && now.Before(a.renew) {
		return a
	}
	return nil
}

// listAt returns a remembered list that is not due yet; nil if there is none.
func (o *Online) listAt(url string, now time.Time) *list {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l := o.cache.lists[url]; l != nil && now.Before(l.renew) {
		return l
	}
	return nil
}

// askResponder asks one responder, verifies the answer and remembers it.
func (c *Checker) askResponder(ctx context.Context, url string, q *question) (*answer, error) {
	if err := c.Online.allowed(url, q); err != nil {
		return nil, err
	}
	response, err := c.exchange(ctx, url, q)
	var f *finding
	if err == nil {
		here := *q
		here.ctx = ctx
		f, err = c.inResponse(response, time.Time{}, &here)
	}
	if err == nil && f == nil {
		err = reason.New(reason.RevocationUnusable, reason.OCSPOtherCertificate)
	}
	o := c.Online
	o.report(url, q, err)
	if err != nil {
		return nil, err
	}
	single, _ := response.Lookup(q.cert, q.issuer)
	a := &answer{response: response, this: single.ThisUpdate}
	o.mu.Lock()
	defer o.mu.Unlock()
	a.kept = o.keep(url, q, expiry(&single, q))
	if f.status.revoked && f.status.reason != crl.CertificateHold {
		a.drop = q.cert.NotAfter
	}
	o.cache.putAnswer(subjectOf(q.cert, q.issuer), a, q.now)
	return a, nil
}

// exchange sends a request with a fresh nonce and reads the response to it.
func (c *Checker) exchange(ctx context.Context, url string, q *question) (*ocsp.Response, error) {
	id, err := ocsp.NewID(ocsp.OIDSHA1, q.cert, q.issuer)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, ocsp.NonceSize)
	rand.Read(nonce) // never fails, by its contract
	request, err := ocsp.CreateRequest(nonce, id)
	if err != nil {
		return nil, err
	}
	body, err := c.Online.fetcher.OCSP(ctx, url, request)
	if err != nil {
		return nil, err
	}
	response, err := ocsp.Parse(body)
	if err != nil {
		return nil, err
	}
	absent := response.Nonce == nil
	if absent && q.policy.RequireNonce || !absent && !bytes.Equal(response.Nonce, nonce) {
		return nil, reason.New(reason.RevocationUnusable, reason.OCSPNonceMismatch)
	}
	return response, nil
}

// askPoints gets lists until they say something about the certificate: several may
// each be about a part of the reasons.
func (c *Checker) askPoints(ctx context.Context, urls []string, q *question) (*finding, error) {
	var why doubt
	var lists []*crl.List
	for _, url := range urls {
		l, err := once(ctx, c.Online, "crl "+url, patienceCRL, func(ctx context.Context) (*list, error) {
			return c.getList(ctx, url, q)
		})
		if err != nil {
			why.note(unreachable(url, err))
			continue
		}
		set := l.set
		if lists = append(lists, l.one); len(lists) > 1 {
			set = crl.NewSet(lists...)
		}
		f, err := c.inLists(set, url, q)
		if err == nil {
			return f, nil
		}
		why.note(err)
	}
	return nil, why.err
}

// getList gets one list and remembers it if it is of the issuer and of the right
// time. Any other that can be read is returned all the same: whom an old list revoked
// stays revoked.
func (c *Checker) getList(ctx context.Context, url string, q *question) (*list, error) {
	o := c.Online
	// Somebody may have asked since we looked.
	if l := o.listAt(url, q.now); l != nil {
		return l, nil
	}
	if err := o.allowed(url, q); err != nil {
		return nil, err
	}
	body, err := o.fetcher.CRL(ctx, url)
	if err != nil {
		o.report(url, q, err)
		return nil, err
	}
	one, err := crl.Parse(body)
	if err != nil {
		o.report(url, q, err)
		return nil, err
	}
	l := &list{set: crl.NewSet(one), one: one, issuer: q.issuer.SHA256(), kept: kept{source: url}}
	if one.Scope().Indirect && !bytes.Equal(one.RawIssuer(), q.issuer.RawSubject) {
		o.report(url, q, nil) // somebody else may sign it: see Authorities
		return l, nil
	}
	until := one.NextUpdate().Add(q.policy.Grace)
	err = one.CheckSignatureBy(c.Run, q.issuer)
	if err == nil && (one.ThisUpdate().After(q.now.Add(crl.ClockSkew)) || !q.now.Before(until)) {
		err = reason.RevocationStale
	}
	if err == nil && o.outdated(url, l) {
		err = reason.RevocationStale
	}
	o.report(url, q, err)
	if err != nil {
		return l, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	l.kept = o.keep(url, q, until)
	o.cache.putList(url, l, q.now)
	return l, nil
}

// outdated reports whether the list that was got from the same address before is a newer
// one. Lists have no nonce: whoever sits on the line could send one from before a
// revocation, as long as it is in force.
func (o *Online) outdated(url string, l *list) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	old := o.cache.lists[url]
	return old != nil && old.issuer == l.issuer && old.one.ThisUpdate().After(l.one.ThisUpdate())
}

// unreachable says which server gave no usable answer. What a server answered keeps
// its own reason if that tells more.
func unreachable(url string, err error) error {
	if code := reason.Of(err); sigalg.EngineFailed(err) || code == reason.CertUnknownToIssuer || code == reason.RevocationUnreachable {
		return err
	}
	return reason.New(reason.RevocationUnreachable, fmt.Errorf("%s: %w", url, err))
}
