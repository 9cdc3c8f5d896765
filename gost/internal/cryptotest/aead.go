package cryptotest

import (
	"bytes"
	"crypto/cipher"
	"testing"
)

// aeadSizes are around blocks, batches and pieces of the modes of this project.
var aeadSizes = []int{0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 4103}

// AEAD checks what cipher.AEAD promises. The nonce must be one that the mode takes. The
// mode may want at least a byte of text or data. The name is how the panics of the
// package begin: the texts are those of crypto/cipher.
func AEAD(t *testing.T, name string, nonce []byte, a cipher.AEAD) {
	t.Run("Sizes", func(t *testing.T) { aeadSizesOf(t, nonce, a) })
	t.Run("RoundTrip", func(t *testing.T) { aeadRoundTrip(t, nonce, a) })
	t.Run("Buffers", func(t *testing.T) { aeadBuffers(t, nonce, a) })
	t.Run("Refused", func(t *testing.T) { aeadRefused(t, nonce, a) })
	t.Run("NonceSize", func(t *testing.T) { aeadNonces(t, name, nonce, a) })
	t.Run("Overlap", func(t *testing.T) { aeadOverlap(t, name, nonce, a) })
	t.Run("Allocations", func(t *testing.T) {
		buf := make([]byte, 1000, 1000+a.Overhead())
		if n := testing.AllocsPerRun(100, func() {
			sealed := a.Seal(buf[:0], nonce, buf, nonce)
			if _, err := a.Open(sealed[:0], nonce, sealed, nonce); err != nil {
				t.Fatal(err)
			}
		}); n >= 1 {
			t.Errorf("Seal and Open in place: %v allocations", n)
		}
	})
}

func aeadSizesOf(t *testing.T, nonce []byte, a cipher.AEAD) {
	if a.NonceSize() != len(nonce) || a.Overhead() <= 0 {
		t.Errorf("NonceSize() = %d, Overhead() = %d", a.NonceSize(), a.Overhead())
	}
	if got := a.Seal(nil, nonce, make([]byte, 10), nil); len(got) != 10+a.Overhead() {
		t.Errorf("10 bytes become %d", len(got))
	}
}

// aeadRoundTrip also checks that empty is nil, and that arguments are left alone.
func aeadRoundTrip(t *testing.T, nonce []byte, a cipher.AEAD) {
	for _, size := range aeadSizes {
		for i, dataSize := range []int{0, 1, 16, 300} {
			if size+dataSize == 0 {
				continue
			}
			plain, data, n := Weird(size, i), Weird(dataSize, i), bytes.Clone(nonce)
			sealed := a.Seal(nil, n, plain, data)
			before := bytes.Clone(sealed)
			back, err := a.Open(nil, n, sealed, data)
			if err != nil || !bytes.Equal(back, plain) {
				t.Errorf("%d bytes and %d of data: %x, %v", size, dataSize, back, err)
			}
			if !bytes.Equal(plain, Weird(size, i)) || !bytes.Equal(data, Weird(dataSize, i)) || !bytes.Equal(n, nonce) || !bytes.Equal(sealed, before) {
				t.Errorf("%d bytes and %d of data: an argument was changed", size, dataSize)
			}
			if dataSize == 0 && !bytes.Equal(a.Seal(nil, nonce, plain, []byte{}), sealed) {
				t.Errorf("%d bytes: no data and nil differ", size)
			}
			if again := a.Seal(nil, nonce, plain, data); !bytes.Equal(again, sealed) {
				t.Errorf("%d bytes and %d of data: another result for the second time", size, dataSize)
			}
		}
	}
}

