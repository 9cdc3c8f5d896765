package filekind

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
)

// TestSecretText: keys that people paste between their words.
func TestSecretText(t *testing.T) {
	key, err := gost3410.GenerateKey(gost3410.TC26256A(), nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pkcs8.Marshal(key, spki.DefaultAlgorithm(gost3410.TC26256A()))
	if err != nil {
		t.Fatal(err)
	}
	armor := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	bare := base64.StdEncoding.EncodeToString(der)
	for name, text := range map[string]string{
		"PEM":                    "Не входит, вот ключ:\r\n" + strings.ReplaceAll(armor, "\n", "\r\n"),
		"PEM in one line":        "ключ " + strings.ReplaceAll(armor, "\n", " "),
		"another label":          "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
		"encrypted":              "-----BEGIN ENCRYPTED PRIVATE KEY-----",
		"SSH2":                   "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
		"PuTTY":                  "PuTTY-User-Key-File-2: ssh-rsa",
		"bare":                   "Ключ: " + bare + " спасибо",
		"bare, more behind it":   bare + "\nregards, Ivan",
		"bare in lines":          "key\n" + bare[:48] + "\n" + bare[48:] + "\n\nЧто делать?",
		"behind another word":    strings.Repeat("a", 50) + "\n" + bare,
		"JWK":                    `{ "kty" : "EC", "crv":"P-256", "x":"1", "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE" }`,
		"JWK of a shared secret": `{"kty":"oct","k":"GawgguFyGrWKav7AX4VKUg"}`,
	} {
		if !SecretText([]byte(text)) {
			t.Errorf("%s is not known as a key", name)
		}
	}
	cert := base64.StdEncoding.EncodeToString([]byte("\x30\x82\x01\x00\x30\x81\x80\xa0\x03\x02\x01\x02\x02\x01\x01" + strings.Repeat("a", 40)))
	for name, text := range map[string]string{
		"nothing": "", "words": "Программа спрашивает PRIVATE KEY, что это? ERR_SSL_PROTOCOL_ERROR 0x80090016",
		"a certificate": "-----BEGIN CERTIFICATE-----\n" + cert + "\n-----END CERTIFICATE-----", "a bare certificate": cert,
		"a public JWK":  `{"kty":"EC","crv":"P-256","x":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}`,
		"a fingerprint": strings.Repeat("0123456789abcdef", 4), "only =": strings.Repeat("=", 100), "BOM": "\xff\xfe",
	} {
		if SecretText([]byte(text)) {
			t.Errorf("%s is taken for a key", name)
		}
	}
}

func FuzzSecretText(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----"))
	f.Add([]byte("\xff\xfe-\x00"))
	f.Add([]byte(strings.Repeat("MEgCAQAw", 10)))
	f.Fuzz(func(_ *testing.T, text []byte) { SecretText(text) })
}
