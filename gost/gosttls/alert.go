package gosttls

import (
	"errors"

	"propusk/gost/gosttls/internal/wire"
)

// Alert is the description of a TLS alert (RFC 5246, Section 7.2). Its String
// method gives name and number.
type Alert = wire.Alert

// Alerts for an [AlertError], RFC 5246, Section 7.2.2, and RFC 8446, Section 6.2.
const (
	AlertHandshakeFailure       = wire.AlertHandshakeFailure
	AlertBadCertificate         = wire.AlertBadCertificate
	AlertUnsupportedCertificate = wire.AlertUnsupportedCertificate
	AlertCertificateRevoked     = wire.AlertCertificateRevoked
	AlertCertificateExpired     = wire.AlertCertificateExpired
	AlertCertificateUnknown     = wire.AlertCertificateUnknown
	AlertUnknownCA              = wire.AlertUnknownCA
	AlertAccessDenied           = wire.AlertAccessDenied
	AlertInternalError          = wire.AlertInternalError
)

// AlertError is an error of [Config.VerifyPeer] that says which alert the peer is to
// get. An alert that does not end a connection, as close_notify, is replaced by
// bad_certificate.
type AlertError struct {
	Alert Alert // what the peer gets
	Err   error // why; must not be nil
}

// Error implements error.
func (e *AlertError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *AlertError) Unwrap() error { return e.Err }

// RemoteError says that the peer ended the connection with an alert.
type RemoteError = wire.RemoteError

// ProtocolError says that this side ended the connection, why, and which alert
// it told the peer.
type ProtocolError = wire.ProtocolError

// Errors that callers may want to count or to tell apart.
var (
	// ErrGOSTProbe is the error of a handshake that the client ended with the
	// alert illegal_parameter right after the server's first flight.
	// Chromium-Gost does so on purpose: it finds out whether the server picks a
	// GOST suite, and then connects again through the installed cryptographic
	// provider. It is a normal event, not a failure.
	ErrGOSTProbe = errors.New("gosttls: client probed for GOST and left")

	// ErrSequenceExhausted is returned by Write when the cipher suite allows no
	// more records on this connection (RFC 9189, Section 4.3.5). The peer has
	// been told by close_notify.
	ErrSequenceExhausted = wire.ErrSequenceExhausted

	// ErrNoCertificate is the cause of a handshake error when the server
	// requires a client certificate and got none.
	ErrNoCertificate = errors.New("client sent no certificate")

	// ErrNoSharedSuite is the cause of a handshake error when the client offers
	// nothing that the server serves.
	ErrNoSharedSuite = errors.New("no cipher suite or curve in common")
)
