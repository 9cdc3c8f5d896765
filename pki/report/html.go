package report

import "io"

// Languages of the protocol page.
const (
	Russian = "ru"
	English = "en"
)

// HTML writes the page «Протокол проверки электронной подписи» for people: one
// document without scripts and without anything fetched from elsewhere, to be read
// on a screen and printed on paper. The language is [Russian] or [English]; any
// other is Russian.
func HTML(w io.Writer, d *Document, lang string) error {
	return protocol(w, d, lang)
}

// StyleSource is the source expression by which a Content-Security-Policy allows the
// style inside the page of [HTML]: the hash of the text between <style> and </style>
// (CSP Level 3, Section 2.3.1). It is empty as long as the page has no style.
func StyleSource() string { return "" }
