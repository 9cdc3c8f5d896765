package gost3410

import (
	"container/list"
	"hash/maphash"
	"sync"

	"propusk/gost/gost3410/internal/ec"
	"propusk/gost/gost3410/internal/scalar"
)

// tableAfter is how many good signatures of a key make its table worth while: it
// costs as much as ten to twenty verifications, and saves three quarters of each.
const tableAfter = 3

// candidatesPerTable is how many keys without a table are counted for each table
// that may be kept.
const candidatesPerTable = 8

// cacheShards is how many parts a cache has at most, each with a lock of its own.
const cacheShards = 16

// tablesPerShard is how many tables there are at least to a part. With fewer, keys that
// fall into the same part by chance would drive each other out although there is room.
const tablesPerShard = 16

// KeyCache verifies signatures and keeps tables of multiples for the keys that come
// back: certification authorities, users who return. With a table a verification
// takes about a quarter of the time. A cache is bounded: what was not used for
// longest goes first. It only knows public values, and never changes a result.
//
// With AVX-512 IFMA, a table takes 65 KB for keys of 256 bits and 330 KB for keys of 512
// bits on the curves that the package comment names. Otherwise it is up to 270 KB and
// 1.1 MB.
//
// A KeyCache is safe for concurrent use; the zero value and nil keep nothing.
type KeyCache struct {
	seed   maphash.Seed
	shards []cacheShard
}

// cacheShard is one part of a cache: two lists, the most recently used first.
type cacheShard struct {
	mu         sync.Mutex
	tables     recent[ec.Table]
	candidates recent[int] // how many good signatures were seen
}

// cacheKey is a public key. The curve is part of it, because the same coordinates may
// be on two.
type cacheKey struct {
	curve *Curve
	raw   [128]byte
}

// NewKeyCache returns an empty cache for up to the given number of tables, or for none
// if it is not positive. A cache for 32 or more may keep a few more: the number is
// rounded up to a multiple of its parts, of which there are at most 16.
func NewKeyCache(tables int) *KeyCache {
	tables = max(tables, 0)
	c := &KeyCache{
		seed:   maphash.MakeSeed(),
		shards: make([]cacheShard, min(max(tables/tablesPerShard, 1), cacheShards)),
	}
	limit := tables / len(c.shards)
	if tables > limit*len(c.shards) {
		limit++
	}
	for i := range c.shards {
		c.shards[i].tables.limit = limit
		c.shards[i].candidates.limit = limit * candidatesPerTable
	}
	return c
}

// Verify is [PublicKey.Verify] of the key.
func (c *KeyCache) Verify(k *PublicKey, digest, sig []byte) bool {
	n, ok := k.parse(digest, sig)
	if !ok {
		return false
	}
	z1, z2 := n.scalars(k.curve.order, k.curve.order.InverseVartime(n.e))
	return c.verify(k, n.r, z1, z2)
}

// verify ends a verification.
func (c *KeyCache) verify(k *PublicKey, r, z1, z2 scalar.Nat) bool {
	p := c.place(k)
	if table, ok := p.table(); ok {
		return table.VerifyX(r, z1, z2)
	}
	if !k.curve.verifyX(r, z1, z2, k.raw) {
		return false // keys are worth as much as what they signed
	}
	p.learn(k)
	return true
}

// place is where a key is kept, or would be. The zero value is nowhere.
type place struct {
	shard *cacheShard
	key   cacheKey
}

// place returns the place of a key.
func (c *KeyCache) place(k *PublicKey) (p place) {
	if c == nil || len(c.shards) == 0 || c.shards[0].tables.limit == 0 {
		return p
	}
	p.key.curve = k.curve
	copy(p.key.raw[:], k.raw)
	p.shard = &c.shards[maphash.Comparable(c.seed, p.key)%uint64(len(c.shards))]
	return p
}

// table returns the table of the key, if there is one.
func (p *place) table() (ec.Table, bool) {
	if p.shard == nil {
		return nil, false
	}
	return p.shard.table(p.key)
}

// learn counts a good signature, and makes the table if it is time.
func (p *place) learn(k *PublicKey) {
	if p.shard != nil && p.shard.count(p.key) {
		// Not under the lock: it takes long, and the worst that can happen is that
		// two goroutines do it.
		p.shard.keep(p.key, k.curve.newTable(k.raw))
	}
}

// table returns the table of a key, if there is one.
func (s *cacheShard) table(key cacheKey) (ec.Table, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tables.get(key)
}

// count counts a good signature, and reports whether it is time for a table. It is not
// if there is one: a batch, or another goroutine, may have made it meanwhile.
func (s *cacheShard) count(key cacheKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.tables.get(key); ok {
		return false
	}
	n, _ := s.candidates.get(key)
	if n+1 < tableAfter {
		s.candidates.put(key, n+1)
		return false
	}
	s.candidates.remove(key)
	return true
}

// keep puts a table into the cache.
func (s *cacheShard) keep(key cacheKey, table ec.Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables.put(key, table)
}

// recent is a map that forgets what was not used for longest.
type recent[V any] struct {
	limit int
	order list.List // of *item[V], the last one used first
	items map[cacheKey]*list.Element
}

type item[V any] struct {
	key   cacheKey
	value V
}

// at returns what an element of order holds: put puts nothing else there.
func (r *recent[V]) at(e *list.Element) *item[V] {
	it, _ := e.Value.(*item[V])
	return it
}

func (r *recent[V]) get(key cacheKey) (value V, ok bool) {
	e, ok := r.items[key]
	if !ok {
		return value, false
	}
	r.order.MoveToFront(e)
	return r.at(e).value, true
}

func (r *recent[V]) put(key cacheKey, value V) {
	r.remove(key)
	for r.order.Len() >= r.limit {
		r.remove(r.at(r.order.Back()).key)
	}
	if r.items == nil {
		r.items = map[cacheKey]*list.Element{}
	}
	r.items[key] = r.order.PushFront(&item[V]{key, value})
}

func (r *recent[V]) remove(key cacheKey) {
	if e, ok := r.items[key]; ok {
		r.order.Remove(e)
		delete(r.items, key)
	}
}
