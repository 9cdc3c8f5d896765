// Package softhsmtest gives tests a token of SoftHSM 2, as Debian has it: a PKCS#11 library
// of others, with keys of ECDSA and RSA and data objects, and without GOST.
package softhsmtest

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"propusk/tokens/soft/softtest"
)

// Library is where Debian puts SoftHSM.
const Library = "/usr/lib/softhsm/libsofthsm2.so"

// The token.
const (
	Label = "HSM"
	PIN   = "12345678"
)

// Token is a token of SoftHSM.
type Token struct {
	t    testing.TB
	dir  string
	Conf string // for the environment: SOFTHSM2_CONF
}

// New makes a token, which is removed after the test, and names it in the environment of the
// test. The test is skipped without cgo, and where SoftHSM or pkcs11-tool is not
// installed, unless PROPUSK_REQUIRE_INTEROP is 1.
func New(t *testing.T) *Token {
	t.Helper()
	if !softtest.Cgo {
		t.Skip("a program without cgo loads no libraries")
	}
	for _, tool := range []string{"softhsm2-util", "pkcs11-tool"} {
		if _, err := exec.LookPath(tool); err != nil {
			softtest.Missing(t, "no "+tool+" (Debian: softhsm2 opensc)")
		}
	}
	if _, err := os.Stat(Library); err != nil {
		softtest.Missing(t, "no "+Library+" (Debian: softhsm2)")
	}
	x := &Token{t: t, dir: t.TempDir()}
	x.Conf = filepath.Join(x.dir, "softhsm2.conf")
	directory := filepath.Join(x.dir, "tokens")
	if err := os.Mkdir(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	x.write("softhsm2.conf", []byte("directories.tokendir = "+directory+"\nlog.level = ERROR\n"))
	t.Setenv("SOFTHSM2_CONF", x.Conf)
	x.run("softhsm2-util", "--init-token", "--free", "--label", Label, "--so-pin", "87654321", "--pin", PIN)
	return x
}

// Hide takes the token away, as if it had been pulled out; the function brings it back.
func (x *Token) Hide() (back func()) {
	x.t.Helper()
	here, away := filepath.Join(x.dir, "tokens"), filepath.Join(x.dir, "away")
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			x.t.Fatal(err)
		}
	}
	move(here, away)
	if err := os.Mkdir(here, 0o700); err != nil {
		x.t.Fatal(err)
	}
	return func() {
		if err := os.RemoveAll(here); err != nil {
			x.t.Fatal(err)
		}
		move(away, here)
	}
}

// Import puts a private key of ECDSA or RSA on the token, with its public half.
func (x *Token) Import(label string, id byte, key crypto.PrivateKey) {
	x.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		x.t.Fatal(err)
	}
	file := x.write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	x.run("softhsm2-util", "--import", file, "--token", Label, "--pin", PIN, "--label", label, "--id", hex.EncodeToString([]byte{id}))
}

// Data puts data on the token.
func (x *Token) Data(label string, content []byte, private bool) {
	x.t.Helper()
	args := []string{"--write-object", x.write("data", content), "--type", "data", "--label", label}
	if private {
		args = append(args, "--private")
	}
	x.Tool(args...)
}

// Certificate puts a certificate on the token, in DER.
func (x *Token) Certificate(label string, id byte, der []byte) {
	x.t.Helper()
	x.Tool("--write-object", x.write("cert", der), "--type", "cert", "--label", label, "--id", hex.EncodeToString([]byte{id}))
}

// Tool runs pkcs11-tool with the PIN.
func (x *Token) Tool(args ...string) {
	x.t.Helper()
	x.run("pkcs11-tool", append([]string{"--module", Library, "--token-label", Label, "--login", "--pin", PIN}, args...)...)
}

func (x *Token) write(name string, data []byte) string {
	x.t.Helper()
	path := filepath.Join(x.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		x.t.Fatal(err)
	}
	return path
}

func (x *Token) run(name string, args ...string) {
	x.t.Helper()
	cmd := exec.CommandContext(x.t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "SOFTHSM2_CONF="+x.Conf, "OPENSSL_CONF=/dev/null")
	if said, err := cmd.CombinedOutput(); err != nil {
		x.t.Fatalf("%s %q: %v\n%s", name, args, err, said)
	}
}
