package ocsp

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"time"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// OIDNoCheck is the extension by which a CA says that a responder needs no check of
// revocation as long as its certificate lasts (RFC 6960, Section 4.2.2.2.1). It is a
// constant: do not modify it.
var OIDNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

// maxCandidates is how many certificates of the responder are tried. Real responses
// have one, two while it is being replaced; each costs a signature or two.
const maxCandidates = 4

// Signer is who signed a response. The zero value is nobody.
type Signer struct {
	// Certificate is that of the issuer, or of a responder that it empowered.
	Certificate *gostx509.Certificate
	// Delegated reports whether it is such a responder. Whether its certificate was
	// revoked is then still to be asked, by a revocation list of the issuer, unless
	// NoCheck is true.
	Delegated bool
	// NoCheck reports whether the issuer said that this needs no asking.
	NoCheck bool
}

// CheckSignature reports whether the response was signed by issuer or by a responder
// that issuer empowered, whose certificate is valid at a moment and was when it
// signed. The errors are those of [Response.Signer], by which the caller learns
// whether the revocation of a responder is still to be asked.
func (r *Response) CheckSignature(issuer *gostx509.Certificate, at time.Time) error {
	_, err := r.Signer(issuer, at)
	return err
}

// Signer finds who signed the response and checks the signature (RFC 6960, Section
// 4.2.2.2). That is either issuer, which the caller has validated, or the holder of
// a certificate that the very key of issuer signed, for id-kp-OCSPSigning; nobody
// else, however trusted. The responder must be the one that the response names, and
// its certificate must be valid both at the given moment and at ProducedAt.
//
// The error is a *reason.Error: reason.OCSPSignerUnauthorized, OCSPSignerInvalid,
// OCSPSignatureBad, or OCSPUnsupported for critical extensions and algorithms that
// are not known.
func (r *Response) Signer(issuer *gostx509.Certificate, at time.Time) (Signer, error) {
	return r.SignerBy(nil, issuer, at)
}

// SignerBy is Signer by the engine of a run; nil is this program. The error may then
// also be one of sigalg.EngineFailure.
func (r *Response) SignerBy(run *sigalg.Run, issuer *gostx509.Certificate, at time.Time) (Signer, error) {
	if r.Unusable != nil {
		return Signer{}, r.Unusable
	}
	if issuer == nil {
		return Signer{}, reason.Errorf(reason.OCSPSignerUnauthorized, "ocsp: no issuer")
	}
	var nearest error = reason.Errorf(reason.OCSPSignerUnauthorized, "ocsp: no certificate of the responder that the response names")
	if r.names(issuer) {
		if nearest = r.checkKey(run, issuer); nearest == nil {
			return Signer{Certificate: issuer}, nil
		}
	}
	tried := 0
	for _, c := range r.Certificates {
		if !r.names(c) || c.Equal(issuer) {
			continue
		}
		if tried++; tried > maxCandidates {
			break
		}
		err := r.empowered(run, c, issuer, at)
		if err == nil {
			if err = r.checkKey(run, c); err == nil {
				_, noCheck := c.Extension(OIDNoCheck)
				return Signer{Certificate: c, Delegated: true, NoCheck: noCheck}, nil
			}
		}
		if nearest = err; sigalg.EngineFailed(err) {
			break
		}
	}
	return Signer{}, nearest
}

// names reports whether the response says that the holder of c signed it.
func (r *Response) names(c *gostx509.Certificate) bool {
	if r.ResponderName != nil {
		return bytes.Equal(r.ResponderName, c.RawSubject)
	}
	return r.ResponderKeyHash != nil && bytes.Equal(r.ResponderKeyHash, keyHash(c))
}

