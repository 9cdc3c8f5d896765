package message

import "golang.org/x/crypto/cryptobyte"

// ExtSessionTicket is the number of the SessionTicket extension (RFC 5077, Section
// 3.2).
const ExtSessionTicket uint16 = 35

// SessionTicket returns the SessionTicket extension: with the ticket of a session to
// resume, or without one, to say that one is welcome (client) or will come (server).
// Unlike other extensions it has no length of its own.
func SessionTicket(ticket []byte) Extension {
	return Extension{Type: ExtSessionTicket, Data: ticket}
}

// NewSessionTicket is RFC 5077, Section 3.3: that of TLS 1.2 and before.
type NewSessionTicket struct {
	LifetimeHint uint32 // in seconds; zero means unspecified
	Ticket       []byte // empty: the server gives none after all
}

// ParseNewSessionTicket parses the body of a NewSessionTicket. The error is ErrSyntax.
func ParseNewSessionTicket(body []byte) (*NewSessionTicket, error) {
	m := new(NewSessionTicket)
	s := cryptobyte.String(body)
	var ticket cryptobyte.String
	if !s.ReadUint32(&m.LifetimeHint) || !s.ReadUint16LengthPrefixed(&ticket) || !s.Empty() {
		return nil, ErrSyntax
	}
	m.Ticket = ticket
	return m, nil
}

// Marshal returns the message.
func (m *NewSessionTicket) Marshal() []byte {
	return marshal(TypeNewSessionTicket, func(b *cryptobyte.Builder) {
		b.AddUint32(m.LifetimeHint)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(m.Ticket) })
	})
}
