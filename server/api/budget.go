package api

import (
	"io"
	"sync/atomic"

	"propusk/pki/reason"
)

// budget bounds the memory that all bodies take together. A client holds what it
// has sent, not a place: clients that begin and then say nothing keep nobody out.
// It is safe for concurrent use.
type budget struct{ left atomic.Int64 }

func newBudget(bytes int64) *budget {
	b := new(budget)
	b.left.Store(bytes)
	return b
}

// charge returns r with every byte that is read from it taken from the budget. The
// error is [reason.ServerBusy] when nothing is left.
func (b *budget) charge(r io.Reader) *charged { return &charged{from: r, budget: b} }

// charged is a reader that pays for what it reads.
type charged struct {
	from   io.Reader
	budget *budget
	taken  int64
}

// Read implements io.Reader.
func (c *charged) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.taken += int64(n)
	if c.budget.left.Add(-int64(n)) < 0 {
		return 0, reason.Errorf(reason.ServerBusy, "too many bodies are in memory")
	}
	return n, err
}

// giveBack ends the charge, when nothing of what was read is needed any more.
func (c *charged) giveBack() {
	c.budget.left.Add(c.taken)
	c.taken = 0
}
