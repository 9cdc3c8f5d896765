package refresh

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"propusk/certs"
	"propusk/certs/fetch"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/tsl"
)

// Limits of what is remembered.
const (
	maxTargets = 4096 // revocation lists
	maxURLs    = 16   // of one list
	maxRecords = 256  // of answers that were no good
)

// patience is how many times longer than usual a list may be left alone that could
// not be had for so long that the last one is due, or ever.
const patience = 8

// target is one list and its addresses. Fields below the line are guarded by
// Refresher.mu; during a pass only that pass touches the others.
type target struct {
	kind fetch.Kind
	name string // of the CA, for people; empty for the list of accredited CAs
	want certs.Wanted
	urls []string

	versions map[string]fetch.Version // by address
	freshest []string                 // addresses of delta lists

	next                   time.Time // when it is due; zero means now
	got                    time.Time // when a good one was had last
	thisUpdate, nextUpdate time.Time
	failures               int // in a row
	code                   reason.Code
	url                    string // where the last good one was
}

// result is what fetching one list came to.
type result struct {
	changed, failed bool
	code            reason.Code // of the first failure, if no address was good
	url             string
	offered         certs.Offered
}

// fetch tries the addresses of a list until one gives a good one.
func (r *Refresher) fetch(ctx context.Context, t *target) result {
	budget := r.opts.Budget
	if t.kind == fetch.TSL {
		budget = max(budget, 5*time.Minute)
	}
	bounded, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	failed := result{failed: true, code: reason.FetchURLNotAllowed}
	for i, url := range t.urls {
		res, err := r.one(bounded, t, url)
		if err == nil {
			return res
		}
		if ctx.Err() != nil {
			return failed // of the program ending, nothing is to be learnt
		}
		r.record(t, url, err)
		if i == 0 || failed.code == reason.FetchURLNotAllowed {
			failed.code = reason.Of(err)
		}
	}
	return failed
}

// one asks one address and offers the answer.
func (r *Refresher) one(ctx context.Context, t *target, url string) (result, error) {
	answer, err := r.opts.Getter.Get(ctx, t.kind, url, r.version(t, url))
	if err != nil {
		return result{}, err
	}
	res := result{url: url}
	switch {
	case answer.Unchanged:
		res.offered = certs.Offered{ThisUpdate: t.thisUpdate, NextUpdate: t.nextUpdate, Freshest: t.freshest}
		return res, nil
	case t.kind == fetch.TSL:
		res.changed, err = r.opts.Store.OfferTSL(ctx, answer.Data)
	default:
		res.offered, err = r.opts.Store.OfferCRL(answer.Data, t.want)
		res.changed = res.offered.Changed
	}
	if err != nil {
		return result{}, err
	}
	if t.versions == nil {
		t.versions = make(map[string]fetch.Version)
	}
	t.versions[url] = answer.Version
	return res, nil
}

// version is what a server is asked about: nothing, once the list that is at hand
// is due or was not had from there, so that no server can hold it back by saying
// that nothing has changed.
func (r *Refresher) version(t *target, url string) fetch.Version {
	if t.got.IsZero() || url != t.url || t.kind == fetch.CRL && !r.opts.Now().Before(t.nextUpdate) {
		return fetch.Version{}
	}
	return t.versions[url]
}

// schedule notes a result and says when the list is due again.
func (r *Refresher) schedule(t *target, res result) {
	now := r.opts.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	interval := r.opts.Interval
	if t.kind == fetch.TSL {
		interval = r.opts.ListInterval
	}
	if res.failed {
		t.failures++
		t.code = res.code
		limit := interval
		if t.kind == fetch.CRL && !now.Before(t.nextUpdate) {
			limit *= patience // there is nothing left to be kept fresh; the servers of CAs that are gone hang
		}
		t.next = now.Add(r.jitter(min(r.opts.MinInterval<<min(t.failures-1, 10), limit)))
		return
	}
	t.failures, t.code, t.got, t.url = 0, "", now, res.url
	wait := interval
	if t.kind == fetch.CRL {
		t.thisUpdate, t.nextUpdate, t.freshest = res.offered.ThisUpdate, res.offered.NextUpdate, res.offered.Freshest
		// Well before it is due, and often enough to see a list that came early.
		wait = max(min(t.nextUpdate.Sub(now)*3/4, interval), r.opts.MinInterval)
	}
	t.next = now.Add(r.jitter(wait))
}

