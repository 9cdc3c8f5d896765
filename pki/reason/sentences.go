package reason

import "strings"

// What returns the part of both sentences that says what happened, each as a
// sentence of its own.
func (e Entry) What() (ru, en string) {
	ru, _, _ = strings.Cut(e.RU, ". ")
	en, _, _ = strings.Cut(e.EN, "; ")
	return sentence(ru), sentence(en)
}

// Remedy returns the part that says what to do next, each as a sentence of its own.
func (e Entry) Remedy() (ru, en string) {
	_, ru, _ = strings.Cut(e.RU, ". ")
	_, en, _ = strings.Cut(e.EN, "; ")
	return sentence(ru), sentence(en)
}

// sentence begins a text with a capital Latin letter, if it begins with a letter of
// that alphabet, and ends it with a period.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	if s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	return strings.TrimSuffix(s, ".") + "."
}
