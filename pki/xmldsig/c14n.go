package xmldsig

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"propusk/pki/reason"
	"propusk/pki/xmldsig/strictxml"
)

// Limits of what namespace declarations add, in bytes: exclusive canonicalisation
// writes one again on every element that needs it, so that a long name that many
// short elements share would make a gigabyte out of a kilobyte.
const (
	maxDeclared = 1 << 20
	maxGrowth   = 16 // and so many bytes for each byte that was read
)

// Method is the identifier of a canonicalisation algorithm.
type Method string

// Canonicalisation algorithms: Canonical XML 1.0 and Exclusive XML
// Canonicalization 1.0.
const (
	C14N                Method = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	C14NWithComments    Method = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
	ExcC14N             Method = "http://www.w3.org/2001/10/xml-exc-c14n#"
	ExcC14NWithComments Method = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
)

func (m Method) valid() bool {
	return m == C14N || m == C14NWithComments || m.exclusive()
}

func (m Method) exclusive() bool { return m == ExcC14N || m == ExcC14NWithComments }

func (m Method) comments() bool { return m == C14NWithComments || m == ExcC14NWithComments }

// Canonicalize writes the canonical form of a whole document to w. The work is
// done in one pass with little memory. For exclusive canonicalisation, inclusive
// lists the prefixes that are treated as in C14N ("" or "#default" is the default
// namespace); for C14N it must be empty.
//
// An error is that of w, or a *reason.Error that says what is wrong with doc; w
// may have received a part by then.
func Canonicalize(w io.Writer, doc []byte, m Method, inclusive ...string) error {
	if !m.valid() {
		return fmt.Errorf("xmldsig: unknown canonicalisation %q", m)
	}
	if len(inclusive) > 0 && !m.exclusive() {
		return errors.New("xmldsig: a list of prefixes belongs to exclusive canonicalisation only")
	}
	d, err := strictxml.Open(doc)
	if err != nil {
		return err
	}
	return canonicalize(w, d, subset{}, form{Method: m, inclusive: inclusive})
}

// form says how to canonicalise.
type form struct {
	Method
	inclusive []string // InclusiveNamespaces PrefixList
}

// subset says what to canonicalise.
type subset struct {
	apex      *strictxml.Scope // the element; nil means the whole document
	inherited []xmlAttr        // attributes of the ancestors of apex from the namespace xml
	omit      func(*strictxml.Token) bool
	noComment bool // comments are not in the node-set, whatever the method
}

// xmlAttr is an attribute of the namespace xml.
type xmlAttr struct {
	local string
	raw   []byte
}

func canonicalize(w io.Writer, d *strictxml.Document, s subset, f form) error {
	r := d.Reader()
	first := 0
	if s.apex != nil {
		r, first = d.ReaderAt(s.apex), s.apex.Start()
	}
	c := canonicalizer{
		first:     first,
		w:         bufio.NewWriterSize(w, 1<<16),
		subset:    s,
		exclusive: f.exclusive(),
		comments:  f.comments() && !s.noComment,
		inclusive: make([]string, len(f.inclusive)),
	}
	for i, p := range f.inclusive {
		if p != "#default" {
			c.inclusive[i] = p
		}
	}
	if err := c.run(r); err != nil {
		return err
	}
	return c.w.Flush()
}

// canonicalizer writes tokens in canonical form.
type canonicalizer struct {
	w *bufio.Writer
	subset
	exclusive bool
	comments  bool
	inclusive []string

	// rendered holds the namespace declarations written by the open elements;
	// marks, for each of them, how many were written outside it.
	rendered []strictxml.Binding
	marks    []int
	rooted   bool // the root element was written
	declared int  // bytes of the declarations written so far
	first    int  // offset of the first token

	fresh   []strictxml.Binding // scratch: declarations of one element
	attrs   []strictxml.Attr    // scratch: attributes of one element
	scratch []byte
}

