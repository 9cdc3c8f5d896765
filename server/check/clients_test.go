package check_test

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/server/testgateway"
)

// takenOut is a key on a token that is gone.
type takenOut struct{ *gost3410.PrivateKey }

var errTakenOut = errors.New("the token was taken out")

func (takenOut) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errTakenOut }

// probe looks at a server as Chromium-Gost does: it offers GOST, sees that the server takes
// it, and leaves with illegal_parameter, to come again through the cryptographic provider.
func probe(t *testing.T, address string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	extensions := unhex(t, "0017 0000"+ // extended_master_secret
		"000d 0006 0004 0840 0841"+ // signature_algorithms: both of RFC 9189
		"000a 0010 000e 0022 0023 0024 0025 0026 0027 0028"+ // supported_groups: all of RFC 9189
		"ff01 0001 00") // renegotiation_info
	body := bytes.Join([][]byte{
		unhex(t, "0303"), bytes.Repeat([]byte{7}, 32), unhex(t, "00 0002 c100 01 00"),
		{byte(len(extensions) >> 8), byte(len(extensions))}, extensions,
	}, nil)
	hello := append([]byte{1, 0, byte(len(body) >> 8), byte(len(body))}, body...)
	record := append([]byte{22, 3, 1, byte(len(hello) >> 8), byte(len(hello))}, hello...)
	if _, err := conn.Write(record); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 6)
	if _, err := io.ReadFull(conn, answer); err != nil || answer[0] != 22 || answer[5] != 2 {
		t.Fatalf("no ServerHello but %x, %v", answer, err)
	}
	if _, err := conn.Write(unhex(t, "15 0303 0002 02 2f")); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, conn) //nolint:errcheck // until the server closes, which may be a reset
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantFiles fails unless the page offers the certificate of a CA, alone and with those above
// it, or does not, as wanted. What is offered is downloaded and read.
func wantFiles(t *testing.T, w *walker, ca *gostx509.Certificate, want bool) {
	t.Helper()
	sum := ca.SHA256()
	base := w.g.Config.Public.URL + "/check/files/" + hex.EncodeToString(sum[:])
	if got := strings.Contains(w.page, base+".cer") && strings.Contains(w.page, base+".p7b"); got != want {
		t.Errorf("%s is offered: %v, want %v", ca.Subject.Get(gostx509.OIDCommonName), got, want)
	}
	if !want {
		return
	}
	a := w.g.Get(w.g.Browser(), base+".cer")
	if a.StatusCode != http.StatusOK || a.Text != string(ca.Raw) || a.Header.Get("Content-Type") != "application/pkix-cert" {
		t.Errorf("%s.cer: status %d, %d bytes, %v", base, a.StatusCode, len(a.Text), a.Header)
	}
	// Package pkcs7 reads no certificates of GOST, so that it cannot read what it wrote:
	// what is inside is looked at by its bytes here, and by OpenSSL in TestFilesByOpenSSL.
	a = w.g.Get(w.g.Browser(), base+".p7b")
	if a.StatusCode != http.StatusOK || !strings.Contains(a.Text, string(ca.Raw)) || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment;") {
		t.Errorf("%s.p7b: status %d, %d bytes, %v", base, a.StatusCode, len(a.Text), a.Header)
	}
}

// TestFilesByOpenSSL has OpenSSL read the files and build the chain of a person with them.
func TestFilesByOpenSSL(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t)
	fns := g.Country.Authority("fns").Certificate
	sum := fns.SHA256()
	base := g.Config.Public.URL + "/check/files/" + hex.EncodeToString(sum[:])
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	p7b := file("chain.p7b", g.Get(g.Browser(), base+".p7b").Text)
	out := peer.Run(nil, "openssl", "pkcs7", "-inform", "DER", "-in", p7b, "-print_certs")
	if got := strings.Count(out, "BEGIN CERTIFICATE"); got != 2 {
		t.Fatalf("%d certificates:\n%s", got, out)
	}
	chain := file("chain.pem", out)
	leaf := file("leaf.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.Country.Person("ip").Certificate.Raw})))
	if out := peer.Run(nil, "openssl", "verify", "-CAfile", chain, leaf); !strings.Contains(out, "OK") {
		t.Error(out)
	}
	cer := file("fns.cer", g.Get(g.Browser(), base+".cer").Text)
	if out := peer.Run(nil, "openssl", "x509", "-inform", "DER", "-in", cer, "-noout", "-subject", "-nameopt", "utf8"); !strings.Contains(out, "УЦ ФНС") {
		t.Error(out)
	}
}

// TestFilesOfOthers: nothing but CAs of the trust data is served, and only under its own
// name.
func TestFilesOfOthers(t *testing.T) {
	g := testgateway.Start(t)
	ip, fns := g.Country.Person("ip").Certificate.SHA256(), g.Country.Authority("fns").Certificate.SHA256()
	name := hex.EncodeToString(fns[:])
	for _, file := range []string{
		hex.EncodeToString(ip[:]) + ".cer", name, name + ".pem", strings.ToUpper(name) + ".cer", name[:62] + ".cer", name + "00.p7b", ".cer", "..%2f..%2fetc%2fpasswd",
	} {
		if a := g.Get(g.Browser(), g.Config.Public.URL+"/check/files/"+file); a.StatusCode != http.StatusNotFound || !strings.Contains(a.Text, `data-code="`) {
			t.Errorf("%s: status %d", file, a.StatusCode)
		}
	}
}

// TestRequestForCertificates is row 6: no CA is named, so that no browser leaves a
// certificate out, and the types are those of GOST.
func TestRequestForCertificates(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g := testgateway.Start(t)
	out := peer.Run(nil, "openssl", "s_client", "-connect", strings.TrimPrefix(g.Config.SignIn.URL, "https://"), "-tls1_2",
		"-cipher", "GOST2012-KUZNYECHIK-KUZNYECHIKOMAC", "-CAfile", g.Path("tls/gost-ca.pem"))
	for _, want := range []string{"No client certificate CA names sent", "Client Certificate Types: GOST12 Sign, UNKNOWN (68)"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
