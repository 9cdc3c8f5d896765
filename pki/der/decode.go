package der

import (
	"bytes"
	"encoding/base64"
	"slices"
)

// MaxEncoded is the greatest input of Decode in bytes. Callers have limits of
// their own; this one keeps a forgotten limit from costing more than memory for
// one large document.
const MaxEncoded = 64 << 20

// MaxObjects is the greatest number of PEM blocks that DecodeAll takes. A file of
// empty blocks would otherwise cost far more memory than its own size.
const MaxObjects = 10_000

// The errors of Decode, besides ErrTooLarge and ErrTooMany.
const (
	ErrFormat  Error = "the input is neither DER, nor PEM, nor base64"
	ErrPEM     Error = "malformed PEM"
	ErrLabel   Error = "no PEM block has the label that was asked for"
	ErrSeveral Error = "more than one object where one was asked for"
	ErrBase64  Error = "malformed base64"
)

// Decode returns the DER of the one object in data, which is DER itself, or PEM
// with one of the labels (any label when none is given), or bare base64. PEM and
// base64 may have a UTF-8 byte order mark, spaces and line ends of any system;
// text around a PEM block and blocks with other labels are ignored (RFC 7468,
// Section 2). Two blocks with fitting labels are ErrSeveral.
//
// DER is recognized by its first octet, that of a SEQUENCE, and is returned as
// it is, without a copy and without a check. The error is one of the constants of
// type [Error].
func Decode(data []byte, labels ...string) ([]byte, error) {
	all, err := DecodeAll(data, labels...)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, ErrSeveral
	}
	return all[0], nil
}

// DecodeAll is Decode for a PEM file with one to MaxObjects objects.
func DecodeAll(data []byte, labels ...string) ([][]byte, error) {
	if len(data) > MaxEncoded {
		return nil, ErrTooLarge
	}
	if len(data) > 0 && Tag(data[0]) == TagSequence {
		return [][]byte{data}, nil
	}
	text := bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	if bytes.Contains(text, pemBegin) {
		return decodePEM(text, labels)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, ErrFormat
	}
	der, err := decodeBase64(text)
	if err != nil || len(der) == 0 || Tag(der[0]) != TagSequence {
		return nil, ErrFormat
	}
	return [][]byte{der}, nil
}

var (
	pemBegin = []byte("-----BEGIN ")
	pemEnd   = []byte("-----END ")
	pemDash  = []byte("-----")
)

// decodePEM collects the blocks with a fitting label. A block that is torn is an
// error even if its label does not fit: it may be half of what was asked for.
func decodePEM(text []byte, labels []string) ([][]byte, error) {
	var all [][]byte
	for {
		label, body, rest, err := cutBlock(text)
		if err != nil {
			return nil, err
		}
		if label == "" {
			break
		}
		text = rest
		if len(labels) > 0 && !slices.Contains(labels, label) {
			continue
		}
		der, err := decodeBase64(body)
		if err != nil {
			return nil, err
		}
		if all = append(all, der); len(all) > MaxObjects {
			return nil, ErrTooMany
		}
	}
	if len(all) == 0 {
		return nil, ErrLabel
	}
	return all, nil
}

// cutBlock finds the next block. An empty label means that there is none.
func cutBlock(text []byte) (label string, body, rest []byte, err error) {
	_, after, found := bytes.Cut(text, pemBegin)
	if !found {
		return "", nil, nil, nil
	}
	name, after, closed := bytes.Cut(after, pemDash)
	if !closed || len(name) == 0 || len(name) > 64 || bytes.ContainsAny(name, "\r\n") {
		return "", nil, nil, ErrPEM
	}
	body, after, ended := bytes.Cut(after, pemEnd)
	if !ended {
		return "", nil, nil, ErrPEM
	}
	after, same := bytes.CutPrefix(after, name)
	if !same || !bytes.HasPrefix(after, pemDash) {
		return "", nil, nil, ErrPEM
	}
	return string(name), body, after[len(pemDash):], nil
}

// decodeBase64 decodes padded base64 with blanks anywhere. Padding bits must be
// zero, so that one object has one text apart from the blanks.
func decodeBase64(text []byte) ([]byte, error) {
	compact := make([]byte, 0, len(text))
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			compact = append(compact, c)
		}
	}
	n, err := base64.StdEncoding.Strict().Decode(compact, compact)
	if err != nil {
		return nil, ErrBase64
	}
	return compact[:n], nil
}
