package report

import (
	"testing"
	"time"

	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/pki/validate"
)

// TestFormatOf: a signature of any level of CAdES is CAdES.
func TestFormatOf(t *testing.T) {
	for level, want := range map[cms.Level]string{
		"": "CMS", cms.Plain: "CMS", cms.BES: "CAdES", cms.EPES: "CAdES", cms.T: "CAdES", cms.XLongType1: "CAdES", cms.A: "CAdES", cms.LTA: "CAdES",
	} {
		if got := formatOf(validate.Signature{Level: level}); got != want {
			t.Errorf("%q is %s", level, got)
		}
	}
}

// TestRevokedOn: the details of pki/crl and of pki/revocation tell people when and why.
func TestRevokedOn(t *testing.T) {
	for detail, want := range map[string][2]string{
		"revoked on 2026-06-12T18:17:25Z, keyCompromise; CRL of 2026-06-15T17:17:25Z": {
			" Отозван 12.06.2026 21:17:25 МСК (UTC+3), причина: компрометация ключа.", " Revoked on 2026-06-12 21:17:25 MSK (UTC+3), because of compromise of the key.",
		},
		"revoked on 2026-06-12T18:17:25Z, unspecified": {" Отозван 12.06.2026 21:17:25 МСК (UTC+3).", " Revoked on 2026-06-12 21:17:25 MSK (UTC+3)."},
		"revoked on Friday, keyCompromise":             {},
		"CRL of 2026-06-15T17:17:25Z":                  {},
		"":                                             {},
	} {
		if ru, en := newLanguage(Russian).revokedOn(detail), newLanguage(English).revokedOn(detail); ru != want[0] || en != want[1] {
			t.Errorf("%q: %q, %q", detail, ru, en)
		}
	}
}

// TestNothingProven: what is said of the document and of the moment fits what was found.
func TestNothingProven(t *testing.T) {
	l := newLanguage(English)
	words := map[string]reason.Code{}
	for _, code := range []reason.Code{reason.ContentMissing, reason.ContentChanged, reason.ContentMismatch, reason.SignatureMalformed} {
		if other, twice := words[l.noDocument(code)]; twice {
			t.Errorf("%s and %s are told alike", code, other)
		}
		words[l.noDocument(code)] = code
	}
	if p := (signaturePage{language: l}); p.WhyNotProven() != "" {
		t.Error("a certificate that was not judged has a moment")
	}
	if p := (signaturePage{language: l, S: Signature{CertificateMoment: new(time.Time)}}); p.WhyNotProven() == "" {
		t.Error("nobody says why nothing is proven")
	}
}
