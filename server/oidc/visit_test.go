package oidc

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/level"
)

// policy is what the services of these tests want.
const policy = `
clients: {service: password}
services:
  - {id: messages, client: service, name: {ru: Переписка, en: Messages}, level: password}
  - {id: payments, client: service, name: {ru: Платежи, en: Payments}, level: 2fa}
  - {id: declaration, client: service, name: {ru: Декларация, en: Tax return}, level: qes, kinds: {fl: password}}
  - {id: eaeu, client: service, name: {ru: ЕАЭС, en: EAEU}, level: qes, physical: true}
`

// desk is who visits: one browser with one visit, which keys raise.
type desk struct {
	who     Login
	here    bool
	granted []string
	broken  error
}

// visited opens a house with visits.
func visited(t *testing.T, d *desk) *house {
	t.Helper()
	p, err := level.ParsePolicy([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	var h *house
	h = open(t, func(o *Options) {
		o.Policy, o.Paths, o.LogoutURL = p, []string{"/account", "/support"}, "/logout"
		o.ChoiceURL = o.Issuer + "/signin"
		o.Visit = func(*http.Request) (Login, bool) { return d.who, d.here }
		o.Granted = func(_ context.Context, who Login, client string) error {
			d.granted = append(d.granted, who.SID+" "+client)
			return d.broken
		}
		o.Admit = func(w http.ResponseWriter, r *http.Request, req Request, who Login) {
			who.SID, who.Proofs = "the-visit", level.Add(d.who.Proofs, level.Proof{Level: who.Level, AMR: who.AMR, At: who.At})
			d.who, d.here = who, true
			h.p.Grant(w, r, req, who)
		}
		o.Continue = func(w http.ResponseWriter, _ *http.Request, address string) {
			io.WriteString(w, "go on to "+address)
		}
	})
	return h
}

// by is a visit of which this was proven, so long ago.
func (h *house) by(l level.Level, ago time.Duration) Login {
	amr := []string{"pwd"}
	if l == level.QES {
		amr = []string{level.Software}
	}
	p := level.Proof{Level: l, AMR: amr, At: h.now().Add(-ago)}
	return Login{Identity: entrepreneur(h.t), Level: l, AMR: amr, At: p.At, Proofs: []level.Proof{p}, SID: "the-visit", Account: "a"}
}

// TestAuthorizeInVisit: what the authorization endpoint answers to who visits already.
func TestAuthorizeInVisit(t *testing.T) {
	const (
		page = "a page"
		code = "a code"
	)
	for name, c := range map[string]struct {
		level  level.Level // Open is nobody
		ago    time.Duration
		change url.Values
		want   string
	}{
		"nobody":                                {level.Open, 0, nil, page},
		"nobody, silently":                      {level.Open, 0, url.Values{"prompt": {"none"}}, "login_required"},
		"a password is enough":                  {level.Password, time.Hour, nil, code},
		"silently":                              {level.Password, time.Hour, url.Values{"prompt": {"none"}}, code},
		"a key is more than enough":             {level.QES, time.Hour, nil, code},
		"a service of that level":               {level.Password, 0, url.Values{"service": {"messages"}}, code},
		"a service of a higher level":           {level.Password, 0, url.Values{"service": {"declaration"}}, page},
		"a service of a higher level, silently": {level.Password, 0, url.Values{"service": {"declaration"}, "prompt": {"none"}}, "interaction_required"},
		"a service for a key":                   {level.QES, 0, url.Values{"service": {"declaration"}}, code},
		"a second factor":                       {level.TwoFactor, 0, url.Values{"service": {"payments"}}, code},
		"a key without a token":                 {level.QES, 0, url.Values{"service": {"eaeu"}}, page},
		"no such service":                       {level.QES, 0, url.Values{"service": {"nonsense"}}, "invalid_request"},
		"a level of the client":                 {level.Password, 0, url.Values{"acr_values": {"urn:propusk:acr:qes"}}, page},
		"a level that is there":                 {level.QES, 0, url.Values{"acr_values": {"urn:propusk:acr:qes"}}, code},
		"the least of several levels":           {level.Password, 0, url.Values{"acr_values": {"x urn:propusk:acr:qes urn:propusk:acr:password"}}, code},
		"levels lower than the service":         {level.Password, 0, url.Values{"service": {"declaration"}, "acr_values": {"urn:propusk:acr:password"}}, page},
		"no known level":                        {level.QES, 0, url.Values{"acr_values": {"urn:other:loa:3"}}, "unmet_authentication_requirements"},
		"fresh enough":                          {level.Password, time.Minute, url.Values{"max_age": {"60"}}, code},
		"too old":                               {level.Password, 61 * time.Second, url.Values{"max_age": {"60"}}, page},
		"too old, silently":                     {level.Password, 61 * time.Second, url.Values{"max_age": {"60"}, "prompt": {"none"}}, "login_required"},
		"too old and too low, silently":         {level.Password, time.Hour, url.Values{"max_age": {"60"}, "prompt": {"none"}, "service": {"declaration"}}, "login_required"},
		"right now":                             {level.QES, time.Second, url.Values{"max_age": {"0"}}, page},
		"an endless age":                        {level.QES, time.Hour, url.Values{"max_age": {"9223372036854775807"}}, code},
		"no age":                                {level.QES, 0, url.Values{"max_age": {"soon"}}, "invalid_request"},
		"a negative age":                        {level.QES, 0, url.Values{"max_age": {"-1"}}, "invalid_request"},
		"once more":                             {level.QES, time.Second, url.Values{"prompt": {"login"}}, page},
		"another account":                       {level.QES, time.Second, url.Values{"prompt": {"select_account"}}, page},
		"consent":                               {level.QES, time.Second, url.Values{"prompt": {"consent"}}, page},
		"prompts that contradict":               {level.QES, 0, url.Values{"prompt": {"none login"}}, "invalid_request"},
		"another client wants a key":            {level.Password, 0, url.Values{"client_id": {"public"}}, page},
		"another client has it":                 {level.QES, 0, url.Values{"client_id": {"public"}}, code},
	} {
		d := new(desk)
		h := visited(t, d)
		if d.here = c.level != level.Open; d.here {
			d.who = h.by(c.level, c.ago)
		}
		a := h.get(h.browser(), "/authorize?"+asked(c.change).Encode())
		u, err := url.Parse(a.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		got := u.Query().Get("error")
		switch {
		case strings.HasPrefix(u.String(), h.server.URL+"/signin?request="):
			got = page
		case strings.HasPrefix(u.String(), callback) && u.Query().Get("code") != "":
			got = code
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q (%d %s %s)", name, got, c.want, a.StatusCode, u, a.body)
		}
		if told := len(d.granted) > 0; told != (c.want == code) {
			t.Errorf("%s: noted %v", name, d.granted)
		}
	}
}

// TestKinds: the level depends on whom the person acts for.
func TestKinds(t *testing.T) {
	d := new(desk)
	h := visited(t, d)
	d.who, d.here = h.by(level.Password, 0), true
	d.who.Taxpayer = &Taxpayer{Kind: person.Person, INN: d.who.Identity.INN, Name: d.who.Identity.Name}
	a := h.get(h.browser(), "/authorize?"+asked(url.Values{"service": {"declaration"}}).Encode())
	if !strings.HasPrefix(a.Header.Get("Location"), callback+"?code=") {
		t.Errorf("as a natural person: %s", a.Header.Get("Location"))
	}
	d.who.Taxpayer.Kind = person.LegalEntity
	a = h.get(h.browser(), "/authorize?"+asked(url.Values{"service": {"declaration"}}).Encode())
	if !strings.HasPrefix(a.Header.Get("Location"), h.server.URL+"/signin?") {
		t.Errorf("as a legal entity: %s", a.Header.Get("Location"))
	}
}

// TestClaimsOfVisit: what a service learns of a visit by password, and after the step-up.
func TestClaimsOfVisit(t *testing.T) {
	d := new(desk)
	h := visited(t, d)
	d.who, d.here = h.by(level.Password, time.Minute), true
	d.who.CertSHA256 = [32]byte{9} // of a proof that does not count here
	d.who.EmailVerified = true
	d.who.Taxpayer = &Taxpayer{Kind: person.LegalEntity, INNLE: must(person.ParseINNLE("7707083893"))(t), Name: person.NewName("ООО «Пример»")}
	browser := h.browser()
	first := h.get(browser, "/authorize?"+asked(nil).Encode())
	u := must(url.Parse(first.Header.Get("Location")))(t)
	token := h.redeem(u.Query().Get("code"), nil).tokens(t)
	claims := h.claims(token.ID)
	for name, want := range map[string]any{
		"acr": "urn:propusk:acr:password", "sid": "the-visit", "email_verified": true, "inn": "500100732259",
		"auth_time": float64(d.who.At.Unix()), claimCert: nil,
	} {
		if claims[name] != want {
			t.Errorf("%s: %v, want %v", name, claims[name], want)
		}
	}
	if got, _ := json.Marshal(claims["amr"]); string(got) != `["pwd"]` {
		t.Errorf("amr %s", got)
	}
	if got, _ := json.Marshal(claims["taxpayer"]); string(got) != `{"innle":"7707083893","kind":"ul","name":"ООО «Пример»"}` {
		t.Errorf("taxpayer %s", got)
	}
	second := h.get(browser, "/authorize?"+asked(url.Values{"acr_values": {"urn:propusk:acr:qes"}}).Encode())
	sealed := must(url.Parse(second.Header.Get("Location")))(t).Query().Get("request")
	code := h.finish(browser, h.signIn(sealed))
	raised := h.claims(h.redeem(code, nil).tokens(t).ID)
	if raised["acr"] != "urn:propusk:acr:qes" || raised["sid"] != "the-visit" || raised["sub"] != claims["sub"] || raised[claimCert] == nil {
		t.Errorf("after the step-up: %v", raised)
	}
}

// TestGrant: nobody gets further than what he has proven.
func TestGrant(t *testing.T) {
	d := new(desk)
	h := visited(t, d)
	browser := h.browser()
	a := h.get(browser, "/authorize?"+asked(url.Values{"service": {"declaration"}}).Encode())
	req := must(h.p.Open(must(url.Parse(a.Header.Get("Location")))(t).Query().Get("request")))(t)
	cookie := browser.Jar.Cookies(must(url.Parse(h.server.URL))(t))[0]
	grant := func(method string, req Request, who Login, cookies ...*http.Cookie) *http.Response {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, "/signin/password", nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		h.p.Grant(w, r, req, who)
		return w.Result()
	}
	body := func(res *http.Response) string {
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if res := grant(http.MethodGet, req, h.by(level.Password, 0), cookie); !strings.HasPrefix(res.Header.Get("Location"), h.server.URL+"/signin?request=") {
		t.Errorf("a password where a key is wanted: %s", res.Header.Get("Location"))
	}
	if res := grant(http.MethodGet, req, h.by(level.QES, 0)); body(res) != string(reason.SignInOtherBrowser) {
		t.Error("a browser that has not begun")
	}
	if len(d.granted) > 0 {
		t.Errorf("noted %v", d.granted)
	}
	if res := grant(http.MethodPost, req, h.by(level.QES, 0), cookie); res.Header.Get("Location") != "" || !strings.HasPrefix(body(res), "go on to "+callback+"?code=") {
		t.Error("a form redirects to another site")
	}
	physical := req
	physical.Service = "eaeu"
	if res := grant(http.MethodGet, physical, h.by(level.QES, 0), cookie); body(res) != string(reason.LevelPhysical) {
		t.Error("a key that may leave its device")
	}
	d.broken = reason.New(reason.VisitOver, errors.New("over"))
	if res := grant(http.MethodGet, req, h.by(level.QES, 0), cookie); body(res) != string(reason.VisitOver) {
		t.Error("a visit that is over gets a code")
	}
}

// TestHint: a service that names the person by an identity token gets no other.
func TestHint(t *testing.T) {
	d := new(desk)
	h := visited(t, d)
	d.who, d.here = h.by(level.QES, 0), true
	ask := func(query url.Values) *url.URL {
		t.Helper()
		return must(url.Parse(h.get(h.browser(), "/authorize?"+asked(query).Encode()).Header.Get("Location")))(t)
	}
	id := h.redeem(ask(nil).Query().Get("code"), nil).tokens(t).ID
	h.sleep(time.Hour) // the token is over, and names the person all the same
	for name, hint := range map[string]string{"his own": id, "nonsense": "x", "a token that was changed": id[:len(id)-4] + "AAAA"} {
		if u := ask(url.Values{"id_token_hint": {hint}}); u.Query().Get("code") == "" {
			t.Errorf("%s: %s", name, u)
		}
	}
	if u := ask(url.Values{"id_token_hint": {id}, "client_id": {"public"}}); u.Query().Get("code") == "" {
		t.Errorf("the token of another client: %s", u)
	}
	d.who.Identity.INN = must(person.ParseINN("771234567859"))(t)
	if u := ask(url.Values{"id_token_hint": {id}, "prompt": {"none"}}); u.Query().Get("error") != "login_required" {
		t.Errorf("somebody else, silently: %s", u)
	}
	browser := h.browser()
	a := h.get(browser, "/authorize?"+asked(url.Values{"id_token_hint": {id}}).Encode())
	req := must(h.p.Open(must(url.Parse(a.Header.Get("Location")))(t).Query().Get("request")))(t)
	back := must(h.p.Ticket(req, Login{Identity: d.who.Identity, CertSHA256: [32]byte{2}, At: h.now()}))(t)
	if a := h.get(browser, back); a.Header.Get("Location") != "" || a.body != string(reason.VisitOtherAccount) {
		t.Errorf("somebody else: %d %s %s", a.StatusCode, a.Header.Get("Location"), a.body)
	}
	sealed := must(url.Parse(h.get(browser, "/authorize?"+asked(url.Values{"id_token_hint": {id}}).Encode()).Header.Get("Location")))(t).Query().Get("request")
	h.finish(browser, h.signIn(sealed)) // the person himself
}

// TestOwn: the pages of the gateway, and nothing else, are where a sign-in of its own ends.
func TestOwn(t *testing.T) {
	for target, want := range map[string]string{
		"/account":                      "/account",
		"/account/security?a=1":         "/account/security?a=1",
		"/support":                      "/support",
		"/accounts":                     "/account",
		"/":                             "/account",
		"":                              "/account",
		"//evil.example/account":        "/account",
		"https://evil.example/account":  "/account",
		"/account/../../evil":           "/account",
		"/account/..//evil.example":     "/account",
		`/account/\evil.example`:        "/account",
		`/\evil.example`:                "/account",
		"/account\r\nSet-Cookie: a=b":   "/account",
		"/account/%0d%0aSet-Cookie:a=b": "/account",
		"javascript:alert(1)":           "/account",
		"/account?" + strings.Repeat("a", maxParameter): "/account",
	} {
		d := new(desk)
		h := visited(t, d)
		w := httptest.NewRecorder()
		h.p.Own(w, httptest.NewRequest(http.MethodGet, "/account", nil), target, Need{Level: level.TwoFactor})
		u := must(url.Parse(w.Header().Get("Location")))(t)
		req := must(h.p.Open(u.Query().Get("request")))(t)
		back := must(h.p.Ticket(req, Login{Identity: entrepreneur(t), CertSHA256: [32]byte{1}, At: h.now()}))(t)
		r := httptest.NewRequest(http.MethodGet, strings.TrimPrefix(back, h.server.URL), nil)
		r.AddCookie(w.Result().Cookies()[0])
		w = httptest.NewRecorder()
		h.server.Config.Handler.ServeHTTP(w, r)
		if got := w.Header().Get("Location"); got != h.server.URL+want {
			t.Errorf("%q ends at %q (%d)", target, got, w.Code)
		}
	}
}

// TestOwnIsFresh: a change of the account wants a proof of just now.
func TestOwnIsFresh(t *testing.T) {
	d := new(desk)
	h := visited(t, d)
	need := Need{Level: level.Password, MaxAge: 5 * time.Minute}
	if !h.p.Enough(h.by(level.QES, 4*time.Minute), need) || h.p.Enough(h.by(level.QES, 6*time.Minute), need) || h.p.Enough(h.by(level.Password, 0), Need{Level: level.QES}) {
		t.Error("what is enough")
	}
}

// TestTooOld: a TLS session that stands for an earlier proof than is wanted is ended, and no
// other.
func TestTooOld(t *testing.T) {
	var forgotten [][32]byte
	h := visited(t, new(desk))
	h.p.opts.Logout = func(cert [32]byte) { forgotten = append(forgotten, cert) }
	for _, since := range []time.Time{{}, h.now().Add(-time.Minute)} {
		if h.p.TooOld(Request{Since: since}, [32]byte{7}, h.now().Add(-time.Minute)) || len(forgotten) > 0 {
			t.Errorf("since %s: %v", since, forgotten)
		}
	}
	if !h.p.TooOld(Request{Since: h.now()}, [32]byte{7}, h.now().Add(-time.Second)) || !slices.Equal(forgotten, [][32]byte{{7}}) {
		t.Errorf("forgotten: %v", forgotten)
	}
}

// TestVisitIsOver: who was given a code or a token gets nothing for it after the visit has ended:
// the service would be told of the end before it knows of the beginning.
func TestVisitIsOver(t *testing.T) {
	d := new(desk)
	h := visited(t, d)
	d.who, d.here = h.by(level.QES, 0), true
	code := func() string {
		t.Helper()
		a := h.get(h.browser(), "/authorize?"+asked(nil).Encode())
		return must(url.Parse(a.Header.Get("Location")))(t).Query().Get("code")
	}
	info := func(access string) int {
		t.Helper()
		r := must(http.NewRequest(http.MethodGet, h.server.URL+"/userinfo", nil))(t)
		r.Header.Set("Authorization", "Bearer "+access)
		return h.do(h.server.Client(), r).StatusCode
	}
	access := h.redeem(code(), nil).tokens(t).Access
	if status := info(access); status != http.StatusOK {
		t.Fatalf("userinfo: %d", status)
	}
	late := code()
	d.broken = reason.New(reason.VisitOver, errors.New("over"))
	if a := h.redeem(late, nil); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "invalid_grant") {
		t.Errorf("the code: %d %s", a.StatusCode, a.body)
	}
	if status := info(access); status != http.StatusUnauthorized {
		t.Errorf("the access token: %d", status)
	}
	d.broken = nil
	if a := h.redeem(late, nil); a.StatusCode != http.StatusBadRequest {
		t.Errorf("the code once more: %d", a.StatusCode)
	}
}

// TestLogoutOfVisit: the page that asks learns what the service has proven.
func TestLogoutOfVisit(t *testing.T) {
	d := new(desk)
	h := visited(t, d)
	d.who, d.here = h.by(level.QES, 0), true
	browser := h.browser()
	a := h.get(browser, "/authorize?"+asked(nil).Encode())
	id := h.redeem(must(url.Parse(a.Header.Get("Location")))(t).Query().Get("code"), nil).tokens(t).ID
	leave := func(q url.Values) End {
		t.Helper()
		a := h.get(browser, "/end_session?"+q.Encode())
		u := must(url.Parse(a.Header.Get("Location")))(t)
		if u.Path != "/logout" || u.Host != "" {
			t.Fatalf("%d, %s", a.StatusCode, u)
		}
		return must(h.p.LogoutEnd(u.Query().Get("end")))(t)
	}
	base := url.Values{"client_id": {"service"}, "post_logout_redirect_uri": {"https://service.example/bye"}, "state": {"s"}}
	if e := leave(base); e.SID != "" || e.ClientID != "service" || e.Address != "https://service.example/bye?state=s" {
		t.Errorf("without an identity token: %+v", e)
	}
	base.Set("id_token_hint", id)
	if e := leave(base); e.SID != "the-visit" {
		t.Errorf("with an identity token: %+v", e)
	}
	base.Set("post_logout_redirect_uri", "https://evil.example/")
	if a := h.get(browser, "/end_session?"+base.Encode()); a.Header.Get("Location") != "" {
		t.Errorf("an address that is not registered: %s", a.Header.Get("Location"))
	}
	sealed := h.p.SealEnd(End{Address: "/", Issued: h.now()})
	h.sleep(11 * time.Minute)
	for name, text := range map[string]string{"old": sealed, "nonsense": "x", "a request": h.p.Seal(Request{Issued: h.now()})} {
		if _, err := h.p.LogoutEnd(text); reason.Of(err) != reason.SignInExpired {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBackChannel: a service is told as OpenID Connect Back-Channel Logout 1.0 wants it, and
// its access token is good no more.
func TestBackChannel(t *testing.T) {
	var token string
	status := http.StatusOK
	service := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token = r.PostFormValue("logout_token")
		w.WriteHeader(status)
	}))
	defer service.Close()
	d := new(desk)
	h := visited(t, d)
	h.p.clients["service"].BackChannelLogoutURI = service.URL + "/bye"
	d.who, d.here = h.by(level.QES, 0), true
	a := h.get(h.browser(), "/authorize?"+asked(nil).Encode())
	access := h.redeem(must(url.Parse(a.Header.Get("Location")))(t).Query().Get("code"), nil).tokens(t).Access
	if err := h.p.LogOut(t.Context(), service.Client(), "service", "the-visit"); err != nil {
		t.Fatal(err)
	}
	claims := h.claims(token)
	for name, want := range map[string]any{"iss": h.server.URL, "aud": "service", "sid": "the-visit", "sub": nil, "nonce": nil} {
		if claims[name] != want {
			t.Errorf("%s: %v", name, claims[name])
		}
	}
	if events, _ := json.Marshal(claims["events"]); string(events) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` {
		t.Errorf("events %s", events)
	}
	if claims["jti"] == "" || claims["exp"].(float64)-claims["iat"].(float64) != 120 {
		t.Errorf("%v", claims)
	}
	parsed := must(jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256}))(t)
	if typ := parsed.Headers[0].ExtraHeaders["typ"]; typ != "logout+jwt" {
		t.Errorf("typ %v", typ)
	}
	r := must(http.NewRequest(http.MethodGet, h.server.URL+"/userinfo", nil))(t)
	r.Header.Set("Authorization", "Bearer "+access)
	if a := h.do(h.browser(), r); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("the access token is still good: %d", a.StatusCode)
	}
	for code, again := range map[int]bool{200: false, 204: false, 400: true, 302: true, 500: true, 404: true} {
		status = code
		if err := h.p.LogOut(t.Context(), service.Client(), "service", "the-visit"); (err != nil) != again {
			t.Errorf("status %d: %v", code, err)
		}
	}
	stranger := &http.Client{Transport: &http.Transport{}}
	stranger.Transport.(*http.Transport).TLSClientConfig = nil
	if err := h.p.LogOut(t.Context(), stranger, "service", "the-visit"); !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("a server that proves nothing was told: %v", err)
	}
	for _, nobody := range []string{"public", "unknown"} {
		if err := h.p.LogOut(t.Context(), service.Client(), nobody, "the-visit"); err != nil {
			t.Errorf("%s: %v", nobody, err)
		}
	}
}

// TestDiscoveryOfVisits: what is offered is told, and only where there are visits.
func TestDiscoveryOfVisits(t *testing.T) {
	for _, with := range []bool{true, false} {
		h := open(t)
		if with {
			h = visited(t, new(desk))
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(h.get(h.browser(), "/.well-known/openid-configuration").body), &m); err != nil {
			t.Fatal(err)
		}
		if got := m["backchannel_logout_supported"] == true && m["backchannel_logout_session_supported"] == true; got != with {
			t.Errorf("visits %v: %v", with, m)
		}
		if got := len(m["acr_values_supported"].([]any)); got != map[bool]int{true: 3, false: 1}[with] {
			t.Errorf("visits %v: %v", with, m["acr_values_supported"])
		}
	}
}
