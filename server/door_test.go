package server

import (
	"net"
	"net/netip"
	"testing"
)

// fakeAddr is an address in text.
type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }

// fakeConn is a connection that is only closed.
type fakeConn struct {
	net.Conn
	remote string
	closed bool
}

func (c *fakeConn) LocalAddr() net.Addr  { return fakeAddr("192.0.2.9:443") }
func (c *fakeConn) RemoteAddr() net.Addr { return fakeAddr(c.remote) }
func (c *fakeConn) Close() error         { c.closed = true; return nil }

// fakeListener gives out what it has, and then nothing more.
type fakeListener struct {
	net.Listener
	conns chan net.Conn
}

func (l fakeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	default:
		return nil, net.ErrClosed
	}
}

func TestDoor(t *testing.T) {
	l := fakeListener{conns: make(chan net.Conn, 10)}
	refused := 0
	d := newDoor(l, 2, func() { refused++ })
	come := func(remote string) (*fakeConn, net.Conn) {
		c := &fakeConn{remote: remote}
		l.conns <- c
		got, _ := d.Accept()
		return c, got
	}
	_, a := come("192.0.2.1:1")
	_, b := come("192.0.2.1:2")
	if a == nil || b == nil {
		t.Fatal("not even two come in")
	}
	if c, got := come("192.0.2.1:3"); got != nil || !c.closed || refused != 1 {
		t.Errorf("the third of two: %v, closed %v, refused %d", got, c.closed, refused)
	}
	if _, got := come("192.0.2.2:3"); got == nil {
		t.Error("another address is kept out")
	}
	d.through(a)
	d.through(a)
	if err := a.Close(); err != nil { // counted off already
		t.Fatal(err)
	}
	if _, got := come("192.0.2.1:4"); got == nil {
		t.Error("nobody comes in after a handshake ended")
	}
	if _, got := come("192.0.2.1:5"); got != nil {
		t.Error("one that left was counted off twice")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, got := come("192.0.2.1:6"); got == nil {
		t.Error("nobody comes in after a connection was closed")
	}
	if n := d.inside[netip.MustParsePrefix("192.0.2.1/32")]; n != 2 || len(d.leave) != 3 {
		t.Errorf("%d inside, %d known", n, len(d.leave))
	}
}
