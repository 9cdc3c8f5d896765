package tokens

import (
	"errors"
	"sync"

	"propusk/pki/reason"
)

// PINSource returns the PIN of a token for an unattended login. What it returns is
// wiped after use.
type PINSource func() ([]byte, error)

// PoolOptions say what a [Pool] is of.
type PoolOptions struct {
	Token string    // label or serial number; empty: the only one
	PIN   PINSource // nil: no login, public objects only
	Size  int       // sessions at most; zero: 2. A token may allow fewer
}

// Pool is a token with one login and several sessions, for unattended work: gateway
// keys, verification. Sessions stay open between operations, since a token that has
// none may have to be recognised anew for every call. Who wants one more than there are
// waits. It is safe for concurrent use, and ends with its [Module], which it does not
// close.
//
// When the token or the process of its library goes, all sessions go with it, and the
// next operation finds the token again, the same one, and asks for the PIN again. After
// an attempt to log in that failed in any way, there is none any more: each operation
// ends in the same error, because nobody knows whether the token has counted a try, and
// whoever repeats a wrong PIN locks the token. Neither is there a first login, of this
// pool or of one after a restart, while the token says that the last PIN was wrong:
// reason.TokenPINCountLow, until somebody enters the right one.
type Pool struct {
	module *Module
	o      PoolOptions

	mu      sync.Mutex
	changed *sync.Cond // a session came back, or all were dropped
	token   *Token     // what the first login found; nil before it
	login   *login     // of this life; nil without PIN
	idle    []*Session // of this life
	open    int        // sessions of this life, idle or in use
	limit   int        // of open
	life    int        // is counted up when all sessions are dropped
	failed  error      // why there is no login any more
	closed  bool
}

// defaultPoolSize is how many sessions there are if nobody says: a token does one thing
// at a time, and the next request can be on its way.
const defaultPoolSize = 2

// NewPool returns a pool; nothing is connected before its first use.
func NewPool(m *Module, o PoolOptions) *Pool {
	if o.Size <= 0 {
		o.Size = defaultPoolSize
	}
	p := &Pool{module: m, o: o, limit: o.Size}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// Do calls f with a session that nobody else has meanwhile. f must not close it, nor
// use it afterwards; the same session may come again, and what f keeps for it can be
// used then. The error is that of f, or why there is no session: see [Token.Login] and
// [Module.Find]. An operation that was lost with its session is not repeated.
func (p *Pool) Do(f func(*Session) error) error {
	s, life, err := p.take()
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // f panics: nobody knows what it left the session in
			_ = p.give(s, life, true)
		}
	}()
	err = f(s)
	done = true
	return errors.Join(err, p.give(s, life, lost(err)))
}

// take returns a session, and the life that it is of.
func (p *Pool) take() (*Session, int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.closed {
			return nil, 0, reason.Errorf(reason.TokenFailed, "the pool has been closed")
		}
		if n := len(p.idle); n > 0 {
			s := p.idle[n-1]
			p.idle = p.idle[:n-1]
			return s, p.life, nil
		}
		if p.open < p.limit {
			s, err := p.another()
			switch {
			case err == nil:
				p.open++
				return s, p.life, nil
			case errors.Is(err, rvSessionCount) && p.open > 0:
				p.limit = p.open // the token has no more, whatever it said
			default:
				return nil, 0, err
			}
		}
		p.changed.Wait()
	}
}

// another opens a session: the first one of a life logs in. p.mu is held.
func (p *Pool) another() (*Session, error) {
	if p.open == 0 {
		return p.connect()
	}
	s, err := p.token.join(p.login)
	if lost(err) {
		err = errors.Join(err, p.drop())
	}
	return s, err
}

// connect finds the token, enters the PIN, and returns the first session. p.mu is held.
func (p *Pool) connect() (*Session, error) {
	if p.failed != nil {
		return nil, p.failed
	}
	token, err := p.find()
	if err != nil {
		return nil, err
	}
	p.limit = p.o.Size
	if n := token.info.maxSessions; n != 0 && n < uint(p.limit) {
		p.limit = int(n)
	}
	if p.o.PIN == nil {
		s, err := token.Public()
		if err == nil {
			p.token, p.login = token, nil
		}
		return s, err
	}
	if err := p.mayLogin(token.info); err != nil {
		return nil, err
	}
	pin, err := p.o.PIN()
	if err != nil {
		return nil, err
	}
	defer clear(pin)
	sent := false
	s, err := token.session(func(lib library, s *Session, now tokenInfo) error {
		if err := p.mayLogin(now); err != nil {
			return err
		}
		err := s.enter(lib, now, pin, false)
		sent = s.sent
		return err
	})
	if err != nil {
		if sent {
			p.failed = err
		}
		return nil, err
	}
	p.token, p.login = token, s.login
	return s, nil
}

// mayLogin says why the PIN must not be sent. Nobody is there to see a refusal, and a
// service that is started again and again would spend a try each time: so the first
// login is none of those that a token warns of.
func (p *Pool) mayLogin(now tokenInfo) error {
	if p.token == nil && now.pin() == PINCountLow {
		return reason.New(reason.TokenPINCountLow, nil)
	}
	return mayLogin(now, false)
}

// find finds the token: after the first time the same one, lest another be tried with
// its PIN.
func (p *Pool) find() (*Token, error) {
	if p.token == nil {
		return p.module.Find(p.o.Token)
	}
	all, err := p.module.Tokens()
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.info.same(p.token.info) {
			return t, nil
		}
	}
	return nil, reason.Errorf(reason.TokenRemoved, "%d tokens are connected, and not the one that was", len(all))
}

// give takes a session back; one that is gone takes all others with it.
func (p *Pool) give(s *Session, life int, gone bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.changed.Broadcast()
	if life == p.life && !p.closed && !gone {
		p.idle = append(p.idle, s)
		return nil
	}
	err := s.Close()
	if life == p.life {
		err = errors.Join(err, p.drop())
	}
	return err
}

// drop forgets all sessions: those in use are closed when they come back. p.mu is held.
func (p *Pool) drop() error {
	var errs []error
	for _, s := range p.idle {
		errs = append(errs, s.Close())
	}
	p.idle, p.open, p.login = nil, 0, nil
	p.life++
	p.changed.Broadcast() // whoever waits can have a session of the next life
	return errors.Join(errs...)
}

// Close ends the sessions, those in use when they come back, and logs out.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.changed.Broadcast()
	return p.drop()
}
