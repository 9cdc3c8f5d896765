package gosttls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"
)

// Defaults of a Listener.
const (
	// DefaultHelloTimeout is the time for a ClientHello. It comes in one or two
	// packets; nobody types a PIN meanwhile.
	DefaultHelloTimeout = 10 * time.Second

	// DefaultMaxHandshakes bounds the memory of clients that have not said
	// anything yet, to some 100 MiB.
	DefaultMaxHandshakes = 1024
)

// A Listener takes GOST and ordinary TLS clients on one port. It decides by the
// ClientHello: a client that offers a suite of the GOST configuration, and does not
// exclude the curves of its certificates, gets this package, whatever version it
// offers besides; any other gets crypto/tls. Clients that do not speak TLS are turned
// away.
//
// Handshakes run outside of Accept and at the same time. The fields must be set
// before the first Accept.
type Listener struct {
	// HelloTimeout limits the time until the ClientHello is complete. Zero
	// means DefaultHelloTimeout.
	HelloTimeout time.Duration

	// HandshakeTimeout limits the time for the rest of the handshake. Zero
	// means DefaultHandshakeTimeout. For GOST clients, Config.HandshakeTimeout
	// applies as well.
	HandshakeTimeout time.Duration

	// MaxHandshakes limits the handshakes that run at the same time, and the
	// connections that wait for Accept with them. A client that comes when there
	// are as many is turned away at once. Zero means DefaultMaxHandshakes.
	MaxHandshakes int

	// HandshakeDone, if set, is called once for each connection that came in,
	// with what is known about it and how the handshake ended, before Accept
	// returns it. It may be called by several goroutines at once and must not
	// block: it holds one of MaxHandshakes. Errors to tell apart:
	// [ErrGOSTProbe], [ErrNotTLS], [ErrTooManyHandshakes], [ErrPanic],
	// *[ProtocolError], *[RemoteError]. Without HandshakeDone a panic in a
	// handshake ends the process, since nobody would hear of it.
	HandshakeDone func(ConnectionState, error)

	inner net.Listener
	gost  *Config
	std   *tls.Config

	start  sync.Once
	ready  chan net.Conn
	failed chan struct{} // closed when the inner listener ended by itself
	err    error         // set before failed is closed

	ctx  context.Context // ends with Close
	stop context.CancelFunc
}

// NewListener returns a Listener over inner, which it closes when it is closed
// itself. Without a GOST configuration everybody gets crypto/tls, without a
// crypto/tls configuration everybody gets this package; one of them must be
// there. The configurations are kept.
func NewListener(inner net.Listener, gost *Config, std *tls.Config) *Listener {
	if gost == nil && std == nil {
		panic("gosttls: NewListener without a configuration")
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Listener{
		inner:  inner,
		gost:   gost,
		std:    std,
		ready:  make(chan net.Conn),
		failed: make(chan struct{}),
		ctx:    ctx,
		stop:   stop,
	}
}

// Accept returns the next connection whose handshake is complete: a *[Conn] or a
// *[tls.Conn]. Slow clients and failed handshakes do not show here. After Close
// the error is [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) {
	l.start.Do(func() { go l.run() })
	if l.ctx.Err() != nil {
		return nil, l.closedError()
	}
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.failed:
		return nil, l.err
	case <-l.ctx.Done():
		return nil, l.closedError()
	}
}

func (l *Listener) closedError() error {
	return &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
}

// Close stops the listener. Connections that Accept has returned live on;
// handshakes that are running are broken off and end soon after.
func (l *Listener) Close() error {
	l.stop()
	return l.inner.Close()
}

// Addr returns the address of the inner listener.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// run takes connections and starts their handshakes.
func (l *Listener) run() {
	w := newWorkers(valueOr(l.MaxHandshakes, DefaultMaxHandshakes))
	var pause time.Duration
	for {
		conn, err := l.inner.Accept()
		switch {
		case err == nil:
			pause = 0
			l.dispatch(conn, w)
		case l.ctx.Err() != nil:
			return
		case isTemporary(err):
			// Out of file descriptors, mostly: net/http waits in the same way.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			l.sleep(pause)
		default:
			l.err = err
			close(l.failed)
			return
		}
	}
}

// dispatch starts the handshake of a connection if there is a slot for it.
func (l *Listener) dispatch(conn net.Conn, w *workers) {
	select {
	case w.slots <- struct{}{}:
	default:
		_ = conn.Close() // nothing was promised to this client
		l.report(ConnectionState{Remote: conn.RemoteAddr()}, ErrTooManyHandshakes)
		return
	}
	select {
	case w.next <- conn:
	default:
		go l.work(conn, w)
	}
}

