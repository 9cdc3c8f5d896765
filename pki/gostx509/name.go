package gostx509

import "encoding/asn1"

// Attribute is one attribute of a Name.
type Attribute struct {
	// Type is the attribute type. It must not be modified.
	Type asn1.ObjectIdentifier
	// Text is the decoded value. The parts of a postalAddress are joined by ", ".
	Text string
	// Tag is the DER tag of the value: 12 UTF8String, 18 NumericString,
	// 19 PrintableString, 20 TeletexString, 22 IA5String, 26 VisibleString,
	// 30 BMPString, 16 SEQUENCE (postalAddress).
	Tag int
	// SameRDN says that the attribute belongs to the same RDN (SET) as the
	// one before it.
	SameRDN bool
}

// Name is a distinguished name: attributes in the order of the certificate.
// Names are compared by their DER, never by this form.
type Name []Attribute

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
// shows: "CN=…, ИНН=…, ОГРН=…". It contains personal data.
func (n Name) String() string { panic("TODO") }
