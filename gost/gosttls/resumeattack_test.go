package gosttls

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/wire"
)

// resuming returns the steps of an honest client that resumes a session.
func resuming(hs *clientHandshake) []step {
	return []step{
		hs.prepareHello, hs.offerSession, hs.sendHello, hs.readServerHello,
		hs.resumeKeys, hs.readTicket, hs.readServerFinished, hs.judgeServer,
		hs.sendClientFinished, hs.keepSession,
	}
}

// finishing returns the steps of an honest client after the ServerHello of a full
// handshake.
func finishing(hs *clientHandshake) []step {
	return []step{
		hs.readServerCertificate, hs.readRequestAndDone, hs.judgeServer,
		hs.sendCertificate, hs.sendClientKeyExchange, hs.sendCertificateVerify, hs.sendClientFinished,
		hs.readTicket, hs.readServerFinished, hs.keepSession,
	}
}

// atResumedFinished is a position in resuming.
const atResumedFinished = 8

// resumingServer returns the steps of an honest server that resumes a session.
func resumingServer(hs *serverHandshake) []step {
	return []step{
		hs.readClientHello, hs.chooseParameters, hs.findSession, hs.prepareFlight,
		hs.resumeKeys, hs.sendServerHello, hs.sendTicket, hs.sendServerFinished,
		hs.readClientFinished, hs.recognizeClient, hs.judgeClient,
	}
}

// Positions in resumingServer.
const (
	atServerHello  = 5
	atServerTicket = 6
)

// attackServer and attackClient run the steps of one side against an honest other one.
func (r *resumption) attackServer(t testing.TB, steps func(hs *clientHandshake) []step) (clientErr, serverErr error) {
	t.Helper()
	client, server := r.client, r.server
	return attackServer(t, &client, &server, steps)
}

func (r *resumption) attackClient(t testing.TB, steps func(hs *serverHandshake) []step) (clientErr, serverErr error) {
	t.Helper()
	client, server := r.client, r.server
	return attackClient(t, &client, &server, steps)
}

// The honest steps do work, or the tests below would show nothing.
func TestHonestResumption(t *testing.T) {
	for _, way := range ways {
		r := newResumption(t, way)
		r.connectAnew(t)
		if c, s := r.attackServer(t, resuming); c != nil || s != nil {
			t.Errorf("%s: client %v, server %v", way, c, s)
		}
		if c, s := r.attackClient(t, resumingServer); c != nil || s != nil {
			t.Errorf("%s: client %v, server %v", way, c, s)
		}
	}
}

// forge replaces the client's session by a copy of the client's session, changed by f, as the server's ticket
// keys or cache would know it.
func (r *resumption) forge(t testing.TB, f func(s *session)) {
	t.Helper()
	old, ok := r.client.ClientSessions.Get(r.client.ServerName)
	if !ok {
		t.Fatal("no session")
	}
	server := r.serverSession(t, old)
	f(server)
	forged := &ClientSession{session: old.session, id: old.id}
	if r.server.SessionTickets == nil {
		data, err := server.marshal()
		if err != nil {
			t.Fatal(err)
		}
		r.server.SessionCache.Put([sessionIDSize]byte(old.id), CachedSession{State: data, Handle: server.handle})
	} else {
		var err error
		if forged.ticket, err = r.server.SessionTickets.seal(server, r.clock.time()); err != nil {
			t.Fatal(err)
		}
	}
	r.client.ClientSessions.Put(r.client.ServerName, forged)
}

// serverSession is what the server knows about a session of the client.
func (r *resumption) serverSession(t testing.TB, client *ClientSession) *session {
	t.Helper()
	if r.server.SessionTickets != nil {
		if s, ok := r.server.SessionTickets.open(client.ticket, r.clock.time()); ok {
			return s
		}
		t.Fatal("the ticket does not open")
	}
	cached, _ := r.server.SessionCache.Get([sessionIDSize]byte(client.id))
	s, ok := unmarshalSession(cached.State)
	if !ok {
		t.Fatal("the session is not in the cache")
	}
	return s
}

