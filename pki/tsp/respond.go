package tsp

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"io"
	"slices"
	"time"

	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Authority is a TSA. It is safe for concurrent use if Key and Random are.
type Authority struct {
	// Certificate is that of Key: one for time-stamps only.
	Certificate *gostx509.Certificate
	// Chain holds the certificates of the CAs above, to be included on request.
	Chain []*gostx509.Certificate
	// Key signs; see cms.Signatory.
	Key crypto.Signer
	// Policy is the one under which tokens are made. A request that wants another
	// is refused.
	Policy asn1.ObjectIdentifier
	// Accuracy is that of the clock, in whole microseconds; zero: not said.
	Accuracy time.Duration
	// Random is the source of serial numbers and signatures; nil: crypto/rand.
	Random io.Reader
}

// Respond answers a request in DER with a response in DER, as of the moment given.
// What is wrong with the request is said in the response. An error is a fault of
// the authority itself, with reason.TimeStampSigner, CertNotYetValid or CertExpired
// when its certificate may not stamp; there is then no response.
func (a *Authority) Respond(request []byte, at time.Time) ([]byte, error) {
	switch {
	case a.Certificate == nil || !forTimeStamps(a.Certificate):
		return nil, reason.New(reason.TimeStampSigner, errNoPurpose)
	case at.Before(a.Certificate.NotBefore):
		return nil, reason.New(reason.CertNotYetValid, errNotInForce)
	case at.After(a.Certificate.NotAfter):
		return nil, reason.New(reason.CertExpired, errNotInForce)
	}
	q, refusal := a.judge(request)
	if refusal != nil {
		return refusal.marshal()
	}
	t := Template{
		Policy: a.Policy, Digest: q.Digest, GenTime: at, Accuracy: a.Accuracy, Nonce: q.Nonce, Named: true,
	}
	if q.WantCertificate {
		t.Certificates = slices.Concat([]*gostx509.Certificate{a.Certificate}, a.Chain)
	}
	token, err := Create(a.Random, t, a.Certificate, a.Key)
	if err != nil {
		return nil, err
	}
	return marshalGranted(token)
}

// judge reads a request and says why it is refused: RFC 3161, Sections 2.2 and
// 2.4.1.
func (a *Authority) judge(request []byte) (*Request, *Refusal) {
	q, err := ParseRequest(request)
	if err != nil {
		return nil, refuse(err)
	}
	if _, err := sigalg.NewHash(q.Digest.Algorithm.Algorithm); err != nil {
		return nil, &Refusal{Rejection, BadAlg, "unknown or forbidden digest algorithm"}
	}
	if q.Policy != nil && !q.Policy.Equal(a.Policy) {
		return nil, &Refusal{Rejection, UnacceptedPolicy, "another policy"}
	}
	if len(q.Extensions) > 0 { // critical or not: Section 2.4.1
		return nil, &Refusal{Rejection, UnacceptedExtension, "extensions are not supported"}
	}
	return q, nil
}

// refuse says what is wrong with a request that cannot be read.
func refuse(err error) *Refusal {
	switch syntax, ok := errors.AsType[*der.SyntaxError](err); {
	case ok && errors.Is(syntax, errParameters):
		return &Refusal{Rejection, BadAlg, "unexpected parameters of the digest algorithm"}
	case ok && errors.Is(syntax, errLength):
		return &Refusal{Rejection, BadDataFormat, "the length of the digest does not fit its algorithm"}
	case ok && errors.Is(syntax, errVersion):
		return &Refusal{Rejection, BadRequest, "unknown version"}
	default:
		return &Refusal{Rejection, BadDataFormat, "the request cannot be read"}
	}
}
