package page

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// everything is a page that uses all that templates may use.
const everything = `{{define "body"}}<section aria-labelledby="h"><h2 id="h">{{t .Data.Title}}</h2>
{{template "steps" (steps 2 (t "Анкета" "Form") (t "Подпись" "Signature") (t "Пароль" "Password"))}}
{{template "notice" (notice "good" (t "Готово" "Done"))}}{{template "notice" (notice "bad" "!")}}
<form method="post" action="/x">{{template "token" .}}
{{template "field" (field . "email" (t "Почта" "Mail") "type" "email" "autocomplete" "email" "max" 254 "required" true "hint" (t "Подсказка" "Hint") "inputmode" "email" "pattern" ".+")}}
{{template "field" (field . "password" (t "Пароль" "Password") "type" "password" "autocomplete" "current-password")}}
{{template "field" (field . "code" (t "Код" "Code") "autocomplete" "one-time-code")}}
{{template "field" (field . "file" (t "Файл" "File") "type" "file" "accept" ".cer")}}
{{template "area" (field . "why" (t "Почему" "Why") "rows" 6 "max" 100)}}
{{template "select" (field . "topic" (t "Тема" "Topic") "options" .Data.Options)}}
{{template "choice" (field . "kind" (t "Вид" "Kind") "options" .Data.Options "hint" "h")}}
{{template "check" (field . "agree" (t "Согласен" "I agree") "required" true)}}
{{template "captcha" (captcha . .Data.Captcha)}}
<p>{{lang}} {{if ru}}по-русски{{end}} <time datetime="{{datetime .Data.At}}">{{time .Data.At}} {{date .Data.At}}</time></p></form>
{{template "facts" .Data.Facts}}{{template "links" .Data.Links}}{{template "empty" (t "Пусто" "Nothing")}}{{template "own" .}}</section>{{end}}`

type everythingData struct {
	Title   Text
	Options []Option
	Captcha Captcha
	At      time.Time
	Facts   []Fact
	Links   []Link
}

func everythingSet() Set {
	return Set{Name: "area", Files: fstest.MapFS{
		"templates/all.html":  {Data: []byte(everything)},
		"templates/_own.html": {Data: []byte(`{{define "own"}}<p>own</p>{{end}}`)},
	}}
}

const hostile = `"><script>alert(1)</script><b x='`

func everythingView() View {
	v := View{
		Title: Text{"Всё", "Everything"}, Lead: Text{"Начало", "Beginning"}, Token: "the-token", Scripts: []string{"/static/x.js"},
		Who: &Person{Name: hostile, Taxpayer: "ИП " + hostile, Account: "/account", SignOut: "/account/signout", Switch: "/account/taxpayer"},
		Values: map[string]string{
			"email": hostile, "password": "secret-1", "code": "secret-2", "captcha": "secret-3", "why": hostile, "topic": "b", "kind": "b", "agree": "yes",
		},
		Data: everythingData{
			Title: Text{"Заголовок", "Heading"}, At: time.Date(2026, 1, 31, 22, 30, 0, 0, time.UTC),
			Options: []Option{{Value: "a", Label: Text{"А", "A"}}, {Value: "b", Label: Text{"Б", "B"}, Hint: Text{"бэ", "bee"}}},
			Captcha: Captcha{ID: "1", Picture: "/captcha/1.png", Sound: "/captcha/1.wav", Question: Text{"Дважды два?", "Twice two?"}, Again: "/x?again=1"},
			Facts:   []Fact{{Label: Text{"Имя", "Name"}, Value: hostile}, {Label: Text{"Вид", "Kind"}, Words: Text{"ИП", "entrepreneur"}}},
			Links:   []Link{{Text{"Дальше", "On"}, "javascript:alert(1)"}},
		},
	}
	for _, name := range []string{"email", "password", "why", "topic", "kind", "agree", "captcha"} {
		v.Errors.Add(name, Text{"Плохо: " + name, "Bad: " + name})
	}
	v.Errors.Add("", Text{"Всё плохо", "All bad"})
	return v
}

