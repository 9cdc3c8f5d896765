package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"propusk/gost/streebog"
	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/server/signrequest"
	"propusk/server/testgateway"
)

// otherClient is a second service, which means no good.
const (
	otherClient = "other"
	otherSecret = "another secret, which is long enough"
)

func withOther(g *testgateway.Gateway) {
	g.WriteFile("other.secret", otherSecret+"\n")
	other := g.Config.OIDC.Clients[0]
	other.ID, other.Name, other.SecretFile = otherClient, "Другой", g.Path("other.secret")
	g.Config.OIDC.Clients = append(g.Config.OIDC.Clients, other)
}

// orderOf is the order of a document by its digests.
func orderOf(d256, d512 []byte) map[string]any {
	return map[string]any{"document": map[string]any{
		"name": "Договор.pdf", "media_type": "application/pdf", "size": 400,
		"streebog256": hex.EncodeToString(d256), "streebog512": hex.EncodeToString(d512),
	}}
}

// TestSignInAsDocument: a service begins a sign-in to another one, orders the text of it as
// a document, which people see the name of, and would enter as whoever has signed.
func TestSignInAsDocument(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	attacker := newVisit(t, g)
	for _, person := range []string{"ip", "ip512"} {
		state := attacker.beginPlugin() // an agent would have to say what for
		content := attacker.request(state).Content()
		wantProblem(t, order(t, g, map[string]any{"text": string(content)}), http.StatusUnprocessableEntity, reason.RequestFieldBad)
		wantProblem(t, order(t, g, map[string]any{"document": map[string]any{"name": "a.txt", "media_type": "text/plain", "content": content}}),
			http.StatusUnprocessableEntity, reason.RequestFieldBad)

		// One digest that nobody's key goes with hides nothing.
		d256, d512 := streebog.Sum256(content), streebog.Sum512(content)
		if person == "ip" {
			clear(d512[:])
		} else {
			clear(d256[:])
		}
		o := ordered(t, g, orderOf(d256[:], d512[:]))
		victim := newVisit(t, g)
		signing := victim.beginOrder(o.ID)
		signature := victim.signDigest(victim.request(signing).Document, victim.signatory(person))
		victim.next(victim.follow(victim.answer(signing, signature)))
		got := result(t, g, o.ID)
		if got.Status != "signed" {
			t.Fatalf("the order is %s", got.Status)
		}
		wantCode(t, attacker.follow(attacker.answer(state, got.Signature)), http.StatusForbidden, reason.ChallengeContent)
	}
}

// TestPurposeUnderSignature: what an agent says under the signature that it is for is
// believed, wherever the digest came from: from an order at another gateway as well.
func TestPurposeUnderSignature(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	for said, good := range map[string]struct{ agent, plugin bool }{"": {false, true}, "sign-in": {true, true}, "sign-document": {}, "sign-text": {}, "x": {}} {
		v := newVisit(t, g)
		for state, good := range map[string]bool{v.begin(): good.agent, v.beginPlugin(): good.plugin} {
			by := v.signatory("ip")
			by.Description = said
			a := v.follow(v.answer(state, v.signPlainly(v.request(state).Content(), by)))
			if good {
				v.next(a)
				continue
			}
			wantCode(t, a, http.StatusForbidden, reason.ChallengeContent)
		}
	}
	v := newVisit(t, g)
	wantCode(t, v.get("/signin/plugin?state="+v.begin()), http.StatusNotFound, reason.ChallengeUnknown)
	for said, want := range map[string]reason.Code{"": "", "sign-text": "", "Соглашение.txt": "", "sign-in": reason.ChallengeContent} {
		v := newVisit(t, g)
		o := ordered(t, g, map[string]any{"text": "Согласен: " + said})
		state := v.beginOrder(o.ID)
		by := v.signatory("ip")
		by.Description = said
		a := v.follow(v.answer(state, v.sign(v.request(state).Content(), by)))
		if want == "" {
			v.next(a)
			continue
		}
		wantCode(t, a, http.StatusForbidden, want)
		if r := result(t, g, o.ID); r.Status != "waiting" {
			t.Errorf("%q: the order is %s", said, r.Status)
		}
	}
}

