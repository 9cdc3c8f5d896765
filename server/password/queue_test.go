package password

import (
	"errors"
	"testing"
	"time"

	"propusk/pki/reason"
)

// TestPrefer: when strangers fill the queue, and stand before the desks, who is known gets
// through, and strangers are told that the server is busy.
func TestPrefer(t *testing.T) {
	h, err := New(Options{Params: Params{Memory: minMemory, Time: 1}, Concurrent: 1, Waiting: 1, Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := h.Hash(t.Context(), "Дуб-над-рекой-7")
	if err != nil {
		t.Fatal(err)
	}
	verify := func(name string, busy bool) {
		t.Helper()
		if ok, _, err := h.Verify(Prefer(t.Context()), hash, "Дуб-над-рекой-7"); !ok || err != nil {
			t.Errorf("%s: who is known: %v, %v", name, ok, err)
		}
		if _, _, err := h.Verify(t.Context(), hash, "Дуб-над-рекой-7"); busy != errors.Is(err, reason.ServerBusy) {
			t.Errorf("%s: a stranger: %v", name, err)
		}
	}
	verify("nobody waits", false)
	h.line <- struct{}{}
	verify("a stranger is next", true)
	<-h.line
	for range cap(h.queue) {
		h.queue <- struct{}{}
	}
	verify("the queue is full", true)
	for range cap(h.queue) {
		<-h.queue
	}
	verify("nobody waits any more", false)
}
