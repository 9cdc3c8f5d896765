// Package storetest is what every implementation of store.Store must do.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/store"
)

// start is the time of everything here.
var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// Run holds a store to its contract. open returns an empty one, which is closed at the end of
// the test.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(*testing.T, suite){
		"Everything comes back":     testRoundTrip,
		"Copies":                    testCopies,
		"Errors undo":               testUndo,
		"A panic undoes":            testPanic,
		"A view does not write":     testReadOnly,
		"A view is one moment":      testSnapshot,
		"The end of a transaction":  testOver,
		"Contexts":                  testContext,
		"Closed":                    testClosed,
		"Accounts":                  testAccounts,
		"One account for an ИНН":    testTaken,
		"Versions":                  testVersions,
		"Deleted accounts":          testDelete,
		"Nothing is left":           testForgotten,
		"Overdue":                   testOverdue,
		"Keys stay with an account": testKeys,
		"Credentials":               testCredentials,
		"Visits":                    testVisits,
		"Secrets are good once":     testSecrets,
		"Counters":                  testCounters,
		"Sweep":                     testSweep,
		"Letters":                   testLetters,
		"Tasks":                     testTasks,
		"Notes":                     testNotes,
		"Tickets":                   testTickets,
		"Only once":                 testAddOnly,
		"Many at once":              testConcurrent,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			test(t, suite{t, s})
		})
	}
}

// suite is a test and its store.
type suite struct {
	*testing.T
	store.Store
}

// update runs f, which must succeed.
func (s suite) update(f func(tx store.Tx) error) {
	s.Helper()
	if err := s.Update(s.Context(), f); err != nil {
		s.Fatal(err)
	}
}

func (s suite) view(f func(tx store.Tx) error) {
	s.Helper()
	if err := s.View(s.Context(), f); err != nil {
		s.Fatal(err)
	}
}

// fails runs f, which must end with the error.
func (s suite) fails(want error, f func(tx store.Tx) error) {
	s.Helper()
	if err := s.Update(s.Context(), f); !errors.Is(err, want) {
		s.Errorf("%v, want %v", err, want)
	}
}

// Person returns an account of a person with the ИНН of the number, that is not in any store
// yet.
func Person(n int) account.Account {
	return account.Account{
		ID: account.ID(fmt.Sprintf("account-%09d", n)), State: account.Active, Registered: start, Language: "ru",
		Identity: person.Identity{Kind: person.Entrepreneur, INN: INN(n), Name: person.NewName("Проба")},
	}
}

func (s suite) put(a account.Account) {
	s.Helper()
	s.update(func(tx store.Tx) error { return tx.PutAccount(&a) })
}

func event(at time.Time, action string) journal.Event {
	return journal.Event{At: at, Kind: journal.Account, Action: action, Support: "код"}
}

// same compares what was put with what came back.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want)
	from := 0 // where they begin to differ
	for from < min(len(a), len(b)) && a[from] == b[from] {
		from++
	}
	part := func(s string) string { return s[max(0, min(from, len(s))-40):min(from+80, len(s))] }
	t.Errorf("%s came back as …%q…, want …%q…", what, part(a), part(b))
}

// got checks one value of a transaction.
func got[T any](s suite, what string, want T) func(T, error) {
	s.Helper()
	return func(v T, err error) {
		s.Helper()
		if err != nil {
			s.Errorf("%s: %v", what, err)
			return
		}
		same(s.T, what, v, want)
	}
}

// everything is one filled value of each type.
type everything struct {
	account    account.Account
	password   account.Password
	factor     account.Factor
	key        account.Key
	card       account.Card
	evidence   account.Evidence
	visit      account.Visit
	secret     account.Secret
	counter    account.Counter
	run        account.CheckRun
	letter     account.Letter
	task       account.Task
	ticket     account.Ticket
	attachment account.Attachment
}

