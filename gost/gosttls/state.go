package gosttls

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
)

// Proof is a signature with the key of the first of PeerCertificates. The slices are
// shared: do not modify them.
type Proof struct {
	Digest    []byte // 32 or 64 bytes, in software order
	Signature []byte // twice that, s and r, both big-endian (RFC 9215)
}

// ConnectionState is what is known about a TLS connection: one of this package,
// or one of crypto/tls that came through a [Listener].
type ConnectionState struct {
	// GOST is true for connections of this package, false for those of
	// crypto/tls.
	GOST bool

	// Version and CipherSuite are zero until the hello messages were exchanged.
	Version     uint16
	CipherSuite uint16

	// Curve is the curve of the server's certificate; nil when not GOST.
	Curve *gost3410.Curve

	// ServerName is what the client sent in server_name, empty if nothing. It
	// is the client's claim.
	ServerName string

	// PeerCertificates is the DER chain that the peer sent, leaf first. It is
	// set only once the peer has proven that it holds the private key of the
	// leaf: a client by CertificateVerify, a server by Finished;
	// [Config.VerifyPeer] of a client sees it earlier. Nothing is said about who
	// issued it. The slices are shared: do not modify them.
	PeerCertificates [][]byte

	// PeerProof is the signature by which the peer has proven its key in this very
	// handshake: its CertificateVerify, which was good. It is there for those who want
	// it verified by somebody else too. It is zero if there was none.
	PeerProof Proof

	// ExtendedMasterSecret tells that RFC 7627 was used. It is false for
	// connections of crypto/tls, which does not tell; TLS 1.3 has it built in.
	ExtendedMasterSecret bool

	// HandshakeComplete is true after both Finished messages.
	HandshakeComplete bool

	// Resumed is true when the handshake resumed a session: PeerCertificates were
	// proven when that session began, and looked at again now.
	Resumed bool

	// Established is when the session began that was resumed, which is when the client
	// proved its key. It is zero otherwise; only servers of this package have it.
	Established time.Time

	// Session names the session to the application, for [TicketKeys.Revoke] and
	// SessionCache.Delete. It is the same for all connections of a session, and
	// zero if the connection cannot be resumed. Only servers have it.
	Session SessionHandle

	// Verdict is what [Config.Verdict] returned, nil before and without it.
	Verdict any

	// SignatureScheme is the one by which the peer has proven its key: that of
	// CertificateVerify. Zero if there was none.
	SignatureScheme uint16

	// SchemeMismatch tells that the peer signed with a key on one curve under the
	// scheme of another, in TLS 1.3. Peers built on gost-engine do, whatever their
	// curve; the signature itself was good. See Config.StrictSignatureSchemes.
	SchemeMismatch bool

	// Group is the curve of the ephemeral keys of TLS 1.3; nil before TLS 1.3.
	Group *gost3410.Curve

	// Offered holds the cipher suites of the ClientHello in the client's order,
	// signalling values included. OfferedVersions, OfferedGroups and
	// OfferedSchemes are what it held in supported_versions, supported_groups and
	// signature_algorithms, nil if it had no such extension. Of lists that are very
	// long, only the beginning is kept. For a connection of crypto/tls they are
	// known only if it came through a [Listener]. They are shared: do not modify
	// them.
	Offered         []uint16
	OfferedVersions []uint16
	OfferedGroups   []uint16
	OfferedSchemes  []uint16

	// OfferedVersion is the version that the ClientHello names outside of its
	// extensions: the highest one of a client older than TLS 1.3. It is known where
	// Offered is.
	OfferedVersion uint16

	// Remote is the address of a client, in what [Listener.HandshakeDone] is told; nil
	// elsewhere.
	Remote net.Addr

	// group is that of the key exchange of a connection of crypto/tls.
	group tls.CurveID
}

// maxOffered bounds what is kept of each list of a ClientHello for as long as the
// connection lives: a hello of 64 KiB may name 32,000 suites. Browsers name about 20.
const maxOffered = 128

// takeHello notes what a client offers.
func (s *ConnectionState) takeHello(hello *message.ClientHello) {
	beginning := func(list []uint16) []uint16 { return slices.Clone(list[:min(len(list), maxOffered)]) }
	s.ServerName = hello.Known.ServerName
	s.OfferedVersion = hello.Version
	s.Offered = beginning(hello.CipherSuites)
	s.OfferedVersions = beginning(hello.Known.Versions)
	s.OfferedGroups = beginning(hello.Known.Groups)
	s.OfferedSchemes = beginning(hello.Known.Schemes)
}

// GroupName returns the IANA name of the group of the ephemeral keys, of this package or
// of crypto/tls; empty if there were none, as in GOST before TLS 1.3.
func (s ConnectionState) GroupName() string {
	switch {
	case s.Group != nil:
		return groupNames[group(s.Group)-firstGroup]
	case s.group != 0:
		return s.group.String()
	}
	return ""
}

// groupNames are the names of the groups of RFC 9189, Section 6, from firstGroup on.
var groupNames = [...]string{"GC256A", "GC256B", "GC256C", "GC256D", "GC512A", "GC512B", "GC512C"}

// OfferedGOST reports whether the client offered a suite of this package.
func (s ConnectionState) OfferedGOST() bool {
	for _, id := range s.Offered {
		if _, ok := record.SuiteByID(id); ok {
			return true
		}
	}
	return false
}

// CipherSuiteName returns the IANA name of a cipher suite, of this package or of
// crypto/tls, or its number in hexadecimal.
func CipherSuiteName(id uint16) string {
	if suite, ok := record.SuiteByID(id); ok {
		return suite.Name
	}
	return tls.CipherSuiteName(id)
}

// contextKey is the key of the connection in a context.
type contextKey struct{}

// ConnContext is for the field ConnContext of [net/http.Server]: it makes the
// connection known to [FromContext].
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// FromContext returns the state of the TLS connection that a request came
// through, GOST or not. It returns false for connections without TLS and when the
// server does not use [ConnContext]. So the second result is the answer to "is
// this https?", which the field TLS of a request does not give for GOST.
func FromContext(ctx context.Context) (ConnectionState, bool) {
	switch c := ctx.Value(contextKey{}).(type) {
	case *Conn:
		return c.ConnectionState(), true
	case *tls.Conn:
		return stdState(c), true
	}
	return ConnectionState{}, false
}

// stdState translates the state of a connection of crypto/tls.
func stdState(c *tls.Conn) ConnectionState {
	std := c.ConnectionState()
	s := ConnectionState{
		Version:           std.Version,
		CipherSuite:       std.CipherSuite,
		ServerName:        std.ServerName,
		HandshakeComplete: std.HandshakeComplete,
		Resumed:           std.DidResume,
		group:             std.CurveID,
	}
	for _, cert := range std.PeerCertificates {
		s.PeerCertificates = append(s.PeerCertificates, cert.Raw)
	}
	if peeked, ok := c.NetConn().(*peekedConn); ok {
		facts := peeked.facts
		s.Offered, s.OfferedVersions = facts.Offered, facts.OfferedVersions
		s.OfferedGroups, s.OfferedSchemes = facts.OfferedGroups, facts.OfferedSchemes
		s.OfferedVersion = facts.OfferedVersion
		if s.ServerName == "" {
			s.ServerName = facts.ServerName
		}
	}
	return s
}
