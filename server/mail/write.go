package mail

import (
	"embed"
	"encoding/hex"
	"html"
	"strings"
	"sync"
	"text/template"
	"time"
	"unicode"

	"propusk/pki/person"
	"propusk/server/account"
)

// Limits of what goes into a letter from outside, in characters.
const (
	maxPlain  = 120    // the name of a device
	maxAnswer = 20_000 // the answer of an operator
)

//go:embed letters
var letterFiles embed.FS

// letters returns the templates by language and kind. Every file is a template whose first
// line is the subject and whose third begins the text.
var letters = sync.OnceValue(func() map[string]*template.Template {
	all := make(map[string]*template.Template)
	for _, language := range []string{"ru", "en"} {
		names := template.FuncMap{
			"time": func(t time.Time) string { return moment(t, language) },
			"page": func(string) string { panic("mail: the address is known when a letter is written") },
			// What strangers may have chosen.
			"plain": func(p person.Private) string { return plain(p.Reveal()) },
			"text":  text, "fingerprint": fingerprint,
		}
		all[language] = template.Must(template.New(language).Option("missingkey=error").Funcs(names).ParseFS(letterFiles, "letters/"+language+"/*.txt"))
	}
	return all
})

// write makes the letter of a kind. The letter is of no use after until, unless that is zero.
func (c Composer) write(kind string, to To, at, until time.Time, data any) account.Letter {
	language := "ru"
	if to.Language == "en" {
		language = "en"
	}
	t := template.Must(letters()[language].Clone())
	t.Funcs(template.FuncMap{"page": func(path string) string { return c.URL + path }})
	subject, body, ok := strings.Cut(execute(t, kind+".txt", data), "\n\n")
	if !ok {
		panic("mail: the letter " + kind + " has no text")
	}
	whole := execute(t, "frame", struct{ Body, Gateway, URL, Support string }{tidy(body), c.Gateway, c.URL, c.Support})
	return account.Letter{
		ID: account.NewName(), Account: to.Account, To: to.Email, Kind: kind, Language: language,
		Subject: subject, Text: person.NewPrivate(whole), HTML: person.NewPrivate(c.html(language, subject, whole)),
		Created: at, NotBefore: at, Expires: until,
	}
}

// execute writes a template. The data are of our own types, so only a mistake of ours fails.
func execute(t *template.Template, name string, data any) string {
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		panic("mail: " + err.Error())
	}
	return b.String()
}

// tidy removes the empty lines that conditions leave.
func tidy(s string) string {
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return strings.Trim(s, "\n")
}

// style is all the style of a letter: what mail programs understand inside an element.
const style = `font:16px/1.5 Arial,sans-serif;color:#1a1a1a;max-width:36em;margin:0 auto;padding:1em`

// html makes the other form of a letter: the same words, a line that is an address of the
// gateway as a link. Nothing else becomes one: a letter leads nowhere else.
func (c Composer) html(language, subject, text string) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html lang="` + language + `"><head><meta charset="utf-8"><title>` + html.EscapeString(subject) +
		`</title></head><body><div style="` + style + `">`)
	for paragraph := range strings.SplitSeq(tidy(text), "\n\n") {
		b.WriteString("<p>")
		for i, line := range strings.Split(paragraph, "\n") {
			if i > 0 {
				b.WriteString("<br>")
			}
			shown := html.EscapeString(line)
			if c.URL != "" && (line == c.URL || strings.HasPrefix(line, c.URL+"/")) && !strings.ContainsAny(line, " \t") {
				shown = `<a href="` + shown + `">` + shown + `</a>`
			}
			b.WriteString(shown)
		}
		b.WriteString("</p>")
	}
	b.WriteString("</div></body></html>\n")
	return b.String()
}

// moment formats a time in Moscow time, as the pages do.
func moment(t time.Time, language string) string {
	name := "МСК"
	if language == "en" {
		name = "MSK"
	}
	return t.In(time.FixedZone(name, 3*60*60)).Format("02.01.2006 15:04 MST")
}

// fingerprint writes a SHA-256 in groups that people can compare.
func fingerprint(sum [32]byte) string {
	var groups []string
	for s := hex.EncodeToString(sum[:]); s != ""; s = s[8:] {
		groups = append(groups, s[:8])
	}
	return strings.Join(groups, " ")
}

// plain makes one harmless line of what a stranger may have chosen: no line breaks, nothing
// that a mail program shows as a link or in another direction.
func plain(s string) string {
	s = strings.ReplaceAll(clean(s, maxPlain, false), "://", " ")
	return strings.Join(strings.Fields(s), " ")
}

// text makes a harmless text of several lines.
func text(s string) string {
	return tidy(clean(strings.ReplaceAll(s, "\r\n", "\n"), maxAnswer, true))
}

// clean drops what is not printed and cuts s to a number of characters.
func clean(s string, limit int, lines bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case limit == 0:
			return b.String()
		case r == '\n' && lines, unicode.IsPrint(r):
		case unicode.IsSpace(r):
			r = ' '
		default: // control characters, and those that turn the direction of writing
			continue
		}
		b.WriteRune(r)
		limit--
	}
	return b.String()
}
