package gosttls

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/schedule"
	"propusk/gost/gosttls/internal/wire"
)

// TLS 1.3 resumes with every suite, with another one than the session had, and after a
// HelloRetryRequest.
func TestResume13(t *testing.T) {
	for _, suite := range suites13 {
		r := newResumption(t, "TLS 1.3")
		client, server := r.connectAnew(t)
		r.client.CipherSuites = []uint16{suite}
		client2, server2 := r.connectAgain(t)
		client.CipherSuite, server.CipherSuite = suite, suite
		sameButResumed(t, client, client2)
		sameButResumed(t, server, server2)
		r.server.CurvePreferences = []*gost3410.Curve{gost3410.TC26512A()}
		_, server3 := r.connectAgain(t)
		if server3.Group != gost3410.TC26512A() {
			t.Errorf("group %v", server3.Group)
		}
	}
}

// A server that has given its ticket forgets what others could be made of, also when it
// gives none.
func TestResumptionSecretForgotten13(t *testing.T) {
	for _, keys := range []*TicketKeys{nil, new(TicketKeys)} {
		client, server := configs13(t, cryptoProA, cryptoProA)
		server.SessionTickets = keys
		c, s := connected(t, client, server)
		if s.traffic.resumption != (schedule.Secret{}) {
			t.Error("the server still has the secret")
		}
		if c.traffic.resumption == (schedule.Secret{}) {
			t.Error("the client, which needs the secret for tickets to come, has none")
		}
	}
}

// emptyCache is a ClientSessionCache that says it has sessions.
type emptyCache struct{ s *ClientSession }

func (c emptyCache) Get(string) (*ClientSession, bool) { return c.s, true }
func (emptyCache) Put(string, *ClientSession)          {}

// A session that this package did not make is none.
func TestForeignClientSession(t *testing.T) {
	for _, kept := range []*ClientSession{nil, {}} {
		for _, way := range append(slices.Clone(ways), "TLS 1.3") {
			r := newResumption(t, way)
			r.client.ClientSessions = emptyCache{kept}
			r.connectAnew(t)
		}
	}
}

// Each ticket is used once, and the server gives another.
func TestTicketUsedOnce13(t *testing.T) {
	r := newResumption(t, "TLS 1.3")
	r.connectAnew(t)
	seen := map[string]bool{}
	for range 5 {
		s, ok := r.client.ClientSessions.Get(r.client.ServerName)
		if !ok || seen[string(s.ticket)] {
			t.Fatalf("ticket %v, %v", seen, ok)
		}
		seen[string(s.ticket)] = true
		r.connectAgain(t)
	}
	clientConfig, serverConfig := r.client, r.server
	c, _ := connPair(t, &clientConfig, &serverConfig)
	hs := newClientHandshake(c)
	if err := inOrder(hs.prepareHello, hs.offerSession, hs.offer13); err != nil || hs.psks == nil {
		t.Fatalf("no ticket offered: %v", err)
	}
	if s, ok := r.client.ClientSessions.Get(r.client.ServerName); ok {
		t.Errorf("the ticket stays: %v", s)
	}
}

// What in a session keeps a client from offering it.
func TestClientDoesNotOffer13(t *testing.T) {
	for name, change := range map[string]func(r *resumption){
		"expired":         func(r *resumption) { r.clock.move(DefaultSessionLifetime) },
		"another server":  func(r *resumption) { r.client.ServerName = "other.example" },
		"no cache":        func(r *resumption) { r.client.ClientSessions = nil },
		"TLS 1.2 only":    func(r *resumption) { r.client.CipherSuites = []uint16{KuznyechikCTROMAC} },
		"of TLS 1.2":      func(r *resumption) { r.put(func(s *session) { s.version = VersionTLS12 }) },
		"a longer secret": func(r *resumption) { r.put(func(s *session) { s.secret = make([]byte, masterSize) }) },
		"of another name": func(r *resumption) { r.put(func(s *session) { s.serverName = "other.example" }) },
	} {
		r := newResumption(t, "TLS 1.3")
		r.connectAnew(t)
		change(r)
		clientConfig, serverConfig := r.client, r.server
		c, _ := connPair(t, &clientConfig, &serverConfig)
		hs := newClientHandshake(c)
		if err := inOrder(hs.prepareHello, hs.offerSession, hs.offer13); err != nil {
			t.Fatal(err)
		}
		if hs.psks != nil || hs.offered13 != nil || offers(hs.hello, message.ExtPreSharedKey) {
			t.Errorf("%s: offered", name)
		}
	}
}

