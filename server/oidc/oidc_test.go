package oidc

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/problem"
	"propusk/server/request"
)

const (
	callback   = "https://service.example/callback"
	signInHost = "https://signin.example:444"
	verifier   = "a-code-verifier-that-is-long-enough-for-RFC-7636"
	secret     = "the secret of the service"
)

func challenge(v string) string {
	d := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(d[:])
}

// house is a provider that answers over TLS, with a clock that the test moves.
type house struct {
	t      *testing.T
	p      *Provider
	server *httptest.Server

	mu sync.Mutex
	at time.Time
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *house) sleep(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

func open(t *testing.T, change ...func(*Options)) *house {
	t.Helper()
	h := &house{t: t, at: time.Now()}
	h.server = httptest.NewUnstartedServer(nil)
	h.server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	h.server.StartTLS()
	t.Cleanup(h.server.Close)
	refuse := func(w http.ResponseWriter, _ *http.Request, code reason.Code) {
		w.WriteHeader(problem.Status(code))
		io.WriteString(w, string(code))
	}
	o := Options{
		Issuer: h.server.URL, SignInURL: signInHost, SubjectSecret: []byte(strings.Repeat("s", 32)),
		Clients: []Client{
			{ID: "service", Secret: secret, RedirectURIs: []string{callback, "https://service.example/other?a=1"}, PostLogoutRedirectURIs: []string{"https://service.example/bye"}},
			{ID: "public", RedirectURIs: []string{callback}},
		},
		RequestLife: 10 * time.Minute, TicketLife: time.Minute, CodeLife: time.Minute, TokenLife: 5 * time.Minute,
		Limit: 100, Now: h.now, Refuse: refuse,
	}
	for _, f := range change {
		f(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.p = p
	e := request.NewEngine(request.Options{
		Host: "public", Log: slog.New(slog.DiscardHandler), Now: time.Now, Refuse: refuse, Observe: func(request.Outcome) {},
	})
	p.Routes(e)
	h.server.Config.Handler = e
	return h
}

// browser is a client with cookies that follows no redirects.
func (h *house) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &http.Client{
		Jar: jar, Transport: h.server.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body string
}

func (h *house) do(c *http.Client, r *http.Request) answer {
	h.t.Helper()
	res, err := c.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{res, string(body)}
}

func (h *house) get(c *http.Client, target string) answer {
	h.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = h.server.URL + target
	}
	r, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(c, r)
}

// asked is a good authorization request; change replaces parameters, and removes
// those whose value is "-".
func asked(change url.Values) url.Values {
	q := url.Values{
		"client_id": {"service"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile email"},
		"state": {"the-state"}, "nonce": {"the-nonce"}, "code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	for name, values := range change {
		q[name] = values
		if len(values) == 1 && values[0] == "-" {
			q.Del(name)
		}
	}
	return q
}

// begin starts a sign-in in a browser and returns the sealed request.
func (h *house) begin(c *http.Client, change url.Values) string {
	h.t.Helper()
	a := h.get(c, "/authorize?"+asked(change).Encode())
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(a.Header.Get("Location"), signInHost+"/signin?request=") {
		h.t.Fatalf("authorize: %d, location %q, %s", a.StatusCode, a.Header.Get("Location"), a.body)
	}
	return u.Query().Get("request")
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// entrepreneur is a person of the demo numbers.
func entrepreneur(t testing.TB) person.Identity {
	return person.Identity{
		Kind:   person.Entrepreneur,
		Name:   person.NewName("Примеров Пример Примерович"),
		Email:  person.NewEmail("primer@example.ru"),
		INN:    must(person.ParseINN("500100732259"))(t),
		OGRNIP: must(person.ParseOGRNIP("304500116000157"))(t),
		SNILS:  must(person.ParseSNILS("11223344595"))(t),
	}
}

// signIn does what the sign-in host does, and returns the address with the
// ticket.
func (h *house) signIn(sealed string) string {
	h.t.Helper()
	r, err := h.p.Open(sealed)
	if err != nil {
		h.t.Fatal(err)
	}
	back, err := h.p.Ticket(r, Login{Identity: entrepreneur(h.t), CertSHA256: [32]byte{1}, At: h.now()})
	if err != nil {
		h.t.Fatal(err)
	}
	return back
}

// finish brings the ticket and returns the code.
func (h *house) finish(c *http.Client, back string) string {
	h.t.Helper()
	a := h.get(c, back)
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(u.String(), callback) || u.Query().Get("state") != "the-state" || u.Query().Get("code") == "" {
		h.t.Fatalf("return: %d, location %q, %s", a.StatusCode, a.Header.Get("Location"), a.body)
	}
	return u.Query().Get("code")
}

// redeem exchanges a code at the token endpoint.
func (h *house) redeem(code string, change url.Values) answer {
	h.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	for name, values := range change {
		form[name] = values
	}
	r, err := http.NewRequest(http.MethodPost, h.server.URL+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if form.Get("client_id") == "" {
		r.SetBasicAuth("service", url.QueryEscape(secret))
	}
	return h.do(h.browser(), r)
}

// tokens is a token response.
type tokens struct {
	Access string `json:"access_token"`
	ID     string `json:"id_token"`
	Type   string `json:"token_type"`
	Life   int    `json:"expires_in"`
	Error  string `json:"error"`
}

func (a answer) tokens(t *testing.T) tokens {
	t.Helper()
	var out tokens
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("%v: %q", err, a.body)
	}
	return out
}

// claims verifies an identity token with the published keys.
func (h *house) claims(raw string) map[string]any {
	h.t.Helper()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(h.get(h.browser(), "/keys").body), &keys); err != nil {
		h.t.Fatal(err)
	}
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		h.t.Fatal(err)
	}
	var m map[string]any
	if err := token.Claims(&keys, &m); err != nil {
		h.t.Fatal(err)
	}
	return m
}

// signedIn goes the whole way and returns the tokens.
func (h *house) signedIn(change url.Values) (string, tokens) {
	h.t.Helper()
	c := h.browser()
	code := h.finish(c, h.signIn(h.begin(c, change)))
	a := h.redeem(code, nil)
	if a.StatusCode != http.StatusOK {
		h.t.Fatalf("token: %d %s", a.StatusCode, a.body)
	}
	return code, a.tokens(h.t)
}

func TestSignIn(t *testing.T) {
	h := open(t)
	_, tok := h.signedIn(nil)
	if tok.Type != "Bearer" || tok.Life < 290 || tok.Life > 300 {
		t.Errorf("token type %q, life %d s", tok.Type, tok.Life)
	}
	got := h.claims(tok.ID)
	for name, want := range map[string]any{
		"iss": h.server.URL, "nonce": "the-nonce", "acr": ACR, "kind": "ip", "name": "Примеров Пример Примерович",
		"inn": "500100732259", "ogrnip": "304500116000157", "snils": "11223344595", "email": "primer@example.ru",
		"cert_sha256": "01" + strings.Repeat("00", 31), "auth_time": float64(h.now().Unix()),
	} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v", name, got[name], want)
		}
	}
	if aud, ok := got["aud"].([]any); !ok || len(aud) != 1 || aud[0] != "service" {
		t.Errorf("aud = %v", got["aud"])
	}
	if got["sub"] == "" || strings.Contains(got["sub"].(string), "5001") {
		t.Errorf("sub = %v", got["sub"])
	}
}

