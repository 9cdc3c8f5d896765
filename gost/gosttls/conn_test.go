package gosttls

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
)

// All curves for both sides, all suites of TLS 1.2.
func TestHandshakeMatrix(t *testing.T) {
	for _, serverSet := range paramSets {
		for _, clientSet := range paramSets {
			if testing.Short() && serverSet.name != clientSet.name {
				continue
			}
			clientConfig, serverConfig := mutual(t, serverSet, clientSet)
			serverConfig.CipherSuites = suites12
			for _, suite := range suites12 {
				clientConfig.CipherSuites = []uint16{suite}
				client, server := connected(t, clientConfig, serverConfig)
				for _, s := range []ConnectionState{client.ConnectionState(), server.ConnectionState()} {
					curve, err := serverConfig.Certificates[0].curve()
					if err != nil {
						t.Fatal(err)
					}
					if !s.GOST || !s.HandshakeComplete || !s.ExtendedMasterSecret || s.Version != VersionTLS12 ||
						s.CipherSuite != suite || s.Curve != curve || !slices.Equal(s.Offered, []uint16{suite}) {
						t.Errorf("server %v, client %v: %+v", serverSet, clientSet, s)
					}
				}
				if got, want := server.ConnectionState().PeerCertificates, clientConfig.Certificates[0].Chain; !slices.EqualFunc(got, want, bytes.Equal) {
					t.Errorf("server knows client as %x", got)
				}
				if got, want := client.ConnectionState().PeerCertificates, serverConfig.Certificates[0].Chain; !slices.EqualFunc(got, want, bytes.Equal) {
					t.Errorf("client knows server as %x", got)
				}
			}
		}
	}
}

// Data of many sizes in both directions at once, through records, key changes and
// writes of several records.
func TestTransfer(t *testing.T) {
	for _, suite := range suites12 {
		client, server := connected(t, &Config{InsecureSkipVerify: true, CipherSuites: []uint16{suite}},
			&Config{CipherSuites: suites12, Certificates: []Certificate{testCert(t, cryptoProA)}})
		random := rand.NewChaCha8([32]byte{1})
		size := 3 << 20
		if testing.Short() {
			size = 300_000
		}
		data := make([]byte, size)
		if _, err := random.Read(data); err != nil {
			t.Fatal(err)
		}
		sizes := []int{1, 2, record.MaxPlaintext - 1, record.MaxPlaintext, record.MaxPlaintext + 1, 5*record.MaxPlaintext + 7, 100, 0, 70_000}
		var wg sync.WaitGroup
		for _, c := range []*Conn{client, server} {
			wg.Go(func() {
				rest := data
				for i := 0; len(rest) > 0; i++ {
					n := min(sizes[i%len(sizes)], len(rest))
					if m, err := c.Write(rest[:n]); m != n || err != nil {
						t.Errorf("Write(%d) = %d, %v", n, m, err)
						return
					}
					rest = rest[n:]
				}
				if err := c.CloseWrite(); err != nil {
					t.Error(err)
				}
				if n, err := c.Write([]byte("x")); n != 0 || !errors.Is(err, wire.ErrWriteClosed) {
					t.Errorf("Write after CloseWrite = %d, %v", n, err)
				}
			})
			wg.Go(func() {
				got, err := io.ReadAll(c)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%#x: read %d of %d bytes, %v", suite, len(got), len(data), err)
				}
				if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
					t.Errorf("Read after the end = %d, %v", n, err)
				}
			})
		}
		wg.Wait()
	}
}

// countingConn counts the writes to the connection below.
type countingConn struct {
	net.Conn
	writes [][]byte
}

func (c *countingConn) Write(b []byte) (int, error) {
	c.writes = append(c.writes, bytes.Clone(b))
	return c.Conn.Write(b)
}

