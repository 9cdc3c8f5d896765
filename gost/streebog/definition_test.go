package streebog

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/pi"
	"propusk/gost/internal/vectors"
)

// vector is a vector of 512 bits as the standard prints it: the most significant byte
// first.
type vector [BlockSize]byte

func (a vector) plus(b vector) vector { // the exclusive or
	for i := range a {
		a[i] ^= b[i]
	}
	return a
}

// add adds modulo 2^512.
func (a vector) add(b vector) vector {
	carry := 0
	for i := len(a) - 1; i >= 0; i-- {
		carry += int(a[i]) + int(b[i])
		a[i] = byte(carry)
		carry >>= 8
	}
	return a
}

func (a vector) s() vector {
	for i := range a {
		a[i] = pi.Substitution[a[i]]
	}
	return a
}

func (a vector) p() (b vector) {
	for i := range b {
		b[i] = a[8*(i%8)+i/8]
	}
	return b
}

func (a vector) l() (b vector) {
	for i := 0; i < len(a); i += 8 {
		var sum uint64
		for j, row := range matrix {
			sum ^= -(binary.BigEndian.Uint64(a[i:]) >> (63 - j) & 1) & row
		}
		binary.BigEndian.PutUint64(b[i:], sum)
	}
	return b
}

// definition is RFC 6986, Sections 7 to 9, word for word, and what it does on the way.
type definition struct {
	names  []string
	values []vector
}

func (d *definition) note(name string, v vector) vector {
	d.names, d.values = append(d.names, name), append(d.values, v)
	return v
}

// lps notes what the example of the RFC shows of S, P and L.
func (d *definition) lps(of string, v vector) vector {
	d.note("S"+of, v.s())
	d.note("PS"+of, v.s().p())
	return d.note("LPS"+of, v.s().p().l())
}

// g is g_N(h, m).
func (d *definition) g(n, h, m vector) vector {
	k, state := d.lps("(h+N)", h.plus(n)), m
	for i, c := range iteration {
		step := strconv.Itoa(i + 1)
		d.note("K["+step+"]", k)
		x := d.note("X "+step, state.plus(k))
		d.note("SX "+step, x.s())
		d.note("PSX "+step, x.s().p())
		state = d.note("LPSX "+step, x.s().p().l())
		var constant vector
		for j, word := range c {
			binary.BigEndian.PutUint64(constant[8*j:], word)
		}
		sum := "K[" + step + "]+C[" + step + "]"
		k = d.lps("("+sum+")", d.note(sum, k.plus(constant)))
	}
	d.note("K[13]", k)
	return d.note("h", d.note("X 13", state.plus(k)).plus(h).plus(m))
}

// hash returns the digest in software order.
func (d *definition) hash(size int, msg []byte) []byte {
	var h, n, sigma vector
	if size == Size256 {
		h = vector(bytes.Repeat([]byte{1}, BlockSize))
	}
	length := func(bytes int) (v vector) {
		binary.BigEndian.PutUint64(v[BlockSize-8:], uint64(8*bytes))
		return v
	}
	block := func(b []byte) (v vector) {
		copy(v[:], b)
		slices.Reverse(v[:])
		return d.note("m", v)
	}
	for ; len(msg) >= BlockSize; msg = msg[BlockSize:] {
		m := block(msg[:BlockSize])
		h = d.g(n, h, m)
		n = d.note("N", n.add(length(BlockSize)))
		sigma = d.note("Sigma", sigma.add(m))
	}
	m := block(append(bytes.Clone(msg), 1))
	h = d.g(n, h, m)
	n = d.note("N", n.add(length(len(msg))))
	sigma = d.note("Sigma", sigma.add(m))
	h = d.g(vector{}, h, n)
	h = d.g(vector{}, h, sigma)
	digest := h[:size]
	slices.Reverse(digest)
	return digest
}

// TestSteps follows the examples of RFC 6986 step by step. Everything that they show
// must come, in their order.
func TestSteps(t *testing.T) {
	examples := vectors.Load(t, "testdata/rfc6986.txt")
	traces := map[string]*definition{}
	digests := map[string][]byte{}
	for section, c := range map[string]struct{ example, size int }{
		"10.1.1": {0, Size512}, "10.1.2": {0, Size256}, "10.2.1": {1, Size512}, "10.2.2": {1, Size256},
	} {
		traces[section] = new(definition)
		digests[section] = traces[section].hash(c.size, examples[c.example].Hex(t, "message"))
	}
	for _, v := range vectors.Load(t, "testdata/rfc6986-steps.txt") {
		section, name, _ := strings.Cut(v.Name, " ")
		want := v.Hex(t, "value")
		if name == "H" {
			got := bytes.Clone(digests[section])
			slices.Reverse(got)
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %x, want %x", v.Name, got, want)
			}
			continue
		}
		d := traces[section]
		at := slices.Index(d.names, name)
		if at < 0 || !bytes.Equal(d.values[at][:], want) {
			t.Fatalf("%s: not found, or not %s", v.Name, hex.EncodeToString(want))
		}
		d.names, d.values = d.names[at+1:], d.values[at+1:]
	}
}

// TestDefinition compares with the definition: random messages, and those of zeros and
// ones.
func TestDefinition(t *testing.T) { cryptotest.Paths(t, testDefinition) }

func testDefinition(t *testing.T) {
	for n := 0; n < 400; n += 1 + n/16 {
		for _, msg := range [][]byte{cryptotest.Bytes(n), make([]byte, n), bytes.Repeat([]byte{0xff}, n)} {
			for _, size := range sizes {
				if got, want := size.sum(msg), new(definition).hash(size.new().Size(), msg); !bytes.Equal(got, want) {
					t.Fatalf("Streebog-%s of %x = %x, by the definition %x", size.name, msg, got, want)
				}
			}
		}
	}
}
