package ifma

import (
	"math/bits"
	"sync"

	"propusk/gost/gost3410/internal/scalar"
)

// A comb cuts a scalar into eight parts, one for each lane, and the parts into digits.
// The point of a digit is looked up in a table, which has the multiples by powers of two
// too, so nothing is doubled: every lane adds up its points, and then the lanes are
// added.
//
// plan is the widths of the digits of one lane, the lowest first.
type plan []int

// plans returns the plans of the tables of keys and of the base point, and of the one
// of the base point for secrets, which is read as a whole.
func (c *Curve) plans() (key, base, secret plan) {
	if c.scalarBits() == 256 {
		return plan{5, 5, 5, 5, 6, 6}, plan{8, 8, 8, 8}, plan{5, 5, 5, 5, 6, 6}
	}
	return plan{6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 5}, plan{8, 8, 8, 8, 8, 8, 8, 8}, plan{6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 5}
}

// lookup finds the points of a table, of one step of all lanes at once.
type lookup func(point, table *lanes, scalars *byte, shift uint64, l *layout)

// combTable is the points of a plan.
type combTable struct {
	plan   plan
	find   lookup
	points [][]lanes // step by step
	layout []*layout
}

// onceTable makes a table of the base point when it is needed.
type onceTable struct {
	once  sync.Once
	table combTable
}

func (c *Curve) basePublic() *combTable {
	t := &c.base.public
	t.once.Do(func() {
		_, plan, _ := c.plans()
		t.table = c.newCombTable(c.group.Base(), plan, false)
	})
	return &t.table
}

func (c *Curve) baseSecret() *combTable {
	t := &c.base.secret
	t.once.Do(func() {
		_, _, plan := c.plans()
		t.table = c.newCombTable(c.group.Base(), plan, true)
	})
	return &t.table
}

// newCombTable returns the multiples of a point. For secrets, every entry is in all
// lanes beside each other; otherwise points are one after the other.
func (c *Curve) newCombTable(xy []byte, p plan, secret bool) combTable {
	words := 2 * c.words()
	t := combTable{plan: p, find: gather}
	if secret {
		t.find = scan8
		if words == 16 {
			t.find = scan16
		}
	}
	start := c.laneBases(xy)
	var all []row
	for _, width := range p {
		entries := 1 << (width - 1)
		all = append(all, c.oddMultiples(start, entries)...)
		c.double(&start[0], width)
		stride, lane := words, words*entries
		if secret {
			stride, lane = 1, 0 // scan counts entries
		}
		t.layout = append(t.layout, newLayout(width, c.words(), stride, lane, words, 8))
	}
	c.normalise(all)
	for _, width := range p {
		entries := 1 << (width - 1)
		t.points = append(t.points, c.putRows(all[:entries], secret))
		all = all[entries:]
	}
	return t
}

// putRows writes points with z = 1 as a table.
func (c *Curve) putRows(rows []row, secret bool) []lanes {
	n, words := c.limbs(), c.words()
	table := make([]lanes, 2*words*len(rows))
	var x [8]uint64
	for e, r := range rows {
		for lane := range 8 {
			if !secret {
				c.putPoint(table, lane*len(rows)+e, r, lane)
				continue
			}
			for half := range 2 {
				c.toWords(x[:words], r[half*n:half*n+n], lane)
				for j := range words {
					table[(2*e+half)*words+j][lane] = x[j]
				}
			}
		}
	}
	return table
}

// laneBases returns 2^(i·scalarBits/8)·P in lane i.
func (c *Curve) laneBases(xy []byte) row {
	p := c.spread(xy)
	bases := append(row(nil), p...)
	for lane := 1; lane < 8; lane++ {
		c.double(&p[0], c.scalarBits()/8)
		for i := range bases {
			bases[i][lane] = p[i][lane]
		}
	}
	return bases
}

// comb is the memory of one multiplication.
type comb struct {
	*Curve
	acc, other, picked []lanes
	scalar             []byte
	coordinates        [2][24]uint64 // of two points, see point
}

func (c *Curve) newComb() *comb {
	if m, ok := c.combs.Get().(*comb); ok {
		return m
	}
	n := 3 * c.limbs()
	memory := make([]lanes, 2*n+2*c.words()+1)
	return &comb{Curve: c, acc: memory[:n:n], other: memory[n : 2*n : 2*n], picked: memory[2*n:], scalar: make([]byte, c.stride()+8)}
}

