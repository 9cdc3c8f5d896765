package gost3410

import (
	"bytes"
	"flag"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"propusk/gost/internal/vectors"
)

var update = flag.Bool("update", false, "write testdata/edge anew")

// edgeDir has the vectors, a file for every curve.
const edgeDir = "testdata/edge"

func edgeFile(c *Curve) string { return filepath.Join(edgeDir, c.name+".txt") }

// loadEdges returns the vectors of all curves.
func loadEdges(t *testing.T) (all []vectors.Vector) {
	t.Helper()
	for _, c := range allCurves {
		all = append(all, vectors.Load(t, edgeFile(c))...)
	}
	return all
}

// edgeHead is the start of a file.
const edgeHead = `# Source: made by TestEdgeFiles with the math/big reference of this package ("go test -run EdgeFiles -update");
# gost-engine agrees (TestEdgeVectorsEngine), and so does gogost but for one case (TestEdgeVectorsGogost).
# Signatures at the edges of GOST R 34.10-2012: numbers at the ends of their ranges, and scalars z1 and z2 of
# z1*G + z2*Q that make the additions inside a verification meet equal and opposite points, and infinity.
# public is LE(x)|LE(y), digest is in software order, a signature is BE(s)|BE(r).
`

// edge is one vector.
type edge struct {
	name   string
	public *point
	e      *big.Int // the digest as a number
	s, r   *big.Int
	valid  bool
}

// edges makes vectors. They are the same every time.
type edges struct {
	ref  *reference
	rand *mathrand.Rand
	out  []edge
}

func (g *edges) add(name string, public *point, e, s, r *big.Int, valid bool) {
	g.out = append(g.out, edge{name, public, e, s, r, valid})
}

func (g *edges) mod(x *big.Int) *big.Int { return new(big.Int).Mod(x, g.ref.q) }

func (g *edges) mul(x, y *big.Int) *big.Int { return g.mod(new(big.Int).Mul(x, y)) }

func (g *edges) inverse(x *big.Int) *big.Int { return new(big.Int).ModInverse(x, g.ref.q) }

func (g *edges) random() *big.Int {
	b := make([]byte, g.ref.size)
	for i := range b {
		b[i] = byte(g.rand.Uint32())
	}
	return g.mod(new(big.Int).SetBytes(b))
}

// hashed is e as a verification takes it.
func (g *edges) hashed(e *big.Int) *big.Int {
	if e = g.mod(e); e.Sign() == 0 {
		return big.NewInt(1)
	}
	return e
}

// scalars adds the signature that a verification takes to z1·G + z2·Q = k·G: k gives
// r, then e, s and the key follow.
func (g *edges) scalars(name string, z1, z2, k *big.Int) {
	z1, z2, k = g.mod(z1), g.mod(z2), g.mod(k)
	r := g.mod(g.ref.mult(k, g.ref.base()).x)
	e := g.mul(new(big.Int).Neg(r), g.inverse(z2))
	d := g.mul(new(big.Int).Sub(k, z1), g.inverse(z2))
	s := g.mul(z1, e)
	if d.Sign() == 0 || r.Sign() == 0 {
		panic("edge: no such signature")
	}
	g.add(name, g.ref.mult(d, g.ref.base()), e, s, r, s.Sign() != 0)
}

// sign signs the digest e with d and k.
func (g *edges) sign(d, k, e *big.Int) (public *point, s, r *big.Int) {
	r = g.mod(g.ref.mult(k, g.ref.base()).x)
	s = g.mod(new(big.Int).Add(g.mul(r, d), g.mul(k, g.hashed(e))))
	return g.ref.mult(d, g.ref.base()), s, r
}

