package gosttls

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/recording"
	"propusk/gost/gosttls/internal/wire"
)

// memory is a connection in memory, without limit. When both ends read and nobody has
// written, it ends: nobody would ever.
type memory struct {
	mu      sync.Mutex
	cond    *sync.Cond
	data    [2]bytes.Buffer // to be read by the ends
	waiting int
	closed  bool
}

// memoryConn is one end of it.
type memoryConn struct {
	net.Conn // nil: nothing else may be used
	*memory
	end int
}

func memoryPair() (a, b *memoryConn) {
	m := new(memory)
	m.cond = sync.NewCond(&m.mu)
	return &memoryConn{memory: m, end: 0}, &memoryConn{memory: m, end: 1}
}

func (c *memoryConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
	defer func() { c.waiting-- }()
	for c.data[c.end].Len() == 0 && !c.closed {
		if c.waiting == 2 && c.data[1-c.end].Len() == 0 {
			c.closed = true
			c.cond.Broadcast()
			break
		}
		c.cond.Wait()
	}
	if c.data[c.end].Len() == 0 {
		return 0, io.EOF
	}
	return c.data[c.end].Read(b)
}

func (c *memoryConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, io.ErrClosedPipe
	}
	c.cond.Broadcast()
	return c.data[1-c.end].Write(b)
}

// Close ends both directions, but what was written before can be read.
func (c *memoryConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.cond.Broadcast()
	return nil
}

func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }
func (c *memoryConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// mutator changes messages as the input of a fuzzer says: of five bytes, the number of
// a message, a kind of change, a place of two bytes and a value.
type mutator struct {
	script  []byte
	changed bool
}

func (m *mutator) apply(number int, raw []byte) []byte {
	for s := m.script; len(s) >= 5; s = s[5:] {
		if int(s[0])%8 != number || len(raw) == 0 {
			continue
		}
		before := bytes.Clone(raw)
		at := int(binary.BigEndian.Uint16(s[2:])) % len(raw)
		switch s[1] % 5 {
		case 0:
			raw[at] ^= s[4]
		case 1:
			raw = append(raw[:at:at], raw[min(at+int(s[4]), len(raw)):]...)
		case 2:
			raw = append(raw[:at:at], append(bytes.Repeat([]byte{s[4]}, int(s[4]%32)), raw[at:]...)...)
		case 3: // with lengths that are right
			if at >= message.HeaderSize {
				raw = append(raw[:at:at], append([]byte{s[4]}, raw[at:]...)...)
				n := len(raw) - message.HeaderSize
				raw[1], raw[2], raw[3] = byte(n>>16), byte(n>>8), byte(n)
			}
		case 4:
			raw[0] = s[4]
		}
		m.changed = m.changed || !bytes.Equal(raw, before)
	}
	return raw
}

// endsKnown checks that a handshake ended with success, with an alert, or with the end
// of the connection, and that it was no mistake of ours.
func endsKnown(t *testing.T, err error) {
	t.Helper()
	refusal, isRefusal := errors.AsType[*ProtocolError](err)
	if isRefusal && refusal.Alert == wire.AlertInternalError {
		t.Fatalf("internal error by input: %v", err)
	}
	if err != nil && !isRefusal && !isAnyRemote(err) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("error %v", err)
	}
}

func isAnyRemote(err error) bool {
	_, ok := errors.AsType[*RemoteError](err)
	return ok
}

// mutations are beginnings for the two targets below: nothing, and each kind of change
// in each message.
func mutations(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	for number := range byte(6) {
		for kind := range byte(5) {
			f.Add([]byte{number, kind, 0, 40, 1, number, kind, 1, 77, 200}, number<<2|kind)
		}
	}
}

