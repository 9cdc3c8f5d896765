package scalar

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

var moduli = []*Modulus{&CryptoProA, &CryptoProB, &CryptoProC, &TC26256A, &TC26512A, &TC26512B, &TC26512C, &Example1, &Example2}

func toBig(x Nat) *big.Int {
	n := new(big.Int)
	for i := len(x) - 1; i >= 0; i-- {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(x[i]))
	}
	return n
}

func fromBig(n *big.Int) (x Nat) {
	n = new(big.Int).Set(n)
	for i := range x {
		x[i] = n.Uint64() // the low 64 bits
		n.Rsh(n, 64)
	}
	return x
}

// samples returns numbers of n limbs that are likely to go wrong.
func samples(q *big.Int, n int) (xs []Nat) {
	limit := new(big.Int).Lsh(big.NewInt(1), uint(64*n))
	add := func(x *big.Int) {
		if x.Sign() >= 0 && x.Cmp(limit) < 0 {
			xs = append(xs, fromBig(x))
		}
	}
	half := new(big.Int).Rsh(q, 1)
	double := new(big.Int).Lsh(q, 1)
	for d := int64(-3); d <= 3; d++ {
		for _, x := range []*big.Int{new(big.Int), half, q, double, limit} {
			add(new(big.Int).Add(x, big.NewInt(d)))
		}
	}
	for i := range 64 * n {
		add(new(big.Int).Lsh(big.NewInt(1), uint(i)))
	}
	r := rand.New(rand.NewPCG(2, uint64(n)))
	for range 50 {
		var x Nat
		for i := range n {
			x[i] = r.Uint64()
		}
		xs = append(xs, x)
	}
	return xs
}

// TestArithmetic compares with math/big.
func TestArithmetic(t *testing.T) {
	for _, m := range moduli {
		q := toBig(m.Order())
		mod := func(x *big.Int) Nat { return fromBig(new(big.Int).Mod(x, q)) }
		xs := samples(q, m.n)
		for _, x := range xs {
			bx := toBig(x)
			if got, want := m.Below(x) == 1, bx.Cmp(q) < 0; got != want {
				t.Fatalf("Below(%x) = %v", bx, got)
			}
			if got, want := IsZero(x) == 1, bx.Sign() == 0; got != want {
				t.Fatalf("IsZero(%x) = %v", bx, got)
			}
			if got := m.FromLittleEndian(m.LittleEndian(x)); got != x {
				t.Fatalf("%x does not survive LittleEndian", bx)
			}
			reduced := m.Reduce(x)
			if reduced != mod(bx) {
				t.Fatalf("%x mod %x = %x", bx, q, toBig(reduced))
			}
			if got := m.Neg(reduced); got != mod(new(big.Int).Neg(bx)) {
				t.Fatalf("−%x mod %x = %x", bx, q, toBig(got))
			}
			want := Nat{}
			if reduced != want {
				want = fromBig(new(big.Int).ModInverse(bx, q))
			}
			if got := m.InverseVartime(reduced); got != want {
				t.Fatalf("1/%x mod %x = %x", bx, q, toBig(got))
			}
		}
		for i := range xs {
			for j := i % 5; j < len(xs); j += 5 {
				x, y := xs[i], m.Reduce(xs[j])
				bx, by := toBig(x), toBig(y)
				if got := m.Mul(x, y); got != mod(new(big.Int).Mul(bx, by)) {
					t.Fatalf("%x·%x mod %x = %x", bx, by, q, toBig(got))
				}
				x = m.Reduce(x)
				if got := m.Add(x, y); got != mod(new(big.Int).Add(bx, by)) {
					t.Fatalf("%x+%x mod %x = %x", bx, by, q, toBig(got))
				}
			}
		}
	}
}

// TestInverseRandom tries many numbers, also short and sparse ones.
func TestInverseRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, m := range moduli {
		for range 3000 {
			var x Nat
			for i := range 1 + r.IntN(m.n) {
				x[i] = r.Uint64() & r.Uint64() << r.IntN(64)
			}
			x = m.Reduce(x)
			want := Nat{}
			if x != want {
				want = Nat{1}
			}
			if got := m.Mul(x, m.InverseVartime(x)); got != want {
				t.Fatalf("%x · 1/%x = %x modulo %x", toBig(x), toBig(x), toBig(got), toBig(m.Order()))
			}
		}
	}
}

func TestFromLittleEndianLength(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a short number was read")
		}
	}()
	CryptoProA.FromLittleEndian(make([]byte, 31))
}

func BenchmarkInverse256(b *testing.B) { benchmarkInverse(b, &CryptoProA) }
func BenchmarkInverse512(b *testing.B) { benchmarkInverse(b, &TC26512A) }

func benchmarkInverse(b *testing.B, m *Modulus) {
	x := m.Reduce(Nat{1, 2, 3, 4})
	for b.Loop() {
		x = m.InverseVartime(m.Add(x, Nat{1}))
	}
}

func BenchmarkMul256(b *testing.B) { benchmarkMul(b, &CryptoProA) }
func BenchmarkMul512(b *testing.B) { benchmarkMul(b, &TC26512A) }

func benchmarkMul(b *testing.B, m *Modulus) {
	x := m.Reduce(Nat{1, 2, 3, 4})
	for b.Loop() {
		x = m.Mul(x, x)
	}
}

// TestQuotients compares with multiplications.
func TestQuotients(t *testing.T) {
	for number, m := range moduli {
		r := rand.New(rand.NewPCG(5, 6))
		for count := range 12 {
			xs, ps, qs := make([]Nat, count), make([]Nat, count), make([]Nat, count)
			for i := range xs {
				for j := range m.n {
					xs[i][j], ps[i][j], qs[i][j] = r.Uint64(), r.Uint64(), r.Uint64()
				}
				if xs[i] = m.Reduce(xs[i]); IsZero(xs[i]) == 1 {
					xs[i] = Nat{1}
				}
			}
			wantP, wantQ := slices.Clone(ps), slices.Clone(qs)
			m.Quotients(xs, ps, qs)
			for i := range xs {
				if m.Mul(ps[i], xs[i]) != m.Reduce(wantP[i]) || m.Mul(qs[i], xs[i]) != m.Reduce(wantQ[i]) {
					t.Fatalf("modulus %d: quotient %d of %d is wrong", number, i, count)
				}
			}
		}
	}
}
