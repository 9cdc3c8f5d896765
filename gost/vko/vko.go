// Package vko implements the key agreement of GOST R 34.10-2012:
// VKO_GOSTR3410_2012_256 and _512 of RFC 7836, Section 4.3, and KEG of RFC 9189,
// Section 8.3.1.
package vko

import "propusk/gost/gost3410"

// Agreement is a private key that can take part in a key agreement.
type Agreement interface {
	SharedPoint(peer *gost3410.PublicKey, ukm []byte) ([]byte, error)
}

// VKO256 returns 32 bytes. ukm is little-endian.
func VKO256(key Agreement, peer *gost3410.PublicKey, ukm []byte) ([]byte, error) { panic("TODO") }

// VKO512 returns 64 bytes. ukm is little-endian.
func VKO512(key Agreement, peer *gost3410.PublicKey, ukm []byte) ([]byte, error) { panic("TODO") }

// KEG returns the 64 bytes K_EXP_MAC | K_EXP_ENC. h is the 32-byte hash of both randoms.
func KEG(key Agreement, peer *gost3410.PublicKey, h []byte) ([]byte, error) { panic("TODO") }
