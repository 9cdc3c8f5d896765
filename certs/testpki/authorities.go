package testpki

import (
	"encoding/asn1"
	"fmt"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/qualified"
	"propusk/pki/tsl"
)

// Authority is a certification authority with its key.
type Authority struct {
	// ID is one of those in the table of authoritySpecs.
	ID string
	// Name is the common name.
	Name string
	// OGRN is the registration number in the subject; empty for a CA that only
	// issues server certificates.
	OGRN string
	// Parent issued the certificate; nil for a root.
	Parent      *Authority
	Certificate *gostx509.Certificate
	Key         *gost3410.PrivateKey

	spec authoritySpec
}

// Listed reports whether the CA is in the list of accredited CAs, in force or
// not.
func (a *Authority) Listed() bool { return len(a.spec.history) > 0 }

// status is a change of accreditation some time ago.
type status struct {
	value string
	ago   time.Duration
}

// authoritySpec is a row of the table of CAs.
type authoritySpec struct {
	id, name, org string
	parent        string // empty for a root
	curve         *gost3410.Curve
	ogrn, innle   string
	history       []status // of accreditation; empty: not in the list
	foreign       bool     // leads to no root of the country
}

// The Federal Tax Service, see the comment on numbers.
const (
	fnsOGRN  = qualified.FNS
	fnsINNLE = "7707329152"
)

// authoritySpecs is the table of CAs, parents first.
func authoritySpecs() []authoritySpec {
	always := []status{{tsl.InForce, 5 * year}}
	head := "Министерство примеров (демо)"
	fns := "Федеральная налоговая служба (демо)"
	a256, a512 := gost3410.CryptoProA(), gost3410.TC26512A()
	return []authoritySpec{
		{id: "head-256", name: "Головной удостоверяющий центр (демо)", org: head, curve: a256,
			ogrn: ogrn(1), innle: innle(1), history: always},
		{id: "head-512", name: "Головной удостоверяющий центр 512 (демо)", org: head, curve: a512,
			ogrn: ogrn(1), innle: innle(1), history: always},

		{id: "fns", name: "УЦ ФНС (демо)", org: fns, parent: "head-256", curve: a256,
			ogrn: fnsOGRN, innle: fnsINNLE, history: always},
		{id: "fns-512", name: "УЦ ФНС 512 (демо)", org: fns, parent: "head-512", curve: a512,
			ogrn: fnsOGRN, innle: fnsINNLE, history: always},
		{id: "commercial", name: "УЦ Образец (демо)", org: "ООО «Образец» (демо)", parent: "head-256", curve: a256,
			ogrn: ogrn(2), innle: innle(2), history: always},

		// Its accreditation ended after it had issued: the rule about today.
		{id: "terminated", name: "УЦ ФНС, прежний (демо)", org: fns, parent: "head-256", curve: a256,
			ogrn: fnsOGRN, innle: fnsINNLE, history: []status{{tsl.InForce, 5 * year}, {tsl.Terminated, 90 * day}}},
		// Accredited again now, but not on the day of issue: the other rule.
		{id: "gap", name: "УЦ ФНС, с перерывом (демо)", org: fns, parent: "head-256", curve: a256,
			ogrn: fnsOGRN, innle: fnsINNLE, history: []status{{tsl.InForce, 5 * year}, {tsl.Terminated, 300 * day}, {tsl.InForce, 60 * day}}},
		// Certified by the head CA, never accredited.
		{id: "unlisted", name: "УЦ вне перечня (демо)", org: fns, parent: "head-256", curve: a256,
			ogrn: fnsOGRN, innle: fnsINNLE},

		{id: "unknown-root", name: "Неизвестный корневой УЦ (демо)", org: "ООО «Неизвестность» (демо)", curve: a256,
			ogrn: ogrn(3), innle: innle(3), foreign: true},
		{id: "unknown", name: "Неизвестный УЦ (демо)", org: "ООО «Неизвестность» (демо)", parent: "unknown-root", curve: a256,
			ogrn: ogrn(3), innle: innle(3), foreign: true},

		// Issues server certificates only; it has nothing to do with people.
		{id: "tls", name: "УЦ серверов TLS ГОСТ (демо)", org: head, curve: a256, foreign: true},
	}
}

