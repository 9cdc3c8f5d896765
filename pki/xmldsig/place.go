package xmldsig

import (
	"bytes"
	"errors"
	"io"

	"propusk/pki/reason"
	"propusk/pki/xmldsig/strictxml"
)

// place is an element of a document.
type place struct {
	scope     *strictxml.Scope
	inherited []xmlAttr // attributes of its ancestors from the namespace xml
	depth     int       // 1 for the root
	name      string    // local name
	end       int       // offset of the byte after the element
}

// contains reports whether b is inside p, and is not p.
func (p *place) contains(b *place) bool {
	return p.scope.Start() < b.scope.Start() && b.end <= p.end
}

// finder walks a document to its end and remembers the elements that are wanted.
type finder struct {
	r     *strictxml.Reader
	limit int // on the number of places
	want  func(*strictxml.Token) bool

	inherited []xmlAttr // of the open elements, innermost last
	marks     []int     // for each open element, how many of them are outside it
	places    []*place
	unclosed  []*place
}

// find returns the wanted elements in document order, at most limit. Reading to
// the end also shows that the document is well-formed.
func (f *finder) find() ([]*place, error) {
	for {
		t, err := f.r.Next()
		if errors.Is(err, io.EOF) {
			return f.places, nil
		}
		if err != nil {
			return nil, err
		}
		switch t.Kind {
		case strictxml.StartElement:
			err = f.start(t)
		case strictxml.EndElement:
			f.end(t)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (f *finder) start(t *strictxml.Token) error {
	outer := len(f.inherited)
	f.marks = append(f.marks, outer)
	for i := range t.Attrs {
		if a := &t.Attrs[i]; string(a.Space) == strictxml.XMLSpace {
			f.inherited = append(f.inherited, xmlAttr{string(a.Local), a.Raw})
		}
	}
	if !f.want(t) {
		return nil
	}
	if len(f.places) >= f.limit {
		return reason.Errorf(reason.XMLSignatureAmbiguous, "more than %d signatures or elements with one identifier", f.limit)
	}
	p := &place{scope: f.r.Scope(), depth: f.r.Depth(), name: string(t.Local)}
	// The innermost comes first, so that it wins over its ancestors.
	for i := outer - 1; i >= 0; i-- {
		p.inherited = append(p.inherited, f.inherited[i])
	}
	f.places = append(f.places, p)
	f.unclosed = append(f.unclosed, p)
	return nil
}

func (f *finder) end(t *strictxml.Token) {
	last := len(f.marks) - 1
	f.inherited = f.inherited[:f.marks[last]]
	f.marks = f.marks[:last]
	if n := len(f.unclosed); n > 0 && f.unclosed[n-1].depth == f.r.Depth()+1 {
		f.unclosed[n-1].end = t.End
		f.unclosed = f.unclosed[:n-1]
	}
}

// isSignature reports whether a token begins a Signature element.
func isSignature(t *strictxml.Token) bool { return t.Is(space, "Signature") }

// findSignatures returns all Signature elements of a document.
func findSignatures(d *strictxml.Document, limit int) ([]*place, error) {
	f := finder{r: d.Reader(), limit: limit, want: isSignature}
	return f.find()
}

// findID returns the element with the given identifier. Without a DTD nothing
// says which attributes are identifiers; so every attribute called Id, in any
// case and namespace, counts. If two elements claim one identifier, whoever reads
// the document may see the other one: that is refused.
func findID(d *strictxml.Document, id string) (*place, error) {
	f := finder{r: d.Reader(), limit: 1, want: func(t *strictxml.Token) bool {
		for i := range t.Attrs {
			if a := &t.Attrs[i]; bytes.EqualFold(a.Local, []byte("id")) && string(a.Value()) == id {
				return true
			}
		}
		return false
	}}
	places, err := f.find()
	if err != nil {
		return nil, err
	}
	if len(places) == 0 {
		return nil, reason.Errorf(reason.XMLSignatureMalformed, "reference to an identifier that no element has")
	}
	return places[0], nil
}
