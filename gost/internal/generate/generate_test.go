package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestUpToDate: the committed files are what the generator writes.
func TestUpToDate(t *testing.T) {
	for name, want := range render() {
		got, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if string(got) != want {
			t.Errorf("%s is not what the generator writes; run go generate ./gost/internal/generate", name)
		}
	}
}
