package visit

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/gost/gosttls"
	"propusk/pki/reason"
	"propusk/server/level"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/store"
)

const bye = "https://service.example/bye"

// host is a house that answers over TLS.
type host struct {
	*house
	server   *httptest.Server
	provider *oidc.Provider
}

func serve(t *testing.T) *host {
	t.Helper()
	h := &host{house: open(t)}
	h.server = httptest.NewUnstartedServer(nil)
	h.server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	h.server.Config.ConnContext = gosttls.ConnContext
	h.server.StartTLS()
	t.Cleanup(h.server.Close)
	refuse := func(w http.ResponseWriter, _ *http.Request, code reason.Code) {
		w.WriteHeader(problem.Status(code))
		io.WriteString(w, string(code))
	}
	book, err := page.New(page.Site{PublicURL: h.server.URL}, Templates())
	if err != nil {
		t.Fatal(err)
	}
	h.provider, err = oidc.New(oidc.Options{
		Issuer: h.server.URL, SignInURL: "https://signin.example", SubjectSecret: make([]byte, 32),
		Clients:     []oidc.Client{{ID: "service", RedirectURIs: []string{"https://service.example/"}, PostLogoutRedirectURIs: []string{bye}}},
		RequestLife: time.Minute, TicketLife: time.Minute, CodeLife: time.Minute, TokenLife: time.Minute,
		Limit: 10, Now: h.now, Refuse: refuse, Visit: h.Who, Granted: h.Granted, LogoutURL: PathLogout,
	})
	if err != nil {
		t.Fatal(err)
	}
	e := request.NewEngine(request.Options{
		Host: "public", Log: slog.New(slog.DiscardHandler), Now: time.Now, Refuse: refuse, Observe: func(request.Outcome) {},
	})
	h.provider.Routes(e)
	Pages{Keeper: h.Keeper, Provider: h.provider, Book: book, Refuse: refuse}.Routes(e)
	h.server.Config.Handler = e
	return h
}

