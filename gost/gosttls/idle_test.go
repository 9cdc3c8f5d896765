package gosttls

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// envConnections sets how many idle connections TestIdleConnections holds. The full
// number is 10000; without it, the test takes enough to measure one.
const envConnections = "PROPUSK_CONNECTIONS"

// envIdleClient makes the test binary the client process of TestIdleConnections: kind
// of connection, address and number.
const envIdleClient = "GOSTTLS_IDLE_CLIENT"

// maxIdleBytes is what an idle GOST connection of an http.Server may cost more than one
// without TLS.
const maxIdleBytes = 20 << 10

// idleKinds returns the kinds of connections whose memory is compared. Clients of GOST
// present a certificate.
func idleKinds(t testing.TB) map[string]func(net.Conn) net.Conn {
	t.Helper()
	certs := []Certificate{testCert(t, tc26256A)}
	gost := func(suite uint16) func(net.Conn) net.Conn {
		config := &Config{InsecureSkipVerify: true, CipherSuites: []uint16{suite}, Certificates: certs}
		return func(c net.Conn) net.Conn { return Client(c, config) }
	}
	return map[string]func(net.Conn) net.Conn{
		"plain":       func(c net.Conn) net.Conn { return c },
		"std":         func(c net.Conn) net.Conn { return tls.Client(c, anyServer) },
		"gost12":      gost(KuznyechikCTROMAC),
		"gost12-imit": gost(CNTIMIT),
		"gost13":      gost(KuznyechikMGMS),
	}
}

// An http.Server holds idle connections, cheaply, and still serves new clients. The
// clients are another process, so that their memory does not count.
func TestIdleConnections(t *testing.T) {
	if job := os.Getenv(envIdleClient); job != "" {
		beIdleClients(t, job)
		return
	}
	n := idleConnections(t)
	cost := make(map[string]int)
	for _, kind := range []string{"plain", "std", "gost12", "gost12-imit", "gost13"} {
		cost[kind] = idleCost(t, kind, n)
	}
	for _, kind := range []string{"std", "gost12", "gost12-imit", "gost13"} {
		extra := cost[kind] - cost["plain"]
		t.Logf("%d idle connections, %s: %d bytes each, %d more than without TLS", n, kind, cost[kind], extra)
		if kind != "std" && extra > maxIdleBytes {
			t.Errorf("%s costs more than %d bytes", kind, maxIdleBytes)
		}
	}
}

// idleConnections returns how many connections to hold, as many as the limit of open
// files allows.
func idleConnections(t *testing.T) int {
	t.Helper()
	n := 200
	if s := os.Getenv(envConnections); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("%s: %v", envConnections, err)
		}
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// Go has raised the soft limit to the hard one at the start.
	if most := int(limit.Cur) - 200; n > most {
		t.Logf("no more than %d open files are allowed: %d connections instead of %d", limit.Cur, most, n)
		n = most
	}
	return n
}

// idleCost returns the bytes that one of n idle connections of a kind costs the server.
func idleCost(t *testing.T, kind string, n int) int {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := inner
	if kind != "plain" {
		gost := &Config{
			Certificates:   []Certificate{testCert(t, tc26256A)},
			ClientAuth:     RequestClientCert,
			SessionTickets: new(TicketKeys),
		}
		l = NewListener(inner, gost, &tls.Config{Certificates: []tls.Certificate{stdCert(t)}})
	}
	idle := &idleCounter{want: n, reached: make(chan struct{})}
	srv := &http.Server{
		ConnContext: ConnContext,
		ConnState:   idle.connState,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, _ := FromContext(r.Context())
			if s.GOST && len(s.PeerCertificates) == 0 {
				http.Error(w, "no certificate", http.StatusForbidden)
			}
		}),
	}
	before := memoryInUse()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	client := idleKinds(t)[kind]
	stop := startIdleClients(t, kind, inner.Addr().String(), n)
	select {
	case <-idle.reached:
	case <-time.After(5 * time.Minute):
		t.Fatalf("%s: no %d idle connections", kind, n)
	}
	each := (memoryInUse() - before) / n

	// New clients are served beside them.
	for range 5 {
		if err := askOnce(client, inner.Addr().String()); err != nil {
			t.Errorf("%s: beside %d idle connections: %v", kind, n, err)
		}
	}
	stop()
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	return each
}

// memoryInUse returns the bytes of the heap and of all stacks that are in use.
func memoryInUse() int {
	var m runtime.MemStats
	runtime.GC() // the first one moves what pools hold to their victims,
	runtime.GC() // the second one drops it
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// idleCounter waits until a server has as many idle connections as it should.
type idleCounter struct {
	mu      sync.Mutex
	n, want int
	reached chan struct{}
}

func (c *idleCounter) connState(_ net.Conn, s http.ConnState) {
	if s != http.StateIdle {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n++; c.n == c.want {
		close(c.reached)
	}
}

// startIdleClients starts the client process and returns what ends it.
func startIdleClients(t *testing.T, kind, addr string, n int) (stop func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestIdleConnections$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", envIdleClient, kind, addr, n))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = stdin.Close() // tells it to leave
		if err := cmd.Wait(); err != nil {
			t.Errorf("clients of kind %s: %v\n%s", kind, err, &out)
		}
	})
	t.Cleanup(stop)
	return stop
}

// beIdleClients opens connections, sends one request on each and holds them until
// standard input ends.
func beIdleClients(t *testing.T, job string) {
	t.Helper()
	var kind, addr string
	var n int
	if _, err := fmt.Sscanf(job, "%s %s %d", &kind, &addr, &n); err != nil {
		t.Fatal(err)
	}
	client := idleKinds(t)[kind]
	conns := make([]net.Conn, n)
	inParallel(n, func(i int) {
		c, err := connectAndAsk(client, addr)
		if err != nil {
			t.Error(err)
		}
		conns[i] = c
	})
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Error(err)
	}
	for _, c := range conns {
		if c != nil {
			_ = c.Close() // the server may have left
		}
	}
}

// askOnce sends one request over a new connection.
func askOnce(kind func(net.Conn) net.Conn, addr string) error {
	c, err := connectAndAsk(kind, addr)
	if err != nil {
		return err
	}
	return c.Close()
}

func connectAndAsk(kind func(net.Conn) net.Conn, addr string) (net.Conn, error) {
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := kind(raw)
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d, %w", resp.StatusCode, err)
	}
	return c, c.SetDeadline(time.Time{})
}
