package cms

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"testing"

	"propusk/pki/gostx509"
	"propusk/pki/internal/openssl"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// document is what the tests sign.
var document = []byte("Заявление о постановке на учёт.\nПодписано для проверки.\n")

// signerOf makes a key and a self-signed certificate with openssl; the files are
// NAME.key and NAME.crt.
func signerOf(t testing.TB, dir, name, algorithm, paramset string) *gostx509.Certificate {
	t.Helper()
	openssl.Run(t, dir, "req", "-x509", "-newkey", algorithm, "-pkeyopt", "paramset:"+paramset, "-nodes",
		"-keyout", name+".key", "-out", name+".crt", "-subj", "/CN="+name, "-days", "30")
	cert, err := gostx509.ParseAny(openssl.Read(t, dir, name+".crt"))
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// sign signs the document with openssl and returns the file it wrote.
func sign(t testing.TB, dir, name string, args ...string) []byte {
	t.Helper()
	openssl.Write(t, dir, "document", document)
	args = append([]string{
		"cms", "-sign", "-binary", "-in", "document", "-out", "signature",
		"-signer", name + ".crt", "-inkey", name + ".key",
	}, args...)
	openssl.Run(t, dir, args...)
	return openssl.Read(t, dir, "signature")
}

// verifyOne verifies a file with one signer, whose certificate it returns.
func verifyOne(t testing.TB, file []byte, content Content) Result {
	t.Helper()
	sd, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	certs, _ := sd.X509()
	results := sd.Verify(content, certs)
	if len(results) != 1 {
		t.Fatalf("%d signers, want 1", len(results))
	}
	return results[0]
}

// TestOpenSSL verifies what openssl signs, in every form it has.
func TestOpenSSL(t *testing.T) {
	openssl.Require(t)
	keys := []struct{ algorithm, paramset string }{
		{"gost2012_256", "A"}, {"gost2012_256", "B"}, {"gost2012_256", "C"},
		{"gost2012_256", "XA"}, {"gost2012_256", "XB"}, {"gost2012_256", "TCA"},
		{"gost2012_512", "A"}, {"gost2012_512", "B"}, {"gost2012_512", "C"},
	}
	forms := []struct {
		name     string
		args     []string
		detached bool
		level    Level
	}{
		{"attached DER", []string{"-nodetach", "-outform", "DER"}, false, Plain},
		{"attached PEM", []string{"-nodetach", "-outform", "PEM"}, false, Plain},
		{"attached stream", []string{"-nodetach", "-stream", "-outform", "DER"}, false, Plain},
		{"detached DER", []string{"-outform", "DER"}, true, Plain},
		{"detached PEM", []string{"-outform", "PEM"}, true, Plain},
		{"without attributes", []string{"-noattr", "-nodetach", "-outform", "DER"}, false, Plain},
		{"detached without attributes", []string{"-noattr", "-outform", "DER"}, true, Plain},
		{"CAdES", []string{"-cades", "-nodetach", "-outform", "DER"}, false, BES},
		{"detached CAdES", []string{"-cades", "-outform", "DER"}, true, BES},
		{"key identifier", []string{"-keyid", "-nodetach", "-outform", "DER"}, false, Plain},
	}
	for _, key := range keys {
		dir := t.TempDir()
		cert := signerOf(t, dir, "one", key.algorithm, key.paramset)
		for _, form := range forms {
			t.Run(fmt.Sprintf("%s-%s %s", key.algorithm, key.paramset, form.name), func(t *testing.T) {
				file := sign(t, dir, "one", form.args...)
				content := Content{}
				if form.detached {
					content = Document(document)
				}
				r := verifyOne(t, file, content)
				if !allPassed(r.Math) || !allPassed(r.Format) {
					t.Errorf("%+v %+v", r.Math, r.Format)
				}
				if statusOf(r.Math, CheckSignature) == nil {
					t.Error("no signature was checked")
				}
				if !r.Certificate.Equal(cert) || r.Level != form.level {
					t.Errorf("level %s, want %s; or the wrong certificate", r.Level, form.level)
				}
				checkWrongDocument(t, file, form.detached)
			})
		}
	}
}

// checkWrongDocument offers another document, an empty one and none.
func checkWrongDocument(t *testing.T, file []byte, detached bool) {
	t.Helper()
	for _, wrong := range [][]byte{append(bytes.Clone(document), ' '), document[1:], {}, nil} {
		if r := verifyOne(t, file, Document(wrong)); allPassed(r.Math) {
			t.Errorf("passes for the document %q", wrong)
		}
	}
	if !detached {
		return
	}
	r := verifyOne(t, file, Content{})
	if allPassed(r.Math) {
		t.Error("passes without the document")
	}
	wantCheck(t, r.Math, CheckContent, verdict.Indeterminate, reason.ContentMissing)
}

// TestBase64 verifies bare base64, with and without line ends.
func TestBase64(t *testing.T) {
	openssl.Require(t)
	dir := t.TempDir()
	signerOf(t, dir, "one", "gost2012_256", "A")
	text := sign(t, dir, "one", "-nodetach", "-outform", "PEM")
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("openssl wrote no PEM")
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	for _, separator := range []string{"\n", "\r\n", ""} {
		bare := bytes.Join(lines[1:len(lines)-1], []byte(separator))
		if r := verifyOne(t, bare, Content{}); !allPassed(r.Math) {
			t.Errorf("separator %q: %+v", separator, r.Math)
		}
	}
	for _, label := range []string{"CMS", "PKCS7", "PKCS #7 SIGNED DATA"} {
		text := pem.EncodeToMemory(&pem.Block{Type: label, Bytes: block.Bytes})
		if r := verifyOne(t, text, Content{}); !allPassed(r.Math) {
			t.Errorf("label %q: %+v", label, r.Math)
		}
	}
	text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes})
	if sd, err := Parse(text); sd != nil || reason.Of(err) != reason.SignatureMalformed {
		t.Errorf("PEM of another kind: %v", err)
	}
}

