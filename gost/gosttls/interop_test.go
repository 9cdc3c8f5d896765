package gosttls

import (
	"bufio"
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/gost/internal/engine"
)

// opensslConf makes every program that uses OpenSSL load gost-engine.
const opensslConf = `openssl_conf = openssl_def
[openssl_def]
engines = engine_section
[engine_section]
gost = gost_section
[gost_section]
engine_id = gost
default_algorithms = ALL
[req]
distinguished_name = dn
[dn]
`

// Names that OpenSSL has for the suites that we speak when nobody asks for others.
var opensslSuites = map[uint16]string{
	KuznyechikCTROMAC: "GOST2012-KUZNYECHIK-KUZNYECHIKOMAC",
	MagmaCTROMAC:      "GOST2012-MAGMA-MAGMAOMAC",
	CNTIMIT:           "IANA-GOST2012-GOST8912-GOST8912",
}

// opensslName returns the name that OpenSSL has for a suite of TLS 1.2.
func opensslName(suite uint16) string {
	if suite == LegacyCNTIMIT {
		return "LEGACY-GOST2012-GOST8912-GOST8912"
	}
	return opensslSuites[suite]
}

// opensslList is all of them for the option -cipher, with the level of security at
// which OpenSSL speaks TLS 1.0.
func opensslList() string {
	var names []string
	for _, suite := range suites12 {
		names = append(names, opensslName(suite))
	}
	return strings.Join(names, ":") + ":@SECLEVEL=0"
}

// peerPKI is a directory with CAs and certificates that OpenSSL made: srv256A.crt,
// srv256A.key, cli256A.crt … for every parameter set, ca.crt with both roots, and
// clirogue.* of a root that is not there.
type peerPKI struct{ dir string }

func (p peerPKI) file(name string) string { return filepath.Join(p.dir, name) }

