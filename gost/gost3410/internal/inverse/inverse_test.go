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

// TestTurns: the constant-time variant does as many steps as the bounds of the package
// comment say, which are more than any number that is known needs.
func TestTurns(t *testing.T) {
	const steps = 59 // in a turn
	if turns256*steps < 590 || turns512*steps < (45907*512+26313)/19929 {
		t.Error("too few steps")
	}
}

// slow are numbers that need many steps: the parities of the first ones were chosen,
// which is possible, as the bits of a number decide about them one by one, and of all
// repeating patterns of up to 11 parities these are the slowest.
var slow = []struct {
	prime, steps int
	x            string
}{
	{0, 550, "45bbba585d4f6031e68715abd0cecf7aa971921323096022c341371a026b8696"},
	{1, 546, "62ef7344d308af91125d0a24bb22c6fde4bb42931eb069774e9e54066400c2bc"},
	{2, 1100, "8aad1d22b392fc7281ebc3d8ce24327a15f9f4b6274d021ab27e0ff592335cbbe1a4d0b84e1ca75e80f37905183f010020a114e4ef37886a52119e692416400b"},
	{3, 1094, "6fdf875b2c65d46ef2da44895b073892a9d3b93dfcf9cbf3906fc9dc79ce130700a194b744922d60d905c84292d83da98d2339e23fd1f686e738e45bc434f2d4"},
}

// TestSlow: numbers that need about 20 steps more than random ones, or 50.
func TestSlow(t *testing.T) {
	for _, s := range slow {
		prime := primes[s.prime]
		p := new(big.Int).Lsh(big.NewInt(1), prime.exponent)
		p.Add(p, big.NewInt(prime.c))
		n, ok := new(big.Int).SetString(s.x, 16)
		if !ok {
			t.Fatal(s.x)
		}
		if got := countSteps(p, n); got != s.steps {
			t.Errorf("%x modulo %x takes %d steps, not %d", n, p, got, s.steps)
		}
		m, x, want := newModulus(p, prime.limbs), fromBig(n), fromBig(new(big.Int).ModInverse(n, p))
		if got := m.Constant(&x); got != want {
			t.Errorf("1/%x mod %x = %x, want %x", n, p, got, want)
		}
		if got := m.Vartime(&x); got != want {
			t.Errorf("in variable time: 1/%x mod %x = %x, want %x", n, p, got, want)
		}
	}
}

// countSteps returns how many division steps x needs, with δ = 1/2 at first.
func countSteps(p, x *big.Int) (steps int) {
	f, g := new(big.Int).Set(p), new(big.Int).Set(x)
	twiceDelta := 1
	for ; g.Sign() != 0; steps++ {
		switch {
		case g.Bit(0) == 0:
		case twiceDelta > 0:
			f, g = g, new(big.Int).Sub(g, f)
			twiceDelta = -twiceDelta
		default:
			g.Add(g, f)
		}
		twiceDelta += 2
		g.Rsh(g, 1)
	}
	return steps
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
