package gost3410

import (
	"bytes"
	mathrand "math/rand/v2"
	"slices"
	"testing"
)

// TestVerifyMany: a batch of good and bad signatures, of all curves, gets the answers
// that its members get alone.
func TestVerifyMany(t *testing.T) { onEveryPath(t, testVerifyMany) }

func testVerifyMany(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(11, 11))
	var batch []Signed
	var want []bool
	add := func(k *PublicKey, digest, sig []byte, good bool) {
		batch, want = append(batch, Signed{k, digest, sig}), append(want, good)
	}
	for i, c := range allCurves {
		key, err := GenerateKey(c, testRandom(byte(60+i)))
		if err != nil {
			t.Fatal(err)
		}
		for j := range byte(5) {
			digest := digestFor(c, []byte{j})
			if j == 0 {
				clear(digest) // counts as 1
			}
			sig, err := key.Sign(nil, digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			bad := bytes.Clone(sig)
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			add(key.PublicKey(), digest, sig, true)
			add(key.PublicKey(), digest, bad, false)
			add(key.PublicKey(), digest[1:], sig, false)
			add(key.PublicKey(), digest, make([]byte, len(sig)), false)
			add(nil, digest, sig, false)
			add(new(PublicKey), digest, sig, false)
		}
	}
	r.Shuffle(len(batch), func(i, j int) {
		batch[i], batch[j] = batch[j], batch[i]
		want[i], want[j] = want[j], want[i]
	})
	for _, cache := range []*KeyCache{nil, NewKeyCache(0), NewKeyCache(100)} {
		for range 2 {
			if got := VerifyMany(cache, batch); !slices.Equal(got, want) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	}
	for n := range 3 {
		if got := VerifyMany(nil, batch[:n]); !slices.Equal(got, want[:n]) {
			t.Errorf("%d signatures: %v", n, got)
		}
	}
}

// BenchmarkVerifyFresh: a batch of different keys without tables.
func BenchmarkVerifyFresh(b *testing.B) {
	for _, c := range allCurves {
		batch := make([]Signed, 8)
		for i := range batch {
			key, digest, sig := benchmarkKey(b, c)
			batch[i] = Signed{key.PublicKey(), digest, sig}
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if slices.Contains(VerifyMany(nil, batch), false) {
					b.Fatal("refused")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(8*b.N), "ns/signature")
		})
	}
}

// BenchmarkVerifyMany: a batch of one key with a table.
func BenchmarkVerifyMany(b *testing.B) {
	for _, c := range allCurves {
		key, digest, sig := benchmarkKey(b, c)
		batch := slices.Repeat([]Signed{{key.PublicKey(), digest, sig}}, 16)
		cache := NewKeyCache(1)
		VerifyMany(cache, batch)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if slices.Contains(VerifyMany(cache, batch), false) {
					b.Fatal("refused")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(16*b.N), "ns/signature")
		})
	}
}