// multiply sets acc to k times the point of a table, in parts, or adds it; k must be below
// the order. If z is 0 at the end, the formulas do not know the case.
//
// Where the table is for secrets this takes constant time, and it is never wrong: in
// lane i, all multiples of the point are odd multiples of 2^(i·scalarBits/8), until lanes are
// added. Before a digit at bit a of a lane is added, the sum is less than 2^a such
// units, and the digit at least 2^a, so they are neither equal nor opposite as integers.
// They are neither modulo the order q: in lane 0 both are by far too small; in the
// others, their sum and difference are even, and less than 2^scalarBits < 2q, so they
// are not ±q, which is odd.
func (m *comb) multiply(t *combTable, k scalar.Nat, started bool) {
	n := m.words()
	negative := m.setScalar(k)
	at := 0
	for i, width := range t.plan {
		t.find(&m.picked[0], &t.points[i][0], &m.scalar[(at+1)/8], uint64(at+1)%8, t.layout[i])
		m.picked[2*n][0] ^= negative
		if started {
			m.addAffine(&m.acc[0], &m.picked[0], &m.picked[2*n])
		} else {
			m.setAffine(&m.acc[0], &m.picked[0], &m.picked[2*n])
			started = true
		}
		at += width
	}
}

// setScalar sets the scalar to k or −k, which is odd, in constant time, and returns the
// lanes with minus: none or all.
func (m *comb) setScalar(k scalar.Nat) (negative uint64) {
	even := ^k[0] & 1
	k = m.oddScalar(k, even)
	putWords(m.scalar, k[:m.words()])
	m.scalar[8*m.words()] = 1 // the bit above the last window
	return -even & 255
}

// oddScalar returns k if even is 0 and q − k otherwise, in constant time.
func (c *Curve) oddScalar(k scalar.Nat, even uint64) scalar.Nat {
	order := c.order.Order()
	var borrow, d uint64
	for i := range c.words() {
		d, borrow = bits.Sub64(order[i], k[i], borrow)
		k[i] ^= -even & (k[i] ^ d)
	}
	return k
}

// fold adds to each lane the one whose number differs in a bit.
func (m *comb) fold(bit uint64) {
	var index lanes
	for i := range index {
		index[i] = uint64(i) ^ bit
	}
	permute(&m.other[0], &m.acc[0], len(m.acc), &index)
	m.add(&m.acc[0], &m.other[0])
}

// point returns the words of x, w and z of a lane, in one of two places.
func (m *comb) point(place, lane int) (p [3][]uint64) {
	n, words := m.limbs(), m.words()
	for i := range p {
		p[i] = m.coordinates[place][8*i : 8*i+words]
		m.toWords(p[i], m.acc[i*n:i*n+n], lane)
	}
	return p
}

// sum returns the sum of all lanes, and false if that is infinity. It takes constant
// time.
//
// The sums of lanes 0 to 3, and 4 to 7, are not special for the reasons of multiply.
// The last addition may be: it is done with complete formulas.
func (m *comb) sum() ([]byte, bool) {
	m.fold(1)
	m.fold(2)
	a, b := m.point(0, 0), m.point(1, 4)
	return m.group.Sum(&a, &b)
}

// sumIs reports whether the x coordinate of the sum of all lanes is r modulo the order;
// ok is whether the formulas knew all cases. It takes variable time.
func (m *comb) sumIs(r scalar.Nat) (is, ok bool) {
	m.fold(1)
	m.fold(2)
	m.fold(4)
	p := m.point(0, 0)
	return m.group.XIs(r, p[0], p[2])
}

// BaseMult returns k·G as LE(x)|LE(y), and false if that is infinity, for k below the
// order. It takes constant time.
func (c *Curve) BaseMult(k scalar.Nat) ([]byte, bool) {
	m := c.newComb()
	m.multiply(c.baseSecret(), k, false)
	xy, ok := m.sum()
	m.wipe()
	c.combs.Put(m)
	return xy, ok
}

// wipe overwrites what is known of the scalar.
func (m *comb) wipe() {
	clear(m.acc)
	clear(m.other)
	clear(m.picked)
	clear(m.scalar)
	clear(m.coordinates[:])
}

// Table has multiples of a point for verifications.
type Table struct {
	curve *Curve
	table combTable
	xy    []byte
}

// NewTable returns the table of a point LE(x)|LE(y) of the curve.
func (c *Curve) NewTable(xy []byte) *Table {
	key, _, _ := c.plans()
	return &Table{c, c.newCombTable(xy, key, false), xy}
}

// VerifyX reports whether the x coordinate of k·G + l·P is r modulo the order, in
// variable time; k, l and r must be below the order.
func (t *Table) VerifyX(r, k, l scalar.Nat) bool {
	c := t.curve
	m := c.newComb()
	m.multiply(c.basePublic(), k, false)
	m.multiply(&t.table, l, true)
	is, ok := m.sumIs(r)
	c.combs.Put(m)
	if !ok {
		return c.group.VerifyX(r, k, l, t.xy)
	}
	return is
}
