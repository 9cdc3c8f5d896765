package testpki

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
)

// Person is somebody with a certificate and a soft key.
type Person struct {
	// ID is one of those in the table of personSpecs.
	ID   string
	Kind person.Kind
	// Name is surname, given name and patronymic; of a legal entity its head's.
	Name  string
	INN   string // of the natural person
	SNILS string
	// OGRNIP is set for an entrepreneur; OGRN, INNLE and Organization for a legal
	// entity.
	OGRNIP, OGRN, INNLE, Organization string
	// PIN is what the soft token asks for.
	PIN string
	// Expect is why a sign-in as an entrepreneur is refused; empty means that it
	// is not.
	Expect reason.Code

	Credential
	Issuer *Authority

	spec personSpec
}

// DemoPIN is the PIN of all soft tokens.
const DemoPIN = "12345678"

// personSpec is a row of the table of people.
type personSpec struct {
	id             string
	kind           person.Kind
	surname, given string
	org            string
	issuer         string
	curve          *gost3410.Curve
	issued         time.Duration // before now; negative is in the future
	life           time.Duration // zero means 15 months
	plain          bool          // nothing in it that makes a certificate qualified
	revoked        bool
	expect         reason.Code
}

// personLife is how long a certificate of УЦ ФНС is valid: 15 months.
const personLife = 456 * day

// personSpecs is the table of people. Each has at most one fault.
func personSpecs() []personSpec {
	ip, a256, a512 := person.Entrepreneur, gost3410.CryptoProA(), gost3410.TC26512A()
	return []personSpec{
		{id: "ip", kind: ip, surname: "Примеров", given: "Пример Примерович",
			issuer: "fns", curve: a256, issued: 30 * day},
		{id: "ip512", kind: ip, surname: "Образцова", given: "Проба Тестовна",
			issuer: "fns-512", curve: a512, issued: 30 * day},
		{id: "expired", kind: ip, surname: "Просрочкин", given: "Тест Вчерашевич",
			issuer: "fns", curve: a256, issued: 500 * day, expect: reason.CertExpired},
		{id: "notyet", kind: ip, surname: "Завтрашняя", given: "Проба Будущевна",
			issuer: "fns", curve: a256, issued: -year, expect: reason.CertNotYetValid},
		{id: "unknown-ca", kind: ip, surname: "Неведомский", given: "Икс Игрекович",
			issuer: "unknown", curve: a256, issued: 30 * day, expect: reason.UnknownCA},
		{id: "terminated-ca", kind: ip, surname: "Бывшев", given: "Пример Тестович",
			issuer: "terminated", curve: a256, issued: 200 * day, expect: reason.CANotAccredited},
		{id: "issued-in-gap", kind: ip, surname: "Пробелов", given: "Пример Тестович",
			issuer: "gap", curve: a256, issued: 150 * day, expect: reason.CANotAccredited},
		{id: "unlisted-ca", kind: ip, surname: "Бессписочная", given: "Проба Тестовна",
			issuer: "unlisted", curve: a256, issued: 30 * day, expect: reason.CANotListed},
		{id: "revoked", kind: ip, surname: "Отозванов", given: "Тест Тестович",
			issuer: "fns", curve: a256, issued: 60 * day, revoked: true, expect: reason.CertRevoked},
		{id: "unqualified", kind: ip, surname: "Простецкий", given: "Пример Примерович",
			issuer: "fns", curve: a256, issued: 30 * day, plain: true, expect: reason.NotQualified},
		{id: "ul", kind: person.LegalEntity, surname: "Директоров", given: "Образец Образцович", org: "ООО «Ромашка» (демо)",
			issuer: "fns", curve: a256, issued: 30 * day, expect: reason.WrongHolderKind},
		{id: "fl", kind: person.Person, surname: "Гражданкина", given: "Проба Примеровна",
			issuer: "commercial", curve: a256, issued: 30 * day, expect: reason.WrongHolderKind},
		{id: "newcomer", kind: ip, surname: "Новичкова", given: "Проба Начиновна",
			issuer: "fns", curve: a256, issued: 10 * day},
	}
}

