package testgateway

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// engineConf makes OpenSSL 3.0 load gost-engine.
const engineConf = `openssl_conf = openssl_def
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

// OpenSSL runs openssl and curl with gost-engine: the real peers of the gateway.
type OpenSSL struct {
	t   testing.TB
	env []string
}

// NewOpenSSL returns the peers. Where they are not installed it skips the test,
// or fails it if PROPUSK_REQUIRE_INTEROP is 1.
func NewOpenSSL(t testing.TB) *OpenSSL {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "openssl.cnf")
	if err := os.WriteFile(conf, []byte(engineConf), 0o600); err != nil {
		t.Fatal(err)
	}
	o := &OpenSSL{t: t, env: append(os.Environ(), "OPENSSL_CONF="+conf, "LC_ALL=C.UTF-8")}
	for _, args := range [][]string{{"openssl", "engine", "gost", "-c"}, {"curl", "--version"}} {
		out, err := o.run(nil, args...)
		if err == nil && (args[0] != "openssl" || strings.Contains(out, "gost2012_256")) {
			continue
		}
		const hint = "openssl with gost-engine and curl are needed: apt-get install openssl libengine-gost-openssl curl"
		if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" {
			t.Fatalf("%s\n%v\n%s", hint, err, out)
		}
		t.Skip(hint)
	}
	return o
}

// commandTime is how long one command may run.
const commandTime = time.Minute

// Run runs a command with the given standard input and returns what it wrote to
// standard output. It fails the test when the command fails.
func (o *OpenSSL) Run(stdin []byte, args ...string) string {
	o.t.Helper()
	out, err := o.run(stdin, args...)
	if err != nil {
		o.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (o *OpenSSL) run(stdin []byte, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Stdin = o.env, bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String() + stderr.String(), err
	}
	return stdout.String(), nil
}

// Curl runs curl over GOST TLS: the suite is "KUZNYECHIK" or "MAGMA", the person's
// certificate is presented (none if empty), and args are added. It verifies the
// GOST certificates of the gateway.
func (o *OpenSSL) Curl(g *Gateway, suite, person string, args ...string) string {
	o.t.Helper()
	command := []string{"curl", "--silent", "--show-error", "--max-time", "50", "--tls-max", "1.2",
		"--ciphers", "GOST2012-" + suite + "-" + suite + "OMAC", "--cacert", g.Path("tls/gost-ca.pem")}
	if person != "" {
		command = append(command, "--cert", g.Path("people/"+person+"/cert.pem"), "--key", g.Path("people/"+person+"/key.pem"))
	}
	return o.Run(nil, append(command, args...)...)
}

// SClient sends a GET for a path of the sign-in host with openssl s_client, over
// the suite and with the certificate of the person as in Curl, and returns the
// answer: the head without its last empty line, and the body. More arguments of the
// command may follow.
func (o *OpenSSL) SClient(g *Gateway, suite, person, path string, args ...string) (head, body string) {
	o.t.Helper()
	host := strings.TrimPrefix(g.Config.SignIn.URL, "https://")
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
	command := []string{"openssl", "s_client", "-quiet", "-connect", host, "-tls1_2",
		"-cipher", "GOST2012-" + suite + "-" + suite + "OMAC", "-CAfile", g.Path("tls/gost-ca.pem"), "-verify_return_error",
		"-cert", g.Path("people/" + person + "/cert.pem"), "-key", g.Path("people/" + person + "/key.pem")}
	out := o.Run([]byte(request), append(command, args...)...)
	head, body, ok := strings.Cut(out, "\r\n\r\n")
	if !ok {
		o.t.Fatalf("no HTTP answer:\n%s", out)
	}
	return head, body
}
