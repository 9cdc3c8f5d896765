package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"propusk/pki/report"
	"propusk/server/admin"
	"propusk/server/testgateway"
	"propusk/tokens"
	"propusk/tokens/soft/softtest"
)

// withModule has a token verify signatures.
func withModule(token *softtest.Token, engine, whenLost string) func(*testgateway.Gateway) {
	return func(g *testgateway.Gateway) {
		v := &g.Config.Verification
		v.Engine, v.Module, v.WhenLost = engine, tokens.SoftScheme+token.Dir, whenLost
	}
}

// verifiedBy is what the gateway says about somebody.
func verifiedBy(t *testing.T, g *testgateway.Gateway, person string) (status int, conclusion, code string, engine report.Engine) {
	t.Helper()
	a := g.Get(g.GOSTBrowser(person), g.Config.SignIn.URL+"/api/v1/whoami")
	var got struct {
		Conclusion, Code string
		Identity         any
		Certificate      struct {
			Conclusion string
			Engine     report.Engine
		}
	}
	if err := json.Unmarshal([]byte(a.Text), &got); err != nil {
		t.Fatalf("%v: %s", err, a.Text)
	}
	passed := got.Conclusion == report.TotalPassed
	if (got.Identity != nil) != passed || (got.Certificate.Conclusion == report.TotalPassed) != passed || (a.StatusCode == http.StatusOK) != passed {
		t.Errorf("%d, %s", a.StatusCode, a.Text)
	}
	return a.StatusCode, got.Conclusion, got.Code, got.Certificate.Engine
}

// TestModuleVerifies: a token verifies whoever signs in, the signature of the TLS
// handshake included; the answer, the log, the metrics and the page for operators say
// so. When it is taken out, people get a page, or this program answers and says so.
func TestModuleVerifies(t *testing.T) {
	for whenLost, fallback := range map[string]bool{"refuse": false, "fallback": true} {
		t.Run(whenLost, func(t *testing.T) {
			token := softtest.New(t, softtest.Options{NoKey: true, Label: "Токен"})
			g := testgateway.Start(t, withModule(token, "both", whenLost))
			if status, conclusion, code, engine := verifiedBy(t, g, "ip"); status != http.StatusOK || engine.Name != "both" || engine.Module == "" || engine.Version == "" || engine.Fallback {
				t.Fatalf("%d %s %s by %+v:\n%s", status, conclusion, code, engine, g.Log)
			}
			if _, conclusion, _, engine := verifiedBy(t, g, "revoked"); conclusion != report.TotalFailed || engine.Name != "both" {
				t.Errorf("revoked: %s by %+v", conclusion, engine)
			}
			if !strings.Contains(g.Log.String(), `"engine":"both"`) {
				t.Errorf("the log does not name the engine:\n%s", g.Log)
			}
			token.Remove(t)
			status, conclusion, code, engine := verifiedBy(t, g, "ip")
			page := g.Get(g.GOSTBrowser("ip"), g.Config.SignIn.URL+"/")
			ready := g.Get(http.DefaultClient, g.Admin()+"/readyz")
			metrics := g.Get(http.DefaultClient, g.Admin()+"/metrics").Text
			var state admin.Ready
			if err := json.Unmarshal([]byte(ready.Text), &state); err != nil || state.Engine.Code == "" || state.Engine.Signatures["good"] == 0 {
				t.Errorf("%v: %s", err, ready.Text)
			}
			if !strings.Contains(metrics, "\npropusk_engine_lost 1\n") || strings.Contains(metrics, `propusk_engine_signatures_total{outcome="good"} 0`) {
				t.Errorf("metrics:\n%s", metrics)
			}
			if fallback {
				if status != http.StatusOK || !engine.Fallback || engine.Name != "both" || page.StatusCode != http.StatusOK || ready.StatusCode != http.StatusOK {
					t.Errorf("%d %s %s by %+v, page %d, ready %d", status, conclusion, code, engine, page.StatusCode, ready.StatusCode)
				}
				if !strings.Contains(g.Log.String(), `"engine":"both (fallback)"`) || !strings.Contains(metrics, `propusk_engine_signatures_total{outcome="fallback"} `) {
					t.Errorf("nobody says that it fell back:\n%s", g.Log)
				}
			} else if status != http.StatusServiceUnavailable || conclusion != report.Indeterminate || code != "engine-lost" ||
				page.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page.Text, "Подпись сейчас проверить нельзя") || ready.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%d %s %s, page %d, ready %d", status, conclusion, code, page.StatusCode, ready.StatusCode)
			}
			if !strings.Contains(g.Log.String(), "the module that verifies signatures is lost") {
				t.Errorf("the log does not say that it was lost:\n%s", g.Log)
			}
		})
	}
}

// TestModuleResumesNothing: the module verifies the proof of each connection with a
// certificate, which a resumed one does not have.
func TestModuleResumesNothing(t *testing.T) {
	token := softtest.New(t, softtest.Options{NoKey: true, Label: "Токен"})
	g := testgateway.Start(t, withModule(token, "both", "refuse"))
	for name, version := range versions {
		c := g.GOSTBrowser("ip", resuming(version))
		for i := range 3 {
			if s := whoIs(t, g, c); !s.is(false, "") || s.Identity == nil {
				t.Errorf("%s, connection %d: %+v", name, i, s)
			}
		}
	}
}
