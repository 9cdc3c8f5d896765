package fetch

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxHosts bounds how many hosts are remembered. Names below an allowed suffix can
// be made up by whoever makes certificates.
const maxHosts = 4096

// breakers remember which hosts fail. They are safe for concurrent use.
type breakers struct {
	now             func() time.Time
	random          func() float64 // in [0, 1)
	pause, maxPause time.Duration
	failures        int

	mu    sync.Mutex
	hosts map[string]*breaker
}

// breaker is what is remembered of one host. A host in good standing is forgotten.
type breaker struct {
	failed int       // times in a row
	until  time.Time // not asked before
	trial  bool      // one request finds out whether it lives again
}

// outcome is what an attempt told about a host.
type outcome uint8

const (
	unknown outcome = iota // nothing
	alive
	dead
)

func newBreakers(o Options, random func() float64) *breakers {
	return &breakers{
		now: o.Now, random: random, pause: o.Pause, maxPause: o.MaxPause, failures: o.Failures,
		hosts: make(map[string]*breaker),
	}
}

// errTrial means that another request is finding out about the host.
var errTrial = errors.New("the host has failed, and another request is trying it")

// enter asks whether a host may be asked now. The caller must call done once.
func (b *breakers) enter(host string) (done func(outcome), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	trial := false
	if h := b.hosts[host]; h != nil && h.failed >= b.failures {
		switch {
		case b.now().Before(h.until):
			return nil, fmt.Errorf("the host has failed %d times and is left alone until %s", h.failed, h.until.UTC().Format(time.RFC3339))
		case h.trial:
			return nil, errTrial
		}
		h.trial, trial = true, true
	}
	return func(o outcome) { b.leave(host, o, trial) }, nil
}

// leave notes how an attempt ended.
func (b *breakers) leave(host string, o outcome, trial bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hosts[host]
	if trial && h != nil {
		h.trial = false
	}
	switch o {
	case alive:
		delete(b.hosts, host)
	case dead:
		if h == nil {
			b.makeRoom()
			h = new(breaker)
			b.hosts[host] = h
		}
		h.failed++
		if over := h.failed - b.failures; over >= 0 {
			h.until = b.now().Add(b.length(over))
		}
	case unknown:
	}
}

// length is the pause after so many failures over the limit: doubled with each, and
// between a half and one and a half of that.
func (b *breakers) length(over int) time.Duration {
	pause := b.pause
	for range over {
		if pause *= 2; pause >= b.maxPause {
			break
		}
	}
	return time.Duration(float64(min(pause, b.maxPause)) * (0.5 + b.random()))
}

// makeRoom forgets a host when there are too many: any one whose pause is over, or
// else any one at all.
func (b *breakers) makeRoom() {
	if len(b.hosts) < maxHosts {
		return
	}
	victim, now := "", b.now()
	for host, h := range b.hosts {
		if victim = host; !now.Before(h.until) {
			break
		}
	}
	delete(b.hosts, victim)
}