func (p peerPKI) cert(t testing.TB, name string) Certificate {
	t.Helper()
	certPEM, err := os.ReadFile(p.file(name + ".crt"))
	if err != nil {
		t.Fatal(err)
	}
	keyPEM, err := os.ReadFile(p.file(name + ".key"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ParseKeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// makePKI makes the directory once for all tests; TestMain removes it.
var makePKI = sync.OnceValues(func() (peerPKI, error) {
	dir, err := os.MkdirTemp("", "gosttls-interop-")
	if err != nil {
		return peerPKI{}, err
	}
	p := peerPKI{dir}
	if err := os.WriteFile(p.file("gost.cnf"), []byte(opensslConf), 0o600); err != nil {
		return p, err
	}
	for _, ca := range []struct{ name, alg, set string }{{"ca256", "gost2012_256", "A"}, {"ca512", "gost2012_512", "A"}, {"rogue", "gost2012_256", "A"}} {
		if err := p.makeCA(ca.name, ca.alg, ca.set); err != nil {
			return p, err
		}
	}
	var roots []byte
	for _, name := range []string{"ca256.crt", "ca512.crt"} {
		b, err := os.ReadFile(p.file(name))
		if err != nil {
			return p, err
		}
		roots = append(roots, b...)
	}
	if err := os.WriteFile(p.file("ca.crt"), roots, 0o600); err != nil {
		return p, err
	}
	if err := p.makeLeaf("clirogue", "rogue", paramSets[0], "Nobody"); err != nil {
		return p, err
	}
	return p, p.makeLeaves()
})

// makeLeaves makes the certificates of all parameter sets, two at a time.
func (p peerPKI) makeLeaves() error {
	errs := make(chan error, len(paramSets))
	slots := make(chan struct{}, 2)
	for _, set := range paramSets {
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ca := "ca" + set.String()[:3]
			err := p.makeLeaf("srv"+set.String(), ca, set, "localhost")
			if err == nil {
				err = p.makeLeaf("cli"+set.String(), ca, set, "Client "+set.String())
			}
			errs <- err
		}()
	}
	for range paramSets {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

func (p peerPKI) openssl(args ...string) error {
	cmd := exec.Command("openssl", args...)
	cmd.Env = p.env()
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("openssl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (p peerPKI) env() []string { return append(os.Environ(), "OPENSSL_CONF="+p.file("gost.cnf")) }

func (p peerPKI) makeCA(name, alg, set string) error {
	if err := p.openssl("genpkey", "-algorithm", alg, "-pkeyopt", "paramset:"+set, "-out", name+".key"); err != nil {
		return err
	}
	return p.openssl("req", "-new", "-x509", "-key", name+".key", "-out", name+".crt", "-days", "30", "-subj", "/CN=Test root "+name,
		"-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
}

func (p peerPKI) makeLeaf(name, ca string, set paramSet, cn string) error {
	ext := "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
	if err := os.WriteFile(p.file(name+".ext"), []byte(ext), 0o600); err != nil {
		return err
	}
	if err := p.openssl("genpkey", "-algorithm", set.alg, "-pkeyopt", "paramset:"+set.name, "-out", name+".key"); err != nil {
		return err
	}
	if err := p.openssl("req", "-new", "-key", name+".key", "-out", name+".csr", "-subj", "/CN="+cn); err != nil {
		return err
	}
	return p.openssl("x509", "-req", "-in", name+".csr", "-CA", ca+".crt", "-CAkey", ca+".key",
		"-set_serial", fmt.Sprint(time.Now().UnixNano()), "-days", "30", "-extfile", name+".ext", "-out", name+".crt")
}

func TestMain(m *testing.M) {
	code := m.Run()
	if pkiMade {
		p, _ := makePKI() // its error has been reported by the test that wanted it
		if p.dir != "" {
			os.RemoveAll(p.dir)
		}
	}
	os.Exit(code)
}

var pkiMade bool

// interop returns the directory of certificates, or skips or fails the test when
// the engine is missing; see engine.Require.
func interop(t testing.TB) peerPKI {
	t.Helper()
	engine.Require(t)
	pkiMade = true
	p, err := makePKI()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a peer program with the engine and returns what it printed.
func (p peerPKI) run(t testing.TB, stdin io.Reader, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir, cmd.Stdin = p.env(), p.dir, stdin
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// tellPeer serves one connection: it answers a line with what the server knows
// about the client.
func tellPeer(c *Conn) {
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return
	}
	s := c.ConnectionState()
	name := "nobody"
	if len(s.PeerCertificates) > 0 {
		name = fmt.Sprintf("%x", s.PeerCertificates[0][len(s.PeerCertificates[0])-16:])
	}
	fmt.Fprintf(c, "you said %q over %s as %s\n", strings.TrimSpace(line), opensslSuites[s.CipherSuite], name)
}

// serveTell runs our server with the given configuration.
func serveTell(t testing.TB, config *Config) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go tellPeer(Server(c, config))
		}
	}()
	return l.Addr().String()
}

// sClient runs openssl s_client against our server and lets it say a word.
func (p peerPKI) sClient(t testing.TB, addr string, suite uint16, args ...string) (string, error) {
	t.Helper()
	return p.run(t, strings.NewReader("hello\n"), "openssl", append([]string{"s_client", "-connect", addr, "-tls1_2", "-quiet",
		"-cipher", opensslSuites[suite], "-CAfile", "ca.crt", "-verify_return_error"}, args...)...)
}

// inParallel runs f for 0 to n-1, as many at a time as there are processors.
func inParallel(n int, f func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// matrix lists the pairs of parameter sets of server and client: all of them, or
// with -short, equal ones.
func matrix() (pairs [][2]paramSet) {
	for _, server := range paramSets {
		for _, client := range paramSets {
			if !testing.Short() || server.String() == client.String() {
				pairs = append(pairs, [2]paramSet{server, client})
			}
		}
	}
	return pairs
}

// oldVersions are those that TLS 1.2 replaced.
var oldVersions = []struct {
	version uint16
	option  string // of the command openssl
}{{VersionTLS11, "-tls1_1"}, {VersionTLS10, "-tls1"}}

// serveEach serves connections one after the other, each under a configuration of its
// own, and tells done about each; the last one is followed by the end of the listener.
func serveEach(t testing.TB, l net.Listener, configs []*Config, done func(i int, s ConnectionState, err error)) {
	for i, config := range configs {
		raw, err := l.Accept()
		if err != nil {
			done(i, ConnectionState{}, err)
			return
		}
		c := Server(raw, config)
		if err = raw.SetDeadline(time.Now().Add(30 * time.Second)); err == nil {
			_, err = bufio.NewReader(c).ReadString('\n')
		}
		if err == nil {
			_, err = io.WriteString(c, "HTTP/1.0 200 OK\r\n\r\n"+strings.Repeat("some text\n", 200))
		}
		if closed := c.Close(); err == nil {
			err = closed
		}
		done(i, c.ConnectionState(), err)
	}
}

// manyClients runs openssl s_time, which connects again and again with one certificate,
// against our server, whose configuration changes from one connection to the next. It
// ends with the last one.
func (p peerPKI) manyClients(t testing.TB, client string, configs []*Config, args ...string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", append([]string{"s_time", "-connect", l.Addr().String(), "-new", "-time", "110", "-www", "/",
		"-CAfile", "ca.crt", "-verify", "3", "-cert", client + ".crt", "-key", client + ".key", "-cipher", opensslList()}, args...)...)
	cmd.Env, cmd.Dir = p.env(), p.dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed, or gave up, which the server notices
		l.Close()
	}()
	leaf := p.cert(t, client).Chain[0]
	served := 0
	serveEach(t, l, configs, func(i int, s ConnectionState, err error) {
		served++
		want := configs[i]
		if err != nil || s.CipherSuite != want.CipherSuites[0] || s.Version != want.MaxVersion ||
			len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0], leaf) {
			t.Errorf("%s, connection %d of %d: version %#04x, suite %#04x, %d certificates, %v",
				client, i, len(configs), s.Version, s.CipherSuite, len(s.PeerCertificates), err)
		}
	})
	_ = cmd.Process.Kill() // it may have ended
	<-ended
	if served != len(configs) || t.Failed() {
		t.Errorf("%s: %d of %d connections\n%s", client, served, len(configs), &out)
	}
}

