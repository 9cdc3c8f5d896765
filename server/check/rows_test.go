package check_test

import (
	"context"
	"crypto/tls"
	"encoding/asn1"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"propusk/certs/testpki"
	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/gost/spki"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/sigalg"
	"propusk/server/check"
	"propusk/server/testgateway"
)

// TestRows holds the table together: every row of DOMAIN 7.4 and those of today, each with a
// cause and something to do, in both languages.
func TestRows(t *testing.T) {
	rows, err := check.Rows()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	detected := 0
	for _, r := range rows {
		if seen[r.ID] || r.Step < 0 || r.Step > 7 || len(r.Action) == 0 || r.Symptom.RU == "" || r.Symptom.EN == "" || r.Cause.RU == "" || r.Cause.EN == "" {
			t.Errorf("row %q: %+v", r.ID, r)
		}
		seen[r.ID] = true
		for _, a := range r.Action {
			if a.RU == "" || a.EN == "" || !strings.HasSuffix(a.RU, ".") {
				t.Errorf("row %s: action %q", r.ID, a)
			}
		}
		for _, m := range r.Messages {
			if m != strings.ToLower(m) || len(m) < 5 {
				t.Errorf("row %s: message %q", r.ID, m)
			}
		}
		if r.Detected != nil {
			detected++
			if r.Step == 0 || r.Detected(new(check.Facts)) {
				t.Errorf("row %s is detected before anything was tried", r.ID)
			}
		}
		if r.Detected == nil && len(r.Messages) == 0 && r.ID != "35" && r.ID != "38" {
			t.Errorf("row %s: nothing leads to it", r.ID)
		}
	}
	for n := 1; n <= 48; n++ {
		if !seen[itoa(n)] {
			t.Errorf("row %d is absent", n)
		}
	}
	if detected < 30 {
		t.Errorf("%d rows are detected", detected)
	}
}

func itoa(n int) string {
	return strings.TrimLeft(string([]byte{'0' + byte(n/10), '0' + byte(n%10)}), "0")
}

// TestMessages finds rows by what programs say, as people copy it.
func TestMessages(t *testing.T) {
	rows, err := check.Rows()
	if err != nil {
		t.Fatal(err)
	}
	for message, want := range map[string]string{
		"Не удается построить цепочку сертификатов для доверенного корневого центра. (0x800B010A)": "10",
		"A certificate chain could not be built to a trusted root authority. (0x800B010A)":         "10",
		"(Код ошибки: 0x800B0109)":         "11",
		"Отказано в доступе. (0x80090010)": "13", "Набор ключей не существует": "14", "ESIA-007055": "41", "CERT_EMPTY_OGRN_ERROR": "9",
		"Объект ActiveX «Авест» отсутствует или установлен неверно": "46", "NET::ERR_CERT_DATE_INVALID": "36",
		"net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH": "1", "gui authentication requested in silent mode": "15", "всё хорошо": "", "": "",
		strings.Repeat("я", 100000): "",
	} {
		found := check.Find(rows, message)
		if want == "" && len(found) != 0 || want != "" && (len(found) == 0 || found[0].ID != want) {
			t.Errorf("%.60q: %v, want %q", message, found, want)
		}
	}
}

// bearer is a client with a certificate and those of CAs that it sends with it.
func bearer(c *testpki.Credential, chain ...[]byte) func(*gosttls.Config) {
	return func(config *gosttls.Config) {
		config.Certificates = []gosttls.Certificate{{Chain: append([][]byte{c.Certificate.Raw}, chain...), PrivateKey: c.Key}}
	}
}

