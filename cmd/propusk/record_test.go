package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// signedContract writes the demo country and a signed contract into the working directory.
func signedContract(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if code, out, errs := propusk(nil, "pki", "init", "country"); code != exitYes {
		t.Fatal(out, errs)
	}
	if err := os.WriteFile("contract.txt", []byte("Договор вымышленный.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := propusk(nil, "sign", "--key", "country/people/ip/key.pem", "--cert", "country/people/ip/cert.pem", "contract.txt"); code != exitYes {
		t.Fatal(out, errs)
	}
}

// TestRecord writes the record of a verification, and its signed receipt, which
// verify itself then verifies.
func TestRecord(t *testing.T) {
	signedContract(t)
	person := filepath.Join("country", "people", "ul")
	code, out, errs := propusk(nil, "verify", "--trust", "country/trust", "--content", "contract.txt", "--html", "record.html", "--lang", "en",
		"--report", "report.json", "--report-key", filepath.Join(person, "key.pem"), "--report-cert", filepath.Join(person, "cert.pem"), "contract.txt.sig")
	if code != exitYes || !strings.Contains(out, "код ЕСВ / state service code: 0") {
		t.Fatal(code, out, errs)
	}
	page, err := os.ReadFile("record.html")
	if err != nil || !bytes.Contains(page, []byte("The signature is valid")) {
		t.Errorf("the record: %v", err)
	}
	code, out, errs = propusk(nil, "verify", "--trust", "country/trust", "--content", "report.json", "report.json.sig")
	if code != exitYes {
		t.Error("the receipt does not verify:", out, errs)
	}
	if code, _, _ := propusk(nil, "verify", "--trust", "country/trust", "--content", "record.html", "report.json.sig"); code != exitNo {
		t.Error("the receipt verifies over something else")
	}

	for _, args := range [][]string{
		{"--lang", "fr"},
		{"--report-key", "country/people/ip/key.pem", "--report-cert", "country/people/ip/cert.pem"}, // no --report
		{"--report", "x.json", "--report-key", "country/people/ip/key.pem"},                          // no certificate
		{"--report", "x.json", "--report-key", "contract.txt", "--report-cert", "country/people/ip/cert.pem"},
		{"--html", "no/such/directory/x.html"},
	} {
		if code, _, _ := propusk(nil, append([]string{"verify", "contract.txt.sig"}, args...)...); code != exitUsage {
			t.Errorf("%q: exit %d", args, code)
		}
	}
	if _, err := os.Stat("x.json"); err == nil {
		t.Error("a report was written that could not be signed")
	}
	// Without a key the report is JSON alone.
	if code, _, errs := propusk(nil, "verify", "--trust", "country/trust", "--content", "contract.txt", "--report", "plain.json", "contract.txt.sig"); code != exitYes {
		t.Error(errs)
	}
	if _, err := os.Stat("plain.json.sig"); err == nil {
		t.Error("a signature nobody asked for")
	}
}

// TestOthersRead: a key that others can read is known by its mode.
func TestOthersRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes of files mean nothing here")
	}
	t.Chdir(t.TempDir())
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true} {
		if err := os.WriteFile("key", nil, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod("key", mode); err != nil {
			t.Fatal(err)
		}
		if got, err := othersRead("key"); err != nil || got != want {
			t.Errorf("%o: %v, %v", mode, got, err)
		}
	}
	if _, err := othersRead("absent"); err == nil {
		t.Error("a file that is not there")
	}
}
