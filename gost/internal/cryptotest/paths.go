package cryptotest

import (
	"testing"

	"propusk/gost/internal/vector"
)

// Paths runs f with the assembly and without it, whatever the processor would be
// given. Only the assembly is skipped where it cannot run.
func Paths(t *testing.T, f func(t *testing.T)) {
	was := vector.Enabled
	defer func() { vector.Enabled = was }()
	t.Run("generic", func(t *testing.T) {
		vector.Enabled = false
		f(t)
	})
	t.Run("assembly", func(t *testing.T) {
		if !vector.Available() {
			t.Skip("no assembly: another processor, or the build tag purego")
		}
		vector.Enabled = true
		f(t)
	})
}
