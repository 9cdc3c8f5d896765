package gost3410

import (
	"bytes"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"testing"

	"propusk/gost/gost3410/internal/ifma"
	"propusk/gost/gost3410/internal/scalar"
)

// requireLanes skips where there are no eight lanes.
func requireLanes(t testing.TB) {
	t.Helper()
	if !ifma.Enabled {
		t.Skip("the processor has no AVX-512 IFMA, or the build leaves it out")
	}
}

// laneCurves are the curves that eight lanes know.
func laneCurves() (cs []*Curve) {
	for _, c := range allCurves {
		if c.lanes != nil {
			cs = append(cs, c)
		}
	}
	return cs
}

// TestVerifyManySizes: batches of all sizes, of signatures that are good, changed, and
// such that lanes meet a special case, each of them in every lane.
func TestVerifyManySizes(t *testing.T) {
	for _, c := range []*Curve{cryptoProA, tc26512A} {
		kinds := [][]Signed{goodAndBad(t, c), specialSigned(t, c)}
		for size := range 21 {
			for start := range min(size, 8) {
				var batch []Signed
				for i := range size {
					kind := kinds[0]
					if i == start || i == start+9 {
						kind = kinds[1]
					}
					batch = append(batch, kind[(start+size+i)%len(kind)])
				}
				wantSingle(t, batch)
			}
		}
	}
}

// wantSingle fails if VerifyMany does not say what Verify says.
func wantSingle(t testing.TB, batch []Signed) {
	t.Helper()
	got := VerifyMany(nil, batch)
	for i, s := range batch {
		if s.Key.Verify(s.Digest, s.Signature) != got[i] {
			t.Fatalf("signature %d of %d: VerifyMany says %v; key %x, digest %x, signature %x", i, len(batch), got[i], s.Key.raw, s.Digest, s.Signature)
		}
	}
}

// goodAndBad returns signatures of different keys, every second one changed.
func goodAndBad(t testing.TB, c *Curve) (all []Signed) {
	t.Helper()
	for i := range byte(10) {
		key, err := GenerateKey(c, testRandom(100+i))
		if err != nil {
			t.Fatal(err)
		}
		digest := digestFor(c, []byte{i})
		sig, err := key.Sign(testRandom(i), digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			sig[len(sig)-1-int(i)] ^= 1
		}
		all = append(all, Signed{key.PublicKey(), digest, sig})
	}
	return all
}

// specialSigned returns good and bad signatures for which the sums of eight lanes meet
// equal points, opposite points and infinity.
func specialSigned(t testing.TB, c *Curve) (all []Signed) {
	t.Helper()
	q := bigNat(c.order.Order())
	for _, s := range specialScalars(c) {
		// x(k·G − l·d·G) = r, for e = r/l and s = k·e.
		sum := new(big.Int).Mul(s.l, s.d)
		sum.Sub(s.k, sum).Mod(sum, q)
		r := big.NewInt(1) // of infinity, whatever it is
		if sum.Sign() != 0 {
			xy, _ := c.group.BaseMult(natBig(sum))
			r = bigNat(c.order.Reduce(c.order.FromLittleEndian(xy[:c.Size()])))
		}
		e := new(big.Int).ModInverse(s.l, q)
		e.Mul(e, r).Mod(e, q)
		signature := new(big.Int).Mul(s.k, e)
		signature.Mod(signature, q)
		for _, change := range []int64{0, 1} {
			key := newPrivateKey(c, natBig(s.d)).PublicKey()
			sig := make([]byte, 2*c.Size())
			signature.FillBytes(sig[:c.Size()])
			new(big.Int).Xor(r, big.NewInt(change)).FillBytes(sig[c.Size():])
			all = append(all, Signed{key, littleEndian(e, c.Size()), sig})
			if want := change == 0 && sum.Sign() != 0; key.Verify(all[len(all)-1].Digest, sig) != want {
				t.Fatalf("k = %x, l = %x, d = %x: want %v", s.k, s.l, s.d, want)
			}
		}
	}
	return all
}

// special is scalars of k·G − l·P, P = d·G.
type special struct{ k, l, d *big.Int }

// specialScalars returns scalars such that the last addition in the lanes, that of the
// last digit of the base point, is one of equal or of opposite points.
func specialScalars(c *Curve) []special {
	q := bigNat(c.order.Order())
	mod := func(x int64) *big.Int { return new(big.Int).Mod(big.NewInt(x), q) }
	const k = 1<<10 + 1 // its last digit is 1
	return []special{
		{mod(k), mod(-1), mod(2 - k)}, // (k − 1)·G + P is G
		{mod(k), mod(-1), mod(-k)},    // it is −G
		{mod(k), mod(1), mod(k)},
		{mod(5), mod(5), mod(1)},
		{mod(6), mod(-3), mod(-2)},
		{mod(77), mod(1), mod(76)}, // nothing special
	}
}