// FuzzServerFlight13 runs a whole handshake with a server that gets the flights of a
// client with changes in any of the messages, also in those under keys.
func FuzzServerFlight13(f *testing.F) {
	mutations(f)
	client, server := configs13(f, cryptoProA, tc26256A)
	retryClient, retryServer := retrying(f)
	server.SessionTickets = new(TicketKeys)
	f.Fuzz(func(t *testing.T, script []byte, flags uint8) {
		a, b := memoryPair()
		clientConfig, serverConfig := client, server
		if flags&1 != 0 {
			clientConfig, serverConfig = retryClient, retryServer
		}
		c, s := Client(a, clientConfig), Server(b, serverConfig)
		done := make(chan error, 1)
		go func() {
			err := s.Handshake()
			_ = s.Close()
			done <- err
		}()
		m := &mutator{script: script}
		hs := newClientHandshake(c)
		// The client takes for the transcript what it sends: so the changed messages
		// go as deep as possible.
		send := func(number int, raw []byte) error { return hs.send(m.apply(number, raw)) }
		err := inOrder(hs.prepareHello, hs.offer13, func() error {
			return send(0, hs.hello.Marshal())
		}, hs.out.Flush, hs.readServerHello, func() error {
			if hs.next13 == nil {
				return errors.New("no TLS 1.3")
			}
			return inOrder(mutatedFlight(hs.next13, m)...)
		})
		_ = a.Close()
		serverErr := <-done
		endsKnown(t, serverErr)
		if !m.changed && (err != nil || serverErr != nil) {
			t.Fatalf("client %v, server %v", err, serverErr)
		}
		if state := s.ConnectionState(); serverErr != nil && state.HandshakeComplete {
			t.Fatal("complete, and an error")
		}
	})
}

// mutatedFlight returns the steps of a client whose messages are changed.
func mutatedFlight(hs *clientHandshake13, m *mutator) []step {
	steps := honest13(hs)
	steps[1] = func() error {
		if !hs.answer.IsRetry() {
			return nil
		}
		hs.retryOf = hs.answer
		hs.transcript.retry(hs.answer.Marshal())
		return inOrder(hs.changeHello, hs.queueCCS, func() error {
			return hs.send(m.apply(1, hs.hello.Marshal()))
		}, hs.out.Flush, hs.readAnswer, hs.checkAnswer)
	}
	steps[atCertificate13] = func() error {
		cert := hs.config.Certificates[0]
		entries := []message.CertificateEntry{{DER: cert.Chain[0]}}
		if err := hs.send(m.apply(2, (&message.Certificate13{Entries: entries}).Marshal())); err != nil {
			return err
		}
		verify, err := sign13(hs.config.rand(), cert, clientContext, hs.transcript.sum256())
		if err != nil {
			return err
		}
		return hs.send(m.apply(3, verify.Marshal()))
	}
	steps[atFinished13] = func() error {
		finished := &message.Finished{VerifyData: hs.client.Finished(hs.transcript.sum256())}
		return errors.Join(hs.send(m.apply(4, finished.Marshal())), hs.out.Flush())
	}
	return steps
}

// FuzzClientFlight13 is the same for a client.
func FuzzClientFlight13(f *testing.F) {
	mutations(f)
	client, server := configs13(f, cryptoProA, tc26256A)
	retryClient, retryServer := retrying(f)
	f.Fuzz(func(t *testing.T, script []byte, flags uint8) {
		a, b := memoryPair()
		clientConfig, serverConfig := client, server
		if flags&1 != 0 {
			clientConfig, serverConfig = retryClient, retryServer
		}
		c, s := Client(a, clientConfig), Server(b, serverConfig)
		done := make(chan error, 1)
		go func() {
			err := c.Handshake()
			_ = c.Close()
			done <- err
		}()
		m := &mutator{script: script}
		first := newServerHandshake(s)
		err := first.readClientHello()
		if err == nil {
			err = inOrder(mutatedAnswer(newServerHandshake13(first), m)...)
		}
		_ = b.Close()
		clientErr := <-done
		endsKnown(t, clientErr)
		if !m.changed && (err != nil || clientErr != nil) {
			t.Fatalf("client %v, server %v", clientErr, err)
		}
		if state := c.ConnectionState(); clientErr != nil && state.HandshakeComplete {
			t.Fatal("complete, and an error")
		}
	})
}

