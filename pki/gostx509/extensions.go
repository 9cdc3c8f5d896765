package gostx509

import (
	"encoding/asn1"
	"net/netip"

	"propusk/pki/der"
)

// maxIdentification is the greatest number that identificationKind may hold. The
// known ones end at 3; the rest is room for what is not decreed yet.
const maxIdentification = 255

// extensions reads Extensions: RFC 5280, Section 4.1.2.9.
func (p *parser) extensions(explicit der.Reader) {
	list := explicit.Sequence()
	explicit.End()
	if !list.More() {
		list.Fail(errNoExtension)
		return
	}
	p.c.Extensions = make([]Extension, 0, 16)
	for list.More() {
		p.extension(list.Sequence())
	}
}

// extension reads one Extension and what it carries. A written-out FALSE is
// tolerated: see DIVERGENCES.md.
func (p *parser) extension(seq der.Reader) {
	id := seq.OID()
	e := Extension{ID: intern(id), Critical: seq.DefaultFalseLenient(), Value: seq.OctetString()}
	seq.End()
	if _, twice := p.c.Extension(e.ID); twice {
		seq.Fail(errOneExtension)
	}
	if p.c.Extensions = append(p.c.Extensions, e); len(p.c.Extensions) > MaxExtensions {
		seq.Fail(errManyExtension)
	}
	if !seq.Ok() {
		return
	}
	value := seq.Inside(e.Value)
	if !p.known(string(id), &value) {
		if e.Critical {
			p.c.UnhandledCritical = append(p.c.UnhandledCritical, e.ID)
		}
		return
	}
	value.End()
}

// The content octets of the identifiers of the extensions that are read.
const (
	idSubjectKeyID       = "\x55\x1d\x0e"
	idKeyUsage           = "\x55\x1d\x0f"
	idPrivateKeyUsage    = "\x55\x1d\x10"
	idSubjectAltName     = "\x55\x1d\x11"
	idBasicConstraints   = "\x55\x1d\x13"
	idCRLDistribution    = "\x55\x1d\x1f"
	idPolicies           = "\x55\x1d\x20"
	idAuthorityKeyID     = "\x55\x1d\x23"
	idExtKeyUsage        = "\x55\x1d\x25"
	idAuthorityInfo      = "\x2b\x06\x01\x05\x05\x07\x01\x01"
	idSubjectSignTool    = "\x2a\x85\x03\x64\x6f"
	idIssuerSignTool     = "\x2a\x85\x03\x64\x70"
	idIdentificationKind = "\x2a\x85\x03\x64\x72"

	idOCSP      = "\x2b\x06\x01\x05\x05\x07\x30\x01"
	idCAIssuers = "\x2b\x06\x01\x05\x05\x07\x30\x02"
)

// known reads the extensions that this package knows, and reports whether the
// given one is among them.
func (p *parser) known(id string, v *der.Reader) bool {
	c := p.c
	switch id {
	case idSubjectKeyID:
		c.SubjectKeyID = v.OctetString()
	case idKeyUsage:
		p.keyUsage(v)
	case idPrivateKeyUsage:
		p.privateKeyUsage(v.Sequence())
	case idSubjectAltName:
		p.subjectAltName(v.Sequence())
	case idBasicConstraints:
		p.basicConstraints(v.Sequence())
	case idCRLDistribution:
		p.distributionPoints(v.Sequence())
	case idPolicies:
		p.policies(v.Sequence())
	case idAuthorityKeyID:
		p.authorityKeyID(v.Sequence())
	case idExtKeyUsage:
		c.ExtKeyUsage = p.list(v.Sequence(), func(r *der.Reader) asn1.ObjectIdentifier { return intern(r.OID()) })
	case idAuthorityInfo:
		p.authorityInfo(v.Sequence())
	case idSubjectSignTool:
		c.SubjectSignTool = p.directoryString(v)
	case idIssuerSignTool:
		p.issuerSignTool(v.Sequence())
	case idIdentificationKind:
		c.IdentificationKind = new(IdentificationKind(v.Int(maxIdentification)))
	default:
		return false
	}
	return true
}

// keyUsage: RFC 5280, Section 4.2.1.3. At least one bit must be set.
func (p *parser) keyUsage(v *der.Reader) {
	bits, _ := v.BitString()
	usage := KeyUsage(0)
	for i := range len(bits) * 8 {
		if bits[i/8]&(0x80>>(i%8)) == 0 {
			continue
		}
		if i > 8 {
			v.Fail(errKeyUsage)
			return
		}
		usage |= 1 << i
	}
	if usage == 0 {
		v.Fail(errKeyUsage)
	}
	p.c.KeyUsage = usage
}

// basicConstraints: RFC 5280, Section 4.2.1.9. TRUE as 01 is tolerated: see
// DIVERGENCES.md.
func (p *parser) basicConstraints(seq der.Reader) {
	p.c.IsCA = seq.DefaultFalseLenient()
	if seq.More() {
		if !p.c.IsCA {
			seq.Fail(errPathLen)
		}
		p.c.MaxPathLen = seq.Int(1 << 15)
	}
	seq.End()
}

