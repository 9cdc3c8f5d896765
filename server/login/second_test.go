package login

import "testing"

func TestRecognisable(t *testing.T) {
	for address, want := range map[string]string{
		"ivan@people.example": "i***@p***.example", "i@p.ru": "i***@p***.ru", "иван@почта.рф": "и***@п***.рф",
		"a.b@mail.gov.ru": "a***@m***.ru", "root@localhost": "r***@l***", `"a@b"@c.ru`: `"***@c***.ru`, "": "***", "@": "***@***", "nobody": "n***",
	} {
		if got := recognisable(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
