package signrequest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/signrequest"
)

// now is when the requests of these tests are made.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const unguessable = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func gatewayOf(t testing.TB, url string, keys ...*ecdsa.PrivateKey) signrequest.Gateway {
	t.Helper()
	g := signrequest.Gateway{URL: url, Name: "Шлюз"}
	for _, key := range keys {
		k, err := signrequest.NewKey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		g.Keys = append(g.Keys, k)
	}
	return g
}

func signIn() signrequest.Request {
	return signrequest.Request{
		ID: "7K3F-9QX2-M4TD", Issuer: "https://gateway.example", ReturnTo: "https://gateway.example/signed",
		State: unguessable, Nonce: unguessable, Began: now.Add(-time.Minute), IssuedAt: now, Expires: now.Add(2 * time.Minute),
		Purpose: signrequest.SignIn, Service: "Личный кабинет <ИП> & Ко", Kinds: []person.Kind{person.Entrepreneur}, Language: "ru",
	}
}

func signText() signrequest.Request {
	r := signIn()
	r.Purpose, r.Text = signrequest.SignText, "Соглашение\r\n\t1. <b>Стороны</b>\n"
	return r
}

func signDocument() signrequest.Request {
	r := signIn()
	r.Purpose, r.Began, r.Kinds, r.Language = signrequest.SignDocument, time.Time{}, nil, ""
	r.Document = &signrequest.Document{
		Name: "Заявление.pdf", MediaType: "application/pdf", Size: 12345,
		Streebog256: bytes.Repeat([]byte{1}, 32), Streebog512: bytes.Repeat([]byte{2}, 64),
	}
	return r
}

func same(a, b signrequest.Request) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y) && bytes.Equal(a.Content(), b.Content())
}

func TestRoundTrip(t *testing.T) {
	old, key := newKey(t), newKey(t)
	other := gatewayOf(t, "https://other.example", newKey(t))
	enrolled := []signrequest.Gateway{other, gatewayOf(t, "https://gateway.example", old, key)}
	for name, r := range map[string]signrequest.Request{"sign-in": signIn(), "text": signText(), "document": signDocument()} {
		for _, signer := range []*ecdsa.PrivateKey{old, key} { // rotation: both are published
			jws, err := signrequest.Sign(r, signer)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, gateway, err := signrequest.Verify(jws, enrolled, now)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !same(got, r) || gateway != &enrolled[1] {
				t.Errorf("%s: %+v of %+v, want %+v", name, got, gateway, r)
			}
		}
	}
}

