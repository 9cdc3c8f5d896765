// Package country makes a small country for tests: a root, accredited and other
// CAs, a signed list of accredited CAs, revocation lists and holders of
// certificates. Everything in it is fictional.
package country

import (
	"encoding/asn1"
	"encoding/pem"
	"math/rand/v2"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/openssl"
	"propusk/pki/path"
	"propusk/pki/tsl"
)

// Now is the moment at which the country exists.
var Now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// Country is a root, accredited CAs and what belongs to them. Everything in it is
// fictional.
type Country struct {
	rand *rand.ChaCha8
	Root *Authority
	// FNS is the CA of the tax service; Lost lost its accreditation on 2026-03-01;
	// Heir is a CA whose powers went to FNS on that day; Stranger is not listed.
	FNS, Lost, Heir, Stranger *Authority
	// List is the verified list of accredited CAs.
	List *tsl.List
}

// Authority is a CA.
type Authority struct {
	Cert *gostx509.Certificate
	Key  *gost3410.PrivateKey
	CRL  *crl.List // the last one published; nil if there is none

	RawCRL []byte // its DER
}

// Holder is somebody with a certificate.
type Holder struct {
	Cert *gostx509.Certificate
	Key  *gost3410.PrivateKey
}

// New makes a country.
func New(t testing.TB) *Country {
	t.Helper()
	c := &Country{rand: rand.NewChaCha8([32]byte{'c', 'o', 'u', 'n', 't', 'r', 'y'})}
	c.Root = c.Authority(t, nil, "Головной УЦ Вымышленный", "1047702026701", "7710474375")
	c.FNS = c.Authority(t, c.Root, "УЦ налоговой службы Вымышленный", "1047707030513", "7707329152")
	c.Lost = c.Authority(t, c.Root, "УЦ Бывший Вымышленный", "1027700132195", "7707083893")
	c.Heir = c.Authority(t, c.Root, "УЦ Наследодатель Вымышленный", "1027700132195", "7707083893")
	c.Stranger = c.Authority(t, c.Root, "УЦ Посторонний Вымышленный", "1027700132195", "7707083893")
	for _, a := range c.authorities() {
		c.Publish(t, a)
	}
	c.List = c.listOf(t)
	return c
}

