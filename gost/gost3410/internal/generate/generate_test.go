package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestUpToDate: the committed files are what the generator writes.
func TestUpToDate(t *testing.T) {
	files, err := render()
	if err != nil {
		t.Fatal(err)
	}
	old, err := stale("..", files)
	if err != nil || len(old) > 0 {
		t.Errorf("the generator no longer writes %q (%v); run go generate ./gost/gost3410/...", old, err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes; run go generate ./gost/gost3410/...", name)
		}
		if n := bytes.Count(want, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, more than %d", name, n, maxLines)
		}
	}
}
