package gost3410

import (
	"bytes"
	"errors"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"testing"

	gogost "github.com/ddulesov/gogost/gost3410"

	"propusk/gost/gost3410/internal/adx"
	"propusk/gost/gost3410/internal/ifma"
)

// FuzzGogost compares everything that gogost has too, on all curves and on the paths
// that the fuzzer picks: public keys, signatures in both directions, decisions about
// changed ones, and shared points.
func FuzzGogost(f *testing.F) {
	ones := bytes.Repeat([]byte{0xff}, 64)
	for i := range allCurves {
		f.Add(byte(i), byte(i), []byte{1}, []byte("key"), []byte("digest"), []byte(nil), []byte{1})
		f.Add(byte(i), byte(i+1), ones, []byte{2}, []byte(nil), append(make([]byte, 40), 1), ones)
	}
	refs := references(f)
	f.Fuzz(func(t *testing.T, n, path byte, d, peer, digest, change, ukm []byte) {
		defer func(a, i bool) { adx.Enabled, ifma.Enabled = a, i }(adx.Enabled, ifma.Enabled)
		adx.Enabled, ifma.Enabled = adx.Available() && path&1 == 0, ifma.Available() && path&2 == 0
		c := fuzzCurve(n)
		ours, peerKey := fuzzPrivate(t, c, d), fuzzPrivate(t, c, peer)
		theirs := gogostPrivate(t, ours)
		theirPublic, err := theirs.PublicKey()
		if err != nil || !bytes.Equal(theirPublic.Raw(), ours.PublicKey().Bytes()) {
			t.Fatalf("%s: key %x: public key %x, gogost says %x, %v", c, ours.Bytes(), ours.PublicKey().Bytes(), theirPublic.Raw(), err)
		}
		digest = append(bytes.Clone(digest), make([]byte, c.Size())...)[:c.Size()]
		sig := gogostBothWays(t, ours, theirs, theirPublic, digest)
		xor(sig, change)
		xor(digest, ukm)
		gogostDecision(t, refs[c.name], ours.PublicKey(), theirPublic, digest, sig)
		gogostShared(t, ours, theirs, peerKey.PublicKey(), ukm)
	})
}

// fuzzPrivate makes a key of what the fuzzer likes.
func fuzzPrivate(t *testing.T, c *Curve, b []byte) *PrivateKey {
	t.Helper()
	raw := append(bytes.Clone(b), make([]byte, c.Size())...)[:c.Size()]
	k, err := NewPrivateKey(c, c.order.LittleEndian(c.order.Truncate(c.order.FromLittleEndian(raw))))
	if err != nil {
		t.Skip() // zero, or not below q
	}
	return k
}

// gogostBothWays signs with one implementation and verifies with the other, and
// returns a good signature.
func gogostBothWays(t *testing.T, ours *PrivateKey, theirs *gogost.PrivateKey, theirPublic *gogost.PublicKey, digest []byte) []byte {
	t.Helper()
	random := mathrand.NewChaCha8([32]byte(append(bytes.Clone(digest), make([]byte, 32)...)))
	reversed := bytes.Clone(digest)
	slices.Reverse(reversed) // gogost reads digests as big-endian numbers
	sig, err := theirs.SignDigest(reversed, random)
	public, c := ours.PublicKey(), ours.PublicKey().Curve()
	if err != nil || !public.Verify(digest, sig) || !slices.Equal(VerifyMany(nil, []Signed{{public, digest, sig}}), []bool{true}) {
		t.Fatalf("%s, key %x, digest %x: we refuse gogost's signature %x: %v", c, ours.Bytes(), digest, sig, err)
	}
	if sig, err = ours.Sign(random, digest, nil); err != nil {
		t.Fatal(err)
	}
	if ok, err := theirPublic.VerifyDigest(reversed, sig); !ok || err != nil {
		t.Fatalf("%s, key %x, digest %x: gogost refuses our signature %x: %v", c, ours.Bytes(), digest, sig, err)
	}
	return sig
}

// gogostDecision compares what both say about a signature that may be bad. Where they
// differ, gogost may have met equal points, which it does not double; then the
// reference decides.
func gogostDecision(t *testing.T, ref *reference, ours *PublicKey, theirs *gogost.PublicKey, digest, sig []byte) {
	t.Helper()
	reversed := bytes.Clone(digest)
	slices.Reverse(reversed)
	want, err := theirs.VerifyDigest(reversed, sig)
	if err != nil {
		t.Fatal(err)
	}
	got := ours.Verify(digest, sig)
	claim := Signed{ours, digest, sig}
	if many := VerifyMany(nil, []Signed{claim, {ours, digest, make([]byte, len(sig))}, claim}); !slices.Equal(many, []bool{got, false, got}) {
		t.Fatalf("%s, key %x, digest %x, signature %x: %v, among others %v", ours.curve, ours.raw, digest, sig, got, many)
	}
	if got == want {
		return
	}
	if n, ok := ours.parse(digest, sig); ok {
		q := ours.curve.order
		z1, z2 := n.scalars(q, q.InverseVartime(n.e))
		p1, p2 := ref.mult(bigNat(z1), ref.base()), ref.mult(bigNat(z2), ref.decode(ours.raw))
		if p1.x.Cmp(p2.x) == 0 && got == ref.VerifyX(n.r, z1, z2, ours.raw) {
			return
		}
	}
	t.Fatalf("%s, key %x, digest %x, signature %x: %v, gogost says %v", ours.curve, ours.raw, digest, sig, got, want)
}

// gogostShared compares shared points. gogost leaves the cofactor out, and goes wrong
// where a factor is not below q.
func gogostShared(t *testing.T, ours *PrivateKey, theirs *gogost.PrivateKey, peer *PublicKey, ukm []byte) {
	t.Helper()
	c := peer.curve
	got, err := ours.SharedPoint(peer, ukm)
	factor := new(big.Int).Mul(gogost.NewUKM(ukm), big.NewInt(int64(c.cofactor)))
	factor.Mod(factor, bigNat(c.order.Order()))
	if len(ukm) > c.Size() || factor.Sign() == 0 {
		if got != nil || !errors.Is(err, ErrAgreement) {
			t.Fatalf("%s: UKM %x: %x, %v", c, ukm, got, err)
		}
		return
	}
	want, errGogost := theirs.KEK(gogostPublic(t, peer), factor)
	if errGogost != nil {
		t.Fatal(errGogost)
	}
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s, key %x, peer %x, UKM %x: %x, %v; gogost says %x", c, ours.Bytes(), peer.raw, ukm, got, err, want)
	}
}
