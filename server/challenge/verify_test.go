package challenge

import (
	"testing"

	"propusk/pki/sigalg"
)

// TestFallbackIsNamed: this program answered alone if it did so for the signature or for
// the certificate.
func TestFallbackIsNamed(t *testing.T) {
	use := func(fallback bool) sigalg.Use {
		return sigalg.Use{EngineInfo: sigalg.EngineInfo{Name: sigalg.EnginePKCS11}, Fallback: fallback}
	}
	for _, c := range []struct {
		signature, certificate sigalg.Use
		want                   string
	}{
		{use(false), use(false), "pkcs11"},
		{use(true), use(false), "pkcs11 (fallback)"},
		{use(false), use(true), "pkcs11 (fallback)"},
		{use(true), use(true), "pkcs11 (fallback)"},
		{use(false), sigalg.Use{}, "pkcs11"}, // the certificate was not judged
	} {
		if got := together(c.signature, c.certificate).String(); got != c.want {
			t.Errorf("%v and %v: %q, want %q", c.signature, c.certificate, got, c.want)
		}
	}
}
