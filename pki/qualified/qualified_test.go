package qualified

import (
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

var now = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

func attributes(pairs ...any) gostx509.Name {
	var n gostx509.Name
	for i := 0; i < len(pairs); i += 2 {
		id, isID := pairs[i].(asn1.ObjectIdentifier)
		text, isText := pairs[i+1].(string)
		if !isID || !isText {
			panic("want pairs of attribute type and text")
		}
		n = append(n, gostx509.Attribute{Type: id, Text: text})
	}
	return n
}

// without returns the name less the attributes of a type.
func without(n gostx509.Name, id asn1.ObjectIdentifier) gostx509.Name {
	return slices.DeleteFunc(slices.Clone(n), func(a gostx509.Attribute) bool { return a.Type.Equal(id) })
}

func entrepreneur() gostx509.Name {
	return attributes(gostx509.OIDCommonName, "Образцов Проба Тестович", gostx509.OIDSurname, "Образцов",
		gostx509.OIDGivenName, "Проба Тестович", gostx509.OIDCountry, "RU", gostx509.OIDINN, "500100732259",
		gostx509.OIDSNILS, "11223344595", gostx509.OIDOGRNIP, "304500116000157")
}

func naturalPerson() gostx509.Name { return without(entrepreneur(), gostx509.OIDOGRNIP) }

func company() gostx509.Name {
	return attributes(gostx509.OIDCommonName, "ООО Образец", gostx509.OIDOrganization, "ООО Образец",
		gostx509.OIDLocality, "г. Образцов", gostx509.OIDOGRN, "1027700132195", gostx509.OIDINNLE, "7707083893")
}

func head() gostx509.Name {
	return append(company(), attributes(gostx509.OIDSurname, "Образцов", gostx509.OIDGivenName, "Проба Тестович")...)
}

func issuer(ogrn string) *gostx509.Certificate {
	return &gostx509.Certificate{Subject: attributes(gostx509.OIDOrganization, "УЦ", gostx509.OIDLocality, "г. Образцов", gostx509.OIDOGRN, ogrn)}
}

// good returns a certificate that obeys every rule.
func good(subject gostx509.Name) *gostx509.Certificate {
	return &gostx509.Certificate{
		Subject:            subject,
		Serial:             []byte{1},
		AuthorityKeyID:     gostx509.AuthorityKeyID{Serial: []byte{2}},
		NotBefore:          time.Date(2025, time.June, 4, 9, 0, 0, 0, time.UTC),
		NotAfter:           time.Date(2026, time.September, 4, 9, 0, 0, 0, time.UTC),
		PublicKey:          new(gost3410.PublicKey),
		PublicKeyAlgorithm: spki.AlgorithmIdentifier{Algorithm: sigalg.OIDKeyGOST256},
		KeyUsage:           gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageNonRepudiation,
		Policies:           []asn1.ObjectIdentifier{gostx509.OIDClassKC1, gostx509.OIDClassKC2},
		SubjectSignTool:    "СКЗИ \"Проба\"",
		IssuerSignTool:     &gostx509.IssuerSignTool{SignTool: "a", CATool: "b", SignToolCert: "c", CAToolCert: "d"},
		IdentificationKind: new(gostx509.IdentificationPersonal),
		PrivateKeyUsage: gostx509.PrivateKeyUsage{
			NotBefore: time.Date(2025, time.June, 4, 9, 3, 0, 0, time.UTC),
			NotAfter:  time.Date(2026, time.September, 4, 9, 3, 0, 0, time.UTC),
		},
	}
}

// failures returns the failed steps, "name: code", and checks the form of all.
func failures(t *testing.T, checks []verdict.Check) []string {
	t.Helper()
	if len(checks) != len(table()) {
		t.Errorf("%d steps for %d rules", len(checks), len(table()))
	}
	var failed []string
	for _, c := range checks {
		skipped := slices.Contains([]reason.Code{reason.RuleOtherHolder, reason.RuleOtherDate, reason.RuleNothingToCheck}, c.Reason)
		if c.Name == "" || c.Cite == "" || (c.Status == verdict.Passed) != (c.Reason == "") || c.Status == verdict.Indeterminate || (c.Status == verdict.NotApplicable) != skipped {
			t.Errorf("malformed step %+v", c)
		}
		if _, known := reason.Lookup(c.Reason); c.Reason != "" && !known {
			t.Errorf("%s is not in the catalogue", c.Reason)
		}
		if c.Status == verdict.Failed {
			failed = append(failed, c.Name+": "+string(c.Reason))
		}
	}
	return failed
}

func TestGood(t *testing.T) {
	for name, c := range map[string]struct {
		subject gostx509.Name
		ogrn    string
	}{
		"entrepreneur":             {entrepreneur(), FNS},
		"natural person":           {naturalPerson(), "1027700132195"},
		"head of a company":        {head(), FNS},
		"public body":              {head(), Treasury},
		"bank":                     {head(), CentralBank},
		"company without a person": {company(), Treasury},
	} {
		if failed := failures(t, Check(good(c.subject), issuer(c.ogrn), now)); failed != nil {
			t.Errorf("%s: %q", name, failed)
		}
	}
}

// TestViolations breaks one rule at a time.
func TestViolations(t *testing.T) {
	type cert = gostx509.Certificate
	drop := func(id asn1.ObjectIdentifier) func(*cert) {
		return func(c *cert) { c.Subject = without(c.Subject, id) }
	}
	for _, c := range []struct {
		name    string
		subject gostx509.Name
		ogrn    string
		spoil   func(*cert)
		want    []string
	}{
		{"no policies", entrepreneur(), FNS, func(c *cert) { c.Policies = nil }, []string{"profile.qualified: not-qualified", "profile.policy-class: policy-class-missing"}},
		{"КС2 without КС1", entrepreneur(), FNS, func(c *cert) { c.Policies = c.Policies[1:] }, []string{"profile.qualified: not-qualified", "profile.policy-class: policy-class-missing", "profile.policy-cumulative: policy-class-gap"}},
		{"КС3 without КС2", entrepreneur(), FNS, func(c *cert) { c.Policies[1] = gostx509.OIDClassKC3 }, []string{"profile.policy-cumulative: policy-class-gap"}},
		{"no subjectSignTool", entrepreneur(), FNS, func(c *cert) { c.SubjectSignTool = "" }, []string{"profile.qualified: not-qualified", "profile.subject-sign-tool: subject-sign-tool-missing"}},
		{"no issuerSignTool", entrepreneur(), FNS, func(c *cert) { c.IssuerSignTool = nil }, []string{"profile.qualified: not-qualified", "profile.issuer-sign-tool: issuer-sign-tool-missing"}},
		{"no number", entrepreneur(), FNS, func(c *cert) { c.Serial = []byte{0} }, []string{"profile.number: certificate-number-bad"}},
		{"ends before it begins", entrepreneur(), FNS, func(c *cert) { c.NotAfter = c.NotBefore }, []string{"profile.dates: certificate-dates-bad"}},
		{"no document of the CA's tool", entrepreneur(), FNS, func(c *cert) { c.IssuerSignTool.CAToolCert = "" }, []string{"profile.sign-tool-form: sign-tool-incomplete"}},
		{"no document of the tool", entrepreneur(), FNS, func(c *cert) { c.IssuerSignTool.SignToolCert = "" }, []string{"profile.sign-tool-form: sign-tool-incomplete"}},
		{"no name of the CA's tool", entrepreneur(), FNS, func(c *cert) { c.IssuerSignTool.CATool = "" }, []string{"profile.sign-tool-form: sign-tool-incomplete"}},
		{"no name of the issuer's tool", entrepreneur(), FNS, func(c *cert) { c.IssuerSignTool.SignTool = "" }, []string{"profile.sign-tool-form: sign-tool-incomplete"}},
		{"names of 200 and 100 characters", entrepreneur(), FNS, func(c *cert) {
			c.SubjectSignTool, c.IssuerSignTool.SignToolCert = strings.Repeat("Я", 200), strings.Repeat("Я", 100)
		}, nil},
		{"name of 201 characters", entrepreneur(), FNS, func(c *cert) { c.SubjectSignTool = strings.Repeat("Я", 201) }, []string{"profile.sign-tool-form: sign-tool-incomplete"}},
		{"document of 101 characters", entrepreneur(), FNS, func(c *cert) { c.IssuerSignTool.CAToolCert = strings.Repeat("Я", 101) }, []string{"profile.sign-tool-form: sign-tool-incomplete"}},
		{"no identification", entrepreneur(), FNS, func(c *cert) { c.IdentificationKind = nil }, []string{"profile.identification-stated: identification-missing"}},
		{"ИНН of a company as that of a person", append(without(company(), gostx509.OIDINNLE), attributes(gostx509.OIDINN, "007707083893")...), Treasury, func(*cert) {}, []string{"profile.innle-form: inn-form-old"}},
		{"no number of the CA's certificate", entrepreneur(), FNS, func(c *cert) { c.AuthorityKeyID.Serial = nil }, []string{"profile.issuer-certificate: issuer-certificate-unnamed"}},
		{"key period of four years", entrepreneur(), FNS, func(c *cert) { c.PrivateKeyUsage.NotAfter = c.PrivateKeyUsage.NotBefore.AddDate(4, 0, 0) }, []string{"profile.key-period-length: key-period-too-long"}},
		{"key period of three years", entrepreneur(), FNS, func(c *cert) { c.PrivateKeyUsage.NotAfter = c.PrivateKeyUsage.NotBefore.AddDate(3, 0, 0) }, nil},
		{"unknown identification", entrepreneur(), FNS, func(c *cert) { c.IdentificationKind = new(gostx509.IdentificationKind(4)) }, []string{"profile.identification: identification-unknown"}},
		{"a CA", company(), FNS, func(c *cert) { c.IsCA = true }, []string{"profile.end-entity: certificate-is-ca"}},
		{"no CN", entrepreneur(), FNS, drop(gostx509.OIDCommonName), []string{"profile.common-name: attribute-missing"}},
		{"no surname", entrepreneur(), FNS, drop(gostx509.OIDSurname), []string{"profile.person-name: attribute-missing"}},
		{"head without given name", head(), FNS, drop(gostx509.OIDGivenName), []string{"profile.person-name: attribute-missing"}},
		{"no СНИЛС", entrepreneur(), FNS, drop(gostx509.OIDSNILS), []string{"profile.snils: attribute-missing"}},
		{"no ИНН", entrepreneur(), FNS, drop(gostx509.OIDINN), []string{"profile.inn: person-inn-missing"}},
		{"natural person without ИНН", naturalPerson(), FNS, drop(gostx509.OIDINN), []string{"profile.inn: person-inn-missing"}},
		{"no organization", company(), FNS, drop(gostx509.OIDOrganization), []string{"profile.organization: attribute-missing"}},
		{"no location", company(), FNS, drop(gostx509.OIDLocality), []string{"profile.location: attribute-missing"}},
		{"no ОГРН", company(), FNS, drop(gostx509.OIDOGRN), []string{"profile.ogrn: attribute-missing"}},
		{"no ИНН ЮЛ", company(), FNS, drop(gostx509.OIDINNLE), []string{"profile.innle: attribute-missing"}},
		{"entrepreneur from a commercial CA", entrepreneur(), "1027700132195", func(*cert) {}, []string{"profile.issuer-fns: issuer-not-fns"}},
		{"entrepreneur from the Treasury", entrepreneur(), Treasury, func(*cert) {}, []string{"profile.issuer-fns: issuer-not-fns"}},
		{"company from a commercial CA", company(), "1027700132195", func(*cert) {}, []string{"profile.issuer-state: issuer-not-fns"}},
		{"head from a commercial CA", head(), "1027700132195", func(*cert) {}, []string{"profile.issuer-state: issuer-not-fns"}},
		{"issuer without ОГРН", naturalPerson(), "", func(*cert) {}, []string{"profile.issuer-name: attribute-missing"}},
		{"certificate of an employee", head(), "1027700132195", func(c *cert) { c.NotBefore = time.Date(2023, time.August, 31, 20, 59, 59, 0, time.UTC) }, []string{"profile.employee: employee-certificate"}},
		{"issuer with a bad ОГРН", naturalPerson(), "1234567890123", func(*cert) {}, []string{"profile.issuer-ogrn: identifier-bad"}},
		{"nobody", attributes(gostx509.OIDCommonName, "Образцов Проба"), FNS, func(*cert) {}, []string{"profile.holder: holder-unclear"}},
		{"key of 2001", entrepreneur(), FNS, func(c *cert) { c.PublicKeyAlgorithm.Algorithm = sigalg.OIDKeyGOST2001 }, []string{"profile.key-algorithm: key-not-gost-2012"}},
		{"unreadable key", entrepreneur(), FNS, func(c *cert) { c.PublicKey = nil }, []string{"profile.key-algorithm: key-not-gost-2012"}},
		{"key for agreement only", entrepreneur(), FNS, func(c *cert) { c.KeyUsage = gostx509.KeyUsageKeyAgreement }, []string{"profile.key-usage: key-usage-unsuitable"}},
		{"no key usage", entrepreneur(), FNS, func(c *cert) { c.KeyUsage = 0 }, []string{"profile.key-usage: key-usage-unsuitable"}},
		{"key of a time-stamping service", company(), FNS, func(c *cert) { c.ExtKeyUsage = []asn1.ObjectIdentifier{gostx509.OIDTimeStamping} }, []string{"profile.ext-key-usage: key-usage-unsuitable"}},
		{"key of a server", company(), FNS, func(c *cert) {
			c.ExtKeyUsage = []asn1.ObjectIdentifier{gostx509.OIDServerAuth, gostx509.OIDOCSPSigning}
		}, []string{"profile.ext-key-usage: key-usage-unsuitable"}},
		{"key for mail", entrepreneur(), FNS, func(c *cert) {
			c.ExtKeyUsage = []asn1.ObjectIdentifier{gostx509.OIDServerAuth, gostx509.OIDEmailProtection}
		}, nil},
		{"key for a purpose of its own", entrepreneur(), FNS, func(c *cert) { c.ExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 643, 2, 2, 34, 6}} }, nil},
		{"no key period", entrepreneur(), FNS, func(c *cert) { c.PrivateKeyUsage = gostx509.PrivateKeyUsage{} }, []string{"profile.key-period-stated: key-period-missing"}},
		{"key period without an end", entrepreneur(), FNS, func(c *cert) { c.PrivateKeyUsage.NotAfter = time.Time{} }, []string{"profile.key-period-stated: key-period-missing"}},
		{"key period to come", entrepreneur(), FNS, func(c *cert) { c.PrivateKeyUsage.NotBefore = now.Add(time.Second) }, []string{"profile.key-period-begun: key-period-not-started"}},
		{"key period over", entrepreneur(), FNS, func(c *cert) { c.PrivateKeyUsage.NotAfter = now.Add(-time.Second) }, []string{"profile.key-period: key-period-over"}},
		{"bad ИНН", append(without(entrepreneur(), gostx509.OIDINN), attributes(gostx509.OIDINN, "500100732258")...), FNS, func(*cert) {}, []string{"profile.identifiers: identifier-bad"}},
		{"two ИНН", append(entrepreneur(), attributes(gostx509.OIDINN, "771234567890")...), FNS, func(*cert) {}, []string{"profile.identifiers: holder-ambiguous"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spoiled := good(c.subject)
			c.spoil(spoiled)
			if failed := failures(t, Check(spoiled, issuer(c.ogrn), now)); !slices.Equal(failed, c.want) {
				t.Errorf("%q, want %q", failed, c.want)
			}
		})
	}
}

