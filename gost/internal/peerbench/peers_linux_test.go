package main

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"hash"
	"slices"
	"strings"
	"testing"

	gogostcipher "github.com/ddulesov/gogost/gost28147"
	gogost "github.com/ddulesov/gogost/gost3410"
	gogost256 "github.com/ddulesov/gogost/gost34112012256"
	gogost512 "github.com/ddulesov/gogost/gost34112012512"
	gogost94 "github.com/ddulesov/gogost/gost341194"
	gogostkuznyechik "github.com/ddulesov/gogost/gost3412128"
	gogostmagma "github.com/ddulesov/gogost/gost341264"
	gogostmgm "github.com/ddulesov/gogost/mgm"

	"golang.org/x/sys/unix"

	"propusk/gost/gost28147"
	"propusk/gost/gost3410"
	"propusk/gost/gostr341194"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
	"propusk/gost/mgm"
	"propusk/gost/modes"
	"propusk/gost/streebog"
	"propusk/gost/vko"
)

// BenchmarkPeers has a benchmark ours/NAME for every operation, and gogost/NAME for
// those that gogost has.
func BenchmarkPeers(b *testing.B) {
	for who, benchmarks := range map[string]map[string]func(*testing.B){"ours": ours(), "gogost": theirs()} {
		b.Run(who, func(b *testing.B) {
			for _, op := range operations() {
				if f := benchmarks[op.name]; f != nil {
					b.Run(op.name, f)
				}
			}
		})
	}
}

// loop measures f. It calls f once before, for tables that are made at first use,
// and reports processor time, which does not count what else the machine does.
func loop(b *testing.B, f func()) {
	b.Helper()
	f()
	start := processorTime(b)
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(processorTime(b)-start)/float64(b.N), "cpu-ns/op")
}

// processorTime returns the nanoseconds that all threads of the process ran.
func processorTime(b *testing.B) int64 {
	b.Helper()
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return t.Nano()
}

func ours() map[string]func(*testing.B) {
	key := make([]byte, 32)
	m := map[string]func(*testing.B){
		"streebog256-64":          hashing(streebog.New256(), 64),
		"streebog256-1024":        hashing(streebog.New256(), 1024),
		"streebog256-16384":       hashing(streebog.New256(), long),
		"streebog256-4x4096":      hashingMany(4, long/4),
		"streebog512-16384":       hashing(streebog.New512(), long),
		"gostr341194-16384":       hashing(gostr341194.New(), long),
		"kuznyechik-ctr":          streaming(func() (cipher.Stream, error) { return ctr(kuznyechik.New(key)) }),
		"magma-ctr":               streaming(func() (cipher.Stream, error) { return ctr(magma.New(key)) }),
		"kuznyechik-ctr-acpkm":    streaming(func() (cipher.Stream, error) { return modes.NewCTRACPKM(kuznyechik.New, key, key[:8], 4096) }),
		"magma-ctr-acpkm":         streaming(func() (cipher.Stream, error) { return modes.NewCTRACPKM(magma.New, key, key[:4], 1024) }),
		"kuznyechik-omac":         hashing(omac(kuznyechik.New(key)), long),
		"magma-omac":              hashing(omac(magma.New(key)), long),
		"kuznyechik-omac-16x1024": chaining(kuznyechik.New(key)),
		"magma-omac-16x1024":      chaining(magma.New(key)),
		"kuznyechik-mgm":          sealing(mgm.New(must(kuznyechik.New(key)))),
		"magma-mgm":               sealing(mgm.New(must(magma.New(key)))),
		"gost28147-cnt": streaming(func() (cipher.Stream, error) {
			return gost28147.NewCNT(key, key[:8], gost28147.TC26Z(), gost28147.MeshingCryptoPro)
		}),
		"gost28147-imit": hashing(must(gost28147.NewIMIT(key, nil, gost28147.TC26Z(), gost28147.MeshingCryptoPro, gost28147.MACSize)), long),
	}
	m["ecdsa-verify-P-256"] = verifyECDSA
	for _, c := range ourCurves() {
		m["verify-"+c.Name()] = func(b *testing.B) { verify(b, c, nil) }
		m["verify-again-"+c.Name()] = func(b *testing.B) { verify(b, c, gost3410.NewKeyCache(1)) }
		m["verify-8-"+c.Name()] = func(b *testing.B) { verifyEight(b, c) }
		m["sign-"+c.Name()] = func(b *testing.B) { sign(b, c) }
		m["agree-"+c.Name()] = func(b *testing.B) { agree(b, c) }
	}
	return m
}

