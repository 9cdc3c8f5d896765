package gosttls

import (
	"bytes"
	"errors"
	"net"
	"slices"
	"time"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
)

// sessionIDSize is the length in bytes of the session ids that this package makes.
const sessionIDSize = 32

// serverSession is what the server's side of TLS 1.2 decides about sessions.
type serverSession struct {
	// resumed is the session that this handshake resumes, nil in a full one.
	resumed *session

	// trustID is that of the beginning of the handshake. A session is bound to
	// data that are at least as old as those its peer was judged by.
	trustID string

	giveTicket bool   // NewSessionTicket was promised in ServerHello
	id         []byte // of ServerHello: the client's when a session is resumed
}

// runResumed is the abbreviated handshake (RFC 5246, Section 7.3, Figure 2; RFC 5077,
// Section 3.1, Figure 2).
func (hs *serverHandshake) runResumed() error {
	return inOrder(
		hs.prepareFlight,
		hs.resumeKeys,
		hs.sendServerHello,
		hs.sendTicket,         // NewSessionTicket*
		hs.sendServerFinished, // ChangeCipherSpec, Finished

		hs.readClientFinished, // ChangeCipherSpec, Finished
		hs.recognizeClient,
		hs.judgeClient,
	)
}

// findSession decides whether the handshake resumes a session, and if not, whether
// there will be one to resume. Whatever is wrong with a session, the client gets a full
// handshake; the one exception is what RFC 7627 wants.
func (hs *serverHandshake) findSession() error {
	hs.trustID = hs.config.trustID()
	s, ok := hs.offeredSession()
	switch {
	case !ok:
	case s.ems && !hs.ems:
		// RFC 7627, Section 5.3: somebody took the extension away.
		return wire.Refuse(wire.AlertHandshakeFailure, "session with extended master secret resumed without")
	case hs.fits(s) && hs.config.mayResume(s, hs.state.ServerName, hs.trustID, hs.config.now()):
		return hs.resume(s)
	}
	return hs.beginSession()
}

// offeredSession returns the session that the client wants to resume. A ticket is
// taken before a session id, which then is the client's means to see the answer (RFC
// 5077, Section 3.4).
func (hs *serverHandshake) offeredSession() (*session, bool) {
	if ticket := hs.clientHello.Known.Ticket; len(ticket) > 0 && hs.config.SessionTickets != nil {
		return hs.config.SessionTickets.open(ticket, hs.config.now())
	}
	if hs.config.SessionCache == nil || len(hs.clientHello.SessionID) != sessionIDSize {
		return nil, false
	}
	cached, ok := hs.config.SessionCache.Get([sessionIDSize]byte(hs.clientHello.SessionID))
	if !ok {
		return nil, false
	}
	defer clear(cached.State)
	return unmarshalSession(cached.State)
}

// fits reports whether the session can be resumed as far as TLS goes: the version is
// the one that would be spoken, and both sides still allow the suite (RFC 5246,
// Section 7.4.1.2).
func (hs *serverHandshake) fits(s *session) bool {
	return hs.ems && s.version == hs.state.Version && len(s.secret) == masterSize &&
		slices.Contains(hs.config.suites(), s.suite) && slices.Contains(hs.clientHello.CipherSuites, s.suite)
}

// resume takes the parameters of a session. What it says about the client is not told
// to anybody before the client has proven, by Finished, that the session is its own.
func (hs *serverHandshake) resume(s *session) error {
	suite, ok := record.SuiteByID(s.suite)
	if !ok {
		return wire.Refuse(wire.AlertInternalError, "session with unknown suite %#04x", s.suite)
	}
	hs.resumed = s
	hs.use(s.version, suite)
	hs.state.Curve = s.curve
	hs.state.Resumed = true
	hs.state.Established = s.created
	hs.state.Session = s.handle
	hs.id = hs.clientHello.SessionID
	ticket, keys := hs.clientHello.Known.Ticket, hs.config.SessionTickets
	hs.giveTicket = len(ticket) > 0 && keys != nil && !keys.current(ticket, hs.config.now())
	return nil
}

// beginSession decides how the session of a full handshake can be resumed: by a ticket
// if the client takes tickets, else by its id.
func (hs *serverHandshake) beginSession() error {
	if !hs.ems || hs.config.sessionLifetime() <= 0 {
		return nil
	}
	hs.giveTicket = hs.config.SessionTickets != nil && hs.clientHello.Known.Ticket != nil
	if !hs.giveTicket && hs.config.SessionCache == nil {
		return nil
	}
	if !hs.giveTicket {
		hs.id = make([]byte, sessionIDSize)
		if err := hs.randomBytes(hs.id); err != nil {
			return err
		}
	}
	return hs.randomBytes(hs.state.Session[:])
}