// run writes everything that r gives. Errors of the writer are kept by it and
// come out of Flush.
func (c *canonicalizer) run(r *strictxml.Reader) error {
	for {
		t, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t.Kind {
		case strictxml.StartElement:
			if c.omit != nil && c.omit(t) {
				err = r.Skip()
				break
			}
			err = c.startElement(r, t)
		case strictxml.EndElement:
			c.endElement(t)
		case strictxml.Text:
			c.text(t)
		case strictxml.Comment:
			if c.comments {
				c.outside(r, func() { c.comment(t) })
			}
		case strictxml.ProcInst:
			c.outside(r, func() { c.procInst(t) })
		}
		if err != nil {
			return err
		}
	}
}

// outside writes a comment or a processing instruction: those outside the root
// element stand on lines of their own (Canonical XML, 2.3).
func (c *canonicalizer) outside(r *strictxml.Reader, write func()) {
	alone := r.Depth() == 0
	if alone && c.rooted {
		c.byte('\n')
	}
	write()
	if alone && !c.rooted {
		c.byte('\n')
	}
}

func (c *canonicalizer) startElement(r *strictxml.Reader, t *strictxml.Token) error {
	apex := !c.rooted
	c.rooted = true
	c.marks = append(c.marks, len(c.rendered))
	c.byte('<')
	c.name(t.Prefix, t.Local)
	c.namespaces(r, t, apex)
	if err := c.declare(t); err != nil {
		return err
	}
	c.attributes(t, apex)
	c.byte('>')
	return nil
}

func (c *canonicalizer) endElement(t *strictxml.Token) {
	last := len(c.marks) - 1
	c.rendered = c.rendered[:c.marks[last]]
	c.marks = c.marks[:last]
	c.string("</")
	c.name(t.Prefix, t.Local)
	c.byte('>')
}

// namespaces finds the declarations to be written of an element: Canonical XML, 2.3,
// or Exclusive XML Canonicalization, 3.
func (c *canonicalizer) namespaces(r *strictxml.Reader, t *strictxml.Token, apex bool) {
	c.fresh = c.fresh[:0]
	declared := r.Declared()
	if apex {
		declared = r.Bindings() // the apex also stands for its ancestors
	}
	// From the innermost outwards: the first one of a prefix is the one in force.
	for i := len(declared) - 1; i >= 0; i-- {
		if p := declared[i].Prefix; !c.exclusive || slices.Contains(c.inclusive, string(p)) {
			c.consider(p, declared[i].Space)
		}
	}
	if c.exclusive {
		c.consider(t.Prefix, t.Space)
		for i := range t.Attrs {
			if a := &t.Attrs[i]; len(a.Prefix) > 0 {
				c.consider(a.Prefix, a.Space)
			}
		}
	}
	slices.SortFunc(c.fresh, func(a, b strictxml.Binding) int { return bytes.Compare(a.Prefix, b.Prefix) })
	c.rendered = append(c.rendered, c.fresh...)
}

// declare writes the fresh declarations.
func (c *canonicalizer) declare(t *strictxml.Token) error {
	for _, b := range c.fresh {
		c.declared += len(b.Prefix) + len(b.Space)
	}
	if c.declared > maxDeclared && (c.declared-maxDeclared)/maxGrowth > t.End-c.first {
		return reason.Errorf(reason.XMLTooLarge, "namespace declarations of the canonical form take more than %d times what was read", maxGrowth)
	}
	for _, b := range c.fresh {
		c.string(" xmlns")
		if len(b.Prefix) > 0 {
			c.byte(':')
			c.bytes(b.Prefix)
		}
		c.string(`="`)
		c.escapeValue(b.Space)
		c.byte('"')
	}
	return nil
}

// consider adds a declaration to those of the element, unless the nearest
// declaration written for that prefix says the same. Only the default namespace
// can be empty, and it is empty when nothing was written.
func (c *canonicalizer) consider(prefix, space []byte) {
	if string(prefix) == "xml" || bytes.Equal(c.written(prefix), space) {
		return
	}
	for _, b := range c.fresh {
		if bytes.Equal(b.Prefix, prefix) {
			return
		}
	}
	c.fresh = append(c.fresh, strictxml.Binding{Prefix: prefix, Space: space})
}

