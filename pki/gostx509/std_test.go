package gostx509

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
)

// sameAsStd compares what two parsers read from one certificate.
func sameAsStd(t *testing.T, ours *Certificate, std *x509.Certificate) {
	t.Helper()
	ids := func(list []x509.ExtKeyUsage) (all []string) {
		for _, u := range list {
			all = append(all, map[x509.ExtKeyUsage]string{
				x509.ExtKeyUsageClientAuth: OIDClientAuth.String(), x509.ExtKeyUsageEmailProtection: OIDEmailProtection.String(),
			}[u])
		}
		return all
	}
	dotted := func(list []asn1.ObjectIdentifier) (all []string) {
		for _, id := range list {
			all = append(all, id.String())
		}
		return all
	}
	addresses := func(list []net.IP) (all []string) {
		for _, ip := range list {
			all = append(all, ip.String())
		}
		return all
	}
	key, ok := std.PublicKey.(*ecdsa.PublicKey)
	var ips []string
	for _, ip := range ours.IPAddresses {
		ips = append(ips, ip.String())
	}
	pathLen := std.MaxPathLen
	if pathLen == 0 && !std.MaxPathLenZero {
		pathLen = -1
	}
	for what, same := range map[string]bool{
		"serial":     new(big.Int).SetBytes(ours.Serial).Cmp(std.SerialNumber) == 0,
		"dates":      ours.NotBefore.Equal(std.NotBefore) && ours.NotAfter.Equal(std.NotAfter),
		"parts":      bytes.Equal(ours.RawTBS, std.RawTBSCertificate) && bytes.Equal(ours.RawSPKI, std.RawSubjectPublicKeyInfo) && bytes.Equal(ours.Signature, std.Signature),
		"names":      bytes.Equal(ours.RawSubject, std.RawSubject) && bytes.Equal(ours.RawIssuer, std.RawIssuer) && ours.Subject.Get(OIDCommonName) == std.Subject.CommonName,
		"key":        ok && key.Equal(ours.PublicKey),
		"CA":         ours.IsCA == std.IsCA && ours.MaxPathLen == pathLen,
		"usage":      int(ours.KeyUsage) == int(std.KeyUsage) && slices.Equal(dotted(ours.ExtKeyUsage), ids(std.ExtKeyUsage)),
		"policies":   slices.Equal(dotted(ours.Policies), dotted(std.PolicyIdentifiers)),
		"key ids":    bytes.Equal(ours.SubjectKeyID, std.SubjectKeyId) && bytes.Equal(ours.AuthorityKeyID.KeyID, std.AuthorityKeyId),
		"URLs":       slices.Equal(ours.CRLDistributionPoints, std.CRLDistributionPoints) && slices.Equal(ours.OCSPServers, std.OCSPServer) && slices.Equal(ours.CAIssuers, std.IssuingCertificateURL),
		"alt names":  slices.Equal(ours.DNSNames, std.DNSNames) && slices.Equal(ours.EmailAddresses, std.EmailAddresses) && slices.Equal(ips, addresses(std.IPAddresses)),
		"unhandled":  len(std.UnhandledCriticalExtensions) == len(ours.UnhandledCritical),
		"extensions": len(ours.Extensions) == len(std.Extensions),
	} {
		if !same {
			t.Errorf("%s differ", what)
		}
	}
}

// TestStdReadsOurs has crypto/x509 read and verify what Create made.
func TestStdReadsOurs(t *testing.T) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	holder := holderTemplate()
	holder.Subject = slices.DeleteFunc(holder.Subject, func(a Attribute) bool { return a.Type.Equal(OIDPostalAddress) })
	holder.Critical = nil
	ca := mustCreate(t, caTemplate(), nil, caKey.Public(), caKey)
	ours := mustCreate(t, holder, ca, caKey.Public(), caKey)
	for _, c := range []*Certificate{ca, ours} {
		std, err := x509.ParseCertificate(c.Raw)
		if err != nil {
			t.Fatal(err)
		}
		sameAsStd(t, c, std)
		parent, err := x509.ParseCertificate(ca.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := std.CheckSignatureFrom(parent); err != nil {
			t.Error(err)
		}
	}
}

// TestWeReadStd reads what crypto/x509 made.
func TestWeReadStd(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).Lsh(big.NewInt(0xFF), 100), Subject: pkix.Name{CommonName: "проба", Country: []string{"RU"}},
		NotBefore: day(2026, 1, 1), NotAfter: day(2060, 1, 1), IsCA: true, BasicConstraintsValid: true, MaxPathLen: 3,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		DNSNames: []string{"a.example"}, EmailAddresses: []string{"a@example.org"}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 7).To4()},
		CRLDistributionPoints: []string{"http://a.example/crl"}, OCSPServer: []string{"http://o.example"}, IssuingCertificateURL: []string{"http://i.example"},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	std, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	sameAsStd(t, ours, std)
	if err := ours.CheckSignature(ours.PublicKey); err != nil {
		t.Error(err)
	}
}

// TestPrintsNobody: a certificate does not tell a log who the holder is.
func TestPrintsNobody(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := mustCreate(t, holderTemplate(), nil, key.Public(), key)
	text, err := json.Marshal(map[string]any{"certificate": c})
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%s %v %s %+v", text, c, c, []any{c})
	for _, secret := range []string{testINN, testSNILS, testOGRNIP, "Образцов", "proba@"} {
		if strings.Contains(out, secret) {
			t.Errorf("%q shows in %s", secret, out)
		}
	}
	if !strings.Contains(out, "sha256:") {
		t.Error("the fingerprint does not show: the test prints nothing")
	}
}
