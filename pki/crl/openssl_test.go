package crl

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
	"propusk/pki/gostx509"
	"propusk/pki/internal/openssl"
	"propusk/pki/reason"
)

// caConfig is the CA of openssl, with the extensions of lists.
const caConfig = `openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
[ca]
default_ca = ca_default
[ca_default]
database = index.txt
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = md_gost12_256
default_crl_days = 7
[plain]
authorityKeyIdentifier = keyid
[delta]
authorityKeyIdentifier = keyid
2.5.29.27 = critical,ASN1:INTEGER:5
[freshest]
authorityKeyIdentifier = keyid
freshestCRL = URI:http://ca.example/1.crl
[idp]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical,@point
[point]
fullname = URI:http://ca.example/1.crl
onlyuser = TRUE
onlysomereasons = keyCompromise, CACompromise
indirectCRL = TRUE
[relative]
issuingDistributionPoint = critical,@relative_point
[relative_point]
relativename = rdn
[rdn]
CN = part
`

// database is the index of the CA of openssl.
const database = "R\t351231235959Z\t260701120000Z,keyCompromise\t11\tunknown\t/CN=a\n" +
	"R\t351231235959Z\t260702120000Z,certificateHold\t12\tunknown\t/CN=b\n" +
	"R\t351231235959Z\t260703120000Z,keyTime,20260601000000Z\t13\tunknown\t/CN=c\n" +
	"R\t351231235959Z\t260704120000Z\t01F000000000000000000000000000000A\tunknown\t/CN=d\n" +
	"V\t351231235959Z\t\t22\tunknown\t/CN=e\n"

