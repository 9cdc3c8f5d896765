// Package xmldsig verifies and makes XML signatures (W3C XML Signature Syntax
// and Processing, second edition) with GOST algorithms, as used by the list of
// accredited certification authorities, and canonicalises XML (Canonical XML
// 1.0 and Exclusive XML Canonicalization 1.0).
//
// [Verify] is for documents that carry one enveloped signature over the whole:
// nothing in such a document is outside the signature. [Inspect] is for the
// rest: it reports, signature by signature, what was covered.
package xmldsig

import (
	"crypto"
	"io"

	"propusk/pki/gostx509"
	"propusk/pki/verdict"
)

// Method is the identifier of a canonicalisation algorithm.
type Method string

// Canonicalisation algorithms.
const (
	C14N                Method = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	C14NWithComments    Method = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
	ExcC14N             Method = "http://www.w3.org/2001/10/xml-exc-c14n#"
	ExcC14NWithComments Method = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
)

// Canonicalize writes the canonical form of a whole document. inclusive lists
// the prefixes that exclusive canonicalisation treats inclusively ("#default"
// for the default namespace); it must be empty for C14N.
func Canonicalize(w io.Writer, doc []byte, m Method, inclusive ...string) error { panic("TODO") }

// Options says whom Verify believes.
type Options struct {
	// Signers are the pinned certificates: the signature must verify under the
	// key of one of them. Without any, nothing passes.
	Signers []*gostx509.Certificate
}

// Result is what Verify found. The zero value grants nothing.
type Result struct {
	status verdict.Status
	checks []verdict.Check
	signer *gostx509.Certificate
}

// Status says how the verification ended.
func (r Result) Status() verdict.Status { return r.status }

// Checks returns the steps in the order they ran.
func (r Result) Checks() []verdict.Check { return r.checks }

// Signer returns the pinned certificate that made the signature, and true only
// if the signature passed and covers the whole document.
func (r Result) Signer() (*gostx509.Certificate, bool) { return r.signer, r.status == verdict.Passed }

// Verify checks a document with one enveloped signature over the whole of it. A
// bad signature is a Result; an error means that doc is not XML this package
// reads.
func Verify(doc []byte, opts Options) (Result, error) { panic("TODO") }

// Sign returns doc with an enveloped signature, made by key and naming the
// certificate certDER, as the last child of the root element.
func Sign(doc []byte, key crypto.Signer, certDER []byte) ([]byte, error) { panic("TODO") }
