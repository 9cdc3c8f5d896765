package message

import (
	"bytes"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// Numbers of the extensions of TLS 1.3 (RFC 8446, Section 4.2).
const (
	ExtPadding      uint16 = 21 // RFC 7685
	ExtPreSharedKey uint16 = 41
	ExtEarlyData    uint16 = 42
	ExtCookie       uint16 = 44
	ExtPSKModes     uint16 = 45
	ExtKeyShare     uint16 = 51
)

// PSKWithECDHE is psk_dhe_ke, the only mode of a pre-shared key that this program
// uses (RFC 8446, Section 4.2.9).
const PSKWithECDHE uint8 = 1

// Limits on the lists of a ClientHello of TLS 1.3. A hello of 64 KiB has room for
// 16,384 empty shares; clients send at most a handful of each.
const (
	maxKeyShares  = 32
	maxIdentities = 32
)

// RetryRandom is the random of a ServerHello that is a HelloRetryRequest (RFC 8446,
// Section 4.1.3).
var RetryRandom = [RandomSize]byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

// IsRetry reports whether the message is a HelloRetryRequest.
func (h *ServerHello) IsRetry() bool { return h.Random == RetryRandom }

// KeyShare is RFC 8446, Section 4.2.8: an ephemeral public key.
type KeyShare struct {
	Group uint16
	Key   []byte // LE(x) | LE(y): RFC 9367, Section 6.1.1.3
}

// Identity names a pre-shared key (RFC 8446, Section 4.2.11).
type Identity struct {
	Ticket []byte
	Age    uint32 // obfuscated_ticket_age
}

// PreSharedKeys is the extension pre_shared_key of a client.
type PreSharedKeys struct {
	Identities []Identity
	Binders    [][]byte // as many
}

// BindersSize returns how many bytes the list of binders takes at the end of a
// ClientHello. What the binders cover ends there (RFC 8446, Section 4.2.11.2).
func (p *PreSharedKeys) BindersSize() int {
	n := 2
	for _, binder := range p.Binders {
		n += 1 + len(binder)
	}
	return n
}

// Offer13 is what a ClientHello says about TLS 1.3 beyond Known.
type Offer13 struct {
	Shares    []KeyShare     // nil without key_share, which may be empty
	PSKModes  []uint8        // nil if absent
	PSKs      *PreSharedKeys // nil if absent
	Cookie    []byte         // nil if absent
	EarlyData bool
}

// ParseOffer13 decodes the extensions of TLS 1.3 of a client. The errors are
// ErrSyntax and ErrIllegal.
func ParseOffer13(h *ClientHello) (*Offer13, error) {
	o := new(Offer13)
	for i, e := range h.Extensions {
		// RFC 8446, Section 4.2.11: or what the binders cover would not be the
		// beginning of the hello.
		if e.Type == ExtPreSharedKey && i != len(h.Extensions)-1 {
			return nil, ErrIllegal
		}
		if !o.decode(e) {
			return nil, ErrSyntax
		}
	}
	if !o.consistent() {
		return nil, ErrIllegal
	}
	return o, nil
}

func (o *Offer13) decode(e Extension) (ok bool) {
	s := cryptobyte.String(e.Data)
	switch e.Type {
	case ExtKeyShare:
		o.Shares, ok = readKeyShares(&s)
	case ExtPSKModes:
		o.PSKModes, ok = readBytes8(&s)
	case ExtPreSharedKey:
		o.PSKs, ok = readPreSharedKeys(&s)
	case ExtCookie:
		o.Cookie, ok = readCookie(&s)
	case ExtEarlyData:
		o.EarlyData, ok = true, true
	default:
		return true
	}
	return ok && s.Empty()
}

// consistent checks what RFC 8446 wants of the values: one share for a group
// (Section 4.2.8), one binder for an identity (Section 4.2.11).
func (o *Offer13) consistent() bool {
	seen := make(map[uint16]bool, len(o.Shares))
	for _, share := range o.Shares {
		if seen[share.Group] {
			return false
		}
		seen[share.Group] = true
	}
	return o.PSKs == nil || len(o.PSKs.Identities) == len(o.PSKs.Binders)
}

func readKeyShares(s *cryptobyte.String) ([]KeyShare, bool) {
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) {
		return nil, false
	}
	shares := []KeyShare{}
	for !list.Empty() {
		share, ok := readKeyShare(&list)
		if !ok || len(shares) == maxKeyShares {
			return nil, false
		}
		shares = append(shares, share)
	}
	return shares, true
}

