package server_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/gost/gosttls"
	"propusk/pki/crl"
	"propusk/pki/reason"
	"propusk/server/testgateway"
)

// versions are those that resume a session in different ways.
var versions = map[string]uint16{"TLS 1.2": gosttls.VersionTLS12, "TLS 1.3": gosttls.VersionTLS13}

// resuming makes a browser keep its TLS sessions, and speak one version.
func resuming(version uint16) func(*gosttls.Config) {
	sessions := gosttls.NewClientSessionCache(8)
	return func(c *gosttls.Config) {
		c.ClientSessions, c.MinVersion, c.MaxVersion = sessions, version, version
		c.ServerName = "localhost"
	}
}

// status is what /api/v1/whoami says.
type status struct {
	whoAmI
	code    int
	resumed bool
}

func whoIs(t *testing.T, g *testgateway.Gateway, c *http.Client) status {
	t.Helper()
	a := g.Get(c, g.Config.SignIn.URL+"/api/v1/whoami")
	var body struct {
		Connection struct{ Resumed bool }
	}
	if err := json.Unmarshal([]byte(a.Text), &body); err != nil {
		t.Fatalf("%v: %s", err, a.Text)
	}
	return status{parseWhoAmI(t, a.Text), a.StatusCode, body.Connection.Resumed}
}

func (s status) is(resumed bool, code reason.Code) bool {
	want := http.StatusForbidden
	if code == "" {
		want = http.StatusOK
	}
	return s.resumed == resumed && s.Code == string(code) && s.code == want
}

// A browser resumes its session, and every request is judged all the same.
func TestResumedSignIn(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			g := testgateway.Start(t)
			c := g.GOSTBrowser("ip", resuming(version))
			for i := range 3 {
				if s := whoIs(t, g, c); !s.is(i > 0, "") || s.Identity == nil || s.Identity.INN != g.Country.Person("ip").INN {
					t.Errorf("connection %d: %+v", i, s)
				}
			}
			out := g.Get(g.Browser(), g.Admin()+"/metrics").Text
			if !strings.Contains(out, `propusk_verdicts_total{conclusion="TOTAL-PASSED",reason="",subject="whoami"} 3`) ||
				!strings.Contains(out, fmt.Sprintf(`host="signin",kind="gost",result="ok",resumed="true",suite=%q,version=%q} 2`, suiteOf(version), name)) {
				t.Errorf("metrics:\n%s", out)
			}
		})
	}
}

func suiteOf(version uint16) string {
	if version == gosttls.VersionTLS13 {
		return gosttls.CipherSuiteName(gosttls.KuznyechikMGMS)
	}
	return gosttls.CipherSuiteName(gosttls.KuznyechikCTROMAC)
}

// revoke puts the certificate of a person on a new revocation list.
func revoke(t *testing.T, g *testgateway.Gateway, id string) {
	t.Helper()
	p := g.Country.Person(id)
	list := g.Country.CRLTemplate(p.Issuer)
	list.Number++
	list.ThisUpdate = list.ThisUpdate.Add(time.Minute)
	list.Entries = append(list.Entries, crl.Entry{Serial: p.Certificate.Serial, RevokedAt: list.ThisUpdate, Reason: crl.KeyCompromise})
	der, err := g.Country.IssueCRL(p.Issuer, list)
	if err != nil {
		t.Fatal(err)
	}
	before := g.Store.Current().ID()
	g.WriteFile("trust/crls/"+p.Issuer.ID+".crl", string(der))
	if err := g.Store.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if g.Store.Current().ID() == before {
		t.Fatal("the trust data are the same as before")
	}
}

// A certificate that is revoked between two connections is refused on the second one,
// though the browser brings a session.
func TestRevokedBeforeResumption(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			g := testgateway.Start(t)
			c := g.GOSTBrowser("ip", resuming(version))
			whoIs(t, g, c)
			if s := whoIs(t, g, c); !s.is(true, "") {
				t.Fatalf("before: %+v", s)
			}
			revoke(t, g, "ip")
			for range 2 { // nothing is resumed after it, so that another certificate can be chosen
				if s := whoIs(t, g, c); !s.is(false, reason.CertRevoked) {
					t.Errorf("after: %+v", s)
				}
			}
			a := g.Get(c, g.Config.SignIn.URL+"/")
			if a.StatusCode != http.StatusForbidden || !strings.Contains(a.Text, "Сертификат отозван") {
				t.Errorf("the page: %d\n%s", a.StatusCode, a.Text)
			}
		})
	}
}

// New trust data, even if they say the same about this person, mean a new proof.
func TestOtherTrustDataBeforeResumption(t *testing.T) {
	g := testgateway.Start(t)
	c := g.GOSTBrowser("ip", resuming(gosttls.VersionTLS12))
	whoIs(t, g, c)
	revoke(t, g, "ip512")
	for i := range 2 {
		if s := whoIs(t, g, c); !s.is(i > 0, "") {
			t.Errorf("connection %d: %+v", i, s)
		}
	}
}

