package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"propusk/tokens"
	"propusk/tokens/soft/softtest"
)

// TestMain lets the test binary be the process of a library too.
func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	softtest.Module(t) // skips where there is no C compiler
	t.Setenv(softtest.Environment, "")
	var out strings.Builder
	if err := run(options{short: true}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"in this process", "in a process of its own", "added by the bridge", "goal", "start of the process", "agent: start", "agent: memory after a signature"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if err := run(options{}, io.Discard, io.Discard); err == nil {
		t.Error("no rounds at all")
	}
}