func filled(t *testing.T) *everything {
	t.Helper()
	e, f := &everything{}, &filler{}
	for _, v := range []any{&e.account, &e.password, &e.factor, &e.key, &e.card, &e.evidence, &e.visit, &e.secret, &e.counter, &e.run,
		&e.letter, &e.task, &e.ticket, &e.attachment} {
		f.fill(t, v)
	}
	e.account.State, e.account.Version = account.Blocked, 0
	e.attachment.Ticket = e.ticket.Number
	return e
}

func (e *everything) put(tx store.Tx) error {
	return errors.Join(tx.PutAccount(&e.account), tx.PutPassword(e.password), tx.PutFactor(e.factor), tx.PutKey(e.key), tx.PutCard(e.card),
		tx.AddEvidence(e.evidence), tx.PutVisit(e.visit), tx.PutSecret(e.secret), tx.PutCounter(e.counter), tx.AddCheckRun(e.run),
		tx.PutLetter(e.letter), tx.PutTask(e.task), tx.PutTicket(e.ticket), tx.PutAttachment(e.attachment))
}

// check looks whether all of e is in the store.
func (e *everything) check(s suite) {
	s.Helper()
	s.view(func(tx store.Tx) error {
		got(s, "account", e.account)(tx.Account(e.account.ID))
		got(s, "account by ИНН", e.account)(tx.AccountByINN(e.account.Identity.INN))
		got(s, "password", e.password)(tx.Password(e.password.Account))
		got(s, "factor", []account.Factor{e.factor})(tx.Factors(e.factor.Account))
		got(s, "key", e.key)(tx.Key(e.key.SHA256))
		got(s, "card", e.card)(tx.Card(e.card.Number))
		got(s, "evidence", e.evidence)(tx.Evidence(e.evidence.ID))
		got(s, "visit", e.visit)(tx.Visit(e.visit.Key))
		got(s, "secret", e.secret)(tx.Secret(e.secret.Purpose, e.secret.Digest, start))
		got(s, "counter", e.counter)(tx.Counter(e.counter.Key))
		got(s, "check run", e.run)(tx.CheckRun(e.run.Code, start))
		got(s, "letter", e.letter)(tx.Letter(e.letter.ID))
		got(s, "task", []account.Task{e.task})(tx.DueTasks(e.task.Kind, e.task.Due, 9))
		got(s, "ticket", e.ticket)(tx.Ticket(e.ticket.Number))
		got(s, "attachment", []account.Attachment{e.attachment})(tx.Attachments(e.ticket.Number))
		return nil
	})
}

func testRoundTrip(t *testing.T, s suite) {
	e := filled(t)
	s.update(e.put)
	e.check(s)

	var note account.Note
	(&filler{}).fill(t, &note)
	s.update(func(tx store.Tx) error { return tx.Note(note.Event, note.Who) })
	s.view(func(tx store.Tx) error {
		note.ID, note.From = 1, 0
		got(s, "note", []account.Note{note})(tx.Notes(9))
		return nil
	})

	// What is left out comes back empty, and times as they are kept.
	bare := Person(77)
	bare.Registered = start.Add(987 * time.Nanosecond).In(time.FixedZone("", 3*3600))
	s.put(bare)
	bare.Registered, bare.Version = start, 1
	s.view(func(tx store.Tx) error {
		got(s, "a bare account", bare)(tx.Account(bare.ID))
		return nil
	})
}

// testCopies changes what went in and what came out.
func testCopies(t *testing.T, s suite) {
	e := filled(t)
	s.update(e.put)
	want := filled(t)
	want.account.Version = 1
	e.account.Taxpayers[0].ID, e.key.DER[0], e.visit.AMR[0], e.evidence.Text[0] = "x", 0, "x", 0
	want.check(s)
	s.view(func(tx store.Tx) error {
		a, _ := tx.Account(e.account.ID)
		k, _ := tx.Key(e.key.SHA256)
		a.Taxpayers[0].ID, k.DER[0] = "x", 0
		return nil
	})
	want.check(s)
}

