package store

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestOneCommitForMany: updates that have come while another one was under way are in one
// commit. Each commit writes at least two pages to the log, so a log that grows by less than a
// page for each update has few commits in it.
func TestOneCommitForMany(t *testing.T) {
	const many = 100
	path := filepath.Join(t.TempDir(), "accounts.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	next := func(tx Tx) error { _, err := tx.Next("n"); return err }
	if err := s.Update(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	before := size(t, path+"-wal")
	inside, goOn := make(chan struct{}), make(chan struct{})
	done := make(chan error, many+1)
	go func() {
		done <- s.Update(context.Background(), func(tx Tx) error {
			close(inside)
			<-goOn
			return next(tx)
		})
	}()
	<-inside
	for range many {
		go func() { done <- s.Update(context.Background(), next) }()
	}
	for deadline := time.Now().Add(time.Minute); len(s.writer.queue) < many; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the updates do not come")
		}
	}
	close(goOn)
	for range many + 1 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	const page = 4096
	if pages := (size(t, path+"-wal") - before) / page; pages == 0 || pages > many/4 {
		t.Errorf("%d updates have written %d pages: not together", many+1, pages)
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

// TestLostTransaction: when SQLite takes the whole transaction back, nobody of its batch is
// told that his update is there, and the next batch works.
func TestLostTransaction(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "accounts.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	next := func(tx Tx) error { _, err := tx.Next("n"); return err }
	inside, goOn := make(chan struct{}), make(chan struct{})
	kept, lost := make(chan error, 1), make(chan error, 1)
	go func() {
		kept <- s.Update(context.Background(), func(tx Tx) error {
			close(inside)
			<-goOn
			return next(tx)
		})
	}()
	<-inside
	go func() {
		lost <- s.Update(context.Background(), func(t Tx) error {
			// As SQLite does by itself when the disk is full.
			return t.(*tx).rows.(*sqlRows).run("ROLLBACK")
		})
	}()
	for deadline := time.Now().Add(time.Minute); len(s.writer.queue) < 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the update does not come")
		}
	}
	close(goOn)
	if err := <-kept; err == nil {
		t.Error("an update is acknowledged that was taken back")
	}
	<-lost
	if err := s.Update(t.Context(), func(tx Tx) error {
		n, err := tx.Next("n")
		if n != 1 {
			t.Errorf("the number is %d: half of a lost batch is there", n)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// TestLockedFile: when another program keeps the file locked, those who wait are told so
// together, not one after the other, each after the time that one may wait; and all is well
// again when it lets go.
func TestLockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	other, err := connect(path, "_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	next := func(tx Tx) error { _, err := tx.Next("n"); return err }
	const others, patience = 50, 300 * time.Millisecond
	if err := s.Update(t.Context(), func(Tx) error { return s.writer.connection.exec("PRAGMA busy_timeout = 300") }); err != nil {
		t.Fatal(err)
	}
	lock, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	locked, began := make(chan error, others), time.Now()
	for range others {
		go func() { locked <- s.Update(context.Background(), next) }()
	}
	for range others {
		if err := <-locked; err == nil {
			t.Error("an update of a locked file succeeds")
		}
	}
	if d := time.Since(began); d > others*patience/3 {
		t.Errorf("%d updates were refused one after the other, in %v", others, d)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), next); err != nil {
		t.Error(err)
	}
}
