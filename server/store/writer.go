package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// writer commits updates one batch after the other. Its goroutine holds the transaction and
// gives it to one caller at a time, who runs his function in his own goroutine: a panic there
// is his, and undoes his update only.
//
//	the turn among processes
//	BEGIN IMMEDIATE
//	  SAVEPOINT, the function of a caller, RELEASE or ROLLBACK TO    for every one that waits
//	COMMIT                                                           one synchronisation for all
type writer struct {
	tables     *tables
	db         *sql.DB
	connection *connection
	turn       *turnstile // with other processes
	queue      chan *waiting
	ended      chan struct{} // closed when the goroutine has ended
	log        string        // the write-ahead log
	again      time.Time     // when the log is emptied next if it is long
}

// Bounds of the write-ahead log. SQLite begins it anew by itself when nobody reads in it, which
// may be never: then it would grow for ever.
const (
	maxLog = 16 << 20
	// emptyWait is how long updates wait for views to end so that the log can be emptied, in
	// milliseconds, and emptyEvery is how long they are left alone then.
	emptyWait  = "250"
	emptyEvery = 2 * time.Second
)

// waiting is an update that waits for its turn.
type waiting struct {
	taken atomic.Bool   // by the writer, or by the caller who has left
	turn  chan *sqlRows // nil if there is none: done has the error
	ran   chan bool     // whether what was done is kept
	done  chan error    // of one place
}

func newWriter(ctx context.Context, db *sql.DB, path string, t *tables) (*writer, error) {
	turn, err := openTurnstile(path)
	if err != nil {
		return nil, err
	}
	c, err := newConnection(ctx, db)
	if err != nil {
		return nil, errors.Join(err, turn.close())
	}
	w := &writer{tables: t, db: db, connection: c, turn: turn, queue: make(chan *waiting, maxQueue), ended: make(chan struct{}), log: path + "-wal"}
	go w.run()
	return w, nil
}

// update is [Store.Update].
func (w *writer) update(ctx context.Context, f func(Tx) error) error {
	u := &waiting{turn: make(chan *sqlRows, 1), ran: make(chan bool, 1), done: make(chan error, 1)}
	select {
	case w.queue <- u:
	case <-ctx.Done():
		return ctx.Err()
	}
	var r *sqlRows
	select {
	case r = <-u.turn:
	case <-ctx.Done():
		if !u.taken.Swap(true) {
			return ctx.Err()
		}
		r = <-u.turn // it has begun
	}
	if r == nil {
		return <-u.done
	}
	if err := u.run(&tx{tables: w.tables, rows: r}, r, f); err != nil {
		return err
	}
	return <-u.done
}

// run runs the function, and tells the writer what became of it even when it panics.
func (u *waiting) run(t *tx, r *sqlRows, f func(Tx) error) error {
	keep := false
	defer func() {
		r.broken = errOver
		u.ran <- keep
	}()
	if err := f(t); err != nil {
		return err
	}
	keep = r.broken == nil
	return r.broken
}

// run commits what is in the queue, until it is closed and empty.
func (w *writer) run() {
	defer close(w.ended)
	for u := range w.queue {
		if u.taken.Swap(true) {
			continue // the caller has left
		}
		kept, err := w.commit(u)
		for _, u := range kept {
			u.done <- err
		}
		w.tidy()
	}
}

// tidy empties the write-ahead log when it has become long. Views that begin meanwhile do not
// read in it; those that have begun must end, and if one takes long, as a copy does, it is tried
// again later.
func (w *writer) tidy() {
	info, err := os.Stat(w.log)
	if err != nil || info.Size() < maxLog || time.Now().Before(w.again) {
		return
	}
	w.again = time.Now().Add(emptyEvery)
	w.empty()
}

// empty empties the write-ahead log, if nobody reads in it for long.
func (w *writer) empty() {
	for _, statement := range []string{"PRAGMA busy_timeout = " + emptyWait, "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA busy_timeout = " + busyWait} {
		_ = w.connection.exec(statement) // what fails is tried again; nothing is lost by it
	}
}

// commit runs and commits an update and those that have come meanwhile. It returns those that
// wait for the end of the commit, and its error.
func (w *writer) commit(first *waiting) (kept []*waiting, err error) {
	if err := w.turn.enter(); err != nil {
		w.refuse(first, err)
		return nil, nil
	}
	defer func() { err = errors.Join(err, w.turn.leave()) }()
	if err := w.connection.exec("BEGIN IMMEDIATE"); err != nil {
		w.refuse(first, err)
		return nil, nil
	}
	kept, err = w.batch(first)
	if err == nil {
		err = w.connection.exec("COMMIT")
	}
	if err != nil { // SQLite may have rolled back already
		_ = w.connection.exec("ROLLBACK")
	}
	return kept, err
}

// batch runs an update and those that have come meanwhile, and returns those that are kept. An
// error means that the transaction is lost, with all of them.
func (w *writer) batch(first *waiting) (kept []*waiting, err error) {
	u := first
	for n := 1; u != nil; n++ {
		keep, err := w.one(u)
		if keep {
			kept = append(kept, u)
		}
		if err != nil || n == maxBatch {
			return kept, err
		}
		u = w.next()
	}
	return kept, nil
}

// one runs one update within the transaction.
func (w *writer) one(u *waiting) (keep bool, err error) {
	if err := w.connection.exec("SAVEPOINT one"); err != nil {
		u.refuse(err)
		return false, err
	}
	u.turn <- &sqlRows{connection: w.connection}
	keep = <-u.ran
	if !keep {
		if err := w.connection.exec("ROLLBACK TO one"); err != nil {
			return false, fmt.Errorf("store: the transaction was lost: %w", err)
		}
	}
	return keep, w.connection.exec("RELEASE one")
}

// next returns the next update in the queue whose caller is still there; nil if there is none.
func (w *writer) next() *waiting {
	for {
		select {
		case u, open := <-w.queue:
			if !open {
				return nil
			}
			if !u.taken.Swap(true) {
				return u
			}
		default:
			return nil
		}
	}
}

// refuse gives no turn to an update, nor to those that have come meanwhile: each of them would
// wait as long again for a file that somebody keeps locked.
func (w *writer) refuse(first *waiting, err error) {
	n := len(w.queue)
	first.refuse(err)
	for ; n > 0; n-- {
		u := w.next()
		if u == nil {
			return
		}
		u.refuse(err)
	}
}

// refuse gives no turn.
func (u *waiting) refuse(err error) {
	u.done <- err
	u.turn <- nil
}

// close ends the goroutine, after what is in the queue, and closes the database.
func (w *writer) close() error {
	close(w.queue)
	<-w.ended
	w.empty() // others may have the file open: what was forgotten is to be in no part of it
	return errors.Join(w.connection.close(), w.db.Close(), w.turn.close())
}
