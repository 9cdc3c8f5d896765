package gosttls

import (
	"container/list"
	"slices"
	"sync"
)

// lru is a map that holds at most max entries and drops the one that was not used for
// the longest time. It is not safe for several goroutines.
type lru[K comparable, V any] struct {
	max   int
	order list.List // of *lruEntry[K, V], the last used first
	at    map[K]*list.Element

	// dropped is told about every entry that goes.
	dropped func(K, V)
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
}

// newLRU returns an empty one. One entry is the least.
func newLRU[K comparable, V any](size int, dropped func(K, V)) *lru[K, V] {
	return &lru[K, V]{max: max(size, 1), at: make(map[K]*list.Element), dropped: dropped}
}

func (c *lru[K, V]) get(key K) (value V, ok bool) {
	e, ok := c.at[key]
	if !ok {
		return value, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*lruEntry[K, V]).value, true
}

func (c *lru[K, V]) put(key K, value V) {
	c.drop(key)
	if len(c.at) >= c.max {
		c.drop(c.order.Back().Value.(*lruEntry[K, V]).key)
	}
	c.at[key] = c.order.PushFront(&lruEntry[K, V]{key, value})
}

func (c *lru[K, V]) drop(key K) {
	e, ok := c.at[key]
	if !ok {
		return
	}
	delete(c.at, key)
	entry := c.order.Remove(e).(*lruEntry[K, V])
	c.dropped(entry.key, entry.value)
}

// memoryCache is a SessionCache in memory.
type memoryCache struct {
	mu       sync.Mutex
	sessions *lru[[sessionIDSize]byte, CachedSession]
	byHandle map[SessionHandle][][sessionIDSize]byte
}

// NewSessionCache returns a [SessionCache] in the memory of this process, for at most n
// sessions. The one that was not used for the longest time goes first.
func NewSessionCache(n int) SessionCache {
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
	s.State = slices.Clone(s.State)
	c.sessions.put(id, s)
	c.byHandle[s.Handle] = append(c.byHandle[s.Handle], id)
}

// Get implements SessionCache.
func (c *memoryCache) Get(id [sessionIDSize]byte) (CachedSession, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.sessions.get(id)
	s.State = slices.Clone(s.State) // Delete clears the other one
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
