package gostx509

import (
	"os"
	"path/filepath"
	"testing"
)

// shared returns the path of a file or directory of the shared test data, and
// skips the test when the data is not there. PROPUSK_SHARED names it, or else it
// stands beside the repository.
func shared(t testing.TB, elements ...string) string {
	t.Helper()
	root := os.Getenv("PROPUSK_SHARED")
	for dir, _ := os.Getwd(); root == "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "shared", "DESIGN.md")); err == nil {
			root = filepath.Join(dir, "shared")
		}
	}
	path := filepath.Join(append([]string{root}, elements...)...)
	if _, err := os.Stat(path); root == "" || err != nil {
		t.Skip("the shared test data is absent: set PROPUSK_SHARED to run this test")
	}
	return path
}
