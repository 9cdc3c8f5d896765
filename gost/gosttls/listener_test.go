package gosttls

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
)

// stdCert returns an ordinary certificate for 127.0.0.1.
func stdCert(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "127.0.0.1"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// event is a call of HandshakeDone.
type event struct {
	state ConnectionState
	err   error
}

// listen returns a listener for both kinds of clients, changed by f, and what it
// reports.
func listen(t testing.TB, f func(l *Listener)) (*Listener, chan event) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gost := &Config{Certificates: []Certificate{testCert(t, cryptoProA)}, ClientAuth: RequestClientCert}
	std := &tls.Config{Certificates: []tls.Certificate{stdCert(t)}, NextProtos: []string{"h2", "http/1.1"}}
	l := NewListener(inner, gost, std)
	events := make(chan event, 10_000)
	l.HandshakeDone = func(s ConnectionState, err error) { events <- event{s, err} }
	if f != nil {
		f(l)
	}
	t.Cleanup(func() { l.Close() })
	return l, events
}

// acceptAll runs Accept until the listener ends.
func acceptAll(l *Listener) <-chan net.Conn {
	conns := make(chan net.Conn, 100)
	go func() {
		defer close(conns)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	return conns
}

func dial(t testing.TB, l *Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func next[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v, ok := <-c:
		if !ok {
			t.Fatal("channel closed")
		}
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	panic("unreachable")
}

var anyServer = &tls.Config{InsecureSkipVerify: true}

func TestListenerChoosesStack(t *testing.T) {
	l, events := listen(t, nil)
	conns := acceptAll(l)

	gostClient := Client(dial(t, l), &Config{InsecureSkipVerify: true, ServerName: "gost.example"})
	if err := gostClient.Handshake(); err != nil {
		t.Fatal(err)
	}
	c, isGOST := next(t, conns).(*Conn)
	e := next(t, events)
	if !isGOST || e.err != nil || !e.state.GOST || !e.state.HandshakeComplete || e.state.ServerName != "gost.example" || !e.state.OfferedGOST() {
		t.Errorf("GOST client: %T, %+v", c, e)
	}

	config := anyServer.Clone()
	config.ServerName = "std.example"
	if err := tls.Client(dial(t, l), config).Handshake(); err != nil {
		t.Fatal(err)
	}
	std, isStd := next(t, conns).(*tls.Conn)
	e = next(t, events)
	if !isStd || e.err != nil || e.state.GOST || !e.state.HandshakeComplete || e.state.Version != tls.VersionTLS13 ||
		e.state.ServerName != "std.example" || e.state.OfferedGOST() || !slices.Contains(e.state.Offered, tls.TLS_AES_128_GCM_SHA256) {
		t.Errorf("ordinary client: %T, %+v", std, e)
	}
}

// A hello that offers GOST and TLS 1.3 means GOST; one that offers nothing but TLS
// 1.3 cannot, whatever suites it names; neither can one without our suites or
// without a curve of our certificates.
func TestListenerDecision(t *testing.T) {
	versions := func(v ...byte) message.Extension {
		return message.Extension{Type: message.ExtSupportedVersions, Data: append([]byte{byte(len(v))}, v...)}
	}
	l, events := listen(t, func(l *Listener) { l.gost.CipherSuites = []uint16{MagmaCTROMAC} })
	acceptAll(l)
	for name, test := range map[string]struct {
		suites  []uint16
		version uint16
		ext     []message.Extension
		want    bool
	}{
		"GOST after all others, TLS 1.3": {[]uint16{0x1301, 0xc02b, MagmaCTROMAC}, 0x0303, []message.Extension{versions(3, 4, 3, 3)}, true},
		"GOST, TLS 1.2":                  {[]uint16{MagmaCTROMAC}, 0x0303, nil, true},
		"GOST suite, TLS 1.3 only":       {[]uint16{0x1301, MagmaCTROMAC}, 0x0303, []message.Extension{versions(3, 4)}, false},
		"GOST suite, TLS 1.1":            {[]uint16{MagmaCTROMAC}, 0x0302, nil, false},
		"GOST suite that is not served":  {[]uint16{KuznyechikCTROMAC, LegacyCNTIMIT}, 0x0303, nil, false},
		"no GOST":                        {[]uint16{0xc02b}, 0x0303, nil, false},
		"the curve of our certificate":   {[]uint16{MagmaCTROMAC, 0xc02b}, 0x0303, []message.Extension{message.SupportedGroups([]uint16{23, 35})}, true},
		"other curves of GOST only":      {[]uint16{MagmaCTROMAC, 0xc02b}, 0x0303, []message.Extension{message.SupportedGroups([]uint16{23, 34, 38})}, false},
		"no curve of GOST":               {[]uint16{MagmaCTROMAC, 0xc02b}, 0x0303, []message.Extension{message.SupportedGroups([]uint16{23})}, true},
	} {
		hello := &message.ClientHello{Version: test.version, CipherSuites: test.suites, Compressions: []byte{0}, Extensions: test.ext}
		c := dial(t, l)
		if _, err := c.Write(recordOf(wire.TypeHandshake, hello.Marshal())); err != nil {
			t.Fatal(err)
		}
		c.(*net.TCPConn).CloseWrite()
		if e := next(t, events); e.state.GOST != test.want || !slices.Equal(e.state.Offered, test.suites) || e.err == nil {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// dribble writes one byte at a time, and with split, one record for each.
type dribble struct {
	net.Conn
	split bool
}

func (c dribble) Write(b []byte) (int, error) {
	if c.split && wire.RecordType(b[0]) == wire.TypeHandshake {
		var out []byte
		for _, x := range b[record.HeaderSize:] {
			out = append(out, byte(wire.TypeHandshake), 3, 1, 0, 1, x)
		}
		if _, err := c.Conn.Write(out); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	for i := range b {
		if _, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// The hello may come in any number of packets and records.
func TestListenerFragmentedHello(t *testing.T) {
	l, _ := listen(t, nil)
	conns := acceptAll(l)
	for _, split := range []bool{false, true} {
		wire := dribble{dial(t, l), split}
		gost := newClientHandshake(Client(wire, &Config{InsecureSkipVerify: true}))
		for _, s := range honest(gost)[:3] {
			if err := s(); err != nil {
				t.Fatal(err)
			}
		}
		std := tls.Client(dribble{dial(t, l), false}, anyServer)
		if err := std.Handshake(); err != nil {
			t.Fatal(err)
		}
		if _, ok := next(t, conns).(*tls.Conn); !ok {
			t.Error("GOST connection for an ordinary client")
		}
	}
	// In a record per byte only the hello, which is all that the listener sees.
	wire := &firstWrite{Conn: dial(t, l)}
	std := tls.Client(wire, anyServer)
	if err := std.Handshake(); err != nil {
		t.Fatal(err)
	}
	next(t, conns)
}

// firstWrite splits the first write into a record for each byte.
type firstWrite struct {
	net.Conn
	done bool
}

func (c *firstWrite) Write(b []byte) (int, error) {
	if c.done {
		return c.Conn.Write(b)
	}
	c.done = true
	return dribble{c.Conn, true}.Write(b)
}

// Clients that say nothing, or only a part of a hello, hold nobody up and are
// thrown out in time.
func TestListenerSlowClients(t *testing.T) {
	l, events := listen(t, func(l *Listener) { l.HelloTimeout = 3 * time.Second })
	conns := acceptAll(l)
	var slow []net.Conn
	for i := range 20 {
		c := dial(t, l)
		if _, err := c.Write([]byte{22, 3, 1, 2, 0, 1}[:i%7]); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	if err := tls.Client(dial(t, l), anyServer).Handshake(); err != nil {
		t.Fatal(err)
	}
	next(t, conns)
	if e := next(t, events); e.err != nil {
		t.Errorf("the ordinary client waited for a slow one: %v", e.err)
	}
	for _, c := range slow {
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("slow client: %v", err)
		}
	}
	timeouts := 0
	for range slow {
		if e := next(t, events); errors.Is(e.err, os.ErrDeadlineExceeded) {
			timeouts++
		}
	}
	if timeouts != len(slow) {
		t.Errorf("%d time-outs, want %d", timeouts, len(slow))
	}
}

// After the hello another limit counts.
func TestListenerHandshakeTimeout(t *testing.T) {
	l, events := listen(t, func(l *Listener) { l.HandshakeTimeout = time.Second })
	acceptAll(l)
	hs := newClientHandshake(Client(dial(t, l), &Config{InsecureSkipVerify: true}))
	for _, s := range honest(hs)[:3] {
		if err := s(); err != nil {
			t.Fatal(err)
		}
	}
	if e := next(t, events); !errors.Is(e.err, context.DeadlineExceeded) || !e.state.GOST || e.state.HandshakeComplete {
		t.Errorf("%+v", e)
	}
}

func TestListenerNotTLS(t *testing.T) {
	for _, test := range []struct {
		sent, answer string
	}{
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", httpAnswer},
		{"POST /api HTTP/1.1\r\n\r\n", httpAnswer},
		{"OPTIONS * HTTP/1.1\r\n\r\n", httpAnswer},
		{"SSH-2.0-client\r\n", ""},
		{"\x80\x2e\x01\x03\x01\x00", ""}, // ClientHello of SSL 2
		{"\x15\x03\x01\x00\x02\x01\x00", ""},
		{"\x00\x00\x00\x00\x00\x00", ""},
	} {
		l, events := listen(t, nil)
		acceptAll(l)
		c := dial(t, l)
		if _, err := io.WriteString(c, test.sent); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if string(got) != test.answer || err != nil {
			t.Errorf("%q: answer %q, %v", test.sent, got, err)
		}
		if e := next(t, events); !errors.Is(e.err, ErrNotTLS) {
			t.Errorf("%q: %v", test.sent, e.err)
		}
	}
}

// The answer arrives although the client is still sending.
func TestListenerAnswersBusyClient(t *testing.T) {
	l, _ := listen(t, nil)
	acceptAll(l)
	for range 10 {
		c := dial(t, l)
		go func() {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\n\r\n"+strings.Repeat("x", 500_000)) // may be cut off
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		if got, err := io.ReadAll(c); string(got) != httpAnswer || err != nil {
			t.Fatalf("answer %q, %v", got, err)
		}
	}
}

// TLS that makes no sense is for the stacks to wire.Refuse, with an alert.
func TestListenerMalformedHello(t *testing.T) {
	l, events := listen(t, nil)
	acceptAll(l)
	for name, sent := range map[string][]byte{
		"empty hello":         recordOf(wire.TypeHandshake, []byte{1, 0, 0, 0}),
		"another message":     recordOf(wire.TypeHandshake, []byte{16, 0, 0, 0}),
		"message of 16 MiB":   recordOf(wire.TypeHandshake, []byte{1, 255, 255, 255}),
		"empty record":        recordOf(wire.TypeHandshake, nil),
		"record too long":     {22, 3, 1, 0x7f, 0xff},
		"more than it may be": slices.Concat(slices.Repeat([][]byte{recordOf(wire.TypeHandshake, append([]byte{1, 0, 255, 255}, make([]byte, 496)...))}, 140)...),
	} {
		c := dial(t, l)
		go c.Write(sent)
		alert := make([]byte, 7)
		if _, err := io.ReadFull(c, alert); err != nil || wire.RecordType(alert[0]) != wire.TypeAlert || alert[5] != wire.LevelFatal {
			t.Errorf("%s: %x, %v", name, alert, err)
		}
		if e := next(t, events); e.err == nil || errors.Is(e.err, ErrNotTLS) {
			t.Errorf("%s: %v", name, e.err)
		}
	}
}

func TestListenerMaxHandshakes(t *testing.T) {
	l, events := listen(t, func(l *Listener) { l.MaxHandshakes = 2; l.HelloTimeout = time.Minute })
	conns := acceptAll(l)
	idle := []net.Conn{dial(t, l), dial(t, l)}
	for { // until both are in
		if err := tls.Client(dial(t, l), anyServer).Handshake(); err != nil {
			break
		}
		next(t, conns)
		if e := next(t, events); e.err != nil {
			t.Fatal(e.err)
		}
	}
	if e := next(t, events); !errors.Is(e.err, ErrTooManyHandshakes) {
		t.Errorf("%v", e.err)
	}
	idle[0].Close() // its slot is free soon
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		err := tls.Client(dial(t, l), anyServer).Handshake()
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a slot was free: %v", err)
		}
	}
}

// Close ends Accept and handshakes, and leaves no goroutine behind.
func TestListenerClose(t *testing.T) {
	before := runtime.NumGoroutine()
	l, events := listen(t, nil)
	conns := acceptAll(l)
	if err := tls.Client(dial(t, l), anyServer).Handshake(); err != nil {
		t.Fatal(err)
	}
	open := next(t, conns)
	next(t, events)
	silent := dial(t, l)
	half := newClientHandshake(Client(dial(t, l), &Config{InsecureSkipVerify: true}))
	for _, s := range honest(half)[:3] {
		if err := s(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	for range 2 {
		if e := next(t, events); e.err == nil {
			t.Error("handshake succeeded after Close")
		}
	}
	for _, c := range []net.Conn{silent, half.conn} {
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("connection after Close: %v", err)
		}
	}
	if _, err := open.Write([]byte("still open")); err != nil {
		t.Errorf("accepted connection after Close: %v", err)
	}
	open.Close()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("goroutines left:\n%s", buf[:runtime.Stack(buf, true)])
		}
	}
}

// A connection that nobody accepts does not outlive the listener.
func TestListenerCloseBeforeAccept(t *testing.T) {
	l, events := listen(t, nil)
	l.start.Do(func() { go l.run() })
	client := tls.Client(dial(t, l), anyServer)
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	next(t, events)
	l.Close()
	if _, err := client.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// failing is a listener whose Accept fails.
type failing struct {
	net.Listener
	errs []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errs) == 0 {
		return f.Listener.Accept()
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, err
}

type temporaryError struct{ error }

func (temporaryError) Temporary() bool { return true }

func TestListenerAcceptErrors(t *testing.T) {
	l, _ := listen(t, func(l *Listener) {
		busy := &net.OpError{Op: "accept", Err: temporaryError{errors.New("too many open files")}}
		l.inner = &failing{l.inner, []error{busy, fmt.Errorf("wrapped: %w", temporaryError{io.EOF})}}
	})
	conns := acceptAll(l)
	if err := tls.Client(dial(t, l), anyServer).Handshake(); err != nil {
		t.Fatal(err)
	}
	next(t, conns)

	broken := errors.New("broken")
	l, _ = listen(t, func(l *Listener) { l.inner = &failing{l.inner, []error{broken}} })
	for range 2 {
		if _, err := l.Accept(); !errors.Is(err, broken) {
			t.Errorf("Accept: %v", err)
		}
	}
}

// One of the configurations is enough.
func TestListenerOneStack(t *testing.T) {
	l, events := listen(t, func(l *Listener) { l.std = nil })
	acceptAll(l)
	if err := Client(dial(t, l), &Config{InsecureSkipVerify: true}).Handshake(); err != nil {
		t.Error(err)
	}
	next(t, events)
	if err := tls.Client(dial(t, l), anyServer).Handshake(); err == nil {
		t.Error("ordinary client served without a configuration")
	}
	if e := next(t, events); !errors.Is(e.err, ErrNoSharedSuite) {
		t.Error(e.err)
	}

	l, events = listen(t, func(l *Listener) { l.gost = nil })
	acceptAll(l)
	if err := tls.Client(dial(t, l), anyServer).Handshake(); err != nil {
		t.Error(err)
	}
	next(t, events)
	if err := Client(dial(t, l), &Config{InsecureSkipVerify: true}).Handshake(); !isRemote(err, wire.AlertHandshakeFailure) {
		t.Errorf("GOST client: %v", err)
	}
	if e := next(t, events); e.err == nil || e.state.GOST || !e.state.OfferedGOST() {
		t.Errorf("%+v", e)
	}

	defer func() {
		if recover() == nil {
			t.Error("NewListener without configurations did not panic")
		}
	}()
	NewListener(l.inner, nil, nil)
}

func TestListenerReportsProbe(t *testing.T) {
	l, events := listen(t, nil)
	acceptAll(l)
	hs := newClientHandshake(Client(dial(t, l), &Config{InsecureSkipVerify: true}))
	for _, s := range append(honest(hs)[:3], func() error { return hs.out.SendAlert(wire.AlertIllegalParameter) }) {
		if err := s(); err != nil {
			t.Fatal(err)
		}
	}
	if e := next(t, events); !errors.Is(e.err, ErrGOSTProbe) || !e.state.OfferedGOST() {
		t.Errorf("%+v", e)
	}
}

// What a failed handshake leaves: whom it was with, and what the client knows at most.
func TestListenerTellsOfFailures(t *testing.T) {
	l, events := listen(t, nil)
	acceptAll(l)
	for version, config := range map[uint16]*tls.Config{
		VersionTLS10: {InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10},
		VersionTLS12: {MaxVersion: tls.VersionTLS12, ServerName: "nobody.invalid"},
	} {
		raw := dial(t, l)
		if err := tls.Client(raw, config).Handshake(); err == nil {
			t.Fatal("the handshake did not fail")
		}
		e := next(t, events)
		if e.err == nil || e.state.Remote == nil || e.state.Remote.String() != raw.LocalAddr().String() || e.state.OfferedVersion != version {
			t.Errorf("%x: %v, %+v", version, e.err, e.state)
		}
	}
}

// A hello in records of one byte each costs six times its length to keep: no more
// than maxPeek is, however long the hello says that it is.
func TestPeekLimit(t *testing.T) {
	hello := withBody(message.TypeClientHello, make([]byte, message.MaxBody))
	var in []byte
	for _, b := range hello {
		in = append(in, recordOf(wire.TypeHandshake, []byte{b})...)
	}
	c, err := peek(newScript(in))
	if err != nil || c.hello != nil || len(c.ahead) > maxPeek+8192 {
		t.Errorf("%v, hello %v, %d bytes kept", err, c.hello != nil, len(c.ahead))
	}
}

// The time limit of the hello ends with the hello.
func TestListenerLiftsHelloTimeout(t *testing.T) {
	const limit = 2 * time.Second
	l, _ := listen(t, func(l *Listener) { l.HelloTimeout = limit })
	conns := acceptAll(l)
	for _, speak := range []func(net.Conn) net.Conn{
		func(c net.Conn) net.Conn { return Client(c, &Config{InsecureSkipVerify: true}) },
		func(c net.Conn) net.Conn { return tls.Client(c, anyServer) },
	} {
		if _, err := speak(dial(t, l)).Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		server := next(t, conns)
		time.Sleep(limit + 50*time.Millisecond)
		if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
			t.Errorf("%T: %v", server, err)
		}
		if _, err := server.Write([]byte("y")); err != nil {
			t.Errorf("%T: %v", server, err)
		}
		server.Close()
	}
}

// What panics in a handshake, a token's driver or a hook of the owner, ends one
// connection. Nobody above can recover in a goroutine of the listener.
func TestListenerSurvivesPanics(t *testing.T) {
	var broken atomic.Bool
	l, events := listen(t, func(l *Listener) {
		l.gost.VerifyPeer = func(ConnectionState) error {
			if broken.Load() {
				panic("out of order")
			}
			return nil
		}
		l.std.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			if broken.Load() {
				panic(errUnwelcome)
			}
			return nil, nil
		}
	})
	conns := acceptAll(l)
	handshakes := func() []error {
		return []error{
			Client(dial(t, l), &Config{InsecureSkipVerify: true, MaxVersion: VersionTLS12}).Handshake(),
			tls.Client(dial(t, l), anyServer).Handshake(),
		}
	}
	broken.Store(true)
	for _, err := range slices.Concat(handshakes(), handshakes()) {
		if err == nil {
			t.Error("handshake that panicked succeeded")
		}
		if e := next(t, events); !errors.Is(e.err, ErrPanic) || !strings.Contains(e.err.Error(), "listener_test.go") {
			t.Errorf("reported %v", e.err)
		}
	}
	broken.Store(false)
	for _, err := range handshakes() {
		if err != nil {
			t.Error(err)
		}
		next(t, conns).Close()
	}
}

// serveFacts runs net/http over a listener; the answer says what a handler knows.
func serveFacts(t testing.TB, l *Listener) {
	t.Helper()
	srv := &http.Server{
		ConnContext: ConnContext,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			s, ok := FromContext(r.Context())
			fmt.Fprintf(w, "tls=%v gost=%v suite=%#04x sni=%s ems=%v peer=%d offered=%v proto=%d body=%d",
				ok, s.GOST, s.CipherSuite, s.ServerName, s.ExtendedMasterSecret, len(s.PeerCertificates), s.OfferedGOST(), r.ProtoMajor, len(body))
		}),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestHTTP(t *testing.T) {
	l, _ := listen(t, nil)
	serveFacts(t, l)
	url := "https://" + l.Addr().String()

	gostConfig := &Config{InsecureSkipVerify: true, ServerName: "gost.example", Certificates: []Certificate{testCert(t, tc26512A)}}
	gost := &http.Client{Transport: &http.Transport{
		DialTLSContext: func(_ context.Context, network, addr string) (net.Conn, error) {
			c, err := net.Dial(network, addr)
			if err != nil {
				return nil, err
			}
			return Client(c, gostConfig), nil
		},
	}}
	config := anyServer.Clone()
	config.ServerName = "std.example"
	std := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
	for _, test := range []struct {
		client *http.Client
		want   string
	}{
		{gost, "tls=true gost=true suite=0xc105 sni=gost.example ems=true peer=1 offered=true proto=1 body=100000"},
		{std, "tls=true gost=false suite=0x1301 sni=std.example ems=false peer=0 offered=false proto=2 body=100000"},
	} {
		var wg sync.WaitGroup
		for range 4 { // concurrent requests, several on each connection
			wg.Go(func() {
				for range 5 {
					resp, err := test.client.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", 100_000)))
					if err != nil {
						t.Error(err)
						return
					}
					got, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err != nil || string(got) != test.want {
						t.Errorf("%q, %v; want %q", got, err, test.want)
					}
				}
			})
		}
		wg.Wait()
		test.client.CloseIdleConnections()
	}
}

// Without TLS there are no facts.
func TestFromContextWithoutTLS(t *testing.T) {
	if s, ok := FromContext(context.Background()); ok || s.HandshakeComplete {
		t.Errorf("%+v", s)
	}
	c, _ := net.Pipe()
	if s, ok := FromContext(ConnContext(context.Background(), c)); ok || s.HandshakeComplete {
		t.Errorf("%+v", s)
	}
}
