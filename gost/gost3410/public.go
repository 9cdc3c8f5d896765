package gost3410

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"slices"

	"propusk/gost/gost3410/internal/scalar"
)

// PublicKey is a point of the prime-order subgroup of a curve, not infinity: the
// only way to a useful one is [NewPublicKey] or a private key. The zero value
// verifies nothing. A PublicKey does not change and is safe for concurrent use.
type PublicKey struct {
	curve *Curve
	raw   []byte
}

// NewPublicKey returns the key with the coordinates LE(x)|LE(y), raw, of 64 or
// 128 bytes, which are copied. It refuses coordinates that are not below p, points
// off the curve and, on the curves with cofactor 4, points outside the subgroup:
// with those a peer could learn about the private key it agrees with. The error is
// [ErrPublicKey].
func NewPublicKey(c *Curve, raw []byte) (*PublicKey, error) {
	if !c.known() || len(raw) != 2*c.Size() || !c.group.Check(raw) {
		return nil, ErrPublicKey
	}
	return &PublicKey{c, bytes.Clone(raw)}, nil
}

// Bytes returns LE(x)|LE(y), a fresh copy of 64 or 128 bytes.
func (k *PublicKey) Bytes() []byte { return bytes.Clone(k.raw) }

// Curve returns the curve of the key.
func (k *PublicKey) Curve() *Curve { return k.curve }

// Equal reports whether x is a *PublicKey of the same curve and the same point.
func (k *PublicKey) Equal(x crypto.PublicKey) bool {
	other, ok := x.(*PublicKey)
	if !ok || k == nil || other == nil {
		return false
	}
	return k.curve == other.curve && bytes.Equal(k.raw, other.raw)
}

// Verify reports whether sig = BE(s)|BE(r) is the signature of the digest by this
// key. A digest or a signature of the wrong length is no signature.
//
// RFC 7091, Section 6.2.
func (k *PublicKey) Verify(digest, sig []byte) bool {
	n, ok := k.parse(digest, sig)
	if !ok {
		return false
	}
	z1, z2 := n.scalars(k.curve.order, k.curve.order.InverseVartime(n.e))
	return k.curve.verifyX(n.r, z1, z2, k.raw)
}

// numbers are what a verification starts from.
type numbers struct{ r, s, e scalar.Nat }

// parse returns the numbers of a digest and a signature, and false if they, or the
// key, are none: then the signature is refused. RFC 7091, Section 6.2, Steps 1 to 3.
func (k *PublicKey) parse(digest, sig []byte) (n numbers, ok bool) {
	if k == nil || k.curve == nil {
		return n, false
	}
	q, size := k.curve.order, k.curve.Size()
	if len(digest) != size || len(sig) != 2*size {
		return n, false
	}
	n.s, n.r = bigEndian(sig[:size]), bigEndian(sig[size:])
	n.e = hashNumber(q, digest)
	return n, inRange(q, n.s) && inRange(q, n.r)
}

// scalars returns z₁ and z₂, for v = 1/e: the signature is good if x(z₁·G + z₂·Q) is
// r modulo the order. RFC 7091, Section 6.2, Steps 4 to 7.
func (n *numbers) scalars(q *scalar.Modulus, v scalar.Nat) (z1, z2 scalar.Nat) {
	return q.Mul(n.s, v), q.Neg(q.Mul(n.r, v))
}

// hashNumber returns the number e of a digest: the digest modulo q, or 1 if that
// is zero. RFC 7091, Section 6.1, Step 2.
func hashNumber(q *scalar.Modulus, digest []byte) scalar.Nat {
	e := q.Reduce(q.FromLittleEndian(digest))
	e[0] |= scalar.IsZero(e)
	return e
}

// inRange reports whether 0 < x < q.
func inRange(q *scalar.Modulus, x scalar.Nat) bool {
	return q.Below(x)&^scalar.IsZero(x) == 1
}

// bigEndian reads a number of 32 or 64 bytes.
func bigEndian(b []byte) (x scalar.Nat) {
	for i := range len(b) / 8 {
		x[i] = binary.BigEndian.Uint64(b[len(b)-8*i-8:])
	}
	return x
}

// putBigEndian writes a number of the size of q.
func putBigEndian(q *scalar.Modulus, b []byte, x scalar.Nat) {
	n := copy(b, q.LittleEndian(x))
	slices.Reverse(b[:n])
}
