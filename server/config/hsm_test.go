package config

import (
	"slices"
	"strings"
	"testing"

	"propusk/tokens/uri"
)

// Every field of a key or a secret takes a URI that names what it must, and says what is
// missing otherwise.
func TestKeyURIs(t *testing.T) {
	const tail = "?module-path=/lib/a.so&pin-source=file:/etc/pin"
	for text, words := range map[string]struct{ key, secret string }{ // empty: accepted
		"pkcs11:object=a" + tail:                                           {"", ""},
		"pkcs11:id=%01" + tail:                                             {"", "object="},
		"pkcs11:object=a;id=%01" + tail:                                    {"", "must not have id="},
		"pkcs11:token=t;object=a" + tail:                                   {"", ""},
		"pkcs11:object=a;type=private" + tail:                              {"", "type=data"},
		"pkcs11:object=a;type=data" + tail:                                 {"type=private", ""},
		"pkcs11:object=a;type=cert" + tail:                                 {"type=private", "type=data"},
		"pkcs11:token=t" + tail:                                            {"object= or id=", "object="},
		"pkcs11:object=a":                                                  {"module-path=", "module-path="},
		"pkcs11:object=a?module-path=/lib/a.so":                            {"pin-source=", "pin-source="},
		"pkcs11:object=a?pin-value=1":                                      {"pin-value", "pin-value"},
		"PKCS11:object":                                                    {"not name=value", "not name=value"},
		"pkcs11:object=a?module-name=rtpkcs11ecp&pin-source=file:/etc/pin": {"", ""},
	} {
		c := parsed(t, string(Sample()))
		c.HSM = HSM{Sessions: 1}
		fields := c.keyFields()
		if len(fields) < 8 {
			t.Fatalf("%d fields", len(fields))
		}
		for _, f := range fields {
			old, want := *f.value, words.key
			if f.secret {
				want = words.secret
			}
			*f.value = text
			err := c.Validate()
			if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "config: "+f.name+": ")) {
				t.Errorf("%s: %s: %v, want %q", f.name, text, err, want)
			}
			if slices.ContainsFunc(c.Secrets(), func(s Secret) bool { return s.Field == f.name }) {
				t.Errorf("%s: a URI is taken for a file", f.name)
			}
			*f.value = old
		}
	}
}

func TestHSMDefaults(t *testing.T) {
	h := HSM{Module: "/lib/a.so", PINFile: "/etc/pin"}
	for text, want := range map[string]uri.URI{
		"pkcs11:":                          {ModulePath: "/lib/a.so", PINFile: "/etc/pin"},
		"pkcs11:?module-path=/b":           {ModulePath: "/b", PINFile: "/etc/pin"},
		"pkcs11:?module-name=b":            {ModuleName: "b", PINFile: "/etc/pin"},
		"pkcs11:?pin-source=file:/etc/two": {ModulePath: "/lib/a.so", PINFile: "/etc/two"},
	} {
		if got, err := h.URI(text); err != nil || got.String() != want.String() {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, n := range []int{0, -1, maxHSMSessions + 1} {
		c := parsed(t, string(Sample()))
		c.HSM.Sessions = n
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "hsm.sessions") {
			t.Errorf("%d sessions: %v", n, err)
		}
	}
}

// Relative paths in URIs are taken from the directory of the file, like others.
func TestResolveURIs(t *testing.T) {
	for text, want := range map[string]string{
		"pkcs11:object=a": "pkcs11:object=a",
		"pkcs11:object=a?module-path=lib/a.so&pin-source=file:pin":    "pkcs11:object=a?module-path=/etc/p/lib/a.so&pin-source=file:/etc/p/pin",
		"pkcs11:object=a?module-path=/lib/a.so&pin-source=file:/pin":  "pkcs11:object=a?module-path=/lib/a.so&pin-source=file:/pin",
		"pkcs11:object=a?module-path=soft:t&pin-source=file:/pin":     "pkcs11:object=a?module-path=soft:/etc/p/t&pin-source=file:/pin",
		"pkcs11:object=a?module-path=soft:/t&pin-source=file:/pin":    "pkcs11:object=a?module-path=soft:/t&pin-source=file:/pin",
		"pkcs11:object=a?module-name=rtpkcs11ecp&pin-source=file:pin": "pkcs11:object=a?module-name=rtpkcs11ecp&pin-source=file:/etc/p/pin",
		"pkcs11:object": "pkcs11:object", // for Validate
	} {
		c := parsed(t, string(Sample()))
		c.OIDC.Key, c.HSM.Module, c.HSM.PINFile = text, "soft:tokens", "pin"
		c.resolve("/etc/p")
		if c.OIDC.Key != want || c.HSM.Module != "soft:/etc/p/tokens" || c.HSM.PINFile != "/etc/p/pin" {
			t.Errorf("%s: %s, %+v", text, c.OIDC.Key, c.HSM)
		}
	}
}
