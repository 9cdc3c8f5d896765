// Package browsertest runs scripts in headless Chromium for tests: Debian's Chromium,
// driven by playwright-core from node. Nothing is downloaded; `make browser` installs
// what package-lock.json names.
//
// A script is testdata/NAME.mjs of this package. It gets its input as JSON, and each of
// its steps becomes a subtest. With PROPUSK_SCREENSHOTS=DIR the pages that it visits are
// kept in DIR as pictures.
package browsertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scriptTime is how long one script may run. It takes seconds; a machine that does ten
// other things at once may need more.
const scriptTime = 5 * time.Minute

// outcome is what a script says of one step, one line each.
type outcome struct {
	Step         string `json:"step"`
	Error        string `json:"error"`
	Milliseconds int    `json:"milliseconds"`
	// Done is the last line: whoever does not say it has not come to the end.
	Done bool `json:"done"`
}

// Run runs the script testdata/NAME.mjs of this package, with input for the variable
// "input" of lib.mjs. Each step that failed fails a subtest of its name. Without node,
// Chromium or playwright-core the test is skipped, or fails if PROPUSK_REQUIRE_INTEROP
// is 1; it is skipped too in short mode.
func Run(t *testing.T, name string, input map[string]any) {
	t.Helper()
	dir := Require(t)
	given := map[string]any{"chromium": chromium(), "screenshots": os.Getenv("PROPUSK_SCREENSHOTS")}
	for key, value := range input {
		given[key] = value
	}
	text, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, "testdata", name+".mjs"))
	cmd.Stdin = bytes.NewReader(text)
	// Chromium keeps its profile, and crash reports, in places of the test's own.
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// What lets a script clean up after itself is the end of its input, or a signal.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := report(t, out)
	if err := cmd.Wait(); err != nil || !done {
		t.Errorf("%s: %v\n%s", name, err, &errs)
	}
}

// report makes subtests of the lines of a script, and returns whether it came to its end.
func report(t *testing.T, out io.Reader) (done bool) {
	t.Helper()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o outcome
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Logf("%s", lines.Bytes())
			continue
		}
		if o.Done {
			done = true
			continue
		}
		t.Run(o.Step, func(t *testing.T) {
			t.Logf("%d ms", o.Milliseconds)
			if o.Error != "" {
				t.Error(o.Error)
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Error(err)
	}
	return done
}

// Require returns the directory of this package, and skips the test, or fails it, where
// something that the scripts need is missing.
func Require(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests take seconds: not in short mode")
	}
	dir := filepath.Join(root(t), "cmd", "internal", "browsertest")
	missing := ""
	if _, err := exec.LookPath("node"); err != nil {
		missing = "node"
	} else if chromium() == "" {
		missing = "chromium"
	} else if _, err := os.Stat(filepath.Join(dir, "node_modules", "playwright-core")); err != nil {
		missing = "playwright-core"
	}
	if missing == "" {
		return dir
	}
	hint := "browser tests need " + missing + ": apt-get install chromium nodejs npm; make browser plugins"
	if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" {
		t.Fatal(hint)
	}
	t.Skip(hint)
	return ""
}

// chromium returns the path of the browser, "" if there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// root returns the directory of the module, above that of the test.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module propusk\n") {
			return dir
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("go.mod of propusk is not above the test")
		}
		dir = filepath.Dir(dir)
	}
}
