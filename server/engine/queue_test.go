package engine

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/server/config"
	"propusk/tokens"
	"propusk/tokens/faulty"
	"propusk/tokens/soft/softtest"
)

// sample is a good signature.
func sample(t *testing.T) (key *gost3410.PublicKey, digest, signature []byte) {
	t.Helper()
	private, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	digest = make([]byte, 32)
	digest[0] = 1
	if signature, err = private.Sign(nil, digest, nil); err != nil {
		t.Fatal(err)
	}
	return private.PublicKey(), digest, signature
}

// TestBusy: whoever finds all sessions taken waits for some seconds and no longer, and
// the module is not lost for that.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []sigalg.Outcome
		k := New(Options{
			Config:  config.Verification{Engine: "both", Module: "never opened", Sessions: 2, WhenLost: "refuse"},
			Observe: func(c sigalg.Computed) { seen = append(seen, c.Outcome) },
		})
		<-k.module.free
		<-k.module.free
		key, digest, signature := sample(t)
		start := time.Now()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if good, err := k.module.Verify(key, digest, signature); good || !errors.Is(err, errBusy) || reason.Of(err) != reason.TokenTimeout {
					t.Errorf("%t, %v", good, err)
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took != queueTime {
			t.Errorf("they waited for %v", took)
		}
		if err := k.choice.Begin().Confirm(key, digest, signature); reason.Of(err) != reason.EngineLost {
			t.Errorf("%v", err)
		}
		if _, err := k.module.Lost(); err != nil || k.lost {
			t.Errorf("a module with much to do is lost: %v", err)
		}
		if n := k.Status().Signatures[sigalg.Lost.String()]; n != 1 {
			t.Errorf("%d were not answered", n)
		}
		if len(seen) != 1 || seen[0] != sigalg.Lost {
			t.Errorf("%v", seen)
		}
		k.module.free <- struct{}{}
		if err := k.module.enter(); err != nil || len(k.module.free) != 0 {
			t.Errorf("%v, %d", err, len(k.module.free))
		}
	})
}

// TestLooking: a module that takes its time to connect keeps nobody waiting who only asks
// how it is: probes and metrics come every few seconds.
func TestLooking(t *testing.T) {
	k := New(Options{Config: config.Verification{Engine: "pkcs11", Module: "never opened", Sessions: 1, WhenLost: "refuse"}})
	k.module.mu.Lock()
	defer k.module.mu.Unlock()
	if s := k.Status(); s.Code != "" || s.Engine != "pkcs11" {
		t.Errorf("%+v", s)
	}
	if err := k.Ready(); reason.Of(err) != reason.EngineLost {
		t.Errorf("%v", err)
	}
}

// TestRenewed: sessions that are opened anew for one signature are not missed by others.
func TestRenewed(t *testing.T) {
	token := softtest.New(t, softtest.Options{NoKey: true})
	m := NewModule(ModuleOptions{Path: tokens.SoftScheme + token.Dir, Sessions: 4})
	t.Cleanup(func() { m.Close() })
	key, digest, signature := sample(t)
	if good, err := m.Verify(key, digest, signature); !good || err != nil {
		t.Fatalf("%t, %v", good, err)
	}
	pool := m.pool
	if err := m.renew(); err != nil {
		t.Fatal(err)
	}
	if a := ask(pool, key, digest, signature); a.asked || a.err == nil || !m.renewed(pool) {
		t.Errorf("sessions that have ended: %+v", a)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				if good, err := m.Verify(key, digest, signature); !good || err != nil {
					t.Errorf("%t, %v", good, err)
				}
			}
		})
	}
	for range 20 {
		m.mu.Lock()
		if err := m.renew(); err != nil {
			t.Error(err)
		}
		m.mu.Unlock()
	}
	all.Wait()
	if err := m.Close(); err != nil || m.renewed(pool) {
		t.Errorf("%v; whoever asks a closed module would ask for ever", err)
	}
}

