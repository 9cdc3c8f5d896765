package strictxml

import (
	"bytes"
	"unicode/utf8"
)

// AppendText appends the characters that raw character data stand for: line
// ends normalised (XML 1.0, 2.11), references replaced. raw must come from a
// Token; cdata says that it came from a CDATA section, where nothing is a
// reference.
func AppendText(dst, raw []byte, cdata bool) []byte {
	if bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return append(dst, raw...)
	}
	for i := 0; i < len(raw); {
		n := bytes.IndexAny(raw[i:], "&\r")
		if n < 0 {
			return append(dst, raw[i:]...)
		}
		dst = append(dst, raw[i:i+n]...)
		i += n
		if raw[i] == '\r' {
			dst = append(dst, '\n')
			i++
			if i < len(raw) && raw[i] == '\n' {
				i++
			}
			continue
		}
		if cdata {
			dst = append(dst, '&')
			i++
			continue
		}
		r, size := reference(raw[i:])
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return dst
}

// appendValue appends the normalised value of an attribute (XML 1.0, 3.3.3, for
// type CDATA): each white space character becomes a space, except those written
// as references.
func appendValue(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		switch b := raw[i]; b {
		case '&':
			r, size := reference(raw[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
		case '\r':
			dst = append(dst, ' ')
			i++
			if i < len(raw) && raw[i] == '\n' {
				i++
			}
		case '\n', '\t':
			dst = append(dst, ' ')
			i++
		default:
			dst = append(dst, b)
			i++
		}
	}
	return dst
}

// value is appendValue without a copy when nothing has to change.
func value(raw []byte) []byte {
	if !bytes.ContainsAny(raw, "&\r\n\t") {
		return raw
	}
	return appendValue(nil, raw)
}

// checkReferences makes sure that every «&» of raw begins a reference that this
// package knows. offset is where raw stands in the document.
func checkReferences(raw []byte, offset int) error {
	for i := 0; ; {
		n := bytes.IndexByte(raw[i:], '&')
		if n < 0 {
			return nil
		}
		i += n
		_, size := reference(raw[i:])
		if size == 0 {
			return malformed(offset+i, "reference to an undeclared entity or to no character")
		}
		i += size
	}
}

// longestReference is the length of «&#x0010FFFF;» and then some: leading zeros
// are allowed, but nobody needs many.
const longestReference = 16

// reference decodes the reference at the beginning of s and returns its length,
// 0 if there is none (XML 1.0, 4.1, 4.6).
func reference(s []byte) (rune, int) {
	end := bytes.IndexByte(s[:min(len(s), longestReference)], ';')
	if end < 2 {
		return 0, 0
	}
	switch body := s[1:end]; string(body) {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	default:
		r, ok := characterReference(body)
		if !ok {
			return 0, 0
		}
		return r, end + 1
	}
}

// characterReference decodes «#123» and «#x1F».
func characterReference(body []byte) (rune, bool) {
	if body[0] != '#' {
		return 0, false
	}
	base, digits := rune(10), body[1:]
	if len(digits) > 0 && digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	if len(digits) == 0 {
		return 0, false
	}
	var r rune
	for _, c := range digits {
		d := digit(c)
		if d >= base {
			return 0, false
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, false
		}
	}
	return r, isChar(r)
}

// digit returns the value of a hexadecimal digit, or a number above any base.
func digit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return 99
}

// isChar is Char of XML 1.0, 2.2, [2].
func isChar(r rune) bool {
	return r >= 0x20 && r <= 0xD7FF || r == '\t' || r == '\n' || r == '\r' ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}