// OpenSSL's client with every certificate against our server with every certificate,
// all suites of TLS 1.2: 576 handshakes.
func TestServerWithOpenSSL(t *testing.T) {
	p := interop(t)
	certs := p.serverCerts(t)
	inParallel(len(paramSets), func(i int) {
		client := paramSets[i]
		var configs []*Config
		for _, server := range paramSets {
			if testing.Short() && server.String() != client.String() {
				continue
			}
			for _, suite := range suites12 {
				configs = append(configs, &Config{
					Certificates: []Certificate{certs[server.String()]},
					CipherSuites: []uint16{suite},
					MaxVersion:   VersionTLS12,
					ClientAuth:   RequireAnyClientCert,
				})
			}
		}
		p.manyClients(t, "cli"+client.String(), configs, "-tls1_2")
	})
}

// serverCerts returns the certificates of servers by the names of their parameter sets.
func (p peerPKI) serverCerts(t testing.TB) map[string]Certificate {
	t.Helper()
	certs := make(map[string]Certificate)
	for _, set := range paramSets {
		certs[set.String()] = p.cert(t, "srv"+set.String())
	}
	return certs
}

// A server with two certificates, of 256 and of 512 bits, uses the key of the one that
// it shows; OpenSSL's own server does not.
func TestTwoCertificatesWithOpenSSL(t *testing.T) {
	p := interop(t)
	certs := []Certificate{p.cert(t, "srv256A"), p.cert(t, "srv512A"), p.cert(t, "srv256TCA"), p.cert(t, "srv512C")}
	var configs []*Config
	for i := range certs {
		for _, suite := range suites12 {
			configs = append(configs, &Config{
				Certificates: slices.Concat(certs[i:], certs[:i]),
				CipherSuites: []uint16{suite},
				MaxVersion:   VersionTLS12,
				ClientAuth:   RequireAnyClientCert,
			})
		}
	}
	for _, client := range []string{"cli256A", "cli512C"} {
		p.manyClients(t, client, configs, "-tls1_2")
	}
}

// The versions before TLS 1.2, with both suites that they have.
func TestOldVersionsWithOpenSSL(t *testing.T) {
	p := interop(t)
	certs := p.serverCerts(t)
	inParallel(len(paramSets)*len(oldVersions), func(i int) {
		client, old := paramSets[i/len(oldVersions)], oldVersions[i%len(oldVersions)]
		var configs []*Config
		for j, server := range paramSets {
			if testing.Short() && server.String() != client.String() {
				continue
			}
			suite := []uint16{CNTIMIT, LegacyCNTIMIT}[(i+j)%2]
			configs = append(configs, &Config{
				Certificates: []Certificate{certs[server.String()]},
				CipherSuites: []uint16{suite},
				MinVersion:   VersionTLS10,
				MaxVersion:   old.version,
				ClientAuth:   RequireAnyClientCert,
			})
		}
		p.manyClients(t, "cli"+client.String(), configs, old.option)
	})
}

