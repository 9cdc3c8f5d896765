package ifma

import (
	"encoding/binary"
	"math/bits"

	"propusk/gost/gost3410/internal/scalar"
)

// Widths of the digits of a batch, in bits: of the scalars of the keys, and of those of
// the base point, which is a multiple.
const (
	keyWidth  = 5
	baseWidth = 2 * keyWidth
)

// keyEntries is how many odd multiples of a key are computed.
const keyEntries = 1 << (keyWidth - 1)

// batch is the memory of one verification of eight claims.
type batch struct {
	*Curve
	scalars [2][]byte // of the base point and of the keys, lane by lane
	keys    []lanes   // x, w and z
	table   multiples // of the keys
	acc     []lanes
	picked  []lanes // what was looked up
}

func (c *Curve) newBatch() *batch {
	if b, ok := c.batches.Get().(*batch); ok {
		return b
	}
	n := c.limbs()
	scalars := make([]byte, 2*8*c.stride())
	return &batch{
		Curve: c, keys: make([]lanes, 3*n), table: newMultiples(n, keyEntries), acc: make([]lanes, 3*n), picked: make([]lanes, 3*n),
		scalars: [2][]byte{scalars[:len(scalars)/2], scalars[len(scalars)/2:]},
	}
}

// Verify8 reports of up to eight claims whether x(k·G − l·P) is r modulo the order, for
// k, l and r below the order and LE(x)|LE(y) of P, a point of the curve. Of those in doubt
// nothing is known: the lanes met a special case, which is never so by chance. It takes
// variable time.
func (c *Curve) Verify8(count int, claim func(lane int) (r, k, l *scalar.Nat, xy []byte)) (good, doubt [8]bool) {
	b := c.newBatch()
	var rs [8]*scalar.Nat
	for lane := range 8 {
		r, k, l, xy := claim(min(lane, count-1))
		rs[lane] = r
		b.set(lane, *k, *l, xy)
	}
	b.fill(&b.table, b.keys)
	b.multiply()
	n := c.limbs()
	var x, z [8]uint64
	for lane := range count {
		c.toWords(x[:], b.acc[:n], lane)
		c.toWords(z[:], b.acc[2*n:], lane)
		is, ok := c.group.XIs(*rs[lane], x[:c.words()], z[:c.words()])
		good[lane], doubt[lane] = is && ok, !ok
	}
	c.batches.Put(b)
	return good, doubt
}

// set brings scalars, made odd, and a point into a lane.
func (b *batch) set(lane int, k, l scalar.Nat, xy []byte) {
	n, order := b.words(), b.order.Order()
	var carry uint64
	if k[0]&1 == 0 {
		for i := range n {
			k[i], carry = bits.Add64(k[i], order[i], carry)
		}
	}
	at := lane * b.stride()
	putWords(b.scalars[0][at:], k[:n])
	// The bit above the last window is set.
	binary.LittleEndian.PutUint64(b.scalars[0][at+8*n:], carry|1<<(b.baseWindows()*baseWidth-64*n))
	var x, w [8]uint64
	for i := range n {
		x[i] = binary.LittleEndian.Uint64(xy[8*i:])
		w[i] = binary.LittleEndian.Uint64(xy[8*(n+i):])
	}
	even := ^l[0] & 1
	if even == 0 {
		b.negate(w[:n])
	}
	l = b.oddScalar(l, even)
	b.twiceModP(w[:n])
	putWords(b.scalars[1][at:], l[:n])
	fromWords(b.keys[:b.limbs()], lane, x[:n])
	fromWords(b.keys[b.limbs():2*b.limbs()], lane, w[:n])
	b.keys[2*b.limbs()][lane] = 1
}

// stride is how many bytes a scalar takes, with room above.
func (c *Curve) stride() int { return 8 * (c.words() + 1) }

// baseWindows is how many digits the scalar of the base point has, which may be more
// than the order by the order.
func (c *Curve) baseWindows() int { return (c.scalarBits() + baseWidth) / baseWidth }

// multiply sets acc to the sum of both multiples. The last digit of a key is 1.
func (b *batch) multiply() {
	b.base.once.Do(b.makeBase)
	copy(b.acc, b.keys)
	at := b.scalarBits() - 1
	if rest := at % keyWidth; rest > 0 {
		at -= rest
		b.addDigits(at, rest)
	}
	for at > 0 {
		at -= keyWidth
		b.addDigits(at, keyWidth)
	}
}

// addDigits doubles, and adds what the digits at a bit say.
func (b *batch) addDigits(at, width int) {
	n, first := b.limbs(), (at+1)/8
	shift := uint64(at+1) % 8
	b.double(&b.acc[0], width)
	l := b.base.key
	if width != keyWidth {
		l = b.base.rest
	}
	gather(&b.picked[0], &b.table.points[0], &b.scalars[1][first], shift, l)
	b.addCommon(&b.acc[0], &b.picked[0], &b.table.common[0], &b.picked[2*n])
	if at%baseWidth == 0 {
		gather(&b.picked[0], &b.base.odd[0], &b.scalars[0][first], shift, b.base.oddLayout)
		b.addAffine(&b.acc[0], &b.picked[0], &b.picked[2*b.words()])
	}
}
