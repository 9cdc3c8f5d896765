package path

import (
	"crypto/sha256"
	"sync"

	"propusk/pki/gostx509"
)

// Cache remembers that a certificate was signed with a key, which never changes.
// A CA certificate is checked anew with every certificate it issued; with a Cache
// that costs two SHA-256 instead. It holds nothing but good signatures and a
// limited number of them, and is safe for concurrent use. A nil *Cache remembers
// nothing.
type Cache struct {
	mu    sync.Mutex
	limit int
	good  map[signedBy]struct{}
}

// signedBy names a certificate by all of its bytes, and a key.
type signedBy struct{ child, key [sha256.Size]byte }

// NewCache returns a cache of at most limit signatures, 64 bytes and some
// overhead each.
func NewCache(limit int) *Cache {
	return &Cache{limit: limit, good: make(map[signedBy]struct{})}
}

// Len is the number of signatures that are remembered.
func (c *Cache) Len() int {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.good)
}

func keyOf(child, issuer *gostx509.Certificate) signedBy {
	return signedBy{child.SHA256(), sha256.Sum256(issuer.RawSPKI)}
}

func (c *Cache) has(child, issuer *gostx509.Certificate) bool {
	if c == nil {
		return false
	}
	key := keyOf(child, issuer)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.good[key]
	return ok
}

// add remembers a good signature. When there is no room a random one is
// forgotten: leaf certificates come and go, and CA certificates come back.
func (c *Cache) add(child, issuer *gostx509.Certificate) {
	if c == nil || c.limit <= 0 {
		return
	}
	key := keyOf(child, issuer)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.good) >= c.limit {
		for old := range c.good {
			delete(c.good, old)
			break
		}
	}
	c.good[key] = struct{}{}
}