// spoilt issues a copy of the certificate of "ip" that was changed.
func spoilt(t *testing.T, g *testgateway.Gateway, issuer string, change func(*gostx509.Template)) *testpki.Credential {
	t.Helper()
	template := g.Country.PersonTemplate(g.Country.Person("ip"))
	change(&template)
	c, err := g.Country.Issue(g.Country.Authority(issuer), template, gost3410.CryptoProA())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func without(n gostx509.Name, drop asn1.ObjectIdentifier) gostx509.Name {
	var rest gostx509.Name
	for _, a := range n {
		if !a.Type.Equal(drop) {
			rest = append(rest, a)
		}
	}
	return rest
}

// TestGood goes the whole way with a good certificate over GOST TLS.
func TestGood(t *testing.T) {
	g := testgateway.Start(t)
	for _, host := range []string{g.Config.Public.URL, g.Config.Check.URL} {
		w := begin(t, g, g.GOSTBrowser("", bearer(&g.Country.Person("ip").Credential, g.Country.Authority("fns").Certificate.Raw)), host)
		w.wants(3, "good", "")
		if host == g.Config.Check.URL {
			w.wants(2, "none", "")
			w.open(w.link("Проверить браузер"))
		}
		w.wants(2, "good", "")
		w.enter()
		for _, step := range []int{2, 3, 5, 6, 7} {
			w.wants(step, "good", "")
		}
		if next := w.link("Перейти в личный кабинет"); next != "https://service.example/" {
			t.Errorf("the last button leads to %s", next)
		}
		if !strings.HasPrefix(w.at, host+"/check/run?") {
			t.Errorf("the check ends at %s", w.at)
		}
		p := g.Country.Person("ip")
		for _, secret := range []string{p.Name, p.INN, p.SNILS, p.OGRNIP} {
			if strings.Contains(w.page, secret) {
				t.Errorf("%q is on the page, which may come over plain HTTP", secret)
			}
		}
	}
}

// TestCertificates brings certificates with each fault over GOST TLS.
func TestCertificates(t *testing.T) {
	g := testgateway.Start(t)
	now := g.Country.Now()
	person := func(id string) *testpki.Credential { return &g.Country.Person(id).Credential }
	template := func(change func(*gostx509.Template)) *testpki.Credential { return spoilt(t, g, "fns", change) }
	for name, c := range map[string]struct {
		who  *testpki.Credential
		step int
		row  string
	}{
		"wrong kind: ul":     {person("ul"), 6, "9"},
		"wrong kind: fl":     {person("fl"), 6, "9"},
		"unknown CA":         {person("unknown-ca"), 5, "10"},
		"key period over":    {template(func(t *gostx509.Template) { t.PrivateKeyUsage.NotAfter = now.Add(-time.Hour) }), 6, "13"},
		"expired":            {person("expired"), 6, "21"},
		"not yet valid":      {person("notyet"), 6, "21"},
		"revoked":            {person("revoked"), 6, "21"},
		"terminated CA":      {person("terminated-ca"), 5, "22"},
		"issued in a gap":    {person("issued-in-gap"), 5, "22"},
		"unlisted CA":        {person("unlisted-ca"), 5, "22"},
		"commercial CA":      {spoilt(t, g, "commercial", func(*gostx509.Template) {}), 5, "23"},
		"no ИНН":             {template(func(t *gostx509.Template) { t.Subject = without(t.Subject, gostx509.OIDINN) }), 6, "42"},
		"not qualified":      {person("unqualified"), 6, "not-qualified"},
		"wrong check digits": {template(func(t *gostx509.Template) { setINN(t, "123456789012") }), 6, "identifier-bad"},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t, g, g.GOSTBrowser("", bearer(c.who)), g.Config.Public.URL).enter()
			w.wants(c.step, "bad", c.row)
			if strings.Contains(w.page, `id="next"`) {
				t.Error("the last button is there")
			}
		})
	}
}

func setINN(t *gostx509.Template, inn string) {
	for i := range t.Subject {
		if t.Subject[i].Type.Equal(gostx509.OIDINN) {
			t.Subject[i].Text = inn
		}
	}
}

// TestNoRevocationList: the CA has no list that is fresh (rows 45 and 48).
func TestNoRevocationList(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.WriteFile("trust/crls/fns.crl", "") })
	w := begin(t, g, g.GOSTBrowser("ip"), g.Config.Public.URL).enter()
	w.wants(6, "bad", "45")
}

// TestDeadDistributionPoint is row 45 as people meet it: the gateway has no list, asks the
// address that the certificate names, and nobody answers there, or with something that is no
// list. When the list is there again, the same certificate is in order.
func TestDeadDistributionPoint(t *testing.T) {
	var list []byte // what the server gives
	var asked atomic.Int32
	var well atomic.Bool
	authority := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if !well.Load() {
			http.Error(w, "closed for the night", http.StatusServiceUnavailable)
			return
		}
		w.Write(list)
	}))
	t.Cleanup(authority.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close() // nobody answers there
	g := testgateway.Start(t, func(g *testgateway.Gateway) {
		var err error
		if list, err = os.ReadFile(g.Path("trust/crls/fns.crl")); err != nil {
			t.Fatal(err)
		}
		g.WriteFile("trust/crls/fns.crl", "")
		g.Config.Revocation.Online = true
		r := &g.Config.Trust.Refresh
		r.Hosts, r.AllowPrivate = []string{"127.0.0.1"}, true
		r.Ports = []int{authority.Listener.Addr().(*net.TCPAddr).Port, gone.Listener.Addr().(*net.TCPAddr).Port}
	})
	names := func(base string) *testpki.Credential {
		return spoilt(t, g, "fns", func(t *gostx509.Template) {
			t.CRLDistributionPoints, t.OCSPServers = []string{base + "/fns.crl"}, nil
		})
	}
	for name, base := range map[string]string{"nobody answers": gone.URL, "an error": authority.URL} {
		w := begin(t, g, g.GOSTBrowser("", bearer(names(base))), g.Config.Public.URL).enter()
		w.wants(6, "bad", "45")
		if strings.Contains(w.page, `id="next"`) {
			t.Errorf("%s: the last button is there", name)
		}
	}
	if asked.Load() == 0 {
		t.Error("the address was not asked")
	}
	well.Store(true)
	begin(t, g, g.GOSTBrowser("", bearer(names(authority.URL))), g.Config.Public.URL).enter().wants(6, "good", "")
}

