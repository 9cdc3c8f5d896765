package page

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The languages of pages.
const (
	Russian = "ru" // the default
	English = "en"
)

const (
	languageCookie = "propusk-language"
	// languageParameter of any address of a page chooses the language of it and of those
	// that follow.
	languageParameter = "lang"
	languageLife      = 365 * 24 * time.Hour
)

// Language returns the language of the pages of a request, [Russian] or [English]: that of
// the parameter lang of its address, else that of the cookie, else Russian. What a browser
// says of its own accord is not asked: most say English to people who read none.
func Language(r *http.Request) string {
	if chosen, ok := chosenLanguage(r); ok {
		return chosen
	}
	if c, err := r.Cookie(languageCookie); err == nil && c.Value == English {
		return English
	}
	return Russian
}

// chosenLanguage is the language that the address of a request asks for.
func chosenLanguage(r *http.Request) (string, bool) {
	switch lang := r.URL.Query().Get(languageParameter); lang {
	case Russian, English:
		return lang, true
	}
	return "", false
}

// KeepLanguage lets the pages that follow have the language that the address of a request
// chose; a host with pages does it before anything else, so that it holds through redirects.
// The cookie says nothing about the person, and goes over plain HTTP too: the page that
// checks the environment is there.
func KeepLanguage(w http.ResponseWriter, r *http.Request) {
	lang, ok := chosenLanguage(r)
	if !ok {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: languageCookie, Value: lang, Path: "/", MaxAge: int(languageLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// In returns the sentence in a language, and the Russian one where there is no other.
func (t Text) In(lang string) string {
	if lang == English && t.EN != "" {
		return t.EN
	}
	return t.RU
}

// other is the language that a page offers beside its own.
func other(lang string) string {
	if lang == English {
		return Russian
	}
	return English
}

// languageLink is the address of the page of a request in the other language. What was
// posted cannot be asked for again by a link, so pages that answer to it say where they
// are: here is that path, or empty.
func languageLink(r *http.Request, here string) string {
	to := &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	if here != "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		to = &url.URL{}
		if parsed, err := url.Parse(here); err == nil {
			to = &url.URL{Path: parsed.Path, RawPath: parsed.RawPath, RawQuery: parsed.RawQuery}
		}
	}
	if !local(to.Path) {
		to = &url.URL{Path: "/language"}
	}
	q := to.Query()
	q.Set(languageParameter, other(Language(r)))
	to.RawQuery = q.Encode()
	return to.String()
}

// local reports whether a path is one of this host in the eyes of every browser: two
// slashes at its beginning, of whatever kind, are followed by the name of a host.
func local(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.ContainsAny(path, "\\\t\r\n")
}

// ChangeLanguage writes the page /language: what has no address of its own, such as the
// answer to a form, leads here to change the language of what follows.
func (b *Book) ChangeLanguage(w http.ResponseWriter, r *http.Request) error {
	return b.write(w, r, "language", http.StatusOK, view{
		Title: Text{RU: "Страницы теперь на русском языке", EN: "Pages are now in English"},
		Lead: Text{
			RU: "Вернитесь назад и обновите страницу или начните с главной.",
			EN: "Go back and reload the page, or begin with the front page.",
		},
		Links: []Link{{Text{RU: "На главную страницу", EN: "To the front page"}, b.site.PublicURL + "/"}},
	})
}
