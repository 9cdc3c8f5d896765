// Package certs holds the trust data that verdicts rest on: pinned roots, the
// list of accredited certification authorities (ТСЛ) with its signature
// verified, CA certificates and revocation lists.
//
// A [Snapshot] never changes. [Load] makes one from files, whole or not at all;
// a [Store] holds the one in force and swaps it atomically while others use it.
//
// A trust directory looks like this; every part but the roots may be absent:
//
//	roots/          root certificates
//	pins.txt        their SHA-256, one a line, # comments
//	tsl.xml         the list of accredited CAs
//	tsl-signers/    who may sign the list
//	intermediates/  CA certificates that are not in the list
//	crls/           revocation lists: *.crl, *.pem
//
// Files of certificates are *.pem, *.cer, *.crt, *.der, *.p7b and *.p7c; others are
// passed over.
package certs

import (
	"slices"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/validate"
)

// A Snapshot is one consistent state of all trust data. It does not change after
// [Load] has returned it, and may be used by any number of goroutines. The zero
// value, and a nil Snapshot, trust nobody.
type Snapshot struct {
	trust       validate.Trust
	id          string
	loadedAt    time.Time
	files       []File
	crls        []revocationList
	quarantined []Quarantined
	authorities *authorities // nil in the zero value
}

// Role says what a file is for.
type Role string

// The roles of files.
const (
	RolePins         Role = "pins"
	RoleRoot         Role = "root"
	RoleTSL          Role = "tsl"
	RoleTSLSigner    Role = "tsl-signer"
	RoleIntermediate Role = "intermediate"
	RoleCRL          Role = "crl"
)

// File is one file that a Snapshot was made of.
type File struct {
	Role   Role
	Path   string
	SHA256 [32]byte
	Size   int // bytes
}

// Quarantined is a revocation list that was found and set aside: nothing is
// concluded from it, least of all that a certificate is good.
type Quarantined struct {
	Path string
	Code reason.Code
	Err  error // what exactly is wrong; contains no personal data
}

// Orphan is a CA certificate of the list that is not used to build paths.
type Orphan struct {
	CA         string // name of the CA in the list
	Thumbprint [20]byte
	Code       reason.Code // why no path leads to a pinned root
}

// Trust returns the data in the form that the validator takes.
func (s *Snapshot) Trust() validate.Trust {
	if s == nil {
		return validate.Trust{}
	}
	return s.trust
}

// ID names the snapshot: a hash over the roles and contents of all its files.
// Two snapshots with the same ID were made of the same data. It is empty for a
// snapshot that was not loaded.
func (s *Snapshot) ID() string {
	if s == nil {
		return ""
	}
	return s.id
}

// LoadedAt is the moment for which the snapshot was loaded; zero if it was not.
func (s *Snapshot) LoadedAt() time.Time {
	if s == nil {
		return time.Time{}
	}
	return s.loadedAt
}

// Age is how long ago the snapshot was loaded; zero if it was not.
func (s *Snapshot) Age(now time.Time) time.Duration {
	if s == nil || s.loadedAt.IsZero() {
		return 0
	}
	return now.Sub(s.loadedAt)
}

// TSLVersion is «Версия» of the list, and false if there is no list.
func (s *Snapshot) TSLVersion() (int, bool) {
	if s == nil || s.trust.Accredited == nil {
		return 0, false
	}
	return s.trust.Accredited.Version(), true
}

// Files returns what the snapshot was made of, in the order of reading.
func (s *Snapshot) Files() []File {
	if s == nil {
		return nil
	}
	return slices.Clone(s.files)
}

// Quarantined returns the revocation lists that were set aside.
func (s *Snapshot) Quarantined() []Quarantined {
	if s == nil {
		return nil
	}
	return slices.Clone(s.quarantined)
}

// Orphans returns the CA certificates of the list from which no path leads to a
// pinned root, and those that cannot be read.
func (s *Snapshot) Orphans() []Orphan {
	if s == nil || s.authorities == nil {
		return nil
	}
	return slices.Clone(s.authorities.orphans)
}

// Stale returns the paths of revocation lists that are past their nextUpdate. What
// they say counts only under a policy with a grace.
func (s *Snapshot) Stale(now time.Time) []string {
	if s == nil {
		return nil
	}
	var paths []string
	for _, r := range s.crls {
		if !r.fresh(now) {
			paths = append(paths, r.path)
		}
	}
	return paths
}

// HasKey reports whether a CA certificate that has not expired has this subject key
// identifier.
func (s *Snapshot) HasKey(id []byte, now time.Time) bool {
	if s == nil || s.authorities == nil || len(id) == 0 {
		return false
	}
	return now.Before(s.authorities.keys[string(id)])
}

// Authority returns the CA certificate with this SHA-1 thumbprint, by which the list of
// accredited CAs names it; nil if it is neither a root nor leads to one.
func (s *Snapshot) Authority(thumbprint [20]byte) *gostx509.Certificate {
	if s == nil || s.authorities == nil {
		return nil
	}
	return s.authorities.byThumbprint[thumbprint]
}

// ListAge is how old the list of accredited CAs is by its own date; false if there
// is none.
func (s *Snapshot) ListAge(now time.Time) (time.Duration, bool) {
	if s == nil || s.trust.Accredited == nil {
		return 0, false
	}
	return now.Sub(s.trust.Accredited.Date()), true
}

// RevocationList describes one of the revocation lists of a Snapshot.
type RevocationList struct {
	Path string
	// Issuer is the CA certificate that verifies it.
	Issuer                 *gostx509.Certificate
	SHA256                 [32]byte
	Entries                int
	ThisUpdate, NextUpdate time.Time
}

// RevocationLists returns the lists that are good, in the order of reading.
func (s *Snapshot) RevocationLists() []RevocationList {
	if s == nil {
		return nil
	}
	all := make([]RevocationList, 0, len(s.crls))
	for _, r := range s.crls {
		all = append(all, RevocationList{
			Path: r.path, Issuer: r.issuer, SHA256: r.list.SHA256(), Entries: r.list.Len(),
			ThisUpdate: r.list.ThisUpdate(), NextUpdate: r.list.NextUpdate(),
		})
	}
	return all
}
