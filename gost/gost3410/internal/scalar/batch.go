package scalar

// Quotients divides ps[i] and qs[i] by xs[i], for all i, with one inversion. The xs must
// be below the modulus and not zero, the others may be anything of Size bytes. It takes
// variable time: never pass a secret.
//
// The factors of Montgomery products cancel out: one before the inversion is the
// product of the first i numbers divided by R^i, if R = 2^(64n), and its inverse is
// multiplied with R once, which a last product takes away.
func (m *Modulus) Quotients(xs, ps, qs []Nat) {
	before := make([]Nat, len(xs))
	product := Nat{1}
	for i := range xs {
		before[i] = product
		product = m.montgomery(xs[i], product)
	}
	rest := m.montgomery(m.rr, m.InverseVartime(product))
	for i := len(xs) - 1; i >= 0; i-- {
		inverse := m.montgomery(rest, before[i]) // R/xs[i]
		rest = m.montgomery(xs[i], rest)
		ps[i] = m.montgomery(ps[i], inverse)
		qs[i] = m.montgomery(qs[i], inverse)
	}
}
