package journal

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// Limits of the queue.
const (
	maxQueue = 1024 // events that wait
	maxBatch = 256  // events that one synchronisation of the disk makes durable
	// queueWait is how long an event waits for its place in the queue.
	queueWait = 5 * time.Second
	// busyWait is how long SQLite waits for somebody else's lock, in milliseconds.
	busyWait = "5000"
)

// ErrDamaged means that the file of a journal is not as this package writes it, though its
// chain may be whole.
var ErrDamaged = errors.New("journal: the file is damaged")

// applicationID marks the file: "PPSK".
const applicationID = 0x5050534b

// schema is the whole of a journal's file. The triggers stop mistakes, not attackers: those
// meet the chain.
var schema = []string{
	`CREATE TABLE record (n INTEGER PRIMARY KEY, previous BLOB NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT NOT NULL, ` +
		`conclusion TEXT NOT NULL, reason TEXT NOT NULL, subject TEXT NOT NULL, client TEXT NOT NULL, address TEXT NOT NULL, device TEXT NOT NULL, ` +
		`certificate BLOB NOT NULL, engine TEXT NOT NULL, document TEXT NOT NULL, digest TEXT NOT NULL, "order" TEXT NOT NULL, support TEXT NOT NULL, ` +
		`detail TEXT NOT NULL, hash BLOB NOT NULL) STRICT`,
	`CREATE INDEX record_of ON record (subject, n)`,
	`CREATE TRIGGER record_stays BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'a journal forgets nothing'); END`,
	`CREATE TRIGGER record_stands BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'a journal changes nothing'); END`,
}

const columns = `n, previous, at, kind, action, conclusion, reason, subject, client, address, device, certificate, engine, document, digest, "order", support, detail, hash`

// insert adds a record; there are as many values as columns.
var insert = "INSERT INTO record (" + columns + ") VALUES (?" + strings.Repeat(", ?", strings.Count(columns, ",")) + ")"

// File is a Journal in an SQLite database: write-ahead log, synchronised to the disk before
// an event is acknowledged, one process that writes and any number that read. Make it with
// Open or OpenReadOnly.
type File struct {
	reader *sql.DB
	writer *sql.DB  // nil if read-only
	lock   *os.File // held by who writes

	mu     sync.RWMutex // held for reading by whoever puts into the queue
	closed bool
	queue  chan *pending
	ended  chan struct{} // closed when the writer has ended

	// Of the goroutine that writes: ends that the chain may have. There are two after a
	// commit that nobody knows the end of.
	ends []Head
}

var _ Journal = (*File)(nil)

// pending is an event in the queue.
type pending struct {
	ctx    context.Context
	event  Event
	record Record
	done   chan error // of one place
}

// Open opens the journal at path for writing, and makes it if it is not there; its
// directory must exist. The error wraps [ErrLocked], [ErrFormat], a [*Broken] for its last
// record, or is that of the file system.
func Open(path string) (*File, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	f := &File{lock: lock, queue: make(chan *pending, maxQueue), ended: make(chan struct{})}
	if err := f.open(path); err != nil {
		close(f.ended) // nobody writes
		return nil, errors.Join(err, f.Close())
	}
	go f.write()
	return f, nil
}

func (f *File) open(path string) error {
	if err := makeFile(path); err != nil {
		return err
	}
	var err error
	if f.writer, err = connect(path, "mode=rw&_txlock=immediate&_pragma=journal_mode(wal)&_pragma=synchronous(full)"); err != nil {
		return err
	}
	f.writer.SetMaxOpenConns(1)
	ctx := context.Background()
	if err := prepare(ctx, f.writer); err != nil {
		return err
	}
	if f.reader, err = connect(path, "mode=ro"); err != nil {
		return err
	}
	head, err := f.Head(ctx)
	if err != nil || head.Number == 0 {
		f.ends = []Head{{}}
		return err
	}
	last, err := f.Read(ctx, head.Number, 1)
	if err == nil && (len(last) != 1 || last[0].Sum() != head.Hash) {
		err = &Broken{head.Number, "its hash is not that of its fields"}
	}
	f.ends = []Head{head}
	return err
}

// OpenReadOnly opens the journal at path for reading, while another process may write it.
// Append of the result returns [ErrClosed].
func OpenReadOnly(path string) (*File, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	f := &File{ended: make(chan struct{})}
	close(f.ended)
	var err error
	if f.reader, err = connect(path, "mode=ro"); err != nil {
		return nil, err
	}
	if err := ours(context.Background(), f.reader); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lockFile takes the lock of who writes.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// makeFile makes an empty file that only we may read, unless there is one, and makes sure
// that a crash does not take it away again.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func connect(path, options string) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", "file:"+(&url.URL{Path: absolute}).EscapedPath()+"?"+options+"&_pragma=busy_timeout("+busyWait+")")
}

