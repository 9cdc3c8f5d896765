package xmldsig

import (
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"

	"propusk/pki/reason"
	"propusk/pki/xmldsig/strictxml"
)

// space is the namespace of XML signatures.
const space = "http://www.w3.org/2000/09/xmldsig#"

// Limits of one Signature element. Without them a small document could ask for
// the digest of the whole of it any number of times.
const (
	maxSignature    = 1 << 20 // bytes
	maxNodes        = 4096    // elements
	maxReferences   = 8
	maxTransforms   = 4
	maxCertificates = 16
	maxPrefixes     = 100 // of InclusiveNamespaces; each is looked for in every declaration of the document
)

// node is an element of the small tree that a Signature is read into.
type node struct {
	space, local string
	attrs        map[string]string // those without a namespace
	text         []byte            // all character data directly inside
	children     []*node
	scopes       map[string]string // namespaces in scope, of XPath only
	scope        *strictxml.Scope  // of SignedInfo only
	inherited    []xmlAttr         // of Signature and SignedInfo only
}

// is reports whether the node is the element of the signature namespace called
// local.
func (n *node) is(local string) bool { return n.space == space && n.local == local }

// child returns the only child called local.
func (n *node) child(local string) (*node, error) {
	var found *node
	for _, c := range n.children {
		if c.is(local) {
			if found != nil {
				return nil, structure("two %s in %s", local, n.local)
			}
			found = c
		}
	}
	if found == nil {
		return nil, structure("no %s in %s", local, n.local)
	}
	return found, nil
}

// all returns the children called local.
func (n *node) all(local string) []*node {
	var found []*node
	for _, c := range n.children {
		if c.is(local) {
			found = append(found, c)
		}
	}
	return found
}

// base64 decodes the text of the node: base64 with any white space.
func (n *node) base64() ([]byte, error) {
	packed := slices.DeleteFunc(slices.Clone(n.text), func(c byte) bool { return strictxml.IsSpace([]byte{c}) })
	b, err := base64.StdEncoding.Strict().AppendDecode(nil, packed)
	if err != nil {
		return nil, structure("%s is not base64", n.local)
	}
	return b, nil
}

func structure(format string, args ...any) error {
	return reason.Errorf(reason.XMLSignatureMalformed, format, args...)
}

// signature is a Signature element that was read.
type signature struct {
	at         *place
	signedInfo *node
	form       form // of SignedInfo
	method     string
	references []reference
	value      []byte
	certs      [][]byte // KeyInfo/X509Data/X509Certificate, DER
}

// reference is one Reference of SignedInfo.
type reference struct {
	uri        string
	transforms []transform
	method     string
	digest     []byte
}

// transform is one Transform of a Reference.
type transform struct {
	algorithm string
	inclusive []string
	xpath     *node
}

// readSignature reads a Signature element (XMLDSig, 4).
func readSignature(d *strictxml.Document, at *place) (*signature, error) {
	root, err := readTree(d, at)
	if err != nil {
		return nil, err
	}
	// XMLDSig, 4.1: SignedInfo, SignatureValue, KeyInfo?, Object*, in this order.
	if len(root.children) < 2 || !root.children[0].is("SignedInfo") || !root.children[1].is("SignatureValue") {
		return nil, structure("Signature must begin with SignedInfo and SignatureValue")
	}
	s := &signature{at: at, signedInfo: root.children[0]}
	if err := s.readSignedInfo(); err != nil {
		return nil, err
	}
	if s.value, err = root.children[1].base64(); err != nil {
		return nil, err
	}
	for i, c := range root.children[2:] {
		switch {
		case i == 0 && c.is("KeyInfo"):
			if s.certs, err = readKeyInfo(c); err != nil {
				return nil, err
			}
		case !c.is("Object"):
			return nil, structure("unexpected %s in Signature", c.local)
		}
	}
	return s, nil
}

// readSignedInfo reads SignedInfo (XMLDSig, 4.3).
func (s *signature) readSignedInfo() error {
	method, err := s.signedInfo.child("CanonicalizationMethod")
	if err != nil {
		return err
	}
	s.form = form{Method: Method(method.attrs["Algorithm"])}
	if s.form.inclusive, err = inclusiveNamespaces(method); err != nil {
		return err
	}
	if !s.form.valid() || len(s.form.inclusive) > 0 && !s.form.exclusive() {
		return reason.Errorf(reason.SignatureAlgorithmUnsupported, "CanonicalizationMethod %q", s.form.Method)
	}
	if method, err = s.signedInfo.child("SignatureMethod"); err != nil {
		return err
	}
	s.method = method.attrs["Algorithm"]
	refs := s.signedInfo.all("Reference")
	if len(refs) == 0 || len(refs) > maxReferences || len(refs)+2 != len(s.signedInfo.children) {
		return structure("SignedInfo has %d references", len(refs))
	}
	for _, n := range refs {
		r, err := readReference(n)
		if err != nil {
			return err
		}
		s.references = append(s.references, r)
	}
	return nil
}