func show(t *testing.T, b *Book, r *http.Request, v View) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := b.Show(w, r, "area/all", v); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestShowForm: a form of all that there is, with all wrong: labels and messages belong to
// fields, the list of errors leads to them, values are kept, and secrets are not.
func TestShowForm(t *testing.T) {
	b, err := New(testSite(), everythingSet())
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{Russian, English} {
		w := show(t, b, httptest.NewRequest(http.MethodPost, "/x?lang="+lang, nil), everythingView())
		body := w.Body.String()
		wellFormed(t, body)
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("status %d", w.Code)
		}
		bound(t, body)
		for _, never := range []string{"secret-", "<script>alert", "<b x=", "javascript:alert", "<no value>", "<style", " style="} {
			if strings.Contains(body, never) {
				t.Errorf("%s: the page has %s", lang, never)
			}
		}
		for _, must := range []string{
			`<html lang="` + lang + `">`, `name="form-token" value="the-token"`, `value="b" selected="selected"`, `name="kind" value="b" checked="checked"`,
			`action="/account/signout"`, `href="/account/taxpayer"`, `aria-current="step"`, `maxlength="254"`, `autocomplete="current-password"`, `<p>own</p>`,
			`datetime="2026-01-31T22:30:00Z"`, `01.02.2026 01:30 `, `<script src="/static/x.js" defer="defer">`, `<title>` + (Text{"Ошибка: ", "Error: "}).In(lang),
		} {
			if !strings.Contains(body, must) {
				t.Errorf("%s: the page lacks %s", lang, must)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self'") || strings.Contains(csp, "unsafe") {
			t.Errorf("the policy is %q", csp)
		}
	}
}

