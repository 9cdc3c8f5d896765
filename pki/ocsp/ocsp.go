// Package ocsp reads and makes requests and responses of the Online Certificate
// Status Protocol (RFC 6960), with nonces of RFC 9654 and the GOST algorithms of
// RFC 9215 and RFC 4491.
//
// «Good» is an answer only if it is about this certificate of this issuer, signed
// by the issuer or by a responder that the issuer itself empowered, and of the
// right time. [Response.CheckSignature] and [Response.Lookup] each check their
// part; package revocation asks for all of them.
package ocsp

import (
	"encoding/asn1"
	"time"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/sigalg"
)

// ID names a certificate by its issuer and number (CertID: RFC 6960, Section
// 4.1.1). Make it with [NewID]; the zero value names nothing.
type ID struct {
	// Digest is the algorithm of both digests.
	Digest asn1.ObjectIdentifier
	// NameHash is the digest of the DER of the issuer's name, KeyHash that of its
	// public key: the content of subjectPublicKey without tag, length and number
	// of unused bits.
	NameHash, KeyHash []byte
	// Serial is the number in the form of gostx509.Certificate.Serial.
	Serial []byte

	parameters []byte // of Digest, as they stood in the message
}

// CertStatus is what a responder says about one certificate.
type CertStatus uint8

// What a responder may say (RFC 6960, Section 2.2).
const (
	// Unknown means that the responder does not know the certificate. It is the
	// zero value.
	Unknown CertStatus = iota
	// Good means that the certificate is not revoked; not that it was ever issued.
	Good
	// Revoked means revoked for ever, or suspended if the reason is
	// certificateHold.
	Revoked
)

// String returns "unknown", "good" or "revoked".
func (s CertStatus) String() string {
	switch s {
	case Good:
		return "good"
	case Revoked:
		return "revoked"
	default:
		return "unknown"
	}
}

// Single is the answer about one certificate (SingleResponse: RFC 6960, Section
// 4.2.1).
type Single struct {
	ID     ID
	Status CertStatus
	// RevokedAt and Reason are set if Status is Revoked; the reason is
	// crl.Unspecified if the responder gives none.
	RevokedAt time.Time
	Reason    crl.Reason
	// InvalidSince is the invalidityDate; zero if absent.
	InvalidSince time.Time
	// ThisUpdate is the moment at which the answer was known to be right,
	// NextUpdate the one by which there will be a newer answer; zero if the
	// responder always has newer ones.
	ThisUpdate, NextUpdate time.Time
	// ArchiveCutoff is set if the responder knows about certificates that expired
	// at that moment or later (RFC 6960, Section 4.4.4).
	ArchiveCutoff time.Time
	// Unusable says why nothing may be concluded from this answer: it has a
	// critical extension that is not known. It is nil for one that can be used.
	Unusable error
}

// Response is one signed answer (BasicOCSPResponse: RFC 6960, Section 4.2.1). Its
// slices point into Raw, which belongs to it; nothing may be modified. It is safe for
// concurrent use.
type Response struct {
	// Raw is the DER that was parsed, exactly as it was given; RawBasic is the
	// BasicOCSPResponse in it, the whole of Raw if Raw was bare.
	Raw, RawBasic []byte
	// ProducedAt is when the responder signed.
	ProducedAt time.Time
	// ResponderName is the DER of the responder's name, or nil; ResponderKeyHash
	// is the SHA-1 of its public key, or nil. Exactly one is set.
	ResponderName, ResponderKeyHash []byte
	// Singles are the answers, in order; there is at least one.
	Singles []Single
	// Nonce is the content of the nonce; nil if there is none.
	Nonce []byte
	// Certificates came with the response, in order. Nobody trusts them.
	Certificates []*gostx509.Certificate
	// Unusable says why nothing may be concluded from the response: it has a
	// critical extension that is not known. It is nil for one that can be used.
	Unusable error
	// SignatureAlgorithm names the algorithm of the signature.
	SignatureAlgorithm sigalg.AlgorithmIdentifier

	rawData   []byte // the signed part
	signature []byte
}
