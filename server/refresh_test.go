package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/server/admin"
	"propusk/server/testgateway"
)

// TestGatewayRefreshes: a gateway fetches a newer list while it serves, has it after
// a restart with nobody to ask, and tells the operator about it and about a CA that
// it does not know.
func TestGatewayRefreshes(t *testing.T) {
	var list atomic.Pointer[[]byte]
	publisher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if data := list.Load(); data != nil {
			_, _ = w.Write(*data)
			return
		}
		_, _ = w.Write([]byte("<html>502 Bad Gateway</html>"))
	}))
	defer publisher.Close()
	at, err := url.Parse(publisher.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	fetching := func(g *testgateway.Gateway) {
		g.Config.Trust.StateDir = state
		r := &g.Config.Trust.Refresh
		r.ListURLs, r.Ports, r.AllowPrivate, r.Discover = []string{publisher.URL + "/tsl.xml"}, []int{port}, true, false
	}
	g := testgateway.Start(t, fetching)
	await := func(what string, done func(admin.TrustReport) bool) admin.TrustReport {
		t.Helper()
		var got admin.TrustReport
		for range 3000 {
			answer := g.Get(http.DefaultClient, g.Admin()+"/trust")
			if err := json.Unmarshal([]byte(answer.Text), &got); err != nil {
				t.Fatal(err, answer.Text)
			}
			if done(got) {
				return got
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("%s: not in time: %+v\n%s", what, got, g.Log)
		return got
	}
	before := g.Country.TSLContent().Version
	got := await("a page instead of a list", func(r admin.TrustReport) bool { return r.Trust.Refresh.Failing == 1 })
	if got.Trust.ListVersion != before || got.Fetching.Lists[0].Code != reason.TSLMalformed || len(got.Fetching.Refused) == 0 {
		t.Errorf("%+v", got)
	}
	content := g.Country.TSLContent()
	content.Version++
	data, err := g.Country.SignTSL(content, g.Country.TSLSigner())
	if err != nil {
		t.Fatal(err)
	}
	list.Store(&data)
	if answer := g.Post(http.DefaultClient, g.Admin()+"/trust/refresh", "", ""); answer.StatusCode != http.StatusAccepted {
		t.Fatal(answer.Text)
	}
	await("a newer list", func(r admin.TrustReport) bool { return r.Trust.ListVersion == before+1 && r.Trust.Refresh.Failing == 0 })

	stranger := g.Country.Person("unknown-ca").Certificate.Raw
	g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/certificates/check", "application/octet-stream", string(stranger))
	got = await("an unknown CA", func(r admin.TrustReport) bool { return r.Trust.UnknownCAs == 1 })
	if one := got.UnknownCAs[0]; one.Code != reason.UnknownCA || !strings.Contains(one.Issuer, g.Country.Authority("unknown").Name) {
		t.Errorf("%+v", one)
	}
	metrics := g.Get(http.DefaultClient, g.Admin()+"/metrics").Text
	for _, want := range []string{
		"propusk_trust_unknown_cas 1", "propusk_trust_failing_lists 0", "propusk_trust_fetched_lists 1", "propusk_trust_stale_crls 0",
		`propusk_trust_fetch_failures_total{code="tsl-malformed"} `, "propusk_trust_list_age_seconds ", "propusk_trust_next_refresh_timestamp_seconds ",
		fmt.Sprintf(`propusk_trust_crl_due_timestamp_seconds{ca="%x"} `, g.Country.Authority("fns").Certificate.SubjectKeyID),
	} {
		if !strings.Contains(metrics, "\n"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if log := g.Log.String(); !strings.Contains(log, "trust data not fetched") || !strings.Contains(log, "tsl-malformed") {
		t.Error("the log does not tell of the page")
	}

	g.Stop()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	list.Store(nil)
	g = testgateway.Start(t, fetching)
	await("after a restart", func(r admin.TrustReport) bool { return r.Trust.ListVersion == before+1 && r.Trust.Refresh.Failing == 1 })
}
