package login_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/factor"
	"propusk/server/login"
	"propusk/server/mail/mailbox"
	"propusk/server/page"
	"propusk/server/password"
	"propusk/server/store"
	"propusk/server/testgateway"
)

// levels is what the services of the test client want.
const levels = `
clients:
  test: password
services:
  - {id: messages, client: test, name: {ru: Переписка, en: Messages}, level: password}
  - {id: payments, client: test, name: {ru: Платежи, en: Payments}, level: 2fa}
`

// good and better are passwords that are taken.
const (
	good   = "Дуб-над-рекой-7"
	better = "Клён-за-окном-8"
)

// gateway is a gateway with accounts and a clock.
type gateway struct {
	*testgateway.Gateway
	t      *testing.T
	db     store.Store
	sealer *account.Sealer
	hasher *password.Hasher
	ahead  atomic.Int64 // of the clock, in nanoseconds
}

func start(t *testing.T, change ...func(*testgateway.Gateway)) *gateway {
	t.Helper()
	g := &gateway{t: t}
	began := time.Now()
	all := append([]func(*testgateway.Gateway){testgateway.WithAccounts, func(tg *testgateway.Gateway) {
		tg.Clock = func() time.Time { return began.Add(time.Duration(g.ahead.Load())) }
		tg.WriteFile("levels.yaml", levels)
		tg.Config.Levels.Path = tg.Path("levels.yaml")
		tg.Config.Mail.Poll = 100 * time.Millisecond // for letters of commands
	}}, change...)
	g.Gateway = testgateway.Start(t, all...)
	g.db = g.Accounts()
	var err error
	if g.sealer, err = account.NewSealer(bytes.Repeat([]byte{9}, 32)); err != nil {
		t.Fatal(err)
	}
	if g.hasher, err = password.New(password.Options{Params: password.Params{Memory: 8 << 10, Time: 1}, Pepper: password.Pepper(g.sealer)}); err != nil {
		t.Fatal(err)
	}
	return g
}

// later moves the clock.
func (g *gateway) later(d time.Duration) { g.ahead.Add(int64(d)) }

func (g *gateway) update(f func(store.Tx) error) {
	g.t.Helper()
	if err := g.db.Update(g.t.Context(), f); err != nil {
		g.t.Fatal(err)
	}
}

// person opens an account with a password and a code word.
func (g *gateway) person(who string, change ...func(*account.Account)) account.Account {
	g.t.Helper()
	word, err := g.hasher.Hash(g.t.Context(), "синяя птица")
	if err != nil {
		g.t.Fatal(err)
	}
	a := g.AddAccount(g.db, who, append(change, func(a *account.Account) { a.CodeWord = word })...)
	g.setPassword(a.ID, good)
	return a
}

func (g *gateway) setPassword(id account.ID, text string) {
	g.t.Helper()
	hash, err := g.hasher.Hash(g.t.Context(), text)
	if err != nil {
		g.t.Fatal(err)
	}
	g.update(func(tx store.Tx) error {
		return tx.PutPassword(account.Password{Account: id, Hash: hash, Set: g.Clock()})
	})
}

func inn(a account.Account) string { return a.Identity.INN.Reveal() }

// authorize is where a service sends the browser.
func (g *gateway) authorize(service string) string {
	d := sha256.Sum256([]byte("a verifier of more than forty-three characters"))
	q := url.Values{
		"client_id": {testgateway.ClientID}, "redirect_uri": {testgateway.Callback}, "response_type": {"code"}, "scope": {"openid"},
		"state": {"state"}, "nonce": {"nonce"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(d[:])}, "code_challenge_method": {"S256"},
	}
	if service != "" {
		q.Set("service", service)
	}
	return g.Config.Public.URL + "/authorize?" + q.Encode()
}

// form brings a browser to the form for login and password.
func (g *gateway) form(c *http.Client, service string) (page testgateway.Answer, sealed string) {
	g.t.Helper()
	to, err := url.Parse(g.Get(c, g.authorize(service)).Location())
	if err != nil {
		g.t.Fatal(err)
	}
	sealed = to.Query().Get("request")
	page = g.Get(c, g.Config.Public.URL+login.PathPassword+"?"+url.Values{"request": {sealed}}.Encode())
	if page.StatusCode != http.StatusOK {
		g.t.Fatalf("the form: %d\n%s", page.StatusCode, page.Text)
	}
	return page, sealed
}

