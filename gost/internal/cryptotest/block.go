package cryptotest

import (
	"bytes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"testing"

	"propusk/gost/internal/avx512"
)

// Block checks what cipher.Block promises. The name is how the panics of the
// package begin: the texts are those of crypto/aes.
func Block(t *testing.T, name string, keySize int, newCipher func(key []byte) (cipher.Block, error)) {
	t.Run("KeySize", func(t *testing.T) { blockKeySize(t, keySize, newCipher) })
	b, err := newCipher(Bytes(keySize))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("RoundTrip", func(t *testing.T) { blockRoundTrip(t, b) })
	t.Run("Overlap", func(t *testing.T) { blockOverlap(t, b) })
	t.Run("Bounds", func(t *testing.T) { blockBounds(t, b) })
	t.Run("ShortBuffers", func(t *testing.T) { blockShort(t, name, b) })
	t.Run("KeyIsCopied", func(t *testing.T) { blockKeyCopied(t, keySize, newCipher) })
	t.Run("Allocations", func(t *testing.T) {
		buf := make([]byte, b.BlockSize())
		if n := testing.AllocsPerRun(10, func() { b.Encrypt(buf, buf); b.Decrypt(buf, buf) }); n != 0 {
			t.Errorf("Encrypt and Decrypt: %v allocations", n)
		}
	})
}

func blockKeySize(t *testing.T, keySize int, newCipher func([]byte) (cipher.Block, error)) {
	for n := range 2*keySize + 1 {
		b, err := newCipher(make([]byte, n))
		if (err == nil) != (n == keySize) || (b != nil) != (n == keySize) {
			t.Errorf("key of %d bytes: %v, %v", n, b, err)
		}
	}
}

func blockRoundTrip(t *testing.T, b cipher.Block) {
	n := b.BlockSize()
	for i := range 100 {
		plain := Bytes(n + i)[i:]
		sealed, back := make([]byte, n), make([]byte, n)
		b.Encrypt(sealed, plain)
		b.Decrypt(back, sealed)
		if !bytes.Equal(back, plain) {
			t.Fatalf("%x becomes %x, becomes %x", plain, sealed, back)
		}
		b.Decrypt(sealed, plain)
		b.Encrypt(back, sealed)
		if !bytes.Equal(back, plain) {
			t.Fatalf("%x decrypts to %x, encrypts to %x", plain, sealed, back)
		}
	}
}

// blockOverlap runs with dst and src at every distance inside one array. The
// contract wants only the distance 0, but nothing may break silently.
func blockOverlap(t *testing.T, b cipher.Block) {
	n := b.BlockSize()
	for name, f := range map[string]func(dst, src []byte){"Encrypt": b.Encrypt, "Decrypt": b.Decrypt} {
		want := make([]byte, n)
		f(want, Bytes(n))
		for at := range 2*n + 1 {
			buf := make([]byte, 3*n)
			copy(buf[n:], Bytes(n))
			f(buf[at:], buf[n:])
			if !bytes.Equal(buf[at:at+n], want) {
				t.Errorf("%s, dst %d bytes after src: %x, want %x", name, at-n, buf[at:at+n], want)
			}
		}
	}
}

// blockBounds checks that only the first block of a longer buffer is touched.
func blockBounds(t *testing.T, b cipher.Block) {
	n := b.BlockSize()
	for name, f := range map[string]func(dst, src []byte){"Encrypt": b.Encrypt, "Decrypt": b.Decrypt} {
		dst, src := Bytes(3*n), Bytes(2*n)
		f(dst[n:], src)
		if !bytes.Equal(src, Bytes(2*n)) {
			t.Errorf("%s changed src", name)
		}
		if before := Bytes(3 * n); !bytes.Equal(dst[:n], before[:n]) || !bytes.Equal(dst[2*n:], before[2*n:]) {
			t.Errorf("%s wrote outside the block", name)
		}
	}
}

func blockShort(t *testing.T, name string, b cipher.Block) {
	n := b.BlockSize()
	for short := range n {
		for _, f := range []func(dst, src []byte){b.Encrypt, b.Decrypt} {
			mustPanic(t, name+": input not full block", func() { f(make([]byte, n), make([]byte, short)) })
			mustPanic(t, name+": output not full block", func() { f(make([]byte, short), make([]byte, n)) })
		}
	}
}

func blockKeyCopied(t *testing.T, keySize int, newCipher func([]byte) (cipher.Block, error)) {
	key := Bytes(keySize)
	b, err := newCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	src := Bytes(b.BlockSize())
	before, after := make([]byte, len(src)), make([]byte, len(src))
	b.Encrypt(before, src)
	clear(key)
	b.Encrypt(after, src)
	if !bytes.Equal(before, after) {
		t.Error("the cipher changed with the caller's key slice")
	}
}

