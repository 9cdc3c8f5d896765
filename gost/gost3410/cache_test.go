package gost3410

import (
	"bytes"
	"math"
	"slices"
	"sync"
	"testing"
)

func TestKeyCache(t *testing.T) { onEveryPath(t, testKeyCache) }

func testKeyCache(t *testing.T) {
	cache := NewKeyCache(100)
	for _, c := range allCurves {
		key, err := GenerateKey(c, testRandom(40))
		if err != nil {
			t.Fatal(err)
		}
		public := key.PublicKey()
		for i := range byte(2 * tableAfter) {
			digest := digestFor(c, []byte{i})
			sig, err := key.Sign(nil, digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tabled := hasTable(cache, public); tabled != (i >= tableAfter) {
				t.Fatalf("%s: table after %d signatures: %v", c, i, tabled)
			}
			if !cache.Verify(public, digest, sig) {
				t.Errorf("%s: signature %d is refused", c, i)
			}
			for j := range sig {
				bad := bytes.Clone(sig)
				bad[j] ^= 1
				if cache.Verify(public, digest, bad) {
					t.Errorf("%s: signature %d is accepted with byte %d changed", c, i, j)
				}
			}
			for _, bad := range [][]byte{nil, sig[1:], make([]byte, len(sig)), bytes.Repeat([]byte{255}, len(sig))} {
				if cache.Verify(public, digest, bad) {
					t.Errorf("%s: %x is accepted", c, bad)
				}
			}
			if cache.Verify(public, digest[1:], sig) {
				t.Errorf("%s: a short digest is accepted", c)
			}
		}
	}
}

// hasTable looks without counting as a use.
func hasTable(c *KeyCache, k *PublicKey) bool {
	key := cacheKey{curve: k.curve}
	copy(key.raw[:], k.raw)
	for i := range c.shards {
		if _, ok := c.shards[i].tables.items[key]; ok {
			return true
		}
	}
	return false
}

// TestKeyCacheBound: a cache does not grow, whatever keys come, and keeps those that
// are used.
func TestKeyCacheBound(t *testing.T) {
	c := tc26256A
	cache := NewKeyCache(1)
	favourite, err := GenerateKey(c, testRandom(41))
	if err != nil {
		t.Fatal(err)
	}
	digest := digestFor(c, nil)
	use := func(k *PrivateKey) {
		sig, err := k.Sign(nil, digest, nil)
		if err != nil || !cache.Verify(k.PublicKey(), digest, sig) {
			t.Fatal("refused", err)
		}
	}
	for range tableAfter {
		use(favourite)
	}
	random := testRandom(42)
	for range 20 * cacheShards {
		k, err := GenerateKey(c, random)
		if err != nil {
			t.Fatal(err)
		}
		use(k) // once: it gets no table
		use(favourite)
	}
	if !hasTable(cache, favourite.PublicKey()) {
		t.Error("the key that is used has lost its table")
	}
	for i := range cache.shards {
		s := &cache.shards[i]
		if s.tables.order.Len() > 1 || s.candidates.order.Len() > candidatesPerTable ||
			len(s.tables.items) != s.tables.order.Len() || len(s.candidates.items) != s.candidates.order.Len() {
			t.Errorf("%d tables, %d candidates", s.tables.order.Len(), s.candidates.order.Len())
		}
	}
	// A second key in the same shard takes the place of the first.
	s := &cache.shards[0]
	s.keep(cacheKey{curve: c, raw: [128]byte{1}}, nil)
	s.keep(cacheKey{curve: c, raw: [128]byte{2}}, nil)
	if _, ok := s.table(cacheKey{curve: c, raw: [128]byte{2}}); !ok || s.tables.order.Len() != 1 {
		t.Error("the last table is not kept")
	}
}

// TestKeyCacheHolds: a small cache keeps as many keys as it was made for, wherever they
// fall.
func TestKeyCacheHolds(t *testing.T) {
	const n = 2 * tablesPerShard
	for _, size := range []int{1, n - 1, n} {
		cache := NewKeyCache(size)
		for i := range size {
			key := cacheKey{curve: tc26256A, raw: [128]byte{byte(i)}}
			cache.shards[i%len(cache.shards)].keep(key, nil)
		}
		kept := 0
		for i := range cache.shards {
			kept += cache.shards[i].tables.order.Len()
		}
		if kept != size || size < n && len(cache.shards) != 1 {
			t.Errorf("%d of %d tables in %d parts", kept, size, len(cache.shards))
		}
	}
}

// TestRecent: what was not used for longest goes first.
func TestRecent(t *testing.T) {
	r := recent[int]{limit: 2}
	key := func(n byte) cacheKey { return cacheKey{curve: cryptoProA, raw: [128]byte{n}} }
	r.put(key(1), 10)
	r.put(key(2), 20)
	if got, ok := r.get(key(1)); !ok || got != 10 {
		t.Errorf("%d, %v", got, ok)
	}
	r.put(key(3), 30)
	for n, want := range map[byte]int{1: 10, 2: 0, 3: 30} {
		if got, ok := r.get(key(n)); got != want || ok != (want != 0) {
			t.Errorf("key %d: %d, %v, want %d", n, got, ok, want)
		}
	}
	if got, ok := r.get(cacheKey{curve: cryptoProB, raw: [128]byte{3}}); ok {
		t.Errorf("%d for a key of another curve", got)
	}
}

// TestKeyCacheOnce: however many signatures of a key a batch has, it gets one table.
func TestKeyCacheOnce(t *testing.T) { onEveryPath(t, testKeyCacheOnce) }

func testKeyCacheOnce(t *testing.T) {
	for _, c := range []*Curve{cryptoProA, tc26256A} {
		key, err := GenerateKey(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		digest := digestFor(c, nil)
		sig, err := key.Sign(nil, digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		cache, public := NewKeyCache(16), key.PublicKey()
		VerifyMany(cache, slices.Repeat([]Signed{{public, digest, sig}}, tableAfter))
		if !hasTable(cache, public) {
			t.Fatalf("%s: no table", c)
		}
		p := cache.place(public)
		for range 2 * tableAfter { // of a batch that began when there was no table
			if p.shard.count(p.key) {
				t.Fatalf("%s: time for another table", c)
			}
		}
		if p.shard.candidates.order.Len() != 0 {
			t.Errorf("%s: a key with a table is counted", c)
		}
	}
}

// TestKeyCacheNothing: without a cache, signatures are verified all the same.
func TestKeyCacheNothing(t *testing.T) {
	key, err := GenerateKey(cryptoProA, nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := digestFor(cryptoProA, nil)
	sig, err := key.Sign(nil, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cache := range []*KeyCache{nil, {}, NewKeyCache(0), NewKeyCache(-5), NewKeyCache(math.MinInt), NewKeyCache(16), NewKeyCache(math.MaxInt)} {
		for range 2 * tableAfter {
			if !cache.Verify(key.PublicKey(), digest, sig) || cache.Verify(key.PublicKey(), sig[:32], sig) {
				t.Error("wrong answer")
			}
			if cache.Verify(nil, digest, sig) || cache.Verify(new(PublicKey), digest, sig) {
				t.Error("an empty key verifies")
			}
		}
	}
}

// TestKeyCacheConcurrent is for the race detector.
func TestKeyCacheConcurrent(t *testing.T) {
	cache := NewKeyCache(16)
	c := tc26256A
	digest := digestFor(c, nil)
	var keys [4]*PublicKey
	var sigs [4][]byte
	for i := range keys {
		key, err := GenerateKey(c, testRandom(byte(50+i)))
		if err != nil {
			t.Fatal(err)
		}
		if sigs[i], err = key.Sign(nil, digest, nil); err != nil {
			t.Fatal(err)
		}
		keys[i] = key.PublicKey()
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 40 {
				n := (worker + i) % len(keys)
				if !cache.Verify(keys[n], digest, sigs[n]) || cache.Verify(keys[n], digest, sigs[(n+1)%len(sigs)]) {
					t.Error("wrong answer")
				}
			}
		})
	}
	group.Wait()
}
