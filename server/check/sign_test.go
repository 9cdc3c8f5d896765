package check_test

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/pki/cms"
	"propusk/server/testgateway"
)

// field returns the value of an attribute of the page that w sees.
func (w *walker) field(pattern string) string {
	w.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(w.page)
	if m == nil {
		w.t.Fatalf("no %s at %s:\n%s", pattern, w.at, w.page)
	}
	return html.UnescapeString(m[1])
}

// post sends a form of the page that w sees, and opens what it leads to.
func (w *walker) post(path string, form url.Values) {
	w.t.Helper()
	host := w.g.Config.Public.URL
	r, err := http.NewRequest(http.MethodPost, host+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", host)
	a := w.g.Do(w.browser, r)
	if a.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("%s: status %d\n%s", path, a.StatusCode, a.Text)
	}
	w.open(host + a.Location())
}

// sign makes the test signature with the key of a person, as a plug-in would.
func (w *walker) sign(id string) {
	w.t.Helper()
	w.open(w.link("Сделать пробную подпись"))
	w.post("/check/sign?run="+w.mustKey(w.at), url.Values{"form-token": {w.field(`name="form-token" value="([^"]+)"`)}, "method": {"plugin"}})
	content, err := base64.StdEncoding.DecodeString(w.field(`data-content="([^"]+)"`))
	if err != nil {
		w.t.Fatal(err)
	}
	p := w.g.Country.Person(id)
	signature, err := cms.CreateDetached(nil, strings.NewReader(string(content)), cms.Signatory{Key: p.Key, Certificate: p.Certificate, Time: time.Now().Truncate(time.Second)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.post("/signed", url.Values{"state": {w.field(`name="state" value="([^"]+)"`)}, "signature": {base64.StdEncoding.EncodeToString(signature)}})
	if !strings.Contains(w.page, "data-code") {
		w.open(w.link("Продолжить"))
	}
}

// TestSignature makes the test signature with good and bad certificates: the page of the run
// says what is wrong, or the page about the failure and then that of the run.
func TestSignature(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	for id, want := range map[string]struct {
		step int
		mark string
		row  string
	}{
		"ip": {6, "good", ""}, "ip512": {6, "good", ""}, "ul": {6, "bad", "9"}, "fl": {6, "bad", "9"}, "revoked": {6, "bad", "21"},
		"terminated-ca": {5, "bad", "22"}, "unknown-ca": {5, "bad", "10"}, "unqualified": {6, "bad", "not-qualified"},
	} {
		t.Run(id, func(t *testing.T) {
			w := begin(t, g, g.Browser(), g.Config.Public.URL)
			run := w.at
			w.sign(id)
			w.open(run)
			w.wants(want.step, want.mark, want.row)
			if ready := strings.Contains(w.page, `id="next"`); ready != (want.mark == "good") {
				t.Errorf("the last button is there: %v", ready)
			}
		})
	}
}

// TestOtherPerson is row 24: the signature is of one person, the connection of another.
func TestOtherPerson(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	w := begin(t, g, g.GOSTBrowser("ip512"), g.Config.Public.URL)
	w.sign("ip")
	w.wants(6, "good", "")
	w.enter().wants(6, "bad", "24")
}

// TestSignatureIsForItsBrowser: a form without its token, of another browser, or for a way
// that is not offered, begins nothing.
func TestSignatureIsForItsBrowser(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	w := begin(t, g, g.Browser(), g.Config.Public.URL)
	address := g.Config.Public.URL + "/check/sign?run=" + w.run()
	w.open(address)
	token := w.field(`name="form-token" value="([^"]+)"`)
	post := func(browser *http.Client, origin string, form url.Values) int {
		r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		return g.Do(browser, r).StatusCode
	}
	host := g.Config.Public.URL
	good := url.Values{"form-token": {token}, "method": {"plugin"}}
	for name, status := range map[string]int{
		"no token":      post(w.browser, host, url.Values{"method": {"plugin"}}),
		"other site":    post(w.browser, "https://attacker.example", good),
		"other browser": post(g.Browser(), host, good),
		"GOST TLS":      post(w.browser, host, url.Values{"form-token": {token}, "method": {"gost-tls"}}),
		"no such way":   post(w.browser, host, url.Values{"form-token": {token}, "method": {"x"}}),
		"another field": post(w.browser, host, url.Values{"form-token": {token}, "method": {"plugin"}, "text": {"Отдаю квартиру"}}),
	} {
		if status/100 != 4 {
			t.Errorf("%s: status %d", name, status)
		}
	}
	if status := post(w.browser, host, good); status != http.StatusSeeOther {
		t.Errorf("status %d", status)
	}
	if a := g.Get(g.Browser(), address); a.StatusCode != http.StatusForbidden {
		t.Errorf("another browser is asked to sign: status %d", a.StatusCode)
	}
}
