// Package inverse computes inverses modulo odd primes of 256 and 512 bits, by the
// division steps of Bernstein and Yang (ePrint 2019/266): in constant time for
// secrets, and faster for public numbers.
//
// The constant-time variant starts with δ = 1/2, as libsecp256k1 does, and takes at
// most ⌊(45907·d + 26313)/19929⌋ steps for d bits (P. Wuille, "Bounds on divsteps
// iterations in safegcd"; RELIC and fiat-crypto rest on it too): 591 for 256, where 590
// is machine-checked (O'Connor and Poelstra, "A formal proof of safegcd bounds"), and
// 1180 for 512.
package inverse

import "math/bits"

// words is how many words of 62 bits a number has at most, with room for a sign.
const words = 9

// mask62 covers one word.
const mask62 = 1<<62 - 1

// Modulus is an odd prime of 256 or 512 bits at most, in the form that the division
// steps need. It must have been made by the generator.
type Modulus struct {
	Limbs int          // of 64 bits: 4 or 8
	Words [words]int64 // of 62 bits, least significant first
	Inv   uint64       // 1/m modulo 2^62
}

// wide is a signed number in words of 62 bits, least significant first. All but
// the last word are in [0, 2^62); the last one has the sign.
type wide [words]int64

// matrix is what the division steps of one turn do to (f, g), times 2^62.
type matrix struct{ u, v, q, r int64 }

// length returns how many words the numbers have.
func (m *Modulus) length() int { return m.Limbs + 1 }

// toWide converts from limbs of 64 bits.
func toWide(x *[8]uint64) (w wide) {
	for i := range w {
		at := 62 * i
		v := x[at/64] >> (at % 64)
		if at%64 > 2 && at/64+1 < len(x) {
			v |= x[at/64+1] << (64 - at%64)
		}
		w[i] = int64(v & mask62)
	}
	return w
}

// limbs converts a number that is not negative to limbs of 64 bits.
func (w *wide) limbs() (x [8]uint64) {
	for i, v := range w {
		at := 62 * i
		x[at/64] |= uint64(v) << (at % 64)
		if at%64 > 2 && at/64+1 < len(x) {
			x[at/64+1] |= uint64(v) >> (64 - at%64)
		}
	}
	return x
}

// updateFG sets (f, g) = t·(f, g) / 2^62; the division is exact.
func updateFG(f, g *wide, t *matrix, n int) {
	var cf, cg int128
	cf.add(t.u, f[0])
	cf.add(t.v, g[0])
	cg.add(t.q, f[0])
	cg.add(t.r, g[0])
	cf.shift62()
	cg.shift62()
	for i := 1; i < n-1; i++ {
		a, b := f[i], g[i]
		cf.addWord(t.u, a)
		cf.addWord(t.v, b)
		cg.addWord(t.q, a)
		cg.addWord(t.r, b)
		f[i-1], g[i-1] = cf.shift62(), cg.shift62()
	}
	a, b := f[n-1], g[n-1]
	cf.add(t.u, a)
	cf.add(t.v, b)
	cg.add(t.q, a)
	cg.add(t.r, b)
	f[n-2], g[n-2] = cf.shift62(), cg.shift62()
	f[n-1], g[n-1] = int64(cf.lo), int64(cg.lo)
}

// updateDE sets (d, e) = t·(d, e) / 2^62 modulo m. Both stay in (−2m, m).
func (m *Modulus) updateDE(d, e *wide, t *matrix, n int) {
	// Multiples of m that make the low words zero, and the results small.
	signD, signE := d[n-1]>>63, e[n-1]>>63
	md := t.u&signD + t.v&signE
	me := t.q&signD + t.r&signE
	low := uint64(t.u)*uint64(d[0]) + uint64(t.v)*uint64(e[0])
	low2 := uint64(t.q)*uint64(d[0]) + uint64(t.r)*uint64(e[0])
	md -= int64((m.Inv*low + uint64(md)) & mask62)
	me -= int64((m.Inv*low2 + uint64(me)) & mask62)
	var cd, ce int128
	for i := range n - 1 {
		a, b, p := d[i], e[i], m.Words[i]
		cd.addWord(t.u, a)
		cd.addWord(t.v, b)
		ce.addWord(t.q, a)
		ce.addWord(t.r, b)
		cd.addWord(md, p)
		ce.addWord(me, p)
		low, low2 := cd.shift62(), ce.shift62()
		if i > 0 {
			d[i-1], e[i-1] = low, low2
		}
	}
	a, b, p := d[n-1], e[n-1], m.Words[n-1]
	cd.add(t.u, a)
	cd.add(t.v, b)
	ce.add(t.q, a)
	ce.add(t.r, b)
	cd.addWord(md, p)
	ce.addWord(me, p)
	d[n-2], e[n-2] = cd.shift62(), ce.shift62()
	d[n-1], e[n-1] = int64(cd.lo), int64(ce.lo)
}

// normalise returns d, or −d if negate is all ones, modulo m, for d in (−2m, m).
func (m *Modulus) normalise(d *wide, negate int64, n int) [8]uint64 {
	m.addIfNegative(d, n) // now it is in (−m, m), whatever its sign
	for i := range n {
		d[i] = d[i] ^ negate - negate
	}
	d.carry(n)
	m.addIfNegative(d, n)
	return d.limbs()
}

// addIfNegative adds m to d if d is negative.
func (m *Modulus) addIfNegative(d *wide, n int) {
	mask := d[n-1] >> 63
	for i := range n {
		d[i] += m.Words[i] & mask
	}
	d.carry(n)
}

// carry brings all words but the last into [0, 2^62).
func (w *wide) carry(n int) {
	for i := range n - 1 {
		w[i+1] += w[i] >> 62
		w[i] &= mask62
	}
}

// int128 is a signed sum of products.
type int128 struct{ hi, lo uint64 }

// add adds a·b.
func (s *int128) add(a, b int64) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	hi -= uint64(a>>63&b) + uint64(b>>63&a)
	var c uint64
	s.lo, c = bits.Add64(s.lo, lo, 0)
	s.hi, _ = bits.Add64(s.hi, hi, c)
}

// addWord adds a·b for b that is not negative.
func (s *int128) addWord(a, b int64) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	hi -= uint64(a >> 63 & b)
	var c uint64
	s.lo, c = bits.Add64(s.lo, lo, 0)
	s.hi, _ = bits.Add64(s.hi, hi, c)
}

// shift62 returns the low 62 bits and shifts them out.
func (s *int128) shift62() int64 {
	low := int64(s.lo & mask62)
	s.lo = s.lo>>62 | s.hi<<2
	s.hi = uint64(int64(s.hi) >> 62)
	return low
}
