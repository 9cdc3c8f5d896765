package message

import "golang.org/x/crypto/cryptobyte"

// Certificate is RFC 5246, Section 7.4.2 and 7.4.6.
type Certificate struct {
	// Chain holds DER certificates, leaf first. A client without a certificate
	// sends an empty chain.
	Chain [][]byte
}

// ParseCertificate parses the body of a Certificate. The error is ErrSyntax.
func ParseCertificate(body []byte) (*Certificate, error) {
	m := new(Certificate)
	s := cryptobyte.String(body)
	var list cryptobyte.String
	if !s.ReadUint24LengthPrefixed(&list) || !s.Empty() {
		return nil, ErrSyntax
	}
	for !list.Empty() {
		var der cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&der) || der.Empty() {
			return nil, ErrSyntax
		}
		m.Chain = append(m.Chain, der)
	}
	return m, nil
}

// Marshal returns the message.
func (m *Certificate) Marshal() []byte {
	return marshal(TypeCertificate, func(b *cryptobyte.Builder) {
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, der := range m.Chain {
				b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(der) })
			}
		})
	})
}

// Types of client certificates, RFC 9189, Section 7.
const (
	CertGOST256 uint8 = 67
	CertGOST512 uint8 = 68
)

// Types of client certificates before there was a standard: Section 10, and gost_sign
// for keys of GOST R 34.10-2001.
const (
	CertGOST2001  uint8 = 22
	CertLegacy256 uint8 = 238
	CertLegacy512 uint8 = 239
)

// Signature schemes, RFC 9189, Section 5: the hash is intrinsic (8).
const (
	SchemeGOST256 uint16 = 0x0840
	SchemeGOST512 uint16 = 0x0841
)

// Signature schemes before there was a standard: RFC 9189, Section 10.
const (
	SchemeLegacy256 uint16 = 0xeeee
	SchemeLegacy512 uint16 = 0xefef
)

// version12 is TLS 1.2, the first version with signature schemes.
const version12 uint16 = 0x0303

// CertificateRequest is RFC 5246, Section 7.4.4.
type CertificateRequest struct {
	Types       []byte   // at least one
	Schemes     []uint16 // at least one; nil before TLS 1.2, which has no schemes
	Authorities [][]byte // DER names, may be empty
}

// ParseCertificateRequest parses the body of a CertificateRequest of TLS 1.2, or of a
// version before. The error is ErrSyntax.
func ParseCertificateRequest(body []byte, version uint16) (*CertificateRequest, error) {
	m := new(CertificateRequest)
	s := cryptobyte.String(body)
	var types, names cryptobyte.String
	var ok bool
	if !s.ReadUint8LengthPrefixed(&types) || types.Empty() {
		return nil, ErrSyntax
	}
	m.Types = types
	if version >= version12 {
		if m.Schemes, ok = readUint16s(&s); !ok {
			return nil, ErrSyntax
		}
	}
	if !s.ReadUint16LengthPrefixed(&names) || !s.Empty() {
		return nil, ErrSyntax
	}
	for !names.Empty() {
		var name cryptobyte.String
		if !names.ReadUint16LengthPrefixed(&name) || name.Empty() {
			return nil, ErrSyntax
		}
		m.Authorities = append(m.Authorities, name)
	}
	return m, nil
}

// Marshal returns the message.
func (m *CertificateRequest) Marshal() []byte {
	return marshal(TypeCertificateRequest, func(b *cryptobyte.Builder) {
		addBytes8(b, m.Types)
		if m.Schemes != nil {
			addUint16s(b, m.Schemes)
		}
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, name := range m.Authorities {
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(name) })
			}
		})
	})
}

// CertificateVerify is RFC 9189, Section 4.2.5. The zero value of Scheme is not on the
// wire.
type CertificateVerify struct {
	Scheme    uint16 // zero before TLS 1.2, which has no schemes
	Signature []byte // LE(r) | LE(s)

	// Bare says that there is no length before the signature, as some clients have
	// it before TLS 1.2.
	Bare bool
}

// ParseCertificateVerify parses the body of a CertificateVerify of TLS 1.2, or of a
// version before. The errors are ErrSyntax, and ErrIllegal for a scheme of zero.
func ParseCertificateVerify(body []byte, version uint16) (*CertificateVerify, error) {
	if version < version12 && (len(body) == 64 || len(body) == 128) {
		return &CertificateVerify{Signature: body, Bare: true}, nil
	}
	m := new(CertificateVerify)
	s := cryptobyte.String(body)
	var sig cryptobyte.String
	if version >= version12 && !s.ReadUint16(&m.Scheme) {
		return nil, ErrSyntax
	}
	if !s.ReadUint16LengthPrefixed(&sig) || !s.Empty() {
		return nil, ErrSyntax
	}
	if version >= version12 && m.Scheme == 0 {
		return nil, ErrIllegal
	}
	m.Signature = sig
	return m, nil
}

// Marshal returns the message.
func (m *CertificateVerify) Marshal() []byte {
	return marshal(TypeCertificateVerify, func(b *cryptobyte.Builder) {
		if m.Bare {
			b.AddBytes(m.Signature)
			return
		}
		if m.Scheme != 0 {
			b.AddUint16(m.Scheme)
		}
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(m.Signature) })
	})
}
