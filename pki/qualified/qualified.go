// Package qualified checks that a certificate has the form of a qualified one:
// 63-ФЗ, ст. 17, and приказ ФСБ России № 795 with its amendments. The rules are a
// table; a new order means new rows, not new code. See docs/RULES.md, which is made
// from the table.
//
// Every rule is in the result: passed, failed, or not applicable, with the reason
// why. Trust is not judged here: the chain, accreditation and revocation belong to
// package validate.
package qualified

import (
	"slices"
	"sync"
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

// Text is one text in two languages.
type Text struct{ RU, EN string }

// Rule is what a row of the table says to people: see [Rules].
type Rule struct {
	ID     string      // name of the check, "profile.inn"
	Title  Text        // what is demanded, in one sentence without a period
	Cite   string      // the norm
	Reason reason.Code // of a breach
	// Since and Until bound the day of issue, in Moscow, of the certificates that
	// the rule covers: the first day, and the first day after the last. The zero
	// time is no bound. They are midnight UTC of that calendar day.
	Since, Until time.Time
	// From is the first day, in Moscow, on which the rule is asked about, whenever
	// the certificate was issued.
	From time.Time
	// Kinds are the holders that the rule covers; empty means all.
	Kinds []person.Kind
}

// Rules returns a fresh copy of the table, in the order of [Check]. Two rows may
// have one ID: a norm that came into force for different holders on different days.
func Rules() []Rule {
	var all []Rule
	for _, r := range table() {
		all = append(all, Rule{r.id, r.title, r.cite, r.reason, r.since, r.until, r.from, slices.Clone(r.kinds)})
	}
	return all
}

// Check applies the rules to a certificate at a moment. The certificate of the
// issuer may be nil; then the issuer is judged by its name in the certificate. The
// result has one step for each row of the table: the first says whether the
// certificate claims to be a qualified one at all.
func Check(cert, issuer *gostx509.Certificate, at time.Time) []verdict.Check {
	in := input{cert: cert, issuer: cert.Issuer, at: at, day: moscowDay(at), issued: moscowDay(cert.NotBefore)}
	if issuer != nil {
		in.issuer = issuer.Subject
	}
	in.who, in.whoError = cert.Identity()
	rules := rules()
	checks := make([]verdict.Check, len(rules))
	for i := range rules {
		rules[i].run(&in, &checks[i])
	}
	return checks
}

// rules is the table, made when it is first asked for.
var rules = sync.OnceValue(table)

// input is what a rule may look at.
type input struct {
	cert     *gostx509.Certificate
	issuer   gostx509.Name
	who      person.Identity
	whoError error // who is zero
	at       time.Time
	day      time.Time // of at in Moscow, as midnight UTC
	issued   time.Time // the day of issue, likewise
}

// rule is one row of the table.
type rule struct {
	id     string
	title  Text
	cite   string
	reason reason.Code
	since  time.Time         // the first day of issue that the rule covers; zero: any
	until  time.Time         // the first day of issue that it no longer covers; zero: none
	from   time.Time         // the first day of judgement; zero: any
	kinds  []person.Kind     // the holders that the rule covers; nil: any
	check  func(*input) bool // reports whether the certificate obeys
	// applies further restricts the rule; nil: no restriction.
	applies func(*input) bool
	// detail says what was found, without personal data; nil: nothing to say.
	detail func(*input) string
	// why overrides reason when the breach has several; nil: it has one.
	why func(*input) reason.Code
}

// run applies the rule and writes what came of it to c, a zero one: in the place where
// it stays, as there are many rules.
func (r *rule) run(in *input, c *verdict.Check) {
	c.Name, c.Cite = r.id, r.cite
	if c.Reason = r.skip(in); c.Reason != "" {
		c.Status = verdict.NotApplicable
		return
	}
	c.Status = verdict.Passed
	if !r.check(in) {
		c.Status, c.Reason = verdict.Failed, r.reason
		if r.why != nil {
			c.Reason = r.why(in)
		}
	}
	if r.detail != nil {
		c.Detail = r.detail(in)
	}
}

// skip says why the rule does not apply; empty if it does.
func (r *rule) skip(in *input) reason.Code {
	switch {
	case r.kinds != nil && (in.whoError != nil || !slices.Contains(r.kinds, in.who.Kind)):
		return reason.RuleOtherHolder
	case in.issued.Before(r.since), !r.until.IsZero() && !in.issued.Before(r.until), in.day.Before(r.from):
		return reason.RuleOtherDate
	case r.applies != nil && !r.applies(in):
		return reason.RuleNothingToCheck
	}
	return ""
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
