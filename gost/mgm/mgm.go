// Package mgm implements the Multilinear Galois Mode of RFC 9058 (R 1323565.1.026-2019):
// authenticated encryption with associated data over Kuznyechik, Magma or any other
// block cipher with blocks of 8 or 16 bytes. TLS 1.3 with the suites of RFC 9367 takes
// it.
//
// The multiplications in the field run in constant time: with carry-less
// multiplication of AVX-512 where the processor has it, else with integer
// multiplications of numbers with holes. The ciphers are as constant as their packages
// say.
package mgm

import (
	"crypto/cipher"
	"crypto/subtle"
	"errors"
)

// MinTagSize is the length, in bytes, of the shortest authentication tag that RFC 9058,
// Section 4, allows.
const MinTagSize = 4

// ErrOpen says that a message was not sealed with this key, nonce and associated data.
// Nothing else is said, so that nothing can be learnt from it.
var ErrOpen = errors.New("mgm: message authentication failed")

// Reasons to refuse what RFC 9058 does not define, besides a wrong tag.
var (
	errNonce = errors.New("mgm: nonce has its upper bit set")
	errEmpty = errors.New("mgm: neither message nor associated data")
	errLarge = errors.New("mgm: message and associated data are too long")
)

// mode is a cipher with a length of tags.
type mode struct {
	block   cipher.Block
	n       int // bytes of a block
	tagSize int
}

// New returns MGM with tags of a whole block; see [NewWithTagSize].
func New(b cipher.Block) (cipher.AEAD, error) {
	return NewWithTagSize(b, b.BlockSize())
}

// NewWithTagSize returns MGM with tags of tagSize bytes, from [MinTagSize] to a whole
// block. The only errors are a cipher whose blocks are not 8 or 16 bytes, and a length
// of tags out of range. A protocol must keep to one length for a key.
//
// The AEAD can be used by several goroutines at once if the cipher can, and does not
// allocate when dst has room. As every AEAD, Seal and Open panic when the nonce has
// not NonceSize bytes, which is a block, when the output overlaps the input without
// being at the same place, and when it overlaps the associated data.
//
// A nonce must never repeat for a key: whoever sees two messages with one nonce can
// forge others. Its upper bit must be clear. The message, which may be empty, and the
// associated data, which may be empty, must not be both empty, and must have together
// less than 2^29 bytes with blocks of 8 bytes, or 2^61 with blocks of 16: RFC 9058,
// Sections 4.1 and 6. Seal panics when these rules are broken; Open returns an error,
// since its arguments may come from somebody else.
//
// Open returns [ErrOpen] when the tag is wrong, after a comparison in constant time and
// before anything is decrypted, so that dst stays as it was.
//
// How many messages a key may protect follows from RFC 9058, Section 6: s blocks in q
// messages give an adversary an advantage of 3(s+4q)²/2ⁿ, where n is the bits of a
// block. With Magma that is 2^-10 after some 2^26 blocks, 512 MiB; protocols change
// keys much earlier.
func NewWithTagSize(b cipher.Block, tagSize int) (cipher.AEAD, error) {
	n := b.BlockSize()
	if n != 8 && n != 16 {
		return nil, errors.New("mgm: block size must be 8 or 16 bytes")
	}
	if tagSize < MinTagSize || tagSize > n {
		return nil, errors.New("mgm: tag size out of range")
	}
	return &mode{block: b, n: n, tagSize: tagSize}, nil
}

// NonceSize implements cipher.AEAD.
func (m *mode) NonceSize() int { return m.n }

// Overhead implements cipher.AEAD.
func (m *mode) Overhead() int { return m.tagSize }

// Seal implements cipher.AEAD and RFC 9058, Section 4.1.
func (m *mode) Seal(dst, nonce, plaintext, additionalData []byte) []byte {
	if err := m.check(nonce, len(plaintext), len(additionalData)); err != nil {
		panic(err.Error())
	}
	result, out := extend(dst, len(plaintext)+m.tagSize)
	checkOverlap(out, plaintext, additionalData)

	w := m.start(nonce, len(plaintext), len(additionalData))
	defer w.finish()
	w.absorb(additionalData)
	for len(plaintext) > 0 {
		size := min(len(plaintext), piece)
		w.crypt(out[:size], plaintext[:size])
		w.absorb(out[:size])
		out, plaintext = out[size:], plaintext[size:]
	}
	copy(out, w.tag()[:m.tagSize])
	return result
}

// Open implements cipher.AEAD and RFC 9058, Section 4.2.
func (m *mode) Open(dst, nonce, ciphertext, additionalData []byte) ([]byte, error) {
	size := len(ciphertext) - m.tagSize
	if err := m.check(nonce, max(size, 0), len(additionalData)); err != nil {
		return nil, err
	}
	if size < 0 {
		return nil, ErrOpen
	}
	result, out := extend(dst, size)
	checkOverlap(out, ciphertext, additionalData)

	w := m.start(nonce, size, len(additionalData))
	defer w.finish()
	sealed, tag := ciphertext[:size], ciphertext[size:]
	w.absorb(additionalData)
	w.absorb(sealed)
	if subtle.ConstantTimeCompare(w.tag()[:m.tagSize], tag) != 1 {
		return nil, ErrOpen
	}
	w.crypt(out, sealed)
	return result, nil
}

// check enforces the limits of RFC 9058, Section 4.1. A nonce of another length is a
// mistake of the caller, whoever sent the message.
func (m *mode) check(nonce []byte, text, additional int) error {
	if len(nonce) != m.n {
		panic("mgm: incorrect nonce length")
	}
	total := uint64(text) + uint64(additional)
	switch {
	case nonce[0]&0x80 != 0:
		return errNonce
	case total == 0:
		return errEmpty
	case total >= 1<<(4*m.n-3): // 2^(n/2) bits
		return errLarge
	}
	return nil
}
