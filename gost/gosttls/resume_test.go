package gosttls

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/gost/gosttls/internal/wire"
)

// clock is a time that stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// ways are the two by which a session is resumed in TLS 1.2.
var ways = []string{"ticket", "id"}

// allWays are those and the one of TLS 1.3.
var allWays = append(slices.Clone(ways), "TLS 1.3")

// resumption is a client and a server that can resume sessions.
type resumption struct {
	client, server Config
	clock          *clock
}

// newResumption returns one with a client certificate. It speaks TLS 1.2, unless the way
// is that of TLS 1.3.
func newResumption(t testing.TB, way string) *resumption {
	t.Helper()
	r := &resumption{clock: newClock()}
	r.client = Config{
		InsecureSkipVerify: true,
		Certificates:       []Certificate{testCert(t, cryptoProA)},
		CipherSuites:       []uint16{KuznyechikCTROMAC},
		ClientSessions:     NewClientSessionCache(8),
		ServerName:         "sign-in.example",
		Time:               r.clock.time,
	}
	r.server = Config{
		Certificates: []Certificate{testCert(t, tc26256A)},
		ClientAuth:   RequireAnyClientCert,
		CipherSuites: []uint16{KuznyechikCTROMAC, MagmaCTROMAC},
		PolicyID:     "rules of 2026",
		TrustID:      func() string { return "snapshot 1" },
		Time:         r.clock.time,
	}
	switch way {
	case "ticket":
		r.server.SessionTickets = new(TicketKeys)
	case "id":
		r.server.SessionCache = NewSessionCache(8)
	case "TLS 1.3":
		r.server.SessionTickets = new(TicketKeys)
		r.client.CipherSuites, r.server.CipherSuites = suites13, suites13
	}
	return r
}

