package login

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/password"
	"propusk/server/store"
	"propusk/server/throttle"
)

// counting counts transactions.
type counting struct {
	store.Store
	views, updates, writes int
}

func (c *counting) View(ctx context.Context, f func(store.Tx) error) error {
	c.views++
	return c.Store.View(ctx, f)
}

func (c *counting) Update(ctx context.Context, f func(store.Tx) error) error {
	c.updates++
	return c.Store.Update(ctx, func(tx store.Tx) error { return f(&writing{tx, c}) })
}

// writing counts the transactions that have something to make durable: those are slow.
type writing struct {
	store.Tx
	count *counting
}

func (w *writing) PutCounter(c account.Counter) error {
	w.count.writes++
	return w.Tx.PutCounter(c)
}

// TestSameWork: a login that nobody has costs the transactions, the writes and the hash of one
// that somebody has, whatever his account is like.
func TestSameWork(t *testing.T) {
	sealer, err := account.NewSealer([]byte("a secret of the test, 32 bytes !"))
	if err != nil {
		t.Fatal(err)
	}
	params := password.Params{Memory: 8 << 10, Time: 1}
	hasher, err := password.New(password.Options{Params: params})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hasher.Hash(t.Context(), "Дуб-над-рекой-7")
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	c := &counting{Store: store.NewMemory()}
	l := New(Options{
		Store: c, Hasher: hasher, Throttle: throttle.New(throttle.Options{Sealer: sealer, Now: now}), Now: now,
		Admission: admission.New(admission.Options{Address: func(string) person.Private { return person.Private{} }, Now: now}),
	})
	logins := []string{"500100732259", "770000000156", "770000000220", "999900000160", DemoINN, "no number"}
	err = c.Store.Update(t.Context(), func(tx store.Tx) error {
		for i, state := range []account.State{account.Active, account.Blocked, account.Active} {
			inn, err := person.ParseINN(logins[i])
			if err != nil {
				return err
			}
			a := account.Account{ID: account.NewID(), Identity: person.Identity{INN: inn}, State: state, Language: "ru", Registered: now(), Origin: account.ByCard}
			if err := tx.PutAccount(&a); err != nil {
				return err
			}
			if i == 2 { // has no password
				return nil
			}
			if err := tx.PutPassword(account.Password{Account: a.ID, Hash: hash, Set: now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, login := range logins {
		*c = counting{Store: c.Store}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := l.check(httptest.NewRequest(http.MethodPost, PathPassword, nil), login, "Неверный-пароль-1")
		runtime.ReadMemStats(&after)
		if !errors.Is(err, reason.LoginWrong) {
			t.Errorf("%s: %v", login, err)
		}
		if c.views != 1 || c.updates != 2 || c.writes != 6 {
			t.Errorf("%s: %d views, %d updates, %d writes", login, c.views, c.updates, c.writes)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got < uint64(params.Memory)<<10 {
			t.Errorf("%s: no password was hashed: %d bytes", login, got)
		}
	}
}