// prepare writes the schema into an empty file, and refuses one that is not ours.
func prepare(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return format(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing is left to undo after a commit
	var objects int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return format(err)
	}
	if objects > 0 {
		return ours(ctx, tx)
	}
	for _, statement := range append(schema, fmt.Sprintf("PRAGMA application_id = %d", applicationID), fmt.Sprintf("PRAGMA user_version = %d", Version)) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// queryer is a database or a transaction.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// ours refuses a file that is not a journal of this version.
func ours(ctx context.Context, db queryer) error {
	var id, version int
	if err := db.QueryRowContext(ctx, "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version").Scan(&id, &version); err != nil {
		return format(err)
	}
	if id != applicationID || version != Version {
		return fmt.Errorf("%w of version %d", ErrFormat, Version)
	}
	return nil
}

// format names the error of a file that is no database at all.
func format(err error) error {
	if err != nil && strings.Contains(err.Error(), "not a database") {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return err
}

// Append implements Journal.
func (f *File) Append(ctx context.Context, e Event) (Record, error) {
	if err := e.Check(); err != nil {
		return Record{}, err
	}
	p := &pending{ctx: ctx, event: e, done: make(chan error, 1)}
	if err := f.enqueue(p); err != nil {
		return Record{}, err
	}
	select {
	case err := <-p.done:
		return p.record, err
	case <-ctx.Done():
		return Record{}, ctx.Err()
	}
}

// AppendAll writes events in their order, and returns when all are durable. The error is that
// of the first that was not written; later ones may be.
func (f *File) AppendAll(ctx context.Context, events []Event) error {
	for _, e := range events {
		if err := e.Check(); err != nil {
			return err
		}
	}
	var waiting []*pending
	var failed error
	for _, e := range events {
		p := &pending{ctx: ctx, event: e, done: make(chan error, 1)}
		if failed = f.enqueue(p); failed != nil {
			break
		}
		waiting = append(waiting, p)
	}
	for _, p := range waiting {
		select {
		case err := <-p.done:
			failed = cmp.Or(failed, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return failed
}

// enqueue waits for a place in the queue: that is how a slow disk slows callers down.
func (f *File) enqueue(p *pending) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed || f.queue == nil {
		return ErrClosed
	}
	wait := time.NewTimer(queueWait)
	defer wait.Stop()
	select {
	case f.queue <- p:
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	case <-wait.C:
		return ErrBusy
	}
}

// write writes what is in the queue, until it is closed and empty.
func (f *File) write() {
	defer close(f.ended)
	for p := range f.queue {
		batch := []*pending{p}
		for len(batch) < maxBatch && len(f.queue) > 0 {
			batch = append(batch, <-f.queue) // nobody else takes from it
		}
		err := f.commit(batch)
		for _, p := range batch {
			if err == nil && p.record.Number == 0 { // left out: nobody waits for it
				p.done <- p.ctx.Err()
				continue
			}
			if err != nil {
				p.record = Record{}
			}
			p.done <- err
		}
	}
}

// commit writes a batch, all or nothing.
func (f *File) commit(batch []*pending) error {
	ctx := context.Background()
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing is left to undo after a commit
	head, err := headOf(ctx, tx)
	if err != nil {
		return err
	}
	if head != f.ends[0] && head != f.ends[len(f.ends)-1] {
		return ErrForeign
	}
	statement, err := tx.PrepareContext(ctx, insert)
	if err != nil {
		return err
	}
	defer statement.Close()
	end := head
	for _, p := range batch {
		if p.ctx.Err() != nil {
			continue
		}
		r := end.next(p.event, newID())
		if _, err := statement.ExecContext(ctx, r.row()...); err != nil {
			return err
		}
		p.record, end = r, r.head()
	}
	if err := tx.Commit(); err != nil {
		f.ends = []Head{head, end}
		return err
	}
	f.ends = []Head{end}
	return nil
}

// row returns the values of the columns.
func (r *Record) row() []any {
	certificate := []byte{}
	if r.Certificate != ([32]byte{}) {
		certificate = r.Certificate[:]
	}
	return []any{
		int64(r.Number), r.Previous[:], r.At.UnixMicro(), string(r.Kind), r.Action, r.Conclusion, string(r.Reason), r.Subject, r.Client, //nolint:gosec // far below the limit
		r.Address.Reveal(), r.Device.Reveal(), certificate, r.Engine, r.Document.Reveal(), r.Digest, r.Order, r.Support, r.Detail, r.Hash[:],
	}
}

// scan reads a row. The error is a [*Broken] if the row cannot be of a record.
func scan(rows *sql.Rows) (Record, error) {
	var r Record
	var n, at int64
	var previous, certificate, hash []byte
	var kind, why, address, device, document string
	if err := rows.Scan(&n, &previous, &at, &kind, &r.Action, &r.Conclusion, &why, &r.Subject, &r.Client, &address, &device, &certificate,
		&r.Engine, &document, &r.Digest, &r.Order, &r.Support, &r.Detail, &hash); err != nil {
		return Record{}, err
	}
	r.Number, r.At, r.Kind, r.Reason = uint64(max(n, 0)), time.UnixMicro(at).UTC(), Kind(kind), reason.Code(why)
	r.Address, r.Device, r.Document = person.NewPrivate(address), person.NewPrivate(device), person.NewPrivate(document)
	if copy(r.Previous[:], previous) != len(previous) || len(previous) != HashSize || copy(r.Hash[:], hash) != len(hash) || len(hash) != HashSize {
		return Record{}, &Broken{r.Number, "a hash has another length"}
	}
	if copied := copy(r.Certificate[:], certificate); copied != len(certificate) || copied != 0 && (copied != 32 || r.Certificate == [32]byte{}) {
		return Record{}, &Broken{r.Number, "the certificate has another length"}
	}
	return r, nil
}

// headOf returns the end of the chain.
func headOf(ctx context.Context, db queryer) (Head, error) {
	var n int64
	var hash []byte
	err := db.QueryRowContext(ctx, "SELECT n, hash FROM record ORDER BY n DESC LIMIT 1").Scan(&n, &hash)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Head{}, nil
	case err != nil:
		return Head{}, err
	case n < 1 || len(hash) != HashSize:
		return Head{}, &Broken{uint64(max(n, 0)), "it is no record"}
	}
	return Head{uint64(n), [HashSize]byte(hash)}, nil
}

// Head implements Journal.
func (f *File) Head(ctx context.Context) (Head, error) {
	if f.isClosed() {
		return Head{}, ErrClosed
	}
	return headOf(ctx, f.reader)
}

// Read implements Journal. Records before the first that cannot be read are returned with the
// error.
func (f *File) Read(ctx context.Context, from uint64, limit int) ([]Record, error) {
	if from > 1<<62 {
		return nil, nil
	}
	return f.records(ctx, "SELECT "+columns+" FROM record WHERE n >= ? ORDER BY n LIMIT ?", int64(from), min(limit, maxPage))
}

// Of implements Journal.
func (f *File) Of(ctx context.Context, subject string, before uint64, limit int) ([]Record, error) {
	if subject == "" {
		return nil, nil
	}
	if before == 0 || before > 1<<62 {
		before = 1 << 62
	}
	return f.records(ctx, "SELECT "+columns+" FROM record WHERE subject = ? AND n < ? ORDER BY n DESC LIMIT ?", subject, int64(before), min(limit, maxPage))
}

func (f *File) records(ctx context.Context, query string, args ...any) (page []Record, err error) {
	if f.isClosed() {
		return nil, ErrClosed
	}
	if limit, ok := args[len(args)-1].(int); ok && limit <= 0 {
		return nil, nil // SQLite takes a negative limit for none
	}
	rows, err := f.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return page, err
		}
		page = append(page, r)
	}
	return page, rows.Err()
}

// whole verifies what the chain does not cover: the pages of the file, its index and schema,
// and that no row stands before the first record.
func (f *File) whole(ctx context.Context) error {
	var found string
	if err := f.reader.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil || found != "ok" {
		return errors.Join(fmt.Errorf("%w: %s", ErrDamaged, found), err)
	}
	var before int
	if err := f.reader.QueryRowContext(ctx, "SELECT count(*) FROM record WHERE n < 1").Scan(&before); err != nil || before > 0 {
		return errors.Join(fmt.Errorf("%w: %d rows stand before the first record", ErrDamaged, before), err)
	}
	if err := f.reader.QueryRowContext(ctx, "SELECT coalesce(group_concat(sql, char(10) ORDER BY rowid), '') FROM sqlite_schema").Scan(&found); err != nil || found != strings.Join(schema, "\n") {
		return errors.Join(fmt.Errorf("%w: its schema was changed", ErrDamaged), err)
	}
	return nil
}

func (f *File) isClosed() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.closed
}

// Close implements Journal.
func (f *File) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	if f.queue != nil {
		close(f.queue)
	}
	f.mu.Unlock()
	<-f.ended
	var errs []error
	for _, db := range []*sql.DB{f.reader, f.writer} { // the writer is the last, and takes the log of SQLite away
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if f.lock != nil {
		errs = append(errs, f.lock.Close()) // which unlocks
	}
	return errors.Join(errs...)
}
