package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/internal/country"
	"propusk/pki/internal/openssl"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/qualified"
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

var document = []byte("Договор вымышленный.\n")

// personal are texts of the holder that no document may show under a name that
// could be taken for an identity, unless the verdict passed.
var personal = []string{"500100732259", "304500116000157", "11223344595"}

// trust returns what a country publishes.
func trust(c *country.Country) validate.Trust {
	return validate.Trust{
		Roots: path.NewPool(c.Root.Cert), Intermediates: c.Intermediates(),
		Accredited: c.List, CRLs: c.CRLs(), ID: "snapshot", LoadedAt: country.Now,
	}
}

// object decodes a document into maps, as a stranger would read it.
func object(t *testing.T, doc any) map[string]any {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPassed reads a document about a good signature.
func TestPassed(t *testing.T) {
	openssl.Require(t)
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
	file := h.Sign(t, document, "-cades", "-outform", "DER")
	r := v.Signature(file, cms.Document(document), country.Now)
	m := object(t, Signatures(r, v.Trust, country.Now))

	for key, want := range map[string]any{
		"conclusion": TotalPassed, "policy": "qes", "verified_at": "2026-06-15T12:00:00Z", "moment": "2026-06-15T12:00:00Z",
	} {
		if m[key] != want {
			t.Errorf("%s = %v, want %v", key, m[key], want)
		}
	}
	if tr := m["trust"].(map[string]any); tr["list_version"] != float64(7) || tr["list_date"] == nil || tr["id"] != "snapshot" {
		t.Errorf("trust = %v", tr)
	}
	for _, absent := range []string{"sub_indication", "code"} {
		if _, there := m[absent]; there {
			t.Errorf("%s is there", absent)
		}
	}
	s := m["signatures"].([]any)[0].(map[string]any)
	for key, want := range map[string]any{
		"conclusion": TotalPassed, "format": "CAdES", "level": "CAdES-BES", "detached": true,
		"mathematical": "passed", "certificate": "passed", "qualified": "passed",
	} {
		if s[key] != want {
			t.Errorf("signature: %s = %v, want %v", key, s[key], want)
		}
	}
	signer := s["signer"].(map[string]any)
	for key, want := range map[string]any{
		"kind": "ip", "name": "Иванов Иван Вымышленный", "inn": "500100732259",
		"ogrnip": "304500116000157", "snils": "11223344595",
	} {
		if signer[key] != want {
			t.Errorf("signer: %s = %v, want %v", key, signer[key], want)
		}
	}
	if s["claimed_certificate"] != nil || s["signing_certificate"] == nil || s["claimed_signing_time"] == nil {
		t.Error("certificate or claimed time")
	}
	if checks := s["checks"].([]any); len(checks) < 8 {
		t.Errorf("only %d checks", len(checks))
	}
}

// TestNotPassed reads documents about signatures that did not pass: none names a
// signer.
func TestNotPassed(t *testing.T) {
	openssl.Require(t)
	c := country.New(t)
	h := c.Person(t, c.Lost, gost3410.TC26256A(), country.Entrepreneur())
	v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
	file := h.Sign(t, document, "-outform", "DER")
	for _, one := range []struct {
		name, conclusion, sub string
		code                  reason.Code
		file                  []byte
		content               cms.Content
	}{
		{"accreditation lost", TotalFailed, "CHAIN_CONSTRAINTS_FAILURE", reason.CANotAccredited, file, cms.Document(document)},
		{"changed document", TotalFailed, "HASH_FAILURE", reason.ContentChanged, file, cms.Document([]byte("x"))},
		{"no document", TotalFailed, "CHAIN_CONSTRAINTS_FAILURE", reason.CANotAccredited, file, cms.Content{}},
		{"no signature", TotalFailed, "FORMAT_FAILURE", reason.SignatureMalformed, document, cms.Content{}},
	} {
		r := v.Signature(one.file, one.content, country.Now)
		doc := Signatures(r, v.Trust, country.Now)
		if doc.Conclusion != one.conclusion || doc.SubIndication != one.sub || doc.Code != one.code {
			t.Errorf("%s: %s/%s %s, want %s/%s %s", one.name, doc.Conclusion, doc.SubIndication, doc.Code, one.conclusion, one.sub, one.code)
		}
		entry, _ := reason.Lookup(one.code)
		if !strings.HasSuffix(doc.Text.RU, entry.RU) || doc.Text.EN == "" {
			t.Errorf("%s: text %q", one.name, doc.Text.RU)
		}
		for _, s := range doc.Signatures {
			if s.Signer != nil || s.SigningCertificate != nil || s.ClaimedCertificate == nil {
				t.Errorf("%s: a signer", one.name)
			}
		}
		if m := object(t, doc); m["signatures"] == nil {
			t.Errorf("%s: signatures is null", one.name)
		}
	}
}

// TestCertificate reads documents about certificates.
func TestCertificate(t *testing.T) {
	c := country.New(t)
	v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
	good := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	d := Certificate(v.Certificate(good.Cert.Raw, nil, country.Now), v.Trust, country.Now)
	if d.Conclusion != TotalPassed || d.Holder == nil || d.Holder.INN != "500100732259" || !d.Trusted || len(d.Chain) != 3 || d.Qualified != verdict.Passed {
		t.Errorf("good: %+v", d)
	}
	if d.Properties.Key == "" || d.Properties.CA || d.Properties.KeyNotAfter == nil || len(d.Properties.Policies) != 2 {
		t.Errorf("properties: %+v", d.Properties)
	}
	bad := c.Person(t, c.Stranger, gost3410.TC26256A(), country.Entrepreneur())
	d = Certificate(v.Certificate(bad.Cert.Raw, nil, country.Now), v.Trust, country.Now)
	if d.Conclusion != TotalFailed || d.Holder != nil || d.Claims == nil || d.Code != reason.CANotListed || !d.Trusted {
		t.Errorf("bad: %+v", d)
	}
	kinds := validate.Validator{Trust: v.Trust, Policy: validate.SignIn(person.LegalEntity)}
	d = Certificate(kinds.Certificate(good.Cert.Raw, nil, country.Now), v.Trust, country.Now)
	if d.Conclusion != TotalFailed || d.Code != reason.WrongHolderKind || !strings.HasPrefix(d.Text.RU, "Сертификат не подходит.") {
		t.Errorf("good, but of another kind: %+v", d)
	}
	d = Certificate(v.Certificate([]byte("x"), nil, country.Now), v.Trust, country.Now)
	if d.Conclusion != TotalFailed || d.Holder != nil || d.Claims != nil || d.Certificate != nil || d.Code != reason.CertMalformed {
		t.Errorf("unreadable: %+v", d)
	}
	if d := Certificate(validate.Certificate{}, validate.Trust{}, country.Now); d.Conclusion != Indeterminate || d.Holder != nil {
		t.Errorf("zero: %+v", d)
	}
}

// TestPrintsNobody formats documents as a careless log line would.
func TestPrintsNobody(t *testing.T) {
	c := country.New(t)
	v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	d := Certificate(v.Certificate(h.Cert.Raw, nil, country.Now), v.Trust, country.Now)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		text := fmt.Sprintf(verb, *d) + fmt.Sprintf(verb, *d.Holder) + fmt.Sprintf(verb, d.Chain)
		for _, secret := range personal {
			if strings.Contains(text, secret) {
				t.Errorf("%s prints %s", verb, secret)
			}
		}
	}
}

