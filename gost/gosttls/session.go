package gosttls

import (
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"propusk/gost/gost3410"
)

// DefaultSessionLifetime is Config.SessionLifetime when that is zero.
const DefaultSessionLifetime = time.Hour

// MaxSessionLifetime is the longest time that a session can be resumed after the
// handshake in which the peer proved its key. RFC 5246, Appendix F.1.4, advises
// 24 hours; TLS 1.3 would allow a week.
const MaxSessionLifetime = 24 * time.Hour

// clockSkew is how far the clocks of servers that share ticket keys may differ.
const clockSkew = time.Minute

// A SessionHandle names a session to the application: the connection on which the
// peer proved its key and all that were resumed from it have the same handle, whatever
// tickets they used. Logout revokes it. It is random, opens nothing, and is not on the
// wire. The zero value names no session.
type SessionHandle [16]byte

// IsZero reports whether the handle names no session.
func (h SessionHandle) IsZero() bool { return h == SessionHandle{} }

// String returns the handle in hexadecimal.
func (h SessionHandle) String() string { return hex.EncodeToString(h[:]) }

// session is what both sides remember of a connection in order to resume it, in TLS
// 1.2 and in TLS 1.3.
type session struct {
	version, suite uint16

	// secret is the master secret (48 bytes), or in TLS 1.3 the resumption PSK
	// of one ticket (32 bytes).
	secret []byte

	// ems is the extended master secret; TLS 1.3 has it built in, and sets this.
	ems bool

	// created is when the peer proved its key. Whoever resumes keeps it, so that
	// the lifetime, in whole seconds, cannot be stretched by resuming again.
	created  time.Time
	lifetime time.Duration

	// issued is when this ticket was sent, and ageAdd its ticket_age_add (RFC
	// 8446, Section 4.6.1). Nobody reads them in TLS 1.2.
	issued time.Time
	ageAdd uint32

	handle     SessionHandle
	clientAuth ClientAuth      // of the server
	serverName string          // as the client sent it
	curve      *gost3410.Curve // of the server's certificate

	// peerChain is what the peer has proven by its signature, scheme how.
	peerChain      [][]byte
	scheme         uint16
	schemeMismatch bool

	// policyID and trustID are those of the server; see Config.
	policyID, trustID string
}

// expires is the moment from which the session is not resumed any more.
func (s *session) expires() time.Time { return s.created.Add(s.lifetime) }

// remaining is how long the session can still be resumed, in whole seconds: what a
// server writes into ticket_lifetime. Zero or less means not at all.
func (s *session) remaining(now time.Time) time.Duration {
	return s.expires().Sub(now).Truncate(time.Second)
}

// alive reports whether the session may be resumed as far as time goes.
func (s *session) alive(now time.Time) bool {
	return now.Before(s.expires()) && !s.created.After(now.Add(clockSkew))
}

// wipe forgets the secret.
func (s *session) wipe() { clear(s.secret) }

// Limits of a marshalled session. A ticket comes back in the ClientHello of anybody,
// so it must stay well below what a hello may hold.
const (
	sessionFormat    = 1
	maxSessionSize   = 16000
	maxSessionSecret = 48
)

// errSessionSize means that the session is too large to be resumed, because of the
// certificates of the peer.
var errSessionSize = errors.New("gosttls: session is too large for a ticket")

// marshal returns what unmarshal reads. The only error is that it would be too large.
func (s *session) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8(sessionFormat)
	b.AddUint16(s.version)
	b.AddUint16(s.suite)
	addBytes8(&b, s.secret)
	b.AddUint8(boolBit(s.ems) | boolBit(s.schemeMismatch)<<1)
	b.AddUint64(uint64(s.created.UnixNano()))
	b.AddUint32(uint32(s.lifetime / time.Second))
	b.AddUint64(uint64(s.issued.UnixNano()))
	b.AddUint32(s.ageAdd)
	b.AddBytes(s.handle[:])
	b.AddUint8(uint8(s.clientAuth))
	addBytes8(&b, []byte(s.serverName))
	b.AddUint16(curveNumber(s.curve))
	b.AddUint16(s.scheme)
	addBytes8(&b, []byte(s.policyID))
	addBytes8(&b, []byte(s.trustID))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, der := range s.peerChain {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(der) })
		}
	})
	data, err := b.Bytes()
	if err != nil || len(data) > maxSessionSize {
		return nil, errSessionSize
	}
	return data, nil
}

