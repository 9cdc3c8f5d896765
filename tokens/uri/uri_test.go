package uri_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"propusk/tokens/uri"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]uri.URI{
		"pkcs11:":                        {},
		"PKCS11:token=a":                 {Token: "a"},
		"pkcs11:?module-path=/lib/a.so":  {ModulePath: "/lib/a.so"},
		"pkcs11:object=my-key;type=data": {Object: "my-key", Type: uri.Data},
		// The examples of RFC 7512, Section 3, as far as we take them.
		"pkcs11:object=my-pubkey;type=public": {Object: "my-pubkey", Type: uri.Public},
		"pkcs11:object=my-key;type=private?pin-source=file:/etc/token": {
			Object: "my-key", Type: uri.Private, PINFile: "/etc/token",
		},
		"pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;type=cert;" +
			"id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin": {}, // see below
		"pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-source=file:///etc/pin": {
			Token: "Software PKCS#11 softtoken", Manufacturer: "Snake Oil, Inc.", PINFile: "/etc/pin",
		},
		"pkcs11:slot-id=327": {Slot: 327, HasSlot: true},
		"pkcs11:slot-id=0":   {HasSlot: true},
		"pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-version=1.23": {
			LibraryManufacturer: "Snake Oil, Inc.", LibraryDescription: "Soft Token Library", LibraryVersion: "1.23",
		},
		"pkcs11:token=%D0%A2%D0%BE%D0%BA%D0%B5%D0%BD;id=%00%FF?module-name=rtpkcs11ecp&pin-source=file:secrets/pin": {
			Token: "Токен", ID: []byte{0, 0xff}, ModuleName: "rtpkcs11ecp", PINFile: "secrets/pin",
		},
		"pkcs11:serial=a%3Bb&c=d;model=[]:@!$'()*+,=&?module-path=soft:/a/b": {
			Serial: "a;b&c=d", Model: "[]:@!$'()*+,=&", ModulePath: "soft:/a/b",
		},
		"pkcs11:?pin-source=file://localhost/etc/pin": {PINFile: "/etc/pin"},
		"pkcs11:?pin-source=file:////host/share/pin":  {PINFile: "//host/share/pin"},
	} {
		got, err := uri.Parse(text)
		if strings.Contains(text, "serial=?") {
			if err == nil || !strings.Contains(err.Error(), "serial") {
				t.Errorf("%s: an empty serial number: %v", text, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
			continue
		}
		if again, err := uri.Parse(got.String()); err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("%s is written %s and read %+v, %v", text, got, again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, word := range map[string]string{
		"":                                    "scheme",
		"pkcs12:token=a":                      "scheme",
		"/etc/key.pem":                        "scheme",
		"pkcs11:token":                        "not name=value",
		"pkcs11:=a":                           "not name=value",
		"pkcs11:token=a;":                     "not name=value",
		"pkcs11:;token=a":                     "not name=value",
		"pkcs11:to ken=a":                     "has a name",
		"pkcs11:token=a;token=b":              "token is there twice",
		"pkcs11:?module-path=a&module-path=a": "module-path is there twice",
		"pkcs11:token=":                       "token: the value is empty",
		"pkcs11:?module-path=":                "module-path: the value is empty",
		"pkcs11:id=":                          "id: the value is empty",
		"pkcs11:token=a b":                    "percent-encoded",
		"pkcs11:token=a/b":                    "percent-encoded",
		"pkcs11:token=a#b":                    "percent-encoded",
		"pkcs11:token=Токен":                  "percent-encoded",
		"pkcs11:?module-path=a;b":             "percent-encoded",
		"pkcs11:token=a?module-path=x?y&a":    "not name=value",
		"pkcs11:token=%":                      "two digits",
		"pkcs11:token=%4":                     "two digits",
		"pkcs11:token=%4g":                    "two digits",
		"pkcs11:token=%FF":                    "not UTF-8",
		"pkcs11:token=a%00":                   "control characters",
		"pkcs11:?module-path=%0a":             "control characters",
		"pkcs11:type=key":                     "none of public",
		"pkcs11:type=Private":                 "none of public",
		"pkcs11:slot-id=-1":                   "number of a slot",
		"pkcs11:slot-id=01":                   "number of a slot",
		"pkcs11:slot-id=18446744073709551616": "number of a slot",
		"pkcs11:x-vendor=a":                   "x-vendor: this attribute is not known",
		"pkcs11:Token=a":                      "Token: this attribute is not known",
		"pkcs11:module-path=a":                "module-path: this attribute is not known",
		"pkcs11:?token=a":                     "token: this attribute is not known",
		"pkcs11:?module-name=../a":            "a path is module-path",
		"pkcs11:?module-name=a&module-path=b": "both there",
		"pkcs11:?pin-source=/etc/pin":         "must name a file",
		"pkcs11:?pin-source=https://a/pin":    "must name a file",
		"pkcs11:?pin-source=|/bin/echo":       "a command is not run",
		"pkcs11:?pin-source=file:":            "names no file",
		"pkcs11:?pin-source=file:/etc/":       "names no file",
		"pkcs11:?pin-source=file://host/pin":  "of this machine",
		"pkcs11:?pin-source=file://pin":       "of this machine",
		"pkcs11:token=" + long(1025):          "longer than 1024",
		"pkcs11:token=" + long(4097):          "longer than 4096",
	} {
		got, err := uri.Parse(text)
		if err == nil || !strings.Contains(err.Error(), word) || !reflect.DeepEqual(got, uri.URI{}) {
			t.Errorf("%.60s: %+v, %v; want %q", text, got, err, word)
		}
	}
}

func long(n int) string { return strings.Repeat("a", n) }

// A PIN in a URI is refused, and not repeated where others can read it.
func TestPINValue(t *testing.T) {
	for _, text := range []string{"pkcs11:token=a?pin-value=87654321", "pkcs11:token=a?pin-value=", "pkcs11:?module-path=x&pin-value=87654321"} {
		_, err := uri.Parse(text)
		if !errors.Is(err, uri.ErrPINValue) || strings.Contains(err.Error(), "87654321") {
			t.Errorf("%s: %v", text, err)
		}
	}
	// Nor is any other value, which may be one in the wrong place.
	for _, text := range []string{"pkcs11:87654321", "pkcs11:pin=87654321", "pkcs11:type=87654321", "pkcs11:?pin-source=87654321", "pkcs11:slot-id=87654321x"} {
		if _, err := uri.Parse(text); err == nil || strings.Contains(err.Error(), "87654321") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestIs(t *testing.T) {
	for text, want := range map[string]bool{
		"pkcs11:": true, "PKCS11:a": true, "pkcs11:token=": true, "pkcs11": false, "./pkcs11:a": false, "": false, "key.pem": false,
	} {
		if uri.Is(text) != want {
			t.Errorf("%q", text)
		}
	}
}

func TestName(t *testing.T) {
	for want, u := range map[string]uri.URI{"tls": {Object: "tls", ID: []byte{1}}, "01ff": {ID: []byte{1, 0xff}}, "pkcs11": {}} {
		if got := u.Name(); got != want {
			t.Errorf("%s: %s", want, got)
		}
	}
}

// What is read is written so that it is read again, and nothing else is.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"pkcs11:", "pkcs11:token=a;object=b;id=%01%02;type=private?module-path=/lib/a.so&pin-source=file:/etc/pin",
		"pkcs11:slot-id=7;serial=0001?module-name=x", "pkcs11:token=%D0%A2?pin-source=file:////a", "pkcs11:?pin-value=1", "pkcs11:a=b;a=b",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := uri.Parse(text)
		if err != nil {
			if !reflect.DeepEqual(u, uri.URI{}) {
				t.Fatalf("%q: %+v with %v", text, u, err)
			}
			return
		}
		if !uri.Is(text) {
			t.Fatalf("%q is read, and is none", text)
		}
		if len(u.String()) > 4096 {
			return // escapes made it longer
		}
		again, err := uri.Parse(u.String())
		if err != nil || !reflect.DeepEqual(u, again) {
			t.Fatalf("%q is %+v, written %q, and read %+v, %v", text, u, u, again, err)
		}
	})
}