// TestSubIndications checks that every code of the table exists, once, and that no
// code is forgotten: a new one is either in the table or never in a verdict.
func TestSubIndications(t *testing.T) {
	seen := map[reason.Code]bool{}
	for _, row := range subIndications() {
		for _, code := range row.codes {
			if _, ok := reason.Lookup(code); !ok || seen[code] {
				t.Errorf("%s: unknown or twice", code)
			}
			seen[code] = true
		}
	}
	for _, e := range reason.All() {
		if seen[e.Code] == beyondVerdicts(string(e.Code)) {
			t.Errorf("%s: is it in a verdict (then subIndications must have it) or not (then beyondVerdicts)?", e.Code)
		}
	}
	if got := SubIndication(verdict.Verdict{}); got != "GENERIC" {
		t.Errorf("zero verdict: %q", got)
	}
}

// beyondVerdicts tells the codes of requests, of signing and tokens, of sign-in, of trust data
// and of configuration: no verdict document has them.
func beyondVerdicts(code string) bool {
	for _, area := range []string{
		"activation-", "account-", "agent-", "api-key-", "authorization-", "batch-", "captcha-", "card-", "challenge-", "check-", "client-", "config-", "digest-", "fetch-", "file-is-", "files-", "form-", "journal-", "level-", "login-", "media-", "method-", "page-",
		"quota-", "reader-", "redirect-", "register-", "registration-", "request-", "server-", "sign-gateway-", "sign-request-", "signin-", "signing-", "ticket-", "token-", "tsl-", "visit-",
	} {
		if strings.HasPrefix(code, area) {
			return true
		}
	}
	if strings.HasPrefix(code, "trust-") {
		return code != string(reason.TrustNotConfigured)
	}
	return slices.Contains([]string{
		"connection-key-mismatch", "gost-tls-required", "long-term-data-missing", "no-time-stamp", "signature-sealed", "signed-already",
		"time-stamp-foreign", "time-stamp-refused", "time-stamp-unavailable",
	}, code)
}

// TestTitles: every check that a package of this directory names has a title in
// both languages, and every rule of package qualified its own.
func TestTitles(t *testing.T) {
	named := regexp.MustCompile(`(?m)^\s*(?:Check|check|step|Step)\w+\s*=\s*"([a-z][a-z.-]+)"`)
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	known := checkTitles()
	found := map[string]bool{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllSubmatch(source, -1) {
			found[string(m[1])] = true
			if text := known[string(m[1])]; text.RU == "" || text.EN == "" {
				t.Errorf("%s: the check %s has no title", file, m[1])
			}
		}
	}
	for name := range known {
		if !found[name] {
			t.Errorf("no package names the check %s", name)
		}
	}
	for _, r := range qualified.Rules() {
		if got := title(r.ID); got == (Text{r.ID, r.ID}) || got.RU == "" {
			t.Errorf("%s has no title", r.ID)
		}
	}
	if got := title("no such check"); got.RU != "no such check" {
		t.Errorf("an unknown check: %+v", got)
	}
}

// TestRemedies: every check that did not pass says what happened, what to do, and
// on which norm it rests.
func TestRemedies(t *testing.T) {
	var b verdict.Builder
	b.Add(
		verdict.Pass("a", "x"), verdict.Fail("b", reason.CertExpired, "63-ФЗ, ст. 11", ""),
		verdict.Unknown("c", reason.RevocationUnknown, "", ""), verdict.Skip("d", reason.RuleOtherDate, ""),
	)
	all := checksOf(b.Done(person.Identity{}))
	for i, want := range []struct{ text, remedy bool }{{false, false}, {true, true}, {true, true}, {true, false}} {
		if c := all[i]; (c.Text != nil) != want.text || (c.Remedy != nil) != want.remedy {
			t.Errorf("%+v", c)
		}
	}
	if r := all[1].Remedy; !strings.HasSuffix(all[1].Text.RU, r.RU) || r.EN != "Obtain a new one from the certification authority." {
		t.Errorf("%+v", r)
	}
}
