// Package qualified checks that a certificate has the form of a qualified one:
// 63-ФЗ, ст. 17, and приказ ФСБ России № 795 with its amendments. The rules are a
// table; a new order means new rows, not new code.
//
// A rule that does not apply to a certificate — by the kind of its holder or by
// its date of issue — leaves no trace in the result. Trust is not judged here:
// the chain, accreditation and revocation belong to package validate.
package qualified

import (
	"slices"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// ОГРН of the state bodies whose CAs issue for others than natural persons.
const (
	FNS         = "1047707030513" // the Federal Tax Service: entrepreneurs, companies
	Treasury    = "1047797019830" // the Federal Treasury: public bodies
	CentralBank = "1037700013020" // the Bank of Russia: credit institutions
)

// Check applies the rules to a certificate at a moment. The certificate of the
// issuer may be nil; then the issuer is judged by its name in the certificate. The
// result is never empty: the first step says whether the certificate claims to be
// a qualified one at all.
func Check(cert, issuer *gostx509.Certificate, at time.Time) []verdict.Check {
	in := input{cert: cert, issuer: cert.Issuer, at: at, issued: moscowDay(cert.NotBefore)}
	if issuer != nil {
		in.issuer = issuer.Subject
	}
	var checks []verdict.Check
	who, err := cert.Identity()
	in.who = who
	for _, rule := range table() {
		if rule.kinds != nil && (err != nil || !slices.Contains(rule.kinds, who.Kind)) ||
			rule.applies != nil && !rule.applies(in) ||
			in.issued.Before(rule.since) {
			continue
		}
		checks = append(checks, rule.run(in))
	}
	return append(checks, identityCheck(err))
}

// identityCheck reports whether the identifiers of the subject are well formed
// and agree with each other.
func identityCheck(err error) verdict.Check {
	c := verdict.Check{Name: "profile.identifiers", Status: verdict.Passed, Cite: order795}
	if err != nil {
		c.Status, c.Reason = verdict.Failed, reason.Of(err)
	}
	return c
}

// input is what a rule may look at.
type input struct {
	cert   *gostx509.Certificate
	issuer gostx509.Name
	who    person.Identity
	at     time.Time
	issued time.Time // the day of issue in Moscow, as midnight UTC
}

// rule is one row of the table.
type rule struct {
	id     string
	cite   string
	reason reason.Code
	since  time.Time        // the first day of issue that the rule covers; zero: any
	kinds  []person.Kind    // the holders that the rule covers; nil: any
	check  func(input) bool // reports whether the certificate obeys
	// applies further restricts the rule; nil: no restriction.
	applies func(input) bool
	// detail says what was found, without personal data; nil: nothing to say.
	detail func(input) string
}

func (r rule) run(in input) verdict.Check {
	c := verdict.Check{Name: r.id, Status: verdict.Passed, Cite: r.cite}
	if !r.check(in) {
		c.Status, c.Reason = verdict.Failed, r.reason
	}
	if r.detail != nil {
		c.Detail = r.detail(in)
	}
	return c
}

// moscowDay returns the calendar day in Moscow as midnight UTC. Norms begin with
// a day, and the day begins in Moscow. Moscow has been at UTC+3 since 2014 and
// was at UTC+4 from 2011; no norm of the table begins in those years, so +3 does.
func moscowDay(t time.Time) time.Time {
	return t.UTC().Add(3 * time.Hour).Truncate(24 * time.Hour)
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}