// password posts login and password.
func (g *gateway) password(c *http.Client, service, inn, text string) testgateway.Answer {
	g.t.Helper()
	form, sealed := g.form(c, service)
	return g.PostForm(c, form, login.PathPassword, url.Values{"request": {sealed}, "login": {inn}, "password": {text}})
}

// entered checks that a browser is sent on to the service with a code.
func (g *gateway) entered(a testgateway.Answer) {
	g.t.Helper()
	if a.StatusCode != http.StatusOK || !strings.Contains(html.UnescapeString(a.Text), testgateway.Callback+"?") || !strings.Contains(a.Text, "code=") {
		g.t.Fatalf("not let in: %d %s\n%s", a.StatusCode, a.Location(), a.Text)
	}
}

// refused checks that a page says why.
func (g *gateway) refused(a testgateway.Answer, status int, code reason.Code) {
	g.t.Helper()
	if a.StatusCode != status || !strings.Contains(a.Text, `data-code="`+string(code)+`"`) && !strings.Contains(a.Text, string(code)) {
		g.t.Fatalf("%d, want %d and %s\n%s", a.StatusCode, status, code, a.Text)
	}
}

// moved checks that the browser is sent on to a path, and gets it.
func (g *gateway) moved(c *http.Client, a testgateway.Answer, path string) testgateway.Answer {
	g.t.Helper()
	if a.StatusCode != http.StatusSeeOther || a.Location() != path {
		g.t.Fatalf("%d to %q, want %q\n%s", a.StatusCode, a.Location(), path, a.Text)
	}
	return g.Get(c, g.Config.Public.URL+path)
}

// letter waits for a letter of somebody with a text in it.
func (g *gateway) letter(to, text string) mailbox.Letter {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	defer cancel()
	l, err := g.Mail.Wait(ctx, to, func(l mailbox.Letter) bool { return strings.Contains(l.Text, text) })
	if err != nil {
		g.t.Fatalf("no letter with %q: %v", text, err)
	}
	return l
}