func (g *edges) ranges() {
	q, zero, one := g.ref.q, new(big.Int), big.NewInt(1)
	limit := new(big.Int).Lsh(one, uint(8*g.ref.size))
	e := g.random()
	public, s, r := g.sign(g.random(), g.random(), e)
	minus := func(x *big.Int) *big.Int { return new(big.Int).Sub(q, x) }
	g.add("valid", public, e, s, r, true)
	g.add("r = 0", public, e, s, zero, false)
	g.add("s = 0", public, e, zero, r, false)
	g.add("r = s = 0", public, e, zero, zero, false)
	g.add("r = q", public, e, s, q, false)
	g.add("s = q", public, e, q, r, false)
	g.add("r = q - 1", public, e, s, minus(one), false)
	g.add("s = q - 1", public, e, minus(one), r, false)
	g.add("r = 1", public, e, s, one, false)
	g.add("s = 1", public, e, one, r, false)
	g.add("r and s all ones", public, e, new(big.Int).Sub(limit, one), new(big.Int).Sub(limit, one), false)
	g.add("s negated", public, e, minus(s), r, false)
	g.add("r negated", public, e, s, minus(r), false)
	g.add("both negated", public, e, minus(s), minus(r), false)
	g.add("r and s swapped", public, e, r, s, false)
	if more := new(big.Int).Add(s, q); more.Cmp(limit) < 0 {
		g.add("s + q", public, e, more, r, false)
	}
	if more := new(big.Int).Add(r, q); more.Cmp(limit) < 0 {
		g.add("r + q", public, e, s, more, false)
	}
	if more := new(big.Int).Add(e, q); more.Cmp(limit) < 0 {
		g.add("e + q", public, more, s, r, true)
	}
	g.add("another key", g.ref.mult(g.random(), g.ref.base()), e, s, r, false)
}

func (g *edges) digests() {
	one := big.NewInt(1)
	all := new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*g.ref.size)), one)
	for _, v := range []struct {
		name string
		e    *big.Int
	}{
		{"e = 0", new(big.Int)}, {"e = 1", one}, {"e = q", g.ref.q}, {"e = q - 1", new(big.Int).Sub(g.ref.q, one)},
		{"e = q + 1", new(big.Int).Add(g.ref.q, one)}, {"e all ones", all},
	} {
		if v.e.Cmp(all) > 0 {
			continue
		}
		public, s, r := g.sign(g.random(), g.random(), v.e)
		g.add(v.name, public, v.e, s, r, true)
	}
}

// special meets equal and opposite points, infinity, and keys next to the base point.
func (g *edges) special() {
	two := big.NewInt(2)
	half := g.inverse(two)
	k := g.random()
	z2 := g.random()
	g.scalars("z1*G = z2*Q", g.mul(k, half), z2, k)
	g.scalars("z1*G = 2*z2*Q", g.mul(g.mul(k, two), g.inverse(big.NewInt(3))), z2, k)
	g.scalars("2*z1*G = -z2*Q", g.mod(new(big.Int).Neg(k)), z2, k)
	// z1·G + z2·Q is infinity, whatever r is: s = r·d.
	d, r := g.random(), g.random()
	g.add("infinity", g.ref.mult(d, g.ref.base()), g.random(), g.mul(r, d), r, false)
	g.add("infinity, Q = G", g.ref.base(), g.random(), r, r, false)
	minus := g.ref.mult(g.mod(big.NewInt(-1)), g.ref.base())
	g.add("infinity, Q = -G", minus, g.random(), g.mod(new(big.Int).Neg(r)), r, false)
	for _, d := range []int64{1, -1, 2, -2, 3, 16, 31, 1 << 20} {
		e := g.random()
		public, s, r := g.sign(g.mod(big.NewInt(d)), g.random(), e)
		g.add(fmt.Sprintf("Q = %d*G", d), public, e, s, r, true)
	}
	for _, k := range []int64{1, -1, 2, 3, 1000} {
		d, e := g.random(), g.random()
		public, s, r := g.sign(d, g.mod(big.NewInt(k)), e)
		g.add(fmt.Sprintf("nonce %d", k), public, e, s, r, r.Sign() != 0)
	}
	for _, n := range []int64{1, -1} {
		s, k, e := g.mod(big.NewInt(n)), g.random(), g.random()
		r := g.mod(g.ref.mult(k, g.ref.base()).x)
		d := g.mul(new(big.Int).Sub(s, g.mul(k, e)), g.inverse(r))
		g.add(fmt.Sprintf("s = %d, valid", n), g.ref.mult(d, g.ref.base()), e, s, r, true)
	}
}

