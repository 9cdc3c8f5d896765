package qualified

import (
	"encoding/asn1"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

const (
	law17    = "63-ФЗ, ст. 17, ч. 2"
	order795 = "Приказ ФСБ России от 27.12.2011 № 795"
	order31  = order795 + " в ред. приказа от 29.01.2021 № 31"
)

var (
	humans    = []person.Kind{person.Entrepreneur, person.Person}
	named     = []person.Kind{person.Entrepreneur, person.Person, person.LegalEntity}
	companies = []person.Kind{person.LegalEntity, person.LegalEntityAuto}

	// Приказ № 31 amends № 795 from the first of these days and ends before the
	// second.
	order31Begins = day(2021, time.September, 1)
	order31Ends   = day(2027, time.September, 1)
)

// Sizes in characters of the names of tools and of their documents: приказ № 795.
const (
	maxTool     = 200
	maxDocument = 100
)

// maxKeyPeriod is how long a private key may be used that cannot leave its token or
// module; others may be for 15 months, but a certificate does not tell which sort
// it is. A day is for the hours that CAs round up to.
const maxKeyPeriod = (3*366 + 1) * 24 * time.Hour

// table is all rules, in the order in which people should read about them.
func table() []rule {
	return slices.Concat(formRules(), toolRules(), holderRules(), companyRules(), issuerRules(), keyRules(), periodRules())
}

// formRules: what makes a certificate a qualified one. The first row sums up the
// next three under one reason, as that is what a person asks first.
func formRules() []rule {
	return []rule{
		{
			id:    "profile.qualified",
			title: Text{"В сертификате есть всё, что отличает квалифицированный", "The certificate has what makes a qualified one"},
			cite:  law17, reason: reason.NotQualified,
			check: func(in *input) bool {
				return has(in.cert.Policies, gostx509.OIDClassKC1) && in.cert.SubjectSignTool != "" && in.cert.IssuerSignTool != nil
			},
		},
		{
			id:    "profile.policy-class",
			title: Text{"Указан класс средства электронной подписи, не ниже КС1", "The class of the signature tool is stated, at least KC1"},
			cite:  order795, reason: reason.PolicyClassMissing,
			check: func(in *input) bool { return has(in.cert.Policies, gostx509.OIDClassKC1) },
		},
		{
			id:    "profile.policy-cumulative",
			title: Text{"Классы средств электронной подписи указаны без пропусков", "The classes of signature tools are stated without a gap"},
			cite:  order795, reason: reason.PolicyClassGap,
			applies: func(in *input) bool { return highestClass(in.cert.Policies) > 0 },
			check:   func(in *input) bool { return cumulative(in.cert.Policies) },
			detail:  func(in *input) string { return classes()[highestClass(in.cert.Policies)-1].name },
		},
		{
			id:    "profile.number",
			title: Text{"Указан уникальный номер сертификата", "The unique number of the certificate is stated"},
			cite:  law17 + ", п. 1", reason: reason.CertNumberBad,
			check: func(in *input) bool { return slices.ContainsFunc(in.cert.Serial, func(b byte) bool { return b != 0 }) },
		},
		{
			id:    "profile.dates",
			title: Text{"Указаны даты начала и окончания действия сертификата", "The first and the last day of validity are stated"},
			cite:  law17 + ", п. 1", reason: reason.CertDatesBad,
			check: func(in *input) bool { return in.cert.NotBefore.Before(in.cert.NotAfter) },
		},
	}
}

// toolRules: with what the keys and the certificate were made, and how the CA knew
// the applicant.
func toolRules() []rule {
	return []rule{
		{
			id:    "profile.subject-sign-tool",
			title: Text{"Указано средство электронной подписи владельца", "The signature tool of the holder is stated"},
			cite:  law17 + ", п. 5", reason: reason.SubjectSignToolMissing,
			check: func(in *input) bool { return in.cert.SubjectSignTool != "" },
		},
		{
			id:    "profile.issuer-sign-tool",
			title: Text{"Указаны средства удостоверяющего центра", "The tools of the CA are stated"},
			cite:  law17 + ", п. 5", reason: reason.IssuerSignToolMissing,
			check: func(in *input) bool { return in.cert.IssuerSignTool != nil },
		},
		{
			id:    "profile.sign-tool-form",
			title: Text{"Названия средств и реквизиты документов о соответствии указаны полностью", "Names of tools and of their conformity documents are complete"},
			cite:  order795, reason: reason.SignToolIncomplete,
			applies: func(in *input) bool { return in.cert.SubjectSignTool != "" && in.cert.IssuerSignTool != nil },
			check:   completeTools,
		},
		{
			id:    "profile.identification-stated",
			title: Text{"Указан способ установления личности заявителя", "The way in which the applicant was identified is stated"},
			cite:  order31, reason: reason.IdentificationMissing,
			since: order31Begins, until: order31Ends,
			check: func(in *input) bool { return in.cert.IdentificationKind != nil },
		},
		{
			id:    "profile.identification",
			title: Text{"Способ установления личности заявителя — один из известных", "The way in which the applicant was identified is a known one"},
			cite:  order795, reason: reason.IdentificationUnknown,
			applies: func(in *input) bool { return in.cert.IdentificationKind != nil },
			check:   func(in *input) bool { return in.cert.IdentificationKind.Known() },
		},
	}
}

// holderRules: the mandatory attributes of the subject by kind.
func holderRules() []rule {
	return []rule{
		{
			id:    "profile.end-entity",
			title: Text{"Сертификат выдан владельцу, а не удостоверяющему центру", "The certificate is of a holder, not of a CA"},
			cite:  "RFC 5280, 4.2.1.9", reason: reason.CertIsCA,
			check: func(in *input) bool { return !in.cert.IsCA },
		},
		{
			id:    "profile.holder",
			title: Text{"По реквизитам понятно, кому выдан сертификат", "The identifiers tell what kind of holder it is"},
			cite:  law17 + ", п. 3", reason: reason.HolderUnclear,
			applies: func(in *input) bool { return in.who.Kind != "" }, // else profile.identifiers says it all
			check:   func(in *input) bool { return in.who.Kind != person.Other },
		},
		{
			id:    "profile.common-name",
			title: Text{"Указано имя или наименование владельца", "The name of the holder is stated"},
			cite:  law17 + ", п. 2", reason: reason.AttributeMissing,
			check: subjectHas(gostx509.OIDCommonName),
		},
		{
			id:    "profile.person-name",
			title: Text{"Указаны фамилия, имя и отчество (при наличии)", "Surname and given names are stated"},
			cite:  law17 + ", п. 2", reason: reason.AttributeMissing, kinds: named,
			check: subjectHas(gostx509.OIDSurname, gostx509.OIDGivenName),
		},
		{
			id:    "profile.snils",
			title: Text{"Указан СНИЛС владельца — физического лица", "The SNILS of the natural person is stated"},
			cite:  law17 + ", п. 3", reason: reason.AttributeMissing, kinds: humans,
			check: func(in *input) bool { return !in.who.SNILS.IsZero() },
		},
		{
			id:    "profile.inn",
			title: Text{"Указан ИНН владельца — физического лица", "The INN of the natural person is stated"},
			cite:  order795, reason: reason.PersonINNMissing, kinds: humans,
			since: day(2015, time.July, 1),
			check: func(in *input) bool { return !in.who.INN.IsZero() },
		},
	}
}

// companyRules: the mandatory attributes of organizations, and the form of all
// identifiers.
func companyRules() []rule {
	return []rule{
		{
			id:    "profile.organization",
			title: Text{"Указано наименование организации", "The name of the organization is stated"},
			cite:  law17 + ", п. 2", reason: reason.AttributeMissing, kinds: companies,
			check: subjectHas(gostx509.OIDOrganization),
		},
		{
			id:    "profile.location",
			title: Text{"Указано место нахождения организации", "The location of the organization is stated"},
			cite:  law17 + ", п. 2", reason: reason.AttributeMissing, kinds: companies,
			check: func(in *input) bool { return located(in.cert.Subject) },
		},
		{
			id:    "profile.ogrn",
			title: Text{"Указан ОГРН организации", "The OGRN of the organization is stated"},
			cite:  law17 + ", п. 2", reason: reason.AttributeMissing, kinds: companies,
			check: func(in *input) bool { return !in.who.OGRN.IsZero() },
		},
		{
			id:    "profile.innle",
			title: Text{"Указан ИНН организации", "The INN of the organization is stated"},
			cite:  law17 + ", п. 3", reason: reason.AttributeMissing, kinds: companies,
			check: func(in *input) bool { return !in.who.INNLE.IsZero() },
		},
		{
			id:    "profile.innle-form",
			title: Text{"ИНН организации указан в своём реквизите, а не в реквизите физического лица", "The INN of the organization stands in its own attribute"},
			cite:  order31, reason: reason.INNFormOld, kinds: companies,
			since: order31Begins, until: order31Ends,
			check: func(in *input) bool { return !strings.HasPrefix(in.cert.Subject.Get(gostx509.OIDINN), "00") },
		},
		{
			id:    "profile.identifiers",
			title: Text{"ИНН, ОГРН, ОГРНИП и СНИЛС записаны без ошибок и не противоречат друг другу", "INN, OGRN, OGRNIP and SNILS have the right length and check digits and agree with each other"},
			cite:  order795, reason: reason.IdentifierBad,
			check: func(in *input) bool { return in.whoError == nil },
			why:   func(in *input) reason.Code { return reason.Of(in.whoError) },
		},
	}
}

// issuerRules: who may issue for whom. Commercial CAs issued for employees until
// 2023-08-31, and a certificate does not tell an employee from a head, so the
// rule for legal entities with a person begins the day after.
func issuerRules() []rule {
	const cite = "63-ФЗ, ст. 17.2"
	return []rule{
		{
			id:    "profile.issuer-name",
			title: Text{"Указаны наименование и ОГРН удостоверяющего центра", "Name and OGRN of the CA are stated"},
			cite:  law17 + ", п. 6", reason: reason.AttributeMissing,
			check: func(in *input) bool {
				return anyOf(in.issuer, gostx509.OIDOrganization) && anyOf(in.issuer, gostx509.OIDOGRN)
			},
		},
		{
			id:    "profile.issuer-ogrn",
			title: Text{"ОГРН удостоверяющего центра записан без ошибок", "The OGRN of the CA is well formed"},
			cite:  order795, reason: reason.IdentifierBad,
			applies: func(in *input) bool { return anyOf(in.issuer, gostx509.OIDOGRN) },
			check: func(in *input) bool {
				_, err := person.ParseOGRN(in.issuer.Get(gostx509.OIDOGRN))
				return err == nil
			},
		},
		{
			id:    "profile.issuer-location",
			title: Text{"Указано место нахождения удостоверяющего центра", "The location of the CA is stated"},
			cite:  law17 + ", п. 6", reason: reason.AttributeMissing,
			check: func(in *input) bool { return located(in.issuer) },
		},
		{
			id:    "profile.issuer-certificate",
			title: Text{"Указан номер сертификата удостоверяющего центра", "The number of the CA's own certificate is stated"},
			cite:  law17 + ", п. 6", reason: reason.IssuerCertificateUnnamed,
			check: func(in *input) bool { return len(in.cert.AuthorityKeyID.Serial) > 0 },
		},
		{
			id:    "profile.issuer-fns",
			title: Text{"Сертификат предпринимателя выдан УЦ ФНС России", "A certificate of an entrepreneur is issued by the CA of the Federal Tax Service"},
			cite:  cite, reason: reason.IssuerNotFNS,
			kinds: []person.Kind{person.Entrepreneur}, since: day(2022, time.January, 1),
			check: func(in *input) bool { return in.issuer.Get(gostx509.OIDOGRN) == FNS },
		},
		{
			id:    "profile.issuer-state",
			title: Text{"Сертификат организации выдан УЦ ФНС, Казначейства или Банка России", "A certificate of an organization is issued by the CA of the Tax Service, the Treasury or the Bank of Russia"},
			cite:  cite, reason: reason.IssuerNotFNS,
			kinds: []person.Kind{person.LegalEntityAuto}, since: day(2022, time.January, 1),
			check: stateIssuer,
		},
		{
			id:    "profile.issuer-state",
			title: Text{"Сертификат организации выдан УЦ ФНС, Казначейства или Банка России", "A certificate of an organization is issued by the CA of the Tax Service, the Treasury or the Bank of Russia"},
			cite:  cite, reason: reason.IssuerNotFNS,
			kinds: []person.Kind{person.LegalEntity}, since: day(2023, time.September, 1),
			check: stateIssuer,
		},
		{
			id:    "profile.employee",
			title: Text{"Это не сертификат сотрудника организации: с 1 сентября 2024 года они не действуют", "It is no certificate of an employee: those are not in force since 2024-09-01"},
			cite:  cite + "; 457-ФЗ от 04.08.2023", reason: reason.EmployeeCertificate,
			kinds: []person.Kind{person.LegalEntity},
			since: day(2022, time.January, 1), until: day(2023, time.September, 1), from: day(2024, time.September, 1),
			check: stateIssuer,
		},
	}
}

// keyRules: what the key is and what it is for.
func keyRules() []rule {
	return []rule{
		{
			id:    "profile.key-algorithm",
			title: Text{"Ключ проверки — по ГОСТ Р 34.10-2012", "The key is a GOST R 34.10-2012 key"},
			cite:  "ГОСТ Р 34.10-2012; RFC 9215, 4.1", reason: reason.KeyNotGOST2012,
			from:  day(2020, time.January, 1),
			check: gost2012,
		},
		{
			id:    "profile.key-usage",
			title: Text{"Ключ предназначен для электронной подписи", "The key is for signatures"},
			cite:  order795, reason: reason.KeyUsageUnsuitable,
			check: func(in *input) bool {
				return in.cert.KeyUsage&(gostx509.KeyUsageDigitalSignature|gostx509.KeyUsageNonRepudiation) != 0
			},
		},
		{
			// The certificates of a CA's services come from the same CA, and a time-stamp
			// is a CMS signature that anybody can ask for.
			id:    "profile.ext-key-usage",
			title: Text{"Ключ предназначен не только для служб удостоверяющего центра", "The key is not for services alone"},
			cite:  "RFC 5280, 4.2.1.12", reason: reason.KeyUsageUnsuitable,
			applies: func(in *input) bool { return len(in.cert.ExtKeyUsage) > 0 },
			check: func(in *input) bool {
				return slices.ContainsFunc(in.cert.ExtKeyUsage, func(id asn1.ObjectIdentifier) bool { return !has(servicePurposes(), id) })
			},
		},
	}
}

// periodRules: how long the private key may be used.
func periodRules() []rule {
	stated := func(in *input) bool { return !in.cert.PrivateKeyUsage.IsZero() }
	return []rule{
		{
			id:    "profile.key-period-stated",
			title: Text{"Указан срок действия ключа электронной подписи", "The usage period of the private key is stated"},
			cite:  "63-ФЗ, ст. 17, ч. 2, в ред. 457-ФЗ", reason: reason.KeyPeriodMissing,
			since: day(2024, time.September, 1),
			check: func(in *input) bool { return !in.cert.PrivateKeyUsage.NotAfter.IsZero() },
		},
		{
			id:    "profile.key-period-begun",
			title: Text{"Срок действия ключа электронной подписи начался", "The usage period of the private key has begun"},
			cite:  "RFC 3280, 4.2.1.4", reason: reason.KeyPeriodNotStarted,
			applies: stated,
			check:   func(in *input) bool { return !in.at.Before(in.cert.PrivateKeyUsage.NotBefore) },
			detail:  func(in *input) string { return date(in.cert.PrivateKeyUsage.NotBefore) },
		},
		{
			id:    "profile.key-period",
			title: Text{"Срок действия ключа электронной подписи не истёк", "The usage period of the private key is not over"},
			cite:  "RFC 3280, 4.2.1.4", reason: reason.KeyPeriodOver,
			applies: stated,
			check: func(in *input) bool {
				end := in.cert.PrivateKeyUsage.NotAfter
				return end.IsZero() || !in.at.After(end)
			},
			detail: func(in *input) string { return date(in.cert.PrivateKeyUsage.NotAfter) },
		},
		{
			id:    "profile.key-period-length",
			title: Text{"Срок действия ключа электронной подписи — не больше трёх лет", "The usage period of the private key is at most three years"},
			cite:  "Правила пользования СКЗИ: 3 года для неизвлекаемых ключей, 1 год 3 месяца для прочих", reason: reason.KeyPeriodTooLong,
			applies: func(in *input) bool {
				p := in.cert.PrivateKeyUsage
				return !in.cert.IsCA && !p.NotBefore.IsZero() && !p.NotAfter.IsZero()
			},
			check: func(in *input) bool {
				return in.cert.PrivateKeyUsage.NotAfter.Sub(in.cert.PrivateKeyUsage.NotBefore) <= maxKeyPeriod
			},
		},
	}
}

// servicePurposes is the purposes that have nothing to do with documents and people.
// Every other one will do: there is no agreed purpose for signatures of documents.
func servicePurposes() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{
		gostx509.OIDServerAuth, gostx509.OIDCodeSigning, gostx509.OIDTimeStamping, gostx509.OIDOCSPSigning,
	}
}

