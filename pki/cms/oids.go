package cms

import (
	"encoding/asn1"

	"propusk/pki/der"
	"propusk/pki/sigalg"
)

// Object identifiers as DER content, to compare without decoding.
const (
	oidData       = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01" // 1.2.840.113549.1.7.1
	oidSignedData = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" // 1.2.840.113549.1.7.2

	oidContentType          = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"         // 1.2.840.113549.1.9.3
	oidMessageDigest        = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"         // 1.2.840.113549.1.9.4
	oidSigningTime          = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"         // 1.2.840.113549.1.9.5
	oidCounterSignature     = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x06"         // 1.2.840.113549.1.9.6
	oidAlgorithmProtection  = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x34"         // 1.2.840.113549.1.9.52
	oidSigningCertificate   = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0c" // 1.2.840.113549.1.9.16.2.12
	oidSigningCertificateV2 = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f" // 1.2.840.113549.1.9.16.2.47
)

// idData is shared and must not be modified.
var idData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}

// objectIdentifier decodes an identifier, without an allocation for the usual
// ones.
func objectIdentifier(oid der.OID) asn1.ObjectIdentifier {
	switch string(oid) {
	case oidData:
		return idData
	case "\x2a\x85\x03\x07\x01\x01\x02\x02":
		return sigalg.OIDStreebog256
	case "\x2a\x85\x03\x07\x01\x01\x02\x03":
		return sigalg.OIDStreebog512
	case "\x2a\x85\x03\x07\x01\x01\x01\x01":
		return sigalg.OIDKeyGOST256
	case "\x2a\x85\x03\x07\x01\x01\x01\x02":
		return sigalg.OIDKeyGOST512
	case "\x2a\x85\x03\x07\x01\x01\x03\x02":
		return sigalg.OIDGOST256WithStreebog
	case "\x2a\x85\x03\x07\x01\x01\x03\x03":
		return sigalg.OIDGOST512WithStreebog
	default:
		return oid.ObjectIdentifier()
	}
}
