package cryptotest

import (
	"bytes"
	"crypto/cipher"
	"testing"
)

// Stream checks what cipher.Stream promises, over messages of up to size bytes.
// Each call of newStream must return the same stream from its beginning. The
// name is how the panics of the package begin.
func Stream(t *testing.T, name string, size int, newStream func() cipher.Stream) {
	t.Run("Chunks", func(t *testing.T) { streamChunks(t, size, newStream) })
	t.Run("InPlace", func(t *testing.T) { streamInPlace(t, size, newStream) })
	t.Run("Bounds", func(t *testing.T) { streamBounds(t, newStream) })
	t.Run("ShortOutput", func(t *testing.T) {
		mustPanic(t, name+": output smaller than input", func() {
			newStream().XORKeyStream(make([]byte, 2), make([]byte, 3))
		})
	})
	t.Run("Overlap", func(t *testing.T) {
		buf := make([]byte, 100)
		mustPanic(t, name+": invalid buffer overlap", func() { newStream().XORKeyStream(buf[1:], buf[:99]) })
		mustPanic(t, name+": invalid buffer overlap", func() { newStream().XORKeyStream(buf, buf[1:]) })
		newStream().XORKeyStream(buf[50:], buf[:50])
		newStream().XORKeyStream(buf[:50], buf[50:])
	})
}

// streamChunks runs over the same message whole and in pieces of many lengths.
func streamChunks(t *testing.T, size int, newStream func() cipher.Stream) {
	msg, want := Bytes(size), make([]byte, size)
	newStream().XORKeyStream(want, msg)
	if size > 0 && bytes.Equal(want, msg) {
		t.Fatal("the stream changes nothing")
	}
	for piece := 1; piece <= size; piece += 1 + piece/20 {
		s, got := newStream(), make([]byte, size)
		for at := 0; at < size; at += piece {
			end := min(at+piece, size)
			s.XORKeyStream(got[at:end], msg[at:end])
			s.XORKeyStream(nil, nil)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("pieces of %d bytes differ from the whole", piece)
		}
	}
}

func streamInPlace(t *testing.T, size int, newStream func() cipher.Stream) {
	buf, want := Bytes(size), make([]byte, size)
	newStream().XORKeyStream(want, buf)
	newStream().XORKeyStream(buf, buf)
	if !bytes.Equal(buf, want) {
		t.Error("in place differs from out of place")
	}
	newStream().XORKeyStream(buf, buf)
	if !bytes.Equal(buf, Bytes(size)) {
		t.Error("twice is not the message")
	}
}

func streamBounds(t *testing.T, newStream func() cipher.Stream) {
	for n := range 100 {
		dst, src := Bytes(n+50), Bytes(n)
		newStream().XORKeyStream(dst[25:], src)
		before := Bytes(n + 50)
		if !bytes.Equal(dst[:25], before[:25]) || !bytes.Equal(dst[25+n:], before[25+n:]) {
			t.Fatalf("%d bytes: wrote outside", n)
		}
		if !bytes.Equal(src, Bytes(n)) {
			t.Fatalf("%d bytes: changed src", n)
		}
	}
}
