package validate

import (
	"slices"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/qualified"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// maxChain is the number of certificates beside the one judged that are offered
// to the path builder. A TLS client or a signature file may send any number, and
// each costs parsing.
const maxChain = 64

// Names of the checks that this package makes itself. They appear in verdict
// documents and stay as they are.
const (
	CheckCertificate   = "certificate"
	CheckMoment        = "moment"
	CheckChain         = "chain"
	CheckIssued        = "accreditation-at-issue"
	CheckAccredited    = "accreditation"
	CheckHolder        = "holder"
	CheckHolderKind    = "holder-kind"
	CheckFile          = "file"
	CheckSigners       = "signers"
	CheckEngine        = "engine" // only there if the engine did not decide about a signature
	checkContradiction = "consistency"
)

// Certificate is the judgement of one certificate at one moment. The zero value
// grants nothing.
type Certificate struct {
	// Verdict is the total of the certificate. The holder can be read out of it
	// only if it passed.
	Verdict verdict.Verdict
	// Qualified is the part about accreditation and the rules for qualified
	// certificates, whether or not the policy demands them. It is zero when no
	// chain was found, because the rules are about the issuer too; for a CA it is
	// about accreditation alone.
	Qualified verdict.Verdict
	// Parsed is the certificate that was judged; nil if it could not be read. What
	// it says is a claim until Verdict passed.
	Parsed *gostx509.Certificate
	// Chain is the path that was found, leaf first, or the part of one that came
	// nearest to a root.
	Chain []*gostx509.Certificate
	// Anchored reports whether the signatures of Chain lead from the certificate
	// to a pinned root. It says nothing about dates, revocation or accreditation
	// and grants nothing.
	Anchored bool
	// At is the moment for which the judgement holds.
	At time.Time
	// Policy is the name of the policy, and Demands the policy itself.
	Policy  string
	Demands Policy
	// Evidence is the revocation data that the answers about Chain rest on.
	Evidence []revocation.Used
	// Engine is what computed the signatures.
	Engine sigalg.Use
}

// Certificate judges one certificate in DER at a moment. The chain holds
// certificates that came with it, in any order; they help to build the path and
// are not trusted; those that cannot be read are passed over. A certificate that
// cannot be read gives a failed verdict.
func (v Validator) Certificate(der []byte, chain [][]byte, at time.Time) Certificate {
	cert, err := v.Trust.Facts.Certificate(der)
	if err != nil {
		var b verdict.Builder
		b.Fail(CheckCertificate, reason.Of(err), "RFC 5280, 4")
		return Certificate{Verdict: b.Done(person.Identity{}), At: at, Policy: v.Policy.Name, Demands: v.Policy, Engine: v.begin().run.Use()}
	}
	var extra []*gostx509.Certificate
	for _, raw := range chain[:min(len(chain), maxChain)] {
		if c, err := v.Trust.Facts.Certificate(raw); err == nil {
			extra = append(extra, c)
		}
	}
	return v.ParsedCertificate(cert, extra, at)
}

// ParsedCertificate is Certificate for certificates that were parsed already.
func (v Validator) ParsedCertificate(cert *gostx509.Certificate, extra []*gostx509.Certificate, at time.Time) Certificate {
	v = v.begin()
	out := Certificate{Parsed: cert, At: at, Policy: v.Policy.Name, Demands: v.Policy, Engine: v.run.Use()}
	var total verdict.Builder
	if at.IsZero() {
		// Without a moment every date would be right or wrong by accident.
		total.Unknown(CheckMoment, reason.InternalError, "")
		out.Verdict = total.Done(person.Identity{})
		return out
	}
	v.checkChain(&total, &out, extra)
	var accreditation, rules []verdict.Check
	if out.Anchored {
		accreditation = v.checkAccreditation(cert, out.Chain, at)
		rules = v.checkRules(cert, out.Chain, at)
	}
	if !v.Policy.AllowUnaccredited {
		total.Keep(accreditation)
		if len(accreditation) == 0 && !total.Failed() && !out.isRoot() {
			// A demand must never be met by there being nothing to check.
			total.Unknown(CheckAccredited, reason.AccreditationUnknown, citeIssued)
		}
	}
	holder := v.checkHolder(&total, cert, out.isRoot())
	if !v.Policy.AllowUnqualified {
		total.Keep(rules)
	}
	v.decided(&total)
	out.Verdict, out.Engine = total.Done(holder), v.run.Use()

	var part verdict.Builder
	part.Keep(accreditation)
	part.Keep(rules)
	out.Qualified = part.Done(person.Identity{})
	if v.Trust.Judged != nil {
		v.Trust.Judged(out)
	}
	return out
}

// begin returns v with what one verdict has in common.
func (v Validator) begin() Validator {
	if v.budget == nil {
		v.budget = new(revocation.Budget)
	}
	if v.run == nil {
		v.run = v.Trust.Engine.Begin()
	}
	return v
}

// decided records that the engine did not decide about a signature, whichever it was:
// nothing passes then, and another way to the same conclusion does not help.
func (v Validator) decided(total *verdict.Builder) {
	err := v.run.Failure()
	if err == nil {
		return
	}
	for c := range total.Done(person.Identity{}).All() {
		if c.Name == CheckEngine {
			return
		}
	}
	total.Unknown(CheckEngine, reason.Of(err), "63-ФЗ, ст. 11, п. 3")
}

// isRoot reports whether the certificate is itself one of the pinned roots.
func (c Certificate) isRoot() bool { return c.Anchored && len(c.Chain) == 1 }

// checkChain builds the path and records its checks. The path may lead from the
// certificate to one of our roots although, say, a date is wrong.
func (v Validator) checkChain(total *verdict.Builder, out *Certificate, extra []*gostx509.Certificate) {
	if v.Trust.roots().Len() == 0 {
		// To say "unknown CA" would be an answer. We have not looked.
		total.Unknown(CheckChain, reason.TrustNotConfigured, "RFC 5280, 6.1")
		return
	}
	checker := v.checker()
	var source path.Revocation = checker
	if v.Policy.InsecureSkipRevocation {
		source = path.InsecureSkipRevocation{}
	}
	found := path.Build(out.Parsed, path.Options{
		Roots:                v.Trust.roots(),
		Intermediates:        v.Trust.intermediates(),
		Extra:                extra,
		At:                   out.At,
		InsecureSkipValidity: v.Policy.InsecureSkipValidity,
		MaxWork:              v.work,
		Run:                  v.run,
		Facts:                v.Trust.Facts,
		Revocation:           source,
	})
	out.Chain = found.Chain
	out.Evidence = evidenceAbout(found.Chain, checker.Used())
	total.Keep(found.Checks)
	last := len(found.Chain) - 1
	out.Anchored = last >= 0 && found.Chain[0].Equal(out.Parsed) && v.Trust.roots().Contains(found.Chain[last])

	// What follows repeats what Build promises. A mistake there must not become
	// a passed verdict here.
	switch {
	case found.Status == verdict.Failed && !total.Failed():
		total.Fail(CheckChain, reason.UnknownCA, "RFC 5280, 6.1")
	case found.Status == verdict.Indeterminate && !slices.ContainsFunc(found.Checks, notPassed):
		total.Unknown(CheckChain, reason.InternalError, "RFC 5280, 6.1")
	case found.Status == verdict.Passed && !out.Anchored:
		total.Fail(CheckChain, reason.UnknownCA, "RFC 5280, 6.1")
	}
}

func notPassed(c verdict.Check) bool { return c.Status != verdict.Passed }

// checker returns what answers questions about revocation under the policy.
func (v Validator) checker() *revocation.Checker {
	c := v.checkerOfAuthorities()
	c.Authorities = v.authorities
	return c
}

// checkerOfAuthorities is checker for those who sign lists: they are asked for
// themselves, and lists about them must be of their own issuers.
func (v Validator) checkerOfAuthorities() *revocation.Checker {
	return &revocation.Checker{
		Evidence: revocation.Evidence{CRLs: v.Trust.CRLs, Responses: v.Trust.OCSP},
		Carried:  v.Evidence,
		Policy:   v.Policy.Revocation,
		Online:   v.Trust.Online,
		Now:      v.Now,
		Context:  v.Context,
		Run:      v.run,
		Shared:   v.budget,
	}
}

// authorities returns the certificates of a name that lead to a trusted root: they may
// sign lists about certificates of others that name them (RFC 5280, Section 6.3.3 (f)).
func (v Validator) authorities(rawName []byte, at time.Time) []*gostx509.Certificate {
	trusted := v.Trust.roots().Named(rawName)
	var source path.Revocation = path.InsecureSkipRevocation{}
	if !v.Policy.InsecureSkipRevocation {
		source = v.checkerOfAuthorities()
	}
	for _, c := range v.Trust.intermediates().Named(rawName) {
		found := path.Build(c, path.Options{
			Roots: v.Trust.roots(), Intermediates: v.Trust.intermediates(), At: at,
			InsecureSkipValidity: v.Policy.InsecureSkipValidity, Revocation: source, Run: v.run,
		})
		if found.Status == verdict.Passed {
			trusted = append(trusted, c)
		}
	}
	return trusted
}

// evidenceAbout returns the evidence that is about certificates of a chain. Paths that
// were tried and left have had theirs too.
func evidenceAbout(chain []*gostx509.Certificate, used []revocation.Used) []revocation.Used {
	return slices.DeleteFunc(used, func(u revocation.Used) bool {
		return !slices.ContainsFunc(chain, u.Issuer.Equal)
	})
}

// checkRules applies the rules for qualified certificates. They are about holders:
// where the policy asks about a CA, and for a root, there is no check.
func (v Validator) checkRules(cert *gostx509.Certificate, chain []*gostx509.Certificate, at time.Time) []verdict.Check {
	if len(chain) < 2 || v.asksAbout(cert) {
		return nil
	}
	return qualified.Check(cert, chain[1], at)
}

// checkHolder records who the holder claims to be and whether the policy admits
// that kind. It returns the claim, for the verdict to keep or to drop.
//
// A root is never a holder: what is demanded of holders is asked of their issuers,
// and a root has none.
func (v Validator) checkHolder(total *verdict.Builder, cert *gostx509.Certificate, root bool) person.Identity {
	const cite = "приказ ФСБ России № 795"
	holder, err := cert.Identity()
	if err != nil {
		total.Fail(CheckHolder, reason.Of(err), cite)
		return person.Identity{}
	}
	total.Pass(CheckHolder, cite)
	switch {
	case root && !v.asksAbout(cert):
		total.Fail(CheckHolderKind, reason.CertIsCA, "63-ФЗ, ст. 17")
	case slices.Contains(v.Policy.AllowedKinds, holder.Kind):
		total.Pass(CheckHolderKind, "")
	case holder.Kind == person.Authority:
		total.Fail(CheckHolderKind, reason.CertIsCA, "63-ФЗ, ст. 17")
	case len(v.Policy.AllowedKinds) == 0:
		total.Pass(CheckHolderKind, "")
	default:
		total.Fail(CheckHolderKind, reason.WrongHolderKind, "")
	}
	return holder
}

// asksAbout reports whether the certificate is one of a CA and the policy is about
// such.
func (v Validator) asksAbout(cert *gostx509.Certificate) bool {
	return cert.IsCA && slices.Contains(v.Policy.AllowedKinds, person.Authority)
}

// roots returns the roots, never nil.
func (t Trust) roots() *path.Pool { return orEmpty(t.Roots) }

// intermediates returns the intermediates, never nil.
func (t Trust) intermediates() *path.Pool { return orEmpty(t.Intermediates) }

func orEmpty(p *path.Pool) *path.Pool {
	if p == nil {
		return path.NewPool()
	}
	return p
}
