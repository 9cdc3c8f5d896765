package report

import (
	"sync"

	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// SubIndication returns the sub-indication of ETSI EN 319 102-1, Table 6 that is
// nearest to the first reason of a verdict; empty for a passed one.
//
// The conclusion follows the law where the standard leaves room for doubt, and the
// sub-indication is then one that the standard lists under INDETERMINATE: see
// DIVERGENCES.md.
func SubIndication(v verdict.Verdict) string {
	if v.Status() == verdict.Passed {
		return ""
	}
	if name, ok := subIndicationOf()[v.Why()]; ok {
		return name
	}
	return "GENERIC"
}

// subIndicationOf is subIndications by reason, made once.
var subIndicationOf = sync.OnceValue(func() map[reason.Code]string {
	m := make(map[reason.Code]string)
	for _, row := range subIndications() {
		for _, code := range row.codes {
			m[code] = row.name
		}
	}
	return m
})

// indications is one sub-indication and its reasons.
type indications struct {
	name  string
	codes []reason.Code
}

// subIndications maps every reason that may stand in a verdict.
func subIndications() []indications {
	return append(signatureIndications(), certificateIndications()...)
}

func signatureIndications() []indications {
	return []indications{
		{"FORMAT_FAILURE", []reason.Code{
			reason.SignatureMalformed, reason.SignatureTooLarge, reason.SignatureTypeUnsupported, reason.NoSigners,
			reason.SignatureAttributesBad, reason.ContentTypeMismatch, reason.SignatureFormatBad, reason.ContentIsAttributes,
			reason.AttributeUnreadable, reason.TimeStampMalformed, reason.TimeStampTooLarge, reason.TimeStampTooMany, reason.TimeStampIndex,
			reason.XMLMalformed, reason.XMLTooLarge, reason.XMLUnsupported, reason.XMLNotSigned, reason.XMLSignatureMalformed,
			reason.XMLSignatureAmbiguous,
		}},
		{"HASH_FAILURE", []reason.Code{reason.ContentChanged, reason.ContentMismatch, reason.TimeStampImprint}},
		{"SIG_CRYPTO_FAILURE", []reason.Code{reason.SignatureBad, reason.SignatureAlgorithmMismatch, reason.TimeStampBad}},
		{"SIGNED_DATA_NOT_FOUND", []reason.Code{reason.ContentMissing}},
		{"NO_SIGNING_CERTIFICATE_FOUND", []reason.Code{reason.SignerCertMissing, reason.NoCertificate, reason.XMLSignerUnknown}},
		{"SIG_CONSTRAINTS_FAILURE", []reason.Code{
			reason.SignerCertMismatch, reason.ReferenceMismatch, reason.TimeStampSigner, reason.XMLSignaturePartial,
		}},
		{"POLICY_PROCESSING_ERROR", []reason.Code{reason.PolicyMismatch}},
		{"TIMESTAMP_ORDER_FAILURE", []reason.Code{reason.TimeOrder, reason.TimeStampFuture, reason.TimeStampInaccurate}},
		{"CRYPTO_CONSTRAINTS_FAILURE", []reason.Code{
			reason.SignatureAlgorithmUnsupported, reason.CertAlgorithm, reason.CertKeyUnsupported, reason.TimeStampAlgorithm,
		}},
		{"CRYPTO_CONSTRAINTS_FAILURE_NO_POE", []reason.Code{reason.AlgorithmWithdrawn}},
		{"GENERIC", []reason.Code{reason.InternalError}},
	}
}

func certificateIndications() []indications {
	return []indications{
		{"REVOKED", []reason.Code{reason.CertRevoked, reason.CertOnHold, reason.CACertRevoked}},
		{"EXPIRED", []reason.Code{reason.CertExpired, reason.CACertExpired}},
		{"NOT_YET_VALID", []reason.Code{reason.CertNotYetValid, reason.CACertNotYetValid}},
		{"NO_CERTIFICATE_CHAIN_FOUND", []reason.Code{
			reason.UnknownCA, reason.ChainTooLong, reason.ChainTooComplex, reason.TrustNotConfigured,
		}},
		{"CERTIFICATE_CHAIN_GENERAL_FAILURE", []reason.Code{
			reason.CertMalformed, reason.CertTooLarge, reason.CertSignatureBad, reason.CertCriticalExtension,
			reason.IssuerNotCA, reason.PathLengthExceeded, reason.NameNotPermitted,
		}},
		{"CHAIN_CONSTRAINTS_FAILURE", []reason.Code{
			reason.CANotAccredited, reason.CANotListed, reason.NotQualified, reason.WrongHolderKind, reason.CertIsCA,
			reason.HolderUnclear, reason.HolderAmbiguous, reason.IdentifierBad,
			reason.AttributeMissing, reason.PersonINNMissing, reason.IssuerNotFNS, reason.PolicyClassMissing, reason.PolicyClassGap,
			reason.SubjectSignToolMissing, reason.IssuerSignToolMissing, reason.IdentificationUnknown,
			reason.KeyUsageUnsuitable, reason.KeyPeriodMissing, reason.KeyPeriodNotStarted, reason.KeyPeriodOver, reason.KeyNotGOST2012,
			reason.CertDatesBad, reason.CertNumberBad, reason.SignToolIncomplete, reason.IssuerCertificateUnnamed,
			reason.IdentificationMissing, reason.INNFormOld, reason.EmployeeCertificate, reason.KeyPeriodTooLong,
			reason.RuleOtherHolder, reason.RuleOtherDate, reason.RuleNothingToCheck,
		}},
		{"REVOCATION_OUT_OF_BOUNDS_NO_POE", []reason.Code{reason.EvidenceNotProven}},
		{"TRY_LATER", []reason.Code{
			reason.RevocationUnknown, reason.RevocationStale, reason.RevocationUnusable, reason.RevocationUnreachable,
			reason.CRLMalformed, reason.CRLTooLarge, reason.CRLUnsupported, reason.CRLIssuerMismatch, reason.CRLSignatureBad,
			reason.OCSPMalformed, reason.OCSPTooLarge, reason.OCSPRefused, reason.OCSPUnsupported, reason.OCSPSignatureBad,
			reason.OCSPSignerUnauthorized, reason.OCSPSignerInvalid, reason.OCSPNonceMismatch, reason.OCSPOtherCertificate,
			reason.CertUnknownToIssuer, reason.AccreditationUnknown, reason.CAStatusUnknown,
			reason.EngineLost, reason.EngineDisagreement,
		}},
	}
}
