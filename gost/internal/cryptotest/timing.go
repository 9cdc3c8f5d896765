package cryptotest

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

// TimingLimit is the t above which two classes differ: chance gives 4.5 once in
// 100 000 times, and has to do so in every attempt.
const TimingLimit = 4.5

// timingAttempts is how often chance is asked.
const timingAttempts = 4

// TimingClassSize is how many inputs a class has. Each is an object of its own, also
// where all are equal, or the cache would tell the classes apart.
const TimingClassSize = 256

// TimingClasses are the inputs of both classes: one fixed secret, and random ones.
type TimingClasses[T any] [2][TimingClassSize]T

// RequireTiming skips the test unless PROPUSK_TIMING is set: measuring takes minutes and
// wants a processor that does not change its mind too often.
func RequireTiming(t *testing.T) {
	t.Helper()
	if os.Getenv("PROPUSK_TIMING") == "" {
		t.Skip("set PROPUSK_TIMING=1 to measure")
	}
}

// SameTime fails if op takes another time for one class than for the other, as "dudect"
// finds out (Reparaz, Balasch and Verbauwhede, ePrint 2016/1123). It says nothing about
// what it does not find, but what it finds is real.
func SameTime[T any](t *testing.T, name string, samples int, inputs TimingClasses[T], op func(T)) {
	t.Helper()
	var scores []float64
	for range timingAttempts {
		score := TimingScore(inputs, samples, op)
		if scores = append(scores, score); score < TimingLimit {
			t.Logf("%s: t = %.1f", name, scores)
			return
		}
	}
	t.Errorf("%s: t = %.1f: the time depends on the secret", name, scores)
}

// TimingScore runs op with inputs of both classes in random order and returns the
// greatest |t| of Welch's test over several cut-offs of slow outliers.
func TimingScore[T any](inputs TimingClasses[T], samples int, op func(T)) float64 {
	r := rand.New(rand.NewPCG(3, 3))
	for i := range TimingClassSize { // also makes what is made on first use
		op(inputs[0][i])
		op(inputs[1][i])
	}
	times, class := make([]float64, samples), make([]int, samples)
	for i := range samples {
		class[i] = r.IntN(2)
		secret := inputs[class[i]][r.IntN(TimingClassSize)]
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
