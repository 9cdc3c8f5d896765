package gostx509

import (
	"encoding/asn1"
	"sync"

	"propusk/pki/der"
	"propusk/pki/sigalg"
)

// Attribute types of names. They are constants: do not modify them.
var (
	OIDCommonName         = asn1.ObjectIdentifier{2, 5, 4, 3}
	OIDSurname            = asn1.ObjectIdentifier{2, 5, 4, 4}
	OIDSerialNumber       = asn1.ObjectIdentifier{2, 5, 4, 5}
	OIDCountry            = asn1.ObjectIdentifier{2, 5, 4, 6}
	OIDLocality           = asn1.ObjectIdentifier{2, 5, 4, 7}
	OIDState              = asn1.ObjectIdentifier{2, 5, 4, 8}
	OIDStreet             = asn1.ObjectIdentifier{2, 5, 4, 9}
	OIDOrganization       = asn1.ObjectIdentifier{2, 5, 4, 10}
	OIDOrganizationalUnit = asn1.ObjectIdentifier{2, 5, 4, 11}
	OIDTitle              = asn1.ObjectIdentifier{2, 5, 4, 12}
	OIDPostalAddress      = asn1.ObjectIdentifier{2, 5, 4, 16}
	OIDGivenName          = asn1.ObjectIdentifier{2, 5, 4, 42}
	OIDEmail              = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
	OIDUnstructuredName   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 2}
	OIDFSSNumber          = asn1.ObjectIdentifier{1, 2, 643, 3, 141, 1, 1}
	OIDFSSCode            = asn1.ObjectIdentifier{1, 2, 643, 3, 141, 1, 2}
	OIDINN                = asn1.ObjectIdentifier{1, 2, 643, 3, 131, 1, 1}
	OIDOGRN               = asn1.ObjectIdentifier{1, 2, 643, 100, 1}
	OIDSNILS              = asn1.ObjectIdentifier{1, 2, 643, 100, 3}
	OIDINNLE              = asn1.ObjectIdentifier{1, 2, 643, 100, 4}
	OIDOGRNIP             = asn1.ObjectIdentifier{1, 2, 643, 100, 5}
)

// Extensions. They are constants: do not modify them.
var (
	OIDSubjectKeyID       = asn1.ObjectIdentifier{2, 5, 29, 14}
	OIDKeyUsage           = asn1.ObjectIdentifier{2, 5, 29, 15}
	OIDPrivateKeyUsage    = asn1.ObjectIdentifier{2, 5, 29, 16}
	OIDSubjectAltName     = asn1.ObjectIdentifier{2, 5, 29, 17}
	OIDBasicConstraints   = asn1.ObjectIdentifier{2, 5, 29, 19}
	OIDNameConstraints    = asn1.ObjectIdentifier{2, 5, 29, 30}
	OIDCRLDistribution    = asn1.ObjectIdentifier{2, 5, 29, 31}
	OIDPolicies           = asn1.ObjectIdentifier{2, 5, 29, 32}
	OIDAuthorityKeyID     = asn1.ObjectIdentifier{2, 5, 29, 35}
	OIDExtKeyUsage        = asn1.ObjectIdentifier{2, 5, 29, 37}
	OIDAuthorityInfo      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	OIDSubjectSignTool    = asn1.ObjectIdentifier{1, 2, 643, 100, 111}
	OIDIssuerSignTool     = asn1.ObjectIdentifier{1, 2, 643, 100, 112}
	OIDIdentificationKind = asn1.ObjectIdentifier{1, 2, 643, 100, 114}
)

// Policies that name the class of the holder's signature tool (приказ ФСБ
// России № 795): КС1 is the lowest, КА1 the highest, and a certificate lists all
// classes up to its own. They are constants: do not modify them.
var (
	OIDClassKC1 = asn1.ObjectIdentifier{1, 2, 643, 100, 113, 1}
	OIDClassKC2 = asn1.ObjectIdentifier{1, 2, 643, 100, 113, 2}
	OIDClassKC3 = asn1.ObjectIdentifier{1, 2, 643, 100, 113, 3}
	OIDClassKB1 = asn1.ObjectIdentifier{1, 2, 643, 100, 113, 4}
	OIDClassKB2 = asn1.ObjectIdentifier{1, 2, 643, 100, 113, 5}
	OIDClassKA1 = asn1.ObjectIdentifier{1, 2, 643, 100, 113, 6}
)

