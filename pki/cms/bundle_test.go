package cms

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"testing"

	"go.mozilla.org/pkcs7"

	"propusk/pki/internal/openssl"
)

// TestBundle reads certificates in every form that openssl writes them in.
func TestBundle(t *testing.T) {
	openssl.Require(t)
	dir := t.TempDir()
	first := signerOf(t, dir, "first", "gost2012_256", "A").Raw
	second := signerOf(t, dir, "second", "gost2012_512", "A").Raw
	both := append(openssl.Read(t, dir, "first.crt"), openssl.Read(t, dir, "second.crt")...)
	bundle := openssl.Run(t, dir, "crl2pkcs7", "-nocrl", "-certfile", "first.crt", "-certfile", "second.crt", "-outform", "DER")
	text := pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: bundle})

	for name, form := range map[string]struct {
		data []byte
		want [][]byte
	}{
		"certificate, DER":    {first, [][]byte{first}},
		"certificate, PEM":    {openssl.Read(t, dir, "first.crt"), [][]byte{first}},
		"certificate, base64": {[]byte(base64.StdEncoding.EncodeToString(first)), [][]byte{first}},
		"certificates, PEM":   {both, [][]byte{first, second}},
		"bundle, DER":         {bundle, [][]byte{first, second}},
		"bundle, PEM":         {text, [][]byte{first, second}},
		"bundle, base64":      {[]byte(base64.StdEncoding.EncodeToString(bundle)), [][]byte{first, second}},
	} {
		t.Run(name, func(t *testing.T) { wantBundle(t, form.data, form.want...) })
	}
}

func wantBundle(t *testing.T, data []byte, want ...[]byte) {
	t.Helper()
	got, err := Bundle(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d certificates, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("certificate %d differs", i)
		}
	}
}

// TestBundleElsewhere reads what another implementation packs.
func TestBundleElsewhere(t *testing.T) {
	cert := recorded(t, "signer.pem")
	data, err := pkcs7.DegenerateCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	wantBundle(t, data, cert)
}

// TestNotBundle sees that a signature is not taken for certificates, and that
// nothing is no bundle.
func TestNotBundle(t *testing.T) {
	empty, err := pkcs7.DegenerateCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"signature": recorded(t, "cades.pem"), "no certificates": empty, "noise": []byte("noise"),
		"nothing": nil, "header": {0x30, 0x02, 0x06, 0x00},
	} {
		if got, err := Bundle(data); err == nil {
			t.Errorf("%s gives %d certificates", name, len(got))
		}
	}
}

func FuzzBundle(f *testing.F) {
	f.Add(recorded(f, "signer.pem"))
	f.Add(recorded(f, "cades.pem"))
	f.Add([]byte{0x30, 0x80, 0x06, 0x00})
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := Bundle(data)
		if (err == nil) != (len(certs) > 0) {
			t.Fatalf("%d certificates and error %v", len(certs), err)
		}
	})
}
