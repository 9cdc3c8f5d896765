package gosttls

import (
	"math/big"
	"slices"
	"testing"

	"propusk/gost/gosttls/internal/recording"
)

// bigCurve is one of the curves with cofactor 4, in slow arithmetic, for points
// that package gost3410 refuses to make.
type bigCurve struct{ p, a, b, q *big.Int }

// bigPoint is a point; nil is the neutral one.
type bigPoint struct{ x, y *big.Int }

func hexInt(t testing.TB, s string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		t.Fatalf("bad number %q", s)
	}
	return n
}

func (c bigCurve) mod(n *big.Int) *big.Int { return n.Mod(n, c.p) }

func (c bigCurve) add(p, q *bigPoint) *bigPoint {
	if p == nil {
		return q
	}
	if q == nil {
		return p
	}
	slope, bottom := new(big.Int), new(big.Int)
	if p.x.Cmp(q.x) == 0 {
		if c.mod(new(big.Int).Add(p.y, q.y)).Sign() == 0 {
			return nil
		}
		slope.Mul(p.x, p.x).Mul(slope, big.NewInt(3)).Add(slope, c.a)
		bottom.Lsh(p.y, 1)
	} else {
		slope.Sub(q.y, p.y)
		bottom.Sub(q.x, p.x)
	}
	slope.Mul(slope, bottom.ModInverse(c.mod(bottom), c.p))
	x := new(big.Int).Mul(slope, slope)
	c.mod(x.Sub(x, p.x).Sub(x, q.x))
	y := new(big.Int).Sub(p.x, x)
	c.mod(y.Mul(y, slope).Sub(y, p.y))
	return &bigPoint{x, y}
}

func (c bigCurve) mul(k *big.Int, p *bigPoint) *bigPoint {
	var sum *bigPoint
	for i := k.BitLen() - 1; i >= 0; i-- {
		sum = c.add(sum, sum)
		if k.Bit(i) == 1 {
			sum = c.add(sum, p)
		}
	}
	return sum
}

// any returns the first point with an x from start on.
func (c bigCurve) any(start int64) *bigPoint {
	for x := big.NewInt(start); ; x.Add(x, big.NewInt(1)) {
		right := new(big.Int).Mul(x, x)
		right.Add(right, c.a).Mul(right, x).Add(right, c.b)
		if y := new(big.Int).ModSqrt(c.mod(right), c.p); y != nil {
			return &bigPoint{new(big.Int).Set(x), y}
		}
	}
}

func littleEndian(n *big.Int, size int) []byte {
	b := n.FillBytes(make([]byte, size))
	slices.Reverse(b)
	return b
}

// bigCurveOf returns tc26-256-A or tc26-512-C (RFC 7836, Appendix A).
func bigCurveOf(t testing.TB, p paramSet) (bigCurve, int) {
	t.Helper()
	if p.alg == "gost2012_256" {
		return bigCurve{
			p: hexInt(t, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97"),
			a: hexInt(t, "c2173f1513981673af4892c23035a27ce25e2013bf95aa33b22c656f277e7335"),
			b: hexInt(t, "295f9bae7428ed9ccc20e7c359a9d41a22fccd9108e17bf7ba9337a6f8ae9513"),
			q: hexInt(t, "400000000000000000000000000000000fd8cddfc87b6635c115af556c360c67"),
		}, 32
	}
	return bigCurve{
		p: hexInt(t, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7"),
		a: hexInt(t, "dc9203e514a721875485a529d2c722fb187bc8980eb866644de41c68e143064546e861c0e2c9edd92ade71f46fcf50ff2ad97f951fda9f2a2eb6546f39689bd3"),
		b: hexInt(t, "b4c4ee28cebc6c2c8ac12952cf37f16ac7efb6a9f69f4b57ffda2e4f0de5ade038cbc2fff719d2c18de0284b8bfef3b52b8cc7a5f5bf0a3c8d2319a5312557e1"),
		q: hexInt(t, "3fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc98cdba46506ab004c33a9ff5147502cc8eda9e7a769a12694623cef47f023ed"),
	}, 64
}

// badPoints returns points of order 2 and 4 of a curve with cofactor 4, and good
// points to which they were added, all as LE(x)|LE(y).
func badPoints(t testing.TB, p paramSet) map[string][]byte {
	t.Helper()
	c, size := bigCurveOf(t, p)
	encode := func(p *bigPoint) []byte { return append(littleEndian(p.x, size), littleEndian(p.y, size)...) }
	all := make(map[string][]byte)
	for start := int64(1); len(all) < 4; start++ {
		point := c.any(start)
		small := c.mul(c.q, point) // of order 1, 2 or 4
		if small == nil {
			continue
		}
		order := "order 4"
		if small.y.Sign() == 0 {
			order = "order 2"
		}
		good := c.mul(big.NewInt(4), point)
		if c.mul(c.q, good) != nil {
			t.Fatal("the arithmetic of the test is wrong")
		}
		all[order] = encode(small)
		all["good and "+order] = encode(c.add(good, small))
	}
	return all
}

// The order that the tests of signatures use is the one of the curve.
func TestOrder(t *testing.T) {
	for _, p := range []paramSet{tc26256A, tc26512C} {
		curve, err := testCert(t, p).curve()
		if err != nil {
			t.Fatal(err)
		}
		c, size := bigCurveOf(t, p)
		if got, want := orderOf(t, curve), littleEndian(c.q, size); !slices.Equal(got, want) {
			t.Errorf("%v: order %x, want %x", p, got, want)
		}
	}
}

// A good point of each curve does pass, so that the bad ones do not fail for
// another reason.
func TestRecordingsCoverTheCofactorCurves(t *testing.T) {
	for _, name := range []string{"c100-256TCA", "c101-512C"} {
		if _, _, err := replayServer(t, recording.Load(t, "testdata", name), recording.Load(t, "testdata", name).FromClient, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
