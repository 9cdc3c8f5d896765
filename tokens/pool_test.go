package tokens

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"propusk/pki/reason"
)

// pooled is a pool over one token, and how often its PIN was asked for.
func pooled(f *faulty, size int) (*Pool, *int) {
	asked := new(int)
	source := func() ([]byte, error) {
		*asked++
		return []byte("12345678"), nil
	}
	return NewPool(&Module{lib: f}, PoolOptions{PIN: source, Size: size}), asked
}

func nothing(*Session) error { return nil }

func TestPoolLogsInOnce(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(0)}}
	p, asked := pooled(f, 4)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if err := p.Do(nothing); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if f.logins != 1 || *asked != 1 || f.opened > 4 {
		t.Errorf("%d logins, asked %d times, %d sessions", f.logins, *asked, f.opened)
	}
	if err := p.Close(); err != nil || f.in {
		t.Errorf("closed: %v, still logged in: %t", err, f.in)
	}
	if err := p.Do(nothing); reason.Of(err) != reason.TokenFailed {
		t.Errorf("a closed pool: %v", err)
	}
}

// Whatever ends an attempt to log in, there is no second one.
func TestPoolNeverRepeatsARefusedPIN(t *testing.T) {
	for name, answer := range map[string]error{
		"wrong": rvPINIncorrect, "locked": rvPINLocked, "cancelled": rvFuncCancelled, "taken out": rvDeviceRemoved,
		"crashed": reason.New(reason.TokenCrashed, nil), "late": reason.New(reason.TokenTimeout, nil),
	} {
		t.Run(name, func(t *testing.T) {
			f := &faulty{tokens: []tokenInfo{one(0)}, answer: answer}
			p, asked := pooled(f, 2)
			first := p.Do(nothing)
			f.answer = nil // even if it would be taken now
			for range 20 {
				if err := p.Do(nothing); err == nil || reason.Of(err) != reason.Of(first) {
					t.Fatalf("%v, after %v", err, first)
				}
			}
			if f.logins != 1 || *asked != 1 {
				t.Errorf("the PIN was sent %d times, and asked for %d times", f.logins, *asked)
			}
		})
	}
}

// A token that says that it must not be asked is not, and neither is who has the PIN.
func TestPoolAsksTheTokenFirst(t *testing.T) {
	for flags, want := range map[uint]reason.Code{
		flagPINFinalTry: reason.TokenPINLastTry, flagPINLocked: reason.TokenPINLocked, flagPINMustChange: reason.TokenPINChange,
	} {
		f := &faulty{tokens: []tokenInfo{one(flags)}}
		p, asked := pooled(f, 2)
		if err := p.Do(nothing); reason.Of(err) != want || f.logins != 0 || *asked != 0 {
			t.Errorf("%v, want %s; %d logins, asked %d times", err, want, f.logins, *asked)
		}
		f.tokens[0] = one(0) // unlocked meanwhile
		if err := p.Do(nothing); err != nil {
			t.Error(err)
		}
	}
}

func TestPoolAsksAgainForAPINThatWasNotThere(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(0)}}
	missing := errors.New("no file")
	p := NewPool(&Module{lib: f}, PoolOptions{PIN: func() ([]byte, error) { return nil, missing }})
	for range 2 {
		if err := p.Do(nothing); !errors.Is(err, missing) || f.logins != 0 {
			t.Errorf("%v; %d logins", err, f.logins)
		}
	}
}

// An empty PIN is not sent, and so there was no attempt.
func TestPoolWithAnEmptyPIN(t *testing.T) {
	f, pin := &faulty{tokens: []tokenInfo{one(0)}}, []byte{}
	p := NewPool(&Module{lib: f}, PoolOptions{PIN: func() ([]byte, error) { return pin, nil }})
	if err := p.Do(nothing); reason.Of(err) != reason.TokenPINWrong || f.logins != 0 {
		t.Errorf("%v; %d logins", err, f.logins)
	}
	pin = []byte("12345678")
	if err := p.Do(nothing); err != nil || f.logins != 1 {
		t.Errorf("%v; %d logins", err, f.logins)
	}
}

func TestPoolComesBack(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(0)}}
	p, asked := pooled(f, 2)
	var before *Session
	if err := p.Do(func(s *Session) error { before = s; return nil }); err != nil {
		t.Fatal(err)
	}
	gone := reason.New(reason.TokenRemoved, nil)
	if err := p.Do(func(*Session) error { f.in = false; return gone }); !errors.Is(err, reason.TokenRemoved) {
		t.Fatal(err)
	}
	// Another token is in the slot: it must not get the PIN.
	f.tokens[0] = tokenInfo{label: "Ключ", serial: "0002", flags: flagPINSet}
	if err := p.Do(nothing); reason.Of(err) != reason.TokenRemoved || f.logins != 1 || *asked != 1 {
		t.Fatalf("%v; %d logins, asked %d times", err, f.logins, *asked)
	}
	f.tokens[0] = one(0)
	if err := p.Do(func(s *Session) error {
		if s == before {
			t.Error("a session that is gone")
		}
		return nil
	}); err != nil || f.logins != 2 || *asked != 2 {
		t.Errorf("%v; %d logins, asked %d times", err, f.logins, *asked)
	}
}

