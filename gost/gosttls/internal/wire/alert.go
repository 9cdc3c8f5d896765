// Package wire is the record layer of a TLS 1.2 connection with the suites of RFC
// 9189: it turns the bytes of the connection below into records and handshake
// messages, and back, and deals with alerts.
package wire

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
	AlertCertificateRevoked     Alert = 44
	AlertCertificateExpired     Alert = 45
	AlertCertificateUnknown     Alert = 46
	AlertIllegalParameter       Alert = 47
	AlertUnknownCA              Alert = 48
	AlertAccessDenied           Alert = 49
	AlertDecodeError            Alert = 50
	AlertDecryptError           Alert = 51
	AlertProtocolVersion        Alert = 70
	AlertInternalError          Alert = 80
	AlertInappropriateFallback  Alert = 86
	AlertUserCanceled           Alert = 90
	AlertNoRenegotiation        Alert = 100
	AlertMissingExtension       Alert = 109
	AlertUnsupportedExtension   Alert = 110
	AlertCertificateRequired    Alert = 116
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
	case AlertInappropriateFallback:
		return "inappropriate_fallback"
	case AlertUserCanceled:
		return "user_canceled"
	case AlertNoRenegotiation:
		return "no_renegotiation"
	case AlertMissingExtension:
		return "missing_extension"
	case AlertUnsupportedExtension:
		return "unsupported_extension"
	}
	return a.otherName()
}

// otherName names the alerts of verification, and those that only peers send.
func (a Alert) otherName() string {
	switch a {
	case 21:
		return "decryption_failed"
	case 30:
		return "decompression_failure"
	case AlertCertificateRevoked:
		return "certificate_revoked"
	case AlertCertificateExpired:
		return "certificate_expired"
	case AlertCertificateUnknown:
		return "certificate_unknown"
	case AlertUnknownCA:
		return "unknown_ca"
	case AlertAccessDenied:
		return "access_denied"
	case 71:
		return "insufficient_security"
	case 112:
		return "unrecognized_name"
	case AlertCertificateRequired:
		return "certificate_required"
	case 120:
		return "no_application_protocol"
	}
	return ""
}

// Levels of alerts, RFC 5246, Section 7.2.
const (
	LevelWarning uint8 = 1
	LevelFatal   uint8 = 2
)

// Fatal reports whether the alert ends a connection by a failure.
func (a Alert) Fatal() bool {
	return a.level() == LevelFatal && a != AlertUserCanceled
}

// level returns the level at which an alert is sent. RFC 5246, Section 7.2.2,
// wants no_renegotiation as a warning.
func (a Alert) level() uint8 {
	if a == AlertCloseNotify || a == AlertNoRenegotiation {
		return LevelWarning
	}
	return LevelFatal
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

// Refuse returns the error that ends the connection with the given alert.
func Refuse(alert Alert, format string, args ...any) error {
	return &ProtocolError{Alert: alert, Err: fmt.Errorf(format, args...)}
}

// Malformed translates the error of a parser of the named message.
func Malformed(what string, err error) error {
	alert := AlertDecodeError
	if errors.Is(err, message.ErrDuplicateExtension) || errors.Is(err, message.ErrIllegal) {
		alert = AlertIllegalParameter
	}
	return Refuse(alert, "%s: %w", what, err)
}

// unprotectable translates the error of a record.Protector.
func unprotectable(err error) error {
	switch {
	case errors.Is(err, record.ErrMAC):
		return Refuse(AlertBadRecordMAC, "read record: %w", err)
	case errors.Is(err, record.ErrInnerType):
		return Refuse(AlertUnexpectedMessage, "read record: %w", err)
	case errors.Is(err, record.ErrLength):
		return Refuse(AlertRecordOverflow, "read record: %w", err)
	}
	return Refuse(AlertInternalError, "read record: %w", err)
}
