package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/certs/testpki"
)

// TestTrustRefresh fetches a newer list from a server: first to look, then for good,
// and then from a server that is gone.
func TestTrustRefresh(t *testing.T) {
	var list []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/tsl.xml" {
			_, _ = w.Write(list)
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	country, err := testpki.New(testpki.Options{Now: time.Now(), BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := country.WriteTo(filepath.Join(dir, "country")); err != nil {
		t.Fatal(err)
	}
	content := country.TSLContent()
	content.Version++
	if list, err = country.SignTSL(content, country.TSLSigner()); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	const tls = "{certificate: a, key: b, gost_certificate: c, gost_key: d}"
	configure := func(discover bool) string {
		name := filepath.Join(dir, "propusk.yaml")
		text := fmt.Sprintf(`public: {url: "https://a.example", listen: "127.0.0.1:1", tls: %[1]s}
signin: {url: "https://b.example", listen: "127.0.0.1:2", tls: %[1]s}
oidc: {subject_secret: e}
trust:
  dir: country/trust
  state_dir: state
  refresh: {list_urls: ["%[2]s/tsl.xml"], ports: [%[3]s], allow_private: true, discover: %[4]t}
`, tls, server.URL, at.Port(), discover)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	refresh := func(code int, want string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		got := run(t.Context(), append([]string{"trust", "refresh"}, args...), strings.NewReader(""), &out, &errs)
		if got != code || !strings.Contains(out.String()+errs.String(), want) {
			t.Errorf("%v: exit code %d, want %d with %q:\n%s%s", args, got, code, want, &out, &errs)
		}
	}
	file, state := configure(false), filepath.Join(dir, "state")
	newer := fmt.Sprintf("%d → %d", content.Version-1, content.Version)
	refresh(exitYes, newer, "--config", file, "--dry-run")
	if _, err := os.Stat(state); err == nil {
		t.Error("a dry run leaves something behind")
	}
	refresh(exitYes, newer, "--config", file)
	refresh(exitYes, `"unchanged": 1`, "--config", file, "--json")
	if _, err := os.Stat(filepath.Join(state, "tsl.xml")); err != nil {
		t.Error(err)
	}
	refresh(exitNo, "fetch-refused", "--config", configure(true))
	server.Close()
	refresh(exitNo, "fetch-failed", "--config", file)
	refresh(exitUsage, "config-unreadable", "--config", file+".absent")
	if err := os.RemoveAll(filepath.Join(dir, "country", "trust", "roots")); err != nil {
		t.Fatal(err)
	}
	refresh(exitIndeterminate, "trust-no-roots", "--config", file)
}
