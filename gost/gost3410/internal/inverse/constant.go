package inverse

// turns is how often 59 steps are done, for 256 and for 512 bits.
const (
	turns256 = 10
	turns512 = 20
)

// Constant returns 1/x modulo m for x below m, and 0 for x = 0, in constant time.
func (m *Modulus) Constant(x *[8]uint64) [8]uint64 {
	n, turns := m.length(), turns256
	if m.Limbs == 8 {
		turns = turns512
	}
	f, g := wide(m.Words), toWide(x)
	var d, e wide
	e[0] = 1
	zeta := int64(-1) // −(δ + 1/2)
	// Invariant: f = d·x and g = e·x modulo m, up to the same power of two.
	for range turns {
		var t matrix
		zeta, t = steps(zeta, uint64(f[0])|uint64(f[1])<<62, uint64(g[0])|uint64(g[1])<<62)
		m.updateDE(&d, &e, &t, n)
		updateFG(&f, &g, &t, n)
	}
	// Now g is 0, and f is 1 or −1, unless x was 0.
	return m.normalise(&d, f[n-1]>>63, n)
}

// steps does 59 division steps on the low words of f and g, in two halves.
func steps(zeta int64, f, g uint64) (int64, matrix) {
	var first, second, third, fourth uint64
	zeta, f, g, first, second = half(zeta, f, g, 30)
	zeta, _, _, third, fourth = half(zeta, f, g, 29)
	u1, v1 := unpack(first)
	q1, r1 := unpack(second)
	u2, v2 := unpack(third)
	q2, r2 := unpack(fourth)
	// The product of both, times 8 for 62 in place of 59.
	return zeta, matrix{
		(u2*u1 + v2*q1) << 3, (u2*v1 + v2*r1) << 3,
		(q2*u1 + r2*q1) << 3, (q2*v1 + r2*r1) << 3,
	}
}

// half does up to 30 steps. A row of the matrix is one word: uv is u + v·2^32.
func half(zeta int64, f, g uint64, count int) (int64, uint64, uint64, uint64, uint64) {
	uv, qr := uint64(1), uint64(1)<<32
	for range count {
		negative, odd := uint64(zeta>>63), -(g & 1)
		// g ± f, if g is odd
		g += (f ^ negative - negative) & odd
		qr += (uv ^ negative - negative) & odd
		negative &= odd
		zeta = zeta ^ int64(negative) - 1
		// With g = g − f from before that is g, so that they change places.
		f += g & negative
		uv += qr & negative
		g >>= 1
		uv <<= 1
	}
	return zeta, f, g, uv, qr
}

// unpack returns u and v.
func unpack(uv uint64) (u, v int64) {
	u = int64(int32(uv))
	return u, (int64(uv) - u) >> 32
}
