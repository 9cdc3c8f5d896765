package scalar

import "math/bits"

// mask62 covers one word of 62 bits.
const mask62 = 1<<62 - 1

// wide is a signed number in words of 62 bits, least significant first. All but
// the last word are in [0, 2^62); the last one has the sign.
type wide [limbs62]int64

// matrix is what 62 division steps do to (f, g), times 2^62.
type matrix struct{ u, v, q, r int64 }

// InverseVartime returns 1/x modulo m for x below m, and 0 for x = 0. It takes
// variable time: never pass a secret.
//
// It is the "safegcd" of Bernstein and Yang (ePrint 2019/266) with 62 division
// steps at a time on the low words.
func (m *Modulus) InverseVartime(x Nat) Nat {
	n := 5
	if m.n == 8 {
		n = 9
	}
	f, g := wide(m.m62), wide62(x)
	var d, e wide
	e[0] = 1
	eta := int64(-1)
	// Invariant: f = d·x and g = e·x modulo m, up to the same power of two.
	for !g.isZero(n) {
		var t matrix
		eta, t = divSteps(eta, uint64(f[0])|uint64(f[1])<<62, uint64(g[0])|uint64(g[1])<<62)
		m.updateDE(&d, &e, &t, n)
		updateFG(&f, &g, &t, n)
	}
	// Now f is 1 or −1, unless x was 0.
	return m.normalise(&d, f[n-1] < 0, n)
}

// wide62 converts from words of 64 bits.
func wide62(x Nat) (w wide) {
	for i := range w {
		at := 62 * i
		if at/64 >= len(x) {
			break
		}
		v := x[at/64] >> (at % 64)
		if at%64 > 2 && at/64+1 < len(x) {
			v |= x[at/64+1] << (64 - at%64)
		}
		w[i] = int64(v & mask62)
	}
	return w
}

// isZero reports whether the n words of w are zero.
func (w *wide) isZero(n int) bool {
	var or int64
	for _, v := range w[:n] {
		or |= v
	}
	return or == 0
}

// divSteps does 62 division steps on the low words of f and g.
func divSteps(eta int64, f, g uint64) (int64, matrix) {
	var u, v, q, r uint64 = 1, 0, 0, 1
	for i := 62; ; {
		// A sentinel bit counts at most i zeros.
		zeros := bits.TrailingZeros64(g | ^uint64(0)<<i)
		g >>= zeros
		u <<= zeros
		v <<= zeros
		eta -= int64(zeros)
		i -= zeros
		if i == 0 {
			return eta, matrix{int64(u), int64(v), int64(q), int64(r)}
		}
		// Now g is odd. Cancel as many of its low bits with a multiple of f as
		// the next steps would, at most 6 of them or 4.
		var w uint64
		if eta < 0 {
			eta = -eta
			f, g = g, -f
			u, q = q, -u
			v, r = r, -v
			limit := min(int(eta)+1, i)
			w = f * g * (f*f - 2) & (^uint64(0) >> (64 - limit) & 63)
		} else {
			limit := min(int(eta)+1, i)
			w = f + (f+1)&4<<1
			w = -w * g & (^uint64(0) >> (64 - limit) & 15)
		}
		g += f * w
		q += u * w
		r += v * w
	}
}

// updateFG sets (f, g) = t·(f, g) / 2^62; the division is exact.
func updateFG(f, g *wide, t *matrix, n int) {
	var cf, cg int128
	for i := range n {
		cf.add(t.u, f[i])
		cf.add(t.v, g[i])
		cg.add(t.q, f[i])
		cg.add(t.r, g[i])
		low, low2 := cf.shift62(), cg.shift62()
		if i > 0 {
			f[i-1], g[i-1] = low, low2
		}
	}
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
	md -= int64((m.inv62*low + uint64(md)) & mask62)
	me -= int64((m.inv62*low2 + uint64(me)) & mask62)
	var cd, ce int128
	for i := range n {
		cd.add(t.u, d[i])
		cd.add(t.v, e[i])
		ce.add(t.q, d[i])
		ce.add(t.r, e[i])
		cd.add(m.m62[i], md)
		ce.add(m.m62[i], me)
		low, low2 := cd.shift62(), ce.shift62()
		if i > 0 {
			d[i-1], e[i-1] = low, low2
		}
	}
	d[n-1], e[n-1] = int64(cd.lo), int64(ce.lo)
}

// normalise returns d, or −d, modulo m, for d in (−2m, m).
func (m *Modulus) normalise(d *wide, negate bool, n int) Nat {
	m.addIfNegative(d, n)
	if negate {
		for i := range n {
			d[i] = -d[i]
		}
		d.carry(n)
	}
	m.addIfNegative(d, n)
	m.addIfNegative(d, n)
	var x Nat
	for i, v := range d[:n] {
		at := 62 * i
		x[at/64] |= uint64(v) << (at % 64)
		if at%64 > 2 && at/64+1 < len(x) {
			x[at/64+1] |= uint64(v) >> (64 - at%64)
		}
	}
	return x
}

// addIfNegative adds m to d if d is negative.
func (m *Modulus) addIfNegative(d *wide, n int) {
	if d[n-1] >= 0 {
		return
	}
	for i := range n {
		d[i] += m.m62[i]
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

// shift62 returns the low 62 bits and shifts them out.
func (s *int128) shift62() int64 {
	low := int64(s.lo & mask62)
	s.lo = s.lo>>62 | s.hi<<2
	s.hi = uint64(int64(s.hi) >> 62)
	return low
}
