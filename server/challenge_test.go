package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/server/signrequest"
	"propusk/server/testgateway"
)

// visit is a person with a browser, an agent and a certificate, at a gateway.
type visit struct {
	t *testing.T
	g *testgateway.Gateway
	b *http.Client
}

func newVisit(t *testing.T, g *testgateway.Gateway) visit { return visit{t, g, g.Browser()} }

// post posts a form from a page of an origin.
func (v visit) post(c *http.Client, path, origin string, form url.Values) testgateway.Answer {
	v.t.Helper()
	r, err := http.NewRequest(http.MethodPost, v.g.Config.Public.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	return v.g.Do(c, r)
}

// get asks for a path of the public host.
func (v visit) get(path string) testgateway.Answer {
	v.t.Helper()
	return v.g.Get(v.b, v.g.Config.Public.URL+path)
}

// authorize goes from the service to the choice, and returns the sealed request.
func (v visit) authorize() string {
	v.t.Helper()
	a := v.g.Get(v.b, authorizeURL(v.g, "the-state"))
	u, err := url.Parse(a.Location())
	if err != nil || !strings.HasPrefix(a.Location(), v.g.Config.Public.URL+"/signin?request=") {
		v.t.Fatalf("authorize: %d %q", a.StatusCode, a.Location())
	}
	return u.Query().Get("request")
}

// begin begins a sign-in and returns its state.
func (v visit) begin() string {
	v.t.Helper()
	return v.state(v.post(v.b, "/signin/agent", "null", url.Values{"request": {v.authorize()}}))
}

func (v visit) state(a testgateway.Answer) string {
	v.t.Helper()
	state, ok := strings.CutPrefix(a.Location(), "/signin/wait?state=")
	if a.StatusCode != http.StatusSeeOther || !ok {
		v.t.Fatalf("begin: %d %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	return state
}

// beginPlugin begins a sign-in by a plug-in and returns its state.
func (v visit) beginPlugin() string {
	v.t.Helper()
	a := v.post(v.b, "/signin/plugin", "null", url.Values{"request": {v.authorize()}})
	state, ok := strings.CutPrefix(a.Location(), "/signin/plugin?state=")
	if !ok {
		v.t.Fatalf("begin: %d %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	return state
}

// gateway is what an agent knows of the gateway.
func (v visit) gateway() signrequest.Gateway {
	v.t.Helper()
	a := v.get(signrequest.WellKnown)
	card, err := signrequest.ParseCard([]byte(a.Text))
	if err != nil || card.URL != v.g.Config.Public.URL {
		v.t.Fatalf("the card: %v\n%s", err, a.Text)
	}
	return card.Gateway
}

// request opens the agent, and returns what it gets.
func (v visit) request(state string) signrequest.Request {
	v.t.Helper()
	a := v.get("/signin/open?state=" + state)
	jws, ok := strings.CutPrefix(a.Location(), "http://127.0.0.1:17446/sign?request=")
	if a.StatusCode != http.StatusSeeOther || !ok {
		v.t.Fatalf("open: %d %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	r, _, err := signrequest.Verify(jws, []signrequest.Gateway{v.gateway()}, v.g.Clock())
	if err != nil {
		v.t.Fatal(err)
	}
	return r
}

// signatory is a person of the country.
func (v visit) signatory(person string) cms.Signatory {
	p := v.g.Country.Person(person)
	return cms.Signatory{Key: p.Key, Certificate: p.Certificate, Time: v.g.Clock().Truncate(time.Second)}
}

// sign signs a content, beside it, as an agent does.
func (v visit) sign(content []byte, by ...cms.Signatory) []byte {
	v.t.Helper()
	for i := range by {
		if by[i].Description == "" && signrequest.LooksLikeSignIn(content) {
			by[i].Description = string(signrequest.SignIn)
		}
	}
	return v.signPlainly(content, by...)
}

// signPlainly signs as a plug-in does, which does not say what for.
func (v visit) signPlainly(content []byte, by ...cms.Signatory) []byte {
	v.t.Helper()
	signature, err := cms.CreateDetached(nil, bytes.NewReader(content), by...)
	if err != nil {
		v.t.Fatal(err)
	}
	return signature
}

// answer posts a signature as the page of an agent does: from another site, without
// cookies. It returns where the browser goes next.
func (v visit) answer(state string, signature []byte) testgateway.Answer {
	v.t.Helper()
	return v.post(v.g.Browser(), "/signed", "null", url.Values{"state": {state}, "signature": {base64.StdEncoding.EncodeToString(signature)}})
}

// follow follows a good answer.
func (v visit) follow(a testgateway.Answer) testgateway.Answer {
	v.t.Helper()
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Location(), "/signed?answer=") {
		v.t.Fatalf("the answer: %d %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	return v.get(a.Location())
}

var onward = regexp.MustCompile(`<meta http-equiv="refresh" content="0; url=([^"]+)">`)

// next returns where the page after a good answer goes by itself.
func (v visit) next(a testgateway.Answer) string {
	v.t.Helper()
	m := onward.FindStringSubmatch(a.Text)
	if a.StatusCode != http.StatusOK || m == nil {
		v.t.Fatalf("complete: %d\n%s", a.StatusCode, a.Text)
	}
	return html.UnescapeString(m[1])
}

func wantCode(t *testing.T, a testgateway.Answer, status int, code reason.Code) {
	t.Helper()
	wantStatus(t, a, status)
	wantText(t, a, `data-code="`+string(code)+`"`)
}

// TestChallengeWholeWay goes from the service to the tokens, with keys of both lengths.
func TestChallengeWholeWay(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	for _, person := range []string{"ip", "ip512"} {
		v := newVisit(t, g)
		sealed := v.authorize()
		a := v.get("/signin?request=" + sealed)
		wantStatus(t, a, http.StatusOK)
		wantText(t, a, "Проверочный сервис", "Войти по ГОСТ TLS", `action="/signin/agent"`, `action="/signin/plugin"`, g.Config.SignIn.URL+"/signin?request=")
		state := v.state(v.post(v.b, "/signin/agent", "null", url.Values{"request": {sealed}}))
		a = v.get("/signin/wait?state=" + state)
		wantStatus(t, a, http.StatusOK)
		wantText(t, a, `target="_blank" rel="noopener noreferrer"`, "propusk-agent://start", "127.0.0.1:27446", `http-equiv="refresh"`, "Одноразовое число")
		if a.Header.Get("Cache-Control") != "no-store" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("the headers of the waiting page: %v", a.Header)
		}
		r := v.request(state)
		if r.Purpose != signrequest.SignIn || r.Service != "Проверочный сервис" || r.State != state || len(r.Kinds) != 1 || r.ReturnTo != g.Config.Public.URL+"/signed" {
			t.Errorf("request %+v", r)
		}
		wantText(t, v.get("/signin/status?state="+state), `"phase":"open"`)
		a = v.answer(state, v.sign(r.Content(), v.signatory(person)))
		wantText(t, v.get("/signin/status?state="+state), `"phase":"answered"`)
		ticket := v.next(v.follow(a))
		wantText(t, v.get("/signin/status?state="+state), `"phase":"done"`)
		wantText(t, v.get("/signin/wait?state="+state), "Продолжение — в другой вкладке")
		if !strings.HasPrefix(ticket, g.Config.Public.URL+"/signin/return?ticket=") {
			t.Fatalf("on to %q", ticket)
		}
		u, err := url.Parse(g.Get(v.b, ticket).Location())
		if err != nil || u.Query().Get("state") != "the-state" {
			t.Fatalf("back at %q: %v", u, err)
		}
		a = redeem(t, g, u.Query().Get("code"))
		wantStatus(t, a, http.StatusOK)
		var tokens struct {
			ID string `json:"id_token"`
		}
		if err := json.Unmarshal([]byte(a.Text), &tokens); err != nil {
			t.Fatal(err)
		}
		claims, err := base64.RawURLEncoding.DecodeString(strings.Split(tokens.ID, ".")[1])
		for _, want := range []string{`"inn":"` + g.Country.Person(person).INN + `"`, `"acr":"urn:propusk:acr:qes"`, `"amr":["swk"]`} {
			if err != nil || !strings.Contains(string(claims), want) {
				t.Errorf("claims without %s: %s %v", want, claims, err)
			}
		}
	}
	wantText(t, g.Get(g.Browser(), g.Admin()+"/metrics"), `propusk_verdicts_total{conclusion="TOTAL-PASSED",reason="",subject="challenge"} 2`,
		`propusk_sessions{sort="challenge"} 2`)
}

// TestChallengeJudgesAsTLS: whatever is wrong with a certificate, the answer is that of the
// sign-in host, with the same page.
func TestChallengeJudgesAsTLS(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	for _, p := range g.Country.People() {
		v := newVisit(t, g)
		state := v.begin()
		by := v.signatory(p.ID)
		by.Time = time.Time{} // package cms would not sign with a certificate that is not in force
		a := v.follow(v.answer(state, v.sign(v.request(state).Content(), by)))
		if p.Expect == "" {
			v.next(a)
			continue
		}
		tls := g.Get(g.GOSTBrowser(p.ID), g.Config.SignIn.URL+"/signin?request=x")
		wantCode(t, a, tls.StatusCode, p.Expect)
		wantText(t, tls, `data-code="`+string(p.Expect)+`"`)
		wantText(t, a, p.INN, "Начать заново")
		wantText(t, g.Get(g.Browser(), g.Admin()+"/metrics"), `reason="`+string(p.Expect)+`",subject="challenge"} `)
	}
}

// TestLanguageOfService: the pages of a sign-in have the language that the service asks for by
// ui_locales, to its end.
func TestLanguageOfService(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	for locales, want := range map[string]string{"": "ru", "en-GB ru": "en"} {
		c := g.Browser()
		choice := g.Get(c, authorizeURL(g, "s")+"&ui_locales="+url.QueryEscape(locales)).Location()
		wantText(t, g.Get(c, choice), `<html lang="`+want+`">`)
		wantText(t, g.Get(c, g.Config.Public.URL+"/signin/wait?state=x"), `<html lang="`+want+`">`)
	}
}

// TestGOSTBrowsersAreNotAsked: who can show the certificate by TLS is sent on at once, and
// can come back to choose.
func TestGOSTBrowsersAreNotAsked(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	c := g.GOSTBrowser("expired")
	choice := g.Get(c, authorizeURL(g, "s")).Location()
	tls := g.Get(c, choice).Location()
	if !strings.HasPrefix(tls, g.Config.SignIn.URL+"/signin?request=") {
		t.Fatalf("sent to %q", tls)
	}
	a := g.Get(c, tls)
	wantCode(t, a, http.StatusForbidden, reason.CertExpired)
	other := regexp.MustCompile(`href="([^"]+)">Войти другим способом`).FindStringSubmatch(a.Text)
	if other == nil {
		t.Fatalf("no other way:\n%s", a.Text)
	}
	wantText(t, g.Get(c, html.UnescapeString(other[1])), `action="/signin/agent"`)
}

// TestChallengeOff: without other ways nobody is asked, and there is nothing to attack.
func TestChallengeOff(t *testing.T) {
	g := testgateway.Start(t)
	if at := g.Get(g.Browser(), authorizeURL(g, "s")).Location(); !strings.HasPrefix(at, g.Config.SignIn.URL+"/signin?request=") {
		t.Errorf("sent to %q", at)
	}
	for _, path := range []string{"/signin?request=x", "/signed?state=x", "/signin/wait?state=x", signrequest.WellKnown, "/signatures/x", "/api/v1/signatures/x"} {
		if a := g.Get(g.Browser(), g.Config.Public.URL+path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}

// TestChallengeReplay: an answer is taken once, and taken up once.
func TestChallengeReplay(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	state := v.begin()
	r := v.request(state)
	signature := v.sign(r.Content(), v.signatory("ip"))
	a := v.answer(state, signature)
	wantCode(t, v.answer(state, signature), http.StatusConflict, reason.ChallengeAnswered)
	wantCode(t, v.get("/signin/open?state="+state), http.StatusConflict, reason.ChallengeAnswered)
	v.next(v.follow(a))
	wantCode(t, v.follow(a), http.StatusConflict, reason.ChallengeUsed)
	wantCode(t, v.answer(state, signature), http.StatusConflict, reason.ChallengeAnswered)
	// The signature for another sign-in of the same person, in the same browser.
	again := v.begin()
	wantCode(t, v.follow(v.answer(again, signature)), http.StatusForbidden, reason.ChallengeContent)
}

// TestChallengeKeys: all keys are published, and the first one signs.
func TestChallengeKeys(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge, func(g *testgateway.Gateway) {
		old, err := os.ReadFile(g.Path(testgateway.ChallengeKey))
		if err != nil {
			t.Fatal(err)
		}
		g.WriteFile("old.pem", string(old))
		testgateway.WithChallenge(g) // writes a new one
		g.Config.Challenge.Keys = append(g.Config.Challenge.Keys, g.Path("old.pem"))
		g.Config.Challenge.Name = "Шлюз на проверке"
	})
	v := newVisit(t, g)
	known := v.gateway()
	if len(known.Keys) != 2 || known.Keys[0].ID == known.Keys[1].ID || known.Name != "Шлюз на проверке" {
		t.Fatalf("the card: %+v", known)
	}
	jws, _ := strings.CutPrefix(v.get("/signin/open?state="+v.begin()).Location(), "http://127.0.0.1:17446/sign?request=")
	for i, key := range known.Keys {
		one := signrequest.Gateway{URL: known.URL, Name: known.Name, Keys: []signrequest.Key{key}}
		if _, _, err := signrequest.Verify(jws, []signrequest.Gateway{one}, g.Clock()); (err == nil) != (i == 0) {
			t.Errorf("key %d: %v", i, err)
		}
	}
}

// TestChallengeRace: of many who bring the same answer at once, one gets in.
func TestChallengeRace(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	state := v.begin()
	signature := v.sign(v.request(state).Content(), v.signatory("ip"))
	answers := make(chan testgateway.Answer, 8)
	for range cap(answers) {
		go func() { answers <- v.answer(state, signature) }()
	}
	var taken []string
	for range cap(answers) {
		if a := <-answers; a.StatusCode == http.StatusSeeOther {
			taken = append(taken, a.Location())
		}
	}
	if len(taken) != 1 {
		t.Fatalf("%d answers were taken", len(taken))
	}
	for range cap(answers) {
		go func() { answers <- v.get(taken[0]) }()
	}
	in := 0
	for range cap(answers) {
		if a := <-answers; a.StatusCode == http.StatusOK {
			in++
		}
	}
	if in != 1 {
		t.Errorf("%d got in", in)
	}
}

// TestChallengeRelay: a signature is of no use for anything but what it was asked for.
func TestChallengeRelay(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	for name, change := range map[string]func(*signrequest.Request){
		"another gateway": func(r *signrequest.Request) { r.Issuer = "https://other.example" },
		"another nonce":   func(r *signrequest.Request) { r.Nonce = strings.Repeat("A", 43) },
		"another time":    func(r *signrequest.Request) { r.Began = r.Began.Add(-time.Second) },
		"another service": func(r *signrequest.Request) { r.Service = "Другой" },
		"another purpose": func(r *signrequest.Request) {
			r.Purpose, r.Text = signrequest.SignText, strings.TrimSuffix(string(r.Content()), "\n")
		},
	} {
		state := v.begin()
		r := v.request(state)
		change(&r)
		a := v.follow(v.answer(state, v.sign(r.Content(), v.signatory("ip"))))
		wantStatus(t, a, http.StatusForbidden)
		if !strings.Contains(a.Text, `data-code="`+string(reason.ChallengeContent)+`"`) {
			t.Errorf("%s:\n%s", name, a.Text)
		}
	}
	// With the content inside, which must be the same.
	state := v.begin()
	inside, err := cms.Create(nil, []byte("Обязуюсь уплатить миллион"), v.signatory("ip"))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, v.follow(v.answer(state, inside)), http.StatusForbidden, reason.ChallengeContent)
}

// TestChallengeLuring: neither of two people who are lured into one sign-in gets in as the
// other.
func TestChallengeLuring(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	// The attacker begins, and the victim signs what his agent shows him: it is a request of
	// the right gateway.
	attacker, victim := newVisit(t, g), newVisit(t, g)
	state := attacker.begin()
	a := victim.answer(state, victim.sign(attacker.request(state).Content(), victim.signatory("ip")))
	// The attacker has the cookie and waits, but the victim's browser has the key of the answer.
	wantCode(t, attacker.get("/signed?state="+state), http.StatusForbidden, reason.ChallengeOtherTab)
	wantCode(t, attacker.get("/signed?answer="+strings.Repeat("A", 43)+"&state="+state), http.StatusForbidden, reason.ChallengeOtherTab)
	wantText(t, attacker.get("/signin/wait?state="+state), "Ответ программы получен")
	// The victim has the key, but not the cookie, and is told; after that nobody gets it.
	b := victim.follow(a)
	wantCode(t, b, http.StatusForbidden, reason.ChallengeOtherBrowser)
	wantText(t, b, "кто-то пытался войти под вашим именем")
	if strings.Contains(b.Text, "Начать заново") {
		t.Error("the victim is led into the sign-in of the attacker")
	}
	wantCode(t, attacker.follow(a), http.StatusConflict, reason.ChallengeUsed)

	// The other way round: the attacker signs, and the victim is to be signed in as him.
	state = attacker.begin()
	a = attacker.answer(state, attacker.sign(attacker.request(state).Content(), attacker.signatory("ip512")))
	wantCode(t, victim.follow(a), http.StatusForbidden, reason.ChallengeOtherBrowser)

	// A page that is not the attacker's to see.
	state = victim.begin()
	for _, path := range []string{"/signin/wait", "/signin/open", "/signin/plugin"} {
		wantCode(t, attacker.get(path+"?state="+state), http.StatusForbidden, reason.ChallengeOtherBrowser)
	}
	wantText(t, attacker.get("/signin/status?state="+state), `"phase":"over"`)
	// A sign-in that was begun elsewhere cannot be gone on with.
	sealed := attacker.authorize()
	wantCode(t, victim.get("/signin?request="+sealed), http.StatusForbidden, reason.SignInOtherBrowser)
	wantCode(t, victim.post(victim.b, "/signin/agent", "null", url.Values{"request": {sealed}}), http.StatusForbidden, reason.SignInOtherBrowser)
}

// TestChallengeForms: answers that are not in the form of one, each with its reason.
func TestChallengeForms(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	state := v.begin()
	content := v.request(state).Content()
	good := base64.StdEncoding.EncodeToString(v.sign(content, v.signatory("ip")))
	form := func(more ...string) url.Values {
		f := url.Values{"state": {state}, "signature": {good}}
		for i := 0; i < len(more); i += 2 {
			f.Add(more[i], more[i+1])
		}
		return f
	}
	none := g.Browser()
	for name, c := range map[string]struct {
		origin string
		form   url.Values
		status int
		want   reason.Code
	}{
		"foreign origin":     {"https://evil.example", form(), http.StatusForbidden, reason.ChallengeOrigin},
		"origin of a port":   {"http://127.0.0.1:9999", form(), http.StatusForbidden, reason.ChallengeOrigin},
		"sign-in host":       {g.Config.SignIn.URL, form(), http.StatusForbidden, reason.ChallengeOrigin},
		"no origin":          {"", form(), http.StatusForbidden, reason.ChallengeOrigin},
		"state twice":        {"null", form("state", state), http.StatusUnprocessableEntity, reason.RequestFieldRepeated},
		"signature twice":    {"null", form("signature", good), http.StatusUnprocessableEntity, reason.RequestFieldRepeated},
		"unknown field":      {"null", form("x", "y"), http.StatusUnprocessableEntity, reason.RequestFieldUnknown},
		"signature or error": {"null", form("error", "failed"), http.StatusUnprocessableEntity, reason.RequestFieldMissing},
		"no state":           {"null", url.Values{"signature": {good}}, http.StatusUnprocessableEntity, reason.RequestFieldMissing},
		"unknown state":      {"null", url.Values{"state": {strings.Repeat("A", 43)}, "signature": {good}}, http.StatusNotFound, reason.ChallengeUnknown},
		"neither":            {"null", url.Values{"state": {state}}, http.StatusUnprocessableEntity, reason.RequestFieldMissing},
		"unknown error":      {"null", url.Values{"state": {state}, "error": {"x"}}, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"not base64":         {"null", url.Values{"state": {state}, "signature": {"%%%"}}, http.StatusBadRequest, reason.RequestBase64},
		"empty":              {"null", url.Values{"state": {state}, "signature": {""}}, http.StatusUnprocessableEntity, reason.RequestFieldMissing},
		"long signature": {"null", url.Values{"state": {state}, "signature": {strings.Repeat("AAAA", 11<<10)}},
			http.StatusRequestEntityTooLarge, reason.RequestTooLarge},
		"long body": {"null", url.Values{"state": {state}, "signature": {strings.Repeat("AAAA", 100<<10)}},
			http.StatusRequestEntityTooLarge, reason.RequestTooLarge},
	} {
		a := v.post(none, "/signed", c.origin, c.form)
		if a.StatusCode != c.status || !strings.Contains(a.Text, `data-code="`+string(c.want)+`"`) {
			t.Errorf("%s: %d, want %d %s\n%s", name, a.StatusCode, c.status, c.want, a.Text)
		}
	}
	for _, contentType := range []string{"text/plain", "multipart/form-data; boundary=x", "", "application/x-www-form-urlencoded; charset=koi8-r"} {
		r, err := http.NewRequest(http.MethodPost, g.Config.Public.URL+"/signed", strings.NewReader(form().Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Origin", "null")
		wantCode(t, g.Do(none, r), http.StatusUnsupportedMediaType, reason.MediaTypeUnsupported)
	}
	// All of that has not spoilt the state for its owner; a plug-in posts from our own page.
	v.next(v.follow(v.post(v.b, "/signed", g.Config.Public.URL, form())))
}

// TestChallengeSignatures: what is posted must be one good signature.
func TestChallengeSignatures(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	broken := func(signature []byte) []byte {
		signature[len(signature)-1] ^= 1
		return signature
	}
	for name, c := range map[string]struct {
		answer func(content []byte) []byte
		status int
		want   reason.Code
	}{
		"two signers":   {func(c []byte) []byte { return v.sign(c, v.signatory("ip"), v.signatory("ip512")) }, http.StatusForbidden, reason.ChallengeSigners},
		"spoilt":        {func(c []byte) []byte { return broken(v.sign(c, v.signatory("ip"))) }, http.StatusForbidden, reason.SignatureBad},
		"not CMS":       {func([]byte) []byte { return []byte("hello") }, http.StatusBadRequest, reason.SignatureMalformed},
		"a certificate": {func([]byte) []byte { return g.Country.Person("ip").Certificate.Raw }, http.StatusBadRequest, reason.SignatureMalformed},
	} {
		state := v.begin()
		a := v.follow(v.answer(state, c.answer(v.request(state).Content())))
		if a.StatusCode != c.status || !strings.Contains(a.Text, `data-code="`+string(c.want)+`"`) {
			t.Errorf("%s: %d, want %d %s\n%s", name, a.StatusCode, c.status, c.want, a.Text)
		}
	}
	for failure, want := range map[string]reason.Code{"cancelled": reason.ChallengeCancelled, "failed": reason.ChallengeAgentFailed} {
		a := v.post(g.Browser(), "/signed", "null", url.Values{"state": {v.begin()}, "error": {failure}})
		wantCode(t, v.follow(a), http.StatusForbidden, want)
	}
}

// TestChallengeByOpenSSL: what the real peer leaves out is missed.
func TestChallengeByOpenSSL(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	for name, c := range map[string]struct {
		args []string
		want reason.Code
	}{
		"CAdES-BES":              {[]string{"-cades"}, ""},
		"no signing-certificate": {nil, reason.ChallengeNotBound},
		"no attributes":          {[]string{"-noattr"}, reason.ChallengeNotBound},
		"certificate not inside": {[]string{"-cades", "-nocerts"}, reason.SignerCertMissing},
	} {
		state := v.beginPlugin() // OpenSSL does not say what for
		p := g.Path("people/ip/")
		args := append([]string{"openssl", "cms", "-sign", "-binary", "-outform", "DER", "-engine", "gost", "-md", "md_gost12_256",
			"-signer", p + "/cert.pem", "-inkey", p + "/key.pem"}, c.args...)
		a := v.follow(v.answer(state, []byte(peer.Run(v.request(state).Content(), args...))))
		if c.want == "" {
			v.next(a)
			continue
		}
		if !strings.Contains(a.Text, `data-code="`+string(c.want)+`"`) {
			t.Errorf("%s: want %s:\n%s", name, c.want, a.Text)
		}
	}
}

// TestChallengeTime: five minutes, and not a second more.
func TestChallengeTime(t *testing.T) {
	clock := new(slowClock)
	g := testgateway.Start(t, testgateway.WithChallenge, func(g *testgateway.Gateway) { g.Clock = clock.now })
	v := newVisit(t, g)
	state := v.begin()
	first := v.request(state)
	clock.move(4 * time.Minute)
	second := v.request(state) // issued again: the first one is too old for the agent
	if !bytes.Equal(first.Content(), second.Content()) || !second.Expires.After(first.Expires) || second.Expires.Sub(first.Began) > 5*time.Minute {
		t.Errorf("issued again: %+v after %+v", second, first)
	}
	signature := v.sign(second.Content(), v.signatory("ip"))
	late := v.begin()
	lateSignature := v.sign(v.request(late).Content(), v.signatory("ip"))
	clock.move(2 * time.Minute)
	wantCode(t, v.answer(state, signature), http.StatusConflict, reason.ChallengeExpired)
	wantCode(t, v.get("/signin/wait?state="+state), http.StatusConflict, reason.ChallengeExpired)
	wantCode(t, v.get("/signin/open?state="+state), http.StatusConflict, reason.ChallengeExpired)
	wantText(t, v.get("/signin/status?state="+state), `"phase":"over"`)
	// Answered in time, but not taken up within the minute of an answer.
	a := v.answer(late, lateSignature)
	clock.move(time.Minute)
	wantCode(t, v.follow(a), http.StatusConflict, reason.ChallengeExpired)
	clock.move(10 * time.Minute)
	wantCode(t, v.answer(state, signature), http.StatusNotFound, reason.ChallengeUnknown)
}

// TestChallengeLimits: what is kept has a limit, and so have attempts.
func TestChallengeLimits(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge, func(g *testgateway.Gateway) { g.Config.Challenge.States = 4 }) // half of it for one address
	v := newVisit(t, g)
	state := v.begin()
	for i := range 10 {
		a := v.post(g.Browser(), "/signed", "null", url.Values{"state": {state}, "signature": {"%%%"}})
		if a.StatusCode != http.StatusBadRequest {
			t.Fatalf("attempt %d: %d", i, a.StatusCode)
		}
	}
	wantCode(t, v.answer(state, v.sign(v.request(state).Content(), v.signatory("ip"))), http.StatusTooManyRequests, reason.ChallengeAttempts)
	for range 29 {
		v.request(state)
	}
	wantCode(t, v.get("/signin/open?state="+state), http.StatusTooManyRequests, reason.ChallengeAttempts)
	v.begin()
	wantCode(t, v.post(v.b, "/signin/agent", "null", url.Values{"request": {v.authorize()}}), http.StatusServiceUnavailable, reason.ServerBusy)
}

// TestChallengePages: what begins is posted from our own pages, and the page of plug-ins
// has what their script needs.
func TestChallengePages(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	sealed := v.authorize()
	for _, origin := range []string{"", "https://evil.example", "http://127.0.0.1:17446"} {
		wantCode(t, v.post(v.b, "/signin/agent", origin, url.Values{"request": {sealed}}), http.StatusForbidden, reason.ChallengeOrigin)
	}
	for _, query := range []string{"", "?request=", "?request=x", "?request=a&request=b"} {
		wantCode(t, v.get("/signin"+query), http.StatusConflict, reason.SignInExpired)
	}
	for _, query := range []string{"", "?state=", "?state=x", "?state=a&state=b"} {
		for _, path := range []string{"/signin/wait", "/signin/open", "/signin/plugin", "/signed"} {
			wantCode(t, v.get(path+query), http.StatusNotFound, reason.ChallengeUnknown)
		}
	}
	state := v.begin()
	wantCode(t, v.get("/signed?state="+state), http.StatusConflict, reason.ChallengeUnanswered)
	for _, agent := range []string{"3", "-1", "x"} {
		wantCode(t, v.get("/signin/open?state="+state+"&agent="+agent), http.StatusUnprocessableEntity, reason.RequestFieldBad)
	}
	if at := v.get("/signin/open?agent=2&state=" + state).Location(); !strings.HasPrefix(at, "http://127.0.0.1:37446/sign?request=") {
		t.Errorf("the third agent is at %q", at)
	}

	a := v.post(v.b, "/signin/plugin", "null", url.Values{"request": {sealed}})
	state, ok := strings.CutPrefix(a.Location(), "/signin/plugin?state=")
	if !ok {
		t.Fatalf("plugin: %d %q", a.StatusCode, a.Location())
	}
	a = v.get(a.Location())
	wantStatus(t, a, http.StatusOK)
	wantText(t, a, `<div id="plugins" hidden="hidden" data-content="`, `data-kinds="ip"`, `data-purpose="sign-in"`, `<form id="answer" method="post" action="/signed"`, `value="`+state+`"`)
	m := regexp.MustCompile(`data-content="([^"]+)"`).FindStringSubmatch(a.Text)
	content, err := base64.StdEncoding.DecodeString(html.UnescapeString(m[1]))
	if err != nil || !strings.Contains(string(content), g.Config.Public.URL) {
		t.Fatalf("content %q: %v", content, err)
	}
	if policy := a.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") || !strings.Contains(policy, "form-action 'self'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	v.next(v.follow(v.post(v.b, "/signed", "null", url.Values{"state": {state}, "signature": {base64.StdEncoding.EncodeToString(v.sign(content, v.signatory("ip")))}})))
}
