package gosttls

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
)

// pair13 returns a connection of TLS 1.3 whose handshake is done.
func pair13(t testing.TB) (client, server *Conn) {
	t.Helper()
	clientConfig, serverConfig := configs13(t, cryptoProA, cryptoProA)
	return connected(t, clientConfig, serverConfig)
}

// sendMessage sends a handshake message after the handshake.
func sendMessage(t testing.TB, c *Conn, raw []byte) {
	t.Helper()
	if err := errors.Join(c.out.Queue(wire.TypeHandshake, raw), c.out.Flush()); err != nil {
		t.Fatal(err)
	}
}

// transfer sends one byte and reads it on the other side.
func transfer(t testing.TB, from, to *Conn) {
	t.Helper()
	if _, err := from.Write([]byte{42}); err != nil {
		t.Fatal(err)
	}
	if got := readChunk(t, to); !bytes.Equal(got, []byte{42}) {
		t.Fatalf("read %x", got)
	}
}

// A KeyUpdate changes the keys of one direction; one that asks for another is answered
// before the next data, and only then.
func TestKeyUpdate13(t *testing.T) {
	client, server := pair13(t)
	for _, c := range [][2]*Conn{{client, server}, {server, client}, {client, server}} {
		from, to := c[0], c[1]
		in, out := to.traffic.in, to.traffic.out
		requestUpdate(from)
		transfer(t, from, to)
		if to.traffic.in == in || to.traffic.in != from.traffic.out {
			t.Error("the receiving key is not a new one")
		}
		if to.traffic.out != out || !to.out.UpdateOwed.Load() {
			t.Error("answered too early, or the debt was forgotten")
		}
		transfer(t, to, from)
		if to.traffic.out == out || to.out.UpdateOwed.Load() || from.traffic.in != to.traffic.out {
			t.Error("the debt was not paid")
		}
		if from.out.UpdateOwed.Load() {
			t.Error("the answer was answered")
		}
	}
}

