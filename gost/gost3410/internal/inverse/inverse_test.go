package inverse

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// primes are those of the fields and one order; limbs is how they are kept.
var primes = []struct {
	exponent uint
	c        int64
	limbs    int
}{{256, -617, 4}, {255, 3225, 4}, {512, -569, 8}, {511, 111, 8}}

func newModulus(p *big.Int, limbs int) *Modulus {
	m := &Modulus{Limbs: limbs}
	for i := range m.Words {
		m.Words[i] = new(big.Int).And(new(big.Int).Rsh(p, uint(62*i)), big.NewInt(mask62)).Int64()
	}
	m.Inv = new(big.Int).ModInverse(p, new(big.Int).Lsh(big.NewInt(1), 62)).Uint64()
	return m
}

func fromBig(n *big.Int) (x [8]uint64) {
	for i := range x {
		x[i] = new(big.Int).Rsh(n, uint(64*i)).Uint64() // the low 64 bits
	}
	return x
}

// numbers returns numbers below p: the least, the greatest, powers of two, and random
// ones, also sparse.
func numbers(p *big.Int, limbs int) (all []*big.Int) {
	for d := range int64(4) {
		all = append(all, big.NewInt(d), new(big.Int).Sub(p, big.NewInt(d+1)))
	}
	for i := range p.BitLen() {
		power := new(big.Int).Lsh(big.NewInt(1), uint(i))
		all = append(all, new(big.Int).Mod(power, p), new(big.Int).Sub(p, power.Mod(power, p)))
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		x := new(big.Int)
		for range limbs {
			x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(r.Uint64()>>r.IntN(64)<<r.IntN(64)))
		}
		all = append(all, x.Mod(x, p))
	}
	return all
}

// TestInverse compares with math/big.
func TestInverse(t *testing.T) {
	for _, prime := range primes {
		p := new(big.Int).Lsh(big.NewInt(1), prime.exponent)
		p.Add(p, big.NewInt(prime.c))
		m := newModulus(p, prime.limbs)
		for _, n := range numbers(p, prime.limbs) {
			var want [8]uint64 // of zero
			if n.Sign() != 0 {
				want = fromBig(new(big.Int).ModInverse(n, p))
			}
			x := fromBig(n)
			if got := m.Constant(&x); got != want {
				t.Errorf("1/%x mod %x = %x, want %x", n, p, got, want)
			}
			if got := m.Vartime(&x); got != want {
				t.Errorf("in variable time: 1/%x mod %x = %x, want %x", n, p, got, want)
			}
		}
	}
}

func BenchmarkInverse(b *testing.B) {
	p := new(big.Int).Lsh(big.NewInt(1), 256)
	m := newModulus(p.Sub(p, big.NewInt(617)), 4)
	x := [8]uint64{1, 2, 3, 4}
	b.Run("Constant", func(b *testing.B) {
		for b.Loop() {
			x = m.Constant(&x)
			x[0]++
		}
	})
	b.Run("Vartime", func(b *testing.B) {
		for b.Loop() {
			x = m.Vartime(&x)
			x[0]++
		}
	})
}
