package tokens

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"propusk/pki/reason"
)

// Session is a token whose PIN was entered, or one of [Token.Public] that needs none.
// It is safe for concurrent use; the token does one thing at a time.
type Session struct {
	token  *Token
	handle uint
	login  *login // nil: public
	sent   bool   // a PIN was sent
	keys   verifyKeys

	doing sync.Mutex // one call at a time: an operation is of a session
}

// Token is the token that the session is with.
func (s *Session) Token() *Token { return s.token }

// loginKey names a token in a slot.
type loginKey struct {
	slot   uint
	serial string
}

// login is a token with the PIN entered. A token has one for all sessions that this
// program has with it: the first session logs in, the last one out.
type login struct {
	sessions int
	pad      bool
	salt     [sha256.Size]byte
	check    []byte // of the PIN, under the salt
	wrong    int    // PINs that were not it
}

// maxWrong is how many wrong PINs a login is compared with: the token does not count
// them, and nobody is to find the PIN here in its place.
const maxWrong = 3

// fits reports whether a PIN is that of the login, which the PIN pad keeps to itself.
func (l *login) fits(pin []byte) bool {
	if l.pad {
		return true
	}
	if l.wrong >= maxWrong {
		return false
	}
	if !hmac.Equal(l.check, l.sum(pin)) {
		l.wrong++
		return false
	}
	return true
}

func newLogin(pin []byte) (*login, error) {
	l := &login{sessions: 1, pad: pin == nil}
	if _, err := rand.Read(l.salt[:]); err != nil {
		return nil, err
	}
	l.check = l.sum(pin)
	return l, nil
}

func (l *login) sum(pin []byte) []byte {
	h := hmac.New(sha256.New, l.salt[:])
	h.Write(pin)
	return h.Sum(nil)
}

// Login enters the PIN of the user and returns a session, which must be closed. For a
// token with a PIN pad the PIN is nil and the call waits for the person. The PIN is
// sent once, whatever the answer; the caller wipes it.
//
// A token that says that its PIN is locked, unset or to be changed is not asked, and
// with one try left only if lastTry is set. One where another session of this module is
// logged in is not asked either: the PIN must be the same, and after three that were
// not, no other session joins until the token has been logged out. The error is a
// *reason.Error with one of the reason.TokenPIN… codes, for which [TriesLeft] may know
// more, reason.TokenCancelled, reason.TokenRemoved, reason.TokenCrashed or
// reason.TokenTimeout.
func (t *Token) Login(pin []byte, lastTry bool) (*Session, error) {
	return t.session(func(lib library, s *Session, now tokenInfo) error {
		return s.enter(lib, now, pin, lastTry)
	})
}

// Public returns a session without a PIN, which must be closed: for certificates,
// public keys and [Session.Verify].
func (t *Token) Public() (*Session, error) {
	return t.session(func(library, *Session, tokenInfo) error { return nil })
}

