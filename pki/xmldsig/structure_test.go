package xmldsig

import (
	"bytes"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/pki/verdict"
	"propusk/pki/xmldsig/strictxml"
)

// TestStructure: a Signature that two readers could read differently is refused as such.
func TestStructure(t *testing.T) {
	s := newSigner(t, gost3410.CryptoProA())
	signed := string(s.sign(t, plain))
	element := func(name string) string {
		from, to := strings.Index(signed, "<ds:"+name), strings.Index(signed, "</ds:"+name+">")
		if to < 0 { // an empty element
			return signed[from : from+strings.Index(signed[from:], "/>")+2]
		}
		return signed[from : to+len("</ds:"+name+">")]
	}
	twice := func(name string) string {
		return strings.Replace(signed, element(name), element(name)+element(name), 1)
	}
	foreign := func(name string) string {
		e := element(name)
		other := strings.Replace(strings.ReplaceAll(e, "ds:"+name, "x:"+name), "<x:"+name, `<x:`+name+` xmlns:x="urn:x"`, 1)
		return strings.Replace(signed, e, other, 1)
	}
	cases := map[string]string{
		"stranger in SignedInfo":  strings.Replace(signed, "</ds:SignedInfo>", "<x/></ds:SignedInfo>", 1),
		"stranger in Signature":   strings.Replace(signed, "</ds:Signature>", "<x/></ds:Signature>", 1),
		"stranger in Transforms":  strings.Replace(signed, "</ds:Transforms>", "<x/></ds:Transforms>", 1),
		"value before SignedInfo": strings.Replace(strings.Replace(signed, element("SignatureValue"), "", 1), "<ds:SignedInfo>", element("SignatureValue")+"<ds:SignedInfo>", 1),
		"KeyInfo at the end":      strings.Replace(signed, element("KeyInfo"), "<ds:Object/>"+element("KeyInfo"), 1),
	}
	for _, name := range []string{"CanonicalizationMethod", "SignatureMethod", "DigestMethod", "DigestValue", "Transforms", "SignatureValue", "SignedInfo", "KeyInfo"} {
		cases["two "+name] = twice(name)
	}
	for _, name := range []string{"CanonicalizationMethod", "SignatureMethod", "DigestMethod", "DigestValue", "SignatureValue", "Reference"} {
		cases["foreign "+name] = foreign(name)
	}
	for name, doc := range cases {
		if r := verify(t, []byte(doc), s.cert); doc == signed || r.Reason() != reason.XMLSignatureMalformed {
			t.Errorf("%s: %q", name, r.Reason())
		}
	}
	// Attributes of other namespaces are not those of XMLDSig.
	for name, v := range map[string]struct {
		from, to string
		want     reason.Code
	}{
		"URI":       {`<ds:Reference URI=""`, `<ds:Reference xmlns:x="urn:x" x:URI=""`, reason.XMLSignatureMalformed},
		"Algorithm": {`<ds:SignatureMethod Algorithm=`, `<ds:SignatureMethod xmlns:x="urn:x" x:Algorithm=`, reason.SignatureAlgorithmUnsupported},
	} {
		doc := strings.Replace(signed, v.from, v.to, 1)
		if r := verify(t, []byte(doc), s.cert); doc == signed || r.Reason() != v.want {
			t.Errorf("foreign %s: %q", name, r.Reason())
		}
	}
}

// TestOtherSignatures: enveloped-signature leaves out the signature itself, and no other
// one: who signs after another signs that one too.
func TestOtherSignatures(t *testing.T) {
	s := newSigner(t, gost3410.CryptoProA())
	first := s.sign(t, "<a><b/></a>")
	// The second signature is over a document that holds the first one.
	at := bytes.LastIndex(first, []byte("</a>"))
	outer := []byte("<!-- --><list>" + string(first[bytes.Index(first, []byte("<ds:Signature")):at]) + "</list>")
	d, err := strictxml.Open(outer)
	if err != nil {
		t.Fatal(err)
	}
	places, err := findSignatures(d, 1)
	if err != nil {
		t.Fatal(err)
	}
	inner := verifier{d: d, s: &signature{at: places[0]}}
	other := verifier{d: d, s: &signature{at: &place{scope: &strictxml.Scope{}}}}
	digest := func(v verifier, p plan) string {
		var b bytes.Buffer
		if err := v.transform(&b, target{}, p); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	c14n := form{Method: C14N}
	if got := digest(inner, plan{own: true, form: c14n}); got != "<list></list>" {
		t.Errorf("itself: %s", got)
	}
	if got := digest(other, plan{own: true, form: c14n}); !strings.Contains(got, "SignatureValue") {
		t.Errorf("another one is left out: %s", got)
	}
	if got := digest(other, plan{all: true, form: c14n}); got != "<list></list>" {
		t.Errorf("all: %s", got)
	}
	if all, err := Inspect(first); err != nil || len(all) != 1 || all[0].Status != verdict.Passed {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestContains: a part of an element is inside it, and is not it.
func TestContains(t *testing.T) {
	d, err := strictxml.Open([]byte(`<a><b><c/></b><d/></a>`))
	if err != nil {
		t.Fatal(err)
	}
	f := finder{r: d.Reader(), limit: 10, want: func(*strictxml.Token) bool { return true }}
	all, err := f.find()
	if err != nil || len(all) != 4 {
		t.Fatal(len(all), err)
	}
	for i, inside := range map[[2]int]bool{
		{0, 1}: true, {0, 2}: true, {0, 3}: true, {1, 2}: true,
		{1, 1}: false, {1, 0}: false, {1, 3}: false, {2, 1}: false, {2, 3}: false, {3, 1}: false,
	} {
		if all[i[0]].contains(all[i[1]]) != inside {
			t.Errorf("%s in %s: %t", all[i[1]].name, all[i[0]].name, !inside)
		}
	}
}

// TestTransformTwice: a transform that makes octets cannot follow itself.
func TestTransformTwice(t *testing.T) {
	for _, uri := range []string{smevURI, string(C14N)} {
		r := reference{transforms: []transform{{algorithm: uri}, {algorithm: uri}}}
		if p, err := r.plan(); reason.Of(err) != reason.SignatureAlgorithmUnsupported {
			t.Errorf("%s: %+v, %v", uri, p, err)
		}
	}
}
