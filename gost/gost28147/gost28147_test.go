package gost28147

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	oracle "github.com/ddulesov/gogost/gost28147"

	"propusk/gost/internal/corpus"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
	"propusk/gost/magma"
)

// sboxes are ours, those of gogost, and the names that gost-engine takes.
var sboxes = map[string]struct {
	ours   *SBox
	oracle *oracle.Sbox
	engine string
}{
	"Test":            {Test(), &oracle.SboxIdGost2814789TestParamSet, "id-Gost28147-89-TestParamSet"},
	"CryptoProA":      {CryptoProA(), &oracle.SboxIdGost2814789CryptoProAParamSet, "id-Gost28147-89-CryptoPro-A-ParamSet"},
	"CryptoProB":      {CryptoProB(), &oracle.SboxIdGost2814789CryptoProBParamSet, "id-Gost28147-89-CryptoPro-B-ParamSet"},
	"CryptoProC":      {CryptoProC(), &oracle.SboxIdGost2814789CryptoProCParamSet, "id-Gost28147-89-CryptoPro-C-ParamSet"},
	"CryptoProD":      {CryptoProD(), &oracle.SboxIdGost2814789CryptoProDParamSet, "id-Gost28147-89-CryptoPro-D-ParamSet"},
	"TC26Z":           {TC26Z(), &oracle.SboxIdtc26gost28147paramZ, "id-tc26-gost-28147-param-Z"},
	"DigestTest":      {DigestTest(), &oracle.SboxIdGostR341194TestParamSet, ""},
	"DigestCryptoPro": {DigestCryptoPro(), &oracle.SboxIdGostR341194CryptoProParamSet, ""},
}

func TestVectors(t *testing.T) { cryptotest.Paths(t, testVectors) }

func testVectors(t *testing.T) {
	for _, file := range []string{"testdata/rfc5831.txt", "testdata/rfc7836.txt"} {
		for _, v := range vectors.Load(t, file) {
			checkBoth(t, v.Name, sboxes[v.String(t, "sbox")].ours, v.Hex(t, "key"), v.Hex(t, "plain"), v.Hex(t, "cipher"))
		}
	}
}

// checkBoth checks both directions, of any number of blocks.
func checkBoth(t *testing.T, name string, s *SBox, key, plain, sealed []byte) {
	t.Helper()
	if len(plain) == 0 || len(plain) != len(sealed) {
		t.Fatalf("%s: %d bytes become %d", name, len(plain), len(sealed))
	}
	b := newCipher(t, key, s)
	got := make([]byte, BlockSize)
	for i := 0; i < len(plain); i += BlockSize {
		p, c := plain[i:i+BlockSize], sealed[i:i+BlockSize]
		if b.Encrypt(got, p); !bytes.Equal(got, c) {
			t.Errorf("%s: Encrypt(%x) = %x, want %x", name, p, got, c)
		}
		if b.Decrypt(got, c); !bytes.Equal(got, p) {
			t.Errorf("%s: Decrypt(%x) = %x, want %x", name, c, got, p)
		}
	}
}

func TestContract(t *testing.T) { cryptotest.Paths(t, testContract) }

func testContract(t *testing.T) {
	for name, s := range sboxes {
		t.Run(name, func(t *testing.T) {
			cryptotest.Block(t, "gost28147", KeySize, func(key []byte) (cipher.Block, error) { return New(key, s.ours) })
		})
	}
}

func TestSBoxesArePermutations(t *testing.T) {
	for name, s := range sboxes {
		for i := range 8 {
			seen := 0
			for x := range 16 {
				seen |= 1 << s.ours.substitute(i, x)
			}
			if seen != 0xffff {
				t.Errorf("%s: K%d is not a permutation", name, i+1)
			}
		}
	}
}

func TestEncryptFour(t *testing.T) { cryptotest.Paths(t, testEncryptFour) }

