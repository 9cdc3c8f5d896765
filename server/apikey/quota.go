package apikey

import (
	"net/netip"
	"sync"
	"time"
)

// Quota is what one client may do. In each field zero means without limit.
type Quota struct {
	// Requests is how many requests a minute may have on average; as many may come
	// at once after a minute of silence.
	Requests int
	// Bytes is how long all bodies of a minute may be together on average.
	Bytes int64
	// Concurrent is how many requests may be under way at once.
	Concurrent int
}

// concurrentWait is how long a client with too many requests under way is told to
// wait: nobody knows when one of them ends.
const concurrentWait = time.Second

// meter measures one client. It is safe for concurrent use.
type meter struct {
	quota Quota

	mu       sync.Mutex
	at       time.Time // when the balances were right
	requests float64   // how many requests are left
	bytes    float64   // how many bytes are left; negative is a debt
	inside   int
}

func newMeter(q Quota, now time.Time) *meter {
	return &meter{quota: q, at: now, requests: float64(q.Requests), bytes: float64(q.Bytes)}
}

// enter takes one request from the balance, or says how long there will be none.
func (m *meter) enter(now time.Time) (wait time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refill(now)
	if m.quota.Concurrent > 0 && m.inside >= m.quota.Concurrent {
		return concurrentWait, false
	}
	if m.quota.Requests > 0 && m.requests < 1 {
		wait = until(1-m.requests, float64(m.quota.Requests))
	}
	if m.quota.Bytes > 0 && m.bytes <= 0 {
		wait = max(wait, until(1-m.bytes, float64(m.quota.Bytes)))
	}
	if wait > 0 {
		return wait, false
	}
	if m.quota.Requests > 0 {
		m.requests--
	}
	m.inside++
	return 0, true
}

// refill adds what the time since the last look has earned. A clock that goes back
// earns nothing.
func (m *meter) refill(now time.Time) {
	minutes := now.Sub(m.at).Minutes()
	if minutes <= 0 {
		return
	}
	m.at = now
	m.requests = min(float64(m.quota.Requests), m.requests+minutes*float64(m.quota.Requests))
	m.bytes = min(float64(m.quota.Bytes), m.bytes+minutes*float64(m.quota.Bytes))
}

// until is how long it takes to earn an amount at so much a minute.
func until(amount, perMinute float64) time.Duration {
	return max(time.Millisecond, time.Duration(amount/perMinute*float64(time.Minute)))
}

func (m *meter) took(n int64) {
	if m.quota.Bytes == 0 {
		return
	}
	m.mu.Lock()
	m.bytes -= float64(n)
	m.mu.Unlock()
}

func (m *meter) leave() {
	m.mu.Lock()
	m.inside--
	m.mu.Unlock()
}

// idle reports whether forgetting the meter would give the client nothing.
func (m *meter) idle(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refill(now)
	return m.inside == 0 && m.requests >= float64(m.quota.Requests) && m.bytes >= float64(m.quota.Bytes)
}

// maxStrangers is for how many addresses meters are kept, some 150 bytes each. Beyond
// that, those who come new share one meter: an attacker with many addresses takes
// the places of strangers, not the memory.
const maxStrangers = 1 << 16

// crowd is the meters of clients without a key. It is safe for concurrent use.
type crowd struct {
	quota Quota

	mu     sync.Mutex
	meters map[netip.Prefix]*meter
	rest   *meter
	swept  time.Time
}

func newCrowd(q Quota) *crowd { return &crowd{quota: q, meters: make(map[netip.Prefix]*meter)} }

// meter returns the meter of an address.
func (c *crowd) meter(from netip.Prefix, now time.Time) *meter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.meters[from]; ok {
		return m
	}
	c.sweep(now)
	if len(c.meters) >= maxStrangers || c.quota == (Quota{}) { // without a limit there is nothing to measure
		if c.rest == nil {
			c.rest = newMeter(c.quota, now)
		}
		return c.rest
	}
	m := newMeter(c.quota, now)
	c.meters[from] = m
	return m
}

// sweepEvery is how often meters of clients that went away are looked for, so that
// the search costs next to nothing a request.
const sweepEvery = 10 * time.Second

// sweep forgets the meters that are as good as new. A meter that was handed out but
// not entered yet may be among them: its request is then counted for nobody, once.
func (c *crowd) sweep(now time.Time) {
	if since := now.Sub(c.swept); since >= 0 && since < sweepEvery {
		return
	}
	c.swept = now
	for from, m := range c.meters {
		if m.idle(now) {
			delete(c.meters, from)
		}
	}
}
