package profile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/account"
	"propusk/server/journal"
)

// TestActionsHaveWords: whatever packages note about an account, its person reads in words.
func TestActionsHaveWords(t *testing.T) {
	note := regexp.MustCompile(`(?:\b[eE]vent|\.plainEvent|\.change|\.tell)\((?:[^"\n]*, )?"([a-z]+(?:-[a-z]+)+)"`)
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
		"Mozilla/5.0 (X11; Linux), like Gecko": "Mozilla/5.0 (X11; Linux), like Gecko", // or the separator of another country:
		"a,=HYPERLINK(1)":                      "a,'=HYPERLINK(1)", "a; @SUM(1)": "a;' @SUM(1)", " =1": "' =1", "＝1+1": "'＝1+1", "2026-03-02 12:00": "2026-03-02 12:00",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if len(columns("ru")) != len(columns("en")) {
		t.Error("the table has other columns in the other language")
	}
}

// shelf is a journal of many records about one person.
type shelf struct {
	records int
	asked   int
	broken  error
}

func (s *shelf) Of(_ context.Context, _ []person.Identity, before uint64, limit int) ([]journal.Record, error) {
	s.asked++
	if before == 0 {
		before = uint64(s.records) + 1
	}
	var page []journal.Record
	for n := before - 1; n > 0 && len(page) < limit; n-- {
		page = append(page, journal.Record{Number: n})
	}
	if s.broken != nil && s.asked > 1 {
		return nil, s.broken
	}
	return page, nil
}

// TestEach: a file has every record once, the newest first; it is not whole if the journal
// fails on the way, and it is bounded.
func TestEach(t *testing.T) {
	for _, records := range []int{0, 1, downloadStep, downloadStep + 1, 2*downloadStep + 7} {
		s := &shelf{records: records}
		next, read := records, 0
		err := New(Options{Histories: s}).each(t.Context(), account.Account{}, func(r journal.Record) error {
			if r.Number != uint64(next) {
				t.Fatalf("%d records: number %d, want %d", records, r.Number, next)
			}
			next, read = next-1, read+1
			return nil
		})
		if err != nil || read != records {
			t.Errorf("%d of %d records, %v", read, records, err)
		}
	}
	failing := errors.New("disk")
	s := &shelf{records: 3 * downloadStep, broken: failing}
	if err := New(Options{Histories: s}).each(t.Context(), account.Account{}, func(journal.Record) error { return nil }); !errors.Is(err, failing) {
		t.Errorf("a journal that fails: %v", err)
	}
	read := 0
	s = &shelf{records: maxDownload + 5*downloadStep}
	if err := New(Options{Histories: s}).each(t.Context(), account.Account{}, func(journal.Record) error { read++; return nil }); err != nil || read != maxDownload {
		t.Errorf("%d records, %v", read, err)
	}
}

// TestPeople: the journal is asked for a person under each of his kinds.
func TestPeople(t *testing.T) {
	acc := account.Account{
		Identity:  person.Identity{Kind: person.Entrepreneur, Name: person.NewName("Примеров Пример")},
		Taxpayers: []account.Taxpayer{{Kind: person.Entrepreneur}, {Kind: person.Person}, {Kind: person.LegalEntity}},
	}
	var kinds []person.Kind
	for _, who := range people(acc) {
		kinds = append(kinds, who.Kind)
		if who.Name != acc.Identity.Name {
			t.Errorf("%s is another person", who.Kind)
		}
	}
	if want := []person.Kind{person.Entrepreneur, person.Entrepreneur, person.Person, person.LegalEntity}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
}
