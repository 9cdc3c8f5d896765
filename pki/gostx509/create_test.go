package gostx509

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

func newKey(t testing.TB, c *gost3410.Curve) *gost3410.PrivateKey {
	t.Helper()
	key, err := gost3410.GenerateKey(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// mustCreate makes a certificate and reads it.
func mustCreate(t testing.TB, template Template, issuer *Certificate, pub crypto.PublicKey, signer crypto.Signer) *Certificate {
	t.Helper()
	raw, err := Create(nil, template, issuer, pub, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(raw)
	if err != nil {
		t.Fatalf("%v\n%x", err, raw)
	}
	return c
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 10, 20, 30, 0, time.UTC)
}

func caTemplate() Template {
	return Template{
		Subject: Name{
			{Type: OIDCommonName, Text: "Удостоверяющий центр «Проба»"}, {Type: OIDOrganization, Text: "УЦ Проба"},
			{Type: OIDOGRN, Text: testOGRN}, {Type: OIDINNLE, Text: testINNLE}, {Type: OIDCountry, Text: "RU"},
		},
		NotBefore: day(2024, 1, 2), NotAfter: day(2051, 1, 2),
		IsCA: true, MaxPathLen: 0, KeyUsage: KeyUsageCertSign | KeyUsageCRLSign,
		Policies:        []asn1.ObjectIdentifier{OIDClassKC1, OIDClassKC2},
		SubjectSignTool: "СКЗИ «Проба»",
	}
}

// holderTemplate uses every field of a template for an end entity.
func holderTemplate() Template {
	return Template{
		Serial: []byte{0x00, 0x80, 0x01},
		Subject: Name{
			{Type: OIDOGRNIP, Text: testOGRNIP}, {Type: OIDSNILS, Text: testSNILS}, {Type: OIDINN, Text: testINN},
			{Type: OIDEmail, Text: "proba@example.org"}, {Type: OIDCountry, Text: "RU"},
			{Type: OIDCommonName, Text: "Образцов Проба Тестович"}, {Type: OIDGivenName, Text: "Проба Тестович"},
			{Type: OIDSurname, Text: "Образцов"}, {Type: OIDPostalAddress, Text: "Образцовая ул., 1"},
		},
		NotBefore: day(2025, 6, 4), NotAfter: day(2026, 9, 4),
		KeyUsage:              KeyUsageDigitalSignature | KeyUsageNonRepudiation | KeyUsageDecipherOnly,
		ExtKeyUsage:           []asn1.ObjectIdentifier{OIDClientAuth, OIDEmailProtection},
		Policies:              []asn1.ObjectIdentifier{OIDClassKC1},
		CRLDistributionPoints: []string{"http://crl.example.org/1.crl", "http://crl.example.com/1.crl"},
		OCSPServers:           []string{"http://ocsp.example.org/"},
		CAIssuers:             []string{"http://ca.example.org/ca.crt"},
		DNSNames:              []string{"proba.example.org"},
		EmailAddresses:        []string{"proba@example.org"},
		IPAddresses:           []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")},
		SubjectSignTool:       "СКЗИ «Проба»",
		IssuerSignTool:        &IssuerSignTool{"СКЗИ «Проба»", "УЦ «Проба»", "№ 1 от 01.01.2024", "№ 2 от 01.01.2024"},
		IdentificationKind:    new(IdentificationPersonal),
		PrivateKeyUsage:       PrivateKeyUsage{NotBefore: day(2025, 6, 4), NotAfter: day(2026, 9, 4)},
		Extra:                 []Extension{{ID: asn1.ObjectIdentifier{1, 2, 643, 2, 2, 49, 2}, Critical: true, Value: []byte{5, 0}}},
		Critical:              []asn1.ObjectIdentifier{OIDSubjectSignTool},
		NonCritical:           []asn1.ObjectIdentifier{OIDKeyUsage},
	}
}

// TestCreate writes every field and reads it back.
func TestCreate(t *testing.T) {
	caKey, key := newKey(t, gost3410.TC26512A()), newKey(t, gost3410.CryptoProA())
	ca := mustCreate(t, caTemplate(), nil, caKey.Public(), caKey)
	template := holderTemplate()
	c := mustCreate(t, template, ca, key.Public(), caKey)
	if err := c.CheckSignature(ca.PublicKey); err != nil {
		t.Error(err)
	}
	if err := ca.CheckSignature(ca.PublicKey); err != nil {
		t.Error(err)
	}
	who, err := c.Identity()
	if err != nil || who.Kind != person.Entrepreneur || who.OGRNIP.Reveal() != testOGRNIP {
		t.Errorf("%q, %v", who.Kind, err)
	}
	for what, same := range map[string]bool{
		"serial":         bytes.Equal(c.Serial, []byte{0x00, 0x80, 0x01}),
		"random serial":  len(ca.Serial) == 16 && ca.Serial[0] < 0x80,
		"issuer":         bytes.Equal(c.RawIssuer, ca.RawSubject) && c.Issuer.String() == ca.Subject.String(),
		"dates":          c.NotBefore.Equal(template.NotBefore) && c.NotAfter.Equal(template.NotAfter) && ca.NotAfter.Equal(day(2051, 1, 2)),
		"key":            key.PublicKey().Equal(c.PublicKey),
		"key algorithm":  c.PublicKeyAlgorithm.Algorithm.Equal(sigalg.OIDKeyGOST256),
		"signature":      c.SignatureAlgorithm.Algorithm.Equal(sigalg.OIDGOST512WithStreebog) && c.SignatureAlgorithm.Parameters == nil,
		"CA":             ca.IsCA && ca.MaxPathLen == 0 && !c.IsCA && c.MaxPathLen == -1,
		"key usage":      c.KeyUsage == template.KeyUsage && ca.KeyUsage == KeyUsageCertSign|KeyUsageCRLSign,
		"ext key usage":  slices.EqualFunc(c.ExtKeyUsage, template.ExtKeyUsage, asn1.ObjectIdentifier.Equal),
		"policies":       slices.EqualFunc(c.Policies, template.Policies, asn1.ObjectIdentifier.Equal),
		"key ids":        len(ca.SubjectKeyID) == 20 && bytes.Equal(c.AuthorityKeyID.KeyID, ca.SubjectKeyID) && ca.AuthorityKeyID.KeyID == nil,
		"authority":      bytes.Equal(c.AuthorityKeyID.RawIssuer, ca.RawIssuer) && bytes.Equal(c.AuthorityKeyID.Serial, ca.Serial),
		"CDP":            slices.Equal(c.CRLDistributionPoints, template.CRLDistributionPoints),
		"AIA":            slices.Equal(c.OCSPServers, template.OCSPServers) && slices.Equal(c.CAIssuers, template.CAIssuers),
		"alt names":      slices.Equal(c.DNSNames, template.DNSNames) && slices.Equal(c.EmailAddresses, template.EmailAddresses) && slices.Equal(c.IPAddresses, template.IPAddresses),
		"sign tools":     c.SubjectSignTool == template.SubjectSignTool && *c.IssuerSignTool == *template.IssuerSignTool,
		"identification": c.IdentificationKind != nil && *c.IdentificationKind == IdentificationPersonal,
		"key period":     c.PrivateKeyUsage == template.PrivateKeyUsage,
		"critical":       len(c.UnhandledCritical) == 1 && c.UnhandledCritical[0].Equal(template.Extra[0].ID),
		"equal":          (&Certificate{Raw: c.Raw}).Equal(c) && !c.Equal(ca) && !c.Equal(nil) && c.SHA256() != ca.SHA256(),
	} {
		if !same {
			t.Errorf("%s: not what the template says", what)
		}
	}
	for id, want := range map[string]bool{OIDKeyUsage.String(): false, OIDSubjectSignTool.String(): true, OIDPolicies.String(): false} {
		for _, e := range c.Extensions {
			if e.ID.String() == id && e.Critical != want {
				t.Errorf("extension %s: critical is %v", id, e.Critical)
			}
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	key, other := newKey(t, gost3410.CryptoProA()), newKey(t, gost3410.CryptoProA())
	ca := mustCreate(t, caTemplate(), nil, key.Public(), key)
	for name, c := range map[string]struct {
		issuer *Certificate
		signer crypto.Signer
		spoil  func(*Template)
	}{
		"another signer":        {ca, other, func(*Template) {}},
		"another self-signer":   {nil, other, func(*Template) {}},
		"issuer without a key":  {&Certificate{}, key, func(*Template) {}},
		"dates in wrong order":  {ca, key, func(t *Template) { t.NotAfter = t.NotBefore.Add(-time.Second) }},
		"long serial":           {ca, key, func(t *Template) { t.Serial = bytes.Repeat([]byte{1}, 21) }},
		"letters in ИНН":        {ca, key, func(t *Template) { t.Subject = Name{{Type: OIDINN, Text: "12a"}} }},
		"text that is not UTF8": {ca, key, func(t *Template) { t.SubjectSignTool = "\xff" }},
		"URL in Russian":        {ca, key, func(t *Template) { t.CRLDistributionPoints = []string{"http://пример.рф/"} }},
		"empty URL":             {ca, key, func(t *Template) { t.OCSPServers = []string{""} }},
		"broken randomness":     {ca, key, func(t *Template) { t.Serial = nil }},
	} {
		template := holderTemplate()
		c.spoil(&template)
		random := rand.Reader
		if name == "broken randomness" {
			random = bytes.NewReader(nil)
		}
		if raw, err := Create(random, template, c.issuer, key.Public(), c.signer); err == nil || raw != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestSerials: a zero in front where the sign would be, none elsewhere.
func TestSerials(t *testing.T) {
	key := newKey(t, gost3410.CryptoProA())
	for given, want := range map[string]string{"\x01": "\x01", "\x00\x01": "\x01", "\x80": "\x00\x80", "\x00": "\x00"} {
		template := caTemplate()
		template.Serial = []byte(given)
		if c := mustCreate(t, template, nil, key.Public(), key); string(c.Serial) != want {
			t.Errorf("%x written as %x, want %x", given, c.Serial, want)
		}
	}
}

// TestWrongName writes a signature algorithm that is not the real one.
func TestWrongName(t *testing.T) {
	key := newKey(t, gost3410.CryptoProA())
	for id, want := range map[string]reason.Code{
		"1.2.840.113549.1.1.5": reason.CertAlgorithm, // SHA-1 with RSA
		"1.2.3":                reason.CertAlgorithm,
		"1.2.643.7.1.1.3.3":    reason.CertAlgorithm, // the size of another key
		"1.2.643.2.2.3":        "",                   // GOST R 34.11-94, made as named
		"1.2.643.7.1.1.1.1":    "",                   // the key algorithm implies the digest
	} {
		template := caTemplate()
		template.SignatureAlgorithm.Algorithm = parseOID(t, id)
		c := mustCreate(t, template, nil, key.Public(), key)
		if err := c.CheckSignature(key.Public()); reason.Of(err) != want {
			t.Errorf("%s: %v, want %q", id, err, want)
		}
		if err := c.CheckSignature(nil); reason.Of(err) != reason.CertKeyUnsupported {
			t.Errorf("no key: %v", err)
		}
	}
}

func parseOID(t testing.TB, dotted string) asn1.ObjectIdentifier {
	t.Helper()
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(dotted, ".") {
		n := 0
		for _, c := range part {
			n = n*10 + int(c-'0')
		}
		id = append(id, n)
	}
	return id
}

// engine runs openssl with gost-engine, or skips the test when there is none.
func engine(t *testing.T, args ...string) string {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "gost.cnf")
	text := "openssl_conf = o\n[o]\nengines = e\n[e]\ngost = g\n[g]\nengine_id = gost\ndefault_algorithms = ALL\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, error) {
		cmd := exec.Command("openssl", args...)
		cmd.Env = append(os.Environ(), "OPENSSL_CONF="+conf)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("dgst", "-md_gost12_256", os.DevNull); err != nil {
		t.Skipf("openssl with gost-engine is absent: %v %s", err, out)
	}
	out, err := run(args...)
	if err != nil {
		t.Fatalf("openssl %q: %v\n%s", args, err, out)
	}
	return out
}

func writePEM(t *testing.T, name string, c *Certificate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// parameterSets is the twelve sets of RFC 9215 and CryptoPro.
func parameterSets() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{
		{1, 2, 643, 2, 2, 35, 1}, {1, 2, 643, 2, 2, 35, 2}, {1, 2, 643, 2, 2, 35, 3}, {1, 2, 643, 2, 2, 36, 0}, {1, 2, 643, 2, 2, 36, 1},
		{1, 2, 643, 7, 1, 2, 1, 1, 1}, {1, 2, 643, 7, 1, 2, 1, 1, 2}, {1, 2, 643, 7, 1, 2, 1, 1, 3}, {1, 2, 643, 7, 1, 2, 1, 1, 4},
		{1, 2, 643, 7, 1, 2, 1, 2, 1}, {1, 2, 643, 7, 1, 2, 1, 2, 2}, {1, 2, 643, 7, 1, 2, 1, 2, 3},
	}
}

// TestOpenSSL has OpenSSL with gost-engine verify chains that Create made, over
// every parameter set of the holder and of the CA.
func TestOpenSSL(t *testing.T) {
	for _, set := range parameterSets() {
		t.Run(set.String(), func(t *testing.T) {
			curve, err := gost3410.CurveByParamSet(set)
			if err != nil {
				t.Fatal(err)
			}
			algorithm, err := spki.AlgorithmFor(set)
			if err != nil {
				t.Fatal(err)
			}
			caKey, key := newKey(t, curve), newKey(t, curve)
			root := caTemplate()
			root.PublicKeyAlgorithm = algorithm
			ca := mustCreate(t, root, nil, caKey.Public(), caKey)
			holder := holderTemplate()
			holder.PublicKeyAlgorithm, holder.Extra, holder.Critical = algorithm, nil, nil
			c := mustCreate(t, holder, ca, key.Public(), caKey)
			if !c.PublicKeyAlgorithm.ParamSet.Equal(set) {
				t.Errorf("written as %v", c.PublicKeyAlgorithm.ParamSet)
			}
			out := engine(t, "verify", "-x509_strict", "-attime", "1767225600", "-CAfile", writePEM(t, "ca.pem", ca), writePEM(t, "ee.pem", c))
			if !strings.HasSuffix(strings.TrimSpace(out), ": OK") {
				t.Error(out)
			}
		})
	}
}

// TestOpenSSLText compares what OpenSSL prints with what was written.
func TestOpenSSLText(t *testing.T) {
	caKey, key := newKey(t, gost3410.CryptoProA()), newKey(t, gost3410.TC26512A())
	ca := mustCreate(t, caTemplate(), nil, caKey.Public(), caKey)
	c := mustCreate(t, holderTemplate(), ca, key.Public(), caKey)
	out := engine(t, "x509", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus", "-in", writePEM(t, "ee.pem", c))
	for _, want := range []string{
		"Serial Number: 32769 (0x8001)", "OGRNIP=304500116000157", "SNILS=11223344595", "INN=500100732259", "emailAddress=proba@example.org",
		"CN=Образцов Проба Тестович", "Not After : Sep  4 10:20:30 2026 GMT", "Digital Signature, Non Repudiation, Decipher Only",
		"TLS Web Client Authentication, E-mail Protection", "Class of Signing Tool KC1", "URI:http://crl.example.org/1.crl",
		"OCSP - URI:http://ocsp.example.org/", "CA Issuers - URI:http://ca.example.org/ca.crt", "DNS:proba.example.org", "IP Address:192.0.2.1",
		"Not Before: Jun  4 10:20:30 2025 GMT, Not After: Sep  4 10:20:30 2026 GMT", "GOST R 34.10-2012 with GOST R 34.11-2012 (256 bit)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestOtherKeys makes certificates with RSA and ECDSA keys, on either side.
func TestOtherKeys(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	gost := newKey(t, gost3410.TC26256A())
	signers := []crypto.Signer{rsaKey, gost}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, key)
	}
	for _, signer := range signers {
		ca := mustCreate(t, caTemplate(), nil, signer.Public(), signer)
		for _, holder := range signers {
			c := mustCreate(t, holderTemplate(), ca, holder.Public(), signer)
			if err := c.CheckSignature(signer.Public()); err != nil {
				t.Errorf("%T under %T: %v", holder, signer, err)
			}
			if holder != signer {
				if err := c.CheckSignature(holder.Public()); err == nil {
					t.Errorf("%T under %T: verifies under the wrong key", holder, signer)
				}
			}
		}
	}
	if _, err := Create(nil, caTemplate(), nil, unknownSigner{}, unknownSigner{}); err == nil {
		t.Error("a key of an unknown kind was taken")
	}
}

// unknownSigner is a key of no kind that we know.
type unknownSigner struct{ crypto.Signer }

func (u unknownSigner) Public() crypto.PublicKey          { return u }
func (u unknownSigner) Equal(other crypto.PublicKey) bool { return u == other }

// TestGenerations: a key of 2012 does not vouch for what was signed with the
// digest of 1994, nor one of 2001 for Streebog, though the mathematics is right.
func TestGenerations(t *testing.T) {
	old := spki.AlgorithmIdentifier{Algorithm: sigalg.OIDKeyGOST2001, ParamSet: asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}, Digest: asn1.ObjectIdentifier{1, 2, 643, 2, 2, 30, 1}}
	for name, c := range map[string]struct {
		key       spki.AlgorithmIdentifier
		signature asn1.ObjectIdentifier
		want      reason.Code
	}{
		"2012":                         {spki.AlgorithmIdentifier{}, sigalg.OIDGOST256WithStreebog, ""},
		"2001":                         {old, sigalg.OIDGOST2001WithGOST94, ""},
		"2012 with the digest of 1994": {spki.AlgorithmIdentifier{}, sigalg.OIDGOST2001WithGOST94, reason.CertAlgorithm},
		"2001 with Streebog":           {old, sigalg.OIDGOST256WithStreebog, reason.CertAlgorithm},
	} {
		key := newKey(t, gost3410.CryptoProA())
		template := caTemplate()
		template.PublicKeyAlgorithm = c.key
		ca := mustCreate(t, template, nil, key.Public(), key)
		template = holderTemplate()
		template.SignatureAlgorithm = sigalg.AlgorithmIdentifier{Algorithm: c.signature}
		holder := mustCreate(t, template, ca, newKey(t, gost3410.TC26256A()).Public(), key)
		if err := holder.CheckSignature(ca.PublicKey); err != nil {
			t.Fatalf("%s: the mathematics: %v", name, err)
		}
		if err := holder.CheckSignatureFrom(ca); reason.Of(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestFailingSigner(t *testing.T) {
	key := newKey(t, gost3410.CryptoProA())
	_, err := Create(failingReader{}, Template{Serial: []byte{1}}, nil, key.Public(), key)
	if !errors.Is(err, errBroken) {
		t.Errorf("%v, want the error of the random source", err)
	}
}

var errBroken = errors.New("broken")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errBroken }
