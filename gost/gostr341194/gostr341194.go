// Package gostr341194 implements the GOST R 34.11-94 hash function (RFC 5831)
// with the CryptoPro parameter set.
package gostr341194

import "hash"

// Sizes in bytes.
const (
	Size      = 32
	BlockSize = 32
)

// New returns the hash with the CryptoPro parameter set (RFC 4357, Section 11.2).
func New() hash.Hash { panic("TODO") }
