package gost3410

import (
	"fmt"
	"slices"
	"testing"

	"propusk/gost/gost3410/internal/adx"
	"propusk/gost/gost3410/internal/ifma"
)

// TestEdgeVectorsAgain asks about every edge vector until its key has a table, alone and
// among others, with and without each kind of assembly. A vector that is not valid gets
// its key a table only if the key has a valid one too.
func TestEdgeVectorsAgain(t *testing.T) {
	defer func(a, i bool) { adx.Enabled, ifma.Enabled = a, i }(adx.Enabled, ifma.Enabled)
	type claim struct {
		name  string
		valid bool
		Signed
	}
	var claims []claim
	for _, v := range loadEdges(t) {
		public, err := NewPublicKey(curveByName(t, v.String(t, "curve")), v.Hex(t, "public"))
		if err != nil {
			t.Fatal(err)
		}
		claims = append(claims, claim{v.Name, v.String(t, "valid") == "yes", Signed{public, v.Hex(t, "digest"), v.Hex(t, "signature")}})
	}
	for path := range 4 {
		adx.Enabled, ifma.Enabled = path&1 != 0, path&2 != 0
		if adx.Enabled && !adx.Available() || ifma.Enabled && !ifma.Available() {
			continue
		}
		t.Run(fmt.Sprintf("ADX %v, IFMA %v", adx.Enabled, ifma.Enabled), func(t *testing.T) {
			alone, among := NewKeyCache(64), NewKeyCache(64) // a key comes several times in a row
			step := 1
			if testing.Short() {
				step = 7
			}
			for i := 0; i+1 < len(claims); i += step {
				c, next := claims[i], claims[i+1]
				for range tableAfter + 1 {
					if alone.Verify(c.Key, c.Digest, c.Signature) != c.valid {
						t.Errorf("%s: want %v", c.name, c.valid)
					}
					good := VerifyMany(among, []Signed{c.Signed, next.Signed, c.Signed})
					if !slices.Equal(good, []bool{c.valid, next.valid, c.valid}) {
						t.Errorf("%s and the next one, twice: %v", c.name, good)
					}
				}
			}
		})
	}
}
