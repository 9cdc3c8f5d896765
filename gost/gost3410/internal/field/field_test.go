package field

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"propusk/gost/gost3410/internal/adx"
)

// element is what the tests need of a field; E is the type, L its limbs.
type element[E, L any] interface {
	*E
	Add(x, y *E)
	Sub(x, y *E)
	Mul(x, y *E)
	Square(x *E)
	Half(x *E)
	Neg(x *E)
	AddVartime(x, y *E)
	SubVartime(x, y *E)
	MulVartime(x, y *E)
	SquareVartime(x *E)
	Invert(x *E)
	One()
	Select(x, y *E, cond uint64)
	IsZero() uint64
	MaybeZero() bool
	Equal(y *E) uint64
	SetLimbs(x *L) uint64
	Limbs() L
}

type limbArray interface{ ~[4]uint64 | ~[8]uint64 }

func toBig[L limbArray](x L) *big.Int {
	n := new(big.Int)
	for i := len(x) - 1; i >= 0; i-- {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(x[i]))
	}
	return n
}

func fromBig[L limbArray](n *big.Int) (x L) {
	n = new(big.Int).Set(n)
	for i := range len(x) {
		x[i] = n.Uint64() // the low 64 bits
		n.Rsh(n, 64)
	}
	return x
}

func TestP256A(t *testing.T) { onEveryPath(t, func(t *testing.T) { testField[P256A](t, p256A) }) }
func TestP256B(t *testing.T) { onEveryPath(t, func(t *testing.T) { testField[P256B](t, p256B) }) }
func TestP256C(t *testing.T) { onEveryPath(t, func(t *testing.T) { testField[P256C](t, p256C) }) }
func TestP512A(t *testing.T) { onEveryPath(t, func(t *testing.T) { testField[P512A](t, p512A) }) }
func TestP512B(t *testing.T) { onEveryPath(t, func(t *testing.T) { testField[P512B](t, p512B) }) }

// onEveryPath runs a test with the assembly, if it can run here, and without.
func onEveryPath(t *testing.T, test func(t *testing.T)) {
	defer func(enabled bool) { adx.Enabled = enabled }(adx.Enabled)
	adx.Enabled = false
	t.Run("portable", test)
	if adx.Enabled = adx.Available(); adx.Enabled {
		t.Run("adx", test)
	}
}

// testField compares a field with math/big, on numbers at the edges of limbs, of
// the prime and of the representation, and on random ones.
func testField[E limbArray, L limbArray, F element[E, L]](t *testing.T, prime L) {
	p := toBig(prime)
	var raw []E // representatives, also those that are not below p
	for _, x := range edges(p, len(prime)) {
		if _, isC := any(*new(E)).(P256C); isC && x.Cmp(p) >= 0 {
			continue // Montgomery form has one representative only
		}
		raw = append(raw, fromBig[E](x))
	}
	value := func(e E) *big.Int {
		limbs := F(&e).Limbs()
		n := toBig(limbs)
		if n.Cmp(p) >= 0 {
			t.Fatalf("Limbs of %x: %x is not below p", e, n)
		}
		return n
	}
	check := func(op string, got E, want *big.Int, args ...E) {
		t.Helper()
		if w := want.Mod(want, p); value(got).Cmp(w) != 0 {
			t.Fatalf("%s of %x = %x, want %x", op, args, value(got), w)
		}
	}
	for _, x := range raw {
		testUnary[E, L, F](t, p, x, value, check)
		for _, y := range raw {
			testBinary[E, L, F](t, p, x, y, value, check)
		}
	}
	testLimbs[E, L, F](t, p, prime, value)
}

