// Package engine runs the openssl command with gost-engine, the other
// implementation that tests compare ours with.
package engine

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

// config makes openssl load the engine for every algorithm it has. The option
// -engine is not enough: "openssl speed", "dgst -mac" and others ignore it.
const config = `openssl_conf = openssl_init
[openssl_init]
engines = engine_list
[engine_list]
gost = gost_engine
[gost_engine]
engine_id = gost
default_algorithms = ALL
`

// A run of the command that takes longer has hung.
const timeout = time.Minute

// missing says why the engine cannot be used; empty if it can.
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

// Require skips the test when the openssl command or its engine gost is missing,
// and fails it if PROPUSK_REQUIRE_INTEROP is 1.
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

// Run gives stdin to "openssl args..." and returns its standard output. It calls
// [Require] first, and fails the test when the command fails.
func Run(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	out, err := run(t, stdin, args...)
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("openssl %q: %v\n%s", args, err, exit.Stderr)
		}
		t.Fatalf("openssl %q: %v", args, err)
	}
	return out
}

// Try is Run for commands that may fail: it returns the standard output, whatever the
// exit status was.
func Try(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	out, err := run(t, stdin, args...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("openssl %q: %v", args, err)
	}
	return out
}

func run(t testing.TB, stdin []byte, args ...string) ([]byte, error) {
	t.Helper()
	Require(t)
	conf := filepath.Join(t.TempDir(), "openssl.cnf")
	if err := os.WriteFile(conf, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", args...)
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+conf)
	cmd.Stdin = bytes.NewReader(stdin)
	return cmd.Output()
}
