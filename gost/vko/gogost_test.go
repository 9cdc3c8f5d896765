package vko

import (
	"bytes"
	"math/big"
	"testing"

	gogost "github.com/ddulesov/gogost/gost3410"

	"propusk/gost/gost3410"
)

// gogostCurves are the curves of gogost, whose curves keep scratch space, and the
// cofactor, which gogost leaves to the caller.
var gogostCurves = []struct {
	ours     *gost3410.Curve
	theirs   func() *gogost.Curve
	cofactor int64
}{
	{gost3410.TC26256A(), gogost.CurveIdtc26gost34102012256paramSetA, 4},
	{gost3410.CryptoProA(), gogost.CurveIdGostR34102001CryptoProAParamSet, 1},
	{gost3410.CryptoProB(), gogost.CurveIdGostR34102001CryptoProBParamSet, 1},
	{gost3410.CryptoProC(), gogost.CurveIdGostR34102001CryptoProCParamSet, 1},
	{gost3410.TC26512A(), gogost.CurveIdtc26gost341012512paramSetA, 1},
	{gost3410.TC26512B(), gogost.CurveIdtc26gost341012512paramSetB, 1},
	{gost3410.TC26512C(), gogost.CurveIdtc26gost34102012512paramSetC, 4},
}

// FuzzGogost compares VKO with hashes of both lengths, for keys that the fuzzer makes
// and the UKM of eight bytes that the RFCs have. That is far from the order of any
// curve, near which gogost goes wrong.
func FuzzGogost(f *testing.F) {
	for i := range gogostCurves {
		f.Add(byte(i), []byte("key"), []byte("peer"), []byte{1})
	}
	f.Fuzz(func(t *testing.T, which byte, a, b, ukm []byte) {
		c := gogostCurves[int(which)%len(gogostCurves)]
		// Below the order of every curve, and not zero.
		number := func(b []byte) []byte {
			b = append(bytes.Clone(b), make([]byte, c.ours.Size())...)[:c.ours.Size()]
			b[0] |= 1
			b[len(b)-1] &= 0x1f
			return b
		}
		ours, peer := private(t, c.ours, number(a)), private(t, c.ours, number(b)).PublicKey()
		theirs, err := gogost.NewPrivateKey(c.theirs(), gogost.Mode(c.ours.Size()), ours.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		theirPeer, err := gogost.NewPublicKey(c.theirs(), gogost.Mode(c.ours.Size()), peer.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		ukm = append(bytes.Clone(ukm), make([]byte, 8)...)[:8]
		ukm[0] |= 1
		factor := new(big.Int).Mul(gogost.NewUKM(ukm), big.NewInt(c.cofactor))
		for name, agree := range map[string][2]func() ([]byte, error){
			"VKO256": {
				func() ([]byte, error) { return VKO256(ours, peer, ukm) },
				func() ([]byte, error) { return theirs.KEK2012256(theirPeer, factor) },
			},
			"VKO512": {
				func() ([]byte, error) { return VKO512(ours, peer, ukm) },
				func() ([]byte, error) { return theirs.KEK2012512(theirPeer, factor) },
			},
		} {
			got, err := agree[0]()
			want, errGogost := agree[1]()
			if err != nil || errGogost != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %s of %x, %x, %x: %x, %v; gogost says %x, %v", c.ours, name, a, b, ukm, got, err, want, errGogost)
			}
		}
	})
}
