package testpki_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"propusk/certs/testpki"
)

// openssl runs the openssl command with gost-engine; without it the test is
// skipped, or fails where interoperability is required.
func openssl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	if out, err := exec.Command("openssl", "engine", "gost").CombinedOutput(); err != nil || !strings.Contains(string(out), "(gost)") {
		if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" {
			t.Fatalf("openssl with gost-engine is required: %v: %s", err, out)
		}
		t.Skip("needs openssl and libengine-gost-openssl")
	}
	cmd := exec.Command("openssl", args...)
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+engineConfig(t))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// engineConfig writes a configuration that loads gost-engine.
func engineConfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gost.cnf")
	const text = "openssl_conf=i\n[i]\nengines=e\n[e]\ngost=g\n[g]\nengine_id=gost\ndefault_algorithms=ALL\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOpenSSL shows everything that was made to another implementation.
func TestOpenSSL(t *testing.T) {
	dir := t.TempDir()
	c := country(t)
	if err := c.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	at := strconv.FormatInt(moment.Unix(), 10)
	ok := func(t *testing.T, want string, args ...string) {
		t.Helper()
		out, err := openssl(t, args...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	authority := func(a *testpki.Authority, ext string) string { return filepath.Join(dir, "authorities", a.ID+ext) }

	for _, p := range c.People() {
		t.Run("person "+p.ID, func(t *testing.T) {
			cert, key := filepath.Join(dir, "people", p.ID, "cert.pem"), filepath.Join(dir, "people", p.ID, "key.pem")
			chain := []string{"-CAfile", authority(p.Issuer.Parent, ".pem"), "-untrusted", authority(p.Issuer, ".pem"), cert}
			if want, bad := map[string]string{"expired": "expired", "notyet": "not yet valid"}[p.ID]; bad {
				out, err := openssl(t, append([]string{"verify", "-attime", at}, chain...)...)
				if err == nil || !strings.Contains(out, want) {
					t.Errorf("%v\n%s", err, out)
				}
				ok(t, "OK", append([]string{"verify", "-no_check_time"}, chain...)...)
			} else {
				ok(t, "OK", append([]string{"verify", "-attime", at}, chain...)...)
			}
			public, err := openssl(t, "pkey", "-in", key, "-pubout")
			if err != nil {
				t.Fatal(err, public)
			}
			ok(t, strings.TrimSpace(public), "x509", "-in", cert, "-noout", "-pubkey")
		})
	}
	for _, a := range c.Authorities() {
		t.Run("authority "+a.ID, func(t *testing.T) {
			ok(t, "verify OK", "crl", "-inform", "DER", "-in", authority(a, ".crl"), "-CAfile", authority(a, ".pem"), "-noout")
			ok(t, "PRIVATE KEY", "pkey", "-in", authority(a, ".key"))
		})
	}
	t.Run("revocation", func(t *testing.T) {
		fns := c.Authority("fns")
		crl := filepath.Join(t.TempDir(), "crls.pem")
		for _, id := range []string{"fns", "head-256"} {
			ok(t, "", "crl", "-inform", "DER", "-in", filepath.Join(dir, "authorities", id+".crl"), "-out", crl+"."+id)
		}
		for id, want := range map[string]string{"revoked": "certificate revoked", "ip": "OK"} {
			out, _ := openssl(t, "verify", "-attime", at, "-crl_check", "-CAfile", authority(fns.Parent, ".pem"), "-untrusted", authority(fns, ".pem"),
				"-CRLfile", crl+".fns", filepath.Join(dir, "people", id, "cert.pem"))
			if !strings.Contains(out, want) {
				t.Errorf("%s: %s", id, out)
			}
		}
	})
	for name, ca := range map[string]string{"gost-256": "gost-ca", "gost-512": "gost-ca", "ecdsa": "ca"} {
		t.Run("server "+name, func(t *testing.T) {
			file := func(name string) string { return filepath.Join(dir, "tls", name) }
			ok(t, "OK", "verify", "-attime", at, "-purpose", "sslserver", "-verify_hostname", "localhost", "-CAfile", file(ca+".pem"), file(name+".pem"))
			ok(t, "OK", "verify", "-attime", at, "-purpose", "sslserver", "-verify_ip", "127.0.0.1", "-CAfile", file(ca+".pem"), file(name+".pem"))
			ok(t, "PRIVATE KEY", "pkey", "-in", file(name+".key"))
		})
	}
}
