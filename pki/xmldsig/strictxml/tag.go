package strictxml

import (
	"bytes"

	"propusk/pki/reason"
)

// startTag reads a start tag or an empty-element tag (XML 1.0, 3.1, [40], [44]).
func (r *Reader) startTag() error {
	start := r.pos
	if len(r.open) == 0 && r.rooted {
		return malformed(start, "a second root element")
	}
	if len(r.open) >= MaxDepth {
		return tooLarge(start, "nested elements", MaxDepth)
	}
	end, colon, ok := nameEnd(r.data, start+1)
	if !ok {
		return malformed(start, "markup without a name")
	}
	if end-start > MaxName {
		return tooLarge(start, "bytes in a name", MaxName)
	}
	r.mark = len(r.bindings)
	e := element{tag: r.data[start+1 : end], outer: r.mark}
	e.prefix, e.local = splitName(r.data, start+1, end, colon)

	stop, err := r.attributes(end)
	if err != nil {
		return err
	}
	if e.space, err = r.elementSpace(&e, start); err != nil {
		return err
	}
	if err := r.attributeSpaces(start); err != nil {
		return err
	}
	r.rooted = true
	r.open = append(r.open, e)
	r.pos = stop
	r.empty = r.data[stop-2] == '/'
	r.tok = Token{
		Kind: StartElement, Start: start, End: stop,
		Prefix: e.prefix, Local: e.local, Space: e.space, Attrs: r.attrs,
	}
	return nil
}

func splitName(data []byte, start, end, colon int) (prefix, local []byte) {
	if colon < 0 {
		return nil, data[start:end]
	}
	return data[start:colon], data[colon+1 : end]
}

// attributes reads the attributes that follow the name of a start tag, up to and
// with its «>», and returns the offset after it.
func (r *Reader) attributes(i int) (int, error) {
	r.attrs = r.attrs[:0]
	for count := 0; ; count++ {
		space := i
		for i < len(r.data) && isSpace(r.data[i]) {
			i++
		}
		if i >= len(r.data) {
			return 0, malformed(i, "document ends inside a tag")
		}
		if r.data[i] == '>' {
			return i + 1, nil
		}
		if r.data[i] == '/' {
			if i+1 >= len(r.data) || r.data[i+1] != '>' {
				return 0, malformed(i, "/ inside a tag")
			}
			return i + 2, nil
		}
		if i == space {
			return 0, malformed(i, "no white space before an attribute")
		}
		if count >= MaxAttributes {
			return 0, tooLarge(i, "attributes of an element", MaxAttributes)
		}
		var err error
		if i, err = r.attribute(i); err != nil {
			return 0, err
		}
	}
}

// attribute reads one attribute or namespace declaration and returns the offset
// after it (XML 1.0, 3.1, [41]).
func (r *Reader) attribute(start int) (int, error) {
	end, colon, ok := nameEnd(r.data, start)
	if !ok {
		return 0, malformed(start, "attribute without a name")
	}
	if end-start > MaxName {
		return 0, tooLarge(start, "bytes in a name", MaxName)
	}
	prefix, local := splitName(r.data, start, end, colon)
	raw, stop, err := r.attributeValue(end)
	if err != nil {
		return 0, err
	}
	switch {
	case string(prefix) == "xmlns":
		err = r.declare(local, value(raw), start)
	case len(prefix) == 0 && string(local) == "xmlns":
		err = r.declare(nil, value(raw), start)
	default:
		r.attrs = append(r.attrs, Attr{Prefix: prefix, Local: local, Raw: raw})
	}
	return stop, err
}