// bound fails unless every field has a label or legend, whatever is referred to is there,
// and there is nothing twice.
func bound(t *testing.T, body string) {
	t.Helper()
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		ids[m[1]]++
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("%d elements have the id %s", n, id)
		}
	}
	for _, m := range regexp.MustCompile(`(?:aria-describedby|aria-labelledby|for)="([^"]+)"|href="#([^"]+)"`).FindAllStringSubmatch(body, -1) {
		for _, id := range strings.Fields(m[1] + " " + m[2]) {
			if ids[id] != 1 && id != "ZgotmplZ" { // what html/template makes of a script in an address
				t.Errorf("nothing has the id %s of %s", id, m[0])
			}
		}
	}
	for _, m := range regexp.MustCompile(`<(?:input|select|textarea)[^>]* id="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if !strings.Contains(body, `<label for="`+m[1]+`"`) {
			t.Errorf("the field %s has no label", m[1])
		}
	}
	if n := strings.Count(body, "<h1>"); n != 1 {
		t.Errorf("%d headings of the first order", n)
	}
}

// TestShowWithoutErrors: nobody is told of errors that there are not.
func TestShowWithoutErrors(t *testing.T) {
	b, err := New(testSite(), everythingSet())
	if err != nil {
		t.Fatal(err)
	}
	v := everythingView()
	v.Errors, v.Who, v.Scripts = nil, nil, nil
	w := show(t, b, httptest.NewRequest(http.MethodGet, "/x", nil), v)
	if w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
	for _, never := range []string{"aria-invalid", `class="errors"`, `class="error"`, "Ошибка", `class="who"`, "<script"} {
		if strings.Contains(w.Body.String(), never) {
			t.Errorf("the page has %s", never)
		}
	}
	if w.Header().Get("Content-Security-Policy") != "" {
		t.Error("a page without scripts changes the policy")
	}
	v.Status = http.StatusConflict
	if w := show(t, b, httptest.NewRequest(http.MethodGet, "/x", nil), v); w.Code != http.StatusConflict {
		t.Errorf("status %d", w.Code)
	}
}

// TestMistakesInTemplates are found when the gateway starts, or when the page is shown.
func TestMistakesInTemplates(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no body":         {"x.html": {Data: []byte(`<p>x</p>`)}},
		"not a template":  {"x.html": {Data: []byte(`{{define "body"}}{{`)}},
		"no such partial": {"x.html": {Data: []byte(`{{define "body"}}{{nothing}}{{end}}`)}},
		"twice":           {"a/x.html": {Data: []byte(`{{define "body"}}{{end}}`)}, "b/x.html": {Data: []byte(`{{define "body"}}{{end}}`)}},
	} {
		if _, err := New(testSite(), Set{"s", files}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, text := range []string{
		`{{template "field" (field . "x" "X" "colour" "red")}}`, `{{template "field" (field . "x" "X" "type")}}`, `{{template "field" (field . "x" "X" "rows" "4")}}`,
		`{{template "field" (field . "x" "X" "max" true)}}`, `{{template "field" (field . "x" "X" "required" 1)}}`, `{{template "field" (field . "x" "X" "rows" nil)}}`,
		`{{t "один"}}`, `{{t 1 2}}`, `{{t}}`, `{{template "field" (field . "x" "X" 1 2)}}`,
	} {
		b, err := New(testSite(), Set{"s", fstest.MapFS{"x.html": {Data: []byte(`{{define "body"}}` + text + `{{end}}`)}}})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := b.Show(w, httptest.NewRequest(http.MethodGet, "/", nil), "s/x", View{}); err == nil || w.Body.Len() > 0 {
			t.Errorf("%s: error %v, %d bytes sent", text, err, w.Body.Len())
		}
	}
	b := newBook(t, testSite())
	if err := b.Show(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), "no/such", View{}); !errors.Is(err, errNoPage) {
		t.Errorf("a page that is not there: %v", err)
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ target, cookie, accept, want string }{
		{"/", "", "", Russian},
		{"/", "", "en-GB,en", Russian},
		{"/", English, "", English},
		{"/", "de", "", Russian},
		{"/?lang=en", "", "", English},
		{"/?lang=ru", English, "", Russian},
		{"/?lang=de", English, "", English},
		{"/?lang=en&lang=ru", "", "", English},
	} {
		r := httptest.NewRequest(http.MethodGet, c.target, nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: languageCookie, Value: c.cookie})
		}
		if got := Language(r); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
		w := httptest.NewRecorder()
		KeepLanguage(w, r)
		kept := strings.Contains(w.Header().Get("Set-Cookie"), languageCookie+"="+c.want)
		if chosen := strings.Contains(c.target, "lang=en") || strings.Contains(c.target, "lang=ru"); kept != chosen {
			t.Errorf("%+v: kept %v", c, kept)
		}
	}
	if got := (Text{RU: "только"}).In(English); got != "только" {
		t.Errorf("a sentence without English: %q", got)
	}
}

// TestLanguageLink: the switch leads to the same page of the same host, whatever the request.
func TestLanguageLink(t *testing.T) {
	for _, c := range []struct{ method, target, here, want string }{
		{"GET", "/", "", "/?lang=en"},
		{"GET", "/?lang=en", "", "/?lang=ru"},
		{"GET", "/signin?request=a%2Bb", "", "/signin?lang=en&request=a%2Bb"},
		{"HEAD", "/x", "", "/x?lang=en"},
		{"POST", "/account/email?x=1", "", "/language?lang=en"},
		{"POST", "/account/email", "/account/email", "/account/email?lang=en"},
		{"POST", "/signin/password", "/signin?request=r", "/signin?lang=en&request=r"},
		{"POST", "/x", "https://evil.example/y", "/y?lang=en"},
		{"POST", "/x", "%zz", "/language?lang=en"},
		{"GET", "http://evil.example/y", "", "/y?lang=en"},
		{"GET", "//evil.example/", "", "/language?lang=en"},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		u, err := url.ParseRequestURI(c.target)
		if strings.HasPrefix(c.target, "//") {
			u, err = &url.URL{Path: c.target}, nil // as net/http has it
		}
		if err != nil {
			t.Fatal(err)
		}
		r.URL = u
		if got := languageLink(r, c.here); got != c.want {
			t.Errorf("%s %s, here %q: %s, want %s", c.method, c.target, c.here, got, c.want)
		}
	}
}

// FuzzLanguageLink: no address of a request makes the switch lead to another host.
func FuzzLanguageLink(f *testing.F) {
	for _, seed := range []string{"/", "//evil.example", "/\\evil.example", "/?lang=en", "/%2f/evil.example", "/a//b?x=%00", "/;@evil.example", "/../..//evil.example"} {
		f.Add(seed, "")
		f.Add("/", seed)
	}
	base := &url.URL{Scheme: "https", Host: "public.example"}
	f.Fuzz(func(t *testing.T, target, here string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.URL = u
		if here == "" {
			r.Method = http.MethodGet
		}
		link := languageLink(r, here)
		to, err := base.Parse(strings.ReplaceAll(link, `\`, "/")) // as browsers read it
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme {
			t.Errorf("%q, %q leads to %q", target, here, link)
		}
	})
}
