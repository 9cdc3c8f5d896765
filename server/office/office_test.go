package office

import (
	"context"
	"errors"
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

func newOffice() Office {
	return Office{
		Store: store.NewMemory(), Mail: mail.Composer{Gateway: "Пропуск", URL: "https://id.example.ru"}, ActivateWithin: time.Hour,
		By: "operator", Now: func() time.Time { return start },
	}
}

// put writes an account with a password, a factor and a visit.
func put(t *testing.T, o Office, a account.Account) {
	t.Helper()
	if err := o.Store.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.PutAccount(&a), tx.PutPassword(account.Password{Account: a.ID, Hash: "x"}),
			tx.PutFactor(account.Factor{Account: a.ID, ID: "f"}),
			tx.PutVisit(account.Visit{Key: [32]byte{1}, Account: a.ID, Until: start.AddDate(1, 0, 0), Clients: []string{"cabinet"}}))
	}); err != nil {
		t.Fatal(err)
	}
}

// traces are what an action has left.
type traces struct {
	events, letters          []string
	visits, tasks, passwords int
}

func look(t *testing.T, o Office, id account.ID) (l traces) {
	t.Helper()
	if err := o.Store.View(t.Context(), func(tx store.Tx) error {
		notes, err := tx.Notes(9)
		for _, n := range notes {
			l.events = append(l.events, n.Event.Action+" "+string(n.Event.Reason)+" "+n.Event.Detail)
			if n.Event.Kind != journal.Account || n.Who.INN.IsZero() {
				t.Errorf("the event is of nobody: %+v", n.Event)
			}
		}
		letters, errLetters := tx.Letters("", 9)
		for _, letter := range letters {
			l.letters = append(l.letters, letter.Kind)
		}
		visits, errVisits := tx.Visits(id)
		tasks, errTasks := tx.DueTasks("backchannel-logout", start, 9)
		l.visits, l.tasks = len(visits), len(tasks)
		if _, err := tx.Password(id); err == nil {
			l.passwords = 1
		}
		return errors.Join(err, errLetters, errVisits, errTasks)
	}); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestActions(t *testing.T) {
	for name, c := range map[string]struct {
		from   account.State
		why    reason.Code
		silent bool // the address is not confirmed
		do     func(context.Context, Office) (account.Account, error)
		want   account.State
		reason reason.Code
		event  string
		letter string
		ends   bool
		err    error
	}{
		"block":            {from: account.Active, do: block, want: account.Blocked, reason: reason.AccountBlocked, event: "account-blocked", letter: mail.KindBlocked, ends: true},
		"block, no letter": {from: account.Active, silent: true, do: block, want: account.Blocked, reason: reason.AccountBlocked, event: "account-blocked", ends: true},
		"block a lost one": {from: account.Compromised, do: block, want: account.Blocked, reason: reason.AccountBlocked, event: "account-blocked", letter: mail.KindBlocked, ends: true},
		"block one that blocked himself": {from: account.Blocked, why: reason.AccountBlockedBySelf, do: block, want: account.Blocked, reason: reason.AccountBlocked,
			event: "account-blocked", letter: mail.KindBlocked, ends: true},
		"block twice":           {from: account.Blocked, why: reason.AccountBlocked, do: block, err: ErrState},
		"block a closed one":    {from: account.Closed, do: block, err: ErrState},
		"unblock":               {from: account.Blocked, why: reason.AccountBlockedBySelf, do: unblock, want: account.Active, event: "account-unblocked"},
		"unblock lost keys":     {from: account.Compromised, do: unblock, want: account.Active, event: "account-unblocked"},
		"unblock without card":  {from: account.Blocked, why: reason.AccountCardExpired, do: unblock, err: ErrCard},
		"unblock an active one": {from: account.Active, do: unblock, err: ErrState},
		"close":                 {from: account.Active, do: closed, want: account.Closed, event: "account-closed", ends: true},
		"close twice":           {from: account.Closed, do: closed, err: ErrState},
		"approve":               {from: account.Pending, do: approve, want: account.Active, event: "check-approved", letter: mail.KindCheckResult},
		"approve after all":     {from: account.Rejected, why: reason.AccountRejected, do: approve, want: account.Active, event: "check-approved", letter: mail.KindCheckResult},
		"approve, to confirm":   {from: account.Pending, silent: true, do: approve, want: account.Awaiting, event: "check-approved", ends: true},
		"approve an active one": {from: account.Active, do: approve, err: ErrState},
		"reject": {from: account.Pending, do: reject, want: account.Rejected, reason: reason.AccountRejected, event: "check-rejected",
			letter: mail.KindCheckResult, ends: true},
		"reject an active one": {from: account.Active, do: reject, err: ErrState},
	} {
		t.Run(name, func(t *testing.T) {
			o, a := newOffice(), storetest.Person(1)
			a.State, a.Why, a.Email, a.EmailConfirmed = c.from, c.why, person.NewEmail("x@example.org"), start
			if c.silent {
				a.EmailConfirmed = time.Time{}
			}
			put(t, o, a)
			before := look(t, o, a.ID)
			got, err := c.do(t.Context(), o)
			after := look(t, o, a.ID)
			if c.err != nil {
				if !errors.Is(err, c.err) || len(after.events) != 0 || after.visits != before.visits || got.ID != "" {
					t.Errorf("%v, left %+v", err, after)
				}
				return
			}
			if err != nil || got.State != c.want || got.Why != c.reason {
				t.Fatalf("%s, %q, %v", got.State, got.Why, err)
			}
			if kept, err := o.Find(t.Context(), string(a.ID)); err != nil || kept.State != c.want || c.want == account.Awaiting && !kept.ActivateBy.Equal(start.Add(time.Hour)) {
				t.Errorf("kept: %s, %v, %v", kept.State, kept.ActivateBy, err)
			}
			if want := c.event + " " + string(c.reason) + " by=operator"; len(after.events) != 1 || after.events[0] != want {
				t.Errorf("events %q, want %q", after.events, want)
			}
			if strings.Join(after.letters, " ") != c.letter {
				t.Errorf("letters %q, want %q", after.letters, c.letter)
			}
			if (after.visits == 0) != c.ends || (after.tasks == 1) != c.ends {
				t.Errorf("%d visits and %d tasks are left", after.visits, after.tasks)
			}
			if (after.passwords == 0) != (c.want == account.Closed) {
				t.Errorf("%d passwords are left", after.passwords)
			}
		})
	}
}

var number = storetest.INN(1).Reveal()

func block(ctx context.Context, o Office) (account.Account, error)   { return o.Block(ctx, number) }
func unblock(ctx context.Context, o Office) (account.Account, error) { return o.Unblock(ctx, number) }
func closed(ctx context.Context, o Office) (account.Account, error)  { return o.Close(ctx, number) }
func approve(ctx context.Context, o Office) (account.Account, error) { return o.Approve(ctx, number) }
func reject(ctx context.Context, o Office) (account.Account, error)  { return o.Reject(ctx, number) }

func TestFind(t *testing.T) {
	o, a := newOffice(), storetest.Person(1)
	put(t, o, a)
	for _, name := range []string{string(a.ID), number} {
		if got, err := o.Find(t.Context(), name); err != nil || got.ID != a.ID {
			t.Errorf("%v, %v", got.ID, err)
		}
	}
	for _, name := range []string{"", "nobody", storetest.INN(2).Reveal(), "000000000000"} {
		if _, err := o.Find(t.Context(), name); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := o.Block(t.Context(), name); !errors.Is(err, ErrUnknown) || strings.Contains(err.Error(), name) && name != "" {
			t.Errorf("block %q: %v", name, err)
		}
	}
}
