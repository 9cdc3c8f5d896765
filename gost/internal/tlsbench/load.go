package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"propusk/gost/gosttls"
)

// bulkSize is how many bytes are in the file that is sent.
const bulkSize = 16 << 20

// A client makes connections to one server.
type client struct {
	addr string
	kind string

	// ticketsFollow says that tickets come after the handshake, so that the client has
	// to read something to get one.
	ticketsFollow bool

	// handshake runs the handshake of a new connection, and tells whether it went on
	// with an earlier one.
	handshake func(ctx context.Context, inner net.Conn) (c net.Conn, again bool, err error)
}

// load is the role of the client: it prints how many handshakes it made, or bytes it
// received, in about the time of the options.
func load(ctx context.Context, o options) error {
	newClient, connections := newGOSTClient, o.connections
	if !o.suite.isGOST() {
		newClient = newStdClient
	}
	if o.kind == bulk {
		connections = 1
	}
	type result struct {
		amount int64
		err    error
	}
	results := make(chan result)
	for range connections {
		c, err := newClient(o)
		if err != nil {
			return err
		}
		go func() {
			amount, err := c.work(ctx, time.Now().Add(o.each))
			results <- result{amount, err}
		}()
	}
	var total int64
	var errs []error
	for range connections {
		r := <-results
		total += r.amount
		errs = append(errs, r.err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := fmt.Println(total)
	return err
}

// work does the same again and again until the deadline, and what it began to its end.
func (c *client) work(ctx context.Context, deadline time.Time) (int64, error) {
	total := int64(0)
	if c.kind == resumed { // the first handshake is a full one
		if _, err := c.connect(ctx, false); err != nil {
			return 0, err
		}
	}
	for total == 0 || time.Now().Before(deadline) {
		amount, err := c.connect(ctx, c.kind == resumed)
		if err != nil {
			return 0, err
		}
		total += amount
	}
	return total, nil
}

// connect makes one connection and returns what counts of it.
func (c *client) connect(ctx context.Context, wantResumed bool) (int64, error) {
	var d net.Dialer
	inner, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return 0, err
	}
	defer inner.Close()
	conn, again, err := c.handshake(ctx, inner)
	if err != nil {
		return 0, err
	}
	if again != wantResumed {
		return 0, fmt.Errorf("resumed: %v, want %v", again, wantResumed)
	}
	switch {
	case c.kind == bulk:
		n, err := fetch(conn, http.MethodGet)
		if err == nil && n != bulkSize {
			err = fmt.Errorf("%d bytes", n)
		}
		return n, err
	case c.kind == resumed && c.ticketsFollow:
		if _, err := fetch(conn, http.MethodHead); err != nil {
			return 0, err
		}
	}
	return 1, conn.Close()
}

// fetch gets the file, or its headers.
func fetch(c net.Conn, method string) (int64, error) {
	request, err := http.NewRequest(method, "http://localhost/bulk", nil)
	if err != nil {
		return 0, err
	}
	request.Close = true
	if err := request.Write(c); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 1<<16), request)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, errors.New(resp.Status)
	}
	return io.Copy(io.Discard, resp.Body)
}

// newGOSTClient returns a client of gosttls that offers one suite.
func newGOSTClient(o options) (*client, error) {
	id, err := o.suite.id()
	if err != nil {
		return nil, err
	}
	cert, err := readPair(o.dir, "client", o.key)
	if err != nil {
		return nil, err
	}
	config := &gosttls.Config{
		Certificates:       []gosttls.Certificate{cert},
		CipherSuites:       []uint16{id},
		ServerName:         "localhost",
		InsecureSkipVerify: true, // the load is for the server
	}
	if o.kind == resumed {
		config.ClientSessions = gosttls.NewClientSessionCache(1)
	}
	return &client{addr: o.addr, kind: o.kind, ticketsFollow: o.suite.isTLS13(), handshake: func(ctx context.Context, inner net.Conn) (net.Conn, bool, error) {
		c := gosttls.Client(inner, config)
		err := c.HandshakeContext(ctx)
		return c, err == nil && c.ConnectionState().Resumed, err
	}}, nil
}

// newStdClient returns a client of crypto/tls.
func newStdClient(o options) (*client, error) {
	cert, err := tls.LoadX509KeyPair(certFile(o.dir, "client", o.key), keyFile(o.dir, "client", o.key))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		Certificates:       []tls.Certificate{cert},
		ServerName:         "localhost",
		MinVersion:         tls.VersionTLS12,
		MaxVersion:         tls.VersionTLS12,
		CipherSuites:       []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
		InsecureSkipVerify: true, // the load is for the server
	}
	if o.suite == aes13 {
		config.MinVersion, config.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
	}
	if o.kind == resumed {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	return &client{addr: o.addr, kind: o.kind, handshake: func(ctx context.Context, inner net.Conn) (net.Conn, bool, error) {
		c := tls.Client(inner, config)
		err := c.HandshakeContext(ctx)
		return c, err == nil && c.ConnectionState().DidResume, err
	}}, nil
}
