package gostx509

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"testing"

	"propusk/pki/der"
)

// TestStrings writes and reads every string type.
func TestStrings(t *testing.T) {
	for _, c := range []struct {
		tag  der.Tag
		text string
		ok   bool
	}{
		{der.TagUTF8String, "ООО «Ромашка» 🌼", true},
		{der.TagUTF8String, "\xff", false},
		{der.TagUTF8String, "", true},
		{der.TagNumericString, "1047707030513", true},
		{der.TagNumericString, "1x", false},
		{der.TagPrintableString, "RU (Moscow) '+,-./:=?", true},
		{der.TagPrintableString, "a@b", false},
		{der.TagPrintableString, "a_b", false},
		{der.TagIA5String, "proba@example.org", true},
		{der.TagIA5String, "проба@example.org", false},
		{der.TagVisibleString, "a~", true},
		{der.TagVisibleString, "a\n", false},
		{der.TagTeletexString, "Café", true},
		{der.TagTeletexString, "Кафе", false},
		{der.TagBMPString, "Кафе €", true},
		{der.TagBMPString, "🌼", false},
		{der.TagSequence, "строка первая, строка вторая", true},
	} {
		n := Name{{Type: OIDOrganization, Text: c.text, Tag: int(c.tag)}}
		raw, err := n.Marshal()
		if (err == nil) != c.ok {
			t.Errorf("tag %d, %q: %v", c.tag, c.text, err)
		}
		if err != nil {
			continue
		}
		if back, err := ParseName(raw); err != nil || !slices.EqualFunc(n, back, sameAttribute) {
			t.Errorf("tag %d, %q read as %+v, %v", c.tag, c.text, back, err)
		}
	}
}

func sameAttribute(a, b Attribute) bool {
	return a.Type.Equal(b.Type) && a.Text == b.Text && a.SameRDN == b.SameRDN && (a.Tag == b.Tag || a.Tag == 0)
}

// TestBadStrings gives the parser what Marshal cannot write.
func TestBadStrings(t *testing.T) {
	for name, value := range map[string]string{
		"UTF8String that is not":          "\x0c\x02\xc3\x28",
		"NumericString with a letter":     "\x12\x021a",
		"PrintableString with @":          "\x13\x03a@b",
		"IA5String with the top bit":      "\x16\x01\x80",
		"VisibleString with a control":    "\x1a\x01\x07",
		"BMPString of an odd length":      "\x1e\x03\x04\x10\x04",
		"BMPString with a surrogate":      "\x1e\x02\xd8\x00",
		"postalAddress with a bad string": "\x30\x03\x12\x01a",
		"postalAddress with an integer":   "\x30\x03\x02\x01\x05",
	} {
		raw := wrap(0x30, wrap(0x31, wrap(0x30, "\x06\x03\x55\x04\x0a"+value)))
		if n, err := ParseName([]byte(raw)); err == nil {
			t.Errorf("%s: read as %q", name, n)
		}
	}
	for name, raw := range map[string]string{
		"empty RDN":               "\x30\x02\x31\x00",
		"attribute with no value": wrap(0x30, wrap(0x31, wrap(0x30, "\x06\x03\x55\x04\x0a"))),
		"attribute with two":      wrap(0x30, wrap(0x31, wrap(0x30, "\x06\x03\x55\x04\x0a\x0c\x01a\x0c\x01b"))),
	} {
		if n, err := ParseName([]byte(raw)); err == nil {
			t.Errorf("%s: read as %q", name, n)
		}
	}
}

// wrap makes an element of up to 127 bytes.
func wrap(tag byte, content string) string { return string([]byte{tag, byte(len(content))}) + content }

func TestDisplay(t *testing.T) {
	n := Name{
		{Type: OIDCommonName, Text: "Образцов Проба"},
		{Type: OIDOrganization, Text: `ООО "Ромашка"`},
		{Type: OIDINN, Text: testINN},
		{Type: OIDINNLE, Text: testINNLE},
		{Type: OIDState, Text: "77, Москва"},
		{Type: OIDTitle, Text: "Директор", SameRDN: true},
		{Type: OIDLocality, Text: " "},
		{Type: asn1.ObjectIdentifier{1, 2, 3}, Text: "x\u202Ey"},
	}
	want := `CN=Образцов Проба, O="ООО ""Ромашка""", ИНН=500100732259, ИНН ЮЛ=7707329152, S="77, Москва" + T=Директор, L=" ", 1.2.3=x` + "\uFFFDy"
	if got := n.String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := n.All(OIDINN); !slices.Equal(got, []string{testINN}) || n.Get(OIDOGRN) != "" {
		t.Errorf("All = %q", got)
	}
	if (Name{}).String() != "" {
		t.Error("the empty name prints something")
	}
}

