package cryptotest

import (
	"bytes"
	"crypto/cipher"
	"testing"
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
	for count := range 20 {
		src, want := Bytes(count*n), make([]byte, count*n)
		for i := 0; i < len(src); i += n {
			b.Encrypt(want[i:], src[i:])
		}
		got := make([]byte, len(src))
		if many.EncryptBlocks(got, src); !bytes.Equal(got, want) {
			t.Errorf("%d blocks differ", count)
		}
		if many.EncryptBlocks(src, src); !bytes.Equal(src, want) {
			t.Errorf("%d blocks in place differ", count)
		}
	}
}
