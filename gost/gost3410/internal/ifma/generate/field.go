package main

import (
	"fmt"
	"math/big"
)

// A prime is 2^bits − small. Its elements are in limbs of 52 bits.
type prime struct {
	bits, small int64
}

func (p prime) limbs() int { return int(p.bits+51) / 52 }

// top is how many bits of the prime are in the last limb.
func (p prime) top() int64 { return p.bits - 52*int64(p.limbs()-1) }

// fold is what 2^(52·limbs) is modulo p.
func (p prime) fold() int64 { return p.small << (52*int64(p.limbs()) - p.bits) }

func (p prime) number() *big.Int { return new(big.Int).Sub(power(p.bits), big.NewInt(p.small)) }

func power(n int64) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(n)) }

// A limb is a value with the least and the greatest number that it can be. Lanes are
// signed.
type limb struct {
	v      value
	lo, hi *big.Int
}

// An element is Σ limbs[i]·2^(52·i), which is in [lo, hi]. It stands for a number
// modulo p; what is known of the limbs alone may be less than what is known of the sum.
//
// If carried is set, the sum is that of the lowest 52 bits of the limbs, but for the
// last one, which has no more: all that a multiplication looks at. masked are the same
// limbs without the rest.
type element struct {
	limbs   []limb
	lo, hi  *big.Int
	carried bool
	masked  []limb
	next    *element // the same, carried
}

// machine computes with elements. Every method proves by intervals that nothing
// overflows, or panics.
type machine struct {
	*block
	p prime
}

var (
	mask52   = new(big.Int).Sub(power(52), big.NewInt(1))
	maxLane  = new(big.Int).Sub(power(63), big.NewInt(1))
	minLane  = new(big.Int).Neg(power(63))
	zero     = new(big.Int)
	laneSize = 64
)

func plus(x, y *big.Int) *big.Int  { return new(big.Int).Add(x, y) }
func minus(x, y *big.Int) *big.Int { return new(big.Int).Sub(x, y) }
func times(x, y *big.Int) *big.Int { return new(big.Int).Mul(x, y) }
func shifted(x *big.Int, n int64) *big.Int {
	if n < 0 {
		return new(big.Int).Rsh(x, uint(-n))
	}
	return new(big.Int).Lsh(x, uint(n))
}

func (m *machine) check(l limb) limb {
	if l.lo.Cmp(minLane) < 0 || l.hi.Cmp(maxLane) > 0 || l.lo.Cmp(l.hi) > 0 {
		panic(fmt.Sprintf("%s: a lane overflows: %d to %d", m.name, l.lo, l.hi))
	}
	return l
}

// constant returns a word that all lanes share.
func (m *machine) constant(x int64) value { return m.load("broadcast " + m.consts.place(x)) }

// input returns the element at a place in memory, below 2^(52·limbs), with limbs below
// 2^52 each.
func (m *machine) input(base string, at int, hi *big.Int) element {
	e := element{lo: zero, hi: hi, carried: true}
	for i := range m.p.limbs() {
		l := limb{m.load(fmt.Sprintf("%d(%s)", laneSize*(at+i), base)), zero, mask52}
		e.limbs = append(e.limbs, l)
	}
	e.bound()
	e.masked = e.limbs
	return e
}

// rawInput returns the element at a place in memory where outputRaw has put it.
func (m *machine) rawInput(base string, at int, hi *big.Int) element {
	e := m.input(base, at, hi)
	for i := range len(e.limbs) - 1 {
		e.limbs[i].lo, e.limbs[i].hi = minLane, maxLane
	}
	e.masked = make([]limb, len(e.limbs))
	return e
}

// bound narrows the last limb to what the sum allows.
func (e *element) bound() {
	last := len(e.limbs) - 1
	e.limbs[last].hi = shifted(e.hi, -52*int64(last))
	if e.hi.Cmp(power(52*int64(last+1))) >= 0 || e.lo.Sign() < 0 {
		panic(fmt.Sprintf("an element does not fit: %d to %d", e.lo, e.hi))
	}
}

