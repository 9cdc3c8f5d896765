package gosttls

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/schedule"
	"propusk/gost/gosttls/internal/wire"
)

// resumption13 is what a side of TLS 1.3 decides about sessions.
type resumption13 struct {
	// resumed is the session that this handshake resumes, nil in a full one, and
	// pskNumber its number among the identities of the hello.
	resumed   *session
	pskNumber *uint16

	// trustID is that of the beginning of the handshake.
	trustID string
}

// psk returns the pre-shared key, nil in a full handshake.
func (r *resumption13) psk() []byte {
	if r.resumed == nil {
		return nil
	}
	return r.resumed.secret
}

// maxTries is how many identities of a hello are tried. A client of ours sends one.
const maxTries = 4

// findSession looks for a session that can be resumed. A ticket that does not open or
// may not be used any more costs the client a full handshake; a binder that is wrong
// costs it the connection, because it has a ticket of somebody else (RFC 8446, Section
// 4.2.11). The age of a ticket is not looked at: it matters for early data only
// (Section 8.2), and a ticket knows itself when it was made.
func (hs *serverHandshake13) findSession() error {
	hs.trustID = hs.config.trustID()
	psks := hs.offer.PSKs
	if psks == nil || hs.config.SessionTickets == nil || !slices.Contains(hs.offer.PSKModes, message.PSKWithECDHE) {
		return nil
	}
	now := hs.config.now()
	for i, id := range psks.Identities[:min(len(psks.Identities), maxTries)] {
		s, ok := hs.config.SessionTickets.open(id.Ticket, now)
		if !ok || !fits13(s) {
			continue
		}
		if !hs.proves(s, psks, i) {
			return wire.Refuse(wire.AlertDecryptError, "binder %d does not match", i)
		}
		if hs.config.mayResume(s, hs.state.ServerName, hs.trustID, now) {
			hs.take(s, uint16(i))
			return nil
		}
	}
	return nil
}

// fits13 reports whether a session is one of TLS 1.3. Its suite may be another one: all
// have the same hash function, which is what a pre-shared key is bound to (RFC 8446,
// Section 4.2.11).
func fits13(s *session) bool { return s.version == VersionTLS13 && len(s.secret) == schedule.Size }

// proves reports whether the binder shows that the client has the key of the session.
// The transcript ends with the ClientHello.
func (hs *serverHandshake13) proves(s *session, psks *message.PreSharedKeys, i int) bool {
	early := schedule.New(s.secret)
	defer early.Wipe()
	want := early.Binder(schedule.ResumptionBinder, hs.transcript.truncatedHash(psks.BindersSize()))
	return subtle.ConstantTimeCompare(psks.Binders[i], want) == 1
}

// take resumes a session. The binder has proven that the client is the one of the
// session.
func (hs *serverHandshake13) take(s *session, number uint16) {
	hs.resumed, hs.pskNumber = s, &number
	hs.state.Resumed = true
	hs.state.Established = s.created
	hs.state.Session = s.handle
	hs.state.Curve = s.curve
	hs.state.SignatureScheme = s.scheme
	hs.state.SchemeMismatch = s.schemeMismatch
	hs.clientChain = s.peerChain
}

// beginSession names the session of a full handshake.
func (hs *serverHandshake13) beginSession() error {
	if hs.resumed != nil || !hs.givesTicket() {
		return nil
	}
	return hs.randomBytes(hs.state.Session[:])
}

// givesTicket reports whether the client gets a ticket: it must know how to use it.
func (hs *serverHandshake13) givesTicket() bool {
	return hs.config.SessionTickets != nil && hs.config.sessionLifetime() > 0 &&
		slices.Contains(hs.offer.PSKModes, message.PSKWithECDHE)
}

