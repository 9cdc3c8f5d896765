// Package crl reads certificate revocation lists (RFC 5280, Section 5) into a
// compact index and answers whether a certificate is revoked.
package crl

import (
	"crypto"
	"io"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/verdict"
)

// Reason is a CRLReason (RFC 5280, Section 5.3.1).
type Reason uint8

// Reasons of revocation.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6
	RemoveFromCRL        Reason = 8
	PrivilegeWithdrawn   Reason = 9
	AACompromise         Reason = 10
)

// Entry is one revoked certificate.
type Entry struct {
	Serial       []byte
	RevokedAt    time.Time
	Reason       Reason
	InvalidSince time.Time // invalidityDate; zero if absent
}

// List is a parsed CRL. It is immutable and safe for concurrent use.
type List struct{}

// Parse reads one CRL in DER.
func Parse(der []byte) (*List, error) { panic("TODO") }

// ThisUpdate is the moment of issue.
func (l *List) ThisUpdate() time.Time { panic("TODO") }

// NextUpdate is the moment by which the next list is due; zero if absent.
func (l *List) NextUpdate() time.Time { panic("TODO") }

// Number is the CRL number, big-endian; nil if absent.
func (l *List) Number() []byte { panic("TODO") }

// RawIssuer is the DER of the issuer's name.
func (l *List) RawIssuer() []byte { panic("TODO") }

// AuthorityKeyID is the key identifier of the issuer; nil if absent.
func (l *List) AuthorityKeyID() []byte { panic("TODO") }

// Len is the number of entries.
func (l *List) Len() int { panic("TODO") }

// Unusable says why the list cannot be relied upon; nil if it can.
func (l *List) Unusable() error { panic("TODO") }

// CheckSignature checks that issuer signed the list and may do so.
func (l *List) CheckSignature(issuer *gostx509.Certificate) error { panic("TODO") }

// Lookup finds the entry of a serial number (big-endian content octets).
// Absence from the list alone does not make a certificate good: see [Set].
func (l *List) Lookup(serial []byte) (Entry, bool) { panic("TODO") }

// Set is a collection of lists found by issuer. It is immutable and safe for
// concurrent use.
type Set struct{}

// NewSet indexes lists.
func NewSet(lists ...*List) *Set { panic("TODO") }

// Lists returns the lists of the set.
func (s *Set) Lists() []*List { panic("TODO") }

// Policy says how fresh a list must be.
type Policy struct {
	// Now is the moment of the check, by which freshness is judged; zero means
	// the moment asked about.
	Now time.Time
	// Grace is how long past its nextUpdate a list is still believed.
	Grace time.Duration
}

// Checker answers for a set under a policy; it implements path.Revocation.
type Checker struct {
	Set    *Set
	Policy Policy
}

// Revocation says whether cert, issued by issuer, was revoked at the moment at.
func (c Checker) Revocation(cert, issuer *gostx509.Certificate, at time.Time) verdict.Check {
	panic("TODO")
}

// Template is what Create writes.
type Template struct {
	Number                 int64
	ThisUpdate, NextUpdate time.Time
	Entries                []Entry
}

// Create makes a version 2 list signed by issuer's key.
func Create(rand io.Reader, t Template, issuer *gostx509.Certificate, key crypto.Signer) ([]byte, error) {
	panic("TODO")
}
