package message

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ClientKeyExchange is the structure GostKeyTransport of RFC 9189, Section
// 4.2.4.1. The body of the message is its DER, without a length in front.
type ClientKeyExchange struct {
	KeyExp       []byte // the premaster secret under KExp15
	EphemeralKey []byte // DER of a SubjectPublicKeyInfo

	// UKM must be ignored by the server; nil if absent.
	UKM []byte
}

// ParseClientKeyExchange parses the body of a ClientKeyExchange. It is strict
// DER without trailing bytes; the ephemeral key is checked to be one SEQUENCE and
// not further. The error is ErrSyntax.
func ParseClientKeyExchange(body []byte) (*ClientKeyExchange, error) {
	m := new(ClientKeyExchange)
	outer := cryptobyte.String(body)
	var s, keyExp, key, ukm cryptobyte.String
	var hasUKM bool
	if !outer.ReadASN1(&s, asn1.SEQUENCE) || !outer.Empty() ||
		!s.ReadASN1(&keyExp, asn1.OCTET_STRING) ||
		!s.ReadASN1Element(&key, asn1.SEQUENCE) ||
		!s.ReadOptionalASN1(&ukm, &hasUKM, asn1.OCTET_STRING) || !s.Empty() {
		return nil, ErrSyntax
	}
	m.KeyExp, m.EphemeralKey = keyExp, key
	if hasUKM {
		m.UKM = append([]byte{}, ukm...)
	}
	return m, nil
}

// Marshal returns the message.
func (m *ClientKeyExchange) Marshal() []byte {
	return marshal(TypeClientKeyExchange, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(m.KeyExp)
			b.AddBytes(m.EphemeralKey)
			if m.UKM != nil {
				b.AddASN1OctetString(m.UKM)
			}
		})
	})
}

// Finished is RFC 5246, Section 7.4.9.
type Finished struct {
	VerifyData []byte
}

// FinishedSize is the length of VerifyData in bytes for the suites with CTR_OMAC
// (RFC 9189, Section 4.2.6).
const FinishedSize = 32

// ParseFinished parses the body of a Finished. The error is ErrSyntax.
func ParseFinished(body []byte) (*Finished, error) {
	if len(body) != FinishedSize {
		return nil, ErrSyntax
	}
	return &Finished{VerifyData: body}, nil
}

// Marshal returns the message.
func (m *Finished) Marshal() []byte {
	return marshal(TypeFinished, func(b *cryptobyte.Builder) { b.AddBytes(m.VerifyData) })
}

// ServerHelloDone returns the message of RFC 5246, Section 7.4.5.
func ServerHelloDone() []byte {
	return marshal(TypeServerHelloDone, func(*cryptobyte.Builder) {})
}
