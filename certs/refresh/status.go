package refresh

import (
	"maps"
	"slices"
	"strings"
	"time"

	"propusk/certs/fetch"
	"propusk/pki/reason"
)

// Status is what an operator wants to know about fetching.
type Status struct {
	// Ended is when the last pass ended; nil before the first one.
	Ended *time.Time `json:"ended,omitempty"`
	// Next is when something is due.
	Next time.Time `json:"next"`
	// Lists are the lists that are fetched, that of accredited CAs first.
	Lists []List `json:"lists"`
	// Failing is how many of them could not be had the last time.
	Failing int `json:"failing"`
	// Refused are the last answers that were no good, the newest last.
	Refused []Record `json:"refused"`
	// Counts are all such answers since the start, by code.
	Counts map[reason.Code]int `json:"counts"`
}

// List is one list that is fetched.
type List struct {
	// Kind is "tsl" or "crl".
	Kind string `json:"kind"`
	// CA is the name of the CA; empty for the list of accredited CAs, and where the
	// configuration names the address.
	CA   string   `json:"ca,omitempty"`
	URLs []string `json:"urls"`
	// Got is when a good one was had last, and From where.
	Got  *time.Time `json:"got,omitempty"`
	From string     `json:"from,omitempty"`
	// NextUpdate is that of the last good revocation list.
	NextUpdate *time.Time `json:"next_update,omitempty"`
	// Next is when it is fetched again.
	Next time.Time `json:"next"`
	// Failures is how many times in a row no address gave a good one, and Code why
	// the first of them did not.
	Failures int         `json:"failures"`
	Code     reason.Code `json:"code,omitempty"`
}

// Status returns a copy that the caller owns.
func (r *Refresher) Status() Status {
	next := r.next()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Status{
		Ended: pointer(r.ended), Next: next, Lists: []List{},
		Refused: slices.Concat([]Record{}, r.records), Counts: maps.Clone(r.counts),
	}
	for _, t := range r.all() {
		kind := "crl"
		if t.kind == fetch.TSL {
			kind = "tsl"
		}
		if t.failures > 0 {
			s.Failing++
		}
		s.Lists = append(s.Lists, List{
			Kind: kind, CA: t.name, URLs: slices.Clone(t.urls), Got: pointer(t.got), From: t.url,
			NextUpdate: pointer(t.nextUpdate), Next: t.next, Failures: t.failures, Code: t.code,
		})
	}
	slices.SortFunc(s.Lists, func(a, b List) int {
		if c := strings.Compare(b.Kind, a.Kind); c != 0 {
			return c
		}
		return strings.Compare(a.URLs[0], b.URLs[0])
	})
	return s
}

// Counts are the answers that were no good, by code, and how many lists could not be
// had the last time.
func (r *Refresher) Counts() (refused map[reason.Code]int, failing int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.all() {
		if t.failures > 0 {
			failing++
		}
	}
	return maps.Clone(r.counts), failing
}

func pointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