func testUnary[E, L limbArray, F element[E, L]](t *testing.T, p *big.Int, x E, value func(E) *big.Int, check func(string, E, *big.Int, ...E)) {
	bx := value(x)
	var z E
	F(&z).Square(&x)
	check("Square", z, new(big.Int).Mul(bx, bx), x)
	z = x
	F(&z).Square(&z)
	check("Square in place", z, new(big.Int).Mul(bx, bx), x)
	z = x
	F(&z).SquareVartime(&z)
	check("SquareVartime in place", z, new(big.Int).Mul(bx, bx), x)
	z = x
	F(&z).Mul(&z, &z)
	check("Mul in place", z, new(big.Int).Mul(bx, bx), x)
	z = x
	F(&z).Add(&z, &z)
	check("Add in place", z, new(big.Int).Add(bx, bx), x)
	z = x
	F(&z).Sub(&z, &z)
	check("Sub in place", z, new(big.Int), x)
	if F(&z).IsZero() != 1 {
		t.Fatalf("x − x is not zero for %x", x)
	}
	F(&z).Neg(&x)
	check("Neg", z, new(big.Int).Neg(bx), x)
	F(&z).Half(&x)
	check("Half", z, new(big.Int).Mul(bx, new(big.Int).ModInverse(big.NewInt(2), p)), x)
	F(&z).Invert(&x)
	want := new(big.Int)
	if bx.Sign() != 0 {
		want.ModInverse(bx, p)
	}
	check("Invert", z, want, x)
	if got := F(&x).IsZero() == 1; got != (bx.Sign() == 0) {
		t.Fatalf("IsZero(%x) = %v", x, got)
	}
	if bx.Sign() == 0 && !F(&x).MaybeZero() {
		t.Fatalf("MaybeZero(%x) is false", x)
	}
	z = fromBig[E](big.NewInt(2))
	if F(&z).MaybeZero() {
		t.Fatal("MaybeZero(2) is true")
	}
}

// TestInverseRoot: only the fields of curves with cofactor 4 have it.
func TestInverseRoot(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		testInverseRoot[P256A](t, p256A)
		testInverseRoot[P512A](t, p512A)
	})
}

func testInverseRoot[E limbArray, L limbArray, F interface {
	element[E, L]
	InverseRoot(x *E)
}](t *testing.T, prime L) {
	p := toBig(prime)
	for _, n := range edges(p, len(prime)) {
		x, want := fromBig[E](n), new(big.Int).Rsh(p, 2)
		var z E
		F(&z).InverseRoot(&x)
		if got := toBig(F(&z).Limbs()); got.Cmp(want.Exp(n, want, p)) != 0 {
			t.Fatalf("InverseRoot(%x) = %x, want %x", n, got, want)
		}
	}
}

// TestMulSmall: only one field has it.
func TestMulSmall(t *testing.T) {
	p := toBig(p256A)
	for _, n := range edges(p, len(p256A)) {
		x := fromBig[P256A](n)
		for _, k := range []uint64{0, 1, 3, 166, 1<<32 - 1} {
			want := new(big.Int).Mul(n, new(big.Int).SetUint64(k))
			var z P256A
			if z.MulSmall(&x, k); toBig(z.Limbs()).Cmp(want.Mod(want, p)) != 0 {
				t.Fatalf("%x·%d = %x, want %x", n, k, toBig(z.Limbs()), want)
			}
		}
	}
}