var errMine = errors.New("mine")

// testUndo takes back everything: new values, changed ones and deleted ones.
func testUndo(t *testing.T, s suite) {
	old := filled(t)
	s.update(old.put)
	undone := func(tx store.Tx) error {
		e := filled(t)
		e.account.Version, e.account.Language = 1, "en"
		e.evidence.ID, e.run.Code = "another", "another"
		e.password.Hash, e.visit.SID = "another", "another"
		if err := e.put(tx); err != nil {
			return err
		}
		if n, err := tx.Next("ticket"); n != 1 || err != nil {
			t.Errorf("number %d, %v", n, err)
		}
		a := Person(1)
		return errors.Join(tx.PutAccount(&a), tx.DeleteLetter(e.letter.ID), tx.Note(event(start, "x"), a.Identity),
			tx.DeletePassword(e.password.Account), tx.DeleteAccount(e.account.ID))
	}
	s.fails(errMine, func(tx store.Tx) error { return errors.Join(undone(tx), errMine) })
	old.check(s)
	s.fails(errMine, func(tx store.Tx) error { return errors.Join(undone(tx), errMine) })
	s.view(func(tx store.Tx) error {
		if _, err := tx.Account(Person(1).ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an account is there that was taken back: %v", err)
		}
		got(s, "notes", []account.Note(nil))(tx.Notes(9))
		return nil
	})
}

func testPanic(t *testing.T, s suite) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic was lost")
			}
		}()
		_ = s.Update(t.Context(), func(tx store.Tx) error {
			a := Person(1)
			if err := tx.PutAccount(&a); err != nil {
				t.Error(err)
			}
			panic("mine")
		})
	}()
	s.put(Person(2)) // the store still works
	s.view(func(tx store.Tx) error {
		if _, err := tx.Account(Person(1).ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("half an update is there: %v", err)
		}
		return nil
	})
}

func testReadOnly(t *testing.T, s suite) {
	e := filled(t)
	s.update(e.put)
	for name, write := range map[string]func(tx store.Tx) error{
		"put":    func(tx store.Tx) error { return tx.PutVisit(e.visit) },
		"add":    func(tx store.Tx) error { return tx.AddCheckRun(account.CheckRun{Code: "x"}) },
		"delete": func(tx store.Tx) error { return tx.DeleteVisit(e.visit.Key) },
		"take": func(tx store.Tx) error {
			_, err := tx.TakeSecret(e.secret.Purpose, e.secret.Digest, start)
			return err
		},
		"account": func(tx store.Tx) error { return tx.PutAccount(&e.account) },
		"forget":  func(tx store.Tx) error { return tx.DeleteAccount(e.account.ID) },
		"next":    func(tx store.Tx) error { _, err := tx.Next("ticket"); return err },
		"note":    func(tx store.Tx) error { return tx.Note(event(start, "x"), e.account.Identity) },
		"all":     func(tx store.Tx) error { return tx.DeleteSecrets(e.secret.Account, e.secret.Purpose) },
		"sweep":   func(tx store.Tx) error { _, err := tx.Sweep(start.AddDate(9, 0, 0), 9); return err },
	} {
		if err := s.View(t.Context(), write); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("%s in a view: %v", name, err)
		}
	}
	e.check(s)
}

// testSnapshot reads twice while somebody wants to write: a view sees one moment.
func testSnapshot(t *testing.T, s suite) {
	a := Person(1)
	s.put(a)
	written := make(chan error, 1)
	s.view(func(tx store.Tx) error {
		first, err := tx.Account(a.ID)
		if err != nil {
			return err
		}
		go func() {
			written <- s.Update(context.Background(), func(tx store.Tx) error {
				b, err := tx.Account(a.ID)
				b.Language = "en"
				return errors.Join(err, tx.PutAccount(&b))
			})
		}()
		for range 100 {
			second, err := tx.Account(a.ID)
			if err != nil {
				return err
			}
			if second.Language != first.Language {
				return errors.New("a view has seen two moments")
			}
		}
		return nil
	})
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	s.view(func(tx store.Tx) error {
		if b, err := tx.Account(a.ID); b.Language != "en" {
			t.Errorf("language %q, %v", b.Language, err)
		}
		return nil
	})
}

