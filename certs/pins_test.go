package certs

import (
	"bytes"
	"strings"
	"testing"

	"propusk/pki/reason"
)

// FuzzPins sees that a pins file gives as many pins as it has lines with text, or
// an error with its code and no pins.
func FuzzPins(f *testing.F) {
	pin := strings.Repeat("0f", 32)
	for _, seed := range []string{"", "# only a comment\n", pin, pin + "  # name\r\n\n" + strings.ToUpper(pin) + "\n", pin + pin, "xyz", "\xff\xfe"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pins, err := parsePins("pins.txt", data)
		if err != nil {
			if len(pins) != 0 || reason.Of(err) != reason.TrustPinsMalformed {
				t.Fatalf("%q: %v pins with %v", data, pins, err)
			}
			return
		}
		want := 0
		for _, line := range bytes.Split(data, []byte("\n")) {
			text, _, _ := bytes.Cut(line, []byte("#"))
			if len(bytes.TrimSpace(text)) > 0 {
				want++
			}
		}
		if len(pins) != want {
			t.Fatalf("%q: %d pins, want %d", data, len(pins), want)
		}
	})
}
