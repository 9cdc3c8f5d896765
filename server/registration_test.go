package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/captcha/captchatest"
	"propusk/server/mail/mailbox"
	"propusk/server/signrequest"
	"propusk/server/store"
	"propusk/server/testgateway"
)

// newcomer is a person without an account, at a gateway with accounts.
type newcomer struct {
	visit
	who string
}

// enters signs in from the service and returns where that leads.
func (n newcomer) enters() string {
	n.t.Helper()
	state := n.begin()
	a := n.follow(n.answer(state, n.sign(n.request(state).Content(), n.signatory(n.who))))
	return n.get(strings.TrimPrefix(n.next(a), n.g.Config.Public.URL)).Location()
}

// fill fills in the form of a page; the captcha is answered if there is one.
func (n newcomer) fill(page testgateway.Answer, path string, pairs ...string) testgateway.Answer {
	n.t.Helper()
	fields := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	captchatest.Solve(page.Text, fields)
	return n.g.PostForm(n.b, page, path, fields)
}

// to follows a redirect to a path, and returns its page.
func (n newcomer) to(a testgateway.Answer, path string) testgateway.Answer {
	n.t.Helper()
	if a.StatusCode != http.StatusSeeOther || a.Location() != path {
		n.t.Fatalf("%d to %q, want %q\n%s", a.StatusCode, a.Location(), path, a.Text)
	}
	page := n.get(path)
	wantStatus(n.t, page, http.StatusOK)
	return page
}

var agreementNumber = regexp.MustCompile(`name="number" value="([^"]+)"`)

// toAgreement goes up to the page with the agreement.
func (n newcomer) toAgreement() testgateway.Answer {
	n.t.Helper()
	if at := n.enters(); at != "/registration" {
		n.t.Fatalf("a newcomer is sent to %q", at)
	}
	form := n.get("/registration")
	wantText(n.t, form, n.g.Country.Person(n.who).INN)
	return n.to(n.fill(form, "/registration", "email", n.who+"@people.example"), "/registration/agreement")
}

// asks presses the button by which the agreement is signed, and returns the state.
func (n newcomer) asks(agreement testgateway.Answer) string {
	n.t.Helper()
	number := agreementNumber.FindStringSubmatch(agreement.Text)
	if number == nil {
		n.t.Fatalf("no agreement:\n%s", agreement.Text)
	}
	return n.state(n.fill(agreement, "/registration/agreement", "method", "agent", "number", number[1]))
}

