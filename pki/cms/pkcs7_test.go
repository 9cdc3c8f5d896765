package cms

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"go.mozilla.org/pkcs7"

	"propusk/pki/verdict"
)

// TestSecondParser reads the recorded files with another parser, which must see
// the same document, certificates and attributes.
func TestSecondParser(t *testing.T) {
	for _, name := range []string{"cades.pem", "noattr.pem", "stream.pem"} {
		t.Run(name, func(t *testing.T) {
			file := recorded(t, name)
			ours, err := Parse(file)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := pkcs7.Parse(file)
			if err != nil {
				t.Fatal(err)
			}
			sameContent(t, ours, theirs)
			sameAttributes(t, ours, theirs)
		})
	}
}

func sameContent(t *testing.T, ours *SignedData, theirs *pkcs7.PKCS7) {
	t.Helper()
	if !bytes.Equal(ours.Content, theirs.Content) {
		t.Errorf("content %q, the other parser has %q", ours.Content, theirs.Content)
	}
	if len(ours.Signers) != len(theirs.Signers) || len(ours.Certificates) != len(theirs.Certificates) {
		t.Fatalf("%d signers and %d certificates, the other parser has %d and %d",
			len(ours.Signers), len(ours.Certificates), len(theirs.Signers), len(theirs.Certificates))
	}
	for i, c := range ours.Certificates {
		if !bytes.Equal(c, theirs.Certificates[i].Raw) {
			t.Errorf("certificate %d differs", i)
		}
	}
	if !bytes.Equal(ours.Signers[0].Signature, theirs.Signers[0].EncryptedDigest) {
		t.Error("the signature differs")
	}
}

func sameAttributes(t *testing.T, ours *SignedData, theirs *pkcs7.PKCS7) {
	t.Helper()
	var digest []byte
	err := theirs.UnmarshalSignedAttribute(pkcs7.OIDAttributeMessageDigest, &digest)
	value, found := ours.Signers[0].signed(oidMessageDigest)
	if found != (err == nil) {
		t.Fatalf("messageDigest found: %v, by the other parser: %v", found, err)
	}
	if found && !bytes.Equal(value[2:], digest) { // after tag and length
		t.Errorf("messageDigest %x, the other parser has %x", value[2:], digest)
	}
	var when time.Time
	err = theirs.UnmarshalSignedAttribute(pkcs7.OIDAttributeSigningTime, &when)
	claimed, found := ours.Signers[0].SigningTime()
	if found != (err == nil) || !claimed.Equal(when) {
		t.Errorf("signingTime %v, the other parser has %v (%v)", claimed, when, err)
	}
}

// TestSecondSigner verifies what another implementation signs, and has it verify
// the same file.
func TestSecondSigner(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Проверка"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, detached := range []bool{false, true} {
		file, content := signElsewhere(t, cert, key, detached)
		for _, c := range verifyOne(t, file, content).Math {
			wantCheck(t, []verdict.Check{c}, c.Name, verdict.Passed, "")
		}
		spoiled := bytes.Clone(file)
		spoiled[len(spoiled)-1] ^= 1 // the end of the signature
		if _, ok := accepts(spoiled, content); ok {
			t.Error("a spoiled signature passes")
		}
	}
}

// signElsewhere signs the document with the other implementation.
func signElsewhere(t *testing.T, cert *x509.Certificate, key *ecdsa.PrivateKey, detached bool) ([]byte, Content) {
	t.Helper()
	sd, err := pkcs7.NewSignedData(document)
	if err != nil {
		t.Fatal(err)
	}
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := sd.AddSigner(cert, key, pkcs7.SignerInfoConfig{}); err != nil {
		t.Fatal(err)
	}
	var content Content
	if detached {
		sd.Detach()
		content = Document(document)
	}
	file, err := sd.Finish()
	if err != nil {
		t.Fatal(err)
	}
	p7, err := pkcs7.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if detached {
		p7.Content = document
	}
	if err := p7.Verify(); err != nil {
		t.Fatal(err)
	}
	return file, content
}