// slowClock is a time that a test can move.
type slowClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *slowClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *slowClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// Sessions end with their time, and before it when the trust data are too old to judge
// anybody by.
func TestTimeEndsSessions(t *testing.T) {
	for name, test := range map[string]struct {
		wait time.Duration
		want reason.Code
	}{
		"life of the session":    {11 * time.Minute, ""},
		"freshness of the lists": {23 * time.Hour, reason.TrustDataStale},
	} {
		t.Run(name, func(t *testing.T) {
			clock := new(slowClock)
			g := testgateway.Start(t, func(g *testgateway.Gateway) {
				g.Clock = clock.now
				g.Config.Trust.MaxAge = 12 * time.Hour
				if test.want != "" {
					g.Config.GOSTTLS.SessionLife = 24 * time.Hour
				}
			})
			c := g.GOSTBrowser("ip", resuming(gosttls.VersionTLS12))
			whoIs(t, g, c)
			if s := whoIs(t, g, c); !s.is(true, "") {
				t.Fatalf("before: %+v", s)
			}
			clock.move(test.wait)
			if s := whoIs(t, g, c); s.resumed || s.Code != string(test.want) {
				t.Errorf("after: %+v", s)
			}
		})
	}
}

// What was refused is not resumed: the person may choose another certificate, or bring
// one at last.
func TestRefusedIsNotResumed(t *testing.T) {
	for name, version := range versions {
		g := testgateway.Start(t)
		for _, id := range []string{"", "expired", "revoked", "unknown-ca", "ul"} {
			c := g.GOSTBrowser(id, resuming(version))
			for i := range 2 {
				if s := whoIs(t, g, c); s.resumed || s.Conclusion == "TOTAL-PASSED" {
					t.Errorf("%s, %q, connection %d: %+v", name, id, i, s)
				}
			}
		}
	}
}

// Whoever logs out proves his key again next time, whichever of his sessions the browser
// brings.
func TestLogoutEndsSessions(t *testing.T) {
	for name, version := range versions {
		for _, by := range []string{"cookie", "identity token"} {
			t.Run(name+"/"+by, func(t *testing.T) {
				g := testgateway.Start(t)
				c := g.GOSTBrowser("ip", resuming(version))
				elsewhere := g.GOSTBrowser("ip", resuming(version))
				other := g.GOSTBrowser("ip512", resuming(version))
				for _, b := range []*http.Client{elsewhere, other} {
					whoIs(t, g, b)
				}
				token := signIn(t, g, c)
				if s := whoIs(t, g, c); !s.is(true, "") {
					t.Fatalf("before: %+v", s)
				}
				query := url.Values{"client_id": {testgateway.ClientID}, "post_logout_redirect_uri": {"https://service.example/bye"}}
				logout := c
				if by == "identity token" {
					query.Set("id_token_hint", token)
					logout = g.Browser()
				}
				if a := g.Get(logout, g.Config.Public.URL+"/end_session?"+query.Encode()); a.Location() != "https://service.example/bye" {
					t.Fatalf("logout: %d %q", a.StatusCode, a.Location())
				}
				for i := range 2 {
					if s := whoIs(t, g, c); !s.is(i > 0, "") {
						t.Errorf("connection %d after: %+v", i, s)
					}
				}
				if s := whoIs(t, g, elsewhere); !s.is(false, "") {
					t.Errorf("another browser with the certificate: %+v", s)
				}
				if s := whoIs(t, g, other); !s.is(true, "") {
					t.Errorf("another person: %+v", s)
				}
			})
		}
	}
}

// signIn goes the whole way and returns the identity token.
func signIn(t *testing.T, g *testgateway.Gateway, c *http.Client) string {
	t.Helper()
	a := g.Get(c, authorizeURL(g, "state"))
	for range 2 {
		a = g.Get(c, a.Location())
	}
	u, err := url.Parse(a.Location())
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("sign-in: %d %q\n%s", a.StatusCode, a.Location(), a.Text)
	}
	var tokens struct {
		ID string `json:"id_token"`
	}
	if a = redeem(t, g, u.Query().Get("code")); json.Unmarshal([]byte(a.Text), &tokens) != nil || tokens.ID == "" {
		t.Fatalf("token: %d\n%s", a.StatusCode, a.Text)
	}
	return tokens.ID
}

// A session of the public host, where nobody shows a certificate, is worth nothing on
// the sign-in host, and the other way round.
func TestSessionsOfHosts(t *testing.T) {
	for name, version := range versions {
		g := testgateway.Start(t)
		sessions := resuming(version) // one cache, one name: only the ports differ
		c := g.GOSTBrowser("ip", sessions)
		for i, resumed := range []bool{false, true, false} {
			target := g.Config.Public.URL
			if i == 2 {
				target = g.Config.SignIn.URL
			}
			c.CloseIdleConnections()
			if i < 2 {
				wantStatus(t, g.Get(c, target+"/"), http.StatusOK)
				continue
			}
			if s := whoIs(t, g, c); !s.is(resumed, "") {
				t.Errorf("%s: %+v", name, s)
			}
		}
		out := g.Get(g.Browser(), g.Admin()+"/metrics").Text
		for _, want := range []string{`host="public",kind="gost",result="ok",resumed="true"`, `host="signin",kind="gost",result="ok",resumed="false"`} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: the metrics lack %s:\n%s", name, want, out)
			}
		}
		if strings.Contains(out, `host="signin",kind="gost",result="ok",resumed="true"`) {
			t.Errorf("%s: a session of the public host was resumed on the sign-in host", name)
		}
	}
}

