package ifma

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// baseTables are multiples of the base point, made on first use, with the layouts of
// all tables of a curve.
type baseTables struct {
	once      sync.Once
	odd       []lanes // (2i+1)·G, point by point
	oddLayout *layout
	key, rest *layout // of the tables of a batch

	public, secret onceTable
}

// makeBase fills the tables for batches.
func (c *Curve) makeBase() {
	t, n := &c.base, c.limbs()
	t.key = newLayout(keyWidth, c.stride(), 16*n, 1, 2*n, 64)
	t.rest = newLayout(max(1, (c.scalarBits()-1)%keyWidth), c.stride(), 16*n, 1, 2*n, 64)
	t.oddLayout = newLayout(baseWidth, c.stride(), 2*c.words(), 0, 2*c.words(), 8)
	g := c.spread(c.group.Base())
	points := c.oddMultiples(g, 1<<(baseWidth-1))
	c.normalise(points)
	t.odd = make([]lanes, len(points)*2*c.words()/8)
	for i, p := range points {
		c.putPoint(t.odd, i, p, 0)
	}
}

// A row is a point of every lane: the limbs of x, w and z.
type row []lanes

func (c *Curve) newRow() row { return make(row, 3*c.limbs()) }

// spread returns the point LE(x)|LE(y) in all lanes.
func (c *Curve) spread(xy []byte) row {
	n, words := c.limbs(), c.words()
	var x, w [8]uint64
	for i := range words {
		x[i] = binary.LittleEndian.Uint64(xy[8*i:])
		w[i] = binary.LittleEndian.Uint64(xy[8*(words+i):])
	}
	c.twiceModP(w[:words])
	r := c.newRow()
	for lane := range 8 {
		fromWords(r[:n], lane, x[:words])
		fromWords(r[n:2*n], lane, w[:words])
		r[2*n][lane] = 1
	}
	return r
}

// oddMultiples returns p, 3p, 5p…
func (c *Curve) oddMultiples(p row, count int) []row {
	twice := append(row(nil), p...)
	c.double(&twice[0], 1)
	rows := make([]row, count)
	rows[0] = append(row(nil), p...)
	for i := 1; i < count; i++ {
		rows[i] = append(row(nil), rows[i-1]...)
		c.add(&rows[i][0], &twice[0])
	}
	return rows
}

// normalise makes z = 1, with one inversion. No point may be infinity.
func (c *Curve) normalise(points []row) {
	n := c.limbs()
	before := make([]lanes, n*len(points)) // the product of the z before
	product := make([]lanes, n)
	product[0] = lanes{1, 1, 1, 1, 1, 1, 1, 1}
	for i, p := range points {
		copy(before[n*i:], product)
		c.mul(&product[0], &product[0], &p[2*n])
	}
	c.invert(product)
	inverse, power := make([]lanes, n), make([]lanes, n)
	for i := len(points) - 1; i >= 0; i-- {
		p := points[i]
		c.mul(&inverse[0], &product[0], &before[n*i])
		c.mul(&product[0], &product[0], &p[2*n])
		c.mul(&power[0], &inverse[0], &inverse[0])
		c.mul(&p[0], &p[0], &power[0])
		c.mul(&power[0], &power[0], &inverse[0])
		c.mul(&p[n], &p[n], &power[0])
		clear(p[2*n:])
		p[2*n] = lanes{1, 1, 1, 1, 1, 1, 1, 1}
	}
}

// invert sets x = 1/x: x^(p−2), bit by bit.
func (c *Curve) invert(x []lanes) {
	e := make([]uint64, c.words())
	var borrow uint64
	for i := range e {
		e[i] = c.prime(i)
	}
	e[0], borrow = bits.Sub64(e[0], 2, 0)
	if borrow != 0 {
		panic("ifma: a prime that ends in zeros")
	}
	one := append([]lanes(nil), x...)
	for bit := bits.Len64(e[len(e)-1]) + 64*(len(e)-1) - 2; bit >= 0; bit-- {
		c.squareTimes(&x[0], 1)
		if e[bit/64]>>(bit%64)&1 == 1 {
			c.mul(&x[0], &x[0], &one[0])
		}
	}
}

// putPoint writes the words of x and w of a lane of a point at place i of a table.
func (c *Curve) putPoint(table []lanes, i int, p row, lane int) {
	n, words := c.limbs(), c.words()
	var x [8]uint64
	for half := range 2 {
		c.toWords(x[:words], p[half*n:half*n+n], lane)
		for j := range words {
			at := (2*i+half)*words + j
			table[at/8][at%8] = x[j]
		}
	}
}
