package reason

import "slices"

// Reasons about one certificate: its form, its dates, its holder, its profile.
const (
	// NoCertificate means that no certificate was presented.
	NoCertificate Code = "no-certificate"
	// CertMalformed means that the bytes are not a certificate we can read.
	CertMalformed Code = "certificate-malformed"
	// CertTooLarge means that the certificate exceeds a limit of size or count.
	CertTooLarge Code = "certificate-too-large"
	// CertExpired means that notAfter is in the past.
	CertExpired Code = "certificate-expired"
	// CertNotYetValid means that notBefore is in the future.
	CertNotYetValid Code = "certificate-not-yet-valid"
	// CertRevoked means that the CA revoked the certificate.
	CertRevoked Code = "certificate-revoked"
	// CertSignatureBad means that the CA's signature under the certificate does
	// not verify.
	CertSignatureBad Code = "certificate-signature-bad"
	// CertAlgorithm means that the certificate is signed with an algorithm that
	// is forbidden or unknown.
	CertAlgorithm Code = "certificate-algorithm"
	// CertKeyUnsupported means that the public key is of an unknown kind.
	CertKeyUnsupported Code = "certificate-key-unsupported"
	// CertCriticalExtension means that a critical extension is unknown.
	CertCriticalExtension Code = "certificate-critical-extension"
	// UnknownCA means that no chain leads to a trusted root.
	UnknownCA Code = "unknown-ca"
	// CANotAccredited means that the issuer was not accredited on the day of
	// issue, or is not accredited now.
	CANotAccredited Code = "ca-not-accredited"
	// NotQualified means that the certificate is not a qualified one.
	NotQualified Code = "not-qualified"
	// WrongHolderKind means that the holder is of a kind this service does not
	// serve.
	WrongHolderKind Code = "wrong-holder-kind"

	// HolderUnclear means that the identifiers of the subject fit no kind of
	// holder.
	HolderUnclear Code = "holder-unclear"
	// HolderAmbiguous means that an identifier occurs twice with different
	// values.
	HolderAmbiguous Code = "holder-ambiguous"
	// IdentifierBad means that ИНН, ОГРН, ОГРНИП or СНИЛС has wrong length or
	// check digits.
	IdentifierBad Code = "identifier-bad"

	// AttributeMissing means that a mandatory attribute of the subject is absent.
	AttributeMissing Code = "attribute-missing"
	// PersonINNMissing means that the ИНН of a natural person is absent from a
	// certificate issued since 2015-07-01.
	PersonINNMissing Code = "person-inn-missing"
	// IssuerNotFNS means that a certificate of an entrepreneur or of the head of
	// a company, issued since 2022-01-01, is not from the CA of ФНС.
	IssuerNotFNS Code = "issuer-not-fns"
	// PolicyClassMissing means that the class КС1 of signature tools is absent.
	PolicyClassMissing Code = "policy-class-missing"
	// PolicyClassGap means that classes of signature tools are not cumulative.
	PolicyClassGap Code = "policy-class-gap"
	// SubjectSignToolMissing means that the extension subjectSignTool is absent.
	SubjectSignToolMissing Code = "subject-sign-tool-missing"
	// IssuerSignToolMissing means that the extension issuerSignTool is absent.
	IssuerSignToolMissing Code = "issuer-sign-tool-missing"
	// KeyUsageUnsuitable means that the key may not be used for signatures.
	KeyUsageUnsuitable Code = "key-usage-unsuitable"
	// KeyPeriodMissing means that the period of the private key is not stated.
	KeyPeriodMissing Code = "key-period-missing"
	// KeyPeriodNotStarted means that the period of the private key is in the
	// future.
	KeyPeriodNotStarted Code = "key-period-not-started"
	// KeyPeriodOver means that the period of the private key is over.
	KeyPeriodOver Code = "key-period-over"
	// KeyNotGOST2012 means that the key is not of ГОСТ Р 34.10-2012.
	KeyNotGOST2012 Code = "key-not-gost-2012"
	// IdentificationUnknown means that identificationKind has an unknown value.
	IdentificationUnknown Code = "identification-unknown"
	// CertIsCA means that a CA certificate stands where a holder's should.
	CertIsCA Code = "certificate-is-ca"
)

func certificateEntries() []Entry {
	return slices.Concat(certificateFormEntries(), certificateTrustEntries(), certificateHolderEntries(), certificateProfileEntries())
}
