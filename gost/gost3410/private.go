package gost3410

import (
	"crypto"
	cryptorand "crypto/rand"
	"fmt"
	"io"
	"runtime"
	"slices"

	"propusk/gost/gost3410/internal/scalar"
)

// PrivateKey is a number in [1, q−1] with its public key; the only way to a useful
// one is [NewPrivateKey] or [GenerateKey], the zero value signs nothing. It
// implements [crypto.Signer], prints without its secret, does not change and is
// safe for concurrent use.
//
// The number is overwritten when the garbage collector finds that no copy of the
// key is left.
type PrivateKey struct {
	public *PublicKey
	secret *secret
}

// secret is the number d of a private key. fmt follows no pointer inside a struct,
// so even a PrivateKey printed by value, where Format is out of reach, shows
// addresses only.
type secret struct{ d *scalar.Nat }

// newSecret returns the secret d, which is zeroed after the last use of it.
func newSecret(d scalar.Nat) *secret {
	s := &secret{&d}
	runtime.AddCleanup(s, func(d *scalar.Nat) { clear(d[:]) }, s.d)
	return s
}

// value returns d.
func (s *secret) value() scalar.Nat {
	d := *s.d
	runtime.KeepAlive(s) // or it could be zeroed before it is copied
	return d
}

// NewPrivateKey returns the private key LE(d), raw, of 32 or 64 bytes, and
// computes its public key. d must be in [1, q−1]. The error is [ErrPrivateKey].
func NewPrivateKey(c *Curve, raw []byte) (*PrivateKey, error) {
	if !c.known() || len(raw) != c.Size() {
		return nil, ErrPrivateKey
	}
	d := c.order.FromLittleEndian(raw)
	if !inRange(c.order, d) {
		return nil, ErrPrivateKey
	}
	return newPrivateKey(c, d), nil
}

// NewMaskedPrivateKey returns the private key m₀·m₁·… modulo q, for raw =
// LE(m₀)|LE(m₁)|…, a multiple of 32 or 64 bytes: the form in which some programs
// keep keys, one factor being the masked key and the others the masks. Without a
// mask it is [NewPrivateKey]. A factor may be any number, but the product must not
// be zero. The error is [ErrPrivateKey].
func NewMaskedPrivateKey(c *Curve, raw []byte) (*PrivateKey, error) {
	if !c.known() || len(raw) <= c.Size() {
		return NewPrivateKey(c, raw)
	}
	if len(raw)%c.Size() != 0 {
		return nil, ErrPrivateKey
	}
	d := scalar.Nat{1}
	for factor := range slices.Chunk(raw, c.Size()) {
		d = c.order.Mul(c.order.FromLittleEndian(factor), d)
	}
	if !inRange(c.order, d) {
		return nil, ErrPrivateKey
	}
	return newPrivateKey(c, d), nil
}

// newPrivateKey wants d in [1, q−1].
func newPrivateKey(c *Curve, d scalar.Nat) *PrivateKey {
	xy, ok := c.baseMult(d)
	if !ok {
		panic("gost3410: the public key of a valid private key is infinity")
	}
	return &PrivateKey{&PublicKey{c, xy}, newSecret(d)}
}

// candidates is how many random numbers are tried for one below q. Even on the
// curves where only every second one is, a working source never fails so often.
const candidates = 200

// GenerateKey returns a new key, uniform in [1, q−1], from the given source of
// randomness; nil means crypto/rand.Reader. The error is that of the source,
// [ErrRandom] when it keeps giving numbers that cannot be used, or [ErrParamSet]
// without a curve.
func GenerateKey(c *Curve, rand io.Reader) (*PrivateKey, error) {
	if !c.known() {
		return nil, ErrParamSet
	}
	if rand == nil {
		rand = cryptorand.Reader
	}
	b := make([]byte, c.Size())
	defer clear(b)
	for range candidates {
		if _, err := io.ReadFull(rand, b); err != nil {
			return nil, fmt.Errorf("generate a GOST key: %w", err)
		}
		if d := c.order.Truncate(c.order.FromLittleEndian(b)); inRange(c.order, d) {
			return newPrivateKey(c, d), nil
		}
	}
	return nil, ErrRandom
}

// Public returns the public key, a *PublicKey.
func (k *PrivateKey) Public() crypto.PublicKey { return k.public }

// PublicKey returns the public key.
func (k *PrivateKey) PublicKey() *PublicKey { return k.public }

