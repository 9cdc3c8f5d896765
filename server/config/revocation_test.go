package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"propusk/pki/revocation"
)

// sameRevocation compares all fields but the list that has no default.
func sameRevocation(a, b Revocation) bool {
	a.Issuers, b.Issuers = nil, nil
	return reflect.DeepEqual(a, b)
}

// TestRevocationPolicy reads a policy and its exceptions.
func TestRevocationPolicy(t *testing.T) {
	const text = `
revocation:
  online: true
  order: ocsp-first
  grace: 1h
  budget: 2s
  require_nonce: true
  issuers:
    - id: "C9:13:58:B1 0102030405060708"
      order: crl-first
      grace: 0s
      require_nonce: false
      ocsp: [http://ocsp.example.ru/]
      no_crl: true
`
	p := parsed(t, text).Revocation.Policy()
	first, none, no := revocation.CRLFirst, time.Duration(0), false
	want := revocation.Policy{
		Order: revocation.OCSPFirst, Grace: time.Hour, MaxAge: revocation.DefaultMaxAge, Reuse: revocation.DefaultReuse,
		Budget: 2 * time.Second, RequireNonce: true,
		Issuers: map[string]revocation.IssuerPolicy{"c91358b10102030405060708": {
			Order: &first, Grace: &none, RequireNonce: &no, OCSP: []string{"http://ocsp.example.ru/"}, NoCRL: true,
		}},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("%+v, want %+v", p, want)
	}
	if hosts := parsed(t, text).Client().Hosts; !reflect.DeepEqual(hosts, []string{"ocsp.example.ru"}) {
		t.Errorf("%q may be asked", hosts)
	}
	if p := Default().Revocation.Policy(); p.Grace != 0 || p.Order != revocation.CRLFirst || p.Issuers != nil || Default().Revocation.Online {
		t.Errorf("the default is %+v", p)
	}
}

// TestRevocationMistakes spoils one field of the sample after another.
func TestRevocationMistakes(t *testing.T) {
	day := 25 * time.Hour
	for field, spoil := range map[string]func(*Config){
		"order: must be":                func(c *Config) { c.Revocation.Order = "any" },
		"grace":                         func(c *Config) { c.Revocation.Grace = -1 },
		"max_age":                       func(c *Config) { c.Revocation.MaxAge = 0 },
		"reuse":                         func(c *Config) { c.Revocation.Reuse = 0 },
		"budget":                        func(c *Config) { c.Revocation.Budget = time.Hour },
		"issuers[0].id: must be":        func(c *Config) { c.Revocation.Issuers[0].ID = "xyz" },
		"issuers[1].id: occurs twice":   func(c *Config) { c.Revocation.Issuers = append(c.Revocation.Issuers, c.Revocation.Issuers[0]) },
		"issuers[0].order":              func(c *Config) { c.Revocation.Issuers[0].Order = "none" },
		"issuers[0].grace":              func(c *Config) { c.Revocation.Issuers[0].Grace = &day },
		"issuers[0].ocsp: must be":      func(c *Config) { c.Revocation.Issuers[0].OCSP = []string{"ldap://ca.example/"} },
		"issuers[0].crls: names a port": func(c *Config) { c.Revocation.Issuers[0].CRLs = []string{"http://ca.example:8080/"} },
		"online: is of no use": func(c *Config) {
			c.Revocation, c.Trust.Refresh, c.Trust.StateDir = Revocation{Online: true}, Refresh{}, ""
		},
	} {
		c := parsed(t, string(Sample()))
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "config: revocation."+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
