package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/server/apikey"
)

// TestKeys: without a key, with a wrong one, and when the quota is used up, the answer
// says so in the words of HTTP, and the key is in no log.
func TestKeys(t *testing.T) {
	key, digest := apikey.New()
	now := time.Now()
	s := newService(t, func(o *Options) {
		o.Keys = apikey.NewKeeper(apikey.Options{
			Required: true, Now: func() time.Time { return now },
			Keys:      []apikey.Key{{ID: "accounting", Digest: digest, Quota: apikey.Quota{Requests: 2}}},
			Anonymous: apikey.Quota{Requests: 1},
		})
	})
	attached := s.attached("ip", "x")
	send := func(headers ...string) *httptest.ResponseRecorder {
		return s.do("/api/v1/verify", "application/octet-stream", bytes.NewReader(attached), headers...)
	}
	w := send()
	wantProblem(t, "no key", w, http.StatusUnauthorized, reason.APIKeyMissing)
	if w.Header().Get("WWW-Authenticate") != `Bearer realm="propusk"` {
		t.Errorf("WWW-Authenticate %q", w.Header().Get("WWW-Authenticate"))
	}
	wantProblem(t, "a wrong key", send("X-Api-Key", key+"x"), http.StatusUnauthorized, reason.APIKeyUnknown)
	for range 2 {
		if w := send("Authorization", "Bearer "+key); w.Code != http.StatusOK {
			t.Fatalf("with the key: %d %s", w.Code, w.Body)
		}
	}
	w = send("Authorization", "Bearer "+key)
	wantProblem(t, "a third", w, http.StatusTooManyRequests, reason.QuotaExceeded)
	if n, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || n != 30 {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
	now = now.Add(30 * time.Second)
	if w := send("Authorization", "Bearer "+key); w.Code != http.StatusOK {
		t.Errorf("after Retry-After: %d", w.Code)
	}
	if text := s.log.String(); strings.Contains(text, key[8:]) || !strings.Contains(text, `"client":"accounting"`) {
		t.Errorf("the log:\n%s", text)
	}
	r := httptest.NewRequest(http.MethodGet, "/api/v1/openapi.json", nil)
	got := httptest.NewRecorder()
	if s.handler.ServeHTTP(got, r); got.Code != http.StatusOK {
		t.Errorf("the description needs a key: %d", got.Code)
	}
}

// TestPeople: the page has the quota of its address, answers with pages whatever is
// wrong, and needs no key.
func TestPeople(t *testing.T) {
	now := time.Now()
	s := newService(t, func(o *Options) {
		o.Keys = apikey.NewKeeper(apikey.Options{Required: true, Now: func() time.Time { return now }, Anonymous: apikey.Quota{Requests: 5}})
	})
	form := httptest.NewRecorder()
	s.handler.ServeHTTP(form, httptest.NewRequest(http.MethodGet, "/verify", nil))
	for _, want := range []string{`name="signature"`, `name="content"`, `enctype="multipart/form-data"`, `/static/verify.js`} {
		if form.Code != http.StatusOK || !strings.Contains(form.Body.String(), want) {
			t.Errorf("the form: %d, no %q", form.Code, want)
		}
	}
	if csp := form.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	detached := s.detached("ip", strings.NewReader("Договор"))
	for _, c := range []struct {
		name   string
		files  []file
		status int
		want   string
	}{
		{"good", []file{{"signature", "a.sig", detached}, {"content", "a.txt", []byte("Договор")}, {"lang", "", nil}}, 200, "TOTAL-PASSED"},
		{"changed", []file{{"signature", "a.sig", detached}, {"content", "a.txt", []byte("договор")}, {"lang", "x", []byte("en")}}, 200, "TOTAL-FAILED"},
		{"a PDF", []file{{"signature", "a.pdf", []byte("%PDF-1.4")}}, 422, `data-code="file-is-pdf"`},
		{"a key", []file{{"signature", "a.key", pemOf("PRIVATE KEY", []byte{0x30, 0})}}, 422, "Не отправляйте закрытый ключ"},
		{"nothing", []file{{"signature", "", nil}, {"content", "", nil}}, 422, `data-code="request-field-missing"`},
		{"too many", []file{{"signature", "a.sig", detached}}, 429, `data-code="quota-exceeded"`},
	} {
		contentType, body := formBody(t, c.files...)
		w := s.do("/verify", contentType, body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s\n%s", c.name, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if c.status == 429 && w.Header().Get("Retry-After") != "12" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
	}
}
