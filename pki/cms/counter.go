package cms

import (
	"encoding/asn1"
	"errors"

	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/sigalg"
)

// ParseSigner reads one SignerInfo in DER that stands by itself: a
// counter-signature (RFC 5652, Section 11.4). The result points into data. Errors
// are as in [Parse].
func ParseSigner(data []byte) (*Signer, error) {
	p := parser{sd: &SignedData{}}
	top := p.d.Open(data, derLimits)
	s := p.signer(top.Sequence())
	top.End()
	if err := errors.Join(p.d.Err(), p.err); err != nil {
		return nil, parseError(err)
	}
	s.Raw = data
	return &s, nil
}

// VerifyCounter checks the receiver as a counter-signature over another signature,
// given by the octets of its value (RFC 5652, Section 11.4). Certificates are as in
// [SignedData.Verify], and the run as in [SignedData.VerifyWith].
func (s *Signer) VerifyCounter(run *sigalg.Run, signature []byte, candidates []*gostx509.Certificate) Result {
	sd := &SignedData{
		Detached: true, counter: true, rightVersion: true,
		rawContentType:   der.OID(oidData),
		DigestAlgorithms: []sigalg.AlgorithmIdentifier{s.DigestAlgorithm},
	}
	v := verifier{run: run, sd: sd, candidates: candidates, digests: digester{sd: sd, content: Document(signature)}}
	return v.signer(s)
}

// DocumentDigest returns the digest of the document of the file in the given
// algorithm, and false if the document is not at hand or the algorithm is unknown.
// It costs a pass over the document unless the digest is known.
func (sd *SignedData) DocumentDigest(content Content, algorithm asn1.ObjectIdentifier) ([]byte, bool) {
	d := digester{sd: sd, content: content}
	digest, code := d.digest(algorithm)
	return digest, code == ""
}

// Document returns the document of the file, which must not be modified, and false
// if it is not held.
func (sd *SignedData) Document(content Content) ([]byte, bool) {
	d := digester{sd: sd, content: content}
	return d.bytes()
}

// RawContentType returns eContentType as it stands in the file: the content of the
// OBJECT IDENTIFIER.
func (sd *SignedData) RawContentType() der.OID { return sd.rawContentType }
