package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
)

// TestDemoServices uses what the demo serves as anybody would: a signature gets a
// time-stamp, revocation is asked for at the addresses of the certificates, and the
// gateway fetches its lists from itself.
func TestDemoServices(t *testing.T) {
	dir := t.TempDir()
	d := startDemo(t, filepath.Join(dir, "demo"), freePorts(t))
	ip, trust := d.person(t, "ip"), d.text(t, "trust", "dir")
	t.Chdir(dir)
	writeFile(t, "contract.txt", []byte("Договор вымышленный.\n"))

	code, _, errs := propusk(nil, "sign", "--key", ip["key"], "--cert", ip["cert"], "-T", d.text(t, "urls", "tsa"), "contract.txt")
	if code != exitYes {
		t.Fatal(errs)
	}
	for _, order := range []string{"crl-first", "ocsp-first"} {
		code, out, errs := propusk(nil, "verify", "--online", "--allow-private", "--revocation-order", order, "--content", "contract.txt",
			"--root", filepath.Join(trust, "roots", "head-256.pem"), "--tsl", filepath.Join(trust, "tsl.xml"), "contract.txt.sig")
		if code != exitYes || !strings.Contains(out, "CAdES-T") {
			t.Errorf("%s: exit code %d: %s %s", order, code, out, errs)
		}
	}
	verdict := d.verify(t, "contract.txt", "contract.txt.sig")
	if verdict["conclusion"] != "TOTAL-PASSED" {
		t.Errorf("the gateway says %v", verdict["conclusion"])
	}
	d.asked(t, verdict)
	if status, body := fetch(t, d.text(t, "urls", "tsl")); status != http.StatusOK || body != string(read(t, d.text(t, "trust", "tsl"))) {
		t.Errorf("the list of accredited CAs: %d", status)
	}
	d.refreshed(t)

	// Somebody loses his key; the CA publishes a new list, and the gateway is told
	// to look.
	d.revoke(t, ip["cert"])
	response, err := http.Post(d.text(t, "urls", "admin")+"/trust/refresh", "", nil) //nolint:noctx // it ends with the demo
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		verdict := d.verify(t, "contract.txt", "contract.txt.sig")
		if verdict["conclusion"] == "TOTAL-FAILED" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the gateway has not heard of it: %v", verdict["conclusion"])
		}
	}
}

// asked checks that the gateway asked the responders of the country: for the signer, for
// the time-stamping authority and for the CAs of both.
func (d *demoRunning) asked(t *testing.T, verdict map[string]any) {
	t.Helper()
	answers := 0
	evidence, _ := verdict["evidence"].([]any)
	for _, one := range evidence {
		e, _ := one.(map[string]any)
		if e["role"] == "crl" {
			t.Errorf("a list was used: %v", e)
		}
		if e["role"] == "ocsp" && e["source"] == d.text(t, "urls", "ocsp") {
			answers++
		}
	}
	if answers != 4 {
		t.Errorf("%d answers: %v", answers, evidence)
	}
	_, metrics := fetch(t, d.text(t, "urls", "admin")+"/metrics")
	if !strings.Contains(metrics, "propusk_revocation_question_failures_total 0\n") {
		t.Error("questions failed, or there is no metric of them")
	}
}

// refreshed waits until the gateway has fetched everything.
func (d *demoRunning) refreshed(t *testing.T) {
	t.Helper()
	var state struct {
		Trust struct {
			Refresh struct {
				Ended          string
				Lists, Failing int
			}
		}
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		_, body := fetch(t, d.text(t, "urls", "admin")+"/trust")
		if err := json.Unmarshal([]byte(body), &state); err != nil {
			t.Fatal(err)
		}
		if r := state.Trust.Refresh; r.Ended != "" {
			if r.Lists < 8 || r.Failing > 0 {
				t.Errorf("%d lists, %d of them fail", r.Lists, r.Failing)
			}
			return
		}
	}
	t.Errorf("nothing was fetched: %+v", state)
}

// verify asks the gateway about a signature and returns the verdict document.
func (d *demoRunning) verify(t *testing.T, content, signature string) map[string]any {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for field, name := range map[string]string{"content": content, "signature": signature} {
		part, err := w.CreateFormFile(field, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(read(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(read(t, d.text(t, "tls", "ca"))) {
		t.Fatal("no CA")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Timeout: 30 * time.Second, Transport: transport}
	response, err := client.Post(d.text(t, "urls", "public")+"/api/v1/verify", w.FormDataContentType(), &form) //nolint:noctx // it has a time-out
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var verdict map[string]any
	if err := json.Unmarshal(body, &verdict); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d: %s", response.StatusCode, body)
	}
	return verdict
}

// revoke has the CA of the demo publish a newer list with a certificate on it.
func (d *demoRunning) revoke(t *testing.T, certificate string) {
	t.Helper()
	authority := filepath.Join(d.dir, "authorities", "fns")
	cert, err := gostx509.ParseAny(read(t, certificate))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := gostx509.ParseAny(read(t, authority+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := readKey(nil, authority+".key")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := crl.Create(nil, crl.Template{
		Number: 2, ThisUpdate: time.Now().Add(-time.Second), NextUpdate: time.Now().AddDate(0, 0, 30),
		// Before the signature was made: a time-stamp does not help then.
		Entries: []crl.Entry{{Serial: cert.Serial, RevokedAt: time.Now().Add(-time.Hour), Reason: crl.KeyCompromise}},
	}, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(authority+".crl.new", raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(authority+".crl.new", authority+".crl"); err != nil {
		t.Fatal(err)
	}
}
