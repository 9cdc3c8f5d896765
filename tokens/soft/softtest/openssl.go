package softtest

import (
	"context"
	"encoding/asn1"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
)

// engine makes openssl load gost-engine for every algorithm it has.
const engine = `openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
`

// A run of a command that takes longer has hung.
const timeout = time.Minute

var missingEngine = sync.OnceValue(func() string {
	path, err := exec.LookPath("openssl")
	if err != nil {
		return "no openssl command"
	}
	if err := exec.Command(path, "engine", "gost").Run(); err != nil {
		return "openssl has no engine gost (Debian: libengine-gost-openssl)"
	}
	return ""
})

// OpenSSLVerify reports whether openssl with gost-engine takes sig for the signature
// of a digest by a key. The test is skipped without them, or fails if
// PROPUSK_REQUIRE_INTEROP is 1.
func OpenSSLVerify(t testing.TB, paramSet asn1.ObjectIdentifier, key *gost3410.PublicKey, digest, sig []byte) bool {
	t.Helper()
	if why := missingEngine(); why != "" {
		Missing(t, why)
	}
	algorithm, err := spki.AlgorithmFor(paramSet)
	must(t, err)
	public, err := spki.Marshal(algorithm, key)
	must(t, err)
	dir := t.TempDir()
	for name, data := range map[string][]byte{"openssl.cnf": []byte(engine), "public": public, "digest": digest, "sig": sig} {
		must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "public",
		"-in", "digest", "-sigfile", "sig")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+filepath.Join(dir, "openssl.cnf"))
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil || exit.ExitCode() != 1) {
		t.Fatalf("openssl pkeyutl: %v\n%s", err, said)
	}
	return err == nil
}
