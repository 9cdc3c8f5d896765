package metrics

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"propusk/certs"
	"propusk/gost/gosttls"
	"propusk/pki/reason"
)

func scraped(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestHandshakes(t *testing.T) {
	m := New(Gauges{
		Trust:    func() *certs.Snapshot { return nil },
		Sessions: func() map[string]int { return map[string]int{"ticket": 3} },
		Version:  "v",
	})
	gost := gosttls.ConnectionState{GOST: true, Version: gosttls.VersionTLS12, CipherSuite: gosttls.MagmaCTROMAC}
	m.Handshake("signin", gost, nil)
	m.Handshake("signin", gost, fmt.Errorf("wrapped: %w", gosttls.ErrGOSTProbe))
	m.Handshake("signin", gost, errors.New("alert"))
	m.Handshake("signin", gosttls.ConnectionState{}, gosttls.ErrNotTLS)
	m.Handshake("public", gosttls.ConnectionState{Version: 0x0304, CipherSuite: 0x1301}, nil)
	m.Handshake("signin", gosttls.ConnectionState{GOST: true, Resumed: true, Version: gosttls.VersionTLS13, CipherSuite: gosttls.KuznyechikMGMS}, nil)
	m.Reload(nil)
	m.Reload(reason.New(reason.TSLNotVerified, nil))
	m.Verdict("signin", "TOTAL-FAILED", reason.CertExpired)
	out := scraped(t, m)
	for _, want := range []string{
		`propusk_tls_handshakes_total{host="signin",kind="gost",result="ok",resumed="false",suite="TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",version="TLS 1.2"} 1`,
		`propusk_tls_handshakes_total{host="signin",kind="gost",result="probe",resumed="false",suite="TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",version="TLS 1.2"} 1`,
		`propusk_tls_handshakes_total{host="signin",kind="gost",result="failed",resumed="false",suite="TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",version="TLS 1.2"} 1`,
		`propusk_tls_handshakes_total{host="signin",kind="none",result="failed",resumed="false",suite="",version=""} 1`,
		`propusk_tls_handshakes_total{host="public",kind="ordinary",result="ok",resumed="false",suite="TLS_AES_128_GCM_SHA256",version="TLS 1.3"} 1`,
		`propusk_tls_handshakes_total{host="signin",kind="gost",result="ok",resumed="true",suite="TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S",version="TLS 1.3"} 1`,
		`propusk_trust_reloads_total{result="ok"} 1`,
		`propusk_trust_reloads_total{result="tsl-not-verified"} 1`,
		`propusk_verdicts_total{conclusion="TOTAL-FAILED",reason="certificate-expired",subject="signin"} 1`,
		"propusk_trust_list_version 0", "propusk_trust_loaded_timestamp_seconds 0", `propusk_sessions{sort="ticket"} 3`,
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("the metrics lack %s:\n%s", want, out)
		}
	}
}