func TestScopesLimitClaims(t *testing.T) {
	h := open(t)
	_, tok := h.signedIn(url.Values{"scope": {"openid phone unknown"}})
	got := h.claims(tok.ID)
	for _, name := range []string{"name", "inn", "ogrnip", "snils", "email"} {
		if v, ok := got[name]; ok {
			t.Errorf("%s = %v without its scope", name, v)
		}
	}
	if got["kind"] != "ip" || got["sub"] == nil {
		t.Errorf("claims %v", got)
	}
}

func TestUserinfo(t *testing.T) {
	h := open(t)
	_, tok := h.signedIn(nil)
	ask := func(header string) answer {
		r, err := http.NewRequest(http.MethodGet, h.server.URL+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		return h.do(h.browser(), r)
	}
	a := ask("Bearer " + tok.Access)
	var got map[string]any
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%d %v %s", a.StatusCode, err, a.body)
	}
	if got["sub"] != h.claims(tok.ID)["sub"] || got["inn"] != "500100732259" {
		t.Errorf("claims %v", got)
	}
	for _, header := range []string{"", "Bearer", "Bearer x", "Basic " + tok.Access, "Bearer " + tok.Access + "x", "Bearer " + tok.ID} {
		if a := ask(header); a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%.20q: %d %s", header, a.StatusCode, a.body)
		}
	}
	h.sleep(5 * time.Minute)
	if a := ask("Bearer " + tok.Access); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("an old access token: %d", a.StatusCode)
	}
}

// TestLuredVictim is the attack that the browser's cookie is there for: the
// attacker begins a sign-in and makes another person finish it.
func TestLuredVictim(t *testing.T) {
	h := open(t)
	attacker, victim := h.browser(), h.browser()
	sealed := h.begin(attacker, nil)

	// The victim follows the attacker's link, chooses the certificate, enters the
	// PIN, and is sent back with a ticket: in the victim's browser.
	back := h.signIn(sealed)
	a := h.get(victim, back)
	if a.StatusCode != http.StatusForbidden || a.body != string(reason.SignInOtherBrowser) {
		t.Errorf("the victim: %d %s", a.StatusCode, a.body)
	}
	if loc := a.Header.Get("Location"); loc != "" {
		t.Errorf("the victim is redirected to %q", loc)
	}
	// Even if the attacker learns the ticket now, it is used up.
	if a := h.get(attacker, back); a.StatusCode != http.StatusConflict || a.Header.Get("Location") != "" {
		t.Errorf("the attacker with the used ticket: %d %s", a.StatusCode, a.body)
	}
	// And his own request gives him nothing without one.
	if n := h.p.codes.Len(); n != 0 {
		t.Errorf("%d codes were made", n)
	}
}