// completeTools reports whether everything that names a tool or a document is there
// and fits.
func completeTools(in *input) bool {
	fits := func(s string, limit int) bool { return s != "" && utf8.RuneCountInString(s) <= limit }
	t := in.cert.IssuerSignTool
	return fits(in.cert.SubjectSignTool, maxTool) && fits(t.SignTool, maxTool) && fits(t.CATool, maxTool) &&
		fits(t.SignToolCert, maxDocument) && fits(t.CAToolCert, maxDocument)
}

// located reports whether a name has a place.
func located(n gostx509.Name) bool {
	return anyOf(n, gostx509.OIDLocality, gostx509.OIDState, gostx509.OIDStreet, gostx509.OIDPostalAddress)
}

// stateIssuer reports whether the issuer is one of the state bodies.
func stateIssuer(in *input) bool {
	ogrn := in.issuer.Get(gostx509.OIDOGRN)
	return ogrn == FNS || ogrn == Treasury || ogrn == CentralBank
}

// gost2012 reports whether the key is of ГОСТ Р 34.10-2012 and was read.
func gost2012(in *input) bool {
	_, gost := in.cert.PublicKey.(*gost3410.PublicKey)
	id := in.cert.PublicKeyAlgorithm.Algorithm
	return gost && (id.Equal(sigalg.OIDKeyGOST256) || id.Equal(sigalg.OIDKeyGOST512))
}

