package strictxml

import (
	"errors"
	"io"
	"strings"
	"testing"

	"propusk/pki/reason"
)

// read reads a document to the end and returns a compact picture of its tokens.
func read(doc string) (string, error) {
	d, err := Open([]byte(doc))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for r := d.Reader(); ; {
		t, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		picture(&b, t)
	}
}

func picture(b *strings.Builder, t *Token) {
	switch t.Kind {
	case StartElement:
		b.WriteString("<{" + string(t.Space) + "}" + string(t.Local))
		for i := range t.Attrs {
			a := &t.Attrs[i]
			b.WriteString(" {" + string(a.Space) + "}" + string(a.Local) + "=" + string(a.Value()))
		}
		b.WriteString(">")
	case EndElement:
		b.WriteString("</{" + string(t.Space) + "}" + string(t.Local) + ">")
	case Text:
		b.WriteString("[" + string(AppendText(nil, t.Data, t.CDATA)) + "]")
	case Comment:
		b.WriteString("!" + string(t.Data) + "!")
	case ProcInst:
		b.WriteString("?" + string(t.Target) + "|" + string(t.Data) + "?")
	}
}

func TestTokens(t *testing.T) {
	for _, v := range []struct{ doc, want string }{
		{`<a/>`, `<{}a></{}a>`},
		{`<?xml version="1.0"?><a b='1'>x</a >`, `<{}a {}b=1>[x]</{}a>`},
		{`<p:a xmlns:p="urn:p" p:b="&lt;" b="2"/>`, `<{urn:p}a {urn:p}b=< {}b=2></{urn:p}a>`},
		{`<a xmlns="urn:d"><b xmlns=""/><c/></a>`, `<{urn:d}a><{}b></{}b><{urn:d}c></{urn:d}c></{urn:d}a>`},
		{"<a x=\"1\r\n2\t&#9;\">\r\n\r&#13;</a>", "<{}a x=1 2 \t>[\n\n\r]</{}a>"},
		{`<a><![CDATA[&lt;]]><!--c--><?p  q ?></a>`, `<{}a>[&lt;]!c!?p|q ?</{}a>`},
		{`<а xml:id="б"/>`, `<{}а {http://www.w3.org/XML/1998/namespace}id=б></{}а>`},
		{`<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`, `<{}a></{}a>`},
		{"\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8' standalone='no' ?>\n<a/>\n<!--x-->", `<{}a></{}a>!x!`},
	} {
		got, err := read(v.doc)
		want := strings.ReplaceAll(v.want, "<{}a x=", "<{}a {}x=")
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", v.doc, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("<a>", MaxDepth+1) + strings.Repeat("</a>", MaxDepth+1)
	var many, scopes strings.Builder
	for i := range MaxAttributes + 1 {
		many.WriteString(" a" + string(rune('a'+i%26)) + strings.Repeat("x", i) + `=""`)
	}
	for i := range MaxNamespaces + 1 {
		scopes.WriteString(" xmlns:" + strings.Repeat("x", i+1) + `="urn:x"`)
	}
	for doc, want := range map[string]reason.Code{
		``:                         reason.XMLMalformed,
		` `:                        reason.XMLMalformed,
		`text`:                     reason.XMLMalformed,
		`<`:                        reason.XMLMalformed,
		`<a`:                       reason.XMLMalformed,
		`<a>`:                      reason.XMLMalformed,
		`<a>x`:                     reason.XMLMalformed,
		`<a></b>`:                  reason.XMLMalformed,
		`<a></ab>`:                 reason.XMLMalformed,
		`</a>`:                     reason.XMLMalformed,
		`<a/><b/>`:                 reason.XMLMalformed,
		`<a/>x`:                    reason.XMLMalformed,
		`<a b=1/>`:                 reason.XMLMalformed,
		`<a b="1"c="2"/>`:          reason.XMLMalformed,
		`<a b="<"/>`:               reason.XMLMalformed,
		`<a b="1" b="2"/>`:         reason.XMLMalformed,
		`<a b/>`:                   reason.XMLMalformed,
		`<a b="1/>`:                reason.XMLMalformed,
		`<a / >`:                   reason.XMLMalformed,
		`< a/>`:                    reason.XMLMalformed,
		`<1/>`:                     reason.XMLMalformed,
		`<-a/>`:                    reason.XMLMalformed,
		`<a:b/>`:                   reason.XMLMalformed,
		`<a:b:c xmlns:a="urn:a"/>`: reason.XMLMalformed,
		`<:a/>`:                    reason.XMLMalformed,
		`<a: xmlns:a="urn:a"/>`:    reason.XMLMalformed,
		`<a b:c="1"/>`:             reason.XMLMalformed,
		`<xmlns:a/>`:               reason.XMLMalformed,
		`<a xmlns:b=""/>`:          reason.XMLMalformed,
		`<a xmlns:xmlns="urn:a"/>`: reason.XMLMalformed,
		`<a xmlns:xml="urn:a"/>`:   reason.XMLMalformed,
		`<a xmlns="http://www.w3.org/2000/xmlns/"/>`:         reason.XMLMalformed,
		`<a xmlns="http://www.w3.org/XML/1998/namespace"/>`:  reason.XMLMalformed,
		`<a xmlns="urn:a" xmlns="urn:a"/>`:                   reason.XMLMalformed,
		`<a xmlns:p="urn:a" xmlns:q="urn:a" p:x="" q:x=""/>`: reason.XMLMalformed,
		`<a xmlns="relative"/>`:                              reason.XMLUnsupported,
		`<a xmlns="urn:a b"/>`:                               reason.XMLUnsupported,
		`<a>&nbsp;</a>`:                                      reason.XMLMalformed,
		`<a>&</a>`:                                           reason.XMLMalformed,
		`<a>&amp</a>`:                                        reason.XMLMalformed,
		`<a>&;</a>`:                                          reason.XMLMalformed,
		`<a>&#;</a>`:                                         reason.XMLMalformed,
		`<a>&#x;</a>`:                                        reason.XMLMalformed,
		`<a>&#0;</a>`:                                        reason.XMLMalformed,
		`<a>&#xD800;</a>`:                                    reason.XMLMalformed,
		`<a>&#xFFFF;</a>`:                                    reason.XMLMalformed,
		`<a>&#x110000;</a>`:                                  reason.XMLMalformed,
		`<a>&#99999999999;</a>`:                              reason.XMLMalformed,
		`<a>&#x100000041;</a>`:                               reason.XMLMalformed, // A, where a number of 32 bits runs over
		`<a>&#1F;</a>`:                                       reason.XMLMalformed,
		`<a>]]></a>`:                                         reason.XMLMalformed,
		`<a><![CDATA[x</a>`:                                  reason.XMLMalformed,
		`<![CDATA[x]]><a/>`:                                  reason.XMLMalformed,
		`<a><!-- -- --></a>`:                                 reason.XMLMalformed,
		`<a><!-- --->`:                                       reason.XMLMalformed,
		`<a><!-- </a>`:                                       reason.XMLMalformed,
		`<a><!ELEMENT a ANY></a>`:                            reason.XMLMalformed,
		`<a><?xml version="1.0"?></a>`:                       reason.XMLMalformed,
		`<a><?XML?></a>`:                                     reason.XMLMalformed,
		`<a><??></a>`:                                        reason.XMLMalformed,
		`<a><?p:q?></a>`:                                     reason.XMLMalformed,
		`<a><?p</a>`:                                         reason.XMLMalformed,
		` <?xml version="1.0"?><a/>`:                         reason.XMLMalformed,
		`<?xml encoding="UTF-8"?><a/>`:                       reason.XMLMalformed,
		`<?xml version="1.0" x="y"?><a/>`:                    reason.XMLMalformed,
		`<?xml version="1.0" standalone="?"?>`:               reason.XMLMalformed,
		`<?xml version="1.0"encoding="UTF-8"?>`:              reason.XMLMalformed,
		`<?xml version="1.0" `:                               reason.XMLMalformed,
		`<?xml version="1.1"?><a/>`:                          reason.XMLUnsupported,
		`<?xml version="1.0" encoding="windows-1251"?><a/>`: reason.XMLUnsupported,
		"\xFF\xFE<\x00a\x00":                       reason.XMLUnsupported,
		"<a>\xC0\x80</a>":                          reason.XMLMalformed,
		"<a>\xCF\xF0</a>":                          reason.XMLMalformed,
		"<a>\x00</a>":                              reason.XMLMalformed,
		"<a>0123456789\x1F</a>":                    reason.XMLMalformed,
		"<a>\uFFFE</a>":                            reason.XMLMalformed,
		"<a>\uFFFF</a>":                            reason.XMLMalformed,
		`<!DOCTYPE a><a/>`:                         reason.XMLUnsupported,
		`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`: reason.XMLUnsupported,
		deep:                          reason.XMLTooLarge,
		`<a` + many.String() + `/>`:   reason.XMLTooLarge,
		`<a` + scopes.String() + `/>`: reason.XMLTooLarge,
		`<` + strings.Repeat("a", MaxName+1) + `/>`:      reason.XMLTooLarge,
		`<a ` + strings.Repeat("a", MaxName+1) + `=""/>`: reason.XMLTooLarge,
	} {
		if _, err := read(doc); reason.Of(err) != want {
			t.Errorf("%.100q: error %v, want %s", doc, err, want)
		}
	}
	if _, err := Open(make([]byte, MaxSize+1)); reason.Of(err) != reason.XMLTooLarge {
		t.Errorf("a document over the limit: %v", err)
	}
}

// TestReaderAt reads an element apart from its document, with the namespaces that
// are in force around it.
func TestReaderAt(t *testing.T) {
	d, err := Open([]byte(`<a xmlns="urn:d" xmlns:p="urn:p"><b><p:c xmlns:q="urn:q"><q:d/></p:c>tail</b></a>`))
	if err != nil {
		t.Fatal(err)
	}
	var at *Scope
	for r := d.Reader(); at == nil; {
		tok, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if tok.Kind == StartElement && tok.Is("urn:p", "c") {
			at = r.Scope()
		}
	}
	var b strings.Builder
	r := d.ReaderAt(at)
	for {
		tok, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		picture(&b, tok)
	}
	if want := `<{urn:p}c><{urn:q}d></{urn:q}d></{urn:p}c>`; b.String() != want {
		t.Errorf("got %s, want %s", b.String(), want)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

// TestErrorSticks: a reader that failed gives no more tokens.
func TestErrorSticks(t *testing.T) {
	d, err := Open([]byte(`<a><b x="&no;"/></a>`))
	if err != nil {
		t.Fatal(err)
	}
	r := d.Reader()
	var first error
	for first == nil {
		_, first = r.Next()
	}
	if tok, err := r.Next(); tok != nil || err == nil || err.Error() != first.Error() {
		t.Errorf("after %v: token %v, error %v", first, tok, err)
	}
}

// FuzzReader: tokens follow one another inside the document, elements close, each
// element reads alone as it does in its place, and a refusal has a reason.
func FuzzReader(f *testing.F) {
	for _, doc := range []string{
		`<a/>`, `<p:a xmlns:p="urn:p" p:b="&lt;" b="2"><p:c/>x</p:a>`, `<a xmlns="urn:d"><b xmlns=""/><c/></a>`,
		"\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?><!--c--><a x='1\r\n'>&#13;<![CDATA[&]]></a><?p q?>",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		d, err := Open(doc)
		if err != nil {
			refused(t, err)
			return
		}
		end := 0
		for r := d.Reader(); ; {
			tok, err := r.Next()
			if errors.Is(err, io.EOF) && r.Depth() == 0 {
				return
			}
			if err != nil {
				refused(t, err)
				return
			}
			if tok.Start < end || tok.End < tok.Start || tok.End > len(doc) {
				t.Fatalf("token of %d to %d after %d", tok.Start, tok.End, end)
			}
			end = tok.Start // an empty-element tag is both tokens
			if tok.Kind == StartElement {
				name, space := string(tok.Local), string(tok.Space)
				alone, err := d.ReaderAt(r.Scope()).Next()
				if err != nil || !alone.Is(space, name) || alone.End != tok.End {
					t.Fatalf("element %q in %q reads differently alone: %v", name, space, err)
				}
			}
		}
	})
}

// refused fails unless the error has one of the reasons of this package.
func refused(t *testing.T, err error) {
	t.Helper()
	switch reason.Of(err) {
	case reason.XMLMalformed, reason.XMLTooLarge, reason.XMLUnsupported:
	default:
		t.Fatalf("refused without a reason: %v", err)
	}
}

// TestLongNamespaces: two long names that differ at their ends are told apart, and are
// not compared byte by byte on each of many elements: that would be 10 TB here.
func TestLongNamespaces(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	toTheEnd := func(p, q, element string) error {
		d, err := Open([]byte(`<a xmlns:p="urn:` + long + p + `" xmlns:q="urn:` + long + q + `">` + element + "</a>"))
		for r := d.Reader(); err == nil; {
			_, err = r.Next()
		}
		return err
	}
	if err := toTheEnd("1", "2", strings.Repeat(`<b p:c="" q:c=""/>`, 1_000_000)); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	for _, element := range []string{
		`<b p:c="" q:c=""/>`,
		`<b xmlns:r="urn:` + long + `1" p:c="" r:c=""/>`,
	} {
		if err := toTheEnd("1", "1", element); reason.Of(err) != reason.XMLMalformed {
			t.Errorf("one expanded name twice: %v", err)
		}
	}
}