// TestGoJoseReadsIt: another implementation of JWS agrees about the signature and the key.
func TestGoJoseReadsIt(t *testing.T) {
	key := newKey(t)
	jws, err := signrequest.Sign(signIn(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.ParseSignedCompact(jws, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := parsed.Verify(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(payload, &m); err != nil || m["iss"] != "https://gateway.example" || m["purpose"] != "sign-in" {
		t.Errorf("payload %s: %v", payload, err)
	}
	id, err := signrequest.KeyID(&key.PublicKey)
	if err != nil || parsed.Signatures[0].Protected.KeyID != id {
		t.Errorf("kid %q, want %q: %v", parsed.Signatures[0].Protected.KeyID, id, err)
	}
	card, err := signrequest.Card{Gateway: gatewayOf(t, "https://gateway.example", key), AgentPorts: []int{17446}}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(card, &keys); err != nil || len(keys.Keys) != 1 || !key.PublicKey.Equal(keys.Keys[0].Key) {
		t.Errorf("go-jose reads %+v: %v", keys, err)
	}
}

// forge signs any header and payload, as only a gateway gone wrong would.
func forge(t testing.TB, key *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(raw)
}

// parts returns the header and the payload of a request, in clear.
func parts(t testing.TB, jws string) (header, payload string) {
	t.Helper()
	p := strings.Split(jws, ".")
	h, errH := base64.RawURLEncoding.DecodeString(p[0])
	b, errB := base64.RawURLEncoding.DecodeString(p[1])
	if err := errors.Join(errH, errB); err != nil {
		t.Fatal(err)
	}
	return string(h), string(b)
}

// TestForms: whatever is not the one form of a request is refused although the right key
// signed it.
func TestForms(t *testing.T) {
	key := newKey(t)
	enrolled := []signrequest.Gateway{gatewayOf(t, "https://gateway.example", key)}
	good, err := signrequest.Sign(signIn(), key)
	if err != nil {
		t.Fatal(err)
	}
	header, payload := parts(t, good)
	if _, _, err := signrequest.Verify(forge(t, key, header, payload), enrolled, now); err != nil {
		t.Fatalf("forge itself: %v", err)
	}
	for name, edit := range map[string][2]string{ // of the header
		"alg none":    {`"ES256"`, `"none"`},
		"alg HS256":   {`"ES256"`, `"HS256"`},
		"alg case":    {`"ES256"`, `"es256"`},
		"typ of JWT":  {signrequest.Type, "JWT"},
		"no typ":      {`,"typ":"` + signrequest.Type + `"`, ""},
		"crit":        {`{`, `{"crit":["exp"],`},
		"jwk":         {`{`, `{"jwk":{},`},
		"twice":       {`{`, `{"alg":"none",`},
		"other case":  {`"alg"`, `"ALG"`},
		"space":       {`{`, `{ `},
		"escaped":     {`"alg"`, `"\u0061lg"`},
		"not a value": {`{`, `[`},
	} {
		changed := strings.Replace(header, edit[0], edit[1], 1)
		if changed == header {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, _, err := signrequest.Verify(forge(t, key, changed, payload), enrolled, now); reason.Of(err) != reason.SignRequestMalformed {
			t.Errorf("header %s: %v", name, err)
		}
	}
	for name, edit := range map[string][2]string{ // of the payload
		"twice":           {`{`, `{"purpose":"sign-text",`},
		"unknown":         {`{`, `{"sub":"x",`},
		"other case":      {`"iss"`, `"Iss"`},
		"space":           {`{`, `{ `},
		"other order":     {`"iss":"https://gateway.example","jti":"7K3F-9QX2-M4TD"`, `"jti":"7K3F-9QX2-M4TD","iss":"https://gateway.example"`},
		"escaped":         {`"iss"`, `"\u0069ss"`},
		"float":           {`"exp":`, `"exp":1e0,"x":`},
		"null":            {`"lang":"ru"`, `"lang":null`},
		"trailing":        {`"lang":"ru"}`, `"lang":"ru"}{}`},
		"invalid UTF-8":   {`Личный`, "Ли\xffный"},
		"purpose":         {`"sign-in"`, `"sign-out"`},
		"text":            {`"kinds"`, `"text":"x","kinds"`},
		"kind":            {`["ip"]`, `["ca"]`},
		"language":        {`"lang":"ru"`, `"lang":"de"`},
		"short nonce":     {`"nonce":"AA`, `"nonce":"`},
		"nonce alphabet":  {`"nonce":"AA`, `"nonce":"A\n`},
		"two services":    {`Ко"`, `Ко\nСервис: другой"`},
		"hidden service":  {`Ко"`, "Ко\u202e\""},
		"no service":      {`"service":"Личный кабинет <ИП> & Ко"`, `"service":""`},
		"foreign return":  {`"return_to":"https://gateway.example/`, `"return_to":"https://gateway.example.evil/`},
		"return by name":  {`"return_to":"https://gateway.example/`, `"return_to":"https://gateway.example@evil.example/`},
		"return in clear": {`"return_to":"https://`, `"return_to":"http://`},
		"long life":       {`"exp":1772366520`, `"exp":1772366521`},
		"no life":         {`"exp":1772366520`, `"exp":1772366400`},
		"began later":     {`"began":1772366340`, `"began":1772366401`},
		"began long ago":  {`"began":1772366340`, `"began":1772365499`},
	} {
		changed := strings.Replace(payload, edit[0], edit[1], 1)
		if changed == payload {
			t.Fatalf("%s: nothing was changed in %s", name, payload)
		}
		if _, _, err := signrequest.Verify(forge(t, key, header, changed), enrolled, now); reason.Of(err) != reason.SignRequestMalformed {
			t.Errorf("payload %s: %v", name, err)
		}
	}
	p := strings.Split(good, ".")
	for name, token := range map[string]string{
		"empty": "", "two parts": p[0] + "." + p[1], "four parts": good + ".", "padding": good + "=", "line end": p[0] + "." + p[1] + "\n." + p[2],
		"short signature": good[:len(good)-4], "long": good + strings.Repeat("A", signrequest.MaxToken), "last bits": good[:len(good)-1] + next(good[len(good)-1]),
	} {
		if _, _, err := signrequest.Verify(token, enrolled, now); reason.Of(err) != reason.SignRequestMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// next returns the following character of the alphabet, which differs in bits that 64
// bytes leave unused.
func next(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

// TestWhoAsks: the key decides which gateway speaks, and for whom it may speak.
func TestWhoAsks(t *testing.T) {
	key, evil := newKey(t), newKey(t)
	jws, err := signrequest.Sign(signIn(), key)
	if err != nil {
		t.Fatal(err)
	}
	p := strings.Split(jws, ".")
	header, payload := parts(t, jws)
	mine := gatewayOf(t, "https://gateway.example", key)
	// A gateway that claims the ID of a key that is another's.
	thief := gatewayOf(t, "https://evil.example", evil)
	thief.Keys[0].ID = mine.Keys[0].ID
	for name, c := range map[string]struct {
		jws      string
		enrolled []signrequest.Gateway
		at       time.Time
		want     reason.Code
	}{
		"nobody is enrolled":       {jws, nil, now, reason.SignRequestGatewayUnknown},
		"another is enrolled":      {jws, []signrequest.Gateway{gatewayOf(t, "https://gateway.example", evil)}, now, reason.SignRequestGatewayUnknown},
		"an enrolled one for mine": {jws, []signrequest.Gateway{gatewayOf(t, "https://evil.example", key)}, now, reason.SignRequestForeign},
		"one that has my key too":  {jws, []signrequest.Gateway{gatewayOf(t, "https://evil.example", key), mine}, now, ""},
		"the key ID of another":    {jws, []signrequest.Gateway{thief}, now, reason.SignRequestGatewayUnknown},
		"my key ID and I":          {jws, []signrequest.Gateway{thief, mine}, now, ""},
		"no key at all":            {jws, []signrequest.Gateway{{URL: mine.URL, Keys: []signrequest.Key{{ID: mine.Keys[0].ID}}}}, now, reason.SignRequestGatewayUnknown},
		"payload changed":          {p[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(payload+" ")) + "." + p[2], []signrequest.Gateway{mine}, now, reason.SignRequestSignature},
		"key of another":           {forge(t, evil, header, payload), []signrequest.Gateway{mine}, now, reason.SignRequestSignature},
		"zero signature":           {p[0] + "." + p[1] + "." + strings.Repeat("A", 86), []signrequest.Gateway{mine}, now, reason.SignRequestSignature},
		"too old":                  {jws, []signrequest.Gateway{mine}, now.Add(signrequest.Life + signrequest.Skew), reason.SignRequestExpired},
		"still in time":            {jws, []signrequest.Gateway{mine}, now.Add(signrequest.Life + signrequest.Skew - time.Second), ""},
		"too new":                  {jws, []signrequest.Gateway{mine}, now.Add(-signrequest.Skew - time.Second), reason.SignRequestExpired},
		"just in time":             {jws, []signrequest.Gateway{mine}, now.Add(-signrequest.Skew), ""},
	} {
		r, g, err := signrequest.Verify(c.jws, c.enrolled, c.at)
		if reason.Of(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && (g != nil || r.ID != "") {
			t.Errorf("%s: a refused request is returned", name)
		}
		if err == nil && g.URL != mine.URL {
			t.Errorf("%s: it is of %s", name, g.URL)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signrequest.Sign(signIn(), p384); err == nil {
		t.Error("a key on P-384 signs")
	}
	key := newKey(t)
	for name, change := range map[string]func(*signrequest.Request){
		"zero":               func(r *signrequest.Request) { *r = signrequest.Request{} },
		"fractions":          func(r *signrequest.Request) { r.IssuedAt = r.IssuedAt.Add(time.Nanosecond) },
		"issuer with a path": func(r *signrequest.Request) { r.Issuer += "/" },
		"issuer in capitals": func(r *signrequest.Request) { r.Issuer, r.ReturnTo = "https://A.example", "https://A.example/x" },
		"default port": func(r *signrequest.Request) {
			r.Issuer, r.ReturnTo = "https://a.example:443", "https://a.example:443/x"
		},
		"issuer in clear":     func(r *signrequest.Request) { r.Issuer, r.ReturnTo = "http://a.example", "http://a.example/x" },
		"return to elsewhere": func(r *signrequest.Request) { r.ReturnTo = "https://other.example/signed" },
		"return with a user":  func(r *signrequest.Request) { r.ReturnTo = strings.Replace(r.ReturnTo, "://", "://evil.example@", 1) },
		"fragment":            func(r *signrequest.Request) { r.ReturnTo += "#x" },
		"short state":         func(r *signrequest.Request) { r.State = r.State[1:] },
		"document missing":    func(r *signrequest.Request) { r.Purpose = signrequest.SignDocument },
		"document beside":     func(r *signrequest.Request) { r.Document = signDocument().Document },
		"text missing":        func(r *signrequest.Request) { r.Purpose = signrequest.SignText },
		"text in the clouds":  func(r *signrequest.Request) { *r = signText(); r.Text = "a\u200bb" },
		"text backwards":      func(r *signrequest.Request) { *r = signText(); r.Text = "a\u202eb" },
		"text with a return":  func(r *signrequest.Request) { *r = signText(); r.Text = "a\rb" },
		"text not in UTF-8":   func(r *signrequest.Request) { *r = signText(); r.Text = "a\xff" },
		"text of a bell":      func(r *signrequest.Request) { *r = signText(); r.Text = "\a" },
		"text too long":       func(r *signrequest.Request) { *r = signText(); r.Text = strings.Repeat("я", signrequest.MaxText/2+1) },
		"name with directory": func(r *signrequest.Request) { *r = signDocument(); r.Document.Name = "../x" },
		"media type":          func(r *signrequest.Request) { *r = signDocument(); r.Document.MediaType = "pdf" },
		"size":                func(r *signrequest.Request) { *r = signDocument(); r.Document.Size = -1 },
		"short digest":        func(r *signrequest.Request) { *r = signDocument(); r.Document.Streebog512 = r.Document.Streebog256 },
	} {
		r := signIn()
		change(&r)
		if _, err := signrequest.Sign(r, key); reason.Of(err) != reason.SignRequestMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLongestRequest: the limits of the parts fit into the limit of the whole.
func TestLongestRequest(t *testing.T) {
	r := signText()
	r.Text = strings.Repeat(`"`, signrequest.MaxText) // every byte is escaped
	key := newKey(t)
	jws, err := signrequest.Sign(r, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := signrequest.Verify(jws, []signrequest.Gateway{gatewayOf(t, r.Issuer, key)}, now); err != nil {
		t.Error(err)
	}
}

// TestContent pins the text that people sign when they sign in: gateways and agents of
// different age must agree about it.
func TestContent(t *testing.T) {
	want := "Вход с электронной подписью\n" +
		"Шлюз: https://gateway.example\n" +
		"Сервис: Личный кабинет <ИП> & Ко\n" +
		"Назначение: вход (sign-in). Этот текст не является документом и не создаёт обязательств.\n" +
		"Время: 2026-03-01T11:59:00Z\n" +
		"Номер: 7K3F-9QX2-M4TD\n" +
		"Одноразовое число: " + unguessable + "\n"
	if got := string(signIn().Content()); got != want {
		t.Errorf("content\n%s\nwant\n%s", got, want)
	}
	again := signIn()
	again.IssuedAt, again.Expires = again.IssuedAt.Add(time.Minute), again.Expires.Add(time.Minute)
	if !bytes.Equal(again.Content(), signIn().Content()) {
		t.Error("a request that is issued again asks for another content")
	}
	for name, change := range map[string]func(*signrequest.Request){
		"issuer":  func(r *signrequest.Request) { r.Issuer = "https://other.example" },
		"nonce":   func(r *signrequest.Request) { r.Nonce = "B" + r.Nonce[1:] },
		"service": func(r *signrequest.Request) { r.Service = "Другой" },
		"time":    func(r *signrequest.Request) { r.Began = r.Began.Add(time.Second) },
		"id":      func(r *signrequest.Request) { r.ID = "X" },
		"purpose": func(r *signrequest.Request) { r.Purpose, r.Text = signrequest.SignText, "x" },
	} {
		r := signIn()
		change(&r)
		if bytes.Equal(r.Content(), signIn().Content()) {
			t.Errorf("%s is not bound", name)
		}
	}
	if signDocument().Content() != nil || string(signText().Content()) != signText().Text {
		t.Error("the content of a text is the text, that of a document is not known")
	}
}

func TestCard(t *testing.T) {
	old, key := newKey(t), newKey(t)
	card := signrequest.Card{Gateway: gatewayOf(t, "https://gateway.example", key, old), AgentPorts: []int{17446, 27446}}
	raw, err := card.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := signrequest.ParseCard(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.Marshal()
	if err != nil || !bytes.Equal(again, raw) {
		t.Errorf("%s, want %s: %v", again, raw, err)
	}
	other := gatewayOf(t, "https://x.example", newKey(t)).Keys[0].ID
	for name, edit := range map[string][2]string{
		"issuer":       {"https://gateway.example", "https://gateway.example/x"},
		"name":         {"Шлюз", ""},
		"no ports":     {"[17446,27446]", "[]"},
		"bad port":     {"27446", "0"},
		"many ports":   {"[17446,27446]", "[1,2,3,4,5,6,7,8,9]"},
		"curve":        {"P-256", "P-384"},
		"type":         {`"EC"`, `"OKP"`},
		"kid":          {card.Keys[0].ID, other},
		"use":          {`"use":"sig"`, `"use":"enc"`},
		"algorithm":    {`"alg":"ES256"`, `"alg":"none"`},
		"off curve":    {`"x":"`, `"x":"AAAA`},
		"array":        {`{"issuer"`, `[{"issuer"`},
		"long":         {"Шлюз", strings.Repeat("x", signrequest.MaxCard)},
		"name in two":  {"Шлюз", `Шлюз\nдругой`},
		"no keys left": {`"keys":[`, `"keys":[],"other":[`},
	} {
		changed := strings.Replace(string(raw), edit[0], edit[1], 1)
		if changed == string(raw) {
			t.Fatalf("%s: nothing was changed in %s", name, raw)
		}
		if _, err := signrequest.ParseCard([]byte(changed)); reason.Of(err) != reason.SignGatewayCard {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range signrequest.MaxKeys {
		card.Keys = append(card.Keys, card.Keys[0])
	}
	if _, err := card.Marshal(); err == nil {
		t.Error("too many keys are published")
	}
	if _, err := (signrequest.Card{}).Marshal(); err == nil {
		t.Error("the zero card is published")
	}
}

func FuzzVerify(f *testing.F) {
	key := newKey(f)
	enrolled := []signrequest.Gateway{gatewayOf(f, "https://gateway.example", key)}
	for _, r := range []signrequest.Request{signIn(), signText(), signDocument()} {
		jws, err := signrequest.Sign(r, key)
		if err != nil {
			f.Fatal(err)
		}
		header, payload := parts(f, jws)
		f.Add(header, payload, jws)
	}
	f.Fuzz(func(t *testing.T, header, payload, raw string) {
		if _, g, err := signrequest.Verify(raw, enrolled, now); g != nil && err != nil {
			t.Fatal("a gateway beside an error")
		}
		// The parser behind the signature.
		if !strings.Contains(header, enrolled[0].Keys[0].ID) {
			header = `{"alg":"ES256","kid":"` + enrolled[0].Keys[0].ID + `","typ":"` + signrequest.Type + `"}`
		}
		token := forge(t, key, header, payload)
		r, _, err := signrequest.Verify(token, enrolled, now)
		if err != nil {
			return
		}
		again, err := signrequest.Sign(r, key)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if h, p := parts(t, again); h != header || p != payload {
			t.Fatalf("written back as %s %s", h, p)
		}
	})
}

func FuzzParseCard(f *testing.F) {
	raw, err := signrequest.Card{Gateway: gatewayOf(f, "https://gateway.example", newKey(f)), AgentPorts: []int{1}}.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := signrequest.ParseCard(raw)
		if err != nil {
			return
		}
		if _, err := c.Marshal(); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