// testOver uses transactions after their end: they must neither write nor read.
func testOver(t *testing.T, s suite) {
	var kept []store.Tx
	keep := func(tx store.Tx) error { kept = append(kept, tx); return nil }
	s.update(keep)
	s.view(keep)
	s.fails(errMine, func(tx store.Tx) error { kept = append(kept, tx); return errMine })
	for i, tx := range kept {
		a := Person(i)
		if err := tx.PutAccount(&a); err == nil {
			t.Errorf("transaction %d writes after its end", i)
		}
		if _, err := tx.Accounts("", "", 9); err == nil {
			t.Errorf("transaction %d reads after its end", i)
		}
	}
}

func testContext(t *testing.T, s suite) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := func(store.Tx) error { t.Error("a transaction without a caller"); return nil }
	if err := s.Update(ctx, never); !errors.Is(err, context.Canceled) {
		t.Errorf("update: %v", err)
	}
	if err := s.View(ctx, never); !errors.Is(err, context.Canceled) {
		t.Errorf("view: %v", err)
	}
	// One that has begun is not stopped half way.
	ctx, cancel = context.WithCancel(t.Context())
	if err := s.Update(ctx, func(tx store.Tx) error {
		cancel()
		a := Person(1)
		return tx.PutAccount(&a)
	}); err != nil {
		t.Error(err)
	}
	s.view(func(tx store.Tx) error { _, err := tx.Account(Person(1).ID); return err })
}

func testClosed(t *testing.T, s suite) {
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	never := func(store.Tx) error { t.Error("a transaction of a closed store"); return nil }
	if err := s.Update(t.Context(), never); !errors.Is(err, store.ErrClosed) {
		t.Errorf("update: %v", err)
	}
	if err := s.View(t.Context(), never); !errors.Is(err, store.ErrClosed) {
		t.Errorf("view: %v", err)
	}
}

// testConcurrent counts up together: no update is lost, and views never see half of one.
func testConcurrent(t *testing.T, s suite) {
	const people, times = 8, 25
	s.put(Person(1))
	var wait sync.WaitGroup
	for p := range people {
		wait.Go(func() {
			for range times {
				err := s.Update(t.Context(), func(tx store.Tx) error {
					n, err := tx.Counter("a")
					if err != nil {
						return err
					}
					n.Count++
					m := account.Counter{Key: "b", Count: n.Count}
					return errors.Join(tx.PutCounter(n), tx.PutCounter(m))
				})
				if err != nil {
					t.Error(err)
				}
				// One in between fails, alone.
				if err := s.Update(t.Context(), func(tx store.Tx) error {
					return errors.Join(tx.PutCounter(account.Counter{Key: "b", Count: -1}), errMine)
				}); !errors.Is(err, errMine) {
					t.Error(err)
				}
			}
		})
		if p%2 == 0 {
			wait.Go(func() {
				for range times {
					err := s.View(t.Context(), func(tx store.Tx) error {
						a, errA := tx.Counter("a")
						b, errB := tx.Counter("b")
						if a.Count != b.Count {
							return fmt.Errorf("half an update: %d and %d", a.Count, b.Count)
						}
						return errors.Join(errA, errB)
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wait.Wait()
	s.view(func(tx store.Tx) error {
		if n, err := tx.Counter("a"); n.Count != people*times || err != nil {
			t.Errorf("counted %d, %v, want %d", n.Count, err, people*times)
		}
		return nil
	})
}
