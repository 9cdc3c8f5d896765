package cabinet

import (
	"bytes"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/oidc"
	"propusk/server/request"
	"propusk/server/session"
)

const signInHost = "https://signin.example"

// house is the cabinet with a real provider; the test plays the sign-in host.
type house struct {
	t        *testing.T
	cabinet  *httptest.Server
	provider *oidc.Provider
	public   *httptest.Server
	log      bytes.Buffer
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t}
	h.public = httptest.NewTLSServer(nil)
	t.Cleanup(h.public.Close)
	h.cabinet = httptest.NewServer(nil)
	t.Cleanup(h.cabinet.Close)

	refuse := func(w http.ResponseWriter, _ *http.Request, code reason.Code) {
		http.Error(w, string(code), http.StatusForbidden)
	}
	p, err := oidc.New(oidc.Options{
		Issuer: h.public.URL, SignInURL: signInHost, SubjectSecret: make([]byte, 32),
		Clients:     []oidc.Client{{ID: "cabinet", RedirectURIs: []string{h.cabinet.URL + "/callback"}, PostLogoutRedirectURIs: []string{h.cabinet.URL + "/"}}},
		RequestLife: time.Minute, TicketLife: time.Minute, CodeLife: time.Minute, TokenLife: time.Minute,
		Limit: 10, Now: time.Now, Refuse: refuse,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.provider = p
	e := request.NewEngine(request.Options{
		Host: "public", Log: slog.New(slog.DiscardHandler), Now: time.Now, Refuse: refuse, Observe: func(request.Outcome) {},
	})
	p.Routes(e)
	h.public.Config.Handler = e

	roots := x509.NewCertPool()
	roots.AddCert(h.public.Certificate())
	c, err := New(Options{
		URL: h.cabinet.URL, Issuer: h.public.URL, ClientID: "cabinet", RootCAs: roots,
		Log: slog.New(slog.NewJSONHandler(&h.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.cabinet.Config.Handler = c
	return h
}

// browser is a client with cookies that trusts both servers and follows no
// redirects.
func (h *house) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &http.Client{
		Jar: jar, Transport: h.public.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (h *house) get(c *http.Client, target string) (*http.Response, string) {
	h.t.Helper()
	res, err := c.Get(target)
	return h.read(res, err)
}

func (h *house) read(res *http.Response, err error) (*http.Response, string) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return res, string(body)
}

// toCode goes from the cabinet to the address that it is called back at.
func (h *house) toCode(c *http.Client) string {
	h.t.Helper()
	res, _ := h.get(c, h.cabinet.URL+"/login")
	res, body := h.get(c, res.Header.Get("Location"))
	u, err := url.Parse(res.Header.Get("Location"))
	if err != nil || u.Path != "/signin" {
		h.t.Fatalf("authorize: %d %q %s", res.StatusCode, u, body)
	}
	req, err := h.provider.Open(u.Query().Get("request"))
	if err != nil {
		h.t.Fatal(err)
	}
	back, err := h.provider.Ticket(req, oidc.Login{Identity: somebody(h.t), At: time.Now()})
	if err != nil {
		h.t.Fatal(err)
	}
	res, body = h.get(c, back)
	if !strings.HasPrefix(res.Header.Get("Location"), h.cabinet.URL+"/callback?") {
		h.t.Fatalf("return: %d %s", res.StatusCode, body)
	}
	return res.Header.Get("Location")
}

func somebody(t *testing.T) person.Identity {
	inn, err := person.ParseINN("500100732259")
	if err != nil {
		t.Fatal(err)
	}
	ogrnip, err := person.ParseOGRNIP("304500116000157")
	if err != nil {
		t.Fatal(err)
	}
	return person.Identity{Kind: person.Entrepreneur, Name: person.NewName("Примеров <Пример> Примерович"), INN: inn, OGRNIP: ogrnip}
}

func TestGreeting(t *testing.T) {
	h := open(t)
	c := h.browser()
	if _, body := h.get(c, h.cabinet.URL+"/"); !strings.Contains(body, "Войти с ключом электронной подписи") || strings.Contains(body, "Здравствуйте") {
		t.Errorf("a visitor sees:\n%s", body)
	}
	res, body := h.get(c, h.toCode(c))
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("callback: %d %s\n%s", res.StatusCode, body, h.log.String())
	}
	_, body = h.get(c, h.cabinet.URL+"/")
	for _, want := range []string{"Здравствуйте, Примеров &lt;Пример&gt; Примерович!", "500100732259", "304500116000157", requiredACR, "МСК"} {
		if !strings.Contains(body, want) {
			t.Errorf("the greeting lacks %q:\n%s", want, body)
		}
	}

	res, err := c.Post(h.cabinet.URL+"/logout", "application/x-www-form-urlencoded", nil)
	res, _ = h.read(res, err)
	end := res.Header.Get("Location")
	if !strings.HasPrefix(end, h.public.URL+"/end_session?") {
		t.Errorf("logout leads to %q", end)
	}
	// An identity token names the person, and addresses are kept in the history of
	// browsers and in logs.
	if strings.Contains(end, "id_token") || strings.Contains(end, "eyJ") {
		t.Errorf("the address of the logout tells who it is: %q", end)
	}
	if res, body = h.get(c, end); res.Header.Get("Location") != h.cabinet.URL+"/" {
		t.Errorf("end of session: %d %q %s", res.StatusCode, res.Header.Get("Location"), body)
	}
	if _, body = h.get(c, h.cabinet.URL+"/"); strings.Contains(body, "Здравствуйте") {
		t.Error("still greeted after logout")
	}
	if strings.Contains(h.log.String(), "500100732259") {
		t.Error("the log knows the person")
	}
}

func TestCallbackRefuses(t *testing.T) {
	h := open(t)
	c := h.browser()
	good := h.toCode(c)
	for name, f := range map[string]func() (*http.Client, string){
		"another browser": func() (*http.Client, string) { return h.browser(), good },
		"nothing":         func() (*http.Client, string) { return h.browser(), h.cabinet.URL + "/callback" },
		"wrong state": func() (*http.Client, string) {
			b := h.browser()
			return b, strings.Replace(h.toCode(b), "state=", "state=x", 1)
		},
		"wrong code": func() (*http.Client, string) {
			b := h.browser()
			return b, strings.Replace(h.toCode(b), "code=", "code=x", 1)
		},
		"code of another person": func() (*http.Client, string) {
			b, other := h.browser(), h.browser()
			mine, theirs := h.toCode(b), h.toCode(other)
			return b, strings.Replace(mine, "code="+code(mine), "code="+code(theirs), 1)
		},
	} {
		b, target := f()
		res, body := h.get(b, target)
		if res.StatusCode < 400 || res.StatusCode >= 500 || !strings.Contains(body, "Войти не получилось") {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
		if _, body := h.get(b, h.cabinet.URL+"/"); strings.Contains(body, "Здравствуйте") {
			t.Errorf("%s: greeted", name)
		}
	}
	// The attempt of the right browser is still good, and only once.
	if res, _ := h.get(c, good); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the right browser: %d", res.StatusCode)
	}
	if res, _ := h.get(c, good); res.StatusCode != http.StatusBadRequest {
		t.Errorf("the second time: %d", res.StatusCode)
	}
}

func code(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return url.QueryEscape(u.Query().Get("code"))
}

func TestProviderSaysNo(t *testing.T) {
	h := open(t)
	c := h.browser()
	res, _ := h.get(c, h.cabinet.URL+"/login")
	u, err := url.Parse(res.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	res, body := h.get(c, h.cabinet.URL+"/callback?error=login_required&state="+u.Query().Get("state"))
	if res.StatusCode != http.StatusForbidden || !strings.Contains(body, "refused-by-provider") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestProviderIsAway(t *testing.T) {
	h := open(t)
	h.public.Close()
	if res, body := h.get(h.browser(), h.cabinet.URL+"/login"); res.StatusCode != http.StatusBadGateway {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// TestLoginFlood: sign-ins that are begun and never finished keep nobody out.
func TestLoginFlood(t *testing.T) {
	h := open(t)
	for range maxKept + 1 {
		w := httptest.NewRecorder()
		h.cabinet.Config.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/login", nil))
		if w.Code != http.StatusSeeOther {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	c := h.browser()
	if res, body := h.get(c, h.toCode(c)); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after a flood: %d %s", res.StatusCode, body)
	}
}

// TestForgedAttempts: a cookie that is not whole matches no state, not even an
// empty one.
func TestForgedAttempts(t *testing.T) {
	h := open(t)
	key := session.NewKey()
	for value, state := range map[string]string{
		"": "", "..": "", "." + key + "." + key: "", key: key, key + "." + key: key, key + "..": key,
		key + "." + key + "." + key + "." + key: key, "x." + key + "." + key: "x",
	} {
		r := httptest.NewRequest(http.MethodGet, "/callback?code=c&state="+url.QueryEscape(state), nil)
		r.AddCookie(&http.Cookie{Name: attemptCookie, Value: value})
		w := httptest.NewRecorder()
		h.cabinet.Config.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "state-mismatch") {
			t.Errorf("%q: %d %s", value, w.Code, w.Body)
		}
	}
}

func TestLogoutNeedsPost(t *testing.T) {
	h := open(t)
	if res, _ := h.get(h.browser(), h.cabinet.URL+"/logout"); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET /logout: %d", res.StatusCode)
	}
}

func TestCookies(t *testing.T) {
	c, err := New(Options{URL: "https://cabinet.example", Issuer: "https://issuer.example", ClientID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	c.setCookie(w, sessionCookie, "v", time.Minute)
	got := w.Result().Cookies()[0]
	if !strings.HasPrefix(got.Name, "__Host-") || !got.Secure || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{
		{}, {URL: "http://a/", Issuer: "https://b", ClientID: "c"}, {URL: "http://a", Issuer: "b", ClientID: "c"}, {URL: "http://a", Issuer: "https://b"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}
