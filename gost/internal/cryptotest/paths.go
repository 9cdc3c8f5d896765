package cryptotest

import (
	"testing"

	"propusk/gost/internal/avx512"
)

// Paths runs f with the assembly and without it, whatever the processor would be
// given. Only the assembly is skipped where it cannot run.
func Paths(t *testing.T, f func(t *testing.T)) {
	was := avx512.Enabled
	defer func() { avx512.Enabled = was }()
	t.Run("generic", func(t *testing.T) {
		avx512.Enabled = false
		f(t)
	})
	t.Run("assembly", func(t *testing.T) {
		if !avx512.Available() {
			t.Skip("no assembly: another processor, or the build tag purego")
		}
		avx512.Enabled = true
		f(t)
	})
}
