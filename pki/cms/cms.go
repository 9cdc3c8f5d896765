// Package cms reads CMS SignedData (RFC 5652, Section 5) and verifies the
// mathematics of its signatures: attached and detached, plain CMS and CAdES-BES
// (ETSI EN 319 122-1; RFC 5126). It makes CAdES-BES signatures with keys of GOST R
// 34.10-2012, see [Create], and adds them to files, see [SignedData.Add].
//
// Nothing is re-encoded on the way: the signed attributes are hashed as they
// were received, because real software does not sort them. Whether the
// certificate of a signer deserves trust is not judged here: see package
// validate.
package cms

import (
	"encoding/asn1"
	"time"
	"unicode/utf8"

	"propusk/pki/der"
	"propusk/pki/sigalg"
)

// Limits on what is read.
const (
	// MaxSize is the length in bytes of the longest signature that is read, the
	// attached document included. The bytes are held in memory; without a bound
	// one request could take it all.
	MaxSize = 64 << 20

	// MaxSigners is the number of signers in one file. Each costs a signature
	// check and a chain; without a bound a small file could occupy a processor
	// for minutes.
	MaxSigners = 64

	// MaxCertificates is the number of certificates in one file. Each is parsed
	// and offered to the path builder as a candidate.
	MaxCertificates = 64

	// MaxCRLs is the number of revocation lists in one file.
	MaxCRLs = 64

	// MaxAttributes is the number of attributes of one signer, signed and
	// unsigned separately. Duplicates are looked for among them all.
	MaxAttributes = 64

	// MaxDigestAlgorithms is the number of digest algorithms in one file. Each
	// that is used costs one pass over the document.
	MaxDigestAlgorithms = 16
)

// SignedData is one parsed file. Slices point into Raw; nothing may be modified.
// It is safe for concurrent use.
type SignedData struct {
	Raw     []byte // the ContentInfo in DER, after PEM, base64 and BER are removed
	Version int    // CMSVersion

	DigestAlgorithms []sigalg.AlgorithmIdentifier

	ContentType asn1.ObjectIdentifier // eContentType
	Content     []byte                // eContent; nil when the signature is detached
	Detached    bool                  // eContent is absent

	Certificates [][]byte // X.509 certificates in DER, in the order of the file
	CRLs         [][]byte // X.509 CRLs in DER, in the order of the file
	Signers      []Signer

	// OCSPResponses are the answers of revocation servers that stand among the
	// CRLs (RFC 5940, Section 2), OCSPResponse in DER. Nobody has looked at them.
	OCSPResponses [][]byte

	// Skipped is the number of certificates and revocation data of other kinds,
	// such as attribute certificates.
	Skipped int

	// RawEncapContentInfo, RawCertificates and RawCRLs are the elements of the file
	// as they stand in DER, with their headers, for digests over the file: archive
	// time-stamps. An element that is absent is nil, and so is the first one when
	// the document inside it was not held.
	RawEncapContentInfo, RawCertificates, RawCRLs []byte

	spare          *parser  // for Reset
	passed         *Content // of ParseStream: what is known of the attached document
	rawContentType der.OID
	counter        bool // stands for the signature that a counter-signature is over
	rightVersion   bool // Version is the one that RFC 5652, Section 5.1 demands
}

// isData reports whether the content is id-data, that is, just bytes.
func (sd *SignedData) isData() bool { return string(sd.rawContentType) == oidData }

// Signer is one SignerInfo (RFC 5652, Section 5.3).
type Signer struct {
	Raw     []byte // the SignerInfo as it stands in DER
	Version int    // CMSVersion

	// The signer is named either by Issuer and Serial, or by SubjectKeyID; the
	// other form is nil.
	Issuer       []byte // DER of the Name
	Serial       []byte // content of the INTEGER
	SubjectKeyID []byte

	DigestAlgorithm    sigalg.AlgorithmIdentifier
	SignatureAlgorithm sigalg.AlgorithmIdentifier
	Signature          []byte

	// RawSignedAttrs is the element as received, with its tag [0]; nil when there
	// are no signed attributes.
	RawSignedAttrs []byte
	SignedAttrs    []Attribute
	UnsignedAttrs  []Attribute // read by package cades: time-stamps, counter-signatures
}

// Attribute is one Attribute of RFC 5652, Section 5.3.
type Attribute struct {
	Type   der.OID
	Values []byte // content of the SET: values one after another, in DER
}

// Level says what kind of signature a signer made. The zero value is unknown.
type Level string

// The levels. This package tells the first three apart; package cades tells the
// others, which are made by adding to a signature (ETSI EN 319 122-2; RFC 5126,
// Section 4.3 and 4.4).
const (
	// Plain is CMS without a signing-certificate attribute.
	Plain Level = "CMS"
	// BES is CAdES-BES: the signer's certificate is named under the signature.
	BES Level = "CAdES-BES"
	// EPES is CAdES-EPES: a BES that names a signature policy under the signature.
	EPES Level = "CAdES-EPES"
	// T is CAdES-T: a time-stamp over the signature.
	T Level = "CAdES-T"
	// C is CAdES-C: a T with references to the certificates and revocation data that
	// it is verified with.
	C Level = "CAdES-C"
	// XType1 is CAdES-X Type 1: a C with a time-stamp over all of it.
	XType1 Level = "CAdES-X Type 1"
	// XType2 is CAdES-X Type 2: a C with a time-stamp over the references.
	XType2 Level = "CAdES-X Type 2"
	// XLong is CAdES-X Long: a C with what is referred to.
	XLong Level = "CAdES-X Long"
	// XLongType1 is both XLong and XType1, the long-term form of Russian practice.
	XLongType1 Level = "CAdES-X Long Type 1"
	// XLongType2 is both XLong and XType2.
	XLongType2 Level = "CAdES-X Long Type 2"
	// A is CAdES-A: a T with the data it is verified with and a time-stamp of the
	// old forms over all of it.
	A Level = "CAdES-A"
	// LTA is CAdES-LTA: as A, with a time-stamp of the present form,
	// archive-time-stamp-v3.
	LTA Level = "CAdES-LTA"
)

// SigningTime returns the time that the signer claims, and false if there is no
// claim. It is evidence of nothing: the signer's own clock wrote it.
func (s *Signer) SigningTime() (time.Time, bool) {
	value, found := s.signed(oidSigningTime)
	if !found {
		return time.Time{}, false
	}
	var d der.Decoder
	r := d.Open(value, derLimits)
	t := r.Time()
	r.End()
	return t, d.Err() == nil
}

// Description returns what the signer says that the document is, by the attribute
// content-hints, and whether there is that attribute: one without a description, or that
// cannot be read, is there with an empty one. RFC 2634, Section 2.9.
func (s *Signer) Description() (text string, found bool) {
	values, found := s.signed(oidContentHints)
	if !found {
		return "", false
	}
	var d der.Decoder
	r := d.Open(values, derLimits)
	hints := r.Sequence()
	var raw []byte
	if hints.Peek(der.TagUTF8String) {
		raw = hints.Content(der.TagUTF8String)
	}
	hints.OID()
	hints.End()
	r.End()
	if d.Err() != nil || !utf8.Valid(raw) {
		return "", true
	}
	return string(raw), true
}

// signed returns the values of the signed attribute of the given type.
func (s *Signer) signed(oid string) (values []byte, found bool) {
	for _, a := range s.SignedAttrs {
		if string(a.Type) == oid {
			return a.Values, true
		}
	}
	return nil, false
}
