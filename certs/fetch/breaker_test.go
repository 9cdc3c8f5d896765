package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"propusk/pki/reason"
)

// TestBreaker walks through the life of a host that dies and comes back.
func TestBreaker(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	b := newBreakers(Options{Now: func() time.Time { return at }, Pause: time.Second, MaxPause: 10 * time.Second, Failures: 2}, func() float64 { return 0.5 })
	attempt := func(o outcome) error {
		done, err := b.enter("host")
		if err == nil {
			done(o)
		}
		return err
	}
	for range 2 {
		if err := attempt(dead); err != nil {
			t.Fatal(err)
		}
	}
	for _, pause := range []time.Duration{1, 2, 4, 8, 10, 10} {
		pause *= time.Second
		if at = at.Add(pause - 1); attempt(dead) == nil {
			t.Fatalf("asked %s after a failure, the pause is longer", pause-1)
		}
		at = at.Add(1)
		done, err := b.enter("host")
		if err != nil {
			t.Fatalf("after a pause of %s: %v", pause, err)
		}
		if _, err := b.enter("host"); !errors.Is(err, errTrial) {
			t.Fatalf("a second request during the trial: %v", err)
		}
		done(dead)
	}
	if _, err := b.enter("other"); err != nil {
		t.Errorf("another host: %v", err)
	}
	at = at.Add(10 * time.Second)
	if err := attempt(unknown); err != nil {
		t.Errorf("a trial: %v", err)
	}
	if err := attempt(alive); err != nil {
		t.Errorf("a trial after one that told nothing: %v", err)
	}
	if err := attempt(dead); err != nil || len(b.hosts) != 1 {
		t.Errorf("a host that lives again: %v", err)
	}
	if err := attempt(alive); err != nil || len(b.hosts) != 0 {
		t.Errorf("%d hosts are remembered: %v", len(b.hosts), err)
	}
	for i := range 2 * maxHosts {
		done, err := b.enter(fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		done(dead)
	}
	if len(b.hosts) > maxHosts {
		t.Errorf("%d hosts are remembered", len(b.hosts))
	}
}

// TestBreakerJitter: a pause lasts from a half to one and a half.
func TestBreakerJitter(t *testing.T) {
	for random, want := range map[float64]time.Duration{0: 2 * time.Second, 0.5: 4 * time.Second, 1: 6 * time.Second} {
		b := newBreakers(Options{Now: time.Now, Pause: time.Second, MaxPause: time.Minute}, func() float64 { return random })
		if got := b.length(2); got != want {
			t.Errorf("%v: %s, want %s", random, got, want)
		}
	}
}

// TestHostRests: a server that fails is not asked any more, one that says no is.
func TestHostRests(t *testing.T) {
	var asked atomic.Int32
	s := newServer(t, map[string]http.HandlerFunc{
		"/500": func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(http.StatusBadGateway) },
		"/404": func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(http.StatusNotFound) },
	})
	c := s.client(t, func(o *Options) { o.Pause = time.Hour })
	for range 10 {
		_, err := c.CRL(t.Context(), s.URL+"/404")
		wantCode(t, "404", err, reason.FetchRefused)
	}
	for i := range 10 {
		code := reason.FetchRefused
		if i >= 3 {
			code = reason.FetchHostResting
		}
		_, err := c.CRL(t.Context(), s.URL+"/500")
		wantCode(t, "500", err, code)
	}
	if got := asked.Load(); got != 13 {
		t.Errorf("asked %d times", got)
	}
}
