package gostx509

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
)

// Marshal returns the DER of the name. Attributes with SameRDN join the RDN of
// the attribute before them. Tag zero means the type that suits the attribute.
func (n Name) Marshal() ([]byte, error) {
	var rdns [][][]byte
	for i, a := range n {
		encoded, err := a.marshal()
		if err != nil {
			return nil, err
		}
		if a.SameRDN && i > 0 {
			rdns[len(rdns)-1] = append(rdns[len(rdns)-1], encoded)
		} else {
			rdns = append(rdns, [][]byte{encoded})
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, set := range rdns {
			slices.SortFunc(set, bytes.Compare) // X.690, Section 11.6
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				for _, encoded := range set {
					b.AddBytes(encoded)
				}
			})
		}
	})
	return b.Bytes()
}

// marshal returns the DER of AttributeTypeAndValue.
func (a Attribute) marshal() ([]byte, error) {
	value, err := a.value()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(a.Type)
		b.AddBytes(value)
	})
	return b.Bytes()
}

// value returns the DER of the value.
func (a Attribute) value() ([]byte, error) {
	tag := der.Tag(a.Tag)
	if tag == 0 {
		tag = standardTag(a.Type)
	}
	var b cryptobyte.Builder
	content, err := encodeText(tag, a.Text)
	switch {
	case tag == der.TagSequence: // postalAddress
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for line := range strings.SplitSeq(a.Text, ", ") {
				addUTF8(b, line)
			}
		})
	case err != nil && strings.HasPrefix(a.Text, "#"):
		raw, err := hex.DecodeString(a.Text[1:])
		if err != nil {
			return nil, fmt.Errorf("gostx509: attribute %v: %w", a.Type, err)
		}
		return raw, nil
	case err != nil:
		return nil, fmt.Errorf("gostx509: attribute %v: %w", a.Type, err)
	default:
		b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(content) })
	}
	return b.Bytes()
}

// standardTag returns the string type that suits an attribute: NumericString for
// identifiers (приказ ФСБ России № 795), and RFC 5280, Appendix A.1.
func standardTag(id asn1.ObjectIdentifier) der.Tag {
	switch {
	case id.Equal(OIDINN), id.Equal(OIDINNLE), id.Equal(OIDOGRN), id.Equal(OIDOGRNIP), id.Equal(OIDSNILS):
		return der.TagNumericString
	case id.Equal(OIDCountry), id.Equal(OIDSerialNumber):
		return der.TagPrintableString
	case id.Equal(OIDEmail):
		return der.TagIA5String
	case id.Equal(OIDPostalAddress):
		return der.TagSequence
	default:
		return der.TagUTF8String
	}
}

// encodeText returns the content octets of a string, or an error when the type
// does not have one of its characters.
func encodeText(tag der.Tag, text string) ([]byte, error) {
	var content []byte
	allowed := func(byte) bool { return true }
	switch tag {
	case der.TagUTF8String:
		if !utf8.ValidString(text) {
			return nil, errText
		}
		content = []byte(text)
	case der.TagNumericString:
		content, allowed = []byte(text), numeric
	case der.TagPrintableString:
		content, allowed = []byte(text), printable
	case der.TagVisibleString:
		content, allowed = []byte(text), visible
	case der.TagIA5String:
		content, allowed = []byte(text), ascii
	case der.TagTeletexString, der.TagBMPString:
		return encodeWide(tag, text)
	default:
		return nil, errText
	}
	if slices.ContainsFunc(content, func(c byte) bool { return !allowed(c) }) {
		return nil, errText
	}
	return content, nil
}

func encodeWide(tag der.Tag, text string) ([]byte, error) {
	var content []byte
	for _, r := range text {
		switch {
		case tag == der.TagTeletexString && r <= 0xFF:
			content = append(content, byte(r))
		case tag == der.TagBMPString && r <= 0xFFFF:
			content = append(content, byte(r>>8), byte(r))
		default:
			return nil, errText
		}
	}
	return content, nil
}

// addExtensions writes the field [3] of TBSCertificate, if there is anything.
func addExtensions(b *cryptobyte.Builder, extensions []Extension) {
	if len(extensions) == 0 {
		return
	}
	b.AddASN1(cbasn1.Tag(3).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, e := range extensions {
				addExtension(b, e)
			}
		})
	})
}

func addExtension(b *cryptobyte.Builder, e Extension) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(e.ID)
		if e.Critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1OctetString(e.Value)
	})
}

