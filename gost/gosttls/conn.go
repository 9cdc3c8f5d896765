package gosttls

import (
	"context"
	"net"
)

// A Conn is a TLS connection.
type Conn struct{ net.Conn }

// Server returns the server side of a connection over conn.
func Server(conn net.Conn, config *Config) *Conn { panic("TODO") }

// Client returns the client side of a connection over conn.
func Client(conn net.Conn, config *Config) *Conn { panic("TODO") }

// Handshake runs the handshake if it has not run yet.
func (c *Conn) Handshake() error { return c.HandshakeContext(context.Background()) }

// HandshakeContext runs the handshake if it has not run yet.
func (c *Conn) HandshakeContext(ctx context.Context) error { panic("TODO") }

// ConnectionState returns what is known about the connection.
func (c *Conn) ConnectionState() ConnectionState { panic("TODO") }

// NetConn returns the connection below.
func (c *Conn) NetConn() net.Conn { panic("TODO") }

// NewCertificate returns a Certificate after checking that the key belongs to
// the leaf.
func NewCertificate(chain [][]byte, key PrivateKey) (Certificate, error) { panic("TODO") }

// ParseKeyPair reads a PEM certificate chain, leaf first, and a PEM PKCS#8 key.
func ParseKeyPair(certPEM, keyPEM []byte) (Certificate, error) { panic("TODO") }
