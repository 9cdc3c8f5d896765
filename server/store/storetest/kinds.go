package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/store"
)

func testAccounts(t *testing.T, s suite) {
	for i := range 7 {
		a := Person(i)
		if i%3 == 0 {
			a.State = account.Pending
		}
		s.put(a)
	}
	ids := func(state account.State, after account.ID, limit int) (ids []account.ID) {
		s.view(func(tx store.Tx) error {
			found, err := tx.Accounts(state, after, limit)
			for _, a := range found {
				ids = append(ids, a.ID)
			}
			return err
		})
		return ids
	}
	same(t, "the first page", ids("", "", 3), []account.ID{Person(0).ID, Person(1).ID, Person(2).ID})
	same(t, "the second page", ids("", Person(2).ID, 9), []account.ID{Person(3).ID, Person(4).ID, Person(5).ID, Person(6).ID})
	same(t, "those who wait", ids(account.Pending, "", 9), []account.ID{Person(0).ID, Person(3).ID, Person(6).ID})
	same(t, "the last of those", ids(account.Pending, Person(3).ID, 9), []account.ID{Person(6).ID})
	for _, limit := range []int{0, -1} {
		same(t, "a page of no length", ids("", "", limit), []account.ID(nil))
	}
	for name, bad := range map[string]func(*account.Account){
		"ID":    func(a *account.Account) { a.ID = "" },
		"ИНН":   func(a *account.Account) { a.Identity.INN = person.INN{} },
		"state": func(a *account.Account) { a.State = "" },
	} {
		a := Person(99)
		bad(&a)
		s.fails(store.ErrInvalid, func(tx store.Tx) error { return tx.PutAccount(&a) })
		if a.Version != 0 {
			t.Errorf("without %s the version is %d", name, a.Version)
		}
	}
	s.view(func(tx store.Tx) error {
		for _, find := range []func() error{
			func() error { _, err := tx.Account("nobody"); return err },
			func() error { _, err := tx.Account(""); return err },
			func() error { _, err := tx.AccountByINN(INN(99)); return err },
			func() error { _, err := tx.AccountByINN(person.INN{}); return err },
		} {
			if err := find(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("nobody is found: %v", err)
			}
		}
		return nil
	})
}

func testTaken(t *testing.T, s suite) {
	s.put(Person(1))
	s.put(Person(2))
	twin := Person(3)
	twin.Identity.INN = INN(1)
	s.fails(store.ErrTaken, func(tx store.Tx) error { return tx.PutAccount(&twin) })
	s.fails(store.ErrTaken, func(tx store.Tx) error {
		b, err := tx.Account(Person(2).ID)
		b.Identity.INN = INN(1)
		return errors.Join(err, tx.PutAccount(&b))
	})
	// A number that was given up is free.
	s.update(func(tx store.Tx) error { return tx.DeleteAccount(Person(1).ID) })
	s.put(twin)
	s.view(func(tx store.Tx) error {
		if a, err := tx.AccountByINN(INN(1)); a.ID != twin.ID {
			t.Errorf("found %s, %v", a.ID, err)
		}
		return nil
	})
}

func testVersions(t *testing.T, s suite) {
	a := Person(1)
	for want := uint64(1); want < 4; want++ {
		s.update(func(tx store.Tx) error { return tx.PutAccount(&a) })
		if a.Version != want {
			t.Fatalf("version %d, want %d", a.Version, want)
		}
	}
	for _, version := range []uint64{0, 2, 4} {
		old := a
		old.Version = version
		s.fails(store.ErrConflict, func(tx store.Tx) error { return tx.PutAccount(&old) })
		if old.Version != version {
			t.Errorf("a failed put has made version %d of %d", old.Version, version)
		}
	}
	gone := Person(2)
	gone.Version = 1
	s.fails(store.ErrConflict, func(tx store.Tx) error { return tx.PutAccount(&gone) })
}

