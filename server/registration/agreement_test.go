package registration

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/form"
	"propusk/server/signrequest"
)

// TestDefaultAgreement: our own text says what the requirements want, with the person's name.
func TestDefaultAgreement(t *testing.T) {
	if _, err := NewAgreement(defaultAgreement); err != nil {
		t.Fatal(err)
	}
	full := Party{
		Number: "7K3F-9QX2-M4TD", Date: "01.02.2026", Gateway: "Пропуск", URL: "https://example.ru", Name: "Образцов Образец", Organization: "ООО «Образец»",
		INN: "500100732259", OGRNIP: "304500116000157", OGRN: "1027700132195", Email: "name@example.ru",
	}
	text, err := Agreement{}.fill(full)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		full.Number, full.Date, full.Gateway, full.URL, full.Name, full.Organization, full.INN, full.OGRNIP, full.OGRN, full.Email,
		"по логину (ИНН) и паролю", "ограниченный доступ", "не позднее одного рабочего дня", "подтверждение соответствия",
		"заключать соглашение заново не нужно", "вступает в силу", "бессрочно", "в течение трёх лет", "заблокировать учётную запись сам",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the agreement does not say %q", want)
		}
	}
	text, err = Agreement{}.fill(Party{Number: "1", Name: "А"})
	if err != nil || strings.Contains(text, "ОГРНИП:") || strings.Contains(text, "ОГРН:") || strings.Contains(text, "от имени") || strings.Contains(text, "\n\n\n") {
		t.Errorf("lines of what a person does not have: %v\n%.600s", err, text)
	}
}

func TestNewAgreement(t *testing.T) {
	for name, text := range map[string]string{
		"empty":             "",
		"no template":       "{{",
		"unknown":           "{{.Name}} {{.Number}} {{.Password}}",
		"without the name":  "Соглашение {{.Number}}",
		"without a number":  "Соглашение {{.Name}}",
		"too long":          strings.Repeat("я", signrequest.MaxText),
		"invisible":         "{{.Name}} {{.Number}}\u202e",
		"text of a sign-in": "Вход с электронной подписью\nШлюз: {{.Name}} {{.Number}}",
		"endless":           "{{.Name}} {{.Number}} {{range 100000}}длинная строка{{end}}",
	} {
		if _, err := NewAgreement(text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	a, err := NewAgreement("Договор № {{.Number}}\r\nс {{.Name}}\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := a.fill(Party{Number: "1", Name: "А"}); err != nil || text != "Договор № 1\nс А\n" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestOwnAgreement: the operator's text is what is shown and signed.
func TestOwnAgreement(t *testing.T) {
	own, err := NewAgreement("Договор № {{.Number}} с {{.Name}} <b>")
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, func(o *Options) { o.Agreement = own })
	g.knows("ip")
	b := g.browser()
	b.toAgreement("ip")
	if strings.Contains(b.page, "<b>") {
		t.Error("the text is markup")
	}
	if l := b.asks(); !strings.HasPrefix(l.Text, "Договор № ") || !strings.HasSuffix(l.Text, theCountry(t).Person("ip").Name+" <b>\n") {
		t.Errorf("to be signed: %q", l.Text)
	}
}

// TestMarkup: nothing that is entered becomes markup.
func TestMarkup(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.get("/begin?person=ip")
	const evil = `"><script>alert(1)</script>`
	b.is(b.post(PathBegin, "email", evil), PathBegin, http.StatusUnprocessableEntity)
	if strings.Contains(b.page, "<script>") {
		t.Errorf("markup\n%s", b.page)
	}
	g.register.entry.Name = person.NewName("Совсем Другой")
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathDetails, http.StatusOK)
	b.is(b.post(pathDetails, "born", evil[:10], "document", evil), pathDetails, http.StatusUnprocessableEntity)
	if strings.Contains(b.page, "<script>") {
		t.Errorf("markup\n%s", b.page)
	}
}

func FuzzDetails(f *testing.F) {
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	f.Add("28.02.1980", "4501 123456")
	f.Add("1980-02-28", "")
	f.Add("29.02.1981", "№")
	f.Fuzz(func(t *testing.T, born, document string) {
		got, errs := checkDetails(form.Values{"born": born, "document": document}, now)
		if _, wrong := errs.Of("born"); wrong == (got != "") {
			t.Fatalf("%q is %q and %v", born, got, errs)
		}
		if got != "" {
			if _, err := time.Parse(time.DateOnly, got); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzAgreement(f *testing.F) {
	f.Add("{{.Name}} {{.Number}}")
	f.Add("{{range 3}}{{.}}{{end}}")
	f.Add(defaultAgreement)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "range") || strings.Contains(text, "template") || strings.Contains(text, "block") {
			return // the operator's own loops
		}
		a, err := NewAgreement(text)
		if err != nil {
			return
		}
		if out, err := a.fill(Party{Number: "N", Name: "А"}); err == nil && signrequest.CheckText(out) != nil {
			t.Fatalf("%q", out)
		}
	})
}
