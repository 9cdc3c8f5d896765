package gosttls

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
)

// Errors of connections that never became a handshake.
var (
	// ErrNotTLS means that the first bytes of a client were not TLS. If they
	// were plain HTTP, the client got a page that says so.
	ErrNotTLS = errors.New("gosttls: client does not speak TLS")

	// ErrTooManyHandshakes means that Listener.MaxHandshakes were running when
	// the client came.
	ErrTooManyHandshakes = errors.New("gosttls: too many handshakes at once")

	// ErrPanic means that a hook of a configuration, a key or the handshake
	// itself panicked. The text goes on with the value and the stack. It is a
	// mistake of this side, and ends that one connection.
	ErrPanic = errors.New("gosttls: panic in a handshake")
)

// maxPeek limits what is read of a client before anything is known about it: a
// ClientHello of the greatest length in records of half a kilobyte.
const maxPeek = message.MaxBody + message.HeaderSize + 128*record.HeaderSize

// peekedConn gives the bytes that were read ahead back to the next reader.
type peekedConn struct {
	net.Conn
	ahead []byte // not read again yet

	// hello is nil if it could not be parsed, and after the stack was chosen: it
	// may be as long as a client likes.
	hello *message.ClientHello

	// facts are those of the hello, in a state of a connection that has nothing
	// else yet.
	facts ConnectionState
}

// Read implements net.Conn.
func (c *peekedConn) Read(b []byte) (int, error) {
	if len(c.ahead) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.ahead)
	if c.ahead = c.ahead[n:]; len(c.ahead) == 0 {
		c.ahead = nil
	}
	return n, nil
}

// wantsGOST reports whether the client can be served by config; a client without a
// suite or a curve in common may still have an ordinary suite.
func (c *peekedConn) wantsGOST(config *Config) bool { return c.hello != nil && config.serves(c.hello) }

// peek reads the ClientHello and looks at it. A hello that is TLS but cannot be
// parsed is not an error: the TLS stack that gets it tells the client.
func peek(conn net.Conn) (*peekedConn, error) {
	c := &peekedConn{Conn: conn}
	body, err := c.readHello()
	if err != nil {
		return c, err
	}
	if hello, err := message.ParseClientHello(body); err == nil {
		c.hello = hello
		c.facts.takeHello(hello)
	}
	return c, nil
}

// readHello reads until the body of the ClientHello is complete, and returns nil
// when it never will be. Everything read is in c.ahead.
func (c *peekedConn) readHello() ([]byte, error) {
	var hello []byte
	rest := 0 // where the next record begins in c.ahead
	for {
		if err := c.readAhead(rest + record.HeaderSize); err != nil {
			return nil, err
		}
		header := c.ahead[rest : rest+record.HeaderSize]
		if rest == 0 && !looksLikeTLS(header) {
			return nil, fmt.Errorf("%w: first bytes %q", ErrNotTLS, header)
		}
		size := int(binary.BigEndian.Uint16(header[3:]))
		if !looksLikeTLS(header) || size == 0 || size > record.MaxPlaintext {
			return nil, nil
		}
		end := rest + record.HeaderSize + size
		if end > maxPeek {
			return nil, nil
		}
		if err := c.readAhead(end); err != nil {
			return nil, err
		}
		hello = append(hello, c.ahead[rest+record.HeaderSize:end]...)
		rest = end
		body, done := helloBody(hello)
		if done {
			return body, nil
		}
	}
}

// helloBody returns the body of the ClientHello if all of it is there. It is also
// done, with nil, when the bytes are something else or too long.
func helloBody(b []byte) (body []byte, done bool) {
	if message.Type(b[0]) != message.TypeClientHello {
		return nil, true
	}
	if len(b) < message.HeaderSize {
		return nil, false
	}
	n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if n > message.MaxBody {
		return nil, true
	}
	b = b[message.HeaderSize:]
	if len(b) < n {
		return nil, false
	}
	return b[:n], true
}

// looksLikeTLS reports whether a record header may begin a ClientHello.
func looksLikeTLS(header []byte) bool {
	return wire.RecordType(header[0]) == wire.TypeHandshake && header[1] == 3
}

// readAhead makes c.ahead at least n bytes long.
func (c *peekedConn) readAhead(n int) error {
	for len(c.ahead) < n {
		c.ahead = slices.Grow(c.ahead, max(n-len(c.ahead), 512))
		m, err := c.Conn.Read(c.ahead[len(c.ahead):cap(c.ahead)])
		c.ahead = c.ahead[:len(c.ahead)+m]
		if err != nil && len(c.ahead) < n {
			return wire.NoEOF(err)
		}
	}
	return nil
}

// httpAnswer is what a client of plain HTTP gets, word for word as from net/http.
const httpAnswer = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

// answerHTTP tells a client of plain HTTP what is wrong. It does nothing for
// others.
func (c *peekedConn) answerHTTP() error {
	for _, method := range []string{"GET ", "HEAD ", "POST ", "PUT ", "PATCH ", "DELETE ", "OPTIONS "} {
		if n := min(len(method), record.HeaderSize); bytes.HasPrefix(c.ahead, []byte(method[:n])) {
			_, err := io.WriteString(c.Conn, httpAnswer)
			return err
		}
	}
	return nil
}