// TestSignaturePassedOn: what a person signs for one service, that service must not pass on
// as his signature for another, over the same words.
func TestSignaturePassedOn(t *testing.T) {
	clock := new(slowClock)
	g := testgateway.Start(t, testgateway.WithChallenge, withOther, func(g *testgateway.Gateway) { g.Clock = clock.now })
	const text = "Согласен."
	body := `{"redirect_uri":"` + testgateway.Callback + `","state":"s","expires_in":60,"text":"` + text + `"}`
	a := ask(t, g, http.MethodPost, "/api/v1/signatures", "application/json", body, otherClient, otherSecret)
	wantStatus(t, a, http.StatusCreated)
	id := a.Text[strings.Index(a.Text, `"id":"`)+6:][:43]
	victim := newVisit(t, g)
	state := victim.beginOrder(id)
	signature := victim.sign([]byte(text), victim.signatory("ip"))
	victim.next(victim.follow(victim.answer(state, signature)))

	// The order of the other service waits for a day.
	o := ordered(t, g, map[string]any{"text": text, "expires_in": 86400})
	attacker := newVisit(t, g)
	state = attacker.beginOrder(o.ID)
	wantCode(t, attacker.follow(attacker.answer(state, signature)), http.StatusConflict, reason.ChallengeUsed)
	// With more certificates around it, it is still the same.
	sd, err := cms.Parse(signature)
	if err != nil {
		t.Fatal(err)
	}
	around, err := sd.Extend(0, cms.Addition{Certificates: [][]byte{g.Country.Person("ul").Certificate.Raw}})
	if err != nil || bytes.Equal(around, signature) {
		t.Fatal(err)
	}
	state = attacker.beginOrder(o.ID)
	wantCode(t, attacker.follow(attacker.answer(state, around)), http.StatusConflict, reason.ChallengeUsed)
	// When the first order is forgotten, the signature is too old: its time must be that of
	// the signing, and not of the order.
	clock.move(2 * time.Hour)
	state = attacker.beginOrder(o.ID)
	wantCode(t, attacker.follow(attacker.answer(state, signature)), http.StatusForbidden, reason.ChallengeSigningTime)
	if r := result(t, g, o.ID); r.Status != "waiting" {
		t.Errorf("the order is %s", r.Status)
	}
}

// TestOrderAnswerForm: what a service gets is CMS in DER without the document.
func TestOrderAnswerForm(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	content := []byte("Согласен.")
	o := ordered(t, g, map[string]any{"text": string(content)})
	inside, err := cms.Create(nil, content, v.signatory("ip"))
	if err != nil {
		t.Fatal(err)
	}
	good := v.sign(content, v.signatory("ip"))
	for name, c := range map[string]struct {
		file   []byte
		status int
		want   reason.Code
	}{
		"document inside": {inside, http.StatusForbidden, reason.ChallengeContent},
		"PEM":             {pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: good}), http.StatusBadRequest, reason.SignatureMalformed},
		"base64 twice":    {[]byte(base64.StdEncoding.EncodeToString(good)), http.StatusBadRequest, reason.SignatureMalformed},
		"more after it":   {append(bytes.Clone(good), 0), http.StatusBadRequest, reason.SignatureMalformed},
	} {
		state := v.beginOrder(o.ID)
		a := v.follow(v.answer(state, c.file))
		if a.StatusCode != c.status || !strings.Contains(a.Text, `data-code="`+string(c.want)+`"`) {
			t.Errorf("%s: %d, want %d %s\n%s", name, a.StatusCode, c.status, c.want, a.Text)
		}
	}
	if r := result(t, g, o.ID); r.Status != "waiting" {
		t.Errorf("the order is %s", r.Status)
	}
	state := v.beginOrder(o.ID)
	v.next(v.follow(v.answer(state, good)))
}

// TestOrderRace: of two who sign one order at once, one signature is kept,
// and the other person is told.
func TestOrderRace(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	o := ordered(t, g, map[string]any{"text": "Согласен."})
	type signing struct {
		v    visit
		next string
	}
	var all []signing
	for range 4 {
		v := newVisit(t, g)
		state := v.beginOrder(o.ID)
		all = append(all, signing{v, v.answer(state, v.sign(v.request(state).Content(), v.signatory("ip"))).Location()})
	}
	answers := make(chan testgateway.Answer, len(all))
	for _, one := range all {
		go func() { answers <- one.v.get(one.next) }()
	}
	in := 0
	for range all {
		switch a := <-answers; {
		case a.StatusCode == http.StatusOK:
			in++
		case !strings.Contains(a.Text, `data-code="`+string(reason.SigningOrderDone)+`"`):
			t.Errorf("%d\n%s", a.StatusCode, a.Text)
		}
	}
	if in != 1 {
		t.Errorf("%d have signed", in)
	}
}

