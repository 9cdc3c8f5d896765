package tsl

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"propusk/pki/gostx509"
)

// newList indexes the certificates of a verified list.
func newList(content Content, signer *gostx509.Certificate) *List {
	l := &List{
		content: content, signer: signer, confirmed: new(sync.Map),
		index: make(map[[20]byte][]listed), byOGRN: make(map[string][]*CA),
	}
	for _, ca := range l.content.CAs {
		if ca.OGRN != "" {
			l.byOGRN[ca.OGRN] = append(l.byOGRN[ca.OGRN], ca)
		}
	}
	for ca, c := range l.content.certificates() {
		l.add(ca, c)
	}
	for _, same := range l.index {
		for i := range same {
			same[i].answer()
		}
	}
	return l
}

// add notes that a record lists a certificate.
func (l *List) add(ca *CA, c *Certificate) {
	e := l.entry(c)
	if e == nil {
		l.index[c.Thumbprint] = append(l.index[c.Thumbprint], listed{der: c.DER, owners: []*CA{ca}})
		return
	}
	// A record lists all its certificates before the next one begins.
	if e.owners[len(e.owners)-1] != ca {
		e.owners = append(e.owners, ca)
	}
}

// answer decides which record answers for the certificate.
func (e *listed) answer() {
	e.ca = e.owners[0]
	if len(e.owners) > 1 {
		e.ca = union(e.owners)
	}
	e.owners = nil
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
	e := l.entry(&Certificate{DER: cert.Raw, Thumbprint: cert.SHA1()})
	if e == nil {
		return nil, false
	}
	return e.ca, true
}

// maxHeirs is how many times powers may have been transferred on.
const maxHeirs = 8

// Heir returns the CA that holds at a moment the powers of one whose accreditation
// has ended by then: the one that «ПолномочияПереданыУЦсОГРН» names, or the one that
// it has transferred them to in turn. It is accredited at that moment. A suspension
// is no end, and of a status that we do not know nothing follows.
func (l *List) Heir(ca *CA, at time.Time) (*CA, bool) {
	seen := []*CA{ca}
	for next := []*CA{ca}; len(next) > 0 && len(seen) <= maxHeirs; {
		from := next[0]
		next = next[1:]
		if s := from.Accredited(at); s.Value != Terminated && s.Value != Annulled {
			continue
		}
		for _, heir := range l.byOGRN[from.SuccessorOGRN] {
			if heir.Accredited(at).InForce {
				return heir, true
			}
			if !slices.Contains(seen, heir) {
				seen, next = append(seen, heir), append(next, heir)
			}
		}
	}
	return nil, false
}