// written returns the namespace that the open elements, as they were written,
// bind to the prefix.
func (c *canonicalizer) written(prefix []byte) []byte {
	for i := len(c.rendered) - 1; i >= 0; i-- {
		if bytes.Equal(c.rendered[i].Prefix, prefix) {
			return c.rendered[i].Space
		}
	}
	return nil
}

// attributes writes the attributes in the order of namespace name, then local
// name (Canonical XML, 2.3).
func (c *canonicalizer) attributes(t *strictxml.Token, apex bool) {
	c.attrs = append(c.attrs[:0], t.Attrs...)
	if apex && !c.exclusive {
		c.inherit()
	}
	slices.SortFunc(c.attrs, func(a, b strictxml.Attr) int {
		if d := bytes.Compare(a.Space, b.Space); d != 0 {
			return d
		}
		return bytes.Compare(a.Local, b.Local)
	})
	for i := range c.attrs {
		a := &c.attrs[i]
		c.byte(' ')
		c.name(a.Prefix, a.Local)
		c.string(`="`)
		c.escapeValue(a.Value())
		c.byte('"')
	}
}

// inherit gives the apex the attributes of the namespace xml that its ancestors
// have and it has not (Canonical XML, 2.4).
func (c *canonicalizer) inherit() {
	for _, x := range c.inherited {
		has := slices.ContainsFunc(c.attrs, func(a strictxml.Attr) bool {
			return string(a.Space) == strictxml.XMLSpace && string(a.Local) == x.local
		})
		if !has {
			c.attrs = append(c.attrs, strictxml.Attr{
				Prefix: []byte("xml"), Local: []byte(x.local), Space: []byte(strictxml.XMLSpace), Raw: x.raw,
			})
		}
	}
}

func (c *canonicalizer) text(t *strictxml.Token) {
	if !t.CDATA && t.Plain() && bytes.IndexByte(t.Data, '>') < 0 {
		c.bytes(t.Data)
		return
	}
	c.scratch = strictxml.AppendText(c.scratch[:0], t.Data, t.CDATA)
	c.escape(c.scratch, textEscape)
}

func (c *canonicalizer) escapeValue(v []byte) { c.escape(v, valueEscape) }

// escape writes s with the bytes replaced that escape has a replacement for.
func (c *canonicalizer) escape(s []byte, escape func(byte) string) {
	from := 0
	for i, b := range s {
		if e := escape(b); e != "" {
			c.bytes(s[from:i])
			c.string(e)
			from = i + 1
		}
	}
	c.bytes(s[from:])
}

// textEscape gives the replacements in text nodes (Canonical XML, 2.3).
func textEscape(b byte) string {
	switch b {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '\r':
		return "&#xD;"
	}
	return ""
}

// valueEscape gives the replacements in attribute values (Canonical XML, 2.3).
func valueEscape(b byte) string {
	switch b {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '"':
		return "&quot;"
	case '\t':
		return "&#x9;"
	case '\n':
		return "&#xA;"
	case '\r':
		return "&#xD;"
	}
	return ""
}

func (c *canonicalizer) comment(t *strictxml.Token) {
	c.string("<!--")
	c.lines(t.Data)
	c.string("-->")
}

func (c *canonicalizer) procInst(t *strictxml.Token) {
	c.string("<?")
	c.bytes(t.Target)
	if len(t.Data) > 0 {
		c.byte(' ')
		c.lines(t.Data)
	}
	c.string("?>")
}

// lines writes text in which only line ends are normalised.
func (c *canonicalizer) lines(raw []byte) {
	c.scratch = strictxml.AppendText(c.scratch[:0], raw, true)
	c.bytes(c.scratch)
}

func (c *canonicalizer) name(prefix, local []byte) {
	if len(prefix) > 0 {
		c.bytes(prefix)
		c.byte(':')
	}
	c.bytes(local)
}

// The bufio.Writer remembers the first error and Flush reports it.

func (c *canonicalizer) byte(b byte)     { _ = c.w.WriteByte(b) }
func (c *canonicalizer) bytes(b []byte)  { _, _ = c.w.Write(b) }
func (c *canonicalizer) string(s string) { _, _ = c.w.WriteString(s) }