// class is a class of signature tools.
type class struct {
	id   asn1.ObjectIdentifier
	name string
}

// classes is all classes from the lowest to the highest.
func classes() []class {
	return []class{
		{gostx509.OIDClassKC1, "КС1"}, {gostx509.OIDClassKC2, "КС2"}, {gostx509.OIDClassKC3, "КС3"},
		{gostx509.OIDClassKB1, "КВ1"}, {gostx509.OIDClassKB2, "КВ2"}, {gostx509.OIDClassKA1, "КА1"},
	}
}

// highestClass returns the number of the highest class in the policies, counted
// from 1, or 0.
func highestClass(policies []asn1.ObjectIdentifier) int {
	highest := 0
	for i, c := range classes() {
		if has(policies, c.id) {
			highest = i + 1
		}
	}
	return highest
}

// cumulative reports whether all classes below the highest are there too.
func cumulative(policies []asn1.ObjectIdentifier) bool {
	for _, c := range classes()[:highestClass(policies)] {
		if !has(policies, c.id) {
			return false
		}
	}
	return true
}

func has(list []asn1.ObjectIdentifier, id asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(list, id.Equal)
}

// subjectHas makes a check that all the attributes are there.
func subjectHas(ids ...asn1.ObjectIdentifier) func(*input) bool {
	return func(in *input) bool {
		return !slices.ContainsFunc(ids, func(id asn1.ObjectIdentifier) bool { return in.cert.Subject.Get(id) == "" })
	}
}

// anyOf reports whether one of the attributes is there.
func anyOf(name gostx509.Name, ids ...asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(ids, func(id asn1.ObjectIdentifier) bool { return name.Get(id) != "" })
}

// date is a time for Detail; "" for a bound that is absent.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