// wrapped has signatures of points whose x is not below q, so that r is another
// number. The key is made to fit; nobody knows its private key.
func (g *edges) wrapped() {
	for i := int64(1); i < 2000; i++ {
		x := new(big.Int).Add(g.ref.q, big.NewInt(i))
		if x.Cmp(g.ref.p) >= 0 {
			return // q is above p: there is no such point
		}
		p := g.ref.lift(x)
		if p == nil || g.ref.mult(g.ref.q, p) != nil {
			continue
		}
		e, s, r := g.random(), g.random(), g.mod(x)
		z1, z2 := g.mul(s, g.inverse(e)), g.mod(new(big.Int).Neg(g.mul(r, g.inverse(e))))
		public := g.ref.add(p, g.ref.mult(new(big.Int).Sub(g.ref.q, z1), g.ref.base()))
		public = g.ref.mult(g.inverse(z2), public)
		g.add("x = q + r", public, e, s, r, true)
		if x.BitLen() <= 8*g.ref.size {
			g.add("x = q + r, with x for r", public, e, s, x, false)
		}
		g.add("x = q + r, with r + 1", public, e, s, new(big.Int).Add(r, big.NewInt(1)), false)
		return
	}
}

// recodings has scalars that are likely to go wrong when cut into digits.
func (g *edges) recodings() {
	bits := g.ref.q.BitLen()
	one := big.NewInt(1)
	power := func(n int) *big.Int { return new(big.Int).Lsh(one, uint(n)) }
	pattern := func(word int64) *big.Int {
		x := new(big.Int)
		for range bits / 16 {
			x.Lsh(x, 16).Or(x, big.NewInt(word))
		}
		return x
	}
	values := []struct {
		name string
		x    *big.Int
	}{
		{"1", one}, {"2", big.NewInt(2)}, {"16", big.NewInt(16)}, {"31", big.NewInt(31)}, {"32", big.NewInt(32)},
		{"q-1", big.NewInt(-1)}, {"q-16", big.NewInt(-16)}, {"(q-1)/2", new(big.Int).Rsh(g.ref.q, 1)},
		{"2^64", power(64)}, {"2^64-1", new(big.Int).Sub(power(64), one)}, {"2^192-2^64", new(big.Int).Sub(power(192), power(64))},
		{"2^n", power(bits - 1)}, {"2^(n-1)", power(bits - 2)}, {"ones", new(big.Int).Sub(power(bits-1), one)},
		{"5555", pattern(0x5555)}, {"aaaa", pattern(0xaaaa)}, {"8421", pattern(0x8421)}, {"ffff0000", pattern(0xff00)},
	}
	other := g.random()
	for _, v := range values {
		g.scalars("z1 = "+v.name, v.x, other, g.random())
		g.scalars("z2 = "+v.name, other, v.x, g.random())
		g.scalars("both "+v.name, v.x, v.x, g.random())
	}
	g.scalars("z1 = 0", new(big.Int), other, g.random())
}

// makeEdges returns the vectors of a curve.
func makeEdges(ref *reference) []edge {
	var all []edge
	for i, part := range []func(*edges){(*edges).digests, (*edges).ranges, (*edges).special, (*edges).wrapped, (*edges).recodings} {
		g := &edges{ref: ref, rand: mathrand.New(mathrand.NewPCG(21, uint64(i)))}
		part(g)
		all = append(all, g.out...)
	}
	return all
}

