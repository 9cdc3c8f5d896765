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

// transformSMEV writes the normal form of an XML document by the transform
// urn://smev-gov-ru/xmldsig/transform (Методические рекомендации по работе с
// СМЭВ 3, «Правила трансформации»): no processing instructions, no text of white
// space only, prefixes renamed to ns1, ns2… where they are first needed,
// attributes sorted with those without a namespace last.
func transformSMEV(w io.Writer, doc []byte) error {
	d, err := strictxml.Open(doc)
	if err != nil {
		return err
	}
	r := d.Reader()
	s := smev{canonicalizer: canonicalizer{w: bufio.NewWriter(w)}}
	for {
		t, err := r.Next()
		if errors.Is(err, io.EOF) {
			return s.w.Flush()
		}
		if err != nil {
			return err
		}
		switch t.Kind {
		case strictxml.StartElement:
			err = s.startElement(t)
		case strictxml.EndElement:
			s.endElement()
		case strictxml.Text:
			if !strictxml.IsSpace(t.Data) {
				s.text(t)
			}
		}
		if err != nil {
			return err
		}
	}
}

// smev writes tokens in the normal form. It borrows the escapes of canonical XML
// and keeps its own prefixes, in rendered and marks of the canonicalizer.
type smev struct {
	canonicalizer
	last int      // number of the last prefix given out
	tags [][]byte // qualified names of the open elements
}

func (s *smev) startElement(t *strictxml.Token) error {
	if len(t.Space) == 0 {
		return reason.Errorf(reason.SignatureAlgorithmUnsupported, "element without a namespace under the transform of СМЭВ")
	}
	s.marks = append(s.marks, len(s.rendered))
	s.fresh = s.fresh[:0]
	tag := append(slices.Clone(s.prefix(t.Space)), ':')
	tag = append(tag, t.Local...)
	s.tags = append(s.tags, tag)

	s.attrs = append(s.attrs[:0], t.Attrs...)
	slices.SortFunc(s.attrs, smevOrder)
	for i := range s.attrs {
		if a := &s.attrs[i]; len(a.Space) > 0 {
			a.Prefix = s.prefix(a.Space)
		}
	}
	s.byte('<')
	s.bytes(tag)
	if err := s.declare(t); err != nil {
		return err
	}
	for i := range s.attrs {
		a := &s.attrs[i]
		s.byte(' ')
		s.name(a.Prefix, a.Local)
		s.string(`="`)
		s.escapeValue(a.Value())
		s.byte('"')
	}
	s.byte('>')
	return nil
}

func (s *smev) endElement() {
	last := len(s.tags) - 1
	s.string("</")
	s.bytes(s.tags[last])
	s.byte('>')
	s.tags = s.tags[:last]
	s.rendered = s.rendered[:s.marks[last]]
	s.marks = s.marks[:last]
}

// prefix returns the prefix in force for a namespace; a new one if there is none.
func (s *smev) prefix(space []byte) []byte {
	for i := len(s.rendered) - 1; i >= 0; i-- {
		if bytes.Equal(s.rendered[i].Space, space) {
			return s.rendered[i].Prefix
		}
	}
	s.last++
	b := strictxml.Binding{Prefix: fmt.Appendf(nil, "ns%d", s.last), Space: space}
	s.fresh = append(s.fresh, b)
	s.rendered = append(s.rendered, b)
	return b.Prefix
}

// smevOrder sorts attributes by namespace name and local name; those without a
// namespace come last.
func smevOrder(a, b strictxml.Attr) int {
	if x, y := len(a.Space) == 0, len(b.Space) == 0; x != y {
		if x {
			return 1
		}
		return -1
	}
	if d := bytes.Compare(a.Space, b.Space); d != 0 {
		return d
	}
	return bytes.Compare(a.Local, b.Local)
}
