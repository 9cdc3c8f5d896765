package reason

import (
	"testing"
	"unicode"
)

// TestSentences: each entry falls into what happened and what to do, and both are
// sentences that can stand alone.
func TestSentences(t *testing.T) {
	for _, e := range All() {
		whatRU, whatEN := e.What()
		doRU, doEN := e.Remedy()
		for _, text := range []string{whatRU, whatEN, doRU, doEN} {
			first, last := []rune(text)[0], text[len(text)-1]
			if len(text) < 6 || last != '.' || !unicode.IsUpper(first) && !unicode.IsDigit(first) {
				t.Errorf("%s: %q is no sentence of its own", e.Code, text)
			}
		}
	}
	e, _ := Lookup(CertExpired)
	what, _ := e.What()
	_, remedy := e.Remedy()
	if what != "Срок действия сертификата истёк." || remedy != "Obtain a new one from the certification authority." {
		t.Errorf("%q, %q", what, remedy)
	}
	if ru, en := (Entry{}).Remedy(); ru != "" || en != "" {
		t.Errorf("the zero entry: %q, %q", ru, en)
	}
}
