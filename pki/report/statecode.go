package report

import (
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// Codes of the state verification service.
const (
	StateGood              = 0  // the signature, or the certificate, is good
	StateBadSignature      = 3  // of the document, or of a certificate of the chain
	StateExpired           = 5  // a certificate of the chain, or not valid yet
	StateRevoked           = 7  // a certificate of the chain
	StateBadCertificate    = 13 // of a signature that is right otherwise
	StateUnknownCA         = 15 // not accredited or not trusted
	stateCodeNotApplicable = -1
)

// StateCode is the answer in the words of the state verification service of
// ИС ГУЦ («ЕСВ»), for systems that know its codes.
type StateCode struct {
	// Code is 0, 3, 5, 7 or 15 for a certificate, and 0, 3 or 13 for a signature.
	Code int `json:"code"`
	// Text describes the code; the Russian one is exactly that of the service.
	Text Text `json:"text"`
	// Result is the short result of the service.
	Result Text `json:"result"`
	// CertificateStatus is, for a signature, the description of its certificate.
	CertificateStatus *Text `json:"certificate_status,omitempty"`
}

// notChecked is what the service says of a certificate that it did not look at.
func notChecked() *Text { return &Text{"Не проверялся", "Not checked"} }

// certificateCode is the code for a certificate; nil when nothing is decided, or
// when it failed what the service does not ask.
func certificateCode(v verdict.Verdict) *StateCode {
	code := StateGood
	if v.Status() != verdict.Passed {
		code = stateOfReason(v)
	}
	text, ok := certificateState(code)
	if !ok {
		return nil
	}
	result := Text{"Подлинность сертификата НЕ ПОДТВЕРЖДЕНА", "The certificate is NOT CONFIRMED"}
	if code == StateGood {
		result = Text{"Подлинность сертификата ПОДТВЕРЖДЕНА", "The certificate is CONFIRMED"}
	}
	return &StateCode{Code: code, Text: text, Result: result}
}

// certificateState describes a code of a certificate; false if it is none.
func certificateState(code int) (Text, bool) {
	switch code {
	case StateGood:
		return Text{"ДЕЙСТВИТЕЛЕН, сертификат выдан аккредитованным удостоверяющим центром", "VALID, the certificate was issued by an accredited certification authority"}, true
	case StateBadSignature:
		return Text{"У одного из сертификатов в цепочке некорректная подпись", "A certificate of the chain has a wrong signature"}, true
	case StateExpired:
		return Text{"Срок действия одного из сертификатов цепочки истек или еще не наступил", "A certificate of the chain has expired or is not valid yet"}, true
	case StateRevoked:
		return Text{"Один из сертификатов цепочки аннулирован", "A certificate of the chain was revoked"}, true
	case StateUnknownCA:
		return Text{"Сертификат был выдан не аккредитованным УЦ/не доверенным УЦ", "The certificate was issued by a CA that is not accredited or not trusted"}, true
	default:
		return Text{}, false
	}
}

// stateOfReason finds the code of a verdict that failed.
func stateOfReason(v verdict.Verdict) int {
	if v.Status() != verdict.Failed {
		return stateCodeNotApplicable
	}
	switch v.Why() {
	case reason.CertSignatureBad, reason.CertMalformed, reason.CertAlgorithm:
		return StateBadSignature
	case reason.CertExpired, reason.CertNotYetValid, reason.CACertExpired, reason.CACertNotYetValid:
		return StateExpired
	case reason.CertRevoked, reason.CertOnHold, reason.CACertRevoked:
		return StateRevoked
	case reason.UnknownCA, reason.ChainTooLong, reason.ChainTooComplex, reason.IssuerNotCA, reason.PathLengthExceeded, reason.NameNotPermitted,
		reason.CANotAccredited, reason.CANotListed, reason.CAStatusUnknown:
		return StateUnknownCA
	default:
		return stateCodeNotApplicable
	}
}

// signatureCode is the code for a signature; nil when nothing is decided.
func signatureCode(s validate.Signature) *StateCode {
	switch {
	case s.Verdict.Status() == verdict.Passed:
		out := signatureState(StateGood)
		out.CertificateStatus = certificateStatus(s.Certificate.Verdict)
		return out
	case s.Verdict.Status() != verdict.Failed:
		return nil
	case s.Mathematical.Status() == verdict.Passed && s.Certificate.Verdict.Status() == verdict.Failed:
		out := signatureState(StateBadCertificate)
		out.CertificateStatus = certificateStatus(s.Certificate.Verdict)
		return out
	default:
		out := signatureState(StateBadSignature)
		out.CertificateStatus = notChecked()
		return out
	}
}

// mathematicalCode is the code of a service that is asked about the mathematics
// alone (verifySignatureOnly); nil when that is undecided.
func mathematicalCode(s validate.Signature) *StateCode {
	code := StateBadSignature
	switch s.Mathematical.Status() {
	case verdict.Passed:
		code = StateGood
	case verdict.Failed:
	default:
		return nil
	}
	out := signatureState(code)
	out.CertificateStatus = notChecked()
	return out
}

// certificateStatus describes the certificate of a signature.
func certificateStatus(v verdict.Verdict) *Text {
	if code := certificateCode(v); code != nil {
		return &code.Text
	}
	text := conclusionText(v, certificateSentences())
	return &text
}

// signatureState describes a code of a signature.
func signatureState(code int) *StateCode {
	bad := Text{"Подпись НЕДЕЙСТВИТЕЛЬНА", "The signature is NOT VALID"}
	switch code {
	case StateGood:
		return &StateCode{
			Code: code, Text: Text{"Электронная подпись действительна", "The electronic signature is valid"},
			Result: Text{"Подпись ДЕЙСТВИТЕЛЬНА", "The signature is VALID"},
		}
	case StateBadCertificate:
		return &StateCode{Code: code, Text: Text{"Сертификат подписи недействителен", "The certificate of the signature is not valid"}, Result: bad}
	default:
		return &StateCode{Code: code, Text: Text{"Электронная подпись недействительна", "The electronic signature is not valid"}, Result: bad}
	}
}