// signedIn returns a browser with a visit.
func (h *host) signedIn() *http.Client {
	h.t.Helper()
	b := &browser{h: h.house}
	b.mustBegin(h.ivan, level.Password)
	c := h.stranger()
	u, err := url.Parse(h.server.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	c.Jar.SetCookies(u, []*http.Cookie{b.cookie})
	return c
}

func (h *host) stranger() *http.Client {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &http.Client{
		Jar: jar, Transport: h.server.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (h *host) do(c *http.Client, method, target string, form url.Values) (*http.Response, string) {
	h.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = h.server.URL + target
	}
	r, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.Do(r)
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

var (
	token = regexp.MustCompile(`name="form-token" value="([^"]+)"`)
	ended = regexp.MustCompile(`name="end" value="([^"]+)"`)
)

// fields are the hidden fields of a page.
func fields(body string) url.Values {
	v := url.Values{}
	if m := token.FindStringSubmatch(body); m != nil {
		v.Set("form-token", m[1])
	}
	if m := ended.FindStringSubmatch(body); m != nil {
		v.Set("end", m[1])
	}
	return v
}

func (h *host) alive() int { h.t.Helper(); return len(h.visitsOf(h.ivan)) }

// fromService is where a service leads to sign out.
func (h *host) fromService(c *http.Client) string {
	h.t.Helper()
	res, body := h.do(c, http.MethodGet, "/end_session?"+url.Values{"client_id": {"service"}, "post_logout_redirect_uri": {bye}}.Encode(), nil)
	target := res.Header.Get("Location")
	if !strings.HasPrefix(target, PathLogout+"?end=") {
		h.t.Fatalf("%d %s %s", res.StatusCode, target, body)
	}
	return target
}

// TestSignOut: the person asks for it himself.
func TestSignOut(t *testing.T) {
	h := serve(t)
	c := h.signedIn()
	_, body := h.do(c, http.MethodGet, PathLogout, nil)
	if h.alive() != 1 || !strings.Contains(body, "Примеров Пример Примерович") || strings.Contains(body, `id="stay"`) {
		t.Fatalf("%d visits; %s", h.alive(), body)
	}
	if res, _ := h.do(c, http.MethodPost, PathLogout, nil); res.StatusCode < 400 || h.alive() != 1 {
		t.Errorf("without the token of the form: %d", res.StatusCode)
	}
	if res, _ := h.do(c, http.MethodPost, PathLogout, url.Values{"form-token": {"x"}}); res.StatusCode < 400 || h.alive() != 1 {
		t.Errorf("with another token: %d", res.StatusCode)
	}
	res, body := h.do(c, http.MethodPost, PathLogout, fields(body))
	if res.StatusCode != http.StatusOK || h.alive() != 0 || !strings.Contains(body, "Вы вышли") {
		t.Errorf("%d, %d visits; %s", res.StatusCode, h.alive(), body)
	}
	if res, _ := h.do(c, http.MethodGet, PathLogout+"?lang=en", nil); res.StatusCode != http.StatusOK {
		t.Errorf("nobody signs out: %d", res.StatusCode)
	}
}

// TestSignOutOfService: without an identity token the person is asked, and may stay.
func TestSignOutOfService(t *testing.T) {
	h := serve(t)
	c := h.signedIn()
	_, page := h.do(c, http.MethodGet, h.fromService(c), nil)
	if h.alive() != 1 {
		t.Fatal("any site signs people out")
	}
	stay := fields(page)
	stay.Set("stay", "yes")
	res, body := h.do(c, http.MethodPost, PathLogout, stay)
	if h.alive() != 1 || !strings.Contains(body, `href="`+bye+`"`) || res.Header.Get("Location") != "" {
		t.Errorf("stay: %d visits, %d %s", h.alive(), res.StatusCode, body)
	}
	_, body = h.do(c, http.MethodPost, PathLogout, fields(page))
	if h.alive() != 0 || !strings.Contains(body, `href="`+bye+`"`) {
		t.Errorf("leave: %d visits, %s", h.alive(), body)
	}
	res, _ = h.do(c, http.MethodGet, h.fromService(c), nil)
	if res.Header.Get("Location") != bye {
		t.Errorf("nobody is signed in, and is sent to %q", res.Header.Get("Location"))
	}
}

// TestSignOutAddress: nobody is led anywhere but to what was checked.
func TestSignOutAddress(t *testing.T) {
	h := serve(t)
	c := h.signedIn()
	for _, end := range []string{"x", "https://evil.example/", strings.Repeat("A", 100)} {
		for _, c := range []*http.Client{c, h.stranger()} {
			if res, body := h.do(c, http.MethodGet, PathLogout+"?end="+url.QueryEscape(end), nil); body != string(reason.SignInExpired) {
				t.Errorf("%q: %d %s", end, res.StatusCode, body)
			}
		}
	}
	_, page := h.do(c, http.MethodGet, PathLogout, nil)
	form := fields(page)
	form.Set("end", "https://evil.example/")
	if _, body := h.do(c, http.MethodPost, PathLogout, form); body != string(reason.SignInExpired) || h.alive() != 1 {
		t.Errorf("a changed form: %s", body)
	}
}

// TestSignOutOfThisVisit: a service that has the identity token of the visit ends it without a
// question, and one with that of another visit does not. RP-Initiated Logout 1.0, Section 2.
func TestSignOutOfThisVisit(t *testing.T) {
	h := serve(t)
	for _, own := range []bool{true, false} {
		c := h.signedIn()
		sid := h.visitsOf(h.ivan)[0].SID
		if !own {
			sid = "of another visit"
		}
		target := PathLogout + "?end=" + h.provider.SealEnd(oidc.End{ClientID: "service", Address: bye, SID: sid, Issued: h.now()})
		res, body := h.do(c, http.MethodGet, target, nil)
		if gone := h.alive() == 0; gone != own || (res.Header.Get("Location") == bye) != own {
			t.Errorf("own %v: %d %s", own, res.StatusCode, body)
		}
	}
}

// TestSignOutOfRestingVisit: who was not seen for long signs out of the services as well, and is
// asked if there are others than the one that leads here. The page names nobody.
func TestSignOutOfRestingVisit(t *testing.T) {
	h := serve(t)
	for _, known := range [][]string{nil, {"service"}, {"service", "another"}} {
		c := h.signedIn()
		v := h.visitsOf(h.ivan)[0]
		v.Clients = known
		h.update(func(tx store.Tx) error { return tx.PutVisit(v) })
		h.sleep(time.Hour)
		res, body := h.do(c, http.MethodGet, h.fromService(c), nil)
		if len(known) < 2 {
			if res.Header.Get("Location") != bye || h.alive() != 0 {
				t.Errorf("%v: %d %s, %d visits", known, res.StatusCode, res.Header.Get("Location"), h.alive())
			}
			continue
		}
		if h.alive() != 1 || strings.Contains(body, "Примеров") || !strings.Contains(body, "Сервисы") {
			t.Fatalf("%v: %d visits; %s", known, h.alive(), body)
		}
		_, body = h.do(c, http.MethodPost, PathLogout, fields(body))
		if h.alive() != 0 || !strings.Contains(body, `href="`+bye+`"`) {
			t.Errorf("%v: %d visits; %s", known, h.alive(), body)
		}
	}
}