// TestSeveralSigners verifies a file that two people signed, and each on his own
// account after the signature of one is damaged.
func TestSeveralSigners(t *testing.T) {
	openssl.Require(t)
	dir := t.TempDir()
	one := signerOf(t, dir, "one", "gost2012_256", "A")
	two := signerOf(t, dir, "two", "gost2012_512", "A")
	file := sign(t, dir, "one", "-nodetach", "-outform", "DER", "-signer", "two.crt", "-inkey", "two.key")
	sd, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	certs, _ := sd.X509()
	results := sd.Verify(Content{}, certs)
	if len(results) != 2 {
		t.Fatalf("%d signers, want 2", len(results))
	}
	for i, r := range results {
		if !allPassed(r.Math) || !allPassed(r.Format) {
			t.Errorf("signer %d: %+v %+v", i, r.Math, r.Format)
		}
		want := one
		if len(sd.Signers[i].Signature) == 128 {
			want = two
		}
		if !r.Certificate.Equal(want) {
			t.Errorf("signer %d has the wrong certificate", i)
		}
	}

	sd.Signers[0].Signature = bytes.Clone(sd.Signers[0].Signature)
	sd.Signers[0].Signature[5] ^= 1
	results = sd.Verify(Content{}, certs)
	if allPassed(results[0].Math) || !allPassed(results[1].Math) {
		t.Errorf("after damage to the first: %+v", results)
	}
	wantCheck(t, results[0].Math, CheckSignature, verdict.Failed, reason.SignatureBad)
}

// TestCertificateSet checks that the signer is the one the SignerInfo names,
// whatever else is in the file and in whatever order.
func TestCertificateSet(t *testing.T) {
	openssl.Require(t)
	dir := t.TempDir()
	cert := signerOf(t, dir, "one", "gost2012_256", "A")
	other := signerOf(t, dir, "two", "gost2012_256", "A")
	sd, err := Parse(sign(t, dir, "one", "-nodetach", "-nocerts", "-outform", "DER"))
	if err != nil {
		t.Fatal(err)
	}
	twin := *cert // the same name and number, the key of somebody else
	twin.PublicKey, twin.Raw = other.PublicKey, other.Raw

	for _, v := range []struct {
		name  string
		certs []*gostx509.Certificate
		want  *gostx509.Certificate
		code  reason.Code
	}{
		{"none", nil, nil, reason.SignerCertMissing},
		{"another only", []*gostx509.Certificate{other}, nil, reason.SignerCertMissing},
		{"alone", []*gostx509.Certificate{cert}, cert, ""},
		{"last", []*gostx509.Certificate{other, cert}, cert, ""},
		{"after its twin", []*gostx509.Certificate{&twin, cert}, cert, ""},
		{"before its twin", []*gostx509.Certificate{cert, &twin}, cert, ""},
		{"its twin only", []*gostx509.Certificate{&twin}, &twin, reason.SignatureBad},
		{"hidden behind many twins", append(twins(twin, maxCandidates), cert), nil, reason.SignatureBad},
	} {
		r := sd.Verify(Content{}, v.certs)[0]
		switch v.code {
		case "":
			if !allPassed(r.Math) || r.Certificate != v.want {
				t.Errorf("%s: %+v", v.name, r.Math)
			}
		case reason.SignerCertMissing:
			wantCheck(t, r.Math, CheckSigner, verdict.Indeterminate, v.code)
		default:
			wantCheck(t, r.Math, CheckSignature, verdict.Failed, v.code)
		}
	}
}

