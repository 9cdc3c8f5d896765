package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ErrFormat means that a file is not a store, or one of a newer program.
var ErrFormat = errors.New("store: not a store of this program")

// applicationID marks the file: "PPAC".
const applicationID = 0x50504143

// Limits of connections.
const (
	maxReaders = 8    // views that read at once; the others wait
	maxQueue   = 1024 // updates that wait in the queue; more wait for their place in it
	maxBatch   = 256  // updates that one synchronisation of the disk makes durable
	// busyWait is how long SQLite waits for the lock of another process, in milliseconds.
	busyWait = "15000"
)

//go:embed migrations/*.sql
var migrations embed.FS

// SQLite is a Store in an SQLite database: write-ahead log, synchronised to the disk before an
// update is acknowledged. Any number of processes may have the file open. Updates of this
// process that come while the disk is busy are committed together. Make it with Open.
type SQLite struct {
	tables  *tables
	db      *sql.DB // of the readers
	readers chan *connection
	writer  *writer

	path   string
	mu     sync.RWMutex // held for reading during transactions
	closed bool
	served *os.File // locked while this process serves the store, or nil
}

var _ Store = (*SQLite)(nil)

// Open opens the store at path, and makes it if it is not there; its directory must exist.
// The file is for our user only. The schema is brought up to date. The error wraps
// [ErrFormat], or is that of the file system.
func Open(path string) (*SQLite, error) {
	ctx := context.Background()
	written, err := prepare(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &SQLite{path: path, tables: newTables(), readers: make(chan *connection, maxReaders)}
	if s.writer, err = newWriter(ctx, written, path, s.tables); err != nil {
		return nil, errors.Join(err, written.Close())
	}
	if err := s.openReaders(ctx, path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *SQLite) openReaders(ctx context.Context, path string) error {
	var err error
	if s.db, err = connect(path, "_pragma=query_only(on)"); err != nil {
		return err
	}
	for range maxReaders {
		c, err := newConnection(ctx, s.db)
		if err != nil {
			return err
		}
		s.readers <- c
	}
	return nil
}

// prepare opens the file for writing, with an up to date schema, and makes it if it is not
// there. Those who start together do so one after the other.
func prepare(ctx context.Context, path string) (*sql.DB, error) {
	turn, err := openTurnstile(path)
	if err != nil {
		return nil, err
	}
	defer turn.close() // which lets go
	if err := turn.enter(); err != nil {
		return nil, err
	}
	if err := makeFile(path); err != nil {
		return nil, err
	}
	db, err := connect(path, "_txlock=immediate&_pragma=synchronous(full)&_pragma=secure_delete(on)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// makeFile makes an empty file that only we may read, unless there is one, and makes sure
// that a crash does not take it away again. A file that is there is not opened: closing it
// would drop the locks that SQLite has on it elsewhere in this process.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return settle(path)
}

func connect(path, options string) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", "file:"+(&url.URL{Path: absolute}).EscapedPath()+"?mode=rw&"+options+"&_pragma=busy_timeout("+busyWait+")")
}

// migrate brings the schema up to date.
func migrate(ctx context.Context, db *sql.DB) error {
	if err := claim(ctx, db); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	there, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if there > newest {
		return fmt.Errorf("%w: its schema is %d, this program knows %d", ErrFormat, there, newest)
	}
	_, err = provider.Up(ctx)
	return err
}

// claim marks an empty file as ours, and refuses one that is somebody else's. A file of ours
// gets its write-ahead log back if it has lost it: copies have none.
func claim(ctx context.Context, db *sql.DB) error {
	var objects, id int
	err := db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM sqlite_schema), application_id FROM pragma_application_id").Scan(&objects, &id)
	switch {
	case err != nil:
		return format(err)
	case id != applicationID && (objects > 0 || id != 0):
		return ErrFormat
	}
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = wal").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("store: the file system allows no write-ahead log, but %q", mode)
	}
	if id == applicationID {
		return nil
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return err
}

// format names the error of a file that is no database at all.
func format(err error) error {
	if err != nil && strings.Contains(err.Error(), "not a database") {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return err
}

// enter keeps the store open until leave.
func (s *SQLite) enter(ctx context.Context) (leave func(), err error) {
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		s.mu.RUnlock()
		return nil, err
	}
	return s.mu.RUnlock, nil
}

// View implements Store.
func (s *SQLite) View(ctx context.Context, f func(Tx) error) (err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var c *connection
	select {
	case c = <-s.readers:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.readers <- c }()
	if err := c.exec("BEGIN"); err != nil {
		return err
	}
	r := &sqlRows{connection: c}
	defer func() {
		r.broken = errOver
		err = errors.Join(err, c.exec("ROLLBACK"))
	}()
	if err := f(&tx{tables: s.tables, rows: r, readOnly: true}); err != nil {
		return err
	}
	return r.broken
}

// Update implements Store.
func (s *SQLite) Update(ctx context.Context, f func(Tx) error) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return s.writer.update(ctx, f)
}

// Close implements Store.
func (s *SQLite) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	close(s.readers)
	for c := range s.readers {
		errs = append(errs, c.close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	errs = append(errs, s.writer.close()) // the writer is the last, and takes the log of SQLite away
	if s.served != nil {
		errs = append(errs, s.served.Close())
	}
	return errors.Join(errs...)
}
