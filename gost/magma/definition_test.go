package magma

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/vectors"
)

// transformT is t of RFC 8891, Section 4.2.
func transformT(a uint32) (b uint32) {
	for i, s := range substitutions {
		b |= uint32(s[a>>(4*i)&15]) << (4 * i)
	}
	return b
}

// transformG is g[k] of RFC 8891, Section 4.2.
func transformG(k, a uint32) uint32 { return bits.RotateLeft32(transformT(a+k), 11) }

// roundKeys is RFC 8891, Section 4.3.
func roundKeys(key []byte) (keys []uint32) {
	for i := range rounds {
		word := i % 8
		if i >= 24 {
			word = 7 - word
		}
		keys = append(keys, binary.BigEndian.Uint32(key[4*word:]))
	}
	return keys
}

// define is RFC 8891, Section 5: the halves of the block after each round. The last
// round does not swap.
func define(keys []uint32, block []byte) (all []byte) {
	l, r := binary.BigEndian.Uint32(block), binary.BigEndian.Uint32(block[4:])
	put := func(l, r uint32) {
		all = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(all, l), r)
	}
	for _, k := range keys[:rounds-1] {
		l, r = r, transformG(k, r)^l
		put(l, r)
	}
	put(transformG(keys[rounds-1], r)^l, r)
	return all
}

func reversed(keys []uint32) (out []uint32) {
	for _, k := range keys {
		out = append([]uint32{k}, out...)
	}
	return out
}

// TestSteps follows the examples of RFC 8891 step by step.
func TestSteps(t *testing.T) {
	number := func(v vectors.Vector, key string) uint32 { return binary.BigEndian.Uint32(v.Hex(t, key)) }
	for _, v := range vectors.Load(t, "testdata/rfc8891-steps.txt") {
		switch v.Name {
		case "t":
			if got, want := transformT(number(v, "in")), number(v, "out"); got != want {
				t.Errorf("t(%08x) = %08x, want %08x", number(v, "in"), got, want)
			}
		case "g":
			if got, want := transformG(number(v, "key"), number(v, "in")), number(v, "out"); got != want {
				t.Errorf("g(%08x) = %08x, want %08x", number(v, "in"), got, want)
			}
		case "rounds":
			keys := roundKeys(v.Hex(t, "key"))
			var flat []byte
			for _, k := range keys {
				flat = binary.BigEndian.AppendUint32(flat, k)
			}
			if !bytes.Equal(flat, v.Hex(t, "keys")) {
				t.Errorf("round keys %x", flat)
			}
			encryption, decryption := append(v.Hex(t, "encryption"), v.Hex(t, "cipher")...), append(v.Hex(t, "decryption"), v.Hex(t, "plain")...)
			if got := define(keys, v.Hex(t, "plain")); !bytes.Equal(got, encryption) {
				t.Errorf("encryption %x, want %x", got, encryption)
			}
			if got := define(reversed(keys), v.Hex(t, "cipher")); !bytes.Equal(got, decryption) {
				t.Errorf("decryption %x, want %x", got, decryption)
			}
		default:
			t.Fatalf("unknown step %q", v.Name)
		}
	}
}

// TestDefinition compares with the definition: random blocks and keys, and those of
// zeros and ones.
func TestDefinition(t *testing.T) { cryptotest.Paths(t, testDefinition) }

func testDefinition(t *testing.T) {
	for i := range 50 {
		key, plain := cryptotest.Weird(KeySize, i%5), cryptotest.Weird(BlockSize, i/5)
		all := define(roundKeys(key), plain)
		checkBoth(t, "definition", key, plain, all[len(all)-BlockSize:])
	}
}
