package gostx509

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Numbers that nobody has, or that are public: DOMAIN 2.2.
const (
	testINN    = "500100732259"
	testINN2   = "771234567890"
	testINNLE  = "7707329152"
	testOGRN   = "1047707030513"
	testOGRNIP = "304500116000157"
	testSNILS  = "11223344595"
)

// subject makes a name out of pairs of type and text.
func subject(pairs ...any) Name {
	var n Name
	for i := 0; i < len(pairs); i += 2 {
		id, isID := pairs[i].(asn1.ObjectIdentifier)
		text, isText := pairs[i+1].(string)
		if !isID || !isText {
			panic("want pairs of attribute type and text")
		}
		n = append(n, Attribute{Type: id, Text: text})
	}
	return n
}

// TestKinds walks through the classifier of DOMAIN 2.2.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		name    string
		ca      bool
		subject Name
		want    person.Kind
		err     error
	}{
		{"entrepreneur", false, subject(OIDOGRNIP, testOGRNIP, OIDSNILS, testSNILS, OIDINN, testINN), person.Entrepreneur, nil},
		{"entrepreneur before 2015, without ИНН", false, subject(OIDOGRNIP, testOGRNIP, OIDSNILS, testSNILS), person.Entrepreneur, nil},
		{"company, new form", false, subject(OIDOGRN, testOGRN, OIDINNLE, testINNLE, OIDSurname, "Пробин"), person.LegalEntity, nil},
		{"company, old form", false, subject(OIDOGRN, testOGRN, OIDINN, "00"+testINNLE, OIDSNILS, testSNILS), person.LegalEntity, nil},
		{"company, both forms", false, subject(OIDOGRN, testOGRN, OIDINN, "00"+testINNLE, OIDINNLE, testINNLE), person.LegalEntityAuto, nil},
		{"company with the ИНН of its head", false, subject(OIDOGRN, testOGRN, OIDINNLE, testINNLE, OIDINN, testINN), person.LegalEntity, nil},
		{"company without a person", false, subject(OIDOGRN, testOGRN, OIDINNLE, testINNLE, OIDCommonName, "ЕСИА"), person.LegalEntityAuto, nil},
		{"natural person", false, subject(OIDSNILS, testSNILS, OIDINN, testINN), person.Person, nil},
		{"natural person without ИНН", false, subject(OIDSNILS, testSNILS), person.Person, nil},
		{"nobody", false, subject(OIDCommonName, "localhost"), person.Other, nil},
		{"empty name", false, nil, person.Other, nil},
		{"the common name counts for nothing", false, subject(OIDCommonName, "ИП Пробин, ОГРНИП "+testOGRNIP), person.Other, nil},
		{"authority", true, subject(OIDOGRN, testOGRN, OIDINN, "00"+testINNLE), person.Authority, nil},
		{"authority with КПП", true, subject(OIDOGRN, testOGRN, OIDINN, "00"+testINNLE, OIDINNLE, "770201001"), person.Authority, nil},
		{"КПП without the old form", false, subject(OIDOGRN, testOGRN, OIDINNLE, "770201001"), "", reason.IdentifierBad},
		{"entrepreneur and company", false, subject(OIDOGRNIP, testOGRNIP, OIDOGRN, testOGRN), "", reason.HolderUnclear},
		{"entrepreneur with ИНН ЮЛ", false, subject(OIDOGRNIP, testOGRNIP, OIDINNLE, testINNLE), "", reason.HolderUnclear},
		{"same value twice", false, subject(OIDINN, testINN, OIDINN, testINN), person.Person, nil},
		{"two values", false, subject(OIDINN, testINN, OIDINN, testINN2), "", reason.HolderAmbiguous},
		{"two forms of two companies", false, subject(OIDINN, "00"+testINNLE, OIDINNLE, "7707083893"), "", reason.HolderAmbiguous},
		{"bad ОГРН", false, subject(OIDOGRN, "1234567890123"), "", reason.IdentifierBad},
		{"bad ИНН", false, subject(OIDINN, "123456789012"), "", reason.IdentifierBad},
		{"bad ИНН in the old form", false, subject(OIDINN, "001234567890"), "", reason.IdentifierBad},
		{"twelve zeros", false, subject(OIDINN, "000000000000"), "", reason.IdentifierBad},
		{"ИНН of ten digits in the attribute of twelve", false, subject(OIDINN, testINNLE), "", reason.IdentifierBad},
		{"ИНН with a space", false, subject(OIDINN, testINN+" "), "", reason.IdentifierBad},
		{"bad СНИЛС", false, subject(OIDSNILS, "11223344594"), "", reason.IdentifierBad},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert := Certificate{IsCA: c.ca, Subject: c.subject}
			who, err := cert.Identity()
			if !errors.Is(err, c.err) || who.Kind != c.want {
				t.Fatalf("%q, %v, want %q, %v", who.Kind, err, c.want, c.err)
			}
			if err != nil && who != (person.Identity{}) {
				t.Error("refused, yet somebody was named")
			}
		})
	}
}