// TestOrdinaryBrowser is row 1, and row 5 for who has GOST and no certificate.
func TestOrdinaryBrowser(t *testing.T) {
	g := testgateway.Start(t)
	w := begin(t, g, g.Browser(), g.Config.Public.URL)
	w.wants(2, "bad", "1")
	w.enter()
	w.wants(7, "bad", "gost-tls-required")
	w = begin(t, g, g.GOSTBrowser(""), g.Config.Public.URL).enter()
	w.wants(2, "good", "")
	w.wants(7, "bad", "5")
}

// disguised is a browser that says that it is another one.
type disguised struct{ http.RoundTripper }

func (d disguised) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1)")
	return d.RoundTripper.RoundTrip(r)
}

// TestNamesDoNotMatter is row 8: what a browser calls itself changes nothing.
func TestNamesDoNotMatter(t *testing.T) {
	g := testgateway.Start(t)
	browser := g.GOSTBrowser("ip")
	browser.Transport = disguised{browser.Transport}
	w := begin(t, g, browser, g.Config.Public.URL).enter()
	w.wants(2, "good", "")
	w.wants(6, "good", "")
	ordinary := g.Browser()
	ordinary.Transport = disguised{ordinary.Transport}
	begin(t, g, ordinary, g.Config.Public.URL).wants(2, "bad", "1")
}

// proxied is a browser behind a proxy that names itself, as RFC 9110, Section 7.6.3 wants.
type proxied struct{ http.RoundTripper }

func (p proxied) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Via", "1.1 proxy.example")
	return p.RoundTripper.RoundTrip(r)
}

// TestHonestProxy is row 30, and not row 1: what came is not the browser's own connection.
func TestHonestProxy(t *testing.T) {
	g := testgateway.Start(t)
	browser := g.Browser()
	browser.Transport = proxied{browser.Transport}
	w := begin(t, g, browser, g.Config.Public.URL)
	w.wants(2, "bad", "30")
	if _, rows := w.step(2); len(rows) != 1 {
		t.Errorf("rows %v", rows)
	}
}

