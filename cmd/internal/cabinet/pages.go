package cabinet

import (
	"bytes"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

//go:embed pages.html
var pagesHTML string

//go:embed cabinet.css
var cabinetCSS []byte

// pages parses the templates once, when the first page is asked for.
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("pages").Parse(pagesHTML))
})

// view is what the template sees.
type view struct {
	Account *Account // nil for a visitor
	Since   string   // when the person signed in
	Fault   string   // code of what went wrong, or ""
}

// home greets who is signed in, and offers the sign-in to others.
func (c *Cabinet) home(w http.ResponseWriter, r *http.Request) {
	var v view
	if account, ok := c.sessions.Get(c.cookie(r, sessionCookie)); ok {
		v.Account = &account
		v.Since = time.Unix(account.AuthTime, 0).In(time.FixedZone("МСК", 3*60*60)).Format("02.01.2006 15:04:05") + " МСК"
	}
	c.write(w, http.StatusOK, v)
}

// fail tells the person that the sign-in did not work. The cause is for the log.
func (c *Cabinet) fail(w http.ResponseWriter, r *http.Request, status int, code string, err error) {
	c.opts.Log.LogAttrs(r.Context(), slog.LevelWarn, "sign-in failed", slog.String("code", code), slog.String("err", err.Error()))
	c.write(w, status, view{Fault: code})
}

func (c *Cabinet) write(w http.ResponseWriter, status int, v view) {
	var buf bytes.Buffer
	if err := pages().Execute(&buf, v); err != nil {
		c.opts.Log.Error("page not written", slog.String("err", err.Error()))
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(buf.Bytes()) //nolint:errcheck // the client went away; there is nobody to tell
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(cabinetCSS) //nolint:errcheck // as above
}