// startServer starts openssl s_server and returns its address.
func (p peerPKI) startServer(t testing.TB, args ...string) (addr string) {
	t.Helper()
	cmd := exec.Command("openssl", append([]string{"s_server", "-accept", "127.0.0.1:0", "-no_tls1_3",
		"-cipher", opensslList(), "-CAfile", "ca.crt"}, args...)...)
	cmd.Env, cmd.Dir = p.env(), p.dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-drained
		_ = cmd.Wait() // killed, so never nil
	})
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			close(drained)
			t.Fatalf("s_server %v: %v\n%s", args, err, &stderr)
		}
		if accept, ok := strings.CutPrefix(line, "ACCEPT "); ok {
			addr = strings.TrimSpace(accept)
			break
		}
	}
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, lines) // so that it never blocks
	}()
	return addr
}

// get asks a server for its page.
func get(addr string, config *Config) (string, error) {
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	c := Client(raw, config)
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	page, err := io.ReadAll(c)
	return string(page), err
}

// expect returns a VerifyPeer for one certificate.
func expect(cert Certificate) func(ConnectionState) error {
	return func(s ConnectionState) error {
		if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0], cert.Chain[0]) {
			return fmt.Errorf("another certificate")
		}
		return nil
	}
}

// Our client with every certificate against OpenSSL's server with every certificate,
// all suites, and all versions of the old ones; the server verifies.
func TestClientWithOpenSSL(t *testing.T) {
	p := interop(t)
	certs := p.serverCerts(t)
	inParallel(len(paramSets), func(i int) {
		server := paramSets[i].String()
		name := "srv" + server
		addr := p.startServer(t, "-cert", name+".crt", "-key", name+".key", "-Verify", "3", "-verify_return_error", "-www")
		for j, client := range paramSets {
			if testing.Short() && server != client.String() {
				continue
			}
			config := Config{Certificates: []Certificate{p.cert(t, "cli"+client.String())}, VerifyPeer: expect(certs[server])}
			for _, suite := range suites12 {
				config := config
				config.CipherSuites, config.MaxVersion = []uint16{suite}, VersionTLS12
				wantPage(t, addr, server, client.String(), &config)
			}
			for _, old := range oldVersions {
				config := config
				config.CipherSuites = []uint16{[]uint16{CNTIMIT, LegacyCNTIMIT}[(i+j)%2]}
				config.MinVersion, config.MaxVersion = old.version, old.version
				wantPage(t, addr, server, client.String(), &config)
			}
		}
	})
}

// wantPage asks OpenSSL's server for its page, and checks what it says about us.
func wantPage(t testing.TB, addr, server, client string, config *Config) {
	t.Helper()
	version := map[uint16]string{VersionTLS10: "TLSv1", VersionTLS11: "TLSv1.1", VersionTLS12: "TLSv1.2"}[config.MaxVersion]
	page, err := get(addr, config)
	for _, want := range []string{
		opensslName(config.CipherSuites[0]), "CN=Client " + client + "\n", "Extended master secret: yes", "Protocol  : " + version + "\n",
	} {
		if err != nil || !strings.Contains(page, want) {
			t.Errorf("server %s, client %s, %s, %#04x: %v, no %q\n%s", server, client, version, config.CipherSuites[0], err, want, page)
			return
		}
	}
}

// What OpenSSL's server does not let in, and how our client says it.
func TestClientRefusedByOpenSSL(t *testing.T) {
	p := interop(t)
	addr := p.startServer(t, "-cert", "srv256A.crt", "-key", "srv256A.key", "-Verify", "3", "-verify_return_error", "-www")
	server := expect(p.cert(t, "srv256A"))
	if page, err := get(addr, &Config{VerifyPeer: server, Certificates: []Certificate{p.cert(t, "clirogue")}}); !isRemote(err, 48) {
		t.Errorf("unknown CA: %v\n%s", err, page)
	}
	if page, err := get(addr, &Config{VerifyPeer: server}); !isRemote(err, 40) && !isRemote(err, 116) {
		t.Errorf("no certificate: %v\n%s", err, page)
	}
	stolen := p.cert(t, "cli256A")
	stolen.PrivateKey = p.cert(t, "cli256B").PrivateKey
	if page, err := get(addr, &Config{VerifyPeer: server, Certificates: []Certificate{stolen}}); err == nil {
		t.Errorf("another key: %v\n%s", err, page)
	}
	if page, err := get(addr, &Config{VerifyPeer: expect(p.cert(t, "srv256B"))}); err == nil || page != "" {
		t.Errorf("another server: %v\n%s", err, page)
	}
	optional := p.startServer(t, "-cert", "srv512C.crt", "-key", "srv512C.key", "-www")
	if page, err := get(optional, &Config{VerifyPeer: expect(p.cert(t, "srv512C"))}); err != nil || !strings.Contains(page, "no client certificate available") {
		t.Errorf("server that does not ask: %v\n%s", err, page)
	}
}