// Each flight is one write, and so are up to sixteen records of data.
func TestWritesPerFlight(t *testing.T) {
	clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
	a, b := tcpPair(t)
	clientWire, serverWire := &countingConn{Conn: a}, &countingConn{Conn: b}
	client, server := Client(clientWire, for12(clientConfig)), Server(serverWire, for12(serverConfig))
	if clientErr, serverErr := shake(client, server); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	if len(clientWire.writes) != 2 || len(serverWire.writes) != 2 {
		t.Errorf("%d writes of the client, %d of the server, want 2 and 2", len(clientWire.writes), len(serverWire.writes))
	}
	go func() { _, _ = io.Copy(io.Discard, server) }() // ends with the connection
	if _, err := client.Write(make([]byte, 33*record.MaxPlaintext)); err != nil {
		t.Fatal(err)
	}
	if n := len(clientWire.writes) - 2; n != 3 {
		t.Errorf("33 records in %d writes, want 3", n)
	}
}

// readerConn reads through another reader.
type readerConn struct {
	net.Conn
	r io.Reader
}

func (c readerConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// The bytes may come in any portions.
func TestOneByteReads(t *testing.T) {
	clientConfig, serverConfig := mutual(t, cryptoProA, tc26512A)
	for _, portion := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader} {
		a, b := tcpPair(t)
		client := Client(readerConn{a, portion(a)}, clientConfig)
		server := Server(readerConn{b, portion(b)}, serverConfig)
		if clientErr, serverErr := shake(client, server); clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		if _, err := client.Write([]byte("portions")); err != nil {
			t.Fatal(err)
		}
		client.Close()
		if got, err := io.ReadAll(server); string(got) != "portions" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// reframe rewrites the handshake records in clear that are written: into
// fragments of the given size, or, with 0, as many messages as fit into one.
type reframe struct {
	net.Conn
	size int
}

func (c reframe) Write(b []byte) (int, error) {
	var out, stream []byte
	rest := b
	for len(rest) > 0 && wire.RecordType(rest[0]) == wire.TypeHandshake {
		n := record.HeaderSize + int(rest[3])<<8 + int(rest[4])
		stream = append(stream, rest[record.HeaderSize:n]...)
		rest = rest[n:]
	}
	size := c.size
	if size == 0 {
		size = record.MaxPlaintext
	}
	for part := range slices.Chunk(stream, size) {
		out = append(out, byte(wire.TypeHandshake), 3, 3, byte(len(part)>>8), byte(len(part)))
		out = append(out, part...)
	}
	if len(stream) == 0 || protected(b) {
		out, rest = nil, b
	}
	if _, err := c.Conn.Write(append(out, rest...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// protected reports whether a write begins with a record of Finished alone.
func protected(b []byte) bool { return len(b) > 3 && wire.RecordType(b[0]) != wire.TypeHandshake }

// RFC 5246, Section 6.2.1: messages may be cut and joined at will.
func TestFragmentedMessages(t *testing.T) {
	for _, size := range []int{1, 3, 100, 0} {
		clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
		a, b := tcpPair(t)
		client, server := Client(reframe{a, size}, clientConfig), Server(reframe{b, size}, serverConfig)
		if clientErr, serverErr := shake(client, server); clientErr != nil || serverErr != nil {
			t.Errorf("fragments of %d: client %v, server %v", size, clientErr, serverErr)
		}
	}
}

// A message of several records is written and read as well.
func TestLongChain(t *testing.T) {
	clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
	for _, config := range []*Config{clientConfig, serverConfig} {
		cert := &config.Certificates[0]
		cert.Chain = append(slices.Clone(cert.Chain), make([]byte, 40_000))
	}
	_, server := connected(t, clientConfig, serverConfig)
	if chain := server.ConnectionState().PeerCertificates; len(chain) != 2 || len(chain[1]) != 40_000 {
		t.Errorf("chain of %d", len(chain))
	}
}

// rawToServer sends bytes to a server that waits for a ClientHello, and returns
// what it sent and its error.
func rawToServer(t *testing.T, b []byte) ([]byte, error) {
	t.Helper()
	wire := newScript(b)
	err := Server(wire, &Config{Certificates: []Certificate{testCert(t, cryptoProA)}}).Handshake()
	return wire.out.Bytes(), err
}

func recordOf(typ wire.RecordType, content []byte) []byte {
	return append([]byte{byte(typ), 3, 1, byte(len(content) >> 8), byte(len(content))}, content...)
}

func TestRecordsRefused(t *testing.T) {
	messages := func(n, size int) (b []byte) { // ClientHellos that come in pieces
		for range n {
			b = append(b, recordOf(wire.TypeHandshake, make([]byte, size))...)
		}
		return b
	}
	for name, test := range map[string]struct {
		alert Alert
		bytes []byte
	}{
		"plain HTTP":                      {wire.AlertUnexpectedMessage, []byte("GET / HTTP/1.1\r\n\r\n")},
		"version 2":                       {wire.AlertProtocolVersion, []byte{22, 2, 0, 0, 1, 1}},
		"version 4":                       {wire.AlertProtocolVersion, []byte{22, 4, 0, 0, 1, 1}},
		"heartbeat":                       {wire.AlertUnexpectedMessage, []byte{24, 3, 3, 0, 1, 1}},
		"record too long":                 {wire.AlertRecordOverflow, []byte{22, 3, 1, 0x40, 1}},
		"empty record":                    {wire.AlertUnexpectedMessage, recordOf(wire.TypeHandshake, nil)},
		"empty alert":                     {wire.AlertUnexpectedMessage, recordOf(wire.TypeAlert, nil)},
		"alert of one byte":               {wire.AlertDecodeError, recordOf(wire.TypeAlert, []byte{1})},
		"alert of three bytes":            {wire.AlertDecodeError, recordOf(wire.TypeAlert, []byte{1, 90, 0})},
		"alert of level 3":                {wire.AlertIllegalParameter, recordOf(wire.TypeAlert, []byte{3, 90})},
		"warnings without end":            {wire.AlertUnexpectedMessage, bytes.Repeat(recordOf(wire.TypeAlert, []byte{1, 90}), 1000)},
		"message too long":                {wire.AlertIllegalParameter, recordOf(wire.TypeHandshake, []byte{1, 1, 0, 1})},
		"message of 16 MiB":               {wire.AlertIllegalParameter, recordOf(wire.TypeHandshake, []byte{1, 255, 255, 255})},
		"HelloRequests without end":       {wire.AlertUnexpectedMessage, messages(1000, 16384)},
		"ServerHello":                     {wire.AlertUnexpectedMessage, recordOf(wire.TypeHandshake, []byte{2, 0, 0, 0})},
		"empty ClientHello":               {wire.AlertDecodeError, recordOf(wire.TypeHandshake, []byte{1, 0, 0, 0})},
		"ChangeCipherSpec within a hello": {wire.AlertUnexpectedMessage, append(recordOf(wire.TypeHandshake, []byte{1, 0, 0}), recordOf(wire.TypeChangeCipherSpec, []byte{1})...)},
		"application data within a hello": {wire.AlertUnexpectedMessage, append(recordOf(wire.TypeHandshake, []byte{1, 0, 0}), recordOf(wire.TypeApplicationData, []byte{1})...)},
		"empty application data in hello": {wire.AlertUnexpectedMessage, recordOf(wire.TypeApplicationData, nil)},
	} {
		out, err := rawToServer(t, test.bytes)
		if refusal, ok := errors.AsType[*ProtocolError](err); !ok || refusal.Alert != test.alert {
			t.Errorf("%s: %v, want %v", name, err, test.alert)
		}
		if want := []byte{byte(wire.TypeAlert), 3, 3, 0, 2, wire.LevelFatal, byte(test.alert)}; !bytes.Equal(out, want) {
			t.Errorf("%s: sent %x, want %x", name, out, want)
		}
	}
}

// What a peer may do before it ends, and how that is told.
func TestPeerLeaves(t *testing.T) {
	for name, test := range map[string]struct {
		bytes []byte
		is    error
		alert Alert
	}{
		"silently":              {nil, io.ErrUnexpectedEOF, 0},
		"within a header":       {[]byte{22, 3}, io.ErrUnexpectedEOF, 0},
		"within a record":       {[]byte{22, 3, 1, 0, 9, 1}, io.ErrUnexpectedEOF, 0},
		"with close_notify":     {recordOf(wire.TypeAlert, []byte{1, 0}), nil, wire.AlertCloseNotify},
		"with a fatal alert":    {recordOf(wire.TypeAlert, []byte{2, 40}), nil, wire.AlertHandshakeFailure},
		"after a warning":       {append(recordOf(wire.TypeAlert, []byte{1, 90}), recordOf(wire.TypeAlert, []byte{2, 48})...), nil, 48},
		"with an unknown alert": {recordOf(wire.TypeAlert, []byte{2, 251}), nil, 251},
	} {
		out, err := rawToServer(t, test.bytes)
		if test.is != nil && !errors.Is(err, test.is) || test.is == nil && !isRemote(err, test.alert) {
			t.Errorf("%s: %v", name, err)
		}
		if errors.Is(err, ErrGOSTProbe) {
			t.Errorf("%s: taken for a probe", name)
		}
		if len(out) != 0 {
			t.Errorf("%s: answered %x", name, out)
		}
	}
}

// Chromium-Gost leaves with illegal_parameter once it knows the suite.
func TestProbe(t *testing.T) {
	probe := func(alert Alert) error {
		_, s := attackServer(t, nil, nil, func(hs *clientHandshake) []step {
			return []step{hs.prepareHello, hs.sendHello, hs.readServerHello, func() error { return hs.out.SendAlert(alert) }}
		})
		return s
	}
	if err := probe(wire.AlertIllegalParameter); !errors.Is(err, ErrGOSTProbe) || !isRemote(err, wire.AlertIllegalParameter) {
		t.Errorf("probe: %v", err)
	}
	if err := probe(wire.AlertBadCertificate); errors.Is(err, ErrGOSTProbe) || !isRemote(err, wire.AlertBadCertificate) {
		t.Errorf("another alert: %v", err)
	}
	// Later, illegal_parameter is a failure like others.
	_, s := attackServer(t, nil, nil, func(hs *clientHandshake) []step {
		return append(honest(hs)[:atFinished], hs.out.Flush, func() error { return hs.out.SendAlert(wire.AlertIllegalParameter) })
	})
	if errors.Is(s, ErrGOSTProbe) || !isRemote(s, wire.AlertIllegalParameter) {
		t.Errorf("illegal_parameter after ClientKeyExchange: %v", s)
	}
}

// Renegotiation is refused with a warning, and the connection goes on; whoever
// does not stop asking is thrown out.
func TestRenegotiationRefused(t *testing.T) {
	clientAsks := func(client, _ *Conn) (*Conn, *Conn, []byte) {
		hs := newClientHandshake(client)
		if err := hs.prepareHello(); err != nil {
			t.Fatal(err)
		}
		return client, nil, hs.hello.Marshal()
	}
	serverAsks := func(_, server *Conn) (*Conn, *Conn, []byte) {
		return server, nil, withBody(message.TypeHelloRequest, nil)
	}
	for name, asks := range map[string]func(client, server *Conn) (*Conn, *Conn, []byte){"client": clientAsks, "server": serverAsks} {
		client, server := connected(t, nil, nil)
		asker, _, ask := asks(client, server)
		refuser := map[*Conn]*Conn{client: server, server: client}[asker]
		for range maxRenegotiations {
			// In two records, with data after it.
			for _, err := range []error{
				asker.out.Queue(wire.TypeHandshake, ask[:2]), asker.out.Queue(wire.TypeHandshake, ask[2:]), asker.out.Flush(),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, err := asker.Write([]byte("still here")); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 20)
			n, err := refuser.Read(got)
			if err != nil || string(got[:n]) != "still here" {
				t.Fatalf("%s asks: %q, %v", name, got[:n], err)
			}
			// The warning arrives; the next record is data again.
			typ, content, err := readRaw(asker)
			if err != nil || typ != wire.TypeAlert || !bytes.Equal(content, []byte{wire.LevelWarning, byte(wire.AlertNoRenegotiation)}) {
				t.Fatalf("%s asks: record %d %x, %v", name, typ, content, err)
			}
			if _, err := refuser.Write([]byte("so am I")); err != nil {
				t.Fatal(err)
			}
			if n, err := asker.Read(got); err != nil || string(got[:n]) != "so am I" {
				t.Fatalf("%s asks: %q, %v", name, got[:n], err)
			}
		}
		if err := errors.Join(asker.out.Queue(wire.TypeHandshake, ask), asker.out.Flush()); err != nil {
			t.Fatal(err)
		}
		_, err := refuser.Read(make([]byte, 1))
		_, askerErr := asker.Read(make([]byte, 1))
		wantRefusal(t, wire.AlertHandshakeFailure, err, askerErr)
	}
}

// The messages that ask for a renegotiation are limited in bytes, too.
func TestRenegotiationBytesLimited(t *testing.T) {
	client, server := connected(t, nil, nil)
	ask := withBody(message.TypeClientHello, make([]byte, message.MaxBody))
	for range 2 { // far fewer than maxRenegotiations
		sendRaw(t, client, wire.TypeHandshake, ask)
	}
	_, err := server.Read(make([]byte, 1))
	if refusal, ok := errors.AsType[*ProtocolError](err); !ok || refusal.Alert != wire.AlertUnexpectedMessage {
		t.Errorf("%v", err)
	}
}

// Nothing of a handshake is left in memory that could read the connection later,
// whether it succeeded or not.
func TestSecretsForgotten(t *testing.T) {
	for _, refuse := range []error{nil, errUnwelcome} {
		client, server := connPair(t, nil, &Config{
			Certificates: []Certificate{testCert(t, cryptoProA)},
			VerifyPeer:   func(ConnectionState) error { return refuse },
		})
		ch, sh := newClientHandshake(client), newServerHandshake(server)
		done := make(chan error, 1)
		go func() { done <- server.giveUp(sh.run()) }()
		if err := ch.run(); (err == nil) != (refuse == nil) {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, refuse) {
			t.Error(err)
		}
		for _, s := range []secrets{ch.secrets, sh.secrets} {
			if !bytes.Equal(s.master, make([]byte, masterSize)) {
				t.Errorf("master secret %x", s.master)
			}
		}
	}
	premaster := bytes.Repeat([]byte{1}, premasterSize)
	new(secrets).setMaster(premaster, nil)
	if !bytes.Equal(premaster, make([]byte, premasterSize)) {
		t.Errorf("premaster secret %x", premaster)
	}
}

// sendRaw sends a protected record.
func sendRaw(t *testing.T, c *Conn, typ wire.RecordType, content []byte) {
	t.Helper()
	if err := errors.Join(c.out.Queue(typ, content), c.out.Flush()); err != nil {
		t.Fatal(err)
	}
}

// readRaw reads a protected record that nothing was read ahead of.
func readRaw(c *Conn) (wire.RecordType, []byte, error) {
	header := make([]byte, record.HeaderSize)
	if _, err := io.ReadFull(c.conn, header); err != nil {
		return 0, nil, err
	}
	fragment := make([]byte, int(header[3])<<8|int(header[4]))
	if _, err := io.ReadFull(c.conn, fragment); err != nil {
		return 0, nil, err
	}
	_, content, err := c.in.Protect.Open(header[0], uint16(header[1])<<8|uint16(header[2]), fragment)
	return wire.RecordType(header[0]), content, err
}

func TestRecordsRefusedAfterHandshake(t *testing.T) {
	for name, test := range map[string]struct {
		alert Alert
		send  func(c *Conn)
	}{
		"ChangeCipherSpec": {wire.AlertUnexpectedMessage, func(c *Conn) { sendRaw(t, c, wire.TypeChangeCipherSpec, []byte{1}) }},
		"Finished":         {wire.AlertUnexpectedMessage, func(c *Conn) { sendRaw(t, c, wire.TypeHandshake, withBody(message.TypeFinished, make([]byte, 32))) }},
		"message too long": {wire.AlertIllegalParameter, func(c *Conn) { sendRaw(t, c, wire.TypeHandshake, []byte{1, 1, 0, 1}) }},
		"data within a message": {wire.AlertUnexpectedMessage, func(c *Conn) {
			sendRaw(t, c, wire.TypeHandshake, []byte{1, 0})
			sendRaw(t, c, wire.TypeApplicationData, []byte("x"))
		}},
		"empty records": {wire.AlertUnexpectedMessage, func(c *Conn) {
			for range wire.MaxUselessRecords + 1 {
				sendRaw(t, c, wire.TypeApplicationData, nil)
			}
		}},
		"warnings": {wire.AlertUnexpectedMessage, func(c *Conn) {
			for range wire.MaxUselessRecords + 1 {
				sendRaw(t, c, wire.TypeAlert, []byte{wire.LevelWarning, byte(wire.AlertUserCanceled)})
			}
		}},
		"empty handshake record": {wire.AlertUnexpectedMessage, func(c *Conn) { sendRaw(t, c, wire.TypeHandshake, nil) }},
		"record in clear": {wire.AlertBadRecordMAC, func(c *Conn) {
			if _, err := c.conn.Write([]byte{23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}); err != nil {
				t.Fatal(err)
			}
		}},
		"record shorter than its MAC": {wire.AlertBadRecordMAC, func(c *Conn) {
			if _, err := c.conn.Write([]byte{23, 3, 3, 0, 1, 1}); err != nil {
				t.Fatal(err)
			}
		}},
		"record too long": {wire.AlertRecordOverflow, func(c *Conn) {
			if _, err := c.conn.Write([]byte{23, 3, 3, 0x40, 17}); err != nil {
				t.Fatal(err)
			}
		}},
		"another version": {wire.AlertProtocolVersion, func(c *Conn) {
			if _, err := c.conn.Write([]byte{23, 3, 1, 0, 20}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		client, server := connected(t, nil, nil)
		test.send(client)
		_, err := server.Read(make([]byte, 1))
		if refusal, ok := errors.AsType[*ProtocolError](err); !ok || refusal.Alert != test.alert {
			t.Errorf("%s: %v, want %v", name, err, test.alert)
		}
		if _, again := server.Read(make([]byte, 1)); !errors.Is(again, err) {
			t.Errorf("%s: then %v", name, again)
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, wire.ErrWriteClosed) {
			t.Errorf("%s: Write after the alert: %v", name, err)
		}
		if _, err := client.Read(make([]byte, 1)); !isRemote(err, test.alert) {
			t.Errorf("%s: the peer got %v", name, err)
		}
	}
}

// Up to the limit, empty records and warnings are nothing.
func TestUselessRecordsIgnored(t *testing.T) {
	client, server := connected(t, nil, nil)
	for range wire.MaxUselessRecords / 2 {
		sendRaw(t, client, wire.TypeApplicationData, nil)
	}
	sendRaw(t, client, wire.TypeAlert, []byte{wire.LevelWarning, byte(wire.AlertUserCanceled)})
	sendRaw(t, client, wire.TypeApplicationData, []byte("x"))
	got := make([]byte, 2)
	if n, err := server.Read(got); n != 1 || err != nil {
		t.Errorf("Read = %d, %v", n, err)
	}
}

// Data that ends without close_notify may have been cut off.
func TestTruncation(t *testing.T) {
	client, server := connected(t, nil, nil)
	if _, err := client.Write([]byte("pay 1000")); err != nil {
		t.Fatal(err)
	}
	client.conn.Close()
	if got, err := io.ReadAll(server); string(got) != "pay 1000" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", got, err)
	}
}

// Close sends close_notify.
func TestCloseNotify(t *testing.T) {
	client, server := connected(t, nil, nil)
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := server.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("Read = %d, %v", n, err)
	}
	if err := client.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if _, err := client.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
}

func TestCloseInterruptsWrite(t *testing.T) {
	client, _ := connected(t, nil, nil)
	done := make(chan error, 1)
	go func() {
		_, err := client.Write(make([]byte, 64<<20)) // nobody reads
		done <- err
	}()
	time.Sleep(50 * time.Millisecond)
	client.Close()
	select {
	case err := <-done:
		if err == nil {
			t.Error("Write of 64 MiB that nobody read succeeded")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close did not interrupt Write")
	}
}

// A Read that timed out loses nothing, even within a record: net/http relies on
// that.
func TestReadAfterTimeout(t *testing.T) {
	client, server := connected(t, nil, nil)
	wire := &countingConn{Conn: newScript(nil)}
	client.out.Writer = wire
	if _, err := client.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	rec := wire.writes[0]
	for i := range rec {
		if err := server.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("before byte %d: %v", i, err)
		}
		if _, err := client.conn.Write(rec[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if i < len(rec)-1 {
			if err := server.SetReadDeadline(time.Now().Add(2 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if n, err := server.Read(make([]byte, 10)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("after byte %d: %d, %v", i, n, err)
			}
		}
	}
	if err := server.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	if n, err := server.Read(got); err != nil || string(got[:n]) != "late" {
		t.Errorf("%q, %v", got[:n], err)
	}
}

// After a Write that timed out nobody knows what the peer has.
func TestWriteAfterTimeout(t *testing.T) {
	client, _ := connected(t, nil, nil)
	if err := client.SetWriteDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if err := client.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("x")); err == nil {
		t.Error("Write after a Write that failed succeeded")
	}
}

func TestHandshakeContext(t *testing.T) {
	for name, handshake := range map[string]func(c *Conn) error{
		"canceled": func(c *Conn) error {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(20*time.Millisecond, cancel)
			return c.HandshakeContext(ctx)
		},
		"deadline": func(c *Conn) error {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			return c.HandshakeContext(ctx)
		},
		"configured": func(c *Conn) error { return c.Handshake() },
	} {
		_, s := tcpPair(t) // a client that says nothing
		config := &Config{Certificates: []Certificate{testCert(t, cryptoProA)}}
		if name == "configured" {
			config.HandshakeTimeout = 20 * time.Millisecond
		}
		c := Server(s, config)
		err := handshake(c)
		if want := map[bool]error{true: context.Canceled, false: context.DeadlineExceeded}[name == "canceled"]; !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, again := c.Read(make([]byte, 1)); !errors.Is(again, err) {
			t.Errorf("%s: Read: %v", name, again)
		}
		if c.ConnectionState().HandshakeComplete {
			t.Errorf("%s: complete", name)
		}
	}
}

// Once the handshake is done, its context has no power over the connection.
func TestContextAfterHandshake(t *testing.T) {
	client, server := connPair(t, nil, nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.HandshakeContext(ctx) }()
	if err := client.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	cancel()
	time.Sleep(10 * time.Millisecond)
	go client.Write([]byte("x"))
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	if err := server.HandshakeContext(ctx); err != nil {
		t.Errorf("handshake that is done: %v", err)
	}
}

// RFC 9189, Section 4.3.5: the connection ends before the numbers do.
func TestRecordNumbersUsedUp(t *testing.T) {
	client, server := connected(t, nil, nil)
	const left = 3
	suite, _ := record.SuiteByID(MagmaCTROMAC)
	few := *suite
	few.MaxSeq = left // records 0 to 3
	for _, p := range []**record.Protector{&client.out.Protect, &server.in.Protect} {
		var err error
		if *p, err = record.NewProtector(&few, make([]byte, 32), make([]byte, 32), make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		n, err := client.Write(make([]byte, 10*record.MaxPlaintext))
		if n != left*record.MaxPlaintext || !errors.Is(err, ErrSequenceExhausted) {
			t.Errorf("Write = %d, %v", n, err)
		}
		if n, err := client.Write([]byte("x")); n != 0 || !errors.Is(err, ErrSequenceExhausted) {
			t.Errorf("second Write = %d, %v", n, err)
		}
	})
	if got, err := io.ReadAll(server); len(got) != left*record.MaxPlaintext || err != nil {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	wg.Wait()
}

// Several goroutines may use a connection, the handshake included.
func TestConcurrentUse(t *testing.T) {
	client, server := connPair(t, nil, nil)
	var wg sync.WaitGroup
	for _, c := range []*Conn{client, server} {
		for range 4 {
			wg.Go(func() {
				for range 20 {
					if _, err := c.Write(make([]byte, 1000)); err != nil {
						t.Error(err)
					}
				}
			})
			wg.Go(func() {
				if _, err := io.ReadFull(c, make([]byte, 20_000)); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() { c.ConnectionState() })
		}
	}
	wg.Wait()
}