// sessionExtensions are those of ServerHello that sessions need.
func (hs *serverHandshake) sessionExtensions() []message.Extension {
	if !hs.giveTicket {
		return nil
	}
	return []message.Extension{message.SessionTicket(nil)}
}

// resumeKeys takes the keys from the session that is resumed.
func (hs *serverHandshake) resumeKeys() error { return hs.resumeMaster(hs.resumed) }

// resumeMaster derives the keys of this connection from the master secret of a session
// (RFC 5246, Section 6.3).
func (hs *handshake) resumeMaster(s *session) error {
	hs.master = slices.Clone(s.secret)
	s.wipe()
	return hs.installKeys()
}

func (hs *serverHandshake) sendServerHello() error { return hs.send(hs.hello.Marshal()) }

// sendTicket sends NewSessionTicket if it was promised. A session that is too large for
// one costs the promise an empty ticket (RFC 5077, Section 3.3).
func (hs *serverHandshake) sendTicket() error {
	if !hs.giveTicket {
		return nil
	}
	now := hs.config.now()
	s := hs.ownSession(now)
	m := &message.NewSessionTicket{LifetimeHint: uint32(max(s.remaining(now), 0) / time.Second)}
	var err error
	if m.Ticket, err = hs.config.SessionTickets.seal(s, now); errors.Is(err, errSessionSize) {
		m.LifetimeHint = 0
	} else if err != nil {
		return wire.Refuse(wire.AlertInternalError, "ticket: %w", err)
	}
	return hs.send(m.Marshal())
}

// cacheSession puts the session of a full handshake into the cache. It comes before the
// server's Finished, after which the client may resume it.
func (hs *serverHandshake) cacheSession() error {
	if hs.giveTicket || len(hs.id) == 0 {
		return nil
	}
	s := hs.ownSession(hs.config.now())
	data, err := s.marshal()
	if err != nil {
		return nil // too large; the client will get a full handshake
	}
	hs.config.SessionCache.Put([sessionIDSize]byte(hs.id), CachedSession{State: data, Handle: s.handle, Expires: s.expires()})
	return nil
}

// ownSession returns the session of this connection.
func (hs *serverHandshake) ownSession(now time.Time) *session {
	if hs.resumed == nil {
		return hs.config.newSession(hs.state, hs.master, hs.trustID, now)
	}
	return hs.resumed.renew(hs.master, now)
}

// recognizeClient makes known who the client is, once its Finished has shown that it
// has the secret of the session.
func (hs *serverHandshake) recognizeClient() error {
	hs.state.PeerCertificates = hs.resumed.peerChain
	hs.state.SignatureScheme = hs.resumed.scheme
	return nil
}

// clientSession is what the client's side of TLS 1.2 knows about sessions.
type clientSession struct {
	offered *ClientSession // nil if there is none to resume
	resumed *session       // nil in a full handshake

	expectTicket bool // the server promised NewSessionTicket
	ticket       *message.NewSessionTicket
	id           []byte // of ServerHello
}

// sessionKey is the key of this client's sessions with its server.
func (c *Conn) sessionKey() string {
	if c.config.ServerName != "" {
		return c.config.ServerName
	}
	if addr := c.conn.RemoteAddr(); addr != nil {
		return addr.String()
	}
	return ""
}

// keptSession returns the session that ClientSessions keeps with the server. A cache of
// somebody else may have one that this package did not make.
func (c *Conn) keptSession() (*ClientSession, bool) {
	s, ok := c.config.ClientSessions.Get(c.sessionKey())
	return s, ok && s != nil && s.session != nil
}

// offerSession adds to ClientHello what asks for a session to be resumed, or for a
// ticket.
func (hs *clientHandshake) offerSession() error {
	if hs.config.ClientSessions == nil {
		return nil
	}
	var ticket []byte
	if s, ok := hs.keptSession(); ok && hs.canOffer(s) {
		hs.offered, ticket = s, s.ticket
		hs.hello.SessionID = s.id
	}
	if len(ticket) > 0 {
		// RFC 5077, Section 3.4: by an id the client sees whether the ticket was
		// taken.
		hs.hello.SessionID = make([]byte, sessionIDSize)
		if err := hs.randomBytes(hs.hello.SessionID); err != nil {
			return err
		}
	}
	hs.hello.Extensions = append(hs.hello.Extensions, message.SessionTicket(ticket))
	return nil
}

