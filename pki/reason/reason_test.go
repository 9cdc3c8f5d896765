package reason

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var update = flag.Bool("update", false, "write testdata/codes.golden anew")

// TestEntries holds every entry to the form that pages and integrators rely on.
func TestEntries(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := map[Code]bool{}
	for _, e := range All() {
		if !form.MatchString(string(e.Code)) {
			t.Errorf("%q: want lower case words and hyphens", e.Code)
		}
		if seen[e.Code] {
			t.Errorf("%s: twice in the catalogue", e.Code)
		}
		seen[e.Code] = true
		for _, text := range []string{e.RU, e.EN} {
			if !strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text || len(text) < 20 {
				t.Errorf("%s: %q is not a sentence that ends with a period", e.Code, text)
			}
		}
		if !strings.Contains(e.RU, ". ") || !strings.Contains(e.EN, "; ") {
			t.Errorf("%s: no remedy after what happened: %q, %q", e.Code, e.RU, e.EN)
		}
		if !strings.ContainsFunc(e.RU, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
			t.Errorf("%s: %q is not Russian", e.Code, e.RU)
		}
		if strings.ContainsFunc(e.EN, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
			t.Errorf("%s: %q is not English", e.Code, e.EN)
		}
		if e.Kind > Unavailable {
			t.Errorf("%s: unknown kind %d", e.Code, e.Kind)
		}
		if got, ok := Lookup(e.Code); !ok || got != e {
			t.Errorf("%s: Lookup returns %v, %v", e.Code, got, ok)
		}
	}
}

// TestGolden holds the codes that were published: one can be added, with
// -update, but never taken away.
func TestGolden(t *testing.T) {
	const path = "testdata/codes.golden"
	var codes []string
	for _, e := range All() {
		codes = append(codes, string(e.Code))
	}
	slices.Sort(codes)
	golden, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for code := range strings.FieldsSeq(string(golden)) {
		if !slices.Contains(codes, code) {
			t.Errorf("%s was published and must not disappear", code)
		}
	}
	now := []byte(strings.Join(codes, "\n") + "\n")
	if *update && !t.Failed() {
		if err := os.WriteFile(path, now, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(now, golden) {
		t.Errorf("there are new codes: run the test with -update to publish them")
	}
}

// TestPublished names the codes that other parts promise.
func TestPublished(t *testing.T) {
	for _, c := range []Code{
		"no-certificate", "certificate-expired", "certificate-not-yet-valid", "unknown-ca",
		"ca-not-accredited", "certificate-revoked", "not-qualified", "wrong-holder-kind",
	} {
		if e, ok := Lookup(c); !ok || e.Kind == Internal {
			t.Errorf("%s: %v, %v", c, e, ok)
		}
	}
	if _, ok := Lookup(""); ok {
		t.Error("the empty code is in the catalogue")
	}
}

func TestError(t *testing.T) {
	err := fmt.Errorf("read the list: %w", New(CertExpired, io.ErrUnexpectedEOF))
	if !errors.Is(err, CertExpired) || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, CertRevoked) {
		t.Errorf("%v: wrong code or cause", err)
	}
	if got := err.Error(); got != "read the list: certificate-expired: unexpected EOF" {
		t.Error(got)
	}
	if got := New(CertExpired, nil).Error(); got != "certificate-expired" {
		t.Error(got)
	}
	if !errors.Is(New(CertExpired, nil), CertExpired) {
		t.Error("an error without a cause lost its code")
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != CertExpired {
		t.Errorf("%v is not an *Error", err)
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Code
	}{
		{nil, ""},
		{io.EOF, InternalError},
		{CertExpired, CertExpired},
		{Code(""), InternalError},
		{Errorf(UnknownCA, "x: %w", CertExpired), UnknownCA},
		{fmt.Errorf("x: %w", errors.Join(io.EOF, CertRevoked)), CertRevoked},
	} {
		if got := Of(c.err); got != c.want {
			t.Errorf("Of(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}