// TestDates: each norm covers certificates issued since its first day in Moscow,
// which begins at 21:00 UTC of the day before.
func TestDates(t *testing.T) {
	for _, c := range []struct {
		step    string
		subject gostx509.Name
		first   time.Time // the first moment that the norm covers
		spoil   func(*gostx509.Certificate)
	}{
		{"profile.inn", entrepreneur(), time.Date(2015, time.June, 30, 21, 0, 0, 0, time.UTC), func(c *gostx509.Certificate) { c.Subject = without(c.Subject, gostx509.OIDINN) }},
		{"profile.issuer-fns", entrepreneur(), time.Date(2021, time.December, 31, 21, 0, 0, 0, time.UTC), func(*gostx509.Certificate) {}},
		{"profile.issuer-state", company(), time.Date(2021, time.December, 31, 21, 0, 0, 0, time.UTC), func(*gostx509.Certificate) {}},
		{"profile.issuer-state", head(), time.Date(2023, time.August, 31, 21, 0, 0, 0, time.UTC), func(*gostx509.Certificate) {}},
		{"profile.key-period-stated", entrepreneur(), time.Date(2024, time.August, 31, 21, 0, 0, 0, time.UTC), func(c *gostx509.Certificate) { c.PrivateKeyUsage = gostx509.PrivateKeyUsage{} }},
	} {
		for _, issued := range []time.Time{c.first.Add(-time.Second), c.first} {
			cert := good(c.subject)
			c.spoil(cert)
			cert.NotBefore = issued
			ran := slices.ContainsFunc(Check(cert, issuer("1027700132195"), now), func(v verdict.Check) bool {
				return v.Name == c.step && v.Status == verdict.Failed
			})
			if ran != !issued.Before(c.first) {
				t.Errorf("%s, issued %v: ran is %v", c.step, issued, ran)
			}
		}
	}
}

