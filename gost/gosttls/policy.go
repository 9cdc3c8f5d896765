package gosttls

import (
	"errors"

	"propusk/gost/gosttls/internal/wire"
)

// judgeProven asks the hooks about a peer that has proven its key: first the one that
// only looks, so that the one that may refuse can see what it found. A server calls it
// in every handshake, resumed or not, before the first byte of application data.
func (c *Conn) judgeProven() error {
	c.askVerdict()
	return c.verifyPeer(c.state)
}

// askVerdict asks Config.Verdict.
func (c *Conn) askVerdict() {
	if c.config.Verdict != nil {
		c.state.Verdict = c.config.Verdict(c.state)
	}
}

// verifyPeer asks Config.VerifyPeer about the certificates of the peer.
func (c *Conn) verifyPeer(state ConnectionState) error {
	if c.config.VerifyPeer == nil {
		return nil
	}
	err := c.config.VerifyPeer(state)
	if err == nil {
		return nil
	}
	alert := wire.AlertBadCertificate
	if chosen, ok := errors.AsType[*AlertError](err); ok && chosen.Alert.Fatal() {
		alert = chosen.Alert
	}
	return wire.Refuse(alert, "certificate of the peer: %w", err)
}