// RFC 7627, Section 5.3, from the server's side: all combinations of what the session
// had and what the ClientHello has.
func TestResumeExtendedMasterSecretServer(t *testing.T) {
	for _, way := range ways {
		for _, sessionHad := range []bool{true, false} {
			for _, helloHas := range []bool{true, false} {
				r := newResumption(t, way)
				r.connectAnew(t)
				r.forge(t, func(s *session) { s.ems = sessionHad })
				resumed, ems := false, false
				c, s := r.attackServer(t, func(hs *clientHandshake) []step {
					drop := func() error {
						if !helloHas {
							dropExtension(hs.hello, message.ExtExtendedMasterSecret)
						}
						return nil
					}
					answer := func() error {
						resumed, ems = hs.resumed != nil, hs.ems
						if resumed {
							return inOrder(resuming(hs)[4:]...)
						}
						return inOrder(finishing(hs)...)
					}
					return []step{hs.prepareHello, hs.offerSession, drop, hs.sendHello, hs.readServerHello, answer}
				})
				switch {
				case sessionHad && !helloHas:
					wantRefusal(t, wire.AlertHandshakeFailure, s, c)
				case c != nil || s != nil:
					t.Errorf("%s, session %v, hello %v: client %v, server %v", way, sessionHad, helloHas, c, s)
				case resumed != (sessionHad && helloHas):
					t.Errorf("%s, session %v, hello %v: resumed is %v", way, sessionHad, helloHas, resumed)
				case ems != helloHas:
					t.Errorf("%s, session %v, hello %v: the server answers %v", way, sessionHad, helloHas, ems)
				}
			}
		}
	}
}

// RFC 7627, Section 5.3, from the client's side. A session without the extension is
// never offered, and one with it not resumed without.
func TestResumeExtendedMasterSecretClient(t *testing.T) {
	for _, way := range ways {
		r := newResumption(t, way)
		r.connectAnew(t)
		c, s := r.attackClient(t, func(hs *serverHandshake) []step {
			return before(resumingServer(hs), atServerHello, func() error {
				hs.hello.Extensions = slices.DeleteFunc(hs.hello.Extensions, func(e message.Extension) bool {
					return e.Type == message.ExtExtendedMasterSecret
				})
				return nil
			})
		})
		wantRefusal(t, wire.AlertHandshakeFailure, c, s)

		r = newResumption(t, way)
		r.connectAnew(t)
		old, _ := r.client.ClientSessions.Get(r.client.ServerName)
		without := *old.session
		without.ems = false
		r.client.ClientSessions.Put(r.client.ServerName, &ClientSession{session: &without, ticket: old.ticket, id: old.id})
		r.connectAnew(t)
	}
}

// Without the extended master secret there is no session: no ticket, no id, no handle.
func TestNoSessionWithoutExtendedMasterSecret(t *testing.T) {
	for _, way := range ways {
		r := newResumption(t, way)
		server := r.server
		client := r.client
		c, s := connPair(t, &client, &server)
		done := make(chan error, 1)
		go func() { done <- s.Handshake() }()
		hs := newClientHandshake(c)
		drop := func() error { dropExtension(hs.hello, message.ExtExtendedMasterSecret); return nil }
		steps := append([]step{hs.prepareHello, hs.offerSession, drop, hs.sendHello, hs.readServerHello}, finishing(hs)...)
		if err := inOrder(steps...); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if hs.expectTicket || len(hs.id) > 0 || !s.ConnectionState().Session.IsZero() {
			t.Errorf("%s: ticket %v, id %x, handle %v", way, hs.expectTicket, hs.id, s.ConnectionState().Session)
		}
		if _, ok := client.ClientSessions.Get(client.ServerName); ok {
			t.Errorf("%s: the client keeps a session", way)
		}
	}
}