// mask returns a limb of a carried element without what is above 52 bits.
func (m *machine) mask(e *element, i int) limb {
	if e.masked[i].lo == nil {
		l := e.limbs[i]
		if i == len(e.limbs)-1 || l.lo.Sign() >= 0 && l.hi.Cmp(mask52) <= 0 {
			e.masked[i] = l
		} else {
			e.masked[i] = limb{m.op("VPANDQ", m.constant(1<<52-1), l.v), zero, mask52}
		}
	}
	return e.masked[i]
}

// additive returns a limb for additions.
func (m *machine) additive(e *element, i int) limb {
	if e.carried {
		return m.mask(e, i)
	}
	return e.limbs[i]
}

// settled returns x in the form that is cheaper to add.
func settled(x *element) *element {
	if x.next != nil {
		return x.next
	}
	return x
}

// sum returns x + y.
func (m *machine) sum(x, y *element) *element {
	x, y = settled(x), settled(y)
	r := &element{lo: plus(x.lo, y.lo), hi: plus(x.hi, y.hi)}
	for i := range x.limbs {
		a, b := m.additive(x, i), m.additive(y, i)
		r.limbs = append(r.limbs, m.check(limb{m.op("VPADDQ", a.v, b.v), plus(a.lo, b.lo), plus(a.hi, b.hi)}))
	}
	return r
}

// difference returns x − y.
func (m *machine) difference(x, y *element) *element {
	x, y = settled(x), settled(y)
	r := &element{lo: minus(x.lo, y.hi), hi: minus(x.hi, y.lo)}
	for i := range x.limbs {
		a, b := m.additive(x, i), m.additive(y, i)
		r.limbs = append(r.limbs, m.check(limb{m.op("VPSUBQ", b.v, a.v), minus(a.lo, b.hi), minus(a.hi, b.lo)}))
	}
	return r
}

// signed returns −x in the lanes of a mask register, x in the others.
func (m *machine) signed(x *element, mask string) *element {
	x = settled(x)
	low := func(l, h *big.Int) *big.Int { return least(l, new(big.Int).Neg(h)) }
	r := &element{lo: low(x.lo, x.hi)}
	r.hi = new(big.Int).Neg(low(new(big.Int).Neg(x.hi), new(big.Int).Neg(x.lo)))
	null := m.constant(0)
	for i := range x.limbs {
		a := m.additive(x, i)
		v := m.add(instruction{text: "VPSUBQ", args: operands([]value{a.v, null}), mask: mask, latency: 1, acc: a.v, accumulates: true})
		lo := low(a.lo, a.hi)
		r.limbs = append(r.limbs, m.check(limb{v, lo, new(big.Int).Neg(low(new(big.Int).Neg(a.hi), new(big.Int).Neg(a.lo)))}))
	}
	return r
}

func least(x, y *big.Int) *big.Int {
	if x.Cmp(y) < 0 {
		return x
	}
	return y
}

// twice returns 2x.
func (m *machine) twice(x *element) *element { return m.sum(x, x) }

// carry returns x with limbs that can be multiplied. If x may be negative, a multiple
// of p is added.
func (m *machine) carry(x *element) *element {
	if x.carried {
		if x.masked == nil {
			x.masked = make([]limb, len(x.limbs))
		}
		return x
	}
	if x.next != nil {
		return x.next
	}
	limbs := append([]limb(nil), x.limbs...)
	lo, hi := x.lo, x.hi
	if lo.Sign() < 0 {
		k := new(big.Int).Neg(new(big.Int).Div(lo, m.p.number())) // rounded up
		m.addMultiple(limbs, k)
		kp := times(k, m.p.number())
		lo, hi = plus(lo, kp), plus(hi, kp)
	}
	for i := range len(limbs) - 1 {
		l := limbs[i]
		c := limb{m.op("VPSRAQ $52", l.v), shifted(l.lo, -52), shifted(l.hi, -52)}
		if c.lo.Sign() == 0 && c.hi.Sign() == 0 {
			continue
		}
		n := limbs[i+1]
		limbs[i+1] = m.check(limb{m.op("VPADDQ", c.v, n.v), plus(n.lo, c.lo), plus(n.hi, c.hi)})
	}
	e := &element{limbs: limbs, lo: lo, hi: hi, carried: true, masked: make([]limb, len(limbs))}
	last := len(limbs) - 1
	e.bound()
	e.limbs[last].lo = zero
	x.next = e
	return e
}