// keep writes the key and the certificate of a CA for openssl.
func (a authority) keep(t *testing.T, dir, name string) {
	t.Helper()
	key, ok := a.key.(*gost3410.PrivateKey)
	if !ok {
		t.Fatalf("%T", a.key)
	}
	der, err := pkcs8.Marshal(key, spki.DefaultAlgorithm(gost3410.CryptoProA()))
	if err != nil {
		t.Fatal(err)
	}
	openssl.Write(t, dir, name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	writePEM(t, dir, name+".pem", "CERTIFICATE", a.cert.Raw)
}

func writePEM(t *testing.T, dir, name, kind string, ders ...[]byte) {
	t.Helper()
	var b bytes.Buffer
	for _, der := range ders {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	openssl.Write(t, dir, name, b.Bytes())
}

// TestOpenSSLLists reads lists of every kind that openssl ca makes.
func TestOpenSSLLists(t *testing.T) {
	openssl.Require(t)
	ca, dir := newAuthority(t, "УЦ", nil), t.TempDir()
	ca.keep(t, dir, "ca")
	openssl.Write(t, dir, "ca.cnf", []byte(caConfig))
	openssl.Write(t, dir, "index.txt", []byte(database))
	openssl.Write(t, dir, "crlnumber", []byte("07\n"))
	made := func(section string) *List {
		out := openssl.Run(t, dir, "ca", "-gencrl", "-config", "ca.cnf", "-crlexts", section)
		block, _ := pem.Decode(out)
		if block == nil {
			t.Fatalf("%s: no PEM: %s", section, out)
		}
		l, err := Parse(block.Bytes)
		if err != nil {
			t.Fatalf("%s: %v", section, err)
		}
		if err := l.CheckSignature(ca.cert); err != nil || l.Unusable() != nil || l.Len() != 4 {
			t.Errorf("%s: %v, %v, %d entries", section, err, l.Unusable(), l.Len())
		}
		return l
	}
	plain := made("plain")
	at := plain.ThisUpdate().Add(time.Minute)
	for serial, want := range map[string]Entry{
		"\x11": {Reason: KeyCompromise, RevokedAt: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)},
		"\x12": {Reason: CertificateHold, RevokedAt: time.Date(2026, 7, 2, 12, 0, 0, 0, time.UTC)},
		"\x13": {Reason: KeyCompromise, RevokedAt: time.Date(2026, 7, 3, 12, 0, 0, 0, time.UTC), InvalidSince: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},
		"\x01\xf0" + strings.Repeat("\x00", 14) + "\x0a": {RevokedAt: time.Date(2026, 7, 4, 12, 0, 0, 0, time.UTC)},
	} {
		if e, ok := plain.Lookup([]byte(serial)); !ok || e.Reason != want.Reason || !e.RevokedAt.Equal(want.RevokedAt) || !e.InvalidSince.Equal(want.InvalidSince) {
			t.Errorf("%x: %+v, %v", serial, e, ok)
		}
	}
	cert, fresh := ca.issue(t, []byte{0x22}, nil), made("freshest")
	if c := (Checker{Set: NewSet(plain)}).Revocation(cert, ca.cert, at); c.Reason != "" {
		t.Errorf("%+v", c)
	}
	if got := fresh.FreshestCRL(); !slices.Equal(got, []string{pointURL}) {
		t.Errorf("freshest %q", got)
	}
	if d := made("delta"); !d.Delta() || !bytes.Equal(d.BaseNumber(), []byte{5}) || compareNumbers(d.Number(), plain.Number()) <= 0 {
		t.Errorf("delta of %x, number %x", d.BaseNumber(), d.Number())
	} else if a := (Checker{Set: NewSet(plain, d)}).Answer(cert, ca.cert, at); a.Check.Reason != "" || a.List != d {
		t.Errorf("with a delta: %+v", a)
	}
	s := made("idp").Scope()
	if !slices.Equal(s.URLs, []string{pointURL}) || !s.UserCerts || !s.Indirect || s.Reasons != Reasons(KeyCompromise, CACompromise) {
		t.Errorf("%+v", s)
	}
	relative := made("relative")
	if len(relative.names) != 1 || !strings.HasPrefix(relative.names[0].value, "\x30") || !strings.HasSuffix(relative.names[0].value, "part") {
		t.Errorf("%q", relative.names)
	}
}

// TestOpenSSLAgrees: openssl verify, which knows delta and indirect lists too, says of
// ours what we say.
func TestOpenSSLAgrees(t *testing.T) {
	openssl.Require(t)
	ca, dir := newAuthority(t, "CA", nil), t.TempDir()
	cert, held := ca.issue(t, []byte{0x22}, nil), ca.issue(t, []byte{0x33}, nil)
	hold := Entry{Serial: held.Serial, RevokedAt: now.Add(-50 * time.Minute), Reason: CertificateHold}
	lift := Entry{Serial: held.Serial, RevokedAt: now.Add(-20 * time.Minute), Reason: RemoveFromCRL}
	complete := ca.der(t, func(t *Template) { t.Entries = []Entry{hold}; t.Freshest = []string{pointURL} })
	delta := func(entries ...Entry) []byte {
		return ca.der(t, func(t *Template) {
			t.Number, t.Base, t.Entries, t.ThisUpdate = 9, 7, entries, now.Add(-10*time.Minute)
		})
	}
	signer := newAuthority(t, "CRL", nil)
	signer.cert = parse(t, create(t, gostx509.Template{
		Serial: []byte{5}, Subject: signer.cert.Subject, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: gostx509.KeyUsageCRLSign, // the chain to ca.cert is what openssl wants
	}, ca.cert, signer.key.Public(), ca.key))
	pointed := ca.issue(t, []byte{0x44}, func(t *gostx509.Template) {
		t.Extra = []gostx509.Extension{extension("2.5.29.31", false, asn(0x30, asn(0x30, namedURL, asn(0xA2, asn(0xA4, string(signer.cert.RawSubject))))))}
	})
	indirect := func(entries ...Entry) []byte {
		return signer.der(t, func(t *Template) {
			t.Scope, t.Entries = Scope{URLs: []string{pointURL}, Indirect: true}, entries
		})
	}
	revoked := Entry{Serial: pointed.Serial, RevokedAt: now.Add(-time.Hour), Reason: KeyCompromise, Issuer: ca.cert.RawSubject}
	elsewhere := Entry{Serial: pointed.Serial, RevokedAt: now.Add(-time.Hour), Reason: KeyCompromise, Issuer: signer.cert.RawSubject}
	writePEM(t, dir, "ca.pem", "CERTIFICATE", ca.cert.Raw)
	writePEM(t, dir, "signer.pem", "CERTIFICATE", signer.cert.Raw)
	for name, v := range map[string]struct {
		cert  *gostx509.Certificate
		lists [][]byte
		want  reason.Code
	}{
		"good":            {cert, [][]byte{complete}, ""},
		"on hold":         {held, [][]byte{complete}, reason.CertOnHold},
		"hold lifted":     {held, [][]byte{complete, delta(lift)}, ""},
		"revoked since":   {cert, [][]byte{complete, delta(Entry{Serial: cert.Serial, RevokedAt: now.Add(-time.Hour)})}, reason.CertRevoked},
		"indirect":        {pointed, [][]byte{indirect()}, ""},
		"revoked there":   {pointed, [][]byte{indirect(revoked)}, reason.CertRevoked},
		"of another CA":   {pointed, [][]byte{indirect(elsewhere)}, ""},
		"several issuers": {pointed, [][]byte{indirect(elsewhere, revoked)}, reason.CertRevoked},
	} {
		writePEM(t, dir, "cert.pem", "CERTIFICATE", v.cert.Raw)
		writePEM(t, dir, "lists.pem", "X509 CRL", v.lists...)
		args := []string{"verify", "-crl_check", "-extended_crl", "-use_deltas", "-attime", fmt.Sprint(now.Unix()),
			"-CAfile", "ca.pem", "-untrusted", "signer.pem", "-CRLfile", "lists.pem", "cert.pem"}
		if out, said, ok := openssl.Try(t, dir, args...); ok != (v.want == "") {
			t.Errorf("%s: openssl says %v, want %q\n%s%s", name, ok, v.want, out, said)
		}
		var lists []*List
		for _, der := range v.lists {
			lists = append(lists, parsed(t, der))
		}
		vouched := func([]byte) []*gostx509.Certificate { return []*gostx509.Certificate{signer.cert} }
		if c := (Checker{Set: NewSet(lists...), Authorities: vouched}).Revocation(v.cert, ca.cert, now); c.Reason != v.want {
			t.Errorf("%s: %+v, want %q", name, c, v.want)
		}
	}
}
