package support

import (
	"net/netip"
	"sync"
)

// Uploads at once, of all and of one network: together they hold MaxUpload bytes each.
const (
	maxUploads        = 32
	maxNetworkUploads = 4
)

// turnstile counts those who upload, so that nobody fills the memory, and no network alone
// keeps the others out.
type turnstile struct {
	mu     sync.Mutex
	inside map[netip.Prefix]int
	all    int
}

// enter reports whether one more may upload; who may must leave.
func (t *turnstile) enter(network netip.Prefix) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == maxUploads || t.inside[network] == maxNetworkUploads {
		return false
	}
	t.all++
	t.inside[network]++
	return true
}

func (t *turnstile) leave(network netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all--
	if t.inside[network]--; t.inside[network] == 0 {
		delete(t.inside, network)
	}
}
