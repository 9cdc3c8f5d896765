package server_test

import (
	"crypto/tls"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"propusk/pki/reason"
	"propusk/server/testgateway"
)

// suites are the names of the suites as curl wants them, with their numbers.
func suites() map[string]string {
	return map[string]string{
		"KUZNYECHIK": "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC", // 0xC100
		"MAGMA":      "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",      // 0xC101
	}
}

// TestWhoAmIByOpenSSL asks with openssl s_client, over both suites and with keys
// of both lengths.
func TestWhoAmIByOpenSSL(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t)
	for suite, name := range suites() {
		for _, id := range []string{"ip", "ip512"} {
			t.Run(suite+" "+id, func(t *testing.T) {
				p := g.Country.Person(id)
				head, body := peer.SClient(g, suite, id, "/api/v1/whoami")
				if !strings.HasPrefix(head, "HTTP/1.1 200 ") || !strings.Contains(head, "Connection: close") {
					t.Fatalf("answer:\n%s\n%s", head, body)
				}
				who := parseWhoAmI(t, body)
				if who.Conclusion != "TOTAL-PASSED" || who.Identity == nil || who.Identity.INN != p.INN || who.Identity.OGRNIP != p.OGRNIP ||
					who.Identity.Name != p.Name || who.Connection.Kind != "gost" || who.Connection.Suite != name {
					t.Errorf("answer:\n%s", body)
				}
			})
		}
	}
}

// chunk matches the length lines of a chunked body, which s_client shows as they
// are.
var chunk = regexp.MustCompile(`(?m)^[0-9a-f]+\r\n`)

// whoAmI is what the tests look at in the answer of /api/v1/whoami.
type whoAmI struct {
	Conclusion string `json:"conclusion"`
	Code       string `json:"code"`
	Identity   *struct{ Name, INN, OGRNIP string }
	Connection struct{ Kind, Suite string }
}

func parseWhoAmI(t *testing.T, body string) whoAmI {
	t.Helper()
	if !strings.HasPrefix(body, "{") {
		body = strings.ReplaceAll(chunk.ReplaceAllString(body, ""), "\r\n", "")
	}
	var who whoAmI
	if err := json.Unmarshal([]byte(body), &who); err != nil {
		t.Fatalf("%v:\n%s", err, body)
	}
	return who
}

// TestBadCertificatesByCurl brings each bad certificate with curl, and wants the
// page that tells its story and no other.
func TestBadCertificatesByCurl(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t)
	story := map[reason.Code]string{
		reason.NoCertificate:   "Сертификат не предъявлен",
		reason.CertExpired:     "Срок действия сертификата истёк",
		reason.CertNotYetValid: "Срок действия сертификата ещё не начался",
		reason.UnknownCA:       "Удостоверяющий центр неизвестен",
		reason.CANotAccredited: "Удостоверяющий центр не аккредитован",
		reason.CertRevoked:     "Сертификат отозван",
		reason.NotQualified:    "Сертификат не квалифицированный",
		reason.WrongHolderKind: "Этот сертификат для другого кабинета",
	}
	for suite := range suites() {
		for id, code := range map[string]reason.Code{
			"": reason.NoCertificate, "expired": reason.CertExpired, "notyet": reason.CertNotYetValid, "unknown-ca": reason.UnknownCA,
			"terminated-ca": reason.CANotAccredited, "revoked": reason.CertRevoked, "unqualified": reason.NotQualified,
			"ul": reason.WrongHolderKind, "fl": reason.WrongHolderKind,
		} {
			t.Run(suite+" "+string(code)+" "+id, func(t *testing.T) {
				out := peer.Curl(g, suite, id, "--include", g.Config.SignIn.URL+"/signin?request=none")
				if !strings.HasPrefix(out, "HTTP/1.1 403 ") || !strings.Contains(out, `data-code="`+string(code)+`"`) {
					t.Fatalf("answer:\n%s", out)
				}
				for other, title := range story {
					if strings.Contains(out, title) != (other == code) {
						t.Errorf("the page of %s: %q is there: %v", code, title, other != code)
					}
				}
			})
		}
	}
}

// TestOrdinaryClientOnTheSamePort: TLS 1.3 of crypto/tls and of OpenSSL reach the
// public page where GOST clients do.
func TestOrdinaryClientOnTheSamePort(t *testing.T) {
	g := testgateway.Start(t)
	a := g.Get(g.Browser(), g.Config.Public.URL+"/")
	wantStatus(t, a, 200)
	if a.TLS == nil || a.TLS.Version != tls.VersionTLS13 {
		t.Errorf("TLS state %+v", a.TLS)
	}
	wantText(t, a, "Вход по сертификату электронной подписи", "обычный TLS")

	peer := testgateway.NewOpenSSL(t)
	out := peer.Run(nil, "curl", "--silent", "--show-error", "--tlsv1.3", "--cacert", g.Path("tls/ca.pem"), g.Config.Public.URL+"/")
	if !strings.Contains(out, "TLS 1.3") {
		t.Errorf("curl over TLS 1.3 sees:\n%s", out)
	}
	for suite, name := range suites() {
		if out := peer.Curl(g, suite, "", g.Config.Public.URL+"/"); !strings.Contains(out, name) {
			t.Errorf("curl over %s sees:\n%s", name, out)
		}
	}
}
