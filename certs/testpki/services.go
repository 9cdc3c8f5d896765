package testpki

import (
	"encoding/asn1"
	"fmt"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
)

// Paths, below the BaseURL, at which a country answers; package responder does.
// Below CRLPath and CertificatePath are files ID.crl and ID.cer of each CA, in DER.
const (
	CRLPath         = "/cdp/"
	CertificatePath = "/crt/"
	OCSPPath        = "/ocsp"
	TSAPath         = "/tsp"
	TSLPath         = "/tsl.xml"
)

// tsaIssuer is the CA that keeps the time-stamping authority: an accredited one.
const tsaIssuer = "commercial"

func crlPath(id string) string         { return CRLPath + id + ".crl" }
func certificatePath(id string) string { return CertificatePath + id + ".cer" }

// addAddresses puts in the addresses of what concerns certificates of a CA.
func (c *Country) addAddresses(t *gostx509.Template, issuer string) {
	t.CRLDistributionPoints = []string{c.opts.BaseURL + crlPath(issuer)}
	t.OCSPServers = []string{c.opts.BaseURL + OCSPPath}
	t.CAIssuers = []string{c.opts.BaseURL + certificatePath(issuer)}
}

// TSA returns the time-stamping authority: its certificate is one of the CA
// "commercial", for time-stamps only (RFC 3161, Section 2.3).
func (c *Country) TSA() *Credential { return c.tsa }

// TSAIssuer returns the CA whose certificate the time-stamping authority has.
func (c *Country) TSAIssuer() *Authority { return c.Authority(tsaIssuer) }

// Responder returns who answers about the certificates of a CA: a responder that
// the CA has empowered (RFC 6960, Section 4.2.2.2).
func (c *Country) Responder(authority string) *Credential {
	return c.responders[c.Authority(authority).ID]
}

func (c *Country) makeServices() error {
	issuer := c.TSAIssuer()
	tsa := c.serviceTemplate("Служба штампов времени (демо)", gostx509.OIDTimeStamping)
	c.addAddresses(&tsa, issuer.ID)
	tsa.Critical = []asn1.ObjectIdentifier{gostx509.OIDExtKeyUsage}
	var err error
	if c.tsa, err = c.Issue(issuer, tsa, gost3410.CryptoProA()); err != nil {
		return err
	}
	for _, a := range c.authorities {
		t := c.serviceTemplate("Служба проверки статусов: "+a.Name, gostx509.OIDOCSPSigning)
		t.Extra = []gostx509.Extension{{ID: ocsp.OIDNoCheck, Value: []byte{5, 0}}}
		if c.responders[a.ID], err = c.Issue(a, t, a.spec.curve); err != nil {
			return fmt.Errorf("responder of %s: %w", a.ID, err)
		}
	}
	return nil
}

// serviceTemplate is the profile of a service of a CA.
func (c *Country) serviceTemplate(name string, use asn1.ObjectIdentifier) gostx509.Template {
	return gostx509.Template{
		Subject: gostx509.Name{
			{Type: gostx509.OIDCountry, Text: "RU"},
			{Type: gostx509.OIDState, Text: "98 Примерная область"},
			{Type: gostx509.OIDLocality, Text: "г. Образцов"},
			{Type: gostx509.OIDCommonName, Text: name},
		},
		NotBefore: c.opts.Now.Add(-day), NotAfter: c.opts.Now.Add(3 * year), MaxPathLen: -1,
		KeyUsage:    gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageNonRepudiation,
		ExtKeyUsage: []asn1.ObjectIdentifier{use},
		Policies:    toolClasses(),
	}
}
