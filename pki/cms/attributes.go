package cms

import (
	"bytes"
	"errors"

	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

const citeAttributes = "RFC 5652, 11"

// checkAttributes checks the mandatory signed attributes. No type may occur
// twice: of two values, a careless reader takes the other one.
func (s *Signer) checkAttributes(sd *SignedData) verdict.Check {
	for i, a := range s.SignedAttrs {
		for _, b := range s.SignedAttrs[:i] {
			if bytes.Equal(a.Type, b.Type) {
				return verdict.Fail(CheckAttributes, reason.SignatureAttributesBad, citeAttributes, "repeated "+a.Type.String())
			}
		}
	}
	if code := s.checkContentType(sd); code != "" {
		return verdict.Fail(CheckAttributes, code, "RFC 5652, 11.1, 11.4", "content-type")
	}
	digest, _ := s.signed(oidMessageDigest)
	if _, ok := singleOctetString(digest); !ok {
		return verdict.Fail(CheckAttributes, reason.SignatureAttributesBad, "RFC 5652, 11.2", "message-digest")
	}
	if values, found := s.signed(oidSigningTime); found && !isSingle(values) {
		return verdict.Fail(CheckAttributes, reason.SignatureAttributesBad, "RFC 5652, 11.3", "signing-time")
	}
	if _, found := s.signed(oidCounterSignature); found {
		return verdict.Fail(CheckAttributes, reason.SignatureAttributesBad, "RFC 5652, 11.4", "counter-signature")
	}
	if values, found := s.signed(oidAlgorithmProtection); found && !s.protects(values) {
		return verdict.Fail(CheckAttributes, reason.SignatureAlgorithmMismatch, "RFC 6211, 3.1", "")
	}
	return verdict.Pass(CheckAttributes, citeAttributes)
}

// checkContentType compares the content type under the signature with that of the
// file. A counter-signature has none: RFC 5652, Section 11.4.
func (s *Signer) checkContentType(sd *SignedData) reason.Code {
	values, found := s.signed(oidContentType)
	if sd.counter {
		if found {
			return reason.SignatureAttributesBad
		}
		return ""
	}
	contentType, ok := singleOID(values)
	switch {
	case !ok:
		return reason.SignatureAttributesBad
	case !bytes.Equal(contentType, sd.rawContentType):
		return reason.ContentTypeMismatch
	default:
		return ""
	}
}

// protects compares the algorithms named in the attribute with those in use:
// RFC 6211, Section 3.1. NULL parameters are the same as absent ones.
func (s *Signer) protects(values []byte) bool {
	var d der.Decoder
	top := d.Open(values, derLimits)
	seq := top.Sequence()
	digest := sigalg.Read(&seq)
	var signature sigalg.AlgorithmIdentifier
	if seq.Peek(der.Constructed(1)) { // signatureAlgorithm [1] IMPLICIT
		inner := seq.Enter(der.Constructed(1))
		signature.Algorithm = inner.OID().ObjectIdentifier()
		if inner.More() {
			signature.Parameters = inner.Raw()
		}
		inner.End()
	}
	seq.End()
	top.End()
	return d.Err() == nil && sameAlgorithm(digest, s.DigestAlgorithm) && sameAlgorithm(signature, s.SignatureAlgorithm)
}

func sameAlgorithm(a, b sigalg.AlgorithmIdentifier) bool {
	return a.Algorithm.Equal(b.Algorithm) && hasPlainParameters(a) && hasPlainParameters(b)
}

// checkSigningCertificate appends checks that the certificate is the one that the signer
// named under the signature, in each attribute that is present: RFC 5035,
// Sections 3 and 5. Without them anybody could exchange the certificate for
// another one with the same key.
//
// There is no check when neither attribute is present: the signature is then
// plain CMS.
func (s *Signer) checkSigningCertificate(checks []verdict.Check, cert *gostx509.Certificate) []verdict.Check {
	if values, found := s.signed(oidSigningCertificate); found {
		checks = append(checks, checkESS(values, cert, readESSCertID, "RFC 5035, 5"))
	}
	if values, found := s.signed(oidSigningCertificateV2); found {
		checks = append(checks, checkESS(values, cert, readESSCertIDv2, "RFC 5035, 3"))
	}
	return checks
}

// essCertID is ESSCertID or ESSCertIDv2.
type essCertID struct {
	hash   func(*gostx509.Certificate) []byte // nil when the algorithm is unknown
	digest []byte
	serial []byte // nil when issuerSerial is absent
}

// errHash means that the hash of the certificate is of an unknown algorithm.
var errHash = errors.New("cms: unknown hash of the signing certificate")

// checkESS compares one attribute with the certificate. Only the first of the
// named certificates is that of the signer.
//
// The serial number is compared when it is there. The issuer beside it is not:
// software re-encodes names, and the hash covers the name already; see
// DIVERGENCES.md.
func checkESS(values []byte, cert *gostx509.Certificate, read func(*der.Reader) essCertID, cite string) verdict.Check {
	var d der.Decoder
	top := d.Open(values, derLimits)
	attribute := top.Sequence()
	certs := attribute.Sequence()
	id := read(&certs)
	for certs.More() {
		read(&certs)
	}
	if attribute.More() { // policies
		attribute.RawTag(der.TagSequence)
	}
	attribute.End()
	top.End()
	switch {
	case d.Err() != nil:
		return verdict.Fail(CheckSigningCertificate, reason.SignatureAttributesBad, cite, "signing-certificate")
	case id.hash == nil:
		return verdict.Unknown(CheckSigningCertificate, reason.SignatureAlgorithmUnsupported, cite, errHash.Error())
	}
	if !bytes.Equal(id.hash(cert), id.digest) || id.serial != nil && !bytes.Equal(id.serial, cert.Serial) {
		return verdict.Fail(CheckSigningCertificate, reason.SignerCertMismatch, cite, "")
	}
	return verdict.Pass(CheckSigningCertificate, cite)
}

// The digests that a certificate computes but once.
func certSHA1(cert *gostx509.Certificate) []byte     { sum := cert.SHA1(); return sum[:] }
func certSHA256(cert *gostx509.Certificate) []byte   { sum := cert.SHA256(); return sum[:] }
func certStreebog(cert *gostx509.Certificate) []byte { sum := cert.Streebog256(); return sum[:] }

// readESSCertID reads ESSCertID, whose hash is SHA-1.
func readESSCertID(r *der.Reader) essCertID {
	seq := r.Sequence()
	id := essCertID{hash: certSHA1, digest: seq.OctetString()}
	id.readIssuerSerial(&seq)
	seq.End()
	return id
}

// readESSCertIDv2 reads ESSCertIDv2, whose hash is SHA-256 by default.
func readESSCertIDv2(r *der.Reader) essCertID {
	seq := r.Sequence()
	name := sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDSHA256}
	if seq.Peek(der.TagSequence) {
		name = sigalg.Read(&seq)
	}
	var id essCertID
	id.digest = seq.OctetString()
	id.readIssuerSerial(&seq)
	seq.End()
	switch {
	case !hasPlainParameters(name):
	case name.Algorithm.Equal(sigalg.OIDStreebog256):
		id.hash = certStreebog
	case name.Algorithm.Equal(sigalg.OIDSHA256):
		id.hash = certSHA256
	default:
		if h, err := sigalg.NewHash(name.Algorithm); err == nil {
			id.hash = func(cert *gostx509.Certificate) []byte { h.Write(cert.Raw); return h.Sum(nil) }
		}
	}
	return id
}

// readIssuerSerial reads IssuerSerial OPTIONAL.
func (id *essCertID) readIssuerSerial(r *der.Reader) {
	if !r.More() {
		return
	}
	seq := r.Sequence()
	seq.RawTag(der.TagSequence) // GeneralNames
	id.serial = seq.Integer()
	seq.End()
}

// singleOctetString reads attribute values that must be one OCTET STRING.
func singleOctetString(values []byte) ([]byte, bool) {
	var d der.Decoder
	r := d.Open(values, derLimits)
	content := r.OctetString()
	r.End()
	return content, d.Err() == nil
}

// singleOID reads attribute values that must be one OBJECT IDENTIFIER.
func singleOID(values []byte) (der.OID, bool) {
	var d der.Decoder
	r := d.Open(values, derLimits)
	oid := r.OID()
	r.End()
	return oid, d.Err() == nil
}

// isSingle reports whether there is exactly one value.
func isSingle(values []byte) bool {
	var d der.Decoder
	r := d.Open(values, derLimits)
	r.Raw()
	r.End()
	return d.Err() == nil
}
