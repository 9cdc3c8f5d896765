package gosttls

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"propusk/gost/gost3410"
)

// someSession returns a session in which every field has a value.
func someSession(now time.Time) *session {
	return &session{
		version:        VersionTLS12,
		suite:          KuznyechikCTROMAC,
		secret:         bytes.Repeat([]byte{0xa5}, masterSize),
		ems:            true,
		created:        now,
		lifetime:       time.Hour,
		issued:         now.Add(time.Minute),
		ageAdd:         0x01020304,
		handle:         SessionHandle{1, 2, 3},
		clientAuth:     RequireAnyClientCert,
		serverName:     "sign-in.example",
		curve:          gost3410.TC26512C(),
		peerChain:      [][]byte{{1, 2, 3}, {4}},
		scheme:         0x0841,
		schemeMismatch: true,
		policyID:       "rules",
		trustID:        "snapshot",
	}
}

// sameSession compares what two sessions say.
func sameSession(a, b *session) bool {
	times := a.created.Equal(b.created) && a.issued.Equal(b.issued)
	chains := slices.EqualFunc(a.peerChain, b.peerChain, bytes.Equal)
	x, y := *a, *b
	for _, s := range []*session{&x, &y} {
		s.created, s.issued, s.peerChain, s.secret = time.Time{}, time.Time{}, nil, nil
	}
	return times && chains && bytes.Equal(a.secret, b.secret) && fmt.Sprint(x) == fmt.Sprint(y)
}

func TestSessionMarshal(t *testing.T) {
	sessions := []*session{someSession(newClock().now), {secret: []byte{1}, created: time.UnixMilli(0), issued: time.UnixMilli(0)}}
	for id := firstGroup; id <= lastGroup; id++ {
		s := someSession(newClock().now)
		s.curve, _ = curveByNumber(id)
		sessions = append(sessions, s)
	}
	for _, want := range sessions {
		data, err := want.marshal()
		if err != nil {
			t.Fatal(err)
		}
		got, ok := unmarshalSession(data)
		if !ok || !sameSession(got, want) {
			t.Errorf("%+v came back as %+v", want, got)
		}
		for n := range data {
			if s, ok := unmarshalSession(data[:n]); ok || s != nil {
				t.Errorf("first %d of %d bytes accepted", n, len(data))
			}
		}
		unknown := bytes.Clone(data)
		unknown[1+2+2+1+len(want.secret)] |= 4
		if _, ok := unmarshalSession(unknown); ok {
			t.Error("an unknown flag accepted")
		}
		if _, ok := unmarshalSession(append(bytes.Clone(data), 0)); ok {
			t.Error("a trailing byte accepted")
		}
		clear(data)
		if !sameSession(got, want) {
			t.Error("the session shares memory with what it was read from")
		}
	}
}

func TestSessionTooLargeToMarshal(t *testing.T) {
	for name, change := range map[string]func(s *session){
		"chain":  func(s *session) { s.peerChain = [][]byte{make([]byte, maxSessionSize)} },
		"policy": func(s *session) { s.policyID = string(make([]byte, 256)) },
		"trust":  func(s *session) { s.trustID = string(make([]byte, 256)) },
		"cert":   func(s *session) { s.peerChain = [][]byte{make([]byte, 1<<16)} },
	} {
		s := someSession(newClock().now)
		change(s)
		if data, err := s.marshal(); !errors.Is(err, errSessionSize) || data != nil {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
		if ticket, err := new(TicketKeys).seal(s, newClock().now); !errors.Is(err, errSessionSize) || ticket != nil {
			t.Errorf("%s: ticket of %d bytes, %v", name, len(ticket), err)
		}
	}
	if s, ok := unmarshalSession(make([]byte, maxSessionSize+1)); ok || s != nil {
		t.Error("too many bytes accepted")
	}
}

func TestSessionTimes(t *testing.T) {
	now := newClock().now
	s := someSession(now)
	for after, want := range map[time.Duration]bool{
		-clockSkew - time.Millisecond: false,
		-clockSkew:                    true,
		0:                             true,
		time.Hour - 1:                 true,
		time.Hour:                     false,
		1000 * time.Hour:              false,
	} {
		if got := s.alive(now.Add(after)); got != want {
			t.Errorf("alive %v after the beginning: %v", after, got)
		}
	}
	if got := s.remaining(now.Add(time.Minute + time.Millisecond)); got != 59*time.Minute-time.Second {
		t.Errorf("%v remain", got)
	}
}

// FuzzSession holds rule 15: what is accepted is written back byte for byte.
func FuzzSession(f *testing.F) {
	data, err := someSession(newClock().now).marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, ok := unmarshalSession(data)
		if !ok {
			if s != nil {
				t.Fatalf("%x: refused, yet returned %+v", data, s)
			}
			return
		}
		back, err := s.marshal()
		if err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%x is written as %x, %v", data, back, err)
		}
	})
}

