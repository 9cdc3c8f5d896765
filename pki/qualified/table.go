package qualified

import (
	"encoding/asn1"
	"slices"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

const (
	law17    = "63-ФЗ, ст. 17, ч. 2"
	order795 = "Приказ ФСБ России от 27.12.2011 № 795"
)

var (
	humans    = []person.Kind{person.Entrepreneur, person.Person}
	named     = []person.Kind{person.Entrepreneur, person.Person, person.LegalEntity}
	companies = []person.Kind{person.LegalEntity, person.LegalEntityAuto}
)

// table is all rules, in the order in which people should read about them.
func table() []rule {
	return slices.Concat(formRules(), holderRules(), issuerRules(), keyRules())
}

// formRules: what makes a certificate a qualified one. The first row sums up the
// next three under one reason, as that is what a person asks first.
func formRules() []rule {
	return []rule{
		{
			id: "profile.qualified", cite: law17, reason: reason.NotQualified,
			check: func(in input) bool {
				return has(in.cert.Policies, gostx509.OIDClassKC1) && in.cert.SubjectSignTool != "" && in.cert.IssuerSignTool != nil
			},
		},
		{
			id: "profile.policy-class", cite: order795, reason: reason.PolicyClassMissing,
			check: func(in input) bool { return has(in.cert.Policies, gostx509.OIDClassKC1) },
		},
		{
			id: "profile.policy-cumulative", cite: order795, reason: reason.PolicyClassGap,
			applies: func(in input) bool { return highestClass(in.cert.Policies) > 0 },
			check:   func(in input) bool { return cumulative(in.cert.Policies) },
			detail:  func(in input) string { return classes()[highestClass(in.cert.Policies)-1].name },
		},
		{
			id: "profile.subject-sign-tool", cite: law17 + ", п. 5", reason: reason.SubjectSignToolMissing,
			check: func(in input) bool { return in.cert.SubjectSignTool != "" },
		},
		{
			id: "profile.issuer-sign-tool", cite: law17 + ", п. 5", reason: reason.IssuerSignToolMissing,
			check: func(in input) bool { return in.cert.IssuerSignTool != nil },
		},
		{
			id: "profile.identification", cite: order795, reason: reason.IdentificationUnknown,
			applies: func(in input) bool { return in.cert.IdentificationKind != nil },
			check:   func(in input) bool { return in.cert.IdentificationKind.Known() },
		},
	}
}

// holderRules: the mandatory attributes of the subject by kind.
func holderRules() []rule {
	return []rule{
		{
			id: "profile.end-entity", cite: "RFC 5280, 4.2.1.9", reason: reason.CertIsCA,
			check: func(in input) bool { return !in.cert.IsCA },
		},
		{
			id: "profile.holder", cite: law17 + ", п. 3", reason: reason.HolderUnclear,
			applies: func(in input) bool { return in.who.Kind != "" }, // else profile.identifiers says it all
			check:   func(in input) bool { return in.who.Kind != person.Other },
		},
		{
			id: "profile.common-name", cite: law17 + ", п. 2", reason: reason.AttributeMissing,
			check: subjectHas(gostx509.OIDCommonName),
		},
		{
			id: "profile.person-name", cite: law17 + ", п. 2", reason: reason.AttributeMissing, kinds: named,
			check: subjectHas(gostx509.OIDSurname, gostx509.OIDGivenName),
		},
		{
			id: "profile.snils", cite: law17 + ", п. 3", reason: reason.AttributeMissing, kinds: humans,
			check: func(in input) bool { return !in.who.SNILS.IsZero() },
		},
		{
			id: "profile.inn", cite: order795, reason: reason.PersonINNMissing, kinds: humans,
			since: day(2015, time.July, 1),
			check: func(in input) bool { return !in.who.INN.IsZero() },
		},
		{
			id: "profile.organization", cite: law17 + ", п. 2", reason: reason.AttributeMissing, kinds: companies,
			check: subjectHas(gostx509.OIDOrganization),
		},
		{
			id: "profile.location", cite: law17 + ", п. 2", reason: reason.AttributeMissing, kinds: companies,
			check: func(in input) bool {
				return anyOf(in.cert.Subject, gostx509.OIDLocality, gostx509.OIDState, gostx509.OIDStreet, gostx509.OIDPostalAddress)
			},
		},
		{
			id: "profile.ogrn", cite: law17 + ", п. 2", reason: reason.AttributeMissing, kinds: companies,
			check: func(in input) bool { return !in.who.OGRN.IsZero() },
		},
		{
			id: "profile.innle", cite: law17 + ", п. 3", reason: reason.AttributeMissing, kinds: companies,
			check: func(in input) bool { return !in.who.INNLE.IsZero() },
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
			id: "profile.issuer-name", cite: law17 + ", п. 6", reason: reason.AttributeMissing,
			check: func(in input) bool {
				return anyOf(in.issuer, gostx509.OIDOrganization) && anyOf(in.issuer, gostx509.OIDOGRN)
			},
		},
		{
			id: "profile.issuer-ogrn", cite: order795, reason: reason.IdentifierBad,
			applies: func(in input) bool { return anyOf(in.issuer, gostx509.OIDOGRN) },
			check: func(in input) bool {
				_, err := person.ParseOGRN(in.issuer.Get(gostx509.OIDOGRN))
				return err == nil
			},
		},
		{
			id: "profile.issuer-fns", cite: cite, reason: reason.IssuerNotFNS,
			kinds: []person.Kind{person.Entrepreneur}, since: day(2022, time.January, 1),
			check: func(in input) bool { return in.issuer.Get(gostx509.OIDOGRN) == FNS },
		},
		{
			id: "profile.issuer-state", cite: cite, reason: reason.IssuerNotFNS,
			kinds: []person.Kind{person.LegalEntityAuto}, since: day(2022, time.January, 1),
			check: stateIssuer,
		},
		{
			id: "profile.issuer-state", cite: cite, reason: reason.IssuerNotFNS,
			kinds: []person.Kind{person.LegalEntity}, since: day(2023, time.September, 1),
			check: stateIssuer,
		},
	}
}

// keyRules: what the key is, what it is for and how long it may be used.
func keyRules() []rule {
	stated := func(in input) bool { return !in.cert.PrivateKeyUsage.IsZero() }
	return []rule{
		{
			id: "profile.key-algorithm", cite: "ГОСТ Р 34.10-2012; RFC 9215, 4.1", reason: reason.KeyNotGOST2012,
			applies: func(in input) bool { return !moscowDay(in.at).Before(day(2020, time.January, 1)) },
			check:   gost2012,
		},
		{
			id: "profile.key-usage", cite: order795, reason: reason.KeyUsageUnsuitable,
			check: func(in input) bool {
				return in.cert.KeyUsage&(gostx509.KeyUsageDigitalSignature|gostx509.KeyUsageNonRepudiation) != 0
			},
		},
		{
			// The certificates of a CA's services come from the same CA, and a time-stamp
			// is a CMS signature that anybody can ask for.
			id: "profile.ext-key-usage", cite: "RFC 5280, 4.2.1.12", reason: reason.KeyUsageUnsuitable,
			applies: func(in input) bool { return len(in.cert.ExtKeyUsage) > 0 },
			check: func(in input) bool {
				return slices.ContainsFunc(in.cert.ExtKeyUsage, func(id asn1.ObjectIdentifier) bool { return !has(servicePurposes(), id) })
			},
		},
		{
			id: "profile.key-period-stated", cite: "63-ФЗ, ст. 17, ч. 2, в ред. 457-ФЗ", reason: reason.KeyPeriodMissing,
			since: day(2024, time.September, 1),
			check: func(in input) bool { return !in.cert.PrivateKeyUsage.NotAfter.IsZero() },
		},
		{
			id: "profile.key-period-begun", cite: "RFC 3280, 4.2.1.4", reason: reason.KeyPeriodNotStarted,
			applies: stated,
			check:   func(in input) bool { return !in.at.Before(in.cert.PrivateKeyUsage.NotBefore) },
			detail:  func(in input) string { return date(in.cert.PrivateKeyUsage.NotBefore) },
		},
		{
			id: "profile.key-period", cite: "RFC 3280, 4.2.1.4", reason: reason.KeyPeriodOver,
			applies: stated,
			check: func(in input) bool {
				end := in.cert.PrivateKeyUsage.NotAfter
				return end.IsZero() || !in.at.After(end)
			},
			detail: func(in input) string { return date(in.cert.PrivateKeyUsage.NotAfter) },
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

// stateIssuer reports whether the issuer is one of the state bodies.
func stateIssuer(in input) bool {
	ogrn := in.issuer.Get(gostx509.OIDOGRN)
	return ogrn == FNS || ogrn == Treasury || ogrn == CentralBank
}

// gost2012 reports whether the key is of ГОСТ Р 34.10-2012 and was read.
func gost2012(in input) bool {
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
func subjectHas(ids ...asn1.ObjectIdentifier) func(input) bool {
	return func(in input) bool {
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