// TestLuredVictimWithOwnSignIn: the victim's browser has a cookie of its own
// because of another sign-in.
func TestLuredVictimWithOwnSignIn(t *testing.T) {
	h := open(t)
	attacker, victim := h.browser(), h.browser()
	own := h.begin(victim, nil)
	lured := h.begin(attacker, nil)
	if a := h.get(victim, h.signIn(lured)); a.body != string(reason.SignInOtherBrowser) {
		t.Errorf("the lured sign-in: %d %s", a.StatusCode, a.body)
	}
	// The victim's own sign-in still works.
	h.finish(victim, h.signIn(own))
}

// TestForcedSignIn: the attacker finishes his own sign-in in the victim's
// browser, to make the victim work in the attacker's account.
func TestForcedSignIn(t *testing.T) {
	h := open(t)
	attacker, victim := h.browser(), h.browser()
	h.begin(victim, nil)
	if a := h.get(victim, h.signIn(h.begin(attacker, nil))); a.body != string(reason.SignInOtherBrowser) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestStolenTicket(t *testing.T) {
	h := open(t)
	victim, thief := h.browser(), h.browser()
	back := h.signIn(h.begin(victim, nil))
	h.begin(thief, nil)
	if a := h.get(thief, back); a.body != string(reason.SignInOtherBrowser) {
		t.Errorf("the thief: %d %s", a.StatusCode, a.body)
	}
	if a := h.get(victim, back); a.body != string(reason.SignInTicketInvalid) {
		t.Errorf("a ticket that was tried by a thief still works: %d %s", a.StatusCode, a.body)
	}
}

func TestTicketIsGoodOnceAndShortly(t *testing.T) {
	h := open(t)
	c := h.browser()
	back := h.signIn(h.begin(c, nil))
	h.finish(c, back)
	if a := h.get(c, back); a.body != string(reason.SignInTicketInvalid) {
		t.Errorf("the second time: %d %s", a.StatusCode, a.body)
	}
	back = h.signIn(h.begin(c, nil))
	h.sleep(time.Minute)
	if a := h.get(c, back); a.body != string(reason.SignInTicketInvalid) {
		t.Errorf("a minute later: %d %s", a.StatusCode, a.body)
	}
	for _, target := range []string{"/signin/return", "/signin/return?ticket=", "/signin/return?ticket=x", "/signin/return?ticket=x&ticket=y"} {
		if a := h.get(c, target); a.body != string(reason.SignInTicketInvalid) {
			t.Errorf("%s: %d %s", target, a.StatusCode, a.body)
		}
	}
}

func TestSeveralTabs(t *testing.T) {
	h := open(t)
	c := h.browser()
	first, second := h.begin(c, nil), h.begin(c, nil)
	h.finish(c, h.signIn(first))
	h.finish(c, h.signIn(second))
}

func TestCookie(t *testing.T) {
	h := open(t)
	a := h.get(h.browser(), "/authorize?"+asked(nil).Encode())
	cookies := a.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	c := cookies[0]
	if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %v", c)
	}
	// Whoever shows the certificate at the last moment still has to come back.
	if got, want := c.MaxAge, int((h.p.opts.RequestLife + h.p.opts.TicketLife).Seconds()); got != want {
		t.Errorf("the cookie lives for %d s, the request and the ticket for %d s", got, want)
	}
	// A value that is not ours is replaced.
	r, err := http.NewRequest(http.MethodGet, h.server.URL+"/authorize?"+asked(nil).Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: c.Name, Value: "fixed"})
	if got := h.do(h.browser(), r).Cookies(); len(got) != 1 || got[0].Value == "fixed" {
		t.Errorf("cookies %v", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	h := open(t)
	sealed := h.begin(h.browser(), nil)
	changed := "A" + sealed[1:]
	if changed == sealed {
		changed = "B" + sealed[1:]
	}
	for name, s := range map[string]string{
		"empty": "", "garbage": "xxxx", "not base64": "***", "cut": sealed[:len(sealed)-4], "changed": changed,
		"of another process": otherSealed(t),
	} {
		if _, err := h.p.Open(s); reason.Of(err) != reason.SignInExpired {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.sleep(10*time.Minute + 1)
	if _, err := h.p.Open(sealed); reason.Of(err) != reason.SignInExpired {
		t.Errorf("old: %v", err)
	}
}

func otherSealed(t *testing.T) string {
	other := open(t)
	return other.begin(other.browser(), nil)
}

func TestSealHidesAndDiffers(t *testing.T) {
	h := open(t)
	c := h.browser()
	a, b := h.begin(c, nil), h.begin(c, nil)
	if a == b {
		t.Error("the same request is sealed the same way twice")
	}
	if raw, _ := base64.RawURLEncoding.DecodeString(a); strings.Contains(string(raw), "the-state") {
		t.Error("the seal does not hide")
	}
}
