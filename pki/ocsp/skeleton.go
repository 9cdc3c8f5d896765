package ocsp

import (
	"crypto"
	"encoding/asn1"
	"io"
	"time"

	"propusk/pki/gostx509"
)

// NewID names cert, issued by issuer, with digests of the given algorithm.
func NewID(digest asn1.ObjectIdentifier, cert, issuer *gostx509.Certificate) (ID, error) {
	panic("TODO")
}

// Matches reports whether the ID names cert, issued by issuer.
func (id ID) Matches(cert, issuer *gostx509.Certificate) bool { panic("TODO") }

// Request is a parsed request.
type Request struct {
	Raw   []byte
	IDs   []ID
	Nonce []byte
}

// CreateRequest makes a request.
func CreateRequest(nonce []byte, certs ...ID) ([]byte, error) { panic("TODO") }

// ParseRequest reads a request.
func ParseRequest(der []byte) (*Request, error) { panic("TODO") }

// Parse reads an OCSPResponse or a bare BasicOCSPResponse in DER.
func Parse(der []byte) (*Response, error) { panic("TODO") }

// ParseBasic reads a bare BasicOCSPResponse.
func ParseBasic(der []byte) (*Response, error) { panic("TODO") }

// SHA256 returns the fingerprint of RawBasic.
func (r *Response) SHA256() [32]byte { panic("TODO") }

// CheckSignature checks that the response was signed by issuer or by a responder that issuer empowered.
func (r *Response) CheckSignature(issuer *gostx509.Certificate, at time.Time) error { panic("TODO") }

// Lookup finds the answer about a certificate.
func (r *Response) Lookup(cert, issuer *gostx509.Certificate) (Single, bool) { panic("TODO") }

// Template is what CreateResponse writes.
type Template struct {
	// ProducedAt, and the dates of Singles, are written to the second.
	ProducedAt time.Time
	Singles    []Single
	Nonce      []byte // left out if nil
	// ByName names the responder by its name instead of by the digest of its key.
	ByName bool
	// Certificates go into the response; the signer's own is needed there if it is not the issuer.
	Certificates []*gostx509.Certificate
	Extra        []gostx509.Extension // further extensions, written as they are
}

// CreateResponse makes a successful OCSPResponse.
func CreateResponse(rand io.Reader, t Template, signer *gostx509.Certificate, key crypto.Signer) ([]byte, error) {
	panic("TODO")
}

// ResponseStatus is how a request was answered without an answer about a certificate.
// It is an error.
type ResponseStatus uint8

// The statuses of RFC 6960, Section 4.2.1.
const (
	Successful       ResponseStatus = 0
	MalformedRequest ResponseStatus = 1
	InternalError    ResponseStatus = 2
	TryLater         ResponseStatus = 3
	SigRequired      ResponseStatus = 5
	Unauthorized     ResponseStatus = 6
)

// CreateRefusal makes an OCSPResponse that holds no answer. The status must not be Successful.
func CreateRefusal(s ResponseStatus) []byte { panic("TODO") }
