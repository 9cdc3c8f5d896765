package challenge

import (
	"strings"
	"testing"
	"unicode/utf8"

	"propusk/server/level"
	"propusk/server/page"
)

func TestParseNotice(t *testing.T) {
	got, err := parseNotice([]byte("ru: >\n  Сервис\n  не работает\nen: Out of service\n"))
	if err != nil || got != (page.Text{RU: "Сервис не работает", EN: "Out of service"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := parseNotice([]byte("ru: ''\nen: ''\n")); err != nil || got != (page.Text{}) {
		t.Errorf("an empty one: %+v, %v", got, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "no YAML": "ru: [", "one language": "ru: а\n", "another field": "ru: а\nen: a\nde: a\n",
		"a control character": "ru: \"a\\x07\"\nen: a\n", "long": "ru: " + strings.Repeat("а", maxNotice+1) + "\nen: a\n",
		"a long file": strings.Repeat("#", maxNoticeFile+1),
	} {
		if got, err := parseNotice([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzParseNotice(f *testing.F) {
	f.Add([]byte("ru: Сервис не работает\nen: Out of service\n"))
	f.Add([]byte("ru: \"\\0\"\nen: x\n"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseNotice(data)
		if err != nil {
			return
		}
		if !utf8.ValidString(got.RU+got.EN) || (got.RU == "") != (got.EN == "") || utf8.RuneCountInString(got.RU) > maxNotice {
			t.Errorf("%+v", got)
		}
	})
}

// TestWords: what is wanted is told for every level, in both languages.
func TestWords(t *testing.T) {
	seen := map[page.Text]level.Need{}
	for _, n := range []level.Need{{Level: level.Password}, {Level: level.TwoFactor}, {Level: level.QES}, {Level: level.QES, Physical: true}} {
		text := wanted(n)
		if old, twice := seen[text]; twice || text.RU == "" || text.EN == "" {
			t.Errorf("%+v and %+v: %+v", n, old, text)
		}
		seen[text] = n
	}
	for _, l := range []level.Level{level.Password, level.TwoFactor, level.Mobile, level.QES} {
		if text := known(l); text.RU == "" || text.EN == "" {
			t.Errorf("%s: %+v", l, text)
		}
	}
}