func readKeyShare(s *cryptobyte.String) (share KeyShare, ok bool) {
	var key cryptobyte.String
	ok = s.ReadUint16(&share.Group) && s.ReadUint16LengthPrefixed(&key) && !key.Empty()
	share.Key = key
	return share, ok
}

// readBytes8 reads a list of bytes that must not be empty.
func readBytes8(s *cryptobyte.String) ([]byte, bool) {
	var list cryptobyte.String
	ok := s.ReadUint8LengthPrefixed(&list) && !list.Empty()
	return list, ok
}

func readCookie(s *cryptobyte.String) ([]byte, bool) {
	var cookie cryptobyte.String
	ok := s.ReadUint16LengthPrefixed(&cookie) && !cookie.Empty()
	return cookie, ok
}

// minBinder is the least length of a binder in bytes (RFC 8446, Section 4.2.11).
const minBinder = 32

func readPreSharedKeys(s *cryptobyte.String) (*PreSharedKeys, bool) {
	p := new(PreSharedKeys)
	var identities, binders cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&identities) || !s.ReadUint16LengthPrefixed(&binders) ||
		identities.Empty() || binders.Empty() {
		return nil, false
	}
	for !identities.Empty() {
		var id Identity
		var ticket cryptobyte.String
		if !identities.ReadUint16LengthPrefixed(&ticket) || ticket.Empty() || !identities.ReadUint32(&id.Age) ||
			len(p.Identities) == maxIdentities {
			return nil, false
		}
		id.Ticket = ticket
		p.Identities = append(p.Identities, id)
	}
	for !binders.Empty() {
		var binder cryptobyte.String
		if !binders.ReadUint8LengthPrefixed(&binder) || len(binder) < minBinder || len(p.Binders) == maxIdentities {
			return nil, false
		}
		p.Binders = append(p.Binders, binder)
	}
	return p, true
}

// SupportedVersions returns the supported_versions extension of a client.
func SupportedVersions(versions []uint16) Extension {
	return build(ExtSupportedVersions, func(b *cryptobyte.Builder) {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, v := range versions {
				b.AddUint16(v)
			}
		})
	})
}

// KeyShares returns the key_share extension of a client.
func KeyShares(shares []KeyShare) Extension {
	return build(ExtKeyShare, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, share := range shares {
				addKeyShare(b, share)
			}
		})
	})
}

func addKeyShare(b *cryptobyte.Builder, share KeyShare) {
	b.AddUint16(share.Group)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(share.Key) })
}

// PSKModes returns the psk_key_exchange_modes extension.
func PSKModes(modes []uint8) Extension {
	return build(ExtPSKModes, func(b *cryptobyte.Builder) { addBytes8(b, modes) })
}

// Cookie returns the cookie extension.
func Cookie(cookie []byte) Extension {
	return build(ExtCookie, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(cookie) })
	})
}

// Extension returns the pre_shared_key extension of a client, which must be its
// last one.
func (p *PreSharedKeys) Extension() Extension {
	return build(ExtPreSharedKey, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, id := range p.Identities {
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(id.Ticket) })
				b.AddUint32(id.Age)
			}
		})
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, binder := range p.Binders {
				addBytes8(b, binder)
			}
		})
	})
}

// Answer13 is what a ServerHello says about TLS 1.3, or a HelloRetryRequest.
type Answer13 struct {
	Version uint16 // zero without supported_versions

	// Share is the server's ephemeral key, nil if there is none. In a
	// HelloRetryRequest Group is there instead, zero if absent.
	Share *KeyShare
	Group uint16

	// Cookie is of a HelloRetryRequest, nil if absent.
	Cookie []byte

	// PSK is the number of the identity that the server took, nil if none.
	PSK *uint16
}

