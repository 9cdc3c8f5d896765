package session

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a time that the test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newStore(limit int) (*Store[string], *clock) {
	c := &clock{time.Unix(1e9, 0)}
	return New[string](limit, time.Minute, c.now), c
}

func put(t *testing.T, s *Store[string], v string) string {
	t.Helper()
	key, ok := s.Put(v)
	if !ok {
		t.Fatalf("Put(%q): the store is full", v)
	}
	return key
}

func TestTakeGivesOnce(t *testing.T) {
	s, _ := newStore(10)
	key := put(t, s, "a")
	if v, ok := s.Get(key); !ok || v != "a" {
		t.Fatalf("Get = %q, %v", v, ok)
	}
	if v, ok := s.Take(key); !ok || v != "a" {
		t.Fatalf("Take = %q, %v", v, ok)
	}
	if v, ok := s.Take(key); ok || v != "" {
		t.Errorf("second Take = %q, %v", v, ok)
	}
	if _, ok := s.Get(key); ok {
		t.Error("Get finds what was taken")
	}
}

func TestLife(t *testing.T) {
	s, c := newStore(10)
	key := put(t, s, "a")
	c.t = c.t.Add(time.Minute - 1)
	if _, ok := s.Get(key); !ok {
		t.Error("gone one nanosecond before its time")
	}
	c.t = c.t.Add(1)
	if _, ok := s.Get(key); ok {
		t.Error("still there when its time is over")
	}
	if n := s.Len(); n != 0 {
		t.Errorf("Len = %d, want 0", n)
	}
}

func TestFullStoreKeepsWhatItHas(t *testing.T) {
	s, c := newStore(2)
	first := put(t, s, "a")
	put(t, s, "b")
	if _, ok := s.Put("c"); ok {
		t.Error("Put into a full store")
	}
	if _, ok := s.Get(first); !ok {
		t.Error("a full store forgot its oldest value")
	}
	c.t = c.t.Add(time.Minute)
	put(t, s, "c")
}

func TestPutAsRefusesTakenKey(t *testing.T) {
	s, _ := newStore(2)
	if !s.PutAs("key", "a") || s.PutAs("key", "b") {
		t.Error("PutAs must refuse a key that is there")
	}
	if v, _ := s.Get("key"); v != "a" {
		t.Errorf("Get = %q, want the first value", v)
	}
}

func TestTakeWhere(t *testing.T) {
	s, _ := newStore(10)
	a, b := put(t, s, "a"), put(t, s, "b")
	if n := s.TakeWhere(func(v string) bool { return v == "a" }); n != 1 {
		t.Errorf("TakeWhere = %d, want 1", n)
	}
	if _, ok := s.Get(a); ok {
		t.Error("a is still there")
	}
	if _, ok := s.Get(b); !ok {
		t.Error("b is gone too")
	}
}

// TestQueueStaysShort puts and takes without end: the queue of expiry must not
// grow with what was taken.
func TestQueueStaysShort(t *testing.T) {
	s, _ := newStore(10)
	keep := put(t, s, "keep")
	for i := range 10000 {
		s.Take(put(t, s, fmt.Sprint(i)))
	}
	if n := len(s.queue); n > 100 {
		t.Errorf("the queue has %d places for one value", n)
	}
	if _, ok := s.Get(keep); !ok {
		t.Error("packing the queue lost a value")
	}
}

func TestKeysAreNotKept(t *testing.T) {
	s, _ := newStore(10)
	key := put(t, s, "a")
	if len(key) < 22 { // 128 bits in base64
		t.Errorf("the key %q is too short", key)
	}
	for id := range s.entries {
		if string(id[:]) == key {
			t.Error("the store keeps the key itself")
		}
	}
}

func TestConcurrentTakeHasOneWinner(t *testing.T) {
	s, _ := newStore(10)
	key := put(t, s, "a")
	var winners atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, ok := s.Take(key); ok {
				winners.Add(1)
			}
		})
	}
	wg.Wait()
	if n := winners.Load(); n != 1 {
		t.Errorf("%d goroutines took the value", n)
	}
}
