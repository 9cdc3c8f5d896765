package filekind

import (
	"os"
	"path/filepath"
	"testing"

	"propusk/pki/reason"
)

// TestContainers: every file of a container of CryptoPro CSP that holds or hides a key is
// known by what is in it.
func TestContainers(t *testing.T) {
	dir := shared(t)
	var found int
	for _, name := range []string{"header.key", "primary.key", "primary2.key", "masks.key", "masks2.key"} {
		files, err := filepath.Glob(filepath.Join(dir, "data", "cryptopro_containers", "*", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if got := Secret(data); got != reason.FileIsPrivateKey {
				t.Errorf("%s: %q", file, got)
			}
		}
	}
	if found == 0 {
		t.Error("no containers")
	}
}

// shared returns the directory of shared data, or skips the test.
func shared(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("PROPUSK_SHARED"); dir != "" {
		return dir
	}
	for dir, err := os.Getwd(); err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "shared", "DESIGN.md")); err == nil {
			return filepath.Join(dir, "shared")
		}
	}
	t.Skip("no directory of shared data")
	return ""
}