// A session whose parameters do not fit what is spoken now means a full handshake.
func TestForgedSessions(t *testing.T) {
	for name, change := range map[string]func(s *session){
		"version":            func(s *session) { s.version = 0x0302 },
		"TLS 1.3":            func(s *session) { s.version = 0x0304 },
		"suite not offered":  func(s *session) { s.suite = MagmaCTROMAC },
		"unknown suite":      func(s *session) { s.suite = 0x0081 },
		"short secret":       func(s *session) { s.secret = s.secret[:32] },
		"no certificate":     func(s *session) { s.peerChain = nil },
		"other mode":         func(s *session) { s.clientAuth = RequestClientCert },
		"name":               func(s *session) { s.serverName = "other.example" },
		"no name":            func(s *session) { s.serverName = "" },
		"policy":             func(s *session) { s.policyID += "x" },
		"trust":              func(s *session) { s.trustID = "" },
		"lifetime":           func(s *session) { s.lifetime = 0 },
		"created long ago":   func(s *session) { s.created = s.created.Add(-DefaultSessionLifetime) },
		"created in a while": func(s *session) { s.created = s.created.Add(2 * clockSkew) },
	} {
		for _, way := range ways {
			t.Run(name+"/"+way, func(t *testing.T) {
				r := newResumption(t, way)
				r.connectAnew(t)
				r.forge(t, change)
				r.connectAnew(t)
			})
		}
	}
	// The forger does work.
	for _, way := range ways {
		r := newResumption(t, way)
		r.connectAnew(t)
		r.forge(t, func(*session) {})
		r.connectAgain(t)
	}
}

// A ticket with anything changed is no ticket, and no reason for an alert.
func TestTicketsThatAreNone(t *testing.T) {
	r := newResumption(t, "ticket")
	r.connectAnew(t)
	good, _ := r.client.ClientSessions.Get(r.client.ServerName)
	foreign, err := new(TicketKeys).seal(r.serverSession(t, good), r.clock.time())
	if err != nil {
		t.Fatal(err)
	}
	flip := func(i int) []byte {
		bad := bytes.Clone(good.ticket)
		bad[i] ^= 1
		return bad
	}
	for name, ticket := range map[string][]byte{
		"of other keys":    foreign,
		"key id changed":   flip(0),
		"nonce changed":    flip(ticketKeyIDSize),
		"upper bit set":    append(append(bytes.Clone(good.ticket[:ticketKeyIDSize]), 0xff), good.ticket[ticketKeyIDSize+1:]...),
		"content changed":  flip(ticketKeyIDSize + ticketNonceSize),
		"tag changed":      flip(len(good.ticket) - 1),
		"a byte short":     good.ticket[:len(good.ticket)-1],
		"a byte long":      append(bytes.Clone(good.ticket), 0),
		"one byte":         {1},
		"key id only":      good.ticket[:ticketKeyIDSize],
		"no content":       good.ticket[:ticketOverhead],
		"zeros":            make([]byte, 200),
		"as long as a key": make([]byte, maxTicketSize+1),
	} {
		t.Run(name, func(t *testing.T) {
			r.client.ClientSessions.Put(r.client.ServerName, &ClientSession{session: good.session, ticket: ticket})
			r.connectAnew(t)
		})
	}
}

// A ticket that a server with a cache only cannot open does not hide the session id.
func TestTicketBesideID(t *testing.T) {
	r := newResumption(t, "id")
	r.connectAnew(t)
	_, err := r.attackServer(t, func(hs *clientHandshake) []step {
		add := func() error {
			dropExtension(hs.hello, message.ExtSessionTicket)
			addExtension(hs.hello, message.SessionTicket([]byte("whatever")))
			return nil
		}
		return before(resuming(hs), 2, add)
	})
	if err != nil {
		t.Error(err)
	}
}

