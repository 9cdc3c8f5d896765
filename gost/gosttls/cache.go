package gosttls

import (
	"slices"
	"sync"
)

// lru is a map that holds at most max entries and drops the one that was not used for
// the longest time. It is not safe for several goroutines.
type lru[K comparable, V any] struct {
	max int
	at  map[K]*entry[K, V]

	// ring is the entry that is none, between the one used last and the one not
	// used for longest.
	ring entry[K, V]

	// dropped is told about every entry that goes.
	dropped func(K, V)
}

type entry[K comparable, V any] struct {
	key          K
	value        V
	newer, older *entry[K, V]
}

// newLRU returns an empty one. One entry is the least.
func newLRU[K comparable, V any](size int, dropped func(K, V)) *lru[K, V] {
	c := &lru[K, V]{max: max(size, 1), at: make(map[K]*entry[K, V]), dropped: dropped}
	c.ring.newer, c.ring.older = &c.ring, &c.ring
	return c
}

func (c *lru[K, V]) get(key K) (value V, ok bool) {
	e, ok := c.at[key]
	if !ok {
		return value, false
	}
	e.unlink()
	c.link(e)
	return e.value, true
}

func (c *lru[K, V]) put(key K, value V) {
	c.drop(key)
	if len(c.at) >= c.max {
		c.drop(c.ring.newer.key)
	}
	e := &entry[K, V]{key: key, value: value}
	c.at[key] = e
	c.link(e)
}

func (c *lru[K, V]) drop(key K) {
	e, ok := c.at[key]
	if !ok {
		return
	}
	delete(c.at, key)
	e.unlink()
	c.dropped(e.key, e.value)
}

// link makes an entry the one used last.
func (c *lru[K, V]) link(e *entry[K, V]) {
	e.newer, e.older = &c.ring, c.ring.older
	e.newer.older, e.older.newer = e, e
}

func (e *entry[K, V]) unlink() { e.newer.older, e.older.newer = e.older, e.newer }

// memoryCache is a SessionCache in memory.
type memoryCache struct {
	mu       sync.Mutex
	sessions *lru[[sessionIDSize]byte, CachedSession]
	byHandle map[SessionHandle][][sessionIDSize]byte
}

// NewSessionCache returns a [SessionCache] in the memory of this process, for at most n
// sessions. The one that was not used for the longest time goes first.
func NewSessionCache(n int) SessionCache { return newMemoryCache(n) }

func newMemoryCache(n int) *memoryCache {
	c := &memoryCache{byHandle: make(map[SessionHandle][][sessionIDSize]byte)}
	c.sessions = newLRU(n, c.dropped)
	return c
}

// dropped forgets the secrets of a session.
func (c *memoryCache) dropped(id [sessionIDSize]byte, s CachedSession) {
	clear(s.State)
	ids := slices.DeleteFunc(c.byHandle[s.Handle], func(other [sessionIDSize]byte) bool { return other == id })
	if len(ids) == 0 {
		delete(c.byHandle, s.Handle)
		return
	}
	c.byHandle[s.Handle] = ids
}

// Put implements SessionCache.
func (c *memoryCache) Put(id [sessionIDSize]byte, s CachedSession) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions.put(id, s)
	c.byHandle[s.Handle] = append(c.byHandle[s.Handle], id)
}

// Get implements SessionCache.
func (c *memoryCache) Get(id [sessionIDSize]byte) (CachedSession, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.sessions.get(id)
	s.State = slices.Clone(s.State) // the other one is cleared when it goes
	return s, ok
}

// Delete implements SessionCache.
func (c *memoryCache) Delete(handle SessionHandle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range slices.Clone(c.byHandle[handle]) {
		c.sessions.drop(id)
	}
}

// memoryClientCache is a ClientSessionCache in memory.
type memoryClientCache struct {
	mu       sync.Mutex
	sessions *lru[string, *ClientSession]
}

// NewClientSessionCache returns a [ClientSessionCache] in the memory of this process,
// for the sessions with at most n servers. The one that was not used for the longest
// time goes first.
func NewClientSessionCache(n int) ClientSessionCache {
	// The secrets are not cleared: a handshake may be using them.
	return &memoryClientCache{sessions: newLRU(n, func(string, *ClientSession) {})}
}

// Get implements ClientSessionCache.
func (c *memoryClientCache) Get(key string) (*ClientSession, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessions.get(key)
}

// Put implements ClientSessionCache.
func (c *memoryClientCache) Put(key string, s *ClientSession) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == nil {
		c.sessions.drop(key)
		return
	}
	c.sessions.put(key, s)
}
