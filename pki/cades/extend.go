package cades

import (
	"context"
	"encoding/asn1"

	"propusk/pki/gostx509"
	"propusk/pki/tsp"
)

// Stamper obtains time-stamps; *tsp.Client is one.
type Stamper interface {
	// Stamp returns a token of a digest that was computed with the algorithm given.
	// The token is of that digest, with a signature that is right.
	Stamp(ctx context.Context, digestOID asn1.ObjectIdentifier, digest []byte) (*tsp.Token, error)
}

// Material is what a signature must carry so that it can be judged without a
// network: the certificates and the revocation data of the path of everybody who
// signed, time-stamping authorities included. The zero value is nothing.
type Material struct {
	// Certificates of CAs, in any order. That of the signer may be among them.
	Certificates []*gostx509.Certificate
	// CRLs are revocation lists in DER.
	CRLs [][]byte
	// OCSPs are answers in DER: each a BasicOCSPResponse (RFC 6960, Section 4.2.1).
	OCSPs [][]byte
}

// ExtendT adds a signature-time-stamp to the signature with the given number,
// counted from 0.
func ExtendT(ctx context.Context, file []byte, signer int, stamper Stamper) ([]byte, error) {
	panic("TODO")
}

// ExtendXLongType1 makes CAdES-X Long Type 1 of CAdES-T.
func ExtendXLongType1(ctx context.Context, file []byte, signer int, stamper Stamper, material Material) ([]byte, error) {
	panic("TODO")
}

// ExtendArchive adds an archive-time-stamp-v3. A detached document is given, nil otherwise.
func ExtendArchive(ctx context.Context, file, document []byte, signer int, stamper Stamper, material Material) ([]byte, error) {
	panic("TODO")
}
