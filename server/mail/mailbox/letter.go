package mailbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// maxParts is how many parts a letter may have.
const maxParts = 20

// Letter is a letter as it came.
type Letter struct {
	// Number counts from 1.
	Number int `json:"number"`
	// From and To are those of the envelope.
	From string    `json:"from"`
	To   []string  `json:"to"`
	At   time.Time `json:"at"`
	// ID is its Message-ID.
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html,omitempty"`
	// Header is all of it.
	Header mail.Header `json:"-"`
}

// Link returns the first line of the text that begins with a prefix: how a person finds the
// link in it.
func (l Letter) Link(prefix string) (string, bool) {
	for line := range strings.Lines(l.Text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, prefix) {
			return line, true
		}
	}
	return "", false
}

// parse reads a message (RFC 5322) of plain text and HTML.
func parse(raw []byte) (Letter, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Letter{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return Letter{}, err
	}
	l := Letter{Subject: subject, ID: strings.Trim(m.Header.Get("Message-ID"), "<>"), Header: m.Header}
	return l, l.read(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
}

// read reads a body or a part, and the parts of that.
func (l *Letter) read(contentType, encoding string, body io.Reader) error {
	if contentType == "" {
		contentType = "text/plain"
	}
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if kind != "multipart/alternative" {
		content, err := decode(encoding, body)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(content), "\r\n", "\n")
		switch kind {
		case "text/plain":
			l.Text = text
		case "text/html":
			l.HTML = text
		}
		return nil
	}
	parts := multipart.NewReader(body, parameters["boundary"])
	for range maxParts {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		inner := part.Header.Get("Content-Type")
		if strings.HasPrefix(inner, "multipart/") {
			return errors.New("mailbox: parts of parts")
		}
		if err := l.read(inner, part.Header.Get("Content-Transfer-Encoding"), part); err != nil {
			return err
		}
	}
	return errors.New("mailbox: too many parts")
}

// decode undoes a transfer encoding. RFC 2045, Section 6.
func decode(encoding string, r io.Reader) ([]byte, error) {
	switch strings.ToLower(encoding) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	return io.ReadAll(r)
}
