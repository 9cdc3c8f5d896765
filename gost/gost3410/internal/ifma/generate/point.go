package main

import (
	"fmt"
	"math/big"
)

// point is (x/z², w/(2z³)): Jacobian coordinates with twice the y, which makes the
// formulas for a = −3 free of halves and of most small factors.
type point struct{ x, w, z element }

// limit is the greatest that an element in memory may be: a bit more than 5p.
func (m *machine) limit() *big.Int { return times(big.NewInt(11), power(m.p.bits-1)) }

func (m *machine) inputPoint(base string, at int) point {
	n := m.p.limbs()
	hi := m.limit()
	return point{m.input(base, at, hi), m.rawInput(base, at+n, hi), m.rawInput(base, at+2*n, hi)}
}

func (m *machine) outputPoint(base string, at int, p point) {
	n := m.p.limbs()
	m.outputLimited(base, at, p.x)
	m.outputRaw(base, at+n, p.w)
	m.outputRaw(base, at+2*n, p.z)
}

func (m *machine) limited(e *element) *element {
	if hi := m.carry(e).hi; hi.Cmp(m.limit()) > 0 {
		panic(fmt.Sprintf("%s: the result may be 2^%d", m.name, hi.BitLen()))
	}
	return m.carry(e)
}

// outputLimited stores an element without what is above 52 bits of the limbs.
func (m *machine) outputLimited(base string, at int, e element) {
	c := m.limited(&e)
	for i := range c.limbs {
		m.store(fmt.Sprintf("%d(%s)", laneSize*(at+i), base), m.mask(c, i).v)
	}
}

// outputRaw stores an element for multiplications, which do not look at the rest.
func (m *machine) outputRaw(base string, at int, e element) {
	for i, l := range m.limited(&e).limbs {
		m.store(fmt.Sprintf("%d(%s)", laneSize*(at+i), base), l.v)
	}
}

// double returns 2a. a is not infinity: the order is odd.
func (m *machine) double(a *point) point {
	zz := m.square(&a.z)
	ww := m.square(&a.w)
	t := m.mul(m.difference(&a.x, zz), m.sum(&a.x, zz))
	alpha := m.carry(m.sum(m.twice(t), t)) // 3(X − Z²)(X + Z²)
	beta := m.mul(&a.x, ww)                // 4XY²
	z := m.mul(&a.w, &a.z)
	x := m.difference(m.square(alpha), m.twice(m.masked(beta)))
	v := m.mul2(alpha, m.difference(m.masked(beta), x), ww)
	return point{*x, *v, *z}
}

// masked returns x carried, which is used in several sums.
func (m *machine) masked(x *element) *element { return m.carry(x) }

// mul2 returns 2xy − w².
func (m *machine) mul2(x, y, w *element) *element {
	return m.reduce(m.less(m.product(x, m.twice(y)), m.squared(w)))
}

// summands are two points to add, brought to the same z: x and w of each, times the
// powers of the z of the other, and the product of both z.
type summands struct{ u1, s1, u2, s2, z *element }

// addition returns the sum. It is wrong, with z = 0, if both are equal or opposite; and
// z stays 0 in all that is made of it.
func (m *machine) addition(o summands) point {
	h := m.difference(o.u2, o.u1)
	r := m.carry(m.difference(o.s2, o.s1)) // 2(S₂ − S₁)
	hh := m.carry(m.twice(h))
	i := m.square(hh) // 4H²
	j := m.carry(m.mul(m.carry(h), i))
	v := m.carry(m.mul(o.u1, i))
	z := m.mul(o.z, hh)
	x := m.carry(m.difference(m.difference(m.square(r), j), m.twice(v)))
	w := m.twice(m.reduce(m.less(m.product(r, m.difference(v, x)), m.product(o.s1, j))))
	return point{*x, *w, *z}
}

// addAffine returns a + (x, w), or a − (x, w) in the lanes of a mask register.
func (m *machine) addAffine(a *point, x, w *element, mask string) point {
	zz := m.carry(m.square(&a.z))
	u := m.mul(x, zz)
	s := m.mul(w, m.mul(&a.z, zz))
	return m.addition(summands{&a.x, &a.w, u, m.signed(s, mask), &a.z})
}

// addCommon returns a ± (x, w, z), for the given powers of z.
func (m *machine) addCommon(a *point, x, w, z, zz, zzz *element, mask string) point {
	own := m.carry(m.square(&a.z))
	u1 := m.carry(m.mul(&a.x, zz))
	s1 := m.carry(m.mul(&a.w, zzz))
	u2 := m.mul(x, own)
	s2 := m.mul(w, m.mul(&a.z, own))
	return m.addition(summands{u1, s1, u2, m.signed(s2, mask), m.carry(m.mul(&a.z, z))})
}

// addPoints returns a + b.
func (m *machine) addPoints(a, b *point) point {
	aa, bb := m.carry(m.square(&a.z)), m.carry(m.square(&b.z))
	u1 := m.carry(m.mul(&a.x, bb))
	s1 := m.carry(m.mul(&a.w, m.mul(&b.z, bb)))
	u2 := m.mul(&b.x, aa)
	s2 := m.mul(&b.w, m.mul(&a.z, aa))
	return m.addition(summands{u1, s1, u2, s2, m.carry(m.mul(&a.z, &b.z))})
}

// start returns 2·a, and a again with the same z: that of a times its w.
func (m *machine) start(a *point) (twice, same point) {
	ww := m.carry(m.square(&a.w))
	s := m.carry(m.mul(&a.x, ww))
	zz := m.square(&a.z)
	t := m.mul(m.difference(&a.x, zz), m.sum(&a.x, zz))
	alpha := m.carry(m.sum(m.twice(t), t))
	x := m.carry(m.difference(m.square(alpha), m.twice(s)))
	return point{x: *x, w: *m.mul2(alpha, m.difference(s, x), ww)}, point{x: *s, w: *m.square(ww)}
}

func (m *machine) one() *element {
	e := &element{lo: power(0), hi: power(0), carried: true}
	for i := range m.p.limbs() {
		e.limbs = append(e.limbs, limb{m.constant(0), zero, zero})
		if i == 0 {
			e.limbs[0] = limb{m.constant(1), power(0), power(0)}
		}
	}
	e.masked = e.limbs
	return e
}

// chain returns d + t, and d again with the same z: that of both before, times factor.
func (m *machine) chain(d, t *point) (sum, same point, factor element) {
	h2 := m.carry(m.small(m.twice(m.difference(&d.x, &t.x))))
	a := m.carry(m.square(h2))
	b := m.carry(m.mul(&d.x, a))
	c := m.carry(m.mul(&t.x, a))
	r := m.carry(m.difference(&d.w, &t.w))
	x := m.carry(m.difference(m.difference(m.square(r), b), c))
	e := m.product(&d.w, m.difference(b, c))
	w := m.twice(m.reduce(m.less(m.product(r, m.difference(b, x)), e)))
	return point{x: *x, w: *w}, point{x: *b, w: *m.twice(m.reduce(e))}, *h2
}
