package api

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
	"propusk/pki/reason"
	"propusk/server/filekind"
)

// wrongFile is a file that is no signature.
type wrongFile struct {
	data []byte
	code reason.Code
}

// asn encodes a structure for a test.
func asn(v any) []byte {
	b, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// pemOf wraps DER.
func pemOf(label string, data []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: data})
}

// privateKeys are keys in the forms in which people have them.
func privateKeys() map[string][]byte {
	curve := gost3410.TC26256A()
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		panic(err)
	}
	gost, err := pkcs8.Marshal(key, spki.DefaultAlgorithm(curve))
	if err != nil {
		panic(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		panic(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	type identifier struct{ Algorithm asn1.ObjectIdentifier }
	encrypted := asn(struct {
		A identifier
		B []byte
	}{identifier{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}}, make([]byte, 64)})
	return map[string][]byte{
		"GOST key, PKCS #8":          gost,
		"GOST key, PEM":              pemOf("PRIVATE KEY", gost),
		"GOST key, base64":           []byte(b64(gost)),
		"EC key":                     sec1,
		"EC key, PEM":                pemOf("EC PRIVATE KEY", sec1),
		"RSA key":                    x509.MarshalPKCS1PrivateKey(rsaKey),
		"encrypted key":              encrypted,
		"encrypted key, PEM":         pemOf("ENCRYPTED PRIVATE KEY", encrypted),
		"primary.key of a container": asn(struct{ Primary []byte }{bytes.Repeat([]byte{7}, 32)}),
		"masks.key of a container":   asn(struct{ Mask, Salt, Check []byte }{bytes.Repeat([]byte{7}, 32), make([]byte, 12), make([]byte, 4)}),
	}
}

// wrongFiles are what people send instead of a signature.
func wrongFiles(s *service) map[string]wrongFile {
	certificate := s.Person("ip").Certificate.Raw
	list := s.CRL("fns")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "demo"}}, ec)
	if err != nil {
		panic(err)
	}
	type contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	info := func(arc ...int) contentInfo {
		return contentInfo{append(asn1.ObjectIdentifier{1, 2, 840, 113549, 1}, arc...), asn1.RawValue{FullBytes: []byte{0x30, 0}}}
	}
	files := map[string]wrongFile{
		"certificate":              {certificate, reason.FileIsCertificate},
		"certificate, PEM":         {pemOf("CERTIFICATE", certificate), reason.FileIsCertificate},
		"certificate, base64":      {[]byte(b64(certificate)), reason.FileIsCertificate},
		"certificate, cut off":     {certificate[:40], reason.FileIsCertificate},
		"certificate request":      {request, reason.FileIsCertificateRequest},
		"certificate request, PEM": {pemOf("NEW CERTIFICATE REQUEST", request), reason.FileIsCertificateRequest},
		"revocation list":          {list, reason.FileIsCRL},
		"revocation list, PEM":     {pemOf("X509 CRL", list), reason.FileIsCRL},
		"encrypted message":        {asn(info(7, 3)), reason.FileIsEncrypted},
		"encrypted data":           {asn(info(7, 6)), reason.FileIsEncrypted},
		"authenticated message":    {asn(info(9, 16, 1, 23)), reason.FileIsEncrypted},
		"answer of a TSA": {asn(struct {
			Status struct{ Code int }
			Token  contentInfo
		}{Token: info(7, 2)}), reason.FileIsTimeStamp},
		"PKCS #12": {asn(struct {
			Version int
			Safe    contentInfo
		}{3, info(7, 1)}), reason.FileIsPKCS12},
		"ZIP":               {[]byte("PK\x03\x04\x14\x00\x08\x08"), reason.FileIsArchive},
		"RAR":               {[]byte("Rar!\x1a\x07\x01\x00"), reason.FileIsArchive},
		"7z":                {[]byte("7z\xbc\xaf\x27\x1c\x00\x04"), reason.FileIsArchive},
		"gzip":              {[]byte("\x1f\x8b\x08\x00"), reason.FileIsArchive},
		"PDF":               {[]byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), reason.FileIsPDF},
		"XML":               {[]byte("<?xml version=\"1.0\"?><a/>"), reason.FileIsXML},
		"XML, BOM":          {[]byte("\ufeff \n<Файл/>"), reason.FileIsXML},
		"XML, UTF-16":       {[]byte("\xff\xfe<\x00?\x00"), reason.FileIsXML},
		"HTML":              {[]byte("<!DOCTYPE html><html></html>"), reason.FileIsXML},
		"PNG":               {[]byte("\x89PNG\r\n\x1a\n"), reason.FileIsDocument},
		"JPEG":              {[]byte("\xff\xd8\xff\xe0"), reason.FileIsDocument},
		"Word 97":           {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), reason.FileIsDocument},
		"RTF":               {[]byte(`{\rtf1\ansi`), reason.FileIsDocument},
		"key beside others": {append(pemOf("CMS", s.attached("ip", "x")), pemOf("PRIVATE KEY", []byte{0x30, 0})...), reason.FileIsPrivateKey},
	}
	for name, key := range privateKeys() {
		files[name] = wrongFile{key, reason.FileIsPrivateKey}
	}
	return files
}

func TestKindOf(t *testing.T) {
	s := newService(t)
	for name, c := range wrongFiles(s) {
		if got := filekind.Of(c.data); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	signature := s.attached("ip", "Договор")
	indefinite := append([]byte{0x30, 0x80}, signature[4:]...)
	for name, data := range map[string][]byte{
		"DER": signature, "PEM": pemOf("CMS", signature), "PKCS7": append([]byte("Подпись\n"), pemOf("PKCS7", signature)...),
		"base64": []byte(b64(signature)), "base64 in lines": []byte(strings.ReplaceAll(b64(signature), "A", "A\r\n")), "BER": indefinite, "cut off": signature[:20],
	} {
		if got := filekind.Of(data); got != filekind.Signature {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, data := range []string{"", "0", "00", "hello", "-----BEGIN ", "-----BEGIN NONSENSE-----", "\x30\x00", "\x30\x80", "\x30\xff\xff", "\x30\x84\xff\xff\xff\xff", "<"} {
		if got := filekind.Of([]byte(data)); got != filekind.Unknown {
			t.Errorf("%q: %q", data, got)
		}
	}
}

// FuzzKindOf: whatever the file, looking at it ends, and what it says is one of the
// words that there are.
func FuzzKindOf(f *testing.F) {
	for _, key := range privateKeys() {
		f.Add(key)
	}
	f.Add([]byte("-----BEGIN CMS-----"))
	f.Add([]byte("<?xml"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind := filekind.Of(data)
		if _, known := reason.Lookup(kind); !known && kind != filekind.Unknown && kind != filekind.Signature {
			t.Fatalf("%q", kind)
		}
	})
}
