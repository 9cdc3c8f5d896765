package ifma

import "propusk/gost/gost3410/internal/scalar"

// multWidth is the width of the digits of Mult, in bits.
const multWidth = 4

// mult is the memory of one multiplication.
type mult struct {
	comb
	powers []lanes // of the point, by powers of two
	table  multiples
	layout *layout
}

func (c *Curve) newMult() *mult {
	if m, ok := c.mults.Get().(*mult); ok {
		return m
	}
	n := c.limbs()
	m := &mult{
		*c.newComb(), make([]lanes, 3*n), newMultiples(n, 1<<(multWidth-1)),
		newLayout(multWidth, c.words(), 1, 0, 2*n, 64),
	}
	m.picked = make([]lanes, 2*n+1)
	return m
}

// Mult returns k·P as LE(x)|LE(y), and false if that is infinity, for k below the order
// and LE(x)|LE(y) of P, a point of the curve. It takes constant time in k.
func (c *Curve) Mult(k scalar.Nat, xy []byte) ([]byte, bool) {
	m := c.newMult()
	m.multiplyPoint(k, xy)
	out, ok := m.sum()
	m.wipe()
	c.mults.Put(m)
	return out, ok
}

// VerifyX reports whether the x coordinate of k·G + l·P is r modulo the order, for k, l and
// r below the order and LE(x)|LE(y) of P, a point of the curve. It takes variable time.
func (c *Curve) VerifyX(r, k, l scalar.Nat, xy []byte) bool {
	m := c.newMult()
	m.multiplyPoint(l, xy)
	m.multiply(c.basePublic(), k, true)
	is, ok := m.sumIs(r)
	c.mults.Put(m)
	if !ok {
		return c.group.VerifyX(r, k, l, xy)
	}
	return is
}

// multiplyPoint sets acc to k·P, in parts. It takes constant time in k.
//
// Each lane gets a part of the bits of k, and P doubled as often as they are shifted:
// that is all public. No addition is special: in a lane, the sum of the digits so far is
// at least 1, so it is at least 16 when it is shifted, and the next digit less, all of
// them far below the order.
func (m *mult) multiplyPoint(k scalar.Nat, xy []byte) {
	n := m.limbs()
	for lane, p := range m.group.Powers(xy, m.scalarBits()/8) {
		m.twiceModP(p[1])
		for i, x := range p {
			fromWords(m.powers[i*n:i*n+n], lane, x)
		}
	}
	m.fill(&m.table, m.powers)
	negative := m.setScalar(k)
	at := m.scalarBits()/8 - multWidth
	m.find(at, negative)
	m.setCommon(&m.acc[0], &m.picked[0], &m.table.common[0], &m.picked[2*n])
	for at > 0 {
		at -= multWidth
		m.double(&m.acc[0], multWidth)
		m.find(at, negative)
		m.addCommon(&m.acc[0], &m.picked[0], &m.table.common[0], &m.picked[2*n])
	}
}

// find looks up the digits at a bit, reading the whole table.
func (m *mult) find(at int, negative uint64) {
	n, scan := m.limbs(), scan10
	if n == 10 {
		scan = scan20
	}
	scan(&m.picked[0], &m.table.points[0], &m.scalar[(at+1)/8], uint64(at+1)%8, m.layout)
	m.picked[2*n][0] ^= negative
}