// put changes the session that the client keeps.
func (r *resumption) put(change func(s *session)) {
	kept, _ := r.client.ClientSessions.Get(r.client.ServerName)
	s := *kept.session
	change(&s)
	r.client.ClientSessions.Put(r.client.ServerName, &ClientSession{session: &s, ticket: kept.ticket})
}

// Somebody who has the ticket but not the key of it learns nothing, and is nobody: the
// binder says so before anybody is asked.
func TestStolenTicket13(t *testing.T) {
	r := newResumption(t, "TLS 1.3")
	r.connectAnew(t)
	r.put(func(s *session) { s.secret = bytes.Repeat([]byte{1}, 32) })
	r.server.Verdict = func(ConnectionState) any { t.Error("asked for a verdict"); return nil }
	r.server.Resume = func(ResumedSession) error { t.Error("asked about the session"); return nil }
	clientConfig, serverConfig := r.client, r.server
	client, server := connPair(t, &clientConfig, &serverConfig)
	c, s := shake(client, server)
	wantRefusal(t, wire.AlertDecryptError, s, c)
	if state := server.ConnectionState(); state.PeerCertificates != nil || state.HandshakeComplete || state.Resumed {
		t.Errorf("%d certificates, resumed %v", len(state.PeerCertificates), state.Resumed)
	}
}

// resumeWith runs a handshake with a hello that f has changed after the binder was made,
// or with a binder of f.
func (r *resumption) resumeWith(t testing.TB, f func(raw []byte, psks *message.PreSharedKeys) []byte) (resumed bool, clientErr, serverErr error) {
	t.Helper()
	clientConfig, serverConfig := r.client, r.server
	c, s := connPair(t, &clientConfig, &serverConfig)
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	hs := newClientHandshake(c)
	clientErr = inOrder(hs.prepareHello, hs.offerSession, hs.offer13, func() error {
		raw := hs.hello.Marshal()
		hs.bind(raw, hs.transcript)
		// The client takes its own hello for what the server has seen.
		hs.transcript.add(raw)
		return errors.Join(hs.out.Queue(wire.TypeHandshake, f(raw, hs.psks)), hs.out.Flush())
	}, hs.readServerHello, func() error {
		if hs.next13 == nil {
			return errors.New("the server does not speak TLS 1.3")
		}
		return hs.next13.run()
	})
	_ = c.giveUp(clientErr)
	serverErr = <-done
	return s.state.Resumed, clientErr, serverErr
}

// A flipped bit in the binder, or in what it covers, ends the handshake; one in the
// ticket costs a full handshake, which then ends because the client and the server have
// seen different hellos.
func TestTamperedTicket13(t *testing.T) {
	r := newResumption(t, "TLS 1.3")
	flips := 0
	for bit := 0; ; bit += 37 {
		r.connectAnew(t)
		inTicket, past := false, false
		resumed, c, s := r.resumeWith(t, func(raw []byte, psks *message.PreSharedKeys) []byte {
			at := bit / 8
			if past = at >= len(raw); past {
				return raw
			}
			ticket := bytes.Index(raw, psks.Identities[0].Ticket)
			inTicket = ticket <= at && at < ticket+len(psks.Identities[0].Ticket)
			raw = bytes.Clone(raw)
			raw[at] ^= 1 << (bit % 8)
			return raw
		})
		if past {
			if !resumed || c != nil || s != nil {
				t.Errorf("untouched: resumed %v, client %v, server %v", resumed, c, s)
			}
			break
		}
		flips++
		if c == nil || s == nil || (inTicket && resumed) {
			t.Errorf("bit %d: resumed %v, client %v, server %v", bit, resumed, c, s)
		}
		r.client.ClientSessions = NewClientSessionCache(8)
	}
	if flips < 50 {
		t.Errorf("only %d flips", flips)
	}
}

