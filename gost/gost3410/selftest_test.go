package gost3410_test

import (
	"fmt"
	"testing"

	"propusk/gost/gost3410/internal/adx"
	"propusk/gost/gost3410/internal/ifma"
	"propusk/gost/internal/avx512"
	"propusk/gost/selftest"
)

// TestSelfTestOnEveryPath runs the self-test of all primitives with and without each
// kind of assembly. It is here because only tests of this package see its switches.
func TestSelfTestOnEveryPath(t *testing.T) {
	defer func(a, b, c bool) { adx.Enabled, ifma.Enabled, avx512.Enabled = a, b, c }(adx.Enabled, ifma.Enabled, avx512.Enabled)
	for i := range 8 {
		adx.Enabled, ifma.Enabled, avx512.Enabled = i&1 != 0, i&2 != 0, i&4 != 0
		if adx.Enabled && !adx.Available() || ifma.Enabled && !ifma.Available() || avx512.Enabled && !avx512.Available() {
			continue
		}
		t.Run(fmt.Sprintf("ADX %v, IFMA %v, AVX-512 %v", adx.Enabled, ifma.Enabled, avx512.Enabled), func(t *testing.T) {
			if err := selftest.Run(); err != nil {
				t.Error(err)
			}
		})
	}
}
