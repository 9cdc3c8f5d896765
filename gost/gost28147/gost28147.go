// Package gost28147 implements the GOST 28147-89 block cipher (RFC 5830) with the S-boxes of RFC 4357 and RFC 7836.
package gost28147

import "crypto/cipher"

// Sizes in bytes.
const (
	BlockSize = 8
	KeySize   = 32
)

// An SBox is a set of eight substitutions.
type SBox struct{ k [8][16]byte }

// CryptoProA returns id-Gost28147-89-CryptoPro-A-ParamSet.
func CryptoProA() *SBox { return nil }

// New returns a cipher.Block.
func New(key []byte, sbox *SBox) (cipher.Block, error) { panic("TODO") }
