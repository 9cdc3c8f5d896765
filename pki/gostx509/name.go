package gostx509

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"propusk/pki/der"
	"propusk/pki/reason"
)

// Attribute is one attribute of a Name.
type Attribute struct {
	// Type is the attribute type. It must not be modified.
	Type asn1.ObjectIdentifier
	// Text is the decoded value. The lines of a postalAddress are joined by ", ".
	// A value that is not a string is "#" and the hexadecimal DER (RFC 4514,
	// Section 2.4).
	Text string
	// Tag is the DER tag of the value: 12 UTF8String, 18 NumericString,
	// 19 PrintableString, 20 TeletexString, 22 IA5String, 26 VisibleString,
	// 30 BMPString, 48 SEQUENCE (postalAddress).
	Tag int
	// SameRDN says that the attribute belongs to the same RDN (SET) as the
	// one before it.
	SameRDN bool
}

// Name is a distinguished name: attributes in the order of the certificate.
// Names are compared by their DER, never by this form.
type Name []Attribute

// ParseName reads one Name in DER: data must hold it and nothing else. The error
// is a *reason.Error as of Parse.
func ParseName(data []byte) (Name, error) {
	raw := bytes.Clone(data)
	p := parser{c: &Certificate{Raw: raw}, text: string(raw)}
	input := p.d.Open(raw, der.Limits{Size: MaxSize, Depth: 16, Elements: 4096})
	name := p.name(input)
	input.Raw()
	input.End()
	if err := p.d.Err(); err != nil {
		return nil, reason.New(formCode(err), err)
	}
	return name, nil
}

// Get returns the text of the first attribute of the given type, or "".
func (n Name) Get(id asn1.ObjectIdentifier) string {
	for _, a := range n {
		if a.Type.Equal(id) {
			return a.Text
		}
	}
	return ""
}

// All returns the texts of all attributes of the given type, in order.
func (n Name) All(id asn1.ObjectIdentifier) []string {
	var all []string
	for _, a := range n {
		if a.Type.Equal(id) {
			all = append(all, a.Text)
		}
	}
	return all
}

// String returns the name for pages, with the attribute names that CryptoPro
// shows: "CN=…, ИНН=…, ОГРН=…". Values with separators stand in quotation marks;
// characters that do not print, and those that change the direction of writing,
// are shown as U+FFFD. The result contains personal data: do not log it.
func (n Name) String() string {
	var b strings.Builder
	length := 0
	for _, a := range n {
		length += len(a.Text) + 16
	}
	b.Grow(length)
	for i, a := range n {
		switch {
		case i > 0 && a.SameRDN:
			b.WriteString(" + ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(attributeName(a.Type))
		b.WriteByte('=')
		b.WriteString(quote(a.Text))
	}
	return b.String()
}

// visibly replaces spaces of any width by the plain one, and characters that do
// not print, among them those that change the direction of writing, by U+FFFD: a
// name is shown to people who trust it.
func visibly(s string) string {
	if isUsual(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Zs, r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		default:
			return r
		}
	}, s)
}

// isUsual reports whether s has but characters that print and are in nearly all names:
// the tables of Unicode take longer than the rest of a verdict document.
func isUsual(s string) bool {
	for _, r := range s {
		switch {
		case r >= ' ' && r <= '~', r >= 'А' && r <= 'я':
		case r == 'Ё', r == 'ё', r == '№', r == '«', r == '»':
		default:
			return false
		}
	}
	return true
}

func quote(s string) string {
	s = visibly(s)
	if strings.ContainsAny(s, `,+="<>;`) || strings.TrimSpace(s) != s {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// name reads Name: RFC 5280, Section 4.1.2.4.
func (p *parser) name(r der.Reader) Name {
	rdns := r.Sequence()
	if !rdns.More() {
		return nil
	}
	name := make(Name, 0, 12)
	for rdns.More() {
		set := rdns.Set()
		if !set.More() {
			set.Fail(errEmptyRDN)
		}
		for first := true; set.More(); first = false {
			a := p.attribute(&set)
			a.SameRDN = !first
			if name = append(name, a); len(name) > MaxAttributes {
				set.Fail(errManyValues)
			}
		}
	}
	return name
}

// attribute reads AttributeTypeAndValue.
func (p *parser) attribute(set *der.Reader) Attribute {
	seq := set.Sequence()
	a := Attribute{Type: intern(seq.OID())}
	tag, raw, content := seq.Any()
	seq.End()
	if !set.Ok() {
		return a
	}
	a.Tag = int(tag)
	if tag == der.TagSequence {
		a.Text = p.postalAddress(seq.Inside(content))
		return a
	}
	text, known := p.decode(tag, content)
	switch {
	case !known:
		a.Text = "#" + hex.EncodeToString(raw)
	case text == "" && len(content) > 0:
		seq.Fail(errText)
	default:
		a.Text = text
	}
	return a
}

// postalAddress joins the lines of a PostalAddress, SEQUENCE OF DirectoryString
// (X.520). It stands in eight real CA certificates.
func (p *parser) postalAddress(seq der.Reader) string {
	var lines []string
	for seq.More() {
		tag, _, content := seq.Any()
		line, known := p.decode(tag, content)
		if !known || line == "" && len(content) > 0 {
			seq.Fail(errText)
		}
		if lines = append(lines, line); len(lines) > MaxAttributes {
			seq.Fail(errManyValues)
		}
	}
	return strings.Join(lines, ", ")
}

// decode returns the text of a string type, and whether the tag is one. The text
// is empty when a character does not belong to the type.
func (p *parser) decode(tag der.Tag, content []byte) (text string, known bool) {
	switch tag {
	case der.TagUTF8String:
		if !utf8.Valid(content) {
			return "", true
		}
		return p.string(content), true
	case der.TagNumericString:
		return p.restricted(content, numeric), true
	case der.TagPrintableString:
		return p.restricted(content, printable), true
	case der.TagVisibleString:
		return p.restricted(content, visible), true
	case der.TagIA5String:
		return p.restricted(content, ascii), true
	case der.TagTeletexString:
		return latin1(content), true
	case der.TagBMPString:
		return bmp(content), true
	default:
		return "", false
	}
}

// restricted returns the text if every octet is allowed.
func (p *parser) restricted(content []byte, allowed func(byte) bool) string {
	for _, c := range content {
		if !allowed(c) {
			return ""
		}
	}
	return p.string(content)
}

func numeric(c byte) bool { return '0' <= c && c <= '9' || c == ' ' }
func visible(c byte) bool { return ' ' <= c && c <= '~' }
func ascii(c byte) bool   { return c < 0x80 }

func printable(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte(" '()+,-./:=?", c) >= 0
}

// latin1 reads a TeletexString the way everybody writes it: as ISO 8859-1.
func latin1(content []byte) string {
	runes := make([]rune, len(content))
	for i, c := range content {
		runes[i] = rune(c)
	}
	return string(runes)
}

// bmp reads UCS-2, big endian; surrogates do not belong to it.
func bmp(content []byte) string {
	if len(content)%2 != 0 {
		return ""
	}
	runes := make([]rune, len(content)/2)
	for i := range runes {
		runes[i] = rune(content[2*i])<<8 | rune(content[2*i+1])
	}
	if slices.ContainsFunc(runes, utf16.IsSurrogate) {
		return ""
	}
	return string(runes)
}
