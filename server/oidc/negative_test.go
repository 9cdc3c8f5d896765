package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// TestAuthorizePages: mistakes that must not be redirected anywhere.
func TestAuthorizePages(t *testing.T) {
	h := open(t)
	for name, c := range map[string]struct {
		change url.Values
		want   reason.Code
	}{
		"no client":               {url.Values{"client_id": {"-"}}, reason.ClientUnknown},
		"unknown client":          {url.Values{"client_id": {"nobody"}}, reason.ClientUnknown},
		"two clients":             {url.Values{"client_id": {"service", "public"}}, reason.ClientUnknown},
		"no redirect":             {url.Values{"redirect_uri": {"-"}}, reason.RedirectMismatch},
		"foreign redirect":        {url.Values{"redirect_uri": {"https://evil.example/callback"}}, reason.RedirectMismatch},
		"longer path":             {url.Values{"redirect_uri": {callback + "/x"}}, reason.RedirectMismatch},
		"dots":                    {url.Values{"redirect_uri": {"https://service.example/x/../callback"}}, reason.RedirectMismatch},
		"other case":              {url.Values{"redirect_uri": {"https://SERVICE.example/callback"}}, reason.RedirectMismatch},
		"query added":             {url.Values{"redirect_uri": {callback + "?x=1"}}, reason.RedirectMismatch},
		"fragment added":          {url.Values{"redirect_uri": {callback + "#x"}}, reason.RedirectMismatch},
		"percent-encoded once":    {url.Values{"redirect_uri": {"https%3A%2F%2Fservice.example%2Fcallback"}}, reason.RedirectMismatch},
		"two redirects":           {url.Values{"redirect_uri": {callback, "https://evil.example/"}}, reason.RedirectMismatch},
		"redirect of another one": {url.Values{"client_id": {"public"}, "redirect_uri": {"https://service.example/other?a=1"}}, reason.RedirectMismatch},
	} {
		a := h.get(h.browser(), "/authorize?"+asked(c.change).Encode())
		if a.StatusCode != http.StatusBadRequest || a.body != string(c.want) || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d %q, location %q", name, a.StatusCode, a.body, a.Header.Get("Location"))
		}
		if len(a.Cookies()) != 0 {
			t.Errorf("%s: a cookie is set", name)
		}
	}
	if a := h.get(h.browser(), "/authorize?client_id=%zz"); a.StatusCode != http.StatusBadRequest || a.body != string(reason.AuthorizationInvalid) {
		t.Errorf("a query that does not parse: %d %q", a.StatusCode, a.body)
	}
}

// TestAuthorizeErrors: mistakes that the service is told about.
func TestAuthorizeErrors(t *testing.T) {
	h := open(t)
	long := strings.Repeat("x", maxParameter+1)
	for name, c := range map[string]struct {
		change url.Values
		want   string
	}{
		"no response type":     {url.Values{"response_type": {"-"}}, "unsupported_response_type"},
		"implicit flow":        {url.Values{"response_type": {"id_token"}}, "unsupported_response_type"},
		"hybrid flow":          {url.Values{"response_type": {"code id_token"}}, "unsupported_response_type"},
		"fragment mode":        {url.Values{"response_mode": {"fragment"}}, "invalid_request"},
		"form_post mode":       {url.Values{"response_mode": {"form_post"}}, "invalid_request"},
		"no scope":             {url.Values{"scope": {"-"}}, "invalid_scope"},
		"no openid":            {url.Values{"scope": {"profile"}}, "invalid_scope"},
		"openid within":        {url.Values{"scope": {"openidx"}}, "invalid_scope"},
		"no state":             {url.Values{"state": {"-"}}, "invalid_request"},
		"long state":           {url.Values{"state": {long}}, "invalid_request"},
		"no nonce":             {url.Values{"nonce": {"-"}}, "invalid_request"},
		"long nonce":           {url.Values{"nonce": {long}}, "invalid_request"},
		"no PKCE":              {url.Values{"code_challenge": {"-"}, "code_challenge_method": {"-"}}, "invalid_request"},
		"no challenge":         {url.Values{"code_challenge": {"-"}}, "invalid_request"},
		"no method":            {url.Values{"code_challenge_method": {"-"}}, "invalid_request"},
		"plain PKCE":           {url.Values{"code_challenge": {verifier}, "code_challenge_method": {"plain"}}, "invalid_request"},
		"short challenge":      {url.Values{"code_challenge": {"abc"}}, "invalid_request"},
		"request object":       {url.Values{"request": {"e30.e30."}}, "request_not_supported"},
		"request_uri":          {url.Values{"request_uri": {"https://evil.example/"}}, "request_uri_not_supported"},
		"prompt none":          {url.Values{"prompt": {"none"}}, "login_required"},
		"two nonces":           {url.Values{"nonce": {"a", "b"}}, "invalid_request"},
		"two unknown the same": {url.Values{"x": {"a", "b"}}, "invalid_request"},
	} {
		a := h.get(h.browser(), "/authorize?"+asked(c.change).Encode())
		u, err := url.Parse(a.Header.Get("Location"))
		if err != nil || !strings.HasPrefix(u.String(), callback+"?") {
			t.Errorf("%s: %d, location %q, %s", name, a.StatusCode, a.Header.Get("Location"), a.body)
			continue
		}
		if got := u.Query().Get("error"); got != c.want {
			t.Errorf("%s: error %q, want %q", name, got, c.want)
		}
		if strings.Contains(name, "state") == (u.Query().Get("state") == "the-state") {
			t.Errorf("%s: state %q", name, u.Query().Get("state"))
		}
		if u.Query().Get("code") != "" {
			t.Errorf("%s: a code", name)
		}
	}
}

