package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/server/testgateway"
)

// signature makes a detached signature over content with OpenSSL.
func signature(t *testing.T, peer *testgateway.OpenSSL, g *testgateway.Gateway, person, content string, args ...string) []byte {
	t.Helper()
	file := g.Path(person + ".txt")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	command := []string{"openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in", file,
		"-signer", g.Path("people/" + person + "/cert.pem"), "-inkey", g.Path("people/" + person + "/key.pem"),
		"-md", map[bool]string{false: "md_gost12_256", true: "md_gost12_512"}[strings.HasSuffix(person, "512")]}
	return []byte(peer.Run(nil, append(command, args...)...))
}

// form encodes files as multipart/form-data.
func form(t *testing.T, files map[string][]byte) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, data := range files {
		part, err := w.CreateFormFile(name, "file")
		if err != nil {
			t.Fatal(err)
		}
		part.Write(data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.String()
}

func jsonBody(t *testing.T, files map[string][]byte) string {
	t.Helper()
	b, err := json.Marshal(files) // []byte is base64 in JSON
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// verdict is what the tests look at in a verdict document.
type verdict struct {
	Conclusion string `json:"conclusion"`
	Code       string `json:"code"`
	Signatures []struct {
		Signer *struct{ Name, INN, OGRNIP string } `json:"signer"`
	} `json:"signatures"`
	Holder *struct{ Name, INN, OGRNIP string } `json:"holder"`
	Trust  struct {
		ListVersion int `json:"list_version"`
	} `json:"trust"`
}

func parseVerdict(t *testing.T, a testgateway.Answer) verdict {
	t.Helper()
	wantStatus(t, a, http.StatusOK)
	loadSchema(t).answer(t, a.Request.Method, a.Request.URL.Path, a.StatusCode, "application/json", a.Text)
	var v verdict
	if err := json.Unmarshal([]byte(a.Text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerify(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t)
	const content = "Декларация № 1\r\n"
	target := g.Config.Public.URL + "/api/v1/verify"
	for _, id := range []string{"ip", "ip512", "ul", "fl"} {
		p := g.Country.Person(id)
		detached := signature(t, peer, g, id, content)
		attached := signature(t, peer, g, id, content, "-nodetach")
		pemText := pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: detached})
		plain := signature(t, peer, g, id, content, "-noattr")
		cades := signature(t, peer, g, id, content, "-cades", "-nodetach", "-outform", "PEM")
		multi, multiBody := form(t, map[string][]byte{"signature": attached})
		for name, body := range map[string][2]string{
			"detached, JSON":       {"application/json", jsonBody(t, map[string][]byte{"signature": detached, "content": []byte(content)})},
			"attached, multipart":  {multi, multiBody},
			"PEM in JSON":          {"application/json", jsonBody(t, map[string][]byte{"signature": pemText, "content": []byte(content)})},
			"without attributes":   {"application/json", jsonBody(t, map[string][]byte{"signature": plain, "content": []byte(content)})},
			"CAdES, attached, PEM": {"application/json", jsonBody(t, map[string][]byte{"signature": cades})},
			"base64 inside base64": {"application/json", jsonBody(t, map[string][]byte{"signature": []byte(base64.StdEncoding.EncodeToString(attached))})},
		} {
			v := parseVerdict(t, g.Post(g.Browser(), target, body[0], body[1]))
			if v.Conclusion != "TOTAL-PASSED" || len(v.Signatures) != 1 || v.Signatures[0].Signer == nil ||
				v.Signatures[0].Signer.Name != p.Name || v.Signatures[0].Signer.INN != p.INN || v.Trust.ListVersion == 0 {
				t.Errorf("%s, %s: %+v", id, name, v)
			}
		}
	}
}

// TestVerifySaysNo: whatever is wrong with a signature, the answer is a verdict
// with a reason and without a signer.
func TestVerifySaysNo(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t)
	good := signature(t, peer, g, "ip", "content")
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	for name, c := range map[string]struct {
		files      map[string][]byte
		conclusion string
		code       string
	}{
		"other content":  {map[string][]byte{"signature": good, "content": []byte("Content")}, "TOTAL-FAILED", "content-changed"},
		"empty content":  {map[string][]byte{"signature": good, "content": {}}, "TOTAL-FAILED", "content-changed"},
		"no content":     {map[string][]byte{"signature": good}, "INDETERMINATE", "content-missing"},
		"flipped bit":    {map[string][]byte{"signature": flipped, "content": []byte("content")}, "TOTAL-FAILED", "signature-bad"},
		"garbage":        {map[string][]byte{"signature": []byte("hello")}, "TOTAL-FAILED", "signature-malformed"},
		"truncated":      {map[string][]byte{"signature": good[:len(good)/2]}, "TOTAL-FAILED", "signature-malformed"},
		"zeros":          {map[string][]byte{"signature": make([]byte, 1000)}, "TOTAL-FAILED", "signature-malformed"},
		"revoked signer": {map[string][]byte{"signature": signature(t, peer, g, "revoked", "content"), "content": []byte("content")}, "TOTAL-FAILED", "certificate-revoked"},
		"expired signer": {map[string][]byte{"signature": signature(t, peer, g, "expired", "content"), "content": []byte("content")}, "TOTAL-FAILED", "certificate-expired"},
		"unknown CA":     {map[string][]byte{"signature": signature(t, peer, g, "unknown-ca", "content"), "content": []byte("content")}, "", "unknown-ca"},
	} {
		v := parseVerdict(t, g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/verify", "application/json", jsonBody(t, c.files)))
		if v.Conclusion == "TOTAL-PASSED" || c.conclusion != "" && v.Conclusion != c.conclusion || c.code != "" && v.Code != c.code {
			t.Errorf("%s: %s %s, want %s %s", name, v.Conclusion, v.Code, c.conclusion, c.code)
		}
		for _, s := range v.Signatures {
			if s.Signer != nil {
				t.Errorf("%s: a signer is named", name)
			}
		}
	}
}

// TestBadRequests: a request that cannot be used is answered with a problem
// document of a stable code, and never with 500.
func TestBadRequests(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.Config.Limits.Body, g.Config.Limits.Document = 100_000, 150_000 })
	_, huge := form(t, map[string][]byte{"signature": make([]byte, 200_000)})
	hugeType, _, _ := strings.Cut("multipart/form-data; boundary="+strings.TrimPrefix(strings.SplitN(huge, "\r\n", 2)[0], "--"), "\r")
	for _, path := range []string{"/api/v1/verify", "/api/v1/certificates/check"} {
		for name, c := range map[string]struct {
			contentType, body string
			status            int
			code              reason.Code
		}{
			"no body":         {"application/json", "", 400, reason.RequestIncomplete},
			"no type":         {"", "x", 415, reason.MediaTypeUnsupported},
			"other type":      {"text/plain", "x", 415, reason.MediaTypeUnsupported},
			"garbage":         {"application/json", "\x30\x80", 400, reason.RequestMalformed},
			"truncated":       {"application/json", `{"signature":"AA`, 400, reason.RequestIncomplete},
			"unknown field":   {"application/json", `{"nonsense":"AA=="}`, 422, reason.RequestFieldUnknown},
			"nothing in it":   {"application/json", `{}`, 422, reason.RequestFieldMissing},
			"too long JSON":   {"application/json", `{"signature":"` + strings.Repeat("A", 200_000), 413, reason.RequestTooLarge},
			"no boundary":     {"multipart/form-data", "x", 400, reason.RequestMalformed},
			"cut multipart":   {"multipart/form-data; boundary=B", "--B\r\nContent-Disp", 400, reason.RequestMalformed},
			"too long a form": {hugeType, huge, 413, reason.RequestTooLarge},
		} {
			if strings.HasSuffix(path, "check") {
				c.body = strings.ReplaceAll(c.body, `"signature"`, `"certificate"`)
			}
			a := g.Post(g.Browser(), g.Config.Public.URL+path, c.contentType, c.body)
			if a.StatusCode != c.status || !strings.Contains(a.Text, `"code":"`+string(c.code)+`"`) {
				t.Errorf("%s %s: %d %s, want %d %s", path, name, a.StatusCode, a.Text, c.status, c.code)
				continue
			}
			loadSchema(t).answer(t, "POST", path, a.StatusCode, a.Header.Get("Content-Type"), a.Text)
		}
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"} {
		r, err := http.NewRequest(method, g.Config.Public.URL+"/api/v1/verify", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := g.Browser().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, res.StatusCode)
		}
	}
}

