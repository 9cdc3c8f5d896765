// Command signinbench measures what people wait for: how long the gateway takes for its pages,
// and how many sign-ins a second it completes on loopback, by key over GOST TLS and by
// password, with accounts in SQLite, a journal, and passwords hashed as in production. It is
// run by `make bench`.
//
// The browsers run in the same process, so a rate is that of both sides together: the client's
// half of two GOST handshakes and its signature are in it. The times of pages are those that
// the gateway itself logs.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/server/testgateway"
)

func main() {
	span := flag.Duration("time", 5*time.Second, "how long each kind of sign-in is measured")
	pages := flag.Int("pages", 300, "how often each page is asked for")
	flag.Parse()
	if err := run(os.Stdout, *span, *pages); err != nil {
		fmt.Fprintln(os.Stderr, "signinbench:", err)
		os.Exit(1)
	}
}

// harness lets the gateway of tests run outside of a test: what it finds wrong ends the
// measurement, or is told when that is over.
type harness struct{ testing.TB }

func (harness) Helper() {}

func (harness) Error(args ...any) { fmt.Fprintln(os.Stderr, args...) }

func (harness) Errorf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (harness) Fatal(args ...any) { panic(errors.New(fmt.Sprint(args...))) }

func (harness) Fatalf(format string, args ...any) { panic(fmt.Errorf(format, args...)) }

// run measures once. A benchmark of package testing is there for its files and its end.
func run(out io.Writer, span time.Duration, pages int) (failure error) {
	testing.Init()
	testing.Benchmark(func(b *testing.B) {
		defer func() {
			if v := recover(); v != nil {
				failure = fmt.Errorf("%v", v)
			}
		}()
		failure = measure(harness{b}, out, span, pages)
		b.SkipNow() // once is enough
	})
	return failure
}

// measure starts the gateway and prints what it finds.
func measure(t harness, out io.Writer, span time.Duration, pages int) error {
	g := testgateway.Start(t, testgateway.WithAccounts, production)
	w := newWorld(t, g)
	fmt.Fprintf(out, "Sign-in and pages, %d CPUs, %s: accounts in SQLite, journal, argon2id of %d KiB and %d passes\n\n",
		runtime.GOMAXPROCS(0), runtime.Version(), g.Config.Login.HashMemory, g.Config.Login.HashPasses)
	if err := w.pages(out, pages); err != nil {
		return err
	}
	fmt.Fprintln(out)
	fmt.Fprintf(out, "%-34s %10s %10s %10s\n", "sign-ins", "per second", "p50, ms", "p99, ms")
	for _, kind := range []struct {
		name   string
		signIn func(worker int) error
	}{{"key, GOST TLS, whole way", w.byKey}, {"password, whole way", w.byPassword}} {
		took, err := rate(span, kind.signIn)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		fmt.Fprintf(out, "%-34s %10.0f %10.1f %10.1f\n", kind.name, float64(len(took))/span.Seconds(), ms(quantile(took, 0.5)), ms(quantile(took, 0.99)))
	}
	return nil
}

// rate signs in with as many workers as there are processors, and twice, for a while, and
// returns what each sign-in took, in order.
func rate(span time.Duration, signIn func(worker int) error) ([]time.Duration, error) {
	var (
		mu      sync.Mutex
		all     []time.Duration
		failure atomic.Pointer[error]
		workers sync.WaitGroup
	)
	end := time.Now().Add(span)
	for worker := range 2 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for time.Now().Before(end) && failure.Load() == nil {
				from := time.Now()
				if err := signIn(worker); err != nil {
					failure.Store(&err)
					return
				}
				took := time.Since(from)
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if err := failure.Load(); err != nil {
		return nil, *err
	}
	slices.Sort(all)
	return all, nil
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// logged returns how long requests for a route took, by the log of the gateway, in order.
func logged(log, route string) []time.Duration {
	var all []time.Duration
	for line := range strings.Lines(log) {
		var r struct {
			Message  string  `json:"msg"`
			Route    string  `json:"route"`
			Duration float64 `json:"duration_ms"`
		}
		if json.Unmarshal([]byte(line), &r) == nil && r.Message == "request" && r.Route == route {
			all = append(all, time.Duration(r.Duration*float64(time.Millisecond)))
		}
	}
	slices.Sort(all)
	return all
}
