package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/gost/gosttls"
	"propusk/server"
	"propusk/server/config"
)

// country is made once for all tests: nothing in it changes.
var country = sync.OnceValues(func() (*testpki.Country, error) {
	return testpki.New(testpki.Options{Now: time.Now()})
})

func theCountry(t testing.TB) *testpki.Country {
	t.Helper()
	c, err := country()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// journal collects the log of a gateway.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// gateway is a server that runs, on ports of its own.
type gateway struct {
	t       testing.TB
	dir     string
	country *testpki.Country
	config  config.Config
	store   *certs.Store
	server  *server.Server
	log     *journal
	// clock is what the server takes for the time.
	clock func() time.Time
	// callback is the redirect address of the client "test", at which nobody
	// listens.
	callback string
}

const testSecret = "a secret of the test client, long enough"

// start runs a gateway until the test ends. change may alter the configuration
// before the server is made.
func start(t testing.TB, change ...func(*gateway)) *gateway {
	t.Helper()
	g := &gateway{t: t, dir: t.TempDir(), country: theCountry(t), log: new(journal), clock: time.Now,
		callback: "http://127.0.0.1:1/callback"}
	if err := g.country.WriteTo(g.dir); err != nil {
		t.Fatal(err)
	}
	g.file("subject.hex", hex.EncodeToString(bytes.Repeat([]byte{7}, 32)))
	g.file("client.secret", testSecret+"\n")
	g.config = g.newConfig()
	for _, f := range change {
		f(g)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l, err := server.Listen(ctx, g.config)
	if err != nil {
		t.Fatal(err)
	}
	g.config.Public.URL = "https://" + l.Public.Addr().String()
	g.config.SignIn.URL = "https://" + l.SignIn.Addr().String()
	g.config.Check.URL = "http://" + l.Check.Addr().String()
	g.config.Admin.Listen = l.Admin.Addr().String()
	g.store = certs.NewStore(certs.Source{Dir: g.config.Trust.Dir}, g.clock)
	g.server, err = server.New(server.Options{
		Config: g.config, Trust: g.store, Now: g.clock, Version: "test",
		Log: slog.New(slog.NewJSONHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- g.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return g
}

func (g *gateway) newConfig() config.Config {
	tlsFiles := config.TLS{
		Certificate: g.path("tls/ecdsa.pem"), Key: g.path("tls/ecdsa.key"),
		GOSTCertificate: g.path("tls/gost-256.pem"), GOSTKey: g.path("tls/gost-256.key"),
	}
	c := config.Default()
	c.Public = config.Host{URL: "https://unknown", Listen: "127.0.0.1:0", TLS: tlsFiles}
	c.SignIn.Host = config.Host{URL: "https://unknown-yet", Listen: "127.0.0.1:0", TLS: tlsFiles}
	c.Check = config.Check{URL: "http://unknown", Listen: "127.0.0.1:0"}
	c.Admin.Listen = "127.0.0.1:0"
	c.Trust.Dir = g.path("trust")
	c.OIDC.SubjectSecret = g.path("subject.hex")
	c.OIDC.Clients = []config.Client{
		{ID: "test", Name: "Проверочный сервис", URL: "https://service.example/", SecretFile: g.path("client.secret"),
			RedirectURIs: []string{g.callback}, PostLogoutRedirectURIs: []string{"https://service.example/bye"}},
		{ID: "public", Name: "Сервис без секрета", RedirectURIs: []string{g.callback}},
	}
	c.Cabinets = map[string]config.Cabinet{
		"ip": {Name: "Кабинет ИП"}, "ul": {Name: "Кабинет ЮЛ", URL: "https://ul.example/"}, "fl": {Name: "Кабинет ФЛ", URL: "https://fl.example/"},
	}
	c.Support.URL = "mailto:support@example.ru"
	return c
}

func (g *gateway) path(name string) string { return filepath.Join(g.dir, filepath.FromSlash(name)) }

func (g *gateway) file(name, content string) {
	g.t.Helper()
	if err := os.WriteFile(g.path(name), []byte(content), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) admin() string { return "http://" + g.config.Admin.Listen }

// browser is an HTTP client with cookies that follows no redirects by itself. A
// person makes it a GOST browser with that certificate; "" is a GOST browser
// without one.
func (g *gateway) browser(person ...string) *http.Client {
	g.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(g.path("tls/ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		g.t.Fatalf("the CA of the ordinary certificates: %v", err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	if len(person) > 0 {
		config := &gosttls.Config{InsecureSkipVerify: true, Certificates: g.certificates(person[0])}
		transport.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			c := gosttls.Client(conn, config)
			return c, c.HandshakeContext(ctx)
		}
	}
	g.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Jar: jar, Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (g *gateway) certificates(person string) []gosttls.Certificate {
	g.t.Helper()
	if person == "" {
		return nil
	}
	p := g.country.Person(person)
	cert, err := gosttls.NewCertificate([][]byte{p.Certificate.Raw}, p.Key)
	if err != nil {
		g.t.Fatal(err)
	}
	return []gosttls.Certificate{cert}
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body string
}

// location is where the answer redirects to.
func (a answer) location() string { return a.Header.Get("Location") }

func (g *gateway) get(c *http.Client, url string) answer {
	g.t.Helper()
	res, err := c.Get(url)
	return g.read(res, err)
}

func (g *gateway) post(c *http.Client, url, contentType, body string) answer {
	g.t.Helper()
	res, err := c.Post(url, contentType, strings.NewReader(body))
	return g.read(res, err)
}

func (g *gateway) read(res *http.Response, err error) answer {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return answer{res, string(body)}
}

// waitTrust waits until the trust data are loaded.
func (g *gateway) waitTrust() {
	g.t.Helper()
	for range 200 {
		if g.store.Current().ID() != "" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	g.t.Fatalf("the trust data are not loaded:\n%s", g.log)
}
