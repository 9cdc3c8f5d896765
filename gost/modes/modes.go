// Package modes implements the modes of operation of GOST R 34.13-2015 and RFC 8645.
package modes

import (
	"crypto/cipher"
	"hash"
)

// NewCTR returns the CTR mode of GOST R 34.13-2015. The iv is half a block.
func NewCTR(b cipher.Block, iv []byte) cipher.Stream { panic("TODO") }

// NewCTRACPKM returns CTR-ACPKM of RFC 8645, Section 6.2.2; section is in bytes, a multiple of the block size.
func NewCTRACPKM(newCipher func(key []byte) (cipher.Block, error), key, iv []byte, section int) (cipher.Stream, error) {
	panic("TODO")
}

// NewOMAC returns the MAC of GOST R 34.13-2015; Size is a whole block.
func NewOMAC(b cipher.Block) hash.Hash { panic("TODO") }
