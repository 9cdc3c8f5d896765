// Package crl reads certificate revocation lists (RFC 5280, Section 5) into a
// compact index and answers whether a certificate is revoked.
//
// «Not in the list» is an answer only if the list is of the right issuer, signed
// by it, complete for the certificate and of the right time. [Checker] asks all
// of that; a list that fails any of it makes the answer unknown, never good.
package crl

import (
	"bytes"
	"fmt"
	"iter"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Limits of one list.
const (
	// MaxSize is the greatest length of a list in bytes: about ten million
	// entries. The index is of the same order of size.
	MaxSize = 512 << 20
	// maxExtensions is the greatest number of extensions of the list or of one
	// entry.
	maxExtensions = 32
	// maxSerial is the greatest length of a serial number in bytes: RFC 5280,
	// Section 4.1.2.2, allows 20, and one leading zero.
	maxSerial = 21
	// maxNames is the greatest number of names of a distribution point, or of
	// issuers of one entry.
	maxNames = 64
	// maxIssuers is the greatest number of issuers in an indirect list.
	maxIssuers = 1 << 16
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

// String returns the name of the reason in RFC 5280: "keyCompromise".
func (r Reason) String() string {
	names := [...]string{
		"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
		"cessationOfOperation", "certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise",
	}
	if int(r) < len(names) && names[r] != "" {
		return names[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Entry is one revoked certificate. An entry means revocation whatever its
// reason is, but for removeFromCRL in a delta list, which takes an entry of the
// complete list back; a complete list that holds it is not believed to have taken
// anything back.
type Entry struct {
	// Serial is the serial number as in gostx509.Certificate: the content of the
	// INTEGER.
	Serial       []byte
	RevokedAt    time.Time
	Reason       Reason    // Unspecified if the entry gives none
	InvalidSince time.Time // invalidityDate; zero if absent
	// Issuer is the DER of the name of the CA that issued the certificate, in an
	// indirect list (RFC 5280, Section 5.3.3); nil means the issuer of the list.
	Issuer []byte
}

// List is a parsed list. It keeps no part of the bytes it was read from. It is
// immutable and safe for concurrent use.
type List struct {
	version                int
	algorithm              sigalg.AlgorithmIdentifier
	rawIssuer              []byte
	thisUpdate, nextUpdate time.Time
	number                 []byte
	authorityKeyID         []byte
	base                   []byte   // of a delta list
	freshest               []string // addresses of delta lists
	scope                  Scope
	names                  []generalName // of the distribution point, in every form
	unusable               error
	index                  index
	others                 map[string]*index // of an indirect list, by the DER of the issuer's name

	sha256    [32]byte // of all bytes
	digest    []byte   // of the signed part; nil if digestErr is not
	digestErr error
	signature []byte
}

// Version is 1 or 2.
func (l *List) Version() int { return l.version }

// ThisUpdate is the moment of issue.
func (l *List) ThisUpdate() time.Time { return l.thisUpdate }

// NextUpdate is the moment by which the next list is due; zero if the list does
// not say, and then it is never fresh.
func (l *List) NextUpdate() time.Time { return l.nextUpdate }

// Number is the CRL number, the content of the INTEGER; nil if absent.
func (l *List) Number() []byte { return l.number }

// RawIssuer is the DER of the issuer's name, with its header.
func (l *List) RawIssuer() []byte { return l.rawIssuer }

// AuthorityKeyID is the key identifier of the issuer; nil if absent.
func (l *List) AuthorityKeyID() []byte { return l.authorityKeyID }

// SHA256 is the fingerprint of the whole list, as it was given to Parse.
func (l *List) SHA256() [32]byte { return l.sha256 }

// SignatureAlgorithm names the algorithm of the signature.
func (l *List) SignatureAlgorithm() sigalg.AlgorithmIdentifier { return l.algorithm }

// Len is the number of entries.
func (l *List) Len() int {
	n := l.index.count
	for _, x := range l.others {
		n += x.count
	}
	return n
}

// Unusable says why nothing may be concluded from the list (RFC 5280, Sections
// 5.2 and 5.3): it has a critical extension that is not known, or contradicts
// itself. It is nil for a list that can be used.
func (l *List) Unusable() error { return l.unusable }

// Lookup finds the entry of a certificate of the list's own issuer, by the serial
// number in the form of gostx509.Certificate.Serial. Of several entries it is the
// one with the earliest date. That there is none does not make a certificate good:
// see [Checker].
func (l *List) Lookup(serial []byte) (Entry, bool) { return l.LookupOf(l.rawIssuer, serial) }

// LookupOf finds the entry of a certificate by the DER of its issuer's name and its
// serial number. The entry holds the slices that were asked for, not copies.
func (l *List) LookupOf(rawIssuer, serial []byte) (Entry, bool) {
	x := l.others[string(rawIssuer)]
	own := x == nil
	if own {
		if !bytes.Equal(rawIssuer, l.rawIssuer) {
			return Entry{}, false
		}
		x = &l.index
	}
	r, found := x.lookup(serial)
	if !found {
		return Entry{}, false
	}
	e := r.entry(serial)
	if !own {
		e.Issuer = rawIssuer
	}
	return e, true
}

// Entries yields all entries, in no particular order.
func (l *List) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for serial, r := range l.index.all() {
			if !yield(r.entry(bytes.Clone(serial))) {
				return
			}
		}
		for issuer, x := range l.others {
			for serial, r := range x.all() {
				e := r.entry(bytes.Clone(serial))
				e.Issuer = []byte(issuer)
				if !yield(e) {
					return
				}
			}
		}
	}
}

// CheckSignature checks that the list is of this issuer, that the issuer may sign
// lists, and that it signed this one (RFC 5280, Section 6.3.3 (f), (g)).
//
// It returns nil or a *reason.Error: reason.CRLIssuerMismatch,
// reason.CRLSignatureBad, or reason.CRLUnsupported for an algorithm that is
// forbidden, unknown or does not fit the key.
func (l *List) CheckSignature(issuer *gostx509.Certificate) error {
	return l.CheckSignatureBy(nil, issuer)
}

// CheckSignatureBy is CheckSignature by the engine of a run; nil is this program. The
// error may then also be one of sigalg.EngineFailure.
func (l *List) CheckSignatureBy(run *sigalg.Run, issuer *gostx509.Certificate) error {
	if err := l.checkIssuer(issuer); err != nil {
		return err
	}
	if l.digestErr != nil {
		return reason.New(reason.CRLUnsupported, l.digestErr)
	}
	if issuer.PublicKey == nil {
		return reason.Errorf(reason.CRLUnsupported, "crl: the issuer's public key is of an unknown kind")
	}
	digest, err := sigalg.DigestOf(l.algorithm)
	if err != nil {
		return reason.New(reason.CRLUnsupported, err)
	}
	if !issuer.AcceptsDigest(digest) {
		return reason.Errorf(reason.CRLUnsupported, "crl: the key of the issuer may not sign the digest %v", digest)
	}
	err = sigalg.Verifier{Run: run}.VerifyDigestWith(l.algorithm, digest, issuer.PublicKey, l.digest, l.signature)
	switch {
	case err == nil:
		return nil
	case sigalg.EngineFailed(err):
		return sigalg.EngineFailure(err)
	default:
		return reason.New(reason.CRLSignatureBad, err)
	}
}

// checkIssuer compares the names and key identifiers and asks whether the issuer
// may sign lists.
func (l *List) checkIssuer(issuer *gostx509.Certificate) error {
	switch {
	case issuer == nil || !bytes.Equal(l.rawIssuer, issuer.RawSubject):
		return reason.Errorf(reason.CRLIssuerMismatch, "crl: the list has another issuer")
	case len(l.authorityKeyID) > 0 && len(issuer.SubjectKeyID) > 0 && !bytes.Equal(l.authorityKeyID, issuer.SubjectKeyID):
		return reason.Errorf(reason.CRLIssuerMismatch, "crl: the list was signed with another key of its issuer")
	case issuer.KeyUsage != 0 && issuer.KeyUsage&gostx509.KeyUsageCRLSign == 0:
		return reason.Errorf(reason.CRLIssuerMismatch, "crl: the key usage of the issuer does not allow it to sign lists")
	}
	return nil
}
