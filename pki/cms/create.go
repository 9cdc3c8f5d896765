package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// A Signatory is somebody who signs, and what goes into the signature. The zero
// value signs nothing.
type Signatory struct {
	// Key makes the signature; it may stay in a token. It is asked to sign a digest
	// of 32 or 64 bytes in software order, with crypto.Hash(0), and must return
	// s and r, both big-endian: the order of RFC 9215, as gost3410.PrivateKey does.
	Key crypto.Signer

	// Certificate is that of Key: GOST R 34.10-2012, 256 or 512 bits. It is
	// included in the signature and named under it.
	Certificate *gostx509.Certificate

	// Chain holds further certificates to include, usually those of the CAs, in any
	// order. Nobody trusts them because they are there.
	Chain []*gostx509.Certificate

	// Time is when the signature is made by the clock of the signatory, in whole
	// seconds. The zero time leaves the attribute signing-time out.
	Time time.Time

	// Description says under the signature what the document is, by the attribute
	// content-hints (RFC 2634, Section 2.9; ETSI EN 319 122-1, Section 5.2.4.2): UTF-8.
	// Empty: the attribute is left out.
	Description string

	// Policy is the signature policy that the signature is made under; with one it
	// is CAdES-EPES. Nil: none.
	Policy *Policy

	// anyKey says that keys of RSA and ECDSA may sign too: those of services, not
	// of people.
	anyKey bool
}

// Policy names a signature policy: a document with the rules that the signature is
// made and judged by (ETSI EN 319 122-1, Section 5.2.9).
type Policy struct {
	// ID is the identifier of the policy.
	ID asn1.ObjectIdentifier
	// Algorithm and Hash are the digest of the document, which is what binds the
	// signature to it.
	Algorithm asn1.ObjectIdentifier
	Hash      []byte
	// URL is an address of the document; empty: none.
	URL string
}

// Errors of the caller, who asked for something that cannot be.
var (
	errNobody      = errors.New("cms: nobody signs")
	errIncomplete  = errors.New("cms: a signatory without a key or a certificate, or with a hole in the chain")
	errSigning     = errors.New("cms: the key makes signatures that do not verify")
	errOtherKey    = errors.New("cms: the key is not that of the certificate")
	errSameSigner  = errors.New("cms: the certificate signs twice")
	errDocumentMax = errors.New("cms: the document is longer than fits into a signature")
	errDescription = errors.New("cms: a description that is not UTF-8")
	errPolicy      = errors.New("cms: a signature policy without an identifier, with a digest of a wrong length or an address that is not ASCII")
)

// Create signs a document and returns a CAdES-BES signature in DER that has the
// document inside (RFC 5652; ETSI EN 319 122-1, Section 5; RFC 9215). The result
// is never longer than [MaxSize]; a longer document needs [CreateDetached]. It is
// held in memory about three times. A nil random means crypto/rand.
//
// Why a signatory may not sign is a *reason.Error, with a code as of [Suitable] or
// reason.SigningKeyMismatch, reason.SignedAlready, reason.SignatureTooLarge. Whether
// the certificates are in force now is not asked, as there is no clock here: call
// Suitable. Any other error is of the key or of the caller.
func Create(random io.Reader, document []byte, by ...Signatory) ([]byte, error) {
	if len(document) > MaxSize {
		return nil, reason.New(reason.SignatureTooLarge, errDocumentMax)
	}
	if document == nil {
		document = []byte{} // an empty document is one too
	}
	content, err := encapsulate(document)
	if err != nil {
		return nil, err
	}
	m := &message{version: 1, content: content}
	return m.create(random, bytes.NewReader(document), by)
}

// CreateDetached is Create for a signature beside the document. The document is
// read once, to its end, and never held: it may be of any length. An error of the
// reader is returned, wrapped.
func CreateDetached(random io.Reader, document io.Reader, by ...Signatory) ([]byte, error) {
	if document == nil {
		return nil, reason.New(reason.ContentMissing, errNoDocument)
	}
	content, err := encapsulate(nil)
	if err != nil {
		return nil, err
	}
	m := &message{version: 1, content: content}
	return m.create(random, document, by)
}

