package cms

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"slices"

	"propusk/pki/der"
)

// maxText is how much text in bytes is looked at before the signature and after it.
const maxText = 64 << 10

var (
	pemBegin = []byte("-----BEGIN ")
	pemEnd   = []byte("-----END ")
	pemDash  = []byte("-----")
)

// binary returns a reader of the binary form of a file, which may be in PEM or base64:
// der.Decode as a stream.
func binary(r io.Reader) (io.Reader, error) {
	text := bufio.NewReaderSize(r, maxText)
	head, err := text.Peek(maxText)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(head) > 0 && head[0] == byte(der.TagSequence) {
		return text, nil
	}
	marked := len(head)
	head = bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF"))
	if _, err := text.Discard(marked - len(head)); err != nil {
		return nil, err
	}
	if !bytes.Contains(head, pemBegin) {
		return base64.NewDecoder(base64.StdEncoding.Strict(), &compact{r: text}), nil
	}
	start, label, err := findBlock(head)
	if err != nil {
		return nil, err
	}
	if _, err := text.Discard(start); err != nil {
		return nil, err
	}
	body := &compact{r: &pemBody{r: text, label: label}}
	return base64.NewDecoder(base64.StdEncoding.Strict(), body), nil
}

// findBlock returns where the body of the first block with a fitting label begins.
func findBlock(text []byte) (start int, label []byte, err error) {
	for {
		begin := bytes.Index(text[start:], pemBegin)
		if begin < 0 {
			return 0, nil, der.ErrLabel
		}
		start += begin + len(pemBegin)
		label, _, closed := bytes.Cut(text[start:], pemDash)
		if !closed || len(label) == 0 || len(label) > 64 || bytes.ContainsAny(label, "\r\n") {
			return 0, nil, der.ErrPEM
		}
		start += len(label) + len(pemDash)
		if slices.Contains(pemLabels, string(label)) {
			return start, bytes.Clone(label), nil
		}
		body, after, ended := bytes.Cut(text[start:], pemEnd)
		if !ended || !bytes.HasPrefix(after, slices.Concat(label, pemDash)) {
			return 0, nil, der.ErrPEM
		}
		start += len(body) + len(pemEnd) + len(label) + len(pemDash)
	}
}

// pemBody reads the text of one block, checks how it ends and that no other block
// with a fitting label follows.
type pemBody struct {
	r     *bufio.Reader
	label []byte
	done  error
}

func (b *pemBody) Read(p []byte) (int, error) {
	if b.done != nil {
		return 0, b.done
	}
	text, err := b.r.Peek(len(pemEnd))
	if err != nil { // the end of the block cannot follow any more
		b.done = err
		if errors.Is(err, io.EOF) {
			b.done = der.ErrPEM
		}
		return 0, b.done
	}
	if bytes.Equal(text, pemEnd) {
		b.done = b.end()
		return 0, b.done
	}
	// What is there, up to the next character that may begin the end.
	text, _ = b.r.Peek(min(b.r.Buffered(), len(p))) // cannot fail: it is buffered
	n := len(text)
	if n > 0 {
		if dash := bytes.IndexByte(text[1:], '-'); dash >= 0 {
			n = 1 + dash
		}
	}
	return io.ReadFull(b.r, p[:n])
}

// end reads the line that ends the block, and what follows it. It returns io.EOF
// when all is well.
func (b *pemBody) end() error {
	tail, err := io.ReadAll(io.LimitReader(b.r, maxText))
	if err != nil {
		return err
	}
	after, ok := bytes.CutPrefix(tail, slices.Concat(pemEnd, b.label, pemDash))
	switch {
	case !ok:
		return der.ErrPEM
	case len(tail) == maxText:
		return der.ErrTooLarge
	case !bytes.Contains(after, pemBegin):
		return io.EOF
	}
	_, err = der.DecodeAll(slices.Concat([]byte{'\n'}, after), pemLabels...)
	switch {
	case err == nil:
		return der.ErrSeveral
	case errors.Is(err, der.ErrLabel):
		return io.EOF
	default:
		return err
	}
}

// compact takes the blanks out of base64, and lets nothing follow the padding, which
// the decoder of the standard library does not always notice.
type compact struct {
	r       io.Reader
	padding int
}

func (c *compact) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	kept := p[:0]
	for _, b := range p[:n] {
		switch b {
		case ' ', '\t', '\r', '\n':
			continue
		case '=':
			c.padding++
		default:
			if c.padding > 0 {
				return len(kept), der.ErrBase64
			}
		}
		if c.padding > 2 {
			return len(kept), der.ErrBase64
		}
		kept = append(kept, b)
	}
	return len(kept), err
}
