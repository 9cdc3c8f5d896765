package report

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Most of a document is the same in every other one: the names of checks and the norms
// that they rest on, what is said about a reason or a code. That is written once, and
// copied from then on; to look at each letter again, whether it needs an escape, would
// take most of the time. For checks see [Step]; this is about texts.
//
// Texts are found by their content, so that what is remembered cannot be wrong. They are
// from closed sets and say nothing of a person.
type fragments map[Text]string

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

// text returns a text as it was written before.
func (f *fragments) text(t Text) (string, bool) {
	if f == nil {
		return "", false
	}
	s, ok := (*f)[t]
	return s, ok
}

// add remembers a text.
func (f *fragments) add(t Text, json []byte) {
	if len(json) > maxFragment {
		return
	}
	if *f == nil {
		*f = make(fragments)
	}
	(*f)[t] = string(json)
}

// keep adds fresh fragments to those of the process.
func (f *fragments) keep() {
	if len(*f) == 0 {
		return
	}
	written.Lock()
	defer written.Unlock()
	all := make(fragments)
	if old := written.Load(); old != nil {
		if len(*old) >= maxFragments {
			return
		}
		maps.Copy(all, *old)
	}
	maps.Copy(all, *f)
	written.Store(&all)
}
