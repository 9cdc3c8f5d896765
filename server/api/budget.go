package api

import (
	"errors"
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

// open returns an account of one request, which must be closed.
func (b *budget) open() *account { return &account{budget: b} }

// account is what one request holds. It belongs to the goroutine of the request.
type account struct {
	budget *budget
	taken  int64
}

// take pays for n bytes, or says [reason.ServerBusy].
func (a *account) take(n int64) error {
	a.taken += n
	if a.budget.left.Add(-n) < 0 {
		return reason.Errorf(reason.ServerBusy, "too many bodies are in memory")
	}
	return nil
}

// close gives everything back, when nothing of what was read is needed any more.
func (a *account) close() {
	a.budget.left.Add(a.taken)
	a.taken = 0
}

// reader returns r with every byte that is read from it paid for.
func (a *account) reader(r io.Reader) io.Reader { return &charged{r, a} }

// charged is a reader that pays for what it reads.
type charged struct {
	from    io.Reader
	account *account
}

// Read implements io.Reader.
func (c *charged) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if err := c.account.take(int64(n)); err != nil {
		return 0, err
	}
	return n, err
}

// hold reads r into memory, but no more than limit bytes. It returns what was read,
// and whether that is all; if it is not, the caller may go on reading. The hint is how
// long r is thought to be; negative is unknown.
func (a *account) hold(r io.Reader, limit, hint int64) (data []byte, whole bool, err error) {
	const step = 4 << 10
	size := int64(step)
	if hint >= 0 && hint < limit {
		size = hint + 1 // one more, to see the end
	}
	data = make([]byte, 0, size)
	for from := a.reader(r); ; {
		if int64(len(data)) == limit {
			return a.end(data, from)
		}
		if len(data) == cap(data) {
			data = append(data, make([]byte, step)...)[:len(data)]
		}
		n, err := from.Read(data[len(data):min(int64(cap(data)), limit)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, true, nil
		case err != nil:
			return nil, false, err
		}
	}
}

// end tells whether data is all that there is. A byte that had to be read for that
// joins them.
func (a *account) end(data []byte, from io.Reader) ([]byte, bool, error) {
	var next [1]byte
	_, err := io.ReadFull(from, next[:])
	switch {
	case errors.Is(err, io.EOF):
		return data, true, nil
	case err != nil:
		return nil, false, err
	}
	return append(data, next[0]), false, nil
}
