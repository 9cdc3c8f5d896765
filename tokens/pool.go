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
// whoever repeats a wrong PIN locks the token.
type Pool struct {
	module *Module
	o      PoolOptions
	places chan struct{} // one for each session that there may be

	mu     sync.Mutex
	token  *Token     // what the first operation found; nil before it
	idle   []*Session // of the current life
	all    int        // sessions of the current life, in use or idle
	limit  int        // of sessions, as the token says
	life   int        // is counted up when all sessions are dropped
	anchor *Session   // the login, which is used for nothing else
	failed error      // why there is no login any more
	closed bool
}

// defaultPoolSize is how many sessions there are if nobody says: a token does one thing
// at a time, and the next request can be on its way.
const defaultPoolSize = 2

// NewPool returns a pool; nothing is connected before its first use.
func NewPool(m *Module, o PoolOptions) *Pool {
	if o.Size <= 0 {
		o.Size = defaultPoolSize
	}
	return &Pool{module: m, o: o, places: make(chan struct{}, o.Size)}
}

// Do calls f with a session that nobody else has meanwhile. f must not keep it, nor
// close it. The error is that of f, or why there is no session: see [Token.Login] and
// [Module.Find]. An operation that was lost with its session is not repeated.
func (p *Pool) Do(f func(*Session) error) error {
	p.places <- struct{}{}
	defer func() { <-p.places }()
	s, life, err := p.take()
	if err != nil {
		return err
	}
	err = f(s)
	p.give(s, life, lost(err))
	return err
}

// take returns a session.
func (p *Pool) take() (*Session, int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, 0, reason.Errorf(reason.TokenFailed, "the pool has been closed")
	}
	if p.anchor == nil {
		if err := p.connect(); err != nil {
			return nil, 0, err
		}
	}
	if n := len(p.idle); n > 0 {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return s, p.life, nil
	}
	s, err := p.token.join(p.anchor)
	if err != nil {
		if lost(err) {
			p.drop()
		}
		return nil, 0, err
	}
	return s, p.life, nil
}

// give takes a session back.
func (p *Pool) give(s *Session, life int, gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if gone && life == p.life {
		p.drop()
	}
	if !gone && life == p.life && !p.closed {
		p.idle = append(p.idle, s)
		return
	}
	_ = s.Close() // of no use any more
}

// drop forgets all sessions: those in use are closed when they come back. p.mu is held.
func (p *Pool) drop() error {
	p.life++
	var errs []error
	for _, s := range p.idle {
		errs = append(errs, s.Close())
	}
	if p.anchor != nil {
		errs = append(errs, p.anchor.Close())
	}
	p.idle, p.anchor = nil, nil
	return errors.Join(errs...)
}
