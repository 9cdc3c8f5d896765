package ec

import (
	"math/rand/v2"
	"testing"

	"propusk/gost/gost3410/internal/adx"
)

// rounds is how often every formula is compared.
const rounds = 300

func requireADX(t *testing.T) {
	t.Helper()
	if !adx.Available() {
		t.Skip("this processor has no ADX")
	}
}

// numbers gives field elements that are likely to go wrong.
type numbers struct {
	r          *rand.Rand
	montgomery bool // whether they must be below the prime
}

func newNumbers(montgomery bool) *numbers {
	return &numbers{rand.New(rand.NewPCG(5, 5)), montgomery}
}

// fill sets the limbs of one element.
func (n *numbers) fill(x []uint64) {
	kind := n.r.IntN(8)
	for i := range x {
		x[i] = n.r.Uint64()
		switch {
		case kind == 0:
			x[i] = 0
		case kind == 1:
			x[i] = ^uint64(0)
		case kind == 2 || n.r.IntN(4) == 0:
			x[i] = [...]uint64{0, 1, 1 << 63, ^uint64(0), ^uint64(0) - 616, 3225, 617}[n.r.IntN(7)]
		}
	}
	if n.montgomery {
		x[len(x)-1] >>= 1
	}
}
