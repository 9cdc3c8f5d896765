package profile

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/journal"
)

// TestActionsHaveWords: whatever packages note about an account, its person reads in words.
func TestActionsHaveWords(t *testing.T) {
	note := regexp.MustCompile(`(?:\b[eE]vent|\.plainEvent|\.change|\bturn)\((?:[^"\n]*, )?"([a-z]+(?:-[a-z]+)+)"`)
	found := 0
	for _, area := range []string{"admission", "card", "login", "office", "profile", "registration", "upkeep"} {
		files, err := filepath.Glob("../" + area + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", area, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range note.FindAllStringSubmatch(string(text), -1) {
				found++
				if words := actions()[m[1]]; words.RU == "" || words.EN == "" {
					t.Errorf("%s: %q has no words", file, m[1])
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d actions found: has their form changed?", found)
	}
}

// TestEventOf: what was refused is told with its reason; what was changed is done, whatever the
// state that it led to is called.
func TestEventOf(t *testing.T) {
	for _, one := range []struct {
		event journal.Event
		good  bool
		word  string
	}{
		{journal.Event{Kind: journal.SignIn, Action: "gost-tls", Conclusion: report.TotalPassed}, true, "Выполнено"},
		{journal.Event{Kind: journal.SignIn, Action: "gost-tls", Conclusion: report.TotalFailed, Reason: reason.CertRevoked}, false, "отозван"},
		{journal.Event{Kind: journal.SignIn, Action: "password", Conclusion: report.Indeterminate}, false, "Не выполнено"},
		{journal.Event{Kind: journal.Account, Action: "account-blocked", Reason: reason.AccountCardExpired}, true, "Выполнено"},
		{journal.Event{Kind: journal.Account, Action: "key-refused", Reason: reason.AccountIdentity}, false, "ИНН"},
		{journal.Event{Kind: journal.Account, Action: "key-refused", Reason: "of-tomorrow"}, false, "of-tomorrow"},
	} {
		got := eventOf(journal.Record{Event: one.event})
		if got.Good != one.good || !strings.Contains(got.Result.RU, one.word) {
			t.Errorf("%+v: good %v, %q", one.event, got.Good, got.Result.RU)
		}
	}
	if got := what(journal.Record{Event: journal.Event{Kind: journal.Account, Action: "unheard-of"}}); got.RU != "unheard-of" {
		t.Errorf("%q", got.RU)
	}
}

// TestHarmless: no cell of the table begins as a formula, and nothing else is changed.
func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "Пример": "Пример", "=1+1": "'=1+1", "+7": "'+7", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "a=b": "a=b", "\tx": "'\tx",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if len(columns("ru")) != len(columns("en")) {
		t.Error("the table has other columns in the other language")
	}
}
