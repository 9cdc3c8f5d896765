package strictxml

import (
	"bytes"
	"io"
	"slices"
)

// Kind is the kind of a Token.
type Kind uint8

// The kinds of tokens. An empty-element tag gives a StartElement and an
// EndElement.
const (
	StartElement Kind = iota + 1
	EndElement
	Text // character data, or the inside of one CDATA section
	Comment
	ProcInst
)

// Token is one piece of a document. Its slices point into the document or into
// the Reader: they are valid until the next call of Next.
type Token struct {
	Kind       Kind
	Start, End int // offsets in the document: the first byte, and the one after the last

	// Of StartElement and EndElement.
	Prefix, Local []byte
	Space         []byte // namespace name; empty if none
	Attrs         []Attr // without namespace declarations; nil for EndElement

	// Data is, raw, the character data of Text, the inside of Comment, and what
	// follows the target of ProcInst without the leading white space.
	Data   []byte
	CDATA  bool   // Text from a CDATA section
	Target []byte // of ProcInst
}

// Plain reports whether the characters of Text are those that are written: no
// references, and no line ends to normalise.
func (t *Token) Plain() bool {
	return (t.CDATA || bytes.IndexByte(t.Data, '&') < 0) && bytes.IndexByte(t.Data, '\r') < 0
}

// Is reports whether the token is of the element with this namespace and name.
func (t *Token) Is(space, local string) bool {
	return string(t.Local) == local && string(t.Space) == space
}

// Attr is an attribute that is not a namespace declaration.
type Attr struct {
	Prefix, Local []byte
	Space         []byte // namespace name; empty for an attribute without a prefix
	Raw           []byte // what stands between the quotes
}

// Value returns the normalised value. It may point into the document.
func (a *Attr) Value() []byte { return value(a.Raw) }

// Binding is a namespace declaration in scope.
type Binding struct {
	Prefix []byte // empty for the default namespace
	Space  []byte // empty undeclares the default namespace
}

// XMLSpace is the namespace that the prefix xml is bound to.
const XMLSpace = "http://www.w3.org/XML/1998/namespace"

// xmlSpace is XMLSpace; never modified.
var xmlSpace = []byte(XMLSpace)

const xmlnsSpace = "http://www.w3.org/2000/xmlns/"

// Reader reads the tokens of a document. It checks that the document is
// well-formed and namespace-well-formed; only io.EOF from Next says that it is.
// A Reader is not safe for concurrent use.
type Reader struct {
	data     []byte
	pos      int
	tok      Token
	attrs    []Attr
	open     []element
	bindings []Binding
	mark     int  // number of bindings outside the element that is being read
	empty    bool // the EndElement of an empty-element tag is due
	rooted   bool // the root element was seen
	single   bool // the document ends with the root element
	err      error
}

// element is an open element.
type element struct {
	tag           []byte // qualified name as written
	prefix, local []byte
	space         []byte
	outer         int // number of bindings outside the element
}

// Reader returns a reader at the beginning of the document.
func (d *Document) Reader() *Reader {
	return &Reader{data: d.data, pos: d.body}
}

// Scope is a place in a document from which reading can begin anew: the start
// tag of an element, with the namespaces declared around it.
type Scope struct {
	start    int
	bindings []Binding
}

// Start is the offset of the start tag.
func (s *Scope) Start() int { return s.start }

// Scope returns the place of the StartElement token that Next returned last.
func (r *Reader) Scope() *Scope {
	outer := len(r.bindings)
	if n := len(r.open); n > 0 {
		outer = r.open[n-1].outer
	}
	return &Scope{start: r.tok.Start, bindings: slices.Clone(r.bindings[:outer])}
}

// ReaderAt returns a reader of one element of the document as if it were the
// root. What follows the element is not read: Next returns io.EOF after its
// EndElement.
func (d *Document) ReaderAt(s *Scope) *Reader {
	return &Reader{data: d.data, pos: s.start, bindings: slices.Clone(s.bindings), single: true}
}

// Depth is the number of open elements; for a StartElement it counts the element
// itself, for an EndElement it does not.
func (r *Reader) Depth() int { return len(r.open) }

// Bindings returns the namespace declarations in scope, the innermost last. The
// slice is valid until the next call of Next.
func (r *Reader) Bindings() []Binding { return r.bindings }

// Declared returns those of them that the StartElement itself makes.
func (r *Reader) Declared() []Binding {
	if len(r.open) == 0 {
		return nil
	}
	return r.bindings[r.open[len(r.open)-1].outer:]
}

// lookup returns the namespace bound to a prefix, and false if there is none.
// The empty prefix always has one, possibly empty.
func (r *Reader) lookup(prefix []byte) ([]byte, bool) {
	for i := len(r.bindings) - 1; i >= 0; i-- {
		if bytes.Equal(r.bindings[i].Prefix, prefix) {
			return r.bindings[i].Space, true
		}
	}
	if string(prefix) == "xml" {
		return xmlSpace, true
	}
	return nil, len(prefix) == 0
}

// Next returns the next token, or io.EOF after the end of a well-formed
// document, or a *reason.Error with reason.XMLMalformed, reason.XMLTooLarge or
// reason.XMLUnsupported. After an error it keeps returning it.
func (r *Reader) Next() (*Token, error) {
	if r.err != nil {
		return nil, r.err
	}
	if err := r.next(); err != nil {
		r.err = err
		return nil, err
	}
	return &r.tok, nil
}

