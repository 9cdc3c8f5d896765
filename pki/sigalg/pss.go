package sigalg

import (
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"

	"propusk/pki/der"
)

var oidMGF1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}

// pssParameters is RSASSA-PSS-params of RFC 4055, Section 3.1, with one digest
// for both the message and the mask.
type pssParameters struct {
	digest asn1.ObjectIdentifier
	salt   int // bytes
}

// readPSS reads the parameters. Absent fields default to SHA-1, which is
// forbidden, so the digest and the mask must be present.
func readPSS(parameters []byte) (pssParameters, error) {
	var d der.Decoder
	input := d.Open(parameters, der.Limits{Size: 1 << 10})
	seq := input.Sequence()
	input.End()

	explicit := seq.Enter(der.Constructed(0))
	hash := Read(&explicit)
	explicit.End()

	explicit = seq.Enter(der.Constructed(1))
	mask := Read(&explicit)
	explicit.End()
	inner := seq.Inside(mask.Parameters)
	maskHash := Read(&inner)
	inner.End()

	salt := 20 // RFC 4055: DEFAULT 20
	if seq.Peek(der.Constructed(2)) {
		explicit = seq.Enter(der.Constructed(2))
		salt = explicit.Int(512)
		explicit.End()
	}
	seq.End() // a trailer field other than the default is not supported

	if err := d.Err(); err != nil {
		return pssParameters{}, fmt.Errorf("%w: %w", ErrParameters, err)
	}
	if !mask.Algorithm.Equal(oidMGF1) || !maskHash.Algorithm.Equal(hash.Algorithm) {
		return pssParameters{}, fmt.Errorf("%w: mask of another digest", ErrParameters)
	}
	if _, err := findDigest(hash.Algorithm); err != nil {
		return pssParameters{}, err
	}
	return pssParameters{digest: hash.Algorithm, salt: salt}, nil
}

// verifyPSS checks an RSASSA-PSS signature under a digest.
func verifyPSS(parameters []byte, digestOID asn1.ObjectIdentifier, pub crypto.PublicKey, digest, sig []byte) error {
	pss, err := readPSS(parameters)
	if err != nil {
		return err
	}
	d, err := findDigest(digestOID)
	if err != nil {
		return err
	}
	key, ok := pub.(*rsa.PublicKey)
	if !ok || d.std == 0 || len(digest) != d.size || !pss.digest.Equal(digestOID) {
		return fmt.Errorf("%w: RSASSA-PSS, digest %v and a %T", ErrMismatch, digestOID, pub)
	}
	if err := checkRSA(key); err != nil {
		return err
	}
	if rsa.VerifyPSS(key, d.std, digest, sig, &rsa.PSSOptions{SaltLength: pss.salt}) != nil {
		return ErrSignature
	}
	return nil
}
