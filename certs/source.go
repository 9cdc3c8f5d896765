package certs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Source says which files a Snapshot is made of. Fields add up: a directory may
// be given together with further files. The zero value names nothing, and
// [Load] refuses it.
type Source struct {
	// Dir is a trust directory, laid out as the package comment says, or a plain
	// pile of certificates: a directory that has neither roots nor pins.txt. Of a
	// pile, certificates that [KnownRoots] or Pins name become roots and all
	// others intermediates.
	Dir string

	// TSL is the file of the list of accredited CAs; it replaces tsl.xml of Dir.
	TSL string
	// TSLSigners are files with the certificates that may sign the list. Without
	// any, here or in Dir, only the roots themselves may.
	TSLSigners []string

	// Roots are files with root certificates. Naming a file here is what pins
	// it, unless Pins is not empty: then it must be pinned by its fingerprint.
	Roots []string
	// Intermediates are files or plain directories with certificates to build
	// paths from; nobody trusts them for being here.
	Intermediates []string
	// CRLs are files with revocation lists. A file named here must be good: in a
	// directory a bad list is set aside, here it is an error.
	CRLs []string

	// State is a state directory: what was fetched over the network and verified,
	// and what was accepted once. Only a [Store] writes there; it is made when the
	// first file is written. Never name a part of a trust directory. A list of
	// accredited CAs there takes the place of one that was given, if its version is
	// higher, and revocation lists add up. A damaged file there sets aside only
	// itself.
	State string

	// Pins are fingerprints of roots, beside those of pins.txt.
	Pins []Pin
}

// Pin is the SHA-256 fingerprint of a whole certificate.
type Pin [sha256.Size]byte

// ParsePin reads 64 hexadecimal digits of either case.
func ParsePin(s string) (Pin, error) {
	var p Pin
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(p) {
		return Pin{}, fmt.Errorf("a pin must be %d hexadecimal digits", hex.EncodedLen(len(p)))
	}
	copy(p[:], raw)
	return p, nil
}

// String returns the pin in lower-case hexadecimal.
func (p Pin) String() string { return hex.EncodeToString(p[:]) }
