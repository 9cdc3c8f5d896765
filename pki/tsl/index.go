package tsl

import (
	"bytes"
	"crypto/sha1" // names certificates in the list; the bytes are compared besides
	"slices"

	"propusk/pki/gostx509"
)

// newList indexes the certificates of a verified list.
func newList(content Content, signer *gostx509.Certificate) *List {
	l := &List{content: content, signer: signer, index: make(map[[20]byte][]listed)}
	owners := make(map[*byte][]*CA) // by the DER that stands first for its value
	for ca, c := range l.content.certificates() {
		entry := l.entry(c)
		if entry == nil {
			l.index[c.Thumbprint] = append(l.index[c.Thumbprint], listed{der: c.DER, ca: ca})
			continue
		}
		first := &entry.der[0]
		if owners[first] == nil {
			owners[first] = []*CA{entry.ca}
		}
		if !slices.Contains(owners[first], ca) {
			owners[first] = append(owners[first], ca)
			entry.ca = union(owners[first])
		}
	}
	return l
}

// entry returns the index entry of a certificate, if there is one.
func (l *List) entry(c *Certificate) *listed {
	same := l.index[c.Thumbprint]
	for i := range same {
		if bytes.Equal(same[i].der, c.DER) {
			return &same[i]
		}
	}
	return nil
}

// CAOf returns the record that lists exactly this certificate, byte for byte. If
// several records do, as when an organisation was accredited anew under another
// registry number, it is a copy of the first one whose standing is that of
// whichever record is in force.
func (l *List) CAOf(cert *gostx509.Certificate) (*CA, bool) {
	if cert == nil || len(cert.Raw) == 0 {
		return nil, false
	}
	e := l.entry(&Certificate{DER: cert.Raw, Thumbprint: sha1.Sum(cert.Raw)})
	if e == nil {
		return nil, false
	}
	return e.ca, true
}
