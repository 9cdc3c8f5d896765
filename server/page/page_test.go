package page

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
)

func testSite() Site {
	return Site{
		PublicURL: "https://public.example", SignInURL: "https://signin.example:444", CheckURL: "http://check.example",
		SupportURL: "mailto:support@example.ru",
		Services:   []Link{{Text{RU: "Кабинет"}, "https://cabinet.example/"}},
		Cabinets:   map[person.Kind]Link{person.Person: {Text{RU: "Кабинет ФЛ"}, "https://fl.example/"}},
	}
}

func newBook(t *testing.T, site Site) *Book {
	t.Helper()
	b, err := New(site)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// render returns the page that write makes in Russian, after checking what every page must
// have, in both languages.
func render(t *testing.T, write func(http.ResponseWriter, *http.Request) error) *httptest.ResponseRecorder {
	t.Helper()
	english := renderIn(t, English, write)
	for _, must := range []string{`<html lang="en">`, "Technical support", "Support code", `hreflang="ru"`} {
		if !strings.Contains(english.Body.String(), must) {
			t.Errorf("the English page lacks %q", must)
		}
	}
	russian := renderIn(t, Russian, write)
	for _, must := range []string{`<html lang="ru">`, "Техническая поддержка", "Код обращения", `hreflang="en"`} {
		if !strings.Contains(russian.Body.String(), must) {
			t.Errorf("the Russian page lacks %q", must)
		}
	}
	return russian
}

func renderIn(t *testing.T, lang string, write func(http.ResponseWriter, *http.Request) error) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := write(w, httptest.NewRequest(http.MethodGet, "/?lang="+lang, nil)); err != nil {
		t.Fatal(err)
	}
	body := w.Body.String()
	wellFormed(t, body)
	for _, must := range []string{`<main id="main"`, `href="mailto:support@example.ru"`} {
		if !strings.Contains(body, must) {
			t.Errorf("the page lacks %q", must)
		}
	}
	if n := strings.Count(body, "<h1>"); n != 1 {
		t.Errorf("%d headings of the first order", n)
	}
	for _, mustNot := range []string{"<script", "<style", " style=", " onclick", "<no value>"} {
		if strings.Contains(body, mustNot) {
			t.Errorf("the page has %q", mustNot)
		}
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q", got)
	}
	if got := w.Header().Get("Content-Language"); got != lang {
		t.Errorf("Content-Language = %q", got)
	}
	return w
}

// wellFormed reads the page as HTML with closed elements, so that a forgotten tag
// does not pass.
func wellFormed(t *testing.T, html string) {
	t.Helper()
	void := regexp.MustCompile(`<((?:meta|link|img|br|input)[^>]*)>`)
	d := xml.NewDecoder(strings.NewReader(void.ReplaceAllString(html, "<$1/>")))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the page is not well formed: %v\n%s", err, html)
		}
	}
}

// TestEveryReasonHasAPage renders the page of every reason of the catalogue.
func TestEveryReasonHasAPage(t *testing.T) {
	b := newBook(t, testSite())
	for _, e := range reason.All() {
		w := render(t, func(w http.ResponseWriter, r *http.Request) error { return b.Failure(w, r, Failure{Code: e.Code}) })
		if w.Code < 400 {
			t.Errorf("%s: status %d", e.Code, w.Code)
		}
		if !strings.Contains(w.Body.String(), `data-code="`+string(e.Code)+`"`) {
			t.Errorf("%s: the page does not name its reason", e.Code)
		}
		a := adviceFor(e.Code)
		if a.Title.RU == "" || a.Title.EN == "" || a.Cause.RU == "" || a.Cause.EN == "" || len(a.Steps) == 0 {
			t.Errorf("%s: the advice is not complete: %+v", e.Code, a)
		}
		for _, s := range a.Steps {
			if s.RU == "" || s.EN == "" {
				t.Errorf("%s: a step lacks a language: %+v", e.Code, s)
			}
		}
	}
}

// TestSignInReasonsHaveTheirOwnPages holds the promise that each of the failures
// that people meet at sign-in is told in its own words.
func TestSignInReasonsHaveTheirOwnPages(t *testing.T) {
	causes := make(map[string]reason.Code)
	for _, code := range []reason.Code{
		reason.NoCertificate, reason.CertExpired, reason.CertNotYetValid, reason.UnknownCA, reason.CANotAccredited,
		reason.CertRevoked, reason.NotQualified, reason.WrongHolderKind, reason.RevocationUnknown, reason.GOSTTLSRequired,
	} {
		a := adviceFor(code)
		if other, taken := causes[a.Cause.RU]; taken {
			t.Errorf("%s and %s share a cause", code, other)
		}
		if a.Title.RU == "Не получилось" {
			t.Errorf("%s has no page of its own", code)
		}
		causes[a.Cause.RU] = code
	}
}

