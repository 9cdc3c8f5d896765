package api

import (
	"io"
	"strings"
	"testing"

	"propusk/pki/reason"
)

func TestBudget(t *testing.T) {
	b := newBudget(10)
	first := b.charge(strings.NewReader("1234567"))
	if got, err := io.ReadAll(first); err != nil || string(got) != "1234567" {
		t.Fatalf("%q, %v", got, err)
	}
	second := b.charge(strings.NewReader("1234"))
	if _, err := io.ReadAll(second); reason.Of(err) != reason.ServerBusy {
		t.Errorf("11 bytes of 10: %v", err)
	}
	second.giveBack()
	third := b.charge(strings.NewReader("123"))
	if _, err := io.ReadAll(third); err != nil {
		t.Errorf("exactly 10 bytes: %v", err)
	}
	first.giveBack()
	first.giveBack() // once is enough
	third.giveBack()
	if left := b.left.Load(); left != 10 {
		t.Errorf("%d bytes are left of 10", left)
	}
}

// TestBusyInTheMiddle: wherever in a body the memory ends, the answer is that the
// server is busy, not that the request is bad.
func TestBusyInTheMiddle(t *testing.T) {
	for contentType, body := range map[string]string{
		"application/json": `{"signature":"` + strings.Repeat("A", 8192) + `"}` + strings.Repeat(" ", 8192),
		boundary:           part(`name="signature"`, strings.Repeat("A", 8192)) + part(`name="content"`, strings.Repeat("A", 8192)) + "--B--\r\n",
	} {
		for n := range int64(len(body)) {
			if n%61 != 0 {
				continue
			}
			_, err := readFrom(newBudget(n).charge(strings.NewReader(body)), contentType)
			if reason.Of(err) != reason.ServerBusy {
				t.Fatalf("%s, after %d bytes: %v", contentType, n, err)
			}
		}
	}
}
