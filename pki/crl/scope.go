package crl

import (
	encoding "encoding/asn1"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
	"propusk/pki/gostx509"
)

// ReasonSet is a set of reasons: ReasonFlags of RFC 5280, Section 4.2.1.13, bit n of
// it being 1<<n.
type ReasonSet uint16

// AllReasons is every reason that there is a flag for.
const AllReasons ReasonSet = 0x1FE

// flags gives the reason of every flag.
var flags = [...]Reason{
	1: KeyCompromise, 2: CACompromise, 3: AffiliationChanged, 4: Superseded, 5: CessationOfOperation,
	6: CertificateHold, 7: PrivilegeWithdrawn, 8: AACompromise,
}

// Reasons makes a set. A reason that there is no flag for adds nothing.
func Reasons(all ...Reason) ReasonSet {
	var s ReasonSet
	for _, r := range all {
		if i := slices.Index(flags[1:], r); i >= 0 {
			s |= 2 << i
		}
	}
	return s
}

// Covers reports whether all reasons of another set are in this one.
func (s ReasonSet) Covers(other ReasonSet) bool { return other&^s == 0 }

// String lists the names of the reasons: "keyCompromise, superseded".
func (s ReasonSet) String() string {
	var names []string
	for i, r := range flags {
		if s&(1<<i) != 0 {
			names = append(names, r.String())
		}
	}
	return strings.Join(names, ", ")
}

// Scope is what the extension issuingDistributionPoint says a list is about (RFC
// 5280, Section 5.2.5). The zero value is everything that its issuer issued.
type Scope struct {
	URLs           []string  // of the distribution point; empty if it has none
	Names          []string  // of the distribution point, those that are directory names: their DER
	UserCerts      bool      // onlyContainsUserCerts
	CACerts        bool      // onlyContainsCACerts
	AttributeCerts bool      // onlyContainsAttributeCerts
	Reasons        ReasonSet // onlySomeReasons; zero means all
	Indirect       bool      // indirectCRL: certificates of other issuers may be there
}

// reasons returns the reasons that the list is about.
func (s *Scope) reasons() ReasonSet {
	if s.Reasons == 0 {
		return AllReasons
	}
	return s.Reasons
}

// Scope says what the list is about. It must not be modified.
func (l *List) Scope() Scope { return l.scope }

// Delta reports whether this is a delta list, which says what has changed since
// the complete list with the number BaseNumber (RFC 5280, Section 5.2.4).
func (l *List) Delta() bool { return l.base != nil }

// BaseNumber is the number of the complete list that a delta list builds on, the
// content of the INTEGER; nil for a complete list.
func (l *List) BaseNumber() []byte { return l.base }

// FreshestCRL returns the addresses of delta lists for this list (RFC 5280, Section
// 5.2.6).
func (l *List) FreshestCRL() []string { return l.freshest }

// FreshestCRL returns the addresses of delta lists that a certificate names (RFC
// 5280, Section 4.2.1.15); an extension that cannot be read names none.
func FreshestCRL(cert *gostx509.Certificate) []string {
	return urls(pointsOf(cert, oidFreshestCRL))
}

// oidFreshestCRL is the extension freshestCRL of certificates.
var oidFreshestCRL = encoding.ObjectIdentifier{2, 5, 29, 46}

// generalName is one GeneralName: its tag, and its content.
type generalName struct {
	tag   der.Tag
	value string
}

// Tags of GeneralName.
const (
	tagURI       = der.Tag(0x86)
	tagDirectory = der.Tag(0xA4)
)

// distribution is one DistributionPoint of a certificate (RFC 5280, Section 4.2.1.13).
type distribution struct {
	names   []generalName
	reasons ReasonSet // zero means all
	issuers []string  // cRLIssuer: DER of the directory names; empty means that of the certificate
}

// pointsOf reads distribution points out of a certificate. An extension that cannot
// be read has none: then no list is found by it.
func pointsOf(cert *gostx509.Certificate, id []int) []distribution {
	e, found := cert.Extension(id)
	if !found {
		return nil
	}
	var d der.Decoder
	r := d.Open(e.Value, der.Limits{})
	all := readPoints(&r, cert.RawIssuer)
	if r.End(); d.Err() != nil {
		return nil
	}
	return all
}

// readPoints reads CRLDistributionPoints. issuer is what relative names are relative
// to.
func readPoints(r *der.Reader, issuer []byte) []distribution {
	var all []distribution
	list := r.Sequence()
	for list.More() {
		seq := list.Sequence()
		var p distribution
		var relative []byte
		if seq.Peek(der.Constructed(0)) {
			p.names, relative = readPointName(seq.Enter(der.Constructed(0)))
		}
		if seq.Peek(der.Context(1)) {
			p.reasons = readReasons(&seq, 1)
		}
		if seq.Peek(der.Constructed(2)) {
			for _, n := range readNames(seq.Enter(der.Constructed(2))) {
				if n.tag == tagDirectory {
					p.issuers = append(p.issuers, n.value)
				}
			}
			if len(p.issuers) == 1 {
				issuer = []byte(p.issuers[0])
			}
		}
		seq.End()
		if relative != nil && list.Ok() {
			p.names = append(p.names, relativeName(issuer, relative))
		}
		all = append(all, p)
	}
	return all
}

