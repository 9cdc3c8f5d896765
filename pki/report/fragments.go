package report

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Most of a document is the same in every other one: the names of checks and the norms
// that they rest on, what is said about a reason or a code. That is written once, and
// copied from then on; to look at each letter again, whether it needs an escape, would
// take most of the time.
//
// What is remembered is found by its content, all of it, so that it cannot be wrong. It
// is from closed sets and has nothing of a person.
type fragments struct {
	checks map[string][]writtenCheck // by the name
	texts  map[Text]string
	n      int // of all
}

// writtenCheck is a check without a detail, up to where that would begin.
type writtenCheck struct {
	check Check
	json  string
}

// Limits on what is remembered, should a set not be closed after all.
const (
	maxFragments = 1 << 12
	maxFragment  = 1 << 12 // bytes of one
)

// written are the fragments of this process. They do not change; who has new ones puts
// others in their place.
var written struct {
	atomic.Pointer[fragments]
	sync.Mutex // of those who do
}

// check returns a check, which must have no detail, as it was written before.
func (f *fragments) check(c *Check) (string, bool) {
	if f == nil {
		return "", false
	}
	same := f.checks[c.Name] // few: the statuses and reasons of one check
	for i := range same {
		if same[i].check == *c {
			return same[i].json, true
		}
	}
	return "", false
}

// text returns a text as it was written before.
func (f *fragments) text(t Text) (string, bool) {
	if f == nil {
		return "", false
	}
	s, ok := f.texts[t]
	return s, ok
}

// fresh are fragments that were not known when a document was begun.
type fresh struct {
	checks []writtenCheck
	texts  map[Text]string
}

func (f *fresh) check(c *Check, json []byte) {
	// The texts of other checks are found nowhere else, and not again.
	text, remedy := wordsOf(c.Code, c.Status)
	if c.Text == text && c.Remedy == remedy && len(json) <= maxFragment {
		f.checks = append(f.checks, writtenCheck{*c, string(json)})
	}
}

func (f *fresh) text(t Text, json []byte) {
	if len(json) > maxFragment {
		return
	}
	if f.texts == nil {
		f.texts = make(map[Text]string)
	}
	f.texts[t] = string(json)
}

// keep adds fresh fragments to those of the process.
func (f *fresh) keep() {
	if len(f.checks)+len(f.texts) == 0 {
		return
	}
	written.Lock()
	defer written.Unlock()
	old := written.Load()
	if old == nil {
		old = new(fragments)
	}
	if old.n >= maxFragments {
		return
	}
	all := &fragments{checks: make(map[string][]writtenCheck), texts: make(map[Text]string)}
	maps.Copy(all.checks, old.checks)
	maps.Copy(all.texts, old.texts)
	maps.Copy(all.texts, f.texts)
	for _, c := range f.checks {
		if _, ok := all.check(&c.check); !ok {
			// Clipped: others may be reading the slice.
			all.checks[c.check.Name] = append(slices.Clip(all.checks[c.check.Name]), c)
		}
	}
	all.n = old.n + len(f.checks) + len(f.texts) // rather too much
	written.Store(all)
}
