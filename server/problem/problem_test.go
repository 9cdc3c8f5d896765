package problem

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"propusk/pki/reason"
)

func TestStatus(t *testing.T) {
	for code, want := range map[reason.Code]int{
		reason.RequestMalformed:     http.StatusBadRequest,
		reason.RequestBase64:        http.StatusBadRequest,
		reason.RequestFieldUnknown:  http.StatusUnprocessableEntity,
		reason.RequestTooLarge:      http.StatusRequestEntityTooLarge,
		reason.MediaTypeUnsupported: http.StatusUnsupportedMediaType,
		reason.MethodNotAllowed:     http.StatusMethodNotAllowed,
		reason.PageNotFound:         http.StatusNotFound,
		reason.NoCertificate:        http.StatusForbidden,
		reason.CertExpired:          http.StatusForbidden,
		reason.CertNotYetValid:      http.StatusForbidden,
		reason.UnknownCA:            http.StatusForbidden,
		reason.CANotAccredited:      http.StatusForbidden,
		reason.CertRevoked:          http.StatusForbidden,
		reason.NotQualified:         http.StatusForbidden,
		reason.WrongHolderKind:      http.StatusForbidden,
		reason.SignInTicketInvalid:  http.StatusConflict,
		reason.TrustDataStale:       http.StatusServiceUnavailable,
		reason.InternalError:        http.StatusInternalServerError,
		"no-such-code":              http.StatusInternalServerError,
	} {
		if got := Status(code); got != want {
			t.Errorf("Status(%s) = %d, want %d", code, got, want)
		}
	}
}

// TestNothingSucceeds: whatever the reason, the status must say that the request
// was refused.
func TestNothingSucceeds(t *testing.T) {
	for _, e := range reason.All() {
		if s := Status(e.Code); s < 400 {
			t.Errorf("Status(%s) = %d", e.Code, s)
		}
		if s := Status(e.Code); s == http.StatusInternalServerError && e.Kind != reason.Internal {
			t.Errorf("Status(%s) = 500, though it is not our mistake", e.Code)
		}
	}
}

func TestWrite(t *testing.T) {
	w := httptest.NewRecorder()
	Write(w, New(reason.RequestTooLarge, "the body is longer than the limit", "ABCD-EFGH-JKMN"))
	if got := w.Header().Get("Content-Type"); got != ContentType {
		t.Errorf("Content-Type = %q", got)
	}
	var d Document
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if w.Code != 413 || d.Status != 413 || d.Code != reason.RequestTooLarge || d.SupportCode != "ABCD-EFGH-JKMN" ||
		d.Type != "urn:propusk:problem:request-too-large" || d.Text.RU == "" || d.Text.EN == "" {
		t.Errorf("status %d, document %+v", w.Code, d)
	}
}