func TestCertificateCheck(t *testing.T) {
	g := testgateway.Start(t)
	target := g.Config.Public.URL + "/api/v1/certificates/check"
	for _, p := range g.Country.People() {
		for name, data := range map[string][]byte{
			"DER": p.Certificate.Raw,
			"PEM": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw}),
		} {
			v := parseVerdict(t, g.Post(g.Browser(), target, "application/json", jsonBody(t, map[string][]byte{"certificate": data})))
			// Whatever the kind of holder, a good certificate is good.
			good := p.Expect == "" || p.Expect == reason.WrongHolderKind
			if good != (v.Conclusion == "TOTAL-PASSED") || good != (v.Holder != nil) || !good && v.Code != string(p.Expect) {
				t.Errorf("%s %s: %+v, want %q", p.ID, name, v, p.Expect)
			}
		}
	}
	v := parseVerdict(t, g.Post(g.Browser(), target, "application/json", jsonBody(t, map[string][]byte{"certificate": []byte("hello")})))
	if v.Conclusion != "TOTAL-FAILED" || v.Code != "certificate-malformed" {
		t.Errorf("garbage: %+v", v)
	}
}

func TestAccreditedCAs(t *testing.T) {
	g := testgateway.Start(t)
	a := g.Get(g.Browser(), g.Config.Public.URL+"/api/v1/accredited-cas")
	wantStatus(t, a, http.StatusOK)
	loadSchema(t).answer(t, "GET", "/api/v1/accredited-cas", 200, "application/json", a.Text)
	wantText(t, a, `"in_force":true`, `"in_force":false`, g.Country.Authority("fns").OGRN,
		`"key_ids":["`+hex.EncodeToString(g.Country.Authority("fns").Certificate.SubjectKeyID)+`"]`)
}