// TestPINChangedMeanwhile: a PIN that is refused when the sessions were lost to somebody
// else's signature is not the right one any more, and is not sent for new ones.
func TestPINChangedMeanwhile(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true})
	all, right, sent := token.Tries(t), token.PIN, 0
	now := time.Now()
	m := NewModule(ModuleOptions{
		Path: tokens.SoftScheme + token.Dir, Sessions: 1, Now: func() time.Time { return now },
		PIN: func() ([]byte, error) {
			sent++
			return []byte(right), nil
		},
	})
	t.Cleanup(func() { m.Close() })
	key, digest, signature := sample(t)
	if good, err := m.Verify(key, digest, signature); !good || err != nil {
		t.Fatalf("%t, %v", good, err)
	}
	pool := m.pool
	gone := reason.New(reason.TokenSessionLost, nil)
	if err := pool.Do(func(*tokens.Session) error { return gone }); !errors.Is(err, gone) {
		t.Fatal(err)
	}
	right = "00000000"
	for range 5 {
		if good, err := m.Verify(key, digest, signature); good || reason.Of(err) != reason.TokenPINWrong {
			t.Errorf("%t, %v", good, err)
		}
		now = now.Add(time.Hour)
	}
	if left := token.Tries(t); left != all-1 || sent != 2 || m.pool != pool || m.proven {
		t.Errorf("%d tries are left of %d; the PIN was asked for %d times", left, all, sent)
	}
}

// TestAnswered: for what a module does not know, or fails at once, the sessions stay; one
// that works no more is examined before it is asked again.
func TestAnswered(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true})
	m := NewModule(ModuleOptions{Path: tokens.SoftScheme + token.Dir, Sessions: 1})
	t.Cleanup(func() { m.Close() })
	if err := m.Probe(); err != nil {
		t.Fatal(err)
	}
	pool := m.pool
	failed := reason.New(reason.TokenFailed, nil)
	for _, a := range []answer{{}, {good: true}, {err: reason.New(reason.TokenUnsupported, nil)}, {err: failed, fine: true}} {
		if m.answered(pool, a); m.pool != pool || !m.ready {
			t.Errorf("%+v ends the sessions", a)
		}
	}
	if m.answered(pool, answer{err: failed}); m.ready || m.pool != nil {
		t.Error("a module that works no more is not examined")
	}
	if _, err := m.Lost(); err != nil {
		t.Errorf("it is lost before it is: %v", err)
	}
}

// TestLeftAlone: who needs a module that is not there asks for it twice, and then after
// times that grow; once it was there a loss costs nothing again.
func TestLeftAlone(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true})
	start, opened, there := time.Now(), 0, false
	now := start
	m := NewModule(ModuleOptions{
		Path: tokens.SoftScheme + token.Dir, Sessions: 1, Now: func() time.Time { return now },
		Open: func(path string, o ...tokens.Option) (*tokens.Module, error) {
			if opened++; !there {
				return nil, reason.New(reason.TokenModuleBad, nil)
			}
			return tokens.Open(path, o...)
		},
	})
	t.Cleanup(func() { m.Close() })
	key, digest, signature := sample(t)
	want := 0
	for i, step := range []struct {
		later time.Duration
		opens int
	}{{0, 1}, {0, 1}, {0, 0}, {firstRest - 1, 0}, {1, 1}, {firstRest, 0}, {firstRest, 1}, {maxRest, 1}, {maxRest, 1}, {maxRest, 1}, {maxRest, 1}, {maxRest - 1, 0}} {
		now = now.Add(step.later)
		want += step.opens
		if good, err := m.Verify(key, digest, signature); good || reason.Of(err) != reason.TokenModuleBad || opened != want {
			t.Errorf("step %d: %t, %v; opened %d times, not %d", i, good, err, opened, want)
		}
	}
	if since, _ := m.Lost(); !since.Equal(start) {
		t.Errorf("lost since %v, not %v", since, start)
	}
	now, there = now.Add(1), true
	for range 3 {
		if good, err := m.Verify(key, digest, signature); !good || err != nil {
			t.Fatalf("%t, %v", good, err)
		}
		m.answered(m.pool, answer{err: reason.New(reason.TokenRemoved, nil)})
		if _, err := m.Lost(); reason.Of(err) != reason.TokenRemoved {
			t.Errorf("%v", err)
		}
	}
}

