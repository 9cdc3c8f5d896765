package testpki

import (
	"fmt"

	"propusk/pki/crl"
	"propusk/pki/tsl"
)

// TSL returns the signed list of accredited CAs.
func (c *Country) TSL() []byte { return c.tsl }

// CRL returns the revocation list of a CA, in DER.
func (c *Country) CRL(authority string) []byte { return c.crls[c.Authority(authority).ID] }

// TSLSigner returns who signs the list: the head CA.
func (c *Country) TSLSigner() *Authority { return c.Authority("head-256") }

// CRLTemplate returns what the revocation list of a CA says, for tests that issue
// a spoilt copy. The caller may change it.
func (c *Country) CRLTemplate(a *Authority) crl.Template {
	t := crl.Template{
		Number:     1,
		ThisUpdate: c.opts.Now.Add(-day / 24),
		NextUpdate: c.opts.Now.Add(Life),
	}
	for _, p := range c.people {
		if p.spec.revoked && p.Issuer == a {
			t.Entries = append(t.Entries, crl.Entry{
				Serial:    p.Certificate.Serial,
				RevokedAt: c.opts.Now.Add(-10 * day),
				Reason:    crl.KeyCompromise,
			})
		}
	}
	return t
}

// IssueCRL makes a revocation list signed by a CA and returns its DER.
func (c *Country) IssueCRL(a *Authority, t crl.Template) ([]byte, error) {
	return crl.Create(c.opts.Rand, t, a.Certificate, a.Key)
}

func (c *Country) makeCRLs() error {
	for _, a := range c.authorities {
		raw, err := c.IssueCRL(a, c.CRLTemplate(a))
		if err != nil {
			return fmt.Errorf("%s: %w", a.ID, err)
		}
		c.crls[a.ID] = raw
	}
	return nil
}

func (c *Country) makeTSL() error {
	var err error
	c.tsl, err = c.SignTSL(c.TSLContent(), c.TSLSigner())
	return err
}

// SignTSL writes a list as XML and signs it with the key of a CA.
func (c *Country) SignTSL(content *tsl.Content, signer *Authority) ([]byte, error) {
	return tsl.Sign(content, signer.Key, signer.Certificate.Raw)
}

// TSLContent returns what the list of accredited CAs says, for tests that sign a
// spoilt copy. The caller may change it.
//
// The version is the number of minutes since 1970, so that a country made later
// has a later list.
func (c *Country) TSLContent() *tsl.Content {
	content := &tsl.Content{
		Version: int(c.opts.Now.Unix() / 60),
		Date:    c.opts.Now,
	}
	for i, a := range c.authorities {
		if a.Listed() {
			content.CAs = append(content.CAs, c.listing(i+1, a))
		}
	}
	return content
}

// listing is the record of one CA.
func (c *Country) listing(number int, a *Authority) *tsl.CA {
	address := tsl.Address{
		Country: "RU", PostCode: "980000", Region: "98 Примерная область",
		City: "г. Образцов", Street: "ул. Тестовая, д. 1",
	}
	var history []tsl.StatusChange
	for _, s := range a.spec.history {
		history = append(history, tsl.StatusChange{Value: s.value, Since: c.opts.Now.Add(-s.ago)})
	}
	return &tsl.CA{
		Name:           a.spec.org + ", " + a.Name,
		ShortName:      a.Name,
		Email:          a.ID + "@demo.invalid",
		INN:            a.spec.innle,
		OGRN:           a.spec.ogrn,
		RegistryNumber: fmt.Sprint(number),
		InfoURL:        c.opts.BaseURL + "/" + a.ID,
		Address:        address,
		Installations: []tsl.Installation{{
			Alias:   a.Name,
			Class:   "КС2",
			Tools:   "Propusk testpki (демо)",
			Address: address,
			Keys: []tsl.Key{{
				ID:           a.Certificate.SubjectKeyID,
				CRLs:         []string{c.opts.BaseURL + crlPath(a.ID)},
				Certificates: []tsl.Certificate{tsl.NewCertificate(a.Certificate)},
			}},
		}},
		Current: history[len(history)-1],
		History: history,
	}
}
