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
//
// Each lane gets a part of the bits of k, and P doubled as often as they are shifted:
// that is all public. No addition is special: in a lane, the sum of the digits so far is
// at least 1, so it is at least 16 when it is shifted, and the next digit less, all of
// them far below the order. The lanes are added as in BaseMult.
func (c *Curve) Mult(k scalar.Nat, xy []byte) ([]byte, bool) {
	m := c.newMult()
	n, words := c.limbs(), c.words()
	for lane, p := range c.group.Powers(xy, c.scalarBits()/8) {
		c.twiceModP(p[1])
		for i, x := range p {
			fromWords(m.powers[i*n:i*n+n], lane, x)
		}
	}
	c.fill(&m.table, m.powers)
	even := ^k[0] & 1
	k = c.oddScalar(k, even)
	putWords(m.scalar, k[:words])
	m.scalar[8*words] = 1 // the bit above the last window
	at := c.scalarBits()/8 - multWidth
	m.find(at)
	c.setCommon(&m.acc[0], &m.picked[0], &m.table.common[0], &m.picked[2*n])
	for at > 0 {
		at -= multWidth
		c.double(&m.acc[0], multWidth)
		m.find(at)
		c.addCommon(&m.acc[0], &m.picked[0], &m.table.common[0], &m.picked[2*n])
	}
	out, ok := m.sum(even)
	m.wipe()
	c.mults.Put(m)
	return out, ok
}

// find looks up the digits at a bit, reading the whole table.
func (m *mult) find(at int) {
	scan := scan10
	if m.limbs() == 10 {
		scan = scan20
	}
	scan(&m.picked[0], &m.table.points[0], &m.scalar[(at+1)/8], uint64(at+1)%8, m.layout)
}