// canOffer reports whether a session is one of TLS 1.2 or before that this client may
// speak to this server now.
func (hs *clientHandshake) canOffer(s *ClientSession) bool {
	return s.version <= VersionTLS12 && s.version <= hs.hello.Version && s.ems && s.alive(hs.config.now()) &&
		slices.Contains(hs.hello.CipherSuites, s.suite) && s.serverName == hs.state.ServerName &&
		len(s.secret) == masterSize
}

// readAnswerToSession looks into ServerHello whether the session is resumed, and what
// comes of a new one.
func (hs *clientHandshake) readAnswerToSession(hello *message.ServerHello) error {
	hs.expectTicket = hello.Known.Ticket != nil
	hs.id = hello.SessionID
	if hs.offered == nil || len(hello.SessionID) == 0 || !bytes.Equal(hello.SessionID, hs.hello.SessionID) {
		return nil
	}
	s := hs.offered.session
	// RFC 7627, Section 5.3.
	if !hello.Known.ExtendedMasterSecret {
		return wire.Refuse(wire.AlertHandshakeFailure, "server resumes without extended master secret")
	}
	if hello.CipherSuite != s.suite || hello.Version != s.version {
		return wire.Refuse(wire.AlertIllegalParameter, "server resumes with version %#04x and suite %#04x, which are not those of the session",
			hello.Version, hello.CipherSuite)
	}
	hs.resumed = s
	hs.serverChain = s.peerChain
	hs.state.Curve = s.curve
	hs.state.Resumed = true
	return nil
}

// runResumed is the abbreviated handshake. The server speaks first, and has proven by
// its Finished that it is the one of the session before it is judged again.
func (hs *clientHandshake) runResumed() error {
	return inOrder(
		hs.resumeKeys,

		hs.readTicket,         // NewSessionTicket*
		hs.readServerFinished, // ChangeCipherSpec, Finished
		hs.judgeServer,

		hs.sendClientFinished, // ChangeCipherSpec, Finished
		hs.keepSession,
	)
}

// resumeKeys takes the keys from the session that is resumed. The cache may give it to
// others, so its secret stays.
func (hs *clientHandshake) resumeKeys() error {
	s := *hs.resumed
	s.secret = slices.Clone(s.secret)
	return hs.resumeMaster(&s)
}

// readTicket reads NewSessionTicket if it was promised.
func (hs *clientHandshake) readTicket() error {
	if !hs.expectTicket {
		return nil
	}
	body, err := hs.read(message.TypeNewSessionTicket)
	if err != nil {
		return err
	}
	if hs.ticket, err = message.ParseNewSessionTicket(body); err != nil {
		return wire.Malformed("NewSessionTicket", err)
	}
	return nil
}

// keepSession keeps what the server gave to resume this session by. What is left of an
// older one, which the server did not want, is dropped.
func (hs *clientHandshake) keepSession() error {
	cache := hs.config.ClientSessions
	if cache == nil {
		return nil
	}
	s, ok := hs.nextSession()
	switch {
	case ok:
		cache.Put(hs.sessionKey(), s)
	case hs.resumed == nil && hs.offered != nil:
		cache.Put(hs.sessionKey(), nil)
	}
	return nil
}

// nextSession returns what this connection leaves to the next one.
func (hs *clientHandshake) nextSession() (*ClientSession, bool) {
	next := &ClientSession{id: hs.id}
	lifetime := time.Duration(0)
	if hs.ticket != nil {
		next.ticket = slices.Clone(hs.ticket.Ticket)
		lifetime = min(time.Duration(hs.ticket.LifetimeHint)*time.Second, MaxSessionLifetime)
	}
	fresh := len(next.ticket) > 0 || (hs.resumed == nil && len(next.id) > 0)
	if !fresh || !hs.ems || len(next.ticket) > maxTicketSize {
		return nil, false
	}
	next.session = hs.config.newSession(hs.state, slices.Clone(hs.master), "", hs.config.now())
	if lifetime > 0 {
		next.lifetime = lifetime // the server knows; zero means that it does not say
	}
	return next, true
}

// dropSession forgets a session whose resumption failed: the next try is a full
// handshake.
func (hs *clientHandshake) dropSession(err error) error {
	if _, timeout := errors.AsType[net.Error](err); err != nil && !timeout && hs.offered != nil {
		hs.config.ClientSessions.Put(hs.sessionKey(), nil)
	}
	return err
}
