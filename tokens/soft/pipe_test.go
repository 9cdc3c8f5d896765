//go:build unix

package soft

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A pipe in the place of a file, which nobody writes into, is not waited for; neither is
// one behind a link.
func TestPipes(t *testing.T) {
	tok, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Init("", []byte("87654321")); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(tok.Dir(), "00000000000000aa"+objectExt)
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if objects, err := tok.Objects(); err != nil || len(objects) != 0 {
		t.Errorf("%v, %v", objects, err)
	}
	if err := errors.Join(os.Remove(filepath.Join(tok.Dir(), tokenFile)), os.Symlink(pipe, filepath.Join(tok.Dir(), tokenFile))); err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Info(); !errors.Is(err, ErrFormat) {
		t.Errorf("a pipe as the token: %v", err)
	}
}
