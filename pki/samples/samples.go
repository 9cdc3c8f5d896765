// Package samples finds the real certificates, signatures and lists that tests
// read but the repository does not hold, because they are about real people and
// organisations.
package samples

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns a path below the directory of samples: the elements are joined and
// may have slashes and wildcards. The directory is PROPUSK_SHARED, or else the
// directory "shared" of the closest parent that has shared/DESIGN.md. Without one
// the test is skipped; whether the path exists is not looked at.
func Path(t testing.TB, elements ...string) string {
	t.Helper()
	return filepath.Join(append([]string{root(t)}, elements...)...)
}

func root(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("PROPUSK_SHARED"); dir != "" {
		return dir
	}
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; at != filepath.Dir(at); at = filepath.Dir(at) {
		dir := filepath.Join(at, "shared")
		if _, err := os.Stat(filepath.Join(dir, "DESIGN.md")); err == nil {
			return dir
		}
	}
	t.Skip("the directory shared with real samples is not here; set PROPUSK_SHARED")
	return ""
}
