package conformance

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/vko"
	"propusk/tokens"
	"propusk/tokens/soft/softtest"
)

// ParamSets returns one name of each of the seven curves.
func ParamSets() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{
		{1, 2, 643, 7, 1, 2, 1, 1, 1}, // TC26 256 A
		{1, 2, 643, 2, 2, 35, 1},      // CryptoPro A
		{1, 2, 643, 2, 2, 35, 2},      // CryptoPro B
		{1, 2, 643, 2, 2, 35, 3},      // CryptoPro C
		{1, 2, 643, 7, 1, 2, 1, 2, 1}, // TC26 512 A
		{1, 2, 643, 7, 1, 2, 1, 2, 2},
		{1, 2, 643, 7, 1, 2, 1, 2, 3},
	}
}

// NewKey makes a key of a parameter set.
func NewKey(t testing.TB, set asn1.ObjectIdentifier) *gost3410.PrivateKey {
	t.Helper()
	curve, err := gost3410.CurveByParamSet(set)
	if err != nil {
		t.Fatal(err)
	}
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// verify lets the token verify signatures of keys that are not its own, without a PIN:
// right ones, and everything that is not quite one.
func verify(t *testing.T, b Backend) {
	s, err := b.find(t).Public()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, set := range ParamSets() {
		key := NewKey(t, set)
		size := key.PublicKey().Curve().Size()
		digest := softtest.Digest(size, []byte(set.String()))
		signature, err := key.Sign(nil, digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		good, err := s.Verify(key.PublicKey(), digest, signature)
		if !slices.ContainsFunc(b.Curves, set.Equal) {
			if good {
				t.Errorf("%s: verified, and the token cannot", set)
			}
			refused(t, "verification with "+set.String(), err)
			continue
		}
		if err != nil || !good {
			t.Errorf("%s: %v, %v", set, good, err)
		}
		refuseSignatures(t, s, key, digest, signature)
	}
}

// wrong is something that is not the signature of a digest by a key.
type wrong struct {
	what              string
	digest, signature []byte
	length            bool // of another length: an error will do
}

// wrongs are the classes of wrong signatures; of bits, one of each byte.
func wrongs(digest, signature []byte) []wrong {
	flip := func(b []byte, i int) []byte {
		b = slices.Clone(b)
		b[i] ^= 1 << (i % 8)
		return b
	}
	half := len(signature) / 2
	reversed := slices.Clone(signature)
	slices.Reverse(reversed)
	zero := make([]byte, half)
	ones := slices.Repeat([]byte{0xFF}, half)
	all := []wrong{
		{"r before s", digest, slices.Concat(signature[half:], signature[:half]), false},
		{"reversed", digest, reversed, false},
		{"s is 0", digest, slices.Concat(zero, signature[half:]), false},
		{"r is 0", digest, slices.Concat(signature[:half], zero), false},
		{"zeros", digest, slices.Concat(zero, zero), false},
		{"s is too large", digest, slices.Concat(ones, signature[half:]), false},
		{"r is too large", digest, slices.Concat(signature[:half], ones), false},
		{"ones", digest, slices.Concat(ones, ones), false},
		{"no digest", nil, signature, true},
		{"short digest", digest[1:], signature, true},
		{"long digest", append(slices.Clone(digest), 0), signature, true},
		{"no signature", digest, nil, true},
		{"short signature", digest, signature[1:], true},
		{"long signature", digest, append(slices.Clone(signature), 0), true},
		{"two signatures", digest, slices.Concat(signature, signature), true},
	}
	for i := range digest {
		all = append(all, wrong{fmt.Sprintf("byte %d of the digest", i), flip(digest, i), signature, false})
	}
	for i := range signature {
		all = append(all, wrong{fmt.Sprintf("byte %d of the signature", i), digest, flip(signature, i), false})
	}
	return all
}

func refuseSignatures(t *testing.T, s *tokens.Session, key *gost3410.PrivateKey, digest, signature []byte) {
	t.Helper()
	name := key.PublicKey().Curve().Name()
	for _, w := range wrongs(digest, signature) {
		good, err := s.Verify(key.PublicKey(), w.digest, w.signature)
		if good || err != nil && !w.length {
			t.Errorf("%s, %s: %v, %v", name, w.what, good, err)
		}
	}
	other, err := gost3410.GenerateKey(key.PublicKey().Curve(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if good, err := s.Verify(other.PublicKey(), digest, signature); good || err != nil {
		t.Errorf("%s, another key: %v, %v", name, good, err)
	}
	if good, err := s.Verify(key.PublicKey(), digest, signature); !good || err != nil {
		t.Errorf("%s, after all the wrong ones: %v, %v", name, good, err)
	}
}

// agree lets every key agree with another, which computes the same by itself.
func agree(t *testing.T, b Backend) {
	ukm := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	hash := softtest.Digest(32, []byte("client and server random"))
	b.each(t, func(k *tokens.Key, want Key) {
		peer := NewKey(t, want.ParamSet)
		got, err := k.VKO256(peer.PublicKey(), ukm)
		agreed(t, "VKO", b.VKO, got, err, func() ([]byte, error) { return vko.VKO256(peer, want.Public, ukm) })
		got, err = k.KEG(peer.PublicKey(), hash)
		agreed(t, "KEG", b.KEG, got, err, func() ([]byte, error) { return vko.KEG(peer, want.Public, hash) })
		// A key of another curve is none to agree with.
		foreign := NewKey(t, asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 3})
		if want.Public.Curve() == foreign.PublicKey().Curve() {
			foreign = NewKey(t, asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 2})
		}
		if got, err := k.VKO256(foreign.PublicKey(), ukm); got != nil || err == nil {
			t.Errorf("agreed with a key of another curve: %x", got)
		}
		if got, err := k.KEG(peer.PublicKey(), hash[1:]); got != nil || err == nil {
			t.Errorf("KEG over 31 bytes: %x", got)
		}
	})
}

// agreed compares what a token agreed on with what the other side has.
func agreed(t *testing.T, what string, can bool, got []byte, err error, other func() ([]byte, error)) {
	t.Helper()
	if !can {
		if got != nil {
			t.Errorf("%s: %x, and the token cannot", what, got)
		}
		refused(t, what, err)
		return
	}
	want, oerr := other()
	if err != nil || oerr != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %x, %v; want %x, %v", what, got, err, want, oerr)
	}
}
