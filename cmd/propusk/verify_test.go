package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"propusk/server/testgateway"
)

// propusk runs a command line and returns its exit code and outputs.
func propusk(stdin []byte, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, bytes.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// TestVerify verifies signatures that openssl makes with the keys of the demo
// country.
func TestVerify(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	t.Chdir(t.TempDir())
	if code, out, errs := propusk(nil, "pki", "init", "country"); code != exitYes {
		t.Fatal(out, errs)
	}
	if err := os.WriteFile("contract.txt", []byte("Договор вымышленный.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("other.txt", []byte("Другой договор.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	people := filepath.Join("country", "people")
	for _, form := range []struct {
		name     string
		args     []string
		detached bool
		level    string
	}{
		{"attached DER", []string{"-nodetach", "-outform", "DER"}, false, "CMS"},
		{"detached DER", []string{"-outform", "DER"}, true, "CMS"},
		{"detached PEM CAdES", []string{"-cades", "-outform", "PEM"}, true, "CAdES-BES"},
		{"without attributes", []string{"-noattr", "-outform", "DER"}, true, "CMS"},
		{"key identifier", []string{"-keyid", "-nodetach", "-outform", "DER"}, false, "CMS"},
	} {
		for id, want := range map[string]int{"ip": exitYes, "ip512": exitYes, "ul": exitYes, "revoked": exitNo, "expired": exitNo, "terminated-ca": exitNo} {
			person := filepath.Join(people, id)
			peer.Run(nil, append([]string{
				"openssl", "cms", "-sign", "-binary", "-in", "contract.txt", "-out", "sig",
				"-signer", filepath.Join(person, "cert.pem"), "-inkey", filepath.Join(person, "key.pem"),
			}, form.args...)...)
			args := []string{"verify", "--json", "--trust", "country/trust", "sig"}
			if form.detached {
				args = append(args, "--content", "contract.txt")
			}
			code, out, errs := propusk(nil, args...)
			if code != want {
				t.Errorf("%s, %s: exit code %d, want %d: %s %s", form.name, id, code, want, out, errs)
			}
			checkDocument(t, form.name+", "+id, out, form.level, want == exitYes)
			if code, _, _ := propusk(nil, "verify", "--trust", "country/trust", "--content", "other.txt", "sig"); code != exitNo {
				t.Errorf("%s, %s: another document: exit code %d", form.name, id, code)
			}
		}
	}
	checkStdin(t, peer)
}

// checkDocument reads the JSON of one verdict.
func checkDocument(t *testing.T, name, text, level string, passed bool) {
	t.Helper()
	var doc struct {
		Conclusion string
		Signatures []struct {
			Level, Mathematical string
			Signer              *struct{ Name, INN string }
		}
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(doc.Signatures) != 1 {
		t.Fatalf("%s: %d signatures", name, len(doc.Signatures))
	}
	s := doc.Signatures[0]
	if s.Level != level || s.Mathematical != "passed" {
		t.Errorf("%s: level %s, mathematics %s", name, s.Level, s.Mathematical)
	}
	if (s.Signer != nil) != passed || (doc.Conclusion == "TOTAL-PASSED") != passed {
		t.Errorf("%s: %s, signer %v", name, doc.Conclusion, s.Signer)
	}
	if passed && len(s.Signer.INN) != 12 {
		t.Errorf("%s: ИНН %q", name, s.Signer.INN)
	}
}

// checkStdin verifies the last signature from standard input.
func checkStdin(t *testing.T, peer *testgateway.OpenSSL) {
	t.Helper()
	person := filepath.Join("country", "people", "ip")
	peer.Run(nil, "openssl", "cms", "-sign", "-binary", "-nodetach", "-in", "contract.txt", "-out", "sig", "-outform", "PEM",
		"-signer", filepath.Join(person, "cert.pem"), "-inkey", filepath.Join(person, "key.pem"))
	file, err := os.ReadFile("sig")
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs := propusk(file, "verify", "--trust", "country/trust", "-")
	if code != exitYes || !strings.Contains(out, "Подписал / signed by") {
		t.Errorf("standard input: exit code %d: %s %s", code, out, errs)
	}
}
