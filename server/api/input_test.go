package api

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"propusk/pki/reason"
)

func known() []field { return []field{{"signature", true}, {"content", false}} }

func readBody(contentType, body string) (fields, error) {
	return readFrom(http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(strings.NewReader(body)), 4096), contentType)
}

func readFrom(body io.Reader, contentType string) (fields, error) {
	h := make(http.Header)
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return read(h, body, known()...)
}

const boundary = "multipart/form-data; boundary=B"

// part returns one part of a multipart body.
func part(disposition, value string) string {
	return "--B\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + value + "\r\n"
}

func TestReadGood(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		contentType, body string
		want              fields
	}{
		"json":             {"application/json", `{"signature":"` + b64([]byte("sig")) + `","content":"` + b64([]byte("doc")) + `"}`, fields{"signature": []byte("sig"), "content": []byte("doc")}},
		"json, charset":    {"application/json; charset=utf-8", ` {"signature":"c2ln"} ` + "\n", fields{"signature": []byte("sig")}},
		"json, lines":      {"application/json", `{"signature":"c2\nln"}`, fields{"signature": []byte("sig")}},
		"empty document":   {"application/json", `{"signature":"c2ln","content":""}`, fields{"signature": []byte("sig"), "content": []byte("")}},
		"multipart":        {boundary, part(`name="signature"; filename="a.sig"`, "sig") + part(`name="content"`, "doc") + "--B--\r\n", fields{"signature": []byte("sig"), "content": []byte("doc")}},
		"no file chosen":   {boundary, part(`name="signature"`, "sig") + part(`name="content"; filename=""`, "") + "--B--\r\n", fields{"signature": []byte("sig")}},
		"empty file":       {boundary, part(`name="signature"`, "sig") + part(`name="content"; filename="a"`, "") + "--B--\r\n", fields{"signature": []byte("sig"), "content": []byte("")}},
		"not quoted":       {boundary, part("name=\"signature\"\r\nContent-Transfer-Encoding: quoted-printable", "=3D") + "--B--\r\n", fields{"signature": []byte("=3D")}},
		"binary multipart": {boundary, part(`name="signature"`, "\x00\xff\r\n-") + "--B--\r\n", fields{"signature": []byte("\x00\xff\r\n-")}},
	} {
		got, err := readBody(c.contentType, c.body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !maps.EqualFunc(got, c.want, bytes.Equal) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestReadBad(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		want              reason.Code
	}{
		"nothing":               {"", "", reason.MediaTypeUnsupported},
		"malformed type":        {"application/", "{}", reason.MediaTypeUnsupported},
		"other type":            {"text/xml", "<a/>", reason.MediaTypeUnsupported},
		"url-encoded":           {"application/x-www-form-urlencoded", "signature=c2ln", reason.MediaTypeUnsupported},
		"empty json":            {"application/json", "", reason.RequestIncomplete},
		"empty object":          {"application/json", "{}", reason.RequestFieldMissing},
		"empty signature":       {"application/json", `{"signature":""}`, reason.RequestFieldMissing},
		"no signature":          {"application/json", `{"content":"c2ln"}`, reason.RequestFieldMissing},
		"garbage":               {"application/json", "\x30\x82\x00", reason.RequestMalformed},
		"array":                 {"application/json", `["c2ln"]`, reason.RequestMalformed},
		"string":                {"application/json", `"c2ln"`, reason.RequestMalformed},
		"truncated json":        {"application/json", `{"signature":"c2l`, reason.RequestIncomplete},
		"truncated after name":  {"application/json", `{"signature"`, reason.RequestIncomplete},
		"two values":            {"application/json", `{"signature":"c2ln"}{}`, reason.RequestMalformed},
		"something follows":     {"application/json", `{"signature":"c2ln"}x`, reason.RequestMalformed},
		"number":                {"application/json", `{"signature":1}`, reason.RequestFieldBad},
		"null":                  {"application/json", `{"signature":null}`, reason.RequestFieldBad},
		"nested":                {"application/json", `{"signature":{"a":"b"}}`, reason.RequestFieldBad},
		"unknown field":         {"application/json", `{"signature":"c2ln","at":"x"}`, reason.RequestFieldUnknown},
		"other case":            {"application/json", `{"Signature":"c2ln"}`, reason.RequestFieldUnknown},
		"repeated field":        {"application/json", `{"signature":"c2ln","signature":"c2ln"}`, reason.RequestFieldRepeated},
		"truncated base64":      {"application/json", `{"signature":"c2l"}`, reason.RequestBase64},
		"loose base64":          {"application/json", `{"signature":"c2lnZZ=="}`, reason.RequestBase64},
		"base64url":             {"application/json", `{"signature":"-_-_"}`, reason.RequestBase64},
		"too long":              {"application/json", `{"signature":"` + strings.Repeat("A", 5000) + `"}`, reason.RequestTooLarge},
		"too long after":        {"application/json", `{"signature":"c2ln"}` + strings.Repeat(" ", 5000), reason.RequestTooLarge},
		"no boundary":           {"multipart/form-data", "x", reason.RequestMalformed},
		"no parts":              {boundary, "--B--\r\n", reason.RequestFieldMissing},
		"empty multipart":       {boundary, "", reason.RequestFieldMissing},
		"not multipart":         {boundary, "hello", reason.RequestFieldMissing},
		"truncated part":        {boundary, "--B\r\nContent-Disposition: form-data; name=\"signature\"\r\n\r\nsig", reason.RequestIncomplete},
		"no last boundary":      {boundary, part(`name="signature"`, "sig"), reason.RequestIncomplete},
		"unknown part":          {boundary, part(`name="signature"`, "sig") + part(`name="x"`, "y") + "--B--\r\n", reason.RequestFieldUnknown},
		"two dispositions":      {boundary, part("name=\"signature\"\r\nContent-Disposition: form-data; name=\"content\"", "y") + "--B--\r\n", reason.RequestMalformed},
		"part without name":     {boundary, part(`filename="x"`, "y") + "--B--\r\n", reason.RequestFieldUnknown},
		"repeated part":         {boundary, part(`name="signature"`, "a") + part(`name="signature"`, "b") + "--B--\r\n", reason.RequestFieldRepeated},
		"empty part":            {boundary, part(`name="signature"`, "") + "--B--\r\n", reason.RequestFieldMissing},
		"too long part":         {boundary, part(`name="signature"`, strings.Repeat("A", 5000)) + "--B--\r\n", reason.RequestTooLarge},
		"too long unknown part": {boundary, part(`name="x"`, strings.Repeat("A", 5000)) + "--B--\r\n", reason.RequestFieldUnknown},
	} {
		got, err := readBody(c.contentType, c.body)
		if code := reason.Of(err); code != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if got != nil {
			t.Errorf("%s: refused, yet returned %q", name, got)
		}
	}
}

// brokenBody fails like a connection that was cut.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) {
	return 0, errors.New("read tcp 192.0.2.1: reset by peer")
}

