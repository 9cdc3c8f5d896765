// Package corpus finds the material that tests read but the repository does not
// hold: vectors of other projects, kept in a directory "shared" beside it.
package corpus

import (
	"os"
	"path/filepath"
	"testing"
)

// Read returns the file at name, a path with slashes below the directory shared.
// It skips the test when there is no such directory, and fails it when the
// directory lacks the file.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// dir returns PROPUSK_SHARED, or else the directory shared of the closest parent
// that has shared/DESIGN.md.
func dir(t testing.TB) string {
	t.Helper()
	if d := os.Getenv("PROPUSK_SHARED"); d != "" {
		return d
	}
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		shared := filepath.Join(at, "shared")
		if _, err := os.Stat(filepath.Join(shared, "DESIGN.md")); err == nil {
			return shared
		}
		parent := filepath.Dir(at)
		if parent == at {
			t.Skip("no directory shared with vectors of other projects; set PROPUSK_SHARED")
		}
		at = parent
	}
}
