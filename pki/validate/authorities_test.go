package validate

import (
	"context"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/verdict"
)

// TestIndirectList: the tax service leaves its revocation list to the root, or to
// somebody whom no root knows.
func TestIndirectList(t *testing.T) {
	c := country.New(t)
	foreign := c.Authority(t, nil, "Чужой корень Вымышленный", "1027700132195", "7707083893")
	for name, v := range map[string]struct {
		issuer  *country.Authority
		revoked bool
		want    reason.Code
	}{
		"good":     {c.Root, false, ""},
		"revoked":  {c.Root, true, reason.CertRevoked},
		"stranger": {foreign, false, reason.RevocationUnusable},
	} {
		template := country.Entrepreneur()
		template.CRLDistributionPoints = nil
		template.Extra = append(template.Extra, gostx509.Extension{ID: gostx509.OIDCRLDistribution, Value: pointTo(t, v.issuer)})
		holder := c.Person(t, c.FNS, gost3410.TC26256A(), template)
		list := crl.Template{
			Number: 1, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour), Scope: crl.Scope{Indirect: true},
			Entries: []crl.Entry{{Serial: []byte{0x7F}, RevokedAt: now, Issuer: c.FNS.Cert.RawSubject}},
		}
		if v.revoked {
			list.Entries = append(list.Entries, crl.Entry{Serial: holder.Cert.Serial, RevokedAt: now.Add(-time.Minute), Issuer: c.FNS.Cert.RawSubject})
		}
		raw, err := crl.Create(nil, list, v.issuer.Cert, v.issuer.Key)
		if err != nil {
			t.Fatal(err)
		}
		indirect, err := crl.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		val := validator(c, QES())
		val.Trust.CRLs = crl.NewSet(c.Root.CRL, indirect) // the tax service publishes none
		if v.issuer == foreign {
			val.Trust.Intermediates.Add(foreign.Cert)
		}
		if got := val.Certificate(holder.Cert.Raw, nil, now); got.Verdict.Why() != v.want {
			t.Errorf("%s: %q, want %q: %+v", name, got.Verdict.Why(), v.want, got.Verdict.Checks())
		}
	}
}

// deaf is a network in which nobody ever answers. It counts who is asked.
type deaf struct {
	mu    sync.Mutex
	asked map[string]bool
	end   <-chan struct{}
}

func (d *deaf) OCSP(_ context.Context, url string, _ []byte) ([]byte, error) {
	d.mu.Lock()
	d.asked[url] = true
	d.mu.Unlock()
	<-d.end
	return nil, context.Canceled
}

func (d *deaf) CRL(ctx context.Context, url string) ([]byte, error) { return d.OCSP(ctx, url, nil) }

// TestOneBudget: asking about those who sign lists takes the time of the same verdict.
func TestOneBudget(t *testing.T) {
	c := country.New(t)
	with := func(template gostx509.Template, url string) gostx509.Template {
		template.OCSPServers = []string{url}
		return template
	}
	signer := c.Person(t, c.Root, gost3410.TC26256A(), with(gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Списки Вымышленные"}},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0), IsCA: true, MaxPathLen: 0,
		KeyUsage: gostx509.KeyUsageCertSign | gostx509.KeyUsageCRLSign,
	}, "http://signer.example.test/"))
	authority := &country.Authority{Cert: signer.Cert, Key: signer.Key}
	template := with(country.Entrepreneur(), "http://holder.example.test/")
	template.CRLDistributionPoints = nil
	template.Extra = append(template.Extra, gostx509.Extension{ID: gostx509.OIDCRLDistribution, Value: pointTo(t, authority)})
	holder := c.Person(t, c.FNS, gost3410.TC26256A(), template)
	raw, err := crl.Create(nil, crl.Template{
		Number: 1, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour), Scope: crl.Scope{Indirect: true},
		Entries: []crl.Entry{{Serial: []byte{0x7F}, RevokedAt: now, Issuer: c.FNS.Cert.RawSubject}},
	}, signer.Cert, signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	network := &deaf{asked: make(map[string]bool), end: t.Context().Done()}
	v := validator(c, QES())
	v.Trust.CRLs = setOf(t, raw) // and none of the root
	v.Trust.Intermediates.Add(signer.Cert)
	v.Trust.Online = revocation.NewOnline(network)
	v.Policy.Revocation = revocation.Policy{Budget: 50 * time.Millisecond}
	got := v.Certificate(holder.Cert.Raw, nil, now)
	network.mu.Lock()
	defer network.mu.Unlock()
	if got.Verdict.Status() != verdict.Indeterminate || len(network.asked) > 1 {
		t.Errorf("%v %q, asked %v", got.Verdict.Status(), got.Verdict.Why(), network.asked)
	}
}

// pointTo is a CRLDistributionPoints that names who signs the list.
func pointTo(t *testing.T, a *country.Authority) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.Tag(4).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(a.Cert.RawSubject) })
			})
		})
	})
	value, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestEvidenceAbout: what was looked at for a path that was left is no evidence.
func TestEvidenceAbout(t *testing.T) {
	c := country.New(t)
	used := []revocation.Used{{Issuer: c.Lost.Cert, Certificate: c.FNS.Cert}, {Issuer: c.Root.Cert, Certificate: c.FNS.Cert}}
	got := evidenceAbout([]*gostx509.Certificate{c.FNS.Cert, c.Root.Cert}, used)
	if len(got) != 1 || !got[0].Issuer.Equal(c.Root.Cert) {
		t.Errorf("%+v", got)
	}
}