// testEncryptFour compares with blocks that are encrypted one by one.
func testEncryptFour(t *testing.T) {
	for name, s := range sboxes {
		for n := range 100 {
			var (
				keys   FourKeys
				blocks [4]uint64
				want   [4]uint64
			)
			for j := range blocks {
				raw, block := cryptotest.Bytes(KeySize + 4*n + j)[4*n+j:], cryptotest.Bytes(BlockSize + n + 7*j)[n+7*j:]
				for i, w := range loadKey(raw) {
					keys[i][j] = w
				}
				blocks[j] = binary.LittleEndian.Uint64(block)
				newCipher(t, raw, s.ours).Encrypt(block, block)
				want[j] = binary.LittleEndian.Uint64(block)
			}
			if s.ours.EncryptFour(&keys, &blocks); blocks != want {
				t.Fatalf("%s, %d: %016x, one by one %016x", name, n, blocks, want)
			}
		}
	}
}

// TestMagma checks that Magma is this cipher with the other order of bytes.
func TestMagma(t *testing.T) { cryptotest.Paths(t, testMagma) }

func testMagma(t *testing.T) {
	key, plain := cryptotest.Bytes(KeySize), cryptotest.Bytes(BlockSize)
	m, err := magma.New(swapWords(key))
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, BlockSize)
	m.Encrypt(want, reverse(plain))
	checkBoth(t, "magma", TC26Z(), key, plain, reverse(want))
}

func TestGogost(t *testing.T) { cryptotest.Paths(t, testGogost) }

func testGogost(t *testing.T) {
	for name, s := range sboxes {
		for i := range 100 {
			key, plain := cryptotest.Bytes(KeySize + i)[i:], cryptotest.Bytes(BlockSize + i)[i:]
			against(t, name, s.ours, s.oracle, key, plain)
		}
	}
}

// TestEngine encrypts zeros in CFB mode: the first block is the encrypted IV.
func TestEngine(t *testing.T) { cryptotest.Paths(t, testEngine) }

func testEngine(t *testing.T) {
	key, iv := cryptotest.Bytes(KeySize), cryptotest.Bytes(BlockSize)
	for name, s := range sboxes {
		if s.engine == "" {
			continue
		}
		t.Setenv("CRYPT_PARAMS", s.engine)
		want := engine.Run(t, make([]byte, BlockSize), "enc", "-gost89", "-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(iv))
		checkBoth(t, name, s.ours, key, iv, want)
	}
}

// TestBotan reads the vectors of Botan.
func TestBotan(t *testing.T) { cryptotest.Paths(t, testBotan) }

func testBotan(t *testing.T) {
	var s *SBox
	v, count := map[string][]byte{}, 0
	for line := range strings.Lines(string(corpus.Read(t, "data/vectors/randombit-gost_28147.vec"))) {
		line = strings.TrimSpace(line)
		switch line {
		case "[GOST-28147-89(R3411_94_TestParam)]":
			s = DigestTest()
		case "[GOST-28147-89(R3411_CryptoPro)]":
			s = DigestCryptoPro()
		}
		name, value, ok := strings.Cut(line, " = ")
		if !ok {
			continue
		}
		b, err := hex.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		if v[name] = b; name == "Out" {
			count++
			checkBoth(t, line, s, v["Key"], v["In"], v["Out"])
		}
	}
	if count < 20 {
		t.Errorf("only %d vectors found", count)
	}
}

func against(t *testing.T, name string, ours *SBox, theirs *oracle.Sbox, key, plain []byte) {
	t.Helper()
	want := make([]byte, BlockSize)
	oracle.NewCipher(key, theirs).Encrypt(want, plain)
	checkBoth(t, name, ours, key, plain, want)
}

func newCipher(t testing.TB, key []byte, s *SBox) cipher.Block {
	t.Helper()
	b, err := New(key, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func reverse(b []byte) []byte {
	out := make([]byte, len(b))
	for i, v := range b {
		out[len(b)-1-i] = v
	}
	return out
}

// swapWords reverses the bytes of each key word.
func swapWords(key []byte) []byte {
	out := make([]byte, 0, len(key))
	for i := 0; i < len(key); i += 4 {
		out = append(out, reverse(key[i:i+4])...)
	}
	return out
}

func BenchmarkEncrypt(b *testing.B) {
	c, buf := newCipher(b, make([]byte, KeySize), CryptoProA()), make([]byte, BlockSize)
	b.SetBytes(BlockSize)
	for b.Loop() {
		c.Encrypt(buf, buf)
	}
}
