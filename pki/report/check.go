package report

import (
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Check is one step of the verification and what it found.
type Check struct {
	*Step         // never nil
	Detail string `json:"detail,omitempty"`
}

// Step is a check without what it found: nearly the same few in all documents. A Step
// that this package made belongs to all of them and must not be changed.
type Step struct {
	Name   string         `json:"name"`
	Status verdict.Status `json:"status"`         // "passed", "failed", "indeterminate", "not-applicable"
	Code   reason.Code    `json:"code,omitempty"` // absent if passed
	Text   *Text          `json:"text,omitempty"` // absent if passed
	// Remedy is what to do about it, the second part of Text; absent if there is
	// nothing to do.
	Remedy *Text  `json:"remedy,omitempty"`
	Cite   string `json:"cite,omitempty"`

	written string // the above in JSON, without the brackets; empty if nobody wrote it yet
}

// checksOf makes the documents of the checks of a verdict.
func checksOf(v verdict.Verdict) []Check { return checks(v.Len(), v.All()) }

// checks makes the documents of n checks.
func checks(n int, all iter.Seq[verdict.Check]) []Check {
	out, known := make([]Check, 0, n), steps.Load()
	for c := range all {
		step := known.find(&c)
		if step == nil {
			step = steps.add(&c)
		}
		out = append(out, Check{step, c.Detail})
	}
	return out
}

// newStep makes the step of a check.
func newStep(c *verdict.Check) *Step {
	s := &Step{Name: c.Name, Status: c.Status, Code: c.Reason, Cite: c.Cite}
	s.Text, s.Remedy = wordsOf(c.Reason, c.Status)
	return s
}

// knownSteps are steps by their name: few for each, its statuses and reasons. They do
// not change.
type knownSteps map[string][]*Step

// find returns the step of a check; nil if it is not known.
func (k *knownSteps) find(c *verdict.Check) *Step {
	if k == nil {
		return nil
	}
	for _, s := range (*k)[c.Name] {
		if s.Status == c.Status && s.Code == c.Reason && s.Cite == c.Cite {
			return s
		}
	}
	return nil
}

// maxSteps is how many steps are kept. There are some hundreds.
const maxSteps = 1 << 12

// stepMemory holds the steps of all documents.
type stepMemory struct {
	atomic.Pointer[knownSteps]
	mu sync.Mutex // of those who add
	n  int
}

var steps stepMemory

// add returns the step of a check that was not known, and keeps it.
func (m *stepMemory) add(c *verdict.Check) *Step {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.Load()
	if s := old.find(c); s != nil {
		return s // of somebody who was faster
	}
	s := newStep(c)
	if m.n >= maxSteps {
		return s
	}
	m.n++
	w := jsonWriter{b: []byte{'{'}}
	w.step(s)
	s.written = string(w.b[1:])
	next := knownSteps{}
	if old != nil {
		maps.Copy(next, *old)
	}
	next[s.Name] = append(slices.Clip(next[s.Name]), s) // clipped: others may be reading the slice
	m.Store(&next)
	return s
}

// wordsOf returns what is said about a check that did not pass; nil if nothing is.
func wordsOf(code reason.Code, s verdict.Status) (text, remedy *Text) {
	w := wordings()[code]
	if w == nil {
		return nil, nil
	}
	if s == verdict.NotApplicable {
		return &w.text, nil
	}
	return &w.text, &w.remedy
}

// wording is what checks say about a reason.
type wording struct{ text, remedy Text }

// wordings is the catalogue of reasons in the words of checks, made once.
var wordings = sync.OnceValue(func() map[reason.Code]*wording {
	m := make(map[reason.Code]*wording)
	for _, e := range reason.All() {
		ru, en := e.Remedy()
		m[e.Code] = &wording{Text{RU: e.RU, EN: e.EN}, Text{RU: ru, EN: en}}
	}
	return m
})
