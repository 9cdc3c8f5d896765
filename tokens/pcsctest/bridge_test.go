//go:build cgo && linux

package pcsctest

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/soft/softtest"
	"propusk/tokens/virtualcard"
)

func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	m.Run()
}

// bridge opens OpenSC's library in a process of its own.
func bridge(t *testing.T, s *Service, more ...tokens.Option) *tokens.Module {
	t.Helper()
	installed := tokens.InstalledLibraries()
	i := slices.IndexFunc(installed, func(l tokens.Library) bool { return l.Vendor == "OpenSC" })
	if i < 0 {
		softtest.Missing(t, "no opensc-pkcs11.so (Debian: opensc-pkcs11)")
	}
	module, err := tokens.Open(installed[i].Paths[0], append(more, tokens.Environment("PCSCLITE_CSOCK_NAME="+s.Socket()))...)
	must(t, err)
	t.Cleanup(func() { must(t, module.Close()) })
	return module
}

var pin = []byte("12345678")

// login finds the only token and enters its PIN.
func login(t *testing.T, module *tokens.Module) *tokens.Session {
	t.Helper()
	token, err := module.Find("")
	must(t, err)
	session, err := token.Login(pin, false)
	must(t, err)
	return session
}

// signs has the only key of a session sign, and openssl check it.
func signs(t *testing.T, session *tokens.Session, card *virtualcard.Card) {
	t.Helper()
	keys, err := session.Keys()
	must(t, err)
	if len(keys) != 1 {
		t.Fatalf("%d keys", len(keys))
	}
	digest := softtest.Digest(32, []byte("a document"))
	signature, err := keys[0].Sign(nil, digest, nil)
	must(t, err)
	if !softtest.OpenSSLVerify(t, cryptoProA, card.PublicKeys()[0], digest, signature) {
		t.Error("openssl refuses the signature")
	}
}

// TestBridge signs through the whole of it: the bridge, the child, OpenSC, pcscd, the
// card.
func TestBridge(t *testing.T) {
	t.Parallel()
	s := StartQuiet(t)
	card, der := withCertificate(t)
	s.Insert(card)
	session := login(t, bridge(t, s))
	signs(t, session, card)
	keys, err := session.Keys()
	must(t, err)
	if got := keys[0].Certificates(); len(got) != 1 || !bytes.Equal(got[0], der) {
		t.Errorf("the key has %d certificates", len(got))
	}
	must(t, session.Close())
}

// signing makes the card do something else in place of a signature, and tells when it
// was asked for one.
func signing(card *virtualcard.Card, instead virtualcard.Interruption) <-chan struct{} {
	asked := make(chan struct{}, 1)
	card.Interrupt(func(c virtualcard.Command) virtualcard.Interruption {
		if c.INS != 0x2A {
			return virtualcard.None
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		return instead
	})
	return asked
}

// TestMiddle removes, swaps and hangs the card while it signs. The person is told what
// happened, no try of a PIN is used, on the old card or the new one, and the next
// operation works.
func TestMiddle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		instead virtualcard.Interruption
		swap    bool
		want    []reason.Code
	}{
		{"removed", virtualcard.PullOut, false, []reason.Code{reason.TokenRemoved}},
		{"swapped", virtualcard.PullOut, true, []reason.Code{reason.TokenRemoved}},
		{"hung", virtualcard.Hang, false, []reason.Code{reason.TokenTimeout}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := StartQuiet(t)
			card, _ := withCertificate(t)
			other, _ := withCertificate(t)
			s.Insert(card)
			module := bridge(t, s, tokens.Deadlines{Call: 10 * time.Second})
			session := login(t, module)
			keys, err := session.Keys()
			must(t, err)
			asked := signing(card, c.instead)
			failed := make(chan error, 1)
			go func() {
				_, err := keys[0].Sign(nil, make([]byte, 32), nil)
				failed <- err
			}()
			<-asked
			if c.swap {
				s.Insert(other)
			}
			if err := <-failed; !slices.ContainsFunc(c.want, func(w reason.Code) bool { return errors.Is(err, w) }) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if c.swap {
				// The session is of the other card.
				if _, err := keys[0].Sign(nil, make([]byte, 32), nil); !errors.Is(err, reason.TokenRemoved) {
					t.Errorf("on another card: %v", err)
				}
				card = other
			}
			must(t, session.Close())
			if n := card.Presented(); n != 0 && c.swap || n > 1 {
				t.Errorf("%d PINs were sent", n)
			}
			card.Interrupt(nil)
			s.Remove()
			s.Insert(card)
			session = login(t, module)
			signs(t, session, card)
			must(t, session.Close())
			if card.TriesLeft() != 10 || other.TriesLeft() != 10 {
				t.Errorf("%d and %d tries are left", card.TriesLeft(), other.TriesLeft())
			}
		})
	}
}

// TestSwapBeforeLogin has the card exchanged between the moment when it was shown to the
// person and the PIN: which goes to neither.
func TestSwapBeforeLogin(t *testing.T) {
	t.Parallel()
	s := StartQuiet(t)
	card, _ := withCertificate(t)
	other, err := virtualcard.New(virtualcard.Options{Serial: 7, PIN: []byte("другой"), Label: "Другая"})
	must(t, err)
	s.Insert(card)
	module := bridge(t, s)
	token, err := module.Find("")
	must(t, err)
	s.Insert(other)
	if _, err := token.Login(pin, false); !errors.Is(err, reason.TokenRemoved) {
		t.Errorf("the PIN of one card for another: %v", err)
	}
	if card.Presented() != 0 || other.Presented() != 0 {
		t.Errorf("%d and %d PINs were sent", card.Presented(), other.Presented())
	}
}

// TestServiceEnds has pcscd end in the middle of a session, and start again.
func TestServiceEnds(t *testing.T) {
	t.Parallel()
	s := StartQuiet(t)
	card, _ := withCertificate(t)
	s.Insert(card)
	module := bridge(t, s)
	session := login(t, module)
	keys, err := session.Keys()
	must(t, err)
	s.Stop()
	if _, err := keys[0].Sign(nil, make([]byte, 32), nil); err == nil {
		t.Error("signed without a service")
	} else if !errors.Is(err, reason.TokenRemoved) {
		t.Errorf("signed without a service: %v", err)
	}
	must(t, session.Close())
	s.Resume()
	s.Insert(card)
	session = login(t, module)
	signs(t, session, card)
	must(t, session.Close())
	if card.TriesLeft() != 10 {
		t.Errorf("%d tries are left", card.TriesLeft())
	}
}
