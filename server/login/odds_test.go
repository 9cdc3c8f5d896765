package login

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"propusk/server/account"
	"propusk/server/store"
	"propusk/server/throttle"
)

// guesser tries as often as he is let, from some addresses or known browsers.
type guesser struct {
	t        *testing.T
	now      time.Time
	throttle *throttle.Throttle
	store    store.Store
	requests []*http.Request
}

func newGuesser(t *testing.T, addresses, browsers int) *guesser {
	t.Helper()
	sealer, err := account.NewSealer([]byte("a secret of the test, 32 bytes !"))
	if err != nil {
		t.Fatal(err)
	}
	g := &guesser{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), store: store.NewMemory()}
	t.Cleanup(func() { g.store.Close() })
	g.throttle = throttle.New(throttle.Options{Sealer: sealer, Now: func() time.Time { return g.now }})
	for i := range addresses { // of as many networks
		r := httptest.NewRequest(http.MethodPost, PathPassword, nil)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.1:1", i/256, i%256)
		g.requests = append(g.requests, r)
	}
	for range browsers {
		w := httptest.NewRecorder()
		g.throttle.Remember(w, httptest.NewRequest(http.MethodGet, PathPassword, nil), "victim")
		r := httptest.NewRequest(http.MethodPost, PathPassword, nil)
		r.AddCookie(w.Result().Cookies()[0])
		g.requests = append(g.requests, r)
	}
	return g
}

// day counts what is looked at within a day.
func (g *guesser) day(purpose string) int {
	g.t.Helper()
	looked := 0
	for range 24 * 5 {
		all := false // strangers have used up what they have together
		for _, r := range g.requests {
			if all && len(r.Cookies()) == 0 {
				continue
			}
			for {
				ok, login := g.try(r, purpose)
				all = all || login
				if !ok {
					break
				}
				looked++
			}
		}
		g.now = g.now.Add(12 * time.Minute)
	}
	return looked
}

// try reports whether somebody looks at an attempt, and if not, whether strangers have used up
// what they have together.
func (g *guesser) try(r *http.Request, purpose string) (ok, login bool) {
	g.t.Helper()
	attempt := g.throttle.Attempt(r, purpose, "victim", rules(purpose))
	err := g.store.Update(g.t.Context(), func(tx store.Tx) error { return g.throttle.Begin(tx, attempt) })
	refused, ok := errors.AsType[*throttle.Refused](err)
	if err != nil && !ok {
		g.t.Fatal(err)
	}
	return err == nil, ok && refused.Login
}

// TestOdds: how often somebody guesses in a day at most who stops at nothing. docs/LOGIN.md says
// what his chances are; it has these numbers.
func TestOdds(t *testing.T) {
	for _, c := range []struct {
		purpose             string
		addresses, browsers int
		first, next         int
	}{
		{byPassword, 1, 0, 39, 20},
		{byPassword, 1000, 0, 119, 60},
		{bySecond, 1, 0, 19, 10},
		{bySecond, 1000, 0, 29, 15},
		{bySecond, 1000, 10, 29 + 59, 15 + 30},
		{byRecovery, 1, 0, 39, 20},
		{byRecovery, 1000, 0, 99, 50},
		{byRecovery, 1000, 10, 99 + 59, 50 + 30},
	} {
		g := newGuesser(t, c.addresses, c.browsers)
		if first, next := g.day(c.purpose), g.day(c.purpose); first > c.first+1 || next > c.next || first < c.first-1 || next < c.next-1 {
			t.Errorf("%s from %d addresses and %d browsers: %d on the first day, then %d; want %d and %d",
				c.purpose, c.addresses, c.browsers, first, next, c.first, c.next)
		}
	}
}

// TestFewAddresses: whoever has the addresses of one network does not shut strangers out
// of a login for good: its person comes in from elsewhere.
func TestFewAddresses(t *testing.T) {
	for _, purpose := range []string{byPassword, bySecond, byLetter, byRecovery} {
		g := newGuesser(t, 1, 0)
		for i := range 20 {
			r := httptest.NewRequest(http.MethodPost, PathPassword, nil)
			r.RemoteAddr = fmt.Sprintf("10.0.0.%d:1", i+1)
			g.requests = append(g.requests, r)
		}
		g.day(purpose)
		g.day(purpose)
		person := httptest.NewRequest(http.MethodPost, PathPassword, nil)
		person.RemoteAddr = "192.0.2.1:1"
		if ok, _ := g.try(person, purpose); !ok {
			t.Errorf("%s: one network has shut the person out", purpose)
		}
	}
}
