package store

import (
	"fmt"
)

// rows is what an implementation can do within a transaction. Values of columns are string
// or int64.
type rows interface {
	// put writes a row, in place of the one with its name.
	put(table string, r row) error
	// find returns the documents of the rows that a query means.
	find(table string, q query) ([][]byte, error)
	// names returns the names of the rows that a query means.
	names(table string, q query) ([]string, error)
	// remove removes the rows with the names.
	remove(table string, names []string) error
}

// row is a document with its name and the columns by which it is found, in the order of its
// table.
type row struct {
	name     string
	columns  []cell
	document []byte
}

type cell struct {
	column string
	value  any
}

// nameColumn is the column of the name of a row.
const nameColumn = "id"

// query is a conjunction of conditions, an order and a limit.
type query struct {
	where []condition
	order string // a column; ties are in the order of names
	down  bool   // the greatest first
	limit int
}

type condition struct {
	column   string
	relation relation
	value    any
}

// relation is how a column must be to a value.
type relation string

const (
	equal  relation = "="
	atMost relation = "<="
	below  relation = "<"
	above  relation = ">"
)

// table says how the values of a type are kept.
type table[T any] struct {
	name string
	// row returns the name of a value's row and its columns. An empty name is ErrInvalid.
	row  func(*T) (string, []cell)
	tell func(*coder, *T)
}

// put writes a value.
func put[T any](t *tx, of *table[T], v T) error {
	if t.readOnly {
		return ErrReadOnly
	}
	document, err := encode(of.tell, v)
	if err != nil {
		return err
	}
	name, columns := of.row(&v)
	if name == "" {
		return fmt.Errorf("%w: %s without a name", ErrInvalid, of.name)
	}
	return t.rows.put(of.name, row{name, columns, document})
}

// add writes a value whose name nobody has yet.
func add[T any](t *tx, of *table[T], v T) error {
	name, _ := of.row(&v)
	there, err := find(t, of, named(name))
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return ErrTaken
	}
	return put(t, of, v)
}

// find returns the values that a query means.
func find[T any](t *tx, of *table[T], q query) ([]T, error) {
	q.limit = max(0, min(q.limit, MaxPage))
	documents, err := t.rows.find(of.name, q)
	if err != nil {
		return nil, err
	}
	var values []T
	for _, d := range documents {
		v, err := decode(of.tell, d)
		if err != nil {
			return nil, fmt.Errorf("%w, in the table %s", err, of.name)
		}
		values = append(values, v)
	}
	return values, nil
}

// one returns the value with the name.
func one[T any](t *tx, of *table[T], name string) (T, error) { return first(t, of, named(name)) }

// first returns the first value that a query means.
func first[T any](t *tx, of *table[T], q query) (T, error) {
	var none T
	q.limit = 1
	values, err := find(t, of, q)
	if err != nil {
		return none, err
	}
	if len(values) == 0 {
		return none, ErrNotFound
	}
	return values[0], nil
}

// drop removes a row.
func drop[T any](t *tx, of *table[T], name string) error {
	if t.readOnly {
		return ErrReadOnly
	}
	return t.rows.remove(of.name, []string{name})
}

// dropAll removes the rows that a query means, page by page.
func dropAll[T any](t *tx, of *table[T], q query) error {
	if t.readOnly {
		return ErrReadOnly
	}
	q.limit = MaxPage
	for {
		n, err := dropSome(t, of, q)
		if n < MaxPage || err != nil {
			return err
		}
	}
}

// dropSome removes as many rows that a query means as its limit says, and returns how many
// those were. It does not read their documents: one that is damaged does not stay for ever, and
// the others with it.
func dropSome[T any](t *tx, of *table[T], q query) (int, error) {
	if t.readOnly {
		return 0, ErrReadOnly
	}
	q.limit = max(0, min(q.limit, MaxPage))
	names, err := t.rows.names(of.name, q)
	if err != nil || len(names) == 0 {
		return 0, err
	}
	return len(names), t.rows.remove(of.name, names)
}

func named(name string) query { return query{where: is(nameColumn, name), limit: 1} }

func is(column string, value any) []condition { return []condition{{column, equal, value}} }

// and adds a condition.
func (q query) and(column string, r relation, value any) query {
	q.where = append(append([]condition(nil), q.where...), condition{column, r, value})
	return q
}
