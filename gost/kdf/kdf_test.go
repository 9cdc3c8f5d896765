package kdf

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"strconv"
	"testing"

	oracle "github.com/ddulesov/gogost/gost34112012256"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
)

func TestVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc7836.txt") {
		secret, label, seed, want := v.Hex(t, "secret"), v.Hex(t, "label"), v.Hex(t, "seed"), v.Hex(t, "out")
		var got []byte
		switch v.Name {
		case "PRF":
			got = PRF(secret, string(label), seed, len(want))
		case "KDF":
			key := KDF(secret, label, seed)
			got = key[:]
		case "KDF_TREE":
			got = Tree(secret, label, seed, 1, len(want))
		default:
			t.Fatalf("unknown function %q", v.Name)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s = %x, want %x", v.Name, got, want)
		}
	}
}

func TestHandshakes(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc9189-prf.txt") {
		want := v.Hex(t, "out")
		if got := PRF(v.Hex(t, "secret"), v.String(t, "label"), v.Hex(t, "seed"), len(want)); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.Name, got, want)
		}
	}
}

// TestTreeShape builds the input of the HMAC by hand, for counters and lengths of
// several bytes, which no vector has.
func TestTreeShape(t *testing.T) {
	for _, c := range []struct {
		r, length int
		second    string // the input of the second block
	}{
		{1, 64, "\x02label\x00seed\x02\x00"},
		{2, 64, "\x00\x02label\x00seed\x02\x00"},
		{4, 8191, "\x00\x00\x00\x02label\x00seed\xff\xf8"},
		{3, 8192, "\x00\x00\x02label\x00seed\x01\x00\x00"},
		{1, 33, "\x02label\x00seed\x01\x08"},
	} {
		got := Tree([]byte("key"), []byte("label"), []byte("seed"), c.r, c.length)
		if len(got) != c.length {
			t.Fatalf("r = %d: %d bytes, want %d", c.r, len(got), c.length)
		}
		mac := hmac.New(oracle.New, []byte("key"))
		mac.Write([]byte(c.second))
		n := min(2*Size, c.length)
		if want := mac.Sum(nil); !bytes.Equal(got[Size:n], want[:n-Size]) {
			t.Errorf("r = %d, %d bytes: block 2 = %x, want %x", c.r, c.length, got[Size:n], want)
		}
	}
}

func TestTreeLimits(t *testing.T) {
	Tree(nil, nil, nil, 1, 255*Size) // the largest that a counter of one byte allows
	for _, c := range []struct{ r, length int }{{0, 32}, {5, 32}, {-1, 32}, {1, 0}, {1, -1}, {1, 255*Size + 1}, {2, 65535*Size + 1}} {
		if !panics(func() { Tree(nil, nil, nil, c.r, c.length) }) {
			t.Errorf("Tree with r = %d, length = %d returned", c.r, c.length)
		}
	}
}

// TestAliasing checks that the caller's slices, with room behind them, survive.
func TestAliasing(t *testing.T) {
	buf := cryptotest.Bytes(100)
	Tree(buf[:32], buf[32:40], buf[40:48], 1, 64)
	PRF(buf[:32], "label", buf[40:48], 64)
	if !bytes.Equal(buf, cryptotest.Bytes(100)) {
		t.Error("arguments were changed")
	}
}

func TestPRFLengths(t *testing.T) {
	whole := PRF([]byte("secret"), "label", []byte("seed"), 200)
	for n := range 201 {
		if got := PRF([]byte("secret"), "label", []byte("seed"), n); !bytes.Equal(got, whole[:n]) {
			t.Fatalf("%d bytes are not a prefix of 200", n)
		}
	}
}

func TestGogost(t *testing.T) {
	for i := range 100 {
		key, label, seed := cryptotest.Bytes(i), cryptotest.Bytes(i+1), cryptotest.Bytes(i+2)
		got, want := KDF(key, label, seed), oracle.NewKDF(key).Derive(nil, label, seed)
		if !bytes.Equal(got[:], want) {
			t.Errorf("KDF = %x, gogost says %x", got, want)
		}
	}
}

