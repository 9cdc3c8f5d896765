package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"propusk/server/testgateway"
	visits "propusk/server/visit"
)

// sealed goes to a path of the gateway that sends to the sign-in page, and returns the
// request.
func (v visit) sealed(path string) string {
	v.t.Helper()
	a := v.get(path)
	u, err := url.Parse(a.Location())
	if err != nil || u.Path != "/signin" || u.Query().Get("request") == "" {
		v.t.Fatalf("%s: %d %q\n%s", path, a.StatusCode, a.Location(), a.Text)
	}
	return u.Query().Get("request")
}

// TestOwnPageByAgent: a page of the gateway itself is entered by an agent, who is told that it
// is the gateway that asks.
func TestOwnPageByAgent(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	g.AddAccount(g.Accounts(), "ip")
	v := newVisit(t, g)
	state := v.state(v.post(v.b, "/signin/agent", "null", url.Values{"request": {v.sealed("/account/visits")}}))
	r := v.request(state)
	if r.Service != "Учётная запись" {
		t.Errorf("the agent is asked by %q", r.Service)
	}
	a := v.get(strings.TrimPrefix(v.next(v.follow(v.answer(state, v.sign(r.Content(), v.signatory("ip"))))), g.Config.Public.URL))
	if a.Location() != g.Config.Public.URL+"/account/visits" {
		t.Fatalf("%d %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	wantText(t, v.get("/account/visits"), g.Country.Person("ip").Name)
	// Who visits is known to services as well, without a page.
	if a := g.Get(v.b, authorizeURL(g, "s")+"&prompt=none"); !strings.HasPrefix(a.Location(), testgateway.Callback+"?code=") {
		t.Errorf("silently: %q", a.Location())
	}
}

// TestVisitCookie: what opens the visit is in one cookie of this host, and nowhere else.
func TestVisitCookie(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	db := g.Accounts()
	g.GivePassword(db, g.AddAccount(db, "ip"), "Зелёный чайник 7")
	v := newVisit(t, g)
	v.signInByPassword("ip")
	public, err := url.Parse(g.Config.Public.URL)
	if err != nil {
		t.Fatal(err)
	}
	var value string
	for _, c := range v.b.Jar.Cookies(public) {
		if c.Name == visits.Cookie {
			value = c.Value
		}
	}
	if len(value) != 43 {
		t.Fatalf("the cookie of the visit: %q", value)
	}
	for _, path := range []string{"/account", "/account/visits", "/account/security"} {
		if a := v.get(path); a.StatusCode != http.StatusOK || strings.Contains(a.Text, value) {
			t.Errorf("%s: %d, or the page has the cookie", path, a.StatusCode)
		}
	}
	for _, secret := range []string{value, g.Country.Person("ip").INN, "Зелёный чайник 7"} {
		if strings.Contains(g.Log.String(), secret) {
			t.Error("the log knows what it should not")
		}
	}
}

// signInByPassword signs a person in at a page of the gateway itself.
func (v visit) signInByPassword(who string) {
	v.t.Helper()
	sealed := v.sealed("/account")
	page := v.get("/signin?request=" + url.QueryEscape(sealed))
	a := v.g.PostForm(v.b, page, "/signin/password", url.Values{
		"request": {sealed}, "login": {v.g.Country.Person(who).INN}, "password": {"Зелёный чайник 7"},
	})
	if at := v.next(a); at != v.g.Config.Public.URL+"/account" {
		v.t.Fatalf("the password leads to %q\n%s", at, a.Text)
	}
}

// TestFreshProof: who is to prove his key just now does so, though his browser could resume
// the TLS session in which he has proven it before; and so after he has signed out.
func TestFreshProof(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			g := testgateway.Start(t, testgateway.WithAccounts)
			g.AddAccount(g.Accounts(), "ip")
			v := newVisit(t, g)
			key := g.GOSTBrowser("ip", resuming(version))
			ask := func(query string) string { t.Helper(); return g.Get(v.b, authorizeURL(g, "s")+query).Location() }
			prove := func(page string, old bool) {
				t.Helper()
				u, err := url.Parse(page)
				if err != nil || u.Path != "/signin" {
					t.Fatalf("authorize: %q", page)
				}
				signIn := "/signin?request=" + url.QueryEscape(u.Query().Get("request"))
				back := g.Get(key, g.Config.SignIn.URL+signIn).Location()
				if old { // it says: come again and prove the key
					if back != signIn {
						t.Errorf("an earlier proof counts as one of just now: %q", back)
					}
					back = g.Get(key, g.Config.SignIn.URL+signIn).Location()
				}
				if a := g.Get(v.b, back); !strings.HasPrefix(a.Location(), testgateway.Callback+"?code=") {
					t.Fatalf("%q: %d %q\n%s", back, a.StatusCode, a.Location(), a.Text)
				}
			}
			prove(ask(""), false)
			if s := whoIs(t, g, key); !s.is(true, "") {
				t.Fatalf("the browser does not resume: %+v", s)
			}
			page := ask("&max_age=0")
			prove(page, true)
			// Nobody visits any more, and the TLS session is alive still.
			v.b = g.Browser()
			prove(ask("&max_age=0"), true)
			if a := v.g.PostForm(v.b, v.get("/logout"), "/logout", nil); !strings.Contains(a.Text, "Вы вышли") {
				t.Errorf("sign-out: %d\n%s", a.StatusCode, a.Text)
			}
			if s := whoIs(t, g, key); !s.is(false, "") {
				t.Errorf("resumed after the person has signed out: %+v", s)
			}
		})
	}
}

// TestLevelOfOthers: a client that no policy names wants a key.
func TestLevelOfOthers(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	db := g.Accounts()
	g.GivePassword(db, g.AddAccount(db, "ip"), "Зелёный чайник 7")
	v := newVisit(t, g)
	v.signInByPassword("ip")
	a := v.get("/signin?request=" + v.authorize())
	wantText(t, a, "Нужно подтвердить вход", "принимает только вход с ключом")
	if strings.Contains(a.Text, `name="password"`) {
		t.Error("a password is taken")
	}
	if a := g.Get(v.b, authorizeURL(g, "s")+"&prompt=none"); !strings.Contains(a.Location(), "error=interaction_required") {
		t.Errorf("silently: %q", a.Location())
	}
}
