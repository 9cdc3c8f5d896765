package gosttls

import (
	"crypto/tls"
	"net"
	"time"
)

// A Listener takes GOST and ordinary TLS clients on one port. It decides by the
// ClientHello: a client that offers a suite of the GOST configuration gets
// this package, any other crypto/tls.
type Listener struct {
	// HelloTimeout limits the time until the ClientHello is complete. Zero
	// means 10 seconds.
	HelloTimeout time.Duration

	// MaxHandshakes limits the handshakes that run at the same time. Zero means
	// 1024.
	MaxHandshakes int

	// HandshakeDone, if set, is called once for each accepted connection with
	// what is known about it and how the handshake ended. It may be called by
	// several goroutines at once.
	HandshakeDone func(ConnectionState, error)
}

// NewListener returns a Listener over inner. Either configuration may be nil;
// its clients are then refused.
func NewListener(inner net.Listener, gost *Config, std *tls.Config) *Listener { panic("TODO") }

// Accept returns the next connection whose handshake is complete: *Conn or
// *tls.Conn.
func (l *Listener) Accept() (net.Conn, error) { panic("TODO") }

// Close stops the listener.
func (l *Listener) Close() error { panic("TODO") }

// Addr returns the address of the inner listener.
func (l *Listener) Addr() net.Addr { panic("TODO") }
