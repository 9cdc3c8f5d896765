package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/store"
	"propusk/server/store/storetest"
)

// TestFile: what was acknowledged is there for the next process, and the file is ours alone.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "с пробелом?.db")
	s := open(t, path)
	a := storetest.Person(1)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.PutAccount(&a) }); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".lock", ".turn"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", suffix, info.Mode())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	defer s.Close()
	if err := s.View(t.Context(), func(tx store.Tx) error { _, err := tx.Account(a.ID); return err }); err != nil {
		t.Error(err)
	}
}

// TestForeignFiles: a file that is something else stays as it is.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("не база данных\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	statement(t, other, "CREATE TABLE x (y)")
	newer := filepath.Join(dir, "newer.db")
	if err := open(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	statement(t, newer, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	for _, path := range []string{text, other, newer} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := store.Open(path); !errors.Is(err, store.ErrFormat) || s != nil {
			t.Errorf("%s: %v, %v", filepath.Base(path), s, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s was changed, %v", filepath.Base(path), err)
		}
	}
	if _, err := store.Open(filepath.Join(dir, "nowhere", "accounts.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// statement runs SQL in a file.
func statement(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSeveralProcesses: stores over one file, as those of a gateway and of a command beside
// it, lose no update of each other, and see them at once.
func TestSeveralProcesses(t *testing.T) {
	const stores, times = 4, 20
	path := filepath.Join(t.TempDir(), "accounts.db")
	var wait sync.WaitGroup
	all := make([]*store.SQLite, stores)
	for i := range all {
		wait.Go(func() { // they make the schema together
			s, err := store.Open(path)
			if err != nil {
				t.Error(err)
			}
			all[i] = s
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, s := range all {
		for range 2 {
			wait.Go(func() {
				for range times {
					if err := s.Update(t.Context(), func(tx store.Tx) error { _, err := tx.Next("n"); return err }); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wait.Wait()
	for _, s := range all {
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			n, err := tx.Next("n")
			if n <= stores*2*times {
				t.Errorf("the next number is %d: updates were lost", n)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestBackup copies a store while it is written to: the copy is whole, ours alone, and over no
// other file.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	path, to := filepath.Join(dir, "accounts.db"), filepath.Join(dir, "copy 'of'.db")
	s := open(t, path)
	defer s.Close()
	a := storetest.Person(1)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.PutAccount(&a), tx.PutVisit(account.Visit{Key: [32]byte{1}, Account: a.ID, Until: time.Now().Add(time.Hour)}),
			tx.PutSecret(account.Secret{Digest: [32]byte{1}, Purpose: "p", Account: a.ID, Expires: time.Now().Add(time.Hour)}))
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		for ctx.Err() == nil {
			err := s.Update(ctx, func(tx store.Tx) error { // both or none
				n, err := tx.Counter("a")
				n.Count++
				return errors.Join(err, tx.PutCounter(n), tx.PutCounter(account.Counter{Key: "b", Count: n.Count}))
			})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
	err := store.Backup(t.Context(), path, to)
	cancel()
	wait.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy: %v, %v", info, err)
	}
	if err := store.Backup(t.Context(), path, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	restored := open(t, to)
	defer restored.Close()
	if _, err := os.Stat(to + "-wal"); err != nil { // else those who look hold up those who write
		t.Errorf("the copy has no write-ahead log: %v", err)
	}
	if err := restored.View(t.Context(), func(tx store.Tx) error {
		n, errN := tx.Counter("a")
		m, errM := tx.Counter("b")
		if n.Count != m.Count {
			t.Errorf("half an update: %d and %d", n.Count, m.Count)
		}
		_, err := tx.Account(a.ID)
		visits, errVisits := tx.Visits(a.ID)
		secrets, errSecrets := tx.Secrets(a.ID, "p")
		if len(visits)+len(secrets) > 0 {
			t.Errorf("the copy brings back %d visits and %d secrets", len(visits), len(secrets))
		}
		return errors.Join(err, errN, errM, errVisits, errSecrets)
	}); err != nil {
		t.Error(err)
	}

	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("не база данных\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]error{text: store.ErrFormat, filepath.Join(dir, "nothing"): fs.ErrNotExist} {
		other := filepath.Join(dir, "other.db")
		if err := store.Backup(t.Context(), from, other); !errors.Is(err, want) {
			t.Errorf("of %s: %v", filepath.Base(from), err)
		}
		if _, err := os.Stat(other); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of %s: there is a copy", filepath.Base(from))
		}
	}
}

// TestFairness: a process that always has something to write does not keep out another one.
func TestFairness(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	busy, other := open(t, path), open(t, path)
	defer busy.Close()
	defer other.Close()
	next := func(tx store.Tx) error { _, err := tx.Next("n"); return err }
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	var written atomic.Int64
	for range 16 {
		wait.Go(func() {
			for ctx.Err() == nil {
				if err := busy.Update(ctx, next); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				written.Add(1)
			}
		})
	}
	for range 20 {
		if err := other.Update(t.Context(), next); err != nil {
			t.Error(err)
		}
	}
	cancel()
	wait.Wait()
	if n := written.Load(); n > 20_000 { // some seconds of nothing else
		t.Errorf("the other one had to wait for %d updates", n)
	}
}

// TestNothingPersonalInErrors breaks the file under a store: its errors tell nothing of what
// is in it.
func TestNothingPersonalInErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	s := open(t, path)
	defer s.Close()
	a := storetest.Person(1)
	a.Email = person.NewEmail("kanareyka@example.org")
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.PutAccount(&a) }); err != nil {
		t.Fatal(err)
	}
	for _, broken := range []string{`{"id":7}`, `{"inn":"500100732250"}`, `kanareyka`, `{"registered":"kanareyka"}`, `{"taxpayers":[{"inn":"kanareyka"}]}`} {
		statement(t, path, "UPDATE account SET document = CAST('"+broken+"' AS BLOB)")
		err := s.View(t.Context(), func(tx store.Tx) error { _, err := tx.Account(a.ID); return err })
		if err == nil || strings.Contains(err.Error(), "kanareyka") || strings.Contains(err.Error(), "500100732250") {
			t.Errorf("%s: %v", broken, err)
		}
	}
}

// TestDamagedDocument: a document that the disk has damaged does not stay for ever, and does not
// keep others from being forgotten.
func TestDamagedDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	s := open(t, path)
	defer s.Close()
	a, now := storetest.Person(1), time.Now()
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		err := tx.PutAccount(&a)
		for i := range byte(3) {
			err = errors.Join(err, tx.PutSecret(account.Secret{Digest: [32]byte{i + 1}, Purpose: "p", Account: a.ID, Created: now, Expires: now}),
				tx.PutCounter(account.Counter{Key: string('a' + rune(i)), Until: now}), tx.PutFactor(account.Factor{Account: a.ID, ID: string('a' + rune(i))}))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"secret", "counter", "factor"} {
		statement(t, path, "UPDATE "+table+" SET document = CAST('{' AS BLOB) WHERE id = (SELECT min(id) FROM "+table+")")
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		n, err := tx.Sweep(now, 100)
		if n != 6 {
			t.Errorf("%d are forgotten", n)
		}
		return errors.Join(err, tx.DeleteAccount(a.ID))
	}); err != nil {
		t.Error(err)
	}
}

// TestLogIsBounded: the write-ahead log has grown while there was always somebody who read, and
// is emptied when there is a moment for that; SQLite itself begins it anew, and leaves it long.
func TestLogIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	s := open(t, path)
	defer s.Close()
	content := byte(0)
	write := func() {
		t.Helper()
		content++ // pages that stay as they are are not written
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			return tx.PutAttachment(account.Attachment{Ticket: "one", Number: 1, Data: bytes.Repeat([]byte{content}, 3<<20)})
		}); err != nil {
			t.Fatal(err)
		}
	}
	view := func() (end func()) {
		t.Helper()
		began, stop, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- s.View(context.Background(), func(tx store.Tx) error {
				_, err := tx.Counter("a") // from here on it sees what is there now
				close(began)
				<-stop
				return err
			})
		}()
		<-began
		return func() {
			close(stop)
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	end := view()
	for range 6 {
		write()
		next := view() // there is always one that has begun before the last update
		end()
		end = next
	}
	const bound = 16 << 20
	if long := size(t, path+"-wal"); long <= bound {
		t.Fatalf("the log is only %d bytes long", long)
	}
	end()
	for deadline := time.Now().Add(time.Minute); size(t, path+"-wal") > bound; write() { // the writer does it when it has answered
		if time.Now().After(deadline) {
			t.Fatalf("nobody reads, and the log is %d bytes long", size(t, path+"-wal"))
		}
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestServe: one process serves a store, and another one when it has ended; those who only read
// and write have it open all the time.
func TestServe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	first, second := open(t, path), open(t, path)
	defer second.Close()
	for range 2 {
		if err := first.Serve(); err != nil {
			t.Fatal(err)
		}
	}
	if err := second.Serve(); !errors.Is(err, store.ErrServed) {
		t.Errorf("beside another: %v", err)
	}
	if err := second.Update(t.Context(), func(tx store.Tx) error { _, err := tx.Next("n"); return err }); err != nil {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Serve(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := second.Serve(); err != nil {
		t.Errorf("after the other: %v", err)
	}
}

// TestWaitingCaller: who leaves the queue was not served, and an update that has begun ends
// whole.
func TestWaitingCaller(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "accounts.db"))
	defer s.Close()
	inside, goOn, first := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		first <- s.Update(context.Background(), func(tx store.Tx) error {
			close(inside)
			<-goOn
			_, err := tx.Next("n")
			return err
		})
	}()
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		second <- s.Update(ctx, func(store.Tx) error { t.Error("an update whose caller had left"); return nil })
	}()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("who has left gets %v", err)
	}
	close(goOn)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// BenchmarkUpdate measures durable updates: one caller, and many at once, whose commits share
// the synchronisation of the disk.
func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s, err := store.Open(filepath.Join(b.TempDir(), "accounts.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			start := time.Now()
			var wait sync.WaitGroup
			for i := range callers {
				wait.Go(func() {
					for j := i; j < b.N; j += callers {
						v := account.Visit{Key: [32]byte{byte(j), byte(j >> 8), byte(j >> 16), 1}, Account: "a", Seen: start, Until: start}
						if err := s.Update(context.Background(), func(tx store.Tx) error { return tx.PutVisit(v) }); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wait.Wait()
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "updates/s")
		})
	}
}

// BenchmarkView measures a look at a visit and its account, as at every request of a person.
func BenchmarkView(b *testing.B) {
	s, err := store.Open(filepath.Join(b.TempDir(), "accounts.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	a := storetest.Person(1)
	v := account.Visit{Key: [32]byte{1}, Account: a.ID}
	if err := s.Update(b.Context(), func(tx store.Tx) error { return errors.Join(tx.PutAccount(&a), tx.PutVisit(v)) }); err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			err := s.View(b.Context(), func(tx store.Tx) error {
				v, err := tx.Visit(v.Key)
				if err != nil {
					return err
				}
				_, err = tx.Account(v.Account)
				return err
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}
