package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"propusk/pki/reason"
)

// brokenBody fails like a connection that was cut.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) {
	return 0, errors.New("read tcp 192.0.2.1: reset by peer")
}

func TestBrokenConnection(t *testing.T) {
	s := newService(t)
	contentType, _ := formBody(t)
	for _, media := range []string{"application/json", "application/octet-stream", contentType, "application/x-ndjson"} {
		target := "/api/v1/verify"
		if media == typeNDJSON {
			target += "/batch"
		}
		w := s.do(target, media, brokenBody{})
		wantProblem(t, media, w, http.StatusBadRequest, reason.RequestMalformed)
		if strings.Contains(w.Body.String(), "192.0.2.1") {
			t.Errorf("%s: the error goes to the client", media)
		}
	}
}

// FuzzVerify: whatever the body, the answer is a verdict or a problem that blames the
// request.
func FuzzVerify(f *testing.F) {
	const boundary = "multipart/form-data; boundary=B"
	s := newService(f)
	f.Add("/api/v1/verify", "application/octet-stream", string(s.attached("ip", "x")))
	f.Add("/api/v1/verify", "application/json", object("signature", []byte("sig"), "content", []byte{}))
	f.Add("/api/v1/verify", boundary, "--B\r\nContent-Disposition: form-data; name=\"signature\"\r\n\r\nsig\r\n--B--\r\n")
	f.Add("/api/v1/verify/digest", "application/json", `{"signature":"c2ln","digests":[{"algorithm":"sha256","value":""}]}`)
	f.Add("/api/v1/verify/digest", boundary, "--B\r\nContent-Disposition: form-data; name=\"digest\"\r\n\r\nsha256:00\r\n--B--\r\n")
	f.Add("/api/v1/verify/batch", "application/json", `[{"id":"a","signature":"c2ln"}]`)
	f.Add("/api/v1/verify/batch", "application/x-ndjson", "{\"signature\":\"c2ln\"}\n\n{}\n")
	f.Add("/api/v1/verify/batch", boundary, "--B\r\nContent-Disposition: form-data; name=\"signature.1\"\r\n\r\nsig\r\n--B--\r\n")
	f.Add("/api/v1/certificates/check", "application/octet-stream", "x")
	f.Add("/verify", boundary, "--B\r\nContent-Disposition: form-data; name=\"lang\"\r\n\r\nen\r\n--B--\r\n")
	f.Fuzz(func(t *testing.T, target, contentType, body string) {
		switch target {
		case "/api/v1/verify", "/api/v1/verify/digest", "/api/v1/verify/batch", "/api/v1/certificates/check", "/verify":
		default:
			return
		}
		w := s.do(target, "", strings.NewReader(body), "Content-Type", contentType)
		if w.Code >= 500 {
			t.Fatalf("%d\n%s", w.Code, w.Body)
		}
		if left := s.api.memory.left.Load(); left != int64(4*bodiesPerVerification)*s.api.opts.MaxBody {
			t.Fatalf("%d bytes of the budget are left", left)
		}
	})
}
