package throttle_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/server/account"
	"propusk/server/store"
	"propusk/server/throttle"
)

// bench is a throttle with a clock and a store.
type bench struct {
	t     *testing.T
	at    time.Time
	store store.Store
	*throttle.Throttle
}

func newBench(t *testing.T, s store.Store) *bench {
	t.Helper()
	sealer, err := account.NewSealer([]byte("a secret of a throttle, 32 bytes"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), store: s}
	b.Throttle = throttle.New(throttle.Options{Sealer: sealer, Now: func() time.Time { return b.at }})
	t.Cleanup(func() { s.Close() })
	return b
}

func rules() throttle.Rules {
	hour := time.Hour
	return throttle.Rules{
		Device: throttle.Budget{Burst: 3, Refill: hour}, Pair: throttle.Budget{Burst: 4, Refill: hour},
		Network: throttle.Budget{Burst: 8, Refill: hour}, Around: throttle.Budget{Burst: 16, Refill: hour},
		Login: throttle.Budget{Burst: 40, Refill: hour},
	}
}

// from returns a request from an address, with the cookies of a browser.
func from(address string, cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/signin/password", nil)
	r.RemoteAddr = address + ":40000"
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

// try makes one attempt, and reports whether somebody looked at it.
func (b *bench) try(r *http.Request, login string) bool {
	b.t.Helper()
	a := b.Attempt(r, "password", login, rules())
	err := b.store.Update(b.t.Context(), func(tx store.Tx) error { return b.Begin(tx, a) })
	if refused, ok := errors.AsType[*throttle.Refused](err); ok {
		if refused.Wait <= 0 || refused.Wait > time.Hour {
			b.t.Errorf("wait %s", refused.Wait)
		}
		return false
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return true
}

// allowed counts the attempts that somebody looks at, of n.
func (b *bench) allowed(n int, r *http.Request, login string) int {
	b.t.Helper()
	looked := 0
	for range n {
		if b.try(r, login) {
			looked++
		}
	}
	return looked
}

func TestBudgets(t *testing.T) {
	b := newBench(t, store.NewMemory())
	if got := b.allowed(10, from("192.0.2.1"), "one"); got != 4 {
		t.Errorf("one network at one login: %d", got)
	}
	if got := b.allowed(10, from("192.0.2.1"), "two"); got != 4 {
		t.Errorf("the same network at another login: %d", got)
	}
	if got := b.allowed(10, from("192.0.2.1"), "three"); got != 0 {
		t.Errorf("the network is used up: %d", got)
	}
	if got := b.allowed(10, from("192.0.2.2"), "three"); got != 4 {
		t.Errorf("its neighbour: %d", got)
	}
	b.allowed(10, from("192.0.2.2"), "four")
	if got := b.allowed(10, from("192.0.2.3"), "five"); got != 0 {
		t.Errorf("all neighbours together are used up: %d", got)
	}
	if got := b.allowed(10, from("198.51.100.1"), "one"); got != 4 {
		t.Errorf("somebody else: %d", got)
	}
	b.at = b.at.Add(15 * time.Minute)
	if got := b.allowed(10, from("192.0.2.1"), "one"); got != 1 {
		t.Errorf("a quarter of the time gives a quarter back: %d", got)
	}
	b.at = b.at.Add(time.Hour)
	if got := b.allowed(10, from("192.0.2.1"), "one"); got != 4 {
		t.Errorf("all of it: %d", got)
	}
}

// TestIPv6: who has 64 bits has one budget, and who has 48 not 65,536 of them.
func TestIPv6(t *testing.T) {
	b := newBench(t, store.NewMemory())
	if !b.try(from("[2001:db8:1:1::1]"), "one") || b.allowed(9, from("[2001:db8:1:1:ffff::2]"), "one") != 3 {
		t.Error("an address of IPv6 is its own network")
	}
	all := 0
	for i := range 100 {
		all += b.allowed(1, from(fmt.Sprintf("[2001:db8:1:%x::1]", i+2)), fmt.Sprint("login", i))
	}
	if all != 12 {
		t.Errorf("%d attempts from 48 bits", all)
	}
}

// TestNobodyIsLockedOut: strangers use a login up, from many networks, and its person gets in
// by the browser that was there before.
func TestNobodyIsLockedOut(t *testing.T) {
	b := newBench(t, store.NewMemory())
	w := httptest.NewRecorder()
	b.Remember(w, from("203.0.113.7"), "victim")
	mine := w.Result().Cookies()
	all := 0
	for i := range 200 {
		all += b.allowed(5, from(fmt.Sprintf("10.%d.0.1", i)), "victim")
	}
	if all != 40 {
		t.Errorf("strangers had %d attempts", all)
	}
	a := b.Attempt(from("203.0.113.7"), "password", "victim", rules())
	err := b.store.Update(t.Context(), func(tx store.Tx) error { return b.Begin(tx, a) })
	if refused, ok := errors.AsType[*throttle.Refused](err); !ok || !refused.Login {
		t.Errorf("a browser that nobody knows: %v", err)
	}
	if !b.Known(from("203.0.113.7", mine...), "victim") || !b.try(from("203.0.113.7", mine...), "victim") {
		t.Error("the person is locked out")
	}
	if b.Known(from("203.0.113.7", mine...), "another") {
		t.Error("the cookie of one login is good for another")
	}
	if got := b.allowed(10, from("10.0.0.1", mine...), "victim"); got != 2 {
		t.Errorf("a cookie that was stolen: %d more attempts", got)
	}
}

// TestPassed: who is right pays nothing.
func TestPassed(t *testing.T) {
	b := newBench(t, store.NewMemory())
	for range 100 {
		a := b.Attempt(from("192.0.2.1"), "password", "one", rules())
		err := b.store.Update(t.Context(), func(tx store.Tx) error {
			if err := b.Begin(tx, a); err != nil {
				return err
			}
			return b.Passed(tx, a)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := b.allowed(10, from("192.0.2.1"), "one"); got != 4 {
		t.Errorf("%d attempts are left", got)
	}
}

// TestAtOnce: of many attempts at one moment no more are looked at than the budget has, also
// over two connections to one file, and a restart forgets nothing.
func TestAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	first, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	one, two := newBench(t, first), newBench(t, second)
	var looked atomic.Int64
	var all sync.WaitGroup
	for i := range 40 {
		b := one
		if i%2 == 1 {
			b = two
		}
		all.Go(func() {
			if b.try(from("192.0.2.1"), "one") {
				looked.Add(1)
			}
		})
	}
	all.Wait()
	if looked.Load() != 4 {
		t.Errorf("%d of 40 were looked at", looked.Load())
	}
	third, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if newBench(t, third).try(from("192.0.2.1"), "one") {
		t.Error("a restart gives the budget back")
	}
}

// TestNames: neither logins nor addresses can be read in the store or in cookies.
func TestNames(t *testing.T) {
	b := newBench(t, store.NewMemory())
	w := httptest.NewRecorder()
	b.Remember(w, from("192.0.2.1"), "500100732259")
	if cookie := w.Header().Get("Set-Cookie"); strings.Contains(cookie, "500100732259") || !strings.Contains(cookie, "HttpOnly; Secure; SameSite=Lax") {
		t.Error(cookie)
	}
	s := spy{Tx: nil}
	a := b.Attempt(from("192.0.2.1"), "password", "500100732259", rules())
	if err := b.store.Update(t.Context(), func(tx store.Tx) error { s.Tx = tx; return b.Begin(&s, a) }); err != nil {
		t.Fatal(err)
	}
	if len(s.keys) != 4 {
		t.Error(s.keys)
	}
	for _, key := range s.keys {
		if strings.Contains(key, "5001007") || strings.Contains(key, "192.0") {
			t.Error(key)
		}
	}
}

// spy sees what is written.
type spy struct {
	store.Tx
	keys []string
}

func (s *spy) PutCounter(c account.Counter) error {
	s.keys = append(s.keys, c.Key)
	return s.Tx.PutCounter(c)
}

// FuzzDevice: a cookie is good as it was given, or not at all, and not for ever.
func FuzzDevice(f *testing.F) {
	sealer, err := account.NewSealer([]byte("a secret of a throttle, 32 bytes"))
	if err != nil {
		f.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	th := throttle.New(throttle.Options{Sealer: sealer, Now: func() time.Time { return at }})
	late := throttle.New(throttle.Options{Sealer: sealer, Now: func() time.Time { return at.Add(throttle.DeviceLife) }})
	w := httptest.NewRecorder()
	th.Remember(w, from("192.0.2.1"), "one")
	good := w.Result().Cookies()[0]
	known := func(th *throttle.Throttle, value, login string) bool {
		return th.Known(from("192.0.2.1", &http.Cookie{Name: good.Name, Value: value}), login)
	}
	if !known(th, good.Value, "one") || known(th, "", "one") {
		f.Fatal("the cookie is not known")
	}
	f.Add(good.Value)
	f.Add("")
	f.Add(strings.Repeat("A", len(good.Value)))
	f.Fuzz(func(t *testing.T, value string) {
		plain := !strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"\\;,", c) })
		if !plain || !known(th, value, "one") { // the rest net/http takes out before anybody sees it
			return
		}
		if known(late, value, "one") {
			t.Fatalf("%q is known for ever", value)
		}
		for i := range value {
			changed := []byte(value)
			if changed[i] ^= 1; changed[i] == '"' || changed[i] == ';' || changed[i] == ',' || changed[i] == '\\' {
				continue
			}
			if known(th, string(changed), "one") {
				t.Fatalf("%q is known as well as %q", changed, value)
			}
		}
	})
}

// TestClockSetBack: attempts at a time that the clock had in error lock nobody out until then;
// and a clock that goes back by a little gives no attempts.
func TestClockSetBack(t *testing.T) {
	b := newBench(t, store.NewMemory())
	now := b.at
	b.at = now.AddDate(5, 0, 0)
	if got := b.allowed(10, from("192.0.2.1"), "one"); got != 4 {
		t.Errorf("in five years: %d", got)
	}
	b.at = now
	if got := b.allowed(10, from("192.0.2.1"), "one"); got != 4 {
		t.Errorf("today: %d", got)
	}
	b.at = now.Add(-time.Minute)
	if got := b.allowed(10, from("192.0.2.1"), "one"); got != 0 {
		t.Errorf("a minute ago: %d", got)
	}
}
