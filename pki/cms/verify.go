package cms

import (
	"encoding/asn1"

	"propusk/pki/gostx509"
	"propusk/pki/verdict"
)

// Content is the document that a signature was made over, given beside the
// signature. The zero value means that it was not given.
type Content struct {
	given   bool
	bytes   []byte
	digests []contentDigest
}

// contentDigest is a digest of a document that is itself not at hand.
type contentDigest struct {
	algorithm asn1.ObjectIdentifier
	digest    []byte
}

// Document is a document that is at hand. An empty one is a document too. The
// slice is not copied and must not be modified during the verification.
func Document(b []byte) Content { return Content{given: true, bytes: b} }

// Digest is a document known only by its digest, computed with the digest
// algorithm of the given OID.
//
// The caller vouches that the digest is of a document: with a signature that has
// no signed attributes, nothing here can tell a document from the attributes of
// another signature.
func Digest(algorithm asn1.ObjectIdentifier, digest []byte) Content {
	return Content{digests: []contentDigest{{algorithm, digest}}}
}

// Result is what the mathematics says about one signer. The zero value grants
// nothing.
type Result struct {
	// Certificate is the certificate that the SignerInfo names. If Math passed,
	// its key made the signature; otherwise it is only a claim. Nil when there is
	// none.
	Certificate *gostx509.Certificate
	Level       Level
	// Math holds the checks of the signature itself and of the document.
	Math []verdict.Check
	// Format holds the rules of the format whose breach leaves a part of the
	// file unprotected, although the mathematics is right.
	Format []verdict.Check
}

// Verify checks every signer, in the order of the file: the result has as many
// elements as Signers. Certificates given beside the file are candidates for the
// signer's certificate, after those in the file.
func (sd *SignedData) Verify(content Content, more ...*gostx509.Certificate) []Result {
	panic("TODO")
}
