package gosttls

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/wire"
)

// A Conn is one side of a TLS connection. It implements [net.Conn]; Read, Write,
// Close and the deadlines may be used by several goroutines at once.
//
// The first Read or Write runs the handshake, unless Handshake was called. After
// a Write that failed, also by a deadline, the connection can only be read and
// closed: the peer may have received a part of a record.
type Conn struct {
	conn     net.Conn
	isClient bool
	config   *Config

	// handshakeMutex guards the three fields below. When several mutexes are
	// held, the order is handshakeMutex, in, out.
	handshakeMutex sync.Mutex
	handshakeErr   error // of the handshake that failed; there is no second one
	state          ConnectionState

	// complete is state.HandshakeComplete for the fast path.
	complete atomic.Bool

	in  wire.Input
	out wire.Output

	// data is what of the last record of application data is to be read, and
	// renegotiations counts how often the peer asked for one. in guards both.
	data           []byte
	renegotiations int

	// traffic is what TLS 1.3 needs after the handshake, nil before TLS 1.3.
	traffic *traffic13

	// calls counts Write calls in units of 2; bit 0 is set once Close was
	// called.
	calls atomic.Int32
}

// Server returns the server side of a TLS connection over conn. It does nothing
// on the wire yet. The config is kept.
func Server(conn net.Conn, config *Config) *Conn {
	return newConn(conn, config, false)
}

// Client returns the client side of a TLS connection over conn. It does nothing
// on the wire yet. The config is kept.
func Client(conn net.Conn, config *Config) *Conn {
	return newConn(conn, config, true)
}

func newConn(conn net.Conn, config *Config, isClient bool) *Conn {
	if config == nil {
		config = new(Config) // whose check gives a proper error
	}
	c := &Conn{conn: conn, isClient: isClient, config: config, state: ConnectionState{GOST: true}}
	c.in.Reader = conn
	c.out.Writer = conn
	return c
}

// Handshake runs the handshake if it has not run yet, for at most
// Config.HandshakeTimeout.
func (c *Conn) Handshake() error { return c.HandshakeContext(context.Background()) }

// HandshakeContext runs the handshake if it has not run yet. When ctx ends
// before the handshake does, the connection below is closed and the cause
// returned. Once the handshake is complete, ctx has no effect.
//
// The errors are, among those of the connection below: *[ProtocolError] when this
// side refused, *[RemoteError] when the peer did, [ErrGOSTProbe]. The error is
// the same for every later call.
func (c *Conn) HandshakeContext(ctx context.Context) error {
	if c.complete.Load() {
		return nil
	}
	c.handshakeMutex.Lock()
	defer c.handshakeMutex.Unlock()
	if c.complete.Load() || c.handshakeErr != nil {
		return c.handshakeErr
	}
	c.in.Lock()
	defer c.in.Unlock()
	c.handshakeErr = c.handshakeWithin(ctx)
	if c.handshakeErr == nil {
		c.in.Established = true
		c.state.HandshakeComplete = true
		c.complete.Store(true)
	}
	return c.handshakeErr
}

// handshakeWithin runs the handshake under ctx and the time limit.
func (c *Conn) handshakeWithin(ctx context.Context) error {
	if err := c.config.check(c.isClient); err != nil {
		return err
	}
	limit := c.config.handshakeTimeout()
	if deadline, ok := ctx.Deadline(); limit > 0 && (!ok || time.Until(deadline) > limit) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	// Closing is the only way to interrupt a read and a write of any net.Conn
	// without touching the deadlines of its owner. The error of Close tells
	// nothing new: the connection is given up.
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	err := c.handshake()
	if !stop() {
		return fmt.Errorf("gosttls: handshake: %w", context.Cause(ctx))
	}
	return err
}

// handshake runs the handshake of this side and tells the peer when this side
// refused.
func (c *Conn) handshake() error {
	var err error
	if c.isClient {
		err = newClientHandshake(c).run()
	} else {
		err = newServerHandshake(c).run()
	}
	return c.giveUp(err)
}

// giveUp sends the alert that belongs to an error of this side, if any, and
// returns the error.
func (c *Conn) giveUp(err error) error {
	if refusal, ok := errors.AsType[*ProtocolError](err); ok {
		// The peer may be gone; the refusal is the error that counts.
		_ = c.out.SendAlert(refusal.Alert)
	}
	return err
}

// ConnectionState returns what is known about the connection. It waits for a
// handshake that is running, so Config.VerifyPeer must not call it.
func (c *Conn) ConnectionState() ConnectionState {
	c.handshakeMutex.Lock()
	defer c.handshakeMutex.Unlock()
	return c.state
}

