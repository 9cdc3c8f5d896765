package message

import (
	"bytes"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// ClientHello is RFC 5246, Section 7.4.1.2.
type ClientHello struct {
	Version      uint16
	Random       [RandomSize]byte
	SessionID    []byte // up to 32 bytes
	CipherSuites []uint16
	Compressions []byte

	// Extensions are all extensions in order. Nil means that the hello ends
	// before their length.
	Extensions []Extension

	// Known is what ParseClientHello understood of Extensions. Marshal ignores
	// it.
	Known Known
}

// ParseClientHello parses the body of a ClientHello. The errors are ErrSyntax
// and ErrDuplicateExtension.
func ParseClientHello(body []byte) (*ClientHello, error) {
	h := new(ClientHello)
	s := cryptobyte.String(body)
	var sessionID, compressions cryptobyte.String
	var ok bool
	if !s.ReadUint16(&h.Version) || !s.CopyBytes(h.Random[:]) ||
		!s.ReadUint8LengthPrefixed(&sessionID) || len(sessionID) > 32 {
		return nil, ErrSyntax
	}
	if h.CipherSuites, ok = readUint16s(&s); !ok {
		return nil, ErrSyntax
	}
	if !s.ReadUint8LengthPrefixed(&compressions) || compressions.Empty() {
		return nil, ErrSyntax
	}
	h.SessionID, h.Compressions = sessionID, compressions
	var err error
	if h.Extensions, err = readExtensions(s); err != nil {
		return nil, err
	}
	if h.Known, err = understand(h.Extensions, fromClient); err != nil {
		return nil, err
	}
	return h, nil
}

// Marshal returns the message.
func (h *ClientHello) Marshal() []byte {
	return marshal(TypeClientHello, func(b *cryptobyte.Builder) {
		b.AddUint16(h.Version)
		b.AddBytes(h.Random[:])
		addBytes8(b, h.SessionID)
		addUint16s(b, h.CipherSuites)
		addBytes8(b, h.Compressions)
		addExtensions(b, h.Extensions)
	})
}

// Offers reports whether the client speaks the given version: by the extension
// supported_versions if it is there (RFC 8446, Section 4.2.1), else by the
// highest version that the client named.
func (h *ClientHello) Offers(version uint16) bool {
	if h.Known.Versions != nil {
		return slices.Contains(h.Known.Versions, version)
	}
	return h.Version >= version
}

// ServerHello is RFC 5246, Section 7.4.1.3.
type ServerHello struct {
	Version     uint16
	Random      [RandomSize]byte
	SessionID   []byte // up to 32 bytes
	CipherSuite uint16
	Compression uint8

	// Extensions are all extensions in order. Nil means that the hello ends
	// before their length.
	Extensions []Extension

	// Known is what ParseServerHello understood of Extensions. Marshal ignores
	// it.
	Known Known
}

// ParseServerHello parses the body of a ServerHello. The errors are ErrSyntax
// and ErrDuplicateExtension.
func ParseServerHello(body []byte) (*ServerHello, error) {
	h := new(ServerHello)
	s := cryptobyte.String(body)
	var sessionID cryptobyte.String
	if !s.ReadUint16(&h.Version) || !s.CopyBytes(h.Random[:]) ||
		!s.ReadUint8LengthPrefixed(&sessionID) || len(sessionID) > 32 ||
		!s.ReadUint16(&h.CipherSuite) || !s.ReadUint8(&h.Compression) {
		return nil, ErrSyntax
	}
	h.SessionID = sessionID
	var err error
	if h.Extensions, err = readExtensions(s); err != nil {
		return nil, err
	}
	if h.Known, err = understand(h.Extensions, fromServer); err != nil {
		return nil, err
	}
	return h, nil
}

// Marshal returns the message.
func (h *ServerHello) Marshal() []byte {
	return marshal(TypeServerHello, func(b *cryptobyte.Builder) {
		b.AddUint16(h.Version)
		b.AddBytes(h.Random[:])
		addBytes8(b, h.SessionID)
		b.AddUint16(h.CipherSuite)
		b.AddUint8(h.Compression)
		addExtensions(b, h.Extensions)
	})
}

func addBytes8(b *cryptobyte.Builder, v []byte) {
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(v) })
}

// SupportsNullCompression reports whether the client offers the only method that
// RFC 9189, Section 4.2.1, allows.
func (h *ClientHello) SupportsNullCompression() bool {
	return bytes.IndexByte(h.Compressions, 0) >= 0
}
