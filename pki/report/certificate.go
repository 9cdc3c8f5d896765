package report

import (
	"strings"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// CertificateData is what a certificate says about itself.
type CertificateData struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"` // hexadecimal
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA1      string    `json:"sha1"`
	SHA256    string    `json:"sha256"`
}

// String implements fmt.Stringer; it reveals nobody's name.
func (d CertificateData) String() string { return "certificate " + d.SHA256 }

// GoString implements fmt.GoStringer like String.
func (d CertificateData) GoString() string { return "report.CertificateData{" + d.SHA256 + "}" }

// certificateData returns nil for nil.
func certificateData(c *gostx509.Certificate) *CertificateData {
	if c == nil {
		return nil
	}
	sum1, sum256 := c.SHA1(), c.SHA256()
	return &CertificateData{
		Subject:   c.SubjectText(),
		Issuer:    c.IssuerText(),
		Serial:    hexadecimal(c.Serial),
		NotBefore: c.NotBefore,
		NotAfter:  c.NotAfter,
		SHA1:      hexadecimal(sum1[:]),
		SHA256:    hexadecimal(sum256[:]),
	}
}

// CertificateDocument is the verdict on one certificate.
type CertificateDocument struct {
	Conclusion    string      `json:"conclusion"`
	SubIndication string      `json:"sub_indication,omitempty"`
	Code          reason.Code `json:"code,omitempty"`
	Text          Text        `json:"text"`
	// StateCode is absent while the conclusion is INDETERMINATE, and when the
	// certificate failed what the state service does not ask.
	StateCode *StateCode `json:"state_code,omitempty"`

	// Holder is whose certificate it is. It is there only if the conclusion is
	// TOTAL-PASSED.
	Holder *Identity `json:"holder,omitempty"`
	// Claims is what the certificate says about its holder, whether or not that
	// is to be believed; absent if it says nothing coherent.
	Claims *Identity `json:"claims,omitempty"`
	// Certificate is absent if the certificate could not be read.
	Certificate *CertificateData `json:"certificate,omitempty"`
	Properties  *Properties      `json:"properties,omitempty"`

	// Chain is the path that was found, leaf first, or what there is of one.
	Chain []CertificateData `json:"chain"`
	// Trusted says whether the signatures of the chain lead to a pinned root. It
	// says nothing about dates, revocation and accreditation.
	Trusted bool `json:"trusted"`
	// Qualified says whether the certificate is a qualified one: accreditation
	// and the rules of 63-ФЗ, ст. 17.
	Qualified verdict.Status `json:"qualified"`

	Checks []Check `json:"checks"`
	// QualifiedChecks are the checks behind Qualified. Those that the policy
	// demands are among Checks too.
	QualifiedChecks []Check `json:"qualified_checks"`
	// Evidence is all that the verdict rests on, by digest.
	Evidence []Evidence `json:"evidence"`

	Context
}

// Properties are technical facts of a certificate.
type Properties struct {
	CA                 bool     `json:"ca"`
	Key                string   `json:"key"`                 // kind of key and curve
	SignatureAlgorithm string   `json:"signature_algorithm"` // OID
	Policies           []string `json:"policies,omitempty"`
	SubjectSignTool    string   `json:"subject_sign_tool,omitempty"`
	IssuerSignTool     string   `json:"issuer_sign_tool,omitempty"`
	IssuerCATool       string   `json:"issuer_ca_tool,omitempty"`
	// KeyNotBefore and KeyNotAfter bound the use of the private key.
	KeyNotBefore *time.Time `json:"key_not_before,omitempty"`
	KeyNotAfter  *time.Time `json:"key_not_after,omitempty"`
	CRLs         []string   `json:"crls,omitempty"`
}

// Certificate makes the document about one certificate; now is the moment of the
// verification.
func Certificate(c validate.Certificate, t validate.Trust, now time.Time) *CertificateDocument {
	var k collector
	k.certificate(c)
	k.rules(t, c.Demands)
	d := &CertificateDocument{
		Conclusion:      Conclude(c.Verdict.Status()),
		SubIndication:   SubIndication(c.Verdict),
		Code:            c.Verdict.Why(),
		Text:            conclusionText(c.Verdict, certificateSentences()),
		StateCode:       certificateCode(c.Verdict),
		Certificate:     certificateData(c.Parsed),
		Properties:      properties(c.Parsed),
		Chain:           make([]CertificateData, 0, len(c.Chain)),
		Trusted:         c.Anchored,
		Qualified:       c.Qualified.Status(),
		Checks:          checksOf(c.Verdict),
		QualifiedChecks: checksOf(c.Qualified),
		Context:         newContext(t, c.Policy, c.Engine, c.At, now),
	}
	d.Evidence = k.done()
	if who, ok := c.Verdict.Identity(); ok {
		d.Holder = NewIdentity(who)
	}
	if c.Parsed != nil {
		if who, err := c.Parsed.Identity(); err == nil {
			d.Claims = NewIdentity(who)
		}
	}
	for _, one := range c.Chain {
		d.Chain = append(d.Chain, *certificateData(one))
	}
	return d
}

// properties returns nil for nil.
func properties(c *gostx509.Certificate) *Properties {
	if c == nil {
		return nil
	}
	p := &Properties{
		CA:                 c.IsCA,
		Key:                keyName(c),
		SignatureAlgorithm: c.SignatureAlgorithm.Algorithm.String(),
		SubjectSignTool:    c.SubjectSignTool,
		CRLs:               c.CRLDistributionPoints,
		KeyNotBefore:       instant(c.PrivateKeyUsage.NotBefore),
		KeyNotAfter:        instant(c.PrivateKeyUsage.NotAfter),
	}
	if c.IssuerSignTool != nil {
		p.IssuerSignTool, p.IssuerCATool = c.IssuerSignTool.SignTool, c.IssuerSignTool.CATool
	}
	for _, id := range c.Policies {
		p.Policies = append(p.Policies, id.String())
	}
	return p
}

// keyName describes a public key.
func keyName(c *gostx509.Certificate) string {
	parts := []string{c.PublicKeyAlgorithm.Algorithm.String()}
	if key, ok := c.PublicKey.(*gost3410.PublicKey); ok {
		parts = append(parts, key.Curve().Name())
	}
	return strings.Join(parts, " ")
}

// instant returns nil for the zero time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
