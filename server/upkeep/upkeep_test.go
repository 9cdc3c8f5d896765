package upkeep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/mail"
	"propusk/server/store"
	"propusk/server/store/storetest"
)

var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// house is a Keeper with all it needs.
type house struct {
	*Keeper
	store    store.Store
	recorder *journal.Recorder
	now      time.Time
	ended    []account.Visit
	log      bytes.Buffer
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{store: store.NewMemory(), now: start, recorder: newRecorder(t, filepath.Join(t.TempDir(), "journal.db"))}
	h.Keeper = New(Options{
		Store: h.store, Journal: h.recorder, Mail: mail.Composer{Gateway: "Пропуск", URL: "https://id.example.ru"}, Now: func() time.Time { return h.now },
		Ended: func(ended []account.Visit) { h.ended = append(h.ended, ended...) }, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
	})
	return h
}

func newRecorder(t *testing.T, path string) *journal.Recorder {
	t.Helper()
	r := recorder(path)
	if err := r.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r
}

func recorder(path string) *journal.Recorder {
	return journal.NewRecorder(journal.Options{
		Path: path, Subject: subject, Now: time.Now, Log: slog.New(slog.DiscardHandler), Observe: func(journal.Kind, error) {},
	})
}

func subject(who person.Identity) (string, error) {
	if who.INN.IsZero() {
		return "", errors.New("nobody")
	}
	return "pseudonym-" + who.INN.Reveal()[6:], nil
}

