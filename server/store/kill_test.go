package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/store"
	"propusk/server/store/storetest"
)

// killed names, in the environment, the file that the process to be killed writes to, and from
// what number on.
const killed = "PROPUSK_TEST_KILLED"

// TestMain is the process to be killed, if it is.
func TestMain(m *testing.M) {
	if path, from, ok := strings.Cut(os.Getenv(killed), "|"); ok {
		if err := register(path, from); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// register opens accounts for ever, several at a time, and prints the number of each that was
// acknowledged.
func register(path, from string) error {
	first, err := strconv.ParseInt(from, 10, 64)
	if err != nil {
		return err
	}
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	var number atomic.Int64
	number.Store(first)
	var wait sync.WaitGroup
	var out sync.Mutex
	for range 8 {
		wait.Go(func() {
			for {
				n := int(number.Add(1))
				if err := s.Update(context.Background(), registration(n)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Println(n)
				out.Unlock()
			}
		})
	}
	wait.Wait()
	return nil
}

// registration is everything that comes with an account: all of it, or nothing.
func registration(n int) func(store.Tx) error {
	a := storetest.Person(n)
	name, at := fmt.Sprint(n), time.Now()
	return func(tx store.Tx) error {
		return errors.Join(
			tx.PutAccount(&a),
			tx.PutPassword(account.Password{Account: a.ID, Hash: name}),
			tx.AddEvidence(account.Evidence{ID: name, Account: a.ID, Text: make([]byte, 20_000)}),
			tx.PutSecret(account.Secret{Purpose: "activation", Digest: [32]byte{1, byte(n), byte(n >> 8), byte(n >> 16)}, Account: a.ID, Expires: at.AddDate(1, 0, 0)}),
			tx.PutLetter(account.Letter{ID: name, Account: a.ID, To: person.NewEmail("x@example.org"), NotBefore: at}),
			tx.Note(journal.Event{At: at, Kind: journal.Account, Action: "registered", Support: name}, a.Identity))
	}
}

// TestKill kills a process in the middle of its work, again and again, with no chance to end
// anything: what it has acknowledged is there, and nothing is there by half.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	acknowledged := map[int]bool{}
	last, rounds := 0, 6
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		for n := range kill(t, path, last, 5+40*round) {
			acknowledged[n] = true
		}
		last = check(t, path, acknowledged)
	}
	if len(acknowledged) < rounds*5 {
		t.Errorf("only %d were acknowledged", len(acknowledged))
	}
}

// kill lets a process work until it has acknowledged so many, and kills it; it returns all
// that it has acknowledged.
func kill(t *testing.T, path string, from, after int) map[int]bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d", killed, path, from))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := map[int]bool{}
	out := bufio.NewReader(pipe)
	for {
		line, err := out.ReadString('\n')
		if errors.Is(err, io.EOF) { // what was cut off was not acknowledged
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		done[n] = true
		if len(done) == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the process was not killed: %v", cmd.ProcessState)
	}
	if len(done) < after {
		t.Fatalf("the process has acknowledged %d, want %d", len(done), after)
	}
	return done
}

// check looks into the file that a killed process has left, and returns the greatest number in
// it.
func check(t *testing.T, path string, acknowledged map[int]bool) (last int) {
	t.Helper()
	s := open(t, path)
	defer s.Close()
	err := s.View(t.Context(), func(tx store.Tx) error {
		notes := map[string]bool{}
		all, err := tx.Notes(store.MaxPage)
		for _, n := range all {
			notes[n.Event.Support] = true
		}
		there := map[int]bool{}
		for after := account.ID(""); err == nil; {
			var page []account.Account
			page, err = tx.Accounts("", after, store.MaxPage)
			if len(page) == 0 {
				break
			}
			for _, a := range page {
				n, bad := strconv.Atoi(strings.TrimLeft(strings.TrimPrefix(string(a.ID), "account-"), "0"))
				there[n], last, after = true, max(last, n), a.ID
				name := fmt.Sprint(n)
				_, errPassword := tx.Password(a.ID)
				_, errLetter := tx.Letter(name)
				_, errEvidence := tx.Evidence(name)
				secrets, errSecret := tx.Secrets(a.ID, "activation")
				if half := errors.Join(bad, errPassword, errLetter, errEvidence, errSecret); half != nil || len(secrets) != 1 || !notes[name] {
					t.Errorf("account %d is there by half: %v, %d secrets, note %t", n, half, len(secrets), notes[name])
				}
			}
		}
		for n := range acknowledged {
			if !there[n] {
				t.Errorf("account %d was acknowledged, and is not there", n)
			}
		}
		if len(notes) != len(there) {
			t.Errorf("%d accounts have %d notes", len(there), len(notes))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return last
}
