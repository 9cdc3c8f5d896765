package request

import (
	"context"
	"crypto/tls"

	"propusk/gost/gosttls"
)

// Connection is what a connection is, in words for the log, for pages and for
// answers in JSON.
type Connection struct {
	// Kind is "gost", "ordinary" or "none".
	Kind string `json:"kind"`
	// Version is "TLS 1.2"; empty without TLS.
	Version string `json:"version,omitempty"`
	// Suite is the name of the cipher suite; empty without TLS.
	Suite string `json:"suite,omitempty"`
	// Resumed tells that the connection resumed a TLS session: the key was proven
	// when that began.
	Resumed bool `json:"resumed,omitempty"`
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
	c := Connection{Kind: "ordinary", Version: tls.VersionName(st.Version), Suite: suiteName(st.CipherSuite), Resumed: st.Resumed}
	if st.GOST {
		c.Kind = "gost"
	}
	return c
}

// suiteName returns the IANA name of a cipher suite, and nothing for the zero that
// stands for none.
func suiteName(id uint16) string {
	if id == 0 {
		return ""
	}
	return gosttls.CipherSuiteName(id)
}
