package tokens

import (
	"slices"

	"propusk/gost/gost3410"
)

// misread says what is wrong with a signature that does not verify: the mistake that
// libraries make is another order of bytes, of the signature or of the digest, and who
// must have it mended wants to know which.
func misread(key *gost3410.PublicKey, digest, signature []byte) string {
	if want := 2 * key.Curve().Size(); len(signature) != want {
		return "it does not have the length of one"
	}
	half := len(signature) / 2
	reversed := func(b []byte) []byte {
		b = slices.Clone(b)
		slices.Reverse(b)
		return b
	}
	first, second := signature[:half], signature[half:]
	for _, s := range []struct {
		order string
		bytes []byte
	}{
		{"the signature is in order", signature},
		{"r comes before s", slices.Concat(second, first)},
		{"s and r are little-endian", slices.Concat(reversed(first), reversed(second))},
		{"r comes before s, both little-endian", reversed(signature)},
	} {
		if key.Verify(digest, s.bytes) {
			return "another order of bytes: " + s.order
		}
		if key.Verify(reversed(digest), s.bytes) {
			return "another order of bytes: " + s.order + ", and the digest was reversed"
		}
	}
	return "it is in no order of bytes a signature of this key"
}
