package filekind

import (
	"bytes"
	"regexp"
)

// Keys in words: PEM (RFC 7468) and SSH2 (RFC 4716) by their labels, PuTTY by its first line,
// JWK (RFC 7517) by the members that only private keys have.
var (
	labelled = regexp.MustCompile(`----[- ]?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|PuTTY-User-Key-File-\d`)
	webKey   = regexp.MustCompile(`"kty"\s*:\s*"`)
	webHalf  = regexp.MustCompile(`"[dk]"\s*:\s*"[A-Za-z0-9_-]{16,}`)
)

// shortestKey is how long a word of base64 is that may begin a key, in characters: shorter
// ones are words of people, and keys are written in lines of 48 and more.
const shortestKey = 40

// SecretText reports whether there is a private key anywhere in a text, such as one that a
// person has pasted: under a label, as a JWK, or as bare base64. The text may be UTF-16, as
// the editor of Windows writes it.
func SecretText(text []byte) bool {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		text = bytes.ReplaceAll(text[2:], []byte{0}, nil) // what is not ASCII is of no interest
	}
	if labelled.Match(text) || webKey.Match(text) && webHalf.Match(text) {
		return true
	}
	words := bytes.Fields(text)
	for i, word := range words {
		if base64Of(word) >= shortestKey && Secret(joined(words[i:])) != "" {
			return true
		}
	}
	return false
}

// joined puts lines of base64 together that follow each other, up to where they end.
func joined(words [][]byte) []byte {
	var all []byte
	for _, w := range words {
		n := base64Of(w)
		if all = append(all, w[:n]...); n < len(w) || len(all) >= HeadLength || bytes.HasSuffix(all, []byte("=")) {
			break
		}
	}
	return all[:len(all)/4*4]
}

// base64Of is how many bytes a word has of base64, the padding included, before others.
func base64Of(word []byte) int {
	n := bytes.IndexFunc(word, func(c rune) bool {
		return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '/'
	})
	if n < 0 {
		return len(word)
	}
	for range 2 {
		if n < len(word) && word[n] == '=' {
			n++
		}
	}
	return n
}