// Bytes returns LE(d), 32 or 64 bytes: the secret itself.
func (k *PrivateKey) Bytes() []byte { return k.public.curve.order.LittleEndian(k.secret.value()) }

// usable reports whether k was made by this package, not by new.
func (k *PrivateKey) usable() bool { return k != nil && k.public != nil }

// Equal reports whether x is a *PrivateKey of the same curve and number, in
// constant time.
func (k *PrivateKey) Equal(x crypto.PrivateKey) bool {
	other, ok := x.(*PrivateKey)
	if !ok || !k.usable() || !other.usable() || k.public.curve != other.public.curve {
		return false
	}
	difference, d := k.secret.value(), other.secret.value()
	for i := range difference {
		difference[i] ^= d[i]
	}
	return scalar.IsZero(difference) == 1
}

// Format implements [fmt.Formatter]: whatever the verb, the number is not printed.
func (k *PrivateKey) Format(f fmt.State, _ rune) {
	name := "none"
	if k.usable() {
		name = k.public.curve.name
	}
	fmt.Fprintf(f, "gost3410.PrivateKey(%s)", name)
}

// Sign returns the signature BE(s)|BE(r) of a digest of [Curve.Size] bytes. rand
// is mixed into the nonce; nil means crypto/rand.Reader. opts is not used and may
// be nil: the length of the digest is all that matters.
//
// The nonce also depends on the key and the digest, so that a rand that repeats
// itself or is known does not give the key away.
//
// The errors are [ErrDigest], those of rand, [ErrPrivateKey] for the zero value,
// and, never in practice, [ErrRandom].
func (k *PrivateKey) Sign(rand io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	if !k.usable() {
		return nil, ErrPrivateKey
	}
	c := k.public.curve
	if len(digest) != c.Size() {
		return nil, ErrDigest
	}
	if rand == nil {
		rand = cryptorand.Reader
	}
	fresh := make([]byte, c.Size())
	if _, err := io.ReadFull(rand, fresh); err != nil {
		return nil, fmt.Errorf("randomness for a GOST signature: %w", err)
	}
	d, e := k.secret.value(), hashNumber(c.order, digest)
	nonces := newNonceSource(c, d, e, fresh)
	defer nonces.wipe()
	for {
		n, ok := nonces.next()
		if !ok {
			return nil, ErrRandom
		}
		if sig, ok := c.sign(d, e, n); ok {
			return sig, nil
		}
	}
}

// sign returns the signature of e with the nonce n, or false if another nonce is
// needed. RFC 7091, Section 6.1, Steps 4 to 6.
func (c *Curve) sign(d, e, n scalar.Nat) ([]byte, bool) {
	q := c.order
	xy, ok := c.baseMult(n)
	if !ok {
		panic("gost3410: a nonce in range gave infinity")
	}
	r := q.Reduce(q.FromLittleEndian(xy[:c.Size()]))
	s := q.Add(q.Mul(r, d), q.Mul(n, e))
	if scalar.IsZero(r)|scalar.IsZero(s) == 1 {
		return nil, false
	}
	sig := make([]byte, 2*c.Size())
	putBigEndian(q, sig[:c.Size()], s)
	putBigEndian(q, sig[c.Size():], r)
	return sig, true
}

// SharedPoint returns LE(x)|LE(y) of the point ((h·ukm·d) mod q)·Q of RFC 7836,
// Section 4.3, where h is the cofactor m/q and Q the peer's key. ukm is
// little-endian, at most [Curve.Size] bytes, and must not be zero modulo q. Hash
// the result before use: see package vko.
//
// The cofactor is reduced away with the rest of the scalar, so it does not protect
// from points outside the subgroup; that no [PublicKey] is one does.
//
// The error is [ErrAgreement], or [ErrPrivateKey] for the zero value.
func (k *PrivateKey) SharedPoint(peer *PublicKey, ukm []byte) ([]byte, error) {
	if !k.usable() {
		return nil, ErrPrivateKey
	}
	c := k.public.curve
	if peer == nil || peer.curve != c || len(ukm) > c.Size() {
		return nil, ErrAgreement
	}
	q := c.order
	var padded [64]byte
	copy(padded[:], ukm)
	n := q.Mul(q.FromLittleEndian(padded[:c.Size()]), k.secret.value())
	n = q.Mul(n, scalar.Nat{uint64(c.cofactor)})
	xy, ok := c.mult(n, peer.raw)
	if !ok {
		return nil, ErrAgreement
	}
	return xy, nil
}