// TestEngine compares HMAC, of which everything here is made.
func TestEngine(t *testing.T) {
	want := engine.Run(t, []byte("\x01label\x00seed\x01\x00"), "dgst", "-md_gost12_256", "-hmac", "key", "-binary")
	if got := KDF([]byte("key"), []byte("label"), []byte("seed")); !bytes.Equal(got[:], want) {
		t.Errorf("KDF = %x, gost-engine says %x", got, want)
	}
}

func TestTLSTree(t *testing.T) {
	suites := map[string]Masks{"KuznyechikCTROMAC": KuznyechikCTROMAC, "MagmaCTROMAC": MagmaCTROMAC}
	trees := map[string]*TLSTree{} // one for all vectors of a suite, to try the cache
	for _, v := range vectors.Load(t, "testdata/rfc9189-tlstree.txt") {
		suite, root := v.String(t, "suite"), v.Hex(t, "root")
		if trees[suite] == nil {
			trees[suite] = NewTLSTree(suites[suite], root)
		}
		seq, err := strconv.ParseUint(v.String(t, "seqnum"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, tree := range []*TLSTree{trees[suite], NewTLSTree(suites[suite], root)} {
			if got := tree.Key(seq); !bytes.Equal(got[:], v.Hex(t, "key")) {
				t.Errorf("%s: key %x", v.Name, got)
			}
			for i, name := range []string{"level1", "level2"} {
				if got := tree.cache[i].key; !bytes.Equal(got[:], v.Hex(t, name)) {
					t.Errorf("%s: %s %x", v.Name, name, got)
				}
			}
		}
	}
}

// TestTLSTreeOrder asks one tree for record numbers in an order that hits and
// misses the cache at every level, and compares with a fresh tree and gogost.
func TestTLSTreeOrder(t *testing.T) {
	root := sha256.Sum256([]byte("root"))
	for masks, theirs := range map[Masks]oracle.TLSTreeParams{
		KuznyechikCTROMAC: oracle.TLSGOSTR341112256WithKuznyechikCTROMAC,
		MagmaCTROMAC:      oracle.TLSGOSTR341112256WithMagmaCTROMAC,
	} {
		tree := NewTLSTree(masks, root[:])
		for i := range 130 { // gogost is slow
			seq := uint64(1) << (i * 37 % 64)
			seq += uint64(i % 3)
			if i%5 == 0 {
				seq = -seq
			}
			got := tree.Key(seq)
			if fresh := NewTLSTree(masks, root[:]).Key(seq); got != fresh {
				t.Errorf("masks %d, record %d: %x, a fresh tree says %x", masks, seq, got, fresh)
			}
			if want := oracleTree(theirs, root[:], seq); !bytes.Equal(got[:], want) {
				t.Errorf("masks %d, record %d: %x, gogost says %x", masks, seq, got, want)
			}
		}
	}
}

func TestTLSTreeMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		"no masks":      func() { NewTLSTree(0, make([]byte, Size)) },
		"unknown masks": func() { NewTLSTree(MagmaMGMS+1, make([]byte, Size)) },
		"short key":     func() { NewTLSTree(MagmaCTROMAC, make([]byte, Size-1)) },
		"long key":      func() { NewTLSTree(MagmaCTROMAC, make([]byte, Size+1)) },
	} {
		if !panics(f) {
			t.Errorf("%s: returned", name)
		}
	}
	root := cryptotest.Bytes(Size)
	tree := NewTLSTree(MagmaCTROMAC, root)
	want := NewTLSTree(MagmaCTROMAC, root).Key(1)
	clear(root)
	if tree.Key(1) != want {
		t.Error("the tree changed with the caller's key slice")
	}
}

func TestTLSTreeAllocations(t *testing.T) {
	tree := NewTLSTree(KuznyechikCTROMAC, make([]byte, Size))
	tree.Key(0)
	if n := testing.AllocsPerRun(10, func() { tree.Key(1); tree.Key(63) }); n != 0 {
		t.Errorf("Key from the cache: %v allocations", n)
	}
}