// until opens the run again until the server has noted a handshake that failed: it hears of
// it a moment after the client.
func (w *walker) until(step int, row string) {
	w.t.Helper()
	address := w.at
	for range 3000 {
		w.open(address)
		if _, rows := w.step(step); strings.Contains(strings.Join(rows, " "), row) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.wants(step, "bad", row)
}

// misses follows the link of a page that does not open, and says so.
func (w *walker) misses(step string) {
	w.t.Helper()
	run := w.at
	if err := w.try(w.link(step)); err == nil {
		w.t.Fatalf("%s opened: %s", step, w.at)
	}
	w.at = run
}

// TestTLS10 is row 34: a client of TLS 1.0 reaches nothing but the check host.
func TestTLS10(t *testing.T) {
	g := testgateway.Start(t)
	old := g.Browser()
	config := old.Transport.(*http.Transport).TLSClientConfig
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	w := begin(t, g, old, g.Config.Check.URL)
	w.misses("Проверить браузер")
	w.until(2, "34")
}

// TestOldSuites is row 34 again: cryptographic providers from before RFC 9189.
func TestOldSuites(t *testing.T) {
	g := testgateway.Start(t)
	old := g.GOSTBrowser("", func(c *gosttls.Config) { c.CipherSuites = []uint16{gosttls.LegacyCNTIMIT} })
	w := begin(t, g, old, g.Config.Check.URL)
	w.misses("Проверить браузер")
	w.until(2, "34")
}

// TestNoSuite is row 1 for a client that has nothing in common with the server.
func TestNoSuite(t *testing.T) {
	g := testgateway.Start(t)
	old := g.Browser()
	config := old.Transport.(*http.Transport).TLSClientConfig
	config.MaxVersion, config.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	w := begin(t, g, old, g.Config.Check.URL)
	w.misses("Проверить браузер")
	w.until(2, "1")
}

// TestDistrust is row A2: the browser does not know the CA of the server.
func TestDistrust(t *testing.T) {
	g := testgateway.Start(t)
	browser := g.Browser()
	browser.Transport.(*http.Transport).TLSClientConfig.RootCAs = nil
	w := begin(t, g, browser, g.Config.Check.URL)
	w.misses("Проверить браузер")
	w.until(2, "A2")
}

// TestClosedPort is row 31: nobody listens where the public host should be.
func TestClosedPort(t *testing.T) {
	g := testgateway.Start(t)
	browser := g.Browser()
	transport := browser.Transport.(*http.Transport)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := closed.Addr().String()
	closed.Close()
	// The firewall of the person.
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if "https://"+address == g.Config.Public.URL || "https://"+address == g.Config.SignIn.URL {
			address = nowhere
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	w := begin(t, g, browser, g.Config.Check.URL)
	w.misses("Проверить браузер")
	w.open(w.link("Страница не открылась"))
	w.wants(7, "bad", "31")
}

// TestKeyOfAnotherToken signs with another key than the certificate has, as a token that is not the one
// of the certificate (row 4).
func TestKeyOfAnotherToken(t *testing.T) {
	g := testgateway.Start(t)
	wrong := testpki.Credential{Certificate: g.Country.Person("ip").Certificate, Key: g.Country.Person("expired").Key}
	w := begin(t, g, g.GOSTBrowser("", bearer(&wrong)), g.Config.Public.URL)
	w.misses("Проверить вход с сертификатом")
	w.until(7, "4")
}

// TestTokenTakenOut is row 4 again: the client says which certificate, and then nothing.
func TestTokenTakenOut(t *testing.T) {
	g := testgateway.Start(t)
	p := g.Country.Person("ip")
	gone := gosttls.Certificate{Chain: [][]byte{p.Certificate.Raw}, PrivateKey: takenOut{p.Key}}
	browser := g.GOSTBrowser("", func(c *gosttls.Config) { c.Certificates = []gosttls.Certificate{gone} })
	w := begin(t, g, browser, g.Config.Public.URL)
	w.misses("Проверить вход с сертификатом")
	w.open(w.g.Config.Public.URL + "/check/missed?host=signin&run=" + w.run())
	w.until(7, "4")
}

// TestGOST2001 is row 44: TLS of today has no place for such a key.
func TestGOST2001(t *testing.T) {
	g := testgateway.Start(t)
	old := spoilt(t, g, "fns", func(t *gostx509.Template) {
		t.PublicKeyAlgorithm = spki.AlgorithmIdentifier{
			Algorithm: sigalg.OIDKeyGOST2001, ParamSet: asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}, Digest: asn1.ObjectIdentifier{1, 2, 643, 2, 2, 30, 1},
		}
	})
	w := begin(t, g, g.GOSTBrowser("", bearer(old)), g.Config.Public.URL)
	w.misses("Проверить вход с сертификатом")
	w.until(6, "44")
}

// TestProbe is row 7: a browser with GOST looks at the server, and what comes then has none.
func TestProbe(t *testing.T) {
	g := testgateway.Start(t)
	w := begin(t, g, g.Browser(), g.Config.Public.URL)
	probe(t, strings.TrimPrefix(g.Config.Public.URL, "https://"))
	w.until(2, "7")
}

// TestChain is row 10: a client that sends no CA is given those that it lacks, and one that
// has them is not.
func TestChain(t *testing.T) {
	g := testgateway.Start(t)
	ip, fns, root := &g.Country.Person("ip").Credential, g.Country.Authority("fns").Certificate, g.Country.Authority("head-256").Certificate
	w := begin(t, g, g.GOSTBrowser("", bearer(ip)), g.Config.Public.URL).enter()
	w.wants(5, "warn", "10") // signing in is possible all the same
	for _, ca := range []*gostx509.Certificate{fns, root} {
		wantFiles(t, w, ca, true)
	}
	w = begin(t, g, g.GOSTBrowser("", bearer(ip, fns.Raw)), g.Config.Public.URL).enter()
	w.wants(5, "good", "")
	wantFiles(t, w, fns, false)
	wantFiles(t, w, root, true)
}

// TestOtherCertificate is row 24, by the facts: the test signature and the sign-in are of
// different people. browsertest makes it happen.
func TestOtherCertificate(t *testing.T) {
	rows, err := check.Rows()
	if err != nil {
		t.Fatal(err)
	}
	f := check.Facts{Signature: &check.Holder{Kind: person.Entrepreneur}, Entrance: &check.Holder{Kind: person.Entrepreneur}}
	if d := check.Diagnose(rows, &f); d.Steps[5].Mark != check.MarkGood {
		t.Errorf("the same person: %+v", d.Steps[5])
	}
}