// TestOrderFieldsThatHide: what package json would read otherwise than it looks.
func TestOrderFieldsThatHide(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	const head = `{"redirect_uri":"` + testgateway.Callback + `","state":"s","text":"a"`
	for name, c := range map[string]struct {
		more string
		want reason.Code
	}{
		"nobody in particular":       {`,"person":null`, reason.RequestFieldBad},
		"sub of nobody":              {`,"person":{"sub":null,"inn":"500100732259"}`, reason.RequestFieldBad},
		"no document":                {`,"document":null`, reason.RequestFieldBad},
		"no kinds":                   {`,"kinds":[]`, reason.RequestFieldBad},
		"a kind of null":             {`,"kinds":[null]`, reason.RequestFieldBad},
		"a kind twice":               {`,"kinds":["ip","ip"]`, reason.RequestFieldBad},
		"a letter that folds":        {`,"\u017ftate":"t"`, reason.RequestFieldUnknown},
		"a letter that folds inside": {`,"per\u017fon":{"inn":"500100732259"}`, reason.RequestFieldUnknown},
		"the sign of Kelvin":         {`,"\u212ainds":["ul"]`, reason.RequestFieldUnknown},
	} {
		a := ask(t, g, http.MethodPost, "/api/v1/signatures", "application/json", head+c.more+"}", testgateway.ClientID, testgateway.ClientSecret)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.Text, `"code":"`+string(c.want)+`"`) {
			t.Errorf("%s: %d, want %s\n%s", name, a.StatusCode, c.want, a.Text)
		}
	}
	wantStatus(t, ask(t, g, http.MethodPost, "/api/v1/signatures", "application/json", head+"}", testgateway.ClientID, testgateway.ClientSecret), http.StatusCreated)
}

// TestSignInTextIsKnown: what nobody may order is what people sign at a sign-in.
func TestSignInTextIsKnown(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	if content := v.request(v.begin()).Content(); !signrequest.LooksLikeSignIn(content) || signrequest.CheckText(string(content)) == nil {
		t.Errorf("%s", content)
	}
}

// TestChallengeHeaders: no answer with a state, a key or somebody's order is kept by a cache,
// told to another site as the referrer, or shown in a frame; the cookie is the browser's.
func TestChallengeHeaders(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	o := ordered(t, g, map[string]any{"text": "Согласен."})
	begun := v.post(v.b, "/signatures/"+o.ID+"/agent", "null", nil)
	state := v.state(begun)
	signature := v.sign([]byte("Согласен."), v.signatory("ip"))
	answered := v.answer(state, signature)
	all := map[string]testgateway.Answer{
		"order": v.get("/signatures/" + o.ID), "begun": begun, "waiting": v.get("/signin/wait?state=" + state), "status": v.get("/signin/status?state=" + state),
		"answered": answered, "opened": v.get("/signin/open?state=" + v.begin()), "completed": v.follow(answered), "again": v.follow(answered),
		"result": ask(t, g, http.MethodGet, "/api/v1/signatures/"+o.ID, "", "", testgateway.ClientID, testgateway.ClientSecret),
	}
	for name, a := range all {
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Referrer-Policy") != "no-referrer" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, a.Header)
		}
		if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") && a.StatusCode == http.StatusOK && !strings.Contains(a.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", name, a.Header.Get("Content-Security-Policy"))
		}
	}
	cookies := begun.Cookies()
	if len(cookies) != 1 || !strings.HasPrefix(cookies[0].Name, "__Host-") || !cookies[0].Secure || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" || cookies[0].Domain != "" {
		t.Errorf("the cookie: %v", cookies)
	}
	if len(all["answered"].Cookies()) != 0 {
		t.Error("a post from another site sets a cookie")
	}
}

// TestChallengeSiteOfPost: what begins is refused when the browser itself says that another
// site posts it, whatever the origin says: that of a frame in a sandbox is null too.
func TestChallengeSiteOfPost(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	o := ordered(t, g, map[string]any{"text": "Согласен."})
	sealed := v.authorize()
	for path, form := range map[string]url.Values{
		"/signatures/" + o.ID + "/agent": nil, "/signatures/" + o.ID + "/plugin": nil, "/signin/agent": {"request": {sealed}}, "/signin/plugin": {"request": {sealed}},
	} {
		for site, want := range map[string]int{"cross-site": http.StatusForbidden, "same-site": http.StatusForbidden, "none": http.StatusForbidden, "same-origin": http.StatusSeeOther} {
			r, err := http.NewRequest(http.MethodPost, g.Config.Public.URL+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", "null")
			r.Header.Set("Sec-Fetch-Site", site)
			if a := g.Do(v.b, r); a.StatusCode != want || want == http.StatusForbidden && len(a.Cookies()) != 0 {
				t.Errorf("%s from %s: %d, cookies %v", path, site, a.StatusCode, a.Cookies())
			}
		}
	}
	for name, header := range map[string]string{"Content-Encoding": "gzip", "Content-Type": "text/plain"} {
		r, err := http.NewRequest(http.MethodPost, g.Config.Public.URL+"/signed", strings.NewReader("state=x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Add(name, header) // beside the right one
		r.Header.Set("Origin", "null")
		wantCode(t, g.Do(v.b, r), http.StatusUnsupportedMediaType, reason.MediaTypeUnsupported)
	}
	r, err := http.NewRequest(http.MethodPost, g.Config.Public.URL+"/api/v1/signatures", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(testgateway.ClientID, url.QueryEscape(testgateway.ClientSecret))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", "gzip")
	wantProblem(t, g.Do(v.b, r), http.StatusUnsupportedMediaType, reason.MediaTypeUnsupported)
}
