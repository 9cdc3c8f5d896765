package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/server/account"
	"propusk/server/store"
)

// cards runs propusk card, and returns what it has printed.
func (r registry) cards(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"card"}, append(args, "--config", filepath.Join(r.dir, "propusk.yaml"))...)
	if exit := run(t.Context(), args, strings.NewReader(""), &out, &errs); exit != want {
		t.Errorf("%q: exit %d, want %d: %s%s", args, exit, want, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

// TestCardCommands issues cards while the store is open elsewhere, as by a gateway.
func TestCardCommands(t *testing.T) {
	r := newRegistry(t)
	if out := r.cards(t, exitUsage, "issue", "--inn", "500100732259", "--name", "Вымыслов Пётр"); !strings.Contains(out, "accounts.secret") {
		t.Errorf("no secret: %s", out)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "accounts.secret"), []byte(strings.Repeat("0b", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"issue", "--inn", "500100732258", "--name", "Вымыслов Пётр"},
		{"issue", "--inn", "500100732259"},
		{"issue", "--inn", "500100732259", "--name", "Вымыслов Пётр", "--delivery", "email"},
		{"issue", "--inn", "500100732259", "--name", "Вымыслов Пётр", "--email", "nobody"},
		{"issue", "--inn", "500100732259", "--name", "Вымыслов Пётр", "--ogrnip", "1"},
		{"issue", "--inn", "500100732259", "--name", "Вымыслов Пётр", "--language", "de"},
		{"issue", "--inn", "500100732259", "--name", "Вымыслов Пётр", "--reason", "stop"},
	} {
		r.cards(t, exitUsage, args...)
	}
	r.cards(t, exitNo, "issue", "--inn", "500100732259", "--reason", "new-password")

	text := r.cards(t, exitYes, "issue", "--inn", "500100732259", "--name", "Вымыслов Пётр Ильич")
	if !strings.Contains(text, "500100732259") || !strings.Contains(text, "МСК") {
		t.Error(text)
	}
	r.cards(t, exitNo, "issue", "--inn", "500100732259", "--name", "Вымыслов Пётр Ильич")
	var printed struct{ Number, Account, Login, Password, By string }
	out := r.cards(t, exitYes, "issue", "--inn", "500100732259", "--reason", "new-password", "--email", "name@example.ru", "--delivery", "email", "--json")
	if err := json.Unmarshal([]byte(out), &printed); err != nil || printed.Login != "500100732259" || printed.Password == "" || printed.By == "" {
		t.Errorf("%s: %v", out, err)
	}
	if strings.Contains(text, printed.Password) {
		t.Error("two cards have one password")
	}
	var a account.Account
	var p account.Password
	var letters []account.Letter
	err := r.store.View(t.Context(), func(tx store.Tx) (err error) {
		if a, err = tx.Account(account.ID(printed.Account)); err == nil {
			if p, err = tx.Password(a.ID); err == nil {
				letters, err = tx.DueLetters(time.Now(), 10)
			}
		}
		return err
	})
	if err != nil || a.State != account.Active || !p.Initial || p.Expires.Before(p.Set.AddDate(0, 0, 28)) || strings.Contains(p.Hash, printed.Password) {
		t.Errorf("%+v, %+v, %v", a, p, err)
	}
	if len(letters) != 1 || letters[0].To.Reveal() != "name@example.ru" || !strings.Contains(letters[0].Text.Reveal(), printed.Password) {
		t.Errorf("%d letters", len(letters))
	}

	list := r.cards(t, exitYes, "list")
	if strings.Count(list, "\n") != 2 || !strings.HasPrefix(list, printed.Number) || strings.Contains(list, printed.Password) {
		t.Error(list)
	}
	if list := r.cards(t, exitYes, "list", "--account", "500100732259", "--json"); strings.Count(list, `"number"`) != 2 || strings.Contains(list, printed.Password) {
		t.Error(list)
	}
	r.cards(t, exitNo, "list", "--account", "770000000156")
}
