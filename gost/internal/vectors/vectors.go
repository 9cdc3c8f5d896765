// Package vectors reads the test vectors of gost: text files of "key: value"
// lines, one blank line between vectors, comments after "#". A file says where
// its numbers come from in a "# Source:" line.
package vectors

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// A Vector is one paragraph of a vector file.
type Vector struct {
	// Name is the value of the key "name".
	Name string

	fields map[string]string
}

// Load reads the vectors of a file. It fails the test when the file cannot be
// read, holds no vector, or does not name its source.
func Load(t testing.TB, path string) []Vector {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	vs, sourced := parse(t, path, data)
	if !sourced {
		t.Fatalf("%s: no \"# Source:\" line", path)
	}
	if len(vs) == 0 {
		t.Fatalf("%s: no vectors", path)
	}
	return vs
}

func parse(t testing.TB, path string, data []byte) (vs []Vector, sourced bool) {
	t.Helper()
	current := map[string]string{}
	flush := func() {
		if len(current) > 0 {
			vs = append(vs, Vector{Name: current["name"], fields: current})
			current = map[string]string{}
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(line, "# Source:"):
			sourced = true
		case strings.HasPrefix(line, "#"):
		case line == "":
			flush()
		default:
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				t.Fatalf("%s:%d: want \"key: value\", have %q", path, n, line)
			}
			current[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	flush()
	return vs, sourced
}

// String returns the value of key, and fails the test when there is none.
func (v Vector) String(t testing.TB, key string) string {
	t.Helper()
	s, ok := v.fields[key]
	if !ok {
		t.Fatalf("vector %q has no %q", v.Name, key)
	}
	return s
}

// Has reports whether the vector has the key.
func (v Vector) Has(key string) bool {
	_, ok := v.fields[key]
	return ok
}

// Hex returns the value of key as bytes. Spaces between the digits are ignored.
func (v Vector) Hex(t testing.TB, key string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(v.String(t, key), " ", ""))
	if err != nil {
		t.Fatalf("vector %q, %s: %v", v.Name, key, err)
	}
	return b
}
