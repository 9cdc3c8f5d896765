package cabinet

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"propusk/pki/person"
	"propusk/server/level"
	"propusk/server/session"
)

func services() []level.Service {
	return []level.Service{
		{ID: "complaint", Name: level.Text{RU: "Узнать о жалобе", EN: "A complaint"}, Level: level.Open},
		{ID: "messages", Name: level.Text{RU: "Переписка", EN: "Messages"}, Level: level.Password},
		{ID: "payments", Name: level.Text{RU: "Платежи", EN: "Payments"}, Level: level.TwoFactor},
		{ID: "declaration", Name: level.Text{RU: "Декларации", EN: "Tax returns"}, Level: level.QES, Kinds: map[person.Kind]level.Level{person.Entrepreneur: level.Mobile}},
		{ID: "eaeu", Name: level.Text{RU: "Документы ЕАЭС", EN: "EAEU documents"}, Level: level.QES, Physical: true},
	}
}

// shop is a cabinet with services beside a provider that says what a test wants.
type shop struct {
	t *testing.T
	p *fakeProvider
	*Cabinet
	jar map[string]string
}

func newShop(t *testing.T) *shop {
	t.Helper()
	p := newFakeProvider(t)
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	c, err := New(Options{URL: "http://cabinet.example", Issuer: p.URL, ClientID: "cabinet", RootCAs: roots, Services: services()})
	if err != nil {
		t.Fatal(err)
	}
	return &shop{t, p, c, make(map[string]string)}
}

func (s *shop) do(method, target, body string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range s.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if s.jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(s.jar, c.Name)
		}
	}
	return w.Result()
}

