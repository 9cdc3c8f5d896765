package cms

import (
	"encoding/asn1"

	"propusk/pki/der"
)

// Object identifiers as DER content, to compare without decoding.
const (
	oidData       = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01" // 1.2.840.113549.1.7.1
	oidSignedData = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" // 1.2.840.113549.1.7.2

	oidOCSPResponse = "\x2b\x06\x01\x05\x05\x07\x10\x02" // 1.3.6.1.5.5.7.16.2

	oidContentType          = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"         // 1.2.840.113549.1.9.3
	oidMessageDigest        = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"         // 1.2.840.113549.1.9.4
	oidSigningTime          = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"         // 1.2.840.113549.1.9.5
	oidCounterSignature     = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x06"         // 1.2.840.113549.1.9.6
	oidAlgorithmProtection  = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x34"         // 1.2.840.113549.1.9.52
	oidContentHints         = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x04" // 1.2.840.113549.1.9.16.2.4
	oidSigningCertificate   = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0c" // 1.2.840.113549.1.9.16.2.12
	oidSignaturePolicy      = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0f" // 1.2.840.113549.1.9.16.2.15
	oidPolicyURI            = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x05\x01" // 1.2.840.113549.1.9.16.5.1
	oidSigningCertificateV2 = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f" // 1.2.840.113549.1.9.16.2.47
)

// idData is shared and must not be modified.
var idData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}

// contentType decodes an identifier, without an allocation for the usual one.
func contentType(oid der.OID) asn1.ObjectIdentifier {
	if string(oid) == oidData {
		return idData
	}
	return oid.ObjectIdentifier()
}
