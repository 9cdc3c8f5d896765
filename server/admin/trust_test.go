package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/certs"
	"propusk/certs/fetch"
	"propusk/certs/refresh"
	"propusk/pki/reason"
)

// ask sends a request to the routes of a.
func ask(t *testing.T, a Admin, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	a.Metrics = http.NotFoundHandler()
	r := httptest.NewRequest(method, path, nil)
	r.Host = "127.0.0.1:8449"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	engine := gin.New()
	a.Routes(engine)
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, r)
	return w
}

// TestTrustReport: every list with its age, what was set aside and why, what is
// fetched, and why it would not survive.
func TestTrustReport(t *testing.T) {
	country, snapshot := spoiled(t)
	client, err := fetch.New(fetch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := moment.Add(2 * time.Hour)
	a := Admin{
		Trust:      func() (*certs.Snapshot, error) { return snapshot, nil },
		Now:        func() time.Time { return now },
		StateError: func() error { return reason.New(reason.TrustStateUnwritable, errors.New("disk full")) },
		Refresher: refresh.New(refresh.Options{
			Getter: client, ListURLs: []string{"http://list.example/"}, Now: func() time.Time { return now },
		}),
	}
	w := ask(t, a, http.MethodGet, "/trust")
	var got TrustReport
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d: %v", w.Code, err)
	}
	if len(got.CRLs) != len(snapshot.RevocationLists()) || len(got.CRLs) == 0 || got.Trust.CRLs != len(got.CRLs) {
		t.Errorf("%d revocation lists", len(got.CRLs))
	}
	for _, l := range got.CRLs {
		if l.CA == "" || len(l.KeyID) != 40 || len(l.SHA256) != 64 || l.Stale || l.AgeSeconds != int64(3*time.Hour/time.Second) || l.NextUpdate == nil {
			t.Errorf("%+v", l)
		}
	}
	if len(got.Quarantined) != 1 || got.Quarantined[0].Code != reason.CRLMalformed || !strings.HasSuffix(got.Quarantined[0].File, "broken.crl") {
		t.Errorf("%+v", got.Quarantined)
	}
	if got.Fetching == nil || len(got.Fetching.Lists) != 1 || got.Fetching.Lists[0].Kind != "tsl" || got.UnknownCAs == nil {
		t.Errorf("%+v, %+v", got.Fetching, got.UnknownCAs)
	}
	ready := got.Trust
	if ready.StateCode != reason.TrustStateUnwritable || ready.ListAgeSeconds != int64(2*time.Hour/time.Second) || ready.Refresh == nil || ready.Refresh.Lists != 1 ||
		ready.OldestCRL == nil || !ready.OldestCRL.Equal(country.Now().Add(-time.Hour)) || ready.NextCRL == nil {
		t.Errorf("%+v", ready)
	}
}

// TestAskForRefresh: an operator may ask, a page of another site may not, and where
// nothing is fetched the answer says so.
func TestAskForRefresh(t *testing.T) {
	r := refresh.New(refresh.Options{})
	a := Admin{Trust: func() (*certs.Snapshot, error) { return nil, nil }, Now: func() time.Time { return moment }, Refresher: r}
	if w := ask(t, a, http.MethodPost, "/trust/refresh"); w.Code != http.StatusAccepted {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		if w := ask(t, a, http.MethodPost, "/trust/refresh", header...); w.Code != http.StatusNotFound {
			t.Errorf("%v: %d %s", header, w.Code, w.Body)
		}
	}
	if w := ask(t, a, http.MethodGet, "/trust/refresh"); w.Code == http.StatusAccepted {
		t.Error("GET asks for a refresh")
	}
	a.Refresher = nil
	if w := ask(t, a, http.MethodPost, "/trust/refresh"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), string(reason.TrustNotFetched)) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
