// Package gosttls implements TLS with the GOST cipher suites, client and server: TLS 1.2
// with those of RFC 9189, TLS 1.3 with those of RFC 9367, and for old peers TLS 1.0 and
// 1.1; and a listener that takes GOST and ordinary TLS clients on one port.
//
// There is no renegotiation and no compression. Before TLS 1.3 the key exchange is static
// on the server's side: whoever learns the server's private key can read recorded
// connections (RFC 9189, Section 11).
//
// A server that finds a GOST suite in a ClientHello looks at the suite before the
// version: GOST with TLS 1.3 if the client offers that, else GOST with TLS 1.2. In TLS
// 1.3 there is no early data, no authentication after the handshake and no pre-shared
// key but that of a ticket.
//
// Sessions are resumed by ticket or by session id if the configuration says so
// ([Config.SessionTickets], [Config.SessionCache], [Config.ClientSessions]). A server
// resumes a session only where nothing has changed by which it judged the client, asks
// [Config.Resume] before, and [Config.Verdict] and [Config.VerifyPeer] in every
// handshake.
//
// A typical server:
//
//	inner, err := net.Listen("tcp", "127.0.0.1:8443")
//	l := gosttls.NewListener(inner, &gosttls.Config{Certificates: certs}, stdConfig)
//	srv := &http.Server{Handler: h, ConnContext: gosttls.ConnContext}
//	err = srv.Serve(l)
//
// net/http fills Request.TLS only for connections of crypto/tls; for a GOST
// connection it is nil although the connection is protected. Handlers ask
// [FromContext] instead, which answers for both.
//
// Where the world differs from the standards, DIVERGENCES.md says what this
// package does.
package gosttls

// Versions of the protocol.
const (
	VersionTLS10 uint16 = 0x0301
	VersionTLS11 uint16 = 0x0302
	VersionTLS12 uint16 = 0x0303
	VersionTLS13 uint16 = 0x0304
)

// Cipher suites of RFC 9189, Section 4, for TLS 1.2.
const (
	KuznyechikCTROMAC uint16 = 0xc100 // TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC
	MagmaCTROMAC      uint16 = 0xc101 // TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC
	CNTIMIT           uint16 = 0xc102 // TLS_GOSTR341112_256_WITH_28147_CNT_IMIT

	// LegacyCNTIMIT is the same as CNTIMIT under the number it had before there
	// was a standard (RFC 9189, Section 10). It is never spoken unless
	// Config.CipherSuites names it.
	LegacyCNTIMIT uint16 = 0xff85
)

// Cipher suites of RFC 9367, Section 4, for TLS 1.3.
const (
	KuznyechikMGML uint16 = 0xc103 // TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L
	MagmaMGML      uint16 = 0xc104 // TLS_GOSTR341112_256_WITH_MAGMA_MGM_L
	KuznyechikMGMS uint16 = 0xc105 // TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S
	MagmaMGMS      uint16 = 0xc106 // TLS_GOSTR341112_256_WITH_MAGMA_MGM_S
)
