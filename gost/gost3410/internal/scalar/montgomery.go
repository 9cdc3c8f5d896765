package scalar

import "math/bits"

// montgomery4 is montgomery for four limbs.
func (m *Modulus) montgomery4(x, y *Nat) (z Nat) {
	var t0, t1, t2, t3, t4 uint64
	m0, m1, m2, m3 := m.m[0], m.m[1], m.m[2], m.m[3]
	y0, y1, y2, y3 := y[0], y[1], y[2], y[3]
	for _, v := range x[:4] {
		// t += v·y
		h0, l0 := bits.Mul64(v, y0)
		h1, l1 := bits.Mul64(v, y1)
		h2, l2 := bits.Mul64(v, y2)
		h3, l3 := bits.Mul64(v, y3)
		var c, top uint64
		t0, c = bits.Add64(t0, l0, 0)
		t1, c = bits.Add64(t1, l1, c)
		t2, c = bits.Add64(t2, l2, c)
		t3, c = bits.Add64(t3, l3, c)
		t4, top = bits.Add64(t4, 0, c)
		t1, c = bits.Add64(t1, h0, 0)
		t2, c = bits.Add64(t2, h1, c)
		t3, c = bits.Add64(t3, h2, c)
		t4, c = bits.Add64(t4, h3, c)
		top += c
		// t = (t + f·m) / 2^64
		f := t0 * m.negInv
		h0, l0 = bits.Mul64(f, m0)
		h1, l1 = bits.Mul64(f, m1)
		h2, l2 = bits.Mul64(f, m2)
		h3, l3 = bits.Mul64(f, m3)
		_, c = bits.Add64(t0, l0, 0)
		t0, c = bits.Add64(t1, l1, c)
		t1, c = bits.Add64(t2, l2, c)
		t2, c = bits.Add64(t3, l3, c)
		t3, c = bits.Add64(t4, 0, c)
		top += c
		t0, c = bits.Add64(t0, h0, 0)
		t1, c = bits.Add64(t1, h1, c)
		t2, c = bits.Add64(t2, h2, c)
		t3, c = bits.Add64(t3, h3, c)
		t4 = top + c
	}
	var b uint64
	z[0], b = bits.Sub64(t0, m0, 0)
	z[1], b = bits.Sub64(t1, m1, b)
	z[2], b = bits.Sub64(t2, m2, b)
	z[3], b = bits.Sub64(t3, m3, b)
	_, b = bits.Sub64(t4, 0, b)
	keep := -b
	z[0] ^= keep & (z[0] ^ t0)
	z[1] ^= keep & (z[1] ^ t1)
	z[2] ^= keep & (z[2] ^ t2)
	z[3] ^= keep & (z[3] ^ t3)
	return z
}