// TestAccreditedPage: people see which certification authorities are accredited, where they
// begin and where they are told that theirs is not (IP-35).
func TestAccreditedPage(t *testing.T) {
	g := testgateway.Start(t)
	url := g.Config.Public.URL + "/accredited"
	a := g.Get(g.Browser(), url)
	wantStatus(t, a, http.StatusOK)
	wantText(t, a, "Аккредитованные удостоверяющие центры", g.Country.Authority("fns").OGRN)
	if gone := g.Country.Authority("terminated"); gone == nil || strings.Contains(a.Text, "прежний (демо)") {
		t.Error("an authority that lost its accreditation is on the page")
	}
	wantText(t, g.Get(g.Browser(), url+"?lang=en"), "Accredited certification authorities")
	wantText(t, g.Get(g.Browser(), g.Config.Public.URL+"/"), `href="/accredited"`)
	for _, id := range []string{"unknown-ca", "terminated-ca"} {
		wantText(t, g.Get(g.GOSTBrowser(id), g.Config.SignIn.URL+"/"), `href="`+url+`"`)
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	g := testgateway.Start(t)
	a := g.Get(g.Browser(), g.Config.Public.URL+"/api/v1/openapi.json")
	want, err := os.ReadFile("api/openapi.json")
	if err != nil || a.Text != string(want) {
		t.Errorf("%v, status %d, %d bytes, want %d", err, a.StatusCode, len(a.Text), len(want))
	}
}

// TestWhoAmI checks the answers for everybody against the description.
func TestWhoAmI(t *testing.T) {
	g := testgateway.Start(t)
	s := loadSchema(t)
	ask := func(c *http.Client, status int, code reason.Code) {
		t.Helper()
		a := g.Get(c, g.Config.SignIn.URL+"/api/v1/whoami")
		wantStatus(t, a, status)
		s.answer(t, "GET", "/api/v1/whoami", a.StatusCode, "application/json", a.Text)
		who := parseWhoAmI(t, a.Text)
		if who.Code != string(code) || (who.Identity != nil) != (code == "") || (who.Conclusion == "TOTAL-PASSED") != (code == "") {
			t.Errorf("answer for %q:\n%s", code, a.Text)
		}
	}
	for _, p := range g.Country.People() {
		if p.Expect == "" {
			ask(g.GOSTBrowser(p.ID), http.StatusOK, "")
		} else {
			ask(g.GOSTBrowser(p.ID), http.StatusForbidden, p.Expect)
		}
	}
	ask(g.GOSTBrowser(""), http.StatusForbidden, reason.NoCertificate)
	ask(g.Browser(), http.StatusForbidden, reason.GOSTTLSRequired)
}

// TestBusy: when bodies fill the memory that is meant for them, the next request
// is told to come again.
func TestBusy(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.Config.Limits.Verifications, g.Config.Limits.Body = 1, 1<<10 })
	for i := range 3000 { // the server may not have got as far yet
		if i%300 == 0 { // those of before may have come while a quick one had their place, and been refused
			for range 2 { // as many bodies may be in memory
				uploadSlowly(t, g, `{"signature":"`+strings.Repeat("A", 1000))
			}
		}
		a := g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/verify", "application/json", `{"signature":"`+strings.Repeat("A", 800)+`"}`)
		if a.StatusCode == http.StatusServiceUnavailable {
			wantProblem(t, a, http.StatusServiceUnavailable, reason.ServerBusy)
			if a.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("nobody was told that the server is busy")
}

// TestSlowUploads: clients that begin to send and then say nothing keep nobody
// else out.
func TestSlowUploads(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.Config.Limits.Verifications, g.Config.Limits.VerifyWait = 1, 0 })
	for range 30 {
		uploadSlowly(t, g, `{"signature":"AAAA`)
	}
	time.Sleep(time.Second) // let them in
	a := g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/verify", "application/json", `{"signature":"AAAA"}`)
	if a.StatusCode != http.StatusOK {
		t.Errorf("beside slow clients: %d %s", a.StatusCode, a.Text)
	}
}