// create signs a new message.
func (m *message) create(random, document io.Reader, by []Signatory) ([]byte, error) {
	if err := ready(by); err != nil {
		return nil, err
	}
	sums, err := digestDocument(document, algorithmsOf(by))
	if err != nil {
		return nil, err
	}
	return m.signAll(random, []byte(oidData), sums, by)
}

// signAll adds the signature of everybody, and returns the whole message. What it
// returns is what Parse reads: within the limits, and with signatures that verify.
func (m *message) signAll(random io.Reader, contentType []byte, sums []contentDigest, by []Signatory) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	for i := range by {
		info, err := by[i].sign(random, contentType, sums)
		if err != nil {
			return nil, err
		}
		if err := m.add(info, &by[i]); err != nil {
			return nil, err
		}
	}
	return m.file()
}

// sign makes the SignerInfo of one signatory: RFC 5652, Sections 5.3 and 5.4.
func (s *Signatory) sign(random io.Reader, contentType []byte, sums []contentDigest) ([]byte, error) {
	digest, signature, err := s.algorithms()
	if err != nil {
		return nil, err
	}
	attributes, err := s.attributes(contentType, digest, sumOf(sums, digest.Algorithm))
	if err != nil {
		return nil, err
	}
	value, err := sigalg.SignWith(random, signature, s.Key, attributes)
	if err != nil {
		return nil, fmt.Errorf("cms: sign: %w", err)
	}
	// A token may have bytes in another order, or a fault; nobody shall find out
	// from a signature that was sent.
	if err := sigalg.Verify(signature, s.Certificate.PublicKey, attributes, value); err != nil {
		return nil, errSigning
	}
	return s.signerInfo(digest, signature, attributes, value)
}

// algorithms returns the digest and the signature algorithm of the signatory.
func (s *Signatory) algorithms() (digest, signature sigalg.AlgorithmIdentifier, err error) {
	if !s.anyKey || s.Certificate.PublicKey == nil {
		return algorithms(s.Certificate)
	}
	if signature, err = sigalg.Suits(s.Certificate.PublicKey); err != nil {
		return digest, signature, reason.New(reason.CertKeyUnsupported, err)
	}
	digest.Algorithm, err = sigalg.DigestOf(signature)
	return digest, signature, err
}

// algorithms returns the digest and the signature algorithm that go with the key of
// a certificate, both without parameters: RFC 9215, Section 2; RFC 6986 for the
// digest. Keys of GOST R 34.10-2001 have another identifier and may not sign.
func algorithms(cert *gostx509.Certificate) (digest, signature sigalg.AlgorithmIdentifier, err error) {
	switch id := cert.PublicKeyAlgorithm.Algorithm; {
	case id.Equal(sigalg.OIDKeyGOST256):
		digest.Algorithm, signature.Algorithm = sigalg.OIDStreebog256, sigalg.OIDGOST256WithStreebog
	case id.Equal(sigalg.OIDKeyGOST512):
		digest.Algorithm, signature.Algorithm = sigalg.OIDStreebog512, sigalg.OIDGOST512WithStreebog
	default:
		return digest, signature, reason.Errorf(reason.KeyNotGOST2012, "cms: key algorithm %v", id)
	}
	if cert.PublicKey == nil {
		return digest, signature, reason.New(reason.CertKeyUnsupported, cert.KeyError)
	}
	return digest, signature, nil
}

// ready checks everybody before anything is read or signed: a token may ask for its
// PIN, which must not be for nothing.
func ready(by []Signatory) error {
	if len(by) == 0 {
		return errNobody
	}
	for i := range by {
		if err := by[i].ready(); err != nil {
			return err
		}
		for j := range i {
			if by[i].Certificate.Equal(by[j].Certificate) {
				return reason.New(reason.SignedAlready, errSameSigner)
			}
		}
	}
	return nil
}