// FuzzTicket: nobody makes a ticket without the keys.
func FuzzTicket(f *testing.F) {
	now := newClock().now
	keys := new(TicketKeys)
	good, err := keys.seal(someSession(now), now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, []byte{1})
	f.Add(len(good)-1, []byte{0x80})
	f.Add(ticketKeyIDSize, []byte{0x80})
	f.Fuzz(func(t *testing.T, at int, change []byte) {
		bad := bytes.Clone(good)
		for i, b := range change {
			if n := at + i; n >= 0 && n < len(bad) {
				bad[n] ^= b
			} else {
				bad = append(bad, b)
			}
		}
		s, ok := keys.open(bad, now)
		if ok != bytes.Equal(bad, good) || (s != nil) != ok {
			t.Fatalf("%x opens: %v, %+v", bad, ok, s)
		}
	})
}

func TestTicketOpens(t *testing.T) {
	now := newClock().now
	keys := new(TicketKeys)
	want := someSession(now)
	ticket, err := keys.seal(want, now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := keys.seal(want, now)
	if err != nil || bytes.Equal(ticket[ticketKeyIDSize:][:ticketNonceSize], again[ticketKeyIDSize:][:ticketNonceSize]) {
		t.Errorf("two tickets with one nonce; %v", err)
	}
	if bytes.Contains(ticket, []byte(want.serverName)) || bytes.Contains(ticket, want.secret[:8]) || bytes.Contains(ticket, want.handle[:]) {
		t.Error("the ticket can be read")
	}
	got, ok := keys.open(ticket, now)
	if !ok || !sameSession(got, want) {
		t.Errorf("opened as %v, %+v", ok, got)
	}
}

// Every bit of a ticket counts, and every length.
func TestTicketTampered(t *testing.T) {
	now := newClock().now
	keys := new(TicketKeys)
	ticket, err := keys.seal(someSession(now), now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ticket {
		for bit := range 8 {
			bad := bytes.Clone(ticket)
			bad[i] ^= 1 << bit
			if s, ok := keys.open(bad, now); ok || s != nil {
				t.Errorf("byte %d, bit %d flipped: opened", i, bit)
			}
		}
		if s, ok := keys.open(ticket[:i], now); ok || s != nil {
			t.Errorf("first %d bytes opened", i)
		}
	}
}

// What the key of tickets has sealed for another purpose is no ticket.
func TestTicketForAnotherPurpose(t *testing.T) {
	now := newClock().now
	keys := new(TicketKeys)
	ticket, err := keys.seal(someSession(now), now)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := someSession(now).marshal()
	if err != nil {
		t.Fatal(err)
	}
	key := keys.keys[0]
	head, nonce := ticket[:ticketKeyIDSize+ticketNonceSize], ticket[ticketKeyIDSize:][:ticketNonceSize]
	for label, want := range map[string]bool{ticketLabel: true, "": false, "something else": false} {
		made := key.aead.Seal(bytes.Clone(head), nonce, plain, append([]byte(label), key.id[:]...))
		if _, ok := keys.open(made, now); ok != want {
			t.Errorf("sealed for %q: opened %v", label, ok)
		}
	}
	made := key.aead.Seal(bytes.Clone(head), nonce, plain, nil)
	if _, ok := keys.open(made, now); ok {
		t.Error("sealed for nothing: opened")
	}
}

// A key seals for Rotation, opens until its last ticket expires, and is wiped then.
func TestTicketRotation(t *testing.T) {
	c := newClock()
	keys := &TicketKeys{Rotation: 20 * time.Minute}
	seal := func() []byte {
		t.Helper()
		s := someSession(c.now)
		ticket, err := keys.seal(s, c.now)
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	opens := func(ticket []byte) bool { _, ok := keys.open(ticket, c.now); return ok }

	first := seal()
	key := keys.keys[0]
	c.move(20*time.Minute - 1)
	if second := seal(); !bytes.Equal(second[:ticketKeyIDSize], first[:ticketKeyIDSize]) {
		t.Error("another key before its time")
	}
	if !keys.current(first, c.now) {
		t.Error("the key that seals is not current")
	}
	c.move(1)
	if keys.current(first, c.now) {
		t.Error("the old key is current")
	}
	third := seal()
	if bytes.Equal(third[:ticketKeyIDSize], first[:ticketKeyIDSize]) || len(keys.keys) != 2 {
		t.Errorf("no other key after Rotation; %d keys", len(keys.keys))
	}
	if !opens(first) || !opens(third) {
		t.Error("a ticket does not open within its time")
	}
	c.move(40 * time.Minute) // the first ticket has expired, the second one of the first key not
	if opens(first) || len(keys.keys) != 2 || key.key == [32]byte{} {
		t.Errorf("the first ticket opens, or its key has gone: %d keys", len(keys.keys))
	}
	c.move(20 * time.Minute)
	keys.Forget(c.now)
	if key.key != [32]byte{} || key.aead != nil {
		t.Error("the old key was not wiped")
	}
	if len(keys.keys) != 0 {
		t.Errorf("%d keys are left", len(keys.keys))
	}
}

// Two servers that share keys take each other's tickets.
func TestTicketKeysShared(t *testing.T) {
	c := newClock()
	a, b := &TicketKeys{Rotation: 20 * time.Minute}, &TicketKeys{Rotation: 20 * time.Minute}
	own, err := b.seal(someSession(c.now), c.now)
	if err != nil {
		t.Fatal(err)
	}
	exported, err := a.Export(c.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Import(exported, c.now); err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]*TicketKeys{"from a to b": {a, b}, "from b to a": {b, a}} {
		ticket, err := pair[0].seal(someSession(c.now), c.now)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := pair[1].open(ticket, c.now); !ok {
			t.Errorf("%s: does not open", name)
		}
	}
	if _, ok := b.open(own, c.now); !ok {
		t.Error("a ticket from before the import does not open")
	}
	if err := b.Import(exported, c.now); err != nil || len(b.keys) != 2 {
		t.Errorf("imported twice: %v, %d keys", err, len(b.keys))
	}
	// After Rotation each has keys of its own, and still opens what was shared.
	late, err := b.seal(someSession(c.now.Add(20*time.Minute-time.Second)), c.now.Add(20*time.Minute-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	c.move(25 * time.Minute)
	if _, err := a.seal(someSession(c.now), c.now); err != nil {
		t.Fatal(err)
	}
	if _, ok := a.open(late, c.now); !ok {
		t.Error("the last ticket of the other server does not open")
	}
	for n := range exported {
		if err := b.Import(exported[:n], c.now); !errors.Is(err, errTicketKeys) {
			t.Errorf("first %d of %d bytes: %v", n, len(exported), err)
		}
	}
	if err := b.Import(append(bytes.Clone(exported), 0), c.now); !errors.Is(err, errTicketKeys) {
		t.Errorf("a byte more: %v", err)
	}
}

// FuzzTicketKeys: data that Export did not write changes nothing.
func FuzzTicketKeys(f *testing.F) {
	now := newClock().now
	exported, err := new(TicketKeys).Export(now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(exported)
	f.Add([]byte(keysFormat))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys := new(TicketKeys)
		ticket, err := keys.seal(someSession(now), now)
		if err != nil {
			t.Fatal(err)
		}
		err = keys.Import(data, now)
		if err != nil && (!errors.Is(err, errTicketKeys) || len(keys.keys) != 1) {
			t.Fatalf("%x: %v, %d keys", data, err, len(keys.keys))
		}
		if _, ok := keys.open(ticket, now); !ok {
			t.Fatalf("%x: an own ticket does not open", data)
		}
	})
}

// What cannot be sealed for want of chance is an error, not a bad ticket.
func TestTicketKeysRand(t *testing.T) {
	now := newClock().now
	for _, bytes := range []int64{0, ticketNonceSize - 1, ticketNonceSize, ticketNonceSize + ticketKeyIDSize + 31} {
		keys := &TicketKeys{Rand: io.LimitReader(zeros{}, bytes)}
		if ticket, err := keys.seal(someSession(now), now); err == nil || ticket != nil {
			t.Errorf("%d bytes of chance: %x, %v", bytes, ticket, err)
		}
	}
	if _, err := (&TicketKeys{Rand: io.LimitReader(zeros{}, 1)}).Export(now); err == nil {
		t.Error("Export without chance")
	}
	r := newResumption(t, "ticket")
	r.server.SessionTickets.Rand = io.LimitReader(zeros{}, 0)
	clientConfig, serverConfig := r.client, r.server
	clientErr, serverErr := shake(connPair(t, &clientConfig, &serverConfig))
	wantRefusal(t, AlertInternalError, serverErr, clientErr)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// The list of revoked sessions is bounded, and forgets nothing for that: when it is
// full, all sessions of that moment are revoked.
func TestRevocationsBounded(t *testing.T) {
	c := newClock()
	keys := new(TicketKeys)
	victim := someSession(c.now)
	victim.handle = SessionHandle{0xff}
	ticket, err := keys.seal(victim, c.now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxRevoked {
		keys.Revoke(SessionHandle{0, byte(i), byte(i >> 8), byte(i >> 16), 1}, c.now)
	}
	if _, ok := keys.open(ticket, c.now); !ok {
		t.Fatal("a session was revoked that nobody revoked")
	}
	keys.Revoke(SessionHandle{0xfe}, c.now)
	if len(keys.revoked.until) > maxRevoked {
		t.Errorf("%d sessions are remembered", len(keys.revoked.until))
	}
	if _, ok := keys.open(ticket, c.now); ok {
		t.Error("a list that overflowed revoked nothing")
	}
	c.move(time.Millisecond)
	if ticket, err = keys.seal(someSession(c.now), c.now); err != nil {
		t.Fatal(err)
	}
	if _, ok := keys.open(ticket, c.now); !ok {
		t.Error("a session that began later is revoked")
	}
	// Revoked sessions are forgotten when their tickets have expired.
	c.move(MaxSessionLifetime + clockSkew)
	keys.Forget(c.now)
	if len(keys.revoked.until) != 0 {
		t.Errorf("%d sessions are remembered for ever", len(keys.revoked.until))
	}
	keys.Revoke(SessionHandle{}, c.now)
	if len(keys.revoked.until) != 0 {
		t.Error("the zero handle is remembered")
	}
}

// The cache has its size, drops the one not used for longest, and wipes what it drops.
func TestSessionCache(t *testing.T) {
	cache := newMemoryCache(3)
	id := func(n byte) [sessionIDSize]byte { return [sessionIDSize]byte{n} }
	has := func(n byte) bool { _, ok := cache.Get(id(n)); return ok }
	for n := range byte(3) {
		cache.Put(id(n), CachedSession{State: []byte{n}, Handle: SessionHandle{n}})
	}
	if !has(0) { // and is the last used now
		t.Fatal("session 0 is not there")
	}
	got, _ := cache.Get(id(2))
	got.State[0] = 99
	if again, _ := cache.Get(id(2)); again.State[0] != 2 {
		t.Error("Get hands out the cache's own bytes")
	}
	cache.Put(id(3), CachedSession{State: []byte{3}, Handle: SessionHandle{0}})
	if has(1) || !has(0) || !has(2) || !has(3) {
		t.Errorf("left are %v %v %v %v", has(0), has(1), has(2), has(3))
	}
	inside := cache.sessions.at[id(3)].value.State
	cache.Delete(SessionHandle{0}) // 0 and 3
	if has(0) || has(3) || !has(2) {
		t.Error("Delete dropped something else")
	}
	if inside[0] != 0 {
		t.Error("the state was not wiped")
	}
	cache.Delete(SessionHandle{77})
	cache.Put(id(2), CachedSession{State: []byte{5}, Handle: SessionHandle{5}})
	if s, _ := cache.Get(id(2)); s.State[0] != 5 {
		t.Error("Put does not replace")
	}
	cache.Delete(SessionHandle{2})
	if !has(2) {
		t.Error("the handle of a session that was replaced drops the new one")
	}
	if n := len(cache.byHandle); n != 1 {
		t.Errorf("%d handles are remembered for 1 session", n)
	}
	if one := newMemoryCache(-1); one.sessions.max != 1 {
		t.Error("a cache of no size")
	}
}

// Everything that servers and clients share may be used by many at once; the race
// detector looks on.
func TestSessionsShared(t *testing.T) {
	c := newClock()
	keys := &TicketKeys{Rotation: time.Minute}
	cache := newMemoryCache(4)
	clients := NewClientSessionCache(4)
	var wg sync.WaitGroup
	for worker := range byte(8) {
		wg.Go(func() {
			for i := range byte(50) {
				c.move(7 * time.Second)
				now := c.time()
				s := someSession(now)
				s.handle = SessionHandle{worker, i}
				ticket, err := keys.seal(s, now)
				if err != nil {
					t.Error(err)
					return
				}
				keys.open(ticket, now)
				keys.current(ticket, now)
				id := [sessionIDSize]byte{i % 8}
				cache.Put(id, CachedSession{State: ticket, Handle: s.handle})
				cache.Get(id)
				clients.Put(fmt.Sprint(i%8), &ClientSession{session: s})
				clients.Get(fmt.Sprint(i % 8))
				if i%10 == 0 {
					keys.Revoke(s.handle, now)
					cache.Delete(s.handle)
					keys.Forget(now)
					if data, err := keys.Export(now); err != nil || keys.Import(data, now) != nil {
						t.Error("export and import:", err)
					}
					clients.Put(fmt.Sprint(i%8), nil)
				}
			}
		})
	}
	wg.Wait()
	if n := len(cache.sessions.at); n > 4 {
		t.Errorf("%d sessions in a cache of 4", n)
	}
}
