package facts

import (
	"hash/maphash"
	"sync"
)

// shards is how many parts a recent has, each with a lock of its own.
const shards = 16

// recent is a map that forgets what was not asked for longest, roughly: each part has
// two generations. What is asked for moves into the young one; when that is full it
// becomes the old one, and what is in neither is gone.
type recent[K comparable, V any] struct {
	seed  maphash.Seed
	limit int // of one generation of one part
	parts [shards]part[K, V]
}

type part[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]V
}

// newRecent returns an empty map for up to so many, no fewer than half of which are
// kept.
func newRecent[K comparable, V any](limit int) *recent[K, V] {
	return &recent[K, V]{seed: maphash.MakeSeed(), limit: max(1, limit/(2*shards))}
}

func (r *recent[K, V]) get(key K) (value V, ok bool) {
	p := r.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	if value, ok = p.young[key]; ok {
		return value, true
	}
	if value, ok = p.old[key]; ok {
		p.put(key, value, r.limit)
	}
	return value, ok
}

func (r *recent[K, V]) put(key K, value V) {
	p := r.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(key, value, r.limit)
}

func (r *recent[K, V]) part(key K) *part[K, V] {
	return &r.parts[maphash.Comparable(r.seed, key)%shards]
}

func (p *part[K, V]) put(key K, value V, limit int) {
	if len(p.young) >= limit {
		p.old, p.young = p.young, nil
	}
	if p.young == nil {
		p.young = make(map[K]V)
	}
	delete(p.old, key)
	p.young[key] = value
}

// len is how many there are.
func (r *recent[K, V]) len() int {
	n := 0
	for i := range r.parts {
		p := &r.parts[i]
		p.mu.Lock()
		n += len(p.young) + len(p.old)
		p.mu.Unlock()
	}
	return n
}
