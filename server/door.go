package server

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"propusk/gost/gosttls"
	"propusk/server/request"
)

// door keeps one client from taking all the handshakes of a listener: at most limit
// connections from one address are in their handshake at a time, and those that
// come above are closed at once. It stands in front of a gosttls.Listener, as the
// listener that this one accepts from, and behind it, in [hall]: what comes out
// there has its handshake behind it.
type door struct {
	net.Listener
	limit  int
	refuse func() // called for each connection that is closed

	mu     sync.Mutex
	inside map[netip.Prefix]int
	leave  map[pair]func()
}

// pair names a connection.
type pair struct{ local, remote string }

func newDoor(l net.Listener, limit int, refuse func()) *door {
	return &door{Listener: l, limit: limit, refuse: refuse, inside: make(map[netip.Prefix]int), leave: make(map[pair]func())}
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if leave, ok := d.enter(c); ok {
			return &visitor{c, leave}, nil
		}
		d.refuse()
		_ = c.Close() // nothing was promised to this client
	}
}

// enter counts a connection, and returns how to count it off.
func (d *door) enter(c net.Conn) (leave func(), ok bool) {
	from, id := request.Network(c.RemoteAddr().String()), pairOf(c)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inside[from] >= d.limit {
		return nil, false
	}
	d.inside[from]++
	leave = sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.leave, id)
		if d.inside[from]--; d.inside[from] == 0 {
			delete(d.inside, from)
		}
	})
	d.leave[id] = leave
	return leave, true
}

// through counts a connection off whose handshake is over.
func (d *door) through(c net.Conn) {
	d.mu.Lock()
	leave := d.leave[pairOf(c)]
	d.mu.Unlock()
	if leave != nil {
		leave()
	}
}

func pairOf(c net.Conn) pair { return pair{c.LocalAddr().String(), c.RemoteAddr().String()} }

// visitor is a connection that came through a door.
type visitor struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (v *visitor) Close() error {
	v.leave()
	return v.Conn.Close()
}

// CloseWrite ends the sending side, as that of *net.TCPConn does.
func (v *visitor) CloseWrite() error {
	half, ok := v.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// hall is a listener behind a door.
type hall struct {
	*gosttls.Listener
	door *door
}

// Accept implements net.Listener.
func (h hall) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	if err == nil {
		h.door.through(c)
	}
	return c, err
}