func (s *Signatory) ready() error {
	if s.Key == nil || s.Certificate == nil || slices.Contains(s.Chain, nil) {
		return errIncomplete
	}
	if !utf8.ValidString(s.Description) {
		return errDescription
	}
	if err := s.Policy.check(); err != nil {
		return err
	}
	if _, _, err := s.algorithms(); err != nil {
		return err
	}
	if err := usage(s.Certificate); err != nil {
		return err
	}
	if !s.Time.IsZero() {
		if err := inForce(s.Certificate, s.Time); err != nil {
			return err
		}
	}
	public, ok := s.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(s.Certificate.PublicKey) {
		return reason.New(reason.SigningKeyMismatch, errOtherKey)
	}
	return nil
}

// Suitable says whether the key of a certificate may sign at a moment, as far as
// the certificate itself tells: nil, or a *reason.Error with reason.KeyNotGOST2012,
// CertKeyUnsupported, KeyUsageUnsuitable, CertNotYetValid, CertExpired,
// KeyPeriodNotStarted or KeyPeriodOver. Whether the certificate was revoked, or
// anybody trusts it, is for package validate to say.
//
// A certificate without the extension keyUsage may sign (RFC 5280, Section
// 4.2.1.3), although it is no qualified one.
func Suitable(cert *gostx509.Certificate, at time.Time) error {
	if _, _, err := algorithms(cert); err != nil {
		return err
	}
	if err := usage(cert); err != nil {
		return err
	}
	return inForce(cert, at)
}

// inForce is the part of Suitable that a clock is needed for.
func inForce(cert *gostx509.Certificate, at time.Time) error {
	period := cert.PrivateKeyUsage
	switch {
	case at.Before(cert.NotBefore):
		return reason.Errorf(reason.CertNotYetValid, "valid from %s", cert.NotBefore.Format(time.RFC3339))
	case at.After(cert.NotAfter):
		return reason.Errorf(reason.CertExpired, "valid until %s", cert.NotAfter.Format(time.RFC3339))
	case at.Before(period.NotBefore):
		return reason.Errorf(reason.KeyPeriodNotStarted, "the key may sign from %s", period.NotBefore.Format(time.RFC3339))
	case !period.NotAfter.IsZero() && at.After(period.NotAfter):
		return reason.Errorf(reason.KeyPeriodOver, "the key could sign until %s", period.NotAfter.Format(time.RFC3339))
	}
	return nil
}

// usage says whether the key of a certificate is one for signatures.
func usage(cert *gostx509.Certificate) error {
	const signing = gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageNonRepudiation
	if cert.KeyUsage != 0 && cert.KeyUsage&signing == 0 {
		return reason.Errorf(reason.KeyUsageUnsuitable, "keyUsage has neither digitalSignature nor nonRepudiation")
	}
	return nil
}

// algorithmsOf returns the digest algorithms that signatories need, each once.
// All of them are ready.
func algorithmsOf(by []Signatory) []asn1.ObjectIdentifier {
	var all []asn1.ObjectIdentifier
	for i := range by {
		if digest, _, err := by[i].algorithms(); err == nil && !contains(all, digest.Algorithm) {
			all = append(all, digest.Algorithm)
		}
	}
	return all
}

// digestDocument reads a document once and returns its digest in every algorithm
// that is known.
func digestDocument(document io.Reader, algorithms []asn1.ObjectIdentifier) ([]contentDigest, error) {
	var sums []contentDigest
	var hashes []hash.Hash
	var all []io.Writer
	for _, id := range algorithms {
		h, err := sigalg.NewHash(id)
		if err != nil {
			continue // of an earlier signature: nothing can be said about that one
		}
		hashes, all = append(hashes, h), append(all, h)
		sums = append(sums, contentDigest{algorithm: id})
	}
	if _, err := io.Copy(io.MultiWriter(all...), document); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	for i, h := range hashes {
		sums[i].digest = h.Sum(nil)
	}
	return sums, nil
}

// sumOf returns the digest in an algorithm, nil if it was not computed.
func sumOf(sums []contentDigest, algorithm asn1.ObjectIdentifier) []byte {
	for _, s := range sums {
		if s.algorithm.Equal(algorithm) {
			return s.digest
		}
	}
	return nil
}
