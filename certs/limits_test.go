package certs

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"propusk/certs/testpki"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
)

// TestStateFailsNothing: too many files, or too large ones, in a state directory set
// aside themselves, and not the start.
func TestStateFailsNothing(t *testing.T) {
	s := state{t.TempDir()}
	if err := os.Mkdir(s.path(stateCRLs), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range maxStateCRLs + 3 {
		if err := os.WriteFile(s.path(s.crlFile(fmt.Sprint(i))), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.inputs()
	if err != nil || len(all) != maxStateCRLs {
		t.Errorf("%d inputs, %v", len(all), err)
	}
	if !s.full() {
		t.Error("there is room")
	}

	path := s.path(s.crlFile("0"))
	for _, fetched := range []bool{true, false} {
		l := loader{total: maxTotal, memory: new(memory)}
		in := &input{File: File{Role: RoleCRL, Path: path}, fetched: fetched}
		err := l.read(t.Context(), in)
		if fetched && (err != nil || reason.Of(in.err) != reason.TrustFileTooLarge || in.data != nil || l.total != maxTotal) {
			t.Errorf("fetched: %v, %v, %d", err, in.err, l.total)
		}
		if !fetched && reason.Of(err) != reason.TrustFileTooLarge {
			t.Errorf("of the operator: %v", err)
		}
	}
}

// TestFloorRises: the higher of two floors counts in every part, and a file that says
// what was never written there is damaged.
func TestFloorRises(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	high := floor{TSLVersion: 9, CRLs: map[string]time.Time{"a": at}}
	low := floor{TSLVersion: 8, CRLs: map[string]time.Time{"a": at.Add(-time.Hour), "b": at}}
	want := floor{TSLVersion: 9, CRLs: map[string]time.Time{"a": at, "b": at}}
	if got := high.with(low); !got.equal(want) {
		t.Errorf("%+v", got)
	}
	if got := low.with(high); !got.equal(want) {
		t.Errorf("%+v", got)
	}
	s := state{t.TempDir()}
	for _, text := range []string{`{"tsl_version":1,"tls_version":2}`, `{"tsl_version":1}{"tsl_version":2}`, `{"tsl_version":1} x`, `{"tsl_version":-1}`} {
		if err := os.WriteFile(s.path(stateFloor), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.readFloor(); reason.Of(err) != reason.TrustStateDamaged {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestPlaces: CAs of one name with different keys have their lists in different places,
// and so have lists about different things.
func TestPlaces(t *testing.T) {
	c, err := testpki.New(testpki.Options{Now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	fns := c.Authority("fns")
	list := func(change func(*crl.Template)) *crl.List {
		template := c.CRLTemplate(fns)
		change(&template)
		der, err := c.IssueCRL(fns, template)
		if err != nil {
			t.Fatal(err)
		}
		l, err := crl.Parse(der)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	whole := list(func(*crl.Template) {})
	twin := *fns.Certificate
	twin.RawSPKI = c.Authority("commercial").Certificate.RawSPKI
	namesake := *fns.Certificate
	namesake.RawSubject = c.Authority("commercial").Certificate.RawSubject
	seen := make(map[string]string)
	for what, key := range map[string]string{
		"whole": crlKey(fns.Certificate, whole), "of a twin": crlKey(&twin, whole), "of a namesake": crlKey(&namesake, whole),
		"users": crlKey(fns.Certificate, list(func(t *crl.Template) { t.Scope.UserCerts = true })),
		"CAs":   crlKey(fns.Certificate, list(func(t *crl.Template) { t.Scope.CACerts = true })),
		"part":  crlKey(fns.Certificate, list(func(t *crl.Template) { t.Scope.URLs = []string{"http://a.example/"} })),
		"delta": crlKey(fns.Certificate, list(func(t *crl.Template) { t.Number, t.Base = 5, 4 })),
	} {
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s are in one place", what, other)
		}
		seen[key] = what
		if filepath.Base(key) != key || len(key) < 40 {
			t.Errorf("%s: %q is no name of a file", what, key)
		}
	}
	renewed := *fns.Certificate
	renewed.Raw, renewed.Serial = []byte("other"), []byte{9}
	if crlKey(&renewed, whole) != crlKey(fns.Certificate, whole) {
		t.Error("a CA whose certificate was renewed is another one")
	}
	if crlKey(&gostx509.Certificate{}, whole) == crlKey(fns.Certificate, whole) {
		t.Error("nobody is the CA")
	}
}
