package qualified

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/samples"
)

// shared returns the files that match a pattern in the shared test data, and
// skips the test when the data is not there.
func shared(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(samples.Path(t, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no file matches %s (%v)", pattern, err)
	}
	return files
}

func read(t *testing.T, path string) *gostx509.Certificate {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := gostx509.Parse(raw)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return c
}

// TestReal: the real qualified certificates obey every rule while they are in
// force.
func TestReal(t *testing.T) {
	for _, path := range shared(t, "data/ee_certs/real_qualified/*.der") {
		c := read(t, path)
		if failed := failures(t, Check(c, nil, c.NotAfter.Add(-24*time.Hour))); failed != nil {
			t.Errorf("%s: %q", path, failed)
		}
	}
}

// TestCollected: whatever passes, of the certificates that were collected, has
// all that a qualified one must have, and most do not pass.
func TestCollected(t *testing.T) {
	files, passed := shared(t, "data/ee_certs/test/*.der"), 0
	for _, path := range files {
		c := read(t, path)
		if failures(t, Check(c, nil, c.NotAfter.Add(-time.Hour))) != nil {
			continue
		}
		passed++
		who, err := c.Identity()
		if err != nil || who.Kind == person.Other || c.SubjectSignTool == "" || c.IssuerSignTool == nil ||
			len(c.Policies) == 0 || c.IsCA || c.PublicKey == nil || len(c.Issuer.Get(gostx509.OIDOGRN)) != 13 {
			t.Errorf("%s: passes for a qualified certificate", path)
		}
		t.Logf("%s: %s of %s has the form of a qualified certificate", filepath.Base(path), who.Kind, c.NotBefore.Format(time.DateOnly))
	}
	if passed == 0 || passed > len(files)/4 {
		t.Errorf("%d of %d pass", passed, len(files))
	}
}

// TestAuthorities: the certificates of accredited CAs are qualified themselves
// (63-ФЗ, ст. 15), and obey the rules of form that bind every holder.
func TestAuthorities(t *testing.T) {
	broken := map[string]int{}
	files := shared(t, "data/ca_certs/accredited/*.der")
	for _, path := range files {
		c := read(t, path)
		for _, f := range failures(t, Check(c, nil, time.Date(2019, time.June, 1, 0, 0, 0, 0, time.UTC))) {
			if name, _, _ := strings.Cut(f, ":"); !strings.HasPrefix(name, "profile.key-") && name != "profile.end-entity" {
				broken[f]++
			}
		}
	}
	for f, n := range broken {
		if n > len(files)/100 {
			t.Errorf("%s: %d of %d real certificates break it: the rule is wrong", f, n, len(files))
		}
		t.Logf("%s: %d", f, n)
	}
}
