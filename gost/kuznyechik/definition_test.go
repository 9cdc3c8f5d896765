package kuznyechik

import (
	"bytes"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/pi"
	"propusk/gost/internal/vectors"
)

// state is a block as the standard prints it, a_15 first.
type state [BlockSize]byte

func (a state) x(k state) state {
	for i := range a {
		a[i] ^= k[i]
	}
	return a
}

func (a state) s() state {
	for i := range a {
		a[i] = pi.Substitution[a[i]]
	}
	return a
}

func (a state) inverseS() state {
	for i := range a {
		a[i] = byte(bytes.IndexByte([]byte(pi.Substitution), a[i]))
	}
	return a
}

// r is R of RFC 7801, Section 4.3.
func (a state) r() state {
	first := combine((*[BlockSize]byte)(&a))
	copy(a[1:], a[:])
	a[0] = first
	return a
}

func (a state) l() state {
	for range BlockSize {
		a = a.r()
	}
	return a
}

// inverseL is found from what R does: the byte that it drops is what makes its first
// byte right.
func (a state) inverseL() state {
	for range BlockSize {
		first := a[0]
		copy(a[:], a[1:])
		for v := range 256 {
			if a[BlockSize-1] = byte(v); combine((*[BlockSize]byte)(&a)) == first {
				break
			}
		}
	}
	return a
}

// roundKeys is RFC 7801, Section 4.4, and the pairs of keys on the way.
func roundKeys(key []byte) (keys [rounds]state, pairs [][2]state) {
	a, b := state(key), state(key[BlockSize:])
	keys[0], keys[1] = a, b
	for i := range 32 {
		a, b = a.x(constant(i+1)).s().l().x(b), a
		pairs = append(pairs, [2]state{a, b})
		if i%8 == 7 {
			keys[i/8*2+2], keys[i/8*2+3] = a, b
		}
	}
	return keys, pairs
}

// constant is C_i = L(Vec(i)).
func constant(i int) state { return state{BlockSize - 1: byte(i)}.l() }

// steps compares values with those of a vector, one after the other.
func steps(t *testing.T, v vectors.Vector, key string, got ...state) {
	t.Helper()
	if want := v.Hex(t, key); len(want) != len(got)*BlockSize {
		t.Fatalf("%s: %d bytes, not %d blocks", key, len(want), len(got))
	} else {
		for i, g := range got {
			if w := want[i*BlockSize:][:BlockSize]; !bytes.Equal(g[:], w) {
				t.Errorf("%s, %s %d: %x, want %x", v.Name, key, i+1, g, w)
			}
		}
	}
}

// TestSteps follows the examples of RFC 7801 step by step.
func TestSteps(t *testing.T) {
	key := vectors.Load(t, "testdata/keyschedule.txt")[0].Hex(t, "key")
	keys, pairs := roundKeys(key)
	for _, v := range vectors.Load(t, "testdata/rfc7801-steps.txt") {
		switch v.Name {
		case "R":
			steps(t, v, "out", state(v.Hex(t, "in")).r())
		case "keys":
			x := keys[0].x(constant(1))
			steps(t, v, "x", x)
			steps(t, v, "sx", x.s())
			steps(t, v, "lsx", x.s().l())
			var constants, flat []state
			for i, p := range pairs[:8] {
				constants, flat = append(constants, constant(i+1)), append(flat, p[:]...)
			}
			steps(t, v, "constants", constants...)
			steps(t, v, "pairs", flat...)
		case "encryption":
			x := state(v.Hex(t, "plain")).x(keys[0])
			steps(t, v, "x", x)
			steps(t, v, "sx", x.s())
			all := define(keys, state(v.Hex(t, "plain")))
			steps(t, v, "states", all[:rounds-1]...)
			steps(t, v, "cipher", all[rounds-1])
		case "decryption":
			x := state(v.Hex(t, "cipher")).x(keys[rounds-1])
			steps(t, v, "x", x)
			steps(t, v, "lx", x.inverseL())
			all := defineInverse(keys, state(v.Hex(t, "cipher")))
			steps(t, v, "states", all[:rounds-1]...)
			steps(t, v, "plain", all[rounds-1])
		default:
			t.Fatalf("unknown step %q", v.Name)
		}
	}
}

// define is RFC 7801, Section 4.5.1: the state after every round.
func define(keys [rounds]state, a state) (all []state) {
	for _, k := range keys[:rounds-1] {
		a = a.x(k).s().l()
		all = append(all, a)
	}
	return append(all, a.x(keys[rounds-1]))
}

// defineInverse is RFC 7801, Section 4.5.2.
func defineInverse(keys [rounds]state, a state) (all []state) {
	for i := rounds - 1; i > 0; i-- {
		a = a.x(keys[i]).inverseL().inverseS()
		all = append(all, a)
	}
	return append(all, a.x(keys[0]))
}

// TestDefinition compares with the definition: random blocks and keys, and those of
// zeros and ones.
func TestDefinition(t *testing.T) { cryptotest.Paths(t, testDefinition) }

func testDefinition(t *testing.T) {
	for i := range 25 {
		key, plain := cryptotest.Weird(KeySize, i%5), cryptotest.Weird(BlockSize, i/5)
		keys, _ := roundKeys(key)
		want := define(keys, state(plain))[rounds-1]
		checkBoth(t, "definition", key, plain, want[:])
	}
}
