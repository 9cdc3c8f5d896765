package gost3410

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"propusk/gost/gost3410/internal/adx"
	"propusk/gost/gost3410/internal/ec"
	"propusk/gost/gost3410/internal/ifma"
	"propusk/gost/gost3410/internal/scalar"
	"propusk/gost/internal/vectors"
	"propusk/gost/streebog"
)

var _ crypto.Signer = (*PrivateKey)(nil)

// testRandom is a reproducible source of randomness.
func testRandom(seed byte) io.Reader { return mathrand.NewChaCha8([32]byte{seed}) }

// onEveryPath runs a test without assembly, and with as much of it as can run here.
func onEveryPath(t *testing.T, test func(t *testing.T)) {
	defer func(a, i bool) { adx.Enabled, ifma.Enabled = a, i }(adx.Enabled, ifma.Enabled)
	adx.Enabled, ifma.Enabled = false, false
	t.Run("portable", test)
	if adx.Enabled = adx.Available(); adx.Enabled {
		t.Run("adx", test)
	}
	if ifma.Enabled = ifma.Available(); ifma.Enabled {
		t.Run("ifma", test)
	}
}

// curvesOfPath returns the curves for which the path is another one than before.
func curvesOfPath() []*Curve {
	if ifma.Enabled {
		return laneCurves()
	}
	return allCurves
}

// TestExamples runs the examples of the standards through the code that all
// curves share.
func TestExamples(t *testing.T) { onEveryPath(t, testExamples) }

func testExamples(t *testing.T) {
	curves := exampleCurves(t)
	for _, c := range allCurves {
		curves[c.name] = c
	}
	for _, v := range vectors.Load(t, "testdata/examples.txt") {
		t.Run(v.Name, func(t *testing.T) {
			c := curves[v.String(t, "curve")]
			d, x, y := v.Hex(t, "d"), v.Hex(t, "x"), v.Hex(t, "y")
			for _, b := range [][]byte{d, x, y} {
				slices.Reverse(b)
			}
			key, err := NewPrivateKey(c, d)
			if err != nil {
				t.Fatal(err)
			}
			if want := slices.Concat(x, y); !bytes.Equal(key.PublicKey().Bytes(), want) {
				t.Fatalf("public key %x, want %x", key.PublicKey().Bytes(), want)
			}
			public, err := NewPublicKey(c, slices.Concat(x, y))
			if err != nil {
				t.Fatal(err)
			}
			digest, sig := exampleDigest(t, c, v), v.Hex(t, "signature")
			if !public.Verify(digest, sig) {
				t.Error("the signature was refused")
			}
			if v.Has("k") {
				k := new(big.Int).SetBytes(v.Hex(t, "k"))
				got, ok := c.sign(key.secret.value(), hashNumber(c.order, digest), natBig(k))
				if !ok || !bytes.Equal(got, sig) {
					t.Errorf("signature %x, want %x", got, sig)
				}
			}
			digest[5] ^= 4
			if public.Verify(digest, sig) {
				t.Error("the signature was accepted for another digest")
			}
		})
	}
}

func exampleDigest(t *testing.T, c *Curve, v vectors.Vector) []byte {
	if v.Has("e") {
		e := v.Hex(t, "e")
		slices.Reverse(e)
		return e
	}
	return digestFor(c, v.Hex(t, "message"))
}

// digestFor returns the Streebog digest that the curve wants.
func digestFor(c *Curve, message []byte) []byte {
	if c.Size() == streebog.Size256 {
		h := streebog.Sum256(message)
		return h[:]
	}
	h := streebog.Sum512(message)
	return h[:]
}

// scalars returns numbers in [0, q) that are likely to go wrong.
func scalars(q *big.Int) (ks []*big.Int) {
	add := func(k *big.Int) { ks = append(ks, k.Mod(k, q)) }
	for i := int64(-33); i <= 33; i++ {
		add(big.NewInt(i)) // also the last digits of a fixed window
	}
	for i := 4; i < q.BitLen(); i += 25 {
		add(new(big.Int).Lsh(big.NewInt(1), uint(i)))
		add(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(i)), big.NewInt(16)))
	}
	add(new(big.Int).Rsh(q, 1))
	add(new(big.Int).Add(new(big.Int).Rsh(q, 1), big.NewInt(1)))
	r := mathrand.New(mathrand.NewPCG(7, 7))
	for range 8 {
		b := make([]byte, q.BitLen()/8)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		add(new(big.Int).SetBytes(b))
	}
	return ks
}

// TestGroups compares the arithmetic of every curve with the reference.
func TestGroups(t *testing.T) { onEveryPath(t, testGroups) }