// empowered reports why c does not make its holder a responder for issuer.
func (r *Response) empowered(run *sigalg.Run, c, issuer *gostx509.Certificate, at time.Time) error {
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) {
		return reason.Errorf(reason.OCSPSignerUnauthorized, "ocsp: the responder's certificate is of another issuer")
	}
	if err := c.CheckSignatureWith(sigalg.Verifier{Run: run}, issuer); sigalg.EngineFailed(err) {
		return err
	} else if err != nil {
		return reason.New(reason.OCSPSignerUnauthorized, err)
	}
	if !mayRespond(c) {
		return reason.Errorf(reason.OCSPSignerUnauthorized, "ocsp: the responder's certificate is not for signing OCSP responses")
	}
	for _, id := range c.UnhandledCritical {
		if !id.Equal(OIDNoCheck) {
			return reason.Errorf(reason.OCSPSignerInvalid, "ocsp: unknown critical extension %v of the responder's certificate", id)
		}
	}
	for _, t := range []time.Time{r.ProducedAt, at} {
		if t.Before(c.NotBefore) || t.After(c.NotAfter) {
			return reason.Errorf(reason.OCSPSignerInvalid, "ocsp: the responder's certificate is not valid on %s", t.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// mayRespond looks at the usages of a certificate. Only id-kp-OCSPSigning itself
// empowers: «any usage» and the absence of a list do not.
func mayRespond(c *gostx509.Certificate) bool {
	const signing = gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageNonRepudiation
	if c.KeyUsage != 0 && c.KeyUsage&signing == 0 {
		return false
	}
	for _, id := range c.ExtKeyUsage {
		if id.Equal(gostx509.OIDOCSPSigning) {
			return true
		}
	}
	return false
}

// checkKey checks the signature with the key of a certificate.
func (r *Response) checkKey(run *sigalg.Run, c *gostx509.Certificate) error {
	if c.PublicKey == nil {
		return reason.Errorf(reason.OCSPUnsupported, "ocsp: the responder's public key is of an unknown kind")
	}
	digest, err := sigalg.DigestOf(r.SignatureAlgorithm)
	if err != nil {
		return reason.New(reason.OCSPUnsupported, err)
	}
	if !c.AcceptsDigest(digest) {
		return reason.Errorf(reason.OCSPUnsupported, "ocsp: the key of the responder may not sign the digest %v", digest)
	}
	err = sigalg.Verifier{Run: run}.Verify(r.SignatureAlgorithm, c.PublicKey, r.rawData, r.signature)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sigalg.ErrSignature):
		return reason.New(reason.OCSPSignatureBad, err)
	case sigalg.EngineFailed(err):
		return sigalg.EngineFailure(err)
	default:
		return reason.New(reason.OCSPUnsupported, err)
	}
}

// Lookup finds the answer about cert, issued by issuer. If there are several, it is
// the one that grants least: a responder that contradicts itself is not believed to
// have said good, nor a later revocation when it names an earlier one too. That an answer was found says nothing about its signature.
func (r *Response) Lookup(cert, issuer *gostx509.Certificate) (Single, bool) {
	var worst Single
	found := false
	for _, s := range r.Singles {
		if s.ID.Matches(cert, issuer) && (!found || s.worse(&worst)) {
			worst, found = s, true
		}
	}
	return worst, found
}

// rank orders answers by how little they grant.
func (s *Single) rank() int {
	switch {
	case s.Unusable == nil && s.Status == Good:
		return 0
	case s.Unusable == nil && s.Status == Unknown:
		return 1
	case s.Unusable != nil:
		return 2
	case s.Reason == crl.CertificateHold:
		return 3
	default:
		return 4
	}
}

// worse reports whether an answer grants less than another one.
func (s *Single) worse(than *Single) bool {
	if a, b := s.rank(), than.rank(); a != b {
		return a > b
	}
	return s.since().Before(than.since()) // both are zero unless revoked
}

// since is the earliest moment that a revocation reaches back to.
func (s *Single) since() time.Time {
	if !s.InvalidSince.IsZero() && s.InvalidSince.Before(s.RevokedAt) {
		return s.InvalidSince
	}
	return s.RevokedAt
}
