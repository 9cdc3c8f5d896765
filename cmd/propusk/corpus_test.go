package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"propusk/pki/report"
	"propusk/pki/samples"
)

// TestRealAuthorities judges the certificates of all accredited CAs of Russia with
// a plain directory of them as trust data, and compares with the recorded
// verdicts, which are about signatures and chains and not about dates.
func TestRealAuthorities(t *testing.T) {
	dir := samples.Path(t, "data", "ca_certs")
	table, err := os.ReadFile(filepath.Join(dir, "accredited.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var names, expected []string
	for i, line := range strings.Split(strings.TrimSuffix(string(table), "\n"), "\n") {
		fields := strings.Split(line, "\t")
		if i == 0 || len(fields) < 16 {
			continue
		}
		names = append(names, filepath.Join(dir, fields[1]))
		expected = append(expected, fields[15])
	}
	if len(names) < 2000 {
		t.Fatalf("only %d certificates in the table", len(names))
	}
	trust := filepath.Join(dir, "accredited")
	archive := append([]string{"cert", "--json", "--trust", trust, "--ignore-dates", "--ignore-revocation"}, names...)
	for i, doc := range documents(t, archive) {
		switch {
		case strings.HasPrefix(expected[i], "VALID"):
			if doc.Conclusion != report.TotalPassed || !doc.Trusted || doc.Holder == nil {
				t.Errorf("%s: %s %s, want %s", names[i], doc.Conclusion, doc.Code, expected[i])
			}
		case strings.HasPrefix(expected[i], "INCOMPLETE"):
			if doc.Conclusion != report.TotalFailed || doc.Trusted || doc.Code != "unknown-ca" {
				t.Errorf("%s: %s %s, want %s", names[i], doc.Conclusion, doc.Code, expected[i])
			}
		default:
			t.Errorf("%s: unknown expectation %q", names[i], expected[i])
		}
	}

	// Without revocation lists nothing but a root may pass.
	for i, doc := range documents(t, append([]string{"cert", "--json", "--trust", trust}, names...)) {
		if doc.Conclusion == report.TotalPassed && len(doc.Chain) != 1 {
			t.Errorf("%s: passed without a revocation list", names[i])
		}
	}
}

// document is what the test reads of one verdict on a certificate.
type document struct {
	Conclusion, Code string
	Trusted          bool
	Holder           *struct{}
	Chain            []struct{}
}

// documents runs a command that prints one document for each file.
func documents(t *testing.T, args []string) []document {
	t.Helper()
	code, out, errs := propusk(nil, args...)
	if code == exitUsage {
		t.Fatal(errs)
	}
	var all []document
	for decoder := json.NewDecoder(strings.NewReader(out)); decoder.More(); {
		var doc document
		if err := decoder.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		all = append(all, doc)
	}
	return all
}
