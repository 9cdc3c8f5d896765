// Package engine has signatures of GOST R 34.10 verified by a PKCS#11 module, a token or
// an HSM: C_Verify over CKM_GOSTR3410 and CKM_GOSTR3410_512, with the public key of the
// signer as a session object. See docs/VERIFICATION.md.
package engine

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/tokens"
)

// How long the module may take: it is a person with a browser who waits. A verification
// takes a millisecond in a HSM and some hundred in a token.
const (
	startTime = 15 * time.Second
	callTime  = 5 * time.Second
	queueTime = 10 * time.Second // until a session is free
)

// How long a module that is not there is left alone. The first loss costs nothing: a
// library that crashed starts again within some milliseconds.
const (
	firstRest = time.Second
	maxRest   = 30 * time.Second
)

// ModuleOptions say what a Module is.
type ModuleOptions struct {
	// Path is the library, or "soft:DIR".
	Path string
	// Token is the label or serial number of the token; empty is the only one.
	Token string
	// PIN returns the PIN of the token; nil means that none is needed.
	PIN tokens.PINSource
	// Sessions is how many signatures are verified at once; zero is two.
	Sessions int
	// Now returns the time; nil is time.Now.
	Now func() time.Time
	// Open opens libraries; nil is tokens.Open.
	Open func(path string, o ...tokens.Option) (*tokens.Module, error)
}

// Module is a token that verifies. It connects when it is first needed, and again when
// it was lost. Before it is believed, each time it connects, it has to tell good
// signatures from bad ones. It implements sigalg.Engine and is safe for concurrent use.
type Module struct {
	o     ModuleOptions
	about atomic.Pointer[sigalg.EngineInfo]
	free  chan struct{} // one for each signature that may be verified now
	state atomic.Pointer[state]

	mu     sync.Mutex     // is held while the module connects, which may take long
	module *tokens.Module // nil before it was opened
	pool   *tokens.Pool   // nil before it is needed
	ready  bool           // pool passed its examination, and nothing was wrong since
	proven bool           // pool passed its examination: if there is a PIN, it is the right one
	closed bool
	losses int // one after the other
	rest   time.Time
}

// state is how the module does, for those who only look.
type state struct {
	connected bool  // at least once
	err       error // of the last loss, while it lasts
	since     time.Time
}

// NewModule returns a Module; nothing is connected before its first use.
func NewModule(o ModuleOptions) *Module {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Open == nil {
		o.Open = tokens.Open
	}
	if o.Sessions <= 0 {
		o.Sessions = 2
	}
	m := &Module{o: o, free: make(chan struct{}, o.Sessions)}
	for range o.Sessions {
		m.free <- struct{}{}
	}
	m.state.Store(new(state))
	m.about.Store(&sigalg.EngineInfo{Name: sigalg.EnginePKCS11})
	return m
}

// About implements sigalg.Engine. What the module says about itself is known since it
// was connected.
func (m *Module) About() sigalg.EngineInfo { return *m.about.Load() }

// Verify implements sigalg.Engine. The error is a *reason.Error with a code of a token,
// or with reason.EngineDisagreement if the module does not tell good from bad. Whoever
// finds all sessions taken waits for some seconds, and no longer.
func (m *Module) Verify(pub *gost3410.PublicKey, digest, signature []byte) (bool, error) {
	if err := m.enter(); err != nil {
		return false, err
	}
	defer func() { m.free <- struct{}{} }()
	for {
		pool, err := m.connected()
		if err != nil {
			return false, err
		}
		a := ask(pool, pub, digest, signature)
		if !a.asked && m.renewed(pool) {
			continue // somebody else's signature has ended the sessions
		}
		m.answered(pool, a)
		return a.good && a.err == nil, a.err
	}
}

// errBusy is not a loss: the module works, and has too much to do.
var errBusy = errors.New("engine: all sessions with the module are taken")

// enter waits for a session.
func (m *Module) enter() error {
	select {
	case <-m.free:
		return nil
	default:
	}
	wait := time.NewTimer(queueTime)
	defer wait.Stop()
	select {
	case <-m.free:
		return nil
	case <-wait.C:
		return reason.New(reason.TokenTimeout, errBusy)
	}
}

// answer is what came of one question.
type answer struct {
	good  bool
	err   error
	asked bool // it reached a session
	fine  bool // after an error the same session still tells good from bad
}

// ask has one session of a pool verify. If that fails, the session is examined at once:
// one signature that a module does not digest must not cost others theirs, or everybody
// the login.
func ask(pool *tokens.Pool, pub *gost3410.PublicKey, digest, signature []byte) (a answer) {
	a.err = pool.Do(func(s *tokens.Session) (err error) {
		a.asked = true
		a.good, err = s.Verify(pub, digest, signature)
		if reason.Of(err) == reason.TokenFailed {
			a.fine = examineCurve(s.Verify, gost3410.CryptoProA()) == nil
		}
		return err
	})
	return a
}

// verify has one session of a pool verify.
func verify(pool *tokens.Pool, pub *gost3410.PublicKey, digest, signature []byte) (good bool, err error) {
	a := ask(pool, pub, digest, signature)
	return a.good, a.err
}

// renewed reports whether a pool was replaced by another one.
func (m *Module) renewed(pool *tokens.Pool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.closed && m.pool != pool
}

// Probe connects the module if it is not connected. The error is that of Verify.
func (m *Module) Probe() error {
	_, err := m.connected()
	return err
}

// Lost returns since when the module does not answer, and why; a nil error if it does,
// or was not asked yet.
func (m *Module) Lost() (since time.Time, err error) {
	s := m.state.Load()
	return s.since, s.err
}

// Connected reports whether the module has ever passed its examination.
func (m *Module) Connected() bool { return m.state.Load().connected }