// aeadBuffers seals and opens in place, behind a prefix, and into buffers with and
// without room.
func aeadBuffers(t *testing.T, nonce []byte, a cipher.AEAD) {
	data := Bytes(9)
	for _, size := range aeadSizes {
		plain := Bytes(size)
		want := a.Seal(nil, nonce, plain, data)
		buf := append(make([]byte, 0, size+a.Overhead()+1), plain...)
		if got := a.Seal(buf[:0], nonce, buf, data); !bytes.Equal(got, want) || &got[0] != &buf[:1][0] {
			t.Errorf("%d bytes: in place differs", size)
		}
		got, err := a.Open(buf[:0], nonce, buf[:len(want)], data)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: in place does not open: %v", size, err)
		}
		for _, room := range []int{0, 1, len(want) - 1, len(want), len(want) + 40} {
			prefix := append(make([]byte, 0, 6+room), "prefix"...)
			if got := a.Seal(prefix, nonce, plain, data); !bytes.Equal(got, append([]byte("prefix"), want...)) {
				t.Errorf("%d bytes, room for %d: does not append", size, room)
			}
			prefix = append(make([]byte, 0, 6+room), "prefix"...)
			got, err := a.Open(prefix, nonce, want, data)
			if err != nil || !bytes.Equal(got, append([]byte("prefix"), plain...)) {
				t.Errorf("%d bytes, room for %d: does not append what it opens: %v", size, room, err)
			}
		}
	}
}

// aeadRefused changes every bit of what is authenticated, and cuts it at every length.
// Then nothing is returned, and nothing of the text is left in the buffer.
func aeadRefused(t *testing.T, nonce []byte, a cipher.AEAD) {
	plain, data := Bytes(45), Bytes(21)
	sealed := a.Seal(nil, nonce, plain, data)
	refused := func(what string, n, sealed, data []byte) {
		t.Helper()
		buf := bytes.Repeat([]byte{0x5a}, 100)
		got, err := a.Open(buf[:0], n, sealed, data)
		if err == nil || got != nil {
			t.Errorf("%s: %x, %v", what, got, err)
		}
		if bytes.Contains(buf, plain[:8]) {
			t.Errorf("%s: refused, but the text is in the buffer", what)
		}
	}
	for what, p := range map[string][]byte{"message": sealed, "data": data, "nonce": nonce} {
		for bit := range 8 * len(p) {
			p[bit/8] ^= 1 << (bit % 8)
			refused(what, nonce, sealed, data)
			p[bit/8] ^= 1 << (bit % 8)
		}
	}
	for size := range sealed {
		refused("cut", nonce, sealed[:size], data)
	}
	for size := range data {
		refused("data cut", nonce, sealed, data[:size])
	}
	refused("nothing", nonce, nil, data)
	refused("longer", nonce, append(bytes.Clone(sealed), 0), data)
	refused("data longer", nonce, sealed, append(bytes.Clone(data), 0))
}

func aeadNonces(t *testing.T, name string, nonce []byte, a cipher.AEAD) {
	one := []byte{1}
	for n := range 2*len(nonce) + 1 {
		if n == len(nonce) {
			continue
		}
		mustPanic(t, name+": incorrect nonce length", func() { a.Seal(nil, make([]byte, n), one, one) })
		mustPanic(t, name+": incorrect nonce length", func() { _, _ = a.Open(nil, make([]byte, n), make([]byte, 40), one) })
	}
}

func aeadOverlap(t *testing.T, name string, nonce []byte, a cipher.AEAD) {
	buf := make([]byte, 200)
	input, additional := name+": invalid buffer overlap of output and input", name+": invalid buffer overlap of output and additional data"
	mustPanic(t, input, func() { a.Seal(buf[:1], nonce, buf[:50], nil) })
	mustPanic(t, input, func() { a.Seal(buf[:0], nonce, buf[1:50], nil) })
	mustPanic(t, input, func() { a.Seal(buf[10:10], nonce, buf[:50], nil) })
	mustPanic(t, input, func() { _, _ = a.Open(buf[:1], nonce, buf[:50], nil) })
	mustPanic(t, input, func() { _, _ = a.Open(buf[10:10], nonce, buf[:50], nil) })
	mustPanic(t, additional, func() { a.Seal(buf[:0], nonce, buf[:50], buf[49:60]) })
	mustPanic(t, additional, func() { _, _ = a.Open(buf[:0], nonce, buf[:50], buf[10:11]) })
}
