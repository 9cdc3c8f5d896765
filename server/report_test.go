package server_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"propusk/certs"
	"propusk/pki/report"
	"propusk/server"
	"propusk/server/config"
	"propusk/server/testgateway"
)

// TestSignedReport: with a certificate and a key in the configuration verdicts are
// signed on demand, and the gateway itself verifies its receipt.
func TestSignedReport(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t, func(g *testgateway.Gateway) {
		g.Config.Report = config.Report{Certificate: g.Path("people/ul/cert.pem"), Key: g.Path("people/ul/key.pem")}
	})
	target := g.Config.Public.URL + "/api/v1/verify"
	contentType, body := form(t, map[string][]byte{"signature": signature(t, peer, g, "ip", "Договор", "-nodetach")})
	answer := g.Post(g.Browser(), target+"?format=signed", contentType, body)
	var signed report.Signed
	if err := json.Unmarshal([]byte(answer.Text), &signed); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %s: %v", answer.StatusCode, answer.Text, err)
	}
	if !strings.Contains(string(signed.Report), report.TotalPassed) {
		t.Errorf("%s", signed.Report)
	}
	contentType, body = form(t, map[string][]byte{"signature": signed.Signature, "content": signed.Report})
	if v := parseVerdict(t, g.Post(g.Browser(), target, contentType, body)); v.Conclusion != report.TotalPassed || v.Signatures[0].Signer.INN != g.Country.Person("ul").INN {
		t.Errorf("the receipt: %+v", v)
	}
}

// TestReportKeys: a gateway does not start with a key that is not that of the
// certificate, or that cannot sign reports.
func TestReportKeys(t *testing.T) {
	g := testgateway.Start(t)
	for name, r := range map[string]config.Report{
		"another key":          {Certificate: g.Path("people/ul/cert.pem"), Key: g.Path("people/ip/key.pem")},
		"no such file":         {Certificate: g.Path("people/ul/absent.pem"), Key: g.Path("people/ul/key.pem")},
		"no such key":          {Certificate: g.Path("people/ul/cert.pem"), Key: g.Path("people/ul/absent.pem")},
		"key of a TLS service": {Certificate: g.Path("tls/ecdsa.pem"), Key: g.Path("tls/ecdsa.key")},
	} {
		c := g.Config
		c.Report = r
		_, err := server.New(server.Options{Config: c, Trust: certs.NewStore(server.TrustSource(c.Trust), time.Now), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if err == nil || !strings.Contains(err.Error(), "server: report: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