// Skip reads up to and with the end of the element whose StartElement Next has
// just returned. Errors are those of Next.
func (r *Reader) Skip() error {
	for depth := r.Depth(); r.Depth() >= depth; {
		if _, err := r.Next(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) next() error {
	if r.empty {
		r.empty = false
		r.endElement(r.pos)
		return nil
	}
	if len(r.open) == 0 {
		if err := r.outside(); err != nil {
			return err
		}
	}
	if r.pos >= len(r.data) {
		return malformed(r.pos, "document ends inside element %q", r.open[len(r.open)-1].tag)
	}
	if r.data[r.pos] != '<' {
		return r.text()
	}
	if r.pos+1 >= len(r.data) {
		return malformed(r.pos, "document ends inside markup")
	}
	switch r.data[r.pos+1] {
	case '/':
		return r.endTag()
	case '!':
		return r.declaration()
	case '?':
		return r.procInst()
	default:
		return r.startTag()
	}
}

// outside skips the white space around the root element, and tells the end of
// the document.
func (r *Reader) outside() error {
	if r.single && r.rooted {
		return io.EOF
	}
	for r.pos < len(r.data) && isSpace(r.data[r.pos]) {
		r.pos++
	}
	if r.pos == len(r.data) {
		if !r.rooted {
			return malformed(r.pos, "no root element")
		}
		return io.EOF
	}
	if r.data[r.pos] != '<' {
		return malformed(r.pos, "text outside the root element")
	}
	return nil
}

// text reads character data up to the next markup (XML 1.0, 2.4).
func (r *Reader) text() error {
	start := r.pos
	n := bytes.IndexByte(r.data[start:], '<')
	if n < 0 {
		return malformed(len(r.data), "document ends inside element %q", r.open[len(r.open)-1].tag)
	}
	raw := r.data[start : start+n]
	if bytes.IndexByte(raw, ']') >= 0 { // hardly ever
		if i := bytes.Index(raw, []byte("]]>")); i >= 0 {
			return malformed(start+i, "]]> in character data")
		}
	}
	if err := checkReferences(raw, start); err != nil {
		return err
	}
	r.pos = start + n
	r.tok = Token{Kind: Text, Start: start, End: r.pos, Data: raw}
	return nil
}

// declaration reads what begins with «<!».
func (r *Reader) declaration() error {
	rest := r.data[r.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		return r.comment()
	case bytes.HasPrefix(rest, []byte("<![CDATA[")) && len(r.open) > 0:
		return r.cdata()
	case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
		return unsupported(r.pos, "a document type declaration; documents with a DTD are not read")
	}
	return malformed(r.pos, "unknown declaration")
}

// comment reads a comment (XML 1.0, 2.5).
func (r *Reader) comment() error {
	body := r.data[r.pos+4:]
	n := bytes.Index(body, []byte("--"))
	if n < 0 || n+2 >= len(body) || body[n+2] != '>' {
		return malformed(r.pos, "comment without end, or with two hyphens inside")
	}
	end := r.pos + 4 + n + 3
	r.tok = Token{Kind: Comment, Start: r.pos, End: end, Data: body[:n]}
	r.pos = end
	return nil
}

// cdata reads a CDATA section (XML 1.0, 2.7).
func (r *Reader) cdata() error {
	body := r.data[r.pos+9:]
	n := bytes.Index(body, []byte("]]>"))
	if n < 0 {
		return malformed(r.pos, "CDATA section without end")
	}
	end := r.pos + 9 + n + 3
	r.tok = Token{Kind: Text, Start: r.pos, End: end, Data: body[:n], CDATA: true}
	r.pos = end
	return nil
}

// procInst reads a processing instruction (XML 1.0, 2.6; Namespaces in XML, 7:
// its target holds no colon).
func (r *Reader) procInst() error {
	name := r.pos + 2
	end, ok := ncNameEnd(r.data, name)
	if !ok || end-name > MaxName {
		return malformed(r.pos, "processing instruction without a target")
	}
	target := r.data[name:end]
	if bytes.EqualFold(target, []byte("xml")) {
		return malformed(r.pos, "XML declaration not at the beginning of the document")
	}
	n := bytes.Index(r.data[end:], []byte("?>"))
	if n < 0 {
		return malformed(r.pos, "processing instruction without end")
	}
	body := r.data[end : end+n]
	data := bytes.TrimLeft(body, spaces)
	if len(body) > 0 && len(data) == len(body) {
		return malformed(end, "no white space after the target of a processing instruction")
	}
	stop := end + n + 2
	r.tok = Token{Kind: ProcInst, Start: r.pos, End: stop, Target: target, Data: data}
	r.pos = stop
	return nil
}

// endTag reads an end tag (XML 1.0, 3.1, [42]).
func (r *Reader) endTag() error {
	start := r.pos
	if len(r.open) == 0 {
		return malformed(start, "end tag without a start tag")
	}
	tag := r.open[len(r.open)-1].tag
	rest := r.data[start+2:]
	if !bytes.HasPrefix(rest, tag) {
		return malformed(start, "end tag does not match %q", tag)
	}
	i := start + 2 + len(tag)
	for i < len(r.data) && isSpace(r.data[i]) {
		i++
	}
	if i >= len(r.data) || r.data[i] != '>' {
		return malformed(start, "end tag does not match %q", tag)
	}
	r.pos = i + 1
	r.endElement(start)
	return nil
}

// endElement closes the innermost element; its end tag starts at start and ends
// where the reader stands.
func (r *Reader) endElement(start int) {
	last := len(r.open) - 1
	e := &r.open[last]
	r.tok = Token{
		Kind: EndElement, Start: start, End: r.pos,
		Prefix: e.prefix, Local: e.local, Space: e.space,
	}
	r.bindings = r.bindings[:e.outer]
	r.open = r.open[:last]
}
