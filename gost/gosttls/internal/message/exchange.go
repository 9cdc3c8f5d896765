package message

import (
	"bytes"
	encodingasn1 "encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ClientKeyExchange is the structure GostKeyTransport of RFC 9189, Section
// 4.2.4.1, of the suites with CTR_OMAC. The body of the message is its DER, without a length in front.
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

// paramZ is id-tc26-gost-28147-param-Z, the only substitutions of RFC 9189, Section
// 4.2.4.2.
var paramZ = encodingasn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 5, 1, 1}

// tag0 is the tag [0] IMPLICIT of a SEQUENCE.
var tag0 = asn1.Tag(0).Constructed().ContextSpecific()

// ClientKeyExchange28147 is the structure TLSGostKeyTransportBlob of RFC 9189, Section
// 4.2.4.2, of the suites with CNT_IMIT. The body of the message is its DER, without a
// length in front.
type ClientKeyExchange28147 struct {
	EncryptedKey []byte // CEK_ENC
	MAC          []byte // CEK_MAC
	EphemeralKey []byte // DER of a SubjectPublicKeyInfo
	UKM          []byte // IV

	// Proxies is the whole element that old clients append: proxyKeyBlobs of
	// draft-chudov-cryptopro-cptls-04. Nobody here reads it. Nil if absent.
	Proxies []byte
}

// ParseClientKeyExchange28147 parses the body of a ClientKeyExchange. It is strict DER
// without trailing bytes, with all the elements that the RFC calls always used and none
// that it calls omitted; the ephemeral key is checked to be one SEQUENCE and not
// further. The error is ErrSyntax.
func ParseClientKeyExchange28147(body []byte) (*ClientKeyExchange28147, error) {
	outer := cryptobyte.String(body)
	var blob, transport, sealed, params, proxies cryptobyte.String
	if !outer.ReadASN1(&blob, asn1.SEQUENCE) || !outer.Empty() ||
		!blob.ReadASN1(&transport, asn1.SEQUENCE) {
		return nil, ErrSyntax
	}
	m := new(ClientKeyExchange28147)
	if !blob.Empty() {
		if !blob.ReadASN1Element(&proxies, asn1.SEQUENCE) || !blob.Empty() {
			return nil, ErrSyntax
		}
		m.Proxies = proxies
	}
	if !transport.ReadASN1(&sealed, asn1.SEQUENCE) || !transport.ReadASN1(&params, tag0) || !transport.Empty() {
		return nil, ErrSyntax
	}
	if !m.readSealed(sealed) || !m.readParams(params) {
		return nil, ErrSyntax
	}
	return m, nil
}

// readSealed reads Gost28147-89-EncryptedKey without maskKey.
func (m *ClientKeyExchange28147) readSealed(s cryptobyte.String) bool {
	var key, mac cryptobyte.String
	ok := s.ReadASN1(&key, asn1.OCTET_STRING) && s.ReadASN1(&mac, asn1.OCTET_STRING) && s.Empty()
	m.EncryptedKey, m.MAC = key, mac
	return ok
}

// readParams reads GostR3410-TransportParameters.
func (m *ClientKeyExchange28147) readParams(s cryptobyte.String) bool {
	var oid encodingasn1.ObjectIdentifier
	var key, ukm cryptobyte.String
	if !s.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(paramZ) || !s.ReadASN1Element(&key, tag0) ||
		!s.ReadASN1(&ukm, asn1.OCTET_STRING) || !s.Empty() {
		return false
	}
	m.EphemeralKey = retag(key, asn1.SEQUENCE)
	m.UKM = ukm
	return true
}

// retag returns a copy of an element with another tag.
func retag(der []byte, tag asn1.Tag) []byte {
	out := bytes.Clone(der)
	out[0] = byte(tag)
	return out
}

// Marshal returns the message.
func (m *ClientKeyExchange28147) Marshal() []byte {
	return marshal(TypeClientKeyExchange, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1OctetString(m.EncryptedKey)
					b.AddASN1OctetString(m.MAC)
				})
				b.AddASN1(tag0, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(paramZ)
					b.AddBytes(retag(m.EphemeralKey, tag0))
					b.AddASN1OctetString(m.UKM)
				})
			})
			b.AddBytes(m.Proxies)
		})
	})
}

// Finished is RFC 5246, Section 7.4.9.
type Finished struct {
	VerifyData []byte
}

// ParseFinished parses the body of a Finished whose verify_data has size bytes. The
// error is ErrSyntax.
func ParseFinished(body []byte, size int) (*Finished, error) {
	if len(body) != size {
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