// twins returns n different certificates with the name and key of one.
func twins(of gostx509.Certificate, n int) []*gostx509.Certificate {
	var all []*gostx509.Certificate
	for i := range n {
		one := of
		one.Raw = fmt.Appendf(nil, "twin %d", i)
		all = append(all, &one)
	}
	return all
}

// TestSigningCertificate checks that CAdES holds the signer to one certificate:
// another with the same name and the same key does not do.
func TestSigningCertificate(t *testing.T) {
	openssl.Require(t)
	dir := t.TempDir()
	cert := signerOf(t, dir, "one", "gost2012_256", "A")
	sd, err := Parse(sign(t, dir, "one", "-nodetach", "-cades", "-outform", "DER"))
	if err != nil {
		t.Fatal(err)
	}
	renewed := *cert
	renewed.Raw = append(bytes.Clone(cert.Raw), 0)
	r := sd.Verify(Content{}, []*gostx509.Certificate{&renewed})[0]
	wantCheck(t, r.Math, CheckSignature, verdict.Passed, "")
	wantCheck(t, r.Math, CheckSigningCertificate, verdict.Failed, reason.SignerCertMismatch)

	r = sd.Verify(Content{}, []*gostx509.Certificate{&renewed, cert})[0]
	if !allPassed(r.Math) || r.Certificate != cert {
		t.Errorf("the certificate that was meant is there: %+v", r.Math)
	}
}

// TestAttributesAsDocument takes the signed attributes of a signature and offers
// them as the document of a signature without attributes: the mathematics is
// right, and nobody signed such a document.
func TestAttributesAsDocument(t *testing.T) {
	openssl.Require(t)
	dir := t.TempDir()
	cert := signerOf(t, dir, "one", "gost2012_256", "A")
	sd, err := Parse(sign(t, dir, "one", "-nodetach", "-outform", "DER"))
	if err != nil {
		t.Fatal(err)
	}
	s := &sd.Signers[0]
	sd.Content = append([]byte{0x31}, s.RawSignedAttrs[1:]...)
	s.RawSignedAttrs, s.SignedAttrs = nil, nil
	r := sd.Verify(Content{}, []*gostx509.Certificate{cert})[0]
	wantCheck(t, r.Math, CheckContent, verdict.Failed, reason.ContentIsAttributes)
}

// TestDigestOnly verifies a detached signature by the digest of the document.
func TestDigestOnly(t *testing.T) {
	openssl.Require(t)
	dir := t.TempDir()
	signerOf(t, dir, "one", "gost2012_256", "A")
	for _, args := range [][]string{{"-outform", "DER"}, {"-noattr", "-outform", "DER"}} {
		file := sign(t, dir, "one", args...)
		sd, err := Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		id := sd.Signers[0].DigestAlgorithm.Algorithm
		sum := openssl.Run(t, dir, "dgst", "-md_gost12_256", "-binary", "document")
		if r := verifyOne(t, file, Digest(id, sum)); !allPassed(r.Math) {
			t.Errorf("%v: %+v", args, r.Math)
		}
		bad := bytes.Clone(sum)
		bad[0] ^= 1
		if r := verifyOne(t, file, Digest(id, bad)); allPassed(r.Math) {
			t.Errorf("%v: passes with a wrong digest", args)
		}
		if r := verifyOne(t, file, Digest(id, sum[:31])); allPassed(r.Math) {
			t.Errorf("%v: passes with a short digest", args)
		}
		if r := verifyOne(t, file, Digest([]int{1, 2, 3}, sum)); allPassed(r.Math) {
			t.Errorf("%v: passes with a digest in another algorithm", args)
		}
	}
}