func TestBrokenConnection(t *testing.T) {
	_, err := readFrom(brokenBody{}, "application/json")
	if reason.Of(err) != reason.RequestMalformed || strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("error %v", err)
	}
}

// TestCompressedBody: a body that was compressed is named as such. Taken as it is
// it would be called damaged.
func TestCompressedBody(t *testing.T) {
	for coding, want := range map[string]reason.Code{"gzip": reason.MediaTypeUnsupported, "identity, br": reason.MediaTypeUnsupported, "Identity": "", "": ""} {
		h := http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {coding}}
		if _, err := read(h, strings.NewReader(`{"signature":"c2ln"}`), known()...); reason.Of(err) != want {
			t.Errorf("%q: %v, want %q", coding, err, want)
		}
	}
}

// FuzzRead: whatever the body, the answer is fields that are known, or a code
// that blames the request.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.WriteField("signature", "sig"); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(w.FormDataContentType(), b.String())
	f.Add("application/json", `{"signature":"c2ln","content":""}`)
	f.Add(boundary, part(`name="signature"`, "sig")+"--B--\r\n")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		got, err := readBody(contentType, body)
		if err != nil {
			e, ok := reason.Lookup(reason.Of(err))
			if !ok || e.Kind == reason.Internal || got != nil {
				t.Fatalf("%v with %q", err, got)
			}
			return
		}
		for name := range got {
			if name != "signature" && name != "content" {
				t.Fatalf("field %q", name)
			}
		}
		if len(got["signature"]) == 0 {
			t.Fatal("no signature")
		}
	})
}