func (s *shop) text(target string) string {
	s.t.Helper()
	var b strings.Builder
	res := s.do(http.MethodGet, target, "")
	if err := res.Write(&b); err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

// signIn follows a way to the provider, which answers with claims; it returns where the
// cabinet leads then, and what it asked.
func (s *shop) signIn(target string, claims map[string]any) (string, url.Values) {
	s.t.Helper()
	u, err := url.Parse(s.do(http.MethodGet, target, "").Header.Get("Location"))
	if err != nil {
		s.t.Fatal(err)
	}
	q := u.Query()
	now, half := time.Now(), sha256.Sum256([]byte("the access token"))
	s.p.claims = map[string]any{
		"iss": s.p.URL, "aud": "cabinet", "sub": "somebody", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "auth_time": now.Unix(),
		"nonce": q.Get("nonce"), "acr": level.Password.ACR(), "amr": []string{"pwd"}, "sid": "the-visit", "name": "Примеров Пример", "inn": "500100732259",
		"kind": "fl", "at_hash": base64.RawURLEncoding.EncodeToString(half[:16]),
	}
	maps.Copy(s.p.claims, claims)
	return s.do(http.MethodGet, "/callback?code=c&state="+q.Get("state"), "").Header.Get("Location"), q
}

// TestServices: each is open to who has proven enough, and leads others to prove it and back.
func TestServices(t *testing.T) {
	s := newShop(t)
	if res := s.do(http.MethodGet, "/services/messages", ""); res.Header.Get("Location") != "http://cabinet.example/login?service=messages" {
		t.Errorf("a stranger is led to %q", res.Header.Get("Location"))
	}
	if home := s.text("/"); !strings.Contains(home, "Узнать о жалобе") || strings.Contains(home, "Переписка") {
		t.Errorf("a stranger sees:\n%s", home)
	}
	if text := s.text("/services/complaint"); !strings.Contains(text, "<h1>Узнать о жалобе</h1>") || !strings.Contains(text, "входить не нужно") {
		t.Errorf("what is for everybody is not (BY-07):\n%s", text)
	}
	back, asked := s.signIn("/login?by=password", nil)
	if back != "http://cabinet.example/" || asked.Get("acr_values") != "urn:propusk:acr:password" || asked.Has("service") {
		t.Errorf("%q, %v", back, asked)
	}
	home := s.text("/")
	for _, want := range []string{"Переписка", "Документы ЕАЭС", `id="person">Примеров Пример<`, `id="payer">ИНН 500100732259<`, "ключ на носителе"} {
		if !strings.Contains(home, want) {
			t.Errorf("the menu lacks %q:\n%s", want, home)
		}
	}
	if n := strings.Count(home, "нужно подтвердить вход"); n != 3 {
		t.Errorf("%d services want more", n)
	}
	if !strings.Contains(s.text("/services/messages"), "<h1>Переписка</h1>") {
		t.Error("a service of this level is closed")
	}
	if res := s.do(http.MethodGet, "/services/declaration", ""); res.Header.Get("Location") != "http://cabinet.example/login?service=declaration" {
		t.Fatalf("a service of a higher level: %d", res.StatusCode)
	}
	old := s.jar[sessionCookie]
	back, asked = s.signIn("/login?service=declaration", map[string]any{"acr": level.QES.ACR(), "amr": []string{"swk"}, "cert_sha256": "ab"})
	if back != "http://cabinet.example/services/declaration" || asked.Get("service") != "declaration" || asked.Has("acr_values") {
		t.Errorf("%q, %v", back, asked)
	}
	if s.jar[sessionCookie] == old {
		t.Error("the session was not changed")
	}
	if !strings.Contains(s.text("/services/declaration"), "<h1>Декларации</h1>") {
		t.Error("the service is closed after the step-up")
	}
	fresh := s.jar[sessionCookie]
	s.jar[sessionCookie] = old
	if strings.Contains(s.text("/"), "Здравствуйте") {
		t.Error("the session of before is still good")
	}
	s.jar[sessionCookie] = fresh
	if res := s.do(http.MethodGet, "/services/eaeu", ""); res.StatusCode != http.StatusSeeOther {
		t.Error("a key that may leave its device opens what wants a token")
	}
	if res := s.do(http.MethodGet, "/services/nonsense", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("no such service: %d", res.StatusCode)
	}
	if _, asked = s.signIn("/login?service=nonsense", nil); asked.Has("service") || asked.Get("acr_values") != "urn:propusk:acr:qes" {
		t.Errorf("no such service: %v", asked)
	}
}

// TestPayer is the header of BY-10.
func TestPayer(t *testing.T) {
	for want, payer := range map[string]*Taxpayer{
		"ИНН 500100732259":               nil,
		"ИП, ИНН 500100732259":           {Kind: "ip", Name: "Примеров", INN: "500100732259"},
		"ООО «Пример», ИНН 7707083893":   {Kind: "ul", Name: "ООО «Пример»", INN: "500100732259", INNLE: "7707083893"},
		"ИП Образцова, ИНН 500100732259": {Kind: "ip", Name: "Образцова", INN: "500100732259"},
	} {
		a := Account{Name: "Примеров", INN: "500100732259", Taxpayer: payer}
		if got := a.payer(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestTokenThatLies: what the provider says is compared with what the service wants.
func TestTokenThatLies(t *testing.T) {
	s := newShop(t)
	for name, claims := range map[string]map[string]any{
		"a password": {}, "another word": {"acr": "qes"}, "a telephone, for another kind": {"acr": level.Mobile.ACR()},
	} {
		s.signIn("/login?service=declaration", claims)
		if res := s.do(http.MethodGet, "/services/declaration", ""); res.StatusCode == http.StatusOK {
			t.Errorf("%s opens what wants a key", name)
		}
	}
	s.signIn("/login?service=declaration", map[string]any{"acr": level.Mobile.ACR(), "taxpayer": map[string]any{"kind": "ip", "name": "Примеров", "inn": "500100732259"}})
	if text := s.text("/services/declaration"); !strings.Contains(text, "<h1>Декларации</h1>") || !strings.Contains(text, "ИП Примеров, ИНН 500100732259") {
		t.Errorf("for an entrepreneur a telephone is enough (BY-05):\n%s", text)
	}
	for name, acr := range map[string]any{"none": nil, "open": level.Open.ACR(), "foreign": "urn:other"} {
		delete(s.jar, sessionCookie)
		if back, _ := s.signIn("/login", map[string]any{"acr": acr}); back != "" || s.jar[sessionCookie] != "" {
			t.Errorf("level %s: signed in", name)
		}
	}
}

func (s *shop) logoutToken(typ string, change map[string]any) string {
	s.t.Helper()
	claims := map[string]any{
		"iss": s.p.URL, "aud": "cabinet", "iat": time.Now().Unix(), "exp": time.Now().Add(2 * time.Minute).Unix(), "jti": session.NewKey(), "sid": "the-visit",
		"events": map[string]any{logoutEvent: map[string]any{}},
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.p.signer, KeyID: "k"}}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

// TestLogoutOfOthers: the page of another site takes nobody's session away.
func TestLogoutOfOthers(t *testing.T) {
	s := newShop(t)
	s.signIn("/login", nil)
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		r := httptest.NewRequest(http.MethodPost, "/logout", nil) // browsers send no cookie with it
		r.Header.Set(name, value)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: %d, cookies %v", name, w.Code, w.Result().Cookies())
		}
	}
}

// TestBackChannelLogout: only a good logout token ends anything, and only its visit. OpenID
// Connect Back-Channel Logout 1.0, Section 2.6.
func TestBackChannelLogout(t *testing.T) {
	s := newShop(t)
	s.signIn("/login", nil)
	tell := func(token string) int {
		return s.do(http.MethodPost, "/backchannel-logout", url.Values{"logout_token": {token}}.Encode()).StatusCode
	}
	signedIn := func() bool { return strings.Contains(s.text("/"), "Здравствуйте") }
	for name, token := range map[string]string{
		"nothing":           "",
		"nonsense":          "x.y.z",
		"an identity token": s.logoutToken("JWT", nil),
		"of another issuer": s.logoutToken("logout+jwt", map[string]any{"iss": "https://evil.example"}),
		"for another":       s.logoutToken("logout+jwt", map[string]any{"aud": "other"}),
		"over":              s.logoutToken("logout+jwt", map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}),
		"for ever":          s.logoutToken("logout+jwt", map[string]any{"exp": time.Now().Add(time.Hour).Unix()}),
		"with a nonce":      s.logoutToken("logout+jwt", map[string]any{"nonce": "n"}),
		"without an event":  s.logoutToken("logout+jwt", map[string]any{"events": nil}),
		"another event":     s.logoutToken("logout+jwt", map[string]any{"events": map[string]any{"x": map[string]any{}}}),
		"of no visit":       s.logoutToken("logout+jwt", map[string]any{"sid": nil}),
		"without a name":    s.logoutToken("logout+jwt", map[string]any{"jti": nil}),
	} {
		if status := tell(token); status != http.StatusBadRequest || !signedIn() {
			t.Errorf("%s: %d", name, status)
		}
	}
	right := s.p.signer
	s.p.signer = newKey(t)
	if status := tell(s.logoutToken("logout+jwt", nil)); status != http.StatusBadRequest || !signedIn() {
		t.Errorf("signed by somebody else: %d", status)
	}
	s.p.signer = right
	if status := tell(s.logoutToken("logout+jwt", map[string]any{"sid": "another visit"})); status != http.StatusOK || !signedIn() {
		t.Errorf("another visit: %d", status)
	}
	good := s.logoutToken("logout+jwt", nil)
	if status := tell(good); status != http.StatusOK || signedIn() {
		t.Errorf("a good token: %d", status)
	}
	if s.signIn("/login", nil); signedIn() { // its token was on the way
		t.Error("signed in by a visit that has ended just now")
	}
	s.signIn("/login", map[string]any{"sid": "the next visit"})
	if status := tell(good); status != http.StatusBadRequest || !signedIn() {
		t.Errorf("the same token again: %d", status)
	}
	if res := s.do(http.MethodGet, "/backchannel-logout", ""); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", res.StatusCode)
	}
}