// session opens a session with the token, and does what is to be done in it. The
// session is there before the token is looked at: if another token comes into the slot
// after that, the session is gone, and no PIN gets to that token.
func (t *Token) session(enter func(lib library, s *Session, now tokenInfo) error) (*Session, error) {
	t.module.entering.Lock()
	defer t.module.entering.Unlock()
	s := &Session{token: t}
	err := t.do(func(lib library) (err error) {
		if s.handle, err = lib.open(t.slot, false); err != nil {
			return err
		}
		now, err := lib.token(t.slot)
		switch {
		case err != nil:
		case !now.same(t.info):
			err = errGone // another token is in the slot, whose tries must not be spent
		default:
			err = enter(lib, s, now)
		}
		if err != nil {
			_ = lib.shut(s.handle) // the first error is the one to tell
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// enter logs in.
func (s *Session) enter(lib library, now tokenInfo, pin []byte, lastTry bool) error {
	m := s.token.module
	at := s.token.place()
	if in, _, err := s.loggedIn(lib); err != nil {
		return err
	} else if in {
		if l := m.logins[at]; l != nil {
			if !l.fits(pin) {
				return reason.Errorf(reason.TokenPINWrong, "another session is logged in with another PIN; this one was not sent")
			}
			l.sessions++
			s.login = l
			return nil
		}
		// A login that nobody of us has any more.
		if err := lib.logout(s.handle); err != nil && !errors.Is(err, rvNotIn) {
			return err
		}
	}
	if err := mayLogin(now, lastTry); err != nil {
		return err
	}
	if len(pin) == 0 && (pin != nil || now.flags&flagPINPad == 0) {
		return reason.Errorf(reason.TokenPINWrong, "there is no PIN; it was not sent")
	}
	l, err := newLogin(pin)
	if err != nil {
		return err
	}
	s.sent = true
	if err := lib.login(s.handle, userOrdinary, pin); err != nil {
		return s.refused(lib, err)
	}
	if m.logins == nil {
		m.logins = make(map[loginKey]*login)
	}
	m.logins[at], s.login = l, l
	return nil
}

// loggedIn reports whether the token is logged in for this module, and whether the
// library says so: one that does not is taken for one where it is not.
func (s *Session) loggedIn(lib library) (in, known bool, err error) {
	state, err := lib.state(s.handle)
	if _, ok := errors.AsType[rv](err); ok {
		return false, false, nil
	}
	return state == stateUserReading || state == stateUserWriting, err == nil, err
}

// join opens one more session under a login, for which the PIN is not needed; nil is a
// public one.
func (t *Token) join(l *login) (*Session, error) {
	return t.session(func(lib library, s *Session, _ tokenInfo) error {
		if l == nil {
			return nil
		}
		in, known, err := s.loggedIn(lib)
		if err != nil {
			return err
		}
		if known && !in || t.module.logins[t.place()] != l {
			return reason.Errorf(reason.TokenSessionLost, "the token has been logged out")
		}
		l.sessions++
		s.login = l
		return nil
	})
}

// place names the token in its slot.
func (t *Token) place() loginKey { return loginKey{t.slot, t.info.serial} }

// refused adds to the refusal of a PIN what the token says about it now.
func (s *Session) refused(lib library, err error) error {
	code, ok := errors.AsType[rv](err)
	if !ok || code.code() != reason.TokenPINWrong {
		return err
	}
	now, errNow := lib.token(s.token.slot)
	if errNow != nil {
		return err // the token is known to have refused, and no more
	}
	e := &pinError{err: code}
	e.left, e.known = now.triesLeft()
	if now.pin() == PINLocked {
		return reason.New(reason.TokenPINLocked, e)
	}
	return reason.New(reason.TokenPINWrong, e)
}

// mayLogin says why a PIN must not be sent.
func mayLogin(now tokenInfo, lastTry bool) error {
	switch now.pin() {
	case PINLocked:
		return reason.New(reason.TokenPINLocked, nil)
	case PINUnset:
		return reason.New(reason.TokenPINUnset, nil)
	case PINMustChange:
		return reason.New(reason.TokenPINChange, nil)
	case PINFinalTry:
		if !lastTry {
			return reason.New(reason.TokenPINLastTry, nil)
		}
	}
	return nil
}

// pinError is a refusal of a PIN, with what is left.
type pinError struct {
	left  int
	known bool
	err   error
}

// Error implements error.
func (e *pinError) Error() string {
	if !e.known {
		return e.err.Error()
	}
	return fmt.Sprintf("%v; tries left: %d", e.err, e.left)
}

func (e *pinError) Unwrap() error { return e.err }

// TriesLeft returns how many wrong PINs a token takes before it locks, as it said when
// [Token.Login] ended in err, and whether it said so.
func TriesLeft(err error) (left int, known bool) {
	if e, ok := errors.AsType[*pinError](err); ok {
		return e.left, e.known
	}
	switch reason.Of(err) {
	case reason.TokenPINLastTry:
		return 1, true
	case reason.TokenPINLocked:
		return 0, true
	}
	return 0, false
}

// TriesLeft returns how many wrong PINs the token takes before it locks, as of the
// moment when it was looked for, and whether that is known: many tell only of the last
// one.
func (t *Token) TriesLeft() (left int, known bool) { return t.info.triesLeft() }

func (i tokenInfo) triesLeft() (int, bool) {
	switch {
	case i.triesKnown:
		return i.tries, true
	case i.pin() == PINLocked:
		return 0, true
	case i.pin() == PINFinalTry:
		return 1, true
	}
	return 0, false
}

// do calls the library for a session, one call at a time. When the session is lost, so is
// the login under which it was opened: libraries have been seen that say otherwise.
func (s *Session) do(f func(library) error) error {
	s.doing.Lock()
	err := s.token.do(f)
	s.doing.Unlock()
	if lost(err) {
		m := s.token.module
		m.entering.Lock()
		defer m.entering.Unlock()
		if at := s.token.place(); s.login != nil && m.logins[at] == s.login {
			delete(m.logins, at)
		}
	}
	return err
}

// lost are the reasons why a session is of no use any more.
func lost(err error) bool {
	return slices.Contains([]reason.Code{
		reason.TokenRemoved, reason.TokenCrashed, reason.TokenTimeout, reason.TokenSessionLost,
	}, reason.Of(err))
}

// Close ends the session; the last one of a token logs out. Its keys sign no more. A
// session that is lost already is closed without an error.
func (s *Session) Close() error {
	m := s.token.module
	m.entering.Lock()
	defer m.entering.Unlock()
	err := s.token.do(func(lib library) error {
		var err error
		if l := s.login; l != nil {
			s.login = nil
			if l.sessions--; l.sessions == 0 {
				at := s.token.place()
				now := m.logins[at]
				if now == l {
					delete(m.logins, at)
				}
				if now == l || now == nil { // else it is another login that would end
					err = refused(lib.logout(s.handle))
				}
			}
		}
		return errors.Join(err, refused(lib.shut(s.handle)))
	})
	if lost(err) {
		return nil
	}
	return err
}