// attributeValue reads «="value"» at i (XML 1.0, 2.3, [10]).
func (r *Reader) attributeValue(i int) (raw []byte, stop int, err error) {
	for i < len(r.data) && isSpace(r.data[i]) {
		i++
	}
	if i >= len(r.data) || r.data[i] != '=' {
		return nil, 0, malformed(i, "attribute without a value")
	}
	i++
	for i < len(r.data) && isSpace(r.data[i]) {
		i++
	}
	if i >= len(r.data) || r.data[i] != '"' && r.data[i] != '\'' {
		return nil, 0, malformed(i, "attribute value without quotes")
	}
	n := bytes.IndexByte(r.data[i+1:], r.data[i])
	if n < 0 {
		return nil, 0, malformed(i, "attribute value without end")
	}
	raw = r.data[i+1 : i+1+n]
	if j := bytes.IndexByte(raw, '<'); j >= 0 {
		return nil, 0, malformed(i+1+j, "< in an attribute value")
	}
	if err := checkReferences(raw, i+1); err != nil {
		return nil, 0, err
	}
	return raw, i + n + 2, nil
}

// declare records a namespace declaration of the element that is being read
// (Namespaces in XML 1.0, 3, 5). Relative namespace names are refused, as
// Canonical XML, 1.3, demands.
func (r *Reader) declare(prefix, space []byte, at int) error {
	isXML, isXMLSpace := string(prefix) == "xml", string(space) == XMLSpace
	switch {
	case string(prefix) == "xmlns", string(space) == xmlnsSpace, isXML != isXMLSpace:
		return malformed(at, "reserved namespace")
	case len(prefix) > 0 && len(space) == 0:
		return malformed(at, "a prefix cannot be undeclared")
	case len(space) > 0 && !isAbsolute(space):
		return unsupported(at, "relative namespace name %.200q", space)
	case len(r.bindings) >= MaxNamespaces:
		return tooLarge(at, "namespaces in scope", MaxNamespaces)
	}
	for _, b := range r.bindings[r.mark:] {
		if bytes.Equal(b.Prefix, prefix) {
			return malformed(at, "namespace prefix declared twice")
		}
	}
	for _, b := range r.bindings {
		if bytes.Equal(b.Space, space) {
			space = b.Space // see sameSpace
			break
		}
	}
	r.bindings = append(r.bindings, Binding{prefix, space})
	return nil
}

// isAbsolute reports whether a namespace name begins with a scheme and has only
// characters of a URI (RFC 3986, 2 and 3.1) or letters outside ASCII.
func isAbsolute(uri []byte) bool {
	colon := bytes.IndexByte(uri, ':')
	if colon < 1 {
		return false
	}
	for i, c := range uri[:colon] {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return bytes.IndexByte(uri, ' ') < 0 && !bytes.ContainsAny(uri, "\t\r\n\"<>\\^`{|}\x7f")
}

func (r *Reader) elementSpace(e *element, at int) ([]byte, error) {
	space, ok := r.lookup(e.prefix)
	if !ok || string(e.prefix) == "xmlns" {
		return nil, malformed(at, "prefix %q is not declared", e.prefix)
	}
	return space, nil
}

// attributeSpaces finds the namespaces of the attributes and refuses two with
// one expanded name (Namespaces in XML 1.0, 6.3).
func (r *Reader) attributeSpaces(at int) error {
	for i := range r.attrs {
		a := &r.attrs[i]
		if len(a.Prefix) > 0 {
			space, ok := r.lookup(a.Prefix)
			if !ok {
				return malformed(at, "prefix %q is not declared", a.Prefix)
			}
			a.Space = space
		}
		for j := range r.attrs[:i] {
			if b := &r.attrs[j]; bytes.Equal(a.Local, b.Local) && sameSpace(a.Space, b.Space) {
				return malformed(at, "attribute %q occurs twice", a.Local)
			}
		}
	}
	return nil
}

// sameSpace compares two namespace names that are in scope. Equal ones are the same
// bytes, see declare: so two long names that differ at their ends cost nothing, however
// many elements have attributes of both.
func sameSpace(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func unsupported(offset int, format string, args ...any) error {
	return reason.Errorf(reason.XMLUnsupported, "at byte %d: "+format, append([]any{offset}, args...)...)
}