func (c *Country) makeAuthorities() error {
	for _, spec := range authoritySpecs() {
		a := &Authority{ID: spec.id, Name: spec.name, OGRN: spec.ogrn, spec: spec}
		var err error
		if a.Key, err = gost3410.GenerateKey(spec.curve, c.opts.Rand); err != nil {
			return fmt.Errorf("%s: %w", spec.id, err)
		}
		issuer, signer := (*gostx509.Certificate)(nil), a.Key
		if spec.parent != "" {
			a.Parent = c.Authority(spec.parent)
			issuer, signer = a.Parent.Certificate, a.Parent.Key
		}
		if a.Certificate, err = c.certify(c.authorityTemplate(spec), issuer, a.Key.Public(), signer); err != nil {
			return fmt.Errorf("%s: %w", spec.id, err)
		}
		c.authorities = append(c.authorities, a)
	}
	return nil
}

// authorityTemplate is the profile of a CA certificate as real ones have it.
func (c *Country) authorityTemplate(spec authoritySpec) gostx509.Template {
	t := gostx509.Template{
		Subject: gostx509.Name{
			{Type: gostx509.OIDCountry, Text: "RU"},
			{Type: gostx509.OIDState, Text: "98 Примерная область"},
			{Type: gostx509.OIDLocality, Text: "г. Образцов"},
			{Type: gostx509.OIDOrganization, Text: spec.org},
		},
		IsCA:            true,
		KeyUsage:        gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageCertSign | gostx509.KeyUsageCRLSign,
		Policies:        toolClasses(),
		SubjectSignTool: signTool,
	}
	if spec.ogrn != "" {
		t.Subject = append(t.Subject,
			gostx509.Attribute{Type: gostx509.OIDOGRN, Text: spec.ogrn},
			gostx509.Attribute{Type: gostx509.OIDINNLE, Text: spec.innle})
	}
	t.Subject = append(t.Subject, gostx509.Attribute{Type: gostx509.OIDCommonName, Text: spec.name})
	if spec.parent == "" {
		t.MaxPathLen = 1
		t.NotBefore, t.NotAfter = c.opts.Now.Add(-6*year), c.opts.Now.Add(12*year)
		return t
	}
	t.NotBefore, t.NotAfter = c.opts.Now.Add(-4*year), c.opts.Now.Add(11*year)
	c.addAddresses(&t, spec.parent)
	t.IssuerSignTool = issuerTool()
	t.IdentificationKind = new(gostx509.IdentificationPersonal)
	t.PrivateKeyUsage = gostx509.PrivateKeyUsage{NotBefore: t.NotBefore, NotAfter: c.opts.Now.Add(5 * year)}
	return t
}

// signTool is what makes the keys of the demo country.
const signTool = "Propusk, программный ключ (демо)"

// issuerTool describes the tools of the CAs.
func issuerTool() *gostx509.IssuerSignTool {
	return &gostx509.IssuerSignTool{
		SignTool:     signTool,
		CATool:       "Propusk testpki (демо)",
		SignToolCert: "Нет: демонстрационное средство",
		CAToolCert:   "Нет: демонстрационный удостоверяющий центр",
	}
}

// toolClasses are the classes of signature tools that certificates name.
func toolClasses() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{gostx509.OIDClassKC1, gostx509.OIDClassKC2}
}

// Authorities returns all CAs, parents before children.
func (c *Country) Authorities() []*Authority { return c.authorities }

// Authority returns the CA with the given ID; an ID that does not exist is a
// mistake of the caller and panics.
func (c *Country) Authority(id string) *Authority {
	for _, a := range c.authorities {
		if a.ID == id {
			return a
		}
	}
	panic("testpki: no authority " + id)
}

// Roots returns the head CAs: the roots to pin.
func (c *Country) Roots() []*Authority {
	return []*Authority{c.Authority("head-256"), c.Authority("head-512")}
}
