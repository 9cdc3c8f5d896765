// Package captchatest answers the questions of package captcha for tests, as a person does
// who reads them.
package captchatest

import (
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// numbers are the words of the questions.
var numbers = map[string]int{
	"два": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "семь": 7, "восемь": 8, "девять": 9,
	"одиннадцать": 11, "двенадцать": 12, "тринадцать": 13, "четырнадцать": 14, "пятнадцать": 15, "шестнадцать": 16,
	"семнадцать": 17, "восемнадцать": 18, "девятнадцать": 19,
	"двести": 200, "триста": 300, "четыреста": 400, "пятьсот": 500, "шестьсот": 600, "семьсот": 700, "восемьсот": 800, "девятьсот": 900,
	"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
	"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
	"seventeen": 17, "eighteen": 18, "nineteen": 19,
}

// Answer returns the answer to a question in words, and "" if it is none.
func Answer(question string) string {
	sum := 0
	for _, word := range strings.FieldsFunc(question, func(c rune) bool { return strings.ContainsRune(" .?:", c) }) {
		if word == "hundred" {
			sum *= 100
		}
		sum += numbers[word]
	}
	if sum == 0 {
		return ""
	}
	return strconv.Itoa(sum)
}

var (
	idField  = regexp.MustCompile(`name="captcha-id" value="([^"]+)"`)
	question = regexp.MustCompile(`(?:Сколько будет|Напишите цифрами число|How much is|Write in figures)[^<]*`)
)

// Solve puts the answer to the challenge on a page into the fields of its form. It does
// nothing on a page without one.
func Solve(page string, fields url.Values) {
	page = html.UnescapeString(page)
	if id := idField.FindStringSubmatch(page); id != nil {
		fields.Set("captcha-id", id[1])
		fields.Set("captcha", Answer(question.FindString(page)))
	}
}
