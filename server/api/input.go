package api

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"

	"propusk/pki/reason"
)

// Media types of bodies.
const (
	typeForm   = "multipart/form-data"
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"
)

// signatureTypes are the types of a body that is a signature as it stands. RFC 8551,
// Section 3.2.1; RFC 9110, Section 8.3; the names with "x-" are of old software.
func signatureTypes() []string {
	return []string{
		"application/octet-stream", "application/pkcs7-signature", "application/pkcs7-mime",
		"application/x-pkcs7-signature", "application/x-pkcs7-mime", "application/cms",
	}
}

// certificateTypes are the types of a body that is a certificate as it stands. RFC
// 2585, Section 4.1.
func certificateTypes() []string {
	return []string{"application/octet-stream", "application/pkix-cert", "application/x-x509-ca-cert", "application/x-x509-user-cert", "application/x-pem-file"}
}

// mediaType returns the type of a body, which must be one of those known.
func mediaType(h http.Header, known ...string) (media, boundary string, err error) {
	// RFC 9110, Section 8.4: who compresses must be told that it was in vain.
	for _, coding := range h.Values("Content-Encoding") {
		if !strings.EqualFold(strings.TrimSpace(coding), "identity") && coding != "" {
			return "", "", reason.Errorf(reason.MediaTypeUnsupported, "send the body without Content-Encoding")
		}
	}
	if len(h.Values("Content-Type")) > 1 {
		return "", "", reason.Errorf(reason.MediaTypeUnsupported, "the Content-Type header occurs twice")
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return "", "", reason.Errorf(reason.MediaTypeUnsupported, "the Content-Type header is absent or malformed")
	}
	if !slices.Contains(known, media) {
		return "", "", reason.Errorf(reason.MediaTypeUnsupported, "send one of %s", strings.Join(known, ", "))
	}
	if charset := params["charset"]; media != typeForm && charset != "" && !strings.EqualFold(charset, "utf-8") && !slices.Contains(signatureTypes(), media) {
		return "", "", reason.Errorf(reason.MediaTypeUnsupported, "the charset must be utf-8")
	}
	if media == typeForm && params["boundary"] == "" {
		return "", "", reason.Errorf(reason.RequestMalformed, "the multipart boundary is absent")
	}
	return media, params["boundary"], nil
}

// bodyError gives a code to the ways in which reading a body ends early.
func bodyError(err error) error {
	var coded *reason.Error
	switch {
	case err == nil, errors.As(err, &coded):
		return err
	case errors.As(err, new(*http.MaxBytesError)):
		return reason.Errorf(reason.RequestTooLarge, "the body is longer than the limit")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded):
		return reason.Errorf(reason.RequestIncomplete, "the body ended, or stopped, before its end")
	}
	return reason.Errorf(reason.RequestMalformed, "the body cannot be read")
}

// maxPartName is how long the name of a field may be, in bytes.
const maxPartName = 128

// eachPart calls f with the parts of a multipart body in their order, but for file
// fields that a person left empty. What f does not read of a part is skipped. There
// may be so many parts at most: empty ones would otherwise cost far more than their
// length.
func eachPart(body io.Reader, boundary string, most int, f func(name string, part io.Reader) error) error {
	end := &tail{from: body}
	parts := multipart.NewReader(end, boundary)
	for range most {
		// Raw: a part that calls itself quoted-printable is a file all the same.
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return end.closed(boundary)
		}
		if err != nil {
			return err
		}
		name, content, err := open(part)
		if err != nil {
			return err
		}
		if content == nil {
			continue
		}
		if err := f(name, content); err != nil {
			return err
		}
	}
	return reason.Errorf(reason.RequestTooLarge, "the body has more than %d parts", most)
}

// tail remembers the end of what was read. [multipart.Reader] says of a body that breaks
// off among the headers of a part what it says of one that was closed; a document that
// got lost so would not be missed.
type tail struct {
	from io.Reader
	last []byte
}

// tailLength is more than a multipart.Reader reads ahead, and a boundary.
const tailLength = 8 << 10

// Read implements io.Reader.
func (t *tail) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if t.last = append(t.last, p[:n]...); len(t.last) > 2*tailLength {
		t.last = t.last[:copy(t.last, t.last[len(t.last)-tailLength:])]
	}
	return n, err
}

