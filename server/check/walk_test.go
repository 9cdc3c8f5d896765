package check_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"propusk/server/testgateway"
)

// walker is a browser that goes through the check.
type walker struct {
	t       *testing.T
	g       *testgateway.Gateway
	browser *http.Client
	page    string // what it sees
	at      string // where
}

// begin starts a check on a host.
func begin(t *testing.T, g *testgateway.Gateway, browser *http.Client, host string) *walker {
	t.Helper()
	w := &walker{t: t, g: g, browser: browser}
	w.open(host + "/check")
	if !strings.Contains(w.page, `href="/check/start"`) {
		t.Fatalf("no start at %s:\n%s", host, w.page)
	}
	w.open(host + "/check/start")
	return w
}

// open opens an address, which must work.
func (w *walker) open(address string) {
	w.t.Helper()
	if err := w.try(address); err != nil {
		w.t.Fatal(err)
	}
}

// try opens an address and follows redirects. A connection that fails is no page: it is
// told by what is returned.
func (w *walker) try(address string) error {
	w.t.Helper()
	for range 10 {
		res, err := w.browser.Get(address)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return err
		}
		w.page, w.at = string(body), address
		if res.StatusCode/100 != 3 {
			return nil
		}
		next, err := res.Request.URL.Parse(res.Header.Get("Location"))
		if err != nil {
			w.t.Fatal(err)
		}
		address = next.String()
	}
	w.t.Fatal("too many redirects")
	return nil
}

// run is the key of the run.
func (w *walker) run() string {
	w.t.Helper()
	m := regexp.MustCompile(`data-key="([^"]+)"`).FindStringSubmatch(w.page)
	if m == nil {
		w.t.Fatalf("no run at %s:\n%s", w.at, w.page)
	}
	return m[1]
}

// enter goes to the sign-in host and back.
func (w *walker) enter() *walker {
	w.t.Helper()
	w.open(w.g.Config.SignIn.URL + "/check?run=" + w.run())
	return w
}

// step is what the page says of a step: its mark and the rows that were found.
func (w *walker) step(n int) (mark string, rows []string) {
	w.t.Helper()
	parts := regexp.MustCompile(`<section id="step-`).Split(w.page, -1)
	if len(parts) != 8 {
		w.t.Fatalf("%d steps at %s:\n%s", len(parts)-1, w.at, w.page)
	}
	part := parts[n]
	for _, m := range regexp.MustCompile(`data-row="([^"]*)"(?: data-reason="([^"]*)")?`).FindAllStringSubmatch(part, -1) {
		rows = append(rows, m[1]+m[2])
	}
	return regexp.MustCompile(`data-mark="([a-z]+)"`).FindStringSubmatch(part)[1], rows
}

// wants fails unless a step has the mark, and the row is found there; "" is none.
func (w *walker) wants(step int, mark, row string) {
	w.t.Helper()
	got, rows := w.step(step)
	if got != mark || row != "" && !slices.Contains(rows, row) || row == "" && len(rows) > 0 {
		w.t.Errorf("step %d is %s, rows %v; want %s, row %q\n%s", step, got, rows, mark, row, stepOf(w.page, step))
	}
}

func stepOf(page string, n int) string {
	return regexp.MustCompile(`<section id="step-`).Split(page, -1)[n]
}

// link returns the address of the link whose text begins so.
func (w *walker) link(text string) string {
	w.t.Helper()
	m := regexp.MustCompile(`<a [^>]*href="([^"]+)"[^>]*>` + regexp.QuoteMeta(text)).FindStringSubmatch(w.page)
	if m == nil {
		w.t.Fatalf("no link %q at %s:\n%s", text, w.at, w.page)
	}
	to := html.UnescapeString(m[1])
	here, err := url.Parse(w.at)
	if err != nil {
		w.t.Fatal(err)
	}
	next, err := here.Parse(to)
	if err != nil {
		w.t.Fatal(err)
	}
	return next.String()
}