// signsByPlugin signs the agreement on the page of a plug-in, which does not say what for.
func (n newcomer) signsByPlugin(agreement testgateway.Answer) testgateway.Answer {
	n.t.Helper()
	number := agreementNumber.FindStringSubmatch(agreement.Text)
	a := n.fill(agreement, "/registration/agreement", "method", "plugin", "number", number[1])
	state, ok := strings.CutPrefix(a.Location(), "/signin/plugin?state=")
	if !ok {
		n.t.Fatalf("%d to %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	page := n.get(a.Location())
	content := pluginContent.FindStringSubmatch(page.Text)
	if content == nil {
		n.t.Fatalf("nothing to be signed:\n%s", page.Text)
	}
	text, err := base64.StdEncoding.DecodeString(html.UnescapeString(content[1]))
	if err != nil || !strings.Contains(string(text), "СОГЛАШЕНИЕ") {
		n.t.Fatalf("to be signed: %q, %v", text, err)
	}
	return n.follow(n.answer(state, n.signPlainly(text, n.signatory(n.who))))
}

var pluginContent = regexp.MustCompile(`data-content="([^"]+)"`)

var requestField = regexp.MustCompile(`name="request" value="([^"]+)"`)

// opened is what the agent gets: the agreement is so long that a form brings it.
func (n newcomer) opened(state string) signrequest.Request {
	n.t.Helper()
	a := n.get("/signin/open?state=" + state)
	jws := requestField.FindStringSubmatch(a.Text)
	if jws == nil {
		n.t.Fatalf("open: %d\n%s", a.StatusCode, a.Text)
	}
	r, _, err := signrequest.Verify(jws[1], []signrequest.Gateway{n.gateway()}, n.g.Clock())
	if err != nil {
		n.t.Fatal(err)
	}
	return r
}

// signs signs the agreement by the key of a person, as an agent does.
func (n newcomer) signs(agreement testgateway.Answer, by string) testgateway.Answer {
	n.t.Helper()
	state := n.asks(agreement)
	r := n.opened(state)
	if r.Service != n.g.Config.Challenge.Name || !strings.Contains(r.Text, "СОГЛАШЕНИЕ") {
		n.t.Errorf("the agent is asked by %q to sign %q", r.Service, r.Text)
	}
	return n.follow(n.answer(state, n.sign(r.Content(), n.signatory(by))))
}

// registers goes the whole way, up to the letter.
func (n newcomer) registers() testgateway.Answer {
	n.t.Helper()
	agreement := n.toAgreement()
	sign := func() testgateway.Answer { return n.signs(agreement, n.who) }
	if n.who == "fl" {
		sign = func() testgateway.Answer { return n.signsByPlugin(agreement) }
	}
	if at := n.next(sign()); at != "/registration/password" {
		n.t.Fatalf("on to %q", at)
	}
	form := n.get("/registration/password")
	return n.to(n.fill(form, "/registration/password", "email", n.who+"@people.example", "password", "Зелёный чайник 7", "again", "Зелёный чайник 7"), "/registration/done")
}

// stored returns the account of the newcomer.
func (n newcomer) stored(db store.Store) (a account.Account) {
	n.t.Helper()
	who, err := n.g.Country.Person(n.who).Certificate.Identity()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := db.View(n.t.Context(), func(tx store.Tx) error {
		a, err = tx.AccountByINN(who.INN)
		return err
	}); err != nil {
		n.t.Fatal(err)
	}
	return a
}

// TestRegistration: a newcomer comes from a service by his key, signs the agreement by it,
// gets a letter by a real mail server, opens its link in another browser, and is let into the
// service; then his key is enough.
func TestRegistration(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	db := g.Accounts()
	for _, who := range []string{"ip", "ip512", "fl", "ul"} {
		n := newcomer{newVisit(t, g), who}
		done := n.registers()
		wantText(t, done, who+"@people.example", g.Country.Person(who).INN)
		a := n.stored(db)
		checkEvidence(t, g, db, a, who)

		link := activationLink(t, g, who+"@people.example")
		other := newcomer{newVisit(t, g), who} // in another browser
		activate := other.get(strings.TrimPrefix(link, g.Config.Public.URL))
		wantStatus(t, activate, http.StatusOK)
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		wantText(t, other.fill(activate, "/activate", "code", u.Query().Get("code")), "Учётная запись активирована")

		on := n.fill(n.get("/registration/done"), "/registration/continue")
		if back := onwardTo(n, on); !strings.HasPrefix(back, testgateway.Callback+"?code=") {
			t.Fatalf("%s: on to %q", who, back)
		} else {
			wantClaims(t, g, back, who)
		}
		// From now on the key is enough, in any browser.
		again := newcomer{newVisit(t, g), who}
		if back := again.enters(); !strings.HasPrefix(back, testgateway.Callback+"?code=") {
			t.Errorf("%s: the second time on to %q", who, back)
		}
		for _, canary := range []string{g.Country.Person(who).INN, who + "@people.example", "Зелёный чайник", u.Query().Get("code")} {
			if strings.Contains(g.Log.String(), canary) {
				t.Errorf("%s: the log has %q", who, canary)
			}
		}
	}
}

// activationLink waits for the letter with the link, and returns the link.
func activationLink(t *testing.T, g *testgateway.Gateway, to string) string {
	t.Helper()
	prefix, link := g.Config.Public.URL+"/activate?code=", ""
	if _, err := g.Mail.Wait(t.Context(), to, func(l mailbox.Letter) bool {
		var ok bool
		link, ok = l.Link(prefix)
		return ok
	}); err != nil {
		t.Fatal(err)
	}
	return link
}

// onwardTo is where an answer to a form sends the browser: by a redirect, or by a page that
// goes on by itself.
func onwardTo(n newcomer, a testgateway.Answer) string {
	n.t.Helper()
	if a.StatusCode == http.StatusOK {
		return n.next(a)
	}
	return a.Location()
}

// wantClaims redeems the code of an address and looks at whom it is for.
func wantClaims(t *testing.T, g *testgateway.Gateway, back, who string) {
	t.Helper()
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	a := redeem(t, g, u.Query().Get("code"))
	wantStatus(t, a, http.StatusOK)
	var tokens struct {
		ID string `json:"id_token"`
	}
	if err := json.Unmarshal([]byte(a.Text), &tokens); err != nil {
		t.Fatal(err)
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(tokens.ID, ".")[1])
	for _, want := range []string{`"inn":"` + g.Country.Person(who).INN + `"`, `"acr":"urn:propusk:acr:qes"`, `"email_verified":true`} {
		if err != nil || !strings.Contains(string(claims), want) {
			t.Errorf("claims without %s: %s %v", want, claims, err)
		}
	}
}

// checkEvidence verifies the agreement by the verify API, from nothing but what is kept.
func checkEvidence(t *testing.T, g *testgateway.Gateway, db store.Store, a account.Account, who string) {
	t.Helper()
	var all []account.Evidence
	if err := db.View(t.Context(), func(tx store.Tx) (err error) {
		all, err = tx.EvidenceOf(a.ID)
		return err
	}); err != nil || len(all) != 1 {
		t.Fatalf("%d pieces of evidence: %v", len(all), err)
	}
	e, p := all[0], g.Country.Person(who)
	if !bytes.Equal(e.Certificate, p.Certificate.Raw) || !strings.Contains(string(e.Text), p.Name) || !strings.Contains(string(e.Text), e.ID) {
		t.Errorf("%s: the evidence is of another", who)
	}
	var kept verdict
	if err := json.Unmarshal(e.Verdict, &kept); err != nil {
		t.Fatal(err)
	}
	now := verified(t, g, e.Signature, e.Text)
	if kept.Conclusion != "TOTAL-PASSED" || now.Conclusion != "TOTAL-PASSED" {
		t.Errorf("%s: the verdict was %q and is %q", who, kept.Conclusion, now.Conclusion)
	}
	if changed := verified(t, g, e.Signature, append([]byte("не "), e.Text...)); changed.Conclusion != "TOTAL-FAILED" {
		t.Errorf("%s: another text is %q", who, changed.Conclusion)
	}
}

// TestRegistrationSigner: the agreement is signed by the key of the person who registers, over
// the text that was shown, now; nothing else makes an account.
func TestRegistrationSigner(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	db := g.Accounts()
	n := newcomer{newVisit(t, g), "ip"}
	agreement := n.toAgreement()
	wantCode(t, n.signs(agreement, "ip512"), http.StatusForbidden, reason.RegistrationPerson)
	for _, method := range []string{"", "gost-tls", "other"} {
		number := agreementNumber.FindStringSubmatch(agreement.Text)[1]
		wantCode(t, n.fill(agreement, "/registration/agreement", "method", method, "number", number), http.StatusUnprocessableEntity, reason.RequestFieldBad)
	}
	wantCode(t, n.signs(agreement, "revoked"), http.StatusForbidden, reason.CertRevoked)

	state := n.asks(agreement)
	r := n.opened(state)
	old := n.sign(r.Content(), n.signatory("ip"))
	wantCode(t, n.follow(n.answer(state, n.sign([]byte(r.Text+" "), n.signatory("ip")))), http.StatusForbidden, reason.ChallengeContent)
	state = n.asks(agreement)
	wantCode(t, n.follow(n.answer(state, n.signCopy(r.Text))), http.StatusForbidden, reason.ChallengeContent)
	// In another browser than the one that registers.
	state = n.asks(agreement)
	answered := n.answer(state, old)
	wantCode(t, newVisit(t, g).get(answered.Location()), http.StatusForbidden, reason.ChallengeOtherBrowser)

	if err := db.View(t.Context(), func(tx store.Tx) error {
		all, err := tx.Accounts("", "", 10)
		if len(all) > 0 {
			t.Errorf("%d accounts by signatures that are none", len(all))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if at := n.next(n.signs(n.get("/registration/agreement"), "ip")); at != "/registration/password" {
		t.Errorf("after all that the right one leads to %q", at)
	}
}

// signCopy signs a text that is inside of the signature, for which there is no way to show
// that it is the one on the page.
func (n newcomer) signCopy(text string) []byte {
	n.t.Helper()
	signature, err := cms.Create(nil, []byte(text), n.signatory(n.who))
	if err != nil {
		n.t.Fatal(err)
	}
	return signature
}

// TestRegistrationKilled kills the gateway at every step of a registration, with no chance to
// end anything: nothing that a person was told is lost.
func TestRegistrationKilled(t *testing.T) {
	g := testgateway.StartProcess(t, testgateway.WithAccounts)
	n := newcomer{newVisit(t, g.Gateway), "ip"}
	if at := n.enters(); at != "/registration" {
		t.Fatalf("a newcomer is sent to %q", at)
	}
	form := n.get("/registration")
	g.Kill()
	form = n.fill(form, "/registration", "email", "ip@people.example") // the picture is of a life before
	wantStatus(t, form, http.StatusUnprocessableEntity)
	wantText(t, form, `value="ip@people.example"`, "Картинка с кодом устарела")
	agreement := n.to(n.fill(form, "/registration", "email", "ip@people.example"), "/registration/agreement")
	g.Kill()
	state := n.asks(agreement)
	text := n.opened(state).Text
	signed := n.sign([]byte(text), n.signatory("ip"))
	g.Kill()
	wantCode(t, n.answer(state, signed), http.StatusNotFound, reason.ChallengeUnknown)
	wantText(t, n.to(n.get("/registration"), "/registration/agreement"), agreementNumber.FindString(agreement.Text))
	if at := n.next(n.signs(agreement, "ip")); at != "/registration/password" {
		t.Fatalf("on to %q", at)
	}
	g.Kill()
	form = n.to(n.get("/registration"), "/registration/password")
	g.Kill()
	n.to(n.fill(form, "/registration/password", "email", "ip@people.example", "password", "Зелёный чайник 7", "again", "Зелёный чайник 7"), "/registration/done")
	g.Kill()
	link := activationLink(t, g.Gateway, "ip@people.example")
	other := newcomer{newVisit(t, g.Gateway), "ip"}
	page := other.get(strings.TrimPrefix(link, g.Config.Public.URL))
	g.Kill()
	wantText(t, other.fill(page, "/activate", "code", strings.TrimPrefix(link, g.Config.Public.URL+"/activate?code=")), "Учётная запись активирована")
	g.Kill()
	done := n.get("/registration/done")
	wantText(t, done, "Регистрация завершена")
	if back := onwardTo(n, n.fill(done, "/registration/continue")); !strings.HasPrefix(back, testgateway.Callback+"?code=") {
		t.Fatalf("on to %q", back)
	}
	g.Kill()
	if back := other.enters(); !strings.HasPrefix(back, testgateway.Callback+"?code=") {
		t.Errorf("the second time on to %q", back)
	}
}