func theirs() map[string]func(*testing.B) {
	key := make([]byte, 32)
	m := map[string]func(*testing.B){
		"streebog256-64":    hashing(gogost256.New(), 64),
		"streebog256-1024":  hashing(gogost256.New(), 1024),
		"streebog256-16384": hashing(gogost256.New(), long),
		"streebog512-16384": hashing(gogost512.New(), long),
		"gostr341194-16384": hashing(gogost94.New(&gogostcipher.SboxIdGostR341194CryptoProParamSet), long),
		"kuznyechik-ctr":    streaming(func() (cipher.Stream, error) { return ctr(gogostkuznyechik.NewCipher(key), nil) }),
		"magma-ctr":         streaming(func() (cipher.Stream, error) { return ctr(gogostmagma.NewCipher(key), nil) }),
		"kuznyechik-mgm":    sealing(gogostmgm.NewMGM(gogostkuznyechik.NewCipher(key), 16)),
		"magma-mgm":         sealing(gogostmgm.NewMGM(gogostmagma.NewCipher(key), 8)),
		"gost28147-cnt": streaming(func() (cipher.Stream, error) {
			return gogostcipher.NewCipher(key, &gogostcipher.SboxIdtc26gost28147paramZ).NewCTR(key[:8]), nil // without meshing
		}),
	}
	for _, c := range ourCurves() {
		m["verify-"+c.Name()] = func(b *testing.B) { theirVerify(b, c) }
		m["verify-again-"+c.Name()] = func(b *testing.B) { theirVerify(b, c) }
		m["sign-"+c.Name()] = func(b *testing.B) { theirSign(b, c) }
		m["agree-"+c.Name()] = func(b *testing.B) { theirAgree(b, c) }
	}
	return m
}

