// Package scalar does arithmetic modulo the orders of the GOST curves, on 4 or 8
// limbs of 64 bits.
//
// Everything is constant time in the values (not in the modulus), except
// [Modulus.InverseVartime].
package scalar

import (
	"encoding/binary"
	"math/bits"

	"propusk/gost/gost3410/internal/inverse"
)

// Nat is a number of 256 or 512 bits, little-endian limbs; with a modulus of 4
// limbs the upper half is zero.
type Nat [8]uint64

// Modulus is the odd prime order of a subgroup, of 255 or 256, or 510 to 512 bits, with
// what Montgomery's and Bernstein and Yang's algorithms need.
type Modulus struct {
	n       int       // limbs
	m       [8]uint64 // the number
	rr      Nat       // 2^(128n) modulo m
	negInv  uint64    // −1/m modulo 2^64
	inverse inverse.Modulus
}

// Size returns the length of a scalar in bytes: 32 or 64.
func (m *Modulus) Size() int { return 8 * m.n }

// Order returns the modulus itself.
func (m *Modulus) Order() Nat { return Nat(m.m) }

// FromLittleEndian reads a number of Size bytes, which need not be below the
// modulus. It panics when b has another length.
func (m *Modulus) FromLittleEndian(b []byte) (x Nat) {
	if len(b) != m.Size() {
		panic("scalar: wrong length")
	}
	for i := range m.n {
		x[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return x
}

// LittleEndian writes x as Size bytes.
func (m *Modulus) LittleEndian(x Nat) []byte {
	b := make([]byte, m.Size())
	m.PutLittleEndian(b, x)
	return b
}

// PutLittleEndian writes x to b, which must have Size bytes.
func (m *Modulus) PutLittleEndian(b []byte, x Nat) {
	for i := range m.n {
		binary.LittleEndian.PutUint64(b[8*i:], x[i])
	}
}

// IsZero returns 1 if x = 0 and 0 otherwise.
func IsZero(x Nat) uint64 {
	var or uint64
	for _, v := range x {
		or |= v
	}
	return ^(or | -or) >> 63
}

// Below returns 1 if x is below the modulus and 0 otherwise.
func (m *Modulus) Below(x Nat) uint64 {
	var borrow uint64
	for i := range x {
		_, borrow = bits.Sub64(x[i], m.m[i], borrow)
	}
	return borrow
}

// Reduce returns x modulo m for any x of Size bytes.
func (m *Modulus) Reduce(x Nat) Nat {
	// All moduli have their highest bit in the last two of the last limb, so x is below
	// 4m: this is once or three times.
	for range ^uint64(0) / m.m[m.n-1] {
		x = m.subtractOnce(x, 0)
	}
	return x
}

// Mul returns x·y modulo m for any x of Size bytes and any y below m.
func (m *Modulus) Mul(x, y Nat) Nat {
	return m.montgomery(m.montgomery(x, m.rr), y)
}

// Add returns x + y modulo m for x and y below m.
func (m *Modulus) Add(x, y Nat) Nat {
	var sum Nat
	var c uint64
	for i := range m.n {
		sum[i], c = bits.Add64(x[i], y[i], c)
	}
	return m.subtractOnce(sum, c)
}

// Neg returns −x modulo m for x below m.
func (m *Modulus) Neg(x Nat) Nat {
	var z Nat
	var borrow uint64
	for i := range m.n {
		z[i], borrow = bits.Sub64(0, x[i], borrow)
	}
	var c uint64
	mask := -borrow
	for i := range m.n {
		z[i], c = bits.Add64(z[i], m.m[i]&mask, c)
	}
	return z
}

// Truncate returns the low bits of x, as many as the modulus has.
func (m *Modulus) Truncate(x Nat) Nat {
	top := m.n - 1
	x[top] &= ^uint64(0) >> bits.LeadingZeros64(m.m[top])
	return x
}

// subtractOnce returns (high·2^(64n) + x) modulo m, which must be below 2m.
func (m *Modulus) subtractOnce(x Nat, high uint64) Nat {
	var z Nat
	var borrow uint64
	for i := range m.n {
		z[i], borrow = bits.Sub64(x[i], m.m[i], borrow)
	}
	_, borrow = bits.Sub64(high, 0, borrow)
	keep := -borrow
	for i := range m.n {
		z[i] ^= keep & (z[i] ^ x[i])
	}
	return z
}

// montgomery returns x·y / 2^(64n) modulo m for any x of n limbs and y below m.
func (m *Modulus) montgomery(x, y Nat) (z Nat) {
	if m.n == 4 {
		montgomery4((*[8]uint64)(&z), (*[8]uint64)(&x), (*[8]uint64)(&y), &m.m, m.negInv)
	} else {
		montgomery8((*[8]uint64)(&z), (*[8]uint64)(&x), (*[8]uint64)(&y), &m.m, m.negInv)
	}
	return z
}

// InverseVartime returns 1/x modulo m for x below m, and 0 for x = 0. It takes
// variable time: never pass a secret.
func (m *Modulus) InverseVartime(x Nat) Nat {
	return m.inverse.Vartime((*[8]uint64)(&x))
}
