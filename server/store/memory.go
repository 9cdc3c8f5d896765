package store

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// Memory is a Store that forgets everything with its process: for tests, and for gateways
// without accounts that outlive them. It finds by looking at every row. Make it with
// NewMemory.
type Memory struct {
	tables *tables
	mu     sync.RWMutex
	rows   map[string]map[string]row
	closed bool
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty Store.
func NewMemory() *Memory {
	return &Memory{tables: newTables(), rows: make(map[string]map[string]row)}
}

// View implements Store.
func (m *Memory) View(ctx context.Context, f func(Tx) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if err := m.usable(ctx); err != nil {
		return err
	}
	r := &memoryRows{Memory: m}
	defer func() { r.over = true }()
	return f(&tx{tables: m.tables, rows: r, readOnly: true})
}

// Update implements Store.
func (m *Memory) Update(ctx context.Context, f func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(ctx); err != nil {
		return err
	}
	r := &memoryRows{Memory: m}
	done := false
	defer func() {
		if !done { // an error, or a panic
			r.undo()
		}
		r.over = true
	}()
	if err := f(&tx{tables: m.tables, rows: r}); err != nil {
		return err
	}
	done = true
	return nil
}

// Close implements Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func (m *Memory) usable(ctx context.Context) error {
	if m.closed {
		return ErrClosed
	}
	return ctx.Err()
}

// memoryRows is a transaction: what is there, and what was there before.
type memoryRows struct {
	*Memory
	before []change
	over   bool
}

// change is a row as it was.
type change struct {
	table string
	row   row
	there bool
}

func (r *memoryRows) note(table, name string) {
	old, there := r.rows[table][name]
	old.name = name
	r.before = append(r.before, change{table, old, there})
}

func (r *memoryRows) undo() {
	for _, c := range slices.Backward(r.before) {
		if c.there {
			r.rows[c.table][c.row.name] = c.row
		} else {
			delete(r.rows[c.table], c.row.name)
		}
	}
}

func (r *memoryRows) put(table string, v row) error {
	if r.over {
		return errOver
	}
	if r.rows[table] == nil {
		r.rows[table] = make(map[string]row)
	}
	r.note(table, v.name)
	r.rows[table][v.name] = v
	return nil
}

func (r *memoryRows) remove(table string, names []string) error {
	if r.over {
		return errOver
	}
	for _, name := range names {
		r.note(table, name)
		delete(r.rows[table], name)
	}
	return nil
}

func (r *memoryRows) find(table string, q query) ([][]byte, error) {
	found, err := r.selected(table, q)
	var documents [][]byte
	for _, v := range found {
		documents = append(documents, v.document)
	}
	return documents, err
}

func (r *memoryRows) names(table string, q query) ([]string, error) {
	found, err := r.selected(table, q)
	var names []string
	for _, v := range found {
		names = append(names, v.name)
	}
	return names, err
}

// selected returns the rows that a query means.
func (r *memoryRows) selected(table string, q query) ([]row, error) {
	if r.over {
		return nil, errOver
	}
	var found []row
	for _, v := range r.rows[table] {
		if v.meets(q.where) {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, func(a, b row) int {
		order := cmp.Or(compare(a.value(q.order), b.value(q.order)), cmp.Compare(a.name, b.name))
		if q.down {
			return -order
		}
		return order
	})
	return found[:min(q.limit, len(found))], nil
}

// value returns what a column has; nil is what there is in no column.
func (r row) value(column string) any {
	if column == nameColumn {
		return r.name
	}
	for _, c := range r.columns {
		if c.column == column {
			return c.value
		}
	}
	return nil
}

func (r row) meets(conditions []condition) bool {
	for _, c := range conditions {
		order := compare(r.value(c.column), c.value)
		if !map[relation]bool{equal: order == 0, atMost: order <= 0, below: order < 0, above: order > 0}[c.relation] {
			return false
		}
	}
	return true
}

// compare compares values of one column.
func compare(a, b any) int {
	switch a := a.(type) {
	case string:
		b, _ := b.(string)
		return cmp.Compare(a, b)
	case int64:
		b, _ := b.(int64)
		return cmp.Compare(a, b)
	}
	return 0
}
