package report

// StateCode is the answer in the words of the state verification service of
// ИС ГУЦ («ЕСВ»), for systems that know its codes.
type StateCode struct {
	// Code is 0, 3, 5, 7 or 15 for a certificate, and 0, 3 or 13 for a signature.
	Code int `json:"code"`
	// Text describes the code; the Russian one is exactly that of the service.
	Text Text `json:"text"`
	// CertificateStatus is, for a signature, the description of its certificate.
	CertificateStatus *Text `json:"certificate_status,omitempty"`
}