// TestUnknownValue keeps a value that is not a string, and writes it back.
func TestUnknownValue(t *testing.T) {
	raw := []byte(wrap(0x30, wrap(0x31, wrap(0x30, "\x06\x03\x55\x04\x2d\x03\x02\x00\xaa")))) // x500UniqueIdentifier
	n, err := ParseName(raw)
	if err != nil || len(n) != 1 || n[0].Text != "#030200aa" {
		t.Fatalf("%+v, %v", n, err)
	}
	if back, err := n.Marshal(); err != nil || !bytes.Equal(back, raw) {
		t.Errorf("%x, %v", back, err)
	}
}

// TestSortedRDN writes the SET in the order that DER demands.
func TestSortedRDN(t *testing.T) {
	raw, err := Name{{Type: OIDTitle, Text: "b"}, {Type: OIDCommonName, Text: "a", SameRDN: true}}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	n, err := ParseName(raw)
	if err != nil || len(n) != 2 || !n[0].Type.Equal(OIDCommonName) || n[0].SameRDN || !n[1].SameRDN {
		t.Errorf("%+v, %v", n, err)
	}
}

func TestInterned(t *testing.T) {
	for content, id := range interned() {
		if got := der.OID(content).ObjectIdentifier(); !got.Equal(id) {
			t.Errorf("%x is %v, not %v", content, got, id)
		}
		if &intern(der.OID(content))[0] != &id[0] {
			t.Errorf("%v is allocated anew", id)
		}
	}
	for content, id := range map[string]asn1.ObjectIdentifier{
		idSubjectKeyID: OIDSubjectKeyID, idKeyUsage: OIDKeyUsage, idPrivateKeyUsage: OIDPrivateKeyUsage,
		idSubjectAltName: OIDSubjectAltName, idBasicConstraints: OIDBasicConstraints, idCRLDistribution: OIDCRLDistribution,
		idPolicies: OIDPolicies, idAuthorityKeyID: OIDAuthorityKeyID, idExtKeyUsage: OIDExtKeyUsage,
		idAuthorityInfo: OIDAuthorityInfo, idSubjectSignTool: OIDSubjectSignTool, idIssuerSignTool: OIDIssuerSignTool,
		idIdentificationKind: OIDIdentificationKind,
		idOCSP:               {1, 3, 6, 1, 5, 5, 7, 48, 1}, idCAIssuers: {1, 3, 6, 1, 5, 5, 7, 48, 2},
	} {
		if !der.OID(content).ObjectIdentifier().Equal(id) {
			t.Errorf("%x is not %v", content, id)
		}
	}
}

// FuzzName: a name that is accepted either encodes to the same bytes, or has an
// RDN that was not sorted, or a postalAddress in strings of another type.
func FuzzName(f *testing.F) {
	seed := Name{
		{Type: OIDCommonName, Text: "Образцов"}, {Type: OIDINN, Text: testINN}, {Type: OIDTitle, Text: "x", SameRDN: true},
		{Type: OIDPostalAddress, Text: "a, b"}, {Type: OIDOrganization, Text: "О", Tag: int(der.TagBMPString)},
	}
	raw, err := seed.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte("\x30\x02\x31\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := ParseName(raw)
		if err != nil {
			if n != nil {
				t.Fatal("refused, yet something was returned")
			}
			return
		}
		_ = n.String()
		back, err := n.Marshal()
		if err != nil {
			t.Fatalf("%+v: %v", n, err)
		}
		again, err := ParseName(back)
		if err != nil || len(again) != len(n) || again.String() == "" && len(n) > 0 {
			t.Fatalf("%x became %x: %+v, %v", raw, back, again, err)
		}
		plain := !slices.ContainsFunc(n, func(a Attribute) bool { return a.SameRDN || a.Tag == int(der.TagSequence) })
		if plain && !bytes.Equal(raw, back) {
			t.Fatalf("%x became %x", raw, back)
		}
	})
}
