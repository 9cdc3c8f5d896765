// Package field implements the prime fields of the GOST curves. All but one of
// the files are generated: one prime, one type.
//
// The primes next to a power of two are reduced by folding: what is above the
// power comes back multiplied with a small number. Their elements are kept as
// any representative that fits the limbs. The one prime without a special form,
// P256C, is in Montgomery form.
//
// Every function takes constant time. Arguments may be the same element.
package field

import "math/bits"

//go:generate go run propusk/gost/gost3410/internal/generate -dir ..

// isZero returns 1 if all limbs are zero and 0 otherwise.
func isZero(x []uint64) uint64 {
	var or uint64
	for _, v := range x {
		or |= v
	}
	return ^(or | -or) >> 63
}

// below returns 1 if x < y and 0 otherwise; the lengths must be equal.
func below(x, y []uint64) uint64 {
	var borrow uint64
	for i := range x {
		_, borrow = bits.Sub64(x[i], y[i], borrow)
	}
	return borrow
}