// maxIdleWorkers is how many goroutines wait for the next handshake after one. The stack
// of a goroutine grows to what public-key operations take, which costs more than all
// messages of a handshake; those that wait have done that.
const maxIdleWorkers = 16

// workers are the goroutines that run handshakes.
type workers struct {
	slots chan struct{} // as full as there are handshakes
	idle  chan struct{} // as full as there are goroutines that wait for next
	next  chan net.Conn
}

func newWorkers(maxHandshakes int) *workers {
	return &workers{
		slots: make(chan struct{}, maxHandshakes),
		idle:  make(chan struct{}, maxIdleWorkers),
		next:  make(chan net.Conn),
	}
}

// work serves a connection, and those that come then.
func (l *Listener) work(conn net.Conn, w *workers) {
	for {
		l.serve(conn)
		<-w.slots
		select {
		case w.idle <- struct{}{}:
		default:
			return
		}
		select {
		case conn = <-w.next:
			<-w.idle
		case <-l.failed:
			return
		case <-l.ctx.Done():
			return
		}
	}
}

// serve brings a connection through its handshake and to Accept.
func (l *Listener) serve(raw net.Conn) {
	conn, state, err := l.handshake(raw)
	state.Remote = raw.RemoteAddr()
	l.report(state, err)
	if err != nil {
		l.turnAway(raw)
		return
	}
	select {
	case l.ready <- conn:
	case <-l.ctx.Done():
		_ = conn.Close() // nobody will take it
	}
}

// Limits of turnAway.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 1 << 20
)

// turnAway closes a connection that failed. What the client is still sending is
// read and dropped for a moment: closing a socket with unread data resets it, and
// the client would see that instead of the alert or the answer that tells what is
// wrong. The errors are those of a connection that is given up.
func (l *Listener) turnAway(raw net.Conn) {
	if half, ok := raw.(interface{ CloseWrite() error }); ok && l.ctx.Err() == nil && half.CloseWrite() == nil {
		stop := context.AfterFunc(l.ctx, func() { _ = raw.Close() })
		defer stop()
		if raw.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			_, _ = io.CopyN(io.Discard, raw, lingerBytes)
		}
	}
	_ = raw.Close()
}

// handshake peeks at the hello, chooses the stack and runs its handshake. A panic
// is an error, if somebody is told about errors: this goroutine has nobody above
// who could recover, as net/http does for handshakes of its own.
func (l *Listener) handshake(raw net.Conn) (conn net.Conn, state ConnectionState, err error) {
	defer func() {
		if p := recover(); p != nil {
			if l.HandshakeDone == nil {
				panic(p)
			}
			conn, err = nil, fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack())
		}
	}()
	peeked, err := l.peek(raw)
	state = peeked.facts
	if err != nil {
		return nil, state, err
	}
	ctx, cancel := context.WithTimeout(l.ctx, valueOr(l.HandshakeTimeout, DefaultHandshakeTimeout))
	defer cancel()
	gost := l.std == nil || (l.gost != nil && peeked.wantsGOST(l.gost))
	peeked.hello = nil
	if gost {
		c := Server(peeked, l.gost)
		err := c.HandshakeContext(ctx)
		return c, c.ConnectionState(), err
	}
	c := tls.Server(peeked, l.std)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, state, fmt.Errorf("gosttls: ordinary handshake: %w", err)
	}
	return c, stdState(c), nil
}

// peek reads the ClientHello within HelloTimeout and answers clients without TLS.
func (l *Listener) peek(raw net.Conn) (*peekedConn, error) {
	limit := time.Now().Add(valueOr(l.HelloTimeout, DefaultHelloTimeout))
	if err := raw.SetDeadline(limit); err != nil {
		return &peekedConn{Conn: raw}, fmt.Errorf("gosttls: %w", err)
	}
	stop := context.AfterFunc(l.ctx, func() { _ = raw.Close() }) // the only way to interrupt a read
	defer stop()
	peeked, err := peek(raw)
	if errors.Is(err, ErrNotTLS) {
		if answerErr := peeked.answerHTTP(); answerErr != nil {
			err = fmt.Errorf("%w; answer: %w", err, answerErr)
		}
		return peeked, err
	}
	if err != nil {
		return peeked, fmt.Errorf("gosttls: read ClientHello: %w", err)
	}
	return peeked, raw.SetDeadline(time.Time{})
}

func (l *Listener) report(state ConnectionState, err error) {
	if l.HandshakeDone != nil {
		l.HandshakeDone(state, err)
	}
}

// sleep waits, but not longer than the listener lives.
func (l *Listener) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.ctx.Done():
	}
}

// isTemporary reports whether Accept may work again later.
func isTemporary(err error) bool {
	temporary, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && temporary.Temporary()
}

// valueOr returns v, or the default if v is zero.
func valueOr[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
