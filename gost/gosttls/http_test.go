package gosttls

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long these tests wait for something that must happen.
const patience = 30 * time.Second

// stacks are the two kinds of clients of a Listener.
var stacks = []string{"gost12", "gost13", "std"}

// client returns a client of one of the stacks, before its handshake, with its
// connection below.
func (s *site) client(t testing.TB, stack string) net.Conn {
	t.Helper()
	raw := dial(t, s.listener)
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	switch stack {
	case "gost12":
		return Client(raw, &Config{InsecureSkipVerify: true, ServerName: "site.example", MaxVersion: VersionTLS12})
	case "gost13":
		return Client(raw, &Config{InsecureSkipVerify: true, ServerName: "site.example", MinVersion: VersionTLS13})
	}
	config := anyServer.Clone()
	config.ServerName = "site.example"
	return tls.Client(raw, config)
}

// site is an http.Server over a Listener.
type site struct {
	listener *Listener
	server   *http.Server
	states   chan http.ConnState
	served   chan error
}

// newSite starts one. The server is changed by f before it starts.
func newSite(t testing.TB, handler http.HandlerFunc, f func(s *http.Server)) *site {
	t.Helper()
	l, _ := listen(t, nil)
	s := &site{listener: l, states: make(chan http.ConnState, 1000), served: make(chan error, 1)}
	s.server = &http.Server{
		Handler:     handler,
		ConnContext: ConnContext,
		ConnState:   func(_ net.Conn, state http.ConnState) { s.states <- state },
	}
	if f != nil {
		f(s.server)
	}
	go func() { s.served <- s.server.Serve(l) }()
	t.Cleanup(func() {
		s.server.Close()
		if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// request sends a request over a connection and returns the answer's body.
func request(t testing.TB, c net.Conn, r *bufio.Reader, path string) string {
	t.Helper()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: site.example\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// states reads what ConnState told, up to and including the last one wanted.
func (s *site) wantStates(t testing.TB, want ...http.ConnState) {
	t.Helper()
	var got []http.ConnState
	for range want {
		got = append(got, next(t, s.states))
	}
	if !slices.Equal(got, want) {
		t.Errorf("states %v, want %v", got, want)
	}
}

// Many requests on one connection, and what net/http tells about it.
func TestHTTPKeepAlive(t *testing.T) {
	for _, stack := range stacks {
		t.Run(stack, func(t *testing.T) {
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }, nil)
			c := s.client(t, stack)
			r := bufio.NewReader(c)
			for i := range 5 {
				if got, want := request(t, c, r, fmt.Sprint("/", i)), fmt.Sprint("/", i); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			want := []http.ConnState{http.StateNew}
			for range 5 {
				want = append(want, http.StateActive, http.StateIdle)
			}
			s.wantStates(t, want...)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			s.wantStates(t, http.StateClosed)
		})
	}
}

// facts is what a handler writes about its connection.
type facts struct {
	TLS, GOST, EMS, Resumed                bool
	Version, Suite                         uint16
	Group, Curve, ServerName               string
	Peer                                   int
	Offered, Versions, Groups, SchemesSeen []uint16
}

func tellFacts(w http.ResponseWriter, r *http.Request) {
	s, ok := FromContext(r.Context())
	f := facts{
		TLS: ok, GOST: s.GOST, EMS: s.ExtendedMasterSecret, Resumed: s.Resumed, Version: s.Version, Suite: s.CipherSuite,
		Group: s.GroupName(), ServerName: s.ServerName, Peer: len(s.PeerCertificates),
		Offered: s.Offered, Versions: s.OfferedVersions, Groups: s.OfferedGroups, SchemesSeen: s.OfferedSchemes,
	}
	if s.Curve != nil {
		f.Curve = s.Curve.Name()
	}
	if err := json.NewEncoder(w).Encode(f); err != nil {
		panic(err)
	}
}

// A handler knows all about its connection, whichever stack made it.
func TestHTTPFacts(t *testing.T) {
	s := newSite(t, tellFacts, nil)
	for stack, check := range map[string]func(f facts) bool{
		"gost12": func(f facts) bool {
			return f.GOST && f.Version == VersionTLS12 && f.Suite == KuznyechikCTROMAC && f.EMS && f.Group == "" && f.Curve == "CryptoPro-A"
		},
		"gost13": func(f facts) bool {
			return f.GOST && f.Version == VersionTLS13 && f.Suite >= KuznyechikMGML && strings.HasPrefix(f.Group, "GC") && f.Curve == "CryptoPro-A" &&
				slices.Contains(f.Versions, VersionTLS13)
		},
		"std": func(f facts) bool {
			return !f.GOST && f.Version == tls.VersionTLS13 && strings.HasPrefix(f.Group, "X25519") && f.Curve == "" &&
				slices.Contains(f.Versions, uint16(tls.VersionTLS13)) && slices.Contains(f.Offered, tls.TLS_AES_128_GCM_SHA256)
		},
	} {
		c := s.client(t, stack)
		var f facts
		if err := json.Unmarshal([]byte(request(t, c, bufio.NewReader(c), "/")), &f); err != nil {
			t.Fatal(err)
		}
		if !f.TLS || f.ServerName != "site.example" || f.Resumed || len(f.Offered) == 0 || len(f.Groups) == 0 || len(f.SchemesSeen) == 0 || !check(f) {
			t.Errorf("%s: %+v", stack, f)
		}
	}
}

// Both stacks tell whether a session was resumed.
func TestHTTPFactsResumed(t *testing.T) {
	s := newSite(t, tellFacts, nil)
	s.listener.gost.SessionTickets = new(TicketKeys)
	gostConfig := &Config{InsecureSkipVerify: true, ServerName: "site.example", ClientSessions: NewClientSessionCache(1), MaxVersion: VersionTLS12}
	stdConfig := anyServer.Clone()
	stdConfig.ServerName, stdConfig.ClientSessionCache = "site.example", tls.NewLRUClientSessionCache(1)
	for stack, client := range map[string]func(net.Conn) net.Conn{
		"gost": func(c net.Conn) net.Conn { return Client(c, gostConfig) },
		"std":  func(c net.Conn) net.Conn { return tls.Client(c, stdConfig) },
	} {
		for i := range 2 {
			c := client(dial(t, s.listener))
			var f facts
			if err := json.Unmarshal([]byte(request(t, c, bufio.NewReader(c), "/")), &f); err != nil {
				t.Fatal(err)
			}
			if f.Resumed != (i > 0) {
				t.Errorf("%s, connection %d: %+v", stack, i, f)
			}
			c.Close()
		}
	}
}

// A very long list of a ClientHello is not kept.
func TestOfferedBounded(t *testing.T) {
	l, events := listen(t, nil)
	conns := acceptAll(l)
	c := dial(t, l)
	config := &Config{InsecureSkipVerify: true, MaxVersion: VersionTLS12}
	hs := newClientHandshake(Client(c, config))
	pad := func() error {
		for i := range uint16(10_000) {
			hs.hello.CipherSuites = append(hs.hello.CipherSuites, 0x6000+i)
		}
		return nil
	}
	if err := inOrder(before(honest(hs), 1, pad)...); err != nil {
		t.Fatal(err)
	}
	defer next(t, conns).Close()
	if e := next(t, events); e.err != nil || len(e.state.Offered) != maxOffered || !e.state.OfferedGOST() {
		t.Errorf("%d suites are kept, %v", len(e.state.Offered), e.err)
	}
}

// A handler takes the connection over.
func TestHTTPHijack(t *testing.T) {
	for _, stack := range stacks {
		t.Run(stack, func(t *testing.T) {
			s := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
				c, rw, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				if _, err := io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n"); err != nil {
					t.Error(err)
				}
				line, err := rw.ReadString('\n') // may have been read already
				if err != nil {
					t.Error(err)
				}
				fmt.Fprint(c, "echo ", line)
			}, nil)
			c := s.client(t, stack)
			if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\nhello\n"); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c)
			if err != nil || !strings.HasSuffix(string(got), "\r\n\r\necho hello\n") {
				t.Errorf("%q, %v", got, err)
			}
			s.wantStates(t, http.StateNew, http.StateActive, http.StateHijacked)
		})
	}
}