// mutatedAnswer returns the steps of a server whose messages are changed.
func mutatedAnswer(hs *serverHandshake13, m *mutator) []step {
	hello := func(number int, random [message.RandomSize]byte, answer *message.Answer13) error {
		raw := (&message.ServerHello{
			Version: VersionTLS12, Random: random, SessionID: hs.clientHello.SessionID, CipherSuite: hs.suite.ID, Extensions: answer.Extensions(),
		}).Marshal()
		return errors.Join(hs.send(m.apply(number, raw)), hs.out.Flush())
	}
	send := func(number int, raw []byte) step { return func() error { return hs.send(m.apply(number, raw)) } }
	return []step{
		hs.checkHello, hs.chooseParameters,
		func() error {
			if hs.share != nil {
				return nil
			}
			hs.transcript.retry(nil)
			if err := hello(0, message.RetryRandom, &message.Answer13{Version: VersionTLS13, Group: group(hs.curve)}); err != nil {
				return err
			}
			body, err := hs.read(message.TypeClientHello)
			if err != nil {
				return err
			}
			if hs.clientHello, err = message.ParseClientHello(body); err != nil {
				return err
			}
			if err := hs.checkHello(); err != nil {
				return err
			}
			hs.share = hs.shareFor(hs.curve)
			return nil
		},
		hs.findSession, hs.chooseCertificate,
		func() error {
			key, shared, err := hs.ephemeral()
			if err != nil {
				return err
			}
			answer := &message.Answer13{Version: VersionTLS13, Share: &message.KeyShare{Group: group(hs.curve), Key: key}}
			return errors.Join(hello(1, [32]byte{1}, answer), hs.agreed(nil, shared))
		},
		hs.protectHandshake,
		send(2, foreign(message.TypeEncryptedExtensions)),
		send(3, foreign(message.TypeCertificateRequest)),
		func() error {
			m13 := &message.Certificate13{Entries: []message.CertificateEntry{{DER: hs.cert.Chain[0]}}}
			return hs.send(m.apply(4, m13.Marshal()))
		},
		func() error {
			verify, err := sign13(hs.config.rand(), hs.cert, serverContext, hs.transcript.sum256())
			if err != nil {
				return err
			}
			return hs.send(m.apply(5, verify.Marshal()))
		},
		func() error {
			finished := &message.Finished{VerifyData: hs.server.Finished(hs.transcript.sum256())}
			return hs.send(m.apply(6, finished.Marshal()))
		},
		hs.out.Flush, hs.finish, hs.protectData,
		func() error { hs.requested = true; return nil },
		hs.awaitClientFlight, hs.readCertificate, hs.readFinished,
	}
}

// FuzzServerConn13 feeds arbitrary bytes to a server of TLS 1.3.
func FuzzServerConn13(f *testing.F) {
	for _, r := range recording.LoadAll13(f, "testdata/tls13") {
		f.Add(r.FromClient)
	}
	_, server := configs13(f, cryptoProA, tc26256A)
	server.SessionTickets = new(TicketKeys)
	f.Fuzz(func(t *testing.T, in []byte) {
		wire := newScript(in)
		c := Server(wire, server)
		endsProperly(t, c, c.Handshake(), wire.out.Bytes())
	})
}

// FuzzClientConn13 feeds arbitrary bytes to a client of TLS 1.3.
func FuzzClientConn13(f *testing.F) {
	for _, r := range recording.LoadAll13(f, "testdata/tls13") {
		f.Add(r.FromServer[:min(len(r.FromServer), 4096)])
	}
	client, _ := configs13(f, cryptoProA, tc26256A)
	f.Fuzz(func(t *testing.T, in []byte) {
		wire := newScript(in)
		c := Client(wire, client)
		endsProperly(t, c, c.Handshake(), wire.out.Bytes())
	})
}
