package office

import (
	"errors"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/store"
	"propusk/server/store/storetest"
)

// remembered is an office with a closed account and all that may be kept about its person, and
// with as much of others.
func remembered(t *testing.T) (Office, account.Account) {
	t.Helper()
	o, a := newOffice(), storetest.Person(1)
	a.State, a.Email, a.EmailConfirmed = account.Closed, person.NewEmail("x@example.org"), start
	put(t, o, a)
	stranger := account.NewID()
	if err := o.Store.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			tx.PutKey(account.Key{SHA256: [32]byte{1}, Account: a.ID, State: account.GoodKey, NotAfter: start.Add(time.Hour)}),
			tx.PutKey(account.Key{SHA256: [32]byte{2}, Account: a.ID, State: account.CompromisedKey, NotAfter: start}),
			tx.PutCard(account.Card{Number: "1", Account: a.ID}),
			tx.PutLetter(account.Letter{ID: "his", Account: a.ID}),
			tx.PutLetter(account.Letter{ID: "to him", To: person.NewEmail("X@example.org")}),
			tx.PutLetter(account.Letter{ID: "another's", Account: stranger, To: a.Email}),
			tx.PutLetter(account.Letter{ID: "to another", To: person.NewEmail("y@example.org")}),
			tx.PutTicket(account.Ticket{Number: "his", Account: a.ID, State: account.OpenTicket}),
			tx.PutTicket(account.Ticket{Number: "his number", INN: a.Identity.INN, State: account.ClosedTicket}),
			tx.PutTicket(account.Ticket{Number: "his address", Email: a.Email, State: account.ClosedTicket}),
			tx.PutTicket(account.Ticket{Number: "another's", Account: stranger, Email: a.Email, INN: a.Identity.INN}),
			tx.PutTicket(account.Ticket{Number: "without account"}),
			tx.PutAttachment(account.Attachment{Ticket: "his", Number: 1}),
			tx.AddEvidence(account.Evidence{ID: "e", Account: a.ID}),
		)
	}); err != nil {
		t.Fatal(err)
	}
	return o, a
}

func TestForget(t *testing.T) {
	o, a := remembered(t)
	f, err := o.Forget(t.Context(), number, false)
	if want := (Forgotten{Account: a.ID, Keys: 2, Cards: 1, Letters: 2, Tickets: 3, Kept: 1}); err != nil || f != want {
		t.Fatalf("%+v, %v, want %+v", f, err, want)
	}
	after := look(t, o, a.ID)
	if len(after.events) != 1 || after.events[0] != "account-forgotten  by=operator evidence=kept" || len(after.letters) != 2 || after.visits != 0 || after.tasks != 1 {
		t.Errorf("left: %+v", after)
	}
	if err := o.Store.View(t.Context(), func(tx store.Tx) error {
		tickets, err := tx.Tickets("", "", 9)
		if len(tickets) != 2 {
			t.Errorf("%d tickets are left", len(tickets))
		}
		files, errFiles := tx.Attachments("his")
		if len(files) != 0 {
			t.Error("a file is left")
		}
		return errors.Join(err, errFiles)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Forget(t.Context(), number, false); !errors.Is(err, ErrUnknown) {
		t.Errorf("twice: %v", err)
	}
	put(t, o, a) // he comes again; the evidence is that of the one before
}

// TestForgetEvidence: what was signed is found by the ID of an account that is forgotten, until
// it is destroyed as well.
func TestForgetEvidence(t *testing.T) {
	o, a := remembered(t)
	if _, err := o.Forget(t.Context(), number, false); err != nil {
		t.Fatal(err)
	}
	if e, err := o.Evidence(t.Context(), string(a.ID)); err != nil || len(e) != 1 {
		t.Errorf("%d, %v", len(e), err)
	}
	for _, name := range []string{"", "nobody", number} {
		if _, err := o.Evidence(t.Context(), name); !errors.Is(err, ErrUnknown) {
			t.Errorf("evidence of %q: %v", name, err)
		}
		if _, err := o.Forget(t.Context(), name, true); !errors.Is(err, ErrUnknown) {
			t.Errorf("forget %q: %v", name, err)
		}
	}
	if f, err := o.Forget(t.Context(), string(a.ID), true); err != nil || f != (Forgotten{Evidence: 1}) {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := o.Evidence(t.Context(), string(a.ID)); !errors.Is(err, ErrUnknown) {
		t.Errorf("after that: %v", err)
	}

	o, a = remembered(t)
	if f, err := o.Forget(t.Context(), string(a.ID), true); err != nil || f.Evidence != 1 || f.Kept != 0 {
		t.Errorf("at once: %+v, %v", f, err)
	}
	if after := look(t, o, a.ID); len(after.events) != 1 || after.events[0] != "account-forgotten  by=operator evidence=destroyed" {
		t.Errorf("events %q", after.events)
	}
}

// TestForgetNot: who may still come in is not forgotten, and no key that somebody has stolen.
func TestForgetNot(t *testing.T) {
	for state, want := range map[account.State]error{
		account.Active: ErrState, account.Awaiting: ErrState, account.Pending: ErrState, account.Blocked: ErrState, account.Compromised: ErrState,
		account.Rejected: nil,
	} {
		o, a := newOffice(), storetest.Person(1)
		a.State = state
		put(t, o, a)
		if _, err := o.Forget(t.Context(), number, true); !errors.Is(err, want) {
			t.Errorf("%s: %v", state, err)
		}
		if _, err := o.Find(t.Context(), number); (err == nil) != (want != nil) {
			t.Errorf("%s: found: %v", state, err)
		}
	}
	o, _ := remembered(t)
	now := o.Now()
	o.Now = func() time.Time { return now.Add(-time.Second) }
	if _, err := o.Forget(t.Context(), number, true); !errors.Is(err, ErrCompromised) {
		t.Errorf("a stolen key: %v", err)
	}
	if e, err := o.Evidence(t.Context(), number); err != nil || len(e) != 1 {
		t.Errorf("the evidence: %d, %v", len(e), err)
	}
}