func ourCurves() []*gost3410.Curve {
	return []*gost3410.Curve{
		gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(), gost3410.TC26256A(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	}
}

// gogostCurve returns the same curve of gogost; they must not be shared.
func gogostCurve(c *gost3410.Curve) *gogost.Curve {
	return map[*gost3410.Curve]func() *gogost.Curve{
		gost3410.CryptoProA(): gogost.CurveIdGostR34102001CryptoProAParamSet,
		gost3410.CryptoProB(): gogost.CurveIdGostR34102001CryptoProBParamSet,
		gost3410.CryptoProC(): gogost.CurveIdGostR34102001CryptoProCParamSet,
		gost3410.TC26256A():   gogost.CurveIdtc26gost34102012256paramSetA,
		gost3410.TC26512A():   gogost.CurveIdtc26gost341012512paramSetA,
		gost3410.TC26512B():   gogost.CurveIdtc26gost341012512paramSetB,
		gost3410.TC26512C():   gogost.CurveIdtc26gost34102012512paramSetC,
	}[c]()
}

func hashing(h hash.Hash, size int) func(*testing.B) {
	return func(b *testing.B) {
		msg, sum := make([]byte, size), make([]byte, 0, h.Size())
		loop(b, func() {
			h.Reset()
			h.Write(msg)
			sum = h.Sum(sum[:0])
		})
	}
}

// hashingMany hashes several messages at once.
func hashingMany(count, size int) func(*testing.B) {
	return func(b *testing.B) {
		messages := make([][]byte, count)
		for i := range messages {
			messages[i] = make([]byte, size)
		}
		loop(b, func() { streebog.Sums256(messages) })
	}
}

// streaming encrypts one TLS record with a new stream.
func streaming(newStream func() (cipher.Stream, error)) func(*testing.B) {
	return func(b *testing.B) {
		msg := make([]byte, long)
		loop(b, func() {
			s, err := newStream()
			if err != nil {
				b.Fatal(err)
			}
			s.XORKeyStream(msg, msg)
		})
	}
}

func ctr(c cipher.Block, err error) (cipher.Stream, error) {
	if err != nil {
		return nil, err
	}
	return modes.NewCTR(c, make([]byte, c.BlockSize()/2)), nil
}

func omac(c cipher.Block, err error) hash.Hash {
	if err != nil {
		panic(err)
	}
	return modes.NewOMAC(c)
}

// chaining computes OMAC of 16 messages of 1024 bytes side by side, as the records of a
// large write of TLS, but for the last block.
func chaining(c cipher.Block, err error) func(*testing.B) {
	many, ok := must(c, err).(interface {
		Chains(states []byte, ps [][]byte)
	})
	if !ok {
		panic("no method Chains")
	}
	return func(b *testing.B) {
		states, messages := make([]byte, 16*c.BlockSize()), make([][]byte, 16)
		for i := range messages {
			messages[i] = make([]byte, long/16)
		}
		loop(b, func() { many.Chains(states, messages) })
	}
}

// sealing seals one TLS record in place.
func sealing(a cipher.AEAD, err error) func(*testing.B) {
	a = must(a, err)
	return func(b *testing.B) {
		msg, nonce, header := make([]byte, long, long+a.Overhead()), make([]byte, a.NonceSize()), make([]byte, 5)
		loop(b, func() { a.Seal(msg[:0], nonce, msg, header) })
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func digestOf(c *gost3410.Curve) []byte { return bytes.Repeat([]byte{0x5a}, c.Size()) }

func newKey(b *testing.B, c *gost3410.Curve) *gost3410.PrivateKey {
	b.Helper()
	key, err := gost3410.GenerateKey(c, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	return key
}

func sign(b *testing.B, c *gost3410.Curve) {
	key, digest := newKey(b, c), digestOf(c)
	loop(b, func() {
		if _, err := key.Sign(rand.Reader, digest, nil); err != nil {
			b.Fatal(err)
		}
	})
}

func verify(b *testing.B, c *gost3410.Curve, cache *gost3410.KeyCache) {
	key, digest := newKey(b, c), digestOf(c)
	sig, err := key.Sign(rand.Reader, digest, nil)
	if err != nil {
		b.Fatal(err)
	}
	public := key.PublicKey()
	for range 5 {
		cache.Verify(public, digest, sig) // until the key has a table
	}
	loop(b, func() {
		if !cache.Verify(public, digest, sig) {
			b.Fatal("valid signature was refused")
		}
	})
}

// verifyECDSA verifies a signature with Go's own P-256.
func verifyECDSA(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := make([]byte, 32)
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest)
	if err != nil {
		b.Fatal(err)
	}
	loop(b, func() {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest, sig) {
			b.Fatal("valid signature was refused")
		}
	})
}

// verifyEight verifies signatures by different keys, eight in every eighth turn.
func verifyEight(b *testing.B, c *gost3410.Curve) {
	batch, digest := make([]gost3410.Signed, 8), digestOf(c)
	for i := range batch {
		key := newKey(b, c)
		sig, err := key.Sign(rand.Reader, digest, nil)
		if err != nil {
			b.Fatal(err)
		}
		batch[i] = gost3410.Signed{Key: key.PublicKey(), Digest: digest, Signature: sig}
	}
	turn := 0
	loop(b, func() {
		if turn++; turn%len(batch) == 1 && slices.Contains(gost3410.VerifyMany(nil, batch), false) {
			b.Fatal("valid signature was refused")
		}
	})
}

func agree(b *testing.B, c *gost3410.Curve) {
	key, peer, ukm := newKey(b, c), newKey(b, c).PublicKey(), []byte{1, 2, 3, 4, 5, 6, 7, 8}
	loop(b, func() {
		if _, err := vko.VKO256(key, peer, ukm); err != nil {
			b.Fatal(err)
		}
	})
}

// theirKey returns the same new key of both.
func theirKey(b *testing.B, c *gost3410.Curve) (*gogost.PrivateKey, *gogost.PublicKey) {
	b.Helper()
	private, err := gogost.NewPrivateKey(gogostCurve(c), gogost.Mode(c.Size()), newKey(b, c).Bytes())
	if err != nil {
		b.Fatal(err)
	}
	public, err := private.PublicKey()
	if err != nil {
		b.Fatal(err)
	}
	return private, public
}

func theirSign(b *testing.B, c *gost3410.Curve) {
	key, _ := theirKey(b, c)
	loop(b, func() {
		if _, err := key.SignDigest(digestOf(c), rand.Reader); err != nil {
			b.Fatal(err)
		}
	})
}

func theirVerify(b *testing.B, c *gost3410.Curve) {
	key, public := theirKey(b, c)
	sig, err := key.SignDigest(digestOf(c), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	loop(b, func() {
		if ok, err := public.VerifyDigest(digestOf(c), sig); !ok || err != nil {
			b.Fatal("valid signature was refused", err)
		}
	})
}

func theirAgree(b *testing.B, c *gost3410.Curve) {
	key, _ := theirKey(b, c)
	_, peer := theirKey(b, c)
	loop(b, func() {
		if _, err := key.KEK2012256(peer, gogost.NewUKM([]byte{1, 2, 3, 4, 5, 6, 7, 8})); err != nil {
			b.Fatal(err)
		}
	})
}

// TestNames checks that every operation has a benchmark of ours, under a name that
// is safe in a regular expression, and that gogost has no other ones.
func TestNames(t *testing.T) {
	var names []string
	for _, op := range operations() {
		names = append(names, op.name)
		if ours()[op.name] == nil {
			t.Errorf("no benchmark for %s", op.name)
		}
		if strings.ContainsAny(op.name, "/.*+?()|[]{}^$\\") {
			t.Errorf("name %q has special characters", op.name)
		}
	}
	for name := range theirs() {
		if !slices.Contains(names, name) {
			t.Errorf("gogost has a benchmark for %s, which is no operation", name)
		}
	}
}

func TestParseBenchmark(t *testing.T) {
	ns, ok, err := parseBenchmark("goos: linux\nBenchmarkPeers/ours/x-2   12  17 ns/op  163.5 cpu-ns/op  100.1 MB/s\nPASS\n")
	if ns != 163.5 || !ok || err != nil {
		t.Errorf("%v, %v, %v", ns, ok, err)
	}
	if ns, ok, err = parseBenchmark("PASS\n"); ok || err != nil {
		t.Errorf("nothing ran, yet %v, %v, %v", ns, ok, err)
	}
	if ns, ok, err = parseBenchmark("Benchmark x cpu-ns/op"); ok || err == nil {
		t.Errorf("no figure, yet %v, %v, %v", ns, ok, err)
	}
}

func TestTable(t *testing.T) {
	rows := []row{
		{op: operation{name: "hash", bytes: 1000}, ours: []float64{1000, 5000, 10000}, engine: []float64{2, 1, 4}},
		{op: operation{name: "sign"}, ours: []float64{1500}, gogost: []float64{7}},
	}
	var out bytes.Buffer
	if err := printTable(&out, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hash       200 MB/s  2.00x (1.00-4.00)", "sign       1.5 µs    -", "7.00x (7.00-7.00)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}
