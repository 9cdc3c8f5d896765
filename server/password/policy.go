package password

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Weakness is one thing that is wrong with a new password, with a sentence for the person.
type Weakness struct {
	// Name is for tests and for programs: "short", "common".
	Name string
	// RU and EN say what to do.
	RU, EN string
}

// About is what is known about the person whose password it will be: nothing of it may be
// in the password. All may be empty.
type About struct {
	// Login is the ИНН.
	Login string
	// Words are the words of the name, the local part of the e-mail address and the like.
	// Those of fewer than four letters are left out.
	Words []string
}

// Policy is what a new password must be. The zero value is the default.
type Policy struct {
	// MinLength is how many characters there must be at least; 0 is 8 (FL-03, GU-11).
	MinLength int
}

const (
	defaultLength = 8
	// maxCharacters is the length at which the fields of pages end.
	maxCharacters = 128
	// leastGuesses is how many parts there must be that have to be guessed one by one. A
	// word, a row of keys, a year, a repetition is one part, whatever its length.
	leastGuesses = 6
	// leastWord is the shortest word of a person that is looked for.
	leastWord = 4
)

// Length returns how many characters there must be at least.
func (p Policy) Length() int {
	if p.MinLength == 0 {
		return defaultLength
	}
	return p.MinLength
}

// Check returns what is wrong with a new password; nothing if it is good: at least 8
// characters, letters of both cases, digits and other signs (FL-03, GU-11), nothing about
// the person, and not so much made of words and rows of keys that it is soon guessed
// (PW-06).
func (p Policy) Check(password string, about About) []Weakness {
	text := norm.NFC.String(password)
	var found []Weakness
	add := func(wrong bool, name, ru, en string) {
		if wrong {
			found = append(found, Weakness{name, ru, en})
		}
	}
	n, least := utf8.RuneCountInString(text), p.Length()
	add(n < least, "short", fmt.Sprintf("Возьмите не меньше %d знаков.", least), fmt.Sprintf("Use at least %d characters.", least))
	add(n > maxCharacters || len(password) > MaxLength, "long", fmt.Sprintf("Возьмите не больше %d знаков.", maxCharacters), fmt.Sprintf("Use at most %d characters.", maxCharacters))
	lower, upper, digit, special := classes(text)
	add(!lower || !upper, "case", "Добавьте и строчные, и прописные буквы.", "Add both small and capital letters.")
	add(!digit, "digit", "Добавьте цифру.", "Add a digit.")
	add(!special, "special", "Добавьте знак, который не буква и не цифра, например «!» или «-».", "Add a sign that is neither a letter nor a digit, such as ! or -.")
	add(about.in(text), "personal", "Уберите из пароля ИНН, имя и адрес почты: их узнать проще всего.", "Leave out the INN, the name and the e-mail address: they are the first to be tried.")
	if n >= least && n <= maxCharacters {
		add(guesses(text) < leastGuesses, "common", "Такой пароль подберут быстро: он сложен из известных слов, дат или клавиш подряд. Добавьте несколько своих знаков или слов.", "Such a password is guessed soon: it is made of known words, dates or rows of keys; add some signs or words of your own.")
	}
	return found
}

// classes reports which sorts of characters a text has.
func classes(text string) (lower, upper, digit, special bool) {
	for _, c := range text {
		switch {
		case unicode.IsLower(c):
			lower = true
		case unicode.IsUpper(c):
			upper = true
		case unicode.IsDigit(c):
			digit = true
		case !unicode.IsLetter(c):
			special = true
		}
	}
	return lower, upper, digit, special
}

// in reports whether a text has something about the person in it.
func (a About) in(text string) bool {
	text = strings.ToLower(text)
	if a.Login != "" && strings.Contains(text, a.Login) {
		return true
	}
	for _, word := range a.Words {
		word = strings.ToLower(norm.NFC.String(word))
		if utf8.RuneCountInString(word) >= leastWord && strings.Contains(text, word) {
			return true
		}
	}
	return false
}
