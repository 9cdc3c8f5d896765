package journal

import (
	"context"
	"crypto/rand"
	"sync"
)

// Memory is a Journal that lives as long as the program, for tests and trials. The zero
// value is empty and ready.
type Memory struct {
	mu      sync.Mutex
	records []Record
	closed  bool
}

var _ Journal = (*Memory)(nil)

// Append implements Journal.
func (m *Memory) Append(ctx context.Context, e Event) (Record, error) {
	if err := e.Check(); err != nil {
		return Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Record{}, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	r := m.head().next(e, newID())
	m.records = append(m.records, r)
	return r, nil
}

func (m *Memory) head() Head {
	if len(m.records) == 0 {
		return Head{}
	}
	return m.records[len(m.records)-1].head()
}

// Head implements Journal.
func (m *Memory) Head(context.Context) (Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Head{}, ErrClosed
	}
	return m.head(), nil
}

// Read implements Journal.
func (m *Memory) Read(_ context.Context, from uint64, limit int) ([]Record, error) {
	return m.collect(limit, func(i int) (Record, bool) {
		r := m.records[i]
		return r, r.Number >= from
	})
}

// Of implements Journal.
func (m *Memory) Of(_ context.Context, subject string, before uint64, limit int) ([]Record, error) {
	return m.collect(limit, func(i int) (Record, bool) {
		r := m.records[len(m.records)-1-i]
		return r, subject != "" && r.Subject == subject && (before == 0 || r.Number < before)
	})
}

// collect returns the records that f wants, in the order of f.
func (m *Memory) collect(limit int, f func(i int) (Record, bool)) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	var page []Record
	for i := 0; i < len(m.records) && len(page) < min(limit, maxPage); i++ {
		if r, ok := f(i); ok {
			page = append(page, r)
		}
	}
	return page, nil
}

// Close implements Journal.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// newID returns the bytes that a journal begins with.
func newID() (id [HashSize]byte) {
	rand.Read(id[:]) // never fails: crypto/rand aborts the program instead
	return id
}