// TestMemoryComesBack: what a body took is free again after the answer.
func TestMemoryComesBack(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.Config.Limits.Verifications, g.Config.Limits.Body = 1, 1<<10 })
	for n, body := range slices.Repeat([]string{`{"signature":"` + strings.Repeat("A", 800) + `"}`, `{"signature":"` + strings.Repeat("A", 800), `{`}, 4) {
		a := g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/verify", "application/json", body)
		if a.StatusCode == http.StatusServiceUnavailable {
			t.Fatalf("request %d: %s", n, a.Text)
		}
	}
}

// uploadSlowly sends the beginning of a body that promises more, and then nothing
// until the test ends.
func uploadSlowly(t *testing.T, g *testgateway.Gateway, beginning string) {
	t.Helper()
	body, pipe := io.Pipe()
	r, err := http.NewRequest(http.MethodPost, g.Config.Public.URL+"/api/v1/verify", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	browser, done := g.Browser(), make(chan struct{})
	go func() {
		defer close(done)
		if res, err := browser.Do(r); err == nil {
			res.Body.Close()
		}
	}()
	if _, err := io.WriteString(pipe, beginning); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pipe.CloseWithError(os.ErrClosed); <-done })
}

// blocked is a body that says when it is read, and then waits.
type blocked struct {
	started chan<- struct{}
	wait    <-chan struct{}
}

// Read implements io.Reader.
func (b blocked) Read([]byte) (int, error) {
	b.started <- struct{}{}
	<-b.wait
	return 0, os.ErrClosed
}

// TestStaleTrust: with an old list nobody enters, verdicts stay undecided, and
// readiness is false.
func TestStaleTrust(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t, func(g *testgateway.Gateway) {
		g.Config.Trust.MaxAge = time.Minute
		g.Clock = func() time.Time { return g.Country.Now().Add(2 * time.Minute) }
	})
	a := g.Get(g.GOSTBrowser("ip"), g.Config.SignIn.URL+"/")
	wantStatus(t, a, http.StatusServiceUnavailable)
	wantText(t, a, `data-code="trust-data-stale"`, "Вход временно закрыт")

	v := parseVerdict(t, g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/verify", "application/json",
		jsonBody(t, map[string][]byte{"signature": signature(t, peer, g, "ip", "x"), "content": []byte("x")})))
	if v.Conclusion != "INDETERMINATE" || v.Trust.ListVersion == 0 || v.Signatures[0].Signer != nil {
		t.Errorf("verdict %+v", v)
	}
	wantProblem(t, g.Get(g.Browser(), g.Config.Public.URL+"/api/v1/accredited-cas"), http.StatusServiceUnavailable, reason.TrustDataStale)

	a = g.Get(g.Browser(), g.Admin()+"/readyz")
	wantStatus(t, a, http.StatusServiceUnavailable)
	wantText(t, a, `"ready":false`, `"code":"trust-data-stale"`)
	wantStatus(t, g.Get(g.Browser(), g.Admin()+"/healthz"), http.StatusOK)
}

