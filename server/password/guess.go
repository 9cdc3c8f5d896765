package password

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
)

// common are words that people like to make passwords of, one a line, in small letters: a
// list of our own. Words typed in the layout of the other language are found by it too.
//
//go:embed common.txt
var common string

// words returns the set of common words, and the length of the longest, in characters.
var words = sync.OnceValues(func() (map[string]bool, int) {
	set, longest := make(map[string]bool), 0
	for line := range strings.Lines(common) {
		word := strings.TrimSpace(line)
		if word == "" || strings.HasPrefix(word, "#") {
			continue
		}
		set[word] = true
		longest = max(longest, len([]rune(word)))
	}
	return set, longest
})

// Rows of keys, and the alphabets: whoever runs along one makes one guess.
var rows = []string{
	"`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./",
	"ё1234567890-=", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю.",
	"1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "!qaz", "@wsx", "#edc",
	"!@#$%^&*()", "!\"№;%:?*()",
	"abcdefghijklmnopqrstuvwxyz", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "0123456789",
}

// The layouts of keyboards, key by key.
const (
	latinKeys    = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
	cyrillicKeys = "ёйцукенгшщзхъфывапролджэячсмитьбю"
)

// leastRun is the shortest run along a row, and the shortest part that is a repetition.
const leastRun = 3

// guesses counts the parts of a text that have to be guessed one by one. The longest part
// that is known is taken first, from left to right.
func guesses(text string) int {
	small := []rune(strings.ToLower(text))
	forms := [][]rune{small, translate(small, leet), translate(small, swapped)}
	n := 0
	for at := 0; at < len(small); n++ {
		at += max(1, wordAt(forms, at), runAt(small, at), sameAt(small, at), yearAt(small, at), againAt(small, at))
	}
	return n
}

// wordAt returns the length of the longest common word that begins at a place.
func wordAt(forms [][]rune, at int) int {
	set, longest := words()
	for n := min(longest, len(forms[0])-at); n > leastRun; n-- {
		for _, form := range forms {
			if set[string(form[at:at+n])] {
				return n
			}
		}
	}
	return 0
}

// runAt returns how far a text runs along a row, forwards or backwards.
func runAt(text []rune, at int) int {
	best := 0
	for _, row := range rows {
		keys := []rune(row)
		for _, step := range []int{1, -1} {
			n, key := 0, indexRune(keys, text[at])
			for ; at+n < len(text) && key >= 0 && key < len(keys) && keys[key] == text[at+n]; key += step {
				n++
			}
			best = max(best, n)
		}
	}
	if best < leastRun {
		return 0
	}
	return best
}

// sameAt returns how often a character is repeated.
func sameAt(text []rune, at int) int {
	n := 1
	for at+n < len(text) && text[at+n] == text[at] {
		n++
	}
	return n
}

// yearAt returns the length of a year of the last and of this century.
func yearAt(text []rune, at int) int {
	if at+4 > len(text) {
		return 0
	}
	century := string(text[at : at+2])
	if (century == "19" || century == "20") && unicode.IsDigit(text[at+2]) && unicode.IsDigit(text[at+3]) {
		return 4
	}
	return 0
}

// againAt returns the length of what was there before.
func againAt(text []rune, at int) int {
	for n := min(at, len(text)-at); n >= leastRun; n-- {
		if strings.Contains(string(text[:at]), string(text[at:at+n])) {
			return n
		}
	}
	return 0
}

// translate maps every character of a text.
func translate(text []rune, to func(rune) rune) []rune {
	out := make([]rune, len(text))
	for i, c := range text {
		out[i] = to(c)
	}
	return out
}

// leet returns the letter that a sign is written for.
func leet(c rune) rune {
	switch c {
	case '0':
		return 'o'
	case '1', '!', '|':
		return 'i'
	case '3':
		return 'e'
	case '4', '@':
		return 'a'
	case '5', '$':
		return 's'
	case '7':
		return 't'
	case '8':
		return 'b'
	}
	return c
}

// swapped returns the letter on the same key of the other layout.
func swapped(c rune) rune {
	latin, cyrillic := []rune(latinKeys), []rune(cyrillicKeys)
	if i := indexRune(latin, c); i >= 0 {
		return cyrillic[i]
	}
	if i := indexRune(cyrillic, c); i >= 0 {
		return latin[i]
	}
	return c
}

// indexRune returns the place of a character, and -1 if it is not there.
func indexRune(in []rune, c rune) int {
	for i, x := range in {
		if x == c {
			return i
		}
	}
	return -1
}
