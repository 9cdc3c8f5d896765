package server_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"propusk/pki/reason"
	"propusk/server/testgateway"
)

// TestSignInPages shows every person of the demo country what he has to see.
func TestSignInPages(t *testing.T) {
	g := testgateway.Start(t)
	for _, p := range g.Country.People() {
		t.Run(p.ID, func(t *testing.T) {
			a := g.Get(g.GOSTBrowser(p.ID), g.Config.SignIn.URL+"/")
			if p.Expect == "" {
				wantStatus(t, a, http.StatusOK)
				wantText(t, a, "Сертификат подходит", p.Name, p.INN, p.OGRNIP)
				return
			}
			wantStatus(t, a, http.StatusForbidden)
			wantText(t, a, `data-code="`+string(p.Expect)+`"`, "Что делать", "Техническая поддержка", "Код обращения", p.Name)
			if a.Header.Get("Connection") != "close" && !a.Close {
				t.Error("the connection stays open: another certificate cannot be chosen")
			}
		})
	}
}

// TestWrongKindNamesTheCabinet: the person must learn where he belongs.
func TestWrongKindNamesTheCabinet(t *testing.T) {
	g := testgateway.Start(t)
	for id, want := range map[string]string{"ul": "https://ul.example/", "fl": "https://fl.example/"} {
		wantText(t, g.Get(g.GOSTBrowser(id), g.Config.SignIn.URL+"/"), want)
	}
}

func TestSignInWithoutCertificate(t *testing.T) {
	g := testgateway.Start(t)
	a := g.Get(g.GOSTBrowser(""), g.Config.SignIn.URL+"/")
	wantStatus(t, a, http.StatusForbidden)
	wantText(t, a, `data-code="no-certificate"`, "Сертификат не предъявлен", "Подключите носитель")

	a = g.Get(g.Browser(), g.Config.SignIn.URL+"/signin?request=x")
	wantStatus(t, a, http.StatusForbidden)
	wantText(t, a, `data-code="gost-tls-required"`, "Нужен браузер с поддержкой ГОСТ TLS")
}

func TestPublicAndCheckPages(t *testing.T) {
	g := testgateway.Start(t)
	wantText(t, g.Get(g.Browser(), g.Config.Public.URL+"/"), "обычный TLS (без ГОСТ)", "TLS 1.3", "https://service.example/")
	wantText(t, g.Get(g.GOSTBrowser(""), g.Config.Public.URL+"/"), "ГОСТ TLS", "TLS 1.3", "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S", "подходит для входа")
	for _, path := range []string{"/", "/check.php"} {
		a := g.Get(g.Browser(), g.Config.Check.URL+path)
		wantStatus(t, a, http.StatusOK)
		wantText(t, a, "Проверка выполнения условий доступа", g.Config.Public.URL, g.Config.SignIn.URL)
	}
	for _, host := range []string{g.Config.Public.URL, g.Config.Check.URL} {
		a := g.Get(g.Browser(), host+"/static/propusk.css")
		wantStatus(t, a, http.StatusOK)
		if got := a.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/css") {
			t.Errorf("Content-Type %q", got)
		}
		wantStatus(t, g.Get(g.Browser(), host+"/static/"), http.StatusNotFound)
	}
	// The sign-in host must not ask for a certificate again for its style sheet.
	wantText(t, g.Get(g.GOSTBrowser(""), g.Config.SignIn.URL+"/"), `href="`+g.Config.Public.URL+`/static/propusk.css"`)
}

func TestNotFound(t *testing.T) {
	g := testgateway.Start(t)
	a := g.Get(g.Browser(), g.Config.Public.URL+"/nowhere")
	wantStatus(t, a, http.StatusNotFound)
	wantText(t, a, `data-code="page-not-found"`, "Техническая поддержка")
	a = g.Get(g.Browser(), g.Config.Public.URL+"/api/v1/nowhere")
	wantProblem(t, a, http.StatusNotFound, reason.PageNotFound)
	a = g.Get(g.Browser(), g.Config.Public.URL+"/api/v1/verify")
	wantProblem(t, a, http.StatusMethodNotAllowed, reason.MethodNotAllowed)
	if a.Header.Get("Allow") != "POST" {
		t.Errorf("Allow: %q", a.Header.Get("Allow"))
	}
}

// TestHead: what may be read may be asked for with HEAD; what is used up by reading
// may not.
func TestHead(t *testing.T) {
	g := testgateway.Start(t)
	for url, want := range map[string]int{
		g.Config.Public.URL + "/":                                 http.StatusOK,
		g.Config.Public.URL + "/static/propusk.css":               http.StatusOK,
		g.Config.Public.URL + "/api/v1/openapi.json":              http.StatusOK,
		g.Config.Public.URL + "/api/v1/accredited-cas":            http.StatusOK,
		g.Config.Public.URL + "/.well-known/openid-configuration": http.StatusOK,
		g.Config.Public.URL + "/keys":                             http.StatusOK,
		g.Config.Check.URL + "/check.php":                         http.StatusOK,
		g.Admin() + "/healthz":                                    http.StatusOK,
		g.Admin() + "/readyz":                                     http.StatusOK,
		g.Config.SignIn.URL + "/":                                 http.StatusForbidden, // ordinary TLS
		g.Config.Public.URL + "/signin/return?ticket=x":           http.StatusMethodNotAllowed,
		g.Config.Public.URL + "/authorize":                        http.StatusMethodNotAllowed,
		g.Config.SignIn.URL + "/signin?request=x":                 http.StatusMethodNotAllowed,
	} {
		r, err := http.NewRequest(http.MethodHead, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := g.Do(g.Browser(), r); a.StatusCode != want || a.Text != "" {
			t.Errorf("%s: %d, want %d; body %q", url, a.StatusCode, want, a.Text)
		}
	}
}

// TestAdminAnswersLoopbackNamesOnly: a page of the web whose name was made to point
// at the loopback address (DNS rebinding) reads nothing.
func TestAdminAnswersLoopbackNamesOnly(t *testing.T) {
	g := testgateway.Start(t)
	_, port, err := net.SplitHostPort(g.Config.Admin.Listen)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"127.0.0.1:" + port: http.StatusOK, "localhost:" + port: http.StatusOK, "localhost": http.StatusOK, "[::1]:" + port: http.StatusOK, "LocalHost": http.StatusOK,
		"evil.example": http.StatusNotFound, "evil.example:" + port: http.StatusNotFound, "127.0.0.1.evil.example": http.StatusNotFound, "192.0.2.1": http.StatusNotFound,
	} {
		for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
			r, err := http.NewRequest(http.MethodGet, g.Admin()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			if a := g.Do(g.Browser(), r); a.StatusCode != want {
				t.Errorf("%s at %q: %d, want %d", path, host, a.StatusCode, want)
			}
		}
	}
}

func wantStatus(t *testing.T, a testgateway.Answer, status int) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d\n%s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.Text)
	}
}

func wantText(t *testing.T, a testgateway.Answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.Text, text) {
			t.Errorf("%s %s: the body lacks %q:\n%s", a.Request.Method, a.Request.URL, text, a.Text)
		}
	}
}

func wantProblem(t *testing.T, a testgateway.Answer, status int, code reason.Code) {
	t.Helper()
	wantStatus(t, a, status)
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s: Content-Type %q", a.Request.URL, got)
	}
	wantText(t, a, `"code":"`+string(code)+`"`)
}
