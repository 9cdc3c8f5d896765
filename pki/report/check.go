package report

import (
	"iter"
	"sync"

	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Check is one step of the verification. The texts belong to all documents: do not
// change what Text and Remedy point to.
type Check struct {
	Name   string         `json:"name"`
	Status verdict.Status `json:"status"`         // "passed", "failed", "indeterminate", "not-applicable"
	Code   reason.Code    `json:"code,omitempty"` // absent if passed
	Text   *Text          `json:"text,omitempty"` // absent if passed
	// Remedy is what to do about it, the second part of Text; absent if there is
	// nothing to do.
	Remedy *Text  `json:"remedy,omitempty"`
	Cite   string `json:"cite,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// checksOf makes the documents of the checks of a verdict.
func checksOf(v verdict.Verdict) []Check { return checks(v.Len(), v.All()) }

// checks makes the documents of n checks.
func checks(n int, all iter.Seq[verdict.Check]) []Check {
	out := make([]Check, 0, n)
	for c := range all {
		one := Check{Name: c.Name, Status: c.Status, Code: c.Reason, Cite: c.Cite, Detail: c.Detail}
		if c.Reason != "" {
			one.Text, one.Remedy = wordsOf(c.Reason, c.Status)
		}
		out = append(out, one)
	}
	return out
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
