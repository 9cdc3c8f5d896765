//go:build cgo && unix

package conformance_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"propusk/tokens"
	"propusk/tokens/conformance"
	"propusk/tokens/soft/softtest"
)

// Debian's SoftHSM: PKCS#11 of others that has no GOST, and says so. Nothing of GOST is
// taken for done.
func TestSoftHSM(t *testing.T) {
	util, err := exec.LookPath("softhsm2-util")
	if err != nil {
		softtest.Missing(t, "no softhsm2-util (Debian: softhsm2)")
	}
	const library = "/usr/lib/softhsm/libsofthsm2.so"
	if _, err := os.Stat(library); err != nil {
		softtest.Missing(t, "no "+library+" (Debian: softhsm2)")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "softhsm2.conf")
	if err := os.Mkdir(filepath.Join(dir, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("directories.tokendir = "+filepath.Join(dir, "tokens")+"\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), util, "--init-token", "--free", "--label", "HSM", "--so-pin", "87654321", "--pin", "12345678")
	cmd.Env = append(os.Environ(), "SOFTHSM2_CONF="+config)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	module, err := tokens.Open(library, tokens.Environment("SOFTHSM2_CONF="+config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := module.Close(); err != nil {
			t.Error(err)
		}
	})
	// It counts no tries. A slot that waits for another token is always there.
	conformance.Run(t, conformance.Backend{Name: "softhsm", Module: module, Token: "HSM", PIN: "12345678", Model: "softhsm"})
}