// jitter varies a wait by a tenth, so that many gateways do not ask at once.
func (r *Refresher) jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*r.random()))
}

// due reports whether a list is to be fetched.
func (r *Refresher) due(t *target) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.opts.Now().Before(t.next)
}

// next is when the first list is due.
func (r *Refresher) next() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.opts.Now().Add(r.opts.Interval)
	for _, t := range r.all() {
		if t.next.Before(first) {
			first = t.next
		}
	}
	return first
}

// all returns all targets. The caller holds mu.
func (r *Refresher) all() []*target {
	all := make([]*target, 0, len(r.crls)+1)
	if r.list != nil {
		all = append(all, r.list)
	}
	for _, t := range r.crls {
		all = append(all, t)
	}
	return all
}

// sorted returns the revocation lists, those that wait longest first.
func (r *Refresher) sorted() []*target {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*target
	for _, t := range r.crls {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *target) int {
		if c := a.next.Compare(b.next); c != 0 {
			return c
		}
		return strings.Compare(a.key(), b.key())
	})
	return all
}

// key names a list by its CA and its first address.
func (t *target) key() string { return keyOf(t.want, t.urls[0]) }

func keyOf(want certs.Wanted, url string) string {
	return hex.EncodeToString(want.KeyID) + " " + hex.EncodeToString(want.Issuer) + " " + url
}

// Record is an answer that was no good.
type Record struct {
	At  time.Time `json:"at"`
	URL string    `json:"url"`
	// CA is the name of the CA whose list was wanted, empty for the list of
	// accredited CAs.
	CA   string      `json:"ca,omitempty"`
	Code reason.Code `json:"code"`
	// Cause is what exactly was wrong. It contains no personal data.
	Cause string `json:"cause"`
}

// record remembers an answer that was no good, and logs it if the list was good so
// far.
func (r *Refresher) record(t *target, url string, err error) {
	rec := Record{At: r.opts.Now(), URL: url, CA: t.name, Code: reason.Of(err), Cause: causeOf(err)}
	r.mu.Lock()
	if len(r.records) >= maxRecords {
		r.records = slices.Delete(r.records, 0, 1)
	}
	r.records = append(r.records, rec)
	r.counts[rec.Code]++
	first := t.failures == 0
	r.mu.Unlock()
	level := slog.LevelDebug
	if first && rec.Code != reason.FetchURLNotAllowed {
		level = slog.LevelWarn
	}
	r.opts.Log.LogAttrs(context.Background(), level, "trust data not fetched; the last good ones stay",
		slog.String("url", url), slog.String("code", string(rec.Code)), slog.String("err", rec.Cause))
}

// maxCause bounds the text of a record, in bytes.
const maxCause = 300

// causeOf is the text of an error without its code.
func causeOf(err error) string {
	text := err.Error()
	if coded, ok := errors.AsType[*reason.Error](err); ok && coded.Err != nil {
		text = coded.Err.Error()
	}
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "…"
	}
	return text
}

