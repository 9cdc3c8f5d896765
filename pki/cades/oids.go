package cades

// Object identifiers as DER content, to compare without decoding.
const (
	oidCounterSignature = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x06" // 1.2.840.113549.1.9.6

	oidSignatureTimeStamp  = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0e" // 1.2.840.113549.1.9.16.2.14
	oidSignaturePolicy     = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0f" // 1.2.840.113549.1.9.16.2.15
	oidContentTimeStamp    = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x14" // 1.2.840.113549.1.9.16.2.20
	oidCertificateRefs     = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x15" // 1.2.840.113549.1.9.16.2.21
	oidRevocationRefs      = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x16" // 1.2.840.113549.1.9.16.2.22
	oidCertificateValues   = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x17" // 1.2.840.113549.1.9.16.2.23
	oidRevocationValues    = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x18" // 1.2.840.113549.1.9.16.2.24
	oidESCTimeStamp        = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x19" // 1.2.840.113549.1.9.16.2.25
	oidReferencesTimeStamp = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x1a" // 1.2.840.113549.1.9.16.2.26
	oidArchiveV1           = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x1b" // 1.2.840.113549.1.9.16.2.27
	oidArchiveV2           = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x30" // 1.2.840.113549.1.9.16.2.48
	oidArchiveV3           = "\x04\x00\x8d\x45\x02\x04"                     // 0.4.0.1733.2.4

	oidHashIndex   = "\x04\x00\x8d\x45\x02\x05"     // 0.4.0.1733.2.5
	oidHashIndexV2 = "\x04\x00\x81\x95\x32\x01\x04" // 0.4.0.19122.1.4
	oidHashIndexV3 = "\x04\x00\x81\x95\x32\x01\x05" // 0.4.0.19122.1.5

	oidPolicyURI = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x05\x01" // 1.2.840.113549.1.9.16.5.1
)
