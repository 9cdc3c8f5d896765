package qualified

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
)

var update = flag.Bool("update", false, "write docs/RULES.md anew")

// TestDocument holds docs/RULES.md to the table: the two never differ.
func TestDocument(t *testing.T) {
	const path = "../../docs/RULES.md"
	want := rulesDocument(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not the table; run the test with -update", path)
	}
}

// TestDocumented: every rule can be explained, and its norm has begun before it
// ended.
func TestDocumented(t *testing.T) {
	for _, r := range Rules() {
		if r.Title.RU == "" || r.Title.EN == "" || strings.HasSuffix(r.Title.RU, ".") || strings.HasSuffix(r.Title.EN, ".") {
			t.Errorf("%s: title %+v", r.ID, r.Title)
		}
		if _, ok := reason.Lookup(r.Reason); !ok {
			t.Errorf("%s: %q is not in the catalogue", r.ID, r.Reason)
		}
		if !r.Until.IsZero() && !r.Since.Before(r.Until) {
			t.Errorf("%s: in force from %v until %v", r.ID, r.Since, r.Until)
		}
	}
}

const rulesHead = `# Правила для квалифицированных сертификатов / Rules for qualified certificates

<!-- Made from the table in pki/qualified by ` + "`go test ./pki/qualified -update`" + `; do not edit. -->

Каждое правило — строка таблицы в ` + "`pki/qualified`" + ` и отдельная проверка в каждом заключении: ` + "`passed`, `failed` или `not-applicable`" + ` с причиной.
«Выдан» — дни выдачи сертификата (по Москве), на которые правило распространяется; «проверка» — с какого дня оно спрашивается.

Every rule is one row of the table and one check of every verdict: passed, failed, or not applicable with the reason why. “Issued”
is the days of issue (in Moscow) that the rule covers; “asked” is the day from which it is asked about. Nothing here is about trust:
chain, accreditation and revocation are judged apart. The text of приказ № 795 was known through its amendments and through what real
certificates have, and the rules were held against 2,356 real CA certificates; приказ № 31, which amends it, ends on 2027-09-01.

| Правило / rule | Что требуется | What is demanded | Владельцы / holders | Выдан / issued | Проверка / asked | Норма / norm | Код / code |
|---|---|---|---|---|---|---|---|
`

// rulesDocument writes the table for people.
func rulesDocument(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(rulesHead)
	for _, r := range Rules() {
		asked := ""
		if !r.From.IsZero() {
			asked = "≥ " + r.From.Format(time.DateOnly)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | `%s` |\n",
			r.ID, r.Title.RU, r.Title.EN, holders(r.Kinds), span(r.Since, r.Until), asked, r.Cite, r.Reason)
	}
	return b.String()
}

func holders(kinds []person.Kind) string {
	if len(kinds) == 0 {
		return "все / all"
	}
	var names []string
	for _, k := range kinds {
		names = append(names, "`"+string(k)+"`")
	}
	return strings.Join(names, ", ")
}

func span(since, until time.Time) string {
	var parts []string
	if !since.IsZero() {
		parts = append(parts, "≥ "+since.Format(time.DateOnly))
	}
	if !until.IsZero() {
		parts = append(parts, "< "+until.Format(time.DateOnly))
	}
	return strings.Join(parts, ", ")
}