// discover makes targets of all addresses that are known now. A target that was
// there keeps what is remembered of it.
func (r *Refresher) discover() {
	snap := r.opts.Store.Current()
	var found []*target
	for _, url := range r.opts.CRLURLs {
		found = append(found, &target{urls: []string{url}})
	}
	if !r.opts.NoDiscovered {
		found = append(found, r.discovered(snap)...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.crls {
		if len(t.freshest) > 0 && !r.opts.NoDiscovered {
			found = append(found, &target{name: t.name, want: t.want, urls: t.freshest})
		}
	}
	next := make(map[string]*target)
	for _, t := range merge(found) {
		if len(next) >= maxTargets {
			break
		}
		t.kind = fetch.CRL
		key := t.key()
		if old := r.crls[key]; old != nil {
			old.urls, old.name = t.urls, t.name
			t = old
		}
		next[key] = t
	}
	r.crls = next
}

// discovered collects the addresses of the list of accredited CAs, of CA
// certificates and of certificates that were judged.
func (r *Refresher) discovered(snap *certs.Snapshot) []*target {
	now := r.opts.Now()
	var found []*target
	list := snap.Trust().Accredited
	if list != nil {
		for _, ca := range list.Content().CAs {
			for key := range ca.Keys() {
				if urls := httpOnly(key.CRLs); len(urls) > 0 {
					if c := ofKey(snap, key, now); c != nil {
						found = append(found, &target{name: ca.Name, want: wantedFrom(c), urls: urls})
					}
				}
			}
		}
	}
	if r.opts.AllowListed {
		r.opts.Getter.Allow(Addresses(list))
	}
	trusted := snap.Trust()
	for _, c := range trusted.Intermediates.Certificates() {
		if urls := httpOnly(c.CRLDistributionPoints); len(urls) > 0 && now.Before(c.NotAfter) {
			want := certs.Wanted{KeyID: c.AuthorityKeyID.KeyID}
			if !snap.HasKey(want.KeyID, now) { // some name it otherwise than the CA does
				want = certs.Wanted{Issuer: c.RawIssuer}
			}
			found = append(found, &target{name: c.Issuer.Get(gostx509.OIDCommonName), want: want, urls: urls})
		}
	}
	found = append(found, r.seen.targets()...)
	// Of strangers' addresses only those are kept that may be asked at all.
	return slices.DeleteFunc(found, func(t *target) bool {
		t.urls = slices.DeleteFunc(t.urls, func(url string) bool { return r.opts.Getter.Allowed(url) != nil })
		return len(t.urls) == 0
	})
}

// ofKey returns a certificate of a key that has not expired; nil if there is none.
func ofKey(snap *certs.Snapshot, key *tsl.Key, now time.Time) *gostx509.Certificate {
	for i := range key.Certificates {
		if c := snap.Authority(key.Certificates[i].Thumbprint); c != nil && now.Before(c.NotAfter) {
			return c
		}
	}
	return nil
}

// wantedFrom asks for the list of a CA, known by its certificate.
func wantedFrom(ca *gostx509.Certificate) certs.Wanted {
	if len(ca.SubjectKeyID) > 0 {
		return certs.Wanted{KeyID: ca.SubjectKeyID}
	}
	return certs.Wanted{Issuer: ca.RawSubject}
}

// Addresses are those of revocation lists that stand in a list of accredited CAs; a
// nil list has none.
func Addresses(list *tsl.List) []string {
	var all []string
	if list == nil {
		return nil
	}
	for _, ca := range list.Content().CAs {
		for key := range ca.Keys() {
			all = append(all, httpOnly(key.CRLs)...)
		}
	}
	return all
}

// httpOnly returns the addresses that can be asked, each once. Many certificates
// name LDAP servers and files as well.
func httpOnly(urls []string) []string {
	var all []string
	for _, url := range urls {
		lower := strings.ToLower(url)
		if (strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")) && !slices.Contains(all, url) && len(all) < maxURLs {
			all = append(all, url)
		}
	}
	return all
}

// merge makes one of targets that want the list of one CA and share an address, so
// that mirrors of a list are tried together. Partial lists of a CA, which share
// none, stay apart.
func merge(found []*target) []*target {
	var groups []*target
	at := make(map[string]*target) // by keyOf
	for _, t := range found {
		group := &target{name: t.name, want: t.want}
		for _, url := range t.urls {
			if other := at[keyOf(t.want, url)]; other != nil && other != group {
				other.urls = union(other.urls, group.urls)
				for _, u := range group.urls {
					at[keyOf(t.want, u)] = other
				}
				groups = slices.DeleteFunc(groups, func(g *target) bool { return g == group })
				group = other
			}
			if len(group.urls) < maxURLs {
				group.urls = union(group.urls, []string{url})
				at[keyOf(t.want, url)] = group
			}
		}
		if len(group.urls) > 0 && !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	return groups
}

// union appends what is not there yet.
func union(to, more []string) []string {
	for _, url := range more {
		if !slices.Contains(to, url) {
			to = append(to, url)
		}
	}
	return to
}
