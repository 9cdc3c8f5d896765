package account

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
)

// MinSecret is the shortest secret of a Sealer, in bytes.
const MinSecret = 32

// ErrSealed means that something sealed was changed, was sealed for another purpose, or by
// another secret.
var ErrSealed = errors.New("account: sealed with another secret, for another purpose, or changed")

// Sealer seals what must not be readable in a copy of the database: AES-256-GCM with a key of
// its own for every purpose, and HMAC-SHA-256 as pepper. It is safe for concurrent use; make
// it with NewSealer.
type Sealer struct{ secret []byte }

// NewSealer returns a Sealer with the secret, which is copied and must be at least MinSecret
// bytes long.
func NewSealer(secret []byte) (*Sealer, error) {
	if len(secret) < MinSecret {
		return nil, fmt.Errorf("account: the secret is %d bytes long, at least %d are needed", len(secret), MinSecret)
	}
	return &Sealer{append([]byte(nil), secret...)}, nil
}

// Seal encrypts data for a purpose, such as "totp", and for the thing that owner names, such
// as the ID of the account: moved to another row it does not open.
func (s *Sealer) Seal(purpose, owner string, data []byte) []byte {
	return s.aead(purpose).Seal(nil, nil, data, []byte(owner))
}

// Open is the inverse of Seal. The only error is ErrSealed.
func (s *Sealer) Open(purpose, owner string, sealed []byte) ([]byte, error) {
	data, err := s.aead(purpose).Open(nil, nil, sealed, []byte(owner))
	if err != nil {
		return nil, ErrSealed
	}
	return data, nil
}

// Pepper mixes a text with the secret, so that a copy of the database alone does not let
// anybody try out passwords and codes: HMAC-SHA-256, 32 bytes.
func (s *Sealer) Pepper(purpose, text string) [32]byte {
	mac := hmac.New(sha256.New, s.key("pepper "+purpose))
	mac.Write([]byte(text))
	return [32]byte(mac.Sum(nil))
}

func (s *Sealer) key(info string) []byte {
	key, err := hkdf.Key(sha256.New, s.secret, nil, "propusk accounts: "+info, 32)
	if err != nil {
		panic("account: " + err.Error()) // the length is fine
	}
	return key
}

func (s *Sealer) aead(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(s.key("seal " + purpose))
	if err != nil {
		panic("account: " + err.Error()) // the length is fine
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("account: " + err.Error()) // AES has the right block size
	}
	return aead
}
