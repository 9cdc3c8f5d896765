package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"propusk/server/testgateway"
)

const verifier = "a-code-verifier-that-is-long-enough-for-RFC-7636"

// authorizeURL is a good authorization request of the test client.
func authorizeURL(g *testgateway.Gateway, state string) string {
	d := sha256.Sum256([]byte(verifier))
	return g.Config.Public.URL + "/authorize?" + url.Values{
		"client_id": {testgateway.ClientID}, "redirect_uri": {testgateway.Callback}, "response_type": {"code"},
		"scope": {"openid profile email"}, "state": {state}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(d[:])}, "code_challenge_method": {"S256"},
	}.Encode()
}

// redeem exchanges a code and returns the answer of the token endpoint.
func redeem(t *testing.T, g *testgateway.Gateway, code string) testgateway.Answer {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {testgateway.Callback}, "code_verifier": {verifier}}
	r, err := http.NewRequest(http.MethodPost, g.Config.Public.URL+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(testgateway.ClientID, url.QueryEscape(testgateway.ClientSecret))
	return g.Do(g.Browser(), r)
}

func TestWholeWay(t *testing.T) {
	g := testgateway.Start(t)
	c := g.GOSTBrowser("ip")
	a := g.Get(c, authorizeURL(g, "the-state"))
	if !strings.HasPrefix(a.Location(), g.Config.SignIn.URL+"/signin?request=") {
		t.Fatalf("authorize: %d %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	a = g.Get(c, a.Location())
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Location(), g.Config.Public.URL+"/signin/return?ticket=") || !a.Close {
		t.Fatalf("sign-in: %d %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the answer with the ticket may be kept or told: %v", a.Header)
	}
	a = g.Get(c, a.Location())
	u, err := url.Parse(a.Location())
	if err != nil || !strings.HasPrefix(a.Location(), testgateway.Callback+"?") || u.Query().Get("state") != "the-state" {
		t.Fatalf("return: %d %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	a = redeem(t, g, u.Query().Get("code"))
	wantStatus(t, a, http.StatusOK)
	var tokens struct {
		ID string `json:"id_token"`
	}
	if err := json.Unmarshal([]byte(a.Text), &tokens); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(tokens.ID, ".")
	if len(parts) != 3 {
		t.Fatalf("identity token %q", tokens.ID)
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !strings.Contains(string(claims), `"inn":"`+g.Country.Person("ip").INN+`"`) {
		t.Errorf("%v, claims %s", err, claims)
	}
}

// TestLuredVictim goes the way of the attack through the real hosts: the attacker
// begins, the victim shows his certificate, and nobody gets a code.
func TestLuredVictim(t *testing.T) {
	g := testgateway.Start(t)
	attacker, victim := g.Browser(), g.GOSTBrowser("ip")
	request := g.Get(attacker, authorizeURL(g, "s")).Location()
	ticket := g.Get(victim, request).Location()
	if !strings.Contains(ticket, "/signin/return?ticket=") {
		t.Fatalf("the victim is sent to %q", ticket)
	}
	a := g.Get(victim, ticket)
	wantStatus(t, a, http.StatusForbidden)
	wantText(t, a, `data-code="signin-other-browser"`, "Вход начат в другом браузере")
	a = g.Get(attacker, ticket)
	wantStatus(t, a, http.StatusConflict)
	wantText(t, a, `data-code="signin-ticket-invalid"`)
}

func TestSignInRequestsThatAreNotOurs(t *testing.T) {
	g := testgateway.Start(t)
	for _, query := range []string{"", "?request=", "?request=x", "?request=a&request=b", "?request=" + strings.Repeat("A", 5000)} {
		a := g.Get(g.GOSTBrowser("ip"), g.Config.SignIn.URL+"/signin"+query)
		wantStatus(t, a, http.StatusConflict)
		wantText(t, a, `data-code="signin-expired"`, "Вход нужно начать заново")
	}
	// Of another gateway, that is, of another process.
	foreign := testgateway.Start(t)
	u, err := url.Parse(foreign.Get(foreign.Browser(), authorizeURL(foreign, "s")).Location())
	if err != nil {
		t.Fatal(err)
	}
	a := g.Get(g.GOSTBrowser("ip"), g.Config.SignIn.URL+"/signin?"+u.RawQuery)
	wantText(t, a, `data-code="signin-expired"`)
}

// TestLogKnowsNobody makes every kind of request, good and bad, with canaries in
// every place that a client can write to, and then reads the log.
func TestLogKnowsNobody(t *testing.T) {
	g := testgateway.Start(t)
	const canary = "500100732259"
	b := g.Browser()
	for _, p := range g.Country.People() {
		c := g.GOSTBrowser(p.ID)
		a := g.Get(c, authorizeURL(g, canary))
		if a = g.Get(c, a.Location()); a.StatusCode == http.StatusSeeOther {
			a = g.Get(c, a.Location())
			u, err := url.Parse(a.Location())
			if err != nil {
				t.Fatal(err)
			}
			redeem(t, g, u.Query().Get("code"))
			redeem(t, g, u.Query().Get("code"))
		}
		g.Get(g.GOSTBrowser(p.ID), g.Config.SignIn.URL+"/api/v1/whoami?inn="+canary)
		g.Get(g.GOSTBrowser(p.ID), g.Config.SignIn.URL+"/?inn="+canary)
		body := jsonBody(t, map[string][]byte{"certificate": p.Certificate.Raw})
		g.Post(b, g.Config.Public.URL+"/api/v1/certificates/check", "application/json", body)
	}
	for _, path := range []string{
		"/", "/" + canary, "/api/v1/" + canary, "/authorize?client_id=" + canary, "/authorize?client_id=test&redirect_uri=" + canary,
		"/authorize?client_id=%zz" + canary, strings.TrimPrefix(authorizeURL(g, canary), g.Config.Public.URL) + "&prompt=none&x=" + canary,
		"/signin/return?ticket=" + canary, "/end_session?id_token_hint=" + canary, "/userinfo?access_token=" + canary, "/api/v1/accredited-cas?" + canary,
	} {
		for _, host := range []string{g.Config.Public.URL, g.Config.SignIn.URL, g.Config.Check.URL, g.Admin()} {
			r, err := http.NewRequest(http.MethodGet, host+path, nil)
			if err != nil {
				r, err = http.NewRequest(http.MethodGet, host+"/"+canary, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("User-Agent", canary)
			r.Header.Set("Referer", "https://"+canary)
			r.Header.Set("X-Request-Id", canary)
			r.Header.Set("Authorization", "Bearer "+canary)
			r.AddCookie(&http.Cookie{Name: "__Host-propusk-browser", Value: canary})
			g.Do(b, r)
		}
	}
	for _, contentType := range []string{"application/json", "multipart/form-data; boundary=" + canary, "application/" + canary, "application/x-www-form-urlencoded"} {
		for _, body := range []string{canary, `{"` + canary + `":""}`, `{"signature":"` + canary + `"}`, "--" + canary + "\r\nContent-Disposition: form-data; name=" + canary + "\r\n\r\n" + canary + "\r\n--" + canary + "--", "grant_type=" + canary + "&code=" + canary} {
			for _, path := range []string{"/api/v1/verify", "/api/v1/certificates/check", "/token", "/userinfo", "/authorize", "/end_session"} {
				if a := g.Post(b, g.Config.Public.URL+path, contentType, body); a.StatusCode >= 500 {
					t.Errorf("%s with %s %q: %d %s", path, contentType, body, a.StatusCode, a.Text)
				}
			}
		}
	}
	log := g.Log.String()
	secrets := map[string]string{"the canary": canary}
	for _, p := range g.Country.People() {
		for what, s := range map[string]string{"ИНН": p.INN, "СНИЛС": p.SNILS, "ОГРНИП": p.OGRNIP, "ОГРН": p.OGRN, "ИНН ЮЛ": p.INNLE,
			"name": p.Name, "surname": strings.Fields(p.Name)[0], "organization": p.Organization, "e-mail": p.ID + "@demo.invalid"} {
			if s != "" {
				secrets[p.ID+" "+what] = s
			}
		}
	}
	for line := range strings.Lines(log) {
		for what, s := range secrets {
			if strings.Contains(line, s) {
				t.Errorf("the log knows %s:\n%s", what, line)
			}
		}
	}
	if strings.Count(log, `"msg":"request"`) < 200 {
		t.Errorf("the log is too short to prove anything:\n%s", log)
	}
}

// TestShutdownLetsRequestsFinish stops the gateway while a request is under way.
func TestShutdownLetsRequestsFinish(t *testing.T) {
	g := testgateway.Start(t)
	started, wait := make(chan struct{}, 1), make(chan struct{})
	answered := make(chan int, 1)
	go func() {
		r, err := http.NewRequest(http.MethodPost, g.Config.Public.URL+"/api/v1/verify", &slowBody{blocked{started, wait}, `{"signature":"AAAA"}`})
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		r.Header.Set("Content-Type", "application/json")
		res, err := g.Browser().Do(r)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		res.Body.Close()
		answered <- res.StatusCode
	}()
	<-started
	time.Sleep(time.Second) // the headers are on their way to the handler
	g.Stop()
	time.Sleep(100 * time.Millisecond)
	close(wait)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request under way: status %d", status)
	}
	if err := g.Wait(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := g.Browser().Get(g.Config.Public.URL + "/"); err == nil {
		t.Error("still answering after the end")
	}
}

// slowBody waits before it gives its text.
type slowBody struct {
	blocked
	text string
}

// Read implements io.Reader.
func (b *slowBody) Read(p []byte) (int, error) {
	if b.text == "" {
		return 0, io.EOF
	}
	b.started <- struct{}{}
	<-b.wait
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}