// Extended key usages. They are constants: do not modify them.
var (
	OIDServerAuth      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	OIDClientAuth      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	OIDCodeSigning     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	OIDEmailProtection = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}
	OIDTimeStamping    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	OIDOCSPSigning     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}
)

// attributes is every attribute type with the name that CryptoPro CSP shows.
var attributes = sync.OnceValue(func() []attributeType {
	return []attributeType{
		{OIDCommonName, "CN"},
		{OIDSurname, "SN"},
		{OIDSerialNumber, "SERIALNUMBER"},
		{OIDCountry, "C"},
		{OIDLocality, "L"},
		{OIDState, "S"},
		{OIDStreet, "STREET"},
		{OIDOrganization, "O"},
		{OIDOrganizationalUnit, "OU"},
		{OIDTitle, "T"},
		{OIDPostalAddress, "PostalAddress"},
		{OIDGivenName, "G"},
		{OIDEmail, "E"},
		{OIDUnstructuredName, "UnstructuredName"},
		{OIDINN, "ИНН"},
		{OIDOGRN, "ОГРН"},
		{OIDSNILS, "СНИЛС"},
		{OIDINNLE, "ИНН ЮЛ"},
		{OIDOGRNIP, "ОГРНИП"},
		{OIDFSSNumber, "РНС ФСС"},
		{OIDFSSCode, "КП ФСС"},
	}
})

type attributeType struct {
	id   asn1.ObjectIdentifier
	name string
}

func attributeName(id asn1.ObjectIdentifier) string {
	for _, a := range attributes() {
		if a.id.Equal(id) {
			return a.name
		}
	}
	return id.String()
}

// others is every further identifier that is common in certificates.
func others() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{
		OIDSubjectKeyID, OIDKeyUsage, OIDPrivateKeyUsage, OIDSubjectAltName, OIDBasicConstraints,
		OIDNameConstraints, OIDCRLDistribution, OIDPolicies, OIDAuthorityKeyID, OIDExtKeyUsage,
		OIDAuthorityInfo, OIDSubjectSignTool, OIDIssuerSignTool, OIDIdentificationKind,
		OIDClassKC1, OIDClassKC2, OIDClassKC3, OIDClassKB1, OIDClassKB2, OIDClassKA1,
		OIDServerAuth, OIDClientAuth, OIDEmailProtection, OIDTimeStamping, OIDOCSPSigning,
		sigalg.OIDKeyGOST2001, sigalg.OIDKeyGOST256, sigalg.OIDKeyGOST512,
		{2, 5, 29, 32, 0},              // anyPolicy
		{1, 3, 6, 1, 4, 1, 311, 20, 2}, // Microsoft: name of the certificate template
		{1, 3, 6, 1, 4, 1, 311, 21, 7}, // Microsoft: certificate template
		{1, 3, 6, 1, 4, 1, 311, 21, 1}, // Microsoft: CA version
		{1, 2, 643, 2, 2, 49, 2},       // CryptoPro: key was made on this medium
		{1, 2, 643, 2, 2, 34, 6},       // CryptoPro: user of the registration authority
	}
}

// interned maps the DER of a common identifier to its one shared value: reading
// a certificate would otherwise allocate some forty identifiers.
var interned = sync.OnceValue(func() map[string]asn1.ObjectIdentifier {
	m := make(map[string]asn1.ObjectIdentifier)
	for _, a := range attributes() {
		m[contentOf(a.id)] = a.id
	}
	for _, id := range others() {
		m[contentOf(id)] = id
	}
	return m
})

// intern returns the identifier with the given content; nil for nil.
func intern(id der.OID) asn1.ObjectIdentifier {
	if len(id) == 0 {
		return nil
	}
	if known, ok := interned()[string(id)]; ok {
		return known
	}
	return id.ObjectIdentifier()
}

// contentOf returns the content octets of an identifier.
func contentOf(id asn1.ObjectIdentifier) string {
	full, err := asn1.Marshal(id)
	if err != nil || len(full) > 129 {
		panic("gostx509: impossible identifier " + id.String())
	}
	return string(full[2:])
}