func testGroups(t *testing.T) {
	refs := references(t)
	for _, c := range curvesOfPath() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ref := refs[c.name]
			if bigNat(c.order.Order()).Cmp(ref.q) != 0 || c.cofactor != ref.cofactor {
				t.Fatal("the order or the cofactor is not that of the standard")
			}
			other := ref.encode(ref.mult(big.NewInt(0x123456789abcdef), ref.base()))
			ks := scalars(ref.q)
			for i, k := range ks {
				if testing.Short() && i%4 != 0 {
					continue
				}
				n := natBig(k)
				short := k // or −(q − k), for which the reference is faster
				if k.BitLen() == ref.q.BitLen() && k.Cmp(new(big.Int).Rsh(ref.q, 1)) > 0 {
					short = new(big.Int).Sub(k, ref.q)
				}
				want := ref.mult(short, ref.base())
				got, ok := c.baseMult(n)
				compare(t, ref, "BaseMult", k, got, ok, want)
				got, ok = c.mult(n, ref.encode(ref.base()))
				compare(t, ref, "Mult of the base", k, got, ok, want)
				if i%4 == 0 {
					got, ok = c.mult(n, other)
					compare(t, ref, "Mult", k, got, ok, ref.mult(short, ref.decode(other)))
				}
			}
		})
	}
}

func compare(t *testing.T, ref *reference, op string, k *big.Int, got []byte, ok bool, want *point) {
	t.Helper()
	if want == nil {
		if ok {
			t.Fatalf("%s(%x) = %x, want infinity", op, k, got)
		}
		return
	}
	if !ok || !bytes.Equal(got, ref.encode(want)) {
		t.Fatalf("%s(%x) = %x %v, want %x", op, k, got, ok, ref.encode(want))
	}
}

// TestVerifyX meets all special cases of the additions inside k·G + l·P: P is a
// small multiple of G or of −G, so sums meet the same point, its negation and
// infinity.
func TestVerifyX(t *testing.T) { onEveryPath(t, testVerifyX) }

func testVerifyX(t *testing.T) {
	refs := references(t)
	for _, c := range curvesOfPath() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ref := refs[c.name]
			r := mathrand.New(mathrand.NewPCG(9, 9))
			ks := scalars(ref.q)
			for _, m := range []int64{1, -1, 2, -2, 3, -7, 255, -512, 0x10001} {
				p := ref.mult(big.NewInt(m), ref.base())
				for i := range int64(25) {
					checkVerifyX(t, c, ref, big.NewInt(i%5), big.NewInt(i/5), p)
				}
				// With P = −G the sum becomes infinity on the way, and a negative digit
				// follows.
				power := big.NewInt(1 << 20)
				less := big.NewInt(1<<20 - 1)
				checkVerifyX(t, c, ref, less, power, p)
				checkVerifyX(t, c, ref, less, less, p)
				for range 10 {
					k, l := ks[r.IntN(len(ks))], ks[r.IntN(len(ks))]
					if r.IntN(3) == 0 { // k + m·l = 0, or a few more
						k = new(big.Int).Mul(l, big.NewInt(-m))
						k.Add(k, big.NewInt(int64(r.IntN(4)))).Mod(k, ref.q)
					}
					checkVerifyX(t, c, ref, k, l, p)
				}
			}
		})
	}
}

// tableOf returns the table of a point, from a store: the same few are wanted often.
func tableOf(c *Curve, xy []byte) ec.Table {
	key := testTable{cacheKey{curve: c}, ifma.Enabled}
	copy(key.raw[:], xy)
	if table, ok := testTables.Load(key); ok {
		return table.(ec.Table)
	}
	table := c.newTable(xy)
	testTables.Store(key, table)
	return table
}

// testTable is which table is meant: there are two kinds.
type testTable struct {
	cacheKey
	lanes bool
}

var testTables sync.Map

func checkVerifyX(t *testing.T, c *Curve, ref *reference, k, l *big.Int, p *point) {
	t.Helper()
	sum := ref.add(ref.mult(k, ref.base()), ref.mult(l, p))
	x := big.NewInt(1)
	if sum != nil {
		x.Mod(sum.x, ref.q)
	}
	table := tableOf(c, ref.encode(p))
	verify := func(x *big.Int) bool {
		got := c.verifyX(natBig(x), natBig(k), natBig(l), ref.encode(p))
		if other := table.VerifyX(natBig(x), natBig(k), natBig(l)); got != other {
			t.Fatalf("k = %x, l = %x, P = %x: VerifyX says %v, the table %v", k, l, p.x, got, other)
		}
		checkLanes(t, c, natBig(x), natBig(k), natBig(l), ref.encode(p), got)
		return got
	}
	if got := verify(x); got != (sum != nil) {
		t.Fatalf("k = %x, l = %x, P = %x: VerifyX says %v", k, l, p.x, got)
	}
	if verify(new(big.Int).Mod(new(big.Int).Add(x, big.NewInt(1)), ref.q)) {
		t.Fatalf("k = %x, l = %x, P = %x: VerifyX accepts x + 1", k, l, p.x)
	}
}

