package main

import (
	"context"
	_ "embed" // for the source of the C program
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed libcrypto/libcrypto.c
var librarySource []byte

// library is the compiled C program over libcrypto and gost-engine. The zero value is
// absent.
type library struct{ program string }

// buildLibrary compiles the C program.
func buildLibrary(ctx context.Context, dir string) (library, error) {
	source, program := filepath.Join(dir, "libcrypto.c"), filepath.Join(dir, "libcrypto")
	if err := os.WriteFile(source, librarySource, 0o600); err != nil {
		return library{}, err
	}
	cmd := exec.CommandContext(ctx, "gcc", "-O2", "-Wno-deprecated-declarations", "-o", program, source, "-lcrypto")
	if out, err := cmd.CombinedOutput(); err != nil {
		return library{}, fmt.Errorf("gcc with the headers of OpenSSL (Debian: gcc, libssl-dev): %w\n%s", err, out)
	}
	return library{program}, nil
}

// measure returns a measure of one operation of the program over files, or nil when the
// program is absent.
func (l library) measure(operation string, files ...string) measure {
	if l.program == "" {
		return nil
	}
	return func(ctx context.Context, each time.Duration) (float64, error) {
		ns, _, err := l.run(ctx, operation, each, files...)
		return ns, err
	}
}

// run runs one operation for about the given time. It returns the nanoseconds of
// processor time that one took, and how many paths it found.
func (l library) run(ctx context.Context, operation string, each time.Duration, files ...string) (ns float64, paths int, err error) {
	args := append([]string{operation, strconv.FormatFloat(each.Seconds(), 'f', -1, 64)}, files...)
	cmd := exec.CommandContext(ctx, l.program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("libcrypto and gost-engine, %s: %w\n%s", operation, err, stderr.String())
	}
	if _, err := fmt.Sscan(string(out), &ns, &paths); err != nil {
		return 0, 0, fmt.Errorf("libcrypto, %s: %w", operation, err)
	}
	return ns, paths, nil
}
