package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// maxLines is how long a file may be.
const maxLines = 2000

// TestUpToDate: the committed files are what the generator writes.
func TestUpToDate(t *testing.T) {
	files := render()
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if string(got) != want {
			t.Errorf("%s is not what the generator writes; run go generate ./gost/gost3410/...", name)
		}
		if n := bytes.Count(got, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, more than %d", name, n, maxLines)
		}
	}
	committed, err := filepath.Glob("../*.s")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range committed {
		if _, ok := files[filepath.Base(path)]; !ok {
			t.Errorf("the generator no longer writes %s", path)
		}
	}
}
