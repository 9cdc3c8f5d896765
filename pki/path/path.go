// Package path builds and validates certification paths (RFC 5280, Section 6;
// RFC 4158 for the search).
package path

import (
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/verdict"
)

// Pool is a set of certificates indexed by key identifier and by subject. The
// zero value is empty and ready to use. Reading is safe for concurrent use while
// nobody adds.
type Pool struct{}

// NewPool returns a pool of certs.
func NewPool(certs ...*gostx509.Certificate) *Pool { panic("TODO") }

// Add puts certificates into the pool; one that is there already is ignored.
func (p *Pool) Add(certs ...*gostx509.Certificate) { panic("TODO") }

// Len is the number of certificates; a nil pool is empty.
func (p *Pool) Len() int { panic("TODO") }

// Certificates returns the certificates in the order they were added.
func (p *Pool) Certificates() []*gostx509.Certificate { panic("TODO") }

// Contains says whether exactly this certificate, byte for byte, is there.
func (p *Pool) Contains(c *gostx509.Certificate) bool { panic("TODO") }

// Revocation answers whether cert, issued by issuer, was revoked at a moment:
// Passed — it was not, Failed — it was, Indeterminate — data are missing.
type Revocation interface {
	Revocation(cert, issuer *gostx509.Certificate, at time.Time) verdict.Check
}

// InsecureSkipRevocation is a Revocation for questions where revocation does not
// matter: no check appears in the result.
type InsecureSkipRevocation struct{}

// Revocation implements Revocation.
func (InsecureSkipRevocation) Revocation(_, _ *gostx509.Certificate, _ time.Time) verdict.Check {
	return verdict.Check{}
}

// Options of Build.
type Options struct {
	Roots         *Pool                   // trust anchors, pinned by their bytes
	Intermediates *Pool                   // CA certificates to build with; they are not trusted
	Extra         []*gostx509.Certificate // more of them, e.g. those that came with a signature
	At            time.Time               // the moment of validation; must not be zero
	// InsecureSkipValidity leaves out the check of notBefore and notAfter.
	InsecureSkipValidity bool
	MaxDepth             int        // certificates between leaf and anchor inclusive; 0 means 8
	MaxWork              int        // signature checks; 0 means 64
	Revocation           Revocation // nil: revocation is unknown and the result Indeterminate
}

// Result of Build. The zero value grants nothing.
type Result struct {
	// Chain is leaf first, anchor last. If no path was valid it is the one that
	// came nearest, perhaps incomplete.
	Chain  []*gostx509.Certificate
	Status verdict.Status
	Checks []verdict.Check
}

// Build finds a valid path from leaf to a trust anchor.
func Build(leaf *gostx509.Certificate, opts Options) Result { panic("TODO") }
