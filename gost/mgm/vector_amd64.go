//go:build !purego

package mgm

import (
	"sync"

	"golang.org/x/sys/cpu"
)

// orders are the orders of bytes, in each 16 of them, that make numbers of blocks.
type orders struct{ wide, narrow [64]byte }

// byteOrders is computed at first use, and read-only from then on.
var byteOrders = sync.OnceValue(func() *orders {
	o := new(orders)
	for i := range 64 {
		o.wide[i], o.narrow[i] = byte(15-i%16), byte(i%16^7)
	}
	return o
})

// addWide adds the products of blocks of 16 bytes.
//
//go:noescape
func addWide(s *sum, order *[64]byte, h, x *byte, blocks int)

// addNarrow adds the products of blocks of 8 bytes.
//
//go:noescape
func addNarrow(s *sum, order *[64]byte, h, x *byte, blocks int)

// addVector is add; it returns false when the processor cannot.
func (s *sum) addVector(n int, h, x []byte) bool {
	if !cpu.X86.HasAVX512VPCLMULQDQ {
		return false
	}
	_ = x[len(h)-1]
	if n == maxBlockSize {
		addWide(s, &byteOrders().wide, &h[0], &x[0], len(h)/n)
	} else {
		addNarrow(s, &byteOrders().narrow, &h[0], &x[0], len(h)/n)
	}
	return true
}
