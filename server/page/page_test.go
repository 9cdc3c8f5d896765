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

// render returns the page that write makes, after checking what every page must
// have.
func render(t *testing.T, write func(http.ResponseWriter, *http.Request) error) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := write(w, httptest.NewRequest(http.MethodGet, "/", nil)); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, w.Body.String())
	for _, must := range []string{
		`<html lang="ru">`, `<main id="main"`, `<h1>`, "Техническая поддержка", `href="mailto:support@example.ru"`, "Код обращения", `lang="en"`,
	} {
		if !strings.Contains(w.Body.String(), must) {
			t.Errorf("the page lacks %q", must)
		}
	}
	for _, mustNot := range []string{"<script", "<style", " style=", " onclick", "<no value>"} {
		if strings.Contains(w.Body.String(), mustNot) {
			t.Errorf("the page has %q", mustNot)
		}
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q", got)
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

// TestLanguagesStayApart: without a style sheet, and read aloud, the words of the two
// languages must not run together.
func TestLanguagesStayApart(t *testing.T) {
	b := newBook(t, testSite())
	for _, write := range []func(http.ResponseWriter, *http.Request) error{b.Home, b.Check, func(w http.ResponseWriter, r *http.Request) error {
		return b.Failure(w, r, Failure{Code: reason.CertExpired, Links: []Link{{Text{"Ещё раз", "Again"}, "/"}}})
	}} {
		body := render(t, write).Body.String()
		for rest := body; ; {
			before, after, found := strings.Cut(rest, `<span class="en"`)
			if !found {
				break
			}
			if last := before[len(before)-1]; last != ' ' && last != '\n' {
				t.Errorf("%q runs into English", before[max(0, len(before)-40):])
			}
			rest = after
		}
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	b := newBook(t, testSite())
	w := render(t, func(w http.ResponseWriter, r *http.Request) error {
		return b.Failure(w, r, Failure{
			Code:  reason.CertExpired,
			Facts: []Fact{{Text{RU: "Владелец"}, `<img src=x onerror=alert(1)>"'`}},
			Links: []Link{{Text{RU: "Ещё раз"}, `javascript:alert(1)`}},
		})
	})
	for _, bad := range []string{"<img", "javascript:alert"} {
		if strings.Contains(strings.ReplaceAll(w.Body.String(), "#ZgotmplZ", ""), bad) {
			t.Errorf("the page has %q:\n%s", bad, w.Body)
		}
	}
}

func TestCheckPage(t *testing.T) {
	b := newBook(t, testSite())
	w := render(t, b.Check)
	if n := strings.Count(w.Body.String(), "<h3>"); n != 7 {
		t.Errorf("the page has %d conditions, want 7", n)
	}
	for _, link := range []string{`href="https://public.example/"`, `href="https://signin.example:444/"`} {
		if !strings.Contains(w.Body.String(), link) {
			t.Errorf("the page lacks %s", link)
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
		return b.SignedIn(w, r, []Fact{{Text{RU: "ИНН"}, "500100732259"}})
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