// closed returns an error unless the last boundary was there. RFC 2046, Section 5.1.1.
func (t *tail) closed(boundary string) error {
	if bytes.Contains(t.last, []byte("--"+boundary+"--")) {
		return nil
	}
	return io.ErrUnexpectedEOF
}

// open returns the name of a part and its content, which is nil for a file field that
// the person left empty: browsers send it with an empty file name. It is not an empty
// document.
func open(part *multipart.Part) (name string, content *bufio.Reader, err error) {
	// Which of two names counts would be a matter of taste.
	if len(part.Header["Content-Disposition"]) > 1 {
		return "", nil, reason.Errorf(reason.RequestMalformed, "a part has two Content-Disposition headers")
	}
	if name = part.FormName(); len(name) > maxPartName {
		return "", nil, reason.Errorf(reason.RequestFieldUnknown, "the name of a field is too long")
	}
	content = bufio.NewReaderSize(part, 64<<10)
	if !noFileChosen(part) {
		return name, content, nil
	}
	switch _, err := content.Peek(1); {
	case errors.Is(err, io.EOF):
		return name, nil, nil
	case err != nil:
		return "", nil, err
	}
	return name, content, nil
}

func noFileChosen(part *multipart.Part) bool {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name, present := params["filename"]
	return err == nil && present && name == ""
}

// seen are the fields that a request has had.
type seen map[string]bool

// first notes a field, unless it is unknown or repeated.
func (s seen) first(name string, known ...string) error {
	if !slices.Contains(known, name) {
		return reason.Errorf(reason.RequestFieldUnknown, "the request has a field that is not in the description; known are %s", strings.Join(known, ", "))
	}
	if s[name] {
		return reason.Errorf(reason.RequestFieldRepeated, "the field %q occurs twice", name)
	}
	s[name] = true
	return nil
}

// decoder reads JSON token by token: encoding/json alone would let repeated names,
// names in another case and further values pass.
type decoder struct{ *json.Decoder }

func newDecoder(r io.Reader) decoder { return decoder{json.NewDecoder(r)} }

// object reads one object and calls f with each name; f must read the value.
func (d decoder) object(f func(name string) error) error {
	if err := d.expect(json.Delim('{')); err != nil {
		return err
	}
	for d.More() {
		name, err := d.text()
		if err != nil {
			return err
		}
		if err := f(name); err != nil {
			return err
		}
	}
	return d.expect(json.Delim('}'))
}

// array reads one array and calls f before each element; f must read it.
func (d decoder) array(f func() error) error {
	if err := d.expect(json.Delim('[')); err != nil {
		return err
	}
	for d.More() {
		if err := f(); err != nil {
			return err
		}
	}
	return d.expect(json.Delim(']'))
}

// end demands that nothing follows.
func (d decoder) end() error {
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		if err != nil && !errors.As(err, new(*json.SyntaxError)) {
			return err // the body could not be read to its end
		}
		return reason.Errorf(reason.RequestMalformed, "something follows the JSON value")
	}
	return nil
}

func (d decoder) expect(want json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return jsonError(err)
	}
	if t == want {
		return nil
	}
	if want == '{' {
		return reason.Errorf(reason.RequestMalformed, "a JSON object is wanted")
	}
	return reason.Errorf(reason.RequestMalformed, "a JSON array is wanted")
}

// text reads a string.
func (d decoder) text() (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", jsonError(err)
	}
	s, ok := t.(string)
	if !ok {
		return "", reason.Errorf(reason.RequestFieldBad, "the value of a field must be a string")
	}
	return s, nil
}

// base64 reads a string of base64, the value of the named field.
func (d decoder) base64(name string) ([]byte, error) {
	value, err := d.text()
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil, reason.Errorf(reason.RequestBase64, "the field %q is not whole base64", name)
	}
	return raw, nil
}

// jsonError keeps what bodyError can name; the rest is bad syntax.
func jsonError(err error) error {
	if errors.As(err, new(*json.SyntaxError)) {
		return reason.Errorf(reason.RequestMalformed, "the body is not JSON")
	}
	return err
}

// tooLongForMemory tells a client whose JSON is too long what else there is.
func tooLongForMemory(err error) error {
	if errors.As(err, new(*http.MaxBytesError)) {
		return reason.Errorf(reason.RequestTooLarge, "JSON is held in memory; send long documents as multipart/form-data, the signature first, or their digests to verify/digest")
	}
	return err
}
