package validate

import (
	"slices"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/tsl"
	"propusk/pki/verdict"
)

// The two halves of accreditation. 63-ФЗ, ст. 11, п. 1: it was valid on the day
// of issue. 63-ФЗ, ст. 17 and ст. 14: certificates cease together with it, unless
// the powers of the CA were transferred.
const (
	citeIssued     = "63-ФЗ, ст. 11, п. 1"
	citeAccredited = "63-ФЗ, ст. 14, ст. 17"
)

// checkAccreditation asks the list about the CA that issued the certificate; where
// the policy is about certificates of CAs, it asks about that CA itself. A root is
// in no need of accreditation, and then there is no check.
func (v Validator) checkAccreditation(cert *gostx509.Certificate, chain []*gostx509.Certificate, at time.Time) []verdict.Check {
	if len(chain) < 2 {
		return nil
	}
	authority := chain[1]
	if v.asksAbout(cert) {
		authority = cert
	}
	if v.Trust.Accredited == nil {
		return []verdict.Check{{
			Name: CheckAccredited, Status: verdict.Indeterminate, Reason: reason.AccreditationUnknown, Cite: citeIssued,
		}}
	}
	if err := v.Trust.Accredited.ConfirmBy(v.run); err != nil {
		return []verdict.Check{{
			Name: CheckAccredited, Status: verdict.Indeterminate, Reason: reason.Of(sigalg.EngineFailure(err)), Cite: citeIssued,
		}}
	}
	checks := v.standingOf(authority, cert.NotBefore, at)
	for _, other := range v.Trust.intermediates().SameIssuer(authority) {
		if !slices.ContainsFunc(checks, notPassed) {
			break
		}
		if better := v.standingOf(other, cert.NotBefore, at); !slices.ContainsFunc(better, notPassed) {
			checks = better
		}
	}
	return checks
}

// standingOf asks the list about one certificate of a CA. A CA that renewed its
// certificate with the same key, or was accredited anew, stands in the list more than
// once, and what it signed does not tell under which: that is why the caller asks
// about the others.
func (v Validator) standingOf(authority *gostx509.Certificate, issued, at time.Time) []verdict.Check {
	ca, listed := v.Trust.Accredited.CAOf(authority)
	if !listed {
		return []verdict.Check{{
			Name: CheckAccredited, Status: verdict.Failed, Reason: reason.CANotListed, Cite: citeIssued,
		}}
	}
	return []verdict.Check{
		standing(CheckIssued, citeIssued, ca.Accredited(issued)),
		v.alive(ca, at),
	}
}

// alive checks that accreditation is in force at the moment: that of the CA, or, if
// it has ended, that of the one to which its powers were transferred.
func (v Validator) alive(ca *tsl.CA, at time.Time) verdict.Check {
	own := standing(CheckAccredited, citeAccredited, ca.Accredited(at))
	if own.Status == verdict.Passed {
		return own
	}
	heir, found := v.Trust.Accredited.Heir(ca, at)
	if !found {
		return own
	}
	return verdict.Check{
		Name: CheckAccredited, Status: verdict.Passed, Cite: citeAccredited,
		Detail: own.Detail + "; powers transferred to the CA with ОГРН " + heir.OGRN + ", " + describe(heir.Accredited(at)),
	}
}

// standing makes a check of the status of a CA on a day. A status that we do not
// know is not in force, but neither is it a certain no. No status at all, before
// the first accreditation, is.
func standing(name, cite string, s tsl.Status) verdict.Check {
	c := verdict.Check{Name: name, Status: verdict.Passed, Cite: cite, Detail: describe(s)}
	switch {
	case s.InForce && s.Known:
	case !s.Known && s.Value != "":
		c.Status, c.Reason = verdict.Indeterminate, reason.CAStatusUnknown
	default:
		c.Status, c.Reason = verdict.Failed, reason.CANotAccredited
	}
	return c
}

// describe tells the status and since which Moscow day, as in the list.
func describe(s tsl.Status) string {
	if s.Value == "" {
		return ""
	}
	return s.Value + " с " + s.Since.Format(time.DateOnly)
}