// extensions makes the extensions of the template; key is the DER of
// SubjectPublicKeyInfo.
func (t *Template) extensions(issuer *Certificate, key []byte) ([]Extension, error) {
	id := t.SubjectKeyID
	if len(id) == 0 {
		var err error
		if id, err = keyID(key); err != nil {
			return nil, err
		}
	}
	var all []Extension
	var failed error
	add := func(present bool, id asn1.ObjectIdentifier, critical bool, write func(*cryptobyte.Builder)) {
		if !present || failed != nil {
			return
		}
		var b cryptobyte.Builder
		write(&b)
		value, err := b.Bytes()
		if err != nil {
			failed = fmt.Errorf("gostx509: extension %v: %w", id, err)
			return
		}
		all = append(all, Extension{ID: id, Critical: t.critical(id, critical), Value: value})
	}
	add(t.KeyUsage != 0, OIDKeyUsage, true, t.KeyUsage.write)
	add(len(t.ExtKeyUsage) > 0, OIDExtKeyUsage, false, sequence(t.ExtKeyUsage, (*cryptobyte.Builder).AddASN1ObjectIdentifier))
	add(true, OIDSubjectKeyID, false, func(b *cryptobyte.Builder) { b.AddASN1OctetString(id) })
	add(issuer != nil, OIDAuthorityKeyID, false, func(b *cryptobyte.Builder) { addAuthorityKeyID(b, issuer) })
	add(t.IsCA, OIDBasicConstraints, true, t.writeBasicConstraints)
	add(len(t.Policies) > 0, OIDPolicies, false, sequence(t.Policies, addPolicy))
	add(t.SubjectSignTool != "", OIDSubjectSignTool, false, func(b *cryptobyte.Builder) { addUTF8(b, t.SubjectSignTool) })
	add(t.IssuerSignTool != nil, OIDIssuerSignTool, false, t.IssuerSignTool.write)
	add(t.IdentificationKind != nil, OIDIdentificationKind, false, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(*t.IdentificationKind)) })
	add(!t.PrivateKeyUsage.IsZero(), OIDPrivateKeyUsage, false, t.PrivateKeyUsage.write)
	add(len(t.DNSNames)+len(t.EmailAddresses)+len(t.IPAddresses) > 0, OIDSubjectAltName, false, t.writeAltNames)
	add(len(t.CRLDistributionPoints) > 0, OIDCRLDistribution, false, sequence(t.CRLDistributionPoints, addDistributionPoint))
	add(len(t.OCSPServers)+len(t.CAIssuers) > 0, OIDAuthorityInfo, false, t.writeAuthorityInfo)
	return append(all, t.Extra...), failed
}

// sequence writes a SEQUENCE OF with the given way to write one value.
func sequence[T any](values []T, add func(*cryptobyte.Builder, T)) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, v := range values {
				add(b, v)
			}
		})
	}
}

// addContext writes an IMPLICIT [tag] with the given content octets.
func addContext(b *cryptobyte.Builder, tag uint8, content []byte) {
	b.AddASN1(cbasn1.Tag(tag).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(content) })
}

// inContext writes a constructed [tag].
func inContext(b *cryptobyte.Builder, tag uint8, write func(*cryptobyte.Builder)) {
	b.AddASN1(cbasn1.Tag(tag).ContextSpecific().Constructed(), write)
}

func addUTF8(b *cryptobyte.Builder, text string) {
	if !utf8.ValidString(text) {
		b.SetError(errText)
		return
	}
	b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
}

// addGeneralName writes a GeneralName that is an IA5String.
func addGeneralName(b *cryptobyte.Builder, tag uint8, text string) {
	content, err := encodeText(der.TagVisibleString, text)
	if err != nil || text == "" {
		b.SetError(errText)
		return
	}
	addContext(b, tag, content)
}

// write writes the BIT STRING without trailing zero bits: X.690, Section 11.2.2.
func (u KeyUsage) write(b *cryptobyte.Builder) {
	var bits [2]byte
	last := 0
	for i := range 16 {
		if u&(1<<i) != 0 {
			bits[i/8] |= 0x80 >> (i % 8)
			last = i
		}
	}
	b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
		b.AddUint8(uint8(7 - last%8))
		b.AddBytes(bits[:last/8+1])
	})
}

func (t *Template) writeBasicConstraints(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Boolean(true)
		if t.MaxPathLen >= 0 {
			b.AddASN1Int64(int64(t.MaxPathLen))
		}
	})
}

// addAuthorityKeyID writes all three parts, as Russian CAs do.
func addAuthorityKeyID(b *cryptobyte.Builder, issuer *Certificate) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if len(issuer.SubjectKeyID) > 0 {
			addContext(b, 0, issuer.SubjectKeyID)
		}
		inContext(b, 1, func(b *cryptobyte.Builder) {
			inContext(b, 4, func(b *cryptobyte.Builder) { b.AddBytes(issuer.RawIssuer) })
		})
		addContext(b, 2, issuer.Serial)
	})
}

func addPolicy(b *cryptobyte.Builder, id asn1.ObjectIdentifier) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(id) })
}

func (tool *IssuerSignTool) write(b *cryptobyte.Builder) {
	sequence([]string{tool.SignTool, tool.CATool, tool.SignToolCert, tool.CAToolCert}, addUTF8)(b)
}

func (u PrivateKeyUsage) write(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for tag, at := range []time.Time{u.NotBefore, u.NotAfter} {
			if !at.IsZero() {
				addContext(b, uint8(tag), []byte(at.UTC().Format("20060102150405Z")))
			}
		}
	})
}

func (t *Template) writeAltNames(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, s := range t.EmailAddresses {
			addGeneralName(b, 1, s)
		}
		for _, s := range t.DNSNames {
			addGeneralName(b, 2, s)
		}
		for _, ip := range t.IPAddresses {
			addContext(b, 7, ip.Unmap().AsSlice())
		}
	})
}

// addDistributionPoint writes one point per URL.
func addDistributionPoint(b *cryptobyte.Builder, url string) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		inContext(b, 0, func(b *cryptobyte.Builder) {
			inContext(b, 0, func(b *cryptobyte.Builder) { addGeneralName(b, 6, url) })
		})
	})
}

func (t *Template) writeAuthorityInfo(b *cryptobyte.Builder) {
	access := func(b *cryptobyte.Builder, method asn1.ObjectIdentifier, url string) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(method)
			addGeneralName(b, 6, url)
		})
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, url := range t.OCSPServers {
			access(b, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}, url)
		}
		for _, url := range t.CAIssuers {
			access(b, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 2}, url)
		}
	})
}
