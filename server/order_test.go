package server_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/gost/streebog"
	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/server/challenge"
	"propusk/server/signrequest"
	"propusk/server/testgateway"
)

// ask sends a request of a service.
func ask(t *testing.T, g *testgateway.Gateway, method, path, contentType, body, id, secret string) testgateway.Answer {
	t.Helper()
	r, err := http.NewRequest(method, g.Config.Public.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if id != "" {
		r.SetBasicAuth(id, url.QueryEscape(secret))
	}
	return g.Do(g.Browser(), r)
}

// order orders a signature; the fields are added to those that every order has.
func order(t *testing.T, g *testgateway.Gateway, fields map[string]any) testgateway.Answer {
	t.Helper()
	all := map[string]any{"redirect_uri": testgateway.Callback, "state": "st"}
	for name, value := range fields {
		all[name] = value
	}
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return ask(t, g, http.MethodPost, "/api/v1/signatures", "application/json", string(body), testgateway.ClientID, testgateway.ClientSecret)
}

// ordered is a good order.
func ordered(t *testing.T, g *testgateway.Gateway, fields map[string]any) challenge.OrderAnswer {
	t.Helper()
	a := order(t, g, fields)
	wantStatus(t, a, http.StatusCreated)
	loadSchema(t).answer(t, "POST", "/api/v1/signatures", 201, "application/json", a.Text)
	var out challenge.OrderAnswer
	if err := json.Unmarshal([]byte(a.Text), &out); err != nil || out.URL != g.Config.Public.URL+"/signatures/"+out.ID {
		t.Fatalf("%v: %s", err, a.Text)
	}
	return out
}

// orderResult is what a service reads of a result.
type orderResult struct {
	Status    string     `json:"status"`
	Signature []byte     `json:"signature"`
	SignedAt  *time.Time `json:"signed_at"`
	Verdict   *verdict   `json:"verdict"`
}

// result asks what became of an order.
func result(t *testing.T, g *testgateway.Gateway, id string) orderResult {
	t.Helper()
	a := ask(t, g, http.MethodGet, "/api/v1/signatures/"+id, "", "", testgateway.ClientID, testgateway.ClientSecret)
	wantStatus(t, a, http.StatusOK)
	loadSchema(t).answer(t, "GET", "/api/v1/signatures/{id}", 200, "application/json", a.Text)
	var out orderResult
	if err := json.Unmarshal([]byte(a.Text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// beginOrder begins to sign an order.
func (v visit) beginOrder(id string) string {
	v.t.Helper()
	return v.state(v.post(v.b, "/signatures/"+id+"/agent", "null", nil))
}

// signDigest signs a document that is known by its digests.
func (v visit) signDigest(d *signrequest.Document, by cms.Signatory) []byte {
	v.t.Helper()
	signature, err := cms.CreateDigest(nil, cms.Digests{Streebog256: d.Streebog256, Streebog512: d.Streebog512}, by)
	if err != nil {
		v.t.Fatal(err)
	}
	return signature
}

// verified asks the verify API about a result.
func verified(t *testing.T, g *testgateway.Gateway, signature, content []byte) verdict {
	t.Helper()
	body := jsonBody(t, map[string][]byte{"signature": signature, "content": content})
	return parseVerdict(t, g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/verify", "application/json", body))
}

// TestOrderFailure: the page about an order that did not work speaks of signing, and says
// what to do.
func TestOrderFailure(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	o := ordered(t, g, map[string]any{"text": "Соглашение"})
	v := newVisit(t, g)
	for _, a := range []testgateway.Answer{
		v.post(v.b, "/signatures/"+o.ID+"/agent", "https://foreign.example", nil),
		v.get("/signatures/none"),
		v.follow(v.answer(v.beginOrder(o.ID), v.sign([]byte("not what was asked for"), v.signatory("ip")))),
	} {
		wantText(t, a, "начните подписание заново")
		if strings.Contains(a.Text, "вход заново") || strings.Contains(a.Text, "другой вход") {
			t.Errorf("the page speaks of a sign-in:\n%s", a.Text)
		}
	}
}

func TestOrderOfText(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	const text = "Соглашение об электронном взаимодействии\nЯ согласен <с> условиями."
	o := ordered(t, g, map[string]any{"text": text, "person": map[string]string{"inn": g.Country.Person("ip").INN}, "expires_in": 600})
	if r := result(t, g, o.ID); r.Status != "waiting" || r.Verdict != nil || r.Signature != nil {
		t.Errorf("before: %+v", r)
	}
	v := newVisit(t, g)
	a := v.get("/signatures/" + o.ID)
	wantStatus(t, a, http.StatusOK)
	wantText(t, a, "Проверочный сервис", "Я согласен &lt;с&gt; условиями.", `action="/signatures/`+o.ID+`/agent"`)
	if strings.Contains(a.Text, "ГОСТ TLS") {
		t.Error("a document is signed by TLS")
	}
	state := v.beginOrder(o.ID)
	r := v.request(state)
	if r.Purpose != signrequest.SignText || r.Text != text || string(r.Content()) != text {
		t.Errorf("request %+v", r)
	}
	signature := v.sign(r.Content(), v.signatory("ip"))
	answer := v.answer(state, signature)
	back, err := url.Parse(v.next(v.follow(answer)))
	if err != nil || !strings.HasPrefix(back.String(), testgateway.Callback+"?") || back.Query().Get("state") != "st" || back.Query().Get("signature_id") != o.ID || back.Query().Has("error") {
		t.Errorf("back at %s: %v", back, err)
	}
	got := result(t, g, o.ID)
	if got.Status != "signed" || !bytes.Equal(got.Signature, signature) || got.SignedAt == nil || got.Verdict == nil || got.Verdict.Conclusion != "TOTAL-PASSED" ||
		len(got.Verdict.Signatures) != 1 || got.Verdict.Signatures[0].Signer == nil {
		t.Errorf("after: %+v", got)
	}
	if d := verified(t, g, got.Signature, []byte(text)); d.Conclusion != "TOTAL-PASSED" {
		t.Errorf("the verify API says %s", d.Conclusion)
	}
	wantCode(t, v.follow(answer), http.StatusConflict, reason.ChallengeUsed)
	wantCode(t, v.get("/signatures/"+o.ID), http.StatusConflict, reason.SigningOrderDone)
	wantCode(t, v.post(v.b, "/signatures/"+o.ID+"/agent", "null", nil), http.StatusConflict, reason.SigningOrderDone)
	wantText(t, g.Get(g.Browser(), g.Admin()+"/metrics"), `propusk_verdicts_total{conclusion="TOTAL-PASSED",reason="",subject="order"} 1`, `propusk_sessions{sort="order"} 1`)
}

func TestOrderOfDocument(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	document := bytes.Repeat([]byte("%PDF-1.7 \x00\xff"), 10000)
	d256, d512 := streebog.Sum256(document), streebog.Sum512(document)
	for name, fields := range map[string]map[string]any{
		"by content": {"name": "Заявление.pdf", "media_type": "application/pdf", "content": document},
		"by digests": {"name": "Заявление.pdf", "media_type": "application/pdf", "size": len(document),
			"streebog256": hex.EncodeToString(d256[:]), "streebog512": hex.EncodeToString(d512[:])},
	} {
		for _, person := range []string{"ip", "ip512"} {
			o := ordered(t, g, map[string]any{"document": fields})
			v := newVisit(t, g)
			wantText(t, v.get("/signatures/"+o.ID), "Заявление.pdf", hex.EncodeToString(d256[:]), "110000")
			state := v.beginOrder(o.ID)
			r := v.request(state)
			if r.Purpose != signrequest.SignDocument || r.Document == nil || r.Document.Size != int64(len(document)) || r.Content() != nil {
				t.Fatalf("%s: request %+v", name, r)
			}
			v.next(v.follow(v.answer(state, v.signDigest(r.Document, v.signatory(person)))))
			if d := verified(t, g, result(t, g, o.ID).Signature, document); d.Conclusion != "TOTAL-PASSED" {
				t.Errorf("%s by %s: the verify API says %s", name, person, d.Conclusion)
			}
		}
	}
	// Of another document.
	o := ordered(t, g, map[string]any{"document": map[string]any{"name": "a", "media_type": "text/plain", "content": []byte("a")}})
	v := newVisit(t, g)
	state := v.beginOrder(o.ID)
	wantCode(t, v.follow(v.answer(state, v.sign([]byte("b"), v.signatory("ip")))), http.StatusForbidden, reason.ChallengeContent)
	if r := result(t, g, o.ID); r.Status != "waiting" {
		t.Errorf("after a refusal: %s", r.Status)
	}
}

// TestOrderRefusals: who else signs, or signs otherwise, leaves the order as it was.
func TestOrderRefusals(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	ip := g.Country.Person("ip")
	for name, c := range map[string]struct {
		fields map[string]any
		person string
		change func(*cms.Signatory)
		status int
		want   reason.Code
	}{
		"another person by ИНН": {map[string]any{"person": map[string]string{"inn": ip.INN}}, "ip512", nil, http.StatusForbidden, reason.SigningOrderPerson},
		"another person by sub": {map[string]any{"person": map[string]string{"sub": "somebody"}}, "ip", nil, http.StatusForbidden, reason.SigningOrderPerson},
		"another kind":          {map[string]any{"kinds": []string{"ul"}}, "ip", nil, http.StatusForbidden, reason.WrongHolderKind},
		"revoked":               {nil, "revoked", nil, http.StatusForbidden, reason.CertRevoked},
		"no time":               {nil, "ip", func(s *cms.Signatory) { s.Time = time.Time{} }, http.StatusForbidden, reason.ChallengeSigningTime},
		"an old signature":      {nil, "ip", func(s *cms.Signatory) { s.Time = s.Time.Add(-20 * time.Minute) }, http.StatusForbidden, reason.ChallengeSigningTime},
		"one of the future":     {nil, "ip", func(s *cms.Signatory) { s.Time = s.Time.Add(20 * time.Minute) }, http.StatusForbidden, reason.ChallengeSigningTime},
	} {
		fields := map[string]any{"text": "Согласен."}
		for k, value := range c.fields {
			fields[k] = value
		}
		o := ordered(t, g, fields)
		v := newVisit(t, g)
		state := v.beginOrder(o.ID)
		by := v.signatory(c.person)
		if c.change != nil {
			c.change(&by)
		}
		a := v.follow(v.answer(state, v.sign(v.request(state).Content(), by)))
		if a.StatusCode != c.status || !strings.Contains(a.Text, `data-code="`+string(c.want)+`"`) || !strings.Contains(a.Text, "error=access_denied") {
			t.Errorf("%s: %d, want %d %s\n%s", name, a.StatusCode, c.status, c.want, a.Text)
		}
		if r := result(t, g, o.ID); r.Status != "waiting" {
			t.Errorf("%s: the order is %s", name, r.Status)
		}
	}
}

// TestOrderOfSubject: a service can demand the person that it knows by sub.
func TestOrderOfSubject(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	v := newVisit(t, g)
	state := v.begin()
	ticket := v.next(v.follow(v.answer(state, v.sign(v.request(state).Content(), v.signatory("ip")))))
	u, err := url.Parse(g.Get(v.b, ticket).Location())
	if err != nil {
		t.Fatal(err)
	}
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(redeem(t, g, u.Query().Get("code")).Text), &tokens); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodGet, g.Config.Public.URL+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+tokens.Access)
	sub := regexp.MustCompile(`"sub":"([^"]+)"`).FindStringSubmatch(g.Do(g.Browser(), r).Text)
	if sub == nil {
		t.Fatal("no sub")
	}
	o := ordered(t, g, map[string]any{"text": "Согласен.", "person": map[string]string{"sub": sub[1]}})
	state = v.beginOrder(o.ID)
	v.next(v.follow(v.answer(state, v.sign(v.request(state).Content(), v.signatory("ip")))))
}

// TestLongOrderIsPosted: a text that is too long for a URL goes to the agent in a form.
func TestLongOrderIsPosted(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	o := ordered(t, g, map[string]any{"text": strings.Repeat("Пункт соглашения.\n", 1000)})
	v := newVisit(t, g)
	a := v.get("/signin/open?state=" + v.beginOrder(o.ID))
	wantStatus(t, a, http.StatusOK)
	if policy := a.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action http://127.0.0.1:17446;") {
		t.Errorf("policy %q", policy)
	}
	m := regexp.MustCompile(`action="http://127.0.0.1:17446/sign"><input type="hidden" name="request" value="([^"]+)">`).FindStringSubmatch(a.Text)
	if m == nil {
		t.Fatalf("no form:\n%s", a.Text)
	}
	if r, _, err := signrequest.Verify(m[1], []signrequest.Gateway{v.gateway()}, time.Now()); err != nil || len(r.Text) < 30000 {
		t.Errorf("%d bytes: %v", len(r.Text), err)
	}
}

func TestOrderTime(t *testing.T) {
	clock := new(slowClock)
	g := testgateway.Start(t, testgateway.WithChallenge, func(g *testgateway.Gateway) {
		g.Clock = clock.now
		g.Config.Challenge.Orders = 3 // of which one service has two
	})
	v := newVisit(t, g)
	o := ordered(t, g, map[string]any{"text": "Согласен.", "expires_in": 60})
	state := v.beginOrder(o.ID)
	signature := v.sign(v.request(state).Content(), v.signatory("ip"))
	ordered(t, g, map[string]any{"text": "Согласен.", "expires_in": 60})
	wantProblem(t, order(t, g, map[string]any{"text": "Согласен."}), http.StatusServiceUnavailable, reason.ServerBusy)
	clock.move(time.Minute)
	wantCode(t, v.follow(v.answer(state, signature)), http.StatusConflict, reason.SigningOrderExpired)
	wantCode(t, v.get("/signatures/"+o.ID), http.StatusConflict, reason.SigningOrderExpired)
	if r := result(t, g, o.ID); r.Status != "expired" {
		t.Errorf("after its time: %s", r.Status)
	}
	clock.move(time.Hour)
	wantProblem(t, ask(t, g, http.MethodGet, "/api/v1/signatures/"+o.ID, "", "", testgateway.ClientID, testgateway.ClientSecret), http.StatusNotFound, reason.SigningOrderUnknown)
	wantCode(t, v.get("/signatures/"+o.ID), http.StatusNotFound, reason.SigningOrderUnknown)
	ordered(t, g, map[string]any{"text": "Согласен."}) // there is room again
}

// TestOrderClients: orders are of the service that made them.
func TestOrderClients(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge, func(g *testgateway.Gateway) {
		g.WriteFile("other.secret", "another secret, which is long enough\n")
		other := g.Config.OIDC.Clients[0]
		other.ID, other.Name, other.SecretFile = "other", "Другой", g.Path("other.secret")
		g.Config.OIDC.Clients = append(g.Config.OIDC.Clients, other)
	})
	o := ordered(t, g, map[string]any{"text": "Согласен."})
	for name, c := range map[string]struct{ id, secret string }{
		"nobody": {"", ""}, "wrong secret": {testgateway.ClientID, "x"}, "unknown": {"x", testgateway.ClientSecret}, "public": {"public", ""},
	} {
		for _, a := range []testgateway.Answer{
			ask(t, g, http.MethodPost, "/api/v1/signatures", "application/json", "{}", c.id, c.secret),
			ask(t, g, http.MethodGet, "/api/v1/signatures/"+o.ID, "", "", c.id, c.secret),
		} {
			wantProblem(t, a, http.StatusUnauthorized, reason.SigningClientUnauthorized)
			if !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("%s: no challenge", name)
			}
		}
	}
	wantProblem(t, ask(t, g, http.MethodGet, "/api/v1/signatures/"+o.ID, "", "", "other", "another secret, which is long enough"), http.StatusNotFound, reason.SigningOrderUnknown)
	wantProblem(t, ask(t, g, http.MethodGet, "/api/v1/signatures/x", "", "", testgateway.ClientID, testgateway.ClientSecret), http.StatusNotFound, reason.SigningOrderUnknown)
	v := newVisit(t, g)
	wantCode(t, v.get("/signatures/x"), http.StatusNotFound, reason.SigningOrderUnknown)
	wantCode(t, v.post(v.b, "/signatures/"+o.ID+"/agent", "https://evil.example", nil), http.StatusForbidden, reason.ChallengeOrigin)
	wantCode(t, v.post(v.b, "/signatures/"+o.ID+"/agent", "null", url.Values{"x": {"y"}}), http.StatusUnprocessableEntity, reason.RequestFieldUnknown)
}

