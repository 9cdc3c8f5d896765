package upkeep

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/store"
	"propusk/server/store/storetest"
)

// killed names, in the environment, the directory of the process to be killed.
const killed = "PROPUSK_TEST_KILLED"

// TestMain is the process to be killed, if it is.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killed); dir != "" {
		fmt.Fprintln(os.Stderr, work(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// work notes events for ever while a Keeper brings them to the journal, and prints the name of
// each that was acknowledged.
func work(dir string) error {
	s, err := store.Open(filepath.Join(dir, "accounts.db"))
	if err != nil {
		return err
	}
	r := recorder(filepath.Join(dir, "journal.db"))
	if err := r.Open(); err != nil {
		return err
	}
	k := New(Options{Store: s, Journal: r, Ended: func([]account.Visit) {}, Now: time.Now, Log: slog.Default()})
	go k.Run(context.Background())
	watched := store.Watch(s, func() {}, k.Wake)
	who := storetest.Person(1).Identity
	var out sync.Mutex
	failed := make(chan error, 4)
	for range 4 {
		go func() {
			for {
				name := account.NewName()
				if err := watched.Update(context.Background(), func(tx store.Tx) error { return tx.Note(note(time.Now(), name), who) }); err != nil {
					failed <- err
					return
				}
				out.Lock()
				fmt.Println(name)
				out.Unlock()
			}
		}()
	}
	return <-failed
}

// TestKill kills a gateway's storage again and again while events are on their way: in the
// end each that was acknowledged is in the journal, and none is there twice.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	noted := map[string]bool{}
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		for _, name := range killAfter(t, dir, 3+70*round) {
			noted[name] = true
		}
	}
	s, err := store.Open(filepath.Join(dir, "accounts.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	path := filepath.Join(dir, "journal.db")
	r := newRecorder(t, path)
	k := New(Options{Store: s, Journal: r, Ended: func([]account.Visit) {}, Now: time.Now, Log: slog.Default()})
	if err := k.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	j, err := journal.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := journal.Verify(t.Context(), j); err != nil {
		t.Error(err)
	}
	written := map[string]int{}
	for from := uint64(1); ; {
		records, err := j.Read(t.Context(), from, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			written[r.Action]++
			from = r.Number + 1
		}
	}
	for name := range noted {
		if written[name] != 1 {
			t.Errorf("an event that was acknowledged is in the journal %d times", written[name])
		}
	}
	for name, times := range written {
		if times != 1 {
			t.Errorf("the event %s is in the journal %d times", name, times)
		}
	}
}

// killAfter lets a process work until it has acknowledged so many events, and kills it; it
// returns all that it has acknowledged.
func killAfter(t *testing.T, dir string, after int) (names []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), killed+"="+dir)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	for {
		line, err := out.ReadString('\n')
		if errors.Is(err, io.EOF) { // what was cut off was not acknowledged
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if names = append(names, strings.TrimSpace(line)); len(names) == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 || len(names) < after {
		t.Fatalf("the process was not killed: %v", cmd.ProcessState)
	}
	return names
}
