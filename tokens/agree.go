package tokens

import (
	"propusk/gost/gost3410"
	"propusk/pki/reason"
)

// SetSignaturePIN says how the PIN of signatures is asked for.
func (k *Key) SetSignaturePIN(ask func() ([]byte, error)) { k.askPIN = ask }

// VKO256 agrees on a key of 32 bytes inside the token.
func (k *Key) VKO256(peer *gost3410.PublicKey, ukm []byte) ([]byte, error) {
	return nil, reason.Errorf(reason.TokenFailed, "%d bytes of UKM", len(ukm))
}

// KEG agrees on 64 bytes of keys inside the token (RFC 9189, 8.3.1).
func (k *Key) KEG(peer *gost3410.PublicKey, h []byte) ([]byte, error) {
	return nil, reason.Errorf(reason.TokenFailed, "%d bytes of hash", len(h))
}

// Verify reports whether a signature of a digest is that of a public key, as the token
// finds.
func (s *Session) Verify(pub *gost3410.PublicKey, digest, signature []byte) (bool, error) {
	return false, reason.Errorf(reason.TokenFailed, "%d bytes", len(digest)+len(signature))
}

// Public opens a session without a PIN: for public objects and verification.
func (t *Token) Public() (*Session, error) {
	s := &Session{token: t}
	err := t.module.do(func(lib library) (err error) {
		s.handle, err = lib.open(t.slot, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// TriesLeft returns how many wrong PINs the token takes before it locks, and whether
// that is known.
func (t *Token) TriesLeft() (int, bool) { return t.info.tries, t.info.triesKnown }
