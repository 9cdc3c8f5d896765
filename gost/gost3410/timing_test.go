package gost3410

import (
	"io"
	"math"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"propusk/gost/gost3410/internal/scalar"
)

// TestTiming looks for a dependence of time on secrets, as "dudect" does (Reparaz,
// Balasch and Verbauwhede, ePrint 2016/1123): an operation runs with one fixed
// secret and with random ones, in random order, and Welch's t-test compares the
// times of both classes. It says nothing about what it does not find, but what it
// finds is real.
//
// It takes minutes and wants a processor that does not change its mind too often,
// so it runs only with PROPUSK_TIMING=1.
func TestTiming(t *testing.T) {
	requireTiming(t)
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
				wantConstant(t, "Mult "+name, c, fixed, samples, func(k scalar.Nat) { c.group.Mult(k, other) })
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
	requireTiming(t)
	c := cryptoProA
	peer, err := GenerateKey(c, testRandom(32))
	if err != nil {
		t.Fatal(err)
	}
	for name, op := range map[string]func(scalar.Nat){
		"VerifyX":        func(k scalar.Nat) { c.group.VerifyX(k, k, k, peer.public.raw) },
		"InverseVartime": func(k scalar.Nat) { c.order.InverseVartime(k) },
	} {
		if score := timingScore(timingClasses(c, scalar.Nat{5}), 5000, op); score < timingLimit {
			t.Errorf("%s: t = %.1f, but it takes variable time", name, score)
		}
	}
}

func requireTiming(t *testing.T) {
	t.Helper()
	if os.Getenv("PROPUSK_TIMING") == "" {
		t.Skip("set PROPUSK_TIMING=1 to measure")
	}
}

var scalarOne = bigNat(scalar.Nat{1})

// timingLimit is the t above which two classes differ: chance gives 4.5 once in
// 100 000 times, and has to do so in every attempt.
const (
	timingLimit    = 4.5
	timingAttempts = 4
)

// wantConstant fails if op takes another time for the fixed than for random
// scalars.
func wantConstant(t *testing.T, name string, c *Curve, fixed scalar.Nat, samples int, op func(scalar.Nat)) {
	t.Helper()
	wantSameTime(t, name, samples, timingClasses(c, fixed), op)
}

// withKeys is wantConstant for operations of whole keys. Every key is an object of
// its own in both classes, or the cache would tell them apart.
func withKeys(t *testing.T, name string, c *Curve, samples int, op func(*PrivateKey) error) {
	t.Helper()
	var keys [2][classSize]*PrivateKey
	for class, ds := range timingClasses(c, scalar.Nat{1}) {
		for i, d := range ds {
			keys[class][i] = newPrivateKey(c, d)
		}
	}
	wantSameTime(t, name, samples, keys, func(k *PrivateKey) {
		if err := op(k); err != nil {
			t.Fatal(err)
		}
	})
}

func wantSameTime[T any](t *testing.T, name string, samples int, inputs [2][classSize]T, op func(T)) {
	t.Helper()
	var scores []float64
	for range timingAttempts {
		score := timingScore(inputs, samples, op)
		if scores = append(scores, score); score < timingLimit {
			t.Logf("%s: t = %.1f", name, scores)
			return
		}
	}
	t.Errorf("%s: t = %.1f: the time depends on the secret", name, scores)
}

// classSize is how many random secrets there are, and copies of the fixed one.
const classSize = 256

// timingClasses returns the scalars of both classes.
func timingClasses(c *Curve, fixed scalar.Nat) (ks [2][classSize]scalar.Nat) {
	random := testRandom(33)
	b := make([]byte, c.Size())
	for i := range classSize {
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

// timingScore returns the greatest |t| over several cut-offs of slow outliers.
func timingScore[T any](inputs [2][classSize]T, samples int, op func(T)) float64 {
	r := mathrand.New(mathrand.NewPCG(3, 3))
	for i := range classSize { // also makes what is made on first use
		op(inputs[0][i])
		op(inputs[1][i])
	}
	times, class := make([]float64, samples), make([]int, samples)
	for i := range samples {
		class[i] = r.IntN(2)
		secret := inputs[class[i]][r.IntN(classSize)]
		start := time.Now()
		op(secret)
		times[i] = float64(time.Since(start))
	}
	sorted := slices.Sorted(slices.Values(times))
	score := 0.0
	for _, keep := range []float64{0.5, 0.75, 0.9, 0.99} {
		score = max(score, welch(times, class, sorted[int(keep*float64(samples))]))
	}
	return score
}

// welch returns |t| of the times up to limit.
func welch(times []float64, class []int, limit float64) float64 {
	var n, mean, m2 [2]float64
	for i, x := range times {
		if x > limit {
			continue
		}
		c := class[i]
		n[c]++
		d := x - mean[c]
		mean[c] += d / n[c]
		m2[c] += d * (x - mean[c])
	}
	variance := m2[0]/(n[0]-1)/n[0] + m2[1]/(n[1]-1)/n[1]
	return math.Abs(mean[0]-mean[1]) / math.Sqrt(variance)
}
