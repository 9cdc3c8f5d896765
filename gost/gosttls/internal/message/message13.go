package message

import "golang.org/x/crypto/cryptobyte"

// Types of messages of TLS 1.3, RFC 8446, Section 4.
const (
	TypeEncryptedExtensions Type = 8
	TypeKeyUpdate           Type = 24
	TypeMessageHash         Type = 254
)

// FirstScheme13 and LastScheme13 enclose the signature schemes of RFC 9367, Section
// 5, which are numbered like the curves in Section 6.1.2.
const (
	FirstScheme13  uint16 = 0x0709 // gostr34102012_256a
	FirstScheme512 uint16 = 0x070d // gostr34102012_512a
	LastScheme13   uint16 = 0x070f // gostr34102012_512c
)

// HashOfHello returns the message that stands for the first ClientHello in the
// transcript after a HelloRetryRequest (RFC 8446, Section 4.4.1).
func HashOfHello(sum []byte) []byte {
	return marshal(TypeMessageHash, func(b *cryptobyte.Builder) { b.AddBytes(sum) })
}

// EncryptedExtensions is RFC 8446, Section 4.3.1.
type EncryptedExtensions struct {
	Extensions []Extension
}

// ParseEncryptedExtensions parses the body of EncryptedExtensions. The errors are
// ErrSyntax and ErrDuplicateExtension.
func ParseEncryptedExtensions(body []byte) (*EncryptedExtensions, error) {
	m := new(EncryptedExtensions)
	s := cryptobyte.String(body)
	var err error
	if m.Extensions, err = readBlock(&s); err != nil {
		return nil, err
	}
	if !s.Empty() {
		return nil, ErrSyntax
	}
	return m, nil
}

// Marshal returns the message.
func (m *EncryptedExtensions) Marshal() []byte {
	return marshal(TypeEncryptedExtensions, func(b *cryptobyte.Builder) { addBlock(b, m.Extensions) })
}

// readBlock reads a list of extensions, whose length is never omitted in TLS 1.3.
func readBlock(s *cryptobyte.String) ([]Extension, error) {
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) {
		return nil, ErrSyntax
	}
	return readList(list)
}

// addBlock writes what readBlock reads.
func addBlock(b *cryptobyte.Builder, all []Extension) {
	if all == nil {
		all = []Extension{}
	}
	addExtensions(b, all)
}

// CertificateRequest13 is RFC 8446, Section 4.3.2.
type CertificateRequest13 struct {
	Context    []byte
	Extensions []Extension

	// Schemes is what ParseCertificateRequest13 found in signature_algorithms,
	// nil if that is absent. Marshal ignores it.
	Schemes []uint16
}

// ParseCertificateRequest13 parses the body of a CertificateRequest of TLS 1.3. The
// errors are ErrSyntax and ErrDuplicateExtension.
func ParseCertificateRequest13(body []byte) (*CertificateRequest13, error) {
	m := new(CertificateRequest13)
	s := cryptobyte.String(body)
	var context cryptobyte.String
	if !s.ReadUint8LengthPrefixed(&context) {
		return nil, ErrSyntax
	}
	m.Context = context
	var err error
	if m.Extensions, err = readBlock(&s); err != nil {
		return nil, err
	}
	for _, e := range m.Extensions {
		if e.Type != ExtSignatureAlgorithms {
			continue
		}
		data := cryptobyte.String(e.Data)
		var ok bool
		if m.Schemes, ok = readUint16s(&data); !ok || !data.Empty() {
			return nil, ErrSyntax
		}
	}
	if !s.Empty() {
		return nil, ErrSyntax
	}
	return m, nil
}

// Marshal returns the message.
func (m *CertificateRequest13) Marshal() []byte {
	return marshal(TypeCertificateRequest, func(b *cryptobyte.Builder) {
		addBytes8(b, m.Context)
		addBlock(b, m.Extensions)
	})
}