// TestUntil: приказ № 31 ends, and what it demands is not demanded of certificates
// issued from that day on. The employees' rule waits for its day of judgement.
func TestUntil(t *testing.T) {
	end := time.Date(2027, time.August, 31, 21, 0, 0, 0, time.UTC)
	for issued, want := range map[time.Time]verdict.Status{
		time.Date(2021, time.August, 31, 20, 59, 59, 0, time.UTC): verdict.NotApplicable,
		time.Date(2021, time.August, 31, 21, 0, 0, 0, time.UTC):   verdict.Failed,
		end.Add(-time.Second): verdict.Failed,
		end:                   verdict.NotApplicable,
	} {
		cert := good(append(without(company(), gostx509.OIDINNLE), attributes(gostx509.OIDINN, "007707083893")...))
		cert.NotBefore, cert.IdentificationKind = issued, nil
		for _, step := range []string{"profile.innle-form", "profile.identification-stated"} {
			if c := stepOf(t, Check(cert, issuer(Treasury), issued), step); c.Status != want {
				t.Errorf("issued %v: %s is %v, want %v", issued, step, c.Status, want)
			}
		}
	}
	employee := good(head())
	employee.NotBefore = time.Date(2023, time.August, 1, 0, 0, 0, 0, time.UTC)
	day := time.Date(2024, time.August, 31, 21, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time]reason.Code{day.Add(-time.Second): reason.RuleOtherDate, day: reason.EmployeeCertificate} {
		if c := stepOf(t, Check(employee, issuer("1027700132195"), at), "profile.employee"); c.Reason != want {
			t.Errorf("employee at %v: %q", at, c.Reason)
		}
	}
	if c := stepOf(t, Check(employee, issuer(FNS), day), "profile.employee"); c.Status != verdict.Passed {
		t.Errorf("the head of a company: %+v", c)
	}
}

