package xmldsig

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"propusk/pki/xmldsig/strictxml"
)

// TestXMLSec checks the digests and SignedInfo of documents that xmlsec1 signed:
// parts of a document inside others, with namespaces and attributes of the
// namespace xml around them, by every canonicalisation.
func TestXMLSec(t *testing.T) {
	data, err := os.ReadFile("testdata/xmlsec/pub.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		t.Fatalf("a %T", parsed)
	}
	for name, doc := range files(t, "testdata/xmlsec/*.xml") {
		d, err := strictxml.Open(doc)
		if err != nil {
			t.Fatal(err)
		}
		places, err := findSignatures(d, 1)
		if err != nil {
			t.Fatal(err)
		}
		s, err := readSignature(d, places[0])
		if err != nil {
			t.Fatal(err)
		}
		v := verifier{d: d, s: s}
		for i, ref := range s.references {
			target, err := v.resolve(ref.uri)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := ref.plan()
			if err != nil {
				t.Fatal(err)
			}
			var form strings.Builder
			if err := v.transform(&form, target, plan); err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256([]byte(form.String())); string(sum[:]) != string(ref.digest) {
				t.Errorf("%s: digest of reference %d, %q, differs:\n%s", name, i, ref.uri, form.String())
			}
		}
		var info strings.Builder
		if err := canonicalize(&info, d, subset{apex: s.signedInfo.scope, inherited: s.signedInfo.inherited}, s.form); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(info.String()))
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], s.value); err != nil {
			t.Errorf("%s: %v:\n%s", name, err, info.String())
		}
	}
}
