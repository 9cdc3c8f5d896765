package gosttls

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Programs that people put before their services: nginx, stunnel and HAProxy, with
// gost-engine. They listen on Unix sockets and inherited descriptors, so that no port
// has to be chosen in advance.

// allOpenSSLSuites is what a peer built on OpenSSL is told to speak.
func allOpenSSLSuites() string {
	names := make([]string, 0, len(opensslSuites))
	for _, name := range opensslSuites {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ":")
}

// program skips the test when a program is missing, or fails it where all peers are
// required.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil { // not every PATH has what is for administrators
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	switch {
	case err == nil:
		return path
	case os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1":
		t.Fatalf("no program %s", name)
	default:
		t.Skipf("no program %s", name)
	}
	return ""
}

// daemon runs a program until the test ends, and waits until the Unix sockets can be
// connected to.
func (p peerPKI) daemon(t testing.TB, sockets []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(program(t, name), args...)
	cmd.Env, cmd.Dir = p.env(), p.dir
	var said bytes.Buffer // read only after Wait
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	for _, socket := range sockets {
		deadline := time.Now().Add(time.Minute)
		for {
			c, err := net.Dial("unix", socket)
			if err == nil {
				c.Close()
				break
			}
			select {
			case err := <-ended:
				ended <- err
				t.Fatalf("%s: %v\n%s", name, err, &said)
			case <-time.After(20 * time.Millisecond):
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s does not listen: %v", name, err)
			}
		}
	}
}

// write writes a file of the directory.
func (p peerPKI) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(p.file(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// bundle writes certificate and key of a name into one file, as stunnel and HAProxy
// want them, and returns its name.
func (p peerPKI) bundle(t testing.TB, name string) string {
	t.Helper()
	var all []byte
	for _, ext := range []string{".crt", ".key"} {
		part, err := os.ReadFile(p.file(name + ext))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part...)
	}
	p.write(t, name+".pem", string(all))
	return name + ".pem"
}

// fetch sends a request through our client and returns the answer and what the client
// knew about the connection.
func fetch(raw net.Conn, config *Config) (string, ConnectionState, error) {
	c := Client(raw, config)
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", ConnectionState{}, err
	}
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", ConnectionState{}, err
	}
	page, err := io.ReadAll(c)
	return string(page), c.ConnectionState(), err
}

// fetchUnix is fetch over a Unix socket.
func fetchUnix(socket string, config *Config) (string, ConnectionState, error) {
	raw, err := net.Dial("unix", socket)
	if err != nil {
		return "", ConnectionState{}, err
	}
	return fetch(raw, config)
}

// nginxConf is the configuration of nginx but for its servers. Every path is in its
// own directory.
const nginxConf = `daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
env OPENSSL_CONF;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  ssl_protocols TLSv1.2;
  ssl_ciphers %s;
  ssl_client_certificate ca.crt;
  ssl_verify_depth 3;
  ssl_verify_client on;
  ssl_session_timeout 1h;
%s}
`

// nginxServer is a server of the configuration: its socket, certificate, and how it
// keeps sessions.
const nginxServer = `  server {
    listen unix:%[1]s ssl; ssl_certificate %[2]s.crt; ssl_certificate_key %[2]s.key; %[3]s
    location / { default_type text/plain; return 200 "$ssl_cipher reused=$ssl_session_reused $ssl_client_verify $ssl_client_s_dn\n"; }
  }
`

// startNginx runs nginx with a server for every parameter set and way of keeping
// sessions: "none", "ticket", "id". It returns the path of a socket.
func (p peerPKI) startNginx(t testing.TB) func(way string, set paramSet) string {
	t.Helper()
	socket := func(way string, set paramSet) string { return p.file(way + set.String()) }
	var servers strings.Builder
	var sockets []string
	for way, keep := range map[string]string{
		"none":   "ssl_session_cache off; ssl_session_tickets off;",
		"ticket": "ssl_session_cache off; ssl_session_tickets on;",
		"id":     "ssl_session_cache shared:s:1m; ssl_session_tickets off;",
	} {
		for _, set := range paramSets {
			fmt.Fprintf(&servers, nginxServer, socket(way, set), "srv"+set.String(), keep)
			sockets = append(sockets, socket(way, set))
		}
	}
	p.write(t, "nginx.conf", fmt.Sprintf(nginxConf, allOpenSSLSuites(), servers.String()))
	p.daemon(t, sockets, "nginx", "-p", p.dir, "-e", "stderr", "-c", p.file("nginx.conf"))
	return socket
}