func (h *house) update(t *testing.T, f func(tx store.Tx) error) {
	t.Helper()
	if err := h.store.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func (h *house) sweepAndDrain(t *testing.T) {
	t.Helper()
	if err := errors.Join(h.Sweep(t.Context()), h.Drain(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// written returns "action reason" of the events that a journal has about a person.
func (h *house) written(t *testing.T, who person.Identity) (events []string) {
	t.Helper()
	records, err := h.recorder.Of(t.Context(), []person.Identity{who}, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range slices.Backward(records) {
		events = append(events, strings.TrimSpace(r.Action+" "+string(r.Reason)))
	}
	return events
}

func note(at time.Time, action string) journal.Event {
	return journal.Event{At: at, Kind: journal.Account, Action: action}
}

// TestDrain: events come in their order, with their own time, under the pseudonym of their
// person, and leave the store.
func TestDrain(t *testing.T) {
	h := newHouse(t)
	who, other := storetest.Person(1).Identity, storetest.Person(2).Identity
	const many = 2*batch + 10
	var want []string
	for i := range many {
		want = append(want, fmt.Sprint("event-", i))
		h.update(t, func(tx store.Tx) error {
			return errors.Join(tx.Note(note(start.Add(time.Duration(i)*time.Second+5*time.Nanosecond), want[i]), who), tx.Note(note(start, "x"), other))
		})
	}
	for range 2 { // the second time there is nothing left
		h.sweepAndDrain(t)
		if got := h.written(t, who); !slices.Equal(got, want) {
			t.Fatalf("%d events were written, want %d, or their order is another", len(got), many)
		}
	}
	records, err := h.recorder.Of(t.Context(), []person.Identity{who}, 0, 1)
	if err != nil || !records[0].At.Equal(start.Add((many-1)*time.Second)) {
		t.Errorf("the time is %v, %v", records[0].At, err)
	}
	h.left(t, 0)
}

// left fails unless so many notes wait.
func (h *house) left(t *testing.T, want int) {
	t.Helper()
	if err := h.store.View(t.Context(), func(tx store.Tx) error {
		notes, err := tx.Notes(store.MaxPage)
		if len(notes) != want {
			t.Errorf("%d notes wait, want %d", len(notes), want)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// halfway is a journal whose program ends after the events were written, or before.
type halfway struct {
	*journal.Recorder
	before, after bool
}

var errKilled = errors.New("killed")

func (j *halfway) Late(ctx context.Context, notes []journal.Noted) error {
	if j.before {
		return errKilled
	}
	if err := j.Recorder.Late(ctx, notes); err != nil || !j.after {
		return err
	}
	return errKilled
}

// TestNothingTwice ends between the journal and the store, and in front of the journal: the
// next drain writes every event once, though others write to the journal meanwhile.
func TestNothingTwice(t *testing.T) {
	h := newHouse(t)
	who := storetest.Person(1).Identity
	j := &halfway{Recorder: h.recorder}
	h.opts.Journal = j
	var want []string
	for i := range 5 {
		h.recorder.Act(t.Context(), "between", "")
		for k := range 3 {
			want = append(want, fmt.Sprint(i, "-", k))
			h.update(t, func(tx store.Tx) error { return tx.Note(note(start, want[len(want)-1]), who) })
		}
		j.before, j.after = i%2 == 0, i%2 == 1
		if err := h.Drain(t.Context()); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		h.left(t, len(want))
		// Events that came since are fresh; the others may be there.
	}
	j.before, j.after = false, false
	h.sweepAndDrain(t)
	h.left(t, 0)
	if got := h.written(t, who); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("written: %v, want %v", got, want)
	}
}

// TestTwins: events that are alike are as many in the journal as were noted, even if the
// program ends when one of them is there.
func TestTwins(t *testing.T) {
	h := newHouse(t)
	who := storetest.Person(1).Identity
	twin := note(start, "twin")
	for range 3 {
		h.update(t, func(tx store.Tx) error { return tx.Note(twin, who) })
	}
	var notes []account.Note
	if err := h.store.View(t.Context(), func(tx store.Tx) (err error) { notes, err = tx.Notes(9); return err }); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.mark(t.Context(), notes), h.recorder.Late(t.Context(), []journal.Noted{{Event: twin, Who: who}})); err != nil {
		t.Fatal(err)
	}
	h.sweepAndDrain(t)
	h.update(t, func(tx store.Tx) error { return tx.Note(twin, who) })
	h.sweepAndDrain(t)
	if got := h.written(t, who); len(got) != 4 {
		t.Errorf("%d are written, want 4", len(got))
	}
}

// TestJournalAway: while there is no journal events wait, which is said once.
func TestJournalAway(t *testing.T) {
	h := newHouse(t)
	who := storetest.Person(1).Identity
	j := &halfway{Recorder: h.recorder, before: true}
	h.opts.Journal = j
	h.update(t, func(tx store.Tx) error { return tx.Note(note(start, "x"), who) })
	h.drain(t.Context())
	h.drain(t.Context())
	h.left(t, 1)
	if n := h.Waiting(); n != 1 {
		t.Errorf("%d wait, want 1", n)
	}
	if n := strings.Count(h.log.String(), "wait for the journal"); n != 1 {
		t.Errorf("said %d times", n)
	}
	j.before = false
	h.drain(t.Context())
	h.left(t, 0)
	if n := strings.Count(h.log.String(), "in the journal again"); n != 1 {
		t.Errorf("the end is said %d times", n)
	}
	if n := h.Waiting(); n != 0 {
		t.Errorf("%d wait, want none", n)
	}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	if n := h.Waiting(); n != -1 {
		t.Errorf("of a closed store %d wait", n)
	}
}

func (h *house) account(t *testing.T, a account.Account) {
	t.Helper()
	h.update(t, func(tx store.Tx) error { return tx.PutAccount(&a) })
}

// find returns an account, and false if there is none.
func (h *house) find(t *testing.T, id account.ID) (a account.Account, found bool) {
	t.Helper()
	err := h.store.View(t.Context(), func(tx store.Tx) (err error) { a, err = tx.Account(id); return err })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return a, err == nil
}

// TestForget: a registration that nobody has activated is forgotten at its time, and its
// person may begin anew; one that has become something else stays.
func TestForget(t *testing.T) {
	h := newHouse(t)
	waits, lives := storetest.Person(1), storetest.Person(2)
	waits.State, waits.ActivateBy, lives.ActivateBy = account.Awaiting, start.Add(time.Hour), start.Add(time.Hour)
	h.account(t, waits)
	h.account(t, lives)
	h.update(t, func(tx store.Tx) error { return tx.PutPassword(account.Password{Account: waits.ID, Hash: "x"}) })
	h.now = start.Add(time.Hour - time.Microsecond)
	h.sweepAndDrain(t)
	if _, found := h.find(t, waits.ID); !found {
		t.Fatal("forgotten too early")
	}
	h.now = start.Add(time.Hour)
	h.sweepAndDrain(t)
	if _, found := h.find(t, waits.ID); found {
		t.Error("still there")
	}
	if got := h.written(t, waits.Identity); !slices.Equal(got, []string{"registration-expired account-awaiting-activation"}) {
		t.Errorf("the journal has %v", got)
	}
	if a, found := h.find(t, lives.ID); !found || a.State != account.Active || !a.ActivateBy.IsZero() {
		t.Errorf("the other one: %t, %v, %v", found, a.State, a.ActivateBy)
	}
	h.account(t, waits) // anew, with the same ИНН
}

// TestBlock: a first password that was not changed blocks its account at its time (PW-02),
// with a letter, an event, and the end of its visits; once.
func TestBlock(t *testing.T) {
	h := newHouse(t)
	late, changed, self, silent := storetest.Person(1), storetest.Person(2), storetest.Person(3), storetest.Person(4)
	late.Email, late.EmailConfirmed = person.NewEmail("late@example.org"), start
	self.State, self.Why = account.Blocked, reason.AccountBlockedBySelf
	for _, a := range []account.Account{late, changed, self, silent} {
		h.account(t, a)
		p := account.Password{Account: a.ID, Hash: "x", Initial: a.ID != changed.ID, Expires: start.Add(time.Hour)}
		v := account.Visit{Key: [32]byte{a.ID[len(a.ID)-1]}, Account: a.ID, Until: start.AddDate(1, 0, 0), Clients: []string{"cabinet"}}
		h.update(t, func(tx store.Tx) error { return errors.Join(tx.PutPassword(p), tx.PutVisit(v)) })
	}
	h.now = start.Add(time.Hour - time.Microsecond)
	h.sweepAndDrain(t)
	if a, _ := h.find(t, late.ID); a.State != account.Active {
		t.Fatalf("too early the state is %s", a.State)
	}
	h.now = start.Add(time.Hour)
	for range 2 {
		h.sweepAndDrain(t)
	}
	for id, want := range map[account.ID]reason.Code{late.ID: reason.AccountCardExpired, silent.ID: reason.AccountCardExpired, changed.ID: "", self.ID: reason.AccountBlockedBySelf} {
		if a, _ := h.find(t, id); a.Why != want || (a.State == account.Blocked) != (want != "") {
			t.Errorf("%s: %s, %q", id, a.State, a.Why)
		}
	}
	if got := h.written(t, late.Identity); !slices.Equal(got, []string{"account-blocked account-first-password-expired"}) {
		t.Errorf("the journal has %v", got)
	}
	if len(h.ended) != 2 {
		t.Errorf("%d visits have ended, want 2", len(h.ended))
	}
	if err := h.store.View(t.Context(), func(tx store.Tx) error {
		letters, err := tx.Letters("", 9)
		if len(letters) != 1 || letters[0].To != late.Email {
			t.Errorf("%d letters", len(letters))
		}
		tasks, errTasks := tx.DueTasks("backchannel-logout", h.now, 9)
		if len(tasks) != 2 {
			t.Errorf("%d services are to be told, want 2", len(tasks))
		}
		return errors.Join(err, errTasks)
	}); err != nil {
		t.Error(err)
	}
}

// TestEnds: visits end and secrets are forgotten at their time, however many there are.
func TestEnds(t *testing.T) {
	h := newHouse(t)
	const many = batch + 3
	for i := range many + 1 {
		until := start.Add(time.Hour)
		if i == many {
			until = start.Add(2 * time.Hour)
		}
		key := [32]byte{byte(i), byte(i >> 8), 1}
		h.update(t, func(tx store.Tx) error {
			return errors.Join(tx.PutVisit(account.Visit{Key: key, Account: "a", Until: until}), tx.PutSecret(account.Secret{Digest: key, Purpose: "p", Account: "a", Expires: until}))
		})
	}
	h.sweepAndDrain(t)
	h.remains(t, many+1)
	h.now = start.Add(time.Hour)
	h.sweepAndDrain(t)
	h.remains(t, 1)
	if len(h.ended) != many {
		t.Errorf("%d visits were told of, want %d", len(h.ended), many)
	}
}

// remains fails unless so many visits and secrets are there.
func (h *house) remains(t *testing.T, want int) {
	t.Helper()
	if err := h.store.View(t.Context(), func(tx store.Tx) error {
		visits, err := tx.Visits("a")
		secrets, errSecrets := tx.Secrets("a", "p")
		if len(visits) != want || len(secrets) != want {
			t.Errorf("%d visits and %d secrets are left, want %d", len(visits), len(secrets), want)
		}
		return errors.Join(err, errSecrets)
	}); err != nil {
		t.Fatal(err)
	}
}

// TestRun: what is noted reaches the journal while the Keeper runs, and the last of it at its
// end.
func TestRun(t *testing.T) {
	h := newHouse(t)
	who := storetest.Person(1).Identity
	watched := store.Watch(h.store, func() {}, h.Wake)
	h.opts.Store = watched
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); h.Run(ctx) }()
	if err := watched.Update(t.Context(), func(tx store.Tx) error { return tx.Note(note(start, "first"), who) }); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); len(h.written(t, who)) < 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the event does not come")
		}
	}
	h.update(t, func(tx store.Tx) error { return tx.Note(note(start, "last"), who) })
	cancel()
	<-ended
	if got := h.written(t, who); !slices.Equal(got, []string{"first", "last"}) {
		t.Errorf("written: %v", got)
	}
}
