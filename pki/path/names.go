package path

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Name constraints (RFC 5280, Section 4.2.1.10). Names of directories are
// compared part by part, permitted ones by DER and excluded ones by their text: the
// constrained CA itself chooses how to write a name. Other forms of names are not
// compared: if a CA is constrained in a form, a certificate under it may have no
// name of that form.

// The tags of GeneralName that matter here.
var (
	tagEmail     = der.Context(1)
	tagDirectory = der.Constructed(4)
)

// subtree is the base of a GeneralSubtree.
type subtree struct {
	tag  der.Tag
	name [][]byte // the RDNs of a directoryName
}

// constraints is what one CA certificate says.
type constraints struct{ permitted, excluded []subtree }

var errSubtree = errors.New("minimum or maximum of a subtree")

// names checks the names of every certificate against the constraints of the
// certificates above it.
func names(chain []*gostx509.Certificate) verdict.Check {
	var above []constraints
	for i := len(chain) - 1; i >= 0; i-- {
		c := chain[i]
		if i == 0 || !selfIssued(c) {
			for _, n := range above {
				if err := n.check(c); err != nil {
					return verdict.Fail(stepNames, reason.NameNotPermitted, citeNames, fmt.Sprintf("certificate %d of the chain: %v", i, err))
				}
			}
		}
		ext, ok := c.Extension(oidNameConstraints)
		if !ok {
			continue
		}
		n, err := parseConstraints(ext.Value)
		if err != nil {
			return verdict.Fail(stepNames, reason.NameNotPermitted, citeNames, fmt.Sprintf("name constraints not understood: %v", err))
		}
		above = append(above, n)
	}
	return verdict.Pass(stepNames, citeNames)
}

// check checks all names of a certificate.
func (n *constraints) check(c *gostx509.Certificate) error {
	found, err := namesOf(c)
	if err != nil {
		return err
	}
	for _, name := range found {
		if err := n.checkName(name); err != nil {
			return err
		}
	}
	return nil
}

func (n *constraints) checkName(name subtree) error {
	constrained, inside := false, false
	for _, s := range n.permitted {
		if s.tag == name.tag {
			constrained = true
			inside = inside || s.tag == tagDirectory && within(name.name, s.name)
		}
	}
	if constrained && !inside {
		return errors.New("a name outside the permitted ones")
	}
	for _, s := range n.excluded {
		if s.tag != name.tag {
			continue
		}
		if s.tag != tagDirectory {
			return errExcluded
		}
		if err := outside(name.name, s.name); err != nil {
			return err
		}
	}
	return nil
}

var errExcluded = errors.New("an excluded name")

// outside returns an error if a name begins with all the parts of base, or if that
// cannot be told.
func outside(name, base [][]byte) error {
	if len(name) < len(base) {
		return nil
	}
	for i := range base {
		a, errA := folded(name[i])
		b, errB := folded(base[i])
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if !slices.Equal(a, b) {
			return nil
		}
	}
	return errExcluded
}

// folded returns the attributes of a part of a name, sorted, without regard to the
// string type, the case of letters and the number of spaces (RFC 5280, Section
// 7.1).
func folded(rdn []byte) ([]string, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(rdn) })
	raw, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	name, err := gostx509.ParseName(raw)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, a := range name {
		all = append(all, a.Type.String()+"="+strings.ToLower(strings.Join(strings.Fields(a.Text), " ")))
	}
	slices.Sort(all)
	return all, nil
}

// within reports whether a name begins with all the parts of base.
func within(name, base [][]byte) bool {
	if len(name) < len(base) {
		return false
	}
	for i := range base {
		if !bytes.Equal(name[i], base[i]) {
			return false
		}
	}
	return true
}

// namesOf returns the subject, its e-mail addresses, and the alternative names of
// a certificate.
func namesOf(c *gostx509.Certificate) ([]subtree, error) {
	var d der.Decoder
	var all []subtree
	r := d.Open(c.RawSubject, der.Limits{})
	if name := rdns(r); len(name) > 0 {
		all = append(all, subtree{tagDirectory, name})
	}
	if c.Subject.Get(gostx509.OIDEmail) != "" {
		all = append(all, subtree{tag: tagEmail})
	}
	if ext, ok := c.Extension(gostx509.OIDSubjectAltName); ok && d.Err() == nil {
		r := d.Open(ext.Value, der.Limits{})
		list := r.Sequence()
		for list.More() {
			all = append(all, generalName(&list))
		}
	}
	return all, d.Err()
}

// rdns reads a Name and returns its parts.
func rdns(r der.Reader) [][]byte {
	seq := r.Sequence()
	var parts [][]byte
	for seq.More() {
		parts = append(parts, seq.RawTag(der.TagSet))
	}
	return parts
}

// generalName reads a GeneralName: RFC 5280, Section 4.2.1.6.
func generalName(r *der.Reader) subtree {
	tag, _, content := r.Any()
	s := subtree{tag: tag}
	if tag == tagDirectory {
		s.name = rdns(r.Inside(content))
	}
	return s
}

// parseConstraints reads NameConstraints: RFC 5280, Section 4.2.1.10.
func parseConstraints(value []byte) (constraints, error) {
	var d der.Decoder
	var n constraints
	r := d.Open(value, der.Limits{})
	seq := r.Sequence()
	r.End()
	if seq.Peek(der.Constructed(0)) {
		n.permitted = subtrees(seq.Enter(der.Constructed(0)))
	}
	if seq.Peek(der.Constructed(1)) {
		n.excluded = subtrees(seq.Enter(der.Constructed(1)))
	}
	seq.End()
	if err := d.Err(); err != nil {
		return constraints{}, err
	}
	return n, nil
}

// subtrees reads GeneralSubtrees. RFC 5280 gives minimum and maximum no use: they
// must be absent.
func subtrees(list der.Reader) []subtree {
	var all []subtree
	for list.More() {
		seq := list.Sequence()
		all = append(all, generalName(&seq))
		if seq.More() {
			seq.Fail(errSubtree)
		}
	}
	return all
}
