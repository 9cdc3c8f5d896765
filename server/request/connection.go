package request

import (
	"context"
	"crypto/tls"
	"fmt"

	"propusk/gost/gosttls"
)

// Connection is what a connection is, in words for the log and for pages.
type Connection struct {
	// Kind is "gost", "ordinary" or "none".
	Kind string
	// Version is "TLS 1.2"; empty without TLS.
	Version string
	// Suite is the name of the cipher suite; empty without TLS.
	Suite string
}

// ConnectionFrom describes the connection that a request came through.
func ConnectionFrom(ctx context.Context) Connection {
	st, ok := gosttls.FromContext(ctx)
	if !ok {
		return Connection{Kind: "none"}
	}
	return Describe(st)
}

// Describe puts the state of a TLS connection into words.
func Describe(st gosttls.ConnectionState) Connection {
	c := Connection{Kind: "ordinary", Version: tls.VersionName(st.Version), Suite: SuiteName(st.CipherSuite)}
	if st.GOST {
		c.Kind = "gost"
	}
	return c
}

// SuiteName returns the IANA name of a cipher suite. RFC 9189, Section 4.
func SuiteName(id uint16) string {
	switch id {
	case gosttls.KuznyechikCTROMAC:
		return "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC"
	case gosttls.MagmaCTROMAC:
		return "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC"
	case 0:
		return ""
	}
	for _, list := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, s := range list {
			if s.ID == id {
				return s.Name
			}
		}
	}
	return fmt.Sprintf("0x%04X", id)
}