// Other ways of OpenSSL's client.
func TestServerWithOpenSSLOptions(t *testing.T) {
	p := interop(t)
	cert := p.cert(t, "srv256A")
	requests := serveTell(t, &Config{Certificates: []Certificate{cert}, ClientAuth: RequestClientCert})
	requires := serveTell(t, &Config{Certificates: []Certificate{cert}, ClientAuth: RequireAnyClientCert})

	if out, err := p.sClient(t, requests, KuznyechikCTROMAC); err != nil || !strings.Contains(out, "as nobody") {
		t.Errorf("without certificate: %v\n%s", err, out)
	}
	if out, err := p.sClient(t, requires, KuznyechikCTROMAC); err == nil || !strings.Contains(out, "alert number 40") {
		t.Errorf("without the certificate that is required: %v\n%s", err, out)
	}
	// The rogue CA is a matter of validation, which is not ours.
	if out, err := p.sClient(t, requires, MagmaCTROMAC, "-cert", "clirogue.crt", "-key", "clirogue.key"); err != nil || !strings.Contains(out, "you said") {
		t.Errorf("unknown CA: %v\n%s", err, out)
	}
	client := []string{"-cert", "cli512C.crt", "-key", "cli512C.key"}
	for name, args := range map[string][]string{
		"small records":   {"-max_send_frag", "512", "-split_send_frag", "512"},
		"server name":     {"-servername", "cabinet.example"},
		"ALPN":            {"-alpn", "h2,http/1.1"},
		"status request":  {"-status"},
		"no tickets":      {"-no_ticket"},
		"legacy ok":       {"-legacy_server_connect"},
		"compression":     {"-comp"},
		"no EtM":          {"-no_etm"},
		"chain with root": {"-cert_chain", "ca512.crt"},
	} {
		if out, err := p.sClient(t, requires, KuznyechikCTROMAC, append(args, client...)...); err != nil || !strings.Contains(out, "you said") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	for _, version := range []string{"-tls1_1", "-tls1"} {
		out, err := p.run(t, strings.NewReader("hello\n"), "openssl", "s_client", "-connect", requests, version, "-quiet", "-cipher", "ALL:@SECLEVEL=0")
		if err == nil || !strings.Contains(out, "alert number 70") {
			t.Errorf("%s: %v\n%s", version, err, out)
		}
	}
	out, err := p.run(t, strings.NewReader("hello\n"), "openssl", "s_client", "-connect", requests, "-tls1_2", "-quiet", "-cipher", opensslName(LegacyCNTIMIT))
	if err == nil || !strings.Contains(out, "alert number 40") {
		t.Errorf("the old number, which nobody asked for: %v\n%s", err, out)
	}
	// It tries to resume five times and gets five full handshakes.
	out, err = p.run(t, strings.NewReader(""), "openssl", "s_client", "-connect", requests, "-tls1_2", "-reconnect", "-cipher", opensslSuites[MagmaCTROMAC])
	if n := strings.Count(out, "New, TLSv1.2, Cipher is GOST2012-MAGMA-MAGMAOMAC"); err != nil || n != 6 || !strings.Contains(out, "Secure Renegotiation IS supported") {
		t.Errorf("reconnect: %d new sessions, %v\n%s", n, err, out)
	}
}

// s_client asks for a renegotiation with the command R, and gives up when that is
// refused.
func TestRenegotiationWithOpenSSL(t *testing.T) {
	p := interop(t)
	addr := serveTell(t, &Config{Certificates: []Certificate{p.cert(t, "srv256A")}})
	r, w := io.Pipe()
	go func() {
		time.Sleep(time.Second) // the command is looked for in what is typed at once
		io.WriteString(w, "R\n")
		time.Sleep(3 * time.Second)
		w.Close()
	}()
	out, _ := p.run(t, r, "openssl", "s_client", "-connect", addr, "-tls1_2", "-cipher", opensslSuites[KuznyechikCTROMAC])
	if !strings.Contains(out, "RENEGOTIATING") || !strings.Contains(out, "no renegotiation") {
		t.Errorf("%s", out)
	}
}

// curl through the listener: GOST with client certificate, ordinary TLS on the
// same port, large bodies both ways.
func TestCurl(t *testing.T) {
	p := interop(t)
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" {
			t.Fatal("no curl command")
		}
		t.Skip("no curl command")
	}
	l, _ := listen(t, func(l *Listener) { l.gost.Certificates = []Certificate{p.cert(t, "srv256TCA"), p.cert(t, "srv256A")} })
	std := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.std.Certificates[0].Certificate[0]})
	if err := os.WriteFile(p.file("std.crt"), std, 0o600); err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ConnContext: ConnContext, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := FromContext(r.Context())
		w.Header().Set("X-Facts", fmt.Sprintf("%s %d %v", CipherSuiteName(s.CipherSuite), len(s.PeerCertificates), s.OfferedGOST()))
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Write(body)
	})}
	go func() { _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { srv.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	url := "https://localhost:" + port + "/"
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
	if err := os.WriteFile(p.file("body"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args  []string
		facts string
	}{
		"Kuznyechik": {[]string{"--tls-max", "1.2", "--ciphers", opensslSuites[KuznyechikCTROMAC], "--cacert", "ca.crt", "--cert", "cli512B.crt", "--key", "cli512B.key"},
			CipherSuiteName(KuznyechikCTROMAC) + " 2 true"},
		"Magma": {[]string{"--tls-max", "1.2", "--ciphers", opensslSuites[MagmaCTROMAC], "--cacert", "ca.crt", "--cert", "cli256XA.crt", "--key", "cli256XA.key"},
			CipherSuiteName(MagmaCTROMAC) + " 2 true"},
		"CNT_IMIT": {[]string{"--tls-max", "1.2", "--ciphers", opensslSuites[CNTIMIT], "--cacert", "ca.crt", "--cert", "cli256TCA.crt", "--key", "cli256TCA.key"},
			CipherSuiteName(CNTIMIT) + " 2 true"},
		"GOST and TLS 1.3": {[]string{"--ciphers", opensslSuites[KuznyechikCTROMAC] + ":ECDHE-ECDSA-AES128-GCM-SHA256", "--cacert", "ca.crt"},
			CipherSuiteName(KuznyechikCTROMAC) + " 0 true"},
		"ordinary": {[]string{"--cacert", "std.crt", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"}, "TLS_AES_[A-Z0-9_]+ 0 false"},
	} {
		args := append([]string{"--silent", "--show-error", "--max-time", "25", "--dump-header", "-", "--output", "answer", "--data-binary", "@body", url, url}, test.args...)
		args = append(args, "--output", "/dev/null")
		out, err := p.run(t, nil, "curl", args...)
		if n := len(regexp.MustCompile(`(?i)x-facts: `+test.facts).FindAllString(out, -1)); err != nil || n != 2 {
			t.Errorf("%s: %v, %d answers of 2\n%s", name, err, n, out)
			continue
		}
		if got, err := os.ReadFile(p.file("answer")); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%s: %d bytes came back of %d, %v", name, len(got), len(body), err)
		}
	}
}

// A megabyte through OpenSSL in each direction, in its own records.
func TestBulkWithOpenSSL(t *testing.T) {
	p := interop(t)
	data := bytes.Repeat([]byte("some line of text\n"), 60_000)
	for suite := range opensslSuites {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan []byte, 1)
		go func() {
			defer l.Close()
			raw, err := l.Accept()
			if err != nil {
				t.Error(err)
				close(got)
				return
			}
			c := Server(raw, &Config{Certificates: []Certificate{p.cert(t, "srv256A")}})
			defer c.Close()
			b := make([]byte, len(data))
			if _, err := io.ReadFull(c, b); err != nil {
				t.Error(err)
			}
			got <- b
			if _, err := c.Write(data); err != nil {
				t.Error(err)
			}
		}()
		out, err := p.run(t, bytes.NewReader(data), "openssl", "s_client", "-connect", l.Addr().String(), "-tls1_2", "-quiet", "-cipher", opensslSuites[suite])
		if err != nil || !strings.HasSuffix(out, string(data)) {
			t.Errorf("%#x: %d bytes of %d came back, %v", suite, len(out), len(data), err)
		}
		if b := <-got; !bytes.Equal(b, data) {
			t.Errorf("%#x: our server read something else", suite)
		}
	}
}
