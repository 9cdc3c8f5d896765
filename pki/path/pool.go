package path

import (
	"bytes"
	"slices"

	"propusk/pki/gostx509"
)

// Pool is a set of certificates, found by subject. The zero value is empty and
// ready to use; a nil *Pool is empty. Reading is safe for concurrent use while
// nobody adds.
type Pool struct {
	certs     []*gostx509.Certificate
	bySubject map[string][]*gostx509.Certificate // by DER: text forms of a name are not unique
}

// NewPool returns a pool of certs.
func NewPool(certs ...*gostx509.Certificate) *Pool {
	p := &Pool{}
	p.Add(certs...)
	return p
}

// Add puts certificates into the pool; nil, and one that is there already, byte
// for byte, is ignored.
func (p *Pool) Add(certs ...*gostx509.Certificate) {
	if p.bySubject == nil {
		p.bySubject = make(map[string][]*gostx509.Certificate)
	}
	for _, c := range certs {
		if c == nil || p.Contains(c) {
			continue
		}
		p.certs = append(p.certs, c)
		p.bySubject[string(c.RawSubject)] = append(p.bySubject[string(c.RawSubject)], c)
	}
}

// Len is the number of certificates.
func (p *Pool) Len() int {
	if p == nil {
		return 0
	}
	return len(p.certs)
}

// Certificates returns the certificates in the order they were added.
func (p *Pool) Certificates() []*gostx509.Certificate {
	if p == nil {
		return nil
	}
	return slices.Clone(p.certs)
}

// Contains reports whether exactly this certificate, byte for byte, is there.
func (p *Pool) Contains(c *gostx509.Certificate) bool {
	return c != nil && slices.ContainsFunc(p.named(c.RawSubject), c.Equal)
}

// Named returns the certificates of the pool with a subject, in DER.
func (p *Pool) Named(rawSubject []byte) []*gostx509.Certificate {
	return slices.Clone(p.named(rawSubject))
}

// SameIssuer returns the other certificates of the pool with the name and the key of
// the given one: renewed and cross certificates of one CA, any of which may stand as
// the issuer of what that key has signed.
func (p *Pool) SameIssuer(c *gostx509.Certificate) []*gostx509.Certificate {
	var same []*gostx509.Certificate
	for _, other := range p.named(c.RawSubject) {
		if bytes.Equal(other.RawSPKI, c.RawSPKI) && !other.Equal(c) {
			same = append(same, other)
		}
	}
	return same
}

// has is Contains by address: quicker, and false for another copy.
func (p *Pool) has(c *gostx509.Certificate) bool { return slices.Contains(p.named(c.RawSubject), c) }

// named returns the certificates with the given subject.
func (p *Pool) named(rawSubject []byte) []*gostx509.Certificate {
	if p == nil {
		return nil
	}
	return p.bySubject[string(rawSubject)]
}
