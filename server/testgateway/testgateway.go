// Package testgateway runs a whole gateway with the demo country, on ports of its
// own, for tests: of the server with clients of our own, and of the whole way with
// OpenSSL and curl.
package testgateway

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/server"
	"propusk/server/config"
	"propusk/server/mail/mailbox"
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

// Journal collects the log of a gateway. It is safe for concurrent use.
type Journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (j *Journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

// String returns the log so far, JSON lines.
func (j *Journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// Gateway is a server that runs until its test ends.
type Gateway struct {
	// Dir holds the country, as testpki writes it, and the keys of the gateway.
	Dir string
	// Country is shared between tests: do not change it.
	Country *testpki.Country
	// Config has the URLs that the gateway is reached at.
	Config config.Config
	// Store is what the gateway trusts.
	Store *certs.Store
	// Server is the gateway itself.
	Server *server.Server
	// Log is what the gateway logged, at level debug.
	Log *Journal
	// Clock is what the gateway takes for the time.
	Clock func() time.Time
	// Mail has the letters that the gateway sends; nil without WithAccounts.
	Mail *mailbox.Mailbox

	t    testing.TB
	stop func()
	done chan error
}

// ChallengeKey is where WithChallenge writes the key of requests, under Dir.
const ChallengeKey = "challenge.pem"

// WithChallenge is a change that offers all ways to sign in.
func WithChallenge(g *Gateway) {
	g.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		g.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		g.t.Fatal(err)
	}
	g.WriteFile(ChallengeKey, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})))
	g.Config.Challenge.Keys = []string{g.Path(ChallengeKey)}
	g.Config.SignIn.Methods = []string{config.MethodGOSTTLS, config.MethodAgent, config.MethodPlugin}
}

// Callback is the redirect address of the clients of the gateway; nobody listens
// there.
const Callback = "http://127.0.0.1:1/callback"

// ClientID and ClientSecret are those of a confidential client.
const (
	ClientID     = "test"
	ClientSecret = "a secret of the test client, long enough"
)

// Start runs a gateway until the test ends, and returns when it has loaded its
// trust data. A change may alter the gateway before it starts: its files, its
// configuration, its clock. Trust data that a change has spoilt are given up after
// the first attempt to load them.
func Start(t testing.TB, change ...func(*Gateway)) *Gateway {
	t.Helper()
	g := prepare(t, change...)
	var ctx context.Context
	ctx, g.stop = context.WithCancel(context.Background())
	l := g.listen(ctx)
	g.Store = certs.NewStore(server.TrustSource(g.Config.Trust), g.Clock)
	srv, err := server.New(server.Options{
		Config: g.Config, Trust: g.Store, Now: g.Clock, Version: "test",
		Log: slog.New(slog.NewJSONHandler(g.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	g.Server = srv
	g.done = make(chan error, 1)
	go func() { g.done <- srv.Serve(ctx, l); close(g.done) }()
	t.Cleanup(func() {
		g.Stop()
		if err := g.Wait(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	g.waitForTrust()
	return g
}

// prepare writes the files of a gateway.
func prepare(t testing.TB, change ...func(*Gateway)) *Gateway {
	t.Helper()
	g := &Gateway{t: t, Dir: t.TempDir(), Country: theCountry(t), Log: new(Journal), Clock: time.Now}
	if err := g.Country.WriteTo(g.Dir); err != nil {
		t.Fatal(err)
	}
	g.WriteFile("subject.hex", hex.EncodeToString(bytes.Repeat([]byte{7}, 32)))
	g.WriteFile("client.secret", ClientSecret+"\n")
	g.Config = g.newConfig()
	for _, f := range change {
		f(g)
	}
	return g
}

// listen opens the ports of a gateway and writes them into its configuration.
func (g *Gateway) listen(ctx context.Context) *server.Listeners {
	g.t.Helper()
	l, err := server.Listen(ctx, g.Config)
	if err != nil {
		g.t.Fatal(err)
	}
	g.Config.Public.URL = "https://" + l.Public.Addr().String()
	g.Config.SignIn.URL = "https://" + l.SignIn.Addr().String()
	g.Config.Check.URL = "http://" + l.Check.Addr().String()
	g.Config.Admin.Listen = l.Admin.Addr().String()
	return l
}

// Stop tells the gateway to finish; Wait tells when it has.
func (g *Gateway) Stop() { g.stop() }

// Wait returns what Serve returned, and nil from the second call on.
func (g *Gateway) Wait() error { return <-g.done }

// waitForTrust waits until trust data are loaded or given up.
func (g *Gateway) waitForTrust() {
	g.t.Helper()
	for range 1000 {
		if g.Store.Current().ID() != "" || strings.Contains(g.Log.String(), "trust data not loaded") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	g.t.Fatalf("no attempt to load trust data:\n%s", g.Log)
}

func (g *Gateway) newConfig() config.Config {
	tlsFiles := config.TLS{
		Certificate: g.Path("tls/ecdsa.pem"), Key: g.Path("tls/ecdsa.key"),
		GOSTCertificate: g.Path("tls/gost-256.pem"), GOSTKey: g.Path("tls/gost-256.key"),
	}
	c := config.Default()
	c.Public = config.Host{URL: "https://unknown", Listen: "127.0.0.1:0", TLS: tlsFiles}
	c.SignIn.Host = config.Host{URL: "https://unknown-yet", Listen: "127.0.0.1:0", TLS: tlsFiles}
	c.Check.URL, c.Check.Listen = "http://unknown", "127.0.0.1:0"
	c.Admin.Listen = "127.0.0.1:0"
	c.Trust.Dir = g.Path("trust")
	c.OIDC.SubjectSecret = g.Path("subject.hex")
	c.OIDC.Clients = []config.Client{
		{ID: ClientID, Name: "Проверочный сервис", URL: "https://service.example/", SecretFile: g.Path("client.secret"),
			RedirectURIs: []string{Callback}, PostLogoutRedirectURIs: []string{"https://service.example/bye"}},
		{ID: "public", Name: "Сервис без секрета", RedirectURIs: []string{Callback}},
	}
	c.Cabinets = map[string]config.Cabinet{
		"ip": {Name: "Кабинет ИП"}, "ul": {Name: "Кабинет ЮЛ", URL: "https://ul.example/"}, "fl": {Name: "Кабинет ФЛ", URL: "https://fl.example/"},
	}
	c.Support.URL = "mailto:support@example.ru"
	return c
}

// Path returns the file with the given slash-separated name under Dir.
func (g *Gateway) Path(name string) string { return filepath.Join(g.Dir, filepath.FromSlash(name)) }

// WriteFile writes a file under Dir.
func (g *Gateway) WriteFile(name, content string) {
	g.t.Helper()
	if err := os.WriteFile(g.Path(name), []byte(content), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

// Admin is the URL of the administrative listener.
func (g *Gateway) Admin() string { return "http://" + g.Config.Admin.Listen }
