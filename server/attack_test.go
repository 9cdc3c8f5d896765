package server_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/testgateway"
)

// attackSecret is the password of the entrepreneur in attacks.
const attackSecret = "Зелёная-дверь-47"

// withPassword gives the account of the world a password, and returns the page that asks for
// it and where that page was asked for.
func (w *accountWorld) withPassword() {
	w.t.Helper()
	w.GivePassword(w.db, w.acc, attackSecret)
}

// signInPage begins a sign-in to the account, and returns the page that asks how.
func (w *accountWorld) signInPage(c *http.Client) testgateway.Answer {
	w.t.Helper()
	a := w.Get(c, w.Config.Public.URL+"/account")
	for range 5 {
		if a.Location() == "" {
			return a
		}
		u, err := a.Request.URL.Parse(a.Location())
		if err != nil {
			w.t.Fatal(err)
		}
		a = w.Get(c, u.String())
	}
	w.t.Fatalf("no page: %s", a.Text)
	return a
}

var sealedField = regexp.MustCompile(`name="request" value="([^"]+)"`)

// tryPassword posts login and password from the page that asks how.
func (w *accountWorld) tryPassword(c *http.Client, login, secret string) testgateway.Answer {
	w.t.Helper()
	page := w.signInPage(c)
	sealed := sealedField.FindStringSubmatch(page.Text)
	if sealed == nil {
		w.t.Fatalf("no form for a password:\n%s", page.Text)
	}
	return w.PostForm(c, page, "/signin/password", url.Values{
		"request": {html.UnescapeString(sealed[1])}, "login": {login}, "password": {secret},
	})
}

// ofPrograms are the routes that take a POST and have no form on a page of ours, or a token of
// their own: each is guarded by what it is for.
func ofPrograms(path string) bool {
	if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/signatures/") { // keys and one-time states of theirs
		return true
	}
	return slices.Contains([]string{
		"/authorize", "/token", "/userinfo", "/introspect", "/revoke", "/keys", "/end_session", // OpenID Connect, which changes nothing before somebody signs in
		"/signed", "/signin/agent", "/signin/plugin", // state and cookie of the browser
		"/verify", "/check/observed", // anybody may have anything verified, and say what his browser can do
	}, path)
}

