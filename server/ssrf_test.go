package server_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/server/testgateway"
)

// bell is a server on loopback that notes that it was asked anything.
type bell struct {
	*httptest.Server
	rings atomic.Int32
}

func newBell(t *testing.T) *bell {
	t.Helper()
	b := new(bell)
	b.Server = httptest.NewUnstartedServer(http.NotFoundHandler())
	b.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew { // a connection is one, whatever comes over it
			b.rings.Add(1)
		}
	}
	b.Start()
	t.Cleanup(b.Close)
	return b
}

func (b *bell) port() int { return b.Listener.Addr().(*net.TCPAddr).Port }

// luring is a good certificate of an entrepreneur that names addresses of its own for
// everything that there is.
func luring(t *testing.T, g *testgateway.Gateway, bases ...string) cms.Signatory {
	t.Helper()
	template := g.Country.PersonTemplate(g.Country.Person("ip"))
	template.CRLDistributionPoints, template.OCSPServers, template.CAIssuers = nil, nil, nil
	for _, base := range bases {
		template.CRLDistributionPoints = append(template.CRLDistributionPoints, base+"/list.crl")
		template.OCSPServers = append(template.OCSPServers, base+"/ocsp")
		template.CAIssuers = append(template.CAIssuers, base+"/ca.crt")
	}
	c, err := g.Country.Issue(g.Country.Authority("fns"), template, gost3410.CryptoProA())
	if err != nil {
		t.Fatal(err)
	}
	return cms.Signatory{Key: c.Key, Certificate: c.Certificate, Time: g.Clock().Truncate(time.Second)}
}

// everywhere shows a certificate wherever the gateway judges one of a person: at the sign-in
// host and the check page over GOST TLS, by a signature at sign-in (which leads on to the
// registration, if it is good), at its API.
func everywhere(t *testing.T, g *testgateway.Gateway, who cms.Signatory, good bool) {
	t.Helper()
	b := g.GOSTBrowser("", func(c *gosttls.Config) {
		c.Certificates = []gosttls.Certificate{{Chain: [][]byte{who.Certificate.Raw}, PrivateKey: who.Key}}
	})
	n := newcomer{newVisit(t, g), "ip"}
	for name, try := range map[string]func(){
		"sign-in host": func() { whoIs(t, g, b) },
		"check page": func() {
			start := g.Get(b, g.Config.Public.URL+"/check/start")
			wantStatus(t, start, http.StatusSeeOther)
			run, err := url.Parse(start.Location())
			if err != nil || run.Query().Get("run") == "" {
				t.Fatalf("a run: %v, %q", err, start.Location())
			}
			g.Get(b, g.Config.SignIn.URL+"/check?run="+run.Query().Get("run"))
		},
		"signature, registration": func() {
			state := n.begin()
			a := n.follow(n.answer(state, n.sign(n.request(state).Content(), who)))
			if !good {
				wantCode(t, a, a.StatusCode, reason.RevocationUnreachable)
				return
			}
			if at := n.get(strings.TrimPrefix(n.next(a), g.Config.Public.URL)).Location(); at != "/registration" {
				t.Errorf("a newcomer is sent to %q", at)
			}
			wantStatus(t, n.get("/registration"), http.StatusOK)
		},
		"API": func() {
			g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/certificates/check", "application/json",
				jsonBody(t, map[string][]byte{"certificate": who.Certificate.Raw}))
		},
	} {
		t.Log(name)
		try()
	}
}

// TestLuredToHosts: addresses that stand in the certificate of a stranger do not make the
// gateway ask hosts that the configuration does not allow. (Those of lists that are
// fetched in the background go through the same client.)
func TestLuredToHosts(t *testing.T) {
	for name, lists := range map[string]bool{"lists at hand": true, "no lists": false} {
		t.Run(name, func(t *testing.T) {
			forbidden, allowed := newBell(t), newBell(t)
			g := testgateway.Start(t, testgateway.WithAccounts, func(g *testgateway.Gateway) {
				g.Config.Revocation.Online, g.Config.Revocation.Order = true, "ocsp-first"
				r := &g.Config.Trust.Refresh
				r.Hosts, r.AllowPrivate, r.Ports = []string{"localhost"}, true, []int{forbidden.port(), allowed.port()}
				if !lists {
					g.WriteFile("trust/crls/fns.crl", "")
				}
			})
			// The forbidden one comes first: who asks the other one would have asked it before.
			everywhere(t, g, luring(t, g, forbidden.URL, "http://localhost:"+strconv.Itoa(allowed.port())), lists)
			if allowed.rings.Load() == 0 {
				t.Fatal("nobody was asked while judging: the test sees nothing")
			}
			g.Stop()
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
			if n := forbidden.rings.Load(); n != 0 {
				t.Errorf("a host that is not allowed was asked %d times", n)
			}
		})
	}
}

// TestLuredIntoTheNetwork: with every host allowed, addresses of this machine are not.
func TestLuredIntoTheNetwork(t *testing.T) {
	for private, want := range map[bool]bool{false: false, true: true} {
		inside := newBell(t)
		g := testgateway.Start(t, testgateway.WithAccounts, func(g *testgateway.Gateway) {
			g.Config.Revocation.Online, g.Config.Revocation.Order = true, "ocsp-first"
			r := &g.Config.Trust.Refresh
			r.Hosts, r.AllowPrivate, r.Ports = []string{"*"}, private, []int{inside.port()}
		})
		everywhere(t, g, luring(t, g, inside.URL, "http://localhost:"+strconv.Itoa(inside.port()), "http://[::ffff:127.0.0.1]:"+strconv.Itoa(inside.port())), true)
		if got := inside.rings.Load() > 0; got != want {
			t.Errorf("private addresses allowed: %v, asked: %v", private, got)
		}
	}
}