func testDelete(t *testing.T, s suite) {
	e := filled(t)
	id := e.account.ID
	e.password.Account, e.factor.Account, e.key.Account, e.card.Account, e.visit.Account, e.secret.Account = id, id, id, id, id, id
	e.evidence.Account, e.letter.Account, e.ticket.Account = id, id, id
	s.update(e.put)
	s.put(Person(1))
	s.update(func(tx store.Tx) error { return tx.PutPassword(account.Password{Account: Person(1).ID, Hash: "x"}) })
	s.update(func(tx store.Tx) error { return tx.DeleteAccount(id) })
	s.view(func(tx store.Tx) error {
		for what, find := range map[string]func() error{
			"account":  func() error { _, err := tx.Account(id); return err },
			"password": func() error { _, err := tx.Password(id); return err },
			"key":      func() error { _, err := tx.Key(e.key.SHA256); return err },
			"card":     func() error { _, err := tx.Card(e.card.Number); return err },
			"visit":    func() error { _, err := tx.Visit(e.visit.Key); return err },
			"secret":   func() error { _, err := tx.Secret(e.secret.Purpose, e.secret.Digest, start); return err },
		} {
			if err := find(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the %s is still there: %v", what, err)
			}
		}
		got(s, "factors", []account.Factor(nil))(tx.Factors(id))
		got(s, "evidence", []account.Evidence{e.evidence})(tx.EvidenceOf(id))
		got(s, "letter", e.letter)(tx.Letter(e.letter.ID))
		got(s, "ticket", e.ticket)(tx.Ticket(e.ticket.Number))
		_, err := tx.Password(Person(1).ID) // another's
		return err
	})
}

// testForgotten forgets what outlives an account, and nothing of others.
func testForgotten(t *testing.T, s suite) {
	e := filled(t)
	s.update(e.put)
	other := e.ticket
	other.Number = e.ticket.Number + "0"
	file := account.Attachment{Ticket: other.Number, Number: 1, Data: []byte("x")}
	evidence := account.Evidence{ID: "another", Account: Person(1).ID, At: start}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutTicket(other), tx.PutAttachment(file), tx.AddEvidence(evidence))
	})
	for range 2 { // what is not there is no error
		s.update(func(tx store.Tx) error {
			return errors.Join(tx.DeleteEvidence(e.evidence.Account), tx.DeleteTicket(e.ticket.Number))
		})
	}
	s.view(func(tx store.Tx) error {
		if _, err := tx.Ticket(e.ticket.Number); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the ticket is still there: %v", err)
		}
		got(s, "files", []account.Attachment(nil))(tx.Attachments(e.ticket.Number))
		got(s, "files of another", []account.Attachment{file})(tx.Attachments(other.Number))
		got(s, "evidence", []account.Evidence(nil))(tx.EvidenceOf(e.evidence.Account))
		got(s, "evidence of another", []account.Evidence{evidence})(tx.EvidenceOf(evidence.Account))
		_, err := tx.Ticket(other.Number)
		return err
	})
	for name, write := range map[string]func(store.Tx) error{
		"evidence": func(tx store.Tx) error { return tx.DeleteEvidence(evidence.Account) },
		"ticket":   func(tx store.Tx) error { return tx.DeleteTicket(other.Number) },
	} {
		if err := s.View(t.Context(), write); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("%s in a view: %v", name, err)
		}
	}
}

// testOverdue asks at the very moment and just before.
func testOverdue(t *testing.T, s suite) {
	for i := range 4 {
		a, p := Person(i), account.Password{Account: Person(i).ID, Initial: i != 3}
		if i > 0 { // the first has no time
			a.ActivateBy = start.Add(time.Duration(9-i) * time.Hour)
			p.Expires = a.ActivateBy
		}
		s.put(a)
		s.update(func(tx store.Tx) error { return tx.PutPassword(p) })
	}
	for at, want := range map[time.Time]int{
		start: 0, start.Add(6*time.Hour - time.Microsecond): 0, start.Add(6 * time.Hour): 1, start.Add(7 * time.Hour): 2, start.Add(9 * time.Hour): 3,
	} {
		s.view(func(tx store.Tx) error {
			a, err := tx.OverdueAccounts(at, 9)
			if len(a) != want || want > 1 && a[0].ID != Person(3).ID {
				t.Errorf("%v: %d are overdue, want %d", at, len(a), want)
			}
			p, errP := tx.OverduePasswords(at, 9)
			if len(p) != max(0, want-1) { // the earliest is not an initial one
				t.Errorf("%v: %d passwords are overdue, want %d", at, len(p), want-1)
			}
			return errors.Join(err, errP)
		})
	}
}