// An operator can have every connection prove its key.
func TestSessionsOff(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.Config.GOSTTLS.SessionLife = 0 })
	for name, version := range versions {
		c := g.GOSTBrowser("ip", resuming(version))
		for i := range 2 {
			if s := whoIs(t, g, c); !s.is(false, "") {
				t.Errorf("%s, connection %d: %+v", name, i, s)
			}
		}
	}
}

// Old suites and versions are spoken only when the operator says so.
func TestLegacySwitches(t *testing.T) {
	type client struct {
		suite   uint16
		version uint16
	}
	all := map[string]client{
		"C100":             {gosttls.KuznyechikCTROMAC, gosttls.VersionTLS12},
		"C102":             {gosttls.CNTIMIT, gosttls.VersionTLS12},
		"FF85":             {gosttls.LegacyCNTIMIT, gosttls.VersionTLS12},
		"FF85 and TLS 1.0": {gosttls.LegacyCNTIMIT, gosttls.VersionTLS10},
		"C102 and TLS 1.1": {gosttls.CNTIMIT, gosttls.VersionTLS11},
		"1.3":              {gosttls.MagmaMGML, gosttls.VersionTLS13},
	}
	for name, test := range map[string]struct {
		change func(g *testgateway.Gateway)
		served string
	}{
		"default":      {func(*testgateway.Gateway) {}, "C100 C102 1.3"},
		"legacy suite": {func(g *testgateway.Gateway) { g.Config.GOSTTLS.LegacySuite = true }, "C100 C102 FF85 1.3"},
		"legacy versions": {func(g *testgateway.Gateway) {
			g.Config.GOSTTLS.LegacySuite, g.Config.GOSTTLS.LegacyVersions = true, true
		}, "C100 C102 FF85 FF85 and TLS 1.0 C102 and TLS 1.1 1.3"},
		"one suite": {func(g *testgateway.Gateway) {
			g.Config.GOSTTLS.Suites = []string{gosttls.CipherSuiteName(gosttls.CNTIMIT)}
		}, "C102"},
	} {
		t.Run(name, func(t *testing.T) {
			g := testgateway.Start(t, test.change)
			for label, c := range all {
				browser := g.GOSTBrowser("ip", func(config *gosttls.Config) {
					config.CipherSuites, config.MinVersion, config.MaxVersion = []uint16{c.suite}, c.version, c.version
				})
				res, err := browser.Get(g.Config.SignIn.URL + "/api/v1/whoami")
				served := err == nil && res.StatusCode == http.StatusOK
				if err == nil {
					res.Body.Close()
				}
				if want := serves(test.served, label); served != want {
					t.Errorf("%s: served is %v, %v", label, served, err)
				}
			}
		})
	}
}

// serves reports whether a list of labels has one: labels hold spaces.
func serves(list, label string) bool {
	switch label {
	case "FF85":
		return strings.Contains(list, "C102 FF85")
	case "C102":
		return strings.HasPrefix(strings.TrimPrefix(list, "C100 "), "C102")
	}
	return strings.Contains(list, label)
}

// TestResumeByOpenSSL: s_client keeps its session in a file. Between two connections the
// certificate is revoked: the page says so, and the connection does not fail.
func TestResumeByOpenSSL(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t)
	file := g.Path("session")
	for suite := range suites() {
		for i, arg := range []string{"-sess_out", "-sess_in"} {
			_, body := peer.SClient(g, suite, "ip", "/api/v1/whoami", arg, file)
			if got := strings.Contains(body, `"resumed":true`); got != (i > 0) || !strings.Contains(body, "TOTAL-PASSED") {
				t.Fatalf("%s, connection %d:\n%s", suite, i, body)
			}
		}
	}
	revoke(t, g, "ip")
	head, body := peer.SClient(g, "KUZNYECHIK", "ip", "/", "-sess_in", file)
	if !strings.HasPrefix(head, "HTTP/1.1 403 ") || !strings.Contains(body, "Сертификат отозван") {
		t.Errorf("after the revocation:\n%s\n%s", head, body)
	}
}

// Ordinary TLS is not touched by the configuration of GOST.
func TestOrdinaryTLSBesideOneSuite(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) {
		g.Config.GOSTTLS.Suites = []string{gosttls.CipherSuiteName(gosttls.CNTIMIT)}
	})
	if a := g.Get(g.Browser(), g.Config.Public.URL+"/"); a.TLS == nil || a.TLS.Version != tls.VersionTLS13 {
		t.Errorf("TLS state %+v", a.TLS)
	}
}
