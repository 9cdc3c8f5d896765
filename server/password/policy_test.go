package password

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestPolicy holds the requirements FL-03, GU-11 and PW-06.
func TestPolicy(t *testing.T) {
	about := About{Login: "500100732259", Words: []string{"Петров-Водкин", "Кузьма", "kuzma.vodkin", "Ли"}}
	for _, c := range []struct{ password, want string }{
		{"Дуб-над-рекой-7", ""},
		{"xV9!kd#2Lw", ""},
		{"Стол%42стул-Гвоздь", ""},
		{"correct-Horse-9-battery", ""},
		{"Ли-дуб-над-рекой-7", ""}, // too short a name to look for

		{"aB3-", "short"},
		{"xV9!kd#", "short"},
		{strings.Repeat("xV9!kd#2Lw", 13), "long"},
		{"дуб-над-рекой-7", "case"},
		{"ДУБ-НАД-РЕКОЙ-7", "case"},
		{"Дуб-над-рекой", "digit"},
		{"ДубНадРекой7тут", "special"},
		{"Дуб-500100732259", "personal"},
		{"Дуб-кузьма-река-9", "personal"},
		{"Xv9!KUZMA.VODKIN", "personal"},

		{"Password1!", "common"},
		{"P@ssw0rd!!", "common"},
		{"Qwerty123!", "common"},
		{"Йцукен12345!", "common"},
		{"Ghbdtn2026!", "common"}, // «привет» with the other layout
		{"Налоговая2026!", "common"},
		{"Aa1!Aa1!Aa1!", "common"},
		{"1qaz!QAZ2wsx", "common"},
		{"Zyxwvut987!", "common"},
		{"Aaaaaaa1!!!!", "common"},
		{"Москва-2020", "common"},
		{"Иванов1987!!", "common"},
	} {
		var got []string
		for _, w := range (Policy{}).Check(c.password, about) {
			got = append(got, w.Name)
			if w.RU == "" || w.EN == "" || strings.Contains(w.RU, c.password) {
				t.Errorf("%q: %+v", c.password, w)
			}
		}
		if c.want == "" && len(got) > 0 || c.want != "" && !slices.Contains(got, c.want) {
			t.Errorf("%q: %v, want %q", c.password, got, c.want)
		}
	}
	if got := (Policy{MinLength: 12}).Check("xV9!kd#2Lw", About{}); len(got) != 1 || got[0].Name != "short" {
		t.Errorf("12 characters: %v", got)
	}
}

// TestComposed: «й» of two characters of Unicode counts as one.
func TestComposed(t *testing.T) {
	if got := (Policy{}).Check("Xv9!й\u0438\u0306й", About{}); len(got) == 0 || got[0].Name != "short" {
		t.Error(got)
	}
}

// TestWords: the list is in the form that is looked up.
func TestWords(t *testing.T) {
	set, longest := words()
	if len(set) < 400 || longest > 20 {
		t.Errorf("%d words, the longest of %d", len(set), longest)
	}
	for word := range set {
		if word != strings.ToLower(word) || strings.ContainsAny(word, " \t") {
			t.Errorf("%q", word)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	for _, s := range []string{"", "Password1!", "ё\u0306", "\xff\xfe", "1qaz!QAZ2wsx", strings.Repeat("a", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, password string) {
		found := Policy{}.Check(password, About{Login: "500100732259"})
		if len(found) == 0 && (utf8.RuneCountInString(password) < 8 || len(password) > MaxLength) {
			t.Fatalf("%q is good", password)
		}
		n, all := guesses(password), utf8.RuneCountInString(strings.ToLower(password))
		if n > all || all > 0 && n == 0 {
			t.Fatalf("%q: %d guesses of %d characters", password, n, all)
		}
	})
}