// CertificateEntry is one certificate of a chain.
type CertificateEntry struct {
	DER        []byte
	Extensions []Extension
}

// Certificate13 is RFC 8446, Section 4.4.2.
type Certificate13 struct {
	Context []byte
	Entries []CertificateEntry // leaf first; a client without a certificate sends none
}

// ParseCertificate13 parses the body of a Certificate of TLS 1.3. The errors are
// ErrSyntax and ErrDuplicateExtension.
func ParseCertificate13(body []byte) (*Certificate13, error) {
	m := new(Certificate13)
	s := cryptobyte.String(body)
	var context, list cryptobyte.String
	if !s.ReadUint8LengthPrefixed(&context) || !s.ReadUint24LengthPrefixed(&list) || !s.Empty() {
		return nil, ErrSyntax
	}
	m.Context = context
	for !list.Empty() {
		var entry CertificateEntry
		var der cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&der) || der.Empty() {
			return nil, ErrSyntax
		}
		entry.DER = der
		var err error
		if entry.Extensions, err = readBlock(&list); err != nil {
			return nil, err
		}
		m.Entries = append(m.Entries, entry)
	}
	return m, nil
}

// Marshal returns the message.
func (m *Certificate13) Marshal() []byte {
	return marshal(TypeCertificate, func(b *cryptobyte.Builder) {
		addBytes8(b, m.Context)
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, entry := range m.Entries {
				b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(entry.DER) })
				addBlock(b, entry.Extensions)
			}
		})
	})
}

// SessionTicket13 is the NewSessionTicket of RFC 8446, Section 4.6.1.
type SessionTicket13 struct {
	Lifetime   uint32 // in seconds
	AgeAdd     uint32
	Nonce      []byte
	Ticket     []byte
	Extensions []Extension
}

// ParseSessionTicket13 parses the body of a NewSessionTicket of TLS 1.3. The errors
// are ErrSyntax and ErrDuplicateExtension.
func ParseSessionTicket13(body []byte) (*SessionTicket13, error) {
	m := new(SessionTicket13)
	s := cryptobyte.String(body)
	var nonce, ticket cryptobyte.String
	if !s.ReadUint32(&m.Lifetime) || !s.ReadUint32(&m.AgeAdd) || !s.ReadUint8LengthPrefixed(&nonce) ||
		!s.ReadUint16LengthPrefixed(&ticket) || ticket.Empty() {
		return nil, ErrSyntax
	}
	m.Nonce, m.Ticket = nonce, ticket
	var err error
	if m.Extensions, err = readBlock(&s); err != nil {
		return nil, err
	}
	if !s.Empty() {
		return nil, ErrSyntax
	}
	return m, nil
}

// Marshal returns the message.
func (m *SessionTicket13) Marshal() []byte {
	return marshal(TypeNewSessionTicket, func(b *cryptobyte.Builder) {
		b.AddUint32(m.Lifetime)
		b.AddUint32(m.AgeAdd)
		addBytes8(b, m.Nonce)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(m.Ticket) })
		addBlock(b, m.Extensions)
	})
}

// KeyUpdate is RFC 8446, Section 4.6.3.
type KeyUpdate struct {
	// Requested asks the peer to change its keys as well.
	Requested bool
}

// ParseKeyUpdate parses the body of a KeyUpdate. The errors are ErrSyntax and
// ErrIllegal.
func ParseKeyUpdate(body []byte) (*KeyUpdate, error) {
	if len(body) != 1 {
		return nil, ErrSyntax
	}
	if body[0] > 1 {
		return nil, ErrIllegal
	}
	return &KeyUpdate{Requested: body[0] == 1}, nil
}

// Marshal returns the message.
func (m *KeyUpdate) Marshal() []byte {
	var request uint8
	if m.Requested {
		request = 1
	}
	return marshal(TypeKeyUpdate, func(b *cryptobyte.Builder) { b.AddUint8(request) })
}
