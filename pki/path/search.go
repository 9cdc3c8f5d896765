package path

import (
	"bytes"
	"encoding/hex"
	"slices"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// search is one run of Build: depth first, from the leaf upwards.
type search struct {
	opts  Options
	extra []*gostx509.Certificate // without repetitions
	depth int
	work  int // steps that are left

	signed []link // what is known about signatures, no more than MaxWork
	best   Result
	merit  merit // of best
}

// link is a certificate, the one whose key it was checked with, and what came of it.
type link struct {
	child, issuer *gostx509.Certificate
	err           error
}

// merit orders paths by how near they came to success.
type merit int

// A certificate that was revoked is a surer answer than one nobody knows about,
// so that nobody can hide it behind another path.
const (
	nothing    merit = iota
	incomplete       // does not reach an anchor; the longer the better, see better
	invalid          // reaches one, and breaks a rule
	unknown          // valid, but revocation data are missing
	revoked          // valid, but the leaf was revoked
	valid
	undecided // the engine did not decide about a signature, which ends the search
)

func (s *search) run(leaf *gostx509.Certificate) Result {
	if leaf == nil || s.opts.At.IsZero() {
		return Result{Status: verdict.Failed, Checks: []verdict.Check{
			verdict.Fail(stepChain, reason.InternalError, citeChain, "no certificate, or no moment of validation"),
		}}
	}
	s.extend([]*gostx509.Certificate{leaf})
	return s.best
}

// extend looks for the rest of a path that begins with chain, and reports whether
// the search is over: a valid one was found.
func (s *search) extend(chain []*gostx509.Certificate) bool {
	last := chain[len(chain)-1]
	if s.opts.Roots.Contains(last) {
		return s.finish(chain)
	}
	if len(chain) >= s.depth {
		s.stop(chain, reason.ChainTooLong, "")
		return false
	}
	candidates := s.issuers(last)
	code := reason.UnknownCA
	for _, issuer := range candidates {
		if repeats(chain, issuer) {
			continue
		}
		err := s.checkSignature(last, issuer)
		if sigalg.EngineFailed(err) {
			// Not one step further: the way that is left out may be the right one.
			s.best, s.merit = Result{Chain: slices.Clone(chain), Checks: []verdict.Check{
				verdict.Unknown(stepChain, reason.Of(err), citeChain, ""),
			}}, undecided
			return true
		}
		if reason.Of(err) == reason.ChainTooComplex {
			s.stop(chain, reason.ChainTooComplex, "")
			return false
		}
		if err != nil {
			if code == reason.UnknownCA && rank(issuer, last.AuthorityKeyID.KeyID) == 0 {
				code = reason.Of(err) // the very key that the certificate names did not sign it
			}
			continue
		}
		if s.extend(append(slices.Clip(chain), issuer)) {
			return true
		}
	}
	detail := "issuer with key identifier " + keyID(last)
	if code == reason.UnknownCA {
		detail = "no certificate of the " + detail
	}
	s.stop(chain, code, detail)
	return false
}

// keyID prints the key identifier of the issuer that a certificate names.
func keyID(c *gostx509.Certificate) string {
	if len(c.AuthorityKeyID.KeyID) == 0 {
		return "not stated"
	}
	return hex.EncodeToString(c.AuthorityKeyID.KeyID)
}

// issuers returns the certificates that may have issued c: all with the right
// subject (RFC 5280, Section 6.1.3 (a)(4)), compared by DER. Those with the key
// identifier that c names come first, anchors before others.
//
// The order matters for speed and for what is explained, not for the result: all
// are tried. Names are not unique among real CAs (three roots have one name), nor
// are key identifiers (up to four certificates have one key). The name and number
// inside authorityKeyIdentifier are not looked at: they may be those of a parent
// that was issued anew.
func (s *search) issuers(c *gostx509.Certificate) []*gostx509.Certificate {
	all := slices.Concat(s.opts.Roots.named(c.RawIssuer), s.opts.Intermediates.named(c.RawIssuer))
	for _, other := range s.extra {
		if bytes.Equal(other.RawSubject, c.RawIssuer) {
			all = append(all, other)
		}
	}
	keyID := c.AuthorityKeyID.KeyID
	slices.SortStableFunc(all, func(a, b *gostx509.Certificate) int { return rank(a, keyID) - rank(b, keyID) })
	return all
}

// distinct returns certificates without nil and without repetitions.
func distinct(certs []*gostx509.Certificate) []*gostx509.Certificate {
	all := make([]*gostx509.Certificate, 0, len(certs))
	for _, c := range certs {
		if c != nil && !slices.ContainsFunc(all, c.Equal) {
			all = append(all, c)
		}
	}
	return all
}

// rank orders candidates: the key identifier matches, cannot be compared, differs.
func rank(c *gostx509.Certificate, keyID []byte) int {
	switch {
	case len(keyID) == 0:
		return 1
	case c.MatchesKeyID(keyID):
		return 0
	case len(c.SubjectKeyID) == 0:
		return 1
	default:
		return 2
	}
}

// repeats reports whether a path already has a certificate of the same subject
// and key: such a path goes in a circle (RFC 4158, Section 5.2).
func repeats(chain []*gostx509.Certificate, c *gostx509.Certificate) bool {
	return slices.ContainsFunc(chain, func(x *gostx509.Certificate) bool {
		return bytes.Equal(x.RawSubject, c.RawSubject) && bytes.Equal(x.RawSPKI, c.RawSPKI)
	})
}

// checkSignature checks the signature of child with the key of issuer, within
// the limit of work. Signatures that are known count too: a few certificates that
// certify each other make more paths than anybody can walk.
func (s *search) checkSignature(child, issuer *gostx509.Certificate) error {
	if s.work--; s.work < 0 {
		return reason.ChainTooComplex
	}
	for _, known := range s.signed {
		if known.child == child && known.issuer == issuer {
			return known.err
		}
	}
	// Who is not among extra came from the pools: their names are long to look up.
	trusted := !slices.Contains(s.extra, issuer) || s.opts.Roots.has(issuer) || s.opts.Intermediates.has(issuer)
	err := s.opts.Facts.CheckSignatureBy(s.opts.Run, child, issuer, trusted)
	s.signed = append(s.signed, link{child, issuer, err})
	return err
}

// stop records a path that does not reach an anchor.
func (s *search) stop(chain []*gostx509.Certificate, code reason.Code, detail string) {
	longer := len(chain) > len(s.best.Chain) || code == reason.ChainTooComplex
	if s.merit > incomplete || s.merit == incomplete && !longer {
		return
	}
	s.merit = incomplete
	s.best = Result{
		Status: verdict.Failed,
		Chain:  slices.Clone(chain),
		Checks: []verdict.Check{verdict.Fail(stepChain, code, citeChain, detail)},
	}
	if !s.opts.InsecureSkipValidity { // worth knowing besides
		s.best.Checks = append(s.best.Checks, s.validity(chain))
	}
}

// finish validates a path that reaches an anchor, records it if it is the best
// so far, and reports whether it is valid.
func (s *search) finish(chain []*gostx509.Certificate) bool {
	r, m := s.validate(chain)
	nearer := m > s.merit
	if m == invalid && s.merit == invalid {
		nearer = failures(r.Checks) < failures(s.best.Checks)
	}
	if nearer {
		s.best, s.merit = r, m
	}
	return m == valid
}

// failures counts the checks that failed.
func failures(checks []verdict.Check) int {
	n := 0
	for _, c := range checks {
		if c.Status == verdict.Failed {
			n++
		}
	}
	return n
}