// FuzzGogost compares the derivation of a key, and the trees of all suites: one that
// remembers levels, asked in the order that the fuzzer likes, with gogost.
func FuzzGogost(f *testing.F) {
	f.Add(byte(0), []byte("key"), []byte("label"), []byte("seed"), uint64(0), uint64(0xFFFFFFFFFFFFFFFF), uint64(64))
	f.Add(byte(5), []byte(nil), []byte(nil), []byte(nil), uint64(1), uint64(0), uint64(1<<40))
	suites := []struct {
		masks  Masks
		theirs oracle.TLSTreeParams
	}{
		{KuznyechikCTROMAC, oracle.TLSGOSTR341112256WithKuznyechikCTROMAC},
		{MagmaCTROMAC, oracle.TLSGOSTR341112256WithMagmaCTROMAC},
		{KuznyechikMGML, oracle.TLSGOSTR341112256WithKuznyechikMGML},
		{MagmaMGML, oracle.TLSGOSTR341112256WithMagmaMGML},
		{KuznyechikMGMS, oracle.TLSGOSTR341112256WithKuznyechikMGMS},
		{MagmaMGMS, oracle.TLSGOSTR341112256WithMagmaMGMS},
	}
	f.Fuzz(func(t *testing.T, suite byte, key, label, seed []byte, a, b, c uint64) {
		if got, want := KDF(key, label, seed), oracle.NewKDF(key).Derive(nil, label, seed); !bytes.Equal(got[:], want) {
			t.Errorf("KDF(%x, %x, %x) = %x, gogost says %x", key, label, seed, got, want)
		}
		s, root := suites[int(suite)%len(suites)], append(bytes.Clone(key), make([]byte, Size)...)[:Size]
		tree := NewTLSTree(s.masks, root)
		for _, seq := range []uint64{a, b, a ^ 1<<(c%64), b + 1} {
			got := tree.Key(seq)
			if want := oracleTree(s.theirs, root, seq); !bytes.Equal(got[:], want) {
				t.Errorf("masks %d, record %d: %x, gogost says %x", s.masks, seq, got, want)
			}
		}
	})
}

// oracleTree returns a key of gogost. A new tree of v1.0.0 takes the records that have
// the same key as number 0 for known, and gives them a key of zeros; so it is asked for
// number 0 first. All other records are asked of a new tree.
func oracleTree(params oracle.TLSTreeParams, root []byte, seq uint64) []byte {
	tree := oracle.NewTLSTree(params, root)
	if seq&params[0]|seq&params[1]|seq&params[2] == 0 {
		tree.Derive(0)
	}
	return tree.Derive(seq)
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

func BenchmarkKDF(b *testing.B) {
	key := make([]byte, Size)
	for b.Loop() {
		KDF(key, []byte("level1"), key[:8])
	}
}

func BenchmarkGogostKDF(b *testing.B) {
	key := make([]byte, Size)
	for b.Loop() {
		oracle.NewKDF(key).Derive(nil, []byte("level1"), key[:8])
	}
}

// BenchmarkKeyBlock makes the key material of a TLS connection, 144 bytes.
func BenchmarkKeyBlock(b *testing.B) {
	secret, seed := make([]byte, 48), make([]byte, 64)
	for b.Loop() {
		PRF(secret, "key expansion", seed, 144)
	}
}

// KDF is Tree of one block, and needs no memory: TLSTREE calls it for every level.
func TestKDFIsTree(t *testing.T) {
	for n := range 100 {
		key, label, seed := make([]byte, n), []byte("label")[:n%6], make([]byte, n/2)
		for i := range key {
			key[i] = byte(i * n)
		}
		if got, want := KDF(key, label, seed), Tree(key, label, seed, 1, Size); !bytes.Equal(got[:], want) {
			t.Errorf("KDF of %d bytes of key: %x, want %x", n, got, want)
		}
	}
	key, seed := make([]byte, Size), make([]byte, 8)
	if n := testing.AllocsPerRun(100, func() { KDF(key, []byte("level1"), seed) }); n != 0 {
		t.Errorf("KDF allocates %v times", n)
	}
}

func TestTLSTreeWipe(t *testing.T) {
	tree := NewTLSTree(KuznyechikCTROMAC, bytes.Repeat([]byte{1}, Size))
	tree.Key(70)
	if tree.Wipe(); *tree != (TLSTree{}) {
		t.Error("keys are left")
	}
}
