package gosttls

import (
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/wire"
)

// maxKeyUpdates bounds how many KeyUpdates a peer may send in a row: each costs us a
// key schedule and brings nothing.
const maxKeyUpdates = wire.MaxUselessRecords

// afterHandshake takes handshake bytes after the handshake. Conn.in is locked.
func (c *Conn) afterHandshake(content []byte) error {
	if c.traffic == nil {
		return c.refuseRenegotiation(content)
	}
	if err := c.in.AddHandshake(content); err != nil {
		return err
	}
	for {
		typ, raw, ok, err := c.in.TakeMessage()
		if err != nil || !ok {
			return err
		}
		body := raw[message.HeaderSize:]
		switch {
		case typ == message.TypeKeyUpdate:
			err = c.takeKeyUpdate(body)
		case typ == message.TypeNewSessionTicket && c.isClient:
			err = c.takeTicket(body)
		default:
			// Among them CertificateRequest: this side never offers to
			// authenticate after the handshake (RFC 8446, Section 4.6.2).
			err = wire.Refuse(wire.AlertUnexpectedMessage, "handshake message %d after the handshake", typ)
		}
		if err != nil {
			return err
		}
	}
}

// takeKeyUpdate changes the keys of the receiving direction (RFC 8446, Section 4.6.3).
func (c *Conn) takeKeyUpdate(body []byte) error {
	m, err := message.ParseKeyUpdate(body)
	if err != nil {
		return wire.Malformed("KeyUpdate", err)
	}
	t := c.traffic
	if t.updates++; t.updates > maxKeyUpdates {
		return wire.Refuse(wire.AlertUnexpectedMessage, "more than %d KeyUpdates without data", maxKeyUpdates)
	}
	t.in.Update()
	next, err := t.in.Protector(t.suite)
	if err != nil {
		return wire.Refuse(wire.AlertInternalError, "record keys: %w", err)
	}
	if m.Requested {
		c.out.UpdateOwed.Store(true)
	}
	return c.in.Switch(next)
}

// takeTicket keeps what the server gives to resume the session by.
func (c *Conn) takeTicket(body []byte) error {
	m, err := message.ParseSessionTicket13(body)
	if err != nil {
		return wire.Malformed("NewSessionTicket", err)
	}
	c.keepTicket(m)
	return nil
}

// receivedData is called with every record of application data that is not empty:
// limits that hold without data start anew.
func (c *Conn) receivedData() {
	if c.traffic != nil {
		c.traffic.updates = 0
		c.in.ForgetHandshake()
	}
}
