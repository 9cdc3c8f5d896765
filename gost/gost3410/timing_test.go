package gost3410

import (
	"io"
	"math/big"
	"testing"

	"propusk/gost/gost3410/internal/scalar"
	"propusk/gost/internal/cryptotest"
)

// TestTiming looks for a dependence of time on secrets: an operation runs with one fixed
// secret and with random ones, in random order, and [cryptotest.SameTime] compares the
// times of both classes. It runs only with PROPUSK_TIMING=1.
func TestTiming(t *testing.T) {
	cryptotest.RequireTiming(t)
	onEveryPath(t, testTiming)
}

func testTiming(t *testing.T) {
	for _, c := range allCurves {
		t.Run(c.name, func(t *testing.T) {
			q := bigNat(c.order.Order())
			samples := 20000
			if c.Size() == 64 {
				samples = 4000
			}
			peer, err := GenerateKey(c, testRandom(30))
			if err != nil {
				t.Fatal(err)
			}
			other, sum := peer.public.raw, scalar.Nat{}
			for name, fixed := range map[string]scalar.Nat{"1": {1}, "2^100": {0, 1 << 36}, "q-1": natBig(new(big.Int).Sub(q, scalarOne))} {
				wantConstant(t, "BaseMult "+name, c, fixed, samples, func(k scalar.Nat) { c.baseMult(k) })
				wantConstant(t, "Mult "+name, c, fixed, samples, func(k scalar.Nat) { c.mult(k, other) })
				wantConstant(t, "scalars "+name, c, fixed, samples, func(k scalar.Nat) {
					for range 50 {
						sum = c.order.Add(c.order.Mul(sum, k), c.order.Reduce(k))
					}
				})
			}
			random := testRandom(31)
			digest := digestFor(c, []byte("timing"))
			withKeys(t, "Sign", c, samples, func(k *PrivateKey) error {
				_, err := k.Sign(random, digest, nil)
				return err
			})
			withKeys(t, "SharedPoint", c, samples, func(k *PrivateKey) error {
				_, err := k.SharedPoint(peer.public, []byte{1, 2, 3})
				return err
			})
		})
	}
}

// TestTimingSees: the measurement finds the operations that take variable time.
func TestTimingSees(t *testing.T) {
	cryptotest.RequireTiming(t)
	c := cryptoProA
	peer, err := GenerateKey(c, testRandom(32))
	if err != nil {
		t.Fatal(err)
	}
	for name, op := range map[string]func(scalar.Nat){
		"VerifyX":        func(k scalar.Nat) { c.group.VerifyX(k, k, k, peer.public.raw) },
		"InverseVartime": func(k scalar.Nat) { c.order.InverseVartime(k) },
	} {
		if score := cryptotest.TimingScore(timingClasses(c, scalar.Nat{5}), 5000, op); score < cryptotest.TimingLimit {
			t.Errorf("%s: t = %.1f, but it takes variable time", name, score)
		}
	}
}

var scalarOne = bigNat(scalar.Nat{1})

// wantConstant fails if op takes another time for the fixed than for random
// scalars.
func wantConstant(t *testing.T, name string, c *Curve, fixed scalar.Nat, samples int, op func(scalar.Nat)) {
	t.Helper()
	cryptotest.SameTime(t, name, samples, timingClasses(c, fixed), op)
}

// withKeys is wantConstant for operations of whole keys. Every key is an object of
// its own in both classes, or the cache would tell them apart.
func withKeys(t *testing.T, name string, c *Curve, samples int, op func(*PrivateKey) error) {
	t.Helper()
	var keys cryptotest.TimingClasses[*PrivateKey]
	for class, ds := range timingClasses(c, scalar.Nat{1}) {
		for i, d := range ds {
			keys[class][i] = newPrivateKey(c, d)
		}
	}
	cryptotest.SameTime(t, name, samples, keys, func(k *PrivateKey) {
		if err := op(k); err != nil {
			t.Fatal(err)
		}
	})
}

// timingClasses returns the scalars of both classes.
func timingClasses(c *Curve, fixed scalar.Nat) (ks cryptotest.TimingClasses[scalar.Nat]) {
	random := testRandom(33)
	b := make([]byte, c.Size())
	for i := range cryptotest.TimingClassSize {
		ks[0][i] = fixed
		for !inRange(c.order, ks[1][i]) {
			if _, err := io.ReadFull(random, b); err != nil {
				panic(err)
			}
			ks[1][i] = c.order.Truncate(c.order.FromLittleEndian(b))
		}
	}
	return ks
}
