package mailbox

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

//go:embed page.html
var pageFile embed.FS

// Path is where the page is. Letters are at Path/NUMBER, their HTML at Path/NUMBER.html, and
// all of them, for programs, at Path.json?to=ADDRESS.
const Path = "/mailbox"

// policy lets a page show itself and nothing else; what came by mail is in a sandbox besides.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Handler shows the letters.
func (m *Mailbox) Handler() http.Handler {
	pages := template.Must(template.New("").Funcs(template.FuncMap{"lines": lines}).ParseFS(pageFile, "page.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, func(w http.ResponseWriter, r *http.Request) {
		to := r.URL.Query().Get("to")
		letters := m.Letters(to)
		slices.Reverse(letters)
		write(w, pages, "list", struct {
			To      string
			Letters []Letter
		}{to, letters})
	})
	mux.HandleFunc("GET "+Path+".json", func(w http.ResponseWriter, r *http.Request) {
		head(w, "application/json")
		letters := m.Letters(r.URL.Query().Get("to"))
		if letters == nil {
			letters = []Letter{}
		}
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(letters) // the reader went away
	})
	mux.HandleFunc("GET "+Path+"/{name}", func(w http.ResponseWriter, r *http.Request) {
		name, html := strings.CutSuffix(r.PathValue("name"), ".html")
		l, ok := m.letter(name)
		switch {
		case !ok:
			http.NotFound(w, r)
		case html:
			head(w, "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy+"; sandbox allow-popups allow-top-navigation-by-user-activation")
			_, _ = w.Write([]byte(l.HTML)) // the reader went away
		default:
			write(w, pages, "letter", l)
		}
	})
	return mux
}

// letter returns a letter by its number.
func (m *Mailbox) letter(number string) (Letter, bool) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return Letter{}, false
	}
	all := m.Letters("")
	i := slices.IndexFunc(all, func(l Letter) bool { return l.Number == n })
	if i < 0 {
		return Letter{}, false
	}
	return all[i], true
}

func head(w http.ResponseWriter, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer") // the links open things
	h.Set("Content-Security-Policy", policy)
}

func write(w http.ResponseWriter, pages *template.Template, name string, data any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	head(w, "text/html; charset=utf-8")
	_, _ = page.WriteTo(w) // the reader went away
}

// line is a line of a text; Link is set for one that is nothing but an address.
type line struct {
	Text string
	Link bool
}

func lines(text string) []line {
	var all []line
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		all = append(all, line{l, (strings.HasPrefix(l, "https://") || strings.HasPrefix(l, "http://")) && !strings.ContainsAny(l, " \t")})
	}
	return all
}
