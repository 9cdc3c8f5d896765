package store

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
)

// FuzzDocuments: what is read as a value is written as a document that is read as the same.
func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"id":"a","inn":"500100732259","state":"active","registered":"2026-07-01T12:00:00.000000Z","taxpayers":[{"id":"t","kind":"ip"}],"version":3}`,
		`{"key":"AQIDBAUGBwgBAgMEBQYHCAECAwQFBgcIAQIDBAUGBwg=","level":"qes","amr":["swk"],"until":"2026-07-01T12:00:00.000000Z"}`,
		`{"registered":"2026-07-01T12:00:00Z"}`, `{"inn":"500100732250"}`, `{"key":"AQ=="}`, `[]`, `{"version":-1}`, `{"level":"other"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		again(t, accountFields, document)
		again(t, visitFields, document)
		again(t, noteFields, document)
		again(t, ticketFields, document)
	})
}

func again[T any](t *testing.T, tell func(*coder, *T), document []byte) {
	t.Helper()
	v, err := decode(tell, document)
	if err != nil {
		return
	}
	first, err := encode(tell, v)
	if err != nil {
		t.Fatalf("%T: read, but not written: %v", v, err)
	}
	w, err := decode(tell, first)
	if err != nil {
		t.Fatalf("%T: written, but not read: %v", v, err)
	}
	if second, err := encode(tell, w); err != nil || !bytes.Equal(first, second) {
		t.Fatalf("%T: another document the second time: %s, %s, %v", v, first, second, err)
	}
}

// TestLongDocuments: what is too long to be kept is refused, and nothing of the transaction
// stays.
func TestLongDocuments(t *testing.T) {
	s := NewMemory()
	err := s.Update(t.Context(), func(tx Tx) error {
		return errors.Join(tx.PutTask(account.Task{ID: "a", Kind: "k"}), tx.PutTask(account.Task{ID: "b", Kind: "k", Data: make([]byte, maxDocument)}))
	})
	if !errors.Is(err, ErrInvalid) {
		t.Errorf("too long: %v", err)
	}
	if err := s.View(t.Context(), func(tx Tx) error {
		tasks, err := tx.DueTasks("k", time.Now(), 9)
		if len(tasks) != 0 {
			t.Errorf("%d tasks are there", len(tasks))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// TestWatch: it is told of what is durable, and of nothing that was taken back.
func TestWatch(t *testing.T) {
	letters, notes := 0, 0
	s := Watch(NewMemory(), func() { letters++ }, func() { notes++ })
	mine := errors.New("mine")
	for _, step := range []struct {
		do      func(Tx) error
		letters int
	}{
		{func(tx Tx) error { return tx.PutLetter(account.Letter{ID: "a"}) }, 1},
		{func(tx Tx) error { return errors.Join(tx.PutLetter(account.Letter{ID: "b"}), mine) }, 1},
		{func(tx Tx) error { return tx.PutLetter(account.Letter{ID: "a", Sent: time.Now()}) }, 1}, // it does not wait any more
		{func(tx Tx) error { _, err := tx.Next("n"); return err }, 1},
		{func(tx Tx) error {
			return errors.Join(tx.PutLetter(account.Letter{ID: "c", To: person.NewEmail("x")}), tx.PutLetter(account.Letter{ID: "d"}))
		}, 2},
	} {
		if err := s.Update(t.Context(), step.do); err != nil && !errors.Is(err, mine) {
			t.Error(err)
		}
		if letters != step.letters || notes != 0 {
			t.Errorf("told of %d letters and %d notes, want %d letters", letters, notes, step.letters)
		}
	}
}
