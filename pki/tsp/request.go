package tsp

import "encoding/asn1"

// Request is a TimeStampReq: RFC 3161, Section 2.4.1.
type Request struct {
	Digest Imprint
	// Policy is the one that is asked for; nil: any.
	Policy asn1.ObjectIdentifier
	// Nonce is the content of the INTEGER; nil: none.
	Nonce []byte
	// WantCertificate asks for the certificate of the TSA in the token.
	WantCertificate bool
	// Extensions as they stand.
	Extensions []Extension
}

// ParseRequest reads a request in DER.
func ParseRequest(data []byte) (*Request, error) { panic("TODO") }

// Marshal returns the DER of the request.
func (r *Request) Marshal() ([]byte, error) { panic("TODO") }

// ParseResponse reads a TimeStampResp in DER and returns its token.
func ParseResponse(data []byte) (*Token, error) { panic("TODO") }