// Close ends the sessions and the process of the library. Verify fails afterwards.
func (m *Module) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return m.drop()
}

// drop closes what is open.
func (m *Module) drop() error {
	var errs []error
	if m.pool != nil {
		errs = append(errs, m.pool.Close())
	}
	if m.module != nil {
		errs = append(errs, m.module.Close())
	}
	m.pool, m.module, m.ready = nil, nil, false
	return errors.Join(errs...)
}

// renew has sessions opened anew: an operation may have got stuck in one. With them the
// PIN is entered anew, so this is not done as long as the PIN was never good: the pool
// knows that it was refused, and never sends it again.
func (m *Module) renew() error {
	m.ready = false
	if m.pool == nil || m.o.PIN != nil && !m.proven {
		return nil
	}
	err := m.pool.Close()
	m.pool = nil
	return err
}

// connected returns the sessions of the module, which passed its examination.
func (m *Module) connected() (*tokens.Pool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return nil, reason.Errorf(reason.TokenModuleBad, "engine: the module was closed")
	case m.ready:
		return m.pool, nil
	}
	if s := m.state.Load(); s.err != nil && m.o.Now().Before(m.rest) {
		return nil, s.err // nobody waits for what is not there
	}
	if err := m.connect(); err != nil {
		m.lost(err)
		return nil, err
	}
	m.ready, m.proven, m.losses = true, true, 0
	m.state.Store(&state{connected: true})
	return m.pool, nil
}

// connect opens the library, and examines it.
func (m *Module) connect() error {
	if m.module == nil {
		module, err := m.o.Open(m.o.Path, tokens.Deadlines{Start: startTime, Call: callTime, Person: callTime}, tokens.Parallel(m.o.Sessions))
		if err != nil {
			return err
		}
		m.module = module
	}
	info, err := m.module.Info()
	if err != nil {
		return err
	}
	if m.pool == nil {
		m.pool = tokens.NewPool(m.module, tokens.PoolOptions{Token: m.o.Token, PIN: m.o.PIN, Size: m.o.Sessions})
		m.proven = false
	}
	if err := examine(m.pool); err != nil {
		return err
	}
	about := aboutModule(info)
	m.about.Store(&about)
	return nil
}

// maxName bounds what a library says about itself, in characters.
const maxName = 100

func aboutModule(info tokens.Info) sigalg.EngineInfo {
	name := strings.Join(strings.Fields(info.Manufacturer+" "+info.Description), " ")
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName])
	}
	return sigalg.EngineInfo{Name: sigalg.EnginePKCS11, Module: name, Version: info.Version}
}

// answered takes note of how a verification ended. A module that knows nothing of a
// curve, or fails at one signature, is not lost: whoever sends signatures could otherwise
// switch it off for all others. One that failed, and does not work any more after that,
// is examined again before it is asked.
func (m *Module) answered(pool *tokens.Pool, a answer) {
	if a.err == nil || a.fine || reason.Of(a.err) == reason.TokenUnsupported {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.pool != pool || !m.ready: // somebody else has noticed already
	case gone(a.err):
		m.lost(a.err)
	default:
		m.renew() //nolint:errcheck // what is wrong the examination finds as well
	}
}

// gone reports whether an error means that the module is not there.
func gone(err error) bool {
	switch reason.Of(err) {
	case reason.TokenFailed, reason.TokenUnsupported:
		return false
	}
	return true
}

// lost records a loss. What crashed may start at once; after that it is left alone for
// a time that grows.
func (m *Module) lost(err error) {
	before := m.state.Load()
	now := state{connected: before.connected, since: before.since}
	if before.err == nil {
		now.since = m.o.Now()
	}
	if refused(err) {
		m.proven = false
	}
	now.err = errors.Join(err, m.renew())
	m.state.Store(&now)
	if m.losses++; m.losses > 1 {
		m.rest = m.o.Now().Add(min(firstRest<<min(m.losses-2, 10), maxRest))
	}
}

// refused reports whether an error is about the PIN: it was changed since it was good.
// The pool never sends it again, and another pool would.
func refused(err error) bool {
	switch reason.Of(err) {
	case reason.TokenPINWrong, reason.TokenPINLastTry, reason.TokenPINCountLow, reason.TokenPINLocked, reason.TokenPINChange, reason.TokenPINUnset:
		return true
	}
	return false
}

// examine lets the module tell good signatures from bad ones. Keys are new each time, so
// that the answers cannot be known beforehand.
func examine(pool *tokens.Pool) error {
	known := false
	for _, curve := range []*gost3410.Curve{gost3410.CryptoProA(), gost3410.TC26512A()} {
		err := examineCurve(func(pub *gost3410.PublicKey, digest, signature []byte) (bool, error) {
			return verify(pool, pub, digest, signature)
		}, curve)
		switch {
		case err == nil:
			known = true
		case gone(err):
			return err
		case curve.Size() == 64 && known: // there are tokens for keys of 256 bits alone
		default:
			return err
		}
	}
	return nil
}

func examineCurve(verify func(*gost3410.PublicKey, []byte, []byte) (bool, error), curve *gost3410.Curve) error {
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		return err
	}
	digest := make([]byte, curve.Size())
	copy(digest, key.PublicKey().Bytes())
	signature, err := key.Sign(nil, digest, nil)
	if err != nil {
		return err
	}
	for _, want := range []bool{true, false} {
		if !want {
			digest[0] ^= 1
		}
		got, err := verify(key.PublicKey(), digest, signature)
		if err != nil {
			return err
		}
		if got != want {
			return reason.Errorf(reason.EngineDisagreement, "engine: the module says %t to a signature on %s for which %t is right", got, curve.Name(), want)
		}
	}
	return nil
}
