// Package openssl runs the openssl command with gost-engine, the real peer that
// tests of signatures are held against.
package openssl

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// config loads the engine for every algorithm it has.
const config = `openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
[req]
distinguished_name = req_dn
x509_extensions = v3
[req_dn]
[v3]
subjectKeyIdentifier = hash
`

// A run of the command that takes longer has hung.
const timeout = time.Minute

// missing says why the peer cannot be used; empty if it can.
var missing = sync.OnceValue(func() string {
	path, err := exec.LookPath("openssl")
	if err != nil {
		return "no openssl command"
	}
	if err := exec.Command(path, "engine", "gost").Run(); err != nil {
		return "openssl has no engine gost (Debian: libengine-gost-openssl)"
	}
	return ""
})

// Require skips the test when the peer is missing, and fails it if
// PROPUSK_REQUIRE_INTEROP is 1.
func Require(t testing.TB) {
	t.Helper()
	why := missing()
	switch {
	case why == "":
	case os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1":
		t.Fatal(why)
	default:
		t.Skip(why)
	}
}

// Run runs "openssl args..." in a directory and returns its standard output. It
// fails the test when the command fails.
func Run(t testing.TB, dir string, args ...string) []byte {
	t.Helper()
	out, said, ok := Try(t, dir, args...)
	if !ok {
		t.Fatalf("openssl %q failed\n%s", args, said)
	}
	return out
}

// Try is Run for a command that may fail: ok says that it did not, and said is what it
// wrote to standard error.
func Try(t testing.TB, dir string, args ...string) (out []byte, said string, ok bool) {
	t.Helper()
	Require(t)
	conf := filepath.Join(dir, "openssl.cnf")
	if err := os.WriteFile(conf, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+conf)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && (!exited || ctx.Err() != nil) {
		t.Fatalf("openssl %q: %v", args, err)
	}
	return out, stderr.String(), err == nil
}

// Write writes a file of a directory that commands will read.
func Write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Read reads a file that a command wrote.
func Read(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