// Our client with every certificate against nginx with every certificate, every suite.
// nginx verifies.
func TestClientWithNginx(t *testing.T) {
	p := interop(t)
	socket := p.startNginx(t)
	pairs := matrix()
	inParallel(len(pairs), func(i int) {
		server, client := pairs[i][0], pairs[i][1].String()
		for suite, name := range opensslSuites {
			page, _, err := fetchUnix(socket("none", server), &Config{
				CipherSuites: []uint16{suite},
				Certificates: []Certificate{p.cert(t, "cli"+client)},
				VerifyPeer:   expect(p.cert(t, "srv"+server.String())),
			})
			if want := name + " reused=. SUCCESS CN=Client " + client + "\n"; err != nil || !strings.HasSuffix(page, want) {
				t.Errorf("server %s, client %s, %s: %v\n%s", server, client, name, err, page)
			}
		}
	})
}

// Our client resumes sessions of nginx, by ticket and by number, and nginx still knows
// who it is.
func TestResumeWithNginx(t *testing.T) {
	p := interop(t)
	socket := p.startNginx(t)
	for _, way := range ways {
		for suite, name := range opensslSuites {
			config := &Config{
				CipherSuites:   []uint16{suite},
				ServerName:     "localhost",
				Certificates:   []Certificate{p.cert(t, "cli512A")},
				VerifyPeer:     expect(p.cert(t, "srv256B")),
				ClientSessions: NewClientSessionCache(10),
			}
			for i, reused := range []string{".", "r", "r"} {
				page, state, err := fetchUnix(socket(way, cryptoProB), config)
				want := name + " reused=" + reused + " SUCCESS CN=Client 512A\n"
				if err != nil || !strings.HasSuffix(page, want) || state.Resumed != (i > 0) {
					t.Errorf("%s, %s, connection %d: resumed %v, %v\n%s", way, name, i, state.Resumed, err, page)
				}
			}
		}
	}
}

// cryptoProB is the parameter set of a server that other tests do not use much.
var cryptoProB = paramSets[1]

// inetd runs a program whose standard input and output is one end of a socket, as the
// daemon inetd does, and returns the other end.
func (p peerPKI) inetd(t testing.TB, name string, args ...string) net.Conn {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := os.NewFile(uintptr(pair[0]), "theirs"), os.NewFile(uintptr(pair[1]), "ours")
	defer theirs.Close()
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, program(t, name), args...)
	cmd.Env, cmd.Dir, cmd.Stdin, cmd.Stdout = p.env(), p.dir, theirs, theirs
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		_ = cmd.Wait() // stunnel tells nothing by its status
		cancel()
	})
	return conn
}

// stunnelConf is what stunnel needs in either role.
const stunnelConf = `syslog = no
debug = err
output = /dev/null
CAfile = ca.crt
verifyChain = yes
sslVersion = TLSv1.2
ciphers = %s
cert = %s
`

// Our client speaks with stunnel, which demands a certificate and echoes what it gets.
func TestClientWithStunnel(t *testing.T) {
	p := interop(t)
	p.write(t, "stunnel-server.conf", fmt.Sprintf(stunnelConf, allOpenSSLSuites(), p.bundle(t, "srv512A"))+"requireCert = yes\nexec = /bin/cat\nexecArgs = cat\n")
	for suite, name := range opensslSuites {
		conn := Client(p.inetd(t, "stunnel4", "stunnel-server.conf"), &Config{
			CipherSuites: []uint16{suite},
			Certificates: []Certificate{p.cert(t, "cli256C")},
			VerifyPeer:   expect(p.cert(t, "srv512A")),
		})
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		echo(t, name, conn)
	}
}

