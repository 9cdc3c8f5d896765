package gosttls

import (
	"errors"
	"fmt"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
)

// Alert is the description of a TLS alert (RFC 5246, Section 7.2).
type Alert uint8

// Alerts that this package sends or gives a meaning to.
const (
	AlertCloseNotify            Alert = 0
	AlertUnexpectedMessage      Alert = 10
	AlertBadRecordMAC           Alert = 20
	AlertRecordOverflow         Alert = 22
	AlertHandshakeFailure       Alert = 40
	AlertBadCertificate         Alert = 42
	AlertUnsupportedCertificate Alert = 43
	AlertIllegalParameter       Alert = 47
	AlertDecodeError            Alert = 50
	AlertDecryptError           Alert = 51
	AlertProtocolVersion        Alert = 70
	AlertInternalError          Alert = 80
	AlertUserCanceled           Alert = 90
	AlertNoRenegotiation        Alert = 100
	AlertUnsupportedExtension   Alert = 110
)

// String returns the name that RFC 5246 gives to the alert, and its number.
func (a Alert) String() string {
	if name := a.name(); name != "" {
		return fmt.Sprintf("%s (%d)", name, uint8(a))
	}
	return fmt.Sprintf("alert %d", uint8(a))
}

func (a Alert) name() string {
	switch a {
	case AlertCloseNotify:
		return "close_notify"
	case AlertUnexpectedMessage:
		return "unexpected_message"
	case AlertBadRecordMAC:
		return "bad_record_mac"
	case AlertRecordOverflow:
		return "record_overflow"
	case AlertHandshakeFailure:
		return "handshake_failure"
	case AlertBadCertificate:
		return "bad_certificate"
	case AlertUnsupportedCertificate:
		return "unsupported_certificate"
	case AlertIllegalParameter:
		return "illegal_parameter"
	case AlertDecodeError:
		return "decode_error"
	case AlertDecryptError:
		return "decrypt_error"
	case AlertProtocolVersion:
		return "protocol_version"
	case AlertInternalError:
		return "internal_error"
	case AlertUserCanceled:
		return "user_canceled"
	case AlertNoRenegotiation:
		return "no_renegotiation"
	case AlertUnsupportedExtension:
		return "unsupported_extension"
	}
	return nameOfForeignAlert(a)
}

// nameOfForeignAlert names alerts that only peers send.
func nameOfForeignAlert(a Alert) string {
	switch a {
	case 21:
		return "decryption_failed"
	case 30:
		return "decompression_failure"
	case 44:
		return "certificate_revoked"
	case 45:
		return "certificate_expired"
	case 46:
		return "certificate_unknown"
	case 48:
		return "unknown_ca"
	case 49:
		return "access_denied"
	case 71:
		return "insufficient_security"
	case 86:
		return "inappropriate_fallback"
	case 112:
		return "unrecognized_name"
	case 120:
		return "no_application_protocol"
	}
	return ""
}

// Levels of alerts, RFC 5246, Section 7.2.
const (
	levelWarning uint8 = 1
	levelFatal   uint8 = 2
)

// level returns the level at which an alert is sent. RFC 5246, Section 7.2.2,
// wants no_renegotiation as a warning.
func (a Alert) level() uint8 {
	if a == AlertCloseNotify || a == AlertNoRenegotiation {
		return levelWarning
	}
	return levelFatal
}

// RemoteError says that the peer ended the connection with a fatal alert.
type RemoteError struct {
	Alert Alert
}

// Error implements error.
func (e *RemoteError) Error() string { return "gosttls: peer sent alert " + e.Alert.String() }

// ProtocolError says that this side ended the connection, why, and which alert
// it told the peer.
type ProtocolError struct {
	Alert Alert
	Err   error
}

// Error implements error.
func (e *ProtocolError) Error() string { return fmt.Sprintf("gosttls: %v: %v", e.Alert, e.Err) }

// Unwrap returns the cause.
func (e *ProtocolError) Unwrap() error { return e.Err }

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
	ErrSequenceExhausted = errors.New("gosttls: record numbers are used up")

	// ErrNoCertificate is the cause of a handshake error when the server
	// requires a client certificate and got none.
	ErrNoCertificate = errors.New("client sent no certificate")

	// ErrNoSharedSuite is the cause of a handshake error when the client offers
	// nothing that the server serves.
	ErrNoSharedSuite = errors.New("no cipher suite or curve in common")
)

// refuse returns the error that ends the connection with the given alert.
func refuse(alert Alert, format string, args ...any) error {
	return &ProtocolError{Alert: alert, Err: fmt.Errorf(format, args...)}
}

// malformed translates the error of a parser of the named message.
func malformed(what string, err error) error {
	alert := AlertDecodeError
	if errors.Is(err, message.ErrDuplicateExtension) {
		alert = AlertIllegalParameter
	}
	return refuse(alert, "%s: %w", what, err)
}

// unprotectable translates the error of a record.Protector.
func unprotectable(err error) error {
	switch {
	case errors.Is(err, record.ErrMAC):
		return refuse(AlertBadRecordMAC, "read record: %w", err)
	case errors.Is(err, record.ErrLength):
		return refuse(AlertRecordOverflow, "read record: %w", err)
	}
	return refuse(AlertInternalError, "read record: %w", err)
}
