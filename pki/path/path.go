// Package path builds and validates certification paths: the search of RFC 4158,
// the checks of RFC 5280, Section 6.1.
//
// The search tries every certificate that may be the issuer, because among real
// CAs neither names nor key identifiers are unique. If no path is valid, the
// result is the one that came nearest, and says what is wrong with it.
//
// Policies: the initial policy set is any-policy and no explicit policy is
// required, so the policy tree of RFC 5280 decides nothing and is not built; a
// certificate that does require one, by a critical policyConstraints, is refused.
package path

import (
	"time"

	"propusk/pki/facts"
	"propusk/pki/gostx509"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// Limits of a search that Options does not set.
const (
	// DefaultMaxDepth is the greatest number of certificates of a path, leaf and
	// anchor among them. The longest real one has four.
	DefaultMaxDepth = 8
	// DefaultMaxWork is the greatest number of steps from a certificate to an
	// issuer that one search tries; each may cost a check of a signature. A sender
	// of many certificates with one name could otherwise keep a processor busy for
	// minutes. Real searches take four.
	DefaultMaxWork = 128
)

// Revocation answers whether cert, issued by issuer, was revoked at a moment:
// Passed, it was not; Failed, it was; Indeterminate, data are missing. It is only
// asked about certificates whose path is valid otherwise, the issuer's first. It
// must be safe for concurrent use if Build is used so.
type Revocation interface {
	Revocation(cert, issuer *gostx509.Certificate, at time.Time) verdict.Check
}

// InsecureSkipRevocation is a Revocation for questions where revocation does not
// matter: nothing is asked and no check appears in the result.
type InsecureSkipRevocation struct{}

// Revocation implements Revocation. Build does not call it.
func (InsecureSkipRevocation) Revocation(_, _ *gostx509.Certificate, _ time.Time) verdict.Check {
	return verdict.Check{}
}

// Options of Build.
type Options struct {
	// Roots are the trust anchors, known by their bytes. They are held to the
	// same rules as other CA certificates, dates among them; only their
	// signatures and revocation are not looked at.
	Roots *Pool
	// Intermediates are CA certificates to build with. Nobody trusts them.
	Intermediates *Pool
	// Extra are more of them, such as those that came with a signature.
	Extra []*gostx509.Certificate
	// At is the moment of validation. Without it no path is valid.
	At time.Time
	// InsecureSkipValidity leaves out the check of notBefore and notAfter.
	InsecureSkipValidity bool
	// MaxDepth and MaxWork limit the search; zero means the defaults.
	MaxDepth int
	MaxWork  int
	// Revocation is the source of revocation data. Without it the result is
	// Indeterminate at best.
	Revocation Revocation
	// Facts is what is known about signatures of Roots and Intermediates from before;
	// nil is nothing.
	Facts *facts.Memory
	// Run computes the signatures; nil is this program. If it cannot decide about one
	// the search ends, and the result is Indeterminate.
	Run *sigalg.Run
}

// Result of Build. The zero value grants nothing.
type Result struct {
	// Status is Passed if Chain is a valid path to a trust anchor and nothing in
	// it was revoked; Indeterminate if only revocation data are missing, or the engine
	// did not decide about a signature.
	Status verdict.Status
	// Chain is leaf first, anchor last. If no path was valid it is the one that
	// came nearest, and may end before an anchor.
	Chain []*gostx509.Certificate
	// Checks are the steps, in this order as far as they ran: "chain",
	// "chain.validity", "chain.authority", "chain.extensions", "chain.names",
	// "revocation".
	Checks []verdict.Check
}

// Build finds a valid path from leaf to a trust anchor and validates it. It always
// returns a result, also for a nil leaf. It changes nothing in its arguments and
// is safe for concurrent use if the pools are not added to meanwhile.
func Build(leaf *gostx509.Certificate, opts Options) Result {
	s := search{
		opts:  opts,
		extra: distinct(opts.Extra),
		depth: opts.MaxDepth,
		work:  opts.MaxWork,
	}
	if s.depth <= 0 {
		s.depth = DefaultMaxDepth
	}
	if s.work <= 0 {
		s.work = DefaultMaxWork
	}
	return s.run(leaf)
}
