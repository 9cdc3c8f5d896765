package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/server/config"
	"propusk/server/journal"
)

// TestJournalCommands: a journal that is being written can be verified and exported, by its
// path and by the configuration, and its export verified.
func TestJournalCommands(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "propusk.yaml"), config.Sample(), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var last journal.Record
	for range 3 {
		if last, err = j.Append(t.Context(), journal.Event{At: time.Now(), Kind: journal.Operator, Action: "started"}); err != nil {
			t.Fatal(err)
		}
	}
	command := func(want int, stdin string, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if exit := run(t.Context(), append([]string{"journal"}, args...), strings.NewReader(stdin), &out, &errs); exit != want {
			t.Errorf("%q: exit %d: %s%s", args, exit, out.String(), errs.String())
		}
		return out.String()
	}
	head := journal.Head{Number: last.Number, Hash: last.Hash}.String()
	for _, args := range [][]string{{filepath.Join(dir, "journal.db")}, {"--config", filepath.Join(dir, "propusk.yaml")}} {
		if out := command(exitYes, "", append([]string{"verify", "--head", head}, args...)...); !strings.Contains(out, head) {
			t.Errorf("verify %q: %s", args, out)
		}
		out := command(exitYes, "", append([]string{"export"}, args...)...)
		if lines := strings.Count(out, "\n"); lines != 3 {
			t.Errorf("export %q: %d lines", args, lines)
		}
		command(exitYes, out, "verify", "-", "--head", head)
		command(exitNo, out[:strings.LastIndex(out[:len(out)-1], "\n")+1], "verify", "-", "--head", head)
	}
	command(exitNo, "", "verify", "--head", "2:"+strings.Repeat("0", 64), filepath.Join(dir, "journal.db"))
}