func TestMalformedOrders(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	const head = `{"redirect_uri":"` + testgateway.Callback + `","state":"s"`
	document := func(fields string) string {
		return head + `,"document":{"name":"a.pdf","media_type":"application/pdf"` + fields + `}}`
	}
	d256, d512 := strings.Repeat("00", 32), strings.Repeat("00", 64)
	for name, c := range map[string]struct {
		body   string
		status int
		want   reason.Code
	}{
		"empty":             {``, http.StatusBadRequest, reason.RequestMalformed},
		"not JSON":          {`{"text"`, http.StatusBadRequest, reason.RequestMalformed},
		"array":             {`[]`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"number":            {`1`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"deep":              {strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), http.StatusBadRequest, reason.RequestMalformed},
		"two orders":        {head + `,"text":"a"}{}`, http.StatusBadRequest, reason.RequestMalformed},
		"unknown field":     {head + `,"text":"a","x":1}`, http.StatusUnprocessableEntity, reason.RequestFieldUnknown},
		"field twice":       {head + `,"text":"a","text":"b"}`, http.StatusUnprocessableEntity, reason.RequestFieldRepeated},
		"field in capitals": {head + `,"text":"a","TEXT":"b"}`, http.StatusUnprocessableEntity, reason.RequestFieldUnknown},
		"nested twice":      {document(`,"size":1,"size":2`), http.StatusUnprocessableEntity, reason.RequestFieldRepeated},
		"text of a number":  {head + `,"text":1}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"nothing to sign":   {head + `}`, http.StatusUnprocessableEntity, reason.RequestFieldMissing},
		"text and document": {head + `,"text":"a","document":{"name":"a","media_type":"a/b","content":"YQ=="}}`, http.StatusUnprocessableEntity, reason.RequestFieldMissing},
		"hidden text":       {head + `,"text":"a\u202eb"}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"long text":         {head + `,"text":"` + strings.Repeat("a", signrequest.MaxText+1) + `"}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"redirect":          {`{"redirect_uri":"https://evil.example/","state":"s","text":"a"}`, http.StatusBadRequest, reason.RedirectMismatch},
		"no redirect":       {`{"state":"s","text":"a"}`, http.StatusBadRequest, reason.RedirectMismatch},
		"no state":          {`{"redirect_uri":"` + testgateway.Callback + `","text":"a"}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"long state":        {`{"redirect_uri":"` + testgateway.Callback + `","text":"a","state":"` + strings.Repeat("a", 513) + `"}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"kind":              {head + `,"text":"a","kinds":["ca"]}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"short life":        {head + `,"text":"a","expires_in":59}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"long life":         {head + `,"text":"a","expires_in":86401}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"nobody":            {head + `,"text":"a","person":{}}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"bad ИНН":           {head + `,"text":"a","person":{"inn":"500100732250"}}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"no content":        {document(``), http.StatusUnprocessableEntity, reason.RequestFieldMissing},
		"content and size":  {document(`,"content":"YQ==","size":1`), http.StatusUnprocessableEntity, reason.RequestFieldMissing},
		"digests alone":     {document(`,"streebog256":"` + d256 + `","streebog512":"` + d512 + `"`), http.StatusUnprocessableEntity, reason.RequestFieldMissing},
		"one digest":        {document(`,"size":1,"streebog256":"` + d256 + `"`), http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"digest not hex":    {document(`,"size":1,"streebog256":"zz","streebog512":"` + d512 + `"`), http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"negative size":     {document(`,"size":-1,"streebog256":"` + d256 + `","streebog512":"` + d512 + `"`), http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"not base64":        {document(`,"content":"%"`), http.StatusBadRequest, reason.RequestBase64},
		"directory":         {head + `,"document":{"name":"../a","media_type":"a/b","content":"YQ=="}}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"media type":        {head + `,"document":{"name":"a","media_type":"pdf","content":"YQ=="}}`, http.StatusUnprocessableEntity, reason.RequestFieldBad},
		"too long":          {head + `,"text":"` + strings.Repeat("a", challenge.MaxOrder) + `"}`, http.StatusRequestEntityTooLarge, reason.RequestTooLarge},
	} {
		a := ask(t, g, http.MethodPost, "/api/v1/signatures", "application/json", c.body, testgateway.ClientID, testgateway.ClientSecret)
		if a.StatusCode != c.status || !strings.Contains(a.Text, `"code":"`+string(c.want)+`"`) {
			t.Errorf("%s: %d, want %d %s\n%s", name, a.StatusCode, c.status, c.want, a.Text)
			continue
		}
		loadSchema(t).answer(t, "POST", "/api/v1/signatures", c.status, "application/problem+json", a.Text)
	}
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded"} {
		a := ask(t, g, http.MethodPost, "/api/v1/signatures", contentType, "{}", testgateway.ClientID, testgateway.ClientSecret)
		wantProblem(t, a, http.StatusUnsupportedMediaType, reason.MediaTypeUnsupported)
	}
}

// TestOrderSchemasAreTheTypes is TestSchemasAreTheTypes for orders.
func TestOrderSchemasAreTheTypes(t *testing.T) {
	c := &typeChecker{t: t, s: loadSchema(t), done: map[reflect.Type]bool{}}
	c.compare("SignatureOrder", reflect.TypeFor[challenge.OrderRequest]())
	c.compare("SignatureOrderAnswer", reflect.TypeFor[challenge.OrderAnswer]())
	c.compare("SignatureOrderResult", reflect.TypeFor[challenge.OrderResult]())
	if len(c.done) < 5 {
		t.Errorf("only %d types", len(c.done))
	}
}

// TestOrderExamples sends the examples of the description.
func TestOrderExamples(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	s := loadSchema(t)
	media := s.at(t, "paths", "/api/v1/signatures", "post", "requestBody", "content", "application/json")
	examples := s.at(t, "paths", "/api/v1/signatures", "post", "requestBody", "content", "application/json", "examples")
	for name, example := range examples {
		value := example.(map[string]any)["value"]
		for _, mistake := range s.check(media["schema"].(map[string]any), numbers(t, value), "$") {
			t.Errorf("example %q: %s", name, mistake)
		}
		o := ordered(t, g, value.(map[string]any))
		if r := result(t, g, o.ID); r.Status != "waiting" {
			t.Errorf("example %q: %s", name, r.Status)
		}
	}
	if len(examples) < 3 {
		t.Errorf("%d examples", len(examples))
	}
}

// TestChallengeLogKnowsNobody: texts, documents and signatures are of people.
func TestChallengeLogKnowsNobody(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge)
	const canary = "500100732259"
	o := ordered(t, g, map[string]any{"text": canary, "state": canary, "person": map[string]string{"inn": canary}})
	v := newVisit(t, g)
	v.get("/signatures/" + o.ID + "?x=" + canary)
	state := v.beginOrder(o.ID)
	v.follow(v.answer(state, v.sign(v.request(state).Content(), v.signatory("ip"))))
	v.post(v.b, "/signed", "https://"+canary, url.Values{"state": {canary}, "signature": {canary}, canary: {canary}})
	v.post(v.b, "/signed", "null", url.Values{"state": {v.begin()}, "error": {canary}})
	v.get("/signed?state=" + canary + "&answer=" + canary)
	order(t, g, map[string]any{canary: canary})
	for _, p := range g.Country.People() {
		v := newVisit(t, g)
		state := v.begin()
		by := v.signatory(p.ID)
		by.Time = time.Time{}
		v.follow(v.answer(state, v.sign(v.request(state).Content(), by)))
		if strings.Contains(g.Log.String(), p.INN) || p.SNILS != "" && strings.Contains(g.Log.String(), p.SNILS) {
			t.Errorf("the log knows %s", p.ID)
		}
	}
	if strings.Contains(g.Log.String(), canary) || strings.Contains(g.Log.String(), state) || strings.Contains(g.Log.String(), o.ID) {
		t.Error("the log knows what people signed, or a secret")
	}
	wantText(t, testgateway.Answer{Text: g.Log.String()}, `"route":"/signed"`, `"code":"`+string(reason.SigningOrderPerson)+`"`, `"client":"test"`)
}