// TestAuthorizeIgnores: parameters that do not concern us, even malformed ones,
// must not matter. RFC 6749, Section 3.1.
func TestAuthorizeIgnores(t *testing.T) {
	h := open(t)
	h.begin(h.browser(), url.Values{
		"max_age": {"soon"}, "ui_locales": {"xx--yy"}, "display": {"hologram"}, "id_token_hint": {"x"}, "claims": {"{"}, "unknown": {"1"}, "prompt": {"login"},
	})
}

// TestLanguageOfService: the first language of ui_locales that pages have is that of the
// sign-in. OpenID Connect Core 1.0, Section 3.1.2.1.
func TestLanguageOfService(t *testing.T) {
	h := open(t)
	for wanted, want := range map[string]string{
		"-": "", "": "", "en": "en", "RU-ru": "ru", "be en-GB ru": "en", "fr ru en": "ru", "xx--yy": "", "english": "", "&lang=en": "",
	} {
		a := h.get(h.browser(), "/authorize?"+asked(url.Values{"ui_locales": {wanted}}).Encode())
		to, err := url.Parse(a.Header.Get("Location"))
		if err != nil || to.Query().Get("lang") != want || to.Query().Get("request") == "" {
			t.Errorf("ui_locales=%q leads to %q, want the language %q", wanted, a.Header.Get("Location"), want)
		}
	}
}

func TestAuthorizeByPost(t *testing.T) {
	h := open(t)
	r, err := http.NewRequest(http.MethodPost, h.server.URL+"/authorize", strings.NewReader(asked(nil).Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a := h.do(h.browser(), r)
	if !strings.HasPrefix(a.Header.Get("Location"), signInHost+"/signin?request=") {
		t.Errorf("%d, location %q", a.StatusCode, a.Header.Get("Location"))
	}
}

// TestCodeMisuse: what the token endpoint must refuse. Every row gets a fresh
// code.
func TestCodeMisuse(t *testing.T) {
	h := open(t)
	for name, c := range map[string]struct {
		change url.Values
		status int
		want   string
	}{
		"no verifier":        {url.Values{"code_verifier": {""}}, 400, "invalid_request"},
		"wrong verifier":     {url.Values{"code_verifier": {verifier + "x"}}, 400, "invalid_grant"},
		"wrong redirect":     {url.Values{"redirect_uri": {"https://service.example/other?a=1"}}, 400, "invalid_grant"},
		"no redirect":        {url.Values{"redirect_uri": {""}}, 400, "invalid_grant"},
		"no code":            {url.Values{"code": {""}}, 400, "invalid_request"},
		"unknown code":       {url.Values{"code": {"x"}}, 400, "invalid_grant"},
		"two codes":          {url.Values{"code": {"x", "y"}}, 400, "invalid_request"},
		"another client":     {url.Values{"client_id": {"public"}}, 400, "invalid_grant"},
		"wrong secret":       {url.Values{"client_id": {"service"}, "client_secret": {"x"}}, 401, "invalid_client"},
		"no secret":          {url.Values{"client_id": {"service"}}, 401, "invalid_client"},
		"unknown client":     {url.Values{"client_id": {"nobody"}}, 401, "invalid_client"},
		"refresh token":      {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, 400, "unsupported_grant_type"},
		"client credentials": {url.Values{"grant_type": {"client_credentials"}}, 400, "unsupported_grant_type"},
		"JWT grant":          {url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {"x"}}, 400, "unsupported_grant_type"},
		"token exchange":     {url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}}, 400, "unsupported_grant_type"},
		"no grant type":      {url.Values{"grant_type": {""}}, 400, "unsupported_grant_type"},
	} {
		b := h.browser()
		code := h.finish(b, h.signIn(h.begin(b, nil)))
		a := h.redeem(code, c.change)
		if got := a.tokens(t); a.StatusCode != c.status || got.Error != c.want || got.ID != "" || got.Access != "" {
			t.Errorf("%s: %d %s, want %d %s", name, a.StatusCode, a.body, c.status, c.want)
		}
	}
}