// NetConn returns the connection below. Reading or writing there corrupts the TLS
// connection.
func (c *Conn) NetConn() net.Conn { return c.conn }

// LocalAddr returns the local address of the connection below.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr returns the remote address of the connection below.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets the deadlines of Read and Write. The zero time means none.
func (c *Conn) SetDeadline(t time.Time) error { return c.conn.SetDeadline(t) }

// SetReadDeadline sets the deadline of Read. A Read that timed out can be
// repeated after the deadline was moved; nothing is lost.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// SetWriteDeadline sets the deadline of Write.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }

// Read reads application data. It returns io.EOF only after the peer's
// close_notify; if the connection below ends without it, the data may have been
// truncated and the error is io.ErrUnexpectedEOF.
func (c *Conn) Read(b []byte) (int, error) {
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	if len(b) == 0 {
		return 0, nil // as io.Reader has it; and the handshake ran
	}
	c.in.Lock()
	defer c.in.Unlock()
	for len(c.data) == 0 {
		if err := c.readData(); err != nil {
			return 0, err
		}
	}
	n := copy(b, c.data)
	c.data = c.data[n:]
	return n, nil
}

// readData reads one record after the handshake. Application data is left in
// c.data.
func (c *Conn) readData() error {
	typ, content, err := c.in.Next()
	if err == nil {
		switch {
		case typ == wire.TypeApplicationData && !c.in.MidMessage():
			c.data = content
			c.receivedData()
			return nil
		case typ == wire.TypeHandshake:
			err = c.afterHandshake(content)
		default:
			err = wire.Refuse(wire.AlertUnexpectedMessage, "record type %d after the handshake", typ)
		}
	}
	if refusal, ok := errors.AsType[*ProtocolError](err); ok {
		c.in.Fail(refusal)
		return c.giveUp(err)
	}
	return err
}

// maxRenegotiations bounds how often a peer may ask for a renegotiation that it
// does not get. Each request costs us a record.
const maxRenegotiations = 8

// refuseRenegotiation takes handshake bytes after the handshake. The only
// messages that make sense there ask for a renegotiation, and the answer is the
// warning no_renegotiation (RFC 5246, Section 7.2.2; RFC 5746, Section 4.2).
func (c *Conn) refuseRenegotiation(content []byte) error {
	if err := c.in.AddHandshake(content); err != nil {
		return err
	}
	asks := message.TypeClientHello
	if c.isClient {
		asks = message.TypeHelloRequest
	}
	for {
		typ, _, ok, err := c.in.TakeMessage()
		if err != nil || !ok {
			return err
		}
		if typ != asks {
			return wire.Refuse(wire.AlertUnexpectedMessage, "handshake message %d after the handshake", typ)
		}
		c.renegotiations++
		if c.renegotiations > maxRenegotiations {
			return wire.Refuse(wire.AlertHandshakeFailure, "renegotiation asked for %d times", c.renegotiations)
		}
		if err := c.out.SendAlert(wire.AlertNoRenegotiation); err != nil {
			return err
		}
	}
}

// Write writes application data, in records of up to 16 KiB.
func (c *Conn) Write(b []byte) (int, error) {
	// Close must be able to interrupt a Write that blocks, as in crypto/tls.
	if c.calls.Add(2)&1 != 0 {
		c.calls.Add(-2)
		return 0, net.ErrClosed
	}
	defer c.calls.Add(-2)
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	return c.out.WriteData(b)
}

// CloseWrite tells the peer by close_notify that no more data will come. It does
// not close the connection below. It is an error before the handshake is
// complete.
func (c *Conn) CloseWrite() error {
	if !c.complete.Load() {
		return errors.New("gosttls: CloseWrite before the handshake")
	}
	return c.out.SendAlert(wire.AlertCloseNotify)
}

// closeNotifyTimeout bounds Close when the peer does not read.
const closeNotifyTimeout = 5 * time.Second

// Close sends close_notify and closes the connection below. It interrupts Read,
// Write and the handshake.
func (c *Conn) Close() error {
	before := c.calls.Or(1)
	if before&1 != 0 {
		return net.ErrClosed
	}
	if before != 0 || !c.complete.Load() {
		// A Write is in flight: it holds the lock that close_notify needs, and
		// a part of a record may be out already.
		return c.conn.Close()
	}
	// Best effort: the peer may be gone, and the connection is closed anyway.
	_ = c.conn.SetWriteDeadline(time.Now().Add(closeNotifyTimeout))
	_ = c.out.SendAlert(wire.AlertCloseNotify)
	return c.conn.Close()
}