// TestNoFormWithoutItsToken asks the gateway itself for its routes, so that a form that
// somebody adds is in it: none is taken without its token, from another site, or as what a
// form of another site can send without a preflight.
func TestNoFormWithoutItsToken(t *testing.T) {
	w := newAccountWorld(t)
	w.withPassword()
	c := w.GOSTBrowser("ip")
	w.enter(c, "/account")
	guarded := 0
	for _, path := range w.Server.PostRoutes() {
		if ofPrograms(path) {
			continue
		}
		guarded++
		for _, attack := range []struct{ site, media, code string }{
			{"", "application/x-www-form-urlencoded", "form-expired"},
			{"same-origin", "application/x-www-form-urlencoded", "form-expired"},
			{"cross-site", "application/x-www-form-urlencoded", "form-from-elsewhere"},
			{"same-site", "application/x-www-form-urlencoded", "form-from-elsewhere"},
			{"", "text/plain", "form-malformed"},
			{"", "application/json", "form-malformed"},
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Config.Public.URL+path, strings.NewReader("form-token=x"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", attack.media)
			if attack.site != "" {
				r.Header.Set("Sec-Fetch-Site", attack.site)
			}
			a := w.Do(c, r)
			if a.StatusCode < 400 || !strings.Contains(a.Text, `data-code="`+attack.code+`"`) {
				t.Errorf("%s, %+v: %d\n%.600s", path, attack, a.StatusCode, a.Text)
			}
		}
	}
	if guarded < 25 {
		t.Errorf("only %d forms: %v", guarded, w.Server.PostRoutes())
	}
}

// visitCookie is the value of the cookie of the visit.
func (w *accountWorld) visitCookie(c *http.Client) string {
	w.t.Helper()
	u, err := url.Parse(w.Config.Public.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, cookie := range c.Jar.Cookies(u) {
		if cookie.Name == "__Host-propusk-visit" {
			return cookie.Value
		}
	}
	return ""
}

// TestNoFixation: a cookie that somebody put into the browser before is not that of the visit
// after a sign-in, and one that was good is not after the next proof.
func TestNoFixation(t *testing.T) {
	w := newAccountWorld(t)
	w.withPassword()
	u, err := url.Parse(w.Config.Public.URL)
	if err != nil {
		t.Fatal(err)
	}
	attacker, victim := w.Browser(), w.GOSTBrowser("ip")
	w.follow(attacker, w.tryPassword(attacker, "000000000001", "whatever"))
	planted := strings.Repeat("A", 43)
	victim.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-propusk-visit", Value: planted, Path: "/", Secure: true}})
	wantStatus(t, w.follow(victim, w.tryPassword(victim, w.Country.Person("ip").INN, attackSecret)), http.StatusOK)
	first := w.visitCookie(victim)
	if first == "" || first == planted {
		t.Fatalf("the visit has the cookie %q", first)
	}
	// A stronger proof in the same browser: a new cookie, and the old one is nobody's.
	w.enter(victim, "/account/confirm?to=/account/security/password")
	wantText(t, w.enter(victim, "/account"), "вход с ключом")
	second := w.visitCookie(victim)
	if second == first || second == "" {
		t.Errorf("the cookie stays after a stronger proof")
	}
	for _, old := range []string{planted, first} {
		thief := w.Browser()
		thief.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-propusk-visit", Value: old, Path: "/", Secure: true}})
		if a := w.Get(thief, w.Config.Public.URL+"/account"); a.Location() == "" {
			t.Errorf("the cookie %.8s… opens the account: %d", old, a.StatusCode)
		}
	}
}

// TestNoOpenRedirect: no address that somebody may write into a link leads away from the
// gateway, before a sign-in or after it.
func TestNoOpenRedirect(t *testing.T) {
	w := newAccountWorld(t)
	w.withPassword()
	inside := w.GOSTBrowser("ip")
	w.enter(inside, "/account")
	evil := []string{
		"https://evil.example/", "//evil.example/", `/\evil.example/`, "https:evil.example", "/%2f/evil.example", "javascript:alert(1)", "/account@evil.example",
		"/account/../../\\evil.example", "%0d%0aLocation:%20https://evil.example/", "/account\r\nLocation: https://evil.example/",
	}
	for _, c := range []*http.Client{w.Browser(), inside} {
		for _, to := range evil {
			for _, path := range []string{
				"/account/confirm?to=%s", "/logout?post_logout_redirect_uri=%s", "/logout?end=%s", "/signin?request=%s", "/signin/password?request=%s",
				"/language?back=%s&lang=en", "/?lang=en&next=%s", "/signin/second?request=%s", "/registration?back=%s", "/activate?code=%s", "/recovery?to=%s",
				"/authorize?client_id=test&response_type=code&scope=openid&redirect_uri=%s", "/account/taxpayer?to=%s", "/signin/return?ticket=%s",
			} {
				a := w.Get(c, w.Config.Public.URL+strings.Replace(path, "%s", url.QueryEscape(to), 1))
				if to := a.Location(); to != "" {
					u, err := a.Request.URL.Parse(strings.ReplaceAll(to, `\`, "/"))
					if err != nil || "https://"+u.Host != w.Config.Public.URL && "https://"+u.Host != w.Config.SignIn.URL {
						t.Errorf("%s leads to %q", a.Request.URL, to)
					}
				}
				for _, m := range regexp.MustCompile(`(?:href|action|content|src)="([^"]*evil\.example[^"]*)"`).FindAllStringSubmatch(a.Text, -1) {
					u, err := a.Request.URL.Parse(strings.ReplaceAll(html.UnescapeString(m[1]), `\`, "/"))
					if err != nil || u.Hostname() != a.Request.URL.Hostname() {
						t.Errorf("%s offers %q", a.Request.URL, m[1])
					}
				}
			}
		}
	}
}

// TestNobodyIsBelievedAboutAddresses: no header makes letters, pages or redirects name another
// host, or the journal another address.
func TestNobodyIsBelievedAboutAddresses(t *testing.T) {
	w := newAccountWorld(t)
	w.withPassword()
	spoofed := func(r *http.Request) *http.Request {
		r.Host = "evil.example"
		for name, value := range map[string]string{
			"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "203.0.113.77", "X-Real-IP": "203.0.113.77", "X-Forwarded-Proto": "http",
			"Forwarded": "for=203.0.113.77;host=evil.example", "X-Original-URL": "/account", "X-Rewrite-URL": "/account", "X-HTTP-Method-Override": "POST",
			"X-SSL-Client-Cert": "x", "X-Client-Verify": "SUCCESS", "Referer": "https://evil.example/", "X-Host": "evil.example",
		} {
			r.Header.Set(name, value)
		}
		return r
	}
	c := w.GOSTBrowser("ip")
	for _, path := range []string{"/", "/account", "/signin?request=x", "/nowhere", "/recovery", "/check", "/.well-known/openid-configuration"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Config.Public.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := w.Do(c, spoofed(r))
		if strings.Contains(a.Text+a.Location(), "evil.example") {
			t.Errorf("%s names another host: %s\n%s", path, a.Location(), a.Text)
		}
	}
	// The header of the connection that a sign-in leaves in the journal is that of the
	// connection.
	w.enter(c, "/account")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Config.Public.URL+"/account/visits", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/account/visits", "/account/journal"} {
		r.URL.Path = path
		if a := w.Do(c, spoofed(r.Clone(t.Context()))); strings.Contains(a.Text, "203.0.113") || strings.Contains(a.Text, "evil") {
			t.Errorf("%s believes a header:\n%s", path, a.Text)
		}
	}
}

// sameFor blanks what differs between any two answers.
func sameFor(text, login string) string {
	text = strings.ReplaceAll(text, login, "LOGIN")
	for _, pattern := range []string{`<code class="id">[^<]*</code>`, `name="form-token" value="[^"]*"`, `name="request" value="[^"]*"`, `request=[^"&]*`} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, "")
	}
	return text
}

// TestNobodyLearnsWhoHasAnAccount: the answers to a login that somebody has and to one that
// nobody has are the same but for the login, at sign-in and at recovery.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	w := newAccountWorld(t)
	w.withPassword()
	known, unknown := w.Country.Person("ip").INN, w.Country.Person("ip512").INN
	answers := func(login string) []string {
		c := w.Browser()
		wrong := w.tryPassword(c, login, "not the password")
		page := w.Get(c, w.Config.Public.URL+"/recovery")
		recovery := w.PostForm(c, page, "/recovery", url.Values{"login": {login}, "email": {"ip@people.example"}, "code-word": {"каравелла"}})
		texts := []string{wrong.Status + sameFor(wrong.Text, login), recovery.Status + recovery.Location() + sameFor(recovery.Text, login)}
		for _, a := range []testgateway.Answer{wrong, recovery} {
			var names []string
			for _, cookie := range a.Cookies() {
				names = append(names, cookie.Name)
			}
			texts = append(texts, strings.Join(names, " "))
		}
		return texts
	}
	if a, b := answers(known), answers(unknown); !slices.Equal(a, b) {
		for i := range a {
			if a[i] != b[i] {
				t.Errorf("who has an account is told:\n%s\n\nand who has none:\n%s", a[i], b[i])
			}
		}
	}
}

// hostileText is what no page may take for more than text.
const hostileText = `"><script>alert(1)</script><img src=x onerror=alert(1)>'{{.}}`

// hostileCertificate is one of an entrepreneur of which every field that people or their CAs
// fill in with words is hostile. Numbers are of types that hold nothing but digits.
func hostileCertificate(t *testing.T, w *accountWorld, id string) gosttls.Certificate {
	t.Helper()
	p := w.Country.Person(id)
	template := w.Country.PersonTemplate(p)
	numbers := []string{gostx509.OIDINN.String(), gostx509.OIDOGRNIP.String(), gostx509.OIDSNILS.String(), gostx509.OIDCountry.String(), gostx509.OIDEmail.String()}
	for i, a := range template.Subject {
		if !slices.Contains(numbers, a.Type.String()) {
			template.Subject[i].Text = hostileText
		}
	}
	for _, extra := range []gostx509.Attribute{
		{Type: gostx509.OIDState, Text: hostileText}, {Type: gostx509.OIDLocality, Text: hostileText}, {Type: gostx509.OIDStreet, Text: hostileText},
		{Type: gostx509.OIDTitle, Text: hostileText}, {Type: gostx509.OIDOrganization, Text: hostileText},
	} {
		template.Subject = append(template.Subject, extra)
	}
	template.SubjectSignTool = hostileText
	issued, err := w.Country.Issue(p.Issuer, template, gost3410.TC26256A())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := gosttls.NewCertificate([][]byte{issued.Certificate.Raw}, issued.Key)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// harmless fails if a page has taken hostile text for more than text.
func harmless(t *testing.T, name string, a testgateway.Answer) {
	t.Helper()
	for _, bad := range []string{"<script>alert", "<img src=x", "<b id=x>", "onerror=alert(1)>'", "<no value>"} {
		if strings.Contains(a.Text, bad) {
			t.Errorf("%s: %s has %q", name, a.Request.URL, bad)
		}
	}
}

// TestNoScriptFromACertificate: whatever a certificate says, in whatever field, it is text on
// every page that shows it: of the sign-in, of the registration and of the account.
func TestNoScriptFromACertificate(t *testing.T) {
	w := newAccountWorld(t)
	cert := hostileCertificate(t, w, "ip512")
	c := w.GOSTBrowser("", func(config *gosttls.Config) { config.Certificates = []gosttls.Certificate{cert} })
	for name, a := range map[string]testgateway.Answer{"sign-in": w.Get(c, w.Config.SignIn.URL+"/"), "registration": w.enter(c, "/account")} {
		wantStatus(t, a, http.StatusOK)
		harmless(t, name, a)
		if !strings.Contains(a.Text, "&lt;script&gt;") {
			t.Errorf("%s does not show the words of the certificate:\n%s", name, a.Text)
		}
	}
	// The same words in an account.
	hostile := newAccountWorld(t, func(a *account.Account) {
		a.Identity.Name = person.NewName(hostileText)
		a.EmailConfirmed = time.Time{} // a password is enough to change what there is no second proof for
		for i := range a.Taxpayers {
			a.Taxpayers[i].Name = person.NewName(hostileText)
		}
	})
	hostile.withPassword()
	c = hostile.Browser()
	hostile.follow(c, hostile.tryPassword(c, hostile.Country.Person("ip").INN, attackSecret))
	shown := 0
	for _, path := range []string{"", "/certificates", "/journal", "/visits", "/security", "/email", "/taxpayer", "/block"} {
		a := hostile.Get(c, hostile.Config.Public.URL+"/account"+path)
		wantStatus(t, a, http.StatusOK)
		harmless(t, "account", a)
		shown += strings.Count(a.Text, "&lt;script&gt;")
	}
	if shown == 0 {
		t.Error("no page of the account shows the name")
	}
}