func testBinary[E, L limbArray, F element[E, L]](t *testing.T, p *big.Int, x, y E, value func(E) *big.Int, check func(string, E, *big.Int, ...E)) {
	bx, by := value(x), value(y)
	var z E
	F(&z).Add(&x, &y)
	check("Add", z, new(big.Int).Add(bx, by), x, y)
	F(&z).Sub(&x, &y)
	check("Sub", z, new(big.Int).Sub(bx, by), x, y)
	F(&z).Mul(&x, &y)
	check("Mul", z, new(big.Int).Mul(bx, by), x, y)
	z = y
	F(&z).Sub(&x, &z)
	check("Sub into y", z, new(big.Int).Sub(bx, by), x, y)
	z = y
	F(&z).Mul(&x, &z)
	check("Mul into y", z, new(big.Int).Mul(bx, by), x, y)
	F(&z).AddVartime(&x, &y)
	check("AddVartime", z, new(big.Int).Add(bx, by), x, y)
	z = y
	F(&z).SubVartime(&x, &z)
	check("SubVartime into y", z, new(big.Int).Sub(bx, by), x, y)
	z = y
	F(&z).MulVartime(&x, &z)
	check("MulVartime into y", z, new(big.Int).Mul(bx, by), x, y)
	F(&z).Select(&x, &y, 1)
	check("Select 1", z, new(big.Int).Set(bx), x, y)
	F(&z).Select(&x, &y, 0)
	check("Select 0", z, new(big.Int).Set(by), x, y)
	if got := F(&x).Equal(&y) == 1; got != (bx.Cmp(by) == 0) {
		t.Fatalf("Equal(%x, %x) = %v", x, y, got)
	}
}

func testLimbs[E, L limbArray, F element[E, L]](t *testing.T, p *big.Int, prime L, value func(E) *big.Int) {
	for _, x := range edges(p, len(prime)) {
		limbs := fromBig[L](x)
		var z E
		ok := F(&z).SetLimbs(&limbs) == 1
		if ok != (x.Cmp(p) < 0) {
			t.Errorf("SetLimbs(%x) says %v", x, ok)
		}
		if ok && value(z).Cmp(x) != 0 {
			t.Errorf("SetLimbs(%x) = %x", x, value(z))
		}
	}
	var one E
	if F(&one).One(); value(one).Cmp(big.NewInt(1)) != 0 {
		t.Errorf("One = %x", value(one))
	}
}

// edges returns numbers of n limbs that are likely to go wrong.
func edges(p *big.Int, n int) (xs []*big.Int) {
	limit := new(big.Int).Lsh(big.NewInt(1), uint(64*n))
	near := []*big.Int{new(big.Int), p, new(big.Int).Rsh(p, 1), limit, new(big.Int).Rsh(limit, 1), new(big.Int).Sub(limit, p)}
	for i := 1; i < n; i++ {
		near = append(near, new(big.Int).Lsh(big.NewInt(1), uint(64*i)))
	}
	for _, x := range near {
		for _, d := range []int64{-20000, -1300, -617, -3, -2, -1, 0, 1, 2, 3, 617, 1300, 20000} {
			xs = append(xs, new(big.Int).Add(x, big.NewInt(d)))
		}
	}
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for range 60 {
		x := new(big.Int)
		for range n {
			w := r.Uint64()
			switch r.IntN(4) {
			case 0:
				w = 0
			case 1:
				w = ^uint64(0)
			}
			x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(w))
		}
		xs = append(xs, x)
	}
	kept := xs[:0]
	for _, x := range xs {
		if x.Sign() >= 0 && x.Cmp(limit) < 0 {
			kept = append(kept, x)
		}
	}
	return kept
}

func BenchmarkP256A(b *testing.B) { benchmark[P256A](b, p256A) }
func BenchmarkP256B(b *testing.B) { benchmark[P256B](b, p256B) }
func BenchmarkP256C(b *testing.B) { benchmark[P256C](b, p256C) }
func BenchmarkP512A(b *testing.B) { benchmark[P512A](b, p512A) }
func BenchmarkP512B(b *testing.B) { benchmark[P512B](b, p512B) }

func benchmark[E, L limbArray, F element[E, L]](b *testing.B, prime L) {
	x := fromBig[E](toBig(prime))
	x[1] ^= 0x123456789
	y := x
	y[0] ^= 0x987654321
	z := F(&x)
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
		})
	}
	run("Add", func() { z.Add(&x, &y) })
	run("Sub", func() { z.Sub(&x, &y) })
	run("Mul", func() { z.Mul(&x, &y) })
	run("Square", func() { z.Square(&x) })
	run("Half", func() { z.Half(&x) })
	run("Invert", func() { z.Invert(&x) })
}
