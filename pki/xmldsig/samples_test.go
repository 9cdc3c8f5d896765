package xmldsig

import (
	"os"
	"path/filepath"
	"testing"
)

// shared returns a path inside the shared data, or skips the test.
func shared(t testing.TB, path string) string {
	t.Helper()
	dir := os.Getenv("PROPUSK_SHARED")
	if dir == "" {
		wd, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for ; ; wd = filepath.Dir(wd) {
			dir = filepath.Join(wd, "shared")
			if _, err := os.Stat(filepath.Join(dir, "DESIGN.md")); err == nil {
				break
			}
			if wd == filepath.Dir(wd) {
				t.Skip("the shared data are not here (set PROPUSK_SHARED)")
			}
		}
	}
	return filepath.Join(dir, "data", filepath.FromSlash(path))
}

// TestSamplesValid: signatures from the wild, each over what it says.
func TestSamplesValid(t *testing.T) {
	for name, doc := range files(t, shared(t, "xmldsig/valid/*.xml")) {
		sigs, err := Inspect(doc)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		for i, s := range sigs {
			if s.Reason() != "" {
				t.Errorf("%s: signature %d: %+v", filepath.Base(name), i, s.Checks)
			}
		}
	}
}
