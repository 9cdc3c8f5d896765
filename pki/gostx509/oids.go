package gostx509

import "encoding/asn1"

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
	OIDEmailProtection = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}
	OIDTimeStamping    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	OIDOCSPSigning     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}
)
