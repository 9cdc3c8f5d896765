package ifma

import (
	"math/big"
	"testing"

	"propusk/gost/gost3410/internal/scalar"
)

// fromBig returns the low words of x.
func fromBig(x *big.Int, words int) []uint64 {
	z := make([]uint64, words)
	for i := range z {
		z[i] = new(big.Int).Rsh(x, uint(64*i)).Uint64()
	}
	return z
}

func toBig(x []uint64) *big.Int {
	z := new(big.Int)
	for i := len(x) - 1; i >= 0; i-- {
		z.Lsh(z, 64).Or(z, new(big.Int).SetUint64(x[i]))
	}
	return z
}

// TestWords compares the arithmetic on words with math/big where carries and borrows go
// through all words, which no random number makes them do. It needs no assembly.
func TestWords(t *testing.T) {
	for name, c := range curves {
		words := c.words()
		p := new(big.Int).Lsh(big.NewInt(1), uint(c.bits))
		p.Sub(p, big.NewInt(c.small))
		unit := new(big.Int).Lsh(big.NewInt(1), uint(64*words))
		var numbers []*big.Int
		for _, near := range []*big.Int{new(big.Int), p, unit, new(big.Int).Rsh(unit, 1), new(big.Int).Rsh(p, 1)} {
			for _, far := range []int64{0, 1, 2, c.small, 2 * c.small, 4 * c.small, 1 << 40} {
				for _, d := range []int64{far, -far, far - 1, 1 - far} {
					if x := new(big.Int).Add(near, big.NewInt(d)); x.Sign() >= 0 && x.Cmp(unit) < 0 {
						numbers = append(numbers, x)
					}
				}
			}
		}
		same := func(what string, x *big.Int, got []uint64, want *big.Int) {
			if d := new(big.Int).Sub(toBig(got), want); d.Mod(d, p).Sign() != 0 {
				t.Errorf("%s: %s of %x is %x, want %x", name, what, x, got, want)
			}
		}
		for _, x := range numbers {
			for _, over := range []uint64{0, 1, 2, 5, 15, 1<<32 - 1} {
				z := fromBig(x, words)
				c.foldWords(z, over)
				same("foldWords", x, z, new(big.Int).Add(x, new(big.Int).Mul(unit, new(big.Int).SetUint64(over))))
			}
			if x.Sign() == 0 || x.Cmp(p) >= 0 {
				continue
			}
			z := fromBig(x, words)
			c.twiceModP(z)
			same("twiceModP", x, z, new(big.Int).Lsh(x, 1))
			z = fromBig(x, words)
			c.negate(z)
			same("negate", x, z, new(big.Int).Neg(x))
		}
	}
}

// TestLimbs: numbers in lanes are the same as words, and what raw limbs have above 52
// bits does not count. It needs no assembly.
func TestLimbs(t *testing.T) {
	for name, c := range curves {
		p := new(big.Int).Lsh(big.NewInt(1), uint(c.bits))
		p.Sub(p, big.NewInt(c.small))
		greatest := new(big.Int).Lsh(big.NewInt(11), uint(c.bits-1))
		for lane := range 8 {
			for i := range c.limbs() {
				for _, x := range []*big.Int{
					new(big.Int), p, greatest, new(big.Int).Sub(greatest, big.NewInt(1)),
					new(big.Int).Lsh(big.NewInt(mask52), uint(52*i)), new(big.Int).Lsh(big.NewInt(1), uint(52*i)),
				} {
					if x.Cmp(greatest) > 0 {
						continue
					}
					z := make([]lanes, c.limbs())
					fromWords(z, lane, fromBig(x, c.words()+1))
					for j := range len(z) - 1 {
						z[j][lane] |= 0xabc << 52
					}
					got := make([]uint64, c.words())
					c.toWords(got, z, lane)
					if d := toBig(got).Sub(toBig(got), x); d.Mod(d, p).Sign() != 0 {
						t.Errorf("%s: lane %d: %x came back as %x", name, lane, x, got)
					}
				}
			}
		}
	}
}

// TestWiped: memory that had to do with secrets is clean when it goes back.
func TestWiped(t *testing.T) {
	if !Available() {
		t.Skip("the processor has no AVX-512 IFMA, or the build leaves it out")
	}
	for name, known := range curves {
		// Its pools are empty.
		c := &Curve{kernels: known.kernels, bits: known.bits, small: known.small, order: known.order, group: known.group}
		k := scalar.Nat{1, 2, 3}
		if _, ok := c.BaseMult(k); !ok {
			t.Fatalf("%s: infinity", name)
		}
		if m, ok := c.combs.Get().(*comb); ok && !m.clean() {
			t.Errorf("%s: BaseMult left something", name)
		}
		if _, ok := c.Mult(k, c.group.Base()); !ok {
			t.Fatalf("%s: infinity", name)
		}
		if m, ok := c.mults.Get().(*mult); ok && !m.clean() {
			t.Errorf("%s: Mult left something", name)
		}
	}
}

// clean reports whether everything is zero.
func (m *comb) clean() bool {
	var or uint64
	for _, part := range [][]lanes{m.acc, m.other, m.picked} {
		for i := range part {
			for _, v := range part[i] {
				or |= v
			}
		}
	}
	for _, v := range m.scalar {
		or |= uint64(v)
	}
	for _, point := range m.coordinates {
		for _, v := range point {
			or |= v
		}
	}
	return or == 0
}
