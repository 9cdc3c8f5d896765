package xmldsig

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/pki/verdict"
	"propusk/pki/xmldsig/strictxml"
)

// shared is a document in which many short elements share one long namespace name,
// which exclusive canonicalisation repeats on each.
func shared(name, elements int) string {
	return `<a xmlns:p="urn:` + strings.Repeat("x", name) + `">` + strings.Repeat("<p:b/>", elements) + "</a>"
}

// TestGrowth: a short document has no gigantic canonical form.
func TestGrowth(t *testing.T) {
	for _, m := range []Method{ExcC14N, ExcC14NWithComments} {
		err := Canonicalize(io.Discard, []byte(shared(1<<18, 1<<16)), m) // 16 GB of 640 KB
		if reason.Of(err) != reason.XMLTooLarge {
			t.Errorf("%s: %v", m, err)
		}
		if err := Canonicalize(io.Discard, []byte(shared(60, 1<<16)), m); err != nil { // as documents of services are
			t.Errorf("%s: a usual document: %v", m, err)
		}
	}
	if err := Canonicalize(io.Discard, []byte(shared(1<<18, 1<<16)), C14N); err != nil {
		t.Errorf("inclusive: %v", err)
	}
	if err := transformSMEV(io.Discard, []byte(shared(1<<18, 1<<16))); reason.Of(err) != reason.SignatureAlgorithmUnsupported {
		t.Errorf("СМЭВ, an element without a namespace: %v", err)
	}
	doc := `<q:a xmlns:q="urn:q" xmlns:p="urn:` + strings.Repeat("x", 1<<18) + `">` + strings.Repeat("<p:b/>", 1<<16) + "</q:a>"
	if err := transformSMEV(io.Discard, []byte(doc)); reason.Of(err) != reason.XMLTooLarge {
		t.Errorf("СМЭВ: %v", err)
	}
}

// TestGrowthOfAPart: what stands before an element gives it no room.
func TestGrowthOfAPart(t *testing.T) {
	const pad, name, elements = 4 << 20, 1 << 16, 1 << 10 // 64 MB of 6 KB
	doc := []byte(`<a xmlns:p="urn:` + strings.Repeat("x", name) + `"><!--` + strings.Repeat(".", pad) + `--><c>` + strings.Repeat("<p:b/>", elements) + `</c></a>`)
	d, err := strictxml.Open(doc)
	if err != nil {
		t.Fatal(err)
	}
	f := finder{r: d.Reader(), limit: 1, want: func(t *strictxml.Token) bool { return string(t.Local) == "c" }}
	places, err := f.find()
	if err != nil {
		t.Fatal(err)
	}
	err = canonicalize(io.Discard, d, subset{apex: places[0].scope}, form{Method: ExcC14N})
	if reason.Of(err) != reason.XMLTooLarge {
		t.Errorf("a part: %v", err)
	}
}

// TestStrangersDigests: nothing is digested for a signature of a stranger.
func TestStrangersDigests(t *testing.T) {
	s, other := newSigner(t, gost3410.CryptoProA()), newSigner(t, gost3410.CryptoProA())
	signed := bytes.Replace(s.sign(t, plain), []byte("первый"), []byte("второй"), 1)
	if r := verify(t, signed, s.cert); r.Reason() != reason.ContentChanged {
		t.Errorf("changed: %+v", r.Checks())
	}
	r := verify(t, signed, other.cert)
	if r.Reason() != reason.XMLSignerUnknown {
		t.Errorf("changed, of a stranger: %+v", r.Checks())
	}
	for _, c := range r.Checks() {
		if c.Name == stepDigest {
			t.Errorf("digests of a stranger's signature: %+v", c)
		}
	}
	if r.Status() != verdict.Failed {
		t.Errorf("status %v", r.Status())
	}
}