// Shutdown closes idle connections with close_notify, lets requests end, and takes no
// new connections.
func TestHTTPShutdown(t *testing.T) {
	for _, stack := range stacks {
		t.Run(stack, func(t *testing.T) {
			started, release := make(chan struct{}), make(chan struct{})
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					close(started)
					<-release
				}
				fmt.Fprint(w, "done")
			}, nil)
			idle := s.client(t, stack)
			idleReader := bufio.NewReader(idle)
			request(t, idle, idleReader, "/")
			busy := s.client(t, stack)
			answer := make(chan string, 1)
			go func() { answer <- request(t, busy, bufio.NewReader(busy), "/slow") }()
			<-started

			down := make(chan error, 1)
			go func() { down <- s.server.Shutdown(context.Background()) }()
			if _, err := idleReader.ReadByte(); !errors.Is(err, io.EOF) {
				t.Errorf("the idle connection ends with %v, not with close_notify", err)
			}
			select {
			case err := <-down:
				t.Fatalf("Shutdown did not wait: %v", err)
			default:
			}
			close(release)
			if got := <-answer; got != "done" {
				t.Errorf("the request was answered %q", got)
			}
			if err := <-down; err != nil {
				t.Error(err)
			}
			if _, err := s.listener.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the listener accepts: %v", err)
			}
		})
	}
}