// addMultiple adds k·p.
func (m *machine) addMultiple(limbs []limb, k *big.Int) {
	plusConstant := func(i int, c *big.Int) {
		l := limbs[i]
		limbs[i] = m.check(limb{m.op("VPADDQ", m.constant(c.Int64()), l.v), plus(l.lo, c), plus(l.hi, c)})
	}
	plusConstant(0, new(big.Int).Neg(times(k, big.NewInt(m.p.small))))
	plusConstant(len(limbs)-1, shifted(k, m.p.top()))
}

// A product is the sum of its columns, shifted by 52 bits each, which is in [lo, hi].
type product struct {
	columns []limb
	lo, hi  *big.Int
}

func (m *machine) columns() []limb {
	cs := make([]limb, 2*m.p.limbs())
	for i := range cs {
		cs[i] = limb{none, zero, zero}
	}
	return cs
}

// multiplicand returns the bounds of what a multiplication sees of a limb.
func multiplicand(e *element, i int) *big.Int {
	if i == len(e.limbs)-1 {
		return e.limbs[i].hi
	}
	return mask52
}

// accumulate adds x·y·2^(52·at), both halves of it.
func (m *machine) accumulate(cs []limb, at int, x, y value, bound *big.Int) {
	for half, name := range []string{"LU", "HU"} {
		c := &cs[at+half]
		top := least(mask52, bound)
		if half == 1 {
			top = shifted(bound, -52)
		}
		if top.Sign() == 0 {
			continue
		}
		*c = m.check(limb{m.multiply(name, c.v, x, y), c.lo, plus(c.hi, top)})
	}
}

// product returns x·y, not reduced.
func (m *machine) product(x, y *element) *product {
	a, b := m.carry(x), m.carry(y)
	cs := m.columns()
	for i := range a.limbs {
		for j := range b.limbs {
			m.accumulate(cs, i+j, a.limbs[i].v, b.limbs[j].v, times(multiplicand(a, i), multiplicand(b, j)))
		}
	}
	return &product{cs, zero, times(a.hi, b.hi)}
}

// squared returns x², not reduced.
func (m *machine) squared(x *element) *product {
	a := m.carry(x)
	cs := m.columns()
	for i := range a.limbs {
		for j := i + 1; j < len(a.limbs); j++ {
			m.accumulate(cs, i+j, a.limbs[i].v, a.limbs[j].v, times(multiplicand(a, i), multiplicand(a, j)))
		}
	}
	for i, c := range cs {
		if c.v != none {
			cs[i] = m.check(limb{m.op("VPADDQ", c.v, c.v), plus(c.lo, c.lo), plus(c.hi, c.hi)})
		}
	}
	for i := range a.limbs {
		m.accumulate(cs, 2*i, a.limbs[i].v, a.limbs[i].v, times(multiplicand(a, i), multiplicand(a, i)))
	}
	return &product{cs, zero, times(a.hi, a.hi)}
}

// less returns x − y, and a multiple of p if that may be negative.
func (m *machine) less(x, y *product) *product {
	n := m.p.limbs()
	r := &product{m.columns(), minus(x.lo, y.hi), minus(x.hi, y.lo)}
	for i := range r.columns {
		a, b := x.columns[i], y.columns[i]
		r.columns[i] = m.check(limb{m.op("VPSUBQ", b.v, a.v), minus(a.lo, b.hi), minus(a.hi, b.lo)})
	}
	if r.lo.Sign() < 0 {
		unit := shifted(m.p.number(), 52*int64(n))
		k := new(big.Int).Neg(new(big.Int).Div(r.lo, unit))
		m.addMultiple(r.columns[n:], k)
		r.lo, r.hi = plus(r.lo, times(k, unit)), plus(r.hi, times(k, unit))
	}
	return r
}

// upper returns the least that the columns from n on can be, carried among themselves,
// and the greatest that the last of them can be. It is not what the sum of all columns
// says: the lower ones may be negative, or greater than one of the upper ones counts.
func (x *product) upper(n int) (lo, top *big.Int) {
	lower, upper := span(x.columns[:n]), span(x.columns[n:])
	at := 52 * int64(n)
	// Both hold: what the columns say, and what the sum says without the lower ones.
	lo, top = upper.lo, upper.hi
	if rest := shifted(minus(x.lo, lower.hi), -at); rest.Cmp(lo) > 0 {
		lo = rest
	}
	top = least(top, shifted(minus(x.hi, lower.lo), -at))
	return lo, shifted(top, -52*int64(len(x.columns)-n-1))
}

