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
	"один": 1, "два": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "семь": 7, "восемь": 8, "девять": 9,
	"двадцать": 20, "тридцать": 30, "сорок": 40, "пятьдесят": 50, "шестьдесят": 60, "семьдесят": 70, "восемьдесят": 80, "девяносто": 90,
	"двести": 200, "триста": 300, "четыреста": 400, "пятьсот": 500, "шестьсот": 600, "семьсот": 700, "восемьсот": 800, "девятьсот": 900,
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}

// Answer returns the answer to the question in words that a text holds, and "" if it holds none.
func Answer(text string) string {
	sum := 0
	for _, word := range strings.FieldsFunc(question.FindString(text), func(c rune) bool { return strings.ContainsRune(" .?:-", c) }) {
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
		fields.Set("captcha", Answer(page))
	}
}
