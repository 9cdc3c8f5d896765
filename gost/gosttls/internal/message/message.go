// Package message reads and writes the handshake messages of TLS 1.2 (RFC 5246,
// Section 7.4) in the profile of RFC 9189.
//
// Parsers take the body of a message, without the four bytes of type and length;
// Marshal methods return the whole message. What a parser accepts, Marshal
// writes back byte for byte. Parsed slices point into the body.
package message

import (
	"errors"

	"golang.org/x/crypto/cryptobyte"
)

// Type is the type of a handshake message.
type Type uint8

// Types of messages, RFC 5246, Section 7.4.
const (
	TypeHelloRequest       Type = 0
	TypeClientHello        Type = 1
	TypeServerHello        Type = 2
	TypeNewSessionTicket   Type = 4 // RFC 5077, Section 3.3
	TypeCertificate        Type = 11
	TypeCertificateRequest Type = 13
	TypeServerHelloDone    Type = 14
	TypeCertificateVerify  Type = 15
	TypeClientKeyExchange  Type = 16
	TypeFinished           Type = 20
)

// HeaderSize is the length of type and length in bytes.
const HeaderSize = 4

// MaxBody limits the body of a message in bytes. Without a limit a peer could
// make us hold 16 MiB before anything is known about it.
const MaxBody = 1 << 16

// RandomSize is the length of a hello random in bytes.
const RandomSize = 32

// Errors of all parsers.
var (
	// ErrSyntax means wrong lengths, missing or trailing bytes.
	ErrSyntax = errors.New("malformed message")

	// ErrDuplicateExtension means that a hello has two extensions of one type
	// (RFC 5246, Section 7.4.1.4).
	ErrDuplicateExtension = errors.New("duplicate extension")

	// ErrIllegal means that the lengths are right and a value is not allowed.
	ErrIllegal = errors.New("illegal value in a message")
)

// marshal returns a message of the given type. The body is ours, so a failure to
// build it is a mistake of this program.
func marshal(typ Type, body cryptobyte.BuilderContinuation) []byte {
	var b cryptobyte.Builder
	b.AddUint8(uint8(typ))
	b.AddUint24LengthPrefixed(body)
	return b.BytesOrPanic()
}

// readUint16s reads a list of 16-bit values that must not be empty.
func readUint16s(s *cryptobyte.String) ([]uint16, bool) {
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) {
		return nil, false
	}
	return uint16s(list)
}

func uint16s(list cryptobyte.String) ([]uint16, bool) {
	values := make([]uint16, 0, len(list)/2)
	for !list.Empty() {
		var v uint16
		if !list.ReadUint16(&v) {
			return nil, false
		}
		values = append(values, v)
	}
	return values, len(values) > 0
}

func addUint16s(b *cryptobyte.Builder, values []uint16) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, v := range values {
			b.AddUint16(v)
		}
	})
}