// The time limits of http.Server end connections of both stacks.
func TestHTTPTimeouts(t *testing.T) {
	for _, stack := range stacks {
		for name, test := range map[string]struct {
			limit func(s *http.Server)
			send  string
		}{
			"idle":   {func(s *http.Server) { s.IdleTimeout = 50 * time.Millisecond }, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
			"header": {func(s *http.Server) { s.ReadHeaderTimeout = 50 * time.Millisecond }, "GET / HTTP/1.1\r\n"},
			"body":   {func(s *http.Server) { s.ReadTimeout = 50 * time.Millisecond }, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"},
		} {
			t.Run(stack+"/"+name, func(t *testing.T) {
				written := make(chan struct{})
				s := newSite(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) }, func(s *http.Server) {
					test.limit(s)
					// The time begins when all that will come is there.
					s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
						<-written
						return ConnContext(ctx, c)
					}
				})
				c := s.client(t, stack)
				_, err := io.WriteString(c, test.send)
				close(written)
				if err != nil {
					t.Fatal(err)
				}
				// The server ends the connection properly, or io.ReadAll would fail.
				if _, err := io.ReadAll(c); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The context of a request ends when its client leaves.
func TestHTTPClientLeaves(t *testing.T) {
	for _, stack := range stacks {
		t.Run(stack, func(t *testing.T) {
			ended, started := make(chan error, 1), make(chan struct{})
			s := newSite(t, func(_ http.ResponseWriter, r *http.Request) {
				close(started)
				select {
				case <-r.Context().Done():
					ended <- r.Context().Err()
				case <-time.After(patience):
					ended <- errors.New("the context lives on")
				}
			}, nil)
			c := s.client(t, stack)
			if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			<-started
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if err := next(t, ended); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// A client that says by close_notify that it sends no more still gets its answer.
func TestHalfClose(t *testing.T) {
	client, server := connected(t, nil, nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		got, err := io.ReadAll(server)
		if err != nil || string(got) != "question" {
			t.Errorf("server read %q, %v", got, err)
		}
		if _, err := io.WriteString(server, "answer"); err != nil {
			t.Error(err)
		}
		if err := server.CloseWrite(); err != nil {
			t.Error(err)
		}
	})
	if _, err := io.WriteString(client, "question"); err != nil {
		t.Fatal(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(client)
	if err != nil || string(got) != "answer" {
		t.Errorf("client read %q, %v", got, err)
	}
	wg.Wait()
	for _, c := range []*Conn{client, server} {
		if _, err := c.Write([]byte("more")); err == nil {
			t.Error("a write after CloseWrite succeeded")
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The body of a large request and of a large answer, at the same time, with both
// stacks; the handler sees the end of the body.
func TestHTTPBodies(t *testing.T) {
	const size = 300_000
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		if n, err := io.Copy(w, r.Body); err != nil || n != size {
			t.Errorf("%d bytes of body, %v", n, err)
		}
	}, nil)
	for _, stack := range stacks {
		c := s.client(t, stack)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := io.WriteString(c, fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size)+strings.Repeat("x", size))
			if err != nil {
				t.Error(err)
			}
		})
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || len(got) != size {
			t.Errorf("%s: %d bytes, %v", stack, len(got), err)
		}
		resp.Body.Close()
		wg.Wait()
	}
}
