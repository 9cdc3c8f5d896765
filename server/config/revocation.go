package config

import (
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"

	"propusk/certs/fetch"
	"propusk/pki/revocation"
)

// The words of Revocation.Order.
const (
	crlFirst  = "crl-first"
	ocspFirst = "ocsp-first"
)

// Revocation says how it is found out whether a certificate was revoked. Evidence
// counts only once it was verified, and without any nobody is let in: there is no
// switch for that.
type Revocation struct {
	// Online asks responders (OCSP) and distribution points while a verdict is being
	// made, for what is not at hand. Which hosts may be asked stands in
	// trust.refresh: hosts, listed_hosts, ports, allow_private.
	Online bool `yaml:"online"`

	// Order is "crl-first" or "ocsp-first". With the first nobody is asked about a
	// certificate that a list at hand covers, so nobody learns who signs in; with
	// the second a revocation is known within minutes.
	Order string `yaml:"order"`

	// Grace is how long past its next update evidence is still believed. The law
	// gives none.
	Grace time.Duration `yaml:"grace"`

	// MaxAge is how long an OCSP answer without a next update is believed.
	MaxAge time.Duration `yaml:"max_age"`

	// Reuse is how long an answer that was asked for is used without asking again,
	// if its next update is not sooner.
	Reuse time.Duration `yaml:"reuse"`

	// RequireNonce refuses responders that do not return the nonce of the request.
	RequireNonce bool `yaml:"require_nonce"`

	// Budget is how long asking may take for one verdict.
	Budget time.Duration `yaml:"budget"`

	// Issuers are exceptions from the above.
	Issuers []RevocationIssuer `yaml:"issuers"`
}

// RevocationIssuer is how it is for certificates of one issuer. What is left out is as
// for all.
type RevocationIssuer struct {
	// ID is the key identifier of the CA certificate, or its SHA-256, in hexadecimal;
	// colons and spaces do not matter.
	ID string `yaml:"id"`
	// Order, Grace and RequireNonce are as in Revocation.
	Order        string         `yaml:"order"`
	Grace        *time.Duration `yaml:"grace"`
	RequireNonce *bool          `yaml:"require_nonce"`
	// OCSP and CRLs are addresses that are asked before those in certificates. Their
	// hosts may be asked.
	OCSP []string `yaml:"ocsp"`
	CRLs []string `yaml:"crls"`
	// NoOCSP and NoCRL ask no responder, or no distribution point.
	NoOCSP bool `yaml:"no_ocsp"`
	NoCRL  bool `yaml:"no_crl"`
}

// defaultRevocation returns the values of fields that a file leaves out.
func defaultRevocation() Revocation {
	return Revocation{
		Order: crlFirst, MaxAge: revocation.DefaultMaxAge, Reuse: revocation.DefaultReuse, Budget: revocation.DefaultBudget,
	}
}

// Policy returns the policy for package revocation.
func (r Revocation) Policy() revocation.Policy {
	p := revocation.Policy{
		Order: orderOf(r.Order), Grace: r.Grace, MaxAge: r.MaxAge, Reuse: r.Reuse,
		RequireNonce: r.RequireNonce, Budget: r.Budget,
	}
	if len(r.Issuers) > 0 {
		p.Issuers = make(map[string]revocation.IssuerPolicy)
	}
	for _, i := range r.Issuers {
		one := revocation.IssuerPolicy{
			Grace: i.Grace, RequireNonce: i.RequireNonce, OCSP: i.OCSP, CRLs: i.CRLs, NoOCSP: i.NoOCSP, NoCRL: i.NoCRL,
		}
		if i.Order != "" {
			one.Order = new(orderOf(i.Order))
		}
		p.Issuers[plainHex(i.ID)] = one
	}
	return p
}

func orderOf(word string) revocation.Order {
	if word == ocspFirst {
		return revocation.OCSPFirst
	}
	return revocation.CRLFirst
}

// plainHex writes an identifier as package revocation has it.
func plainHex(id string) string {
	return strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(id))
}

// Client returns the options of the client that refreshes trust data and asks about
// revocation: hosts that the configuration names may be asked.
func (c Config) Client() fetch.Options {
	o := c.Trust.Refresh.Client()
	for _, i := range c.Revocation.Issuers {
		for _, address := range append(append([]string(nil), i.OCSP...), i.CRLs...) {
			if u, err := url.Parse(address); err == nil && fetch.CheckHost(u.Hostname()) == nil {
				o.Hosts = append(o.Hosts, u.Hostname())
			}
		}
	}
	return o
}

// revocation checks the part.
func (k *checker) revocation(c Config) {
	r := c.Revocation
	order := func(word string) bool { return word == crlFirst || word == ocspFirst }
	k.that(order(r.Order), "revocation.order", "must be crl-first or ocsp-first")
	k.span("revocation.grace", r.Grace, 0, 24*time.Hour)
	k.span("revocation.max_age", r.MaxAge, time.Minute, 24*time.Hour)
	k.span("revocation.reuse", r.Reuse, time.Second, 24*time.Hour)
	k.span("revocation.budget", r.Budget, 100*time.Millisecond, time.Minute)
	client, err := fetch.New(c.Client())
	seen := make(map[string]bool)
	for n, i := range r.Issuers {
		field := "revocation.issuers[" + strconv.Itoa(n) + "]"
		id := plainHex(i.ID)
		raw, bad := hex.DecodeString(id)
		k.that(bad == nil && len(raw) >= 8 && len(raw) <= 64, field+".id", "must be a key identifier or a SHA-256 in hexadecimal")
		k.that(!seen[id], field+".id", "occurs twice")
		seen[id] = true
		k.that(i.Order == "" || order(i.Order), field+".order", "must be crl-first or ocsp-first, or empty")
		if i.Grace != nil {
			k.span(field+".grace", *i.Grace, 0, 24*time.Hour)
		}
		for name, urls := range map[string][]string{"ocsp": i.OCSP, "crls": i.CRLs} {
			for _, u := range urls {
				k.that(link(u), field+"."+name, "must be http:// or https:// addresses")
				k.that(!link(u) || err != nil || client.Allowed(u) == nil, field+"."+name, "names a port that trust.refresh.ports does not")
			}
		}
	}
	k.that(!r.Online || len(c.Client().Hosts) > 0 || c.Trust.Refresh.ListedHosts && c.Trust.StateDir != "",
		"revocation.online", "is of no use: trust.refresh.hosts names no host that may be asked")
}