// readPointName reads DistributionPointName: names, or what a name relative to that
// of the issuer of the list adds to it.
func readPointName(choice der.Reader) (names []generalName, relative []byte) {
	if choice.Peek(der.Constructed(1)) {
		relative = choice.Content(der.Constructed(1))
	} else {
		names = readNames(choice.Enter(der.Constructed(0)))
	}
	choice.End()
	return names, relative
}

// readNames reads the inside of GeneralNames.
func readNames(list der.Reader) []generalName {
	var names []generalName
	for list.More() {
		tag, _, content := list.Any()
		names = append(names, generalName{tag, string(content)})
		if len(names) > maxNames {
			list.Fail(errNames)
		}
	}
	if len(names) == 0 {
		list.Fail(errNames)
	}
	return names
}

// relativeName appends a RelativeDistinguishedName to the name of an issuer.
func relativeName(issuer, rdn []byte) generalName {
	header, _, err := der.Header(issuer)
	if err != nil {
		return generalName{} // not a name: equal to none
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(issuer[header:])
		b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(rdn) })
	})
	name, err := b.Bytes()
	if err != nil {
		return generalName{}
	}
	return generalName{tagDirectory, string(name)}
}

// urls returns the addresses among the names of points.
func urls(points []distribution) []string {
	var all []string
	for _, p := range points {
		for _, n := range p.names {
			if n.tag == tagURI {
				all = append(all, n.value)
			}
		}
	}
	return all
}

// readReasons reads ReasonFlags under the IMPLICIT tag [n].
func readReasons(seq *der.Reader, n uint8) ReasonSet {
	b := seq.Content(der.Context(n))
	if len(b) < 2 || len(b) > 3 || b[0] > 7 || b[len(b)-1]&(1<<b[0]-1) != 0 {
		seq.Fail(errReasons)
		return 0
	}
	var s ReasonSet
	for i := range 8 * (len(b) - 1) {
		if b[1+i/8]&(0x80>>(i%8)) != 0 {
			s |= 1 << i
		}
	}
	if s&AllReasons == 0 {
		seq.Fail(errReasons)
	}
	return s & AllReasons
}

// issuingPoint reads IssuingDistributionPoint: RFC 5280, Section 5.2.5.
func (p *parser) issuingPoint(seq der.Reader) {
	l := p.l
	var relative []byte
	if seq.Peek(der.Constructed(0)) {
		l.names, relative = readPointName(seq.Enter(der.Constructed(0)))
	}
	s := &l.scope
	s.UserCerts = boolean(&seq, 1)
	s.CACerts = boolean(&seq, 2)
	if seq.Peek(der.Context(3)) {
		s.Reasons = readReasons(&seq, 3)
	}
	s.Indirect = boolean(&seq, 4)
	s.AttributeCerts = boolean(&seq, 5)
	if s.UserCerts && s.CACerts || s.AttributeCerts && (s.UserCerts || s.CACerts) {
		seq.Fail(errScope)
	}
	if seq.End(); !seq.Ok() {
		return
	}
	if relative != nil {
		l.names = append(l.names, relativeName(l.rawIssuer, relative))
	}
	for _, n := range l.names {
		switch n.tag {
		case tagURI:
			s.URLs = append(s.URLs, n.value)
		case tagDirectory:
			s.Names = append(s.Names, n.value)
		}
	}
}

// boolean reads a BOOLEAN DEFAULT FALSE under the IMPLICIT tag [n].
func boolean(seq *der.Reader, n uint8) bool {
	if !seq.Peek(der.Context(n)) {
		return false
	}
	b := seq.Content(der.Context(n))
	if len(b) != 1 || b[0] != 0xFF && b[0] != 0 {
		seq.Fail(der.ErrBoolean)
		return false
	}
	return b[0] == 0xFF
}

// marshal writes IssuingDistributionPoint.
func (s *Scope) marshal() ([]byte, error) {
	if s.UserCerts && s.CACerts || s.AttributeCerts && (s.UserCerts || s.CACerts) {
		return nil, errors.New("a scope that contradicts itself")
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if len(s.URLs)+len(s.Names) > 0 {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
				b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
					addURLs(b, s.URLs)
					for _, n := range s.Names {
						b.AddASN1(explicit(4), func(b *cryptobyte.Builder) { b.AddBytes([]byte(n)) })
					}
				})
			})
		}
		addTrue(b, 1, s.UserCerts)
		addTrue(b, 2, s.CACerts)
		if s.Reasons != 0 {
			b.AddASN1(asn1.Tag(3).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(s.Reasons.bits()) })
		}
		addTrue(b, 4, s.Indirect)
		addTrue(b, 5, s.AttributeCerts)
	})
	return b.Bytes()
}

// bits returns the content of the BIT STRING, without zeros at its end.
func (s ReasonSet) bits() []byte {
	var b [3]byte
	last := 0
	for i := range 9 {
		if s&(1<<i) != 0 {
			b[1+i/8] |= 0x80 >> (i % 8)
			last = i
		}
	}
	b[0] = byte(7 - last%8)
	return b[:2+last/8]
}

func explicit(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }

func addURLs(b *cryptobyte.Builder, urls []string) {
	for _, u := range urls {
		b.AddASN1(asn1.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(u)) })
	}
}

// addTrue writes TRUE under the IMPLICIT tag [n], and nothing for FALSE.
func addTrue(b *cryptobyte.Builder, n uint8, value bool) {
	if value {
		b.AddASN1(asn1.Tag(n).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddUint8(0xFF) })
	}
}
