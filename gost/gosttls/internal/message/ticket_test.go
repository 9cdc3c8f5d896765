package message

import (
	"bytes"
	"errors"
	"testing"
)

// ticketMessage is the body of a NewSessionTicket.
var ticketMessage = []byte{0, 0, 0x1c, 0x20, 0, 3, 'a', 'b', 'c'}

func TestNewSessionTicket(t *testing.T) {
	m, err := ParseNewSessionTicket(ticketMessage)
	if err != nil || m.LifetimeHint != 7200 || string(m.Ticket) != "abc" {
		t.Fatalf("%+v, %v", m, err)
	}
	for n := range ticketMessage {
		if m, err := ParseNewSessionTicket(ticketMessage[:n]); !errors.Is(err, ErrSyntax) || m != nil {
			t.Errorf("first %d bytes: %v, %v", n, m, err)
		}
	}
	if m, err := ParseNewSessionTicket(append(bytes.Clone(ticketMessage), 0)); !errors.Is(err, ErrSyntax) || m != nil {
		t.Errorf("trailing byte: %v, %v", m, err)
	}
	// RFC 5077, Section 3.3: a server may think better of it.
	if m, err := ParseNewSessionTicket(make([]byte, 6)); err != nil || len(m.Ticket) != 0 {
		t.Errorf("empty ticket: %v, %v", m, err)
	}
}

// The extension has no length of its own (RFC 5077, Appendix A), and a server has
// nothing to put into it.
func TestSessionTicketExtension(t *testing.T) {
	for _, ticket := range []string{"", "ticket"} {
		got, err := ParseClientHello(hello(SessionTicket([]byte(ticket))).Marshal()[HeaderSize:])
		if err != nil || got.Known.Ticket == nil || string(got.Known.Ticket) != ticket {
			t.Errorf("%q: %+v, %v", ticket, got, err)
		}
		server := &ServerHello{Version: 0x0303, CipherSuite: 0xc100, Extensions: []Extension{SessionTicket([]byte(ticket))}}
		answer, err := ParseServerHello(server.Marshal()[HeaderSize:])
		if ticket == "" && (err != nil || answer.Known.Ticket == nil) {
			t.Errorf("from a server: %+v, %v", answer, err)
		}
		if ticket != "" && !errors.Is(err, ErrSyntax) {
			t.Errorf("%q from a server: %v", ticket, err)
		}
	}
	if got, err := ParseClientHello(hello().Marshal()[HeaderSize:]); err != nil || got.Known.Ticket != nil {
		t.Errorf("without the extension: %+v, %v", got, err)
	}
}

func FuzzNewSessionTicket(f *testing.F) {
	f.Add(ticketMessage)
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := ParseNewSessionTicket(body)
		if err != nil {
			if m != nil || !errors.Is(err, ErrSyntax) {
				t.Fatalf("%x: %v, %v", body, m, err)
			}
			return
		}
		if back := m.Marshal(); Type(back[0]) != TypeNewSessionTicket || !bytes.Equal(back[HeaderSize:], body) {
			t.Fatalf("%x is written as %x", body, back)
		}
	})
}
