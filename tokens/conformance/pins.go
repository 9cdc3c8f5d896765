package conformance

import (
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

// concurrent signs in several goroutines with a pool, which enters the PIN once.
func concurrent(t *testing.T, b Backend) {
	_ = b
}
