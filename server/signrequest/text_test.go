package signrequest_test

import (
	"strings"
	"testing"

	"propusk/server/signrequest"
)

// TestTextAsItIsSeen refuses what looks otherwise than it is signed, and nothing that people
// write.
func TestTextAsItIsSeen(t *testing.T) {
	for name, s := range map[string]string{
		"Russian":           "Соглашение № 5 от 1 марта 2026 г. — «Ромашка», 10\u00a0000 ₽\n\t1. Я согласен.\r\n\r\n2. И всё.\n",
		"accents":           "за\u0301мок, ё̀, Việt Nam ộ́",
		"marks on a letter": "a" + strings.Repeat("\u0301", 4),
		"other scripts":     "Ελληνικά, ქართული, 中文, 日本語, 한국어, हिन्दी, 😀",
		"empty lines":       "а" + strings.Repeat("\n", 21) + "б" + strings.Repeat("\r\n \t", 21) + "в",
		"a wide table":      "а" + strings.Repeat(" ", 400) + "б",
		"a manual":          "Вход с электронной подписью\nОписание",
	} {
		if err := signrequest.CheckText(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, s := range map[string]string{
		"empty":                  "",
		"blank":                  " \n\u00a0\u3000",
		"filler of Hangul":       "a\u3164b",
		"half-width filler":      "a\uffa0b",
		"filler of a syllable":   "a\u115fb",
		"joiner of graphemes":    "a\u034fb",
		"inherent vowel":         "a\u17b4b",
		"variation":              "a\ufe0fb",
		"variation of Mongolian": "a\u180bb",
		"variation beyond":       "a\U000e0100b",
		"tag":                    "a\U000e0041b",
		"empty Braille":          "a\u2800b",
		"soft hyphen":            "a\u00adb",
		"mark of order":          "a\ufeffb",
		"private":                "a\ue000b",
		"line separator":         "a\u2028b",
		"delete":                 "a\x7fb",
		"C1":                     "a\u0085b",
		"isolate":                "a\u2066b",
		"Hebrew":                 "Сумма: 100 \u05d0 500",
		"Arabic":                 "Сумма: 100 \u0645 500",
		"Arabic digits":          "Сумма: \u0661\u0662",
		"Arabic form":            "a\ufe8db",
		"Hebrew form":            "a\ufb2ab",
		"Phoenician":             "a\U00010900b",
		"Adlam":                  "a\U0001e900b",
		"mark first":             "\u0338a",
		"mark on a line":         "a\n\u0338a",
		"mark on a space":        "a \u0338a",
		"mark on a tab":          "a\t\u0338a",
		"pile of marks":          "a" + strings.Repeat("\u0301", 5),
		"gap":                    "а" + strings.Repeat("\n", 22) + "б",
		"gap with spaces":        "а" + strings.Repeat("\n \u3000", 22) + "б",
		"gap of two bytes":       "а" + strings.Repeat("\r\n", 22) + "б",
		"gap in a line":          "а" + strings.Repeat(" ", 401) + "б",
		"return":                 "a\r",
		"sign-in":                "Вход с электронной подписью\nШлюз: https://a.example\n",
	} {
		if signrequest.CheckText(s) == nil {
			t.Errorf("%s is taken", name)
		}
		if signrequest.OneLine(s) {
			t.Errorf("%s is one line", name)
		}
	}
	for s, want := range map[string]bool{
		"Договор № 5, версия 2.pdf": true, "a" + strings.Repeat(" ", 8) + "b": true, "a" + strings.Repeat(" ", 9) + "b": false,
		"a\tb": false, "a\nb": false, " a": false, "a\u00a0": false, strings.Repeat("a", 300): true, strings.Repeat("a", 301): false,
	} {
		if signrequest.OneLine(s) != want {
			t.Errorf("OneLine(%q) = %v", s, !want)
		}
	}
}