func testKeys(t *testing.T, s suite) {
	mine := func(i byte) account.Key {
		return account.Key{SHA256: [32]byte{i}, Account: "me", Bound: start.Add(time.Duration(i) * time.Hour), State: account.GoodKey}
	}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutKey(mine(1)), tx.PutKey(mine(3)), tx.PutKey(mine(2)))
	})
	theirs := mine(1)
	theirs.Account = "them"
	s.fails(store.ErrTaken, func(tx store.Tx) error { return tx.PutKey(theirs) })
	changed := mine(2)
	changed.State = account.CompromisedKey
	s.update(func(tx store.Tx) error { return tx.PutKey(changed) })
	s.view(func(tx store.Tx) error {
		got(s, "keys", []account.Key{mine(3), changed, mine(1)})(tx.Keys("me"))
		got(s, "keys of others", []account.Key(nil))(tx.Keys("them"))
		return nil
	})
	card := account.Card{Number: "1", Account: "me", Issued: start}
	s.update(func(tx store.Tx) error { return tx.PutCard(card) })
	card.Account = "them"
	s.fails(store.ErrTaken, func(tx store.Tx) error { return tx.PutCard(card) })
}

func testCredentials(t *testing.T, s suite) {
	first := account.Factor{Account: "me", ID: "z", Kind: account.TOTP, Added: start}
	second := account.Factor{Account: "me", ID: "a", Kind: account.Recovery, Added: start.Add(time.Second)}
	other := account.Factor{Account: "them", ID: "a", Added: start}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutFactor(second), tx.PutFactor(first), tx.PutFactor(other), tx.PutPassword(account.Password{Account: "me", Hash: "1"}),
			tx.PutPassword(account.Password{Account: "me", Hash: "2"}))
	})
	s.view(func(tx store.Tx) error {
		got(s, "factors", []account.Factor{first, second})(tx.Factors("me"))
		got(s, "password", account.Password{Account: "me", Hash: "2"})(tx.Password("me"))
		return nil
	})
	s.update(func(tx store.Tx) error { return errors.Join(tx.DeleteFactor("me", "a"), tx.DeletePassword("me")) })
	s.view(func(tx store.Tx) error {
		got(s, "factors", []account.Factor{first})(tx.Factors("me"))
		got(s, "factors of others", []account.Factor{other})(tx.Factors("them"))
		if _, err := tx.Password("me"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the password is still there: %v", err)
		}
		return nil
	})
	s.fails(store.ErrInvalid, func(tx store.Tx) error { return tx.PutFactor(account.Factor{Account: "me"}) })
	s.fails(store.ErrInvalid, func(tx store.Tx) error { return tx.PutPassword(account.Password{}) })
	var cards []account.Card
	for i := range 3 {
		cards = append([]account.Card{{Number: fmt.Sprint(i), Account: account.ID(fmt.Sprint(i % 2)), Issued: start.Add(time.Duration(i) * time.Hour)}}, cards...)
		s.update(func(tx store.Tx) error { return tx.PutCard(cards[0]) })
	}
	s.view(func(tx store.Tx) error {
		got(s, "cards", cards)(tx.Cards("", 9))
		got(s, "cards of one", []account.Card{cards[0], cards[2]})(tx.Cards("0", 9))
		got(s, "the last card", cards[:1])(tx.Cards("", 1))
		return nil
	})
}

