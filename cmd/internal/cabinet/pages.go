package cabinet

import (
	"bytes"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"propusk/server/level"
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
	Account *Account       // nil for a visitor
	Since   string         // when the person signed in
	Now     string         // for the header (BY-10)
	Payer   string         // for whom the person acts, and his number
	Fault   string         // code of what went wrong, or ""
	Menu    []item         // the services, if there are any
	Service *level.Service // the one that is open, or nil
	Choice  bool           // there are services, so a password opens something
}

// moscow is the time that the cabinet shows.
var moscow = time.FixedZone("МСК", 3*60*60)

// clock is how it shows it.
const clock = "02.01.2006 15:04:05"

// view is what a person sees who is signed in.
func (c *Cabinet) view(a Account) view {
	v := view{
		Account: &a, Since: time.Unix(a.AuthTime, 0).In(moscow).Format(clock) + " МСК",
		Now: time.Now().In(moscow).Format("02.01.2006 15:04") + " МСК", Payer: a.payer(),
	}
	v.Menu, v.Choice = c.menu(a), len(c.opts.Services) > 0
	return v
}

// payer is for whom a person acts; his own name stands beside it.
func (a *Account) payer() string {
	t := a.Taxpayer
	if t == nil {
		return "ИНН " + a.INN
	}
	number := t.INN
	if t.INNLE != "" {
		number = t.INNLE
	}
	var who []string
	if t.Kind == "ip" {
		who = append(who, "ИП")
	}
	if t.Name != a.Name {
		who = append(who, t.Name)
	}
	if len(who) == 0 {
		return "ИНН " + number
	}
	return strings.Join(who, " ") + ", ИНН " + number
}

// home greets who is signed in, and offers the sign-in to others.
func (c *Cabinet) home(w http.ResponseWriter, r *http.Request) {
	v := view{Choice: len(c.opts.Services) > 0, Menu: c.open()}
	if account, ok := c.sessions.Get(c.cookie(r, sessionCookie)); ok {
		v = c.view(account)
	}
	c.write(w, http.StatusOK, v)
}

// fail tells the person that the sign-in did not work. The cause is for the log.
func (c *Cabinet) fail(w http.ResponseWriter, r *http.Request, status int, code string, err error) {
	c.opts.Log.LogAttrs(r.Context(), slog.LevelWarn, "sign-in failed", slog.String("code", code), slog.String("err", err.Error()))
	c.write(w, status, view{Fault: code, Choice: len(c.opts.Services) > 0})
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