// privateKeyUsage: RFC 3280, Section 4.2.1.4. Fractions of a second are
// tolerated: see DIVERGENCES.md.
func (p *parser) privateKeyUsage(seq der.Reader) {
	if !seq.More() {
		seq.Fail(errNoValue)
	}
	if seq.Peek(der.Context(0)) {
		p.c.PrivateKeyUsage.NotBefore = seq.GeneralizedTimeFraction(der.Context(0))
	}
	if seq.Peek(der.Context(1)) {
		p.c.PrivateKeyUsage.NotAfter = seq.GeneralizedTimeFraction(der.Context(1))
	}
	seq.End()
}

// policies: RFC 5280, Section 4.2.1.4. Qualifiers are passed over.
func (p *parser) policies(seq der.Reader) {
	p.c.Policies = p.list(seq, func(r *der.Reader) asn1.ObjectIdentifier {
		info := r.Sequence()
		id := intern(info.OID())
		info.Skip(der.TagSequence)
		info.End()
		return id
	})
}

// list reads a non-empty SEQUENCE OF.
func (p *parser) list(seq der.Reader, read func(*der.Reader) asn1.ObjectIdentifier) []asn1.ObjectIdentifier {
	if !seq.More() {
		seq.Fail(errNoValue)
	}
	all := make([]asn1.ObjectIdentifier, 0, 4)
	for seq.More() {
		if all = append(all, read(&seq)); len(all) > MaxAttributes {
			seq.Fail(errManyValues)
		}
	}
	return all
}

// authorityKeyID: RFC 5280, Section 4.2.1.1.
func (p *parser) authorityKeyID(seq der.Reader) {
	id := &p.c.AuthorityKeyID
	if seq.Peek(der.Context(0)) {
		id.KeyID = seq.Content(der.Context(0))
	}
	if seq.Peek(der.Constructed(1)) {
		names := seq.Enter(der.Constructed(1))
		for names.More() {
			tag, _, content := names.Any()
			if tag == der.Constructed(4) && id.RawIssuer == nil {
				directory := names.Inside(content)
				id.RawIssuer = directory.RawTag(der.TagSequence)
				directory.End()
			}
		}
	}
	if seq.Peek(der.Context(2)) {
		id.Serial = seq.IntegerTag(der.Context(2))
	}
	seq.End()
}

// distributionPoints: RFC 5280, Section 4.2.1.13. Only the URLs are kept.
func (p *parser) distributionPoints(seq der.Reader) {
	for seq.More() {
		point := seq.Sequence()
		if point.Peek(der.Constructed(0)) {
			name := point.Enter(der.Constructed(0))
			if name.Peek(der.Constructed(0)) {
				full := name.Enter(der.Constructed(0))
				for full.More() {
					p.url(&full, &p.c.CRLDistributionPoints)
				}
			} else {
				name.Skip(der.Constructed(1))
			}
			name.End()
		}
		point.Skip(der.Context(1))
		point.Skip(der.Constructed(2))
		point.End()
	}
}

// authorityInfo: RFC 5280, Section 4.2.2.1.
func (p *parser) authorityInfo(seq der.Reader) {
	for seq.More() {
		access := seq.Sequence()
		switch string(access.OID()) {
		case idOCSP:
			p.url(&access, &p.c.OCSPServers)
		case idCAIssuers:
			p.url(&access, &p.c.CAIssuers)
		default:
			access.Raw()
		}
		access.End()
	}
}

// url reads one GeneralName and, if it is a URI, appends it.
func (p *parser) url(r *der.Reader, to *[]string) {
	tag, _, content := r.Any()
	if tag != der.Context(6) {
		return
	}
	p.add(r, to, content)
}

// add appends an IA5String.
func (p *parser) add(r *der.Reader, to *[]string, content []byte) {
	text := p.restricted(content, visible)
	if text == "" {
		r.Fail(errText)
	}
	if *to == nil {
		*to = make([]string, 0, 4)
	}
	if *to = append(*to, text); len(*to) > MaxAttributes {
		r.Fail(errManyValues)
	}
}

// subjectAltName: RFC 5280, Section 4.2.1.6. Names of other forms are passed
// over.
func (p *parser) subjectAltName(seq der.Reader) {
	if !seq.More() {
		seq.Fail(errNoValue)
	}
	for seq.More() {
		tag, _, content := seq.Any()
		switch tag {
		case der.Context(1):
			p.add(&seq, &p.c.EmailAddresses, content)
		case der.Context(2):
			p.add(&seq, &p.c.DNSNames, content)
		case der.Context(7):
			ip, ok := netip.AddrFromSlice(content)
			if p.c.IPAddresses = append(p.c.IPAddresses, ip); !ok {
				seq.Fail(errAddress)
			}
			if len(p.c.IPAddresses) > MaxAttributes {
				seq.Fail(errManyValues)
			}
		}
	}
}

// issuerSignTool: приказ ФСБ России от 27.12.2011 № 795.
func (p *parser) issuerSignTool(seq der.Reader) {
	p.c.IssuerSignTool = &IssuerSignTool{
		SignTool:     p.directoryString(&seq),
		CATool:       p.directoryString(&seq),
		SignToolCert: p.directoryString(&seq),
		CAToolCert:   p.directoryString(&seq),
	}
	seq.End()
}

// directoryString reads one non-empty string of any type.
func (p *parser) directoryString(r *der.Reader) string {
	tag, _, content := r.Any()
	if !r.Ok() {
		return ""
	}
	text, known := p.decode(tag, content)
	if !known || text == "" {
		r.Fail(errText)
	}
	return text
}
