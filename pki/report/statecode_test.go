package report

import (
	"testing"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// made makes a verdict of one step.
func made(s verdict.Status, code reason.Code) verdict.Verdict {
	var b verdict.Builder
	b.Add(verdict.Check{Name: "x", Status: s, Reason: code})
	return b.Done(person.Identity{})
}

// TestCertificateCodes: the codes and the exact words of the state service, as its
// own tests have them.
func TestCertificateCodes(t *testing.T) {
	for _, c := range []struct {
		status verdict.Status
		why    reason.Code
		code   int // -1: none
		text   string
	}{
		{verdict.Passed, "", 0, "ДЕЙСТВИТЕЛЕН, сертификат выдан аккредитованным удостоверяющим центром"},
		{verdict.Failed, reason.CertSignatureBad, 3, "У одного из сертификатов в цепочке некорректная подпись"},
		{verdict.Failed, reason.CertExpired, 5, "Срок действия одного из сертификатов цепочки истек или еще не наступил"},
		{verdict.Failed, reason.CertNotYetValid, 5, "Срок действия одного из сертификатов цепочки истек или еще не наступил"},
		{verdict.Failed, reason.CACertExpired, 5, "Срок действия одного из сертификатов цепочки истек или еще не наступил"},
		{verdict.Failed, reason.CertRevoked, 7, "Один из сертификатов цепочки аннулирован"},
		{verdict.Failed, reason.CACertRevoked, 7, "Один из сертификатов цепочки аннулирован"},
		{verdict.Failed, reason.CANotAccredited, 15, "Сертификат был выдан не аккредитованным УЦ/не доверенным УЦ"},
		{verdict.Failed, reason.CANotListed, 15, "Сертификат был выдан не аккредитованным УЦ/не доверенным УЦ"},
		{verdict.Failed, reason.UnknownCA, 15, "Сертификат был выдан не аккредитованным УЦ/не доверенным УЦ"},
		{verdict.Failed, reason.WrongHolderKind, -1, ""},
		{verdict.Failed, reason.IssuerNotFNS, -1, ""}, // accredited, but not for such holders
		{verdict.Failed, reason.AttributeMissing, -1, ""},
		{verdict.Indeterminate, reason.RevocationUnknown, -1, ""},
	} {
		got := certificateCode(made(c.status, c.why))
		if (got == nil) != (c.code < 0) {
			t.Errorf("%v %s: %+v", c.status, c.why, got)
			continue
		}
		if got == nil {
			continue
		}
		if got.Code != c.code || got.Text.RU != c.text || got.Text.EN == "" || got.CertificateStatus != nil {
			t.Errorf("%s: %+v", c.why, got)
		}
		if (got.Result.RU == "Подлинность сертификата ПОДТВЕРЖДЕНА") != (c.code == 0) {
			t.Errorf("%s: %q", c.why, got.Result.RU)
		}
	}
}

// TestSignatureCodes: 0, 3 and 13, with what is said of the certificate.
func TestSignatureCodes(t *testing.T) {
	passed, failed := made(verdict.Passed, ""), made(verdict.Failed, reason.SignatureBad)
	unknown, expired := made(verdict.Indeterminate, reason.RevocationUnknown), made(verdict.Failed, reason.CertExpired)
	odd := made(verdict.Failed, reason.KeyPeriodOver)
	for name, c := range map[string]struct {
		total, math, certificate verdict.Verdict
		code, mathematical       int // -1: none
		text, status             string
	}{
		"good":                 {passed, passed, passed, 0, 0, "Электронная подпись действительна", "ДЕЙСТВИТЕЛЕН, сертификат выдан аккредитованным удостоверяющим центром"},
		"bad":                  {failed, failed, verdict.Verdict{}, 3, 3, "Электронная подпись недействительна", "Не проверялся"},
		"bad format":           {failed, passed, passed, 3, 0, "Электронная подпись недействительна", "Не проверялся"},
		"expired":              {expired, passed, expired, 13, 0, "Сертификат подписи недействителен", "Срок действия одного из сертификатов цепочки истек или еще не наступил"},
		"not asked by service": {odd, passed, odd, 13, 0, "Сертификат подписи недействителен", conclusionText(odd, certificateSentences()).RU},
		"unknown":              {unknown, passed, unknown, -1, 0, "", ""},
		"no document":          {unknown, unknown, verdict.Verdict{}, -1, -1, "", ""},
		"nothing":              {verdict.Verdict{}, verdict.Verdict{}, verdict.Verdict{}, -1, -1, "", ""},
	} {
		s := validate.Signature{Verdict: c.total, Mathematical: c.math, Certificate: validate.Certificate{Verdict: c.certificate}}
		got, math := signatureCode(s), mathematicalCode(s)
		if (got == nil) != (c.code < 0) || (math == nil) != (c.mathematical < 0) {
			t.Errorf("%s: %+v, %+v", name, got, math)
			continue
		}
		if got != nil && (got.Code != c.code || got.Text.RU != c.text || got.CertificateStatus.RU != c.status) {
			t.Errorf("%s: %+v, %+v", name, got, got.CertificateStatus)
		}
		if got != nil && (got.Result.RU == "Подпись ДЕЙСТВИТЕЛЬНА") != (c.code == 0) {
			t.Errorf("%s: %q", name, got.Result.RU)
		}
		if math != nil && (math.Code != c.mathematical || math.CertificateStatus.RU != "Не проверялся") {
			t.Errorf("%s: asked about the mathematics alone: %+v", name, math)
		}
	}
}