func testVisits(t *testing.T, s suite) {
	visit := func(i byte) account.Visit {
		at := start.Add(time.Duration(i) * time.Hour)
		return account.Visit{Key: [32]byte{i}, Account: "me", Seen: at, Until: at.Add(time.Hour)}
	}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutVisit(visit(2)), tx.PutVisit(visit(1)), tx.PutVisit(visit(3)), tx.PutVisit(account.Visit{Key: [32]byte{9}, Account: "them"}))
	})
	s.view(func(tx store.Tx) error {
		got(s, "visits", []account.Visit{visit(3), visit(2), visit(1)})(tx.Visits("me"))
		got(s, "ended at the moment", []account.Visit{visit(1), visit(2)})(tx.EndedVisits(start.Add(3*time.Hour), 9))
		got(s, "ended before it", []account.Visit{visit(1)})(tx.EndedVisits(start.Add(3*time.Hour-time.Microsecond), 9))
		got(s, "the first to end", []account.Visit{visit(1)})(tx.EndedVisits(start.Add(9*time.Hour), 1))
		return nil
	})
	s.update(func(tx store.Tx) error { return tx.DeleteVisit([32]byte{2}) })
	s.view(func(tx store.Tx) error {
		got(s, "visits", []account.Visit{visit(3), visit(1)})(tx.Visits("me"))
		if _, err := tx.Visit([32]byte{2}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the visit is still there: %v", err)
		}
		return nil
	})
}

func testSecrets(t *testing.T, s suite) {
	link := account.Secret{Digest: [32]byte{1}, Purpose: "activation", Account: "me", Created: start, Expires: start.Add(time.Hour)}
	newer := link
	newer.Digest, newer.Created = [32]byte{2}, start.Add(time.Minute)
	other := link
	other.Purpose = "recovery"
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutSecret(link), tx.PutSecret(newer), tx.PutSecret(other))
	})
	take := func(purpose string, digest byte, now time.Time) func(store.Tx) error {
		return func(tx store.Tx) error { _, err := tx.TakeSecret(purpose, [32]byte{digest}, now); return err }
	}
	s.view(func(tx store.Tx) error {
		got(s, "secrets", []account.Secret{newer, link})(tx.Secrets("me", "activation"))
		got(s, "a look", link)(tx.Secret("activation", [32]byte{1}, start))
		return nil
	})
	s.fails(store.ErrNotFound, take("another", 1, start))
	s.fails(store.ErrNotFound, take("activation", 3, start))
	s.fails(store.ErrNotFound, take("activation", 1, link.Expires)) // too late, and still there
	s.fails(errMine, func(tx store.Tx) error { return errors.Join(take("activation", 1, start)(tx), errMine) })
	s.update(take("activation", 1, link.Expires.Add(-time.Microsecond)))
	s.fails(store.ErrNotFound, take("activation", 1, start))
	s.update(func(tx store.Tx) error { return tx.DeleteSecrets("me", "activation") })
	s.fails(store.ErrNotFound, take("activation", 2, start))
	s.update(take("recovery", 1, start))
	s.fails(store.ErrInvalid, func(tx store.Tx) error { return tx.PutSecret(account.Secret{Account: "me"}) })
}

func testCounters(t *testing.T, s suite) {
	s.view(func(tx store.Tx) error {
		got(s, "no counter", account.Counter{Key: "k"})(tx.Counter("k"))
		return nil
	})
	n := account.Counter{Key: "k", Count: 3, Since: start, Until: start.Add(time.Hour)}
	s.update(func(tx store.Tx) error { return tx.PutCounter(n) })
	s.view(func(tx store.Tx) error { got(s, "counter", n)(tx.Counter("k")); return nil })
	s.update(func(tx store.Tx) error { return tx.DeleteCounter("k") })
	s.view(func(tx store.Tx) error { got(s, "counter", account.Counter{Key: "k"})(tx.Counter("k")); return nil })
	for want := int64(1); want < 4; want++ {
		s.update(func(tx store.Tx) error {
			if n, err := tx.Next("a"); n != want || err != nil {
				t.Errorf("number %d, %v, want %d", n, err, want)
			}
			return nil
		})
	}
	s.update(func(tx store.Tx) error {
		if n, err := tx.Next("b"); n != 1 || err != nil {
			t.Errorf("the first number is %d, %v", n, err)
		}
		return nil
	})
}