// checkLanes wants the same answer of eight lanes, or none.
func checkLanes(t *testing.T, c *Curve, r, k, l scalar.Nat, xy []byte, want bool) {
	t.Helper()
	if c.lanes == nil || !ifma.Enabled {
		return
	}
	minus := c.order.Neg(l)
	good, doubt := c.lanes.Verify8(3, func(int) (_, _, _ *scalar.Nat, _ []byte) { return &r, &k, &minus, xy })
	for lane := range 3 {
		if !doubt[lane] && good[lane] != want {
			t.Fatalf("k = %x, l = %x, P = %x: lane %d says %v", k, l, xy, lane, good[lane])
		}
	}
}

// TestVerifyXReduced finds points whose x is not below q, so that r = x mod q is
// another number, and wants them accepted.
func TestVerifyXReduced(t *testing.T) { onEveryPath(t, testVerifyXReduced) }

func testVerifyXReduced(t *testing.T) {
	refs := references(t)
	for _, c := range []*Curve{cryptoProA, cryptoProC, tc26512A} { // q < p, but only just
		ref := refs[c.name]
		for r := int64(1); ; r++ {
			p := ref.lift(new(big.Int).Add(ref.q, big.NewInt(r)))
			if p == nil {
				continue
			}
			verify := func(r int64) bool {
				return c.group.VerifyX(scalar.Nat{uint64(r)}, scalar.Nat{}, scalar.Nat{1}, ref.encode(p))
			}
			if !c.group.Check(ref.encode(p)) || !verify(r) || verify(r+1) {
				t.Errorf("%s: x = q + %d", c.name, r)
			}
			break
		}
	}
	for _, c := range []*Curve{tc26256A, tc26512C} {
		ref := refs[c.name]
		seen := map[int64]bool{}
		for k := int64(2); k < 40; k++ {
			p := ref.mult(big.NewInt(k), ref.base())
			wraps, x := new(big.Int).DivMod(p.x, ref.q, new(big.Int))
			seen[wraps.Int64()] = true
			if !c.group.VerifyX(natBig(x), scalar.Nat{uint64(k)}, scalar.Nat{}, ref.encode(p)) {
				t.Errorf("%s: x(%d·G) = %x is refused", c.name, k, p.x)
			}
		}
		if len(seen) != 4 {
			t.Errorf("%s: only %d of 4 cases met", c.name, len(seen))
		}
	}
}

func TestSignVerify(t *testing.T) { onEveryPath(t, testSignVerify) }

