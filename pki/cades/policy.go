package cades

import (
	"bytes"
	"encoding/asn1"
	"errors"

	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// SignaturePolicy is the signature policy that a signer named under the signature
// (RFC 5126, Section 5.8.1; EN 319 122-1, Section 5.2.9).
type SignaturePolicy struct {
	// Implied says that the policy follows from what was signed and is not named.
	// The other fields are then empty.
	Implied bool
	// ID names the policy.
	ID asn1.ObjectIdentifier
	// Algorithm and Hash are the digest of the policy document. A Hash that is empty
	// or zero means that the signer did not know it.
	Algorithm sigalg.AlgorithmIdentifier
	Hash      []byte
	// URI is where the document is said to be; empty if it is not said. Nobody
	// looks there.
	URI string
}

// maxQualifiers bounds the qualifiers of a policy. Two kinds are known.
const maxQualifiers = 16

// maxURI is the length in bytes of the longest address that is read.
const maxURI = 2048

var errURI = errors.New("cades: the address of the policy is too long or not of ASCII")

// Known reports whether the signer gave a digest of the policy document.
func (p *SignaturePolicy) Known() bool { return len(bytes.Trim(p.Hash, "\x00")) > 0 }

// Check compares the digest with a policy document. The error is a *reason.Error
// with reason.PolicyMismatch, or reason.SignatureAlgorithmUnsupported if the digest
// is of an unknown algorithm. A document in ASN.1 is hashed without its outermost
// tag and length (RFC 5126, Section 5.8.1); others are hashed whole. As nothing tells
// which a document is meant to be, either digest fits.
func (p *SignaturePolicy) Check(document []byte) error {
	h, err := sigalg.NewHash(p.Algorithm.Algorithm)
	if err != nil {
		return reason.New(reason.SignatureAlgorithmUnsupported, err)
	}
	h.Write(document)
	if bytes.Equal(h.Sum(nil), p.Hash) {
		return nil
	}
	var d der.Decoder
	r := d.Open(document, limits)
	content := r.Content(der.TagSequence)
	r.End()
	if d.Err() == nil {
		h.Reset()
		h.Write(content)
		if bytes.Equal(h.Sum(nil), p.Hash) {
			return nil
		}
	}
	return reason.Errorf(reason.PolicyMismatch, "cades: the document is not that of policy %s", p.ID)
}

// readPolicy reads SignaturePolicyIdentifier, which must be the only value.
func readPolicy(values []byte) (*SignaturePolicy, error) {
	var d der.Decoder
	top := d.Open(values, limits)
	if top.Peek(der.TagNull) {
		top.Null()
		top.End()
		if err := d.Err(); err != nil {
			return nil, err
		}
		return &SignaturePolicy{Implied: true}, nil
	}
	seq := top.Sequence()
	p := &SignaturePolicy{ID: seq.OID().ObjectIdentifier()}
	if seq.More() { // left out by software that does not know the digest
		hash := seq.Sequence()
		p.Algorithm = sigalg.Read(&hash)
		p.Hash = hash.OctetString()
		hash.End()
	}
	if seq.More() {
		p.qualifiers(seq.Sequence())
	}
	seq.End()
	top.End()
	if err := d.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// qualifiers reads SEQUENCE OF SigPolicyQualifierInfo, of which the address is kept.
func (p *SignaturePolicy) qualifiers(list der.Reader) {
	for n := 0; list.More(); n++ {
		if n == maxQualifiers {
			list.Fail(der.ErrTooMany)
		}
		info := list.Sequence()
		if string(info.OID()) != oidPolicyURI {
			info.Raw()
			info.End()
			continue
		}
		uri := info.Content(der.TagIA5String)
		if len(uri) > maxURI || bytes.ContainsFunc(uri, func(r rune) bool { return r > 0x7e || r < 0x20 }) {
			info.Fail(errURI)
		}
		p.URI = string(uri)
		info.End()
	}
}
