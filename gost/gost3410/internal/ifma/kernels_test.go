package ifma

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// rounds is how many times a routine is compared with math/big.
const rounds = 100

// curves are the curves of this package.
var curves = map[string]*Curve{
	"CryptoPro-A": CryptoProA, "CryptoPro-B": CryptoProB, "tc26-512-A": TC26512A, "tc26-512-B": TC26512B,
}

// bench compares the routines of one prime with math/big, on random elements and on
// such that limbs are as great as they may be, or as small.
type bench struct {
	*Curve
	*testing.T
	p *big.Int
	r *rand.Rand
}

func onBench(t *testing.T, test func(b *bench)) {
	if !Available() {
		t.Skip("the processor has no AVX-512 IFMA, or the build leaves it out")
	}
	for name, c := range curves {
		t.Run(name, func(t *testing.T) {
			p := new(big.Int).Lsh(big.NewInt(1), uint(c.bits))
			p.Sub(p, big.NewInt(c.small))
			b := &bench{c, t, p, rand.New(rand.NewPCG(1, uint64(c.bits)))}
			for range rounds {
				test(b)
			}
		})
	}
}

// elements returns random elements as routines take them from memory: a few more bits
// than the prime has. Raw ones have anything above 52 bits of the limbs, but for the
// last limb.
func (b *bench) elements(count int, raw bool) []lanes {
	n := b.limbs()
	greatest := new(big.Int).Lsh(big.NewInt(11), uint(b.bits-1))
	z := make([]lanes, count*n)
	for i := range count {
		for lane := range 8 {
			x := b.element(greatest)
			for j := range n {
				limb := new(big.Int).Rsh(x, uint(52*j)).Uint64()
				if j < n-1 {
					limb &= mask52
					if raw {
						limb |= b.r.Uint64() << 52
					}
				}
				z[i*n+j][lane] = limb
			}
		}
	}
	return z
}

// element returns a number up to greatest.
func (b *bench) element(greatest *big.Int) *big.Int {
	x := new(big.Int)
	switch b.r.IntN(6) {
	case 0:
		return x.Set(greatest)
	case 1:
		return x.Mul(b.p, big.NewInt(b.r.Int64N(6)))
	case 2:
		x.SetInt64(b.r.Int64N(3))
	case 3: // limbs of ones and limbs of zeros
		for i := range b.limbs() {
			if b.r.IntN(3) > 0 {
				x.Or(x, new(big.Int).Lsh(big.NewInt(mask52), uint(52*i)))
			}
		}
	default:
		for range 10 {
			x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(b.r.Uint64()))
		}
	}
	return x.Mod(x, new(big.Int).Add(greatest, big.NewInt(1)))
}

// number returns lane of element i, modulo p.
func (b *bench) number(z []lanes, i, lane int) *big.Int {
	n := b.limbs()
	x := new(big.Int)
	for j := n - 1; j >= 0; j-- {
		limb := z[i*n+j][lane]
		if j < n-1 {
			limb &= mask52
		}
		x.Lsh(x, 52).Add(x, new(big.Int).SetUint64(limb))
	}
	return x.Mod(x, b.p)
}

func (b *bench) numbers(z []lanes, lane int) (xs []*big.Int) {
	for i := range len(z) / b.limbs() {
		xs = append(xs, b.number(z, i, lane))
	}
	return xs
}

// want fails if the elements of a lane are not those wanted, or greater than a routine
// may return.
func (b *bench) want(what string, z []lanes, lane int, want ...*big.Int) {
	b.Helper()
	n := b.limbs()
	for i, w := range want {
		if w.Mod(w, b.p).Cmp(b.number(z, i, lane)) != 0 {
			b.Fatalf("%s: element %d of lane %d is %x, want %x", what, i, lane, b.number(z, i, lane), w)
		}
		if z[i*n+n-1][lane] > 11<<(b.bits-52*(n-1)-1) {
			b.Fatalf("%s: element %d of lane %d is too great", what, i, lane)
		}
	}
}

// reference does arithmetic in a readable way: sub(mul(x, y), z).
func mul(xs ...*big.Int) *big.Int {
	z := big.NewInt(1)
	for _, x := range xs {
		z.Mul(z, x)
	}
	return z
}
func add(x, y *big.Int) *big.Int          { return new(big.Int).Add(x, y) }
func sub(x, y *big.Int) *big.Int          { return new(big.Int).Sub(x, y) }
func small(k int64, x *big.Int) *big.Int  { return mul(big.NewInt(k), x) }
func copied(z []lanes) []lanes            { return append([]lanes(nil), z...) }
func (b *bench) point(raw bool) []lanes   { return append(b.elements(1, raw), b.elements(2, true)...) }
func (b *bench) negative() (mask []lanes) { return []lanes{{b.r.Uint64() & 255}} }

func TestFieldRoutines(t *testing.T) {
	onBench(t, func(b *bench) {
		x, y, z := b.elements(1, true), b.elements(1, true), b.elements(1, true)
		b.mul(&z[0], &x[0], &y[0])
		again := copied(x)
		b.mul(&again[0], &again[0], &again[0]) // all the same place
		squared := copied(x)
		b.squareTimes(&squared[0], 3)
		for lane := range 8 {
			e, f := b.number(x, 0, lane), b.number(y, 0, lane)
			b.want("mul", z, lane, mul(e, f))
			b.want("mul in place", again, lane, mul(e, e))
			b.want("squareTimes", squared, lane, new(big.Int).Exp(e, big.NewInt(8), b.p))
		}
	})
}

// double returns the double of (x, y, z): "dbl-2001-b" without its tricks.
func double(x, w, z *big.Int) []*big.Int {
	s := mul(x, w, w)
	zz := mul(z, z)
	m := small(3, mul(sub(x, zz), add(x, zz)))
	x3 := sub(mul(m, m), small(2, s))
	return []*big.Int{x3, sub(small(2, mul(m, sub(s, x3))), mul(w, w, w, w)), mul(w, z)}
}

