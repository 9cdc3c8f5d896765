package cms

import (
	"os"
	"path/filepath"
	"strings"
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

// indexed is one line of INDEX.tsv about a file that exists.
type indexed struct {
	name, path, what, algorithm, expected string
}

// corpus returns the lines of INDEX.tsv whose file name begins with a prefix and
// ends with one of the suffixes.
func corpus(t testing.TB, prefix string, suffixes ...string) []indexed {
	t.Helper()
	data, err := os.ReadFile(shared(t, "data", "INDEX.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var found []indexed
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) < 5 || !strings.HasPrefix(f[0], prefix) {
			continue
		}
		for _, suffix := range suffixes {
			if strings.HasSuffix(f[0], suffix) {
				found = append(found, indexed{f[0], shared(t, "data", f[0]), f[2], f[3], f[4]})
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("INDEX.tsv names no file %s*", prefix)
	}
	return found
}
