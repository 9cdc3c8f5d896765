package message

import (
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// Numbers of the extensions that this package understands.
const (
	ExtServerName           uint16 = 0      // RFC 6066, Section 3
	ExtSupportedGroups      uint16 = 10     // RFC 8422, Section 5.1.1
	ExtSignatureAlgorithms  uint16 = 13     // RFC 5246, Section 7.4.1.4.1
	ExtExtendedMasterSecret uint16 = 23     // RFC 7627, Section 5.1
	ExtSupportedVersions    uint16 = 43     // RFC 8446, Section 4.2.1
	ExtRenegotiationInfo    uint16 = 0xff01 // RFC 5746, Section 3.2
)

// maxExtensions bounds the work on duplicates: a hello of 64 KiB has room for
// 16,384 empty extensions. Browsers send about 20.
const maxExtensions = 128

// Extension is one extension of a hello message.
type Extension struct {
	Type uint16
	Data []byte
}

// Known holds the extensions that matter to us.
type Known struct {
	// ServerName is the host_name, empty if there is none. A server's
	// acknowledgement is empty as well.
	ServerName string

	Groups   []uint16 // supported_groups, nil if absent
	Schemes  []uint16 // signature_algorithms, nil if absent
	Versions []uint16 // supported_versions of a client, nil if absent

	ExtendedMasterSecret bool

	// Ticket is the content of SessionTicket: nil if the extension is absent,
	// empty but not nil if there is no ticket in it.
	Ticket []byte

	// Renegotiation is the content of renegotiation_info: nil if the extension
	// is absent, empty but not nil in a first handshake.
	Renegotiation []byte
}

// ServerName returns the server_name extension of a client.
func ServerName(name string) Extension {
	return build(ExtServerName, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8(0) // host_name
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
		})
	})
}

// SupportedGroups returns the supported_groups extension.
func SupportedGroups(groups []uint16) Extension {
	return build(ExtSupportedGroups, func(b *cryptobyte.Builder) { addUint16s(b, groups) })
}

// SignatureAlgorithms returns the signature_algorithms extension.
func SignatureAlgorithms(schemes []uint16) Extension {
	return build(ExtSignatureAlgorithms, func(b *cryptobyte.Builder) { addUint16s(b, schemes) })
}

// ExtendedMasterSecret returns the extended_master_secret extension.
func ExtendedMasterSecret() Extension {
	return Extension{Type: ExtExtendedMasterSecret}
}

// RenegotiationInfo returns the renegotiation_info extension of a first
// handshake.
func RenegotiationInfo() Extension {
	return build(ExtRenegotiationInfo, func(b *cryptobyte.Builder) { b.AddUint8(0) })
}

func build(typ uint16, data cryptobyte.BuilderContinuation) Extension {
	var b cryptobyte.Builder
	data(&b)
	return Extension{Type: typ, Data: b.BytesOrPanic()}
}

// readExtensions reads the rest of a hello: nothing, or one list of extensions.
func readExtensions(s cryptobyte.String) ([]Extension, error) {
	if s.Empty() {
		return nil, nil
	}
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) || !s.Empty() {
		return nil, ErrSyntax
	}
	return readList(list)
}

// readList reads the extensions of a list.
func readList(list cryptobyte.String) ([]Extension, error) {
	all := []Extension{}
	seen := make(map[uint16]bool)
	for !list.Empty() {
		var e Extension
		var data cryptobyte.String
		if !list.ReadUint16(&e.Type) || !list.ReadUint16LengthPrefixed(&data) || len(all) == maxExtensions {
			return nil, ErrSyntax
		}
		if seen[e.Type] {
			return nil, ErrDuplicateExtension
		}
		seen[e.Type] = true
		e.Data = data
		all = append(all, e)
	}
	return all, nil
}

func addExtensions(b *cryptobyte.Builder, all []Extension) {
	if all == nil {
		return
	}
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, e := range all {
			b.AddUint16(e.Type)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.Data) })
		}
	})
}

// sender is who sent a hello: some extensions look different from each side.
type sender bool

const (
	fromClient sender = false
	fromServer sender = true
)

// understand decodes the known extensions, strictly, and ignores all others.
func understand(all []Extension, from sender) (Known, error) {
	var k Known
	for _, e := range all {
		if !k.decode(e, from) {
			return Known{}, ErrSyntax
		}
	}
	return k, nil
}

func (k *Known) decode(e Extension, from sender) (ok bool) {
	s := cryptobyte.String(e.Data)
	switch e.Type {
	case ExtServerName:
		if from == fromServer {
			return s.Empty()
		}
		k.ServerName, ok = readServerName(s)
		return ok
	case ExtSupportedGroups:
		k.Groups, ok = readUint16s(&s)
	case ExtSignatureAlgorithms:
		k.Schemes, ok = readUint16s(&s)
	case ExtExtendedMasterSecret:
		k.ExtendedMasterSecret, ok = true, true
	case ExtSupportedVersions:
		if from == fromServer {
			return true // belongs to TLS 1.3; the caller refuses what it did not offer
		}
		var list cryptobyte.String
		if !s.ReadUint8LengthPrefixed(&list) {
			return false
		}
		k.Versions, ok = uint16s(list)
	case ExtSessionTicket:
		k.Ticket = append([]byte{}, e.Data...)
		return from == fromClient || s.Empty()
	case ExtRenegotiationInfo:
		var data cryptobyte.String
		ok = s.ReadUint8LengthPrefixed(&data)
		k.Renegotiation = append([]byte{}, data...)
	default:
		return true
	}
	return ok && s.Empty()
}

// readServerName returns the host_name of a ServerNameList. RFC 6066, Section
// 3, knows only this type and forbids two names of one type.
func readServerName(s cryptobyte.String) (string, bool) {
	var list, name cryptobyte.String
	var typ uint8
	if !s.ReadUint16LengthPrefixed(&list) || !s.Empty() ||
		!list.ReadUint8(&typ) || typ != 0 ||
		!list.ReadUint16LengthPrefixed(&name) || !list.Empty() {
		return "", false
	}
	return string(name), ValidServerName(string(name))
}

// ValidServerName keeps control characters and spaces out of what others log and
// compare. It does not check the syntax of DNS.
func ValidServerName(name string) bool {
	return len(name) > 0 && len(name) <= 255 &&
		!strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
