package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/config"
	"propusk/server/store"
	"propusk/server/store/storetest"
)

// registry is a directory with a configuration and a store of accounts that a gateway has
// open.
type registry struct {
	dir   string
	store *store.SQLite
}

func newRegistry(t *testing.T) registry {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "propusk.yaml"), config.Sample(), 0o600); err != nil {
		t.Fatal(err)
	}
	r := registry{dir: dir}
	if out := r.command(t, exitUsage, "list"); !strings.Contains(out, "accounts.db") {
		t.Errorf("no file: %s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, "accounts.db")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a command has made the store")
	}
	var err error
	if r.store, err = store.Open(filepath.Join(dir, "accounts.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// command runs propusk account with the configuration, and returns what it has printed.
func (r registry) command(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"account"}, append(args, "--config", filepath.Join(r.dir, "propusk.yaml"))...)
	if exit := run(t.Context(), args, strings.NewReader(""), &out, &errs); exit != want {
		t.Errorf("%q: exit %d, want %d: %s%s", args, exit, want, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

func (r registry) put(t *testing.T, a account.Account) {
	t.Helper()
	if err := r.store.Update(t.Context(), func(tx store.Tx) error { return tx.PutAccount(&a) }); err != nil {
		t.Fatal(err)
	}
}

// TestAccountCommands runs every command while the store is open elsewhere, as by a gateway.
func TestAccountCommands(t *testing.T) {
	r := newRegistry(t)
	waits, lives := storetest.Person(1), storetest.Person(2)
	waits.State, waits.Why = account.Pending, reason.AccountPending
	waits.Email, waits.EmailConfirmed = person.NewEmail("kanareyka@example.org"), time.Now()
	waits.Taxpayers = []account.Taxpayer{account.TaxpayerOf(waits.Identity)}
	r.put(t, waits)
	r.put(t, lives)
	inn := waits.Identity.INN.Reveal()

	list := r.command(t, exitYes, "list")
	if strings.Count(list, "\n") != 2 || strings.Contains(list, inn) || !strings.Contains(list, string(waits.ID)) {
		t.Errorf("list: %s", list)
	}
	if list := r.command(t, exitYes, "list", "--state", "pending-check"); strings.Count(list, "\n") != 1 || !strings.Contains(list, string(waits.ID)) {
		t.Errorf("those who wait: %s", list)
	}
	var lines []map[string]any
	if err := json.Unmarshal([]byte(r.command(t, exitYes, "list", "--json", "--state", "closed")), &lines); err != nil || lines == nil || len(lines) != 0 {
		t.Errorf("nobody, in JSON: %v, %v", lines, err)
	}
	r.command(t, exitUsage, "list", "--state", "nowhere")

	for _, name := range []string{inn, string(waits.ID)} {
		if shown := r.command(t, exitYes, "show", name); !strings.Contains(shown, inn) || !strings.Contains(shown, "kanareyka@example.org") || strings.Contains(shown, "not confirmed") {
			t.Errorf("show: %s", shown)
		}
	}
	var d accountDocument
	if err := json.Unmarshal([]byte(r.command(t, exitYes, "show", inn, "--json")), &d); err != nil || d.INN != inn || d.State != account.Pending || len(d.Taxpayers) != 1 {
		t.Errorf("show in JSON: %+v, %v", d, err)
	}

	for _, step := range []struct {
		exit  int
		args  []string
		state account.State
	}{
		{exitYes, []string{"approve", inn}, account.Active},
		{exitNo, []string{"approve", inn}, account.Active},
		{exitNo, []string{"reject", inn}, account.Active},
		{exitYes, []string{"block", string(waits.ID)}, account.Blocked},
		{exitYes, []string{"unblock", inn}, account.Active},
		{exitYes, []string{"close", inn}, account.Closed},
		{exitNo, []string{"unblock", inn}, account.Closed},
		{exitNo, []string{"block", storetest.INN(9).Reveal()}, account.Closed},
		{exitNo, []string{"show", "nobody"}, account.Closed},
		{exitUsage, []string{"block"}, account.Closed},
	} {
		r.command(t, step.exit, step.args...)
		if err := r.store.View(t.Context(), func(tx store.Tx) error { // what the gateway sees
			a, err := tx.Account(waits.ID)
			if a.State != step.state {
				t.Errorf("after %q the state is %s", step.args, a.State)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.store.View(t.Context(), func(tx store.Tx) error {
		notes, err := tx.Notes(9)
		if len(notes) != 4 || !strings.HasPrefix(notes[0].Event.Detail, "by=") || notes[0].Event.Detail == "by=" {
			t.Errorf("%d events are noted", len(notes))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// TestAccountForget: nothing about a person is left in the files of the store while a gateway has
// it open, but for what he has signed.
func TestAccountForget(t *testing.T) {
	r, a := newRegistry(t), storetest.Person(1)
	a.Email, a.EmailConfirmed = person.NewEmail("kanareyka@example.org"), time.Now()
	r.put(t, a)
	if err := r.store.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			tx.PutLetter(account.Letter{ID: "l", Account: a.ID, Text: person.NewPrivate("kanareyka")}),
			tx.PutTicket(account.Ticket{Number: "2026-000001", Account: a.ID, Text: person.NewPrivate("kanareyka")}),
			tx.AddEvidence(account.Evidence{ID: "signed", Account: a.ID, Text: []byte("text")}))
	}); err != nil {
		t.Fatal(err)
	}
	inn := a.Identity.INN.Reveal()
	r.command(t, exitNo, "forget", inn) // who may still come in
	r.command(t, exitYes, "close", inn)
	var d forgottenDocument
	out := r.command(t, exitYes, "forget", inn, "--json")
	if err := json.Unmarshal([]byte(out), &d); err != nil || d != (forgottenDocument{Account: a.ID, Letters: 1, Tickets: 1, Kept: 1}) {
		t.Errorf("%s: %v", out, err)
	}
	r.command(t, exitNo, "forget", inn)
	dir := t.TempDir()
	r.command(t, exitYes, "evidence", string(a.ID), "--out", dir)
	if text, err := os.ReadFile(filepath.Join(dir, "signed.txt")); err != nil || string(text) != "text" {
		t.Errorf("the evidence: %q, %v", text, err)
	}
	if out := r.command(t, exitYes, "forget", string(a.ID), "--evidence"); !regexp.MustCompile(`signed, destroyed\W+1\n`).MatchString(out) {
		t.Errorf("the evidence: %s", out)
	}
	r.command(t, exitNo, "evidence", string(a.ID), "--out", dir)
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(r.dir, "accounts.db") + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte("kanareyka")) {
			t.Errorf("accounts.db%s still has something of the person", suffix)
		}
	}
}

// TestAccountBackup: a copy made beside a gateway has the accounts, and replaces no file.
func TestAccountBackup(t *testing.T) {
	r := newRegistry(t)
	a := storetest.Person(1)
	r.put(t, a)
	to := filepath.Join(r.dir, "copy.db")
	r.command(t, exitYes, "backup", to)
	r.command(t, exitUsage, "backup", to)
	copied, err := store.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if err := copied.View(t.Context(), func(tx store.Tx) error { _, err := tx.Account(a.ID); return err }); err != nil {
		t.Error(err)
	}
}

// TestAccountEvidence: what was signed comes out as it went in, and over no file.
func TestAccountEvidence(t *testing.T) {
	r := newRegistry(t)
	a := storetest.Person(1)
	r.put(t, a)
	e := account.Evidence{ID: "agreement-1", Account: a.ID, Text: []byte("текст"), Signature: []byte{1}, Certificate: []byte{2}, Verdict: []byte("{}")}
	if err := r.store.Update(t.Context(), func(tx store.Tx) error { return tx.AddEvidence(e) }); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	r.command(t, exitYes, "evidence", string(a.ID), "--out", out)
	for suffix, want := range map[string][]byte{".txt": e.Text, ".sig": e.Signature, ".cer": e.Certificate, ".json": e.Verdict} {
		if got, err := os.ReadFile(filepath.Join(out, e.ID+suffix)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", suffix, got, err)
		}
	}
	r.command(t, exitUsage, "evidence", string(a.ID), "--out", out)
}