// sum returns the sum of two points: "add-2007-bl" without its tricks.
func sum(x1, w1, z1, x2, w2, z2 *big.Int) []*big.Int {
	u1, u2 := mul(x1, z2, z2), mul(x2, z1, z1)
	s1, s2 := mul(w1, z2, z2, z2), mul(w2, z1, z1, z1)
	h, r := sub(u2, u1), sub(s2, s1)
	v, j := small(4, mul(u1, h, h)), small(4, mul(h, h, h))
	x3 := sub(sub(mul(r, r), j), small(2, v))
	return []*big.Int{x3, small(2, sub(mul(r, sub(v, x3)), mul(s1, j))), small(2, mul(h, z1, z2))}
}

func TestPointRoutines(t *testing.T) {
	onBench(t, func(b *bench) {
		p, q := b.point(false), b.point(false)
		doubled, added := copied(p), copied(p)
		b.double(&doubled[0], 2)
		b.add(&added[0], &q[0])
		for lane := range 8 {
			e, f := b.numbers(p, lane), b.numbers(q, lane)
			twice := double(e[0], e[1], e[2])
			b.want("double", doubled, lane, double(twice[0], twice[1], twice[2])...)
			b.want("add", added, lane, sum(e[0], e[1], e[2], f[0], f[1], f[2])...)
		}
	})
}

// signed returns w or −w.
func signed(w *big.Int, mask []lanes, lane int) *big.Int {
	if mask[0][0]>>lane&1 == 1 {
		return new(big.Int).Neg(w)
	}
	return w
}

func TestMixedRoutines(t *testing.T) {
	onBench(t, func(b *bench) {
		p, entry, common, mask := b.point(false), b.elements(2, true), b.elements(3, true), b.negative()
		words := make([]lanes, 2*b.words())
		for i := range words {
			for lane := range 8 {
				words[i][lane] = b.r.Uint64() | -(b.r.Uint64() & 1)
			}
		}
		affine, set, other := copied(p), copied(p), copied(p)
		b.addAffine(&affine[0], &words[0], &mask[0])
		b.setAffine(&set[0], &words[0], &mask[0])
		b.addCommon(&other[0], &entry[0], &common[0], &mask[0])
		brought := copied(p)
		b.setCommon(&brought[0], &entry[0], &common[0], &mask[0])
		one := big.NewInt(1)
		for lane := range 8 {
			e, f, z := b.numbers(p, lane), b.numbers(entry, lane), b.numbers(common, lane)
			x, w := b.wordsOf(words[:b.words()], lane), b.wordsOf(words[b.words():], lane)
			w = signed(w, mask, lane)
			b.want("addAffine", affine, lane, sum(e[0], e[1], e[2], x, w, one)...)
			b.want("setAffine", set, lane, x, w, big.NewInt(1))
			b.want("setCommon", brought, lane, mul(f[0]), mul(signed(f[1], mask, lane)), mul(z[0]))
			b.want("addCommon", other, lane, sumCommon(e, f[0], signed(f[1], mask, lane), z)...)
		}
	})
}

func (b *bench) wordsOf(z []lanes, lane int) *big.Int {
	x := new(big.Int)
	for i := len(z) - 1; i >= 0; i-- {
		x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(z[i][lane]))
	}
	return x
}

// sumCommon is sum, for powers of z that need not be powers of anything.
func sumCommon(a []*big.Int, x, w *big.Int, z []*big.Int) []*big.Int {
	u1, s1 := mul(a[0], z[1]), mul(a[1], z[2])
	u2, s2 := mul(x, a[2], a[2]), mul(w, a[2], a[2], a[2])
	one := big.NewInt(1)
	r := sum(u1, s1, one, u2, s2, one)
	r[2].Mul(r[2], a[2]).Mul(r[2], z[0])
	return r
}

func TestTableRoutines(t *testing.T) {
	onBench(t, func(b *bench) {
		a := b.point(false)
		twice, same, factor := b.elements(2, false), b.elements(2, false), b.elements(1, false)
		b.start(&twice[0], &same[0], &factor[0], &a[0])
		p, q := b.elements(2, false), b.elements(2, false)
		total, chained, h := b.elements(2, false), copied(p), b.elements(1, false)
		b.chain(&total[0], &chained[0], &h[0], &q[0])
		entry, z := b.elements(2, true), b.elements(1, true)
		scaled, product := copied(entry), copied(z)
		b.scale(&scaled[0], &product[0], &h[0])
		one := big.NewInt(1)
		for lane := range 8 {
			e := b.numbers(a, lane)
			x, w := e[0], e[1]
			want := double(x, w, e[2])
			b.want("start: twice", twice, lane, want[0], want[1])
			b.want("start: the same", same, lane, mul(x, w, w), mul(w, w, w, w))
			b.want("start: factor", factor, lane, w)
			d, u := b.numbers(p, lane), b.numbers(q, lane)
			want = sum(d[0], d[1], one, u[0], u[1], one)
			by := small(2, sub(d[0], u[0]))
			// sum has z with another sign.
			b.want("chain: sum", total, lane, want[0], new(big.Int).Neg(want[1]))
			b.want("chain: the same", chained, lane, mul(d[0], by, by), mul(d[1], by, by, by))
			b.want("chain: factor", h, lane, by)
			f, r := b.numbers(entry, lane), mul(b.number(z, 0, lane), b.number(h, 0, lane))
			b.want("scale", scaled, lane, mul(f[0], r, r), mul(f[1], r, r, r))
			b.want("scale: z", product, lane, r)
		}
	})
}
