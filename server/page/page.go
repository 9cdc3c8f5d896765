// Package page writes what people see: pages in Russian or English, that work without
// scripts, with the keyboard alone, on a telephone and with a screen reader, each with the
// support code of the request and the link «Техническая поддержка».
//
// Each area of the gateway keeps the templates of its pages beside its code ([Set]) and
// shows them by [Book.Show]; what all pages have in common is in templates/house.html, and
// what they are built of in templates/partials.html. The pages of this package are in
// gateway, the words about a failure in advice.go. Pages show personal data only to the
// person whose certificate, or session, the request proved; no page is ever cached.
package page

import (
	"embed"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/problem"
	"propusk/server/request"
)

// templates are what all pages have in common, gateway are the pages of this package.
var (
	//go:embed templates/*.html
	templates embed.FS

	//go:embed gateway/*.html
	gateway embed.FS
)

//go:embed static
var static embed.FS

// Text is one sentence in both languages.
type Text struct{ RU, EN string }

// Link is somewhere to go.
type Link struct {
	Label Text
	URL   string
}

// Fact is one line about a certificate or a connection.
type Fact struct {
	Label Text
	// Value is the same in both languages; Words, if there are any, stand in its place.
	Value string
	Words Text
}

// Site is what all pages share.
type Site struct {
	// PublicURL, SignInURL and CheckURL are the hosts, without a trailing slash;
	// CheckURL may be empty.
	PublicURL, SignInURL, CheckURL string
	// AssetsURL is the host that serves the style sheet and the icon; empty is
	// the host of the page. The sign-in host must not serve them: each connection
	// to it may ask for the PIN again.
	AssetsURL string
	// Upload tells that the public host has the page /verify.
	Upload bool
	// Accounts tells that it has the page /account.
	Accounts bool
	// SupportURL is where «Техническая поддержка» leads. Empty leads to the
	// check page, or else to the front page.
	SupportURL string
	// Services are what people can sign in to.
	Services []Link
	// Cabinets tell the holder of a certificate of the wrong kind where to go;
	// the key is a kind of holder as package person names it.
	Cabinets map[person.Kind]Link
}

// Book writes pages. It is safe for concurrent use. Make it with New.
//
// An error of its methods means that a page could not be rendered and nothing was
// sent; [Written] answers then.
type Book struct {
	site  Site
	pages map[string]languages
}

