package check_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"propusk/server/testgateway"
)

// TestLuredVictim: who lures a person into showing his certificate for a run that is not his
// own learns nothing of it, by none of the ways.
func TestLuredVictim(t *testing.T) {
	g := testgateway.Start(t)
	host := g.Config.Public.URL
	attacker := begin(t, g, g.Browser(), host)
	victim := &walker{t: t, g: g, browser: g.GOSTBrowser("ip")}
	victim.open(g.Config.SignIn.URL + "/check?run=" + attacker.run())
	if !strings.Contains(victim.page, `data-code="check-other-browser"`) {
		t.Errorf("the victim sees\n%s", victim.page)
	}
	attacker.open(attacker.at)
	attacker.wants(6, "none", "")
	attacker.wants(7, "none", "")

	// With cookies off a run is nobody's, so nothing about a certificate gets into it: the
	// person is told on the spot.
	off := begin(t, g, cookieless(g.Browser()), host)
	off.wants(3, "bad", "33")
	victim.open(g.Config.SignIn.URL + "/check?run=" + off.run())
	if !strings.Contains(victim.page, "Сертификат подходит") {
		t.Errorf("the victim sees\n%s", victim.page)
	}
	off.open(off.at)
	off.wants(6, "none", "")

	// A run that goes on elsewhere is lost to who began it.
	mover := begin(t, g, g.Browser(), g.Config.Check.URL)
	a := g.Get(mover.browser, g.Config.Check.URL+"/check/continue?run="+mover.run())
	victim.open(a.Location())
	victim.enter().wants(6, "good", "")
	for _, address := range []string{mover.at, host + "/check/run?run=" + mover.run(), host + "/check/result?run=" + mover.run()} {
		mover.open(address)
		if !strings.Contains(mover.page, `data-code="check-other-browser"`) {
			t.Errorf("%s: who began sees\n%s", address, mover.page)
		}
	}
}

// cookieless is a browser with cookies off.
func cookieless(c *http.Client) *http.Client {
	c.Jar = nil
	return c
}

// TestFindingsCountOnce: what the sign-in host has seen is good once, for its run.
func TestFindingsCountOnce(t *testing.T) {
	g := testgateway.Start(t)
	browser := g.GOSTBrowser("ip")
	one := begin(t, g, browser, g.Config.Public.URL)
	found := g.Get(browser, g.Config.SignIn.URL+"/check?run="+one.run())
	if !found.Close {
		t.Error("the connection stays open: another certificate cannot be chosen (row 25)")
	}
	other := begin(t, g, browser, g.Config.Public.URL)
	mixed := strings.Replace(found.Location(), one.run(), other.run(), 1)
	other.open(mixed)
	other.wants(7, "none", "")
	one.open(found.Location())
	one.wants(7, "good", "")
	one.open(found.Location()) // it was taken, and is gone: people reload pages
	one.wants(7, "good", "")
}

// TestManyOnTheWay: who sends thousands of findings and moves on their way, of one run, takes
// nobody else's place.
func TestManyOnTheWay(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.Config.Check.Runs = 8 })
	attacker := begin(t, g, g.Browser(), g.Config.Check.URL)
	var first, last string
	for range 3 * g.Config.Check.Runs {
		a := g.Get(attacker.browser, g.Config.Check.URL+"/check/continue?run="+attacker.run())
		if last = a.Location(); first == "" {
			first = last
		}
	}
	other := begin(t, g, g.Browser(), g.Config.Check.URL)
	if a := g.Get(other.browser, g.Config.Check.URL+"/check/continue?run="+other.run()); a.StatusCode != http.StatusSeeOther {
		t.Errorf("another run cannot go on: status %d", a.StatusCode)
	}
	if a := g.Get(g.Browser(), first); a.StatusCode != http.StatusNotFound {
		t.Errorf("a key that was replaced: status %d", a.StatusCode)
	}
	if a := g.Get(g.Browser(), last); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the last key: status %d", a.StatusCode)
	}
	if a := g.Get(g.Browser(), last); a.StatusCode != http.StatusNotFound {
		t.Errorf("a key that was used: status %d", a.StatusCode)
	}
}

