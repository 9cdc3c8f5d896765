//go:build linux

package gosttls

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// GnuTLS speaks one GOST suite, CNT_IMIT, with the curves of four parameter sets.
var gnutlsSets = []paramSet{paramSets[0], paramSets[3], paramSets[6], paramSets[9]}

// Priorities of GnuTLS: GOST and nothing else; and all it has, TLS 1.3 first.
const (
	gnutlsGOST = "NONE:+VERS-TLS1.2:+GOST:+COMP-NULL:+SIGN-GOSTR341012-256:+SIGN-GOSTR341012-512"
	gnutlsAll  = "NORMAL:+GOST"
)

// namespace returns how to get into a network of our own, and into one that is there:
// gnutls-serv listens on every address of the machine, which is nobody else's business.
func namespace(t testing.TB) (unshare, enter []string) {
	t.Helper()
	// An ordinary user gets one only together with a namespace of users.
	if exec.Command(program(t, "unshare"), "--net", "true").Run() == nil {
		return []string{"--net"}, []string{"--net"}
	}
	if exec.Command(program(t, "unshare"), "--map-root-user", "--net", "true").Run() == nil {
		return []string{"--map-root-user", "--net"}, []string{"--user", "--preserve-credentials", "--net"}
	}
	t.Skip("this system gives no network namespaces to this user")
	return nil, nil
}

// gnutlsServer starts gnutls-serv with a certificate, and returns a function that
// connects to it.
func (p peerPKI) gnutlsServer(t testing.TB, name string) (dial func(t testing.TB) net.Conn) {
	t.Helper()
	program(t, "gnutls-serv")
	unshare, enter := namespace(t)
	script := fmt.Sprintf("ip link set lo up && echo up && exec gnutls-serv --http --port 4433 --x509certfile=%s.crt --x509keyfile=%[1]s.key "+
		"--x509cafile=ca.crt --require-client-cert --priority NORMAL:-VERS-ALL:+VERS-TLS1.2:+GOST", name)
	cmd := exec.Command(program(t, "unshare"), append(unshare, "sh", "-c", script)...)
	cmd.Env, cmd.Dir = append(p.env(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin"), p.dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-drained
		_ = cmd.Wait()
	})
	// Not before this line is the process in a network of its own.
	lines := bufio.NewReader(out)
	up, err := lines.ReadString('\n')
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, lines) // so that it never blocks
	}()
	if err != nil || up != "up\n" {
		t.Fatalf("namespace: %q, %v", up, err)
	}
	// Unshare and the shell are replaced, so the process is that of the server.
	enter = append(enter, "--target", strconv.Itoa(cmd.Process.Pid))
	// It says nothing when it is ready, and does not like connections that are only
	// meant to find out; 1151 is its port, 0A the state of a socket that listens.
	relay := "until grep -q ':1151 .* 0A ' /proc/net/tcp; do sleep 0.05; done; exec 3<>/dev/tcp/127.0.0.1/4433; cat <&3 & exec cat >&3"
	return func(t testing.TB) net.Conn {
		return p.inetd(t, "nsenter", append(slices.Clone(enter), "bash", "-c", relay)...)
	}
}

// Our client with GnuTLS's server, which demands a certificate.
func TestClientWithGnuTLS(t *testing.T) {
	p := interop(t)
	for _, server := range gnutlsSets {
		dial := p.gnutlsServer(t, "srv"+server.String())
		for _, client := range gnutlsSets {
			page, state, err := fetch(dial(t), &Config{
				Certificates: []Certificate{p.cert(t, "cli"+client.String())},
				VerifyPeer:   expect(p.cert(t, "srv"+server.String())),
			})
			if err != nil || state.CipherSuite != CNTIMIT || state.Version != VersionTLS12 || !state.ExtendedMasterSecret ||
				!strings.Contains(page, "Client "+client.String()) {
				t.Errorf("server %v, client %v: %v, %#x\n%s", server, client, err, state.CipherSuite, page)
			}
		}
	}
}

// gnutlsClient runs gnutls-cli against our server and lets it say a word.
func (p peerPKI) gnutlsClient(t testing.TB, addr, client, priority string) (string, error) {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return p.run(t, strings.NewReader("hello\n"), program(t, "gnutls-cli"), "--port", port, "--x509cafile=ca.crt",
		"--x509certfile="+client+".crt", "--x509keyfile="+client+".key", "--priority", priority, "127.0.0.1")
}

// GnuTLS's client with our server: with and without extended master secret, and one
// that offers TLS 1.3, which must not take our answer for a downgrade.
func TestServerWithGnuTLS(t *testing.T) {
	p := interop(t)
	for _, server := range gnutlsSets {
		ems := make(chan bool, 1)
		addr := serveTell(t, &Config{
			Certificates: []Certificate{p.cert(t, "srv"+server.String())},
			ClientAuth:   RequireAnyClientCert,
			VerifyPeer: func(s ConnectionState) error {
				ems <- s.ExtendedMasterSecret
				return nil
			},
		})
		for _, client := range gnutlsSets {
			for _, priority := range []string{gnutlsGOST, gnutlsGOST + ":%NO_SESSION_HASH", gnutlsAll} {
				leaf := p.cert(t, "cli"+client.String()).Chain[0]
				out, err := p.gnutlsClient(t, addr, "cli"+client.String(), priority)
				if want := fmt.Sprintf("you said %q over %s as %x", "hello", opensslName(CNTIMIT), leaf[len(leaf)-16:]); err != nil || !strings.Contains(out, want) {
					t.Fatalf("server %v, client %v, %s: %v\n%s", server, client, priority, err, out)
				}
				if got := <-ems; got == strings.Contains(priority, "%NO_SESSION_HASH") {
					t.Errorf("%s: extended master secret %v", priority, got)
				}
			}
		}
	}
}
