// Package problem answers requests that could not be served with problem
// documents (RFC 9457), and is the one place that maps a reason to an HTTP
// status.
package problem

import (
	"encoding/json"
	"net/http"

	"propusk/pki/reason"
	"propusk/pki/report"
)

// ContentType is the media type of a problem document. RFC 9457, Section 3.
const ContentType = "application/problem+json"

// typePrefix makes the "type" of a problem out of its code. RFC 9457, Section
// 3.1.1: a URI that identifies the kind of problem and need not be resolvable.
const typePrefix = "urn:propusk:problem:"

// Document is a problem document. Code is stable for ever; the other words are
// for people.
type Document struct {
	Type   string      `json:"type"`
	Title  string      `json:"title"`
	Status int         `json:"status"`
	Code   reason.Code `json:"code"`
	Text   report.Text `json:"text"`
	// Detail says which part of the request is meant. It never repeats the
	// value that was sent.
	Detail string `json:"detail,omitempty"`
	// SupportCode is the number of the request in the log.
	SupportCode string `json:"support_code"`
}

// New returns the document for a code. A code that the catalogue does not have
// becomes [reason.InternalError]. The detail must not hold what the client sent.
func New(code reason.Code, detail, supportCode string) Document {
	e := entry(code)
	return Document{
		Type:        typePrefix + string(e.Code),
		Title:       e.EN,
		Status:      Status(e.Code),
		Code:        e.Code,
		Text:        report.Text{RU: e.RU, EN: e.EN},
		Detail:      detail,
		SupportCode: supportCode,
	}
}

// Write sends the document.
func Write(w http.ResponseWriter, d Document) {
	body, err := json.Marshal(d)
	if err != nil {
		panic("problem: a document of strings does not encode: " + err.Error())
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(d.Status)
	w.Write(append(body, '\n')) //nolint:errcheck // the client went away; the status is in the log already
}

// Status returns the HTTP status of a code: by its kind, but for the few codes
// that HTTP itself has a status for. Nothing else in the program chooses a
// status for a reason.
func Status(code reason.Code) int {
	e := entry(code)
	switch e.Code {
	case reason.MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case reason.APIKeyMissing, reason.APIKeyUnknown, reason.SigningClientUnauthorized:
		return http.StatusUnauthorized // the next request can bring a key
	case reason.RequestFieldMissing, reason.RequestFieldUnknown, reason.RequestFieldRepeated, reason.RequestFieldBad,
		reason.FileIsPrivateKey, reason.FileIsPKCS12, reason.FileIsCertificate, reason.FileIsCertificateRequest, reason.FileIsCRL,
		reason.FileIsTimeStamp, reason.FileIsEncrypted, reason.FileIsArchive, reason.FileIsPDF, reason.FileIsXML, reason.FileIsDocument,
		reason.FilesSwapped, reason.DigestAlgorithmUnknown, reason.DigestBad:
		return http.StatusUnprocessableEntity
	}
	switch e.Kind {
	case reason.Malformed:
		return http.StatusBadRequest
	case reason.TooLarge:
		return http.StatusRequestEntityTooLarge
	case reason.Credential, reason.Policy:
		// Not 401, which needs a challenge for the next request to answer: a
		// certificate comes with the connection. RFC 9110, Section 15.5.2.
		return http.StatusForbidden
	case reason.NotFound:
		return http.StatusNotFound
	case reason.Conflict:
		return http.StatusConflict
	case reason.Unsupported:
		return http.StatusUnsupportedMediaType
	case reason.Limited:
		return http.StatusTooManyRequests
	case reason.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

func entry(code reason.Code) reason.Entry {
	if e, ok := reason.Lookup(code); ok {
		return e
	}
	e, _ := reason.Lookup(reason.InternalError)
	return e
}