// Blocks checks the method EncryptBlocks, which a cipher.Block may have for
// modes of operation, against Encrypt.
func Blocks(t *testing.T, b cipher.Block) {
	many, ok := b.(interface{ EncryptBlocks(dst, src []byte) })
	if !ok {
		t.Fatal("no method EncryptBlocks")
	}
	n := b.BlockSize()
	for count := range 150 {
		size := count * n
		src, want := Bytes(size), make([]byte, size)
		for i := 0; i < size; i += n {
			b.Encrypt(want[i:], src[i:])
		}
		got, before := Bytes(size+100), Bytes(size+100)
		at := count % 67 // addresses of all kinds
		many.EncryptBlocks(got[at:][:size], src)
		if !bytes.Equal(got[at:][:size], want) {
			t.Errorf("%d blocks differ", count)
		}
		if !bytes.Equal(got[:at], before[:at]) || !bytes.Equal(got[at+size:], before[at+size:]) {
			t.Errorf("%d blocks: wrote outside", count)
		}
		if many.EncryptBlocks(src, src); !bytes.Equal(src, want) {
			t.Errorf("%d blocks in place differ", count)
		}
	}
	buf := make([]byte, 150*n)
	if n := testing.AllocsPerRun(10, func() { many.EncryptBlocks(buf, buf) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Counters checks the method XORCounter, which a cipher.Block may have for CTR,
// against Encrypt. It may do as many blocks as it likes, except that a path in
// assembly has to do most of them.
func Counters(t *testing.T, b cipher.Block) {
	c, ok := b.(interface {
		XORCounter(dst, src []byte, hi, lo uint64) int
	})
	if !ok {
		t.Fatal("no method XORCounter")
	}
	n := b.BlockSize()
	starts := []uint64{0, 1, 0xc0, 0xff, 1<<32 - 33, 1<<32 - 1, 1<<63 - 5, 1<<64 - 70, 1<<64 - 1}
	for i := range 400 {
		size := i%150*n + i%2*(n-1) // a part of a block is left alone
		hi, lo := starts[i%len(starts)], starts[i/3%len(starts)]+uint64(i%7)
		src, at := Bytes(size), i%67
		want := make([]byte, size)
		addCounters(b, want, src, hi, lo)
		got, before := Bytes(size+100), Bytes(size+100)
		done := c.XORCounter(got[at:][:size], src, hi, lo)
		if done%n != 0 || done > size || avx512.Enabled && size-done >= 16*n {
			t.Fatalf("did %d of %d bytes", done, size)
		}
		if !bytes.Equal(got[at:][:done], want[:done]) {
			t.Fatalf("%d bytes from %x %x differ", size, hi, lo)
		}
		if !bytes.Equal(got[:at], before[:at]) || !bytes.Equal(got[at+done:], before[at+done:]) {
			t.Fatalf("%d bytes: wrote outside", size)
		}
		if c.XORCounter(src, src, hi, lo); !bytes.Equal(src[:done], want[:done]) {
			t.Fatalf("%d bytes from %x %x in place differ", size, hi, lo)
		}
	}
	buf := make([]byte, 150*n)
	if n := testing.AllocsPerRun(10, func() { c.XORCounter(buf, buf, 0, 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Chain checks the method Chain, which a cipher.Block may have for OMAC, against
// Encrypt.
func Chain(t *testing.T, b cipher.Block) {
	c, ok := b.(interface{ Chain(state, p []byte) })
	if !ok {
		t.Fatal("no method Chain")
	}
	n := b.BlockSize()
	for size := range 40 * n { // a part of a block is left alone
		p, want, got := Bytes(size + 3)[3:], Bytes(n), Bytes(n+2)
		copy(got[1:], want)
		for rest := p; len(rest) >= n; rest = rest[n:] {
			subtle.XORBytes(want, want, rest[:n])
			b.Encrypt(want, want)
		}
		before := Bytes(n + 2)
		if c.Chain(got[1:n+1], p); !bytes.Equal(got[1:n+1], want) {
			t.Fatalf("%d bytes: %x, want %x", size, got[1:n+1], want)
		}
		if got[0] != before[0] || got[n+1] != before[n+1] || !bytes.Equal(p, Bytes(size + 3)[3:]) {
			t.Fatalf("%d bytes: wrote outside", size)
		}
	}
	state, p := make([]byte, n), make([]byte, 10*n)
	if n := testing.AllocsPerRun(10, func() { c.Chain(state, p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Chains checks the method Chains, which a cipher.Block may have for OMAC of several
// messages, against Chain.
func Chains(t *testing.T, name string, b cipher.Block) {
	c, ok := b.(interface {
		Chain(state, p []byte)
		Chains(states []byte, ps [][]byte)
	})
	if !ok {
		t.Fatal("no methods Chain and Chains")
	}
	n := b.BlockSize()
	for count := range 36 {
		for blocks := range 5 {
			ps, want, got := make([][]byte, count), Bytes(count*n + 5)[:count*n], Bytes(count*n+5)
			for i := range ps {
				ps[i] = Bytes(i + blocks*n)[i:]
				c.Chain(want[i*n:][:n], ps[i])
			}
			if c.Chains(got, ps); !bytes.Equal(got[:count*n], want) {
				t.Fatalf("%d chains of %d blocks: %x, want %x", count, blocks, got[:count*n], want)
			}
			if !bytes.Equal(got[count*n:], Bytes(count*n + 5)[count*n:]) {
				t.Fatalf("%d chains of %d blocks: wrote outside", count, blocks)
			}
		}
	}
	mustPanic(t, name+": chains of different lengths", func() { c.Chains(Bytes(2*n), [][]byte{Bytes(n), Bytes(2 * n)}) })
	mustPanic(t, name+": too few states", func() { c.Chains(Bytes(2*n-1), [][]byte{Bytes(n), Bytes(n)}) })
	states, ps := make([]byte, 7*n), make([][]byte, 7)
	for i := range ps {
		ps[i] = make([]byte, 3*n)
	}
	if n := testing.AllocsPerRun(10, func() { c.Chains(states, ps) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// addCounters is XORCounter, block by block, for the whole blocks of src.
func addCounters(b cipher.Block, dst, src []byte, hi, lo uint64) {
	n := b.BlockSize()
	for ; len(src) >= n; dst, src = dst[n:], src[n:] {
		var counter [16]byte
		binary.BigEndian.PutUint64(counter[:], hi)
		binary.BigEndian.PutUint64(counter[8:], lo)
		block := counter[16-n:]
		b.Encrypt(block, block)
		subtle.XORBytes(dst, src[:n], block)
		if lo++; lo == 0 {
			hi++
		}
	}
}

// FuzzBlocks compares EncryptBlocks, XORCounter, Chain and Chains, on every path that the
// processor has, with Encrypt without assembly. A part of a block at the end of src is
// dropped.
func FuzzBlocks(t *testing.T, b cipher.Block, src []byte, hi, lo uint64) {
	many, ok := b.(interface {
		EncryptBlocks(dst, src []byte)
		XORCounter(dst, src []byte, hi, lo uint64) int
		Chain(state, p []byte)
		Chains(states []byte, ps [][]byte)
	})
	if !ok {
		t.Fatal("no methods EncryptBlocks, XORCounter, Chain and Chains")
	}
	was := avx512.Enabled
	defer func() { avx512.Enabled = was }()
	avx512.Enabled = false
	n := b.BlockSize()
	src = src[:len(src)/n*n]
	blocks, sum, last := make([]byte, len(src)), make([]byte, len(src)), make([]byte, n)
	for i := 0; i < len(src); i += n {
		b.Encrypt(blocks[i:], src[i:])
		subtle.XORBytes(last, last, src[i:][:n])
		b.Encrypt(last, last)
	}
	addCounters(b, sum, src, hi, lo)
	for _, avx512.Enabled = range []bool{false, avx512.Available()} {
		got := make([]byte, len(src))
		if many.EncryptBlocks(got, src); !bytes.Equal(got, blocks) {
			t.Errorf("assembly %v: blocks %x become %x, want %x", avx512.Enabled, src, got, blocks)
		}
		done := many.XORCounter(got, src, hi, lo)
		if !bytes.Equal(got[:done], sum[:done]) {
			t.Errorf("assembly %v: counters from %x %x: %x, want %x", avx512.Enabled, hi, lo, got[:done], sum[:done])
		}
		state := make([]byte, n)
		if many.Chain(state, src); !bytes.Equal(state, last) {
			t.Errorf("assembly %v: the chain of %x ends with %x, want %x", avx512.Enabled, src, state, last)
		}
		states := make([]byte, 3*n)
		many.Chains(states, [][]byte{make([]byte, len(src)), src, src})
		if !bytes.Equal(states[n:2*n], last) || !bytes.Equal(states[2*n:], last) {
			t.Errorf("assembly %v: two chains of %x end with %x, want %x", avx512.Enabled, src, states[n:], last)
		}
	}
}
