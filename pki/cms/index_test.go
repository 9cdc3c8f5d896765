package cms

import (
	"os"
	"strings"
	"testing"

	"propusk/pki/samples"
)

// indexed is one line of INDEX.tsv about a file that exists.
type indexed struct {
	name, path, what, algorithm, expected string
}

// corpus returns the lines of INDEX.tsv whose file name begins with a prefix and
// ends with one of the suffixes.
func corpus(t testing.TB, prefix string, suffixes ...string) []indexed {
	t.Helper()
	data, err := os.ReadFile(samples.Path(t, "data", "INDEX.tsv"))
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
				found = append(found, indexed{f[0], samples.Path(t, "data", f[0]), f[2], f[3], f[4]})
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("INDEX.tsv names no file %s*", prefix)
	}
	return found
}