// stepOf returns the first step of a name.
func stepOf(t *testing.T, checks []verdict.Check, name string) verdict.Check {
	t.Helper()
	i := slices.IndexFunc(checks, func(c verdict.Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no step %s", name)
	}
	return checks[i]
}

// TestNotApplicable: every rule is there, and one that does not apply says why.
func TestNotApplicable(t *testing.T) {
	auto := Check(good(company()), issuer(FNS), now)
	for step, want := range map[string]reason.Code{
		"profile.snils":          reason.RuleOtherHolder,    // no person
		"profile.person-name":    reason.RuleOtherHolder,    // no person
		"profile.issuer-fns":     reason.RuleOtherHolder,    // no entrepreneur
		"profile.organization":   "",                        // applies, and passed
		"profile.key-period":     "",                        // applies, and passed
		"profile.ext-key-usage":  reason.RuleNothingToCheck, // no extended key usage
		"profile.identification": "",
	} {
		if c := stepOf(t, auto, step); c.Reason != want {
			t.Errorf("%s: %+v, want %q", step, c, want)
		}
	}
	old := good(entrepreneur())
	old.NotBefore = time.Date(2014, time.May, 1, 0, 0, 0, 0, time.UTC)
	if c := stepOf(t, Check(old, issuer(FNS), now), "profile.inn"); c.Status != verdict.NotApplicable || c.Reason != reason.RuleOtherDate {
		t.Errorf("ИНН in 2014: %+v", c)
	}
	// What nobody is known to be is no holder of any kind.
	unread := good(append(without(entrepreneur(), gostx509.OIDINN), attributes(gostx509.OIDINN, "500100732258")...))
	if c := stepOf(t, Check(unread, issuer(FNS), now), "profile.snils"); c.Reason != reason.RuleOtherHolder {
		t.Errorf("unreadable holder: %+v", c)
	}
}

// TestArchive: keys of 2001 were good until the end of 2019.
func TestArchive(t *testing.T) {
	cert := good(naturalPerson())
	cert.PublicKeyAlgorithm.Algorithm = sigalg.OIDKeyGOST2001
	cert.PrivateKeyUsage = gostx509.PrivateKeyUsage{}
	cert.NotBefore = time.Date(2018, time.May, 1, 0, 0, 0, 0, time.UTC)
	end := time.Date(2019, time.December, 31, 21, 0, 0, 0, time.UTC)
	if failed := failures(t, Check(cert, issuer(FNS), end.Add(-time.Second))); failed != nil {
		t.Errorf("in 2019: %q", failed)
	}
	if failed := failures(t, Check(cert, issuer(FNS), end)); len(failed) != 1 {
		t.Errorf("in 2020: %q", failed)
	}
}

// TestNoIssuer judges by the name of the issuer when its certificate is unknown.
func TestNoIssuer(t *testing.T) {
	cert := good(entrepreneur())
	if failed := failures(t, Check(cert, nil, now)); len(failed) != 3 {
		t.Errorf("no issuer at all: %q", failed)
	}
	cert.Issuer = issuer(FNS).Subject
	if failed := failures(t, Check(cert, nil, now)); failed != nil {
		t.Errorf("issuer by name: %q", failed)
	}
}

// TestZero: an empty certificate breaks rules and panics nowhere.
func TestZero(t *testing.T) {
	if failed := failures(t, Check(&gostx509.Certificate{}, nil, now)); !slices.Contains(failed, "profile.qualified: not-qualified") {
		t.Errorf("%q", failed)
	}
}

// TestTable holds the rows: every kind that is named exists, and no row could
// never run.
func TestTable(t *testing.T) {
	known := []person.Kind{person.Entrepreneur, person.LegalEntity, person.LegalEntityAuto, person.Person}
	for _, r := range table() {
		if r.id == "" || r.cite == "" || r.reason == "" || r.check == nil || r.kinds != nil && len(r.kinds) == 0 {
			t.Errorf("%s: an empty field", r.id)
		}
		for _, k := range r.kinds {
			if !slices.Contains(known, k) {
				t.Errorf("%s: kind %q", r.id, k)
			}
		}
	}
}
