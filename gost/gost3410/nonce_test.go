package gost3410

import (
	"bytes"
	"crypto/hmac"
	"slices"
	"testing"

	"propusk/gost/gost3410/internal/scalar"
	"propusk/gost/streebog"
)

// TestNonceIsHMAC compares with crypto/hmac.
func TestNonceIsHMAC(t *testing.T) {
	for _, c := range allCurves {
		newHash := streebog.New256
		if c.Size() == 64 {
			newHash = streebog.New512
		}
		for i := range byte(20) {
			d, e := scalar.Nat{uint64(i), 1, 2, 3}, scalar.Nat{4, 5, uint64(i), 6}
			fresh := bytes.Repeat([]byte{i}, c.Size())
			mac := hmac.New(newHash, slices.Clone(fresh))
			s := newNonceSource(c, d, e, fresh)
			if slices.Max(fresh) != 0 {
				t.Errorf("%s: the randomness is still there", c)
			}
			attempt := byte(0)
			for range 5 {
				got, ok := s.next()
				if !ok {
					t.Fatalf("%s: no nonce", c)
				}
				var want scalar.Nat
				for !inRange(c.order, want) {
					attempt++
					mac.Reset()
					mac.Write(slices.Concat(c.order.LittleEndian(d), c.order.LittleEndian(e), []byte{attempt}, []byte(c.name)))
					want = c.order.Truncate(c.order.FromLittleEndian(mac.Sum(nil)))
				}
				if got != want {
					t.Fatalf("%s: attempt %d: %x, want %x", c, attempt, got, want)
				}
			}
			s.wipe()
			if slices.Max(s.inner) != 0 || slices.Max(s.outer) != 0 {
				t.Errorf("%s: not all is overwritten", c)
			}
		}
	}
}

// TestNonceThatGivesZero: a nonce for which s is zero is not used.
func TestNonceThatGivesZero(t *testing.T) {
	for _, c := range allCurves {
		q, n, e := c.order, scalar.Nat{12345}, scalar.Nat{678}
		xy, _ := c.baseMult(n)
		r := q.Reduce(q.FromLittleEndian(xy[:c.Size()]))
		// s = r·d + n·e
		d := q.Neg(q.Mul(q.Mul(n, e), q.InverseVartime(r)))
		if sig, ok := c.sign(d, e, n); ok || sig != nil {
			t.Errorf("%s: signature %x", c, sig)
		}
		if sig, ok := c.sign(q.Add(d, scalar.Nat{1}), e, n); !ok || len(sig) != 2*c.Size() {
			t.Errorf("%s: the next key has no signature: %x", c, sig)
		}
	}
}