// stunnel carries ordinary bytes to our server.
func TestServerWithStunnel(t *testing.T) {
	p := interop(t)
	addr := serveTell(t, &Config{
		Certificates: []Certificate{p.cert(t, "srv256TCA")}, CipherSuites: suites12, ClientAuth: RequireAnyClientCert,
	})
	for _, name := range opensslSuites {
		p.write(t, "stunnel-client.conf", fmt.Sprintf(stunnelConf, name, p.bundle(t, "cli512C"))+"client = yes\nconnect = "+addr+"\n")
		conn := p.inetd(t, "stunnel4", "stunnel-client.conf")
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "hello\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		leaf := p.cert(t, "cli512C").Chain[0]
		if want := fmt.Sprintf("you said %q over %s as %x", "hello", name, leaf[len(leaf)-16:]); err != nil || !strings.Contains(string(answer), want) {
			t.Errorf("%s: %v, %q", name, err, answer)
		}
	}
}

// echo sends 40 KB and expects them back.
func echo(t *testing.T, name string, conn io.ReadWriter) {
	t.Helper()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 2500)
	errs := make(chan error, 1)
	go func() {
		_, err := conn.Write(sent)
		errs <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%s: something else came back, %v", name, err)
	}
	if err := <-errs; err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// haproxyConf has HAProxy end GOST TLS before a page of its own, and carry plain HTTP
// to our server.
const haproxyConf = `global
  ssl-default-bind-ciphers %[1]s
  ssl-default-server-ciphers %[1]s
defaults
  mode http
  timeout client 1m
  timeout connect 1m
  timeout server 1m
frontend ends
  bind unix@%[2]s ssl crt %[3]s ca-file ca.crt verify required ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2
  http-request return status 200 content-type text/plain lf-string "%%sslc %%[ssl_c_verify] %%[ssl_c_s_dn(cn)]\n"
frontend carries
  bind unix@%[4]s
  default_backend ours
backend ours
  server ours %[5]s ssl verify required ca-file ca.crt crt %[6]s ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2
`

// HAProxy as a peer, both ways.
func TestHAProxy(t *testing.T) {
	p := interop(t)
	addr := p.serveHTTP(t, &Config{
		Certificates: []Certificate{p.cert(t, "srv256A"), p.cert(t, "srv512A")}, CipherSuites: suites12, ClientAuth: RequireAnyClientCert,
	})
	ends, carries := p.file("haproxy-ends"), p.file("haproxy-carries")
	p.write(t, "haproxy.cfg", fmt.Sprintf(haproxyConf, allOpenSSLSuites(), ends, p.bundle(t, "srv256XA"), carries, addr, p.bundle(t, "cli256TCD")))
	p.daemon(t, []string{ends, carries}, "haproxy", "-db", "-f", "haproxy.cfg")

	for suite, name := range opensslSuites {
		page, _, err := fetchUnix(ends, &Config{
			CipherSuites: []uint16{suite},
			Certificates: []Certificate{p.cert(t, "cli512B")},
			VerifyPeer:   expect(p.cert(t, "srv256XA")),
		})
		if err != nil || !strings.HasSuffix(page, name+" 0 Client 512B\n") {
			t.Errorf("%s: %v\n%s", name, err, page)
		}
	}

	through := &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", carries)
		}},
	}
	defer through.CloseIdleConnections()
	for range 3 {
		answer, err := through.Get("http://haproxy/")
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		leaf := p.cert(t, "cli256TCD").Chain[0]
		if want := fmt.Sprintf("%x", leaf[len(leaf)-16:]); err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(page), want) {
			t.Errorf("through HAProxy: %s, %v\n%s", answer.Status, err, page)
		}
	}
}

// serveHTTP runs net/http over our server; its page is the end of the certificate of
// the client.
func (p peerPKI) serveHTTP(t testing.TB, config *Config) (addr string) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ConnContext: ConnContext, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := FromContext(r.Context())
		for _, cert := range s.PeerCertificates[:min(1, len(s.PeerCertificates))] {
			fmt.Fprintf(w, "%x\n", cert[len(cert)-16:])
		}
	})}
	go func() { _ = srv.Serve(NewListener(inner, config, nil)) }() // ends with Close
	t.Cleanup(func() { srv.Close() })
	return inner.Addr().String()
}
