package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestBrokenMachine: no command that could have to do with cryptography does anything
// when the self-test fails. Every command must be on one of the two sides.
func TestBrokenMachine(t *testing.T) {
	broken := errors.New("Streebog-256: another answer")
	allowed := map[string]bool{"propusk": true, "propusk selftest": true, "propusk version": true}
	guarded := 0
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			visit(c)
		}
		if cmd.RunE == nil || allowed[cmd.CommandPath()] {
			return
		}
		guarded++
		err := cmd.RunE(cmd, nil)
		var exit *exitError
		if !errors.Is(err, broken) || !errors.As(err, &exit) || exit.Code != exitIndeterminate || !strings.Contains(err.Error(), "do not use") {
			t.Errorf("%s: %v", cmd.CommandPath(), err)
		}
	}
	visit(newRootCommand(func() error { return broken }))
	if guarded < 7 {
		t.Errorf("only %d commands ask for the self-test", guarded)
	}

	for path := range allowed {
		root := newRootCommand(func() error { return broken })
		root.SetArgs(strings.Fields(path)[1:])
		root.SetOut(io.Discard)
		if err := root.Execute(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
