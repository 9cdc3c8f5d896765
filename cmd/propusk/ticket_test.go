package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/mail"
	"propusk/server/store"
	"propusk/server/support"
)

// ticket runs propusk ticket and returns what it has printed.
func (r registry) ticket(t *testing.T, want int, stdin string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"ticket"}, append(args, "--config", filepath.Join(r.dir, "propusk.yaml"))...)
	if exit := run(t.Context(), args, strings.NewReader(stdin), &out, &errs); exit != want {
		t.Errorf("%q: exit %d, want %d: %s%s", args, exit, want, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

// TestTicketCommands: an operator finds a request, reads it, answers it and closes it, while the
// store is open elsewhere.
func TestTicketCommands(t *testing.T) {
	r := newRegistry(t)
	var number string
	err := r.store.Update(t.Context(), func(tx store.Tx) error {
		one := account.Ticket{
			Topic: "sign-in", Name: person.NewName("Канарейкин К. К."), Email: person.NewEmail("kanareyka@example.org"), Language: "ru",
			Text: person.NewPrivate("Не вижу окна.\n\x1b[2JСтрёртый экран"), Certificate: []byte{0x30, 0},
		}
		err := support.Open(tx, mail.Composer{}, &one, []account.Attachment{{Number: 1, Name: person.NewPrivate("../../a.png"), Type: "image/png", Data: []byte("PNG")}}, time.Now())
		number = one.Number
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if out := r.ticket(t, exitYes, "", "list", "--state", "open"); !strings.Contains(out, number) || strings.Contains(out, "Канарейкин") || !strings.Contains(out, "answer by") {
		t.Errorf("list: %s", out)
	}
	files := filepath.Join(r.dir, "files")
	if out := r.ticket(t, exitYes, "", "show", number, "--files", files); !strings.Contains(out, "Канарейкин К. К.") || strings.Contains(out, "\x1b") {
		t.Errorf("show: %q", out)
	}
	for name, want := range map[string]string{number + "-1.png": "PNG", number + ".cer": "0\x00"} {
		if got, err := os.ReadFile(filepath.Join(files, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	r.ticket(t, exitUsage, " \n", "answer", number)
	r.ticket(t, exitYes, "Закройте все окна браузера.\n", "answer", number)
	r.ticket(t, exitYes, "", "answer", number, "--text", "Получилось?", "--close")
	r.ticket(t, exitNo, "", "answer", number, "--text", "Ещё раз")
	r.ticket(t, exitNo, "", "close", number)
	var shown ticketDocument
	if err := json.Unmarshal([]byte(r.ticket(t, exitYes, "", "show", number, "--json")), &shown); err != nil {
		t.Fatal(err)
	}
	if shown.State != account.ClosedTicket || len(shown.Answers) != 2 || shown.Answers[0].Text != "Закройте все окна браузера." || shown.Due != nil || shown.Answers[0].By == "" {
		t.Errorf("%+v", shown)
	}
	err = r.store.View(t.Context(), func(tx store.Tx) error {
		letters, err := tx.Letters("", 10)
		if len(letters) != 3 || !strings.Contains(letters[0].Text.Reveal(), "Получилось?") || letters[0].Kind != mail.KindTicketAnswered {
			t.Errorf("%d letters", len(letters))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	r.ticket(t, exitNo, "", "show", "2026-999999")
	r.ticket(t, exitNo, "", "show", "../../etc/passwd")
	r.ticket(t, exitUsage, "", "list", "--state", "lost")
	if out := r.ticket(t, exitYes, "", "list", "--state", "open"); strings.Contains(out, number) {
		t.Errorf("still open: %s", out)
	}
	if out := r.ticket(t, exitYes, "", "list", "--json"); !strings.Contains(out, number) {
		t.Errorf("JSON: %s", out)
	}
}