func TestCodeIsGoodOnce(t *testing.T) {
	h := open(t)
	code, tok := h.signedIn(nil)
	if a := h.redeem(code, nil); a.StatusCode != http.StatusBadRequest || a.tokens(t).Error != "invalid_grant" {
		t.Errorf("the second time: %d %s", a.StatusCode, a.body)
	}
	// Somebody else has the code: what it gave is revoked. RFC 6749, 4.1.2.
	r, err := http.NewRequest(http.MethodGet, h.server.URL+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+tok.Access)
	if a := h.do(h.browser(), r); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("the access token outlives the replay of its code: %d", a.StatusCode)
	}
}

// TestReplayDuringExchange: the token is not given out when the code came again
// while it was made.
func TestReplayDuringExchange(t *testing.T) {
	g := new(grant)
	if _, first := g.use(); !first {
		t.Fatal("the first use is not the first")
	}
	if _, first := g.use(); first || g.issue("token") || g.token != "" {
		t.Errorf("issued after a replay: %q", g.token)
	}
}

func TestTokenTakesNothingFromTheURL(t *testing.T) {
	h := open(t)
	b := h.browser()
	code := h.finish(b, h.signIn(h.begin(b, nil)))
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	r, err := http.NewRequest(http.MethodPost, h.server.URL+"/token?scope=openid", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("service", url.QueryEscape(secret))
	if a := h.do(h.browser(), r); a.StatusCode != http.StatusBadRequest || a.tokens(t).Error != "invalid_request" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestCodeIsBurntByAWrongVerifier(t *testing.T) {
	h := open(t)
	b := h.browser()
	code := h.finish(b, h.signIn(h.begin(b, nil)))
	h.redeem(code, url.Values{"code_verifier": {"a-guess-of-somebody-who-has-only-seen-the-code"}})
	if a := h.redeem(code, nil); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a code that was tried still works: %d %s", a.StatusCode, a.body)
	}
}

// TestStrangersDoNotBurnCodes: a code that leaked is worth nothing to who is not its
// service, not even to spoil the sign-in or, later, to end it.
func TestStrangersDoNotBurnCodes(t *testing.T) {
	h := open(t)
	b := h.browser()
	code := h.finish(b, h.signIn(h.begin(b, nil)))
	strangers := func() {
		for _, change := range []url.Values{
			{"client_id": {"service"}}, {"client_id": {"service"}, "client_secret": {"x"}}, {"client_id": {"nobody"}}, {"client_id": {"public"}},
		} {
			if a := h.redeem(code, change); a.StatusCode < 400 {
				t.Errorf("%v: %d %s", change, a.StatusCode, a.body)
			}
		}
	}
	strangers()
	a := h.redeem(code, nil)
	if a.StatusCode != http.StatusOK {
		t.Fatalf("the service itself: %d %s", a.StatusCode, a.body)
	}
	strangers()
	if n := h.p.tokens.Len(); n != 1 {
		t.Errorf("%d access tokens", n)
	}
}

// TestClientAuthentication: who fails to prove which service it is learns that
// first, and nothing about the code. RFC 6749, Section 5.2.
func TestClientAuthentication(t *testing.T) {
	h := open(t)
	good := url.QueryEscape(secret)
	for name, c := range map[string]struct {
		user, password string
		form           url.Values
		status         int
	}{
		"wrong secret":            {"service", "x", nil, 401},
		"empty secret":            {"service", "", nil, 401},
		"unknown client":          {"nobody", good, nil, 401},
		"public client by Basic":  {"public", "", nil, 401},
		"two clients":             {"service", good, url.Values{"client_id": {"public"}}, 401},
		"two methods":             {"service", good, url.Values{"client_secret": {secret}}, 401},
		"secret in the form":      {"", "", url.Values{"client_id": {"service"}, "client_secret": {secret}}, 401},
		"assertion":               {"", "", url.Values{"client_id": {"public"}, "client_assertion": {"a.b.c"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}, 401},
		"nobody":                  {"", "", nil, 401},
		"right, and the same":     {"service", good, url.Values{"client_id": {"service"}}, 400},
		"right, public":           {"", "", url.Values{"client_id": {"public"}}, 400},
		"right, and unknown code": {"service", good, nil, 400},
	} {
		form := url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {callback}, "code_verifier": {verifier}}
		for key, values := range c.form {
			form[key] = values
		}
		r, err := http.NewRequest(http.MethodPost, h.server.URL+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.user != "" {
			r.SetBasicAuth(c.user, c.password)
		}
		a := h.do(h.browser(), r)
		want := map[int]string{401: "invalid_client", 400: "invalid_grant"}[c.status]
		if a.StatusCode != c.status || a.tokens(t).Error != want {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
		if got := a.Header.Get("WWW-Authenticate"); (c.status == 401) != strings.HasPrefix(got, "Basic ") {
			t.Errorf("%s: WWW-Authenticate %q", name, got)
		}
	}
}

func TestCodeIsGoodShortly(t *testing.T) {
	h := open(t)
	b := h.browser()
	code := h.finish(b, h.signIn(h.begin(b, nil)))
	h.sleep(time.Minute)
	if a := h.redeem(code, nil); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a minute later: %d %s", a.StatusCode, a.body)
	}
}

func TestPublicClient(t *testing.T) {
	h := open(t)
	b := h.browser()
	code := h.finish(b, h.signIn(h.begin(b, url.Values{"client_id": {"public"}})))
	a := h.redeem(code, url.Values{"client_id": {"public"}})
	if a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
}

// TestTokenForms: forms that the library would stumble over.
func TestTokenForms(t *testing.T) {
	h := open(t)
	for name, c := range map[string]struct{ query, contentType, body, auth string }{
		"no type":           {"", "", "grant_type=authorization_code", ""},
		"json":              {"", "application/json", `{"grant_type":"authorization_code"}`, ""},
		"in the URL":        {"?grant_type=authorization_code&code=x", "application/x-www-form-urlencoded", "grant_type=authorization_code", ""},
		"bad escape":        {"", "application/x-www-form-urlencoded", "grant_type=authorization_code&code=%zz", ""},
		"semicolons":        {"", "application/x-www-form-urlencoded", "grant_type=authorization_code;code=x", ""},
		"empty":             {"", "application/x-www-form-urlencoded", "", ""},
		"bad basic escape":  {"", "application/x-www-form-urlencoded", "grant_type=authorization_code&code=x", "%zz"},
		"bad basic escape2": {"", "application/x-www-form-urlencoded", "grant_type=authorization_code&code=x", "service:%zz"},
		"too long":          {"", "application/x-www-form-urlencoded", "grant_type=authorization_code&code=" + strings.Repeat("x", maxForm), ""},
	} {
		r, err := http.NewRequest(http.MethodPost, h.server.URL+"/token"+c.query, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.contentType)
		if c.auth != "" {
			user, password, _ := strings.Cut(c.auth, ":")
			r.SetBasicAuth(user, password)
		}
		a := h.do(h.browser(), r)
		if a.StatusCode < 400 || a.StatusCode >= 500 || a.tokens(t).Error == "" {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
}

func TestDiscoveryNamesOnlyWhatIsOffered(t *testing.T) {
	h := open(t)
	a := h.get(h.browser(), "/.well-known/openid-configuration")
	var d map[string]any
	if err := json.Unmarshal([]byte(a.body), &d); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"response_types_supported": `["code"]`, "grant_types_supported": `["authorization_code"]`,
		"code_challenge_methods_supported": `["S256"]`, "subject_types_supported": `["pairwise"]`,
		"id_token_signing_alg_values_supported": `["ES256"]`, "ui_locales_supported": `["ru","en"]`,
	} {
		if got, err := json.Marshal(d[name]); err != nil || string(got) != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	if d["issuer"] != h.server.URL {
		t.Errorf("issuer = %v", d["issuer"])
	}
	for name, v := range d {
		endpoint, ok := v.(string)
		if !ok || !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" {
			continue
		}
		if a := h.get(h.browser(), endpoint); a.StatusCode == http.StatusNotFound {
			t.Errorf("%s: nothing at %s", name, endpoint)
		}
	}
}

// TestSubject holds what the claim sub promises.
func TestSubject(t *testing.T) {
	h := open(t)
	who := entrepreneur(t)
	sub := func(client string, who person.Identity) string {
		s, err := h.p.subject(client, who)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	base := sub("service", who)

	renewed := who
	renewed.Name, renewed.Email = person.NewName("Иное Имя"), person.NewEmail("new@example.ru")
	renewed.OGRNIP = person.OGRNIP{}
	if sub("service", renewed) != base {
		t.Error("sub does not survive the renewal of the certificate")
	}
	if sub("public", who) == base {
		t.Error("two services see the same sub")
	}
	other := who
	other.INN = must(person.ParseINN("772712345605"))(t)
	if sub("service", other) == base {
		t.Error("two people have the same sub")
	}
	natural := who
	natural.Kind = person.Person
	if sub("service", natural) == base {
		t.Error("an entrepreneur and a natural person have the same sub")
	}
	bySNILS := person.Identity{Kind: who.Kind, SNILS: who.SNILS}
	sub("service", bySNILS)
	if _, err := h.p.subject("service", person.Identity{Kind: who.Kind, Name: who.Name}); reason.Of(err) != reason.PersonINNMissing {
		t.Errorf("nobody in particular gets a sub: %v", err)
	}
	elsewhere := open(t, func(o *Options) { o.SubjectSecret = []byte(strings.Repeat("x", 32)) })
	if s, err := elsewhere.p.subject("service", who); err != nil || s == base {
		t.Error("sub does not depend on the secret")
	}
}

func TestFullStores(t *testing.T) {
	h := open(t, func(o *Options) { o.Limit = 1 })
	c := h.browser()
	first := h.signIn(h.begin(c, nil))
	r, err := h.p.Open(h.begin(c, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.p.Ticket(r, Login{Identity: entrepreneur(t), At: h.now()}); reason.Of(err) != reason.ServerBusy {
		t.Errorf("a second ticket: %v", err)
	}
	code := h.finish(c, first)
	// The place of the ticket is free again, that of the code is not.
	a := h.get(c, h.signIn(h.begin(c, nil)))
	if u, err := url.Parse(a.Header.Get("Location")); err != nil || u.Query().Get("error") != "server_error" || strings.Contains(u.String(), "code=") {
		t.Errorf("a second code: %d %q", a.StatusCode, a.Header.Get("Location"))
	}
	if a := h.redeem(code, nil); a.StatusCode != http.StatusOK {
		t.Errorf("the first code: %d %s", a.StatusCode, a.body)
	}
}

func TestLogout(t *testing.T) {
	h := open(t)
	_, tok := h.signedIn(nil)
	q := url.Values{"id_token_hint": {tok.ID}, "post_logout_redirect_uri": {"https://service.example/bye"}, "state": {"s"}}
	a := h.get(h.browser(), "/end_session?"+q.Encode())
	if got := a.Header.Get("Location"); got != "https://service.example/bye?state=s" {
		t.Errorf("%d, location %q", a.StatusCode, got)
	}
	if n := h.p.tokens.Len(); n != 0 {
		t.Errorf("%d access tokens are left", n)
	}
	q.Set("post_logout_redirect_uri", "https://evil.example/")
	if a := h.get(h.browser(), "/end_session?"+q.Encode()); a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" || a.body != string(reason.RedirectMismatch) {
		t.Errorf("a foreign address: %d %q %s", a.StatusCode, a.Header.Get("Location"), a.body)
	}
	if a := h.get(h.browser(), "/end_session?state=a&state=b"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a repeated parameter: %d", a.StatusCode)
	}
	if a := h.get(h.browser(), "/end_session?x=%zz"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a query that does not parse: %d", a.StatusCode)
	}
	if a := h.get(h.browser(), "/end_session"); a.Header.Get("Location") != h.server.URL+"/" {
		t.Errorf("without anything: %d %q", a.StatusCode, a.Header.Get("Location"))
	}
}

// TestLogoutTellsCertificate: a logout names the certificate, by the identity token or
// by the cookie of the browser, and by nothing that somebody else could make.
func TestLogoutTellsCertificate(t *testing.T) {
	var told [][32]byte
	h := open(t, func(o *Options) {
		o.SessionLife = time.Hour
		o.Logout = func(cert [32]byte) { told = append(told, cert) }
	})
	other := open(t, func(o *Options) { o.SessionLife = time.Hour })
	b := h.browser()
	tok := h.redeem(h.finish(b, h.signIn(h.begin(b, nil))), nil).tokens(t)
	_, foreign := other.signedIn(nil)
	want := [32]byte{1}

	for name, end := range map[string]struct {
		query string
		n     int
	}{
		"nothing":              {"", 0},
		"hint":                 {"?id_token_hint=" + tok.ID, 1},
		"hint of another key":  {"?id_token_hint=" + foreign.ID + "&client_id=service", 0},
		"hint of other client": {"?id_token_hint=" + tok.ID + "&client_id=public", 0},
	} {
		told = nil
		h.get(h.browser(), "/end_session"+end.query)
		if len(told) != end.n || (end.n > 0 && told[0] != want) {
			t.Errorf("%s: told %x", name, told)
		}
	}

	told = nil
	a := h.get(b, "/end_session")
	if len(told) != 1 || told[0] != want {
		t.Errorf("the cookie of the browser: told %x", told)
	}
	if set := a.Header.Get("Set-Cookie"); !strings.HasPrefix(set, certificateCookie+"=;") || !strings.Contains(set, "Max-Age=0") {
		t.Errorf("the cookie stays: %q", set)
	}
	told = nil
	if h.get(b, "/end_session"); len(told) != 0 {
		t.Errorf("the second time: told %x", told)
	}
	for name, value := range map[string]string{
		"of another server": other.p.seal.seal(sealedCertificate, want[:]),
		"a sealed request":  h.p.seal.close(Request{}),
		"too short":         h.p.seal.seal(sealedCertificate, want[:31]),
		"in clear":          hex.EncodeToString(want[:]),
	} {
		r, err := http.NewRequest(http.MethodGet, h.server.URL+"/end_session", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: certificateCookie, Value: value})
		h.do(h.browser(), r)
		if len(told) != 0 {
			t.Errorf("cookie %s: told %x", name, told)
		}
	}
}

// TestLogoutIsForPeople: whoever logs out sees a page or goes where he belongs, never
// the error document of a program. A hint of an earlier key, or of nobody, says no
// more than no hint.
func TestLogoutIsForPeople(t *testing.T) {
	h := open(t)
	other := open(t)
	_, tok := h.signedIn(nil)
	_, foreign := other.signedIn(nil)
	const bye = "https://service.example/bye"
	for name, c := range map[string]struct {
		query          url.Values
		location, body string
		left           int // access tokens
	}{
		"hint of another key":  {url.Values{"id_token_hint": {foreign.ID}, "client_id": {"service"}, "post_logout_redirect_uri": {bye}}, bye, "", 1},
		"garbage for a hint":   {url.Values{"id_token_hint": {"x.y.z"}}, h.server.URL + "/", "", 1},
		"unknown client":       {url.Values{"client_id": {"nobody"}, "post_logout_redirect_uri": {bye}}, "", string(reason.ClientUnknown), 1},
		"hint of other client": {url.Values{"id_token_hint": {tok.ID}, "client_id": {"public"}}, "", string(reason.RedirectMismatch), 1},
		"languages of nowhere": {url.Values{"ui_locales": {"?!"}, "client_id": {"service"}, "post_logout_redirect_uri": {bye}}, bye, "", 1},
		"foreign, with client": {url.Values{"client_id": {"service"}, "post_logout_redirect_uri": {"https://evil.example/"}}, "", string(reason.RedirectMismatch), 1},
	} {
		a := h.get(h.browser(), "/end_session?"+c.query.Encode())
		if a.Header.Get("Location") != c.location || (c.body != "" && a.body != c.body) {
			t.Errorf("%s: %d, location %q, %q", name, a.StatusCode, a.Header.Get("Location"), a.body)
		}
		if n := h.p.tokens.Len(); n != c.left {
			t.Errorf("%s: %d access tokens are left", name, n)
		}
	}
}

func TestSigningKeys(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, func(o *Options) { o.Key = rsaKey })
	_, tok := h.signedIn(nil)
	if h.claims(tok.ID)["sub"] == nil {
		t.Error("no subject under RS256")
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newSigningKey(p384); err == nil {
		t.Error("P-384 is accepted")
	}
	if _, err := New(Options{SubjectSecret: make([]byte, 31)}); err == nil {
		t.Error("a short subject secret is accepted")
	}
}