// An empty ticket takes the promise back (RFC 5077, Section 3.3); with many and large
// certificates of a client that is what a server gives.
func TestSessionTooLarge(t *testing.T) {
	for _, way := range ways {
		r := newResumption(t, way)
		cert := r.client.Certificates[0]
		for range maxSessionSize/len(cert.Chain[0]) + 1 {
			cert.Chain = append(cert.Chain, cert.Chain[0])
		}
		r.client.Certificates = []Certificate{cert}
		r.connectAnew(t)
		if way == "ticket" {
			if _, ok := r.client.ClientSessions.Get(r.client.ServerName); ok {
				t.Error("the client keeps an empty ticket")
			}
		}
		r.connectAnew(t)
	}
}

// A client refuses a server that resumes something else than the session.
func TestServerResumesWrongly(t *testing.T) {
	for name, test := range map[string]struct {
		change func(hs *serverHandshake)
		want   Alert
	}{
		"other suite":     {func(hs *serverHandshake) { hs.hello.CipherSuite = MagmaCTROMAC }, wire.AlertIllegalParameter},
		"ticket unasked":  {func(hs *serverHandshake) { hs.giveTicket = true }, wire.AlertUnexpectedMessage},
		"other secret":    {func(hs *serverHandshake) { hs.master[0] ^= 1; _ = hs.installKeys() }, wire.AlertBadRecordMAC},
		"other Finished":  {func(hs *serverHandshake) { hs.transcript.add([]byte("?")) }, wire.AlertDecryptError},
		"promised ticket": {func(hs *serverHandshake) { addTicketPromise(hs) }, wire.AlertUnexpectedMessage},
	} {
		for _, way := range ways {
			t.Run(name+"/"+way, func(t *testing.T) {
				r := newResumption(t, way)
				r.client.CipherSuites = []uint16{KuznyechikCTROMAC, MagmaCTROMAC}
				r.server.SessionTickets = new(TicketKeys) // both, so that there are keys to break the rules with
				if way == "id" {
					r.server.SessionTickets = nil
				}
				r.connectAnew(t)
				c, s := r.attackClient(t, func(hs *serverHandshake) []step {
					if hs.config.SessionTickets == nil {
						config := *hs.config
						config.SessionTickets = new(TicketKeys)
						hs.config = &config
					}
					at := atServerHello
					if name == "other Finished" {
						at = atServerTicket
					}
					if name == "ticket unasked" {
						at = atServerTicket
					}
					return before(resumingServer(hs), at, func() error { test.change(hs); return nil })
				})
				wantRefusal(t, test.want, c, s)
				if _, ok := r.client.ClientSessions.Get(r.client.ServerName); ok {
					t.Error("the client keeps the session")
				}
			})
		}
	}
}

// A session of TLS 1.2 is not resumed in an older version, though the client speaks that
// as well, and the suite belongs to both.
func TestServerResumesOlderVersion(t *testing.T) {
	for _, way := range ways {
		r := newResumption(t, way)
		for _, config := range []*Config{&r.client, &r.server} {
			config.CipherSuites, config.MinVersion, config.MaxVersion = []uint16{CNTIMIT}, VersionTLS10, VersionTLS12
		}
		if client, _ := r.connectAnew(t); client.Version != VersionTLS12 {
			t.Fatalf("version %#04x", client.Version)
		}
		c, s := r.attackClient(t, func(hs *serverHandshake) []step {
			return before(resumingServer(hs), atServerHello, func() error { hs.hello.Version = VersionTLS11; return nil })
		})
		wantRefusal(t, wire.AlertIllegalParameter, c, s)
	}
}

// addTicketPromise makes ServerHello promise a ticket that does not come.
func addTicketPromise(hs *serverHandshake) {
	hs.hello.Extensions = append(hs.hello.Extensions, message.SessionTicket(nil))
}