// renderEdges returns the file of a curve.
func renderEdges(c *Curve, ref *reference) string {
	var out strings.Builder
	out.WriteString(edgeHead)
	for _, v := range makeEdges(ref) {
		valid := "no"
		if v.valid {
			valid = "yes"
		}
		fmt.Fprintf(&out, "\nname: %s, %s\ncurve: %s\npublic: %x\ndigest: %x\nsignature: %x%x\nvalid: %s\n", c.name, v.name, c.name,
			ref.encode(v.public), littleEndian(v.e, ref.size), v.s.FillBytes(make([]byte, ref.size)), v.r.FillBytes(make([]byte, ref.size)), valid)
	}
	return out.String()
}

// TestEdgeFiles: the committed vectors are those that are made here.
func TestEdgeFiles(t *testing.T) {
	if testing.Short() && !*update {
		t.Skip("takes seconds")
	}
	refs, made := references(t), map[string]bool{}
	for _, c := range allCurves {
		file, want := edgeFile(c), renderEdges(c, refs[c.name])
		made[filepath.Base(file)] = true
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil || string(got) != want {
			t.Errorf("%s is not what is made here (%v); run go test -run EdgeFiles -update", file, err)
		}
	}
	entries, err := os.ReadDir(edgeDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !made[entry.Name()] {
			t.Errorf("%s is of no curve", filepath.Join(edgeDir, entry.Name()))
		}
	}
}

// TestEdgeVectors: all our ways to verify give the right answer.
func TestEdgeVectors(t *testing.T) { onEveryPath(t, testEdgeVectors) }

func testEdgeVectors(t *testing.T) {
	var batch []Signed
	var want []bool
	for _, v := range loadEdges(t) {
		c := curveByName(t, v.String(t, "curve"))
		public, err := NewPublicKey(c, v.Hex(t, "public"))
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		digest, sig, valid := v.Hex(t, "digest"), v.Hex(t, "signature"), v.String(t, "valid") == "yes"
		if public.Verify(digest, sig) != valid {
			t.Errorf("%s: want %v", v.Name, valid)
		}
		n, ok := public.parse(digest, sig)
		if ok {
			z1, z2 := n.scalars(c.order, c.order.InverseVartime(n.e))
			if tableOf(c, public.raw).VerifyX(n.r, z1, z2) != valid {
				t.Errorf("%s, with a table: want %v", v.Name, valid)
			}
		} else if valid {
			t.Errorf("%s: the numbers are refused", v.Name)
		}
		batch, want = append(batch, Signed{public, digest, sig}), append(want, valid)
	}
	if got := VerifyMany(nil, batch); !slices.Equal(got, want) {
		t.Error("VerifyMany says something else")
	}
}

func curveByName(t *testing.T, name string) *Curve {
	t.Helper()
	for _, c := range allCurves {
		if c.name == name {
			return c
		}
	}
	t.Fatalf("no curve %q", name)
	return nil
}

// TestEdgeVectorsGogost: gogost gives the same answers.
func TestEdgeVectorsGogost(t *testing.T) {
	if testing.Short() {
		t.Skip("gogost takes seconds")
	}
	for _, v := range loadEdges(t) {
		c := curveByName(t, v.String(t, "curve"))
		public, err := NewPublicKey(c, v.Hex(t, "public"))
		if err != nil {
			t.Fatal(err)
		}
		digest := bytes.Clone(v.Hex(t, "digest"))
		slices.Reverse(digest) // gogost reads digests as big-endian numbers
		got, err := gogostPublic(t, public).VerifyDigest(digest, v.Hex(t, "signature"))
		valid := v.String(t, "valid") == "yes"
		if strings.HasSuffix(v.Name, ", z1*G = z2*Q") {
			valid = false // gogost v1.0.0 does not double when both points are equal
		}
		if got != valid || err != nil {
			t.Errorf("%s: gogost says %v, %v", v.Name, got, err)
		}
	}
}
