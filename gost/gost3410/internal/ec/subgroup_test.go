package ec

import (
	"math/rand/v2"
	"testing"

	"propusk/gost/gost3410/internal/field"
	"propusk/gost/gost3410/internal/scalar"
)

// TestSubgroup compares the test for the subgroup with a multiplication by its
// order, for points of all four cosets.
func TestSubgroup(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	random := func(limbs int) (k scalar.Nat) {
		for i := range limbs {
			k[i] = r.Uint64()
		}
		k[limbs-1] &= 1<<60 - 1 // below the order
		return k
	}
	for range 100 {
		testSubgroup256(t, random(4))
		testSubgroup512(t, random(8))
	}
	testSubgroup256(t, scalar.Nat{1})
	testSubgroup512(t, scalar.Nat{1})
}

func testSubgroup256(t *testing.T, k scalar.Nat) {
	t.Helper()
	raw, ok := TC26256A{}.BaseMult(k)
	var x, y field.P256A
	if !ok || !tc26256ACoordinates(&x, &y, raw) {
		t.Fatal("no point")
	}
	var p, four tc26256APoint
	var step tc26256ACached
	p.setWeierstrass(&x, &y)
	// (1, 0) has order four.
	four.x.One()
	four.z.One()
	step.set(&four)
	order := scalar.TC26256A.Order()
	for coset := range 4 {
		var product tc26256APoint
		product.combine(&scalar.Nat{}, &order, &p)
		if got := product.isNeutral(); got != (coset == 0) {
			t.Fatalf("coset %d: the order times the point says %v", coset, got)
		}
		raw, ok := p.bytes()
		if got := (TC26256A{}).Check(raw); !ok || got != (coset == 0) {
			t.Fatalf("coset %d of %x: Check says %v", coset, raw, got)
		}
		p.add(&p, &step)
	}
	// And the small orders themselves.
	for range 3 {
		raw, _ := four.bytes()
		if (TC26256A{}).Check(raw) {
			t.Fatalf("Check accepts %x of a small order", raw)
		}
		four.add(&four, &step)
	}
}

func testSubgroup512(t *testing.T, k scalar.Nat) {
	t.Helper()
	raw, ok := TC26512C{}.BaseMult(k)
	var x, y field.P512A
	if !ok || !tc26512CCoordinates(&x, &y, raw) {
		t.Fatal("no point")
	}
	var p, four tc26512CPoint
	var step tc26512CCached
	p.setWeierstrass(&x, &y)
	// (1, 0) has order four.
	four.x.One()
	four.z.One()
	step.set(&four)
	order := scalar.TC26512C.Order()
	for coset := range 4 {
		var product tc26512CPoint
		product.combine(&scalar.Nat{}, &order, &p)
		if got := product.isNeutral(); got != (coset == 0) {
			t.Fatalf("coset %d: the order times the point says %v", coset, got)
		}
		raw, ok := p.bytes()
		if got := (TC26512C{}).Check(raw); !ok || got != (coset == 0) {
			t.Fatalf("coset %d of %x: Check says %v", coset, raw, got)
		}
		p.add(&p, &step)
	}
	// And the small orders themselves.
	for range 3 {
		raw, _ := four.bytes()
		if (TC26512C{}).Check(raw) {
			t.Fatalf("Check accepts %x of a small order", raw)
		}
		four.add(&four, &step)
	}
}
