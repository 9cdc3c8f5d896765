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
	table   []lanes   // odd multiples of the keys, x and w, all for the same z
	factors []lanes   // what z is multiplied with from one entry to the next
	common  []lanes   // z, z² and z³ of the table
	acc     []lanes
	twice   []lanes // twice the keys, while the table is made
	picked  []lanes // what was looked up
	keys    []lanes // x and w
}

func (c *Curve) newBatch() *batch {
	if b, ok := c.batches.Get().(*batch); ok {
		return b
	}
	n := c.limbs()
	memory := make([]lanes, (3*keyEntries+3+3+2+3+2)*n)
	take := func(size int) []lanes {
		part := memory[: size*n : size*n]
		memory = memory[size*n:]
		return part
	}
	scalars := make([]byte, 2*8*c.stride())
	return &batch{
		Curve: c, table: take(2 * keyEntries), factors: take(keyEntries), common: take(3), acc: take(3),
		twice: take(2), picked: take(3), keys: take(2),
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
	b.makeTable()
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
	fromWords(b.keys[b.limbs():], lane, w[:n])
}

// stride is how many bytes a scalar takes, with room above.
func (c *Curve) stride() int { return 8 * (c.words() + 1) }

// baseWindows is how many digits the scalar of the base point has, which may be more
// than the order by the order.
func (c *Curve) baseWindows() int { return (c.scalarBits() + baseWidth) / baseWidth }

// makeTable computes the odd multiples of the keys. The formulas give them two by two
// with the same z; afterwards all are brought to the z of the last.
func (b *batch) makeTable() {
	n := b.limbs()
	entry := func(i int) *lanes { return &b.table[2*n*i] }
	factor := func(i int) *lanes { return &b.factors[n*i] }
	b.start(&b.twice[0], entry(0), factor(0), &b.keys[0])
	for i := 1; i < keyEntries; i++ {
		b.chain(entry(i), &b.twice[0], factor(i), entry(i-1))
	}
	z := b.common[:n]
	clear(z)
	z[0] = lanes{1, 1, 1, 1, 1, 1, 1, 1}
	for i := keyEntries - 2; i >= 0; i-- {
		b.scale(entry(i), &z[0], factor(i+1))
	}
	b.mul(&z[0], &z[0], factor(0))
	b.mul(&b.common[n], &z[0], &z[0])
	b.mul(&b.common[2*n], &b.common[n], &z[0])
}

// multiply sets acc to the sum of both multiples. The last digit of a key is 1.
func (b *batch) multiply() {
	n := b.limbs()
	b.base.once.Do(b.makeBase)
	copy(b.acc, b.keys)
	clear(b.acc[2*n:])
	b.acc[2*n] = lanes{1, 1, 1, 1, 1, 1, 1, 1}
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
	gather(&b.picked[0], &b.table[0], &b.scalars[1][first], shift, l)
	b.addCommon(&b.acc[0], &b.picked[0], &b.common[0], &b.picked[2*n])
	if at%baseWidth == 0 {
		gather(&b.picked[0], &b.base.odd[0], &b.scalars[0][first], shift, b.base.oddLayout)
		b.addAffine(&b.acc[0], &b.picked[0], &b.picked[2*b.words()])
	}
}
