package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScripts runs testdata/*.txt. A script is read from top to bottom, in an
// empty directory of its own:
//
//	# a comment
//	propusk tsl list.xml     run a command; no shell, words are split at blanks
//	exit 1                   its exit code was 1; without this line, 0
//	stdout some text         its output has this text
//	stderr some text         its error output has this text
//	no stdout some text      and this one not; the same for stderr
//	-- dir/file --           the rest is files to start with
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatal(err, "no scripts")
	}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			runScript(t, string(text))
		})
	}
}

// scriptRun is the last command of a script.
type scriptRun struct {
	line           string
	code           int
	checked        bool // its exit code was compared
	stdout, stderr bytes.Buffer
}

func runScript(t *testing.T, text string) {
	script, files, _ := strings.Cut(text, "\n-- ")
	writeFiles(t, files)
	var last *scriptRun
	finish := func() {
		if last != nil && !last.checked && last.code != 0 {
			t.Errorf("%s: exit code %d\n%s%s", last.line, last.code, &last.stdout, &last.stderr)
		}
	}
	for n, line := range strings.Split(script, "\n") {
		line = strings.TrimSpace(line)
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case verb == "propusk":
			finish()
			last = &scriptRun{line: line}
			last.code = run(context.Background(), strings.Fields(rest), strings.NewReader(""), &last.stdout, &last.stderr)
		case last == nil:
			t.Fatalf("line %d: %q before any command", n+1, line)
		default:
			if err := last.check(verb, rest); err != nil {
				t.Errorf("line %d, after %q: %v", n+1, last.line, err)
			}
		}
	}
	finish()
}

// check compares the last command with one line of the script.
func (r *scriptRun) check(verb, rest string) error {
	want := true
	if verb == "no" {
		want = false
		verb, rest, _ = strings.Cut(rest, " ")
	}
	switch verb {
	case "exit":
		r.checked = true
		if rest != fmt.Sprint(r.code) {
			return fmt.Errorf("exit code %d, want %s\n%s%s", r.code, rest, &r.stdout, &r.stderr)
		}
	case "stdout":
		if strings.Contains(r.stdout.String(), rest) != want {
			return fmt.Errorf("%q in the output: want %v\n%s", rest, want, &r.stdout)
		}
	case "stderr":
		if strings.Contains(r.stderr.String(), rest) != want {
			return fmt.Errorf("%q in the error output: want %v\n%s", rest, want, &r.stderr)
		}
	default:
		return fmt.Errorf("unknown word %q", verb)
	}
	return nil
}

// writeFiles writes the files at the end of a script.
func writeFiles(t *testing.T, text string) {
	if text == "" {
		return
	}
	for _, part := range strings.Split("\n"+text, "\n-- ") {
		name, body, ok := strings.Cut(part, " --\n")
		if !ok {
			if name != "" {
				t.Fatalf("no file name in %q", name)
			}
			continue
		}
		name = strings.TrimSpace(name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