// Keys are changed long before their records run out, in both directions at once, and
// no byte is lost.
func TestKeyUpdateBeforeTheLastRecord13(t *testing.T) {
	client, server := pair13(t)
	const perKey, writes = 20, 500
	for _, c := range []*Conn{client, server} {
		suite := *c.traffic.suite
		suite.MaxSeq = 1<<16 - 1 + perKey
		c.traffic.suite = &suite
		p, err := c.traffic.out.Protector(&suite)
		if err != nil {
			t.Fatal(err)
		}
		c.out.Switch(p) // the same keys; no record was sent under them yet
	}
	before := [2]any{client.traffic.out, server.traffic.out}
	var wg sync.WaitGroup
	for _, c := range []*Conn{client, server} {
		wg.Go(func() {
			for i := range writes {
				if _, err := fmt.Fprintf(c, "%04d", i); err != nil {
					t.Error(err)
				}
			}
			if err := c.CloseWrite(); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			got, err := io.ReadAll(c)
			if err != nil || len(got) != 4*writes {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			for i := range len(got) / 4 {
				if want := fmt.Sprintf("%04d", i); string(got[4*i:4*i+4]) != want {
					t.Fatalf("%q instead of %q", got[4*i:4*i+4], want)
				}
			}
		})
	}
	wg.Wait()
	if client.traffic.out == before[0] || server.traffic.out == before[1] || client.traffic.in != server.traffic.out || server.traffic.in != client.traffic.out {
		t.Error("the keys were not changed")
	}
}

// How often a peer changes its keys is limited, unless it sends data in between.
func TestKeyUpdateFlood13(t *testing.T) {
	for _, requested := range []bool{false, true} {
		client, server := pair13(t)
		update := func() {
			raw := (&message.KeyUpdate{Requested: requested}).Marshal()
			sendMessage(t, client, raw)
			_, next, err := client.traffic.updateOut()
			if err != nil {
				t.Fatal(err)
			}
			client.out.Switch(next)
		}
		for range 3 {
			for range maxKeyUpdates {
				update()
			}
			transfer(t, client, server)
		}
		for range maxKeyUpdates + 1 {
			update()
		}
		_, err := server.Read(make([]byte, 1))
		_, told := client.Read(make([]byte, 1))
		wantRefusal(t, wire.AlertUnexpectedMessage, err, told)
	}
}

// The limit on handshake bytes is one between two pieces of data.
func TestHandshakeBytesAfterTheHandshake13(t *testing.T) {
	client, server := pair13(t)
	ticket := (&message.SessionTicket13{Lifetime: 60, Ticket: make([]byte, 15000)}).Marshal()
	for range 20 {
		sendMessage(t, server, ticket)
		transfer(t, server, client)
	}
	for range 20 {
		sendMessage(t, server, ticket)
	}
	_, err := client.Read(make([]byte, 1))
	_, told := server.Read(make([]byte, 1))
	wantRefusal(t, wire.AlertUnexpectedMessage, err, told)
}

// What may come after the handshake, and from whom.
func TestMessagesAfterTheHandshake13(t *testing.T) {
	for _, typ := range foreignTypes {
		for _, toClient := range []bool{false, true} {
			if typ == message.TypeKeyUpdate || (typ == message.TypeNewSessionTicket && toClient) {
				continue
			}
			from, to := pair13(t)
			if toClient {
				from, to = to, from
			}
			sendMessage(t, from, foreign(typ))
			_, err := to.Read(make([]byte, 1))
			_, told := from.Read(make([]byte, 1))
			wantRefusal(t, wire.AlertUnexpectedMessage, err, told)
			if t.Failed() {
				t.Fatalf("message %d, to the client: %v", typ, toClient)
			}
		}
	}
	for name, test := range map[string]struct {
		raw   []byte
		alert Alert
	}{
		"KeyUpdate 2":         {[]byte{24, 0, 0, 1, 2}, wire.AlertIllegalParameter},
		"empty KeyUpdate":     {[]byte{24, 0, 0, 0}, wire.AlertDecodeError},
		"long KeyUpdate":      {[]byte{24, 0, 0, 2, 0, 0}, wire.AlertDecodeError},
		"KeyUpdate and more":  {[]byte{24, 0, 0, 1, 0, 24}, wire.AlertUnexpectedMessage},
		"malformed ticket":    {[]byte{4, 0, 0, 1, 0}, wire.AlertDecodeError},
		"a message too large": {[]byte{24, 0xff, 0, 0}, wire.AlertIllegalParameter},
	} {
		client, server := pair13(t)
		sendMessage(t, server, test.raw)
		_, err := client.Read(make([]byte, 1))
		_, told := server.Read(make([]byte, 1))
		wantRefusal(t, test.alert, err, told)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// Data within a message is an attack.
func TestDataWithinMessage13(t *testing.T) {
	client, server := pair13(t)
	sendMessage(t, server, []byte{4, 0, 0})
	if _, err := server.Write([]byte("data")); err != nil {
		t.Fatal(err)
	}
	_, err := client.Read(make([]byte, 1))
	_, told := server.Read(make([]byte, 1))
	wantRefusal(t, wire.AlertUnexpectedMessage, err, told)
}

// Alerts after the handshake: the level means nothing, and closing one direction leaves
// the other.
func TestAlerts13(t *testing.T) {
	for _, level := range []byte{wire.LevelWarning, wire.LevelFatal, 7} {
		client, server := pair13(t)
		if err := errors.Join(client.out.Queue(wire.TypeAlert, []byte{level, byte(wire.AlertAccessDenied)}), client.out.Flush()); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Read(make([]byte, 1)); !isRemote(err, wire.AlertAccessDenied) {
			t.Errorf("level %d: %v", level, err)
		}
	}
	client, server := pair13(t)
	if err := errors.Join(client.out.Queue(wire.TypeAlert, []byte{wire.LevelWarning, byte(wire.AlertUserCanceled)}), client.out.Flush()); err != nil {
		t.Fatal(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after close_notify: %v", err)
	}
	transfer(t, server, client) // half-closed
	if _, err := client.Write([]byte{1}); !errors.Is(err, wire.ErrWriteClosed) {
		t.Errorf("write after CloseWrite: %v", err)
	}
}

// An alert in clear means something only as long as the peer may have no keys: later
// anybody on the way can have made it, and it is no word of the peer.
func TestAlertInClear13(t *testing.T) {
	inClear := []byte{21, 3, 3, 0, 2, wire.LevelFatal, byte(wire.AlertAccessDenied)}
	client, server := configs13(t, cryptoProA, cryptoProA)
	for at, flush := range map[int]bool{atCertificate13: false, atFinished13: true} {
		c, s := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
			return before(honest13(hs), at, func() error {
				if flush {
					if err := hs.out.Flush(); err != nil {
						return err
					}
				}
				_, err := hs.out.Writer.Write(inClear)
				if !flush {
					err = errors.Join(err, io.EOF) // the server is gone, and says nothing
				}
				return err
			})
		})
		if flush {
			wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
		} else if !isRemote(s, wire.AlertAccessDenied) {
			t.Errorf("the alert of a client without keys: client %v, server %v", c, s)
		}
	}
	cc, sc := connected(t, client, server)
	if _, err := cc.out.Writer.Write(inClear); err != nil {
		t.Fatal(err)
	}
	_, err := sc.Read(make([]byte, 1))
	_, told := cc.Read(make([]byte, 1))
	wantRefusal(t, wire.AlertUnexpectedMessage, err, told)
}

// pad returns the record of TLS 1.3 that the next one of a side would be, with content
// of the given type and zeros behind.
func sealPadded(t testing.TB, c *Conn, typ uint8, content []byte, padding int) []byte {
	t.Helper()
	// TLSInnerPlaintext is what Seal encrypts, with one more byte for its type: that
	// byte is the last zero of the padding here.
	inner := append(append(bytes.Clone(content), typ), make([]byte, padding)...)
	rec, err := c.out.Protect.Seal(nil, 0, VersionTLS12, inner[:len(inner)-1])
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// Padding is dropped, and counts for the limits.
func TestPadding13(t *testing.T) {
	client, server := pair13(t)
	for _, padding := range []int{1, 2, 255, 1000, record.MaxPlaintext - 5} {
		if _, err := client.out.Writer.Write(sealPadded(t, client, 23, []byte("hello"), padding)); err != nil {
			t.Fatal(err)
		}
		if got := readChunk(t, server); string(got) != "hello" {
			t.Errorf("padded by %d: %q", padding, got)
		}
	}
	for name, rec := range map[string]func(c *Conn) []byte{
		"no type":         func(c *Conn) []byte { return sealPadded(t, c, 0, make([]byte, 10), 10) },
		"unknown type":    func(c *Conn) []byte { return sealPadded(t, c, 99, []byte("hello"), 10) },
		"empty handshake": func(c *Conn) []byte { return sealPadded(t, c, 22, nil, 10) },
		"empty alert":     func(c *Conn) []byte { return sealPadded(t, c, 21, nil, 10) },
	} {
		client, server := pair13(t)
		if _, err := client.out.Writer.Write(rec(client)); err != nil {
			t.Fatal(err)
		}
		_, err := server.Read(make([]byte, 1))
		_, told := client.Read(make([]byte, 1))
		wantRefusal(t, wire.AlertUnexpectedMessage, err, told)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// Records without content cost work and bring nothing: their number is limited.
func TestEmptyRecords13(t *testing.T) {
	client, server := pair13(t)
	for range wire.MaxUselessRecords + 1 {
		if err := errors.Join(client.out.Queue(wire.TypeApplicationData, nil), client.out.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := server.Read(make([]byte, 1))
	_, told := client.Read(make([]byte, 1))
	wantRefusal(t, wire.AlertUnexpectedMessage, err, told)
}

// Records whose header is too long or says something else than application data.
func TestRecordHeaders13(t *testing.T) {
	for name, test := range map[string]struct {
		header []byte
		alert  Alert
	}{
		"too long":  {[]byte{23, 3, 3, 0x41, 0x01}, wire.AlertRecordOverflow},
		"handshake": {[]byte{22, 3, 3, 0, 20}, wire.AlertUnexpectedMessage},
		"alert":     {[]byte{21, 3, 3, 0, 2}, wire.AlertUnexpectedMessage},
		"version":   {[]byte{23, 3, 4, 0, 20}, wire.AlertProtocolVersion},
		"no record": {[]byte{24, 3, 3, 0, 20}, wire.AlertUnexpectedMessage},
		"too short": {[]byte{23, 3, 3, 0, 16}, wire.AlertBadRecordMAC},
	} {
		client, server := pair13(t)
		rec := append(bytes.Clone(test.header), make([]byte, min(100, int(test.header[4])))...)
		if _, err := client.out.Writer.Write(rec); err != nil {
			t.Fatal(err)
		}
		_, err := server.Read(make([]byte, 1))
		_, told := client.Read(make([]byte, 1))
		wantRefusal(t, test.alert, err, told)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// early sends records that no key opens.
func early(c *Conn, count, size int) step {
	return func() error {
		for range count {
			rec := append([]byte{23, 3, 3, byte(size >> 8), byte(size)}, make([]byte, size)...)
			if _, err := c.out.Writer.Write(rec); err != nil {
				return err
			}
		}
		return nil
	}
}

// Early data that nobody asked for is skipped, up to a limit, with and without a
// HelloRetryRequest.
func TestEarlyData13(t *testing.T) {
	for name, test := range map[string]struct {
		count, size int
		alert       Alert // without HelloRetryRequest, which is another one
	}{
		"none":     {0, 0, 0},
		"some":     {3, 1000, 0},
		"empty":    {3, 16, 0},
		"too much": {5, 16384, wire.AlertBadRecordMAC},
		"too many": {1100, 17, wire.AlertBadRecordMAC},
	} {
		for _, retried := range []bool{false, true} {
			client, server := configs13(t, tc26256A, tc26256A)
			alert := test.alert
			if retried {
				client, server = retrying(t)
				if alert != 0 {
					alert = wire.AlertUnexpectedMessage
				}
			}
			c, s := connPair(t, client, server)
			done := make(chan error, 1)
			go func() {
				err := s.Handshake()
				if err == nil {
					err = s.CloseWrite()
				}
				done <- err
			}()
			hs := newClientHandshake(c)
			err := inOrder(hs.prepareHello, hs.offer13, func() error {
				hs.hello.Set(message.Extension{Type: message.ExtEarlyData})
				return nil
			}, hs.sendHello, early(c, test.count, test.size), hs.readServerHello, func() error {
				remove(hs.hello, message.ExtEarlyData) // of the second hello
				return inOrder(append(honest13(hs.next13), hs.next13.hear)...)
			})
			_ = c.giveUp(err)
			if serverErr := <-done; alert == 0 {
				if err != nil || serverErr != nil {
					t.Errorf("%s, retried %v: client %v, server %v", name, retried, err, serverErr)
				}
			} else if refusal, ok := errors.AsType[*ProtocolError](serverErr); !ok || refusal.Alert != alert {
				t.Errorf("%s, retried %v: %v", name, retried, serverErr)
			}
		}
	}
	// Without the extension nothing is skipped.
	client, server := configs13(t, tc26256A, tc26256A)
	c, s := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
		return before(honest13(hs), 0, early(hs.Conn, 1, 100))
	})
	wantRefusal(t, wire.AlertBadRecordMAC, s, c)
}

// Early data is over with the first record that is something else, and with the keys that
// follow a HelloRetryRequest: whoever changes a record later ends the connection.
func TestEarlyDataEnds13(t *testing.T) {
	offer := func(hs *clientHandshake) { hs.hello.Set(message.Extension{Type: message.ExtEarlyData}) }
	client, server := configs13(t, tc26256A, tc26256A)
	c, s := attackServer13(t, client, server, offer, func(hs *clientHandshake13) []step {
		return before(before(honest13(hs), atFinished13, early(hs.Conn, 1, 100)), atFinished13, hs.out.Flush)
	})
	wantRefusal(t, wire.AlertBadRecordMAC, s, c)

	client, server = retrying(t)
	c, s = attackServer13(t, client, server, offer, func(hs *clientHandshake13) []step {
		remove(hs.hello, message.ExtEarlyData) // of the second hello
		return before(honest13(hs), atCertificate13, early(hs.Conn, 1, 100))
	})
	wantRefusal(t, wire.AlertBadRecordMAC, s, c)
}