// TestWaitingForASession: who waits for a session that ends meanwhile is verified in a new
// one.
func TestWaitingForASession(t *testing.T) {
	token := softtest.New(t, softtest.Options{NoKey: true})
	synctest.Test(t, func(t *testing.T) {
		m := NewModule(ModuleOptions{Path: tokens.SoftScheme + token.Dir, Sessions: 1})
		defer m.Close()
		if err := m.Probe(); err != nil {
			t.Fatal(err)
		}
		pool, taken, over := m.pool, make(chan struct{}), make(chan struct{})
		var both sync.WaitGroup
		both.Go(func() {
			err := pool.Do(func(*tokens.Session) error {
				close(taken)
				<-over
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-taken
		key, digest, signature := sample(t)
		both.Go(func() {
			if good, err := m.Verify(key, digest, signature); !good || err != nil {
				t.Errorf("%t, %v", good, err)
			}
		})
		synctest.Wait()
		m.mu.Lock()
		if err := m.renew(); err != nil {
			t.Error(err)
		}
		m.mu.Unlock()
		close(over)
		both.Wait()
	})
}

// TestFailsAgain: after a failure the session is only fine if it works.
func TestFailsAgain(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true})
	l := faulty.New(t, token.Dir, faulty.Fault{Function: "C_Verify", What: "rv", Value: "0x5"}, false)
	module, err := tokens.Open(l.Path, tokens.Environment(l.Environment...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { module.Close() })
	pool := tokens.NewPool(module, tokens.PoolOptions{})
	t.Cleanup(func() { pool.Close() })
	key, digest, signature := sample(t)
	if a := ask(pool, key, digest, signature); !a.asked || a.good || a.fine || reason.Of(a.err) != reason.TokenFailed {
		t.Errorf("%+v", a)
	}
}

// TestLoginFailsLater: after a login that failed for a reason that nobody knows the PIN is
// not sent again, although it was the right one for the sessions before.
func TestLoginFailsLater(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true})
	l := faulty.New(t, token.Dir, faulty.Fault{Function: "C_Login", What: "rv", Value: "0x5"}, true)
	once := ""
	for _, variable := range l.Environment {
		if path, ok := strings.CutPrefix(variable, "PROPUSK_FAULTY_ONCE="); ok {
			once = path
		}
	}
	if err := os.WriteFile(once, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	now, sent := time.Now(), 0
	m := NewModule(ModuleOptions{
		Path: l.Path, Sessions: 1, Now: func() time.Time { return now },
		PIN: func() ([]byte, error) {
			sent++
			return []byte(token.PIN), nil
		},
		Open: func(path string, o ...tokens.Option) (*tokens.Module, error) {
			return tokens.Open(path, append(o, tokens.Environment(l.Environment...))...)
		},
	})
	t.Cleanup(func() { m.Close() })
	key, digest, signature := sample(t)
	if good, err := m.Verify(key, digest, signature); !good || err != nil {
		t.Fatalf("%t, %v", good, err)
	}
	if err := errors.Join(os.Remove(once), m.renew()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if good, err := m.Verify(key, digest, signature); good || reason.Of(err) != reason.TokenFailed {
			t.Errorf("%t, %v", good, err)
		}
		now = now.Add(time.Hour)
	}
	if sent != 2 {
		t.Errorf("the PIN was sent %d times", sent)
	}
}

// TestRunLooks: Run looks for a module that is lost until it is there, and tells of what
// it sees.
func TestRunLooks(t *testing.T) {
	token := softtest.New(t, softtest.Options{NoKey: true})
	synctest.Test(t, func(t *testing.T) {
		var opened, there atomic.Int32
		k := New(Options{
			Config: config.Verification{Engine: "pkcs11", Module: tokens.SoftScheme + token.Dir, Sessions: 1, WhenLost: "refuse"},
			Open: func(path string, o ...tokens.Option) (*tokens.Module, error) {
				if opened.Add(1); there.Load() == 0 {
					return nil, reason.New(reason.TokenModuleBad, nil)
				}
				return tokens.Open(path, o...)
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { k.Run(ctx) })
		time.Sleep(time.Second) // never at the moment when Run looks
		for want := range int32(3) {
			synctest.Wait()
			if n := opened.Load(); n != want+1 || k.Status().Code != reason.TokenModuleBad {
				t.Errorf("opened %d times, not %d; %+v", n, want+1, k.Status())
			}
			time.Sleep(probeEvery)
		}
		there.Store(1)
		time.Sleep(maxRest + probeEvery)
		synctest.Wait()
		if s := k.Status(); s.Code != "" || k.Ready() != nil {
			t.Errorf("it is there: %+v", s)
		}
		cancel()
		running.Wait()
	})
}
