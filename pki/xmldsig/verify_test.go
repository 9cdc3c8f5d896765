package xmldsig

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
	"propusk/pki/xmldsig/strictxml"
)

// signer is a key with a self-signed certificate.
type signer struct {
	key  crypto.Signer
	cert *gostx509.Certificate
}

func newSigner(t testing.TB, curve *gost3410.Curve) signer {
	t.Helper()
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := gostx509.Create(nil, gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Издатель перечня (тест)"}},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
	}, nil, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := gostx509.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, cert}
}

func (s signer) sign(t testing.TB, doc string) []byte {
	t.Helper()
	signed, err := Sign([]byte(doc), s.key, s.cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

const plain = `<?xml version="1.0" encoding="UTF-8"?>
<?note outside?>
<list xmlns:a="urn:a" xml:lang="ru" version='1'>
  <a:item id="one" n="1">первый &amp; &#13; <![CDATA[<второй>]]></a:item><!-- a comment -->
  <empty/>
</list>
`

// verify is Verify of a document that must be readable.
func verify(t testing.TB, doc []byte, pinned ...*gostx509.Certificate) Result {
	t.Helper()
	r, err := Verify(doc, Options{Signers: pinned})
	if err != nil {
		t.Fatalf("Verify: %v\n%s", err, doc)
	}
	if _, ok := r.Signer(); ok != (r.Status() == verdict.Passed) || ok != (r.Reason() == "") {
		t.Fatalf("signer %v, status %v, reason %q", ok, r.Status(), r.Reason())
	}
	return r
}

func TestSignVerify(t *testing.T) {
	for _, curve := range []*gost3410.Curve{gost3410.CryptoProA(), gost3410.TC26256A(), gost3410.TC26512A(), gost3410.TC26512C()} {
		s, other := newSigner(t, curve), newSigner(t, curve)
		for _, doc := range []string{plain, "<a> </a>", `<x:a xmlns:x="urn:x" xmlns="urn:d" xml:base="http://h/"><b/></x:a>`} {
			signed := s.sign(t, doc)
			r := verify(t, signed, other.cert, s.cert)
			if got, ok := r.Signer(); !ok || !got.Equal(s.cert) {
				t.Errorf("%s: %s: %+v", curve.Name(), doc, r.Checks())
			}
			if r := verify(t, signed, other.cert); r.Reason() != reason.XMLSignerUnknown {
				t.Errorf("%s: signed by a stranger: %q", curve.Name(), r.Reason())
			}
			if r := verify(t, signed); r.Reason() != reason.XMLSignerUnknown {
				t.Errorf("%s: nobody pinned: %q", curve.Name(), r.Reason())
			}
			sigs, err := Inspect(signed)
			if err != nil || len(sigs) != 1 || !sigs[0].Certificate.Equal(s.cert) || !sigs[0].References[0].Whole {
				t.Errorf("%s: Inspect: %v, %+v", curve.Name(), err, sigs)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	s, other := newSigner(t, gost3410.CryptoProA()), newSigner(t, gost3410.CryptoProA())
	for _, doc := range []string{"", "<a>", "<a/>", string(s.sign(t, plain))} {
		if out, err := Sign([]byte(doc), s.key, s.cert.Raw); err == nil || out != nil {
			t.Errorf("signed %.60q", doc)
		}
	}
	if _, err := Sign([]byte(plain), s.key, other.cert.Raw); err == nil {
		t.Error("signed with the certificate of another key")
	}
	if _, err := Sign([]byte(plain), s.key, nil); err == nil {
		t.Error("signed without a certificate")
	}
}

// TestFlip changes one bit of every byte of a signed document. If it still
// passes, what it says is the same.
func TestFlip(t *testing.T) {
	s := newSigner(t, gost3410.CryptoProA())
	doc := s.sign(t, plain)
	body := func(doc []byte) string {
		i, j := bytes.Index(doc, []byte("<ds:Signature")), bytes.LastIndex(doc, []byte("</ds:Signature>"))
		if i < 0 || j < i {
			return "no signature"
		}
		return string(canon(t, append(bytes.Clone(doc[:i]), doc[j+len("</ds:Signature>"):]...), C14N))
	}
	want := body(doc)
	for i := range doc {
		for _, bit := range []byte{0x01, 0x20} {
			bad := bytes.Clone(doc)
			bad[i] ^= bit
			r, err := Verify(bad, Options{Signers: []*gostx509.Certificate{s.cert}})
			if err == nil && r.Status() == verdict.Passed && body(bad) != want {
				t.Fatalf("byte %d ^ %#x: passed with another content:\n%s", i, bit, bad)
			}
		}
	}
}

// TestWrapping moves signatures and signed elements about, as attackers do. The
// signature itself stays as it was made.
func TestWrapping(t *testing.T) {
	s := newSigner(t, gost3410.CryptoProA())
	signed := string(s.sign(t, `<list id="L"><item>good</item></list>`))
	sig := signed[strings.Index(signed, "<ds:Signature"):strings.LastIndex(signed, "</list>")]
	byID := string(s.signReference(t, `<list id="L"><item>good</item></list>`, "#L", envelopedTransform))
	sigByID := byID[strings.Index(byID, "<ds:Signature"):strings.LastIndex(byID, "</list>")]
	head, rest, _ := strings.Cut(sig, "<ds:SignatureValue>")
	_, keyInfo, _ := strings.Cut(rest, "<ds:KeyInfo>")
	const good = `<item>good</item>`
	const evil = `<item>evil</item>`
	if r := verify(t, []byte(byID), s.cert); r.Status() != verdict.Passed {
		t.Fatalf("reference to the root by its identifier: %+v", r.Checks())
	}
	for name, v := range map[string]struct {
		doc  string
		want reason.Code
	}{
		"content changed":        {`<list id="L">` + evil + sig + `</list>`, reason.ContentChanged},
		"content added":          {`<list id="L">` + good + evil + sig + `</list>`, reason.ContentChanged},
		"content after":          {`<list id="L">` + good + sig + evil + `</list>`, reason.ContentChanged},
		"root attribute":         {`<list id="L" x="y">` + good + sig + `</list>`, reason.ContentChanged},
		"wrapped":                {`<list id="E">` + evil + signed + `</list>`, reason.XMLSignaturePartial},
		"wrapped by id":          {`<list id="E">` + evil + byID + `</list>`, reason.XMLSignaturePartial},
		"signature moved up":     {`<list id="E">` + evil + `<list id="L">` + good + `</list>` + sigByID + `</list>`, reason.XMLSignaturePartial},
		"identifier twice":       {`<list id="L">` + evil + `<list id="L">` + good + `</list>` + sigByID + `</list>`, reason.XMLSignatureAmbiguous},
		"identifier in Id":       {`<list Id="L">` + evil + `<list ID="L">` + good + `</list>` + sigByID + `</list>`, reason.XMLSignatureAmbiguous},
		"original in Object":     {`<list id="E">` + evil + strings.Replace(sigByID, "</ds:Signature>", `<ds:Object><list id="L">`+good+`</list></ds:Object></ds:Signature>`, 1) + `</list>`, reason.XMLSignaturePartial},
		"content in Object":      {`<list id="L">` + strings.Replace(sig, "</ds:Signature>", `<ds:Object>`+good+`</ds:Object></ds:Signature>`, 1) + `</list>`, reason.ContentChanged},
		"signature deeper":       {`<list id="L"><item>good` + sig + `</item></list>`, reason.XMLSignaturePartial},
		"signature is the root":  {sig, reason.XMLSignaturePartial},
		"two signatures":         {`<list id="L">` + good + sig + sig + `</list>`, reason.XMLSignatureAmbiguous},
		"another signature":      {`<list id="L">` + good + `<x>` + sig + `</x>` + sig + `</list>`, reason.XMLSignatureAmbiguous},
		"signature in Object":    {`<list id="L">` + good + strings.Replace(sig, "</ds:Signature>", `<ds:Object>`+sig+`</ds:Object></ds:Signature>`, 1) + `</list>`, reason.XMLSignatureAmbiguous},
		"no signature":           {`<list id="L">` + good + `</list>`, reason.XMLNotSigned},
		"other namespace":        {`<list id="L">` + good + strings.ReplaceAll(sig, space, "urn:other") + `</list>`, reason.XMLNotSigned},
		"identifier not found":   {`<list id="X">` + good + sigByID + `</list>`, reason.XMLSignatureMalformed},
		"SignedInfo twice":       {`<list id="L">` + good + strings.Replace(sig, "<ds:SignatureValue>", `<ds:SignedInfo/><ds:SignatureValue>`, 1) + `</list>`, reason.XMLSignatureMalformed},
		"empty SignedInfo first": {`<list id="L">` + good + strings.Replace(sig, "<ds:SignedInfo>", `<ds:SignedInfo/><ds:SignedInfo>`, 1) + `</list>`, reason.XMLSignatureMalformed},
		"SignedInfo hidden":      {`<list id="L">` + evil + strings.Replace(sig, "<ds:SignedInfo>", `<ds:Object><ds:SignedInfo/></ds:Object><ds:SignedInfo>`, 1) + `</list>`, reason.XMLSignatureMalformed},
		"value changed":          {`<list id="L">` + good + strings.Replace(sig, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", 1) + `</list>`, reason.SignatureBad},
		"value empty":            {`<list id="L">` + good + head + "<ds:SignatureValue/><ds:KeyInfo>" + keyInfo + `</list>`, reason.SignatureBad},
	} {
		if r := verify(t, []byte(v.doc), s.cert); r.Reason() != v.want {
			t.Errorf("%s: reason %q, want %q; %+v", name, r.Reason(), v.want, r.Checks())
		}
	}
}

const envelopedTransform = `<ds:Transform Algorithm="` + envelopedURI + `"/>`

// signReference signs doc with references as given: a test of what Verify takes,
// by somebody who holds the right key.
func (s signer) signReference(t testing.TB, doc, uri, transforms string, more ...string) []byte {
	t.Helper()
	return s.signInfo(t, doc, `<ds:CanonicalizationMethod Algorithm="`+string(ExcC14N)+`"/><ds:SignatureMethod Algorithm="`+signature256URI+`"/>`,
		append([]string{uri, transforms}, more...)...)
}

// signInfo makes a signature with any methods and any references: uri, transforms,
// uri, transforms… Digests are computed by what is under test, so this shows
// only which shapes are taken, not that digests are right.
func (s signer) signInfo(t testing.TB, doc, methods string, refs ...string) []byte {
	t.Helper()
	digests := make([]string, len(refs)/2)
	build := func(value string) []byte {
		var info strings.Builder
		for i, d := range digests {
			fmt.Fprintf(&info, `<ds:Reference URI="%s"><ds:Transforms>%s</ds:Transforms><ds:DigestMethod Algorithm="%s"/><ds:DigestValue>%s</ds:DigestValue></ds:Reference>`,
				refs[2*i], refs[2*i+1], digest256URI, d)
		}
		sig := fmt.Sprintf(`<ds:Signature xmlns:ds="%s" Id="S"><ds:SignedInfo>%s%s</ds:SignedInfo><ds:SignatureValue>%s</ds:SignatureValue>`+
			`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object Id="O">object</ds:Object></ds:Signature>`,
			space, methods, info.String(), value, base64.StdEncoding.EncodeToString(s.cert.Raw))
		at := strings.LastIndex(doc, "</")
		return []byte(doc[:at] + sig + doc[at:])
	}
	for round := range 2 { // digests first, then the signature over them
		unsigned := build("")
		v := s.verifier(t, unsigned)
		for i, ref := range v.s.references {
			digests[i] = v.digestForTest(ref)
		}
		if round == 1 {
			info := v.s.signedInfo
			h, err := newHash(sigalg.OIDStreebog256)
			if err != nil {
				t.Fatal(err)
			}
			if err := canonicalize(h, v.d, subset{apex: info.scope, inherited: info.inherited}, v.s.form); err != nil {
				t.Fatal(err)
			}
			value, err := s.key.Sign(nil, h.Sum(nil), crypto.Hash(0))
			if err != nil {
				t.Fatal(err)
			}
			return build(base64.StdEncoding.EncodeToString(value))
		}
	}
	return nil
}

func (s signer) verifier(t testing.TB, doc []byte) *verifier {
	t.Helper()
	d, err := strictxml.Open(doc)
	if err != nil {
		t.Fatal(err)
	}
	places, err := findSignatures(d, 1)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := readSignature(d, places[0])
	if err != nil {
		t.Fatal(err)
	}
	return &verifier{d: d, s: sig}
}

// digestForTest is the digest of a reference, or nothing if it is not understood.
func (v *verifier) digestForTest(ref reference) string {
	h, err := newHash(sigalg.OIDStreebog256)
	if err != nil {
		return ""
	}
	target, err := v.resolve(ref.uri)
	if err != nil {
		return ""
	}
	plan, err := ref.plan()
	if err != nil {
		return ""
	}
	if err := v.transform(h, target, plan); err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// TestShapes: signatures by the right key, over references of every shape.
func TestShapes(t *testing.T) {
	s := newSigner(t, gost3410.CryptoProA())
	const doc = `<list id="L"><item id="I">good</item></list>`
	xpath := func(expr string) string {
		return `<ds:Transform Algorithm="` + xpathURI + `"><ds:XPath xmlns:q="` + space + `" xmlns:z="urn:z">` + expr + `</ds:XPath></ds:Transform>`
	}
	canonical := func(m Method, inside string) string {
		return `<ds:Transform Algorithm="` + string(m) + `">` + inside + `</ds:Transform>`
	}
	const filter = "not(ancestor-or-self::q:Signature)"
	for name, v := range map[string]struct {
		refs []string
		want reason.Code
	}{
		"enveloped":           {[]string{"", envelopedTransform}, ""},
		"enveloped, C14N":     {[]string{"", envelopedTransform + canonical(C14N, "")}, ""},
		"enveloped, exc-C14N": {[]string{"#L", envelopedTransform + canonical(ExcC14N, `<e:InclusiveNamespaces xmlns:e="`+string(ExcC14N)+`" PrefixList="#default a"/>`)}, ""},
		"xpointer":            {[]string{"#xpointer(/)", envelopedTransform + canonical(C14NWithComments, "")}, ""},
		"filter":              {[]string{"", xpath(" " + filter + "\n")}, ""},
		"enveloped, filter":   {[]string{"", envelopedTransform + xpath(filter)}, ""},
		"with Object":         {[]string{"", envelopedTransform, "#O", canonical(C14N, "")}, ""},
		"XAdES order":         {[]string{"#O", canonical(C14N, ""), "", envelopedTransform}, ""},

		"Object only":            {[]string{"#O", canonical(C14N, "")}, reason.XMLSignaturePartial},
		"Object, enveloped":      {[]string{"", envelopedTransform, "#O", envelopedTransform}, reason.XMLSignaturePartial},
		"Object, СМЭВ":           {[]string{"", envelopedTransform, "#O", canonical(ExcC14N, "") + canonical(smevURI, "")}, reason.XMLSignaturePartial},
		"item only":              {[]string{"#I", canonical(C14N, "")}, reason.XMLSignaturePartial},
		"document and item":      {[]string{"", envelopedTransform, "#I", canonical(C14N, "")}, reason.XMLSignaturePartial},
		"document twice":         {[]string{"", envelopedTransform, "#L", envelopedTransform}, reason.XMLSignaturePartial},
		"signature itself":       {[]string{"", envelopedTransform, "#S", canonical(C14N, "")}, reason.XMLSignaturePartial},
		"not enveloped":          {[]string{"", canonical(C14N, "")}, reason.XMLSignaturePartial},
		"outside":                {[]string{"http://example.org/", canonical(C14N, "")}, reason.XMLSignaturePartial},
		"xpointer of an element": {[]string{"#xpointer(id('L'))", envelopedTransform}, reason.XMLSignaturePartial},
		"filter of its own":      {[]string{"", xpath("not(self::item)")}, reason.SignatureAlgorithmUnsupported},
		"filter, namespace":      {[]string{"", xpath("not(ancestor-or-self::z:Signature)")}, reason.SignatureAlgorithmUnsupported},
		"filter, no prefix":      {[]string{"", xpath("not(ancestor-or-self::Signature)")}, reason.SignatureAlgorithmUnsupported},
		"XSLT":                   {[]string{"", envelopedTransform + canonical("http://www.w3.org/TR/1999/REC-xslt-19991116", "")}, reason.SignatureAlgorithmUnsupported},
		"two canonicalisations":  {[]string{"", envelopedTransform + canonical(C14N, "") + canonical(C14N, "")}, reason.SignatureAlgorithmUnsupported},
		"enveloped last":         {[]string{"", canonical(C14N, "") + envelopedTransform}, reason.SignatureAlgorithmUnsupported},
		"СМЭВ":                   {[]string{"", envelopedTransform + canonical(ExcC14N, "") + canonical(smevURI, "")}, reason.XMLSignaturePartial},
		"prefixes for C14N":      {[]string{"", envelopedTransform + canonical(C14N, `<e:InclusiveNamespaces xmlns:e="`+string(ExcC14N)+`" PrefixList="a"/>`)}, reason.XMLSignatureMalformed},
	} {
		signed := s.signReference(t, doc, v.refs[0], v.refs[1], v.refs[2:]...)
		if r := verify(t, signed, s.cert); r.Reason() != v.want {
			t.Errorf("%s: reason %q, want %q; %+v", name, r.Reason(), v.want, r.Checks())
		}
	}
}

// TestMethods: methods that are unknown or do not fit the key.
func TestMethods(t *testing.T) {
	s := newSigner(t, gost3410.CryptoProA())
	const doc = `<list><item>good</item></list>`
	for methods, want := range map[string]reason.Code{
		`<ds:CanonicalizationMethod Algorithm="` + string(C14N) + `"/><ds:SignatureMethod Algorithm="` + signature256URI + `"/>`:                     "",
		`<ds:CanonicalizationMethod Algorithm="` + string(C14NWithComments) + `"/><ds:SignatureMethod Algorithm="` + signature256URI + `"/>`:         "",
		`<ds:CanonicalizationMethod Algorithm="` + string(C14N) + `"/><ds:SignatureMethod Algorithm="` + signature512URI + `"/>`:                     reason.SignatureBad,
		`<ds:CanonicalizationMethod Algorithm="` + string(C14N) + `"/><ds:SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"/>`: reason.SignatureAlgorithmUnsupported,
		`<ds:CanonicalizationMethod Algorithm="` + string(C14N) + `"/><ds:SignatureMethod/>`:                                                         reason.SignatureAlgorithmUnsupported,
	} {
		if r := verify(t, s.signInfo(t, doc, methods, "", envelopedTransform), s.cert); r.Reason() != want {
			t.Errorf("%s: reason %q, want %q; %+v", methods, r.Reason(), want, r.Checks())
		}
	}
	old := *s.cert
	old.PublicKeyAlgorithm.Algorithm = sigalg.OIDKeyGOST2001
	if r := verify(t, s.sign(t, doc), &old); r.Reason() != reason.SignatureBad {
		t.Errorf("Streebog under a key of 2001: %q", r.Reason())
	}
	// A canonicalisation that is not known cannot even be signed by the helper.
	signed := s.sign(t, doc)
	bad := bytes.Replace(signed, []byte(`CanonicalizationMethod Algorithm="`), []byte(`CanonicalizationMethod Algorithm="urn:x-`), 1)
	if r := verify(t, bad, s.cert); r.Reason() != reason.SignatureAlgorithmUnsupported {
		t.Errorf("unknown canonicalisation: %q", r.Reason())
	}
	bad = bytes.Replace(signed, []byte(digest256URI), []byte("http://www.w3.org/2000/09/xmldsig#sha1"), 1)
	if r := verify(t, bad, s.cert); r.Reason() != reason.SignatureAlgorithmUnsupported {
		t.Errorf("SHA-1: %q", r.Reason())
	}
}

// TestComments: comments are not signed, so adding them changes nothing; a reader
// must not give them a meaning.
func TestComments(t *testing.T) {
	s := newSigner(t, gost3410.TC26512A())
	signed := s.sign(t, plain)
	commented := bytes.ReplaceAll(signed, []byte("первый"), []byte("пер<!--x-->вый"))
	if r := verify(t, commented, s.cert); r.Status() != verdict.Passed {
		t.Errorf("a comment inside text: %+v", r.Checks())
	}
}

func TestLimits(t *testing.T) {
	s := newSigner(t, gost3410.CryptoProA())
	signed := s.sign(t, "<a>x</a>")
	fat := func(inside string) []byte {
		return bytes.Replace(signed, []byte("</ds:Signature>"), []byte("<ds:Object>"+inside+"</ds:Object></ds:Signature>"), 1)
	}
	for name, doc := range map[string][]byte{
		"bytes":    fat(strings.Repeat("x", maxSignature)),
		"elements": fat(strings.Repeat("<x/>", maxNodes)),
	} {
		if r := verify(t, doc, s.cert); r.Reason() != reason.XMLTooLarge {
			t.Errorf("%s: %q", name, r.Reason())
		}
	}
	refs := bytes.Replace(signed, []byte("<ds:Reference "), []byte(strings.Repeat(`<ds:Reference URI=""><ds:DigestMethod/><ds:DigestValue/></ds:Reference>`, maxReferences)+"<ds:Reference "), 1)
	if r := verify(t, refs, s.cert); r.Reason() != reason.XMLSignatureMalformed {
		t.Errorf("references: %q", r.Reason())
	}
	certs := bytes.Replace(signed, []byte("<ds:X509Certificate>"), []byte(strings.Repeat("<ds:X509Certificate>AAAA</ds:X509Certificate>", maxCertificates)+"<ds:X509Certificate>"), 1)
	if r := verify(t, certs, s.cert); r.Reason() != reason.XMLSignatureMalformed {
		t.Errorf("certificates: %q", r.Reason())
	}
	// Every prefix of the list is looked for in every declaration of the document.
	prefixes := `"><ec:InclusiveNamespaces xmlns:ec="` + string(ExcC14N) + `" PrefixList="` + strings.Repeat("p ", maxPrefixes+1) + `"/></ds:Transform>`
	long := bytes.Replace(signed, []byte(`"/></ds:Transforms>`), []byte(prefixes+"</ds:Transforms>"), 1)
	if r := verify(t, long, s.cert); bytes.Equal(long, signed) || r.Reason() != reason.XMLTooLarge {
		t.Errorf("prefixes: %q", r.Reason())
	}
	many := []byte("<a>" + strings.Repeat(`<Signature xmlns="`+space+`"/>`, maxSignatures+1) + "</a>")
	if _, err := Inspect(many); reason.Of(err) != reason.XMLSignatureAmbiguous {
		t.Errorf("signatures: %v", err)
	}
	if _, err := Inspect(make([]byte, maxInspected+1)); reason.Of(err) != reason.XMLTooLarge {
		t.Errorf("size: %v", err)
	}
}

func TestErrors(t *testing.T) {
	for doc, want := range map[string]reason.Code{
		"":                      reason.XMLMalformed,
		"<a></b>":               reason.XMLMalformed,
		"<!DOCTYPE a><a></a>":   reason.XMLUnsupported,
		"<a>" + "\x00" + "</a>": reason.XMLMalformed,
	} {
		r, err := Verify([]byte(doc), Options{})
		if reason.Of(err) != want || r.Status() != verdict.Indeterminate || r.Checks() != nil {
			t.Errorf("%q: %+v, %v", doc, r, err)
		}
	}
	if _, err := Inspect([]byte("<a/>")); reason.Of(err) != reason.XMLNotSigned {
		t.Errorf("Inspect of a document without signatures: %v", err)
	}
	if got, ok := (Result{}).Signer(); got != nil || ok {
		t.Error("the zero Result has a signer")
	}
}

func BenchmarkVerify25MB(b *testing.B) {
	s := newSigner(b, gost3410.CryptoProA())
	var doc strings.Builder
	doc.WriteString("<список>\n")
	der := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("0123456789abcdef"), 100))
	for doc.Len() < 25<<20 {
		doc.WriteString("<ДанныеСертификата><Отпечаток>00112233445566778899AABBCCDDEEFF</Отпечаток><КемВыдан>CN=Головной удостоверяющий центр</КемВыдан><Данные>" + der + "</Данные></ДанныеСертификата>\n")
	}
	doc.WriteString("</список>")
	signed := s.sign(b, doc.String())
	b.SetBytes(int64(len(signed)))
	b.ReportAllocs()
	for b.Loop() {
		if r := verify(b, signed, s.cert); r.Status() != verdict.Passed {
			b.Fatal(r.Checks())
		}
	}
}

func BenchmarkCanonicalize25MB(b *testing.B) {
	doc := []byte("<список>" + strings.Repeat("<ДанныеСертификата><КемВыдан>CN=Головной удостоверяющий центр</КемВыдан><Данные>"+strings.Repeat("MIIB", 500)+"</Данные></ДанныеСертификата>\n", 12000) + "</список>")
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if err := Canonicalize(discard{}, doc, C14N); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

var update = flag.Bool("update", false, "sign the documents of testdata/signed anew")

// TestUpdate makes testdata/signed, with a key that nobody keeps.
func TestUpdate(t *testing.T) {
	if !*update {
		t.Skip("without -update the recorded documents stay")
	}
	s := newSigner(t, gost3410.CryptoProA())
	const doc = `<list id="L"><item>x</item></list>`
	filter := `<ds:Transform Algorithm="` + xpathURI + `"><ds:XPath xmlns:q="` + space + `">not(ancestor-or-self::q:Signature)</ds:XPath></ds:Transform>`
	for name, data := range map[string][]byte{
		"enveloped.xml": s.sign(t, plain),
		"id.xml":        s.signReference(t, doc, "#L", envelopedTransform, "#O", `<ds:Transform Algorithm="`+string(C14N)+`"/>`),
		"filter.xml":    s.signReference(t, doc, "", filter),
		"signer.pem":    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw}),
	} {
		if err := os.WriteFile("testdata/signed/"+name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// seeds are documents for the fuzz targets: the small ones of testdata, and
// signed ones.
func seeds(f *testing.F) {
	for _, doc := range files(f, "testdata/c14n/*.xml") {
		f.Add(doc)
	}
	for _, doc := range files(f, "testdata/signed/*.xml") {
		f.Add(doc)
	}
}

// FuzzC14N: what can be canonicalised can be read again, and is its own canonical
// form.
func FuzzC14N(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, m := range []Method{C14N, C14NWithComments, ExcC14N, ExcC14NWithComments} {
			var once, twice bytes.Buffer
			if Canonicalize(&once, doc, m) != nil {
				return
			}
			if err := Canonicalize(&twice, once.Bytes(), m); err != nil {
				t.Fatalf("%s of %q: %q, which is refused: %v", m, doc, once.Bytes(), err)
			}
			if !bytes.Equal(once.Bytes(), twice.Bytes()) {
				t.Fatalf("%s of %q: %q, then %q", m, doc, once.Bytes(), twice.Bytes())
			}
		}
	})
}

// FuzzVerify: whatever passes under the key of the recorded documents says what
// they say.
func FuzzVerify(f *testing.F) {
	seeds(f)
	data, err := os.ReadFile("testdata/signed/signer.pem")
	if err != nil {
		f.Fatal(err)
	}
	pinned, err := gostx509.ParseAny(data)
	if err != nil {
		f.Fatal(err)
	}
	known := make(map[string]bool)
	for _, doc := range files(f, "testdata/signed/*.xml") {
		known[withoutSignature(doc)] = true
		if r := verify(f, doc, pinned); r.Status() != verdict.Passed {
			f.Fatalf("recorded document: %+v", r.Checks())
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := Verify(doc, Options{Signers: []*gostx509.Certificate{pinned}})
		if err != nil {
			if r.Status() != verdict.Indeterminate || reason.Of(err) == reason.InternalError {
				t.Fatalf("%+v, %v", r, err)
			}
			return
		}
		if _, ok := r.Signer(); ok && !known[withoutSignature(doc)] {
			t.Fatalf("passed: %q", doc)
		}
		if _, err := Inspect(doc); err != nil && reason.Of(err) == reason.InternalError {
			t.Fatal(err)
		}
	})
}

// withoutSignature is the canonical form of a document without the child of its
// root that is a Signature.
func withoutSignature(doc []byte) string {
	d, err := strictxml.Open(doc)
	if err != nil {
		return ""
	}
	var b bytes.Buffer
	if err := canonicalize(&b, d, subset{noComment: true, omit: isSignature}, form{Method: C14N}); err != nil {
		return ""
	}
	return b.String()
}