// TestLanesDoubt: special cases are met, noticed, and only they.
func TestLanesDoubt(t *testing.T) {
	requireLanes(t)
	for _, c := range laneCurves() {
		found := 0
		for _, s := range specialScalars(c) {
			r, k, l := scalar.Nat{1}, natBig(s.k), natBig(s.l)
			xy, _ := c.group.BaseMult(natBig(s.d))
			_, doubt := c.lanes.Verify8(1, func(int) (_, _, _ *scalar.Nat, _ []byte) { return &r, &k, &l, xy })
			if doubt[0] {
				found++
			}
		}
		if found != 5 {
			t.Errorf("%s: %d of the cases are special, not 5", c, found)
		}
		for _, s := range goodAndBad(t, c) {
			n, ok := s.Key.parse(s.Digest, s.Signature)
			if !ok {
				continue
			}
			_, doubt := c.lanes.Verify8(1, func(int) (_, _, _ *scalar.Nat, _ []byte) { return &n.r, &n.s, &n.e, s.Key.raw })
			if doubt[0] {
				t.Errorf("%s: doubt without reason", c)
			}
		}
	}
}

// TestLanesEdges: every edge vector in every lane.
func TestLanesEdges(t *testing.T) {
	requireLanes(t)
	byCurve := map[*Curve][]Signed{}
	for _, v := range loadEdges(t) {
		c := curveByName(t, v.String(t, "curve"))
		public, err := NewPublicKey(c, v.Hex(t, "public"))
		if err != nil {
			t.Fatal(err)
		}
		byCurve[c] = append(byCurve[c], Signed{public, v.Hex(t, "digest"), v.Hex(t, "signature")})
	}
	for _, c := range laneCurves() {
		vectors := byCurve[c]
		for range 8 {
			wantSingle(t, vectors)
			vectors = append(vectors[1:], vectors[0])
		}
	}
}

// TestLanesMult: the scalars at which sums of lanes are special, those near the ends
// and random ones, beside the arithmetic without lanes.
func TestLanesMult(t *testing.T) {
	requireLanes(t)
	r := mathrand.New(mathrand.NewPCG(12, 12))
	for _, c := range laneCurves() {
		q := bigNat(c.order.Order())
		half := uint(4 * c.Size())
		low := new(big.Int).Mod(q, new(big.Int).Lsh(scalarOne, half))
		// The parts of k add up to k, and the lower half of them may be the negative of
		// the upper one modulo q.
		special := new(big.Int).Sub(q, new(big.Int).Lsh(low, 1))
		other := new(big.Int).Add(special, new(big.Int).Lsh(scalarOne, half+1))
		third := new(big.Int).Sub(special, new(big.Int).Lsh(scalarOne, half+1))
		var ks []*big.Int
		for _, k := range []*big.Int{new(big.Int), q, special, other, third, new(big.Int).Rsh(q, 1), new(big.Int).Lsh(scalarOne, half), low} {
			for d := int64(-3); d <= 3; d++ {
				x := new(big.Int).Add(k, big.NewInt(d))
				ks = append(ks, x.Mod(x, q), new(big.Int).Mod(new(big.Int).Neg(x), q))
			}
		}
		for range 50 {
			b := make([]byte, c.Size()+8)
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			k := new(big.Int).SetBytes(b)
			ks = append(ks, k.Mod(k, q))
		}
		base := c.lanesBase(t)
		for _, k := range ks {
			want, finite := c.group.BaseMult(natBig(k))
			check := func(how string, got []byte, ok bool) {
				if ok != finite || finite && !bytes.Equal(got, want) {
					t.Fatalf("%s: %s: %x·G = %x %v, want %x %v", c, how, k, got, ok, want, finite)
				}
			}
			got, ok := c.lanes.BaseMult(natBig(k))
			check("BaseMult", got, ok)
			got, ok = c.lanes.Mult(natBig(k), base)
			check("Mult", got, ok)
		}
	}
}

// lanesBase returns the base point.
func (c *Curve) lanesBase(t *testing.T) []byte {
	t.Helper()
	xy, ok := c.group.BaseMult(scalar.Nat{1})
	if !ok {
		t.Fatal("infinity")
	}
	return xy
}

// FuzzVerifyMany: a batch gets the answers that its members get alone.
func FuzzVerifyMany(f *testing.F) {
	var pool []Signed
	for _, c := range allCurves {
		pool = append(pool, goodAndBad(f, c)...)
		if c.lanes != nil {
			pool = append(pool, specialSigned(f, c)...)
		}
	}
	f.Add([]byte{0, 1, 2, 3})
	f.Add(bytes.Repeat([]byte{10, 200, 11, 0}, 9))
	f.Fuzz(func(t *testing.T, in []byte) {
		// Four bytes are a signature, and what is changed of it.
		var batch []Signed
		for four := range slices.Chunk(in, 4) {
			if len(four) < 4 || len(batch) == 40 {
				break
			}
			s := pool[int(four[0])%len(pool)]
			s.Digest, s.Signature = bytes.Clone(s.Digest), bytes.Clone(s.Signature)
			s.Digest[int(four[1])%len(s.Digest)] ^= four[2] & 15
			s.Signature[int(four[1])%len(s.Signature)] ^= four[3] & 15
			if four[3] == 255 {
				s.Key = pool[int(four[1])%len(pool)].Key
			}
			batch = append(batch, s)
		}
		wantSingle(t, batch)
	})
}
