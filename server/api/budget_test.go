package api

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"propusk/pki/reason"
)

func TestBudget(t *testing.T) {
	b := newBudget(10)
	first, second, third := b.open(), b.open(), b.open()
	if got, err := io.ReadAll(first.reader(strings.NewReader("1234567"))); err != nil || string(got) != "1234567" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := io.ReadAll(second.reader(strings.NewReader("1234"))); reason.Of(err) != reason.ServerBusy {
		t.Errorf("11 bytes of 10: %v", err)
	}
	second.close()
	if _, err := io.ReadAll(third.reader(strings.NewReader("123"))); err != nil {
		t.Errorf("exactly 10 bytes: %v", err)
	}
	first.close()
	first.close() // once is enough
	third.close()
	if left := b.left.Load(); left != 10 {
		t.Errorf("%d bytes are left of 10", left)
	}
}

// TestHold: whatever the hint and the pieces, what is held is the beginning of what
// was sent, and the rest can still be read.
func TestHold(t *testing.T) {
	text := strings.Repeat("0123456789", 2000)
	for _, length := range []int{0, 1, 99, 100, 101, 4095, 4096, 4097, 20000} {
		for _, limit := range []int64{100, 4096, 19999, 20000, 30000} {
			for _, hint := range []int64{-1, 0, int64(length), int64(length) + 1, 1 << 40} {
				for name, reader := range map[string]io.Reader{
					"whole": strings.NewReader(text[:length]), "halves": iotest.HalfReader(strings.NewReader(text[:length])),
					"eof": iotest.DataErrReader(strings.NewReader(text[:length])),
				} {
					account := newBudget(1 << 20).open()
					data, whole, err := account.hold(reader, limit, hint)
					if err != nil {
						t.Fatal(err)
					}
					if whole != (int64(length) <= limit) || whole && string(data) != text[:length] {
						t.Fatalf("%s, %d bytes, limit %d, hint %d: %d, %v", name, length, limit, hint, len(data), whole)
					}
					if rest, err := io.ReadAll(reader); err != nil || string(data)+string(rest) != text[:length] {
						t.Fatalf("%s, %d bytes, limit %d, hint %d: the rest is lost", name, length, limit, hint)
					}
					if account.taken != int64(len(data)) {
						t.Fatalf("%d bytes are paid for, %d are held", account.taken, len(data))
					}
				}
			}
		}
	}
	if _, _, err := newBudget(1<<20).open().hold(io.MultiReader(bytes.NewReader(make([]byte, 50)), brokenBody{}), 100, -1); err == nil {
		t.Error("a broken body is whole")
	}
	if _, _, err := newBudget(1<<20).open().hold(io.MultiReader(bytes.NewReader(make([]byte, 100)), brokenBody{}), 100, -1); err == nil {
		t.Error("a body that breaks at the limit is whole")
	}
}
