// Package magma implements the Magma block cipher of GOST R 34.12-2015
// (RFC 8891): 64-bit blocks, 256-bit keys.
package magma

import (
	"crypto/cipher"
	"strconv"
)

// Sizes in bytes.
const (
	BlockSize = 8
	KeySize   = 32
)

// KeySizeError says how long, in bytes, a key of the wrong length was.
type KeySizeError int

// Error implements error.
func (k KeySizeError) Error() string {
	return "magma: invalid key size " + strconv.Itoa(int(k))
}

// New returns a cipher.Block for the given key of KeySize bytes.
func New(key []byte) (cipher.Block, error) { panic("TODO") }
