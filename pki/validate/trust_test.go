package validate

import (
	"propusk/pki/internal/country"
	"propusk/pki/path"
)

// now is the moment at which the tests judge.
var now = country.Now

// trust returns what a country publishes.
func trust(c *country.Country) Trust {
	return Trust{
		Roots: path.NewPool(c.Root.Cert), Intermediates: c.Intermediates(),
		Accredited: c.List, CRLs: c.CRLs(), ID: "test", LoadedAt: now,
	}
}

// validator judges by what a country publishes.
func validator(c *country.Country, p Policy) Validator {
	return Validator{Trust: trust(c), Policy: p}
}
