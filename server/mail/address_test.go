package mail

import (
	netmail "net/mail"
	"strings"
	"testing"
)

func TestDeliverable(t *testing.T) {
	for s, want := range map[string]bool{
		"a@example.ru": true, "ivan.petrov+tag@mail.example.ru": true, "A-b_c@xn--e1afmkfd.xn--p1ai": true,
		"": false, "a": false, "a@b": false, "a@": false, "@example.ru": false, "a@example.ru ": false, "И <a@example.ru>": false, "a@пример.рф": false,
		"a@-example.ru": false, "a@example..ru": false, "a@[127.0.0.1]": false, "a@example.ru, b@example.ru": false, "a@example.ru\r\nBcc: b@example.ru": false,
		strings.Repeat("a", 65) + "@example.ru": false, "a@" + strings.Repeat("b.", 130) + "ru": false, "\"a b\"@example.ru": false,
	} {
		if got := Deliverable(s); got != want {
			t.Errorf("%q: %t", s, got)
		}
	}
}

func FuzzDeliverable(f *testing.F) {
	f.Add("a@example.ru")
	f.Add("И <a@example.ru>")
	f.Fuzz(func(t *testing.T, s string) {
		if !Deliverable(s) {
			return
		}
		if a, err := netmail.ParseAddress(s); err != nil || a.Address != s || strings.ContainsAny(s, "\r\n <>") {
			t.Fatalf("%q: %v", s, err)
		}
	})
}