func TestPoolHasAsManySessionsAsTheToken(t *testing.T) {
	info := one(0)
	info.maxSessions = 1
	p, _ := pooled(&faulty{tokens: []tokenInfo{info}}, 8)
	var inside atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := p.Do(func(*Session) error {
				if inside.Add(1) > 1 {
					t.Error("two at once")
				}
				inside.Add(-1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// Two sessions of one token have one login, and the second one must know the PIN as
// well: it is compared, and not sent.
func TestLoginIsShared(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(0)}}
	token, err := (&Module{lib: f}).Find("")
	if err != nil {
		t.Fatal(err)
	}
	first, err := token.Login([]byte("12345678"), false)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := token.Login([]byte("12345679"), false); s != nil || reason.Of(err) != reason.TokenPINWrong {
		t.Errorf("another PIN: %v, %v", s, err)
	}
	second, err := token.Login([]byte("12345678"), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil || !f.in {
		t.Errorf("the first one is closed: %v, logged in: %t", err, f.in)
	}
	if err := second.Close(); err != nil || f.in || f.logins != 1 {
		t.Errorf("both are closed: %v, logged in: %t, %d logins", err, f.in, f.logins)
	}
	for _, pin := range [][]byte{nil, {}} {
		if _, err := token.Login(pin, false); reason.Of(err) != reason.TokenPINWrong || f.logins != 1 {
			t.Errorf("no PIN: %v, %d logins", err, f.logins)
		}
	}
}

func TestRefusalTellsTriesLeft(t *testing.T) {
	for name, c := range map[string]struct {
		after tokenInfo
		want  reason.Code
		left  int
		known bool
	}{
		"nothing told": {one(flagPINCountLow), reason.TokenPINWrong, 0, false},
		"one left":     {one(flagPINFinalTry), reason.TokenPINWrong, 1, true},
		"locked by it": {one(flagPINLocked), reason.TokenPINLocked, 0, true},
		"counted":      {tokenInfo{label: "Ключ", serial: "0001", flags: flagPINSet | flagPINCountLow, tries: 7, triesKnown: true}, reason.TokenPINWrong, 7, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := &refusing{faulty{tokens: []tokenInfo{one(0)}}, c.after}
			token, err := (&Module{lib: f}).Find("")
			if err != nil {
				t.Fatal(err)
			}
			_, err = token.Login([]byte("1"), false)
			left, known := TriesLeft(err)
			if reason.Of(err) != c.want || left != c.left || known != c.known {
				t.Errorf("%v; %d left, known: %t", err, left, known)
			}
		})
	}
}

// refusing is a token that refuses every PIN, and says something else after that.
type refusing struct {
	faulty
	after tokenInfo
}

func (r *refusing) login(uint, user, []byte) error {
	r.tokens[0] = r.after
	return rvPINIncorrect
}

// A service that is started again and again does not spend one try after the other: where
// the last PIN was wrong it enters none, until the token says otherwise. One that was right
// before is entered again.
func TestPoolSpendsNoTryAtEachStart(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(0)}, answer: rvPINIncorrect}
	first, _ := pooled(f, 2)
	if err := first.Do(nothing); reason.Of(err) != reason.TokenPINWrong {
		t.Fatal(err)
	}
	f.tokens[0] = one(flagPINCountLow)
	for range 10 {
		p, asked := pooled(f, 2)
		if err := p.Do(nothing); reason.Of(err) != reason.TokenPINCountLow || *asked != 0 || f.logins != 1 {
			t.Fatalf("%v; %d logins, asked %d times", err, f.logins, *asked)
		}
	}
	f.tokens[0], f.answer = one(0), nil // somebody has entered the right one
	p, asked := pooled(f, 2)
	if err := p.Do(nothing); err != nil {
		t.Fatal(err)
	}
	f.tokens[0] = one(flagPINCountLow) // somebody else has mistyped
	if err := p.Do(func(*Session) error { f.in = false; return errGone }); !errors.Is(err, reason.TokenRemoved) {
		t.Fatal(err)
	}
	if err := p.Do(nothing); err != nil || *asked != 2 || f.logins != 3 {
		t.Errorf("%v; %d logins, asked %d times", err, f.logins, *asked)
	}
}

// A panic in the work ends the sessions, and is not one of the pool.
func TestPoolAfterAPanic(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(0)}}
	p, asked := pooled(f, 1)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_ = p.Do(func(*Session) error { panic("work") })
	}()
	if f.in {
		t.Error("still logged in")
	}
	if err := p.Do(nothing); err != nil || *asked != 2 {
		t.Errorf("%v, asked %d times", err, *asked)
	}
}