// connect runs a handshake that must succeed, sends a byte each way and returns the
// states of both sides. Every connection has configurations of its own, since they must
// not be changed once they are used.
func (r *resumption) connect(t testing.TB) (client, server ConnectionState) {
	t.Helper()
	clientConfig, serverConfig := r.client, r.server
	c, s := connected(t, &clientConfig, &serverConfig)
	for _, pair := range [][2]*Conn{{c, s}, {s, c}} {
		if _, err := pair[0].Write([]byte{42}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(pair[1], make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	client, server = c.ConnectionState(), s.ConnectionState()
	if client.Resumed != server.Resumed {
		t.Fatalf("client says resumed = %v, server %v", client.Resumed, server.Resumed)
	}
	if err := errors.Join(c.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// connectAnew is connect for a full handshake.
func (r *resumption) connectAnew(t testing.TB) (client, server ConnectionState) {
	t.Helper()
	if client, server = r.connect(t); server.Resumed {
		t.Fatal("a session was resumed")
	}
	return client, server
}

// connectAgain is connect for a session that must be resumed.
func (r *resumption) connectAgain(t testing.TB) (client, server ConnectionState) {
	t.Helper()
	if client, server = r.connect(t); !server.Resumed {
		t.Fatal("the session was not resumed")
	}
	return client, server
}

// A session belongs to the trust data of the beginning of its handshake: those that come
// while it runs may say something else about the client.
func TestTrustChangesMeanwhile(t *testing.T) {
	for _, way := range append(slices.Clone(ways), "TLS 1.3") {
		r := newResumption(t, way)
		var id atomic.Int32
		r.server.TrustID = func() string { return fmt.Sprint(id.Load()) }
		r.server.VerifyPeer = func(ConnectionState) error { id.Add(1); return nil }
		r.connectAnew(t)
		r.server.VerifyPeer = nil
		r.connectAnew(t)
		r.connectAgain(t)
	}
}

// A session is resumed, again and again, with every suite and by both ways, and both
// sides know the same as after the full handshake.
func TestResume(t *testing.T) {
	for _, way := range ways {
		for _, suite := range []uint16{KuznyechikCTROMAC, MagmaCTROMAC, CNTIMIT, LegacyCNTIMIT} {
			t.Run(fmt.Sprintf("%s/%04x", way, suite), func(t *testing.T) {
				r := newResumption(t, way)
				r.client.CipherSuites = []uint16{suite}
				r.server.CipherSuites = []uint16{suite}
				client, server := r.connectAnew(t)
				if server.Session.IsZero() {
					t.Fatal("the session has no handle")
				}
				for range 3 {
					client2, server2 := r.connectAgain(t)
					sameButResumed(t, client, client2)
					sameButResumed(t, server, server2)
				}
			})
		}
	}
}

// sameButResumed compares the states of a full and of a resumed connection.
func sameButResumed(t testing.TB, full, resumed ConnectionState) {
	t.Helper()
	if !resumed.HandshakeComplete || !resumed.ExtendedMasterSecret || resumed.Version != full.Version ||
		resumed.CipherSuite != full.CipherSuite || resumed.Curve != full.Curve || resumed.ServerName != full.ServerName ||
		resumed.Session != full.Session || resumed.SignatureScheme != full.SignatureScheme {
		t.Errorf("resumed\n%+v\nwant\n%+v", resumed, full)
	}
	if len(full.PeerCertificates) == 0 || !slices.EqualFunc(resumed.PeerCertificates, full.PeerCertificates, bytes.Equal) {
		t.Errorf("%d certificates of the peer, want %d", len(resumed.PeerCertificates), len(full.PeerCertificates))
	}
}

// A resumed handshake needs neither of the private keys.
func TestResumeWithoutPrivateKeys(t *testing.T) {
	for _, way := range allWays {
		r := newResumption(t, way)
		r.connectAnew(t)
		for _, config := range []*Config{&r.client, &r.server} {
			cert := config.Certificates[0]
			cert.PrivateKey = brokenKey{cert.PrivateKey.(agreeing)}
			config.Certificates = []Certificate{cert}
		}
		r.connectAgain(t)
	}
}

// Whatever differs from the connection on which the client proved its key, the client
// has to prove it again, and sees no alert.
func TestNotResumed(t *testing.T) {
	for name, change := range map[string]func(r *resumption, handle SessionHandle){
		"other policy":         func(r *resumption, _ SessionHandle) { r.server.PolicyID = "rules of 2027" },
		"no policy":            func(r *resumption, _ SessionHandle) { r.server.PolicyID = "" },
		"other trust data":     func(r *resumption, _ SessionHandle) { r.server.TrustID = func() string { return "snapshot 2" } },
		"no trust data":        func(r *resumption, _ SessionHandle) { r.server.TrustID = nil },
		"certificate optional": func(r *resumption, _ SessionHandle) { r.server.ClientAuth = RequestClientCert },
		"certificate unwanted": func(r *resumption, _ SessionHandle) { r.server.ClientAuth = NoClientCert },
		"suite not served":     func(r *resumption, _ SessionHandle) { r.withoutFirstSuite() },
		"Resume refuses": func(r *resumption, _ SessionHandle) {
			r.server.Resume = func(ResumedSession) error { return errUnwelcome }
		},
		"expired":               func(r *resumption, _ SessionHandle) { r.clock.move(DefaultSessionLifetime) },
		"from the future":       func(r *resumption, _ SessionHandle) { r.clock.move(-clockSkew - time.Second) },
		"logged out":            func(r *resumption, h SessionHandle) { r.logout(h) },
		"keys and cache lost":   func(r *resumption, _ SessionHandle) { r.forgetSessions() },
		"resumption turned off": func(r *resumption, _ SessionHandle) { r.server.SessionTickets, r.server.SessionCache = nil, nil },
	} {
		for _, way := range allWays {
			t.Run(name+"/"+way, func(t *testing.T) {
				r := newResumption(t, way)
				_, server := r.connectAnew(t)
				change(r, server.Session)
				_, again := r.connectAnew(t)
				if again.Session == server.Session {
					t.Error("the new session has the handle of the old one")
				}
				if r.server.ClientAuth != NoClientCert && len(again.PeerCertificates) != 1 {
					t.Error("the client has not proven itself")
				}
			})
		}
	}
}

// withoutFirstSuite takes the suite of the session from the server, and lets the client
// offer another one besides.
func (r *resumption) withoutFirstSuite() {
	r.client.CipherSuites = []uint16{KuznyechikCTROMAC, MagmaCTROMAC}
	r.server.CipherSuites = []uint16{MagmaCTROMAC}
}

func (r *resumption) logout(handle SessionHandle) {
	if r.server.SessionTickets != nil {
		r.server.SessionTickets.Revoke(handle, r.clock.time())
	}
	if r.server.SessionCache != nil {
		r.server.SessionCache.Delete(handle)
	}
}

func (r *resumption) forgetSessions() {
	if r.server.SessionTickets != nil {
		r.server.SessionTickets = new(TicketKeys)
	}
	if r.server.SessionCache != nil {
		r.server.SessionCache = NewSessionCache(8)
	}
}

// Logging one person out does not touch another, and reaches every ticket of the
// session.
func TestLogoutReachesAllTickets(t *testing.T) {
	r := newResumption(t, "ticket")
	_, other := r.connectAnew(t)
	otherTicket, _ := r.client.ClientSessions.Get(r.client.ServerName)

	r.client.ClientSessions = NewClientSessionCache(8)
	_, server := r.connectAnew(t)
	if server.Session == other.Session {
		t.Fatal("two sessions have one handle")
	}
	first, _ := r.client.ClientSessions.Get(r.client.ServerName)
	r.clock.move(DefaultTicketRotation - time.Minute) // the next ticket will be of another key
	r.server.SessionTickets.Rotation = time.Second
	r.server.SessionTickets.keys[0].sealUntil = r.clock.time()
	r.connectAgain(t)
	second, _ := r.client.ClientSessions.Get(r.client.ServerName)
	if bytes.Equal(first.ticket, second.ticket) {
		t.Fatal("the ticket was not renewed")
	}
	r.logout(server.Session)
	for i, ticket := range []*ClientSession{first, second} {
		r.client.ClientSessions.Put(r.client.ServerName, ticket)
		if _, s := r.connect(t); s.Resumed {
			t.Errorf("ticket %d works after logout", i)
		}
	}
	r.client.ClientSessions.Put(r.client.ServerName, otherTicket)
	r.connectAgain(t)
}

// RFC 6066, Section 3: a session belongs to the name under which it began.
func TestResumeOtherName(t *testing.T) {
	for _, way := range allWays {
		r := newResumption(t, way)
		r.connectAnew(t)
		s, ok := r.client.ClientSessions.Get("sign-in.example")
		if !ok {
			t.Fatal("no session")
		}
		// Our client would not offer it elsewhere, so the session lies.
		forged := *s.session
		forged.serverName = "other.example"
		r.client.ClientSessions.Put("other.example", &ClientSession{session: &forged, ticket: s.ticket, id: s.id})
		r.client.ServerName = "other.example"
		r.connectAnew(t)
	}
}

// A client does not offer a session where it cannot be resumed.
func TestClientDoesNotOffer(t *testing.T) {
	for name, change := range map[string]func(r *resumption){
		"expired":        func(r *resumption) { r.clock.move(DefaultSessionLifetime) },
		"other suites":   func(r *resumption) { r.client.CipherSuites = []uint16{MagmaCTROMAC} },
		"no cache":       func(r *resumption) { r.client.ClientSessions = nil },
		"another server": func(r *resumption) { r.client.ServerName = "other.example" },
		"a lie about the name": func(r *resumption) {
			s, _ := r.client.ClientSessions.Get(r.client.ServerName)
			r.client.ClientSessions.Put("other.example", s)
			r.client.ServerName = "other.example"
		},
	} {
		for _, way := range ways {
			r := newResumption(t, way)
			r.connectAnew(t)
			change(r)
			clientConfig, serverConfig := r.client, r.server
			c, _ := connPair(t, &clientConfig, &serverConfig)
			hs := newClientHandshake(c)
			if err := inOrder(hs.prepareHello, hs.offerSession); err != nil {
				t.Fatal(err)
			}
			if hs.offered != nil || len(hs.hello.SessionID) > 0 {
				t.Errorf("%s/%s: offered", name, way)
			}
			r.connectAnew(t)
		}
	}
}

// The server asks Resume, with what it needs to know.
func TestResumeHook(t *testing.T) {
	for _, way := range allWays {
		r := newResumption(t, way)
		var asked []ResumedSession
		r.server.Resume = func(s ResumedSession) error {
			asked = append(asked, s)
			return nil
		}
		_, server := r.connectAnew(t)
		if len(asked) != 0 {
			t.Errorf("%s: asked in a full handshake", way)
		}
		began := r.clock.time()
		r.clock.move(time.Minute)
		r.connectAgain(t)
		r.clock.move(time.Minute)
		r.connectAgain(t)
		if len(asked) != 2 {
			t.Fatalf("%s: asked %d times", way, len(asked))
		}
		for _, s := range asked {
			if s.Handle != server.Session || s.Version != server.Version || s.CipherSuite != server.CipherSuite ||
				len(s.PeerCertificates) != 1 || !bytes.Equal(s.PeerCertificates[0], server.PeerCertificates[0]) ||
				!s.Established.Equal(began) || s.ServerName != "sign-in.example" || s.PolicyID != "rules of 2026" || s.TrustID != "snapshot 1" {
				t.Errorf("%s: asked about %+v", way, s)
			}
		}
	}
}

// Resuming does not prolong a session, whatever tickets are given meanwhile.
func TestResumeDoesNotProlong(t *testing.T) {
	for _, way := range allWays {
		r := newResumption(t, way)
		r.server.SessionLifetime = 100 * time.Minute
		r.client.SessionLifetime = MaxSessionLifetime // with an id the server does not say
		if way == "ticket" {
			r.server.SessionTickets.Rotation = 10 * time.Minute // so that each connection gets a new ticket
		}
		r.connectAnew(t)
		for range 9 {
			r.clock.move(11 * time.Minute)
			r.connectAgain(t)
		}
		r.clock.move(time.Minute)
		r.connectAnew(t)
	}
}

// The lifetime has an upper limit, and less than a second is none.
func TestSessionLifetime(t *testing.T) {
	for lifetime, want := range map[time.Duration]time.Duration{
		0:                          DefaultSessionLifetime,
		90*time.Second + 1:         90 * time.Second,
		1000 * time.Hour:           MaxSessionLifetime,
		500 * time.Millisecond:     0,
		-time.Hour:                 -time.Hour,
		MaxSessionLifetime:         MaxSessionLifetime,
		MaxSessionLifetime - 1:     MaxSessionLifetime - time.Second,
		MaxSessionLifetime + 1:     MaxSessionLifetime,
		DefaultSessionLifetime / 2: DefaultSessionLifetime / 2,
	} {
		if got := (&Config{SessionLifetime: lifetime}).sessionLifetime(); got != want {
			t.Errorf("%v became %v, want %v", lifetime, got, want)
		}
	}
	for _, way := range allWays {
		r := newResumption(t, way)
		r.server.SessionLifetime = -1
		if _, server := r.connectAnew(t); !server.Session.IsZero() {
			t.Errorf("%s: a session that lives no time has a handle", way)
		}
		r.connectAnew(t)
	}
}

// A ticket is renewed once its key seals no more, and only then.
func TestTicketRenewed(t *testing.T) {
	r := newResumption(t, "ticket")
	r.server.SessionTickets.Rotation = 20 * time.Minute
	r.connectAnew(t)
	first, _ := r.client.ClientSessions.Get(r.client.ServerName)
	r.connectAgain(t)
	if again, _ := r.client.ClientSessions.Get(r.client.ServerName); again != first {
		t.Error("renewed for no reason")
	}
	r.clock.move(20 * time.Minute)
	r.connectAgain(t)
	second, _ := r.client.ClientSessions.Get(r.client.ServerName)
	if bytes.Equal(second.ticket[:ticketKeyIDSize], first.ticket[:ticketKeyIDSize]) {
		t.Error("the new ticket is of the old key")
	}
	if second.lifetime != 40*time.Minute {
		t.Errorf("the new ticket lives %v", second.lifetime)
	}
	r.connectAgain(t)
	r.client.ClientSessions.Put(r.client.ServerName, first) // the old one is good until it expires
	r.connectAgain(t)
}

// The policy hook sees every proven client once, resumed or not, and never aborts.
func TestVerdict(t *testing.T) {
	for _, way := range allWays {
		r := newResumption(t, way)
		calls := 0
		r.server.Verdict = func(s ConnectionState) any {
			calls++
			if len(s.PeerCertificates) != 1 || s.HandshakeComplete || s.Verdict != nil {
				t.Errorf("%s: asked about %+v", way, s)
			}
			return fmt.Sprint("verdict ", calls)
		}
		r.server.VerifyPeer = func(s ConnectionState) error {
			if s.Verdict != fmt.Sprint("verdict ", calls) {
				t.Errorf("%s: VerifyPeer sees the verdict %v", way, s.Verdict)
			}
			return nil
		}
		for i, connect := range []func(testing.TB) (ConnectionState, ConnectionState){r.connectAnew, r.connectAgain, r.connectAgain} {
			if _, server := connect(t); server.Verdict != fmt.Sprint("verdict ", i+1) || calls != i+1 {
				t.Errorf("%s: verdict %v after %d calls", way, server.Verdict, calls)
			}
		}
	}
}

// A server asks for a verdict about clients without a certificate, and a client about
// its server.
func TestVerdictOfOthers(t *testing.T) {
	r := newResumption(t, "ticket")
	r.server.ClientAuth = RequestClientCert
	r.client.Certificates = nil
	verdict := func(s ConnectionState) any { return len(s.PeerCertificates) }
	r.server.Verdict, r.client.Verdict = verdict, verdict
	for _, connect := range []func(testing.TB) (ConnectionState, ConnectionState){r.connectAnew, r.connectAgain} {
		if client, server := connect(t); client.Verdict != 1 || server.Verdict != 0 {
			t.Errorf("client %v, server %v", client.Verdict, server.Verdict)
		}
	}
}

// VerifyPeer is asked again when a session is resumed, on both sides, and can refuse.
func TestVerifyPeerResumed(t *testing.T) {
	for _, way := range allWays {
		for _, side := range []string{"client", "server"} {
			r := newResumption(t, way)
			r.connectAnew(t)
			refuse := func(s ConnectionState) error {
				if !s.Resumed || len(s.PeerCertificates) != 1 {
					t.Errorf("%s/%s: asked about %+v", way, side, s)
				}
				return &AlertError{Alert: AlertCertificateRevoked, Err: errUnwelcome}
			}
			config := map[string]*Config{"client": &r.client, "server": &r.server}[side]
			config.VerifyPeer = refuse
			clientConfig, serverConfig := r.client, r.server
			c, s := connPair(t, &clientConfig, &serverConfig)
			clientErr, serverErr := shake(c, s)
			if side == "client" {
				wantRefusal(t, AlertCertificateRevoked, clientErr, serverErr)
				continue
			}
			// The client finishes first, and reads the alert then.
			if clientErr == nil {
				_, clientErr = c.Read(make([]byte, 1))
			}
			wantRefusal(t, AlertCertificateRevoked, serverErr, clientErr)
			if s.ConnectionState().HandshakeComplete {
				t.Error("the handshake is complete")
			}
		}
	}
}

// An error of VerifyPeer may name the alert.
func TestAlertError(t *testing.T) {
	for _, test := range []struct {
		err  error
		want Alert
	}{
		{errUnwelcome, AlertBadCertificate},
		{&AlertError{AlertCertificateExpired, errUnwelcome}, AlertCertificateExpired},
		{&AlertError{AlertUnknownCA, errUnwelcome}, AlertUnknownCA},
		{&AlertError{AlertCertificateRevoked, errUnwelcome}, AlertCertificateRevoked},
		{&AlertError{AlertAccessDenied, errUnwelcome}, AlertAccessDenied},
		{fmt.Errorf("wrapped: %w", &AlertError{AlertCertificateUnknown, errUnwelcome}), AlertCertificateUnknown},
		{&AlertError{wire.AlertCloseNotify, errUnwelcome}, AlertBadCertificate},
		{&AlertError{wire.AlertNoRenegotiation, errUnwelcome}, AlertBadCertificate},
		{&AlertError{wire.AlertUserCanceled, errUnwelcome}, AlertBadCertificate},
	} {
		for _, version := range []uint16{VersionTLS12, VersionTLS13} {
			client, server := mutual(t, cryptoProA, cryptoProA)
			client.MinVersion, client.MaxVersion, server.MaxVersion = version, version, version
			server.VerifyPeer = func(ConnectionState) error { return test.err }
			c, s := connPair(t, client, server)
			clientErr, serverErr := shake(c, s)
			if clientErr == nil && version == VersionTLS13 { // the client finishes first
				_, clientErr = c.Read(make([]byte, 1))
			}
			wantRefusal(t, test.want, serverErr, clientErr)
			if !errors.Is(serverErr, errUnwelcome) {
				t.Errorf("error %v", serverErr)
			}
		}
	}
}

// Somebody who has the ticket but not the secret learns nothing, and is nobody.
func TestStolenTicket(t *testing.T) {
	for _, way := range ways {
		r := newResumption(t, way)
		r.connectAnew(t)
		s, _ := r.client.ClientSessions.Get(r.client.ServerName)
		forged := *s.session
		forged.secret = bytes.Repeat([]byte{1}, masterSize)
		r.client.ClientSessions.Put(r.client.ServerName, &ClientSession{session: &forged, ticket: s.ticket, id: s.id})
		r.server.Verdict = func(ConnectionState) any {
			t.Errorf("%s: asked for a verdict", way)
			return nil
		}
		clientConfig, serverConfig := r.client, r.server
		c, server := connPair(t, &clientConfig, &serverConfig)
		clientErr, serverErr := shake(c, server)
		// The keys differ, so the server's Finished is not even readable.
		wantRefusal(t, wire.AlertBadRecordMAC, clientErr, serverErr)
		if state := server.ConnectionState(); serverErr == nil || state.PeerCertificates != nil || state.HandshakeComplete {
			t.Errorf("%s: server %v, %+v", way, serverErr, state)
		}
		if _, ok := r.client.ClientSessions.Get(r.client.ServerName); ok {
			t.Errorf("%s: the client keeps a session that does not work", way)
		}
		r.server.Verdict = nil
		r.client.ClientSessions.Put(r.client.ServerName, s)
		r.connectAgain(t) // the thief has not spoilt it
	}
}

// Servers that share their keys take each other's tickets, under the same rules as their
// own: policy, trust data, name, and what the hook says.
func TestResumeAcrossServers(t *testing.T) {
	for name, test := range map[string]struct {
		change func(second *Config)
		want   bool
	}{
		"the same":            {func(*Config) {}, true},
		"another certificate": {func(c *Config) { c.Certificates = []Certificate{testCert(t, tc26512A)} }, true},
		"other policy":        {func(c *Config) { c.PolicyID = "other" }, false},
		"other trust data":    {func(c *Config) { c.TrustID = func() string { return "snapshot 2" } }, false},
		"certificate wanted":  {func(c *Config) { c.ClientAuth = RequestClientCert }, false},
		"logged out there":    {func(c *Config) { c.Resume = func(ResumedSession) error { return errUnwelcome } }, false},
		"own keys only":       {func(c *Config) { c.SessionTickets = new(TicketKeys) }, false},
	} {
		r := newResumption(t, "ticket")
		exported, err := r.server.SessionTickets.Export(r.clock.time())
		if err != nil {
			t.Fatal(err)
		}
		r.connectAnew(t)
		second := new(TicketKeys)
		if err := second.Import(exported, r.clock.time()); err != nil {
			t.Fatal(err)
		}
		r.server.SessionTickets = second
		test.change(&r.server)
		if _, server := r.connect(t); server.Resumed != test.want {
			t.Errorf("%s: resumed is %v", name, server.Resumed)
		}
	}
}

// A session of one version does not hinder a connection of another.
func TestResumeAcrossVersions(t *testing.T) {
	type versions struct{ least, most uint16 }
	both := versions{VersionTLS12, VersionTLS13}
	for _, way := range ways {
		for name, test := range map[string]struct{ first, second, client versions }{
			"a server that learns TLS 1.3":  {versions{VersionTLS12, VersionTLS12}, both, both},
			"a server that forgets TLS 1.3": {both, versions{VersionTLS12, VersionTLS12}, both},
			"only TLS 1.3 from now on":      {versions{VersionTLS12, VersionTLS12}, versions{VersionTLS13, VersionTLS13}, both},
		} {
			r := newResumption(t, way)
			r.client.CipherSuites, r.server.CipherSuites = nil, nil
			speak := func(c *Config, v versions) { c.MinVersion, c.MaxVersion = v.least, v.most }
			speak(&r.client, test.client)
			speak(&r.server, test.first)
			_, first := r.connectAnew(t)
			speak(&r.server, test.second)
			_, second := r.connectAnew(t)
			if first.Version == second.Version {
				t.Errorf("%s: %#04x twice", name, first.Version)
			}
		}
	}
}

// The versions before TLS 1.2 resume like it.
func TestResumeOldVersions(t *testing.T) {
	for _, way := range ways {
		for _, version := range []uint16{VersionTLS10, VersionTLS11} {
			r := newResumption(t, way)
			for _, c := range []*Config{&r.client, &r.server} {
				c.CipherSuites, c.MinVersion, c.MaxVersion = []uint16{LegacyCNTIMIT}, version, version
			}
			client, server := r.connectAnew(t)
			client2, server2 := r.connectAgain(t)
			sameButResumed(t, client, client2)
			sameButResumed(t, server, server2)
			if server2.Version != version {
				t.Errorf("version %#04x", server2.Version)
			}
			r.client.MaxVersion, r.server.MaxVersion = VersionTLS12, VersionTLS12
			if _, server = r.connect(t); server.Resumed || server.Version != VersionTLS12 {
				t.Errorf("a session of %#04x: resumed is %v with version %#04x", version, server.Resumed, server.Version)
			}
		}
	}
}
