package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"propusk/server/level"
)

// Request is an authorization request that passed all checks: what a service
// asked for, and in which browser.
type Request struct {
	ClientID    string    `json:"c"`
	RedirectURI string    `json:"r"`
	Scopes      []string  `json:"s"`
	State       string    `json:"t"`
	Nonce       string    `json:"n"`
	Challenge   string    `json:"p"` // of PKCE, method S256
	Browser     [32]byte  `json:"b"` // SHA-256 of the browser's cookie
	Issued      time.Time `json:"i"`

	// Service is which of its services the client wants the person for; may be empty.
	Service string `json:"v,omitempty"`
	// Level is the least level that the client asked for; services may want more.
	Level level.Level `json:"l,omitempty"`
	// Since is the earliest moment at which the person may have proven who he is.
	Since time.Time `json:"f,omitzero"`
	// Subject is who the client thinks that the person is, by an identity token that it has;
	// empty if it does not say.
	Subject string `json:"u,omitempty"`
	// Path is where a request of the gateway itself ends, which has no client.
	Path string `json:"o,omitempty"`
}

// sealer turns requests, and what a browser is to bring back, into text that only it can
// read and nobody can change.
type sealer struct{ aead cipher.AEAD }

// sealedWhat is bound into the seal, so that no other text sealed with the same
// key passes for a request.
const sealedWhat = "propusk authorization request 1"

var errNotOpen = errors.New("oidc: the sealed text does not open")

// newSealer makes a sealer with a key of its own: requests do not survive a
// restart, and people start again from the service.
func newSealer() sealer {
	key := make([]byte, 32)
	rand.Read(key) // never fails: crypto/rand aborts the program instead
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("oidc: AES refuses a key of 32 bytes: " + err.Error())
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("oidc: GCM refuses AES: " + err.Error())
	}
	return sealer{aead}
}

// close returns the sealed request in base64url.
func (s sealer) close(r Request) string {
	plain, err := json.Marshal(r)
	if err != nil {
		panic("oidc: a request does not encode: " + err.Error())
	}
	return s.seal(sealedWhat, plain)
}

// seal returns sealed bytes in base64url. What they are is bound into the seal.
func (s sealer) seal(what string, plain []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(what)))
}

// unseal is the inverse of seal.
func (s sealer) unseal(what, text string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errNotOpen
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(what))
	if err != nil {
		return nil, errNotOpen
	}
	return plain, nil
}

// open returns the request, if this sealer closed it.
func (s sealer) open(text string) (Request, error) {
	plain, err := s.unseal(sealedWhat, text)
	if err != nil {
		return Request{}, err
	}
	var r Request
	if err := json.Unmarshal(plain, &r); err != nil {
		return Request{}, errNotOpen
	}
	return r, nil
}
