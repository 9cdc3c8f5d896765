package gost3410

import (
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
// the key, for numbers that are too great are rejected, not reduced. If it is known
// or repeats, a nonce is still a secret function of the key, another one for every e:
// two different signatures never share it. That is as far as the randomness may be
// known or even chosen by an attacker, for then the HMAC is Streebog with a prefix of
// fixed length that has the secret. The attempt is counted, so a rejected nonce never
// returns; the curve is there because the same key and digest on two curves must not
// meet the same nonce.
//
// Streebog is table-driven where it has no assembly. The randomness goes in first, so
// that the table indices that depend on d are masked with a fresh secret.
//
// HMAC is written out over memory that can be overwritten. Nobody can do that with the
// state that a hash.Hash keeps: in that of Streebog is the sum of all blocks, so that the
// randomness alone masks d.
type nonceSource struct {
	q       *scalar.Modulus
	inner   []byte // what is hashed first: the masked randomness, and the message
	outer   []byte // what is hashed then: the same with another mask, and the first hash
	attempt int    // where in inner the attempt is, one byte
}

// The masks of HMAC (RFC 2104, Section 2).
const innerMask, outerMask = 0x36, 0x5c

// newNonceSource returns the source for the key d and the hash number e. fresh is
// as long as a scalar, and overwritten.
func newNonceSource(c *Curve, d, e scalar.Nat, fresh []byte) *nonceSource {
	const start = streebog.BlockSize
	size := c.Size()
	memory := make([]byte, start+2*size+1+len(c.name)+start+size)
	last := len(memory) - start - size
	s := &nonceSource{q: c.order, inner: memory[:last], outer: memory[last:], attempt: start + 2*size}
	copy(s.inner[:start], fresh)
	copy(s.outer[:start], fresh)
	clear(fresh)
	for i := range start {
		s.inner[i] ^= innerMask
		s.outer[i] ^= outerMask
	}
	c.order.PutLittleEndian(s.inner[start:start+size], d)
	c.order.PutLittleEndian(s.inner[start+size:s.attempt], e)
	copy(s.inner[s.attempt+1:], c.name)
	return s
}

// wipe overwrites the key, the randomness, and what the nonces were made of.
func (s *nonceSource) wipe() {
	clear(s.inner)
	clear(s.outer)
}

// next returns a nonce in [1, q−1], another one every time, and false after 255
// attempts, which a source of nonces never needs.
func (s *nonceSource) next() (scalar.Nat, bool) {
	for s.inner[s.attempt] < 255 {
		s.inner[s.attempt]++
		if n := s.q.Truncate(s.mac()); inRange(s.q, n) {
			return n, true
		}
	}
	return scalar.Nat{}, false
}

// mac returns the HMAC of the message as a number.
func (s *nonceSource) mac() scalar.Nat {
	first := s.outer[streebog.BlockSize:]
	if len(first) == streebog.Size256 {
		sum := streebog.Sum256(s.inner)
		copy(first, sum[:])
		sum = streebog.Sum256(s.outer)
		return s.q.FromLittleEndian(sum[:])
	}
	sum := streebog.Sum512(s.inner)
	copy(first, sum[:])
	sum = streebog.Sum512(s.outer)
	return s.q.FromLittleEndian(sum[:])
}
