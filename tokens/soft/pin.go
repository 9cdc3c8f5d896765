package soft

import (
	"crypto/cipher"
	"crypto/rand"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"propusk/gost/kuznyechik"
	"propusk/gost/mgm"
)

// Role is who logs in.
type Role int

// The two roles of PKCS#11. The zero value is nobody.
const (
	User            Role = iota + 1 // uses keys
	SecurityOfficer                 // sets the PIN of the user, nothing else
)

// Lengths of a PIN, in bytes of UTF-8, and the tries that a new PIN has.
const (
	MinPIN   = 4
	MaxPIN   = 255
	MaxTries = 10
)

// The cost of a key from a PIN: the first choice of the OWASP cheat sheet for
// Argon2id. It is a part of version 1 of the format, so that a file cannot ask for
// gigabytes.
const (
	argonTime   = 2
	argonMemory = 19 << 10 // KiB
	argonLanes  = 1
)

const (
	keySize      = kuznyechik.KeySize
	saltSize     = 16
	nonceSize    = kuznyechik.BlockSize
	sealOverhead = nonceSize + kuznyechik.BlockSize // the nonce and the tag
)

// secret is what a role knows of the key of a token.
type secret struct {
	tries      int64 // left
	mustChange bool
	salt       [saltSize]byte
	sealed     [keySize + sealOverhead]byte
}

// newSecret seals the key of a token under a PIN.
func newSecret(role Role, serial, pin, key []byte) (*secret, error) {
	if len(pin) < MinPIN || len(pin) > MaxPIN || !utf8.Valid(pin) {
		return nil, ErrPINLength
	}
	s := &secret{tries: MaxTries}
	if _, err := rand.Read(s.salt[:]); err != nil {
		return nil, err
	}
	kek := argon2.IDKey(pin, s.salt[:], argonTime, argonMemory, argonLanes, keySize)
	defer clear(kek)
	sealed, err := seal(kek, key, s.aad(role, serial))
	if err != nil {
		return nil, err
	}
	copy(s.sealed[:], sealed)
	return s, nil
}

// open returns the key of the token; the error is ErrPIN.
func (s *secret) open(role Role, serial, pin []byte) ([]byte, error) {
	if len(pin) > MaxPIN {
		return nil, ErrPIN
	}
	kek := argon2.IDKey(pin, s.salt[:], argonTime, argonMemory, argonLanes, keySize)
	defer clear(kek)
	key, err := unseal(kek, s.sealed[:], s.aad(role, serial))
	if err != nil {
		return nil, ErrPIN
	}
	return key, nil
}

// aad keeps the secret of one role or token from being taken for another's.
func (s *secret) aad(role Role, serial []byte) []byte {
	return append([]byte{formatVersion, byte(role)}, serial...)
}

// seal returns nonce | ciphertext | tag of Kuznyechik-MGM. A key seals a few thousand
// messages at most, so that random nonces of 127 bits do not meet.
func seal(key, plain, aad []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, nonceSize, nonceSize+len(plain)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	nonce[0] &= 0x7f // RFC 9058, Section 4.1
	return aead.Seal(nonce, nonce, plain, aad), nil
}

// unseal is the inverse of seal.
func unseal(key, sealed, aad []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < sealOverhead {
		return nil, ErrFormat
	}
	return aead.Open(nil, sealed[:nonceSize], sealed[nonceSize:], aad)
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := kuznyechik.New(key)
	if err != nil {
		return nil, err
	}
	return mgm.New(block)
}
