// Package modes implements the modes of operation of GOST R 34.13-2015 that TLS
// and CMS need: CTR and the message authentication code, known as OMAC or CMAC, and
// their variants CTR-ACPKM and OMAC-ACPKM that change the key on the way (RFC 8645).
// They work with any cipher of 8- or 16-byte blocks.
package modes

import "crypto/cipher"

// blocks is what a cipher.Block may have besides: a way to encrypt many blocks
// that is faster than one by one.
type blocks interface {
	EncryptBlocks(dst, src []byte)
}

// counters is what a cipher.Block may have besides: a way to encrypt counters that
// is faster than to write them first.
type counters interface {
	// XORCounter sets dst to src, whole blocks of the same length, plus the
	// encryption of the counter, whose words are hi and lo, and of those that follow.
	// It returns how many bytes it did, which may be none.
	XORCounter(dst, src []byte, hi, lo uint64) int
}

// chain is what a cipher.Block may have besides: OMAC of many blocks without the way
// through memory between them.
type chain interface {
	// Chain replaces state, for each block of p, with the encryption of their sum.
	Chain(state, p []byte)
}

// maxBlockSize, in bytes, is the largest block of the standard.
const maxBlockSize = 16

// checkBlockSize panics unless b has blocks of 8 or 16 bytes.
func checkBlockSize(b cipher.Block) {
	if n := b.BlockSize(); n != 8 && n != maxBlockSize {
		panic("modes: block size must be 8 or 16 bytes")
	}
}