func TestPassword(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	g.entered(g.password(c, "messages", inn(a), good))
	if again := g.Get(c, g.authorize("")); again.StatusCode != http.StatusFound || !strings.HasPrefix(again.Location(), testgateway.Callback+"?code=") {
		t.Errorf("the visit does not serve: %d %s", again.StatusCode, again.Location())
	}
	spaced := inn(a)[:4] + " " + inn(a)[4:]
	g.entered(g.password(g.Browser(), "", spaced, good))

	form, sealed := g.form(g.Browser(), "")
	if !strings.Contains(form.Text, `autocomplete="username"`) || !strings.Contains(form.Text, `autocomplete="current-password"`) {
		t.Error("password managers do not know the fields")
	}
	foreign := g.Browser()
	other, own := g.form(foreign, "")
	g.refused(g.PostForm(foreign, other, login.PathPassword, url.Values{"request": {sealed}, "login": {inn(a)}, "password": {good}}),
		http.StatusForbidden, reason.SignInOtherBrowser)

	slip := g.password(g.Browser(), "", "123456789012", "xx")
	if slip.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(slip.Text, `href="#field-login"`) || !strings.Contains(slip.Text, `value="123456789012"`) {
		t.Errorf("a slip: %d\n%s", slip.StatusCode, slip.Text)
	}
	english := g.Get(foreign, g.Config.Public.URL+login.PathPassword+"?lang=en&"+url.Values{"request": {own}}.Encode())
	if !strings.Contains(english.Text, "Sign in with login and password") || strings.Contains(english.Text, "Пароль") {
		t.Error("no English")
	}
	for _, secret := range []string{good, inn(a)} {
		if strings.Contains(g.Log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// changing is what differs from answer to answer whatever it is about.
var changing = regexp.MustCompile(`name="form-token" value="[^"]*"|name="request" value="[^"]*"|request=[^"&]*|<code class="id">[^<]*</code>|value="[0-9]{12}"`)

// TestEnumeration: no answer tells whether there is a login.
func TestEnumeration(t *testing.T) {
	g := start(t)
	known := g.person("ip")
	blocked := g.person("ul", func(a *account.Account) { a.State, a.Why = account.Blocked, reason.AccountBlocked })
	bare := g.AddAccount(g.db, "fl")
	var want testgateway.Answer
	for i, who := range []string{inn(known), inn(blocked), inn(bare), "770000000156", login.DemoINN} {
		got := g.password(g.Browser(), "", who, "Неверный-пароль-1")
		g.refused(got, http.StatusForbidden, reason.LoginWrong)
		if i == 0 {
			want = got
		}
		if a, b := changing.ReplaceAllString(want.Text, ""), changing.ReplaceAllString(got.Text, ""); a != b {
			t.Errorf("%d: the page differs:\n%s\n---\n%s", i, a, b)
		}
		if fmt.Sprint(want.Header["Set-Cookie"] == nil) != fmt.Sprint(got.Header["Set-Cookie"] == nil) || len(want.Header) != len(got.Header) {
			t.Errorf("%d: the headers differ: %v, %v", i, want.Header, got.Header)
		}
	}

	recovery := g.Browser()
	form := g.Get(recovery, g.Config.Public.URL+login.PathRecovery)
	want = testgateway.Answer{}
	for i, fields := range []url.Values{
		{"login": {inn(known)}, "email": {"ip@people.example"}, "code-word": {"Синяя  ПТИЦА "}},
		{"login": {inn(known)}, "email": {"ip@people.example"}, "code-word": {"другое"}},
		{"login": {inn(known)}, "email": {"other@people.example"}, "code-word": {"синяя птица"}},
		{"login": {"770000000156"}, "email": {"ip@people.example"}, "code-word": {"синяя птица"}},
		{"login": {inn(blocked)}, "email": {"ul@people.example"}, "code-word": {"синяя птица"}},
	} {
		got := g.PostForm(recovery, form, login.PathRecovery, fields)
		if i == 0 {
			want = got
		}
		if a, b := changing.ReplaceAllString(want.Text, ""), changing.ReplaceAllString(got.Text, ""); a != b || got.StatusCode != http.StatusOK {
			t.Errorf("%d: the page of recovery differs: %d\n%s\n---\n%s", i, got.StatusCode, a, b)
		}
	}
	g.letter("ip@people.example", login.PathReset)
	if n := len(g.Mail.Letters("ul@people.example")) + len(g.Mail.Letters("other@people.example")); n > 0 {
		t.Errorf("%d letters that nobody earned", n)
	}
}

// TestLockOut: guessing ends soon, and the person comes in all the same.
func TestLockOut(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	home := g.Browser()
	g.entered(g.password(home, "", inn(a), good))
	g.Get(home, g.Config.Public.URL+"/account") // the cookies are kept
	attacker := g.Browser()
	for range 5 {
		g.refused(g.password(attacker, "", inn(a), "Неверный-пароль-1"), http.StatusForbidden, reason.LoginWrong)
	}
	locked := g.password(attacker, "", inn(a), good)
	g.refused(locked, http.StatusTooManyRequests, reason.LoginThrottled)
	if locked.Header.Get("Retry-After") == "" {
		t.Error("nobody says how long to wait")
	}
	g.refused(g.password(attacker, "", "770000000156", "Неверный-пароль-1"), http.StatusForbidden, reason.LoginWrong)
	g.entered(g.postLogin(home, "", a, good))
	g.later(15 * time.Minute)
	g.entered(g.password(attacker, "", inn(a), good)) // the network pays, but not for ever
}

// postLogin signs in from a browser whose visit is over.
func (g *gateway) postLogin(c *http.Client, service string, a account.Account, text string) testgateway.Answer {
	g.t.Helper()
	g.update(func(tx store.Tx) error {
		visits, err := tx.Visits(a.ID)
		for _, v := range visits {
			if err == nil {
				err = tx.DeleteVisit(v.Key)
			}
		}
		return err
	})
	return g.password(c, service, inn(a), text)
}

// TestForeignForm: a form that no page of ours has shown is not looked at.
func TestForeignForm(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	_, sealed := g.form(c, "")
	fields := url.Values{"request": {sealed}, "login": {inn(a)}, "password": {good}}
	for _, path := range []string{login.PathPassword, login.PathSecond, login.PathChange, login.PathRecovery, login.PathReset, login.PathByKey} {
		got := g.Post(c, g.Config.Public.URL+path, "application/x-www-form-urlencoded", fields.Encode())
		g.refused(got, http.StatusForbidden, reason.FormExpired)
	}
}

// totp enrols an application, and returns its secret and recovery codes.
func (g *gateway) totp(a account.Account) (secret string, codes []string) {
	g.t.Helper()
	k := factor.New(factor.Options{Sealer: g.sealer, Issuer: "Пропуск", Now: g.Clock})
	g.update(func(tx store.Tx) error {
		e, err := k.Propose(tx, a.ID, inn(a))
		if err != nil {
			return err
		}
		secret = strings.ReplaceAll(e.Secret, " ", "")
		code, err := totp.GenerateCode(secret, g.Clock())
		if err != nil {
			return err
		}
		codes, _, err = k.Confirm(tx, a.ID, code)
		return err
	})
	return secret, codes
}

func (g *gateway) code(secret string) string {
	g.t.Helper()
	code, err := totp.GenerateCode(secret, g.Clock())
	if err != nil {
		g.t.Fatal(err)
	}
	return code
}

func TestSecondFactor(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	secret, codes := g.totp(a)
	g.later(time.Minute)
	second := func(c *http.Client, method, code string) testgateway.Answer {
		form := g.moved(c, g.password(c, "messages", inn(a), good), login.PathSecond)
		return g.PostForm(c, form, login.PathSecond, url.Values{"method": {method}, "code": {code}})
	}
	c := g.Browser()
	wrong := second(c, account.TOTP, "00000")
	g.refused(wrong, http.StatusForbidden, reason.LoginCodeWrong)
	if !strings.Contains(wrong.Text, `href="#field-code"`) || strings.Contains(wrong.Text, `value="00000"`) {
		t.Error("the error is not at its field, or the code is written back")
	}
	code := g.code(secret)
	g.entered(g.PostForm(c, wrong, login.PathSecond, url.Values{"method": {account.TOTP}, "code": {code}}))
	// A second time neither the code nor the sign-in is good.
	g.refused(g.PostForm(c, wrong, login.PathSecond, url.Values{"method": {account.TOTP}, "code": {code}}), http.StatusForbidden, reason.LoginExpired)
	thief := g.Browser()
	g.refused(second(thief, account.TOTP, code), http.StatusForbidden, reason.LoginCodeWrong)
	g.entered(second(g.Browser(), account.Recovery, strings.ToLower(codes[0])))
	g.refused(second(g.Browser(), account.Recovery, codes[0]), http.StatusForbidden, reason.LoginCodeWrong)

	// Without the cookie of the sign-in there is none, and the password alone opens nothing.
	g.refused(g.Get(g.Browser(), g.Config.Public.URL+login.PathSecond), http.StatusForbidden, reason.LoginExpired)
	g.refused(g.Get(g.Browser(), g.Config.Public.URL+login.PathChange), http.StatusForbidden, reason.LoginExpired)
	alone := g.Browser()
	g.moved(alone, g.password(alone, "", inn(a), good), login.PathSecond)
	if got := g.Get(alone, g.authorize("")); !strings.Contains(got.Location(), "/signin?request=") {
		t.Errorf("the password alone opens %s", got.Location())
	}
	g.refused(g.Get(alone, g.Config.Public.URL+login.PathChange), http.StatusForbidden, reason.LoginExpired)
}

// TestGuessingCodes: five wrong codes end a sign-in, and a few more those of the network.
func TestGuessingCodes(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	secret, _ := g.totp(a)
	g.later(time.Minute)
	c := g.Browser()
	form := g.moved(c, g.password(c, "", inn(a), good), login.PathSecond)
	for i := range 5 {
		got := g.PostForm(c, form, login.PathSecond, url.Values{"method": {account.TOTP}, "code": {fmt.Sprintf("%05d", i)}})
		if i < 4 {
			g.refused(got, http.StatusForbidden, reason.LoginCodeWrong)
		} else {
			g.refused(got, http.StatusTooManyRequests, reason.LoginCodeAttempts)
		}
	}
	g.refused(g.Get(c, g.Config.Public.URL+login.PathSecond), http.StatusForbidden, reason.LoginExpired)
	form = g.moved(c, g.password(c, "", inn(a), good), login.PathSecond)
	g.refused(g.PostForm(c, form, login.PathSecond, url.Values{"method": {account.TOTP}, "code": {g.code(secret)}}),
		http.StatusTooManyRequests, reason.LoginCodeAttempts)
}

// digits finds the code of a letter.
var digits = regexp.MustCompile(`\b\d{4}[\x{a0} ]?\d{4}\b`)

func TestCodeByEmail(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	form := g.moved(c, g.password(c, "payments", inn(a), good), login.PathSecond)
	if strings.Contains(form.Text, "ip@people.example") {
		t.Error("the page has the address in clear")
	}
	code := digits.FindString(g.letter("ip@people.example", "од").Text)
	if code == "" {
		t.Fatalf("the letter has no code:\n%s", g.Mail.Letters("ip@people.example")[0].Text)
	}
	// Another browser has another sign-in: the code is not for it.
	thief := g.Browser()
	stolen := g.moved(thief, g.password(thief, "payments", inn(a), good), login.PathSecond)
	g.refused(g.PostForm(thief, stolen, login.PathSecond, url.Values{"method": {account.EmailCode}, "code": {code}}), http.StatusForbidden, reason.LoginCodeWrong)
	g.entered(g.PostForm(c, form, login.PathSecond, url.Values{"method": {account.EmailCode}, "code": {code}}))
	// What is only for passwords does not ask; and a visit by password is raised.
	low := g.Browser()
	g.entered(g.password(low, "messages", inn(a), good))
	to, err := url.Parse(g.Get(low, g.authorize("payments")).Location())
	if err != nil {
		t.Fatal(err)
	}
	raised := g.moved(low, g.Get(low, g.Config.Public.URL+login.PathSecond+"?"+to.RawQuery), login.PathSecond)
	sent := g.PostForm(low, raised, login.PathSecond, url.Values{"action": {"send"}})
	g.moved(low, sent, login.PathSecond)
	letters := len(g.Mail.Letters("ip@people.example"))
	for range 20 {
		sent = g.PostForm(low, raised, login.PathSecond, url.Values{"action": {"send"}})
	}
	g.refused(sent, http.StatusTooManyRequests, reason.LoginCodeSent)
	if more := len(g.Mail.Letters("ip@people.example")) - letters; more > 10 {
		t.Errorf("%d letters at the wish of a browser", more)
	}
}

// TestNoFactor: who has nothing to prove more with is told so.
func TestNoFactor(t *testing.T) {
	g := start(t)
	a := g.person("ip", func(a *account.Account) { a.EmailConfirmed = time.Time{} })
	g.refused(g.password(g.Browser(), "payments", inn(a), good), http.StatusForbidden, reason.LoginNoFactor)
	g.entered(g.password(g.Browser(), "messages", inn(a), good))
}

// TestDemo: the login that nobody has opens the account of the demo, where there is one.
func TestDemo(t *testing.T) {
	var number string
	g := start(t, func(tg *testgateway.Gateway) {
		who, err := tg.Country.Person("ip").Certificate.Identity()
		if err != nil {
			t.Fatal(err)
		}
		number = who.INN.Reveal()
		tg.Config.Login.DemoINN = number
	})
	person := g.person("ip", func(a *account.Account) { a.Origin = account.ByCertificate })
	g.refused(g.password(g.Browser(), "", login.DemoINN, good), http.StatusForbidden, reason.LoginWrong)
	g.update(func(tx store.Tx) error {
		a, err := tx.Account(person.ID)
		a.Origin = account.ByDemo
		if err == nil {
			err = tx.PutAccount(&a)
		}
		return err
	})
	g.entered(g.password(g.Browser(), "", login.DemoINN, good))
}

// TestPages: every page of the package is in both languages.
func TestPages(t *testing.T) {
	if _, err := page.New(page.Site{PublicURL: "https://gateway.example"}, login.Templates()); err != nil {
		t.Error(err)
	}
}

// TestRaise: a visit by password is raised by the code alone, if the password was typed as
// lately as the service wants; the cookie of before opens nothing.
func TestRaise(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	g.entered(g.password(c, "messages", inn(a), good))
	secret, _ := g.totp(a)
	here, err := url.Parse(g.Config.Public.URL)
	if err != nil {
		t.Fatal(err)
	}
	before := c.Jar.Cookies(here)
	raise := func(c *http.Client, address string) testgateway.Answer {
		to, err := url.Parse(g.Get(c, address).Location())
		if err != nil {
			t.Fatal(err)
		}
		return g.Get(c, g.Config.Public.URL+login.PathSecond+"?"+to.RawQuery)
	}
	g.later(2 * time.Minute)
	form := g.moved(c, raise(c, g.authorize("payments")), login.PathSecond)
	g.entered(g.PostForm(c, form, login.PathSecond, url.Values{"method": {account.TOTP}, "code": {g.code(secret)}}))

	thief := g.Browser()
	thief.Jar.SetCookies(here, before)
	if got := g.Get(thief, g.authorize("messages")); !strings.Contains(got.Location(), "/signin?request=") {
		t.Errorf("the cookie of before is good: %s", got.Location())
	}
	// The code of two minutes later is no password of two minutes later.
	late := raise(c, g.authorize("payments")+"&max_age=0")
	if late.StatusCode != http.StatusSeeOther || !strings.HasPrefix(late.Location(), login.PathPassword+"?request=") {
		t.Errorf("%d to %s", late.StatusCode, late.Location())
	}
	if got := raise(g.Browser(), g.authorize("payments")); !strings.HasPrefix(got.Location(), login.PathPassword+"?request=") {
		t.Errorf("nobody's visit is raised: %s", got.Location())
	}
}
