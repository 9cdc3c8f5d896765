// Package session keeps things for a limited time under keys that nobody can
// guess: one-time tickets, authorization codes, access tokens.
//
// Keys are 256 bits from crypto/rand. Only their SHA-256 is kept, so a memory
// dump or a log of the store gives no key that works.
package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"sync"
	"time"
)

// keyBytes is the length of a key before encoding, in bytes.
const keyBytes = 32

// Store keeps values of one sort, each for the same life. It is safe for
// concurrent use. Make it with New.
type Store[V any] struct {
	limit int
	life  time.Duration
	now   func() time.Time

	mu      sync.Mutex
	entries map[digest]*entry[V]
	queue   []*entry[V] // in the order of insertion, which is that of expiry
}

// digest is the SHA-256 of a key.
type digest [sha256.Size]byte

type entry[V any] struct {
	id    digest
	until time.Time
	value V
	gone  bool // no longer in entries
}

// New returns an empty store of at most limit values that live for life.
func New[V any](limit int, life time.Duration, now func() time.Time) *Store[V] {
	return &Store[V]{limit: limit, life: life, now: now, entries: make(map[digest]*entry[V])}
}

// NewKey returns a fresh key: 256 random bits, base64url without padding.
func NewKey() string {
	var b [keyBytes]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Put keeps v under a fresh key. It returns false when the store is full: a
// store that forgot its oldest values instead would let a flood cancel the
// sign-ins of others.
func (s *Store[V]) Put(v V) (key string, ok bool) {
	key = NewKey()
	return key, s.PutAs(key, v)
}

// PutAs keeps v under a key that the caller made, which must be unguessable. It
// returns false when the store is full or has the key already.
func (s *Store[V]) PutAs(key string, v V) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.sweep(now)
	id := digest(sha256.Sum256([]byte(key)))
	if _, taken := s.entries[id]; taken || len(s.entries) >= s.limit {
		return false
	}
	e := &entry[V]{id: id, until: now.Add(s.life), value: v}
	s.entries[id] = e
	s.queue = append(s.queue, e)
	return true
}

// Get returns the value under key, if it is there and its time is not over.
func (s *Store[V]) Get(key string) (V, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(s.now())
	if e, ok := s.entries[sha256.Sum256([]byte(key))]; ok {
		return e.value, true
	}
	var none V
	return none, false
}

// Take returns the value under key and forgets it. Of several callers with the
// same key exactly one gets the value.
func (s *Store[V]) Take(key string) (V, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(s.now())
	if e, ok := s.entries[sha256.Sum256([]byte(key))]; ok {
		v := e.value
		s.remove(e)
		return v, true
	}
	var none V
	return none, false
}

// TakeWhere forgets every value for which match is true, and returns how many.
func (s *Store[V]) TakeWhere(match func(V) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, e := range s.queue {
		if !e.gone && match(e.value) {
			s.remove(e)
			n++
		}
	}
	return n
}

// Len returns how many values are alive.
func (s *Store[V]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(s.now())
	return len(s.entries)
}

// sweep forgets what is over: the front of the queue, up to the first value that
// is still alive. When most of the queue was taken early, it is packed, so it is
// never much longer than the map.
func (s *Store[V]) sweep(now time.Time) {
	n := 0
	for n < len(s.queue) && (s.queue[n].gone || !now.Before(s.queue[n].until)) {
		s.remove(s.queue[n])
		n++
	}
	s.queue = slices.Delete(s.queue, 0, n)
	if len(s.queue) > 2*len(s.entries)+64 {
		s.queue = slices.DeleteFunc(s.queue, func(e *entry[V]) bool { return e.gone })
	}
}

// remove forgets e; its place in the queue stays until the next sweep.
func (s *Store[V]) remove(e *entry[V]) {
	if e.gone {
		return
	}
	delete(s.entries, e.id)
	var none V
	e.value, e.gone = none, true
}
