package server_test

import (
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/certs/testpki"
	"propusk/certs/testpki/responder"
	"propusk/pki/gostx509"
	"propusk/server/config"
	"propusk/server/testgateway"
)

// askingGateway is a gateway without revocation lists that asks the responders of the
// country, under addresses of the configuration.
func askingGateway(t *testing.T) (*testgateway.Gateway, *httptest.Server) {
	t.Helper()
	var services http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { services.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	g := testgateway.Start(t, func(g *testgateway.Gateway) {
		m, err := testpki.ReadManifest(g.Dir)
		if err != nil {
			t.Fatal(err)
		}
		m = m.In(g.Dir)
		if services, err = responder.Open(m, time.Now); err != nil {
			t.Fatal(err)
		}
		r := &g.Config.Revocation
		r.Online, r.Order, r.RequireNonce = true, "ocsp-first", true
		for _, a := range m.Services.Authorities {
			data, err := os.ReadFile(a.CA)
			if err != nil {
				t.Fatal(err)
			}
			c, err := gostx509.ParseAny(data)
			if err != nil {
				t.Fatal(err)
			}
			id := config.RevocationIssuer{ID: hex.EncodeToString(c.SubjectKeyID), OCSP: []string{server.URL + testpki.OCSPPath}, NoCRL: true}
			if !slices.ContainsFunc(r.Issuers, func(i config.RevocationIssuer) bool { return i.ID == id.ID }) {
				r.Issuers = append(r.Issuers, id)
			}
		}
		refresh := &g.Config.Trust.Refresh
		refresh.AllowPrivate, refresh.Ports = true, []int{server.Listener.Addr().(*net.TCPAddr).Port}
		// The lists stay where the responders read them; the gateway does not see them.
		if err := os.Rename(g.Path("trust/crls"), g.Path("trust/not-crls")); err != nil {
			t.Fatal(err)
		}
	})
	return g, server
}

// TestOnline: the verify API and the sign-in host ask responders; without an answer
// nobody is let in.
func TestOnline(t *testing.T) {
	g, server := askingGateway(t)
	check := func(id string) verdict {
		t.Helper()
		return parseVerdict(t, g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/certificates/check", "application/json",
			jsonBody(t, map[string][]byte{"certificate": g.Country.Person(id).Certificate.Raw})))
	}
	if v := check("ip"); v.Conclusion != "TOTAL-PASSED" {
		t.Errorf("%+v", v)
	}
	if v := check("revoked"); v.Conclusion != "TOTAL-FAILED" || v.Code != "certificate-revoked" {
		t.Errorf("%+v", v)
	}
	for person, want := range map[string]string{"ip512": "", "revoked": "certificate-revoked"} {
		if got := whoIs(t, g, g.GOSTBrowser(person)); got.Code != want {
			t.Errorf("%s signs in: %+v", person, got)
		}
	}
	server.Close()
	// What was answered is still good; about others nothing is known.
	if v := check("ip"); v.Conclusion != "TOTAL-PASSED" {
		t.Errorf("%+v", v)
	}
	if v := check("ul"); v.Conclusion != "INDETERMINATE" || v.Code != "revocation-unreachable" {
		t.Errorf("%+v", v)
	}
	metrics := g.Get(g.Browser(), g.Admin()+"/metrics").Text
	for _, want := range []string{"propusk_revocation_questions_total ", "propusk_revocation_question_failures_total ", "propusk_revocation_reused_answers_total "} {
		if !strings.Contains(metrics, want) || strings.Contains(metrics, want+"0\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}
