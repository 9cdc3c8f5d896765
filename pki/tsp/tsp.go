// Package tsp reads, makes and verifies time-stamps of RFC 3161 with the update of
// RFC 5816: requests, responses and tokens, for Streebog and SHA-2 alike. A token is
// a signed statement of a time-stamping authority (TSA) that data with a certain
// digest existed at a certain moment.
//
// The mathematics of a token is judged here. Whether anybody trusts the TSA is not:
// see package validate.
package tsp

import (
	"bytes"
	"encoding/asn1"
	"time"

	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Limits on what is read.
const (
	// MaxRequest is the length in bytes of the longest request that is read. One
	// has a digest, a nonce and little else.
	MaxRequest = 4 << 10

	// MaxToken is the length in bytes of the longest token or response that is
	// read. One holds a few certificates and perhaps revocation lists.
	MaxToken = 1 << 20

	// MaxNonce is the length in bytes of the longest nonce. Real ones have 8 to 20.
	MaxNonce = 64

	// MaxSerial is the length in bytes of the longest serial number of a token:
	// RFC 3161, Section 2.4.2, demands 160 bits, and one leading zero.
	MaxSerial = 21

	maxExtensions = 16 // of a request or token; none is known that we honour
	maxDigest     = 64 // bytes of a digest of an unknown algorithm
)

// limits of the DER reader. Fields of a token that belong to CMS are read by
// package cms.
var limits = der.Limits{Size: MaxToken, Depth: 16, Elements: 1 << 10}

// Imprint is a digest of what is stamped: MessageImprint of RFC 3161, Section
// 2.4.1.
type Imprint struct {
	// Algorithm is that of the digest. It must not be modified.
	Algorithm sigalg.AlgorithmIdentifier
	// Hash is the digest; its length fits the algorithm wherever that is known.
	Hash []byte
}

// equal reports whether two imprints are the same. Parameters NULL are as good as
// absent ones.
func (i Imprint) equal(j Imprint) bool {
	return i.Algorithm.Algorithm.Equal(j.Algorithm.Algorithm) && bytes.Equal(i.Hash, j.Hash)
}

// readImprint reads MessageImprint. Parameters other than NULL, a digest of a wrong
// length and one of an unknown algorithm that is too long are refused.
func readImprint(r *der.Reader) Imprint {
	seq := r.Sequence()
	var i Imprint
	i.Algorithm = sigalg.Read(&seq)
	i.Hash = seq.OctetString()
	seq.End()
	if !r.Ok() {
		return Imprint{}
	}
	if p := i.Algorithm.Parameters; p != nil && string(p) != "\x05\x00" {
		r.Fail(errParameters)
	}
	if h, err := sigalg.NewHash(i.Algorithm.Algorithm); err == nil && len(i.Hash) != h.Size() {
		r.Fail(errLength)
	}
	if len(i.Hash) == 0 || len(i.Hash) > maxDigest {
		r.Fail(errLength)
	}
	return i
}

// check compares the imprint with data.
func (i Imprint) check(parts [][]byte) error {
	h, err := sigalg.NewHash(i.Algorithm.Algorithm)
	if err != nil {
		return reason.New(reason.TimeStampAlgorithm, err)
	}
	for _, p := range parts {
		h.Write(p)
	}
	if !bytes.Equal(h.Sum(nil), i.Hash) {
		return reason.New(reason.TimeStampImprint, errImprint)
	}
	return nil
}

// Extension is one extension of a request or token.
type Extension struct {
	ID       asn1.ObjectIdentifier
	Critical bool
	Value    []byte // content of the OCTET STRING
}

// readExtensions reads optional Extensions under the tag given: RFC 5280, Section
// 4.1. A type may not occur twice.
func readExtensions(r *der.Reader, tag der.Tag) []Extension {
	if !r.Peek(tag) {
		return nil
	}
	set := r.Enter(tag)
	if set.Ok() && !set.More() {
		set.Fail(der.ErrTruncated)
	}
	var all []Extension
	for set.More() {
		seq := set.Sequence()
		e := Extension{ID: seq.OID().ObjectIdentifier()}
		e.Critical = seq.DefaultFalse()
		e.Value = seq.OctetString()
		seq.End()
		for _, known := range all {
			if known.ID.Equal(e.ID) {
				set.Fail(errRepeated)
			}
		}
		if all = append(all, e); len(all) > maxExtensions {
			set.Fail(der.ErrTooMany)
		}
	}
	return all
}

// readAccuracy reads Accuracy, which is seconds, milliseconds and microseconds: RFC
// 3161, Section 2.4.2.
func readAccuracy(r *der.Reader) time.Duration {
	const most = 24 * 60 * 60 // seconds: a clock that is a day off stamps nothing
	seq := r.Sequence()
	var d time.Duration
	if seq.Peek(der.TagInteger) {
		d += time.Duration(seq.Int(most)) * time.Second
	}
	d += time.Duration(fraction(&seq, der.Context(0))) * time.Millisecond
	d += time.Duration(fraction(&seq, der.Context(1))) * time.Microsecond
	seq.End()
	return d
}

// fraction reads an optional INTEGER (1..999) under an IMPLICIT tag.
func fraction(r *der.Reader, tag der.Tag) int {
	if !r.Peek(tag) {
		return 0
	}
	content := r.IntegerTag(tag)
	n := 0
	if len(content) > 0 && content[0]&0x80 != 0 {
		content = nil // negative
	}
	for _, b := range content {
		n = n<<8 | int(b)
		if n > 999 {
			break
		}
	}
	if n < 1 || n > 999 {
		r.Fail(der.ErrRange)
		return 0
	}
	return n
}