// sendTicket sends a NewSessionTicket. That it cannot be sent is no failure of the
// handshake: the client may have said all it wanted, and be gone.
func (hs *serverHandshake13) sendTicket() error {
	// Whoever has it can make the keys of all tickets of this connection, and only
	// this one is made here.
	defer hs.traffic.resumption.Wipe()
	if !hs.givesTicket() {
		return nil
	}
	var fresh [4 + ticketNonce13]byte
	if err := hs.randomBytes(fresh[:]); err != nil {
		return err
	}
	m := &message.SessionTicket13{AgeAdd: binary.BigEndian.Uint32(fresh[:]), Nonce: fresh[4:]}
	now := hs.config.now()
	s := hs.ownSession(hs.traffic.resumption.PSK(m.Nonce), now)
	defer s.wipe()
	s.ageAdd = m.AgeAdd
	m.Lifetime = uint32(max(s.remaining(now), 0) / time.Second)
	if m.Lifetime == 0 {
		return nil
	}
	var err error
	if m.Ticket, err = hs.config.SessionTickets.seal(s, now); errors.Is(err, errSessionSize) {
		return nil
	} else if err != nil {
		return wire.Refuse(wire.AlertInternalError, "ticket: %w", err)
	}
	if err := hs.out.Queue(wire.TypeHandshake, m.Marshal()); err != nil {
		return err
	}
	_ = hs.out.Flush()
	return nil
}

// ticketNonce13 is the length in bytes of ticket_nonce.
const ticketNonce13 = 8

// ownSession returns the session of this connection for a new ticket.
func (hs *serverHandshake13) ownSession(psk []byte, now time.Time) *session {
	if hs.resumed == nil {
		s := hs.config.newSession(hs.state, psk, hs.trustID, now)
		s.schemeMismatch = hs.state.SchemeMismatch
		return s
	}
	return hs.resumed.renew(psk, now)
}

// findSession13 looks for a session of TLS 1.3 with this server. It is used for one
// connection: whoever sees the same ticket twice knows who comes back (RFC 8446,
// Appendix C.4).
func (hs *clientHandshake) findSession13() {
	cache := hs.config.ClientSessions
	if cache == nil {
		return
	}
	s, ok := hs.keptSession()
	if !ok || !fits13(s.session) || !s.alive(hs.config.now()) || s.serverName != hs.state.ServerName {
		return
	}
	cache.Put(hs.sessionKey(), nil)
	hs.offered13 = s
}

// addTicket adds the ticket of an earlier session to a hello, as the last extension.
// The binder is zero until bind.
func (o *clientOffer13) addTicket(hello *message.ClientHello, now time.Time) {
	if o.offered13 == nil {
		return
	}
	age := uint32(now.Sub(o.offered13.issued).Milliseconds())
	o.psks = &message.PreSharedKeys{
		// RFC 8446, Section 4.2.11.1: nobody else sees how old the ticket is.
		Identities: []message.Identity{{Ticket: o.offered13.ticket, Age: age + o.offered13.ageAdd}},
		Binders:    [][]byte{make([]byte, schedule.Size)},
	}
	hello.Extensions = append(hello.Extensions, o.psks.Extension())
}

// bind writes the binder into a marshalled hello that follows the transcript so far
// (RFC 8446, Section 4.2.11.2).
func (o *clientOffer13) bind(raw []byte, t *transcript) {
	if o.psks == nil {
		return
	}
	early := schedule.New(o.offered13.secret)
	defer early.Wipe()
	binder := early.Binder(schedule.ResumptionBinder, t.hashWith(raw[:len(raw)-o.psks.BindersSize()]))
	copy(raw[len(raw)-len(binder):], binder)
}

// resume takes the parameters of the session that was offered. The server's Finished
// proves that it has the key as well.
func (hs *clientHandshake13) resume() {
	s := hs.offered13.session
	hs.resumed = s
	hs.serverChain = s.peerChain
	hs.state.Resumed = true
	hs.state.Curve = s.curve
	hs.state.SignatureScheme = s.scheme
	hs.state.SchemeMismatch = s.schemeMismatch
}

// keepTicket keeps what resumes this session.
func (c *Conn) keepTicket(m *message.SessionTicket13) {
	cache := c.config.ClientSessions
	lifetime := min(time.Duration(m.Lifetime)*time.Second, MaxSessionLifetime)
	if cache == nil || lifetime <= 0 || len(m.Ticket) > maxTicketSize {
		return
	}
	s := c.config.newSession(c.state, c.traffic.resumption.PSK(m.Nonce), "", c.config.now())
	s.lifetime = lifetime
	s.ageAdd = m.AgeAdd
	s.schemeMismatch = c.state.SchemeMismatch
	cache.Put(c.sessionKey(), &ClientSession{session: s, ticket: slices.Clone(m.Ticket)})
}
