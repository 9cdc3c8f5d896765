package ec

import (
	"propusk/gost/gost3410/internal/field"
	"propusk/gost/gost3410/internal/scalar"
)

// What package ifma needs of the curves with a = −3, next to what is generated.

// Base returns the base point as LE(x)|LE(y).
func (CryptoProA) Base() []byte {
	g := cryptoProAG.projective()
	xy, _ := g.bytes()
	return xy
}

// XIs reports whether x(a) is r modulo the order, for the Jacobian coordinates x and z
// of a, any representatives; ok is whether a is not infinity. It takes variable time.
func (CryptoProA) XIs(r scalar.Nat, x, z []uint64) (is, ok bool) {
	a := cryptoProAJacobian{x: field.P256A(x), z: field.P256A(z)}
	ok = a.z.IsZero() == 0
	return ok && a.xIs(r), ok
}

// Sum returns a + b as LE(x)|LE(y), and false if that is infinity, for the Jacobian
// coordinates x, 2y and z of both, any representatives. It takes constant time.
func (CryptoProA) Sum(a, b *[3][]uint64) ([]byte, bool) {
	var points [2]cryptoProAProjective
	for i, p := range []*[3][]uint64{a, b} {
		j := cryptoProAJacobian{field.P256A(p[0]), field.P256A(p[1]), field.P256A(p[2])}
		j.y.Half(&j.y)
		points[i] = j.projective()
	}
	points[0].add(&points[0], &points[1])
	return points[0].bytes()
}

// Powers returns the Jacobian coordinates x, y and z of 2^(n·i)·P for all i, for a point
// LE(x)|LE(y) of the curve. It takes variable time.
func (CryptoProA) Powers(xy []byte, n int) (points [8][3][]uint64) {
	var a cryptoProAAffine
	if !a.set(xy) {
		panic("ec: not a point")
	}
	var j cryptoProAJacobian
	j.setAffine(&a)
	for i := range points {
		if i > 0 {
			j.doubleTimesVartime(n)
		}
		p := j
		points[i] = [3][]uint64{p.x[:], p.y[:], p.z[:]}
	}
	return points
}

// Base returns the base point as LE(x)|LE(y).
func (CryptoProB) Base() []byte {
	g := cryptoProBG.projective()
	xy, _ := g.bytes()
	return xy
}

// XIs reports whether x(a) is r modulo the order, for the Jacobian coordinates x and z
// of a, any representatives; ok is whether a is not infinity. It takes variable time.
func (CryptoProB) XIs(r scalar.Nat, x, z []uint64) (is, ok bool) {
	a := cryptoProBJacobian{x: field.P256B(x), z: field.P256B(z)}
	ok = a.z.IsZero() == 0
	return ok && a.xIs(r), ok
}

// Sum returns a + b as LE(x)|LE(y), and false if that is infinity, for the Jacobian
// coordinates x, 2y and z of both, any representatives. It takes constant time.
func (CryptoProB) Sum(a, b *[3][]uint64) ([]byte, bool) {
	var points [2]cryptoProBProjective
	for i, p := range []*[3][]uint64{a, b} {
		j := cryptoProBJacobian{field.P256B(p[0]), field.P256B(p[1]), field.P256B(p[2])}
		j.y.Half(&j.y)
		points[i] = j.projective()
	}
	points[0].add(&points[0], &points[1])
	return points[0].bytes()
}

// Powers returns the Jacobian coordinates x, y and z of 2^(n·i)·P for all i, for a point
// LE(x)|LE(y) of the curve. It takes variable time.
func (CryptoProB) Powers(xy []byte, n int) (points [8][3][]uint64) {
	var a cryptoProBAffine
	if !a.set(xy) {
		panic("ec: not a point")
	}
	var j cryptoProBJacobian
	j.setAffine(&a)
	for i := range points {
		if i > 0 {
			j.doubleTimesVartime(n)
		}
		p := j
		points[i] = [3][]uint64{p.x[:], p.y[:], p.z[:]}
	}
	return points
}

// Base returns the base point as LE(x)|LE(y).
func (TC26512A) Base() []byte {
	g := tc26512AG.projective()
	xy, _ := g.bytes()
	return xy
}

// XIs reports whether x(a) is r modulo the order, for the Jacobian coordinates x and z
// of a, any representatives; ok is whether a is not infinity. It takes variable time.
func (TC26512A) XIs(r scalar.Nat, x, z []uint64) (is, ok bool) {
	a := tc26512AJacobian{x: field.P512A(x), z: field.P512A(z)}
	ok = a.z.IsZero() == 0
	return ok && a.xIs(r), ok
}

// Sum returns a + b as LE(x)|LE(y), and false if that is infinity, for the Jacobian
// coordinates x, 2y and z of both, any representatives. It takes constant time.
func (TC26512A) Sum(a, b *[3][]uint64) ([]byte, bool) {
	var points [2]tc26512AProjective
	for i, p := range []*[3][]uint64{a, b} {
		j := tc26512AJacobian{field.P512A(p[0]), field.P512A(p[1]), field.P512A(p[2])}
		j.y.Half(&j.y)
		points[i] = j.projective()
	}
	points[0].add(&points[0], &points[1])
	return points[0].bytes()
}

// Powers returns the Jacobian coordinates x, y and z of 2^(n·i)·P for all i, for a point
// LE(x)|LE(y) of the curve. It takes variable time.
func (TC26512A) Powers(xy []byte, n int) (points [8][3][]uint64) {
	var a tc26512AAffine
	if !a.set(xy) {
		panic("ec: not a point")
	}
	var j tc26512AJacobian
	j.setAffine(&a)
	for i := range points {
		if i > 0 {
			j.doubleTimesVartime(n)
		}
		p := j
		points[i] = [3][]uint64{p.x[:], p.y[:], p.z[:]}
	}
	return points
}

// Base returns the base point as LE(x)|LE(y).
func (TC26512B) Base() []byte {
	g := tc26512BG.projective()
	xy, _ := g.bytes()
	return xy
}

// XIs reports whether x(a) is r modulo the order, for the Jacobian coordinates x and z
// of a, any representatives; ok is whether a is not infinity. It takes variable time.
func (TC26512B) XIs(r scalar.Nat, x, z []uint64) (is, ok bool) {
	a := tc26512BJacobian{x: field.P512B(x), z: field.P512B(z)}
	ok = a.z.IsZero() == 0
	return ok && a.xIs(r), ok
}

// Sum returns a + b as LE(x)|LE(y), and false if that is infinity, for the Jacobian
// coordinates x, 2y and z of both, any representatives. It takes constant time.
func (TC26512B) Sum(a, b *[3][]uint64) ([]byte, bool) {
	var points [2]tc26512BProjective
	for i, p := range []*[3][]uint64{a, b} {
		j := tc26512BJacobian{field.P512B(p[0]), field.P512B(p[1]), field.P512B(p[2])}
		j.y.Half(&j.y)
		points[i] = j.projective()
	}
	points[0].add(&points[0], &points[1])
	return points[0].bytes()
}

// Powers returns the Jacobian coordinates x, y and z of 2^(n·i)·P for all i, for a point
// LE(x)|LE(y) of the curve. It takes variable time.
func (TC26512B) Powers(xy []byte, n int) (points [8][3][]uint64) {
	var a tc26512BAffine
	if !a.set(xy) {
		panic("ec: not a point")
	}
	var j tc26512BJacobian
	j.setAffine(&a)
	for i := range points {
		if i > 0 {
			j.doubleTimesVartime(n)
		}
		p := j
		points[i] = [3][]uint64{p.x[:], p.y[:], p.z[:]}
	}
	return points
}
