package journal

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"propusk/pki/person"
)

// TestRecorderOf: a person who has several identities gets the records of all of them, in one
// order, page by page, each once; nobody else's.
func TestRecorderOf(t *testing.T) {
	r := NewRecorder(Options{
		Path: filepath.Join(t.TempDir(), "journal"), Addresses: AddressNone, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Subject: func(who person.Identity) (string, error) {
			if who.Kind == "" {
				return "", errors.New("nobody")
			}
			return string(who.Kind) + who.Name.Reveal(), nil
		},
		Observe: func(Kind, error) {},
	})
	if _, err := (*Recorder)(nil).Of(t.Context(), nil, 0, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("no journal: %v", err)
	}
	if _, err := r.Of(t.Context(), nil, 0, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("not open: %v", err)
	}
	if err := r.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.file.Load().Close(); err != nil {
			t.Error(err)
		}
	})
	mine := []person.Identity{{Kind: person.Entrepreneur}, {Kind: person.Person}, {Kind: person.Person}, {}}
	for i, who := range []person.Kind{person.Person, person.Entrepreneur, person.LegalEntity, person.Entrepreneur, person.Person} {
		if err := r.record(httptest.NewRequest("GET", "/", nil), Event{Kind: SignIn, Action: string(rune('a' + i))}, person.Identity{Kind: who}); err != nil {
			t.Fatal(err)
		}
	}
	var got string
	for before := uint64(0); ; {
		page, err := r.Of(t.Context(), mine, before, 3)
		if err != nil || len(page) > 3 {
			t.Fatal(len(page), err)
		}
		if len(page) == 0 {
			break
		}
		for _, one := range page {
			got += one.Action
		}
		before = page[len(page)-1].Number
		if before == 1 {
			break
		}
	}
	if got != "edba" {
		t.Errorf("records %q, want %q", got, "edba")
	}
}
