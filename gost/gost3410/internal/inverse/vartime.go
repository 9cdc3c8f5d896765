package inverse

import "math/bits"

// Vartime returns 1/x modulo m for x below m, and 0 for x = 0. It takes variable time:
// never pass a secret. It starts with δ = 1 and does 62 steps at a time.
func (m *Modulus) Vartime(x *[8]uint64) [8]uint64 {
	n := m.length()
	f, g := wide(m.Words), toWide(x)
	var d, e wide
	e[0] = 1
	eta := int64(-1) // −δ
	// Invariant: f = d·x and g = e·x modulo m, up to the same power of two.
	for length := n; ; {
		var t matrix
		eta, t = stepsVartime(eta, uint64(f[0])|uint64(f[1])<<62, uint64(g[0])|uint64(g[1])<<62)
		m.updateDE(&d, &e, &t, n)
		updateFG(&f, &g, &t, length)
		if g.isZero(length) {
			// Now f is 1 or −1, unless x was 0.
			return m.normalise(&d, f[length-1]>>63, n)
		}
		length = shorten(&f, &g, length)
	}
}

// isZero reports whether the n words of w are zero.
func (w *wide) isZero(n int) bool {
	var or int64
	for _, v := range w[:n] {
		or |= v
	}
	return or == 0
}

// shorten drops the last word of both numbers if that is nothing but a sign, which
// then goes to the word before. It returns how many words are left, two at least.
func shorten(f, g *wide, n int) int {
	a, b := f[n-1], g[n-1]
	if n == 2 || (a^a>>63)|(b^b>>63) != 0 {
		return n
	}
	f[n-2] |= a << 62
	g[n-2] |= b << 62
	return n - 1
}

// stepsVartime does 62 division steps on the low words of f and g.
func stepsVartime(eta int64, f, g uint64) (int64, matrix) {
	var u, v, q, r uint64 = 1, 0, 0, 1
	for i := 62; ; {
		// A sentinel bit counts at most i zeros.
		zeros := bits.TrailingZeros64(g | ^uint64(0)<<(i&63))
		g >>= zeros & 63
		u <<= zeros & 63
		v <<= zeros & 63
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
			limit := min(int(eta)+1, i, 6)
			w = f * g * (f*f - 2) & (1<<(limit&63) - 1)
		} else {
			limit := min(int(eta)+1, i, 4)
			w = f + (f+1)&4<<1
			w = -w * g & (1<<(limit&63) - 1)
		}
		g += f * w
		q += u * w
		r += v * w
	}
}