func (c *Country) makePeople() error {
	for i, spec := range personSpecs() {
		p := &Person{
			ID: spec.id, Kind: spec.kind, Name: spec.surname + " " + spec.given,
			INN: inn(i + 1), SNILS: snils(i + 1), Organization: spec.org,
			PIN: DemoPIN, Expect: spec.expect, Issuer: c.Authority(spec.issuer), spec: spec,
		}
		switch spec.kind {
		case person.Entrepreneur:
			p.OGRNIP = ogrnip(i + 1)
		case person.LegalEntity:
			p.OGRN, p.INNLE = ogrn(100+i), innle(100+i)
		}
		issued, err := c.Issue(p.Issuer, c.PersonTemplate(p), spec.curve)
		if err != nil {
			return fmt.Errorf("%s: %w", spec.id, err)
		}
		p.Credential = *issued
		c.people = append(c.people, p)
	}
	return nil
}

// PersonTemplate returns the template of a person's certificate, for tests that
// issue a spoilt copy. The caller may change it.
func (c *Country) PersonTemplate(p *Person) gostx509.Template {
	issued := c.opts.Now.Add(-p.spec.issued)
	life := p.spec.life
	if life == 0 {
		life = personLife
	}
	t := gostx509.Template{
		Subject:     p.subject(),
		NotBefore:   issued,
		NotAfter:    issued.Add(life),
		MaxPathLen:  -1,
		KeyUsage:    gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageNonRepudiation | gostx509.KeyUsageKeyEncipherment | gostx509.KeyUsageDataEncipherment,
		ExtKeyUsage: []asn1.ObjectIdentifier{gostx509.OIDClientAuth, gostx509.OIDEmailProtection},
	}
	c.addAddresses(&t, p.Issuer.ID)
	if p.spec.plain {
		return t
	}
	t.Policies = toolClasses()
	t.SubjectSignTool = signTool
	t.IssuerSignTool = issuerTool()
	t.IdentificationKind = new(gostx509.IdentificationPersonal)
	t.PrivateKeyUsage = gostx509.PrivateKeyUsage{NotBefore: t.NotBefore, NotAfter: t.NotAfter}
	return t
}

// subject has the attributes that certificates of this kind have, in the order of
// real ones.
func (p *Person) subject() gostx509.Name {
	all := gostx509.Name{
		{Type: gostx509.OIDOGRN, Text: p.OGRN},
		{Type: gostx509.OIDINNLE, Text: p.INNLE},
		{Type: gostx509.OIDOGRNIP, Text: p.OGRNIP},
		{Type: gostx509.OIDSNILS, Text: p.SNILS},
		{Type: gostx509.OIDINN, Text: p.INN},
		{Type: gostx509.OIDEmail, Text: p.ID + "@demo.invalid"},
		{Type: gostx509.OIDCountry, Text: "RU"},
	}
	if p.Kind == person.LegalEntity {
		all = append(all, gostx509.Name{
			{Type: gostx509.OIDState, Text: "98 Примерная область"},
			{Type: gostx509.OIDLocality, Text: "г. Образцов"},
			{Type: gostx509.OIDStreet, Text: "ул. Тестовая, д. 1"},
			{Type: gostx509.OIDOrganization, Text: p.Organization},
			{Type: gostx509.OIDTitle, Text: "Генеральный директор"},
			{Type: gostx509.OIDCommonName, Text: p.Organization},
		}...)
	} else {
		all = append(all, gostx509.Attribute{Type: gostx509.OIDCommonName, Text: p.Name})
	}
	all = append(all,
		gostx509.Attribute{Type: gostx509.OIDGivenName, Text: p.spec.given},
		gostx509.Attribute{Type: gostx509.OIDSurname, Text: p.spec.surname})
	return slices.DeleteFunc(all, func(a gostx509.Attribute) bool { return a.Text == "" })
}

// People returns all persons: those of the contract first.
func (c *Country) People() []*Person { return c.people }

// Person returns the person with the given ID; an ID that does not exist is a
// mistake of the caller and panics.
func (c *Country) Person(id string) *Person {
	for _, p := range c.people {
		if p.ID == id {
			return p
		}
	}
	panic("testpki: no person " + id)
}
