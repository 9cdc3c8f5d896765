package page

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"propusk/pki/reason"
	"propusk/server/request"
)

// Set is the templates of one area of the gateway, which the area keeps beside its code
// and embeds:
//
//	//go:embed templates/*.html
//	var templates embed.FS
//
//	func Templates() page.Set { return page.Set{Name: "profile", Files: templates} }
//
// Each file *.html anywhere in Files is a page: templates/email.html of the set profile is
// shown as "profile/email". It defines "body" — what stands below the heading — and may
// define "head". Files whose names begin with an underscore are no pages: what they define
// is there for every page of the set. What templates can use is written in partials.html.
type Set struct {
	Name  string
	Files fs.FS
}

// View is a page of an area for one request.
type View struct {
	// Status is the HTTP status; 0 is 200, or 422 when there are Errors.
	Status int
	// Title is the heading, and with the name of the site the title of the window.
	Title Text
	// Lead is the paragraph below the heading; empty is none.
	Lead Text
	// Tone is "good", "bad", "warn" or "".
	Tone string
	// Code is the reason that the page is about, for the log of support; empty is none.
	Code reason.Code
	// Token is what form.Token returned; a page without forms leaves it empty.
	Token string
	// Who is in the header; nil is nobody.
	Who *Person
	// Errors are shown in a list below the heading, with links to the fields, and at them.
	Errors Errors
	// Values are what the fields of the forms hold, by name. Passwords and codes are never
	// written back, whatever is in here.
	Values map[string]string
	// Scripts are paths of this host, such as "/static/wait.js". They may send requests to
	// this host and nowhere else.
	Scripts []string
	// Policy replaces what a page with Scripts may do: directives of Content-Security-Policy
	// beside those about styles and images. Empty is what is said at Scripts.
	Policy string
	// Here is the local path by which a link finds this page, for the switch of languages:
	// only for answers to POST.
	Here string
	// Data is for the template: .Data.
	Data any
}

// Person is who the header of a page names (BY-10).
type Person struct {
	// Name is of the person, Taxpayer of whom he acts for: "ИП Иванов И. И.". Taxpayer may
	// be empty.
	Name, Taxpayer string
	// Account is the path of his page, SignOut where the button posts to, and Switch the
	// page on which he chooses another taxpayer; empty is none.
	Account, SignOut, Switch string
}

// Error is what is wrong with a field of a form. Field is the name of the field; empty is
// the form as a whole.
type Error struct {
	Field string
	Text  Text
}

// Errors are what is wrong with a form, in the order of its fields. The zero value is empty.
type Errors []Error

// Add appends what is wrong with a field.
func (e *Errors) Add(field string, t Text) { *e = append(*e, Error{field, t}) }

// Of returns what is wrong with a field, the first of it.
func (e Errors) Of(field string) (Text, bool) {
	for _, one := range e {
		if one.Field == field {
			return one.Text, true
		}
	}
	return Text{}, false
}

// shown is what a template of a page sees: the View, and what all pages have.
type shown struct {
	View
	Site        Site
	Lang        string
	OtherLang   string
	OtherURL    string
	SupportLink template.URL
	SupportCode string
}

// languages are a page in each language.
type languages map[string]*template.Template

// addSet parses the pages of a set.
func (b *Book) addSet(set Set) error {
	var pages, shared []string
	err := fs.WalkDir(set.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || entry.IsDir() || path.Ext(name) != ".html":
			return err
		case strings.HasPrefix(path.Base(name), "_"):
			shared = append(shared, name)
		default:
			pages = append(pages, name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("page: set %s: %w", set.Name, err)
	}
	for _, file := range pages {
		name := set.Name + "/" + strings.TrimSuffix(path.Base(file), ".html")
		if b.pages[name] != nil {
			return fmt.Errorf("page: two pages are named %s", name)
		}
		if b.pages[name], err = parsePage(name, set.Files, append([]string{file}, shared...)); err != nil {
			return err
		}
	}
	return nil
}

// parsePage parses a page in each language.
func parsePage(name string, from fs.FS, files []string) (languages, error) {
	in := make(languages)
	for _, lang := range []string{Russian, English} {
		t, err := template.New(name).Option("missingkey=error").Funcs(functions(lang)).
			ParseFS(templates, "templates/house.html", "templates/partials.html")
		if err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
		if t, err = t.ParseFS(from, files...); err != nil {
			return nil, fmt.Errorf("page: %s: %w", name, err)
		}
		if t.Lookup("body") == nil {
			return nil, fmt.Errorf("page: %s defines no body", name)
		}
		in[lang] = t
	}
	return in, nil
}

// errNoPage means that no set has a page of that name.
var errNoPage = errors.New("page: there is no such page")

// Show writes a page of a set, such as "profile/email", in the language of the request.
// Forms on it are sent to this host, and browsers hold to that through redirects too: the
// answer to a POST that goes on to another host is [Book.Continue], not a redirect.
func (b *Book) Show(w http.ResponseWriter, r *http.Request, name string, v View) error {
	in := b.pages[name]
	if in == nil {
		return fmt.Errorf("%w: %s", errNoPage, name)
	}
	lang := Language(r)
	s := shown{
		View: v, Site: b.site, Lang: lang, OtherLang: other(lang), OtherURL: languageLink(r, v.Here),
		SupportLink: template.URL(b.supportURL()), //nolint:gosec // from the configuration, which allows http, https and mailto
		SupportCode: request.From(r.Context()).ID,
	}
	var buf bytes.Buffer
	if err := in[lang].ExecuteTemplate(&buf, "house", s); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if len(v.Scripts) > 0 {
		policy(w.Header(), cmp.Or(v.Policy, "script-src 'self'; connect-src 'self'; form-action 'self'"))
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(v.status())
	w.Write(buf.Bytes()) //nolint:errcheck // the client went away; there is nobody to tell
	return nil
}

// status is the HTTP status of a page.
func (v View) status() int {
	switch {
	case v.Status != 0:
		return v.Status
	case len(v.Errors) > 0:
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
