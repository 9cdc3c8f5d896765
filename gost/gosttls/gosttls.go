// Package gosttls implements TLS 1.2 with the GOST cipher suites of RFC 9189,
// client and server, and a listener that takes GOST and ordinary TLS clients on
// one port.
//
// The suites are TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC (0xC100) and
// TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC (0xC101). There is no session
// resumption, no renegotiation and no compression. The key exchange is static on
// the server's side: whoever learns the server's private key can read recorded
// connections (RFC 9189, Section 11).
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

import "propusk/gost/gosttls/internal/wire"

// VersionTLS12 is the only protocol version of this package.
const VersionTLS12 = wire.Version

// Cipher suites of RFC 9189, Section 4.
const (
	KuznyechikCTROMAC uint16 = 0xc100 // TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC
	MagmaCTROMAC      uint16 = 0xc101 // TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC
)
