package resumption

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"propusk/gost/gosttls"
)

var errRefused = errors.New("refused")

// now is the time of these tests.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newKeeper(judge func([][]byte) error) *Keeper {
	return New(Options{Life: time.Hour, Rotation: time.Hour, Now: func() time.Time { return now }, Judge: judge})
}

func TestResume(t *testing.T) {
	letIn := func([][]byte) error { return nil }
	alice, bob := []byte("alice"), []byte("bob")
	session := func(established time.Time, chain ...[]byte) gosttls.ResumedSession {
		return gosttls.ResumedSession{PeerCertificates: chain, Established: established}
	}
	before, after := now.Add(-time.Minute), now.Add(time.Millisecond)

	k := newKeeper(letIn)
	if err := k.resume(session(before, alice)); err != nil {
		t.Errorf("a good certificate: %v", err)
	}
	if err := k.resume(session(before)); !errors.Is(err, errNobody) {
		t.Errorf("no certificate: %v", err)
	}
	k.Forget(sha256.Sum256(alice))
	for _, s := range []gosttls.ResumedSession{session(before, alice), session(now, alice), session(before, alice, bob)} {
		if err := k.resume(s); !errors.Is(err, errLoggedOut) {
			t.Errorf("after logout: %v", err)
		}
	}
	for _, s := range []gosttls.ResumedSession{session(after, alice), session(before, bob), session(before, bob, alice)} {
		if err := k.resume(s); err != nil {
			t.Errorf("after the logout of another: %v", err)
		}
	}
	if err := newKeeper(func([][]byte) error { return errRefused }).resume(session(before, alice)); !errors.Is(err, errRefused) {
		t.Errorf("a certificate that is not let in: %v", err)
	}
}

// The memory of who has logged out is bounded, and nobody is forgotten for that.
func TestDepartures(t *testing.T) {
	var d departures
	id := func(n int) [sha256.Size]byte { return sha256.Sum256([]byte{byte(n), byte(n >> 8), byte(n >> 16)}) }
	for n := range maxDepartures {
		d.note(id(n), now)
	}
	stranger := id(maxDepartures + 1)
	if d.after(stranger, now.Add(-time.Hour)) {
		t.Fatal("somebody logged out who did not")
	}
	d.note(id(maxDepartures), now)
	if len(d.at) > maxDepartures || !d.after(stranger, now) || !d.after(id(0), now) {
		t.Errorf("%d are remembered; stranger %v, first %v", len(d.at), d.after(stranger, now), d.after(id(0), now))
	}
	if d.after(stranger, now.Add(time.Nanosecond)) {
		t.Error("a session that began later has ended")
	}
	// What is too old for any session makes room.
	var old departures
	for n := range maxDepartures {
		old.note(id(n), now)
	}
	old.note(stranger, now.Add(gosttls.MaxSessionLifetime+time.Second))
	if len(old.at) != 1 || !old.all.IsZero() {
		t.Errorf("%d are remembered, everybody since %v", len(old.at), old.all)
	}
}

func TestOffer(t *testing.T) {
	k := newKeeper(func([][]byte) error { return nil })
	var public, signIn gosttls.Config
	k.Offer(&public, "public")
	k.OfferCertified(&signIn, "signin", func() string { return "id" })
	if public.SessionTickets == nil || public.SessionTickets != signIn.SessionTickets || public.SessionCache == nil ||
		public.PolicyID == signIn.PolicyID || public.SessionLifetime != time.Hour || signIn.TrustID() != "id" || signIn.Resume == nil {
		t.Errorf("%+v\n%+v", &public, &signIn)
	}
	var never gosttls.Config
	New(Options{Rotation: time.Hour}).OfferCertified(&never, "signin", nil)
	if never.SessionTickets != nil || never.SessionCache != nil {
		t.Error("sessions that live no time are offered")
	}
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	newKeeper(nil).Run(ctx)
}
