package support

import (
	"errors"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/mail"
	"propusk/server/store"
)

// TestAnswerBy: two working days, in Moscow.
func TestAnswerBy(t *testing.T) {
	for asked, want := range map[string]string{
		"2026-03-02T09:00:00Z": "2026-03-04T15:00:00Z", // Monday
		"2026-03-05T20:59:00Z": "2026-03-09T15:00:00Z", // late on Thursday
		"2026-03-05T21:00:00Z": "2026-03-10T15:00:00Z", // Friday in Moscow
		"2026-03-07T12:00:00Z": "2026-03-10T15:00:00Z", // Saturday
		"2026-03-08T12:00:00Z": "2026-03-10T15:00:00Z", // Sunday
	} {
		at, err := time.Parse(time.RFC3339, asked)
		if err != nil {
			t.Fatal(err)
		}
		if got := AnswerBy(at).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", asked, got, want)
		}
	}
}

// TestTickets: numbers count up, and what is closed stays closed.
func TestTickets(t *testing.T) {
	now := time.Date(2026, 12, 31, 21, 30, 0, 0, time.UTC) // the new year in Moscow
	db := store.NewMemory()
	var first, second account.Ticket
	update := func(f func(store.Tx) error) error { return db.Update(t.Context(), f) }
	for _, one := range []*account.Ticket{&first, &second} {
		one.Email, one.Language = person.NewEmail("a@example.ru"), "en"
		if err := update(func(tx store.Tx) error { return Open(tx, mail.Composer{}, one, nil, now) }); err != nil {
			t.Fatal(err)
		}
	}
	if first.Number != "2027-000001" || second.Number != "2027-000002" || !KnownNumber(first.Number) {
		t.Errorf("%s, %s", first.Number, second.Number)
	}
	if err := update(func(tx store.Tx) error {
		return Answer(tx, mail.Composer{}, first.Number, "Try again.", "op", false, now)
	}); err != nil {
		t.Fatal(err)
	}
	if err := update(func(tx store.Tx) error { return Close(tx, first.Number, now) }); err != nil {
		t.Fatal(err)
	}
	for want, err := range map[reason.Code]error{
		reason.TicketClosed:  update(func(tx store.Tx) error { return Answer(tx, mail.Composer{}, first.Number, "x", "op", false, now) }),
		reason.TicketUnknown: update(func(tx store.Tx) error { return Close(tx, "2027-000009", now) }),
	} {
		if !errors.Is(err, want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, bad := range []string{"", "1", "2027-1", "2027-000001 ", "x2027-000001", "2027-0000010000"} {
		if KnownNumber(bad) {
			t.Errorf("%q is a number", bad)
		}
	}
	err := db.View(t.Context(), func(tx store.Tx) error {
		letters, err := tx.Letters("", 10)
		if len(letters) != 3 || letters[0].Language != "en" {
			t.Errorf("%d letters", len(letters))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