// New returns a Book of pages for a site, those of this package and those of sets. An
// error is a mistake in templates.
func New(site Site, sets ...Set) (*Book, error) {
	b := &Book{site: site, pages: make(map[string]languages)}
	for _, set := range append([]Set{{Name: "gateway", Files: gateway}}, sets...) {
		if err := b.addSet(set); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// view is a page of this package: what stands above the body, and what the body tells.
type view struct {
	Title Text
	Lead  Text
	Tone  string // as in View
	Code  reason.Code
	Cause Text
	Steps []Text
	Facts []Fact
	Links []Link
	Ways  *Choice
	Wait  *Waiting
	Sign  *Signing
	Post  *Post
}

// Failure is a page about something that did not work.
type Failure struct {
	// Code is the reason; its words come from the catalogue of advice.
	Code reason.Code
	// Facts are what is known about the certificate, if one was shown.
	Facts []Fact
	// Links are where to go next.
	Links []Link
	// Signing says that the person came to sign for a service, and not to sign in.
	Signing bool
}

// Failure writes the page about a failure, with the HTTP status of its code.
func (b *Book) Failure(w http.ResponseWriter, r *http.Request, f Failure) error {
	a := adviceFor(f.Code)
	if f.Signing {
		a = adviceForSigning(f.Code)
	}
	switch f.Code {
	case reason.VisitOtherAccount:
		f.Links = append(f.Links, Link{Text{RU: "Выйти", EN: "Sign out"}, b.site.PublicURL + "/logout"})
	case reason.PageNotFound:
		f.Links = append(f.Links, Link{Text{RU: "На главную страницу", EN: "To the front page"}, b.site.PublicURL + "/"})
	}
	if slices.Contains([]reason.Code{reason.UnknownCA, reason.CANotAccredited, reason.CANotListed}, f.Code) {
		f.Links = append(f.Links, b.accreditedLink())
	}
	return b.write(w, r, "failure", problem.Status(f.Code), view{
		Title: a.Title, Tone: "bad", Code: f.Code, Cause: a.Cause, Steps: a.Steps, Facts: f.Facts, Links: f.Links,
	})
}

// SignedIn writes the page for a good certificate when no service is waiting for
// it.
func (b *Book) SignedIn(w http.ResponseWriter, r *http.Request, facts []Fact) error {
	return b.write(w, r, "signedin", http.StatusOK, view{
		Title: Text{RU: "Сертификат подходит", EN: "The certificate is good"},
		Tone:  "good",
		Cause: Text{
			RU: "С этим сертификатом можно войти в личный кабинет. Начните вход в самом кабинете.",
			EN: "You can sign in with this certificate. Start from the service itself.",
		},
		Facts: facts,
		Links: b.site.Services,
	})
}

// Home writes the front page of the public host.
func (b *Book) Home(w http.ResponseWriter, r *http.Request) error {
	conn := request.ConnectionFrom(r.Context())
	cause := Text{
		RU: "Браузер открыл эту страницу без шифрования по ГОСТ. Для входа по ГОСТ TLS нужен другой браузер. Что подойдёт вам, покажет проверка условий доступа: ссылка внизу страницы.",
		EN: "This page came over ordinary TLS. To sign in over GOST TLS you need another browser. The environment check shows what suits you: the link is at the bottom of the page.",
	}
	if conn.Kind == "gost" {
		cause = Text{
			RU: "Браузер открыл эту страницу с шифрованием по ГОСТ: он подходит для входа с сертификатом.",
			EN: "This page came over GOST TLS: the browser can sign in with a certificate.",
		}
	}
	title := Text{RU: "Вход по сертификату электронной подписи", EN: "Sign-in with a certificate of electronic signature"}
	if b.site.Accounts {
		title = Text{RU: "Вход в личный кабинет", EN: "Sign-in to the services"}
	}
	return b.write(w, r, "home", http.StatusOK, view{
		Title: title,
		Cause: cause,
		Facts: connectionFacts(conn),
		Links: b.site.Services,
	})
}

// connectionFacts describes a connection for a page.
func connectionFacts(c request.Connection) []Fact {
	kind := map[string]Text{
		"gost": {"ГОСТ TLS", "GOST TLS"}, "ordinary": {"обычный TLS (без ГОСТ)", "ordinary TLS (without GOST)"}, "none": {"без шифрования", "none"},
	}[c.Kind]
	facts := []Fact{{Label: Text{RU: "Вид защиты", EN: "Kind of protection"}, Words: kind}}
	if c.Version != "" {
		facts = append(facts, Fact{Label: Text{RU: "Версия", EN: "Version"}, Value: c.Version},
			Fact{Label: Text{RU: "Набор шифров", EN: "Cipher suite"}, Value: c.Suite})
	}
	return facts
}

// Cabinet returns where a holder of the given kind belongs, and false if the
// configuration does not say.
func (b *Book) Cabinet(kind person.Kind) (Link, bool) {
	l, ok := b.site.Cabinets[kind]
	return l, ok
}

// write writes a page of this package.
func (b *Book) write(w http.ResponseWriter, r *http.Request, name string, status int, v view) error {
	return b.Show(w, r, "gateway/"+name, View{Status: status, Title: v.Title, Lead: v.Lead, Tone: v.Tone, Code: v.Code, Data: v})
}

// Written answers with status 500 when err, which a method of Book returned, is
// not nil, and leaves it for the log: a page that does not render is a mistake of
// ours.
func Written(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		request.From(r.Context()).Err = err
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}

func (b *Book) supportURL() string {
	for _, u := range []string{b.site.SupportURL, b.site.CheckURL, b.site.PublicURL} {
		if u != "" {
			return u
		}
	}
	return "/"
}

// Static serves the style sheet, the icon and the scripts of pages under /static/.
func Static() http.Handler {
	files, err := fs.Sub(static, ".")
	if err != nil {
		panic("page: the embedded directory is gone: " + err.Error())
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		serve.ServeHTTP(w, r)
	})
}

// StaticFiles are the paths that Static serves; directories are not listed.
func StaticFiles() []string {
	return []string{"/static/propusk.css", "/static/propusk.svg", "/static/verify.js", "/static/wait.js", "/static/post.js"}
}

// Time formats a moment for a page, in Moscow time: the law counts days by it.
func Time(t time.Time) string { return Moment(t).RU }

// Moment is Time in both languages.
func Moment(t time.Time) Text {
	at := t.In(time.FixedZone("МСК", 3*60*60)).Format("02.01.2006 15:04")
	return Text{RU: at + " МСК", EN: at + " MSK"}
}

// Date formats a day for a page, in Moscow time.
func Date(t time.Time) string { return Time(t)[:len("02.01.2006")] }
