package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// writeConfig makes a country in a new directory, and a configuration that serves
// it on ports from base. It returns the directory.
func writeConfig(t *testing.T, base int) string {
	t.Helper()
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"pki", "init", filepath.Join(dir, "country")}, strings.NewReader(""), &out, &errs); code != exitYes {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	const tls = "{certificate: country/tls/ecdsa.pem, key: country/tls/ecdsa.key, gost_certificate: country/tls/gost-512.pem, gost_key: country/tls/gost-512.key}"
	text := fmt.Sprintf(`public:
  url: https://localhost:%[1]d
  listen: 127.0.0.1:%[1]d
  tls: %[4]s
signin:
  url: https://localhost:%[2]d
  listen: 127.0.0.1:%[2]d
  tls: %[4]s
admin:
  listen: 127.0.0.1:%[3]d
trust:
  dir: country/trust
  reload: 1s
oidc:
  subject_secret: subject.hex
`, base, base+1, base+2, tls)
	for name, data := range map[string]string{"propusk.yaml": text, "subject.hex": strings.Repeat("0f", 32) + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestConfigCheckFiles checks a good configuration, and then spoils what it names.
func TestConfigCheckFiles(t *testing.T) {
	dir := writeConfig(t, freePorts(t))
	check := func(code int, want string) {
		t.Helper()
		var out, errs bytes.Buffer
		got := run(t.Context(), []string{"config", "check", filepath.Join(dir, "propusk.yaml")}, strings.NewReader(""), &out, &errs)
		if got != code || !strings.Contains(out.String(), want) {
			t.Errorf("exit code %d, want %d with %q:\n%s%s", got, code, want, &out, &errs)
		}
	}
	check(exitYes, "the configuration is good")
	if runtime.GOOS != "windows" {
		if err := os.Chmod(filepath.Join(dir, "subject.hex"), 0o644); err != nil {
			t.Fatal(err)
		}
		check(exitYes, "warning: oidc.subject_secret")
	}

	crl := filepath.Join(dir, "country", "trust", "crls", "fns.crl")
	if err := os.Truncate(crl, 100); err != nil {
		t.Fatal(err)
	}
	check(exitNo, "crl-malformed")
	if err := os.Remove(filepath.Join(dir, "country", "trust", "pins.txt")); err != nil {
		t.Fatal(err)
	}
	check(exitNo, "trust-root-not-pinned")
	if err := os.Remove(filepath.Join(dir, "country", "tls", "gost-512.key")); err != nil {
		t.Fatal(err)
	}
	check(exitNo, "gost-512.key")
}

// TestServe runs the gateway from a configuration file, spoils its trust data
// while it runs, and ends it.
func TestServe(t *testing.T) {
	base := freePorts(t)
	dir := writeConfig(t, base)
	ctx, cancel := context.WithCancel(t.Context())
	log, ended := new(lockedBuffer), make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--config", filepath.Join(dir, "propusk.yaml")}, strings.NewReader(""), log, log)
	}()
	await := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(50 * time.Millisecond) {
			select {
			case code := <-ended:
				t.Fatalf("%s: ended with %d:\n%s", what, code, log)
			default:
			}
			if time.Now().After(end) {
				t.Fatalf("%s: not in time:\n%s", what, log)
			}
		}
	}
	ready := func() bool {
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", base+2))
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	await("start", ready)

	list := filepath.Join(dir, "country", "trust", "tsl.xml")
	if err := os.Truncate(list, 1000); err != nil {
		t.Fatal(err)
	}
	await("half a list", func() bool { return strings.Contains(log.String(), "xml-malformed") })
	if !ready() {
		t.Errorf("half a list put the gateway out of service:\n%s", log)
	}
	cancel()
	select {
	case code := <-ended:
		if code != exitYes {
			t.Errorf("exit code %d:\n%s", code, log)
		}
	case <-time.After(30 * time.Second):
		t.Error("the gateway does not end")
	}
}

// TestConfigCheckSaysCodesOnce: each line of the answer is a code and a mistake.
func TestConfigCheckSaysCodesOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	var sample, out, errs bytes.Buffer
	if code := run(t.Context(), []string{"config", "sample"}, nil, &sample, &errs); code != exitYes {
		t.Fatalf("exit code %d\n%s", code, &errs)
	}
	if err := os.WriteFile("propusk.yaml", sample.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"config", "check", "propusk.yaml"}, nil, &out, &errs); code != exitNo {
		t.Fatalf("exit code %d\n%s%s", code, &out, &errs)
	}
	for line := range strings.Lines(out.String()) {
		code, mistake, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || (code != "config-unreadable" && code != "trust-directory-missing") || strings.Contains(mistake, code) {
			t.Errorf("line %q", line)
		}
	}
}
