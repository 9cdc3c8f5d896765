package gosttls

import (
	"context"
	"net"

	"propusk/gost/gost3410"
)

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

	// PeerCertificates is the chain that the peer sent, leaf first. It is set
	// only once the peer has proven that it holds the private key of the leaf:
	// a client by CertificateVerify, a server by Finished; [Config.VerifyPeer]
	// of a client sees it earlier. Nothing is said about who issued it. The
	// slices are shared: do not modify them.
	PeerCertificates [][]byte

	// ExtendedMasterSecret tells that RFC 7627 was used.
	ExtendedMasterSecret bool

	// HandshakeComplete is true after both Finished messages.
	HandshakeComplete bool

	// Offered holds the cipher suites of the ClientHello in the client's order,
	// signalling values included. It is shared: do not modify it.
	Offered []uint16
}

// ConnContext is for [net/http.Server.ConnContext]: it makes the connection
// known to [FromContext].
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	panic("TODO")
}

// FromContext returns the state of the TLS connection that a request came
// through, GOST or not. It returns false for plain connections and when the
// server does not use [ConnContext].
func FromContext(ctx context.Context) (ConnectionState, bool) {
	panic("TODO")
}