// ParseAnswer13 decodes the extensions of TLS 1.3 of a server. The error is
// ErrSyntax.
func ParseAnswer13(h *ServerHello) (*Answer13, error) {
	a := new(Answer13)
	for _, e := range h.Extensions {
		if !a.decode(e, h.IsRetry()) {
			return nil, ErrSyntax
		}
	}
	return a, nil
}

func (a *Answer13) decode(e Extension, retry bool) (ok bool) {
	s := cryptobyte.String(e.Data)
	switch e.Type {
	case ExtSupportedVersions:
		ok = s.ReadUint16(&a.Version)
	case ExtKeyShare:
		if retry {
			ok = s.ReadUint16(&a.Group)
			break
		}
		var share KeyShare
		share, ok = readKeyShare(&s)
		a.Share = &share
	case ExtCookie:
		a.Cookie, ok = readCookie(&s)
	case ExtPreSharedKey:
		a.PSK = new(uint16)
		ok = s.ReadUint16(a.PSK)
	default:
		return true
	}
	return ok && s.Empty()
}

// Extensions returns the extensions in the order in which OpenSSL writes them.
func (a *Answer13) Extensions() []Extension {
	var all []Extension
	number := func(typ, v uint16) {
		all = append(all, build(typ, func(b *cryptobyte.Builder) { b.AddUint16(v) }))
	}
	if a.Version != 0 {
		number(ExtSupportedVersions, a.Version)
	}
	if a.Share != nil {
		all = append(all, build(ExtKeyShare, func(b *cryptobyte.Builder) { addKeyShare(b, *a.Share) }))
	}
	if a.Group != 0 {
		number(ExtKeyShare, a.Group)
	}
	if a.Cookie != nil {
		all = append(all, Cookie(a.Cookie))
	}
	if a.PSK != nil {
		number(ExtPreSharedKey, *a.PSK)
	}
	return all
}

// Set replaces the extension of the same type, or adds it as the last one.
func (h *ClientHello) Set(e Extension) {
	i := slices.IndexFunc(h.Extensions, func(old Extension) bool { return old.Type == e.Type })
	if i < 0 {
		h.Extensions = append(h.Extensions, e)
		return
	}
	h.Extensions[i] = e
}

// SameButRetried reports whether the second hello of a client differs from the
// first only in what a HelloRetryRequest allows it to change (RFC 8446, Section
// 4.1.2).
func (h *ClientHello) SameButRetried(first *ClientHello) bool {
	if h.Version != first.Version || h.Random != first.Random ||
		!bytes.Equal(h.SessionID, first.SessionID) || !bytes.Equal(h.Compressions, first.Compressions) ||
		!slices.Equal(h.CipherSuites, first.CipherSuites) {
		return false
	}
	return slices.EqualFunc(h.fixed(), first.fixed(), func(a, b Extension) bool {
		return a.Type == b.Type && bytes.Equal(a.Data, b.Data)
	})
}

// fixed returns the extensions that a client must repeat after a
// HelloRetryRequest.
func (h *ClientHello) fixed() []Extension {
	return slices.DeleteFunc(slices.Clone(h.Extensions), func(e Extension) bool {
		switch e.Type {
		case ExtKeyShare, ExtEarlyData, ExtCookie, ExtPreSharedKey, ExtPadding:
			return true
		}
		return false
	})
}

// A Sentinel is what a server writes into the last bytes of its random when it
// speaks less than it could (RFC 8446, Section 4.1.3).
type Sentinel [8]byte

// The sentinels: DOWNGRD and the version.
var (
	DowngradeTo12 = Sentinel{'D', 'O', 'W', 'N', 'G', 'R', 'D', 1}
	DowngradeTo11 = Sentinel{'D', 'O', 'W', 'N', 'G', 'R', 'D', 0}
)

// MarkDowngrade writes a sentinel into a random.
func MarkDowngrade(random *[RandomSize]byte, s Sentinel) { copy(random[RandomSize-len(s):], s[:]) }

// DowngradeMarked reports whether a random ends with one of the sentinels.
func DowngradeMarked(random [RandomSize]byte) bool {
	s := Sentinel(random[RandomSize-len(Sentinel{}):])
	return s == DowngradeTo12 || s == DowngradeTo11
}
