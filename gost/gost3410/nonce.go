package gost3410

import (
	"crypto/hmac"
	"hash"

	"propusk/gost/gost3410/internal/scalar"
	"propusk/gost/streebog"
)

// nonceSource makes the nonces of one signature:
//
//	HMAC-Streebog, key: fresh randomness, message: d | e | attempt | curve
//
// with Streebog of the length of the curve, cut to the bits of q, until the number
// is in [1, q−1]. This is the hedging of RFC 6979, Section 3.6, with one HMAC in
// place of its generator. If the randomness is good, a nonce is uniform whatever
// the key, for numbers that are too great are rejected, not reduced. If it is known or repeats, a nonce is still a secret function of the
// key, another one for every e: two different signatures never share it. That is
// as far as the randomness may be known or even chosen by an attacker, for then the
// HMAC is Streebog with a prefix of fixed length that has the secret. The attempt is counted, so a rejected nonce never returns; the curve is there
// because the same key and digest on two curves must not meet the same nonce.
//
// Streebog is table-driven. The randomness goes in first, so that the table
// indices that depend on d are masked with a fresh secret.
type nonceSource struct {
	q       *scalar.Modulus
	mac     hash.Hash
	message []byte
	attempt int // where in message the attempt is, one byte
}

// newNonceSource returns the source for the key d and the hash number e. fresh is
// as long as a scalar.
func newNonceSource(c *Curve, d, e scalar.Nat, fresh []byte) *nonceSource {
	newHash := streebog.New256
	if c.Size() == streebog.Size512 {
		newHash = streebog.New512
	}
	size := c.Size()
	message := make([]byte, 2*size+1+len(c.name))
	c.order.PutLittleEndian(message[:size], d)
	c.order.PutLittleEndian(message[size:2*size], e)
	copy(message[2*size+1:], c.name)
	return &nonceSource{q: c.order, mac: hmac.New(newHash, fresh), message: message, attempt: 2 * size}
}

// wipe overwrites the key. The state of the HMAC holds the key too, but only
// compressed together with the randomness.
func (s *nonceSource) wipe() { clear(s.message) }

// next returns a nonce in [1, q−1], another one every time, and false after 255
// attempts, which a source of nonces never needs.
func (s *nonceSource) next() (scalar.Nat, bool) {
	for s.message[s.attempt] < 255 {
		s.message[s.attempt]++
		s.mac.Reset()
		s.mac.Write(s.message)
		n := s.q.Truncate(s.q.FromLittleEndian(s.mac.Sum(nil)))
		if inRange(s.q, n) {
			return n, true
		}
	}
	return scalar.Nat{}, false
}
