package gost3410

import (
	"bytes"
	"crypto/rand"
	"slices"
	"testing"

	gogost "github.com/ddulesov/gogost/gost3410"
)

func BenchmarkVerify(b *testing.B) {
	for _, c := range allCurves {
		key, digest, sig := benchmarkKey(b, c)
		public := key.PublicKey()
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !public.Verify(digest, sig) {
					b.Fatal("refused")
				}
			}
		})
		theirs := gogostPublic(b, public)
		reversed := bytes.Clone(digest)
		slices.Reverse(reversed)
		b.Run(c.name+"-gogost", func(b *testing.B) {
			for b.Loop() {
				if ok, err := theirs.VerifyDigest(reversed, sig); !ok || err != nil {
					b.Fatal("refused", err)
				}
			}
		})
	}
}

// BenchmarkKeyCache: verification with the table of the key, and making the table.
func BenchmarkKeyCache(b *testing.B) {
	for _, c := range allCurves {
		key, digest, sig := benchmarkKey(b, c)
		public, cache := key.PublicKey(), NewKeyCache(1)
		for range tableAfter {
			cache.Verify(public, digest, sig)
		}
		b.Run("Verify/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !cache.Verify(public, digest, sig) {
					b.Fatal("refused")
				}
			}
		})
		b.Run("NewTable/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.newTable(public.raw)
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	for _, c := range allCurves {
		key, digest, _ := benchmarkKey(b, c)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := key.Sign(nil, digest, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		theirs := gogostPrivate(b, key)
		b.Run(c.name+"-gogost", func(b *testing.B) {
			for b.Loop() {
				if _, err := theirs.SignDigest(digest, rand.Reader); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSharedPoint(b *testing.B) {
	ukm := bytes.Repeat([]byte{7}, 16)
	for _, c := range allCurves {
		key, _, _ := benchmarkKey(b, c)
		peer, _, _ := benchmarkKey(b, c)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := key.SharedPoint(peer.PublicKey(), ukm); err != nil {
					b.Fatal(err)
				}
			}
		})
		theirs, theirPeer := gogostPrivate(b, key), gogostPublic(b, peer.PublicKey())
		b.Run(c.name+"-gogost", func(b *testing.B) {
			for b.Loop() {
				if _, err := theirs.KEK(theirPeer, gogost.NewUKM(ukm)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewPublicKey(b *testing.B) {
	for _, c := range allCurves {
		key, _, _ := benchmarkKey(b, c)
		raw := key.PublicKey().Bytes()
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := NewPublicKey(c, raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchmarkKey returns a key with a digest and its signature; the tables of the
// base point are made.
func benchmarkKey(b *testing.B, c *Curve) (key *PrivateKey, digest, sig []byte) {
	b.Helper()
	key, err := GenerateKey(c, nil)
	if err != nil {
		b.Fatal(err)
	}
	digest = digestFor(c, []byte("benchmark"))
	if sig, err = key.Sign(nil, digest, nil); err != nil {
		b.Fatal(err)
	}
	if !key.PublicKey().Verify(digest, sig) {
		b.Fatal("refused")
	}
	return key, digest, sig
}