// testSweep leaves alone what is still good.
func testSweep(t *testing.T, s suite) {
	for i := range 5 {
		until := start.Add(time.Duration(i) * time.Hour)
		s.update(func(tx store.Tx) error {
			return errors.Join(tx.PutSecret(account.Secret{Digest: [32]byte{byte(i)}, Purpose: "p", Expires: until}), //nolint:gosec // small
				tx.PutCounter(account.Counter{Key: fmt.Sprint(i), Count: 1, Until: until}),
				tx.AddCheckRun(account.CheckRun{Code: fmt.Sprint(i), Expires: until}))
		})
	}
	now := start.Add(2 * time.Hour) // three of each are over
	for _, want := range []int{6, 3, 0} {
		s.update(func(tx store.Tx) error {
			if n, err := tx.Sweep(now, 2); n != want || err != nil {
				t.Errorf("swept %d, %v, want %d", n, err, want)
			}
			return nil
		})
	}
	s.view(func(tx store.Tx) error {
		for i := range 5 {
			n, err := tx.Counter(fmt.Sprint(i))
			if (n.Count == 1) != (i > 2) || err != nil {
				t.Errorf("counter %d: %+v, %v", i, n, err)
			}
			if _, err := tx.Secret("p", [32]byte{byte(i)}, start.Add(-time.Hour)); (err == nil) != (i > 2) { //nolint:gosec // small
				t.Errorf("secret %d: %v", i, err)
			}
			if _, err := tx.CheckRun(fmt.Sprint(i), now); (err == nil) != (i > 2) {
				t.Errorf("result %d: %v", i, err)
			}
		}
		return nil
	})
}

func testLetters(t *testing.T, s suite) {
	letter := func(i int) account.Letter {
		at := start.Add(time.Duration(i/2) * time.Hour) // two have one time
		return account.Letter{ID: fmt.Sprint(i), Kind: "activation", Created: at, NotBefore: at.Add(time.Hour)}
	}
	for _, i := range []int{3, 0, 2, 1} {
		s.update(func(tx store.Tx) error { return tx.PutLetter(letter(i)) })
	}
	s.view(func(tx store.Tx) error {
		got(s, "nothing is due", []account.Letter(nil))(tx.DueLetters(start, 9))
		got(s, "due", []account.Letter{letter(0), letter(1)})(tx.DueLetters(start.Add(time.Hour), 9))
		got(s, "due first", []account.Letter{letter(0)})(tx.DueLetters(start.Add(9*time.Hour), 1))
		got(s, "the newest", []account.Letter{letter(3)})(tx.Letters("", 1))
		got(s, "those behind it", []account.Letter{letter(2), letter(1), letter(0)})(tx.Letters("3", 9))
		got(s, "those behind the second", []account.Letter{letter(1), letter(0)})(tx.Letters("2", 9))
		if _, err := tx.Letters("nobody", 9); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("behind no letter: %v", err)
		}
		return nil
	})
	sent, failed, later := letter(0), letter(1), letter(2)
	sent.Sent, failed.Failed, later.NotBefore, later.Tries = start, start, start.Add(5*time.Hour), 1
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutLetter(sent), tx.PutLetter(failed), tx.PutLetter(later))
	})
	s.view(func(tx store.Tx) error {
		got(s, "due", []account.Letter{letter(3), later})(tx.DueLetters(start.Add(9*time.Hour), 9))
		return nil
	})
	s.update(func(tx store.Tx) error { return tx.DeleteLetter("3") })
	s.view(func(tx store.Tx) error {
		got(s, "due", []account.Letter{later})(tx.DueLetters(start.Add(9*time.Hour), 9))
		return nil
	})
}

func testTasks(t *testing.T, s suite) {
	task := func(kind string, hours int) account.Task {
		return account.Task{ID: fmt.Sprint(kind, hours), Kind: kind, Data: []byte("x"), Due: start.Add(time.Duration(hours) * time.Hour)}
	}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutTask(task("a", 2)), tx.PutTask(task("a", 1)), tx.PutTask(task("b", 1)))
	})
	s.view(func(tx store.Tx) error {
		got(s, "too early", []account.Task(nil))(tx.DueTasks("a", start, 9))
		got(s, "at the moment", []account.Task{task("a", 1)})(tx.DueTasks("a", start.Add(time.Hour), 9))
		got(s, "all", []account.Task{task("a", 1), task("a", 2)})(tx.DueTasks("a", start.Add(9*time.Hour), 9))
		return nil
	})
	s.update(func(tx store.Tx) error { return tx.DeleteTask("a1") })
	s.view(func(tx store.Tx) error {
		got(s, "the rest", []account.Task{task("a", 2)})(tx.DueTasks("a", start.Add(9*time.Hour), 9))
		return nil
	})
}