// The identities and binders of a client that lies.
func TestBinders13(t *testing.T) {
	r := newResumption(t, "TLS 1.3")
	rebuild := func(raw []byte, psks *message.PreSharedKeys, change func(psks *message.PreSharedKeys)) []byte {
		hello, err := message.ParseClientHello(raw[message.HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		offer, err := message.ParseOffer13(hello)
		if err != nil {
			t.Fatal(err)
		}
		change(offer.PSKs)
		hello.Set(offer.PSKs.Extension())
		return hello.Marshal()
	}
	unknown := message.Identity{Ticket: bytes.Repeat([]byte("?"), 300)}
	for name, test := range map[string]struct {
		change func(psks *message.PreSharedKeys)
		alert  Alert
	}{
		"zero binder":    {func(p *message.PreSharedKeys) { p.Binders[0] = make([]byte, 32) }, wire.AlertDecryptError},
		"long binder":    {func(p *message.PreSharedKeys) { p.Binders[0] = append(p.Binders[0], 0) }, wire.AlertDecryptError},
		"unknown first":  {func(p *message.PreSharedKeys) { addIdentity(p, 0, unknown) }, wire.AlertDecryptError},
		"unknown second": {func(p *message.PreSharedKeys) { addIdentity(p, 1, unknown) }, wire.AlertDecryptError},
		"same twice":     {func(p *message.PreSharedKeys) { addIdentity(p, 1, p.Identities[0]) }, wire.AlertDecryptError},
	} {
		t.Run(name, func(t *testing.T) {
			r.connectAnew(t)
			_, c, s := r.resumeWith(t, func(raw []byte, psks *message.PreSharedKeys) []byte { return rebuild(raw, psks, test.change) })
			wantRefusal(t, test.alert, s, c)
			r.client.ClientSessions = NewClientSessionCache(8)
		})
	}
	// Beyond the identities that are tried, nobody looks.
	r.connectAnew(t)
	resumed, c, s := r.resumeWith(t, func(raw []byte, psks *message.PreSharedKeys) []byte {
		return rebuild(raw, psks, func(p *message.PreSharedKeys) {
			for range maxTries {
				addIdentity(p, 0, unknown)
			}
		})
	})
	if resumed || c == nil || s == nil {
		t.Errorf("resumed %v, client %v, server %v", resumed, c, s)
	}
}

func addIdentity(p *message.PreSharedKeys, at int, id message.Identity) {
	p.Identities = slices.Insert(p.Identities, at, id)
	p.Binders = slices.Insert(p.Binders, at, make([]byte, 32))
}

// A second identity is taken if the first does not open; after some, the server stops
// trying.
func TestSecondIdentity13(t *testing.T) {
	for others, taken := range map[int]bool{1: true, maxTries - 1: true, maxTries: false} {
		secondIdentity13(t, others, taken)
	}
}

// secondIdentity13 offers a ticket behind so many others.
func secondIdentity13(t *testing.T, others int, taken bool) {
	t.Helper()
	r := newResumption(t, "TLS 1.3")
	r.connectAnew(t)
	clientConfig, serverConfig := r.client, r.server
	c, s := connPair(t, &clientConfig, &serverConfig)
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	hs := newClientHandshake(c)
	err := inOrder(hs.prepareHello, hs.offerSession, hs.offer13, func() error {
		for range others {
			addIdentity(hs.psks, 0, message.Identity{Ticket: []byte("of somebody else")})
		}
		hs.hello.Set(hs.psks.Extension())
		return nil
	}, hs.sendHello, hs.readServerHello)
	if err != nil {
		t.Fatal(err)
	}
	number := hs.next13.facts.PSK
	if !taken {
		if number != nil {
			t.Errorf("identity %d is taken", *number)
		}
		_ = c.conn.Close()
		<-done
		return
	}
	if number == nil || int(*number) != others {
		t.Fatalf("identity %v behind %d", number, others)
	}
	err = hs.next13.run() // which offered one identity, as far as it knows
	_ = c.giveUp(err)
	wantRefusal(t, wire.AlertIllegalParameter, err, <-done)
}

// Without psk_dhe_ke a ticket is of no use, and none is given.
func TestModes13(t *testing.T) {
	r := newResumption(t, "TLS 1.3")
	r.connectAnew(t)
	clientConfig, serverConfig := r.client, r.server
	c, s := attackServer13(t, &clientConfig, &serverConfig, func(hs *clientHandshake) {
		hs.hello.Set(message.PSKModes([]uint8{0}))
	}, func(hs *clientHandshake13) []step {
		if hs.psks == nil {
			t.Error("no ticket was offered")
		}
		return append(honest13(hs), func() error {
			if hs.resumed != nil {
				t.Error("resumed with a mode that was not offered")
			}
			return nil
		})
	})
	if c != nil || s != nil {
		t.Fatalf("client %v, server %v", c, s)
	}
	client, server := connPair(t, &clientConfig, &serverConfig)
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	hs := newClientHandshake(client)
	err := inOrder(hs.prepareHello, hs.offer13, func() error { hs.hello.Set(message.PSKModes([]uint8{0})); return nil }, hs.sendHello, hs.readServerHello)
	if err == nil {
		err = hs.next13.run()
	}
	if serverErr := <-done; err != nil || serverErr != nil || server.state.Resumed || !server.state.Session.IsZero() {
		t.Errorf("client %v, server %v, resumed %v", err, serverErr, server.state.Resumed)
	}
}

// What a server may not do about a session.
func TestServerResumesWrongly13(t *testing.T) {
	for name, test := range map[string]struct {
		number uint16
		alert  Alert
	}{
		"an identity that was not offered": {1, wire.AlertIllegalParameter},
		"a key that it does not have":      {0, wire.AlertBadRecordMAC},
	} {
		r := newResumption(t, "TLS 1.3")
		r.connectAnew(t)
		clientConfig, serverConfig := r.client, r.server
		c, s := attackClient13(t, &clientConfig, &serverConfig, func(hs *serverHandshake13) []step {
			return append(before(honestServer13(hs)[:atServerFinish13+1], 4, func() error {
				hs.resumed = nil
				hs.take(unknownSession(), test.number)
				return nil
			}), func() error { _, _, err := hs.in.Next(); return err })
		})
		wantRefusal(t, test.alert, c, s)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// The age of a ticket is hidden by what the server said, and counts milliseconds.
func TestTicketAge13(t *testing.T) {
	r := newResumption(t, "TLS 1.3")
	r.connectAnew(t)
	kept, _ := r.client.ClientSessions.Get(r.client.ServerName)
	r.clock.move(90*time.Second + 5*time.Millisecond)
	_, c, s := r.resumeWith(t, func(raw []byte, psks *message.PreSharedKeys) []byte {
		if got, want := psks.Identities[0].Age-kept.ageAdd, uint32(90_005); got != want {
			t.Errorf("age %d, want %d", got, want)
		}
		return raw
	})
	if c != nil || s != nil {
		t.Errorf("client %v, server %v", c, s)
	}
}

// Tickets that are worth nothing are not kept.
func TestTicketsNotKept13(t *testing.T) {
	for name, m := range map[string]*message.SessionTicket13{
		"no lifetime": {Ticket: []byte("t")},
		"huge":        {Lifetime: 60, Ticket: make([]byte, maxTicketSize+1)},
	} {
		r := newResumption(t, "TLS 1.3")
		r.server.SessionTickets = nil
		clientConfig, serverConfig := r.client, r.server
		client, server := connected(t, &clientConfig, &serverConfig)
		if err := errors.Join(server.out.Queue(wire.TypeHandshake, m.Marshal()), server.out.Flush()); err != nil {
			t.Fatal(err)
		}
		exchange(t, client, server)
		if _, ok := r.client.ClientSessions.Get(r.client.ServerName); ok {
			t.Errorf("%s: kept", name)
		}
	}
}

// A session whose chain is too long for a ticket is served all the same.
func TestSessionTooLarge13(t *testing.T) {
	r := newResumption(t, "TLS 1.3")
	chain := r.client.Certificates[0].Chain
	for range 200 {
		chain = append(chain, chain[0])
	}
	r.client.Certificates[0].Chain = chain[:100]
	r.connectAnew(t)
	r.connectAnew(t)
}
