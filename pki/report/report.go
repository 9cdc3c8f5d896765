// Package report writes the verdict document: what the judgement of package
// validate says, as JSON with texts in Russian and English. The command line and
// the HTTP service answer with the same document.
package report

import (
	"time"

	"propusk/pki/validate"
)

// Text is one sentence in two languages.
type Text struct {
	RU string `json:"ru"`
	EN string `json:"en"`
}

// Document is the verdict on a file with signatures.
type Document struct {
	Conclusion    string `json:"conclusion"` // TOTAL-PASSED, TOTAL-FAILED, INDETERMINATE
	SubIndication string `json:"sub_indication,omitempty"`
}

// Trust says with which trust data a judgement was made.
type Trust struct {
	ID          string     `json:"id,omitempty"`
	ListVersion int        `json:"list_version,omitempty"`
	ListDate    *time.Time `json:"list_date,omitempty"`
	LoadedAt    *time.Time `json:"loaded_at,omitempty"`
}

// Signatures makes the document about a file with signatures; now is the moment
// of the verification.
func Signatures(r validate.Report, t validate.Trust, now time.Time) *Document { panic("TODO") }

// CertificateDocument is the verdict on one certificate.
type CertificateDocument struct{}

// Certificate makes the document about one certificate; now is the moment of the
// verification.
func Certificate(c validate.Certificate, t validate.Trust, now time.Time) *CertificateDocument {
	panic("TODO")
}