// TestLuredScript: the page of a run that another browser began asks neither agents nor
// plug-ins, and takes no report of them: who made the run could read it without a cookie.
func TestLuredScript(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	attacker := begin(t, g, cookieless(g.Browser()), g.Config.Public.URL)
	victim := &walker{t: t, g: g, browser: g.Browser()}
	victim.open(attacker.at)
	if !strings.Contains(victim.page, `data-run=""`) || strings.Contains(victim.page, `id="plugins"`) {
		t.Errorf("the script of the victim looks for the attacker:\n%s", victim.page)
	}
	r, err := http.NewRequest(http.MethodPost, g.Config.Public.URL+"/check/observed?run="+attacker.run(), strings.NewReader(`{"agent_asked":true}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", g.Config.Public.URL)
	if status := g.Do(victim.browser, r).StatusCode; status/100 != 4 {
		t.Errorf("a report without the cookie: status %d", status)
	}
}

// TestUnknownRuns: keys that are none, and those of a run whose hour is over.
func TestUnknownRuns(t *testing.T) {
	clock := new(testClock)
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.Clock = clock.Now })
	host := g.Config.Public.URL
	w := begin(t, g, g.Browser(), host)
	late := w.at
	for _, query := range []string{"", "?run=", "?run=x", "?run=" + w.run() + "&run=" + w.run(), "?run=" + strings.Repeat("A", 5000)} {
		for _, path := range []string{"run", "probe", "missed", "found", "result", "moved"} {
			if a := g.Get(w.browser, host+"/check/"+path+query); a.StatusCode != http.StatusNotFound || !strings.Contains(a.Text, `data-code="check-run-unknown"`) {
				t.Errorf("%s%.20s: status %d", path, query, a.StatusCode)
			}
		}
	}
	if a := g.Get(w.browser, host+"/check/missed?host=elsewhere&run="+w.run()); a.StatusCode != http.StatusNotFound {
		t.Errorf("a host that is none: status %d", a.StatusCode)
	}
	clock.forward(2 * time.Hour)
	if a := g.Get(w.browser, late); a.StatusCode != http.StatusNotFound {
		t.Errorf("after two hours: status %d", a.StatusCode)
	}
}

// TestReports: the script of a page of this host may report, for its own run; nobody else.
func TestReports(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	host := g.Config.Public.URL
	w := begin(t, g, g.Browser(), host)
	good := `{"skew":-3600,"missed":[],"agent":null,"plugins":[],"agent_asked":true,"plugins_asked":true}`
	post := func(browser *http.Client, body string, change ...func(*http.Request)) int {
		r, err := http.NewRequest(http.MethodPost, host+"/check/observed?run="+w.run(), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", host)
		for _, f := range change {
			f(r)
		}
		return g.Do(browser, r).StatusCode
	}
	for name, status := range map[string]int{
		"no origin":      post(w.browser, good, func(r *http.Request) { r.Header.Del("Origin") }),
		"foreign origin": post(w.browser, good, func(r *http.Request) { r.Header.Set("Origin", g.Config.Check.URL) }),
		"a form":         post(w.browser, good, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }),
		"no JSON":        post(w.browser, "skew"),
		"unknown field":  post(w.browser, `{"name":"Иванов"}`),
		"too long":       post(w.browser, `{"missed":["`+strings.Repeat("a", 20<<10)+`"]}`),
		"other browser":  post(g.Browser(), good),
	} {
		if status/100 != 4 {
			t.Errorf("%s: status %d", name, status)
		}
	}
	w.open(w.at)
	w.wants(1, "none", "")
	if status := post(w.browser, good); status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
	w.open(w.at)
	w.wants(1, "bad", "36")
	w.wants(4, "bad", "A1")
	w.wants(4, "bad", "18")
	if !strings.Contains(w.page, `data-run=""`) {
		t.Error("the script would look again, for ever")
	}
	w.open(w.at + "&again=1")
	if !strings.Contains(w.page, `data-run="yes"`) {
		t.Error("the script does not look again")
	}
}

// TestProbeForScripts: the page on the check host may read what the connection is, and no
// other page.
func TestProbeForScripts(t *testing.T) {
	g := testgateway.Start(t)
	w := begin(t, g, g.Browser(), g.Config.Check.URL)
	for origin, allowed := range map[string]string{g.Config.Check.URL: g.Config.Check.URL, "https://attacker.example": "", "null": ""} {
		r, err := http.NewRequest(http.MethodGet, g.Config.Public.URL+"/check/probe?run="+w.run(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		a := g.Do(g.Browser(), r)
		if got := a.Header.Get("Access-Control-Allow-Origin"); got != allowed || a.Text != `{"kind":"ordinary"}` {
			t.Errorf("%s: %q may read %s", origin, got, a.Text)
		}
	}
}

// TestResult: a code of its own for each state of a run, a text without personal data, and
// the certificate for support.
func TestResult(t *testing.T) {
	g := testgateway.Start(t)
	w := begin(t, g, g.GOSTBrowser("expired"), g.Config.Public.URL).enter()
	run := w.at
	code := func() string {
		t.Helper()
		w.open(run)
		w.open(w.link("Получить код проверки"))
		_, rest, ok := strings.Cut(w.page, `id="check-code">`)
		code, _, _ := strings.Cut(rest, "<")
		if !ok || len(code) != len("7K3F-9QX2-M4TD") {
			t.Fatalf("no code:\n%s", w.page)
		}
		return code
	}
	first := code()
	for _, want := range []string{"Проверка " + first, "[21]", "certificate-expired", "УЦ ФНС", "gost TLS 1.3"} {
		if !strings.Contains(w.page, want) {
			t.Errorf("no %q in\n%s", want, w.page)
		}
	}
	p := g.Country.Person("expired")
	for _, secret := range []string{p.Name, p.INN, p.SNILS, p.OGRNIP, "Просрочкин"} {
		if strings.Contains(w.page, secret) || strings.Contains(g.Log.String(), secret) {
			t.Errorf("%q is on the page or in the log", secret)
		}
	}
	if again := code(); again != first {
		t.Errorf("nothing has changed, and the code is %s instead of %s", again, first)
	}
	w.open(g.Config.Public.URL + "/check/missed?host=signin&run=" + w.mustKey(run))
	if other := code(); other == first {
		t.Error("another state has the same code")
	}
}

// mustKey is the key in the address of a run.
func (w *walker) mustKey(address string) string {
	_, key, ok := strings.Cut(address, "run=")
	if !ok {
		w.t.Fatalf("no run in %s", address)
	}
	return key
}

// TestMessagePage explains a message, and shows nothing that was typed as HTML.
func TestMessagePage(t *testing.T) {
	g := testgateway.Start(t)
	for _, host := range []string{g.Config.Public.URL, g.Config.Check.URL} {
		a := g.Get(g.Browser(), host+"/check/message?text=0x800B0109+%3Cscript%3Ealert(1)%3C%2Fscript%3E")
		if a.StatusCode != http.StatusOK || !strings.Contains(a.Text, `data-row="11"`) || strings.Contains(a.Text, "<script>alert") {
			t.Errorf("status %d:\n%s", a.StatusCode, a.Text)
		}
		if a = g.Get(g.Browser(), host+"/check/message?lang=en&text=nothing"); !strings.Contains(a.Text, "This message is not in the table.") {
			t.Error(a.Text)
		}
	}
}

// TestPolicy: the page may ask the hosts of the gateway and agents, and nobody else.
func TestPolicy(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	w := begin(t, g, g.Browser(), g.Config.Public.URL)
	policy := g.Get(w.browser, w.at).Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "connect-src 'self' "+g.Config.SignIn.URL+" http://127.0.0.1:") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Error(policy)
	}
	w = begin(t, g, g.Browser(), g.Config.Check.URL)
	policy = g.Get(w.browser, w.at).Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "connect-src 'self' "+g.Config.SignIn.URL+" "+g.Config.Public.URL+";") {
		t.Error(policy)
	}
}

// TestLanguageGoesAlong: what was chosen on the check host holds on the public host, which
// does not get its cookies.
func TestLanguageGoesAlong(t *testing.T) {
	g := testgateway.Start(t)
	w := begin(t, g, g.Browser(), g.Config.Check.URL)
	w.open(w.at + "&lang=en")
	a := g.Get(w.browser, g.Config.Check.URL+"/check/continue?run="+w.run())
	other := &walker{t: t, g: g, browser: g.Browser()} // as of another host: without the cookies
	other.open(a.Location())
	if !strings.Contains(other.page, `<html lang="en">`) || !strings.Contains(other.page, "The browser: GOST encryption") {
		t.Errorf("the page of the public host:\n%s", other.page)
	}
}