func testNotes(t *testing.T, s suite) {
	who := Person(1).Identity
	for i := range 12 {
		s.update(func(tx store.Tx) error { return tx.Note(event(start, fmt.Sprint(i)), who) })
	}
	s.fails(store.ErrInvalid, func(tx store.Tx) error { return tx.Note(journal.Event{At: start, Action: "x"}, who) })
	s.update(func(tx store.Tx) error { return errors.Join(tx.MarkNote(2, 17), tx.DeleteNote(1), tx.DeleteNote(99)) })
	s.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.MarkNote(1, 17) })
	s.view(func(tx store.Tx) error {
		notes, err := tx.Notes(99)
		if len(notes) != 11 {
			t.Fatalf("%d notes are left, want 11", len(notes))
		}
		for i, n := range notes {
			want := account.Note{ID: int64(i + 2), Event: event(start, fmt.Sprint(i+1)), Who: who}
			if n.ID == 2 {
				want.From = 17
			}
			same(t, "note", n, want)
		}
		return err
	})
}

func testTickets(t *testing.T, s suite) {
	ticket := func(n string, hours int, state string) account.Ticket {
		return account.Ticket{Number: n, State: state, Changed: start.Add(time.Duration(hours) * time.Hour)}
	}
	a, b, c := ticket("A", 1, account.OpenTicket), ticket("B", 3, account.OpenTicket), ticket("C", 2, account.ClosedTicket)
	file := func(n string, i int) account.Attachment {
		return account.Attachment{Ticket: n, Number: i, Name: person.NewPrivate("ключ.cer"), Data: make([]byte, 100_000)}
	}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutTicket(a), tx.PutTicket(b), tx.PutTicket(c), tx.PutAttachment(file("A", 10)), tx.PutAttachment(file("A", 2)), tx.PutAttachment(file("B", 1)))
	})
	s.view(func(tx store.Tx) error {
		got(s, "all", []account.Ticket{b, c, a})(tx.Tickets("", "", 9))
		got(s, "open", []account.Ticket{b, a})(tx.Tickets(account.OpenTicket, "", 9))
		got(s, "behind the first", []account.Ticket{a})(tx.Tickets(account.OpenTicket, "B", 9))
		got(s, "one", []account.Ticket{b})(tx.Tickets("", "", 1))
		got(s, "files", []account.Attachment{file("A", 2), file("A", 10)})(tx.Attachments("A"))
		return nil
	})
	s.fails(store.ErrNotFound, func(tx store.Tx) error { _, err := tx.Tickets("", "nobody", 9); return err })
	s.fails(store.ErrInvalid, func(tx store.Tx) error { return tx.PutAttachment(file("A", 0)) })
}

func testAddOnly(t *testing.T, s suite) {
	evidence := account.Evidence{ID: "1", Account: "me", Text: []byte("текст"), At: start}
	later := account.Evidence{ID: "0", Account: "me", At: start.Add(time.Hour)}
	run := account.CheckRun{Code: "1", Expires: start.Add(time.Hour)}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.AddEvidence(evidence), tx.AddEvidence(later), tx.AddCheckRun(run))
	})
	changed := evidence
	changed.Text = []byte("другой")
	s.fails(store.ErrTaken, func(tx store.Tx) error { return tx.AddEvidence(changed) })
	s.fails(store.ErrTaken, func(tx store.Tx) error { return tx.AddCheckRun(account.CheckRun{Code: "1"}) })
	s.view(func(tx store.Tx) error {
		got(s, "evidence", []account.Evidence{evidence, later})(tx.EvidenceOf("me"))
		got(s, "a result", run)(tx.CheckRun("1", start))
		if _, err := tx.CheckRun("1", run.Expires); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a result that has expired: %v", err)
		}
		return nil
	})
}
