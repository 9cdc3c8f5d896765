// Package strictxml reads XML 1.0 (fifth edition) with namespaces, without the
// parts that make reading other people's XML dangerous: no DTD, so no entities
// but the five predefined ones and no attribute defaults; UTF-8 only; limits on
// everything that grows.
//
// A [Reader] hands out tokens whose bytes point into the document: nothing is
// copied, and what a signature covers is exactly what the caller reads, because
// the canonicaliser and the parsers above share this one reader.
package strictxml

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"propusk/pki/reason"
)

// Limits of a document. The list of accredited CAs is about 25 MB; what else is
// signed with XMLDSig is far smaller.
const (
	// MaxSize is the greatest length of a document, in bytes.
	MaxSize = 128 << 20
	// MaxDepth is the greatest number of open elements. Deeper documents exist
	// only to exhaust the stack of a recursive reader.
	MaxDepth = 100
	// MaxAttributes is the greatest number of attributes and namespace
	// declarations of one element. Attributes are compared pairwise, so a large
	// number would cost quadratic time.
	MaxAttributes = 128
	// MaxNamespaces is the greatest number of namespace declarations in scope.
	// Each name is looked up among them one by one.
	MaxNamespaces = 100
	// MaxName is the greatest length of a qualified name, in bytes.
	MaxName = 1024
)

// Document is a document whose characters were checked: valid UTF-8, declared as
// such, only characters that XML 1.0 permits. It is immutable and safe for
// concurrent use as long as nobody changes the bytes.
type Document struct {
	data []byte
	body int // offset of the first byte after the XML declaration
}

// Open checks the encoding of a document. The bytes are not copied and must not
// change while the document is in use. Markup is not checked yet: that is the
// work of a [Reader] that goes to the end.
//
// The error is a *reason.Error: reason.XMLTooLarge, reason.XMLUnsupported
// (another encoding or version) or reason.XMLMalformed.
func Open(data []byte) (*Document, error) {
	if len(data) > MaxSize {
		return nil, reason.Errorf(reason.XMLTooLarge, "document of %d bytes, the limit is %d", len(data), MaxSize)
	}
	if bytes.HasPrefix(data, []byte{0xFE, 0xFF}) || bytes.HasPrefix(data, []byte{0xFF, 0xFE}) {
		return nil, reason.Errorf(reason.XMLUnsupported, "encoding UTF-16; only UTF-8 is read")
	}
	d := &Document{data: data}
	if bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")) {
		d.body = 3 // XML 1.0, Appendix F: the byte order mark is not a part of the document
	}
	if err := d.declaration(); err != nil {
		return nil, err
	}
	if err := checkCharacters(data); err != nil {
		return nil, err
	}
	return d, nil
}

// Bytes returns the document as it was given to Open.
func (d *Document) Bytes() []byte { return d.data }

// declaration reads the XML declaration, if there is one (XML 1.0, 2.8, [23]).
func (d *Document) declaration() error {
	rest := d.data[d.body:]
	if !bytes.HasPrefix(rest, []byte("<?xml")) || len(rest) < 6 || !isSpace(rest[5]) {
		return nil
	}
	end := bytes.Index(rest, []byte("?>"))
	if end < 0 {
		return malformed(d.body, "XML declaration without end")
	}
	p := pseudoAttributes{rest: rest[5:end]}
	if v, ok := p.next("version"); !ok || v != "1.0" {
		if ok {
			return reason.Errorf(reason.XMLUnsupported, "XML version %q; only 1.0 is read", v)
		}
		return malformed(d.body, "XML declaration without a version")
	}
	if enc, ok := p.next("encoding"); ok && !bytes.EqualFold([]byte(enc), []byte("utf-8")) {
		return reason.Errorf(reason.XMLUnsupported, "encoding %q; only UTF-8 is read", enc)
	}
	if alone, ok := p.next("standalone"); ok && alone != "yes" && alone != "no" {
		return malformed(d.body, "standalone must be yes or no")
	}
	if len(bytes.TrimLeft(p.rest, spaces)) != 0 {
		return malformed(d.body, "XML declaration not understood")
	}
	d.body += end + 2
	return nil
}

// pseudoAttributes are the «name="value"» of an XML declaration.
type pseudoAttributes struct{ rest []byte }

// next takes the pseudo-attribute called name, if it comes next.
func (p *pseudoAttributes) next(name string) (string, bool) {
	s := bytes.TrimLeft(p.rest, spaces)
	if len(s) == len(p.rest) || !bytes.HasPrefix(s, []byte(name)) {
		return "", false
	}
	s = bytes.TrimLeft(s[len(name):], spaces)
	if len(s) == 0 || s[0] != '=' {
		return "", false
	}
	s = bytes.TrimLeft(s[1:], spaces)
	if len(s) == 0 || s[0] != '"' && s[0] != '\'' {
		return "", false
	}
	end := bytes.IndexByte(s[1:], s[0])
	if end < 0 {
		return "", false
	}
	p.rest = s[end+2:]
	return string(s[1 : end+1]), true
}

// checkCharacters makes sure that every character is a Char (XML 1.0, 2.2, [2]).
// UTF-8 validity already excludes surrogates.
func checkCharacters(data []byte) error {
	if !utf8.Valid(data) {
		return reason.Errorf(reason.XMLMalformed, "not valid UTF-8 (windows-1251 documents must be converted first)")
	}
	if i := indexControl(data); i >= 0 {
		return malformed(i, "control character %#x", data[i])
	}
	// U+FFFE and U+FFFF.
	for _, bad := range []string{"\xEF\xBF\xBE", "\xEF\xBF\xBF"} {
		if i := bytes.Index(data, []byte(bad)); i >= 0 {
			return malformed(i, "character that XML forbids")
		}
	}
	return nil
}

// indexControl returns the index of the first byte below 0x20 that is not a tab,
// a line feed or a carriage return; -1 if there is none. Many bytes at a time: the
// list of accredited CAs is 25 MB.
func indexControl(data []byte) int {
	const step = 32
	i := 0
	for ; i+step <= len(data); i += step {
		b := (*[step]byte)(data[i:])
		if low(b[0:])|low(b[8:])|low(b[16:])|low(b[24:]) == 0 {
			continue
		}
		if j := indexControlSlow(b[:]); j >= 0 {
			return i + j
		}
	}
	if j := indexControlSlow(data[i:]); j >= 0 {
		return i + j
	}
	return -1
}

// low sets the top bit of every byte below 0x20 of the first eight, and of some after
// the first such.
func low(b []byte) uint64 {
	w := binary.LittleEndian.Uint64(b)
	return (w - 0x2020202020202020) &^ w & 0x8080808080808080
}

func indexControlSlow(data []byte) int {
	for i, b := range data {
		if b < 0x20 && !isSpace(b) {
			return i
		}
	}
	return -1
}

// spaces are the white space characters of XML (2.3, [3]).
const spaces = " \t\r\n"

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

// IsSpace reports whether text holds only the white space characters of XML.
func IsSpace(text []byte) bool {
	for _, b := range text {
		if !isSpace(b) {
			return false
		}
	}
	return true
}

func malformed(offset int, format string, args ...any) error {
	return reason.Errorf(reason.XMLMalformed, "at byte %d: "+format, append([]any{offset}, args...)...)
}

func tooLarge(offset int, what string, limit int) error {
	return reason.Errorf(reason.XMLTooLarge, "at byte %d: more than %d %s", offset, limit, what)
}
