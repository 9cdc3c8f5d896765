package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// errOver means that a transaction was used after its function had returned.
var errOver = errors.New("store: the transaction is over")

// connection is one connection to SQLite, with the statements that it has prepared. It is used
// by one goroutine at a time. Statements do not end with a context: SQLite would take the
// whole transaction back, with the updates of others in it.
type connection struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

func newConnection(ctx context.Context, db *sql.DB) (*connection, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &connection{c, make(map[string]*sql.Stmt)}, nil
}

// prepare returns a statement. There are as many as there are forms of queries.
func (c *connection) prepare(text string) (*sql.Stmt, error) {
	if s, ok := c.statements[text]; ok {
		return s, nil
	}
	s, err := c.conn.PrepareContext(context.Background(), text)
	if err == nil {
		c.statements[text] = s
	}
	return s, err
}

func (c *connection) exec(text string, args ...any) error {
	s, err := c.prepare(text)
	if err == nil {
		_, err = s.ExecContext(context.Background(), args...)
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

func (c *connection) query(text string, args ...any) (documents [][]byte, err error) {
	s, err := c.prepare(text)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	rows, err := s.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d []byte
		if err := rows.Scan(&d); err != nil {
			return nil, err
		}
		documents = append(documents, d)
	}
	return documents, rows.Err()
}

func (c *connection) close() error {
	var errs []error
	for _, s := range c.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

// sqlRows is a transaction. After an error of the storage, which may have ended it, it does
// nothing any more: a statement would run outside.
type sqlRows struct {
	*connection
	broken error
}

func (r *sqlRows) run(text string, args ...any) error {
	if r.broken == nil {
		r.broken = r.exec(text, args...)
	}
	return r.broken
}

func (r *sqlRows) put(table string, v row) error {
	columns, updates, args := nameColumn, "document = excluded.document", []any{v.name}
	for _, c := range v.columns {
		columns += ", " + c.column
		updates += ", " + c.column + " = excluded." + c.column
		args = append(args, c.value)
	}
	marks := strings.Repeat("?, ", len(args)) + "?"
	return r.run("INSERT INTO "+table+" ("+columns+", document) VALUES ("+marks+") ON CONFLICT ("+nameColumn+") DO UPDATE SET "+updates,
		append(args, v.document)...)
}

func (r *sqlRows) remove(table string, names []string) error {
	for _, name := range names {
		if err := r.run("DELETE FROM "+table+" WHERE "+nameColumn+" = ?", name); err != nil {
			return err
		}
	}
	return nil
}

func (r *sqlRows) find(table string, q query) ([][]byte, error) {
	return r.selected("document", table, q)
}

func (r *sqlRows) names(table string, q query) ([]string, error) {
	raw, err := r.selected(nameColumn, table, q)
	names := make([]string, len(raw))
	for i := range raw {
		names[i] = string(raw[i])
	}
	return names, err
}

// selected returns a column of the rows that a query means.
func (r *sqlRows) selected(column, table string, q query) ([][]byte, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	var text strings.Builder
	text.WriteString("SELECT " + column + " FROM " + table)
	var args []any
	for i, c := range q.where {
		text.WriteString([]string{" WHERE ", " AND "}[min(i, 1)] + c.column + " " + string(c.relation) + " ?")
		args = append(args, c.value)
	}
	if q.order != "" {
		direction := " ASC"
		if q.down {
			direction = " DESC"
		}
		text.WriteString(" ORDER BY " + q.order + direction + ", " + nameColumn + direction)
	}
	text.WriteString(" LIMIT ?")
	documents, err := r.query(text.String(), append(args, q.limit)...)
	if err != nil {
		r.broken = err
	}
	return documents, err
}