// readReference reads one Reference (XMLDSig, 4.3.3).
func readReference(n *node) (reference, error) {
	uri, ok := n.attrs["URI"]
	if !ok {
		return reference{}, structure("Reference without URI")
	}
	method, err := n.child("DigestMethod")
	if err != nil {
		return reference{}, err
	}
	value, err := n.child("DigestValue")
	if err != nil {
		return reference{}, err
	}
	r := reference{uri: uri, method: method.attrs["Algorithm"]}
	if r.digest, err = value.base64(); err != nil {
		return reference{}, err
	}
	if r.transforms, err = readTransforms(n); err != nil {
		return reference{}, err
	}
	return r, nil
}

func readTransforms(n *node) ([]transform, error) {
	lists := n.all("Transforms")
	if len(lists) == 0 {
		return nil, nil
	}
	steps := lists[0].all("Transform")
	if len(lists) > 1 || len(steps) == 0 || len(steps) > maxTransforms || len(steps) != len(lists[0].children) {
		return nil, structure("Reference has %d transforms", len(steps))
	}
	var all []transform
	for _, step := range steps {
		t := transform{algorithm: step.attrs["Algorithm"]}
		var err error
		if t.inclusive, err = inclusiveNamespaces(step); err != nil {
			return nil, err
		}
		if x := step.all("XPath"); len(x) == 1 {
			t.xpath = x[0]
		}
		all = append(all, t)
	}
	return all, nil
}

// inclusiveNamespaces reads the parameter of exclusive canonicalisation (its
// Section 4).
func inclusiveNamespaces(n *node) ([]string, error) {
	for _, c := range n.children {
		if c.space != string(ExcC14N) || c.local != "InclusiveNamespaces" {
			continue
		}
		list := strings.Fields(c.attrs["PrefixList"])
		if len(list) > maxPrefixes {
			return nil, reason.Errorf(reason.XMLTooLarge, "%d prefixes, the limit is %d", len(list), maxPrefixes)
		}
		return list, nil
	}
	return nil, nil
}

// readKeyInfo returns the certificates of KeyInfo (XMLDSig, 4.4.4). They are
// hints: nobody vouches for them.
func readKeyInfo(n *node) ([][]byte, error) {
	var certs [][]byte
	for _, data := range n.all("X509Data") {
		for _, c := range data.all("X509Certificate") {
			der, err := c.base64()
			if err != nil {
				return nil, err
			}
			if certs = append(certs, der); len(certs) > maxCertificates {
				return nil, structure("more than %d certificates", maxCertificates)
			}
		}
	}
	return certs, nil
}

// tree reads an element into nodes.
type tree struct {
	r     *strictxml.Reader
	at    *place
	stack []*node
	root  *node
	count int
}

func readTree(d *strictxml.Document, at *place) (*node, error) {
	if size := at.end - at.scope.Start(); size > maxSignature {
		return nil, reason.Errorf(reason.XMLTooLarge, "Signature of %d bytes, the limit is %d", size, maxSignature)
	}
	t := tree{r: d.ReaderAt(at.scope), at: at}
	for {
		tok, err := t.r.Next()
		if errors.Is(err, io.EOF) {
			return t.root, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok.Kind {
		case strictxml.StartElement:
			err = t.start(tok)
		case strictxml.EndElement:
			t.stack = t.stack[:len(t.stack)-1]
		case strictxml.Text:
			top := t.stack[len(t.stack)-1]
			top.text = strictxml.AppendText(top.text, tok.Data, tok.CDATA)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (t *tree) start(tok *strictxml.Token) error {
	if t.count++; t.count > maxNodes {
		return reason.Errorf(reason.XMLTooLarge, "more than %d elements in a Signature", maxNodes)
	}
	n := &node{space: string(tok.Space), local: string(tok.Local), attrs: make(map[string]string)}
	for i := range tok.Attrs {
		if a := &tok.Attrs[i]; len(a.Space) == 0 {
			n.attrs[string(a.Local)] = string(a.Value())
		}
	}
	if n.is("XPath") {
		n.scopes = make(map[string]string)
		for _, b := range t.r.Bindings() {
			n.scopes[string(b.Prefix)] = string(b.Space)
		}
	}
	switch len(t.stack) {
	case 0:
		t.root = n
		for i := range tok.Attrs {
			if a := &tok.Attrs[i]; string(a.Space) == strictxml.XMLSpace {
				n.inherited = append(n.inherited, xmlAttr{string(a.Local), a.Raw})
			}
		}
	case 1:
		if n.is("SignedInfo") {
			n.scope = t.r.Scope()
			n.inherited = slices.Concat(t.root.inherited, t.at.inherited)
		}
		fallthrough
	default:
		top := t.stack[len(t.stack)-1]
		top.children = append(top.children, n)
	}
	t.stack = append(t.stack, n)
	return nil
}