// unmarshalSession reads what marshal wrote, and nothing else. Nothing of data is
// kept.
func unmarshalSession(data []byte) (*session, bool) {
	if len(data) > maxSessionSize {
		return nil, false
	}
	s := new(session)
	in := cryptobyte.String(slices.Clone(data))
	var format, flags, clientAuth uint8
	var created, issued uint64
	var lifetime uint32
	var curve uint16
	var secret, serverName, policyID, trustID, chain cryptobyte.String
	if !in.ReadUint8(&format) || format != sessionFormat ||
		!in.ReadUint16(&s.version) || !in.ReadUint16(&s.suite) ||
		!in.ReadUint8LengthPrefixed(&secret) || len(secret) == 0 || len(secret) > maxSessionSecret ||
		!in.ReadUint8(&flags) || flags > 3 ||
		!in.ReadUint64(&created) || created > math.MaxInt64 ||
		!in.ReadUint32(&lifetime) || time.Duration(lifetime)*time.Second > MaxSessionLifetime ||
		!in.ReadUint64(&issued) || issued > math.MaxInt64 ||
		!in.ReadUint32(&s.ageAdd) || !in.CopyBytes(s.handle[:]) ||
		!in.ReadUint8(&clientAuth) || ClientAuth(clientAuth) > RequireAnyClientCert ||
		!in.ReadUint8LengthPrefixed(&serverName) ||
		!in.ReadUint16(&curve) || !in.ReadUint16(&s.scheme) ||
		!in.ReadUint8LengthPrefixed(&policyID) || !in.ReadUint8LengthPrefixed(&trustID) ||
		!in.ReadUint16LengthPrefixed(&chain) || !in.Empty() {
		return nil, false
	}
	var ok bool
	if s.curve, ok = curveByNumber(curve); !ok {
		return nil, false
	}
	for !chain.Empty() {
		var der cryptobyte.String
		if !chain.ReadUint16LengthPrefixed(&der) || der.Empty() {
			return nil, false
		}
		s.peerChain = append(s.peerChain, der)
	}
	s.secret = secret
	s.ems, s.schemeMismatch = flags&1 != 0, flags&2 != 0
	s.created, s.issued = time.Unix(0, int64(created)), time.Unix(0, int64(issued))
	s.lifetime = time.Duration(lifetime) * time.Second
	s.clientAuth = ClientAuth(clientAuth)
	s.serverName, s.policyID, s.trustID = string(serverName), string(policyID), string(trustID)
	return s, true
}

func addBytes8(b *cryptobyte.Builder, v []byte) {
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(v) })
}

func boolBit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// curveNumber returns the group of a curve, zero for none.
func curveNumber(c *gost3410.Curve) uint16 {
	if c == nil {
		return 0
	}
	return group(c)
}

// curveByNumber is the inverse of curveNumber.
func curveByNumber(id uint16) (*gost3410.Curve, bool) {
	switch id {
	case 0:
		return nil, true
	case 34:
		return gost3410.TC26256A(), true
	case 35:
		return gost3410.CryptoProA(), true
	case 36:
		return gost3410.CryptoProB(), true
	case 37:
		return gost3410.CryptoProC(), true
	case 38:
		return gost3410.TC26512A(), true
	case 39:
		return gost3410.TC26512B(), true
	case 40:
		return gost3410.TC26512C(), true
	}
	return nil, false
}
