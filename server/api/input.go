package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"propusk/pki/reason"
)

// fields are the parts of a request by name; an optional one that was not sent
// is absent from the map.
type fields map[string][]byte

// field says what a request may have.
type field struct {
	name     string
	required bool
}

// read takes the fields of a request out of its body: parts of a
// multipart/form-data body as they are, or base64 strings of one JSON object.
// Every field must be known and occur once; the required ones must not be empty.
// Errors carry a code and a text that repeats nothing of the request.
func read(h http.Header, body io.Reader, known ...field) (fields, error) {
	// RFC 9110, Section 8.4: who compresses must be told that it was in vain.
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, reason.Errorf(reason.MediaTypeUnsupported, "send the body without Content-Encoding")
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return nil, reason.Errorf(reason.MediaTypeUnsupported, "the Content-Type header is absent or malformed")
	}
	var got fields
	switch media {
	case "multipart/form-data":
		got, err = readMultipart(body, params["boundary"], known)
	case "application/json":
		got, err = readJSON(body, known)
	default:
		err = reason.Errorf(reason.MediaTypeUnsupported, "send multipart/form-data or application/json")
	}
	if err != nil {
		return nil, bodyError(err)
	}
	for _, f := range known {
		if f.required && len(got[f.name]) == 0 {
			return nil, reason.Errorf(reason.RequestFieldMissing, "the field %q is absent or empty", f.name)
		}
	}
	return got, nil
}

// bodyError gives a code to the ways in which reading a body ends early.
func bodyError(err error) error {
	var coded *reason.Error
	switch {
	case errors.As(err, &coded):
		return err
	case errors.As(err, new(*http.MaxBytesError)):
		return reason.Errorf(reason.RequestTooLarge, "the body is longer than the limit")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return reason.Errorf(reason.RequestIncomplete, "the body ended before its end")
	}
	return reason.Errorf(reason.RequestMalformed, "the body cannot be read")
}

// take adds a field, unless it is unknown or repeated.
func (got fields) take(name string, value []byte, known []field) error {
	for _, f := range known {
		if f.name != name {
			continue
		}
		if _, repeated := got[name]; repeated {
			return reason.Errorf(reason.RequestFieldRepeated, "the field %q occurs twice", f.name)
		}
		got[name] = value
		return nil
	}
	return reason.Errorf(reason.RequestFieldUnknown, "the request has a field that is not in the description; known are %s", names(known))
}

// isKnown tells whether reading the value is worth the memory.
func isKnown(name string, known []field) bool {
	for _, f := range known {
		if f.name == name {
			return true
		}
	}
	return false
}

func names(known []field) string {
	list := make([]string, len(known))
	for i, f := range known {
		list[i] = f.name
	}
	return strings.Join(list, ", ")
}

func readMultipart(body io.Reader, boundary string, known []field) (fields, error) {
	if boundary == "" {
		return nil, reason.Errorf(reason.RequestMalformed, "the multipart boundary is absent")
	}
	got := make(fields)
	for parts := multipart.NewReader(body, boundary); ; {
		// Raw: a part that calls itself quoted-printable is a file all the same.
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return nil, err
		}
		// Which of two names counts would be a matter of taste.
		if len(part.Header["Content-Disposition"]) > 1 {
			return nil, reason.Errorf(reason.RequestMalformed, "a part has two Content-Disposition headers")
		}
		var value []byte
		if isKnown(part.FormName(), known) {
			if value, err = io.ReadAll(part); err != nil {
				return nil, err
			}
			if len(value) == 0 && noFileChosen(part) {
				continue
			}
		}
		if err := got.take(part.FormName(), value, known); err != nil {
			return nil, err
		}
	}
}

// noFileChosen tells a file field that the person left empty: browsers send it
// with an empty file name. It is not an empty document.
func noFileChosen(part *multipart.Part) bool {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name, present := params["filename"]
	return err == nil && present && name == ""
}

// readJSON reads one JSON object whose values are base64 strings. encoding/json
// alone would let repeated names, names in another case and further values pass.
func readJSON(body io.Reader, known []field) (fields, error) {
	d := json.NewDecoder(body)
	if err := expect(d, json.Delim('{')); err != nil {
		return nil, err
	}
	got := make(fields)
	for d.More() {
		name, err := text(d)
		if err != nil {
			return nil, err
		}
		if !isKnown(name, known) {
			return nil, got.take(name, nil, known)
		}
		value, err := text(d)
		if err != nil {
			return nil, err
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(value)
		if err != nil {
			return nil, reason.Errorf(reason.RequestBase64, "the field %q is not whole base64", name)
		}
		if err := got.take(name, raw, known); err != nil {
			return nil, err
		}
	}
	if err := expect(d, json.Delim('}')); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		if err != nil && !errors.As(err, new(*json.SyntaxError)) {
			return nil, err // the body could not be read to its end
		}
		return nil, reason.Errorf(reason.RequestMalformed, "something follows the JSON object")
	}
	return got, nil
}

func expect(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return jsonError(err)
	}
	if t != want {
		return reason.Errorf(reason.RequestMalformed, "one JSON object is wanted")
	}
	return nil
}

func text(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", jsonError(err)
	}
	s, ok := t.(string)
	if !ok {
		return "", reason.Errorf(reason.RequestFieldBad, "the values of all fields must be base64 strings")
	}
	return s, nil
}

// jsonError keeps what bodyError can name; the rest is bad syntax.
func jsonError(err error) error {
	if errors.As(err, new(*json.SyntaxError)) {
		return reason.Errorf(reason.RequestMalformed, "the body is not JSON")
	}
	return err
}