// What the token says counts until the PIN is sent, and what it said before does not: while
// the PIN is read, another may have spent tries, or another token may have come. A PIN that
// was not sent is no attempt, and is wiped all the same.
func TestPoolLooksOnceMore(t *testing.T) {
	for name, c := range map[string]struct {
		now  tokenInfo
		want reason.Code
	}{
		"last try":      {one(flagPINFinalTry), reason.TokenPINLastTry},
		"wrong PIN":     {one(flagPINCountLow), reason.TokenPINCountLow},
		"locked":        {one(flagPINLocked), reason.TokenPINLocked},
		"another token": {tokenInfo{label: "Ключ", serial: "0002", flags: flagPINSet}, reason.TokenRemoved},
		"no token":      {tokenInfo{}, reason.TokenRemoved},
	} {
		t.Run(name, func(t *testing.T) {
			f := &faulty{tokens: []tokenInfo{one(0)}}
			pin := []byte("12345678")
			p := NewPool(&Module{lib: f}, PoolOptions{PIN: func() ([]byte, error) {
				f.tokens[0] = c.now
				return pin, nil
			}})
			if err := p.Do(nothing); reason.Of(err) != c.want || f.logins != 0 {
				t.Errorf("%v; %d logins", err, f.logins)
			}
			if !bytes.Equal(pin, make([]byte, 8)) {
				t.Error("the PIN was not wiped")
			}
			c.now, pin, f.tokens[0] = one(0), []byte("12345678"), one(0)
			if err := p.Do(nothing); err != nil || f.logins != 1 {
				t.Errorf("it is in order again: %v; %d logins", err, f.logins)
			}
			if !bytes.Equal(pin, make([]byte, 8)) {
				t.Error("the PIN was not wiped after it was sent")
			}
		})
	}
}

// counting is a library that counts its sessions, and has no more than so many.
type counting struct {
	faulty
	mu      sync.Mutex
	live    map[uint]bool
	most    int           // zero: any number
	refused chan struct{} // is told of each session that there is not
}

func (c *counting) open(slot uint, write bool) (uint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.most != 0 && len(c.live) >= c.most {
		c.refused <- struct{}{}
		return 0, rvSessionCount
	}
	_, err := c.faulty.open(slot, write)
	if c.live == nil {
		c.live = make(map[uint]bool)
	}
	c.live[uint(c.opened)] = true
	return uint(c.opened), err
}

func (c *counting) shut(session uint) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, session)
	return nil
}

// countingPool is a pool of two sessions over a library that counts them.
func countingPool(c *counting) *Pool {
	c.tokens = []tokenInfo{one(0)}
	return NewPool(&Module{lib: c}, PoolOptions{PIN: func() ([]byte, error) { return []byte("12345678"), nil }, Size: 2})
}

// Sessions that are in use while others are lost, or while a login turns out to have ended,
// are closed when they come back, and not used again.
func TestPoolSessionsOfALifeBefore(t *testing.T) {
	for name, lose := range map[string]func(*counting, *Pool) error{
		"lost": func(c *counting, p *Pool) error {
			return p.Do(func(*Session) error { c.in = false; return reason.New(reason.TokenRemoved, nil) })
		},
		"logged out": func(c *counting, p *Pool) error { c.in = false; return p.Do(nothing) },
	} {
		t.Run(name, func(t *testing.T) {
			c := new(counting)
			p := countingPool(c)
			var before *Session
			err := p.Do(func(s *Session) error {
				before = s
				if err := lose(c, p); err == nil {
					t.Error("nothing was lost")
				}
				return nil
			})
			if err != nil || len(c.live) != 0 {
				t.Errorf("%v; %d sessions are open", err, len(c.live))
			}
			err = p.Do(func(s *Session) error {
				if s == before {
					t.Error("a session of the login before")
				}
				return nil
			})
			if err != nil || c.logins != 2 || len(c.live) != 1 {
				t.Errorf("%v; %d logins, %d sessions", err, c.logins, len(c.live))
			}
			if err := p.Close(); err != nil || len(c.live) != 0 || c.in {
				t.Errorf("closed: %v; %d sessions are open", err, len(c.live))
			}
		})
	}
}

// Who wants a session that the token does not have waits for one; another token, or the
// same one later, may have more.
func TestPoolLearnsHowManySessionsThereAre(t *testing.T) {
	t.Parallel() // a library is given time to notice that its token has gone
	c := &counting{most: 1, refused: make(chan struct{}, 1)}
	p := countingPool(c)
	second := make(chan error, 1)
	err := p.Do(func(*Session) error {
		go func() { second <- p.Do(nothing) }()
		<-c.refused
		return nil
	})
	if err := errors.Join(err, <-second); err != nil || p.limit != 1 {
		t.Errorf("%v; %d sessions at most", err, p.limit)
	}
	gone := reason.New(reason.TokenRemoved, nil)
	for most, want := range map[uint]int{1: 1, 0: 2, 9: 2} {
		c.tokens[0].maxSessions = most
		if err := p.Do(func(*Session) error { c.in = false; return gone }); !errors.Is(err, gone) {
			t.Fatal(err)
		}
		if err := p.Do(nothing); err != nil || p.limit != want {
			t.Errorf("%v; %d sessions at most, not %d", err, p.limit, want)
		}
	}
}
