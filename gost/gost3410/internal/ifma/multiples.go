package ifma

// multiples are odd multiples of a point, P, 3P, 5P…, in every lane: x and w, all for the
// same z. They are computed in variable time, for public points.
type multiples struct {
	points  []lanes
	factors []lanes // what z is multiplied with from one entry to the next
	twice   []lanes // 2P
	common  []lanes // z, z² and z³
}

func newMultiples(limbs, entries int) multiples {
	return multiples{
		make([]lanes, 2*entries*limbs), make([]lanes, entries*limbs),
		make([]lanes, 2*limbs), make([]lanes, 3*limbs),
	}
}

// fill computes the multiples of p. The formulas give them two by two with the same z;
// afterwards all are brought to the z of the last. A point of a large order meets no
// special case.
func (c *Curve) fill(t *multiples, p []lanes) {
	n := c.limbs()
	entries := len(t.factors) / n
	entry := func(i int) *lanes { return &t.points[2*n*i] }
	factor := func(i int) *lanes { return &t.factors[n*i] }
	c.start(&t.twice[0], entry(0), factor(0), &p[0])
	for i := 1; i < entries; i++ {
		c.chain(entry(i), &t.twice[0], factor(i), entry(i-1))
	}
	z := t.common[:n]
	clear(z)
	z[0] = lanes{1, 1, 1, 1, 1, 1, 1, 1}
	for i := entries - 2; i >= 0; i-- {
		c.scale(entry(i), &z[0], factor(i+1))
	}
	c.mul(&z[0], &z[0], factor(0))
	c.mul(&z[0], &z[0], &p[2*n])
	c.mul(&t.common[n], &z[0], &z[0])
	c.mul(&t.common[2*n], &t.common[n], &z[0])
}
