package challenge

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"propusk/pki/reason"
)

// fair keeps one client from taking all the room for himself: he gets in while he has less
// than is left free. Alone he gets half of the room, and two halves of two clients leave a
// third one his place. Nobody leaves early; each stays for the life of what he made.
//
// It is safe for concurrent use. Make it with newFair.
type fair struct {
	limit int
	life  time.Duration
	now   func() time.Time

	mu     sync.Mutex
	counts map[netip.Prefix]int
	queue  []place // in the order of coming, which is that of leaving
}

// place is what one coming took.
type place struct {
	by    netip.Prefix
	until time.Time
}

func newFair(limit int, life time.Duration, now func() time.Time) *fair {
	return &fair{limit: limit, life: life, now: now, counts: make(map[netip.Prefix]int)}
}

// enter lets a client in, or not with [reason.ServerBusy].
func (f *fair) enter(by netip.Prefix) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	gone := 0
	for gone < len(f.queue) && !now.Before(f.queue[gone].until) {
		old := f.queue[gone].by
		if f.counts[old]--; f.counts[old] == 0 {
			delete(f.counts, old)
		}
		gone++
	}
	f.queue = slices.Delete(f.queue, 0, gone)
	if f.counts[by] >= f.limit-len(f.queue) {
		return reason.Errorf(reason.ServerBusy, "there is no more room for this address, which has taken %d places", f.counts[by])
	}
	f.counts[by]++
	f.queue = append(f.queue, place{by, now.Add(f.life)})
	return nil
}
