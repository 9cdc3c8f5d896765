package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/soft/softtest"
)

// pins counts what PINs cost, and leaves the token as it was.
func pins(t *testing.T, b Backend) {
	enter := func(pin string, lastTry bool) error {
		t.Helper()
		s, err := b.find(t).Login([]byte(pin), lastTry)
		if err != nil {
			if s != nil {
				t.Error("a session and an error")
			}
			return err
		}
		return s.Close()
	}
	for label, code := range map[string]reason.Code{b.MustChange: reason.TokenPINChange, b.Unset: reason.TokenPINUnset} {
		if label == "" {
			continue
		}
		token, err := b.Module.Find(label)
		if err != nil {
			t.Fatal(err)
		}
		_, err = token.Login([]byte(b.PIN), true)
		refused(t, label, err, code)
	}
	const wrong = "00000000"
	if b.Tries == nil {
		refused(t, "a wrong PIN", enter(wrong, false), reason.TokenPINWrong)
		return
	}
	left := func(want int) {
		t.Helper()
		if got := b.Tries(t); got != want {
			t.Errorf("%d tries are left, want %d", got, want)
		}
	}
	left(b.MaxTries)
	if err := enter(b.PIN, false); err != nil {
		t.Fatal(err)
	}
	left(b.MaxTries)
	refused(t, "a wrong PIN", enter(wrong, false), reason.TokenPINWrong)
	left(b.MaxTries - 1)
	if err := enter(b.PIN, false); err != nil {
		t.Fatal(err)
	}
	left(b.MaxTries)
	for range b.MaxTries - 1 {
		refused(t, "a wrong PIN", enter(wrong, false), reason.TokenPINWrong)
	}
	left(1)
	if b.TellsLastTry {
		if state := b.find(t).PIN(); state != tokens.PINFinalTry {
			t.Errorf("one try is left, and the token says %s", state)
		}
		// Not even the right one: nobody said that it may be the last.
		refused(t, "the last try", enter(b.PIN, false), reason.TokenPINLastTry)
		left(1)
	}
	refused(t, "the last wrong PIN", enter(wrong, true), reason.TokenPINWrong, reason.TokenPINLocked)
	left(0)
	refused(t, "the right PIN, too late", enter(b.PIN, true), reason.TokenPINLocked)
	left(0)
	if state := b.find(t).PIN(); state != tokens.PINLocked && !b.Remembers {
		t.Errorf("the PIN is locked, and the token says %s", state)
	}
	b.Unlock(t)
	if err := enter(b.PIN, b.Remembers); err != nil {
		t.Errorf("the PIN was unlocked: %v", err)
	}
}

// removal takes the token out while it is logged in.
func removal(t *testing.T, b Backend) {
	if b.Remove == nil {
		return
	}
	s := b.login(t)
	found, err := s.Keys()
	if err != nil || len(found) == 0 {
		t.Fatalf("%d keys, %v", len(found), err)
	}
	key := b.key(t, found, b.Keys[0])
	digest := softtest.Digest(b.Keys[0].Public.Curve().Size(), []byte("data"))
	token := b.find(t)
	b.Remove(t)
	signature, err := key.Sign(nil, digest, nil)
	refused(t, "a signature of a token that is not there", err, reason.TokenRemoved)
	if signature != nil {
		t.Error("a signature of a token that is not there")
	}
	_, err = token.Login([]byte(b.PIN), false)
	refused(t, "a login to a token that is not there", err, reason.TokenRemoved)
	if _, err := b.Module.Find(b.Token); reason.Of(err) != reason.TokenAbsent {
		t.Errorf("it is not there, and is found: %v", err)
	}
	b.Insert(t)
	// The PIN is not entered again by itself.
	if signature, err := key.Sign(nil, digest, nil); err == nil || signature != nil {
		t.Error("a key of a login that is over signs")
	}
	found, err = b.login(t).Keys()
	if err != nil || len(found) != len(b.Keys) {
		t.Fatalf("after it was put back: %d keys, %v", len(found), err)
	}
	if _, err := b.key(t, found, b.Keys[0]).Sign(nil, digest, nil); err != nil {
		t.Errorf("after it was put back: %v", err)
	}
}

// concurrent signs in several goroutines with a pool, which enters the PIN once, and
// never again after it was refused.
func concurrent(t *testing.T, b Backend) {
	const workers, rounds = 8, 3
	var asked atomic.Int32
	pool := b.pool(t, b.PIN, &asked)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for round := range rounds {
				if err := pool.Do(func(s *tokens.Session) error { return b.signIn(s, worker*rounds+round) }); err != nil {
					t.Errorf("worker %d: %v", worker, err)
				}
			}
		})
	}
	wg.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("the PIN was asked for %d times", n)
	}
	if err := pool.Close(); err != nil { // who is logged in needs no right PIN
		t.Error(err)
	}
	if b.Tries == nil {
		return
	}
	before := b.Tries(t)
	asked.Store(0)
	refusing := b.pool(t, "00000000", &asked)
	for range 3 {
		err := refusing.Do(func(*tokens.Session) error { t.Error("a session without a PIN"); return nil })
		refused(t, "a pool with a wrong PIN", err, reason.TokenPINWrong)
	}
	if after := b.Tries(t); after != before-1 || asked.Load() != 1 {
		t.Errorf("asked %d times: %d tries were left, and %d are", asked.Load(), before, after)
	}
	b.login(t) // gives it back
}

// pool is one with a PIN, closed after the test.
func (b Backend) pool(t *testing.T, pin string, asked *atomic.Int32) *tokens.Pool {
	t.Helper()
	pool := tokens.NewPool(b.Module, tokens.PoolOptions{Token: b.Token, Size: 3, PIN: func() ([]byte, error) {
		asked.Add(1)
		return []byte(pin), nil
	}})
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return pool
}

// signIn signs something with the first key of a session; a token without keys lists
// them.
func (b Backend) signIn(s *tokens.Session, n int) error {
	keys, err := s.Keys()
	if err != nil || len(b.Keys) == 0 {
		return err
	}
	for _, k := range keys {
		if !bytes.Equal(k.ID(), b.Keys[0].ID) {
			continue
		}
		digest := softtest.Digest(b.Keys[0].Public.Curve().Size(), []byte{byte(n)})
		signature, err := k.Sign(nil, digest, nil)
		if err == nil && !b.Keys[0].Public.Verify(digest, signature) {
			err = errors.New("a signature of something else")
		}
		return err
	}
	return fmt.Errorf("the key %x is not there", b.Keys[0].ID)
}
