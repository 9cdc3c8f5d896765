package responder

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
	"propusk/pki/tsp"
)

// maxRequest bounds what anybody may send, in bytes.
const maxRequest = 16 << 10

// fresh is how long an OCSP answer may be kept.
const fresh = time.Hour

// Types of content of RFC 6960, Appendix A.
const (
	ocspRequestType  = "application/ocsp-request"
	ocspResponseType = "application/ocsp-response"
)

// timeStamp answers a request for a time-stamp: RFC 3161, Section 3.4.
func (r *Responder) timeStamp(w http.ResponseWriter, request *http.Request) {
	query, ok := body(w, request, tsp.QueryType)
	if !ok {
		return
	}
	reply, err := r.tsa.Respond(query, r.now())
	if err != nil {
		http.Error(w, "the authority cannot stamp", http.StatusInternalServerError)
		return
	}
	answer(w, tsp.ReplyType, reply)
}

func (r *Responder) ocspPost(w http.ResponseWriter, request *http.Request) {
	if query, ok := body(w, request, ocspRequestType); ok {
		answer(w, ocspResponseType, r.status(query))
	}
}

// ocspGet answers a request that stood in the path: RFC 6960, Appendix A.1.
func (r *Responder) ocspGet(w http.ResponseWriter, text string) {
	query, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(query) > maxRequest {
		answer(w, ocspResponseType, ocsp.CreateRefusal(ocsp.MalformedRequest))
		return
	}
	answer(w, ocspResponseType, r.status(query))
}

// body reads a request of a type.
func body(w http.ResponseWriter, request *http.Request, kind string) ([]byte, bool) {
	if got, _, err := mime.ParseMediaType(request.Header.Get("Content-Type")); err != nil || got != kind {
		http.Error(w, "want "+kind, http.StatusUnsupportedMediaType)
		return nil, false
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxRequest))
	if err != nil {
		http.Error(w, "too long, or cut off", http.StatusBadRequest)
		return nil, false
	}
	return data, true
}

// status answers an OCSP request. One answer is of one CA: that of the first
// certificate that is asked about. What its list does not name is good.
func (r *Responder) status(query []byte) []byte {
	q, err := ocsp.ParseRequest(query)
	if err != nil || q.Unusable != nil {
		return ocsp.CreateRefusal(ocsp.MalformedRequest)
	}
	a := r.issuer(q.IDs[0])
	if a == nil {
		return ocsp.CreateRefusal(ocsp.Unauthorized)
	}
	raw, err := os.ReadFile(a.crl)
	if err != nil {
		return ocsp.CreateRefusal(ocsp.TryLater)
	}
	list, err := crl.Parse(raw)
	if err != nil {
		return ocsp.CreateRefusal(ocsp.InternalError)
	}
	now := r.now()
	t := ocsp.Template{ProducedAt: now, Nonce: q.Nonce, Certificates: []*gostx509.Certificate{a.responder}}
	for _, id := range q.IDs {
		t.Singles = append(t.Singles, r.single(a, list, id, now))
	}
	response, err := ocsp.CreateResponse(nil, t, a.responder, a.key)
	if err != nil {
		return ocsp.CreateRefusal(ocsp.InternalError)
	}
	return response
}

// single is the answer about one certificate.
func (r *Responder) single(a *authority, list *crl.List, id ocsp.ID, now time.Time) ocsp.Single {
	s := ocsp.Single{ID: id, Status: ocsp.Good, ThisUpdate: now, NextUpdate: now.Add(fresh)}
	if r.issuer(id) != a {
		s.Status = ocsp.Unknown
		return s
	}
	if entry, revoked := list.Lookup(id.Serial); revoked {
		s.Status, s.RevokedAt, s.Reason = ocsp.Revoked, entry.RevokedAt, entry.Reason
	}
	return s
}

// issuer returns the CA that an ID names; nil if it is none of ours.
func (r *Responder) issuer(id ocsp.ID) *authority {
	for i := range r.authorities {
		a := &r.authorities[i]
		own, err := ocsp.NewID(id.Digest, a.responder, a.cert)
		if err == nil && bytes.Equal(own.NameHash, id.NameHash) && bytes.Equal(own.KeyHash, id.KeyHash) {
			return a
		}
	}
	return nil
}