func testSignVerify(t *testing.T) {
	for _, c := range allCurves {
		t.Run(c.name, func(t *testing.T) {
			key, err := GenerateKey(c, testRandom(1))
			if err != nil {
				t.Fatal(err)
			}
			digest := digestFor(c, []byte("пропуск"))
			sig, err := key.Sign(nil, digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !key.PublicKey().Verify(digest, sig) {
				t.Fatal("our own signature is refused")
			}
			for i := range sig {
				bad := bytes.Clone(sig)
				bad[i] ^= 0x10
				if key.PublicKey().Verify(digest, bad) {
					t.Errorf("accepted with byte %d changed", i)
				}
			}
			for i := range digest {
				bad := bytes.Clone(digest)
				bad[i] ^= 0x10
				if key.PublicKey().Verify(bad, sig) {
					t.Errorf("accepted with byte %d of the digest changed", i)
				}
			}
			testBadSignatures(t, key, digest, sig)
		})
	}
}

// testBadSignatures tries numbers out of range, lengths, and swapped halves.
func testBadSignatures(t *testing.T, key *PrivateKey, digest, sig []byte) {
	c, size := key.public.curve, key.public.curve.Size()
	q := bigNat(c.order.Order())
	s, r := new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:])
	limit := new(big.Int).Lsh(big.NewInt(1), uint(8*size))
	join := func(s, r *big.Int) []byte {
		return append(s.FillBytes(make([]byte, size)), r.FillBytes(make([]byte, size))...)
	}
	bad := map[string][]byte{
		"nil": nil, "empty": {}, "short": sig[1:], "long": append(bytes.Clone(sig), 0),
		"r = 0": join(s, new(big.Int)), "s = 0": join(new(big.Int), r), "r = q": join(s, q), "s = q": join(q, r),
		"both 0": join(new(big.Int), new(big.Int)), "swapped": join(r, s),
		"s negated": join(new(big.Int).Sub(q, s), r),
	}
	for name, n := range map[string]*big.Int{"r": r, "s": s} {
		more := new(big.Int).Add(n, q)
		if more.Cmp(limit) >= 0 {
			continue
		}
		if name == "r" {
			bad["r + q"] = join(s, more)
		} else {
			bad["s + q"] = join(more, r)
		}
	}
	reversed := bytes.Clone(sig)
	slices.Reverse(reversed)
	bad["TLS order"] = reversed
	for name, b := range bad {
		if key.PublicKey().Verify(digest, b) {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, d := range [][]byte{nil, {}, digest[1:], append(bytes.Clone(digest), 0)} {
		if key.PublicKey().Verify(d, sig) {
			t.Errorf("a digest of %d bytes was accepted", len(d))
		}
		if _, err := key.Sign(nil, d, nil); !errors.Is(err, ErrDigest) {
			t.Errorf("signing a digest of %d bytes: %v", len(d), err)
		}
	}
}

// TestHashNumber: digests that are 0 or a multiple of q count as 1. RFC 7091,
// Section 6.1, Step 2.
func TestHashNumber(t *testing.T) {
	for _, c := range allCurves {
		key, err := GenerateKey(c, testRandom(2))
		if err != nil {
			t.Fatal(err)
		}
		zero, one := make([]byte, c.Size()), make([]byte, c.Size())
		one[0] = 1
		digests := [][]byte{zero, one, c.order.LittleEndian(c.order.Order())}
		sig, err := key.Sign(testRandom(3), digests[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range digests {
			if !key.PublicKey().Verify(d, sig) {
				t.Errorf("%s: digest %d is not the number 1", c.name, i)
			}
		}
	}
}

func TestCurveByParamSet(t *testing.T) {
	for text, want := range map[string]*Curve{
		"1.2.643.2.2.35.1": cryptoProA, "1.2.643.2.2.36.0": cryptoProA, "1.2.643.7.1.2.1.1.2": cryptoProA,
		"1.2.643.2.2.35.2": cryptoProB, "1.2.643.7.1.2.1.1.3": cryptoProB,
		"1.2.643.2.2.35.3": cryptoProC, "1.2.643.2.2.36.1": cryptoProC, "1.2.643.7.1.2.1.1.4": cryptoProC,
		"1.2.643.7.1.2.1.1.1": tc26256A,
		"1.2.643.7.1.2.1.2.1": tc26512A, "1.2.643.7.1.2.1.2.2": tc26512B, "1.2.643.7.1.2.1.2.3": tc26512C,
		// Test sets, neighbours, prefixes.
		"1.2.643.2.2.35.0": nil, "1.2.643.7.1.2.1.2.0": nil, "1.2.643.7.1.2.1.1.0": nil, "1.2.643.7.1.2.1.1.5": nil,
		"1.2.643.2.2.35": nil, "1.2.643.2.2.35.1.1": nil, "1.2.644.2.2.35.1": nil, "1.2": nil, "": nil,
	} {
		got, err := CurveByParamSet(parseOID(t, text))
		if got != want || (err == nil) != (want != nil) || want == nil && !errors.Is(err, ErrParamSet) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
}

func parseOID(t *testing.T, text string) (oid asn1.ObjectIdentifier) {
	for part := range strings.SplitSeq(text, ".") {
		var n int
		if part == "" {
			return nil
		}
		if _, err := fmt.Sscan(part, &n); err != nil {
			t.Fatal(err)
		}
		oid = append(oid, n)
	}
	return oid
}

func TestCurveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []*Curve{TC26256A(), CryptoProA(), CryptoProB(), CryptoProC(), TC26512A(), TC26512B(), TC26512C()} {
		if seen[c.Name()] || c.String() != c.Name() {
			t.Errorf("name %q", c.Name())
		}
		seen[c.Name()] = true
		if want := 32; strings.Contains(c.Name(), "512") != (c.Size() == 64) || c.Size()%want != 0 {
			t.Errorf("%s: size %d", c.Name(), c.Size())
		}
	}
	if len(seen) != 7 {
		t.Errorf("%d names", len(seen))
	}
}

// TestPublicKeyRefused: nothing but points of the subgroup gets in.
func TestPublicKeyRefused(t *testing.T) {
	refs := references(t)
	for _, c := range allCurves {
		ref := refs[c.name]
		good := ref.encode(ref.base())
		encode := func(x, y *big.Int) []byte { return ref.encode(&point{x, y}) }
		bad := map[string][]byte{
			"nil": nil, "short": good[1:], "long": append(bytes.Clone(good), 0), "half": good[:c.Size()],
			"zero": make([]byte, len(good)), "ones": bytes.Repeat([]byte{255}, len(good)),
			"off the curve":   encode(ref.x, new(big.Int).Add(ref.y, big.NewInt(1))),
			"x and y swapped": encode(ref.y, ref.x),
		}
		limit := new(big.Int).Lsh(big.NewInt(1), uint(8*c.Size()))
		for name, q := range pointsWithSmallCoordinates(ref) {
			// The same point with p added to a coordinate, where that fits.
			if x := new(big.Int).Add(q.x, ref.p); x.Cmp(limit) < 0 {
				bad[name+": x + p"] = encode(x, q.y)
			}
			if y := new(big.Int).Add(q.y, ref.p); y.Cmp(limit) < 0 {
				bad[name+": y + p"] = encode(q.x, y)
			}
		}
		for name, q := range outsidePoints(ref) {
			bad[name] = ref.encode(q)
		}
		for name, raw := range bad {
			if k, err := NewPublicKey(c, raw); k != nil || !errors.Is(err, ErrPublicKey) {
				t.Errorf("%s: %s: %v", c.name, name, err)
			}
		}
		for _, k := range []int64{1, 2, 3, -1} {
			p := ref.mult(new(big.Int).Mod(big.NewInt(k), ref.q), ref.base())
			if _, err := NewPublicKey(c, ref.encode(p)); err != nil {
				t.Errorf("%s: %d·G is refused", c.name, k)
			}
		}
	}
	if _, err := NewPublicKey(nil, make([]byte, 64)); !errors.Is(err, ErrPublicKey) {
		t.Errorf("no curve: %v", err)
	}
}

// pointsWithSmallCoordinates returns points that have a second encoding if
// coordinates were not checked: the base point, and one with x below 1000.
func pointsWithSmallCoordinates(ref *reference) map[string]*point {
	points := map[string]*point{"base": ref.base()}
	for x := int64(0); x < 1000; x++ {
		if p := ref.lift(big.NewInt(x)); p != nil {
			points["small x"] = p
			return points
		}
	}
	return points
}

// lift returns a point with the given x, or nil.
func (r *reference) lift(x *big.Int) *point {
	yy := new(big.Int).Mul(x, x)
	yy.Add(yy, r.a).Mul(yy, x).Add(yy, r.b).Mod(yy, r.p)
	y := new(big.Int).ModSqrt(yy, r.p)
	if y == nil {
		return nil
	}
	return &point{x, y}
}

// outsidePoints returns points of the curve outside the subgroup: of order 2 and
// 4, and sums of those with a point of the subgroup. There are none on curves of
// prime order.
func outsidePoints(ref *reference) map[string]*point {
	if ref.cofactor == 1 {
		return nil
	}
	for x := int64(1); ; x++ {
		p := ref.lift(big.NewInt(x))
		if p == nil {
			continue
		}
		small := ref.mult(ref.q, p)
		if small == nil || ref.add(small, small) == nil {
			continue // we want order 4
		}
		two := ref.add(small, small)
		return map[string]*point{
			"order 4": small, "order 2": two, "the other of order 4": ref.add(two, small),
			"base + order 4": ref.add(ref.base(), small), "base + order 2": ref.add(ref.base(), two),
			"any point": p,
		}
	}
}

// TestOutsidePointsExist makes sure that TestPublicKeyRefused tries them.
func TestOutsidePointsExist(t *testing.T) {
	refs := references(t)
	for _, c := range []*Curve{tc26256A, tc26512C} {
		points := outsidePoints(refs[c.name])
		for name, p := range points {
			if !refs[c.name].onCurve(p) {
				t.Errorf("%s: %s is off the curve", c.name, name)
			}
		}
		if len(points) != 6 {
			t.Errorf("%s: %d points", c.name, len(points))
		}
	}
}

func TestPrivateKeyRange(t *testing.T) {
	for _, c := range allCurves {
		q := bigNat(c.order.Order())
		one := big.NewInt(1)
		for _, d := range []*big.Int{one, big.NewInt(2), new(big.Int).Sub(q, one)} {
			raw := littleEndian(d, c.Size())
			k, err := NewPrivateKey(c, raw)
			if err != nil {
				t.Errorf("%s: d = %x: %v", c.name, d, err)
				continue
			}
			if !bytes.Equal(k.Bytes(), raw) {
				t.Errorf("%s: Bytes = %x, want %x", c.name, k.Bytes(), raw)
			}
		}
		bad := [][]byte{
			nil, make([]byte, c.Size()), littleEndian(q, c.Size()), littleEndian(new(big.Int).Add(q, one), c.Size()),
			bytes.Repeat([]byte{255}, c.Size()), make([]byte, c.Size()-1), append([]byte{1}, make([]byte, c.Size())...),
		}
		for _, raw := range bad {
			if k, err := NewPrivateKey(c, raw); k != nil || !errors.Is(err, ErrPrivateKey) {
				t.Errorf("%s: %x: %v", c.name, raw, err)
			}
		}
	}
	if _, err := NewPrivateKey(nil, make([]byte, 32)); !errors.Is(err, ErrPrivateKey) {
		t.Errorf("no curve: %v", err)
	}
}

func TestMaskedPrivateKey(t *testing.T) {
	for _, c := range allCurves {
		q := bigNat(c.order.Order())
		limit := new(big.Int).Lsh(big.NewInt(1), uint(8*c.Size()))
		a, b := new(big.Int).Sub(limit, big.NewInt(3)), new(big.Int).Sub(q, big.NewInt(5)) // a is not below q
		d := new(big.Int).Mul(a, b)
		raw := append(littleEndian(a, c.Size()), littleEndian(b, c.Size())...)
		k, err := NewMaskedPrivateKey(c, raw)
		if err != nil || !bytes.Equal(k.Bytes(), littleEndian(d.Mod(d, q), c.Size())) {
			t.Errorf("%s: %v", c.name, err)
		}
		plain, err := NewMaskedPrivateKey(c, raw[c.Size():])
		if err != nil || bigNat(plain.secret.value()).Cmp(b) != 0 {
			t.Errorf("%s: without a mask: %v", c.name, err)
		}
		for _, bad := range [][]byte{nil, raw[:c.Size()+1], append(littleEndian(q, c.Size()), raw...), make([]byte, 2*c.Size())} {
			if k, err := NewMaskedPrivateKey(c, bad); k != nil || !errors.Is(err, ErrPrivateKey) {
				t.Errorf("%s: %x: %v", c.name, bad, err)
			}
		}
	}
}

func TestSharedPoint(t *testing.T) { onEveryPath(t, testSharedPoint) }

func testSharedPoint(t *testing.T) {
	refs := references(t)
	for _, c := range allCurves {
		ref := refs[c.name]
		a, errA := GenerateKey(c, testRandom(4))
		b, errB := GenerateKey(c, testRandom(5))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		q := littleEndian(ref.q, c.Size())
		for _, ukm := range [][]byte{{1}, {2, 0, 0}, {0, 1}, bytes.Repeat([]byte{0xa5}, 8), bytes.Repeat([]byte{255}, c.Size())} {
			got, err := a.SharedPoint(b.PublicKey(), ukm)
			if err != nil {
				t.Errorf("%s, UKM %x: %v", c.name, ukm, err)
				continue
			}
			k := new(big.Int).Mul(fromLittleEndian(ukm), bigNat(a.secret.value()))
			k.Mul(k, big.NewInt(int64(ref.cofactor))).Mod(k, ref.q)
			if want := ref.encode(ref.mult(k, ref.decode(b.public.raw))); !bytes.Equal(got, want) {
				t.Errorf("%s, UKM %x: %x, want %x", c.name, ukm, got, want)
			}
			if back, err := b.SharedPoint(a.PublicKey(), ukm); err != nil || !bytes.Equal(got, back) {
				t.Errorf("%s, UKM %x: the sides do not agree: %v", c.name, ukm, err)
			}
		}
		for _, ukm := range [][]byte{nil, {}, {0}, make([]byte, c.Size()), q, append([]byte{1}, make([]byte, c.Size())...)} {
			if got, err := a.SharedPoint(b.PublicKey(), ukm); got != nil || !errors.Is(err, ErrAgreement) {
				t.Errorf("%s, UKM %x: %v", c.name, ukm, err)
			}
		}
		other, err := GenerateKey(allCurves[(slices.Index(allCurves, c)+1)%len(allCurves)], testRandom(6))
		if err != nil {
			t.Fatal(err)
		}
		for _, peer := range []*PublicKey{nil, {}, other.PublicKey()} {
			if got, err := a.SharedPoint(peer, []byte{1}); got != nil || !errors.Is(err, ErrAgreement) {
				t.Errorf("%s: strange peer: %v", c.name, err)
			}
		}
	}
}

// TestNonces: the nonce depends on everything it should, and a source of
// randomness that repeats itself does not make two signatures share one.
func TestNonces(t *testing.T) {
	type request struct {
		c     *Curve
		d, e  scalar.Nat
		fresh byte
	}
	seen := map[scalar.Nat]request{}
	for _, c := range allCurves {
		for _, r := range []request{
			{c, scalar.Nat{1}, scalar.Nat{1}, 0}, {c, scalar.Nat{2}, scalar.Nat{1}, 0},
			{c, scalar.Nat{1}, scalar.Nat{2}, 0}, {c, scalar.Nat{1}, scalar.Nat{1}, 1},
		} {
			s := newNonceSource(r.c, r.d, r.e, bytes.Repeat([]byte{r.fresh}, c.Size()))
			for range 20 {
				n, ok := s.next()
				if !ok || !inRange(c.order, n) {
					t.Fatalf("%+v: nonce %x, %v", r, n, ok)
				}
				if other, ok := seen[n]; ok {
					t.Fatalf("%+v and %+v share a nonce", r, other)
				}
				seen[n] = r
			}
		}
	}
}

// TestNonceDistribution: nonces are spread evenly over [1, q−1], with a random
// source of any quality. For 15 degrees of freedom, chi-square is above 45 once in
// 10 000 times; the inputs are fixed.
func TestNonceDistribution(t *testing.T) {
	const rounds, buckets = 1600, 16
	for _, c := range allCurves {
		q := bigNat(c.order.Order())
		var counts [buckets]int
		for i := range uint64(rounds) {
			s := newNonceSource(c, scalar.Nat{12345}, scalar.Nat{i}, make([]byte, c.Size()))
			n, ok := s.next()
			if !ok {
				t.Fatal("no nonce")
			}
			bucket := bigNat(n)
			counts[bucket.Mul(bucket, big.NewInt(buckets)).Div(bucket, q).Int64()]++
		}
		chi := 0.0
		for _, n := range counts {
			d := float64(n) - rounds/buckets
			chi += d * d / (rounds / buckets)
		}
		if chi > 45 {
			t.Errorf("%s: chi-square %.1f, %v", c.name, chi, counts)
		}
	}
}

// TestNonceEnds: a source that cannot give another nonce says so.
func TestNonceEnds(t *testing.T) {
	s := newNonceSource(cryptoProA, scalar.Nat{1}, scalar.Nat{1}, make([]byte, 32))
	for range 255 {
		if _, ok := s.next(); !ok {
			return // CryptoPro-A rejects almost nothing; this may come late
		}
	}
	if _, ok := s.next(); ok {
		t.Error("the attempt was not counted")
	}
}

// TestBrokenRandom: with a source that always says the same, signatures of
// different digests have different r, and the same digest the same signature.
func TestBrokenRandom(t *testing.T) {
	broken := zeroReader{}
	for _, c := range allCurves {
		key, err := GenerateKey(c, testRandom(8))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for i := range byte(5) {
			digest := digestFor(c, []byte{i})
			first, err1 := key.Sign(broken, digest, nil)
			second, err2 := key.Sign(broken, digest, nil)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if !bytes.Equal(first, second) || !key.PublicKey().Verify(digest, first) {
				t.Errorf("%s: %x, %x", c.name, first, second)
			}
			r := string(first[c.Size():])
			if seen[r] {
				t.Errorf("%s: two digests share r", c.name)
			}
			seen[r] = true
			fresh, err := key.Sign(nil, digest, nil)
			if err != nil || bytes.Equal(fresh, first) {
				t.Errorf("%s: the randomness is not used: %v", c.name, err)
			}
		}
	}
}

// zeroReader is a source of randomness that is badly broken.
type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func TestRandomErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, r := range []io.Reader{iotest.ErrReader(boom), io.MultiReader(bytes.NewReader(make([]byte, 20)), iotest.ErrReader(boom))} {
		if k, err := GenerateKey(cryptoProA, r); k != nil || !errors.Is(err, boom) {
			t.Errorf("GenerateKey: %v, %v", k, err)
		}
	}
	key, err := GenerateKey(cryptoProA, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sig, err := key.Sign(iotest.ErrReader(boom), make([]byte, 32), nil); sig != nil || !errors.Is(err, boom) {
		t.Errorf("Sign: %x, %v", sig, err)
	}
	if k, err := GenerateKey(cryptoProA, zeroReader{}); k != nil || !errors.Is(err, ErrRandom) {
		t.Errorf("GenerateKey from zeros: %v, %v", k, err)
	}
}

func TestEqual(t *testing.T) {
	raw := append([]byte{5}, make([]byte, 31)...)
	a, errA := NewPrivateKey(cryptoProA, raw)
	same, errS := NewPrivateKey(cryptoProA, raw)
	b, errB := NewPrivateKey(cryptoProB, raw)
	other, errO := GenerateKey(cryptoProA, nil)
	if err := errors.Join(errA, errS, errB, errO); err != nil {
		t.Fatal(err)
	}
	if !a.Equal(same) || !a.PublicKey().Equal(same.Public()) {
		t.Error("equal keys are different")
	}
	for _, k := range []*PrivateKey{b, other, nil} {
		if a.Equal(k) {
			t.Errorf("private keys are equal: %v", k)
		}
	}
	for _, k := range []any{b.PublicKey(), other.PublicKey(), (*PublicKey)(nil), "text", a, nil} {
		if a.PublicKey().Equal(k) {
			t.Errorf("public keys are equal: %v", k)
		}
	}
	if a.Equal(a.PublicKey()) || a.Equal(nil) {
		t.Error("a private key equals something else")
	}
}

// TestZeroValue: keys that were not made by this package grant nothing.
func TestZeroValue(t *testing.T) {
	var none *PublicKey
	if none.Verify(make([]byte, 32), make([]byte, 64)) || new(PublicKey).Verify(make([]byte, 32), make([]byte, 64)) {
		t.Error("an empty key verifies")
	}
	for _, k := range []*PrivateKey{nil, new(PrivateKey)} {
		if sig, err := k.Sign(nil, make([]byte, 32), nil); sig != nil || !errors.Is(err, ErrPrivateKey) {
			t.Errorf("an empty key signs: %x, %v", sig, err)
		}
		if xy, err := k.SharedPoint(nil, []byte{1}); xy != nil || !errors.Is(err, ErrPrivateKey) {
			t.Errorf("an empty key agrees: %x, %v", xy, err)
		}
		if k.Equal(new(PrivateKey)) {
			t.Error("empty keys are equal")
		}
	}
	for _, c := range []*Curve{nil, new(Curve)} {
		_, errPublic := NewPublicKey(c, make([]byte, 64))
		_, errPrivate := NewPrivateKey(c, make([]byte, 32))
		_, errMasked := NewMaskedPrivateKey(c, make([]byte, 64))
		_, errGenerate := GenerateKey(c, nil)
		if !errors.Is(errPublic, ErrPublicKey) || !errors.Is(errPrivate, ErrPrivateKey) ||
			!errors.Is(errMasked, ErrPrivateKey) || !errors.Is(errGenerate, ErrParamSet) {
			t.Errorf("no curve: %v, %v, %v, %v", errPublic, errPrivate, errMasked, errGenerate)
		}
	}
}

// TestSecretIsZeroed: the number does not outlive the last copy of its key.
func TestSecretIsZeroed(t *testing.T) {
	key, err := GenerateKey(cryptoProA, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, another := key.secret.d, *key
	key = nil
	runtime.GC()
	runtime.GC()
	if scalar.IsZero(*d) == 1 || scalar.IsZero(another.secret.value()) == 1 {
		t.Fatal("zeroed while a copy of the key lives")
	}
	runtime.KeepAlive(&another)
	another = PrivateKey{}
	for range 3000 {
		runtime.GC() // the cleanup runs some time after one
		if secretGone(d) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the number is still in memory")
}

// secretGone reads what the garbage collector's goroutine writes; there is nothing
// to wait for.
//
//go:norace
func secretGone(d *scalar.Nat) bool { return *d == scalar.Nat{} }

// TestNoSecretInPrint: no verb of fmt shows the number, not even of a copy of the
// struct or of one inside another.
func TestNoSecretInPrint(t *testing.T) {
	raw := bytes.Repeat([]byte{0x4d}, 32)
	k, err := NewPrivateKey(cryptoProA, raw)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Key   *PrivateKey
		inner *PrivateKey
		value PrivateKey
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q", "%T"} {
		for _, v := range []any{k, *k, holder{k, k, *k}, &holder{k, k, *k}, []PrivateKey{*k}} {
			text := fmt.Sprintf(format, v)
			if strings.Contains(text, "4d4d") || strings.Contains(text, "5570193308531903821") {
				t.Errorf("%s of %T prints %s", format, v, text)
			}
		}
	}
	if got := fmt.Sprint(k); got != "gost3410.PrivateKey(CryptoPro-A)" {
		t.Error(got)
	}
	if got := fmt.Sprint(new(PrivateKey)); got != "gost3410.PrivateKey(none)" {
		t.Error(got)
	}
}

// TestKeysAreCopies: what the caller does with slices does not change a key.
func TestKeysAreCopies(t *testing.T) {
	k, err := GenerateKey(cryptoProA, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw := k.PublicKey().Bytes()
	p, err := NewPublicKey(cryptoProA, raw)
	if err != nil {
		t.Fatal(err)
	}
	clear(raw)
	clear(p.Bytes())
	if !p.Equal(k.Public()) {
		t.Error("the key changed")
	}
}