func TestIdentityFields(t *testing.T) {
	cert := Certificate{Subject: subject(
		OIDSurname, "Образцов", OIDGivenName, "Проба Тестович", OIDCommonName, "другое имя",
		OIDTitle, "Директор", OIDEmail, "proba@example.org", OIDOrganization, "ООО \"Образец\"",
		OIDOGRN, testOGRN, OIDINN, "00"+testINNLE, OIDSNILS, testSNILS)}
	who, err := cert.Identity()
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		who.Name.Reveal(): "Образцов Проба Тестович", who.Title.Reveal(): "Директор", who.Email.Reveal(): "proba@example.org",
		who.Organization.Reveal(): "ООО \"Образец\"", who.OGRN.Reveal(): testOGRN, who.INNLE.Reveal(): testINNLE, who.SNILS.Reveal(): testSNILS,
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !who.INN.IsZero() || !who.OGRNIP.IsZero() {
		t.Error("a number appeared from nowhere")
	}
	hostile := Certificate{Subject: subject(OIDCommonName, "Проба\u202E\u0000\u2028\nОбразцов")}
	if who, err := hostile.Identity(); err != nil || who.Name.Reveal() != "Проба����Образцов" {
		t.Errorf("%q, %v", who.Name.Reveal(), err)
	}
}

// TestDerived asks a certificate for what follows from its bytes, and copies of it with
// other bytes or another subject: each answers for itself.
func TestDerived(t *testing.T) {
	key := newKey(t, gost3410.TC26256A())
	raw, err := Create(rand.Reader, Template{
		Subject: Name{{Type: OIDCommonName, Text: "one", Tag: 12}}, Serial: []byte{1},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0), MaxPathLen: -1,
	}, nil, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	one, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	_, _, _ = one.SHA256(), one.Streebog256(), one.SHA1()
	_, _ = one.SubjectText(), one.IssuerText()
	who, err := one.Identity()
	if err != nil {
		t.Fatal(err)
	}
	if one.SHA256() != sha256.Sum256(one.Raw) || one.Streebog256() != streebog.Sum256(one.Raw) || one.SHA1() != sha1.Sum(one.Raw) {
		t.Error("a digest is wrong")
	}
	if one.SubjectText() != one.Subject.String() || one.IssuerText() != one.Issuer.String() || one.SubjectText() != "CN=one" {
		t.Error("the text of a name is wrong")
	}
	other := *one
	other.Raw = append(bytes.Clone(one.Raw), 0)
	if other.SHA256() != sha256.Sum256(other.Raw) || other.Streebog256() != streebog.Sum256(other.Raw) || other.SHA1() != sha1.Sum(other.Raw) {
		t.Error("a copy with other bytes has the digest of the first")
	}
	renamed := *one
	renamed.Subject = Name{{Type: OIDCommonName, Text: "two", Tag: 12}}
	if now, err := renamed.Identity(); err != nil || now == who {
		t.Errorf("a copy with another subject is the same holder: %v", err)
	}
	renamed.Issuer = renamed.Subject[:0]
	if renamed.SubjectText() != "CN=two" || renamed.IssuerText() != "" {
		t.Error("a copy with other names has the texts of the first")
	}
	authority := *one
	authority.IsCA = true
	if now, err := authority.Identity(); err != nil || now.Kind != person.Authority {
		t.Errorf("a copy that is a CA is a %v: %v", now.Kind, err)
	}
	bare := Certificate{Raw: []byte{1}}
	if bare.SHA256() != sha256.Sum256(bare.Raw) || bare.SHA1() != sha1.Sum(bare.Raw) || bare.SubjectText()+bare.IssuerText() != "" {
		t.Error("a certificate that nobody parsed has a wrong digest")
	}
	if empty := new(Certificate); empty.SHA256() != sha256.Sum256(nil) {
		t.Error("an empty certificate has a wrong digest")
	}
}

// TestDerivedSignature checks signatures of certificates whose digests are known: what
// was put in the place of the signed part, or of the bytes, is what counts.
func TestDerivedSignature(t *testing.T) {
	key := newKey(t, gost3410.TC26256A())
	template := Template{
		Subject: Name{{Type: OIDCommonName, Text: "one", Tag: 12}}, Serial: []byte{1},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0), MaxPathLen: -1,
	}
	var certs [2]*Certificate
	for i := range certs {
		template.Serial = []byte{byte(1 + i)}
		raw, err := Create(rand.Reader, template, nil, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if certs[i], err = Parse(raw); err != nil {
			t.Fatal(err)
		}
		before := certs[i].CheckSignature(key.Public())
		certs[i].Streebog256()
		if after := certs[i].CheckSignature(key.Public()); before != nil || after != nil {
			t.Fatalf("a good signature: %v, and once digests are known: %v", before, after)
		}
	}
	otherPart, otherBytes, otherSignature, otherAlgorithm := *certs[0], *certs[0], *certs[0], *certs[0]
	otherPart.RawTBS = certs[1].RawTBS
	otherBytes.Raw, otherBytes.RawTBS = certs[1].Raw, certs[1].RawTBS
	otherSignature.Signature = certs[1].Signature
	otherAlgorithm.SignatureAlgorithm.Algorithm = sigalg.OIDGOST2001WithGOST94
	for name, c := range map[string]*Certificate{
		"signed part": &otherPart, "bytes": &otherBytes, "signature": &otherSignature, "algorithm": &otherAlgorithm,
	} {
		if err := c.CheckSignature(key.Public()); err == nil {
			t.Errorf("another %s has a good signature", name)
		}
	}
	if err := certs[0].CheckSignature(newKey(t, gost3410.TC26256A()).Public()); err == nil {
		t.Error("another key has made the signature")
	}
}
