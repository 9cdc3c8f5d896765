// Package keywrap implements KExp15 and KImp15 of RFC 9189, Section 8.2.1.
package keywrap

import "crypto/cipher"

// NewCipher is the constructor of a block cipher, such as kuznyechik.New.
type NewCipher = func(key []byte) (cipher.Block, error)

// KExp15 wraps secret.
func KExp15(newCipher NewCipher, kMac, kEnc, iv, secret []byte) ([]byte, error) { panic("TODO") }

// KImp15 unwraps what KExp15 made.
func KImp15(newCipher NewCipher, kMac, kEnc, iv, wrapped []byte) ([]byte, error) { panic("TODO") }
