package admin

import (
	"crypto/sha1"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/pki/reason"
	"propusk/pki/tsl"
)

var moment = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// TestReadyTellsWhatWasLeftOut: a list of revocation that was set aside, one that
// is past its time, and a CA that leads to no root are each counted.
func TestReadyTellsWhatWasLeftOut(t *testing.T) {
	country, snapshot := spoiled(t)
	far := moment.AddDate(1, 0, 0)
	for _, test := range []struct {
		name  string
		now   time.Time
		stale int
	}{
		{"fresh", country.Now(), 0},
		{"a year later", far, len(country.Authorities())},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, got := ready(t, Admin{
				Trust: func() (*certs.Snapshot, error) { return snapshot, nil },
				Now:   func() time.Time { return test.now },
			})
			if status != http.StatusOK || !got.Ready || got.Code != "" {
				t.Errorf("%d, %+v", status, got)
			}
			if got.Trust.QuarantinedCRLs != 1 || got.Trust.OrphanCAs != 1 {
				t.Errorf("%+v", got.Trust)
			}
			if all := got.Trust.StaleCRLs; (all == 0) != (test.stale == 0) || all > test.stale {
				t.Errorf("%d lists past their time", all)
			}
			if got.Trust.AgeSeconds != int64(test.now.Sub(moment)/time.Second) {
				t.Errorf("age %d s", got.Trust.AgeSeconds)
			}
		})
	}
}

// TestNotReady: without trust data the answer is 503 and names the reason.
func TestNotReady(t *testing.T) {
	status, got := ready(t, Admin{
		Trust: func() (*certs.Snapshot, error) { return nil, reason.New(reason.TrustDataAbsent, nil) },
		Now:   func() time.Time { return moment },
	})
	if status != http.StatusServiceUnavailable || got.Ready || got.Code != reason.TrustDataAbsent || got.Trust != (Trust{}) {
		t.Errorf("%d, %+v", status, got)
	}
}

// TestOnlyLoopback: a request that names another host gets nothing.
func TestOnlyLoopback(t *testing.T) {
	a := Admin{
		Trust:   func() (*certs.Snapshot, error) { return nil, nil },
		Metrics: http.NotFoundHandler(),
		Now:     func() time.Time { return moment },
	}
	for host, want := range map[string]int{
		"127.0.0.1:8449": http.StatusOK, "[::1]:8449": http.StatusOK, "localhost": http.StatusOK, "LOCALHOST:1": http.StatusOK,
		"propusk.example": http.StatusNotFound, "127.0.0.1.example": http.StatusNotFound, "192.0.2.1": http.StatusNotFound, "": http.StatusNotFound,
	} {
		request := httptest.NewRequest(http.MethodGet, "/healthz", nil)
		request.Host = host
		if got := serve(a, request).Code; got != want {
			t.Errorf("host %q: %d, want %d", host, got, want)
		}
	}
}

// spoiled loads a country whose trust directory has a broken revocation list beside
// the good ones, and a list of CAs with one that leads nowhere.
func spoiled(t *testing.T) (*testpki.Country, *certs.Snapshot) {
	t.Helper()
	country, err := testpki.New(testpki.Options{Now: moment})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := country.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	content := country.TSLContent()
	stranger := country.Authority("unknown").Certificate.Raw
	keys := content.CAs[2].Installations[0].Keys
	keys[0].Certificates = append(keys[0].Certificates, tsl.Certificate{DER: stranger, Thumbprint: sha1.Sum(stranger)})
	list, err := country.SignTSL(content, country.TSLSigner())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"tsl.xml": list, "crls/broken.crl": []byte("not a list")} {
		if err := os.WriteFile(filepath.Join(dir, "trust", name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	snapshot, err := certs.Load(t.Context(), certs.Source{Dir: filepath.Join(dir, "trust")}, moment)
	if err != nil {
		t.Fatal(err)
	}
	return country, snapshot
}

func ready(t *testing.T, a Admin) (int, Ready) {
	t.Helper()
	a.Metrics = http.NotFoundHandler()
	request := httptest.NewRequest(http.MethodGet, "/readyz", nil)
	request.Host = "127.0.0.1:8449"
	answer := serve(a, request)
	var got Ready
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v", answer.Body, err)
	}
	return answer.Code, got
}

func serve(a Admin, request *http.Request) *httptest.ResponseRecorder {
	engine := gin.New()
	a.Routes(engine)
	answer := httptest.NewRecorder()
	engine.ServeHTTP(answer, request)
	return answer
}
