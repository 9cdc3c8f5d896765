package mail

import (
	netmail "net/mail"
	"strings"
	"testing"
)

func TestDeliverable(t *testing.T) {
	for _, good := range []string{
		"a@b.ru", "a@example.ru", "ivan.petrov+tag@mail.example.ru", "o'neil@example.com", "A-b_c@xn--e1afmkfd.xn--p1ai", "1@xn--80ak6aa92e.xn--p1ai",
		strings.Repeat("a", 64) + "@b.ru", "a@" + strings.Repeat("b", 63) + ".ru",
	} {
		if !Deliverable(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{
		"", "a", "a@b", "@b.ru", "a@", "a@b.ru ", " a@b.ru", "a b@c.ru", "Name <a@b.ru>", "И <a@example.ru>", "<a@b.ru>", `"a b"@c.ru`, "a@b.ru,c@d.ru", "a@b.ru, c@d.ru", "a@b.ru;c@d.ru",
		"имя@пример.рф", "a@пример.рф", "a@[127.0.0.1]", "a@b..ru", "a@-b.ru", "a@b-.ru", "a@.ru", "a@b.ru.", "a\r\nBcc: x@b.ru", "a@b.ru\r\nBcc: x@b.ru", "a@b.ru\n", "a@b_c.ru", "a@b@c.ru",
		strings.Repeat("a", 65) + "@b.ru", "a@" + strings.Repeat("b", 64) + ".ru", "a@" + strings.Repeat("b.", 130) + "ru",
	} {
		if Deliverable(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzDeliverable(f *testing.F) {
	f.Add("a@example.ru")
	f.Add("a@b")
	f.Add("И <a@example.ru>")
	f.Add("a\r\n@b.ru")
	f.Fuzz(func(t *testing.T, s string) {
		if !Deliverable(s) {
			return
		}
		if a, err := netmail.ParseAddress(s); err != nil || a.Address != s || len(s) > maxAddress || strings.ContainsAny(s, "\r\n <>,;") || strings.Count(s, "@") != 1 {
			t.Fatalf("%q: %v", s, err)
		}
	})
}
