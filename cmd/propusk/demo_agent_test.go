package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// tab is a browser, as far as requests go: with cookies, and with Fetch Metadata.
type tab struct {
	t      *testing.T
	client *http.Client
	agent  string
	at     *url.URL
	text   string
}

func newTab(t *testing.T, d *demoRunning) *tab {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(d.dir, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no CA")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, agent: fmt.Sprintf("http://127.0.0.1:%d", d.base+6)}
	b.client = &http.Client{
		Jar: jar, Timeout: time.Minute,
		Transport: navigation{b, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}},
	}
	return b
}

// navigation adds what a browser says about who goes where.
type navigation struct {
	b    *tab
	next http.RoundTripper
}

func (n navigation) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	to := r.URL.Scheme + "://" + r.URL.Host
	if n.b.at != nil && n.b.at.Scheme+"://"+n.b.at.Host == to {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if r.Method == http.MethodPost {
			r.Header.Set("Origin", to)
		}
	} else if r.Method == http.MethodPost {
		r.Header.Set("Origin", "null")
	}
	return n.next.RoundTrip(r)
}

// do goes to an address, relative to the page, and reads the page.
func (b *tab) do(method, address string, form url.Values) {
	b.t.Helper()
	to, err := url.Parse(html.UnescapeString(address))
	if err != nil {
		b.t.Fatal(err)
	}
	if b.at != nil {
		to = b.at.ResolveReference(to)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, to.String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.text = res.Request.URL, string(text)
}

// find returns what a pattern finds on the page.
func (b *tab) find(pattern string) string {
	b.t.Helper()
	m := regexp.MustCompile(`(?s)` + pattern).FindStringSubmatch(b.text)
	if m == nil {
		b.t.Fatalf("%s: no %s in\n%s", b.at, pattern, b.text)
	}
	return html.UnescapeString(m[1])
}

// send sends the form whose tag has an attribute, with its hidden fields and more.
func (b *tab) send(attribute string, more ...string) {
	b.t.Helper()
	form := b.find(`(<form[^>]*` + attribute + `.*?</form>)`)
	fields := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i < len(more); i += 2 {
		fields.Set(more[i], more[i+1])
	}
	b.do(http.MethodPost, regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(form)[1], fields)
}

// TestDemoAgent signs in through the agent of the demo, from the cabinet to its greeting,
// and sees why the certificates of the others cannot be used.
func TestDemoAgent(t *testing.T) {
	d := startDemo(t, t.TempDir(), freePorts(t))
	b := newTab(t, d)
	b.do(http.MethodGet, b.agent+"/status", nil)
	var status struct {
		Program  string   `json:"program"`
		Gateways []string `json:"gateways"`
	}
	public := fmt.Sprintf("https://127.0.0.1:%d", d.base+3)
	if err := json.Unmarshal([]byte(b.text), &status); err != nil || status.Program != "propusk-agent" || status.Gateways[0] != public {
		t.Fatalf("%v: %s", err, b.text)
	}
	b.at = nil
	b.do(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/login", d.base+5), nil)
	b.send(`action="/signin/agent"`)
	b.do(http.MethodGet, b.find(`id="open-agent" href="([^"]*)"`), nil)
	for id, code := range map[string]string{
		"expired": "certificate-expired", "notyet": "certificate-not-yet-valid", "unqualified": "not-qualified", "terminated-ca": "ca-not-accredited",
		"unlisted-ca": "ca-not-listed", "unknown-ca": "ca-not-listed", "ul": "wrong-holder-kind", "fl": "wrong-holder-kind",
	} {
		if !regexp.MustCompile(`(?s)<li data-code="` + code + `">(?:[^<]|<[^/]|</[^l])*«` + id + `»`).MatchString(b.text) {
			t.Errorf("%s is not refused with %s", id, code)
		}
	}
	b.do(http.MethodGet, b.find(`«ip» <span[^>]*>[^<]*</span></span>\s*<p><a class="button" href="([^"]*)"`), nil)
	if !strings.Contains(b.text, demoPhrase) {
		t.Error("no phrase where the PIN is asked for")
	}
	b.send(`id="pin-form"`, "pin", "12345678")
	b.send(`id="answer"`)
	// The gateway leaves the page of the agent behind by a page of its own.
	b.do(http.MethodGet, b.find(`<meta http-equiv="refresh" content="0; ?url=([^"]*)"`), nil)
	if !strings.Contains(b.text, "Примеров") || b.at.Port() != fmt.Sprint(d.base+5) {
		t.Errorf("%s is not the greeting of the cabinet:\n%s", b.at, b.text)
	}
	if strings.Contains(d.out.String(), "12345678\"") {
		t.Error("the PIN is in the log")
	}
}

// TestDemoTokens keeps the tokens of people over restarts, with what was put on them, and
// makes those anew that are spoilt.
func TestDemoTokens(t *testing.T) {
	dir, base := t.TempDir(), freePorts(t)
	d := startDemo(t, dir, base)
	d.stop()
	read := func(id string) string {
		text, err := os.ReadFile(filepath.Join(dir, "tokens", id, "token"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	ip, ul := read("ip"), read("ul")
	if err := os.WriteFile(filepath.Join(dir, "tokens", "ul", "token"), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	startDemo(t, dir, base)
	if read("ip") != ip {
		t.Error("a good token was made anew")
	}
	if now := read("ul"); now == ul || now == "spoilt" {
		t.Error("a spoilt token was left")
	}
}