// A client that never asked for a ticket gets none, and takes none.
func TestTicketUnasked(t *testing.T) {
	r := newResumption(t, "ticket")
	r.client.ClientSessions = nil
	if _, server := r.connectAnew(t); !server.Session.IsZero() {
		t.Error("a handle for a session that nobody can resume")
	}
	c, s := r.attackClient(t, func(hs *serverHandshake) []step {
		return before(honestServer(hs), atFlight, func() error { addTicketPromise(hs); return nil })
	})
	wantRefusal(t, wire.AlertUnsupportedExtension, c, s)
}

// A resumed handshake has no other messages than its own, in no other order.
func TestResumedHandshakeOrder(t *testing.T) {
	for name, test := range map[string]struct {
		instead func(hs *clientHandshake) []step // of ChangeCipherSpec and Finished
		want    Alert
	}{
		"Finished in clear": {func(hs *clientHandshake) []step {
			finished := func() error { return hs.send(hs.finished(clientFinished, hs.transcript).Marshal()) }
			return []step{finished, hs.out.Flush}
		}, wire.AlertUnexpectedMessage},
		"a certificate": {func(hs *clientHandshake) []step {
			certificate := func() error { return hs.send((&message.Certificate{}).Marshal()) }
			return []step{certificate, hs.sendClientFinished}
		}, wire.AlertUnexpectedMessage},
		"data": {func(hs *clientHandshake) []step {
			data := func() error { return hs.out.Queue(wire.TypeApplicationData, []byte("GET / HTTP/1.1")) }
			return []step{hs.out.QueueChangeCipherSpec, data, hs.out.Flush}
		}, wire.AlertUnexpectedMessage},
		"nothing but Finished of a server": {func(hs *clientHandshake) []step {
			return []step{func() error { return hs.sendFinished(serverFinished) }}
		}, wire.AlertDecryptError},
		"ChangeCipherSpec twice": {func(hs *clientHandshake) []step {
			change := func() error { return hs.out.Queue(wire.TypeChangeCipherSpec, []byte{1}) }
			return []step{change, hs.sendClientFinished} // the second one is not protected
		}, wire.AlertBadRecordMAC},
	} {
		for _, way := range ways {
			t.Run(name+"/"+way, func(t *testing.T) {
				r := newResumption(t, way)
				r.connectAnew(t)
				c, s := r.attackServer(t, func(hs *clientHandshake) []step {
					steps := with(resuming(hs), atResumedFinished, test.instead(hs)...)
					return append(steps, func() error { return readToAlert(hs.Conn) })
				})
				wantRefusal(t, test.want, s, c)
			})
		}
	}
}

// readToAlert reads what comes until an error.
func readToAlert(c *Conn) error {
	establish(c)
	_, err := io.Copy(io.Discard, c)
	return err
}

// Finished of a resumed handshake is that of this handshake: a replay of the client's
// records opens nothing, since the server's random is new.
func TestResumptionReplayed(t *testing.T) {
	for _, way := range ways {
		r := newResumption(t, way)
		r.connectAnew(t)
		clientConfig, serverConfig := r.client, r.server
		client, server := tcpPair(t)
		tap := &tapConn{Conn: client}
		c, s := Client(tap, &clientConfig), Server(server, &serverConfig)
		if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil || !s.ConnectionState().Resumed {
			t.Fatalf("client %v, server %v", clientErr, serverErr)
		}
		again := newScript(tap.sent.Bytes())
		replayed := Server(again, &serverConfig)
		if err := replayed.Handshake(); err == nil || replayed.ConnectionState().PeerCertificates != nil {
			t.Errorf("%s: a replayed handshake: %v, %+v", way, err, replayed.ConnectionState())
		}
	}
}

// tapConn keeps what is written.
type tapConn struct {
	net.Conn
	sent bytes.Buffer
}

func (c *tapConn) Write(b []byte) (int, error) {
	c.sent.Write(b)
	return c.Conn.Write(b)
}
