package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/certs/testpki"
	"propusk/certs/testpki/responder"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
)

// services is a country on disk with its services over HTTP, and which were asked.
type services struct {
	dir, bare   string // the country; its trust directory without revocation lists
	authorities []testpki.ServiceFile
	url         string
	server      *httptest.Server

	mu    sync.Mutex
	asked []string
}

func newServices(t *testing.T) *services {
	t.Helper()
	s := &services{dir: t.TempDir(), bare: t.TempDir()}
	var handler http.Handler
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Path)
		s.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.server.Close)
	s.url = s.server.URL
	country, err := testpki.New(testpki.Options{Now: time.Now(), BaseURL: s.url})
	if err != nil {
		t.Fatal(err)
	}
	if err := country.WriteTo(s.dir); err != nil {
		t.Fatal(err)
	}
	m, err := testpki.ReadManifest(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	m = m.In(s.dir)
	s.authorities = m.Services.Authorities
	if handler, err = responder.Open(m, time.Now); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(s.bare, os.DirFS(filepath.Join(s.dir, "trust"))); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(s.bare, "crls")); err != nil {
		t.Fatal(err)
	}
	return s
}

// paths returns what was asked since the last time.
func (s *services) paths() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.asked, " ")
	s.asked = nil
	return all
}

func (s *services) person(id string) string { return filepath.Join(s.dir, "people", id, "cert.pem") }

// cert runs propusk cert and compares the exit code and the reason.
func (s *services) cert(t *testing.T, want int, reason, id string, args ...string) {
	t.Helper()
	args = append([]string{"cert", "--trust", s.bare}, append(args, s.person(id))...)
	code, out, errs := propusk(nil, args...)
	if code != want || !strings.Contains(out, reason) {
		t.Errorf("%q: exit code %d, want %d and %q: %s %s", args, code, want, reason, out, errs)
	}
}

// TestOnline: without lists at hand nothing is decided, unless servers may be asked.
func TestOnline(t *testing.T) {
	s := newServices(t)
	s.cert(t, exitIndeterminate, "revocation-unknown", "ip")
	if asked := s.paths(); asked != "" {
		t.Errorf("%q were asked without --online", asked)
	}
	s.cert(t, exitIndeterminate, "revocation-unreachable", "ip", "--online")
	if asked := s.paths(); asked != "" {
		t.Errorf("%q were asked on this machine without --allow-private", asked)
	}

	s.cert(t, exitYes, "CRL of", "ip", "--online", "--allow-private")
	if asked := s.paths(); !strings.Contains(asked, testpki.CRLPath) || strings.Contains(asked, testpki.OCSPPath) {
		t.Errorf("%q were asked, want lists", asked)
	}
	s.cert(t, exitYes, "OCSP response of", "ip", "--online", "--allow-private", "--revocation-order", "ocsp-first")
	if asked := s.paths(); !strings.Contains(asked, testpki.OCSPPath) {
		t.Errorf("%q were asked, want responders", asked)
	}
	for _, order := range []string{"crl-first", "ocsp-first"} {
		s.cert(t, exitNo, "certificate-revoked", "revoked", "--online", "--allow-private", "--revocation-order", order)
	}
	if code, _, errs := propusk(nil, "cert", "--trust", s.bare, "--revocation-order", "any", s.person("ip")); code != exitUsage {
		t.Errorf("exit code %d: %s", code, errs)
	}
	s.server.Close()
	s.cert(t, exitIndeterminate, "revocation-unreachable", "ip", "--online", "--allow-private")
}

// TestVerifyOnline: a signature is judged by what servers answer.
func TestVerifyOnline(t *testing.T) {
	s := newServices(t)
	dir := t.TempDir()
	document := filepath.Join(dir, "contract.txt")
	if err := os.WriteFile(document, []byte("Договор вымышленный.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]int{"ip": exitYes, "revoked": exitNo} {
		key, signature := filepath.Join(s.dir, "people", id, "key.pem"), filepath.Join(dir, id+".sig")
		if code, _, errs := propusk(nil, "sign", "--key", key, "--cert", s.person(id), "--out", signature, document); code != exitYes {
			t.Fatal(errs)
		}
		verify := []string{"verify", "--trust", s.bare, "--content", document, signature}
		if code, out, errs := propusk(nil, verify...); code != exitIndeterminate {
			t.Errorf("%s offline: exit code %d: %s %s", id, code, out, errs)
		}
		online := append(slices.Clip(verify), "--online", "--allow-private", "--revocation-order", "ocsp-first")
		if code, out, errs := propusk(nil, online...); code != want || !strings.Contains(out, "OCSP response of") {
			t.Errorf("%s online: exit code %d: %s %s", id, code, out, errs)
		}
	}
}

// TestResponseFiles: OCSP responses may be given as files.
func TestResponseFiles(t *testing.T) {
	s := newServices(t)
	var root []string // the lists of the roots, which say that CA certificates are good
	for _, a := range s.authorities {
		if strings.HasPrefix(a.ID, "head-") {
			root = append(root, "--crl", a.CRL)
		}
	}
	for id, want := range map[string]int{"ip": exitYes, "revoked": exitNo} {
		file := filepath.Join(t.TempDir(), "response.ocsp")
		if err := os.WriteFile(file, s.ask(t, id), 0o600); err != nil {
			t.Fatal(err)
		}
		s.cert(t, want, "OCSP response of", id, append(root, "--ocsp", file)...)
		other := map[string]string{"ip": "revoked", "revoked": "ip"}[id]
		s.cert(t, exitIndeterminate, "revocation-unknown", other, append(root, "--ocsp", file)...)
	}
	if code, _, errs := propusk(nil, "cert", "--trust", s.bare, "--ocsp", s.person("ip"), s.person("ip")); code != exitUsage {
		t.Errorf("a certificate as a response: exit code %d: %s", code, errs)
	}
}

// ask gets the response about a person.
func (s *services) ask(t *testing.T, id string) []byte {
	t.Helper()
	cert := readCert(t, s.person(id))
	var issuer *gostx509.Certificate
	for _, a := range s.authorities {
		if c := readCert(t, a.CA); bytes.Equal(c.SubjectKeyID, cert.AuthorityKeyID.KeyID) {
			issuer = c
		}
	}
	if issuer == nil {
		t.Fatal("no issuer")
	}
	question, err := ocsp.NewID(ocsp.OIDSHA1, cert, issuer)
	if err != nil {
		t.Fatal(err)
	}
	request, err := ocsp.CreateRequest(nil, question)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(s.url+testpki.OCSPPath, "application/ocsp-request", bytes.NewReader(request)) //nolint:noctx // it ends with the server
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func readCert(t *testing.T, name string) *gostx509.Certificate {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := gostx509.ParseAny(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