// TestNoTrust: without trust data the server runs, and says what is wrong.
func TestNoTrust(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.WriteFile("trust/tsl.xml", "<broken") })
	a := g.Get(g.GOSTBrowser("ip"), g.Config.SignIn.URL+"/")
	wantStatus(t, a, http.StatusServiceUnavailable)
	wantText(t, a, `data-code="trust-data-absent"`)
	a = g.Get(g.Browser(), g.Admin()+"/readyz")
	wantStatus(t, a, http.StatusServiceUnavailable)
	wantText(t, a, `"code":"trust-data-absent"`)
}

// TestTrustFailureIsLoggedOnce: a mistake that stays is tried again at every look,
// and told once.
func TestTrustFailureIsLoggedOnce(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) {
		g.Config.Trust.Reload = time.Second
		g.WriteFile("trust/tsl.xml", "<broken")
	})
	wantStatus(t, g.Get(g.Browser(), g.Admin()+"/readyz"), http.StatusServiceUnavailable)
	time.Sleep(1500 * time.Millisecond) // one look more
	if n := strings.Count(g.Log.String(), "trust data not loaded"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// TestBadTrustFileLeavesTheLastGood: people keep signing in while an operator's
// mistake is in the directory.
func TestBadTrustFileLeavesTheLastGood(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.Config.Trust.Reload = time.Second })
	before := g.Store.Current()
	g.WriteFile("trust/tsl.xml", "<broken")
	for range 3000 {
		if strings.Contains(g.Log.String(), "trust data not loaded") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.Contains(g.Log.String(), "trust data not loaded") {
		t.Fatal("the mistake was not noticed")
	}
	if g.Store.Current() != before {
		t.Error("the snapshot was replaced")
	}
	wantStatus(t, g.Get(g.GOSTBrowser("ip"), g.Config.SignIn.URL+"/"), http.StatusOK)
	a := g.Get(g.Browser(), g.Admin()+"/metrics")
	if !strings.Contains(a.Text, `propusk_trust_reloads_total{result="ok"} 1`) || strings.Contains(a.Text, `result="internal-error"`) {
		t.Errorf("metrics:\n%s", a.Text)
	}
}

// TestMissingRevocationList: without a fresh list nobody of that CA enters.
func TestMissingRevocationList(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) {
		if err := os.Remove(g.Path("trust/crls/fns.crl")); err != nil {
			t.Fatal(err)
		}
	})
	a := g.Get(g.GOSTBrowser("ip"), g.Config.SignIn.URL+"/")
	wantStatus(t, a, http.StatusServiceUnavailable)
	wantText(t, a, `data-code="revocation-unknown"`, "Проверить сертификат сейчас нельзя")
	wantStatus(t, g.Get(g.GOSTBrowser("ip512"), g.Config.SignIn.URL+"/"), http.StatusOK)
}

func TestMetrics(t *testing.T) {
	g := testgateway.Start(t)
	g.Get(g.GOSTBrowser("ip"), g.Config.SignIn.URL+"/")
	g.Get(g.GOSTBrowser("expired"), g.Config.SignIn.URL+"/")
	g.Get(g.Browser(), g.Config.Public.URL+"/nowhere/980000000101")
	g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/verify", "application/json", `{"signature":"AAAA"}`)
	a := g.Get(g.Browser(), g.Admin()+"/metrics")
	wantText(t, a,
		`propusk_verdicts_total{conclusion="TOTAL-PASSED",reason="",subject="signin"} 1`,
		`propusk_verdicts_total{conclusion="TOTAL-FAILED",reason="certificate-expired",subject="signin"} 1`,
		`propusk_verdicts_total{conclusion="TOTAL-FAILED",reason="signature-malformed",subject="signature"} 1`,
		`propusk_tls_handshakes_total{host="signin",kind="gost",result="ok",resumed="false",suite="TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S",version="TLS 1.3"} 2`,
		`propusk_tls_handshakes_total{host="public",kind="ordinary",result="ok",resumed="false",suite="TLS_AES_128_GCM_SHA256",version="TLS 1.3"} 2`,
		`propusk_http_requests_total{host="public",method="GET",route="none",status="404"} 1`,
		"propusk_trust_list_version ", "propusk_trust_list_timestamp_seconds ", `propusk_sessions{sort="ticket"} 0`,
		`propusk_build_info{version="test"} 1`,
	)
	if strings.Contains(a.Text, "980000000101") {
		t.Error("the metrics know the person")
	}
}