// TestOneLanguage: a page speaks one language. What is Russian in the English one are
// names of things that have no others, and the switch.
func TestOneLanguage(t *testing.T) {
	b := newBook(t, testSite())
	names := regexp.MustCompile(`Русский|КриптоПро( ЭЦП Browser plug-in| CSP)?|Рутокен( Плагин)?|ИНН|ОГРНИП|«[^»]*»|МСК|Кабинет|УЭК|СНИЛС`)
	cyrillic := regexp.MustCompile(`[А-яЁё][А-яЁё ]*`)
	choice := Choice{Service: "«Кабинет»", Methods: []Method{MethodGOSTTLS, MethodAgent, MethodPlugin}, GOSTTLS: "/x", Agent: "/a", Plugin: "/p"}
	for name, write := range map[string]func(http.ResponseWriter, *http.Request) error{
		"home": b.Home, "verify": b.Upload, "language": b.ChangeLanguage,
		"choice": func(w http.ResponseWriter, r *http.Request) error { return b.Choice(w, r, choice) },
		"signing": func(w http.ResponseWriter, r *http.Request) error {
			return b.Signing(w, r, Signing{Again: Link{Text{"Ещё раз", "Again"}, "/"}})
		},
		"waiting": func(w http.ResponseWriter, r *http.Request) error {
			return b.Waiting(w, r, Waiting{Agents: []Agent{{"a", "/a"}}, Again: Link{Text{"Ещё раз", "Again"}, "/"}})
		},
		"failure": func(w http.ResponseWriter, r *http.Request) error {
			return b.Failure(w, r, Failure{Code: reason.CertExpired, Links: []Link{{Text{"Ещё раз", "Again"}, "/"}}})
		},
	} {
		w := httptest.NewRecorder()
		if err := write(w, httptest.NewRequest(http.MethodGet, "/?lang=en", nil)); err != nil {
			t.Fatal(err)
		}
		for _, found := range cyrillic.FindAllString(names.ReplaceAllString(w.Body.String(), ""), -1) {
			t.Errorf("%s has Russian in the English page: %q", name, found)
		}
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	b := newBook(t, testSite())
	w := render(t, func(w http.ResponseWriter, r *http.Request) error {
		return b.Failure(w, r, Failure{
			Code:  reason.CertExpired,
			Facts: []Fact{{Label: Text{RU: "Владелец"}, Value: `<img src=x onerror=alert(1)>"'`}},
			Links: []Link{{Text{RU: "Ещё раз"}, `javascript:alert(1)`}},
		})
	})
	for _, bad := range []string{"<img src=x", "javascript:alert"} {
		if strings.Contains(strings.ReplaceAll(w.Body.String(), "#ZgotmplZ", ""), bad) {
			t.Errorf("the page has %q:\n%s", bad, w.Body)
		}
	}
}

func TestHomeAndSignedIn(t *testing.T) {
	b := newBook(t, testSite())
	home := render(t, b.Home)
	if !strings.Contains(home.Body.String(), "без шифрования") || !strings.Contains(home.Body.String(), `href="https://cabinet.example/"`) {
		t.Errorf("the front page lacks the connection or the service:\n%s", home.Body)
	}
	render(t, func(w http.ResponseWriter, r *http.Request) error {
		return b.SignedIn(w, r, []Fact{{Label: Text{RU: "ИНН"}, Value: "500100732259"}})
	})
}

func TestSupportLinkAlwaysLeadsSomewhere(t *testing.T) {
	site := testSite()
	for _, want := range []string{"mailto:support@example.ru", "http://check.example", "https://public.example"} {
		if got := newBook(t, site).supportURL(); got != want {
			t.Errorf("supportURL = %q, want %q", got, want)
		}
		if site.SupportURL != "" {
			site.SupportURL = ""
		} else {
			site.CheckURL = ""
		}
	}
}

func TestStatic(t *testing.T) {
	h := Static()
	for _, path := range StaticFiles() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: status %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
}

func TestTimeIsOfMoscow(t *testing.T) {
	at := time.Date(2026, 1, 31, 22, 30, 0, 0, time.UTC)
	if got := Time(at); got != "01.02.2026 01:30 МСК" {
		t.Errorf("Time = %q", got)
	}
}