// makeKey makes a key on a curve.
func (c *Country) makeKey(t testing.TB, curve *gost3410.Curve) *gost3410.PrivateKey {
	t.Helper()
	key, err := gost3410.GenerateKey(curve, c.rand)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Issue makes a certificate; a nil issuer makes a self-signed one.
func (c *Country) Issue(t testing.TB, template gostx509.Template, issuer *Authority, key *gost3410.PrivateKey) *gostx509.Certificate {
	t.Helper()
	var parent *gostx509.Certificate
	signer := key
	if issuer != nil {
		parent, signer = issuer.Cert, issuer.Key
	}
	raw, err := gostx509.Create(c.rand, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := gostx509.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// Authority makes a CA; a nil issuer makes a root.
func (c *Country) Authority(t testing.TB, issuer *Authority, name, ogrn, inn string) *Authority {
	t.Helper()
	key := c.makeKey(t, gost3410.CryptoProA())
	template := gostx509.Template{
		Subject: gostx509.Name{
			{Type: gostx509.OIDCountry, Text: "RU"},
			{Type: gostx509.OIDState, Text: "77 Москва"},
			{Type: gostx509.OIDLocality, Text: "Москва"},
			{Type: gostx509.OIDOrganization, Text: name},
			{Type: gostx509.OIDCommonName, Text: name},
			{Type: gostx509.OIDOGRN, Text: ogrn},
			{Type: gostx509.OIDINNLE, Text: inn},
		},
		NotBefore: Now.AddDate(-2, 0, 0), NotAfter: Now.AddDate(10, 0, 0),
		IsCA: true, MaxPathLen: -1,
		KeyUsage: gostx509.KeyUsageCertSign | gostx509.KeyUsageCRLSign | gostx509.KeyUsageDigitalSignature,
	}
	if issuer != nil {
		template.MaxPathLen = 0
	}
	return &Authority{Cert: c.Issue(t, template, issuer, key), Key: key}
}

// Publish issues a revocation list.
func (c *Country) Publish(t testing.TB, a *Authority, revoked ...*gostx509.Certificate) {
	t.Helper()
	template := crl.Template{Number: 1, ThisUpdate: Now.Add(-time.Hour), NextUpdate: Now.Add(24 * time.Hour)}
	for _, cert := range revoked {
		template.Entries = append(template.Entries, crl.Entry{
			Serial: cert.Serial, RevokedAt: Now.Add(-2 * time.Hour), Reason: crl.KeyCompromise,
		})
	}
	raw, err := crl.Create(c.rand, template, a.Cert, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	if a.CRL, err = crl.Parse(raw); err != nil {
		t.Fatal(err)
	}
	a.RawCRL = raw
}

// listOf signs the list of accredited CAs with the key of the root.
func (c *Country) listOf(t testing.TB) *tsl.List {
	t.Helper()
	since := Now.AddDate(-3, 0, 0)
	end := time.Date(2026, 3, 1, 0, 0, 0, 0, time.FixedZone("MSK", 3*60*60))
	record := func(a *Authority, successor string, history ...tsl.StatusChange) *tsl.CA {
		name := a.Cert.Subject.Get(gostx509.OIDOrganization)
		return &tsl.CA{
			Name: name, OGRN: a.Cert.Subject.Get(gostx509.OIDOGRN), INN: a.Cert.Subject.Get(gostx509.OIDINNLE),
			History: history, Current: history[len(history)-1], SuccessorOGRN: successor,
			Installations: []tsl.Installation{{Keys: []tsl.Key{{
				ID: a.Cert.SubjectKeyID, Certificates: []tsl.Certificate{tsl.NewCertificate(a.Cert)},
			}}}},
		}
	}
	accredited := tsl.StatusChange{Value: tsl.InForce, Since: since}
	terminated := tsl.StatusChange{Value: tsl.Terminated, Since: end}
	doc, err := tsl.Sign(&tsl.Content{Version: 7, Date: Now.AddDate(0, 0, -1), CAs: []*tsl.CA{
		record(c.FNS, "", accredited),
		record(c.Lost, "", accredited, terminated),
		record(c.Heir, "1047707030513", accredited, terminated),
	}}, c.Root.Key, c.Root.Cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	list, err := tsl.Verify(doc, c.Root.Cert)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Intermediates returns the certificates of all CAs.
func (c *Country) Intermediates() *path.Pool {
	pool := path.NewPool()
	for _, a := range c.authorities() {
		pool.Add(a.Cert)
	}
	return pool
}

// CRLs returns the last list of every CA.
func (c *Country) CRLs() *crl.Set {
	var lists []*crl.List
	for _, a := range c.authorities() {
		if a.CRL != nil {
			lists = append(lists, a.CRL)
		}
	}
	return crl.NewSet(lists...)
}

func (c *Country) authorities() []*Authority {
	return []*Authority{c.Root, c.FNS, c.Lost, c.Heir, c.Stranger}
}

// Entrepreneur is the template of a qualified certificate of an ИП.
func Entrepreneur() gostx509.Template {
	from, to := Now.AddDate(0, -6, 0), Now.AddDate(0, 9, 0)
	return gostx509.Template{
		Subject: gostx509.Name{
			{Type: gostx509.OIDOGRNIP, Text: "304500116000157"},
			{Type: gostx509.OIDSNILS, Text: "11223344595"},
			{Type: gostx509.OIDINN, Text: "500100732259"},
			{Type: gostx509.OIDEmail, Text: "ivanov@example.test"},
			{Type: gostx509.OIDCountry, Text: "RU"},
			{Type: gostx509.OIDCommonName, Text: "Иванов Иван Вымышленный"},
			{Type: gostx509.OIDGivenName, Text: "Иван Вымышленный"},
			{Type: gostx509.OIDSurname, Text: "Иванов"},
		},
		NotBefore: from, NotAfter: to, MaxPathLen: -1,
		KeyUsage:        gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageNonRepudiation,
		ExtKeyUsage:     []asn1.ObjectIdentifier{gostx509.OIDClientAuth, gostx509.OIDEmailProtection},
		Policies:        []asn1.ObjectIdentifier{gostx509.OIDClassKC1, gostx509.OIDClassKC2},
		SubjectSignTool: "Вымышленный СКЗИ",
		IssuerSignTool: &gostx509.IssuerSignTool{
			SignTool: "Вымышленный СКЗИ", CATool: "Вымышленный УЦ",
			SignToolCert: "Заключение № 1", CAToolCert: "Заключение № 2",
		},
		IdentificationKind: new(gostx509.IdentificationPersonal),
		PrivateKeyUsage:    gostx509.PrivateKeyUsage{NotBefore: from, NotAfter: to},
	}
}

// TimeStamping is the template of the certificate of a time-stamping authority.
func TimeStamping() gostx509.Template {
	return gostx509.Template{
		Subject: gostx509.Name{
			{Type: gostx509.OIDCountry, Text: "RU"},
			{Type: gostx509.OIDCommonName, Text: "Служба штампов времени Вымышленная"},
		},
		NotBefore: Now.AddDate(-1, 0, 0), NotAfter: Now.AddDate(5, 0, 0), MaxPathLen: -1,
		KeyUsage:    gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageNonRepudiation,
		ExtKeyUsage: []asn1.ObjectIdentifier{gostx509.OIDTimeStamping},
		Critical:    []asn1.ObjectIdentifier{gostx509.OIDExtKeyUsage},
	}
}

// Person makes a holder.
func (c *Country) Person(t testing.TB, issuer *Authority, curve *gost3410.Curve, template gostx509.Template) Holder {
	t.Helper()
	key := c.makeKey(t, curve)
	return Holder{c.Issue(t, template, issuer, key), key}
}

// KeyPEM writes a private key as openssl reads it.
func KeyPEM(t testing.TB, key *gost3410.PrivateKey) []byte {
	t.Helper()
	raw, err := pkcs8.Marshal(key, spki.DefaultAlgorithm(key.PublicKey().Curve()))
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// CertPEM writes a certificate.
func CertPEM(cert *gostx509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// Sign signs a document with the openssl command and returns the file it wrote.
// The arguments are further ones of "openssl cms -sign". It skips or fails the
// test as [openssl.Require] does.
func (h Holder) Sign(t testing.TB, document []byte, args ...string) []byte {
	t.Helper()
	openssl.Require(t)
	dir := t.TempDir()
	openssl.Write(t, dir, "document", document)
	openssl.Write(t, dir, "crt", CertPEM(h.Cert))
	openssl.Write(t, dir, "key", KeyPEM(t, h.Key))
	openssl.Run(t, dir, append([]string{
		"cms", "-sign", "-binary", "-in", "document", "-signer", "crt", "-inkey", "key", "-out", "signature",
	}, args...)...)
	return openssl.Read(t, dir, "signature")
}
