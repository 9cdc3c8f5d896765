// Package cryptotest holds one test suite for each contract of the standard
// library that gost implements: hash.Hash, cipher.Block, cipher.Stream, cipher.AEAD and
// crypto.Signer.
package cryptotest

import (
	"bytes"
	"hash"
	"math/rand/v2"
	"testing"
)

// lengths are message lengths around the block sizes of 8, 16, 32 and 64 bytes.
var lengths = []int{0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000}

// Hash checks what hash.Hash and, where implemented, hash.Cloner promise, and
// that Write and Sum do not allocate.
func Hash(t *testing.T, newHash func() hash.Hash) {
	t.Run("Sizes", func(t *testing.T) { hashSizes(t, newHash()) })
	t.Run("Chunks", func(t *testing.T) { hashChunks(t, newHash) })
	t.Run("Sum", func(t *testing.T) { hashSum(t, newHash) })
	t.Run("Reset", func(t *testing.T) { hashReset(t, newHash) })
	t.Run("Clone", func(t *testing.T) { hashClone(t, newHash) })
	t.Run("Allocations", func(t *testing.T) { hashAllocations(t, newHash()) })
}

func hashSizes(t *testing.T, h hash.Hash) {
	if h.BlockSize() <= 0 {
		t.Errorf("BlockSize() = %d", h.BlockSize())
	}
	if got := len(h.Sum(nil)); got != h.Size() {
		t.Errorf("Sum has %d bytes, Size says %d", got, h.Size())
	}
}

// hashChunks writes the same message whole and in pieces of every length.
func hashChunks(t *testing.T, newHash func() hash.Hash) {
	for _, n := range lengths {
		msg := Bytes(n)
		want := digest(t, newHash(), msg)
		for piece := 1; piece <= n; piece++ {
			h := newHash()
			for rest := msg; len(rest) > 0; {
				k := min(piece, len(rest))
				write(t, h, rest[:k])
				write(t, h, nil)
				rest = rest[k:]
			}
			if got := h.Sum(nil); !bytes.Equal(got, want) {
				t.Fatalf("%d bytes in pieces of %d: %x, want %x", n, piece, got, want)
			}
		}
		if !bytes.Equal(msg, Bytes(n)) {
			t.Fatal("Write changed its argument")
		}
	}
}

// hashSum checks that Sum appends and leaves the state alone.
func hashSum(t *testing.T, newHash func() hash.Hash) {
	for _, n := range lengths {
		h, msg := newHash(), Bytes(2*n+1)
		write(t, h, msg[:n])
		prefix := []byte("prefix")
		got := h.Sum(prefix)
		want := append([]byte("prefix"), digest(t, newHash(), msg[:n])...)
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes: Sum(prefix) = %x, want %x", n, got, want)
		}
		write(t, h, msg[n:])
		if got, want := h.Sum(nil), digest(t, newHash(), msg); !bytes.Equal(got, want) {
			t.Errorf("%d bytes, Sum, %d bytes: %x, want %x", n, n+1, got, want)
		}
	}
}

func hashReset(t *testing.T, newHash func() hash.Hash) {
	h := newHash()
	want := h.Sum(nil)
	for _, n := range lengths {
		write(t, h, Bytes(n))
		h.Reset()
		if got := h.Sum(nil); !bytes.Equal(got, want) {
			t.Errorf("Reset after %d bytes: %x, want %x", n, got, want)
		}
	}
}

func hashClone(t *testing.T, newHash func() hash.Hash) {
	if _, ok := newHash().(hash.Cloner); !ok {
		t.Skip("not a hash.Cloner")
	}
	for _, n := range lengths {
		h, ok := newHash().(hash.Cloner)
		if !ok {
			t.Fatal("only some are a hash.Cloner")
		}
		write(t, h, Bytes(n))
		c, err := h.Clone()
		if err != nil {
			t.Fatal(err)
		}
		write(t, h, []byte("one"))
		write(t, c, []byte("two"))
		if got, want := h.Sum(nil), digest(t, newHash(), Bytes(n), []byte("one")); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the original gives %x, want %x", n, got, want)
		}
		if got, want := c.Sum(nil), digest(t, newHash(), Bytes(n), []byte("two")); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the clone gives %x, want %x", n, got, want)
		}
	}
}

func hashAllocations(t *testing.T, h hash.Hash) {
	msg, sum := Bytes(1000), make([]byte, 0, h.Size())
	allocs := testing.AllocsPerRun(10, func() {
		h.Reset()
		_, _ = h.Write(msg) // a hash never returns an error
		sum = h.Sum(sum[:0])
	})
	if allocs != 0 {
		t.Errorf("Reset, Write and Sum: %v allocations", allocs)
	}
}

func digest(t *testing.T, h hash.Hash, parts ...[]byte) []byte {
	t.Helper()
	for _, p := range parts {
		write(t, h, p)
	}
	return h.Sum(nil)
}

func write(t *testing.T, h hash.Hash, p []byte) {
	t.Helper()
	if n, err := h.Write(p); n != len(p) || err != nil {
		t.Fatalf("Write(%d bytes) = %d, %v", len(p), n, err)
	}
}

// Bytes returns n bytes that look random and are always the same.
func Bytes(n int) []byte {
	random := rand.New(rand.NewPCG(uint64(n), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// Weird returns n bytes that are, for i = 0, 1, 2, ..., all zeros, all ones, and then
// like Bytes, other ones for each i.
func Weird(n, i int) []byte {
	switch i {
	case 0:
		return make([]byte, n)
	case 1:
		return bytes.Repeat([]byte{0xff}, n)
	default:
		return Bytes(n + i)[i:]
	}
}

// mustPanic checks that f panics with exactly the text want.
func mustPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != want {
			t.Errorf("panic %v, want %q", got, want)
		}
	}()
	f()
}