// span returns the bounds of the sum of columns, shifted by 52 bits each.
func span(columns []limb) (sum limb) {
	sum = limb{none, new(big.Int), new(big.Int)}
	for i, c := range columns {
		sum.lo.Add(sum.lo, shifted(c.lo, 52*int64(i)))
		sum.hi.Add(sum.hi, shifted(c.hi, 52*int64(i)))
	}
	return sum
}

// reduce returns a product modulo p, not carried, but small enough to be added up.
func (m *machine) reduce(x *product) *element {
	n := m.p.limbs()
	cs := append([]limb(nil), x.columns...)
	for k := n; k < 2*n-1; k++ {
		c := limb{m.op("VPSRAQ $52", cs[k].v), shifted(cs[k].lo, -52), shifted(cs[k].hi, -52)}
		cs[k+1] = m.check(limb{m.op("VPADDQ", c.v, cs[k+1].v), plus(cs[k+1].lo, c.lo), plus(cs[k+1].hi, c.hi)})
	}
	lo, top := x.upper(n)
	if x.lo.Sign() < 0 || lo.Sign() < 0 || top.Cmp(mask52) > 0 {
		panic(fmt.Sprintf("%s: a product is negative, or too great", m.name))
	}
	negative := m.p.small < 0
	fold := m.constant(abs(m.p.fold()))
	factor := big.NewInt(abs(m.p.fold()))
	low := cs[:n:n]
	if negative {
		low = make([]limb, n)
		for i := range low {
			low[i] = limb{none, zero, zero}
		}
	}
	low = append(low, limb{none, zero, zero}) // above the last limb
	for k := range n {
		bound := mask52
		if k == n-1 {
			bound = top
		}
		m.accumulate(low, k, cs[n+k].v, fold, times(bound, factor))
	}
	if over := low[n]; over.v != none {
		to := low
		if negative {
			to = cs // minus times minus
		}
		m.accumulate(to, 0, over.v, fold, times(over.hi, factor))
	}
	low = low[:n]
	if negative {
		for i, l := range low {
			low[i] = m.check(limb{m.op("VPSUBQ", l.v, cs[i].v), minus(cs[i].lo, l.hi), minus(cs[i].hi, l.lo)})
		}
	}
	return m.foldTop(low)
}

func abs(x int64) int64 { return max(x, -x) }

// foldTop brings what is above the bits of the prime in the last limb down.
func (m *machine) foldTop(limbs []limb) *element {
	last, top := len(limbs)-1, m.p.top()
	if lo := limbs[last].lo; lo.Sign() < 0 {
		m.addMultiple(limbs, new(big.Int).Neg(shifted(lo, -top)))
	}
	l := limbs[last]
	over := limb{m.op(fmt.Sprintf("VPSRAQ $%d", top), l.v), shifted(l.lo, -top), shifted(l.hi, -top)}
	limbs[last] = limb{m.op("VPANDQ", m.constant(1<<top-1), l.v), zero, minus(power(top), big.NewInt(1))}
	small := abs(m.p.small)
	bound := times(over.hi, big.NewInt(small))
	if bound.Cmp(mask52) > 0 || over.lo.Sign() < 0 {
		panic(m.name + ": the last limb is too great")
	}
	if m.p.small > 0 {
		m.accumulate(limbs, 0, over.v, m.constant(small), bound)
	} else {
		product, l := m.multiply("LU", none, over.v, m.constant(small)), limbs[0]
		limbs[0] = m.check(limb{m.op("VPSUBQ", product, l.v), minus(l.lo, bound), l.hi})
	}
	all := span(limbs)
	return &element{limbs: limbs, lo: all.lo, hi: all.hi}
}

// small returns x modulo p, below 3p.
func (m *machine) small(x *element) *element {
	x = settled(x)
	limbs := make([]limb, len(x.limbs))
	for i := range limbs {
		limbs[i] = m.additive(x, i)
	}
	return m.foldTop(limbs)
}

func (m *machine) mul(x, y *element) *element { return m.reduce(m.product(x, y)) }

func (m *machine) square(x *element) *element { return m.reduce(m.squared(x)) }
